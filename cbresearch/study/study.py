"""The study: frozen, and knowing where everything lies and what everything is called."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from cbresearch.codebook import Codebook, Question
from cbresearch.errors import Fault, StudyError
from cbresearch.records import Language, Text, one_line
from cbresearch.study.file import Index, Indicator, Sampling, Source, StudyFile
from cbresearch.study.reads import Columns, Reads, own_only, reads_now
from cbresearch.study.shapes import Shape, read_shapes

if TYPE_CHECKING:
    import pandas as pd

POINTS = "_points"
"""Ending of a column that holds an item or a scale on 0 (worst) to 100 (best)."""


@dataclass(frozen=True, repr=False)
class Study:
    """One study, checked. Read it with `open_study`; its parts cannot be changed."""

    root: Path
    file: StudyFile
    codebook: Codebook

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {len(self.waves)} waves, at {self.root})"

    # --- what it says -------------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self.file.study.name

    @property
    def title(self) -> Text:
        return self.file.study.title.text

    @property
    def notice(self) -> Text | None:
        notice = self.file.study.notice
        return notice.text if notice else None

    @property
    def waves(self) -> tuple[int, ...]:
        return self.file.study.waves

    @property
    def languages(self) -> tuple[Language, ...]:
        return self.file.study.languages

    @property
    def area(self) -> str | None:
        return self.file.keys.area

    @property
    def design(self) -> Sampling:
        return self.file.design

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        return {indicator.name: indicator for indicator in self.file.indicators}

    @cached_property
    def indices(self) -> dict[str, Index]:
        return {index.name: index for index in self.file.indices}

    @property
    def minimum_cell(self) -> int:
        return self.file.disclosure.minimum_cell

    def sources(self, table: str) -> tuple[Source, ...]:
        return tuple(source for source in self.file.sources if source.table == table)

    def name_of(self, source: Source) -> str:
        """What ledger and findings call a source.

        Its file, with the sheet where several sources share the file, with a number where even that is shared.
        """
        sharing = [other for other in self.file.sources if other.file == source.file]
        if len(sharing) == 1:
            return source.file
        same_sheet = [other for other in sharing if other.sheet == source.sheet]
        name = f"{source.file} [{source.sheet}]" if source.sheet else source.file
        place = next(i for i, other in enumerate(same_sheet) if other is source)
        return name if place == 0 else f"{name} ({place + 1})"

    # --- where it lies ------------------------------------------------------------------------
    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw"

    @property
    def processed(self) -> Path:
        return self.root / "data" / "processed"

    @property
    def map_file(self) -> Path | None:
        """The GeoJSON of the communities; None where study.toml names none."""
        return self.root / "data" / self.file.areas.map if self.file.areas else None

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """Where each community lies, by its code; nothing without a map."""
        if self.file.areas is None or self.map_file is None:
            return {}
        shapes, faults = read_shapes(self.map_file, f"data/{self.file.areas.map}", self.file.areas.code)
        if faults:
            raise StudyError(faults)
        return {shape.code: shape for shape in shapes}

    # --- its tables ---------------------------------------------------------------------------
    def residents(self) -> pd.DataFrame:
        """A row per resident and wave, cleaned, weighted and scored by `cbresearch build`."""
        return self._table("residents")

    def communities(self) -> pd.DataFrame:
        """A row per community and wave: ledger, facilities and indicators; no rows without a ledger."""
        return self._table("communities")

    def findings(self) -> pd.DataFrame:
        """A row per fault found in the raw files."""
        return self._table("findings")

    def ledger(self) -> pd.DataFrame:
        """A row per cleaning step and source: rows before and after, cells changed, why."""
        import pandas as pd

        frame = pd.read_csv(self._built("ledger.csv"))
        reads = reads_now()
        return (
            frame if reads is None else frame[[*reads.columns("ledger", list(frame.columns), ()).everybody]]
        )

    def _table(self, name: str) -> pd.DataFrame:
        """Everything, or under a run what the report declared."""
        reads = reads_now()
        if reads is not None:
            reads.columns_of(name)
        path = self._built(f"{name}.parquet")
        try:
            return _whole(path) if reads is None else self._slice(path, name, reads)
        except (OSError, ValueError) as error:  # Arrow's own errors are both
            fault = Fault(
                f"data/processed/{path.name}",
                f"cannot be read: {str(error).splitlines()[0]}",
                "run 'cbresearch build --fresh' to make it again",
            )
            raise StudyError([fault]) from error

    def _slice(self, path: Path, table: str, reads: Reads) -> pd.DataFrame:
        import pyarrow.parquet as pq

        columns = reads.columns(table, pq.read_schema(path).names, self.keys_of_tables)
        own = columns.own if reads.area is not None else ()
        frame = _whole(path, (*columns.everybody, *own))
        return own_only(frame, Columns(columns.everybody, own), reads.area, self.area)

    @property
    def keys_of_tables(self) -> tuple[str, ...]:
        """The columns that join the tables: who, where, when. Every report reads them."""
        return tuple(key for key in (self.file.keys.resident, self.area, "wave") if key)

    def _built(self, filename: str) -> Path:
        path = self.processed / filename
        if not path.is_file():
            raise StudyError(
                [
                    Fault(
                        f"data/processed/{filename}",
                        "not built yet",
                        "run 'cbresearch build' in the workspace first",
                    )
                ]
            )
        return path

    # --- its words ----------------------------------------------------------------------------
    def label(self, column: str) -> Text:
        """What a reader should see for a column: codebook label, scale label, indicator label, the policy's label, or its name.

        `sat_health_points` reads as `sat_health`; `need__health` as the answer 'health' of `need`.
        """
        if column in self.codebook.by_name:
            return self.codebook.by_name[column].label
        if column in self.indicators:
            return self.indicators[column].label.text
        if column in self.indices:
            return self.indices[column].label.text
        if self.file.policy is not None and column == self.file.policy.name:
            return self.file.policy.label.text
        if column.endswith(POINTS):
            base = column.removesuffix(POINTS)
            return self.file.scales[base].label.text if base in self.file.scales else self.label(base)
        question, separator, code = column.partition("__")
        return self.answer(question, code) if separator else _as_it_is(column)

    def answer(self, column: str, code: str) -> Text:
        """What a reader should see for one code of one column."""
        return self.answers(column).get(str(code)) or _as_it_is(str(code))

    def answers(self, column: str) -> Mapping[str, Text]:
        """What a reader should see for each code that the codebook lists for a column, in its order."""
        if column not in self._answers:
            choices = self.codebook.choices_of(column)
            # the first of two alike counts
            self._answers[column] = {choice.code: choice.label for choice in reversed(choices)}
            self._answers[column] = {choice.code: self._answers[column][choice.code] for choice in choices}
        return self._answers[column]

    @cached_property
    def _answers(self) -> dict[str, dict[str, Text]]:
        return {}

    def measured(self, question: Question) -> str:
        """The column of residents that reports a rated item in the study's chosen unit."""
        as_points = self.file.reporting.scores == "points" and question.is_rated
        return question.name + POINTS if as_points else question.name


