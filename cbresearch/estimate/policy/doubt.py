"""From how much each community moves an estimate to its standard error, where communities are few.

The plain mean of squared influences is what large samples need. Inside a cohort of four it is a quarter too
small and has three degrees of freedom, so each cohort's part is raised by n/(n-1), and the
degrees of freedom are those of Welch (1947) and Satterthwaite: in a 2x2 it is Welch's t test of changes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cbresearch.sampling.design import Floats, Ints

LEVEL = 0.05
POWER = 0.80


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """Covariance of J estimates (J x J) and their degrees of freedom (J); NaN where there is none."""

    variance: Floats
    df: Floats
    plain: Floats
    """Standard errors (J) without correction, as R's `did` gives them."""

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.variance)))


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % t interval with its two-sided p, NaN where there is no standard error."""

    low: float
    high: float
    p: float


def doubt(influence: Floats, level: Ints, alone: NDArray[np.bool_]) -> Doubt:
    """The doubt of J estimates from their influence (G x J); `level` (G) is each community's cohort.

    `alone` (J) marks estimates for which one community is all that is treated in a comparison, or all that
    is compared with: it shows no spread of its own, so they have no standard error.
    """
    G, J = influence.shape
    variance, squares = np.zeros((J, J)), np.zeros(J)
    centres, sizes = np.empty((int(level.max()) + 1, J)), np.bincount(level)
    for row, n in enumerate(sizes):
        own = influence[level == row]
        centres[row] = own.mean(axis=0)
        left = own - centres[row]
        part = left.T @ left / G**2 * n / max(n - 1, 1)
        variance += part
        squares += np.diag(part) ** 2 / max(n - 1, 1)
    between = (centres * sizes[:, None]).T @ centres / G**2
    variance += between
    squares += np.diag(between) ** 2 / (G - 1)
    total = np.diag(variance).copy()
    variance[alone, :] = variance[:, alone] = np.nan
    total[alone] = np.nan
    df = np.divide(total**2, squares, out=np.full(J, np.nan), where=squares > 0)
    # no estimate knows more than what communities differ in inside their cohorts
    df = np.minimum(df, G - len(sizes))
    return Doubt(variance, df, np.sqrt((influence**2).mean(axis=0) / G))


def interval(value: float, se: float, df: float) -> Interval:
    """By Student's t with `df` degrees of freedom."""
    if not (se > 0 and df > 0):
        return Interval(math.nan, math.nan, math.nan)
    reach = float(stats.t.ppf(1 - LEVEL / 2, df)) * se
    return Interval(value - reach, value + reach, 2 * float(stats.t.sf(abs(value) / se, df)))


def detectable(se: float, df: float) -> float:
    """The effect seen four times in five: (t_.975 + t_.8) se (Bloom 1995, Evaluation Review 19)."""
    return float(stats.t.ppf([1 - LEVEL / 2, POWER], df).sum()) * se if se > 0 and df > 0 else math.nan
