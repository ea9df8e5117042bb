"""The ledger: every step of cleaning with what it did, enough to do it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray

from cbresearch.records import Text
from cbresearch.survey.distinct import differing, distinct
from cbresearch.survey.table import FLAG, Table

CHANGE_COLUMNS = ("step", "source", "action", "row", "column", "of", "before", "after", "cells")
LEDGER_COLUMNS = (
    "step", "source", "rows_before", "rows_after", "cells_changed", "flagged", "why_zh", "why_en",
)  # fmt: skip

Values: TypeAlias = "npt.NDArray[Any] | ExtensionArray"

RENAME, LEAVE_OUT, SET_ASIDE, REPLACE = "rename column", "leave out column", "set aside row", "replace"


@dataclass(frozen=True)
class Step:
    """One rule of cleaning: what it does to a table, and why in words a resident would accept.

    A `private` step never tells what a cell held before.
    """

    name: str
    do: Callable[[Table], Table]
    why: Text
    private: bool = False

    def __call__(self, table: Table) -> Table:
        return self.do(table)


STEPS: dict[str, Step] = {}


def step(*, zh: str, private: bool = False) -> Callable[[Callable[[Table], Table]], Step]:
    """Make a step of a function: its docstring is the English reason, `zh` the Chinese one."""

    def register(do: Callable[[Table], Table]) -> Step:
        words = " ".join((do.__doc__ or "").split("\n\n")[0].split())
        made = Step(do.__name__, do, Text(zh, words), private)
        STEPS[made.name] = made
        return made

    return register


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger: what one step did to one source."""

    step: str
    source: str
    rows_before: int
    rows_after: int
    cells_changed: int
    flagged: int
    why_zh: str
    why_en: str


@dataclass(frozen=True)
class Change:
    """Changes of one column, or rows, by one step, as arrays of one length; what does not vary stands once.

    Where every cell that reads the same became the same, one change tells all of them: `row` is
    missing, `of` is the column that was read, `cells` counts them. Otherwise a change is one cell.
    """

    action: str
    column: str | None = None
    of: str | None = None
    row: Values | None = None
    before: Values | None = None
    after: Values | None = None
    cells: npt.NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return next((len(part) for part in (self.row, self.before, self.after) if part is not None), 1)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """How many cells each change concerns; a row or a column as a whole counts none."""
        if self.cells is not None:
            return self.cells
        return np.full(len(self), int(self.action == REPLACE), dtype=np.int64)


@dataclass(frozen=True)
class Audited:
    """A table with the account of everything that was done to it."""

    table: Table
    ledger: tuple[Entry, ...] = ()
    changes: tuple[tuple[str, Change], ...] = ()

    def then(self, step: Step) -> Audited:
        """Take one step and write down every row, column and cell that it changed."""
        before, after = self.table, step(self.table)
        changes = tuple(differences(before, after, private=step.private))
        flags = [change for change in changes if (change.column or "").startswith(FLAG)]
        flagged = sum(int(change.counts.sum()) for change in flags)
        entry = Entry(
            step=step.name,
            source=after.name,
            rows_before=len(before.cells),
            rows_after=len(after.cells),
            cells_changed=sum(int(change.counts.sum()) for change in changes) - flagged,
            flagged=flagged + after.noted - before.noted,
            why_zh=step.why.zh,
            why_en=step.why.en,
        )
        return Audited(
            after, (*self.ledger, entry), (*self.changes, *((step.name, change) for change in changes))
        )

    def through(self, steps: Sequence[Step]) -> Audited:
        """Take the steps in order."""
        return reduce(Audited.then, steps, self)

    def changes_frame(self) -> pd.DataFrame:
        """Every change in order, a row each: enough for `replay`."""
        if not self.changes:
            return no_changes()
        lengths = np.array([len(change) for _, change in self.changes])
        columns: dict[str, Any] = {
            "step": np.repeat(np.array([name for name, _ in self.changes], dtype=object), lengths),
            "source": np.repeat(np.array([self.table.name], dtype=object), lengths.sum()),
        }
        for column in ("action", "column", "of", "row", "before", "after"):
            parts = [_spread(getattr(change, column), len(change)) for _, change in self.changes]
            columns[column] = np.concatenate(parts)
        columns["cells"] = np.concatenate([change.counts for _, change in self.changes])
        return _typed(pd.DataFrame(columns)[list(CHANGE_COLUMNS)])


def _spread(part: Values | str | None, length: int) -> npt.NDArray[np.object_]:
    """One attribute of a change as an object array of the change's length."""
    if part is None or isinstance(part, str):
        return np.full(length, part, dtype=object)
    return np.asarray(part, dtype=object)


def no_changes() -> pd.DataFrame:
    """A table of changes without rows."""
    return _typed(pd.DataFrame({column: [] for column in CHANGE_COLUMNS}))


def _typed(changes: pd.DataFrame) -> pd.DataFrame:
    numbers = {"row": "Int64", "cells": "int64"}
    return changes.astype({column: numbers.get(column, "string") for column in CHANGE_COLUMNS})