def _whole(path: Path, columns: tuple[str, ...] | None = None) -> pd.DataFrame:
    """The table as it lies there now; pandas copies what a caller changes, so that one reading serves all."""
    status = path.stat()
    return _read(path, status.st_mtime_ns, status.st_size, columns).copy(deep=False)


@lru_cache(maxsize=8)
def _read(path: Path, modified: int, size: int, columns: tuple[str, ...] | None) -> pd.DataFrame:
    import pandas as pd

    return pd.read_parquet(path, columns=None if columns is None else list(columns))


def outcome_column(study: Study, outcome: str) -> str:
    """The column of residents that holds an outcome in the study's unit: an item's, a scale's, or itself."""
    if outcome in study.file.scales:
        return outcome + POINTS
    question = study.codebook.by_name.get(outcome)
    return study.measured(question) if question else outcome


def known_columns(study: Study, table: str) -> list[str]:
    """The columns that study.toml may name for a table; those of facilities also reach communities, as counts and sums."""
    columns = [
        question.name for question in study.codebook.of("residents" if table == "crosswalk" else table)
    ]
    if table == "communities":
        columns.append(EACH)
        columns += [
            name for question in study.codebook.of("facilities") for name in facility_columns(study, question)
        ]
    return columns


EACH = "communities"
"""A column of the table communities that is 1 in every row, so that an indicator can be had per community."""
OPENED = "opened_year"
"""The column of the facility register that says from when a facility counts; years do not add up."""


def facility_columns(study: Study, question: Question) -> list[str]:
    """What one column of the facility register becomes per community: a count per kind, or a sum."""
    if question.name == OPENED:
        return []
    if question.type == "select_one":
        return [f"{question.name}__{choice.code}" for choice in study.codebook.choices_of(question.name)]
    return [f"facility_{question.name}"] if question.type in {"integer", "decimal"} else []


def reported_columns(study: Study) -> list[str]:
    """The columns of residents that hold a rated item or a scale in the study's unit."""
    items = [study.measured(question) for question in study.codebook.of("residents") if question.is_rated]
    return items + [scale + POINTS for scale in study.file.scales]


def _as_it_is(word: str) -> Text:
    """A name or code that no codebook explains."""
    shown = one_line(word)
    return Text(shown, shown)
