"""Ratios of two totals, such as helpers per household, for everybody or by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cbresearch.records import Estimate
from cbresearch.sampling.design import Design, Floats, Sample, draw, numbers
from cbresearch.sampling.domains import Domains, Group, domains_of, one_domain
from cbresearch.sampling.figures import Figures, estimates, figures_of, t_interval


def ratio(
    frame: pd.DataFrame, numerator: str, denominator: str, design: Design, *,
    where: pd.Series | None = None, unit: str = "as asked", group: Group = (),
) -> Estimate:  # fmt: skip
    """The total of one numeric column over the total of another, among the people the sample stands for.

    Rows that miss either are outside the domain. A denominator that sums to 0 gives NaN, with the reason in
    `method`. Linearised as w(y - Rx)/X. R: `svyratio(~numerator, ~denominator, design, na.rm = TRUE)`.
    """
    sample, domains = draw(frame, design), one_domain(frame, where, group)
    return _estimates(frame, numerator, denominator, sample, domains, unit)[0]


def ratio_by(
    frame: pd.DataFrame, numerator: str, denominator: str, by: str | Sequence[str], design: Design, *,
    where: pd.Series | None = None, unit: str = "as asked",
) -> list[Estimate]:  # fmt: skip
    """`ratio` in each group of `by` (crossed), groups in order; a row with no value in `by` is in no group."""
    sample, domains = draw(frame, design), domains_of(frame, by, where)
    return _estimates(frame, numerator, denominator, sample, domains, unit)


def ratios(sample: Sample, y: Floats, x: Floats, domains: Domains) -> Figures:
    """The ratio of totals in each domain; `y` and `x` have n values, NaN where missing."""
    domain = np.where(np.isfinite(y) & np.isfinite(x), domains.code, -1)
    inside, size = domain >= 0, len(domains)
    at, w = domain[inside], sample.weights[inside]
    top, bottom = (np.bincount(at, weights=w * v[inside], minlength=size) for v in (y, x))
    with np.errstate(invalid="ignore", divide="ignore"):
        # no ratio over nothing: the NaN that is wanted
        bottom = np.where(bottom == 0, np.nan, bottom)
        value = top / bottom
    influence = np.zeros(len(y))
    influence[inside] = w * (y[inside] - value[at] * x[inside]) / bottom[at]
    return figures_of(sample, value, influence, domain, size)


def _estimates(
    frame: pd.DataFrame, numerator: str, denominator: str, sample: Sample, domains: Domains, unit: str
) -> list[Estimate]:
    figures = ratios(sample, numbers(frame, numerator), numbers(frame, denominator), domains)
    return [
        replace(e, method=f"no ratio: '{denominator}' sums to 0") if e.n and math.isnan(e.value) else e
        for e in estimates(f"{numerator} / {denominator}", figures, domains.groups, unit, t_interval)
    ]
