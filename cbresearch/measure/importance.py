"""How much of the differences in an outcome goes with each driver, when drivers go together.

LMG (Lindeman, Merenda and Gold 1980; the Shapley value of R²) averages what a driver adds to R² over every
order in which drivers can enter. Johnson's relative weights (2000, Multivariate Behavioral Research 35)
come close at the price of one eigen decomposition. Both add up to R², and both speak of going together,
not of causing. R: `relaimpo::calc.relimp(type = "lmg")`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import factorial
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError, nearest
from cbresearch.measure.moments import SINGULAR, moments
from cbresearch.measure.resample import few, interval, rank_interval
from cbresearch.measure.wording import Names, chance, word
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

Method = Literal["lmg", "johnson"]
MOST_DRIVERS = 14


@dataclass(frozen=True, slots=True)
class Driver:
    """One driver: its part of R² (0-1), that part as a share of R², its rank (1 the most important).

    low and high are the middle 95 % of the redraws of `part`, rank_low and rank_high of the rank; `first`
    is how often it came first. `correlation` with the outcome tells the direction, which a part of R² cannot.
    """

    driver: str
    part: float
    low: float
    high: float
    share: float
    rank: int
    rank_low: int
    rank_high: int
    first: float
    correlation: float


@dataclass(frozen=True, slots=True)
class RelativeImportance:
    """Drivers in the order given; their parts add up to `r2` (`low`, `high` from the redraws)."""

    outcome: str
    method: Method
    drivers: tuple[Driver, ...]
    r2: float
    low: float
    high: float
    n: int
    left_out: int
    """Residents without the outcome or a driver."""
    clusters: int
    draws: int
    sentence: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per driver, the most important first."""
        rows = sorted(self.drivers, key=lambda driver: driver.rank)
        return pd.DataFrame([{name: getattr(row, name) for name in Driver.__slots__} for row in rows])


def relative_importance(
    frame: pd.DataFrame, outcome: str, drivers: Sequence[str], *, method: Method = "lmg",
    weights: str | None = None, cluster: str | None = None, draws: int = 2_000, seed: int = 1,
    names: Names | None = None,
) -> RelativeImportance:  # fmt: skip
    """R² of a linear model of `outcome` on `drivers`, divided among them.

    Residents who miss any of the columns are left out and counted. Intervals come from resampling whole
    `cluster`s (None: residents) with their `weights`; the division is made anew in each redraw. "lmg" is
    exact, up to 14 drivers. EstimateError for unknown columns, an outcome or driver that never varies,
    a driver named twice, too many drivers and fewer complete residents than coefficients.
    """
    divide = division(method, len(drivers))
    _refuse(outcome, drivers)
    made = moments(frame, [*drivers, outcome], weights=weights, cluster=cluster, draws=draws, seed=seed)
    parts = divide(made.correlation)
    r2, ranks = parts.sum(axis=1), np.asarray(stats.rankdata(-parts.round(12), axis=1, method="min"))
    (low, high), (rank_low, rank_high) = interval(parts[1:]), rank_interval(ranks[1:])
    first = (ranks[1:][np.isfinite(r2[1:])] == 1).mean(axis=0)
    told = tuple(
        Driver(
            driver, float(parts[0, j]), float(low[j]), float(high[j]),
            float(parts[0, j] / r2[0]) if r2[0] > SINGULAR else float("nan"),
            int(ranks[0, j]), int(rank_low[j]), int(rank_high[j]), float(first[j]),
            float(made.correlation[0, j, -1]),
        )
        for j, driver in enumerate(drivers)
    )  # fmt: skip
    ends = interval(r2[1:])
    said = _sentence(outcome, told, float(r2[0]), made.clusters, names)
    return RelativeImportance(
        outcome, method, told, float(r2[0]), float(ends[0]), float(ends[1]),
        made.n, made.left_out, made.clusters, draws, said,
    )  # fmt: skip


def division(method: Method, drivers: int) -> Callable[[Floats], Floats]:
    """The function from correlations (B x (k+1) x (k+1), outcome last) to parts of R² (B x k)."""
    if method not in get_args(Method):
        near = nearest(str(method), get_args(Method))
        hint = f" Did you mean '{near}'?" if near else ""
        raise EstimateError(f"No method is called '{method}'; expected 'lmg' or 'johnson'.{hint}")
    if method == "johnson":
        return johnson
    if drivers > MOST_DRIVERS:
        raise EstimateError(
            f"{drivers} drivers make {2**drivers:,} subsets; LMG is exact up to {MOST_DRIVERS} drivers. "
            "Take method='johnson', or put items that belong together into a scale first."
        )
    return lmg


