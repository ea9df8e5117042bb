"""What lies behind many items: exploratory factors, and the omegas that follow from them.

McDonald (1999) for omega; Schmid and Leiman (1957, Psychometrika 22) and Zinbarg et al. (2005, Psychometrika
70) for the hierarchical one. R: `psych::fa`, `psych::omega`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cbresearch.errors import EstimateError
from cbresearch.measure.correlations import Correlated, Correlations, correlated, expect
from cbresearch.measure.extraction import Extracted, Method, extract
from cbresearch.measure.notes import joined
from cbresearch.measure.rotation import Rotation, rotate
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

POOR_RMSEA = 0.10
"""MacCallum, Browne and Sugawara (1996, Psychological Methods 1): beyond it a model fits poorly."""
NEARLY_ALL = 0.9999


@dataclass(frozen=True, slots=True, eq=False)
class Factors:
    """Pattern loadings (items x factors) with what they leave: `uniquenesses`, `phi` of the factors, fit.

    `chi2`, `df`, `p` test that so many factors are enough; `rmsea` with its 90 % interval and `tli` say by how
    much they are not. Polychoric correlations have a `chi2` that describes but follows no chi-square: `p` and
    the interval are NaN, and `method` says why. `note` names Heywood cases and what ails the correlations.
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
    method: str
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """A row per item: item, factor1 …, communality, uniqueness."""
        made = pd.DataFrame(self.loadings, columns=[f"factor{i + 1}" for i in range(self.loadings.shape[1])])
        made.insert(0, "item", list(self.items))
        return made.assign(communality=1 - self.uniquenesses, uniqueness=self.uniquenesses)


@dataclass(frozen=True, slots=True)
class Omega:
    """McDonald's omega. `kind` says which: "total, one factor" or "hierarchical", with the `model` behind it.

    `value` is the share of the score's variance that the general factor accounts for; for the hierarchical
    kind `total` is the share that all common factors do. `rmsea` is the model's (NaN where nothing is left to
    test it by, as with three items of one factor). `note` warns of what the value presumes and does not hold.
    """

    kind: Literal["total, one factor", "hierarchical"]
    value: float
    total: float
    model: str
    formula: str
    n: float
    rmsea: float
    note: Text | None


@dataclass(frozen=True, slots=True)
class _Fit:
    """How far so many factors leave the correlations unexplained."""

    chi2: float
    df: int
    p: float
    tli: float
    rmsea: float
    low: float
    high: float


def explore(
    items: pd.DataFrame, factors: int, *, extraction: Method = "minres", rotation: Rotation = "oblimin",
    correlations: Correlations = "pearson", weights: pd.Series | None = None,
) -> Factors:  # fmt: skip
    """Exploratory factor analysis of a row per resident and a column per item.

    Of residents who answered every item (plain correlations) or both of a pair (polychoric). EstimateError for
    names that are unknown, items that cannot be factored, too many factors, or a search that does not settle.
    """
    expect("rotation", rotation, get_args(Rotation))
    given = correlated(items, correlations=correlations, weights=weights)
    found = extract(given.values, factors, extraction)
    turned = rotate(found.loadings, rotation)
    fit = _fit(given, found.discrepancy, factors)
    why = "" if given.kind == "pearson" else "; no p or interval, their chi2 follows no chi-square"
    return Factors(
        given.names, turned.loadings, found.uniquenesses, turned.phi, extraction, rotation, correlations, given.n,
        fit.chi2, fit.df, fit.p, fit.tli, fit.rmsea, fit.low, fit.high,
        f"{extraction}, {rotation}, {correlations} correlations{why}", joined(_heywood(found, given.names), given.note),
    )  # fmt: skip


def omega(
    items: pd.DataFrame, *, extraction: Method = "minres", correlations: Correlations = "pearson",
    weights: pd.Series | None = None,
) -> Omega:  # fmt: skip
    """Omega total of a scale with one factor: (sum of loadings)² / ((sum)² + sum of uniquenesses), standardised.

    Missing answers as `explore` has them. An item that loads negatively is told, not turned. EstimateError for
    fewer than three items, whose loadings cannot be told.
    """
    if items.shape[1] < 3:
        raise EstimateError(
            f"{items.shape[1]} items; omega needs at least three, for two have no loadings of their own."
        )
    given = correlated(items, correlations=correlations, weights=weights)
    found = extract(given.values, 1, extraction)
    common = float(found.loadings.sum()) ** 2
    value = common / (common + float((1 - found.loadings**2).sum()))
    turned = [given.names[i] for i in np.flatnonzero(found.loadings[:, 0] < 0)]
    fit = _fit(given, found.discrepancy, 1)
    note = joined(_heywood(found, given.names), _opposed(turned), _misfit(fit.rmsea), given.note)
    return Omega(
        "total, one factor", value, value, f"one factor, {extraction}, {correlations} correlations",
        "(sum l)^2 / ((sum l)^2 + sum(1 - l^2))", given.n, fit.rmsea, note,
    )  # fmt: skip


