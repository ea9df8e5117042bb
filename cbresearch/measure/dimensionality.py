"""How many dimensions the answers to some items have, asked of the answers themselves.

The same by a correlation matrix, and the sources: `factorability`.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from cbresearch.measure.correlations import Correlations, correlated
from cbresearch.measure.factorability import ParallelAnalysis, factorability, parallel_analysis
from cbresearch.records import Text

WORTH = 0.60
"""Kaiser (1974) calls less than this miserable."""


@dataclass(frozen=True, slots=True)
class Kmo:
    """Sampling adequacy: how little of the items' correlations is of single pairs (0-1), overall and for each of `items`."""

    value: float
    items: tuple[str, ...]
    by_item: tuple[float, ...]
    n: float
    correlations: Correlations
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """A row per item: item, kmo."""
        return pd.DataFrame({"item": list(self.items), "kmo": list(self.by_item)})

    @property
    def sentence(self) -> Text:
        """Whether the items are worth factoring, by Kaiser's 0.60."""
        if self.value >= WORTH:
            return Text(
                f"KMO = {self.value:.2f}，达到Kaiser的{WORTH:.2f}，这些题目适合做因子分析。",
                f"KMO = {self.value:.2f}, at or above Kaiser's {WORTH:.2f}: these items are worth factoring.",
            )
        return Text(
            f"KMO = {self.value:.2f}，低于Kaiser的{WORTH:.2f}，这些题目不适合做因子分析。",
            f"KMO = {self.value:.2f}, below Kaiser's {WORTH:.2f}: these items share too little to be factored.",
        )


@dataclass(frozen=True, slots=True)
class Bartlett:
    """A test of no correlation between any two items; `n` as it was counted."""

    chi2: float
    df: int
    p: float
    n: float


def kmo(
    items: pd.DataFrame, *, correlations: Correlations = "pearson", weights: pd.Series | None = None
) -> Kmo:
    """Kaiser, Meyer and Olkin's measure: squared correlations against squared partial ones.

    `items` has a row per resident and a column per item; missing answers and errors as `correlated` has them.
    R: `psych::KMO`.
    """
    given = correlated(items, correlations=correlations, weights=weights)
    found = factorability(given.values, given.n)
    return Kmo(found.kmo, given.names, tuple(found.kmo_items.tolist()), given.n, given.kind, given.note)


def bartlett(items: pd.DataFrame, *, weights: pd.Series | None = None) -> Bartlett:
    """Bartlett's test of sphericity, of plain correlations of residents who answered every item.

    It has no polychoric kind: those stray further than its chi-square allows. With weights on Kish's effective
    n. Errors as `correlated` has them. R: `psych::cortest.bartlett`.
    """
    given = correlated(items, weights=weights)
    found = factorability(given.values, given.n)
    return Bartlett(found.chi2, found.df, found.p, given.n)


def horn(
    items: pd.DataFrame, *, correlations: Correlations = "pearson", weights: pd.Series | None = None,
    draws: int = 500, percentile: float = 95.0, seed: int = 1,
) -> ParallelAnalysis:  # fmt: skip
    """Horn's parallel analysis: how many eigenvalues exceed those of as many unrelated items and residents.

    Polychoric eigenvalues are held against those of unrelated polychoric correlations, which are wider spread
    than plain ones. Missing answers and errors as `correlated` has them. The same seed gives the same draws.
    R: `psych::fa.parallel(fa = "pc")`.
    """
    given = correlated(items, correlations=correlations, weights=weights)
    kept = given.kept if correlations == "polychoric" else None
    return parallel_analysis(given.values, given.n, draws=draws, percentile=percentile, seed=seed, kept=kept)