def differences(before: Table, after: Table, *, private: bool = False) -> Iterator[Change]:
    """What turns the cells of `before` into those of `after`: rows, then columns, then cells."""
    old, new = before.cells, after.cells
    renamed = {} if after.renamed is before.renamed else after.renamed
    if len(old) != len(new):
        gone = old.index.difference(new.index)
        yield Change(SET_ASIDE, row=gone.to_numpy())
        old = old.loc[new.index]
    yield from _column_changes(old, new, renamed)
    old = old[list(renamed)].rename(columns=renamed) if renamed else old
    for name in new.columns:
        yield from _cell_changes(str(name), old, after, private=private)


def _column_changes(old: pd.DataFrame, new: pd.DataFrame, renamed: Mapping[str, str]) -> Iterator[Change]:
    for heading, name in renamed.items():
        yield Change(RENAME, column=name, before=np.array([heading], dtype=object))
    for heading in old.columns:
        if heading not in renamed and (renamed or heading not in new.columns):
            yield Change(LEAVE_OUT, column=str(heading))


def _cell_changes(name: str, old: pd.DataFrame, after: Table, *, private: bool) -> Iterator[Change]:
    now = after.cells[name]
    was = old[name] if name in old else pd.Series(pd.NA, now.index, dtype="string")
    changed = differing(was, now)
    if not changed.any():
        return
    rows = now.index.to_numpy()[changed]
    if private:
        yield Change(REPLACE, name, name, row=rows, after=now.array[changed])
        return
    for source in _sources(name, old, after.copied):
        told = _by_value(old[source], now, changed)
        if told is not None:
            yield Change(REPLACE, name, source, **told)
            return
    yield Change(REPLACE, name, name, row=rows, before=was.array[changed], after=now.array[changed])


def _sources(name: str, old: pd.DataFrame, copied: Mapping[str, str]) -> list[str]:
    """Columns that a change of `name` may have been read from, most likely first."""
    likely = (name, name.partition("__")[0], copied.get(name, name))
    return [column for column in dict.fromkeys(likely) if column in old]


def _by_value(read: pd.Series, now: pd.Series, changed: npt.NDArray[np.bool_]) -> dict[str, Any] | None:
    """The change as a table from what was read to what is now; None where it is not that simple."""
    was, became = distinct(read), distinct(now)
    # what is missing stands last, at place -1
    last = np.full(len(was.texts) + 1, -1)
    place = np.flatnonzero(changed)
    codes = was.places[place]
    last[codes] = place
    met = np.flatnonzero(last >= 0)
    # simple means: every row that read this value changed, and to the same
    if (last >= 0)[was.places].sum() != len(place):
        return None
    if (became.places[place] != became.places[last[codes]]).any():
        return None
    missing = len(was.texts)
    return {
        "before": was.texts.take(np.where(met == missing, -1, met), allow_fill=True),
        "after": now.array.take(last[met]),
        "cells": np.bincount(np.where(codes < 0, missing, codes), minlength=missing + 1)[met],
    }


def replay(raw: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    """Do again, on the cells of one source as read, what its `changes` tell.

    `raw` is text indexed by the row of the file; the result is the cleaned cells, still text.
    Masked cells come back masked: what they held is in no ledger.
    """
    cells = raw
    for _, part in changes.groupby("step", sort=False):
        cells = _replay_step(cells, part)
    return cells


def _replay_step(cells: pd.DataFrame, changes: pd.DataFrame) -> pd.DataFrame:
    by_action = {str(action): part for action, part in changes.groupby("action", sort=False)}
    if SET_ASIDE in by_action:
        gone = by_action[SET_ASIDE]["row"].to_numpy(dtype="int64")
        cells = cells[~cells.index.isin(gone)]
    left_out = list(by_action[LEAVE_OUT]["column"]) if LEAVE_OUT in by_action else []
    # headings that are left out go first: a kept column may take over one of their names
    renames = by_action.get(RENAME, no_changes())
    named = dict(zip(renames["before"], renames["column"], strict=True))
    read = cells
    if named:
        cells = cells.drop(columns=left_out).rename(columns=named)
        read, left_out = cells, []
    for column, part in by_action.get(REPLACE, no_changes()).groupby("column", sort=False):
        now = cells[column] if column in cells else pd.Series(pd.NA, cells.index, dtype="string")
        cells = cells.assign(**{str(column): _replayed(now, read, part)})
    return cells.drop(columns=left_out)


def _replayed(now: pd.Series, read: pd.DataFrame, changes: pd.DataFrame) -> pd.Series:
    by_row = changes[changes["row"].notna()]
    if len(by_row):
        after = pd.Series(by_row["after"].array, index=by_row["row"].astype("int64"), dtype="string")
        return now.where(~now.index.isin(after.index), after.reindex(now.index))
    source = str(changes["of"].iloc[0])
    was = read[source] if source in read else pd.Series(pd.NA, now.index, dtype="string")
    after = pd.Series(changes["after"].array, index=changes["before"].array, dtype="string")
    told = was.isin(after.index.array)
    return now.where(~told, pd.Series(after.reindex(was.array).array, index=now.index, dtype="string"))
