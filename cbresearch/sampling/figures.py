"""Values of domains with what their design leaves in doubt, as estimates that can be read aloud."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from cbresearch.records import Estimate
from cbresearch.sampling.design import Floats, Ints, Sample, spread
from cbresearch.sampling.domains import Domains, Group

CONFIDENCE = 0.95
TAYLOR = "Taylor linearisation"


@dataclass(frozen=True, slots=True, eq=False)
class Figures:
    """One value per domain, with its standard error, degrees of freedom, rows and PSUs."""

    value: Floats
    se: Floats
    df: Ints
    rows: Ints
    psus: Ints
    dominance: Floats | None = None
    """The share (0-1) of each domain's total that its two largest contributions make up; None where not asked."""


def means(sample: Sample, values: Floats, domains: Domains) -> Figures:
    domain = np.where(np.isfinite(values), domains.code, -1)
    inside, size = domain >= 0, len(domains)
    at, weights = domain[inside], sample.weights[inside]
    people = np.bincount(at, weights=weights, minlength=size)
    with np.errstate(invalid="ignore", divide="ignore"):
        # a group without answers has no mean: 0/0 is the NaN that is wanted
        centre = np.bincount(at, weights=weights * values[inside], minlength=size) / people
    influence = np.zeros(len(values))
    influence[inside] = weights * (values[inside] - centre[at]) / people[at]
    return figures_of(sample, centre, influence, domain, size)


def totals(sample: Sample, values: Floats, domains: Domains) -> Figures:
    domain = np.where(np.isfinite(values), domains.code, -1)
    influence = sample.weights * np.where(domain >= 0, np.nan_to_num(values), 0.0)
    value = np.bincount(domain[domain >= 0], weights=influence[domain >= 0], minlength=len(domains)).astype(
        float
    )
    return figures_of(sample, value, influence, domain, len(domains))


def figures_of(sample: Sample, value: Floats, influence: Floats, domain: Ints, size: int) -> Figures:
    found = spread(sample, influence, domain, size)
    rows = np.bincount(domain[domain >= 0], minlength=size)
    se = np.where(found.df > 0, np.sqrt(found.variance), np.nan)
    # below this the spread is rounding: everybody gave the same answer
    same = se <= 1e-12 * np.maximum(np.abs(value), 1e-300)
    return Figures(np.where(rows > 0, value, np.nan), np.where(same, 0.0, se), found.df, rows, found.psus)


def with_dominance(figures: Figures, sample: Sample, values: Floats, domains: Domains) -> Figures:
    """The same figures, knowing how far two contributions (weight times size) make up each total."""
    inside = np.isfinite(values) & (domains.code >= 0)
    at, size = domains.code[inside], sample.weights[inside] * np.abs(values[inside])
    order = np.lexsort((-size, at))
    at, size = at[order], size[order]
    # the largest of a domain stands first in it, the next behind
    place = np.arange(len(at)) - np.searchsorted(at, at)
    two = np.bincount(at, weights=size * (place < 2), minlength=len(domains))
    total = np.bincount(at, weights=size, minlength=len(domains))
    share = np.divide(two, total, out=np.full(len(domains), np.nan), where=total > 0)
    return replace(figures, dominance=share)


Interval = Callable[[Figures], tuple[Floats, Floats]]


def t_interval(figures: Figures) -> tuple[Floats, Floats]:
    """value ± t se."""
    reach = t_quantile(figures) * figures.se
    return figures.value - reach, figures.value + reach


def logit_interval(figures: Figures) -> tuple[Floats, Floats]:
    """The t interval of log(p/(1 - p)), turned back into shares, so that it stays between 0 and 1."""
    p = np.where((figures.value > 0) & (figures.value < 1), figures.value, np.nan)
    centre, reach = np.log(p / (1 - p)), t_quantile(figures) * figures.se / (p * (1 - p))
    return 1 / (1 + np.exp(-(centre - reach))), 1 / (1 + np.exp(-(centre + reach)))


def t_quantile(figures: Figures) -> Floats:
    """The quantile of t, NaN where the design leaves no degrees of freedom or no spread at all."""
    df = np.where((figures.df > 0) & (figures.se > 0), figures.df, np.nan)
    return np.asarray(stats.t.ppf((1 + CONFIDENCE) / 2, df))


def estimates(
    measure: str, figures: Figures, groups: Iterable[Group], unit: str, interval: Interval,
    method: str = TAYLOR,
) -> list[Estimate]:  # fmt: skip
    """One estimate per group; its `method` is the reason instead where there is no interval."""
    low, high = interval(figures)
    return [
        Estimate(
            measure=measure, value=float(figures.value[i]), se=float(figures.se[i]), df=float(figures.df[i]),
            low=float(low[i]), high=float(high[i]), n=int(figures.rows[i]), psus=int(figures.psus[i]),
            unit=unit, group=group, method=_no_interval(figures, i, low[i]) or method,
            dominance=math.nan if figures.dominance is None else float(figures.dominance[i]),
        )
        for i, group in enumerate(groups)
    ]  # fmt: skip


def _no_interval(figures: Figures, i: int, low: float) -> str:
    """Why there is no interval; empty where there is one."""
    if figures.rows[i] == 0:
        return "nobody answered"
    if figures.psus[i] == 1:
        return "no interval: a single PSU"
    if figures.df[i] <= 0:
        return "no interval: as many strata as PSUs"
    if figures.se[i] == 0 and math.isnan(low):
        return "no interval: every answer is the same"
    return ""


def tested(estimate: Estimate) -> Estimate:
    """The same estimate with its two-sided p against zero, NaN where there is no standard error."""
    p = 2 * float(stats.t.sf(abs(estimate.value / estimate.se), estimate.df)) if estimate.se > 0 else math.nan
    return replace(estimate, p=p)
