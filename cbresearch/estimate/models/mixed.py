"""Residents inside communities: a linear mixed model with one grouping factor, a random intercept or slope.

R: `lmer(y ~ x + (1 + x | group))` of lme4, with lmerTest's Satterthwaite or pbkrtest's Kenward-Roger degrees
of freedom. statsmodels' default search ends at an infinite likelihood on few communities and reports success.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.formula import Matrices, matrices
from cbresearch.estimate.models.profiled import (
    SMALLEST,
    Method,
    Products,
    deviance,
    factor,
    fitted,
    products,
    profile,
)
from cbresearch.estimate.models.small_sample import SmallSample, kenward_roger, satterthwaite
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints, numbers

Df = Literal["satterthwaite", "kenward-roger"]


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient with its standard error, degrees of freedom, two-sided p and 95 % interval."""

    term: str
    estimate: float
    se: float
    df: float
    p: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Variances:
    """Variances of intercepts, slopes (None without) and residuals; `correlation` of intercept and slope."""

    intercept: float
    slope: float | None
    correlation: float | None
    residual: float


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A fitted model. `groups` holds each group's shrunken effects; `note` tells of a singular fit.

    `icc` is the share of variance (beyond the regressors) that lies between groups, `r2_marginal` and
    `r2_conditional` Nakagawa's. `variance_p` tests that groups differ at all (with a slope: that slopes do),
    halved since a variance cannot be negative. `criterion` is -2 log likelihood, REML's where so fitted.
    """

    terms: tuple[Term, ...]
    variances: Variances
    icc: float
    r2_marginal: float
    r2_conditional: float
    groups: pd.DataFrame
    criterion: float
    log_likelihood: float
    variance_p: float
    method: Method
    df_method: Df
    n: int
    singular: bool
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """A row per coefficient: term, estimate, se, df, p, low, high."""
        return pd.DataFrame([{name: getattr(t, name) for name in Term.__slots__} for t in self.terms])


SINGULAR = Text(
    "组间没有超出抽样误差的差别（方差估计为零）。",
    "No variation between groups can be told apart from sampling noise (its variance is estimated at zero).",
)
SINGULAR_SLOPE = Text(
    "斜率在组间的差别，或它与截距的相关，数据分辨不出来；请去掉随机斜率。",
    "The data cannot tell slopes apart between groups, or from the intercepts; leave the random slope out.",
)


def mixed(
    frame: pd.DataFrame, formula: str, *, group: str, slope: str | None = None, method: Method = "REML",
    df: Df = "satterthwaite",
) -> Mixed:  # fmt: skip
    """Fit `formula` with a random intercept for each `group`, and a random slope of the column `slope`.

    Rows with a missing value in the formula or the slope are left out; the group must be known. A variance
    of zero is a result, told in `note`. EstimateError for unknown columns, fewer than two groups, regressors
    that repeat each other, or a search that does not settle.
    """
    for name, value, known in (("method", method, Method), ("df", df, Df)):
        if value not in get_args(known):
            raise EstimateError(f"{name} = '{value}'; expected one of {', '.join(get_args(known))}.")
    named = formula if slope is None or slope in formula else f"{formula} + {slope}"
    made = matrices(frame, named, also=[group])
    code, labels = pd.factorize(frame[group].to_numpy()[made.rows], sort=True)
    Z = _random_part(frame, made.rows, slope)
    _refuse(made.X, made.names, len(labels), named)
    told = products(made.X, made.y, Z, code.astype(np.int64))
    theta = fitted(told, method)
    return _told(made, told, theta, _Grouping(code.astype(np.int64), tuple(labels)), method, df)


def _random_part(frame: pd.DataFrame, rows: Ints, slope: str | None) -> Floats:
    ones = np.ones(len(rows))
    return ones[:, None] if slope is None else np.column_stack([ones, numbers(frame, slope)[rows]])


def _refuse(X: Floats, names: tuple[str, ...], groups: int, formula: str) -> None:
    if groups < 2:
        raise EstimateError(
            f"{groups} group; a model of groups needs two at least, and some ten to mean much."
        )
    if len(X) <= X.shape[1] + 1:
        raise EstimateError(
            f"'{formula}' has {X.shape[1]} coefficients and {len(X)} rows; expected more rows."
        )
    diagonal = np.abs(np.diag(np.linalg.qr(X, mode="r")))
    repeats = [
        name for name, size in zip(names, diagonal / np.sqrt((X**2).sum(axis=0)), strict=True) if size < 1e-9
    ]
    if repeats:
        raise EstimateError(
            f"{', '.join(repeats)} follows from the columns before it; leave it out of '{formula}'."
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Grouping:
    """Each row's group (0..G-1), and what the groups are called."""

    code: Ints
    labels: tuple[object, ...]


