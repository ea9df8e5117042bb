"""Regression on indicators of community and wave, and sums of its coefficients with CR2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cbresearch.estimate.clusters.linear import Fit, adjustments, least_squares
from cbresearch.estimate.policy.observed import Observed
from cbresearch.sampling.design import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Combined:
    """q sums of coefficients: values, variance (q x q, CR2) and Satterthwaite's degrees of freedom (q)."""

    values: Floats
    variance: Floats
    df: Floats


def two_way_fit(rows: Observed, terms: Floats) -> Fit:
    """y on `terms` (n x q) first, then controls, communities and waves (the first wave is the base)."""
    communities = _indicators(rows.community, len(rows.communities))
    waves = _indicators(rows.wave, len(rows.waves))[:, 1:]
    X = np.column_stack([terms, rows.controls, communities, waves])
    return least_squares(X, rows.y, rows.w, rows.labels)


def combined(fit: Fit, weights: Floats) -> Combined:
    """Sums of the first coefficients of a fit, one per row of `weights` (q x as many as it takes)."""
    q, k = weights.shape
    C = np.hstack([weights, np.zeros((q, fit.X.shape[1] - k))])
    made = adjustments(fit, "CR2")
    blocks = [made.blocks(row[None, :])[:, :, 0, 0] for row in C]
    df = np.array([np.trace(P) ** 2 / (P**2).sum() for P in blocks])
    return Combined(C @ fit.coefficients, C @ made.variance @ C.T, df)


def _indicators(code: Ints, size: int) -> Floats:
    return np.asarray((code[:, None] == np.arange(size)).astype(np.float64))
