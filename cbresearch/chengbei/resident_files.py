"""The four resident files, each in the format of its year."""

from __future__ import annotations

import numpy as np
import pandas as pd
from openpyxl import Workbook

from cbresearch.chengbei.chance import stream
from cbresearch.chengbei.contract import Contract
from cbresearch.chengbei.files import csv_bytes, sav_bytes, xlsx_bytes
from cbresearch.chengbei.mess import Messy
from cbresearch.chengbei.spelling import in_english, on_paper, on_platform, spelt
from cbresearch.codebook import Question

PERSONAL = ["source_ip", "respondent_name"]
NO_DURATION_SHARE = 0.2
SAV_DONT_KNOW = "不清楚"


def paper_2006(messy: Messy, contract: Contract, *, seed: int) -> bytes:
    """GB18030 text, former committees, labels in many spellings; some clerks wrote down no time."""
    rng = stream(seed, "file", 2006)
    words = spelt(
        messy.codes.drop(columns=["community", "street", *PERSONAL]), contract.codebook, on_paper, rng
    )
    forgotten = (rng.random(len(words)) < NO_DURATION_SHARE) & ~words["resident_id"].isin(
        messy.ids["speeders"]
    )
    words["duration_seconds"] = words["duration_seconds"].mask(forgotten, None)
    source = contract.source("residents", 2006)
    headed = words.rename(columns={name: contract.heading(source, name) for name in words.columns})
    return csv_bytes(_in_order(headed, messy.order), encoding="gb18030")


def spss_2007(messy: Messy, contract: Contract, *, seed: int) -> bytes:
    """Codes with Chinese value labels; satisfaction counts down from 1 = very satisfied; 0/1 columns for several answers."""
    codes = messy.codes.drop(columns=["committee", *PERSONAL])
    columns: dict[str, pd.Series] = {}
    labels: dict[str, str] = {}
    value_labels: dict[str, dict[float, str]] = {}
    for name in codes.columns:
        question = contract.codebook.by_name[name]
        for column, values, label, answers in _sav_columns(question, codes[name], contract):
            columns[column], labels[column] = values, label
            if answers:
                value_labels[column] = answers
    table = _in_order(pd.DataFrame(columns), messy.order)
    text = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    table[text] = table[text].fillna("")
    return sav_bytes(table, labels=labels, value_labels=value_labels)


SavColumn = tuple[str, pd.Series, str, dict[float, str]]


def _sav_columns(question: Question, codes: pd.Series, contract: Contract) -> list[SavColumn]:
    """One column of codes as SPSS columns: name, values, long label, labels of values."""
    label = question.label.zh
    choices = contract.codebook.choices_of(question.name)
    if question.type == "select_multiple":
        return [
            (
                f"{question.name}__{c.code}",
                _chosen(codes, c.code),
                f"{label}：{c.label.zh}",
                {0.0: "未选", 1.0: "选中"},
            )
            for c in choices
        ]
    if question.type in {"id", "text", "date"} or question.name in {"community", "street"}:
        return [(question.name, codes, label, {})]
    unknown = {float(code): SAV_DONT_KNOW for code in question.missing}
    numbers = pd.to_numeric(codes).astype("float64")
    if not question.name.startswith("sat_"):
        return [(question.name, numbers, label, {float(c.code): c.label.zh for c in choices} | unknown)]
    turned = numbers.where(~numbers.between(1, 5), 6 - numbers)
    return [(question.name, turned, label, {6.0 - float(c.code): c.label.zh for c in choices} | unknown)]


def _chosen(codes: pd.Series, code: str) -> pd.Series:
    answers = [np.nan if cell is None else float(code in cell.split("┋")) for cell in codes]
    return pd.Series(answers, codes.index, dtype="float64")


def platform_2008(messy: Messy, contract: Contract, *, seed: int) -> bytes:
    """问卷星's text export: six columns of its own, then questions numbered in the order they were asked."""
    rng = stream(seed, "file", 2008)
    codes = messy.codes.drop(columns=["committee"])
    words = spelt(codes, contract.codebook, on_platform, rng)
    words["submitted"] = pd.to_datetime(codes["submitted"]).dt.strftime("%Y/%m/%d %H:%M:%S").astype("object")
    words["duration_seconds"] = [f"{seconds}秒" for seconds in codes["duration_seconds"]]
    own = ["submitted", "duration_seconds", "source_ip"]
    label = {name: contract.codebook.by_name[name].label.zh for name in words.columns}
    asked = [name for name in words.columns if name not in own]
    table = pd.DataFrame(
        {
            "序号": [str(number) for number in range(1, len(words) + 1)],
            label["submitted"]: words["submitted"],
            label["duration_seconds"]: words["duration_seconds"],
            "来源": rng.choice(["微信", "手机提交", "链接"], len(words)),
            "来源详情": "直接访问",
            label["source_ip"]: words["source_ip"],
            **{f"{number}、{label[name]}": words[name] for number, name in enumerate(asked, 1)},
        },
        dtype="object",
    )
    return xlsx_bytes(_plain_book(_in_order(table, messy.order), "Sheet1"))


def _plain_book(table: pd.DataFrame, sheet: str) -> Workbook:
    book = Workbook(write_only=True)
    page = book.create_sheet(sheet)
    page.append(list(table.columns))
    for row in table.itertuples(index=False):
        page.append([None if pd.isna(cell) else cell for cell in row])
    return book


def export_2009(messy: Messy, contract: Contract, *, seed: int) -> bytes:
    """UTF-8, other column names, English words for some questions, codes for the rest, a clerk's column nobody declared."""
    rng = stream(seed, "file", 2009)
    words = spelt(messy.codes.drop(columns=["committee", *PERSONAL]), contract.codebook, in_english, rng)
    source = contract.source("residents", 2009)
    mapped = {column: heading for heading, column in source.columns.items()}
    english = {name: mapped.get(name, contract.codebook.by_name[name].label.en) for name in words.columns}
    headed = words.rename(columns=english)
    headed["clerk"] = rng.choice(["A", "B", "C"], len(headed))
    return csv_bytes(_in_order(headed, messy.order))


def _in_order(table: pd.DataFrame, order: tuple[int, ...]) -> pd.DataFrame:
    """The rows of the file: -1 is a row without anything in it."""
    return table.reindex(list(order)).reset_index(drop=True)


WRITERS = {2006: paper_2006, 2007: spss_2007, 2008: platform_2008, 2009: export_2009}
