"""One effect seen through every honest method for few clusters, with a verdict on whether they agree.

The answer is CR2 with Satterthwaite degrees of freedom; CR1S with t(G-1), CR3, the wild cluster bootstraps
and the permutation of clusters stand beside it, because with some twenty communities the choice of method
can be the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.estimate.clusters.effective import Bearing, bearing, cautions
from cbresearch.estimate.clusters.linear import Fit, Kind, Labels, least_squares, robust
from cbresearch.estimate.clusters.permutation import permutation_test
from cbresearch.estimate.clusters.verdict import (
    LEVEL,
    PERMUTATION,
    WILD,
    WILD_UNRESTRICTED,
    Decision,
    Names,
    Without,
    as_written,
    decide,
    sentence,
)
from cbresearch.estimate.clusters.wild import wild_bootstrap, wild_interval, wild_unrestricted
from cbresearch.estimate.formula import matrices, weights_of
from cbresearch.records import Estimate, Text

POWER = 0.80


@dataclass(frozen=True, slots=True)
class FewClusters:
    """One coefficient by several methods. `estimates` begins with CR2, the answer; `group` names the method.

    `bearing` says how many clusters the coefficient rests on, `notes` which methods cannot be trusted there.
    `smallest_effect` is what would have been seen with 80 % power at 5 %, in the coefficient's unit.
    `decision` is "agree" when every method with a vote sees an effect, "cannot tell" when none does,
    "disagree" else.
    """

    cause: str
    estimates: tuple[Estimate, ...]
    clusters: int
    smallest_cluster: int
    largest_cluster: int
    bearing: Bearing
    notes: tuple[Text, ...]
    smallest_effect: float
    without_each: tuple[Without, ...]
    decision: Decision
    verdict: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per method: method, estimate, se, df, p, low, high; the first row is the answer."""
        rows = [(e.method, e.value, e.se, e.df, e.p, e.low, e.high) for e in self.estimates]
        return pd.DataFrame(rows, columns=["method", "estimate", "se", "df", "p", "low", "high"])


def few_clusters(
    frame: pd.DataFrame, formula: str, *, cause: str, cluster: str, weights: str | None = None,
    moment: str | None = None, unit: str = "as asked", draws: int = 9_999, seed: int = 1,
) -> FewClusters:  # fmt: skip
    """The effect of `cause` in a linear `formula` such as "y ~ x + age", rows alike within `cluster`.

    Rows with a missing value in the formula are left out (n says how many stay). `cause` must be one
    column of the model matrix. `moment` names the column (a wave) that pairs the rows of clusters, by which
    a cause that changes inside clusters can be permuted. EstimateError for unknown columns, missing
    clusters or weights.
    """
    also = [column for column in (cluster, weights, moment) if column is not None]
    made = matrices(frame, formula, also=also)
    labels = frame[cluster].astype(str).to_numpy()[made.rows]
    fit = least_squares(made.X, made.y, weights_of(frame, weights, made.rows), labels)
    moments = None if moment is None else frame[moment].astype(str).to_numpy()[made.rows]
    return panel(fit, made.place(cause), cause=cause, unit=unit, moments=moments, draws=draws, seed=seed)


def panel(
    fit: Fit, coefficient: int, *, cause: str, unit: str, moments: Labels | None = None,
    draws: int = 9_999, seed: int = 1, names: Names = as_written,
) -> FewClusters:  # fmt: skip
    """Every method's view of one coefficient of a fit already made; `names` puts a cluster's code in words.

    `moments` are labels in the order of the rows given to `least_squares`.
    """
    answer = clustered(fit, coefficient, "CR2", cause, unit)
    redrawn = _redrawn(fit, coefficient, answer, moments, draws, seed)
    estimates = (
        answer,
        clustered(fit, coefficient, "CR1S", cause, unit),
        clustered(fit, coefficient, "CR3", cause, unit),
        *(one for one in redrawn if not math.isnan(one.p)),
    )
    found = bearing(fit, coefficient)
    sizes = [rows.stop - rows.start for rows in fit.rows_of]
    without = leave_one_out(fit, coefficient)
    smallest = smallest_effect(answer)
    decision = decide(estimates, found)
    return FewClusters(
        cause, estimates, len(sizes), min(sizes), max(sizes), found, cautions(found, answer.df), smallest,
        without, decision, sentence(decision, estimates, without, smallest, names),
    )  # fmt: skip


def clustered(
    fit: Fit,
    coefficient: int,
    kind: Kind,
    measure: str,
    unit: str,
    group: tuple[tuple[str, str], ...] | None = None,
) -> Estimate:
    """One coefficient with its interval: Satterthwaite's df, or G - 1 for CR1S as is customary with it."""
    found = robust(fit, kind)
    value, se = float(found.coefficients[coefficient]), float(found.se[coefficient])
    df = found.clusters - 1.0 if kind == "CR1S" else float(found.df[coefficient])
    reach = float(stats.t.ppf(1 - LEVEL / 2, df)) * se if se > 0 else math.nan
    p = 2 * float(stats.t.sf(abs(value / se), df)) if se > 0 else math.nan
    named = (("method", kind),) if group is None else group
    return Estimate(
        measure, value, se, df, value - reach, value + reach, len(fit.y), found.clusters, unit, named, kind, p
    )


def smallest_effect(estimate: Estimate) -> float:
    """The effect that would have been seen four times in five: (t_.975 + t_.8) se (Bloom 1995)."""
    quantiles = stats.t.ppf([1 - LEVEL / 2, POWER], estimate.df)
    return float(quantiles.sum()) * estimate.se


def leave_one_out(fit: Fit, coefficient: int) -> tuple[Without, ...]:
    """The coefficient without each cluster in turn, from k x k updates of the full fit."""
    found = []
    for label, rows in zip(fit.clusters, fit.rows_of, strict=True):
        XW = (fit.X[rows] * fit.w[rows, None]).T
        left = np.eye(len(fit.coefficients)) - fit.bread @ XW @ fit.X[rows]
        if np.linalg.cond(left) > 1e13:
            found.append(Without(str(label), math.nan))
            continue
        moved = np.linalg.solve(left, fit.bread @ XW @ fit.residuals[rows])
        found.append(Without(str(label), float(fit.coefficients[coefficient] - moved[coefficient])))
    return tuple(found)


def _redrawn(
    fit: Fit, coefficient: int, answer: Estimate, moments: Labels | None, draws: int, seed: int
) -> tuple[Estimate, ...]:
    """The methods that draw anew: both wild bootstraps and the permutation; p is NaN where one cannot be had."""
    restricted = wild_bootstrap(fit, coefficient, draws=draws, seed=seed)
    unrestricted = wild_unrestricted(fit, coefficient, draws=draws, seed=seed)
    permuted = permutation_test(fit, coefficient, moments=moments, draws=draws, seed=seed)
    low, high = wild_interval(fit, coefficient, level=LEVEL, draws=draws, seed=seed)

    def told(method: str, p: float, low: float = math.nan, high: float = math.nan) -> Estimate:
        return replace(
            answer,
            se=math.nan,
            df=math.nan,
            low=low,
            high=high,
            p=p,
            method=method,
            group=(("method", method),),
        )

    return (
        told(WILD, restricted.p, low, high),
        told(WILD_UNRESTRICTED, unrestricted.p),
        told(PERMUTATION, permuted.p),
    )
