"""Questions that take several answers, from one cell or from a column per answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd

from cbresearch.codebook import Question, normal
from cbresearch.survey.answers import (
    CHOSEN,
    NOT_CHOSEN,
    Answers,
    answers_of,
    chosen,
    is_no_answer,
)
from cbresearch.survey.distinct import column_of, distinct
from cbresearch.survey.harmonise import OPTION
from cbresearch.survey.ledger import step
from cbresearch.survey.rules import found_cells
from cbresearch.survey.table import Table, by_value
from cbresearch.survey.validate import listed

UNREAD = "?"
"""Stands for a cell that says neither chosen nor not chosen, until it is reported."""


@step(zh="多选题拆成一项一列：选了记 1，没选记 0，整题未答为缺失。")
def indicators_for_several_answers(table: Table) -> Table:
    """A question with several answers becomes a column per answer: 1 chosen, 0 not chosen, missing where it was not answered."""
    for question in (q for q in table.questions if q.type == "select_multiple"):
        columns = indicator_columns(table, question)
        if question.name in table.cells:
            table = _from_one_cell(table, question, columns)
        elif any(column in table.cells for column in columns):
            table = _from_options(table, question, columns)
    return table


def indicator_columns(table: Table, question: Question) -> dict[str, str]:
    """Column = code, for every answer of a question."""
    choices = table.study.codebook.choices_of(question.name)
    return {f"{question.name}{OPTION}{choice.code}": choice.code for choice in choices}


def _from_one_cell(table: Table, question: Question, columns: Mapping[str, str]) -> Table:
    """Cells such as '文化┋治安'. A cell with a part that is no answer is reported and counts as unanswered."""
    answers, cells = answers_of(table.study.codebook.choices_of(question.name)), table.cells[question.name]
    found = distinct(cells)
    sets = [chosen(text, answers) for text in found.texts]
    indicators = {name: column_of(found.become(_told(code, sets)), cells) for name, code in columns.items()}
    unread = [text for text, codes in zip(found.texts, sets, strict=True) if codes is None]
    split = replace(table, cells=table.cells.drop(columns=[question.name]).assign(**indicators))
    faulty = cells[cells.isin(unread)] if unread else cells[:0]
    return split.reporting(found_cells(table, "unknown_label", faulty, listed(table, question)))


def _told(code: str, sets: list[frozenset[str] | None]) -> pd.api.extensions.ExtensionArray:
    return pd.array([None if codes is None else str(int(code in codes)) for codes in sets], dtype="string")


def _from_options(table: Table, question: Question, columns: Mapping[str, str]) -> Table:
    """A column per answer. Platforms leave blank what was not chosen: one filled cell shows that the question was answered."""
    answers = answers_of(table.study.codebook.choices_of(question.name))
    marks, found = {}, []
    for column in (column for column in columns if column in table.cells):
        own = _own_labels(table, column)
        marked = by_value(table.cells[column], _mark(question, columns[column], own, answers))
        unread = (marked == UNREAD).fillna(False)
        found.append(
            found_cells(table, "unknown_label", table.cells.loc[unread, column], listed(table, question))
        )
        marks[column] = marked.mask(unread)
    answered = pd.concat(marks, axis="columns").notna().any(axis="columns")
    not_chosen = pd.Series("0", table.cells.index, dtype="string").where(answered)
    whole = {
        column: marks[column].fillna(not_chosen) if column in marks else not_chosen for column in columns
    }
    return table.having(**whole).reporting(*found)


def _own_labels(table: Table, column: str) -> Mapping[str, str]:
    """What the file says its codes mean; 1 and 2 without labels are yes and no, as on paper forms."""
    own = table.labels.get(column, {})
    return {"1": "1", "2": "0"} if not own and set(table.cells[column].dropna()) == {"1", "2"} else own


def _mark(
    question: Question, code: str, own: Mapping[str, str], answers: Answers
) -> Callable[[str], str | None]:
    def mark(text: str) -> str | None:
        said = own.get(text, text)
        if normal(said) in NOT_CHOSEN:
            return "0"
        if normal(said) in CHOSEN or answers.code(said) == code:
            return "1"
        return None if is_no_answer(question, text, own, answers) else UNREAD

    return mark
