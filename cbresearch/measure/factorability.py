"""Whether items have factors at all, and how many: KMO, Bartlett, parallel analysis, Velicer's test.

Kaiser (1974, Psychometrika 39), Bartlett (1950), Horn (1965, Psychometrika 30), Velicer (1976, Psychometrika
41). R: `psych::KMO`, `cortest.bartlett`, `fa.parallel`, `vss(...)$map`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.measure.correlations import checked
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

FEWEST_DRAWS = 100


@dataclass(frozen=True, slots=True, eq=False)
class Factorability:
    """`kmo` overall and by item (0-1, from 0.6 on worth factoring); Bartlett's test of no correlation at all."""

    kmo: float
    kmo_items: Floats
    chi2: float
    df: int
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class ParallelAnalysis:
    """`observed` eigenvalues beside the `chance` ones (a `percentile` of those of unrelated items), largest first."""

    observed: Floats
    chance: Floats
    factors: int
    draws: int
    percentile: float

    @property
    def table(self) -> pd.DataFrame:
        """A row per eigenvalue: factor, observed, chance."""
        return pd.DataFrame(
            {"factor": np.arange(1, len(self.observed) + 1), "observed": self.observed, "chance": self.chance}
        )

    @property
    def sentence(self) -> Text:
        return Text(
            f"平行分析支持{self.factors}个因子。",
            f"Parallel analysis supports {self.factors} factor{'s' if self.factors != 1 else ''}.",
        )


def factorability(correlations: Floats, n: float) -> Factorability:
    """KMO and Bartlett's test of a k x k correlation matrix of `n` residents (effective n where weighted).

    EstimateError where items repeat each other, so that the matrix has no inverse.
    """
    R = checked(correlations)
    inverse = np.linalg.inv(R)
    sd = np.sqrt(np.diag(inverse))
    partial = -inverse / np.outer(sd, sd)
    off = ~np.eye(len(R), dtype=bool)
    r2, q2 = np.where(off, R**2, 0.0), np.where(off, partial**2, 0.0)
    by_item = r2.sum(axis=0) / (r2.sum(axis=0) + q2.sum(axis=0))
    k = len(R)
    chi2 = -(n - 1 - (2 * k + 5) / 6) * float(np.linalg.slogdet(R)[1])
    df = k * (k - 1) // 2
    return Factorability(
        float(r2.sum() / (r2.sum() + q2.sum())), by_item, chi2, df, float(stats.chi2.sf(chi2, df))
    )


def parallel_analysis(
    correlations: Floats, n: float, *, draws: int = 500, percentile: float = 95.0, seed: int = 1,
    kept: Floats | None = None,
) -> ParallelAnalysis:  # fmt: skip
    """How many eigenvalues exceed those of unrelated items answered by `n` residents.

    Samples of unrelated normal items are drawn as their covariance (Wishart), so n costs nothing. Polychoric
    correlations need `kept` (see `Polychoric`): with few answers they stray further from 0 than plain ones,
    and without it too many factors would be found. Factors are counted up to the first that does not exceed.
    EstimateError for fewer residents than items, or a percentile or number of draws that cannot be.
    """
    R = checked(correlations)
    k = len(R)
    _refuse(n, k, draws, percentile, kept)
    drawn = stats.wishart(df=max(int(n) - 1, k), scale=np.eye(k), seed=seed).rvs(size=draws).reshape(-1, k, k)
    sd = np.sqrt(np.einsum("dii->di", drawn))
    unrelated = drawn / (sd[:, :, None] * sd[:, None, :])
    if kept is not None:
        # near 0 a polychoric correlation is that of the normal scores, over the share they keep
        unrelated = unrelated / np.sqrt(np.outer(kept, kept))
        unrelated[:, np.arange(k), np.arange(k)] = 1.0
    chance = np.linalg.eigvalsh(unrelated)[:, ::-1]
    limits = np.percentile(chance, percentile, axis=0).astype(np.float64)
    observed = np.linalg.eigvalsh(R)[::-1].astype(np.float64)
    below = np.flatnonzero(observed <= limits)
    return ParallelAnalysis(observed, limits, int(below[0]) if len(below) else k, draws, percentile)


def velicer_map(correlations: Floats) -> Floats:
    """The mean squared partial correlation when 1, 2, … k - 1 principal components are taken out; its lowest says how many to keep."""
    R = checked(correlations)
    k = len(R)
    values, vectors = np.linalg.eigh(R)
    loadings = (vectors * np.sqrt(np.maximum(values, 0)))[:, ::-1]
    found = []
    for m in range(1, k):
        left = R - loadings[:, :m] @ loadings[:, :m].T
        sd = np.sqrt(np.maximum(np.diag(left), 0))
        if (sd < 1e-8).any():
            break
        partial = left / np.outer(sd, sd)
        found.append(((partial**2).sum() - k) / (k * (k - 1)))
    return np.asarray(found)


def _refuse(n: float, k: int, draws: int, percentile: float, kept: Floats | None) -> None:
    faults = []
    if n <= k:
        faults.append(f"{n:g} residents and {k} items; expected more residents than items")
    if draws < FEWEST_DRAWS:
        faults.append(f"draws = {draws}; expected {FEWEST_DRAWS} at least")
    if not 0 < percentile < 100:
        faults.append(f"percentile = {percentile:g}; expected a number between 0 and 100, such as 95")
    if kept is not None and (len(kept) != k or not ((kept > 0) & (kept <= 1 + 1e-9)).all()):
        faults.append(f"kept: expected {k} shares above 0 and up to 1, as in Polychoric.kept")
    if faults:
        raise EstimateError("No parallel analysis:\n" + "\n".join(f"  - {fault}" for fault in faults))
