"""Whether the items of a scale measure one thing well enough: alpha with its interval, and item by item.

Cronbach (1951, Psychometrika 16); interval by Feldt (1965, Psychometrika 30); lambda 6 by Guttman (1945).
R: `psych::alpha`, `psych::alpha.ci`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.measure.items import Items, items_of
from cbresearch.measure.polychoric import polychoric
from cbresearch.measure.resample import cluster_bootstrap
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

Missing = Literal["pairwise", "complete"]


@dataclass(frozen=True, slots=True)
class Item:
    """One item against the others. `rest` is its correlation with the sum of the others (NaN rows left out);
    `alpha_without` the scale's alpha were it dropped."""

    item: str
    n: int
    mean: float
    sd: float
    rest: float
    alpha_without: float


@dataclass(frozen=True, slots=True)
class Alpha:
    """Cronbach's alpha. `low`, `high`: Feldt's 95 % interval, on Kish's effective n where there are weights.

    `kind` says which correlations it is of: "covariance" (Cronbach's own) or "polychoric" (ordinal alpha,
    higher, not to be compared with published values of the first). `note` warns of an item that points
    the other way; it is not turned.
    """

    kind: Literal["covariance", "polychoric"]
    value: float
    standardised: float
    low: float
    high: float
    lambda6: float
    average_r: float
    n: int
    effective_n: float
    missing: Missing
    items: tuple[Item, ...]
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """A row per item: item, n, mean, sd, rest, alpha_without."""
        return pd.DataFrame([{name: getattr(i, name) for name in Item.__slots__} for i in self.items])


def alpha(items: pd.DataFrame, *, weights: pd.Series | None = None, missing: Missing = "pairwise") -> Alpha:
    """Cronbach's alpha of a scale: k/(k-1) (1 - sum of variances / variance of the sum).

    `items` has a row per resident and a column per item, all pointing the same way. Missing answers:
    "pairwise" uses for each pair the residents who answered both (psych's rule), "complete" only those who
    answered all. EstimateError for fewer than two items, items that never vary, pairs that nobody answered
    together, weights that do not fit.
    """
    given = _given(items, weights, missing)
    C = given.covariance()
    _refuse_gaps(given, C)
    return _told("covariance", given, C, missing)


def ordinal_alpha(items: pd.DataFrame, *, weights: pd.Series | None = None) -> Alpha:
    """Alpha of the answers that lie behind few ordered ones (Zumbo, Gadermann and Zeisser 2007): of polychoric correlations."""
    given = _given(items, weights, "pairwise")
    return _told("polychoric", given, polychoric(items, weights=weights).correlations, "pairwise")


def alpha_interval(
    items: pd.DataFrame, cluster: pd.Series, *, weights: pd.Series | None = None, draws: int = 2_000, seed: int = 1,
) -> tuple[float, float]:  # fmt: skip
    """The middle 95 % of alpha when whole clusters are drawn anew; of residents who answered everything.

    Feldt's interval takes residents to be independent; those of a community are not.
    """
    given = items_of(items, weights)
    whole = np.isfinite(given.values).all(axis=1)
    X, w = given.values[whole], given.weights[whole]
    k = X.shape[1]
    pairs = (X[:, :, None] * X[:, None, :]).reshape(len(X), -1)
    found = cluster_bootstrap(
        np.column_stack([np.ones(len(X)), X, pairs]) * w[:, None],
        pd.factorize(cluster.to_numpy()[whole])[0].astype(np.int64), draws=draws, seed=seed,
    )  # fmt: skip
    sums = found.redrawn
    mean = sums[:, 1 : k + 1] / sums[:, :1]
    C = sums[:, k + 1 :].reshape(-1, k, k) / sums[:, 0, None, None] - mean[:, :, None] * mean[:, None, :]
    values = k / (k - 1) * (1 - np.trace(C, axis1=1, axis2=2) / C.sum(axis=(1, 2)))
    low, high = np.nanquantile(values, [0.025, 0.975])
    return float(low), float(high)


def alpha_of(C: Floats) -> float:
    """Alpha from a covariance (or correlation) matrix."""
    k = len(C)
    return float(k / (k - 1) * (1 - np.trace(C) / C.sum()))


def _given(items: pd.DataFrame, weights: pd.Series | None, missing: Missing) -> Items:
    if missing not in get_args(Missing):
        raise EstimateError(f"missing = '{missing}'; expected one of {', '.join(get_args(Missing))}.")
    given = items_of(items, weights)
    if missing == "pairwise":
        return given
    whole = given.complete
    if len(whole.values) < 3:
        raise EstimateError(
            f"{len(whole.values)} residents answered every item; expected at least 3. Use missing='pairwise'."
        )
    return whole


def _refuse_gaps(given: Items, C: Floats) -> None:
    if not np.isfinite(C).all():
        i, j = np.argwhere(~np.isfinite(C))[0]
        raise EstimateError(
            f"Nobody answered both '{given.names[i]}' and '{given.names[j]}'; they cannot belong to one scale."
        )


def _told(kind: Literal["covariance", "polychoric"], given: Items, C: Floats, missing: Missing) -> Alpha:
    k, n = len(C), int(np.isfinite(given.values).any(axis=1).sum())
    sd = np.sqrt(np.diag(C))
    R = C / np.outer(sd, sd)
    value, effective = (
        alpha_of(C),
        given.effective_n if (given.weights != given.weights[0]).any() else float(n),
    )
    f = stats.f.ppf([0.975, 0.025], effective - 1, (effective - 1) * (k - 1))
    low, high = (1 - (1 - value) * float(one) for one in f)
    listed = tuple(_item(given, C, i) for i in range(k))
    return Alpha(
        kind, value, alpha_of(R), low, high, _lambda6(R), float((R.sum() - k) / (k * (k - 1))), n, effective,
        missing, listed, _note(listed),
    )  # fmt: skip


def _item(given: Items, C: Floats, i: int) -> Item:
    values = given.values[:, i]
    there = np.isfinite(values)
    w = given.weights[there]
    mean = float(w @ values[there] / w.sum())
    others = np.delete(np.arange(len(C)), i)
    rest_variance = float(C[np.ix_(others, others)].sum())
    rest = float(C[i, others].sum() / math.sqrt(C[i, i] * rest_variance)) if rest_variance > 0 else math.nan
    without = alpha_of(C[np.ix_(others, others)]) if len(others) > 1 else math.nan
    return Item(given.names[i], int(there.sum()), mean, math.sqrt(C[i, i]), rest, without)


def _lambda6(R: Floats) -> float:
    """1 - sum(1 - smc)/sum(R); NaN where items repeat each other."""
    if np.linalg.cond(R) > 1e12:
        return math.nan
    smc = 1 - 1 / np.diag(np.linalg.inv(R))
    return float(1 - (1 - smc).sum() / R.sum())


def _note(items: tuple[Item, ...]) -> Text | None:
    wrong = [one.item for one in items if one.rest < 0]
    if not wrong:
        return None
    listed = ", ".join(wrong)
    return Text(
        f"题目 {listed} 与其余题目方向相反，可能忘了反向计分；这里没有自动反转。",
        f"{listed} points the other way from the rest; perhaps it was not reversed. It was not turned here.",
    )
