"""What the next survey could see: power and smallest detectable effect with few communities.

Two groups of communities are compared, residents being drawn inside each (Bloom 1995, Evaluation Review 19;
Dong and Maynard 2013, J. Research on Educational Effectiveness 6). Few communities leave few degrees of
freedom, so t, not the normal, decides. Unequal sizes: Eldridge, Ashby and Kerry (2006, International
Journal of Epidemiology 35).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pandas as pd
from scipy import integrate, optimize, special, stats

from cbresearch.errors import EstimateError

MOST_COMMUNITIES = 100_000


@dataclass(frozen=True, slots=True)
class Survey:
    """A survey to come, of which a share `reached` (0-1) of communities gets what is to be evaluated.

    `icc` is the share of the outcome's variance that lies between communities; `size_cv` the coefficient of
    variation of the numbers of residents per community (0: all alike). `between_explained` and
    `within_explained` are the shares of variance between and within communities that covariates explain,
    `held` the number of community-level covariates. EstimateError lists every number out of its range.
    """

    communities: int
    residents_per_community: float
    icc: float
    reached: float = 0.5
    size_cv: float = 0.0
    between_explained: float = 0.0
    within_explained: float = 0.0
    held: int = 0

    def __post_init__(self) -> None:
        faults = list(_faults(self))
        if faults:
            listed = "\n".join(f"  - {fault}" for fault in faults)
            raise EstimateError(f"This survey cannot be planned:\n{listed}")

    @property
    def design_effect(self) -> float:
        """How many times the variance of a mean exceeds that of as many residents drawn one by one."""
        return 1 + ((self.size_cv**2 + 1) * self.residents_per_community - 1) * self.icc

    @property
    def se(self) -> float:
        """Standard error of the difference between the two groups, in standard deviations of the outcome."""
        between = self.icc * (1 - self.between_explained) * (1 + self.size_cv**2)
        within = (1 - self.icc) * (1 - self.within_explained) / self.residents_per_community
        return math.sqrt((between + within) / (self.reached * (1 - self.reached) * self.communities))

    @property
    def df(self) -> int:
        """Communities less the two groups and what is held."""
        return self.communities - 2 - self.held


def power(survey: Survey, effect: float, *, level: float = 0.05) -> float:
    """The chance that a difference of `effect` standard deviations is seen at `level`, by the noncentral t."""
    critical = float(stats.t.ppf(1 - level / 2, survey.df))
    away = abs(effect) / survey.se
    return 1 - _inside(critical, survey.df, away)


def smallest_detectable(survey: Survey, *, power_wanted: float = 0.80, level: float = 0.05) -> float:
    """The difference, in standard deviations, that is seen with `power_wanted` at `level`.

    Exactly, by the noncentral t; the usual (t_.975 + t_.8) se agrees to the third digit from 10 communities on.
    EstimateError unless level < power_wanted < 1.
    """
    _refuse_power(power_wanted, level)
    return float(
        optimize.brentq(
            lambda effect: power(survey, effect, level=level) - power_wanted,
            0.0,
            1000 * survey.se,
            xtol=1e-12,
        )
    )


def communities_needed(
    survey: Survey, effect: float, *, power_wanted: float = 0.80, level: float = 0.05, step: int = 1
) -> int:
    """The fewest communities with which `effect` is seen with `power_wanted`, all else as in `survey`.

    Counted from `held` + 4 in steps of `step` (2 keeps two groups even). EstimateError where even
    100,000 would not do.
    """
    _refuse_power(power_wanted, level)
    if not effect:
        raise EstimateError("An effect of 0 is never seen; give the smallest one that would matter.")
    first = survey.held + 4

    def enough(steps: int) -> bool:
        return power(replace(survey, communities=first + steps * step), effect, level=level) >= power_wanted

    most = (MOST_COMMUNITIES - first) // step
    if not enough(most):
        raise EstimateError(
            f"Even {MOST_COMMUNITIES:,} communities would not show an effect of {effect:g}; expected a larger one."
        )
    low, high = -1, most  # enough() is False at low, True at high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return first + high * step


def plans(
    survey: Survey, communities: Sequence[int], residents_per_community: Iterable[float], *,
    power_wanted: float = 0.80,
) -> pd.DataFrame:  # fmt: skip
    """The smallest detectable difference over a grid of sizes.

    A row per pair: communities, residents_per_community, residents, design_effect, smallest_detectable_sd.
    """
    rows = []
    for residents in residents_per_community:
        for count in communities:
            one = replace(survey, communities=count, residents_per_community=residents)
            smallest = smallest_detectable(one, power_wanted=power_wanted)
            rows.append((count, residents, count * residents, one.design_effect, smallest))
    columns = [
        "communities",
        "residents_per_community",
        "residents",
        "design_effect",
        "smallest_detectable_sd",
    ]
    return pd.DataFrame(rows, columns=columns)


def _inside(critical: float, df: int, away: float) -> float:
    """The chance that a noncentral t lies between -critical and critical.

    Its definition integrated over the spread s of the standard error, which has a chi distribution:
    scipy's own noncentral t turns to NaN where the chance is very small.
    """
    log_scale = (df / 2) * math.log(df / 2) + math.log(2) - math.lgamma(df / 2)

    def density(s: float) -> float:
        chi = math.exp(log_scale + (df - 1) * math.log(s) - df * s * s / 2)
        return float(special.ndtr(critical * s - away) - special.ndtr(-critical * s - away)) * chi

    ends = [math.sqrt(stats.chi2.ppf(1e-14, df) / df), math.sqrt(stats.chi2.isf(1e-14, df) / df)]
    return float(integrate.quad(density, *ends, epsabs=1e-12, epsrel=1e-10, limit=200)[0])


def _faults(survey: Survey) -> Iterable[str]:
    if survey.df < 1:
        yield (
            f"{survey.communities} communities leave {survey.df} degrees of freedom with {survey.held} covariates held; "
            f"expected at least {survey.held + 3} communities"
        )
    if not survey.residents_per_community >= 1:
        yield f"residents_per_community = {survey.residents_per_community:g}; expected at least 1"
    if not 0 <= survey.icc <= 1:
        yield f"icc = {survey.icc:g}; expected a share from 0 to 1"
    if not 0 < survey.reached < 1:
        yield f"reached = {survey.reached:g}; expected a share between 0 and 1, or there is nobody to compare"
    if not survey.size_cv >= 0:
        yield f"size_cv = {survey.size_cv:g}; expected 0 or more"
    for name in ("between_explained", "within_explained"):
        if not 0 <= getattr(survey, name) < 1:
            yield f"{name} = {getattr(survey, name):g}; expected a share from 0 up to, not with, 1"


def _refuse_power(wanted: float, level: float) -> None:
    if not level < wanted < 1:
        raise EstimateError(
            f"power_wanted = {wanted:g}; expected more than the level, {level:g}, and less than 1."
        )
