"""The rules that data can break, each with the sentence a reader gets."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cbresearch.codebook import Question
from cbresearch.records import Text
from cbresearch.study import Study
from cbresearch.survey.privacy import mask
from cbresearch.survey.table import Table

FINDING_COLUMNS = ("source", "row", "column", "value", "rule", "sentence_zh", "sentence_en")
LONGEST_VALUE = 60


@dataclass(frozen=True, slots=True)
class Rule:
    """What is wrong, in words that may name the column's {label}, the {value} and what was {expected}."""

    name: str
    sentence: Text


_RULES = (
    Rule("blank_row", Text("整行空白，已移出。", "The row is blank; set aside.")),
    Rule(
        "duplicate_row",
        Text("整行与前面某行完全相同，已移出。", "The row repeats an earlier one cell for cell; set aside."),
    ),
    Rule(
        "same_answers",
        Text(
            "整行与前面某行完全相同；本文件没有编号，无法判断是否同一人，予以保留。",
            "The row repeats an earlier one; without an identifier nobody can tell whether it is the same person, so it stays.",
        ),
    ),
    Rule(
        "duplicate_key",
        Text(
            "编号“{value}”出现不止一次；保留答得最全的一份，其余移出。",
            "'{value}' stands more than once; the most complete return stays, this one is set aside.",
        ),
    ),
    Rule(
        "missing_key",
        Text(
            "“{label}”空白，无法确认是谁，已移出。",
            "{label} is empty: nobody can tell whose row this is; set aside.",
        ),
    ),
    Rule(
        "missing_area",
        Text(
            "“{label}”空白，不知属于哪里，已移出。",
            "{label} is empty: nobody can tell where this belongs; set aside.",
        ),
    ),
    Rule(
        "unknown_area",
        Text(
            "“{label}”写作“{value}”，不在名单之内（也可能是合计行或说明），已移出。",
            "{label}: '{value}' is not in the list (it may be a line of totals or a note); set aside.",
        ),
    ),
    Rule(
        "unknown_label",
        Text(
            "“{label}”的答案“{value}”不在选项之内（{expected}），按缺失处理。",
            "{label}: '{value}' is none of the answers ({expected}); treated as missing.",
        ),
    ),
    Rule(
        "not_a_number",
        Text(
            "“{label}”的“{value}”不是数字，按缺失处理。",
            "{label}: '{value}' is not a number; treated as missing.",
        ),
    ),
    Rule(
        "not_whole",
        Text(
            "“{label}”的“{value}”不是整数，按缺失处理。",
            "{label}: '{value}' is not a whole number; treated as missing.",
        ),
    ),
    Rule(
        "not_a_date",
        Text(
            "“{label}”的“{value}”不是日期，按缺失处理。",
            "{label}: '{value}' is not a date; treated as missing.",
        ),
    ),
    Rule(
        "out_of_range",
        Text(
            "“{label}”的“{value}”不可能（应为{expected}），按缺失处理。",
            "{label}: '{value}' cannot be (expected {expected}); treated as missing.",
        ),
    ),
    Rule(
        "irrelevant_answer",
        Text(
            "“{label}”答了“{value}”，而按前面的答案不该问到（条件：{expected}）；两处不知哪处有误，都保留。",
            "{label} was answered '{value}' although earlier answers rule it out (asked when {expected}); nobody can tell which is wrong, so both stay.",
        ),
    ),
    Rule(
        "personal_data",
        Text(
            "“{label}”里有个人信息（{value}），已遮盖或剔除。",
            "{label} holds personal data ({value}); masked or left out.",
        ),
    ),
    Rule(
        "unknown_column",
        Text("编码簿里没有“{value}”这一列，未采用。", "The codebook has no column '{value}'; left out."),
    ),
    Rule(
        "repeated_column",
        Text(
            "“{value}”与前面一列对应同一问题“{label}”，只用前面一列。",
            "'{value}' answers the same question as an earlier column ({label}); the earlier one is used.",
        ),
    ),
    Rule(
        "absent_question",
        Text(
            "本文件没有“{label}”，这一项按缺失处理。", "This file does not have {label}; it is missing here."
        ),
    ),
    Rule(
        "missing_weight",
        Text(
            "“{label}”缺失或不是正数；按同组答卷的平均权数计。",
            "{label} is missing or not positive; the mean of the resident's group is used.",
        ),
    ),
    Rule(
        "undated_facility",
        Text(
            "“{label}”缺失，只计入最近一年。",
            "{label} is missing; the facility counts in the latest wave only.",
        ),
    ),
    Rule(
        "unreached_class",
        Text(
            "“{label}”的“{value}”在本年没有一份有效答卷，抽样框中的这些人没有被代表。",
            "{label}: nobody from '{value}' answered in this wave, so its people in the frame go unrepresented.",
        ),
    ),
)
RULES = {rule.name: rule for rule in _RULES}


