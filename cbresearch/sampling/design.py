"""The sampling design of a frame, which every honest standard error is computed from.

Residents are drawn in groups (PSUs) inside strata, with unequal chances (weights). The variance of
any estimate is the variance of a total of influence values over PSUs, by Taylor linearisation
(Woodruff 1971; Särndal, Swensson and Wretman 1992, section 5.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError, nearest
from cbresearch.sampling.stages import (
    Floats,
    Ints,
    Lonely,
    Sample,
    Spread,
    Stage,
    covariance,
    degrees_of_freedom,
    spread,
)

__all__ = [
    "Design",
    "Floats",
    "Ints",
    "Lonely",
    "Sample",
    "Spread",
    "covariance",
    "degrees_of_freedom",
    "draw",
    "numbers",
    "require",
    "spread",
]


@dataclass(frozen=True, slots=True)
class Design:
    """Which columns of a frame hold its sampling design.

    `weights`: how many people a row stands for (None: each row counts alike). `psu`: the unit drawn
    first, read within its stratum, so that block 1 of two strata are two PSUs (None: each row is its own);
    several columns name the units of each stage, such as ("block", "household"). `strata`: one column or
    several, crossed. `fpc`: how many PSUs the population has in the row's stratum, or the share of them
    that was drawn where it is at most 1 (None: drawn with replacement); a second column says the same of
    the second stage, inside the row's PSU. Without `fpc` the PSUs hold all the doubt and later stages add none.

    `lonely` says what a stratum with a single PSU contributes to the variance: "error" refuses,
    "centre" takes its distance from the mean PSU of the whole sample, "average" the mean contribution
    of the other strata, "certainty" nothing, because the PSU was certain to be drawn (in R's words
    fail, adjust, average and remove). A stratum whose `fpc` says that it was drawn whole is not lonely.
    """

    weights: str | None = None
    psu: str | Sequence[str] | None = None
    strata: str | Sequence[str] | None = None
    fpc: str | Sequence[str] | None = None
    lonely: Lonely = "error"

    def __post_init__(self) -> None:
        if self.lonely not in get_args(Lonely):
            known = ", ".join(f"'{policy}'" for policy in get_args(Lonely))
            raise EstimateError(f"Design(lonely={self.lonely!r}): no such policy; expected one of {known}.")
        if len(self.fpc_columns) > max(len(self.psu_columns), 1):
            raise EstimateError(
                f"Design(fpc={self.fpc!r}) speaks of {len(self.fpc_columns)} stages and psu={self.psu!r} of "
                f"{max(len(self.psu_columns), 1)}; name the units of each stage in psu, the first drawn first."
            )

    @property
    def strata_columns(self) -> tuple[str, ...]:
        return _named(self.strata)

    @property
    def psu_columns(self) -> tuple[str, ...]:
        return _named(self.psu)

    @property
    def fpc_columns(self) -> tuple[str, ...]:
        return _named(self.fpc)

    @property
    def columns(self) -> tuple[str, ...]:
        named = (self.weights, *self.psu_columns, *self.strata_columns, *self.fpc_columns)
        return tuple(dict.fromkeys(column for column in named if column is not None))


def draw(frame: pd.DataFrame, design: Design) -> Sample:
    """The design of `frame`; EstimateError lists at once every column missing or unfit."""
    faults = list(_faults(frame, design))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"The design does not fit the frame:\n{listed}")
    weights = np.ones(len(frame)) if design.weights is None else numbers(frame, design.weights)
    stages = _stages(frame, design)
    _refuse_lonely(frame, design, stages)
    first, *later = stages
    return Sample(
        weights, first.unit, first.stratum_of_unit, first.units_in_stratum, first.counts_for, design.lonely,
        tuple(stage for stage in later if stage.counts_for.any()),
    )  # fmt: skip


def _stages(frame: pd.DataFrame, design: Design) -> list[Stage]:
    """The stages of drawing in order; the units of one are the strata of the next."""
    stratum = _codes(frame, design.strata_columns)
    drawn_before = np.ones(int(stratum.max(initial=-1)) + 1)
    stages: list[Stage] = []
    for place, column in enumerate(design.psu_columns or (None,)):
        own = np.arange(len(frame), dtype=np.int64) if column is None else _codes(frame, (column,))
        _, first, unit = np.unique(
            stratum * (own.max(initial=0) + 1) + own, return_index=True, return_inverse=True
        )
        units = np.bincount(stratum[first], minlength=len(drawn_before))
        fpc = design.fpc_columns[place] if place < len(design.fpc_columns) else None
        drawn = _drawn(frame, fpc, stratum, units, "PSU" if place else "stratum")
        stages.append(Stage(unit.astype(np.int64), stratum[first], units, (1 - drawn) * drawn_before))
        drawn_before = (drawn * drawn_before)[stratum[first]]
        stratum = stages[-1].unit
    return stages


def _named(columns: str | Sequence[str] | None) -> tuple[str, ...]:
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else tuple(columns)


def numbers(frame: pd.DataFrame, column: str) -> Floats:
    """The column as floats, NaN where missing; EstimateError where it is absent or holds words."""
    require(frame, (column,))
    values = frame[column]
    if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
        example = values.dropna().head(1).tolist()
        raise EstimateError(
            f"Column '{column}' holds text such as {example}, and a number was expected. "
            "Use share() for answers, or turn the column into numbers first."
        )
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def require(frame: pd.DataFrame, columns: Sequence[str]) -> None:
    """EstimateError naming every column that the frame lacks, with the nearest it has."""
    there = [str(name) for name in frame.columns]
    lacking = [column for column in dict.fromkeys(columns) if column not in frame.columns]
    if lacking:
        hints = {column: nearest(column, there) for column in lacking}
        said = ", ".join(
            f"'{c}'" + (f" (did you mean '{near}'?)" if near else "") for c, near in hints.items()
        )
        raise EstimateError(f"The frame has no column {said}. It has {len(there)} columns.")


def _codes(frame: pd.DataFrame, columns: Sequence[str]) -> Ints:
    """0..K-1 for the crossed classes of some columns, in the order of their values."""
    crossed = np.zeros(len(frame), dtype=np.int64)
    for column in columns:
        code, classes = pd.factorize(frame[column], sort=True)
        crossed = crossed * max(len(classes), 1) + code
        crossed = np.unique(crossed, return_inverse=True)[1]  # dense again, lest many columns overflow
    return crossed.astype(np.int64)


def _faults(frame: pd.DataFrame, design: Design) -> Iterator[str]:
    there = [str(name) for name in frame.columns]
    for column in design.columns:
        if column not in frame.columns:
            near = nearest(column, there)
            yield f"no column '{column}'" + (f"; did you mean '{near}'?" if near else "")
        elif empty := int(frame[column].isna().sum()):
            yield f"'{column}' is missing in {empty} of {len(frame)} rows; every row needs its place in the design"
        elif column in {design.weights, *design.fpc_columns} and not pd.api.types.is_numeric_dtype(
            frame[column]
        ):
            yield f"'{column}' holds no numbers"
        elif column == design.weights and (below := int((frame[column] < 0).sum())):
            yield f"'{column}' is negative in {below} rows; a weight says how many people a row stands for"
        elif column == design.weights and len(frame) and not np.isfinite(numbers(frame, column)).all():
            yield f"'{column}' is infinite in some rows"
    if not len(frame):
        yield "the frame has no rows"


def _drawn(frame: pd.DataFrame, fpc: str | None, stratum: Ints, units: Ints, inside: str) -> Floats:
    """The share of each stratum's units that was drawn; 0 for drawing with replacement."""
    if fpc is None:
        return np.zeros(len(units))
    what = "PSUs" if inside == "stratum" else "units"
    size = pd.Series(numbers(frame, fpc)).groupby(stratum).agg(["min", "max"])
    if not np.allclose(size["min"], size["max"]):
        raise EstimateError(f"'{fpc}' differs inside a {inside}; it is the number of {what} in the {inside}.")
    given = size["min"].to_numpy()
    drawn = np.where(given <= 1, given, units / np.where(given > 0, given, np.nan))
    if not ((drawn > 0) & (drawn <= 1 + 1e-12)).all():
        raise EstimateError(f"'{fpc}' says that a {inside} holds fewer {what} than were drawn from it.")
    return np.minimum(drawn, 1.0)