def lmg(correlation: Floats) -> Floats:
    """Parts of R² (B x k) by Shapley's formula over all 2^k subsets, from B correlation matrices.

    `correlation` is B x (k+1) x (k+1) with the outcome last. A driver that follows from those in a subset
    adds nothing there. NaN where the outcome does not vary.
    """
    k = correlation.shape[1] - 1
    subsets = np.arange(2**k)
    size = np.array([int(subset).bit_count() for subset in subsets])
    weight = np.array([factorial(s) * factorial(k - 1 - s) / factorial(k) for s in range(k)])
    parts, block = np.empty((len(correlation), k)), max(1, 2**21 // 2**k)
    for first in range(0, len(correlation), block):
        r2 = _r2_of_subsets(correlation[first : first + block])
        for j in range(k):
            without = subsets[subsets >> j & 1 == 0]
            gained = r2[without | 1 << j] - r2[without]
            parts[first : first + block, j] = weight[size[without]] @ gained
    return np.where(correlation[:, -1, -1:] > 0, parts, np.nan)


def _r2_of_subsets(correlation: Floats) -> Floats:
    """2^k x B; bit j of the row says whether driver j is in the subset.

    Driver after driver is swept out of what is left (one copy) or dropped (the other), so that every
    matrix shrinks as their number doubles.
    """
    left = correlation[None]
    for _ in range(correlation.shape[1] - 1):
        pivot, row, dropped = left[..., 0, 0], left[..., 0, 1:], left[..., 1:, 1:]
        own = pivot > SINGULAR
        inverse = np.where(own, 1 / np.where(own, pivot, 1.0), 0.0)
        swept = dropped - inverse[..., None, None] * row[..., :, None] * row[..., None, :]
        left = np.concatenate([dropped, swept])
    return np.asarray(1 - left[..., 0, 0])


def johnson(correlation: Floats) -> Floats:
    """Johnson's relative weights (B x k), shapes as in `lmg`.

    Drivers are replaced by the orthogonal ones nearest to them, Λ = R^(1/2); a weight is Λ² times the
    squared coefficients of the outcome on those. Directions in which drivers do not vary are left out.
    """
    within, with_outcome = correlation[:, :-1, :-1], correlation[:, :-1, -1]
    values, vectors = np.linalg.eigh(within)
    own = values > SINGULAR
    root = np.sqrt(np.where(own, values, 0.0))
    inverse = np.where(own, 1 / np.where(own, root, 1.0), 0.0)
    path = np.einsum("bij,bj,bkj->bik", vectors, root, vectors)
    beta = np.einsum("bij,bj,bkj,bk->bi", vectors, inverse, vectors, with_outcome)
    parts = np.einsum("bij,bj->bi", path**2, beta**2)
    return np.where(correlation[:, -1, -1:] > 0, parts, np.nan)


def _refuse(outcome: str, drivers: Sequence[str]) -> None:
    if not drivers:
        raise EstimateError("No driver was named; expected one column at least.")
    twice = [driver for driver in dict.fromkeys(drivers) if drivers.count(driver) > 1]
    if outcome in drivers:
        twice.append(outcome)
    if twice:
        raise EstimateError(
            f"{', '.join(map(repr, twice))} is named more than once among outcome and drivers; each once."
        )


def _sentence(outcome: str, drivers: Sequence[Driver], r2: float, clusters: int, names: Names | None) -> Text:
    about, top = word(names, outcome), min(drivers, key=lambda driver: driver.rank)
    said, sure, warning = word(names, top.driver), chance(top.first), few(clusters)
    if len(drivers) == 1:
        return Text(
            f"{said.zh}与{about.zh}差异的{r2:.0%}有关联。{warning.zh}",
            f"{said.en} goes with {r2:.0%} of the differences in {about.en}.{warning.en}",
        )
    return Text(
        f"这{len(drivers)}个因素合起来与{about.zh}差异的{r2:.0%}有关联；其中{said.zh}占{top.part:.1%}"
        f"（95%区间{top.low:.1%}至{top.high:.1%}），反复重抽时有{sure.zh}的次数排在第一。{warning.zh}",
        f"Together the {len(drivers)} drivers go with {r2:.0%} of the differences in {about.en}; {said.en} carries "
        f"{top.part:.1%} of the differences (95% interval {top.low:.1%} to {top.high:.1%}) and came first in "
        f"{sure.en} of the redraws.{warning.en}",
    )
