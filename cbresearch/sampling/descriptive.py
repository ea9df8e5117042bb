"""Means, shares, totals of a sample, for everybody or by group, each with the doubt its design leaves.

A missing answer puts a row outside the domain of those who answered; the row itself stays, because the
PSUs of a domain are those of the design. Where no interval can be had it is NaN, and `method` says why.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.records import Estimate
from cbresearch.sampling.design import Design, Floats, Ints, Sample, draw, numbers, spread
from cbresearch.sampling.domains import Group, domains_of, given, listed, mask, one_domain
from cbresearch.sampling.figures import Figures, estimates, means, t_interval, tested, totals, with_dominance
from cbresearch.sampling.intervals import METHODS, IntervalName, interval_named

Against = Literal["with replacement", "without replacement"]


def mean(
    frame: pd.DataFrame, column: str, design: Design, *, where: pd.Series | None = None,
    unit: str = "as asked", group: Group = (),
) -> Estimate:  # fmt: skip
    """The mean of a numeric column over the people the sample stands for.

    `where` is a column of booleans, a row each: the domain. Missing answers are left out of it.
    """
    sample = draw(frame, design)
    values, domain = numbers(frame, column), one_domain(frame, where, group)
    figures = with_dominance(means(sample, values, domain), sample, values, domain)
    return estimates(column, figures, (group,), unit, t_interval)[0]


def total(
    frame: pd.DataFrame, column: str, design: Design, *, where: pd.Series | None = None,
    unit: str = "as asked", group: Group = (),
) -> Estimate:  # fmt: skip
    """The sum of a numeric column over the people the sample stands for; missing answers add nothing."""
    sample = draw(frame, design)
    values, domain = numbers(frame, column), one_domain(frame, where, group)
    figures = with_dominance(totals(sample, values, domain), sample, values, domain)
    return estimates(column, figures, (group,), unit, t_interval)[0]


def share(
    frame: pd.DataFrame, column: str, design: Design, codes: str | int | Collection[str | int], *,
    where: pd.Series | None = None, unit: str = "share", group: Group = (), interval: IntervalName = "logit",
) -> Estimate:  # fmt: skip
    """The share (0-1) that gave one of `codes` among those who answered, with an interval chosen by name.

    Codes are compared as text, so that 1 and "1" are the same answer. `interval`: "logit" (of log odds, the
    default), "korn-graubard", "beta", "wilson" or "t"; see `intervals`. Near 0 and 1, or where everybody
    says the same, "korn-graubard" is the one to ask for.
    """
    limits = interval_named(interval)
    sample = draw(frame, design)
    figures = means(sample, given(frame, column, codes), one_domain(frame, where, group))
    return estimates(column, figures, (group,), unit, limits, METHODS[interval])[0]


def mean_by(
    frame: pd.DataFrame, columns: str | Sequence[str], by: str | Sequence[str], design: Design, *,
    where: pd.Series | None = None, unit: str = "as asked",
) -> list[Estimate]:  # fmt: skip
    """The mean of each column in each group of `by` (crossed), column by column, groups in order.

    A row with no value in `by` is in no group. A group in which nobody answered gives NaN with n = 0.
    """
    sample, domains = draw(frame, design), domains_of(frame, by, where)
    found: list[Estimate] = []
    for column in listed(columns):
        values = numbers(frame, column)
        figures = with_dominance(means(sample, values, domains), sample, values, domains)
        found += estimates(column, figures, domains.groups, unit, t_interval)
    return found


def share_by(
    frame: pd.DataFrame, columns: str | Sequence[str], by: str | Sequence[str], design: Design,
    codes: Sequence[str | int], *, where: pd.Series | None = None, unit: str = "share",
    interval: IntervalName = "logit",
) -> list[Estimate]:  # fmt: skip
    """The share (0-1) of each of `codes` in each group of `by`; the group gains the pair ("answer", code)."""
    limits = interval_named(interval)
    sample, domains = draw(frame, design), domains_of(frame, by, where)
    found: list[Estimate] = []
    for column in listed(columns):
        for code in codes:
            groups = tuple((*group, ("answer", str(code))) for group in domains.groups)
            figures = means(sample, given(frame, column, code), domains)
            found += estimates(column, figures, groups, unit, limits, METHODS[interval])
    return found


def contrast(
    frame: pd.DataFrame, column: str, design: Design, *, first: pd.Series, second: pd.Series,
    unit: str = "as asked", group: Group = (),
) -> Estimate:  # fmt: skip
    """How much higher the mean is among `first` than among `second`, two columns of booleans that may overlap.

    The standard error knows what the two have in common: the same PSUs, or the same people. n, psus and
    df are those of the smaller side, which carries most of the doubt and needs the most protection.
    `p` is two-sided against no difference.
    """
    return contrasts(frame, (column,), design, first=first, second=second, unit=unit, group=group)[0]


def contrasts(
    frame: pd.DataFrame, columns: Sequence[str], design: Design, *, first: pd.Series, second: pd.Series,
    unit: str = "as asked", group: Group = (),
) -> list[Estimate]:  # fmt: skip
    """`contrast` of several columns between the same two sides."""
    sample, sides = draw(frame, design), (mask(frame, first), mask(frame, second))
    return [
        tested(
            estimates(column, _contrast(sample, numbers(frame, column), sides), (group,), unit, t_interval)[0]
        )
        for column in columns
    ]


def _contrast(sample: Sample, values: Floats, sides: tuple[NDArray[np.bool_], NDArray[np.bool_]]) -> Figures:
    codes = [np.where(side & np.isfinite(values), 0, -1) for side in sides]
    one, other = (_side(sample, values, code) for code in codes)
    smaller = min((one, other), key=lambda side: (side.df, side.n))
    found = spread(sample, one.influence - other.influence, np.maximum(*codes), 1)
    return Figures(
        value=np.array([one.mean - other.mean]), se=np.sqrt(found.variance), df=np.array([smaller.df]),
        rows=np.array([min(one.n, other.n)]), psus=np.array([smaller.psus]),
    )  # fmt: skip


def design_effect(
    frame: pd.DataFrame, column: str, design: Design, *, where: pd.Series | None = None,
    against: Against = "with replacement",
) -> float:  # fmt: skip
    """How many times the variance of the mean exceeds that of as many people drawn one by one.

    `against` says how those are drawn: "with replacement" (Kish; R: `deff = "replace"`) or "without
    replacement" from as many people as the weights sum to (R's default). EstimateError where the weights
    do not sum to a population. NaN where nothing varies or fewer than two people answered.
    """
    if against not in get_args(Against):
        known = " or ".join(f"'{choice}'" for choice in get_args(Against))
        raise EstimateError(f"design_effect(against={against!r}): expected {known}.")
    estimate = mean(frame, column, design, where=where)
    inside = mask(frame, where) & np.isfinite(numbers(frame, column))
    values = numbers(frame, column)[inside]
    weights = draw(frame, design).weights[inside]
    n, people = len(values), float(weights.sum())
    if n < 2 or not estimate.se > 0:
        return math.nan
    if against == "without replacement" and people <= n:
        raise EstimateError(
            f"The weights of {n} people sum to {people:g}, so they are no population to draw from without "
            'replacement. Use weights that sum to the population, or against="with replacement".'
        )
    variance = n / (n - 1) * float(weights @ (values - estimate.value) ** 2) / people
    not_drawn = 1.0 if against == "with replacement" else 1 - n / people
    return estimate.se**2 / (not_drawn * variance / n)


def deft(frame: pd.DataFrame, column: str, design: Design, *, where: pd.Series | None = None) -> float:
    """How many times the standard error exceeds that of drawing one by one with replacement (Kish 1995)."""
    return math.sqrt(design_effect(frame, column, design, where=where))


def effective_n(estimate: Estimate) -> float:
    """How many people drawn one by one would tell a share as well: p(1 - p)/se², at most n (NCHS 2017)."""
    p = estimate.value / 100 if estimate.unit == "percent" else estimate.value
    se = estimate.se / 100 if estimate.unit == "percent" else estimate.se
    return min(p * (1 - p) / se**2, float(estimate.n)) if se > 0 and 0 < p < 1 else math.nan


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """One side of a contrast: its mean, each row's influence on that, and what it rests on."""

    mean: float
    influence: Floats
    n: int
    psus: int
    df: int


def _side(sample: Sample, values: Floats, code: Ints) -> _Side:
    inside = code == 0
    weights = np.where(inside, sample.weights, 0.0)
    people = float(weights.sum())
    if people == 0:
        return _Side(math.nan, np.full(len(values), np.nan), 0, 0, 0)
    centre = float(weights @ np.where(inside, values, 0.0)) / people
    influence = weights * np.where(inside, values - centre, 0.0) / people
    found = spread(sample, influence, code, 1)
    return _Side(centre, influence, int(inside.sum()), int(found.psus[0]), int(found.df[0]))
