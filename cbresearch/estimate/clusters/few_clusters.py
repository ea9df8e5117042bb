"""One effect seen through every honest method for few clusters, with a verdict on whether they agree.

The answer is CR2 with Satterthwaite degrees of freedom; CR1S with t(G-1), CR3 and the wild cluster
bootstrap stand beside it, because with some twenty communities the choice of method can be the result.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.estimate.clusters.linear import Fit, Kind, least_squares, robust
from cbresearch.estimate.clusters.verdict import LEVEL, Decision, Names, Without, as_written, decide, sentence
from cbresearch.estimate.clusters.wild import wild_bootstrap, wild_interval
from cbresearch.estimate.formula import matrices, weights_of
from cbresearch.records import Estimate, Text

POWER = 0.80


@dataclass(frozen=True, slots=True)
class FewClusters:
    """One coefficient by several methods. `estimates` begins with CR2, the answer; `group` names the method.

    `smallest_effect` is what would have been seen with 80 % power at 5 %, in the coefficient's unit.
    `decision` is "agree" when every method sees an effect, "cannot tell" when none does, "disagree" else.
    """

    cause: str
    estimates: tuple[Estimate, ...]
    clusters: int
    smallest_cluster: int
    largest_cluster: int
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
    unit: str = "as asked", draws: int = 9_999, seed: int = 1,
) -> FewClusters:  # fmt: skip
    """The effect of `cause` in a linear `formula` such as "y ~ x + age", rows alike within `cluster`.

    Rows with a missing value in the formula are left out (n says how many stay). `cause` must be one
    column of the model matrix. EstimateError for unknown columns, missing clusters or weights.
    """
    made = matrices(frame, formula, also=[cluster, *([weights] if weights else [])])
    labels = frame[cluster].astype(str).to_numpy()[made.rows]
    fit = least_squares(made.X, made.y, weights_of(frame, weights, made.rows), labels)
    return panel(fit, made.place(cause), cause=cause, unit=unit, draws=draws, seed=seed)


def panel(
    fit: Fit, coefficient: int, *, cause: str, unit: str, draws: int = 9_999, seed: int = 1,
    names: Names = as_written,
) -> FewClusters:  # fmt: skip
    """Every method's view of one coefficient of a fit already made; `names` puts a cluster's code in words."""
    estimates = (
        clustered(fit, coefficient, "CR2", cause, unit),
        clustered(fit, coefficient, "CR1S", cause, unit),
        clustered(fit, coefficient, "CR3", cause, unit),
        _bootstrapped(fit, coefficient, cause, unit, draws, seed),
    )
    sizes = [rows.stop - rows.start for rows in fit.rows_of]
    without = leave_one_out(fit, coefficient)
    smallest = smallest_effect(estimates[0])
    decision = decide(estimates)
    return FewClusters(
        cause, estimates, len(sizes), min(sizes), max(sizes), smallest, without, decision,
        sentence(decision, estimates, without, smallest, names),
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


def _bootstrapped(fit: Fit, coefficient: int, cause: str, unit: str, draws: int, seed: int) -> Estimate:
    tested = wild_bootstrap(fit, coefficient, draws=draws, seed=seed)
    low, high = wild_interval(fit, coefficient, level=LEVEL, draws=draws, seed=seed)
    return Estimate(
        measure=cause, value=float(fit.coefficients[coefficient]), se=math.nan, df=math.nan, low=low, high=high,
        n=len(fit.y), psus=len(fit.start), unit=unit, group=(("method", "wild bootstrap"),),
        method="wild bootstrap", p=tested.p,
    )  # fmt: skip
