"""Rao and Scott's F for two classifications being independent, from shares and their covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import stats

from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True)
class Association:
    """F with df1 and df2, and Cramér's V; NaN, with the reason in `method`, where there is none."""

    statistic: float
    df1: float
    df2: float
    p: float
    cramer_v: float
    method: str


def rao_scott(share: Floats, variance: Floats, n: int, df: float) -> Association:
    """Whether the classifications of an R x C table of shares are independent.

    `share` has no empty row or column; `variance` is the covariance (RC x RC) of the shares row by row; `n` people; `df` degrees of freedom of
    the design. Pearson's X² = n sum (p - e)²/e over tr D, with D the design effects of the RC interactions,
    on tr(D)²/tr(D²) and df times that (Thomas and Rao 1987; R: `svychisq`). Cramér's V is
    sqrt(X²/n / (min(R, C) - 1)).
    """
    if min(share.shape) < 2:
        return _none(math.nan, "no test: everybody gave the same answer to one of the two")
    expected = np.outer(share.sum(axis=1), share.sum(axis=0))
    phi2 = float(((share - expected) ** 2 / expected).sum())
    v = math.sqrt(phi2 / (min(share.shape) - 1))
    if df <= 0:
        return _none(v, "no test: the design leaves no degrees of freedom")
    p = share.ravel()
    inverse = np.divide(1.0, p, out=np.zeros_like(p), where=p > 0)
    K = _interactions(*share.shape)
    as_if_drawn_one_by_one = (K.T * inverse) @ K / n
    if np.linalg.matrix_rank(as_if_drawn_one_by_one, hermitian=True) < K.shape[1]:
        return _none(v, "no test: too many pairs of answers that nobody gave")
    weighed = K * inverse[:, None]
    effects = np.linalg.solve(as_if_drawn_one_by_one, weighed.T @ variance @ weighed)
    trace = float(np.trace(effects))
    if trace <= 1e-12:
        return _none(v, "no test: the design fixes the shares beforehand")
    df1 = trace**2 / float(np.trace(effects @ effects))
    statistic = n * phi2 / trace
    return Association(
        statistic,
        df1,
        df1 * df,
        float(stats.f.sf(statistic, df1, df1 * df)),
        v,
        "Rao and Scott, second order",
    )


def _interactions(rows: int, columns: int) -> Floats:
    """RC x (R-1)(C-1): contrasts of the interaction, orthogonal to both margins."""
    return np.asarray(np.kron(_contrasts(rows), _contrasts(columns)), dtype=np.float64)


def _contrasts(classes: int) -> Floats:
    """K x (K-1): each class after the first, less the mean of all."""
    return np.asarray((np.eye(classes) - 1 / classes)[:, 1:])


def _none(v: float, why: str) -> Association:
    return Association(math.nan, math.nan, math.nan, math.nan, v, why)
