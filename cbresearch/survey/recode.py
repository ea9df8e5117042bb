"""Steps that change cells: how an answer is written, and what is no answer."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import pandas as pd

from cbresearch.codebook import Question
from cbresearch.survey import validate
from cbresearch.survey.answers import Answers, answers_of, is_no_answer, meaning
from cbresearch.survey.ledger import step
from cbresearch.survey.privacy import mask, traced
from cbresearch.survey.rules import found_cells, found_column
from cbresearch.survey.table import Table, by_value, cells_that

_UNITS = "秒钟|分钟|秒|元整|元|岁|周岁|年|户|人|个|支|次|平方米|㎡|米|%|％|seconds|second|secs|sec|s|years|year|yuan|rmb|¥|￥|\\$"
_AMOUNT = re.compile(rf"(?:约|大约)?[¥￥$]?([+-]?\d+(?:\.\d+)?)(万|亿)?(?:{_UNITS})?", re.IGNORECASE)
_TIMES = {"万": 10_000, "亿": 100_000_000}
_MINUTES = re.compile(
    r"(?:(\d+)(?:小时|时|h))?(?:(\d+)(?:分钟|分|min|m))(?:(\d+)(?:秒|sec|s)?)?", re.IGNORECASE
)
_THOUSANDS = re.compile(r"(?<=\d)[,，](?=\d{3}(?!\d))")


@step(
    zh="居民在意见里写下的电话、身份证号和邮箱属于个人信息，遮盖后再处理；原文只留在原始文件中。",
    private=True,
)
def mask_personal_data(table: Table) -> Table:
    """Phone numbers, ID numbers and e-mail addresses that people wrote into answers are theirs: masked before anything else."""
    columns, found = {}, []
    for question in table.answered("text", "select_one", "select_multiple", "integer", "decimal"):
        marks = traced(_may_hold_a_trace(table, question), table.lang)
        if question.role == "personal" or not len(marks):
            continue
        cells = table.cells[question.name].copy()
        cells[marks.index] = [mask(str(text), table.lang) for text in cells[marks.index]]
        columns[question.name] = cells
        found.append(found_cells(table, "personal_data", marks.rename(question.name)))
    return table.having(**columns).reporting(*found)


def _may_hold_a_trace(table: Table, question: Question) -> pd.Series:
    """The cells to look at: of a number question, only what its codebook would not take for a number."""
    cells = table.cells[question.name]
    if question.type not in {"integer", "decimal"}:
        return cells
    highest = math.inf if question.maximum is None else question.maximum
    return cells_that(cells, lambda text: not text.isdecimal() or float(text) > highest)


@step(zh="姓名、IP 地址等个人信息与评价无关，整列剔除。")
def leave_out_personal_columns(table: Table) -> Table:
    """Names, addresses and the like identify a person and answer no question: the column is left out."""
    personal = [q.name for q in table.questions if q.role == "personal" and q.name in table.cells]
    if not personal:
        return table
    kept = replace(table, cells=table.cells.drop(columns=personal))
    return kept.reporting(*(found_column(table, "personal_data", name, name) for name in personal))


@step(zh="数字统一写法：去掉单位、千分位和全角，“325秒”即 325，“1,200元”即 1200，“1.5万元”即 15000。")
def plain_numbers(table: Table) -> Table:
    """A number is a number however it is written: '325秒' is 325, '1,200元' is 1200, '1.5万元' is 15000."""
    return table.having(
        **{
            question.name: by_value(table.cells[question.name], _plain(question))
            for question in table.answered("integer", "decimal")
        }
    )


def _plain(question: Question) -> Callable[[str], str | None]:
    def plain(text: str) -> str:
        bare = _THOUSANDS.sub("", re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)))
        if question.role == "duration" and (spent := _MINUTES.fullmatch(bare)):
            hours, minutes, seconds = (int(part or 0) for part in spent.groups())
            return str(hours * 3600 + minutes * 60 + seconds)
        amount = _AMOUNT.fullmatch(bare)
        if amount is None:
            return text
        digits = amount[1].removeprefix("+")
        if amount[2]:
            return format((Decimal(digits) * _TIMES[amount[2]]).normalize(), "f")
        return re.sub(r"\.0+$", "", digits) if question.type == "integer" else digits

    return plain


@step(zh="同一答案写法不一，统一成编码簿的代码；文件自带取值标签的，以标签为准。")
def codes_for_labels(table: Table) -> Table:
    """One answer, many spellings: each becomes the codebook's code. A file's own labels are believed before its numbers."""
    columns = {}
    for question in table.answered("select_one"):
        answers = _answers(table, question)
        own = table.labels.get(question.name, {})
        read = meaning(question, answers, own) if own else _by_codebook(answers)
        columns[question.name] = by_value(table.cells[question.name], read)
    return table.having(**columns)


def _by_codebook(answers: Answers) -> Callable[[str], str]:
    return lambda text: answers.code(text) or text


def _answers(table: Table, question: Question) -> Answers:
    return answers_of(table.study.codebook.choices_of(question.name))


@step(zh="“不知道”“拒绝回答”及约定的缺失代码（如 9、99、999）不是分数，按缺失处理。")
def blank_no_answers(table: Table) -> Table:
    """'Don't know', 'refused' and the declared codes that stand for them (9, 99, 999) are missing, not high scores."""
    columns = {}
    for question in table.questions:
        if question.name in table.cells and question.type not in {"id", "text"}:
            columns[question.name] = by_value(table.cells[question.name], _answer_only(table, question))
    return table.having(**columns)


