"""Results that travel between rooms: small, frozen, able to be read aloud."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal
from unicodedata import category

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")

JOINERS = "\u200c\u200d"

Status = Literal["published", "caution", "held back"]
"""What the release gate decided: shown, shown with a warning, or not shown at all."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in Chinese and in English."""

    zh: str
    en: str

    def say(self, lang: str) -> str:
        return self.zh if lang == "zh" else self.en


def one_line(text: str) -> str:
    """The text on one line, without characters that show nothing, steer a terminal or turn the direction of words.

    A label holds what its reader sees. Joiners stay: without them some scripts are spelt wrongly.
    """
    if text.isprintable():
        return text.strip()
    kept = (
        c if c.isprintable() or c in JOINERS else " "
        for c in text
        if c.isspace() or category(c) != "Cf" or c in JOINERS
    )
    return " ".join("".join(kept).split())


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault in the data: which cell of which source breaks which rule.

    `row` is the row of the source as a person counts it in the file (headings included, from 1);
    None when the fault is of the whole table or column. `value` is what the cell holds, masked
    where it is personal.
    """

    source: str
    row: int | None
    column: str | None
    value: str | None
    rule: str
    sentence: Text


@dataclass(frozen=True, slots=True)
class Estimate:
    """One number about a group of residents or communities, with its doubt.

    `measure` is the column that was estimated; `group` names the domain as (column, code) pairs,
    empty for everybody. `value`, `se`, `low` and `high` are in `unit`; `df` are the design's
    degrees of freedom; the interval is at 95 %. A number that cannot be had is NaN, never 0.
    """

    measure: str
    value: float
    se: float
    df: float
    low: float
    high: float
    n: int
    psus: int
    unit: str
    group: tuple[tuple[str, str], ...] = ()
    method: str = ""
    p: float = math.nan
    """Two-sided, against zero; NaN where no test was asked for."""
    p_adjusted: float = math.nan
    """The same, raised for as many questions as were asked at once; NaN where it was the only one."""
    dominance: float = math.nan
    """The share (0-1) of the total that its two largest contributions make up; NaN where that says nothing."""


@dataclass(frozen=True, slots=True)
class Released:
    """An estimate that passed the release gate, or the trace of one that did not.

    A held-back record keeps what was asked (`measure`, `group`, `unit`) and why (`reason`); its
    numbers are None, so that nothing downstream can reach them.
    """

    measure: str
    group: tuple[tuple[str, str], ...]
    unit: str
    status: Status
    value: float | None
    se: float | None
    df: float | None
    low: float | None
    high: float | None
    n: int | None
    psus: int | None = None
    p: float | None = None
    p_adjusted: float | None = None
    method: str = ""
    reason: Text | None = None

    def part(self, column: str) -> str | None:
        """The code of `column` in the group, or None where the group is not split by it."""
        return dict(self.group).get(column)


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A question the study's data cannot answer, and why: a finding in its own right."""

    question: str
    reason: Text