def _told(
    read: Matrices, made: Products, theta: Floats, grouping: _Grouping, method: Method, df: Df
) -> Mixed:
    L = factor(theta)
    found = profile(made, L)
    m = made.n - len(made.xy) if method == "REML" else made.n
    sigma2 = found.residual / m
    G = sigma2 * L @ L.T
    small = _small(made, theta, math.sqrt(sigma2), method, df)
    random = float(np.einsum("gab,ab->", made.zz, G)) / made.n
    fixed = float(np.var(read.X @ found.coefficients, ddof=1))
    whole = fixed + random + sigma2
    singular, note = _singular(theta)
    criterion = deviance(made, L, method)
    return Mixed(
        _terms(read.names, found.coefficients, small), _variances(G, sigma2), random / (random + sigma2),
        fixed / whole, (fixed + random) / whole, _groups(made, found.coefficients, L, sigma2, read.y, grouping),
        criterion, -criterion / 2, _variance_p(made, theta, method, criterion), method, df, made.n, singular, note,
    )  # fmt: skip


def _small(made: Products, theta: Floats, sigma: float, method: Method, df: Df) -> SmallSample:
    # a slope whose own variance is zero has no curvature to differentiate
    kept = np.where(np.abs(theta) < SMALLEST, 0.0, theta)
    if df == "kenward-roger":
        return kenward_roger(made, kept, sigma)
    return satterthwaite(made, kept, sigma, method)


def _terms(names: tuple[str, ...], b: Floats, small: SmallSample) -> tuple[Term, ...]:
    reach = stats.t.ppf(0.975, small.df) * small.se
    p = 2 * stats.t.sf(np.abs(b) / small.se, small.df)
    return tuple(
        Term(name, float(b[i]), float(small.se[i]), float(small.df[i]), float(p[i]), float(b[i] - reach[i]), float(b[i] + reach[i]))
        for i, name in enumerate(names)
    )  # fmt: skip


def _variances(G: Floats, sigma2: float) -> Variances:
    if len(G) == 1:
        return Variances(float(G[0, 0]), None, None, sigma2)
    both = math.sqrt(G[0, 0] * G[1, 1])
    correlation = float(G[0, 1] / both) if both > 0 else math.nan
    return Variances(float(G[0, 0]), float(G[1, 1]), correlation, sigma2)


def _groups(
    made: Products, b: Floats, L: Floats, sigma2: float, y: Floats, grouping: _Grouping
) -> pd.DataFrame:
    """A row per group: n, raw mean of the outcome, shrunken effect with its conditional se, reliability (1 less the share shrunk)."""
    within = np.linalg.inv(np.eye(len(L)) + L.T @ made.zz @ L)
    spread = L @ within @ L.T
    left = made.zy - made.zx @ b
    effects = np.einsum("gab,gb->ga", spread, left)
    se = np.sqrt(sigma2 * np.einsum("gaa->ga", spread))
    G = sigma2 * L @ L.T
    reliability = 1 - se[:, 0] ** 2 / G[0, 0] if G[0, 0] > 0 else np.zeros(len(made.sizes))
    mean = np.bincount(grouping.code, weights=y) / made.sizes
    table = {"group": list(grouping.labels), "n": made.sizes, "raw_mean": mean, "effect": effects[:, 0], "se": se[:, 0], "reliability": reliability}  # fmt: skip
    if len(L) == 2:
        table |= {"slope": effects[:, 1], "slope_se": se[:, 1]}
    return pd.DataFrame(table)


def _variance_p(made: Products, theta: Floats, method: Method, criterion: float) -> float:
    """Intercept: against none, half of chi-square 1. Slope: against the intercept alone, a mixture of chi-square 1 and 2."""
    if len(theta) == 1:
        ratio = max(deviance(made, np.zeros((1, 1)), method) - criterion, 0.0)
        return 0.5 * float(stats.chi2.sf(ratio, 1)) if ratio > 0 else 0.5
    alone = Products(
        made.zz[:, :1, :1], made.zx[:, :1], made.zy[:, :1], made.xx, made.xy, made.yy, made.n, made.sizes
    )
    ratio = max(deviance(alone, factor(fitted(alone, method)), method) - criterion, 0.0)
    return 0.5 * float(stats.chi2.sf(ratio, 1)) + 0.5 * float(stats.chi2.sf(ratio, 2))


def _singular(theta: Floats) -> tuple[bool, Text | None]:
    if len(theta) == 1:
        return (True, SINGULAR) if abs(theta[0]) < SMALLEST else (False, None)
    return (True, SINGULAR_SLOPE) if min(abs(theta[0]), abs(theta[2])) < SMALLEST else (False, None)
