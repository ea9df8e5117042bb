"""What lies behind many items: exploratory factors, and the omegas that follow from them.

McDonald (1999) for omega; Schmid and Leiman (1957, Psychometrika 22) and Zinbarg et al. (2005, Psychometrika
70) for the hierarchical one. R: `psych::fa`, `psych::omega`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cbresearch.errors import EstimateError
from cbresearch.measure.extraction import Extracted, Method, extract
from cbresearch.measure.items import Items, items_of
from cbresearch.measure.polychoric import polychoric, smoothed
from cbresearch.measure.rotation import Rotation, rotate
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

Correlations = Literal["pearson", "polychoric"]


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Pattern loadings (items x factors) with what they leave: `uniquenesses`, `phi` of the factors, fit.

    `chi2`, `df`, `p` test that so many factors are enough; `rmsea` with its 90 % interval and `tli` say by how
    much they are not. `note` names Heywood cases.
    """

    items: tuple[str, ...]
    loadings: Floats
    uniquenesses: Floats
    phi: Floats
    extraction: Method
    rotation: Rotation
    correlations: Correlations
    n: float
    chi2: float
    df: int
    p: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """A row per item: item, factor1 …, communality, uniqueness."""
        made = pd.DataFrame(self.loadings, columns=[f"factor{i + 1}" for i in range(self.loadings.shape[1])])
        made.insert(0, "item", list(self.items))
        return made.assign(communality=1 - self.uniquenesses, uniqueness=self.uniquenesses)


@dataclass(frozen=True, slots=True)
class Omega:
    """McDonald's omega. `kind` says which: "total, one factor" or "hierarchical", with the model behind it.

    `value` is the share of the score's variance that the general factor accounts for; for the hierarchical
    kind `total` is the share that all common factors do.
    """

    kind: Literal["total, one factor", "hierarchical"]
    value: float
    total: float
    model: str
    formula: str
    n: float
    note: Text | None


def explore(
    items: pd.DataFrame, factors: int, *, extraction: Method = "minres", rotation: Rotation = "oblimin",
    correlations: Correlations = "pearson", weights: pd.Series | None = None,
) -> Factors:  # fmt: skip
    """Exploratory factor analysis of a row per resident and a column per item.

    Of residents who answered every item (Pearson) or both of a pair (polychoric). EstimateError for items
    that cannot be factored, too many factors, or a search that does not settle.
    """
    R, n, names = _correlations(items, correlations, weights)
    found = extract(R, factors, extraction)
    turned = rotate(found.loadings, rotation)
    k = len(R)
    df = ((k - factors) ** 2 - k - factors) // 2
    chi2 = found.discrepancy * (n - 1 - (2 * k + 5) / 6 - 2 * factors / 3)
    base, base_df = -float(np.linalg.slogdet(R)[1]) * (n - 1 - (2 * k + 5) / 6), k * (k - 1) / 2
    tli = (base / base_df - chi2 / df) / (base / base_df - 1) if df else math.nan
    ends = _rmsea_interval(chi2, df, n)
    return Factors(
        names, turned.loadings, found.uniquenesses, turned.phi, extraction, rotation, correlations, n, chi2, df,
        float(stats.chi2.sf(chi2, df)) if df else math.nan, tli, _rmsea(chi2, df, n), *ends,
        _heywood(found, names),
    )  # fmt: skip


def omega(
    items: pd.DataFrame, *, correlations: Correlations = "pearson", weights: pd.Series | None = None
) -> Omega:
    """Omega total of a scale with one factor: (sum of loadings)² / ((sum)² + sum of uniquenesses), standardised, by minres.

    EstimateError for fewer than three items, whose loadings cannot be told.
    """
    R, n, names = _correlations(items, correlations, weights)
    if len(R) < 3:
        raise EstimateError(
            f"{len(R)} items; omega needs at least three, for two have no loadings of their own."
        )
    found = extract(R, 1)
    common = float(found.loadings.sum()) ** 2
    value = common / (common + float((1 - found.loadings**2).sum()))
    turned = [names[i] for i in np.flatnonzero(found.loadings[:, 0] < 0)]
    note = _heywood(found, names) or _turned(turned)
    return Omega(
        "total, one factor", value, value, f"one factor, minres, {correlations} correlations",
        "(sum l)^2 / ((sum l)^2 + sum(1 - l^2))", n, note,
    )  # fmt: skip


