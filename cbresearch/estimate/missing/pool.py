"""One answer out of several completed sets: Rubin's rules, with degrees of freedom for small samples.

Rubin (1987); Barnard and Rubin (1999, Biometrika 86); Li, Raghunathan and Rubin (1991) with Reiter (2007) for
joint tests. R: `mice::pool`, `pool.scalar`, `D1`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True)
class Pooled:
    """`within` and `between` are the parts of the variance; `missing_share` (lambda) the part due to what is missing.

    `riv` is the relative increase in variance, `fmi` the fraction of information missing.
    """

    value: float
    se: float
    df: float
    low: float
    high: float
    p: float
    within: float
    between: float
    missing_share: float
    riv: float
    fmi: float
    sets: int


@dataclass(frozen=True, slots=True)
class JointlyPooled:
    """A Wald test that several coefficients are zero, over all sets (D1)."""

    F: float
    df1: int
    df2: float
    p: float
    riv: float


def pool(
    estimates: Sequence[float] | Floats, variances: Sequence[float] | Floats, df_complete: float = math.inf
) -> Pooled:
    """Pool one number estimated in m sets, with its squared standard errors; `df_complete` are those of complete data.

    EstimateError for fewer than two sets, or missing or negative variances.
    """
    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    m = len(q)
    if m < 2 or len(u) != m:
        raise EstimateError(
            f"{m} estimates and {len(u)} variances; expected as many of each, from at least two sets."
        )
    if not (np.isfinite(q).all() and np.isfinite(u).all() and (u >= 0).all()):
        raise EstimateError("An estimate or variance is missing or negative; every set must give one.")
    value, within, between = float(q.mean()), float(u.mean()), float(q.var(ddof=1))
    total = within + (1 + 1 / m) * between
    extra = (1 + 1 / m) * between
    share = extra / total if total > 0 else 0.0
    riv = extra / within if within > 0 else math.inf
    df = _df(m, share, df_complete)
    se = math.sqrt(total)
    reach = float(stats.t.ppf(0.975, df)) * se
    p = 2 * float(stats.t.sf(abs(value / se), df)) if se > 0 else math.nan
    fmi = (riv + 2 / (df + 3)) / (riv + 1) if math.isfinite(riv) else 1.0
    return Pooled(value, se, df, value - reach, value + reach, p, within, between, share, riv, fmi, m)


def pool_jointly(estimates: Floats, covariances: Floats, df_complete: float = math.inf) -> JointlyPooled:
    """D1: that k coefficients are all zero, from m x k estimates and m x k x k covariances."""
    q, U = np.asarray(estimates, dtype=np.float64), np.asarray(covariances, dtype=np.float64)
    m, k = q.shape
    if m < 2 or U.shape != (m, k, k):
        raise EstimateError(f"Estimates of shape {q.shape} and covariances of shape {U.shape}; expected m x k and m x k x k.")  # fmt: skip
    mean, within = q.mean(axis=0), U.mean(axis=0)
    between = np.atleast_2d(np.cov(q.T, ddof=1))
    riv = (1 + 1 / m) * float(np.trace(between @ np.linalg.inv(within))) / k
    F = float(mean @ np.linalg.solve((1 + riv) * within, mean)) / k
    df2 = _reiter(m, k, riv, df_complete)
    return JointlyPooled(F, k, df2, float(stats.f.sf(F, k, df2)), riv)


def _df(m: int, share: float, complete: float) -> float:
    old = (m - 1) / share**2 if share > 0 else math.inf
    if math.isinf(complete):
        return old
    observed = (complete + 1) / (complete + 3) * complete * (1 - share)
    return observed if math.isinf(old) else old * observed / (old + observed)


def _reiter(m: int, k: int, riv: float, complete: float) -> float:
    t = k * (m - 1)
    if math.isinf(complete):
        return (
            4 + (t - 4) * (1 + (1 - 2 / t) / riv) ** 2 if t > 4 else t * (1 + 1 / k) * (1 + 1 / riv) ** 2 / 2
        )
    a = riv * t / (t - 2)
    known = (complete + 1) / (complete + 3) * complete
    c0 = 1 / (t - 4)
    c1, c2 = known - 2 * (1 + a), known - 4 * (1 + a)
    z = 1 / c2 + c0 * (a**2 * c1 / ((1 + a) ** 2 * c2)) + c0 * (8 * a**2 * c1 / ((1 + a) * c2**2) + 4 * a**2 / ((1 + a) * c2))  # fmt: skip
    z += c0 * (4 * a**2 / (c2 * c1) + 16 * a**2 * c1 / c2**3) + c0 * (8 * a**2 / c2**2)
    return 4 + 1 / z
