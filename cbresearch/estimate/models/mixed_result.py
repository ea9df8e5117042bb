"""What a mixed model says, as records to be read."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from cbresearch.estimate.models.mixed_likelihood import Method
from cbresearch.records import Text

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
    """Variances of intercepts, slopes (None without) and residuals; `correlation` of intercept and slope.

    The intercept is where the slope's column is 0. The correlation is NaN where one of the two does not vary.
    """

    intercept: float
    slope: float | None
    correlation: float | None
    residual: float

    @property
    def table(self) -> pd.DataFrame:
        """A row per part that varies: part, variance, sd."""
        parts = {"intercept": self.intercept, "slope": self.slope, "residual": self.residual}
        rows = [(part, v, math.sqrt(v)) for part, v in parts.items() if v is not None]
        return pd.DataFrame(rows, columns=["part", "variance", "sd"])


@dataclass(frozen=True, slots=True)
class VarianceTest:
    """Likelihood ratio of a variance: -2 log likelihood without it less that with it, and its p.

    A variance cannot be negative, so p comes from half of chi-square 1 (intercept), or from half of chi-square 1
    with half of chi-square 2 (a slope with its correlation): Self and Liang (1987, JASA 82).
    """

    tested: Literal["intercept", "slope"]
    ratio: float
    p: float


@dataclass(frozen=True, slots=True, eq=False)
class Mixed:
    """A fitted model; `note` tells of a singular fit, which is a result.

    `icc` is the share of variance (beyond the regressors) that lies between groups, `r2_marginal` and
    `r2_conditional` Nakagawa's. `groups` has a row per group: group, n, raw_mean of the outcome, shrunken
    effect with its conditional se, reliability (0-1, the share that is not shrunk away), with a slope also slope
    and slope_se. `criterion` is -2 log likelihood, REML's where so fitted.
    """

    terms: tuple[Term, ...]
    variances: Variances
    icc: float
    r2_marginal: float
    r2_conditional: float
    groups: pd.DataFrame
    criterion: float
    variance_test: VarianceTest
    method: Method
    df_method: Df
    n: int
    note: Text | None

    @property
    def singular(self) -> bool:
        """Whether a variance is estimated at zero, or a correlation at one."""
        return self.note is not None

    @property
    def log_likelihood(self) -> float:
        """The (restricted) log likelihood."""
        return -self.criterion / 2

    @property
    def variance_p(self) -> float:
        """p of the variance test."""
        return self.variance_test.p

    @property
    def table(self) -> pd.DataFrame:
        """A row per coefficient: term, estimate, se, df, p, low, high."""
        return pd.DataFrame([{name: getattr(t, name) for name in Term.__slots__} for t in self.terms])


ALIKE = Text(
    "组间没有超出抽样误差的差别（方差估计为零）。",
    "No variation between groups can be told apart from sampling noise (its variance is estimated at zero).",
)
ALIKE_SLOPES = Text(
    "组间的截距和斜率都没有超出抽样误差的差别（方差估计为零）。",
    "Neither intercepts nor slopes vary between groups beyond sampling noise (their variances are estimated at zero).",
)
AS_ONE = Text(
    "斜率在组间的差别，或它与截距的相关，数据分辨不出来；请去掉随机斜率。",
    "The data cannot tell slopes apart between groups, or from the intercepts; leave the random slope out.",
)