def omega_hierarchical(
    items: pd.DataFrame, factors: int = 3, *, correlations: Correlations = "pearson",
    weights: pd.Series | None = None,
) -> Omega:  # fmt: skip
    """How much of the score one general factor accounts for, over and above `factors` groups of items.

    Minres, oblimin, then one factor of the factors (Schmid and Leiman); items that load negatively on the
    general factor are turned. It depends on the number of groups and on the rotation, so both are told.
    EstimateError for fewer than three groups, which leave the general factor undetermined.
    """
    if factors < 3:
        raise EstimateError(
            f"{factors} groups of items leave the general factor undetermined; expected at least 3."
        )
    R, n, names = _correlations(items, correlations, weights)
    found = extract(R, factors)
    turned = rotate(found.loadings, "oblimin")
    second = _one_factor(turned.phi)
    general = turned.loadings @ second
    sign = np.where(general < 0, -1.0, 1.0)
    variance = float((R * np.outer(sign, sign)).sum())
    value = float((general * sign).sum()) ** 2 / variance
    total = 1 - float(found.uniquenesses.sum()) / variance
    return Omega(
        "hierarchical", value, total, f"{factors} groups, minres, oblimin, Schmid-Leiman, {correlations} correlations",
        "(sum g)^2 / sum(R)", n, _heywood(found, names),
    )  # fmt: skip


def _one_factor(phi: Floats) -> Floats:
    """One factor of three or more correlated factors; just identified for three."""
    if len(phi) > 3:
        return extract(phi, 1).loadings[:, 0]
    a, b, c = phi[0, 1], phi[0, 2], phi[1, 2]
    if min(a * b * c, abs(a), abs(b), abs(c)) <= 0:
        raise EstimateError(
            "The groups' correlations have no general factor behind them; omega hierarchical has no meaning here."
        )
    return np.minimum(np.sqrt(np.abs([a * b / c, a * c / b, b * c / a])), 0.9999)


def _correlations(
    items: pd.DataFrame, kind: Correlations, weights: pd.Series | None
) -> tuple[Floats, float, tuple[str, ...]]:
    if kind == "polychoric":
        found = polychoric(items, weights=weights)
        given = items_of(items, weights)
        return smoothed(found.correlations), _n(given), found.items
    given = items_of(items, weights).complete
    if len(given.values) <= len(given.names):
        raise EstimateError(
            f"{len(given.values)} residents answered every one of {len(given.names)} items; expected more residents than items."
        )
    return given.correlation(), _n(given), given.names


def _n(given: Items) -> float:
    is_weighted = bool((given.weights != given.weights[0]).any())
    return given.effective_n if is_weighted else float(len(given.values))


def _rmsea(chi2: float, df: int, n: float) -> float:
    """As psych has it."""
    return math.sqrt(max(chi2 / (df * n) - 1 / (n - 1), 0)) if df else math.nan


def _rmsea_interval(chi2: float, df: int, n: float) -> tuple[float, float]:
    """The 90 % interval by the noncentral chi-square."""
    if not df:
        return math.nan, math.nan
    ends = []
    for share in (0.95, 0.05):

        def gap(noncentral: float, share: float = share) -> float:
            return float(stats.ncx2.cdf(chi2, df, noncentral)) - share

        top = max(2 * chi2, 10.0)
        while gap(top) > 0:
            top *= 2
        ends.append(optimize.brentq(gap, 1e-12, top) if gap(1e-12) > 0 else 0.0)
    low, high = (math.sqrt(end / (df * (n - 1))) for end in ends)
    return low, high


def _heywood(found: Extracted, names: tuple[str, ...]) -> Text | None:
    if not found.heywood:
        return None
    listed = ", ".join(names[i] for i in found.heywood)
    return Text(
        f"题目 {listed} 几乎被因子完全解释（Heywood情形），结果不可靠；请减少因子。",
        f"{listed} would be explained almost in full (a Heywood case), so the result cannot be relied on; take fewer factors.",
    )


def _turned(names: list[str]) -> Text | None:
    if not names:
        return None
    listed = ", ".join(names)
    return Text(f"题目 {listed} 与其余题目方向相反。", f"{listed} points the other way from the rest.")
