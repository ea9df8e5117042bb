"""Clean text given its types: the last step before the tables are joined."""

from __future__ import annotations

import pandas as pd

from cbresearch.codebook import Question
from cbresearch.study import Study
from cbresearch.survey.distinct import distinct
from cbresearch.survey.harmonise import OPTION
from cbresearch.survey.table import FLAG, Table


def typed_residents(tables: list[Table], study: Study) -> pd.DataFrame:
    """A row per resident kept: wave, source, row, then every question of the codebook in its type.

    Columns that no source has are there too, all missing. Personal columns are not.
    """
    frames = [_with_origin(table) for table in tables]
    together = pd.concat(frames, ignore_index=True)
    columns: dict[str, pd.Series] = {name: together[name] for name in ("wave", "source", "row")}
    for question in study.codebook.of("residents"):
        if question.role != "personal" and question.name not in columns:
            columns.update(typed(together, question, study))
    for flag in (f"{FLAG}longstring", f"{FLAG}speed"):
        columns[flag] = together[flag].notna()
    return pd.DataFrame(columns)


def typed_places(table: Table, study: Study) -> pd.DataFrame:
    """A row per row kept of a ledger or register, every question of its kind in its type."""
    columns: dict[str, pd.Series] = {}
    for question in table.questions:
        columns.update(typed(table.cells, question, study))
    return pd.DataFrame(columns).reset_index(drop=True)


def typed(cells: pd.DataFrame, question: Question, study: Study) -> dict[str, pd.Series]:
    """The column of a question, or the 0/1 columns of one that takes several answers."""
    if question.type == "select_multiple":
        names = [
            f"{question.name}{OPTION}{choice.code}" for choice in study.codebook.choices_of(question.name)
        ]
        return {name: pd.to_numeric(_column(cells, name)).astype("Int8") for name in names}
    column = _column(cells, question.name)
    if question.type == "decimal":
        return {question.name: pd.to_numeric(column).astype("Float64")}
    if question.type == "integer" or (question.type == "select_one" and question.is_rated):
        return {question.name: _whole(column)}
    return {question.name: column}


def _whole(column: pd.Series) -> pd.Series:
    found = distinct(column)
    numbers = pd.to_numeric(pd.Series(found.texts)).astype("Float64")
    # a list with codes such as 1.5 stays decimal rather than losing its halves
    narrowest = numbers.astype("Int64") if (numbers % 1 == 0).all() else numbers
    return pd.Series(
        narrowest.array.take(found.places, allow_fill=True), index=column.index, name=column.name
    )


def _column(cells: pd.DataFrame, name: str) -> pd.Series:
    return cells[name] if name in cells else pd.Series(pd.NA, cells.index, dtype="string")


def _with_origin(table: Table) -> pd.DataFrame:
    origin = pd.DataFrame(
        {
            "wave": pd.Series(table.wave, table.cells.index, dtype="int64"),
            "source": pd.Series(table.name, table.cells.index, dtype="string"),
            "row": pd.Series(table.cells.index, table.cells.index, dtype="int64"),
        }
    )
    # a key named 'row' in study.toml is this very number
    return origin.join(table.cells.drop(columns=["wave", "source", "row"], errors="ignore"))
