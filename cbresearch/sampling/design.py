"""The sampling design of a frame, which every honest standard error is computed from.

Residents are drawn in groups (PSUs) inside strata, with unequal chances (weights). The variance of
any estimate is the variance of a total of influence values over PSUs, by Taylor linearisation
(Woodruff 1971; Särndal, Swensson and Wretman 1992, section 5.5).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError, nearest

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Lonely = Literal["error", "centre", "average", "certainty"]


@dataclass(frozen=True, slots=True)
class Design:
    """Which columns of a frame hold its sampling design.

    `weights`: how many people a row stands for (None: each row counts alike). `psu`: the unit drawn
    first, read within its stratum, so that block 1 of two strata are two PSUs (None: each row is its own).
    `strata`: one column or several, crossed. `fpc`: how many PSUs the population has in the row's
    stratum, or the share of them that was drawn where it is at most 1 (None: drawn with replacement).

    `lonely` says what a stratum with a single PSU contributes to the variance: "error" refuses,
    "centre" takes its distance from the mean PSU of the whole sample, "average" the mean contribution
    of the other strata, "certainty" nothing, because the PSU was certain to be drawn.
    """

    weights: str | None = None
    psu: str | None = None
    strata: str | Sequence[str] | None = None
    fpc: str | None = None
    lonely: Lonely = "error"

    def __post_init__(self) -> None:
        if self.lonely not in get_args(Lonely):
            known = ", ".join(f"'{policy}'" for policy in get_args(Lonely))
            raise EstimateError(f"Design(lonely={self.lonely!r}): no such policy; expected one of {known}.")

    @property
    def strata_columns(self) -> tuple[str, ...]:
        if self.strata is None:
            return ()
        return (self.strata,) if isinstance(self.strata, str) else tuple(self.strata)

    @property
    def columns(self) -> tuple[str, ...]:
        named = (self.weights, self.psu, *self.strata_columns, self.fpc)
        return tuple(dict.fromkeys(column for column in named if column is not None))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A frame's design as numbers: n rows lie in P PSUs, which lie in H strata."""

    weights: Floats
    """n weights, none negative."""
    psu: Ints
    """n codes 0..P-1."""
    stratum_of_psu: Ints
    """P codes 0..H-1."""
    psus_in_stratum: Ints
    """H counts."""
    not_drawn: Floats
    """H shares of the stratum's PSUs that were not drawn; 1 where drawing was with replacement."""
    lonely: Lonely

    @property
    def strata(self) -> int:
        return len(self.psus_in_stratum)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variance of one total per domain, with the PSUs and strata that the domain's rows lie in."""

    variance: Floats
    psus: Ints
    df: Ints


def draw(frame: pd.DataFrame, design: Design) -> Sample:
    """The design of `frame`; EstimateError lists at once every column missing or unfit."""
    faults = list(_faults(frame, design))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"The design does not fit the frame:\n{listed}")
    rows = len(frame)
    weights = np.ones(rows) if design.weights is None else numbers(frame, design.weights)
    stratum = _codes(frame, design.strata_columns)
    own = np.arange(rows, dtype=np.int64) if design.psu is None else _codes(frame, (design.psu,))
    _, first, psu = np.unique(
        stratum * (own.max(initial=0) + 1) + own, return_index=True, return_inverse=True
    )
    stratum_of_psu = stratum[first]
    psus_in_stratum = np.bincount(stratum_of_psu, minlength=int(stratum.max(initial=-1)) + 1)
    not_drawn = _not_drawn(frame, design, stratum, psus_in_stratum)
    sample = Sample(weights, psu.astype(np.int64), stratum_of_psu, psus_in_stratum, not_drawn, design.lonely)
    _refuse_lonely(frame, design, stratum, sample)
    return sample


