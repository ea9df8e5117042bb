"""One source on its way from the file to the processed tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from cbresearch.codebook import Question
from cbresearch.study import Source, Study
from cbresearch.survey.distinct import column_of, distinct

FLAG = "flag_"
"""Beginning of a column that marks a resident without changing an answer."""

ROW = "row"
"""The key of residents whose file has no identifier: the row of the file."""


@dataclass(frozen=True)
class Table:
    """The rows of one source, every cell still text.

    `cells` is indexed by the row of the file that a person would count, from 1. Its columns are the
    file's headings until `match_headings` has run, the codebook's names from then on. `labels`
    holds what the file itself says its codes mean, `headings` its long names for columns.
    """

    name: str
    source: Source
    study: Study
    cells: pd.DataFrame
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    crosswalk: pd.DataFrame | None = None
    taken: frozenset[str] = frozenset()
    """Keys that an earlier source of the same wave already holds."""
    found: tuple[pd.DataFrame, ...] = ()
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Heading of the file = name in the codebook, of the columns kept."""
    copied: Mapping[str, str] = field(default_factory=dict)
    """Column = the column that it was filled in from."""
    noted: int = 0
    """Cells that a rule objects to although they stay as answered."""

    @property
    def kind(self) -> str:
        return self.source.table

    @property
    def wave(self) -> int | None:
        """The wave of every row; a study with one wave need not name it."""
        if self.source.wave is not None:
            return self.source.wave
        return self.study.waves[0] if len(self.study.waves) == 1 else None

    @property
    def lang(self) -> str:
        """The language of marks put into cells: the study's first."""
        return self.study.languages[0]

    @property
    def key(self) -> str | None:
        """The column that tells rows apart; None where only the row number does."""
        if self.kind == "residents":
            key = self.study.file.keys.resident
            return None if key == ROW else key
        if self.kind == "communities":
            return self.study.area
        keys = self.study.codebook.with_role("key", self.kind)
        return keys[0].name if keys else None

    @property
    def questions(self) -> tuple[Question, ...]:
        """Every question that this kind of table may answer."""
        codebook, area = self.study.codebook, self.study.area
        if self.kind == "crosswalk":
            return (*codebook.of("crosswalk"), *codebook.of("residents"))
        # the row of the file is known without asking
        own = tuple(question for question in codebook.of(self.kind) if question.name != ROW)
        borrowed = area is not None and self.kind != "residents" and all(q.name != area for q in own)
        return (codebook.by_name[area], *own) if area is not None and borrowed else own

    def answered(self, *types: str) -> tuple[Question, ...]:
        """The questions of these types that the table has a column for."""
        present = set(self.cells.columns)
        return tuple(q for q in self.questions if q.name in present and q.type in types)

    def having(self, **columns: pd.Series) -> Table:
        """The same table with these columns put in or replaced."""
        return replace(self, cells=self.cells.assign(**columns)) if columns else self

    def keeping(self, rows: pd.Series) -> Table:
        """The rows where `rows` is true."""
        return self if rows.all() else replace(self, cells=self.cells[rows])

    def noting(self, *found: pd.DataFrame) -> Table:
        """The same table with findings about cells that stay as they are."""
        noted = self.noted + sum(len(f) for f in found)
        return replace(self.reporting(*found), noted=noted)

    def reporting(self, *found: pd.DataFrame) -> Table:
        """The same table with more findings."""
        return replace(self, found=(*self.found, *(f for f in found if len(f))))


def by_value(cells: pd.Series, change: Callable[[str], str | None]) -> pd.Series:
    """`change` applied to each distinct text of a column; missing cells stay missing."""
    found = distinct(cells)
    texts = found.texts.tolist()
    changed = [change(text) for text in texts]
    return cells if changed == texts else column_of(found.become(pd.array(changed, dtype="string")), cells)


def cells_that(cells: pd.Series, are: Callable[[str], bool]) -> pd.Series:
    """The filled cells whose text satisfies `are`, asked once for each distinct text."""
    found = distinct(cells)
    wanted = np.fromiter(map(are, found.texts), dtype=bool, count=len(found.texts))
    return cells[np.append(wanted, False)[found.places]] if wanted.any() else cells[:0]
