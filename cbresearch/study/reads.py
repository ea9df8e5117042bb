"""What one report reads of the processed tables, as study.toml declares it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cbresearch.errors import Fault, StudyError, nearest
from cbresearch.study.file import TABLES, Report

if TYPE_CHECKING:
    import pandas as pd

SLICE = "CBRESEARCH_SLICE"
"""Environment variable by which a run tells a kernel what its report declared."""
ALL = "*"


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns read for everybody, and those read only where the report is about. "*" is all the others."""

    everybody: tuple[str, ...]
    own: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reads:
    """The tables that the report may read. `area` is None for the whole district, which has no own area."""

    report: str
    area: str | None
    tables: tuple[tuple[str, Columns], ...]

    def about(self, area: str) -> Reads:
        """The same for the report of one area."""
        return Reads(self.report, area, self.tables)

    def columns(self, table: str, there: Sequence[str], keys: Sequence[str]) -> Columns:
        """The declared columns among those that are `there`, in their order; `keys` go along with every table.

        StudyError for a table that was not declared, or a declared column that is not there.
        """
        declared = self.columns_of(table)
        unknown = [c for c in (*declared.everybody, *declared.own) if c != ALL and c not in there]
        if unknown:
            raise StudyError([self._unknown(table, column, there) for column in unknown])
        own = [c for c in there if c in declared.own and c not in keys]
        wanted = {*keys, *(there if ALL in declared.everybody else declared.everybody)}
        return Columns(tuple(c for c in there if c in wanted and c not in own), tuple(own))

    def columns_of(self, table: str) -> Columns:
        """As declared; StudyError for a table that was not."""
        declared = dict(self.tables).get(table)
        if declared is None:
            raise StudyError([self._undeclared(f"table '{table}'")])
        return declared

    def refuses(self, column: str) -> bool:
        """Whether a column that a notebook missed may be there, and only not be declared."""
        return any(
            column in columns.own or not {ALL, column} & set(columns.everybody) for _, columns in self.tables
        )

    def why_not(self, column: str) -> str:
        """What to say to a notebook that looked for such a column."""
        return str(self._undeclared(f"column '{column}'"))

    def _undeclared(self, what: str) -> Fault:
        where = f"report '{self.report}'"
        return Fault(
            where,
            f"its notebook reads {what}, which 'reads' in study.toml does not list",
            f"add it to the reads of {self.report}, so that the report is made again whenever it changes",
        )

    def _unknown(self, table: str, column: str, there: Sequence[str]) -> Fault:
        return Fault(
            f"study.toml, report '{self.report}'",
            f"reads '{column}' of {table}, which has no such column",
            "expected a column of the processed table",
            nearest(column, there),
        )


def reads_of(report: Report) -> Reads | None:
    """What study.toml declares for a report, about no area yet; None where it declares nothing: it reads everything."""
    if report.reads is None and not report.own:
        return None
    read = dict.fromkeys(TABLES, (ALL,)) if report.reads is None else report.reads
    tables = {
        table: Columns(tuple(read.get(table, ())), tuple(report.own.get(table, ())))
        for table in TABLES
        if table in read or table in report.own
    }
    return Reads(report.notebook, None, tuple(tables.items()))


def plain(reads: Reads) -> dict[str, Any]:
    """As JSON has it, to travel with a task and into a kernel."""
    tables = {table: [list(columns.everybody), list(columns.own)] for table, columns in reads.tables}
    return {"report": reads.report, "area": reads.area, "tables": tables}


def from_plain(raw: Mapping[str, Any]) -> Reads:
    tables = (
        (table, Columns(tuple(everybody), tuple(own))) for table, (everybody, own) in raw["tables"].items()
    )
    return Reads(raw["report"], raw["area"], tuple(tables))


def reads_now() -> Reads | None:
    """What this process may read; None, which means everything, where no run has started it."""
    told = os.environ.get(SLICE)
    return from_plain(json.loads(told)) if told else None


def own_only(
    frame: pd.DataFrame, columns: Columns, area: str | None, area_column: str | None
) -> pd.DataFrame:
    """The frame with the own columns blank wherever the report is not about."""
    if not columns.own or area_column is None or area_column not in frame.columns:
        return frame
    here = frame[area_column].astype("string").eq(area or "").fillna(False).astype(bool)
    return frame.assign(**{column: frame[column].where(here) for column in columns.own})