def spread(sample: Sample, influence: Floats, domain: Ints, domains: int) -> Spread:
    """How far the total of `influence` would move from sample to sample, in each domain.

    `influence` has n weighted values; `domain` n codes, -1 for rows outside every domain, whose
    influence is zero. Their PSUs stay in the design: a domain is never cut out of the frame.
    """
    inside = domain >= 0
    pairs, where = np.unique(sample.psu[inside] * domains + domain[inside], return_inverse=True)
    total_of_pair = np.bincount(where, weights=influence[inside], minlength=len(pairs)).astype(np.float64)
    stratum_of_pair = sample.stratum_of_psu[pairs // domains]
    domain_of_pair = pairs % domains
    shape = (sample.strata, domains)
    cell = stratum_of_pair * domains + domain_of_pair
    totals = _summed(cell, total_of_pair, shape)
    squares = _summed(cell, total_of_pair**2, shape)
    psus = np.bincount(domain_of_pair, minlength=domains)
    strata = (np.bincount(cell, minlength=shape[0] * domains).reshape(shape) > 0).sum(axis=0)
    return Spread(_variance(sample, totals, squares), psus, psus - strata)


def _summed(cell: Ints, values: Floats, shape: tuple[int, int]) -> Floats:
    return np.bincount(cell, weights=values, minlength=shape[0] * shape[1]).astype(np.float64).reshape(shape)


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
    if not columns:
        return np.zeros(len(frame), dtype=np.int64)
    return frame.groupby(list(columns), sort=True, observed=True).ngroup().to_numpy().astype(np.int64)


def _faults(frame: pd.DataFrame, design: Design) -> Iterator[str]:
    there = [str(name) for name in frame.columns]
    for column in design.columns:
        if column not in frame.columns:
            near = nearest(column, there)
            yield f"no column '{column}'" + (f"; did you mean '{near}'?" if near else "")
        elif empty := int(frame[column].isna().sum()):
            yield f"'{column}' is missing in {empty} of {len(frame)} rows; every row needs its place in the design"
        elif column in {design.weights, design.fpc} and not pd.api.types.is_numeric_dtype(frame[column]):
            yield f"'{column}' holds no numbers"
        elif column == design.weights and (below := int((frame[column] < 0).sum())):
            yield f"'{column}' is negative in {below} rows; a weight says how many people a row stands for"
        elif column == design.weights and len(frame) and not np.isfinite(numbers(frame, column)).all():
            yield f"'{column}' is infinite in some rows"
    if not len(frame):
        yield "the frame has no rows"


def _not_drawn(frame: pd.DataFrame, design: Design, stratum: Ints, psus_in_stratum: Ints) -> Floats:
    if design.fpc is None:
        return np.ones(len(psus_in_stratum))
    size = pd.Series(numbers(frame, design.fpc)).groupby(stratum).agg(["min", "max"])
    if not np.allclose(size["min"], size["max"]):
        raise EstimateError(
            f"'{design.fpc}' differs inside a stratum; it is the number of PSUs in the stratum."
        )
    given = size["min"].to_numpy()
    drawn = np.where(given <= 1, given, psus_in_stratum / np.where(given > 0, given, np.nan))
    if not ((drawn > 0) & (drawn <= 1 + 1e-12)).all():
        raise EstimateError(f"'{design.fpc}' says that a stratum holds fewer PSUs than were drawn from it.")
    return 1.0 - drawn


def _refuse_lonely(frame: pd.DataFrame, design: Design, stratum: Ints, sample: Sample) -> None:
    alone = np.flatnonzero(sample.psus_in_stratum == 1)
    # with no strata there is nothing to compare one PSU with; the answer is then NaN, not an error
    if design.lonely != "error" or not len(alone) or not design.strata_columns:
        return
    first = [int(np.argmax(stratum == code)) for code in alone[:5]]
    named = ["/".join(str(frame[c].iloc[row]) for c in design.strata_columns) for row in first]
    more = f" and {len(alone) - 5} more" if len(alone) > 5 else ""
    raise EstimateError(
        f"{len(alone)} strata hold a single PSU ({', '.join(named)}{more}), which says nothing about their "
        'variance. Merge them with a neighbour, or choose Design(lonely="centre"), "average" or "certainty".'
    )


def _variance(sample: Sample, totals: Floats, squares: Floats) -> Floats:
    """Sum over strata h of (1 - f_h) m_h/(m_h - 1) times the squared distances of its m_h PSU totals."""
    m = sample.psus_in_stratum[:, None]
    distances = np.maximum(squares - totals**2 / m, 0.0)
    scale = sample.not_drawn[:, None] * m / np.maximum(m - 1, 1)
    alone = sample.psus_in_stratum == 1
    parts = np.where(alone[:, None], 0.0, scale * distances)
    if not alone.any():
        return np.asarray(parts.sum(axis=0))
    if sample.lonely == "centre":
        mean_psu = totals.sum(axis=0) / sample.psus_in_stratum.sum()
        parts[alone] = sample.not_drawn[alone, None] * (totals[alone] - mean_psu) ** 2
    if sample.lonely == "average" and not alone.all():
        parts[alone] = parts[~alone].mean(axis=0)
    return np.asarray(parts.sum(axis=0))