def no_findings() -> pd.DataFrame:
    """A findings table without rows."""
    empty = pd.DataFrame({column: pd.Series(dtype="string") for column in FINDING_COLUMNS})
    return empty.astype({"row": "Int64"})


def found_rows(table: Table, rule: str, rows: pd.Index, column: str | None = None) -> pd.DataFrame:
    """A finding per row of the file; `column` names the cell at fault where there is one."""
    values = (
        table.cells.loc[rows, column] if column in table.cells else pd.Series(pd.NA, rows, dtype="string")
    )
    return found_cells(table, rule, values.rename(column))


def found_cells(table: Table, rule: str, cells: pd.Series, expected: Text | None = None) -> pd.DataFrame:
    """A finding per cell of one column: `cells` are the faulty ones, indexed by row, named by column."""
    column = None if cells.name is None else str(cells.name)
    codes, distinct = pd.factorize(cells, use_na_sentinel=False)
    shown = [None if pd.isna(value) else _short(mask(str(value), table.lang)) for value in distinct]
    words = [_sentence(table.study, rule, column, value, expected) for value in shown]
    return _finding_frame(
        table.name,
        pd.array(cells.index.to_numpy(dtype="int64"), dtype="Int64"),
        column,
        pd.array(shown, dtype="string").take(codes),
        rule,
        pd.array([w.zh for w in words], dtype="string").take(codes),
        pd.array([w.en for w in words], dtype="string").take(codes),
    )


def found_column(table: Table, rule: str, column: str, value: str | None = None) -> pd.DataFrame:
    """One finding about a whole column: no row."""
    return found_once(table.study, table.name, rule, column, value)


def found_once(study: Study, source: str, rule: str, column: str, value: str | None = None) -> pd.DataFrame:
    """One finding about a whole file or about the study."""
    words = _sentence(study, rule, column, value, None)
    rows = pd.array([pd.NA], dtype="Int64")
    return _finding_frame(source, rows, column, value, rule, words.zh, words.en)


def _finding_frame(*parts: object) -> pd.DataFrame:
    frame = pd.DataFrame(dict(zip(FINDING_COLUMNS, parts, strict=True)))
    return frame.astype({column: "string" for column in FINDING_COLUMNS if column != "row"})


def _sentence(study: Study, rule: str, column: str | None, value: str | None, expected: Text | None) -> Text:
    label = study.label(column) if column else Text("", "")
    expected = expected or Text("", "")
    template = RULES[rule].sentence
    return Text(
        template.zh.format(label=label.zh, value=value or "", expected=expected.zh),
        template.en.format(label=label.en, value=value or "", expected=expected.en),
    )


def _short(value: str) -> str:
    return value if len(value) <= LONGEST_VALUE else value[: LONGEST_VALUE - 1] + "…"


def expected_range(question: Question) -> Text:
    """What a number may be, in words."""
    low, high = question.minimum, question.maximum
    match (low, high):
        case (None, None):
            return Text("任意数", "any number")
        case (_, None):
            return Text(f"不小于{low:g}", f"{low:g} or more")
        case (None, _):
            return Text(f"不大于{high:g}", f"{high:g} or less")
    return Text(f"{low:g}到{high:g}", f"{low:g} to {high:g}")
