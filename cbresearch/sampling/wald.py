"""Wald tests: whether several estimates are all zero at once, given how they vary together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats

Reference = Literal["F", "adjusted F"]


@dataclass(frozen=True, slots=True)
class WaldTest:
    """F with df1 and df2 for the hypothesis that all of `terms` are zero; NaN, with the reason in `method`, where none."""

    terms: tuple[str, ...]
    statistic: float
    df1: int
    df2: float
    p: float
    method: str


def wald(
    terms: tuple[str, ...], estimates: Floats, covariance: Floats, df: float, reference: Reference = "F"
) -> WaldTest:
    """Whether q estimates with a q x q covariance from `df` degrees of freedom are all zero.

    W = b'V^-1 b. "F": W/q on q and df (R: `regTermTest`). "adjusted F": (df - q + 1)/(q df) W on q and
    df - q + 1, which does not reject too often when q is near df (Korn and Graubard 1990; Stata's default).
    EstimateError for another reference.
    """
    if reference not in get_args(Reference):
        known = " or ".join(f"'{name}'" for name in get_args(Reference))
        raise EstimateError(f"No Wald test is called {reference!r}; expected {known}.")
    q = len(estimates)
    df2 = df if reference == "F" else df - q + 1
    if df2 <= 0:
        return _none(terms, q, df2, f"no test: {q} estimates and {df:g} degrees of freedom of the design")
    if not (np.isfinite(estimates).all() and np.isfinite(covariance).all()):
        return _none(terms, q, df2, "no test: some estimates or their doubt cannot be had")
    scale = np.sqrt(np.diag(covariance))
    if not (scale > 0).all():
        return _none(terms, q, df2, "no test: an estimate is the same in every PSU")
    # estimates in unlike units: the rank is judged on correlations
    correlation = covariance / np.outer(scale, scale)
    if np.linalg.matrix_rank(correlation, tol=1e-10, hermitian=True) < q:
        return _none(terms, q, df2, f"no test: the PSUs cannot tell {q} estimates apart")
    standardised = estimates / scale
    statistic = float(standardised @ np.linalg.solve(correlation, standardised)) / q * df2 / df
    return WaldTest(terms, statistic, q, df2, float(stats.f.sf(statistic, q, df2)), f"Wald {reference}")


def _none(terms: tuple[str, ...], df1: int, df2: float, why: str) -> WaldTest:
    return WaldTest(terms, math.nan, df1, df2, math.nan, why)
