"""One answer out of several completed sets: Rubin's rules, with degrees of freedom for small samples.

Rubin (1987); Barnard and Rubin (1999, Biometrika 86); Li, Raghunathan and Rubin (1991) with Reiter (2007) for
joint tests. R: `mice::pool`, `pool.scalar`, `D1`, `D2`.
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
    """A test that several coefficients are zero, over all sets, against F(df1, df2).

    `df2` and `p` are NaN where so much is missing of so few that no reference distribution is known.
    """

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
        bad = np.flatnonzero(~(np.isfinite(q) & np.isfinite(u) & (u >= 0))).tolist()
        raise EstimateError(
            f"An estimate or variance is missing or negative in set {', '.join(map(str, bad))} (from 0); every set must give one."
        )
    if not df_complete > 0:
        raise EstimateError(
            f"df_complete = {df_complete}; expected the positive degrees of freedom of complete data."
        )
    # from the first set, so that sets that agree differ by nothing, not by rounding
    value, within = float(q[0] + (q - q[0]).mean()), float(u[0] + (u - u[0]).mean())
    between = float((q - q[0]).var(ddof=1))
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
    if not (np.isfinite(q).all() and np.isfinite(U).all()):
        raise EstimateError("An estimate or covariance is missing; every set must give one.")
    mean, within = q.mean(axis=0), U.mean(axis=0)
    between = np.atleast_2d(np.cov(q.T, ddof=1))
    riv = (1 + 1 / m) * float(np.trace(between @ np.linalg.inv(within))) / k
    F = float(mean @ np.linalg.solve((1 + riv) * within, mean)) / k
    df2 = _reiter(m, k, riv, df_complete)
    return JointlyPooled(F, k, df2, _f_tail(F, k, df2), riv)


def pool_statistics(statistics: Sequence[float] | Floats, df: int) -> JointlyPooled:
    """D2: pool m chi-square statistics of `df` degrees of freedom, where no covariances can be had.

    Cruder than D1 (p may be off by a factor of two either way): use it for tests that only give a statistic.
    EstimateError for fewer than two sets, or statistics that are missing or negative.
    """
    d = np.asarray(statistics, dtype=np.float64)
    m = len(d)
    if m < 2 or df < 1 or not (np.isfinite(d).all() and (d >= 0).all()):
        raise EstimateError(
            f"{m} statistics of {df} degrees of freedom; expected at least two, none missing or negative."
        )
    riv = (1 + 1 / m) * float(np.sqrt(d).var(ddof=1))
    F = max((float(d.mean()) / df - (m + 1) / (m - 1) * riv) / (1 + riv), 0.0)
    df2 = df ** (-3 / m) * (m - 1) * (1 + 1 / riv) ** 2 if riv > 0 else math.inf
    return JointlyPooled(F, df, df2, _f_tail(F, df, df2), riv)


def _df(m: int, share: float, complete: float) -> float:
    """Barnard and Rubin's, as a harmonic sum, so that sets that all but agree overflow nothing."""
    observed = (
        (complete + 1) / (complete + 3) * complete * (1 - share) if math.isfinite(complete) else math.inf
    )
    less = share * share / (m - 1) + (1 / observed if observed > 0 else math.inf)
    return 1 / less if less > 1e-300 else math.inf


def _reiter(m: int, k: int, riv: float, complete: float) -> float:
    """The second df of D1: Li, Raghunathan and Rubin's for large samples or few sets, else Reiter's; NaN for neither."""
    t = k * (m - 1)
    if t <= 4 or math.isinf(complete):
        if riv <= 0:
            return complete
        return (
            4 + (t - 4) * (1 + (1 - 2 / t) / riv) ** 2 if t > 4 else t * (1 + 1 / k) * (1 + 1 / riv) ** 2 / 2
        )
    a = riv * t / (t - 2)
    known = (complete + 1) / (complete + 3) * complete
    c0, c1, c2 = 1 / (t - 4), known - 2 * (1 + a), known - 4 * (1 + a)
    if c2 <= 0:
        return math.nan
    z = 1 / c2 + c0 * a**2 * c1 / ((1 + a) ** 2 * c2) + c0 * 8 * a**2 * c1 / ((1 + a) * c2**2)
    z += c0 * 4 * a**2 / ((1 + a) * c2) + c0 * 4 * a**2 / (c2 * c1) + c0 * 16 * a**2 * c1 / c2**3
    return 4 + 1 / (z + c0 * 8 * a**2 / c2**2)


def _f_tail(F: float, df1: int, df2: float) -> float:
    """P(F' > F); the chi-square where df2 is infinite."""
    return float(stats.chi2.sf(F * df1, df1) if math.isinf(df2) else stats.f.sf(F, df1, df2))