def _answer_only(table: Table, question: Question) -> Callable[[str], str | None]:
    answers, own = _answers(table, question), table.labels.get(question.name, {})
    return lambda text: None if is_no_answer(question, text, own, answers) else text


@step(zh="读不懂的答案（不在选项之内、不是数字、不是日期）不能猜，按缺失处理并列入问题清单。")
def blank_unreadable(table: Table) -> Table:
    """What is none of the answers, no number or no date cannot be guessed: missing, and listed among the findings."""
    for check in (
        validate.unknown_answers,
        validate.unreadable_numbers,
        validate.broken_numbers,
        validate.unreadable_dates,
    ):
        table = _blanked(table, check)
    return table


@step(zh="不可能的数值（如 212 岁）按缺失处理，该居民的其他答案保留。")
def blank_impossible(table: Table) -> Table:
    """A number that cannot be, such as an age of 212, is missing; the resident's other answers stay."""
    return _blanked(table, validate.impossible_numbers)


def _blanked(table: Table, check: validate.Check) -> Table:
    """The table without the cells that `check` finds fault with."""
    found = list(check(table))
    columns = {}
    for finding in found:
        name = str(finding["column"].iloc[0])
        columns[name] = table.cells[name].mask(table.cells.index.isin(finding["row"].astype("int64")))
    return table.having(**columns).reporting(*found)


@step(zh="年龄等数字按研究约定分组；没有数字而文件自己写了组别的，用文件的组别。")
def cut_bands(table: Table) -> Table:
    """Numbers such as age are cut into the study's bands; where only the band was asked, the file's own stays."""
    columns, copied = {}, dict(table.copied)
    for band in table.study.file.bands if table.kind == "residents" else ():
        if band.of not in table.cells:
            continue
        codes = [choice.code for choice in table.study.codebook.choices_of(band.name)]
        ends = (*band.starts[1:], float("inf"))
        numbers = pd.to_numeric(table.cells[band.of], errors="coerce").astype("float64")
        own = table.cells.get(band.name, pd.Series(pd.NA, table.cells.index, dtype="string"))
        for code, start, end in zip(codes, band.starts, ends, strict=True):
            own = own.mask((numbers >= start) & (numbers < end), code)
        columns[band.name] = own
        copied[band.name] = band.of
    return replace(table.having(**columns), copied=copied)


@step(zh="前面的答案已排除、却又作答的题：不知哪一处有误，两处都保留，只作标记。")
def note_contradictions(table: Table) -> Table:
    """An answer that an earlier answer rules out: nobody can tell which of the two is wrong, so both stay, noted."""
    return table.noting(*validate.irrelevant_answers(table))


@step(zh="反向表述的题目：保留原始代码，折算 0–100 分时再调转方向。标记数为所涉答案数。")
def note_reverse_worded(table: Table) -> Table:
    """An item worded the other way round keeps its answers as given; its points are turned when it is scored. Marked: the answers concerned."""
    reverse = [q.name for q in table.questions if q.is_rated and q.direction == -1 and q.name in table.cells]
    return replace(table, noted=table.noted + int(table.cells[reverse].notna().sum().sum()))
