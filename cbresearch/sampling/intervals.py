"""Intervals for shares, chosen by name: what each does near 0 and 1, where `value ± t se` leaves the scale.

An effective n says how many people drawn one by one would tell the share as well: p(1 - p)/se², times
(t(n - 1)/t(df))² for the degrees of freedom that the design leaves (Korn and Graubard 1998).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

import numpy as np
from scipy import stats

from cbresearch.errors import EstimateError, nearest
from cbresearch.sampling.design import Floats
from cbresearch.sampling.figures import CONFIDENCE, Figures, Interval, logit_interval, t_interval

IntervalName = Literal["logit", "korn-graubard", "beta", "wilson", "t"]
UPPER = (1 + CONFIDENCE) / 2


def interval_named(name: IntervalName) -> Interval:
    """The interval of that name; EstimateError with the nearest for one that is not known."""
    if name not in get_args(IntervalName):
        near = nearest(str(name), get_args(IntervalName))
        hint = f" Did you mean '{near}'?" if near else ""
        known = ", ".join(f"'{known}'" for known in get_args(IntervalName))
        raise EstimateError(f"No interval for shares is called {name!r}; expected one of {known}.{hint}")
    return INTERVALS[name]


def beta(figures: Figures) -> tuple[Floats, Floats]:
    """Clopper and Pearson's interval at the effective n; NaN at 0 and 1. R: `svyciprop(method = "beta")`."""
    return _clopper_pearson(figures.value, _effective(figures))


def korn_graubard(figures: Figures) -> tuple[Floats, Floats]:
    """`beta` with an effective n of at most n, which is n itself where everybody or nobody said so.

    The standard of the US National Center for Health Statistics (Parker et al. 2017, Vital and Health
    Statistics 2/175). Here only this and "wilson" can be had at 0 and at 1; they do not know there how
    alike neighbours are, and may be too short.
    """
    return _clopper_pearson(figures.value, _at_most_n(figures))


def wilson(figures: Figures) -> tuple[Floats, Floats]:
    """Wilson's score interval at the effective n of "korn-graubard".

    Shorter than Clopper and Pearson's, for it holds on average and not at worst (Dean and Pagano 2015;
    Franco, Little, Louis and Slud 2019, J. Survey Statistics and Methodology 7).
    """
    p, n, z = figures.value, _at_most_n(figures), float(stats.norm.ppf(UPPER))
    centre, reach = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z / (1 + z**2 / n) * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)),
    )
    return np.maximum(centre - reach, 0.0), np.minimum(centre + reach, 1.0)


def _effective(figures: Figures) -> Floats:
    """The effective n; NaN where the share or its doubt says nothing about it."""
    some = (figures.value > 0) & (figures.value < 1) & (figures.se > 0)
    p, se = np.where(some, figures.value, np.nan), np.where(some, figures.se, np.nan)
    return np.asarray(p * (1 - p) / se**2 * _few(figures))


def _at_most_n(figures: Figures) -> Floats:
    """The effective n, not above n; n where nothing varies, as if people had been drawn one by one."""
    effective = _effective(figures)
    same = np.isnan(effective) & (figures.se >= 0)
    return np.minimum(np.where(same, figures.rows * _few(figures), effective), figures.rows)


def _few(figures: Figures) -> Floats:
    """(t(n - 1)/t(df))²: below 1 where the design leaves fewer degrees of freedom than rows."""
    df = np.where(figures.df > 0, figures.df, np.nan)
    people = np.where(figures.rows > 1, figures.rows - 1.0, np.nan)
    return np.asarray((stats.t.ppf(UPPER, people) / stats.t.ppf(UPPER, df)) ** 2)


def _clopper_pearson(p: Floats, n: Floats) -> tuple[Floats, Floats]:
    low = np.where((p == 0) & (n > 0), 0.0, stats.beta.ppf(1 - UPPER, n * p, n * (1 - p) + 1))
    high = np.where((p == 1) & (n > 0), 1.0, stats.beta.ppf(UPPER, n * p + 1, n * (1 - p)))
    return low, high


INTERVALS: dict[IntervalName, Callable[[Figures], tuple[Floats, Floats]]] = {
    "logit": logit_interval,
    "korn-graubard": korn_graubard,
    "beta": beta,
    "wilson": wilson,
    "t": t_interval,
}
METHODS: dict[IntervalName, str] = {
    "logit": "Taylor linearisation",
    "korn-graubard": "Taylor linearisation, Korn-Graubard interval",
    "beta": "Taylor linearisation, Clopper-Pearson interval at the effective n",
    "wilson": "Taylor linearisation, Wilson interval at the effective n",
    "t": "Taylor linearisation, interval of t",
}
