"""Quantiles of a numeric column, with intervals that turn the doubt of the share below into units of the column.

Woodruff (1952, JASA 47): the limits are the quantiles at F(q) - t se(F(q)) and F(q) + t se(F(q)), centred on
the share at or below the quantile that was found. R: `survey::svyquantile(interval.type = "mean")`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.records import Estimate
from cbresearch.sampling.design import Design, Floats, Ints, Sample, draw, numbers
from cbresearch.sampling.domains import Domains, Group, domains_of, one_domain
from cbresearch.sampling.figures import TAYLOR, Figures, estimates, means, t_quantile

Rule = Literal["math", "school"]
# shares are sums of weights, which carry rounding: 5 of 10 people must count as one half
SAME_SHARE = 1e-10


def quantile(
    frame: pd.DataFrame, column: str, q: float, design: Design, *, rule: Rule = "math",
    where: pd.Series | None = None, unit: str = "as asked", group: Group = (),
) -> Estimate:  # fmt: skip
    """The value that a share `q` (above 0, below 1) of the people does not exceed.

    `rule` "math": the smallest answer with at least `q` at or below it; "school": where exactly `q` are, the
    middle between that answer and the next. Missing answers are outside the domain. `se` is the interval's
    width over 2t. A limit beyond the answers is NaN, as is `se` then; `method` says so.
    """
    _refuse(q, rule)
    sample, domains = draw(frame, design), one_domain(frame, where, group)
    return _estimates(column, sample, numbers(frame, column), domains, q, rule, unit)[0]


def median(
    frame: pd.DataFrame, column: str, design: Design, *, rule: Rule = "school",
    where: pd.Series | None = None, unit: str = "as asked", group: Group = (),
) -> Estimate:  # fmt: skip
    """`quantile` at one half, by default with the rule taught at school: of 1, 2, 3, 4 it is 2.5."""
    return quantile(frame, column, 0.5, design, rule=rule, where=where, unit=unit, group=group)


def quantile_by(
    frame: pd.DataFrame, column: str, q: float, by: str | Sequence[str], design: Design, *, rule: Rule = "math",
    where: pd.Series | None = None, unit: str = "as asked",
) -> list[Estimate]:  # fmt: skip
    """`quantile` in each group of `by` (crossed), groups in order; a row with no value in `by` is in no group."""
    _refuse(q, rule)
    sample, domains = draw(frame, design), domains_of(frame, by, where)
    return _estimates(column, sample, numbers(frame, column), domains, q, rule, unit)


@dataclass(frozen=True, slots=True, eq=False)
class _Ordered:
    """The answers of each domain in order, with the share of its people at or below each."""

    values: Floats
    shares: Floats
    start: Ints
    """Where each domain begins, and a last entry where all end."""

    def at(self, shares: Floats, rule: Rule) -> Floats:
        """The quantile of each domain at its own share; NaN for a share outside 0 to 1."""
        return np.array([self._of(domain, share, rule) for domain, share in enumerate(shares)])

    def _of(self, domain: int, share: float, rule: Rule) -> float:
        begin, end = self.start[domain], self.start[domain + 1]
        if begin == end or not 0 <= share <= 1:
            return math.nan
        below = self.shares[begin:end]
        place = min(int(np.searchsorted(below, share - SAME_SHARE)), end - begin - 1)
        value = float(self.values[begin + place])
        exact = rule == "school" and abs(below[place] - share) <= SAME_SHARE and begin + place + 1 < end
        return (value + float(self.values[begin + place + 1])) / 2 if exact else value


def _ordered(values: Floats, weights: Floats, code: Ints, domains: int) -> _Ordered:
    counted = np.flatnonzero((code >= 0) & (weights > 0))
    order = counted[np.lexsort((values[counted], code[counted]))]
    start = np.searchsorted(code[order], np.arange(domains + 1))
    shares = np.empty(len(order))
    for begin, end in pairwise(start):
        people = np.cumsum(weights[order[begin:end]])
        shares[begin:end] = people / people[-1] if end > begin else people
    return _Ordered(values[order], shares, start)


def _estimates(
    column: str, sample: Sample, values: Floats, domains: Domains, q: float, rule: Rule, unit: str
) -> list[Estimate]:
    code = np.where(np.isfinite(values), domains.code, -1)
    ordered = _ordered(values, sample.weights, code, len(domains))
    found = ordered.at(np.full(len(domains), q), rule)
    at_or_below = np.full(len(values), np.nan)
    inside = code >= 0
    at_or_below[inside] = values[inside] <= found[code[inside]]
    share = means(sample, at_or_below, domains)
    t = t_quantile(share)
    low, high = (ordered.at(share.value + sign * t * share.se, rule) for sign in (-1, 1))
    figures = Figures(found, (high - low) / (2 * t), share.df, share.rows, share.psus)
    told = estimates(column, figures, domains.groups, unit, lambda _: (low, high), f"{TAYLOR}, Woodruff")
    return [_with_reason(estimate, float(share.se[i])) for i, estimate in enumerate(told)]


def _with_reason(estimate: Estimate, se_of_share: float) -> Estimate:
    """The estimate with a word on the limits that it lacks."""
    missing = [name for name in ("low", "high") if math.isnan(getattr(estimate, name))]
    if not missing or estimate.method.startswith("no"):
        return estimate
    if se_of_share == 0:
        return replace(estimate, method="no interval: nobody answered above it")
    sides = " and ".join({"low": "lower", "high": "upper"}[name] for name in missing)
    return replace(estimate, method=f"no {sides} limit: it lies beyond the answers")


def _refuse(q: float, rule: str) -> None:
    faults = []
    if not 0 < q < 1:
        faults.append(f"q = {q!r} is no share of people; expected a number above 0 and below 1")
    if rule not in get_args(Rule):
        faults.append(f"no rule is called {rule!r}; expected 'math' or 'school'")
    if faults:
        raise EstimateError("quantile() cannot be had: " + "; ".join(faults) + ".")
