"""Confirmatory factor analysis of simple structure: fit, loadings, reliability and validity of each factor.

Composite reliability and variance extracted by Fornell and Larcker (1981, J. of Marketing Research 18), of
standardised loadings; HTMT2 in place of the arithmetic HTMT of Henseler, Ringle and Sarstedt (2015).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError, nearest
from cbresearch.measure.confirmatory.likelihood import Fit, Moments, Solution, solve
from cbresearch.measure.confirmatory.structure import Structure, structure
from cbresearch.measure.items import Items, items_of
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

GOOD_CFI, GOOD_RMSEA, GOOD_SRMR = 0.95, 0.06, 0.08
FAIR_CFI, FAIR_RMSEA = 0.90, 0.08
"""Hu and Bentler (1999, Structural Equation Modeling 6); the fair ones are customary."""


@dataclass(frozen=True, slots=True)
class Loading:
    """One item on its factor: unstandardised (the marker 1, without error) and standardised."""

    factor: str
    item: str
    loading: float
    se: float
    p: float
    standardised: float
    uniqueness: float


@dataclass(frozen=True, slots=True, eq=False)
class Confirmed:
    """`loadings` of every item, `correlations` of the factors (f x f), `reliability` (composite) and `variance_extracted` by factor.

    `htmt` (f x f, by the items' own correlations) above .85 says that two factors are hardly two. `note` warns of
    negative residual variances. Residents who missed an item are left out.
    """

    factors: tuple[str, ...]
    loadings: tuple[Loading, ...]
    correlations: Floats
    reliability: dict[str, float]
    variance_extracted: dict[str, float]
    htmt: Floats
    fit: Fit
    left_out: int
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """A row per item: factor, item, loading, se, p, standardised, uniqueness."""
        return pd.DataFrame(
            [{name: getattr(one, name) for name in Loading.__slots__} for one in self.loadings]
        )

    @property
    def validity(self) -> pd.DataFrame:
        """A row per factor: reliability, variance_extracted, and the largest squared correlation with another (Fornell-Larcker)."""
        squared = self.correlations**2 - np.diag(np.diag(self.correlations**2))
        return pd.DataFrame(
            {
                "factor": list(self.factors), "reliability": list(self.reliability.values()),
                "variance_extracted": list(self.variance_extracted.values()), "most_shared": squared.max(axis=1),
            }
        )  # fmt: skip

    @property
    def sentence(self) -> Text:
        fit = self.fit
        told = f"CFI = {fit.cfi:.3f}, RMSEA = {fit.rmsea:.3f}, SRMR = {fit.srmr:.3f}"
        told_zh = told.replace(", ", "，")
        if fit.cfi >= GOOD_CFI and fit.rmsea <= GOOD_RMSEA and fit.srmr <= GOOD_SRMR:
            return Text(
                f"题目与设计的维度相符（{told_zh}）。", f"The items lie where they were meant to ({told})."
            )
        if fit.cfi >= FAIR_CFI and fit.rmsea <= FAIR_RMSEA:
            return Text(
                f"题目与设计的维度大体相符（{told_zh}）。",
                f"The items lie about where they were meant to ({told}).",
            )
        return Text(
            f"题目与设计的维度不太相符（{told_zh}），各维度得分应谨慎使用。",
            f"The items do not lie well where they were meant to ({told}); use scores of single dimensions with care.",
        )


def confirm(
    items: pd.DataFrame, model: Mapping[str, Sequence[str]], *, weights: pd.Series | None = None
) -> Confirmed:
    """Fit a model that says which items belong to which factor, such as {"care": ["q1", "q2", "q3"]}.

    Maximum likelihood, factors correlated, the first item of each the marker. With weights, of weighted
    covariances and Kish's effective n. EstimateError for unknown items, an item of two factors, factors with one
    item, or a search that does not settle.
    """
    names = checked(items, model)
    given = items_of(items[names], weights)
    whole = given.complete
    if len(whole.values) <= len(names):
        raise EstimateError(f"{len(whole.values)} residents answered all {len(names)} items; expected more residents than items.")  # fmt: skip
    made = structure([f for f, listed in enumerate(model.values()) for _ in listed])
    found = solve(made, [moments_of(whole)])
    return _told(tuple(model), names, made, found, whole, len(given.values) - len(whole.values))


def moments_of(whole: Items) -> Moments:
    """Means and covariances divided by n; n is Kish's where weights differ."""
    w = whole.weights / whole.weights.sum()
    mean = w @ whole.values
    left = whole.values - mean
    is_weighted = bool((whole.weights != whole.weights[0]).any())
    n = whole.effective_n if is_weighted else float(len(w))
    return Moments(n, np.asarray(mean), np.asarray((left * w[:, None]).T @ left))


def checked(items: pd.DataFrame, model: Mapping[str, Sequence[str]]) -> list[str]:
    """The items in the order of the model; EstimateError for what does not fit, all at once."""
    listed = [item for one in model.values() for item in one]
    there = [str(name) for name in items.columns]
    faults = []
    for item in dict.fromkeys(listed):
        if item not in there:
            near = nearest(item, there)
            faults.append(f"no item '{item}'" + (f"; did you mean '{near}'?" if near else ""))
        if listed.count(item) > 1:
            faults.append(
                f"'{item}' belongs to {listed.count(item)} factors; in a simple structure it has one"
            )
    faults += [
        f"factor '{name}' has {len(one)} item; expected two or more"
        for name, one in model.items()
        if len(one) < 2
    ]
    if not model:
        faults.append("no factor at all; expected a mapping such as {'care': ['q1', 'q2', 'q3']}")
    if faults:
        raise EstimateError("This model cannot be fitted:\n" + "\n".join(f"  - {fault}" for fault in faults))
    return listed


def _told(
    factors: tuple[str, ...], names: list[str], made: Structure, found: Solution, whole: Items, left_out: int
) -> Confirmed:
    m = made.matrices(found.theta, 0)
    sd = np.sqrt(np.diag(m["Phi"]))
    variance = np.diag(m["L"] @ m["Phi"] @ m["L"].T + m["Psi"])
    se = np.sqrt(np.diag(found.covariance))
    at = {e.i: e.at for e in made.entries if e.matrix == "L"}
    loadings = []
    for i, (name, owner) in enumerate(zip(names, made.owner, strict=True)):
        value = float(m["L"][i, owner])
        error = float(se[at[i]]) if i in at else math.nan
        p = 2 * float(stats.norm.sf(abs(value / error))) if i in at else math.nan
        standardised = value * float(sd[owner] / math.sqrt(variance[i]))
        loadings.append(Loading(factors[owner], name, value, error, p, standardised, 1 - standardised**2))
    by_factor = {f: [one.standardised for one in loadings if one.factor == f] for f in factors}
    reliability = {f: sum(l) ** 2 / (sum(l) ** 2 + sum(1 - x * x for x in l)) for f, l in by_factor.items()}
    extracted = {f: sum(x * x for x in l) / len(l) for f, l in by_factor.items()}
    return Confirmed(
        factors, tuple(loadings), np.asarray(m["Phi"] / np.outer(sd, sd)), reliability, extracted,
        htmt(whole.correlation(), made.owner), found.fit, left_out, _note(names, m["Psi"]),
    )  # fmt: skip


def htmt(correlations: Floats, owner: Sequence[int]) -> Floats:
    """HTMT2, f x f: geometric mean correlation across two factors over the root of those within (Roemer, Schuberth and
    Henseler 2021, Industrial Management and Data Systems 121), of absolute values; semTools' `htmt`.
    """
    who = np.asarray(owner)
    f = int(who.max()) + 1
    mean = np.empty((f, f))
    for a in range(f):
        for b in range(f):
            block = correlations[np.ix_(who == a, who == b)]
            told = np.abs(block[~np.eye(len(block), dtype=bool)] if a == b else block.ravel())
            mean[a, b] = np.exp(np.log(np.maximum(told, 1e-12)).mean())
    sd = np.sqrt(np.diag(mean))
    made = mean / np.outer(sd, sd)
    np.fill_diagonal(made, 1.0)
    return np.asarray(made)


def _note(names: list[str], Psi: Floats) -> Text | None:
    wrong = [name for name, value in zip(names, np.diag(Psi), strict=True) if value < 0]
    if not wrong:
        return None
    listed = ", ".join(wrong)
    return Text(
        f"题目 {listed} 的残差方差为负（Heywood情形），模型不可靠。",
        f"The residual variance of {listed} is negative (a Heywood case); the model cannot be relied on.",
    )