def omega_hierarchical(
    items: pd.DataFrame, factors: int = 3, *, correlations: Correlations = "pearson",
    weights: pd.Series | None = None,
) -> Omega:  # fmt: skip
    """How much of the score one general factor accounts for, over and above `factors` groups of items.

    Minres, oblimin, then one factor of the factors (Schmid and Leiman). Items that load negatively on the
    general factor are turned, as psych does, and `note` names them. The value depends on the number of groups
    and on the rotation, so `model` tells both. EstimateError for fewer than three groups, which leave the
    general factor undetermined, for more than the items can tell, or groups without anything in common.
    """
    if factors < 3:
        raise EstimateError(
            f"{factors} groups of items leave the general factor undetermined; expected at least 3."
        )
    given = correlated(items, correlations=correlations, weights=weights)
    found = extract(given.values, factors)
    turned = rotate(found.loadings, "oblimin")
    second, is_heywood = _one_factor(turned.phi)
    general = turned.loadings @ second
    general = general * (-1.0 if general.sum() < 0 else 1.0)
    sign = np.where(general < 0, -1.0, 1.0)
    variance = float((given.values * np.outer(sign, sign)).sum())
    value = float((general * sign).sum()) ** 2 / variance
    fit = _fit(given, found.discrepancy, factors)
    note = joined(
        _reversed([given.names[i] for i in np.flatnonzero(sign < 0)]), _heywood(found, given.names),
        _one_group(is_heywood), _misfit(fit.rmsea), given.note,
    )  # fmt: skip
    return Omega(
        "hierarchical", value, 1 - float(found.uniquenesses.sum()) / variance,
        f"{factors} groups, minres, oblimin, Schmid-Leiman, {correlations} correlations",
        "(sum g)^2 / sum(R)", given.n, fit.rmsea, note,
    )  # fmt: skip


def _one_factor(phi: Floats) -> tuple[Floats, bool]:
    """One factor of three or more correlated factors (just identified for three), and whether a group is all of it."""
    if len(phi) > 3:
        found = extract(phi, 1)
        return found.loadings[:, 0], bool(found.heywood)
    a, b, c = phi[0, 1], phi[0, 2], phi[1, 2]
    if a * b * c <= 0:
        raise EstimateError(
            "The groups' correlations have no general factor behind them; omega hierarchical has no meaning here."
        )
    first = math.sqrt(a * b / c)
    loadings = np.array([first, a / first, b / first])
    return np.clip(loadings, -NEARLY_ALL, NEARLY_ALL), bool((np.abs(loadings) > NEARLY_ALL).any())


def _fit(given: Correlated, discrepancy: float, factors: int) -> _Fit:
    """As psych has it: Bartlett's correction, TLI against no correlation; inference for plain correlations only."""
    k, n = len(given.values), given.n
    df = ((k - factors) ** 2 - k - factors) // 2
    # one correction for both, the factors' own, as psych's TLI has it
    scale = n - 1 - (2 * k + 5) / 6 - 2 * factors / 3
    chi2 = discrepancy * scale
    base, base_df = -float(np.linalg.slogdet(given.values)[1]) * scale, k * (k - 1) / 2
    if not df:
        return _Fit(chi2, 0, math.nan, math.nan, math.nan, math.nan, math.nan)
    tli = (base / base_df - chi2 / df) / (base / base_df - 1)
    rmsea = math.sqrt(max(chi2 / (df * n) - 1 / (n - 1), 0))
    if given.kind == "polychoric":
        return _Fit(chi2, df, math.nan, tli, rmsea, math.nan, math.nan)
    return _Fit(chi2, df, float(stats.chi2.sf(chi2, df)), tli, rmsea, *_rmsea_interval(chi2, df, n))


def _rmsea_interval(chi2: float, df: int, n: float) -> tuple[float, float]:
    """The 90 % interval by the noncentral chi-square."""
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
    listed = [names[i] for i in found.heywood]
    return Text(
        f"题目 {'、'.join(listed)} 几乎被因子完全解释（Heywood情形），结果不可靠；请减少因子。",
        f"{', '.join(listed)} would be explained almost in full (a Heywood case), so the result cannot be relied on; take fewer factors.",
    )


def _opposed(names: list[str]) -> Text | None:
    if not names:
        return None
    points = "points" if len(names) == 1 else "point"
    return Text(
        f"题目 {'、'.join(names)} 与其余题目方向相反；这里没有自动反转。",
        f"{', '.join(names)} {points} the other way from the rest; nothing was turned here.",
    )


def _reversed(names: list[str]) -> Text | None:
    if not names:
        return None
    was = "was" if len(names) == 1 else "were"
    return Text(
        f"题目 {'、'.join(names)} 与总因子方向相反，计算时已反转。",
        f"{', '.join(names)} {was} turned to point the way of the general factor.",
    )


def _one_group(is_heywood: bool) -> Text | None:
    if not is_heywood:
        return None
    return Text(
        "有一组题目与总因子几乎无法区分，分层ω不可靠；请改变组数。",
        "One group of items can hardly be told from the general factor, so that omega hierarchical cannot be relied on; try another number of groups.",
    )


def _misfit(rmsea: float) -> Text | None:
    if not rmsea > POOR_RMSEA:
        return None
    return Text(
        f"所设模型与数据不合（RMSEA = {rmsea:.2f}，大于{POOR_RMSEA:.2f}），ω只能当作参考。",
        f"The model behind this omega fits poorly (RMSEA = {rmsea:.2f}, above {POOR_RMSEA:.2f}); take it as a rough figure.",
    )