def _refuse_lonely(frame: pd.DataFrame, design: Design, stages: Sequence[Stage]) -> None:
    if design.lonely != "error":
        return
    above = design.strata_columns
    stratum_of_row = stages[0].stratum_of_unit[stages[0].unit]
    for stage, column in zip(stages, (*design.psu_columns, ""), strict=False):
        alone = np.flatnonzero(stage.alone)
        # with no strata there is nothing to compare one PSU with; the answer is then NaN, not an error
        if len(alone) and above:
            raise EstimateError(_lonely(frame, above, stratum_of_row, alone, later=stage is not stages[0]))
        above, stratum_of_row = (*above, column), stage.unit


def _lonely(frame: pd.DataFrame, above: tuple[str, ...], stratum: Ints, alone: Ints, *, later: bool) -> str:
    first = [int(np.argmax(stratum == code)) for code in alone[:5]]
    named = ["/".join(str(frame[c].iloc[row]) for c in above) for row in first]
    more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
    found = (
        f"In {len(alone)} units of '{above[-1]}' a single unit of the next stage was drawn ({', '.join(named)}{more})"
        if later
        else f"{len(alone)} strata hold a single PSU ({', '.join(named)}{more})"
    )
    return (
        f"{found}, which says nothing about their "
        'variance. Merge them with a neighbour, or choose Design(lonely="centre"), "average" or "certainty".'
    )
