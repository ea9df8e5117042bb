"""What the data say against the codebook: a finding per fault, nothing changed."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial

import pandas as pd

from cbresearch.codebook import Question
from cbresearch.records import Text
from cbresearch.study import OPENED
from cbresearch.survey.answers import answers_of
from cbresearch.survey.harmonise import OPTION
from cbresearch.survey.relevance import parse, readable
from cbresearch.survey.rules import expected_range, found_cells, no_findings
from cbresearch.survey.table import Table, cells_that

LISTED = 6
"""Answers named in a sentence before the rest are only counted."""

LARGEST = 1e15
"""Longer runs of digits are account or card numbers, not amounts; beyond it whole numbers lose their last digits."""

"""The question of the facility register that says from when on a facility counts."""

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_DATE = re.compile(
    r"\s*(?:\d{4}[-/.年]\s?(?:0?[1-9]|1[0-2])[-/.月]\s?(?:0?[1-9]|[12]\d|3[01])日?"
    r"|(?:0?[1-9]|[12]\d|3[01])[-/.](?:0?[1-9]|[12]\d|3[01])[-/.](?:\d{4}|\d{2})"
    r"|\d{4}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))"
    r"(?:[T\s]\s*\d{1,2}[:时]\d{1,2}(?:[:分]\d{1,2}(?:\.\d+)?秒?)?分?\s*(?:[AaPp][Mm])?(?:Z|[+-]\d{2}:?\d{2})?)?\s*"
)


def unknown_answers(table: Table) -> Iterator[pd.DataFrame]:
    """Cells of a question with a list of answers that hold none of them."""
    for question in table.answered("select_one"):
        codes = answers_of(table.study.codebook.choices_of(question.name)).codes
        faulty = cells_that(table.cells[question.name], partial(_is_none_of, codes))
        if len(faulty):
            yield found_cells(table, "unknown_label", faulty, listed(table, question))


def _is_none_of(codes: frozenset[str], text: str) -> bool:
    return text not in codes


def unreadable_numbers(table: Table) -> Iterator[pd.DataFrame]:
    """Cells of a number question that hold no number."""
    for question in table.answered("integer", "decimal"):
        faulty = cells_that(table.cells[question.name], _is_no_number)
        if len(faulty):
            yield found_cells(table, "not_a_number", faulty)


def _is_no_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is None or abs(float(text)) > LARGEST


def broken_numbers(table: Table) -> Iterator[pd.DataFrame]:
    """Cells of a whole-number question that hold a fraction."""
    for question in table.answered("integer"):
        faulty = cells_that(table.cells[question.name], _is_fraction)
        if len(faulty):
            yield found_cells(table, "not_whole", faulty)


def _is_fraction(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and not float(text).is_integer()


def unreadable_dates(table: Table) -> Iterator[pd.DataFrame]:
    """Cells of a date question that hold no date."""
    for question in table.answered("date"):
        faulty = cells_that(table.cells[question.name], lambda text: _DATE.fullmatch(text) is None)
        if len(faulty):
            yield found_cells(table, "not_a_date", faulty)


def impossible_numbers(table: Table) -> Iterator[pd.DataFrame]:
    """Cells outside what the codebook allows: an age of 212, a score of 11 on a scale to 10.

    Of a question with a list of answers only those of the list are looked at; others are unknown answers.
    """
    for question in table.answered("integer", "decimal", "select_one"):
        if question.minimum is None and question.maximum is None:
            continue
        low = -math.inf if question.minimum is None else question.minimum
        high = math.inf if question.maximum is None else question.maximum
        listed_codes = answers_of(table.study.codebook.choices_of(question.name)).codes
        looked_at = listed_codes if question.type == "select_one" else None
        faulty = cells_that(table.cells[question.name], partial(_is_outside, low, high, looked_at))
        if len(faulty):
            yield found_cells(table, "out_of_range", faulty, expected_range(question))


def _is_outside(low: float, high: float, looked_at: frozenset[str] | None, text: str) -> bool:
    if looked_at is not None and text not in looked_at:
        return False
    return _NUMBER.fullmatch(text) is not None and not low <= float(text) <= high


def irrelevant_answers(table: Table) -> Iterator[pd.DataFrame]:
    """Answers to questions that earlier answers rule out. A missing earlier answer rules nothing out."""
    for question in (q for q in table.questions if q.relevant):
        columns = [
            c for c in table.cells.columns if c == question.name or c.startswith(question.name + OPTION)
        ]
        if not columns:
            continue
        ruled_out = ~parse(question.relevant or "").holds(table.cells).fillna(True)
        answered = table.cells[columns].notna().any(axis="columns")
        faulty = table.cells.loc[ruled_out & answered, columns[0]].rename(question.name)
        if len(faulty):
            condition = readable(question.relevant or "", table.study)
            yield found_cells(table, "irrelevant_answer", faulty, condition)


def missing_weights(table: Table) -> Iterator[pd.DataFrame]:
    """Residents whose selection weight is missing or not positive."""
    weight = table.study.design.weight
    if table.kind == "residents" and weight in table.cells:
        numbers = pd.to_numeric(table.cells[weight], errors="coerce")
        yield found_cells(table, "missing_weight", table.cells.loc[~(numbers > 0).fillna(False), weight])


def undated_facilities(table: Table) -> Iterator[pd.DataFrame]:
    """Facilities of the register without the year from which they count."""
    if table.kind == "facilities" and OPENED in table.cells:
        yield found_cells(table, "undated_facility", table.cells.loc[table.cells[OPENED].isna(), OPENED])


Check = Callable[[Table], Iterator[pd.DataFrame]]
CHECKS: dict[str, Check] = {
    "unknown_label": unknown_answers,
    "not_a_number": unreadable_numbers,
    "not_whole": broken_numbers,
    "not_a_date": unreadable_dates,
    "out_of_range": impossible_numbers,
    "irrelevant_answer": irrelevant_answers,
    "missing_weight": missing_weights,
    "undated_facility": undated_facilities,
}
"""Each rule about cells with the check that finds who breaks it."""


def validate(table: Table) -> pd.DataFrame:
    """Every fault of every cell: source, row, column, value, rule and the sentence in zh and en.

    `table` has its headings matched and its labels turned into codes; a declared missing code is no
    fault once it is blank. Values that look personal are masked.
    """
    found = [finding for check in CHECKS.values() for finding in check(table)]
    return pd.concat(found, ignore_index=True) if found else no_findings()


def listed(table: Table, question: Question) -> Text:
    """The answers of a question in words, the first few by name."""
    choices = table.study.codebook.choices_of(question.name)
    some, more = choices[:LISTED], len(choices) - LISTED
    zh = "、".join(choice.label.zh for choice in some) + (f"等{len(choices)}项" if more > 0 else "")
    en = ", ".join(choice.label.en for choice in some) + (f" and {more} more" if more > 0 else "")
    return Text(zh, en)
