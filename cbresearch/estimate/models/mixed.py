"""Residents inside communities: a linear mixed model with one grouping factor, a random intercept or slope.

R: `lmer(y ~ x + (1 + x | group))` of lme4, with lmerTest's Satterthwaite or pbkrtest's Kenward-Roger degrees
of freedom. statsmodels' default search ends at an infinite likelihood on few communities and reports success.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.formula import Matrices, matrices, used
from cbresearch.estimate.models.mixed_kenward_roger import kenward_roger
from cbresearch.estimate.models.mixed_likelihood import (
    Method,
    Products,
    Turned,
    deviance,
    factor,
    inside,
    profile,
    turned,
)
from cbresearch.estimate.models.mixed_result import (
    ALIKE,
    ALIKE_SLOPES,
    AS_ONE,
    Df,
    Mixed,
    Term,
    Variances,
    VarianceTest,
)
from cbresearch.estimate.models.mixed_satterthwaite import SmallSample, satterthwaite
from cbresearch.estimate.models.mixed_search import fitted
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints, numbers


def mixed(
    frame: pd.DataFrame, formula: str, *, group: str, slope: str | None = None, method: Method = "REML",
    df: Df = "satterthwaite",
) -> Mixed:  # fmt: skip
    """Fit `formula` with a random intercept for each `group`, and a random slope of the column `slope`.

    The slope and its correlation with the intercept are free; its column joins the formula where it is not
    there. Rows with a missing value in the formula or the slope are left out; the group must be known. Groups
    of one row are fine. A variance of zero is a result, told in `note`. EstimateError for unknown columns,
    regressors that repeat each other, data that cannot tell the variances from each other (one group, no
    group of two, a slope's column that varies in no group), or a search that does not settle.
    """
    _refuse_options(method, df)
    named = formula if slope is None or slope in used(frame, formula) else f"{formula} + {slope}"
    read = matrices(frame, named, also=[group])
    by = _grouping(frame[group], read.rows)
    along = None if slope is None else numbers(frame, slope)[read.rows]
    slope_faults = () if slope is None or along is None else _slope_faults(along, slope, by)
    if faults := [*_faults(read, by), *slope_faults]:
        raise EstimateError("No mixed model can be fitted:\n" + "\n".join(f"  - {fault}" for fault in faults))
    told = turned(read.X, read.y, along, by.code)
    if told.products.ww[-1, -1] <= 1e-20 * float(read.y @ read.y):
        raise EstimateError(
            f"The outcome of '{named}' follows from its regressors without error; nothing is left to vary."
        )
    return _told(read, told, by, method, df)


@dataclass(frozen=True, slots=True, eq=False)
class _Grouping:
    """Each row's group (0..G-1), and what the groups are called."""

    code: Ints
    labels: tuple[object, ...]


def _grouping(column: pd.Series, rows: Ints) -> _Grouping:
    codes, labels = pd.factorize(column, sort=True)
    code = codes[rows]
    # a group whose rows all miss something is no group
    there = np.flatnonzero(np.bincount(code, minlength=len(labels)))
    place = np.zeros(len(labels), dtype=np.int64)
    place[there] = np.arange(len(there))
    return _Grouping(place[code], tuple(np.asarray(labels)[there]))


def _refuse_options(method: Method, df: Df) -> None:
    for name, value, known in (("method", method, Method), ("df", df, Df)):
        if value not in get_args(known):
            raise EstimateError(f"{name} = '{value}'; expected one of {', '.join(get_args(known))}.")
    if method == "ML" and df == "kenward-roger":
        raise EstimateError(
            "Kenward-Roger adjusts a REML fit; use method = 'REML', or df = 'satterthwaite' with ML."
        )


def _faults(read: Matrices, by: _Grouping) -> Iterator[str]:
    n, p = read.X.shape
    groups = len(by.labels)
    if groups < 2:
        yield f"{groups} group; a model of groups needs two at least, and some ten to mean much"
    elif n <= groups:
        yield f"{groups} groups of one row each; expected some of two or more, else nothing tells groups from residents"
    if n <= p + 1:
        yield f"'{read.formula}' has {p} coefficients and {n} rows; expected more rows"
        return
    size = np.sqrt((read.X**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(read.X, mode="r")))
    if repeats := [read.names[i] for i in np.flatnonzero(left <= 1e-9 * size)]:
        yield f"{', '.join(repeats)} follows from the columns before it; leave it out of '{read.formula}'"


def _slope_faults(along: Floats, slope: str, by: _Grouping) -> Iterator[str]:
    groups = len(by.labels)
    if groups and len(along) <= 2 * groups:
        yield f"{len(along)} rows for {groups} intercepts and {groups} slopes; expected more rows than that"
    first = np.full(groups, np.nan)
    first[by.code[::-1]] = along[::-1]
    if np.array_equal(along, first[by.code]):
        yield f"'{slope}' is the same for all of a group in every group, so no group has a slope of it"


def _told(read: Matrices, found: Turned, by: _Grouping, method: Method, df: Df) -> Mixed:
    made = found.products
    theta = fitted(made, method)
    L = factor(theta)
    told = profile(made, L)
    sigma2 = told.residual / made.freedom(method)
    b = found.start + found.back @ told.coefficients
    if df == "kenward-roger":
        small = kenward_roger(made, found.back, theta, math.sqrt(sigma2))
    else:
        small = satterthwaite(made, found.back, theta, math.sqrt(sigma2), method)
    random = sigma2 * float(np.einsum("gab,ab->", made.zz, L @ L.T)) / made.n
    fixed = float(np.var(read.X @ b, ddof=1))
    whole = fixed + random + sigma2
    criterion = deviance(made, L, method)
    return Mixed(
        _terms(read.names, b, small), _variances(sigma2 * found.out @ L @ L.T @ found.out.T, sigma2),
        random / (random + sigma2), fixed / whole, (fixed + random) / whole,
        _groups(found, told.coefficients, L, sigma2, read.y, by), criterion,
        _variance_test(made, method, criterion), method, df, made.n, _note(theta),
    )  # fmt: skip


def _terms(names: tuple[str, ...], b: Floats, small: SmallSample) -> tuple[Term, ...]:
    reach = stats.t.ppf(0.975, small.df) * small.se
    p = 2 * stats.t.sf(np.abs(b) / small.se, small.df)
    rows = np.column_stack([b, small.se, small.df, p, b - reach, b + reach])
    return tuple(Term(name, *map(float, row)) for name, row in zip(names, rows, strict=True))


def _variances(G: Floats, sigma2: float) -> Variances:
    if len(G) == 1:
        return Variances(float(G[0, 0]), None, None, sigma2)
    both = math.sqrt(G[0, 0] * G[1, 1])
    correlation = float(np.clip(G[0, 1] / both, -1, 1)) if both > 0 else math.nan
    return Variances(float(G[0, 0]), float(G[1, 1]), correlation, sigma2)


def _groups(found: Turned, b: Floats, L: Floats, sigma2: float, y: Floats, by: _Grouping) -> pd.DataFrame:
    made, out = found.products, found.out
    spread = inside(made, L)
    left = made.zw[:, :, -1] - made.zx @ b
    effects = np.einsum("ab,gbc,gc->ga", out, spread, left)
    variance = sigma2 * np.einsum("ab,gbc,ac->ga", out, spread, out)
    between = sigma2 * float((out @ L @ L.T @ out.T)[0, 0])
    reliability = 1 - variance[:, 0] / between if between > 0 else np.zeros(len(made.sizes))
    table = {
        "group": list(by.labels), "n": made.sizes, "raw_mean": np.bincount(by.code, y) / made.sizes,
        "effect": effects[:, 0], "se": np.sqrt(variance[:, 0]), "reliability": reliability,
    }  # fmt: skip
    if len(L) == 2:
        table |= {"slope": effects[:, 1], "slope_se": np.sqrt(variance[:, 1])}
    return pd.DataFrame(table)


def _variance_test(made: Products, method: Method, criterion: float) -> VarianceTest:
    """The intercept's variance against none; a slope's against the random intercept alone."""
    if made.zz.shape[1] == 1:
        ratio = max(deviance(made, np.zeros((1, 1)), method) - criterion, 0.0)
        return VarianceTest("intercept", ratio, 0.5 * float(stats.chi2.sf(ratio, 1)))
    alone = made.intercept_alone()
    ratio = max(deviance(alone, factor(fitted(alone, method)), method) - criterion, 0.0)
    return VarianceTest("slope", ratio, 0.5 * float(stats.chi2.sf(ratio, 1) + stats.chi2.sf(ratio, 2)))


def _note(theta: Floats) -> Text | None:
    if not theta.any():
        return ALIKE if len(theta) == 1 else ALIKE_SLOPES
    return AS_ONE if theta[-1] == 0 else None
