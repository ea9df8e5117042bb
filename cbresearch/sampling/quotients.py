"""Means, totals, shares, ratios and quantiles stated by whoever knows the doubt of a quotient of two sums.

A mean is the sum of answers over the sum of people, a share the mean of yes or no, a quantile what a share
lies below. Calibrated weights and replicate weights differ only in how they tell that doubt.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.records import Estimate
from cbresearch.sampling.design import Floats, numbers
from cbresearch.sampling.domains import Group, given, mask
from cbresearch.sampling.figures import (
    Figures,
    Interval,
    estimates,
    logit_interval,
    t_interval,
    t_quantile,
)

NO_SPREAD = "no interval: no spread is left between the answers, or the margins fix this number"
SAME_SHARE = 1e-10
"""Sums of weights carry rounding: 5 of 10 people count as one half."""


@dataclass(frozen=True, slots=True, eq=False)
class Quotient:
    """Two numbers for each of n rows, 0 outside the domain: the weighted sum of one over that of the other."""

    top: Floats
    bottom: Floats | None
    """None: the sum of `top` itself, a total."""
    inside: NDArray[np.bool_]
    """n: the rows of the domain."""


class Quotients(ABC):
    """Statements about the people that weighted rows stand for.

    Every statement takes the `frame` that was weighted, row for row, with the columns it has since gained.
    `where` is a column of booleans, a row each: the domain. Rows that miss an answer are outside it, and
    stay in the sample. Intervals are at 95 %; those of shares are made on the logit scale.
    """

    __slots__ = ()

    @abstractmethod
    def _index(self) -> pd.Index[Any]:
        """The index of the frame that was weighted."""

    @abstractmethod
    def _full_weights(self) -> Floats:
        """n weights of the sample as a whole."""

    @abstractmethod
    def _figures(self, frame: pd.DataFrame, quotient: Quotient) -> Figures:
        """One value, its standard error and its degrees of freedom."""

    @abstractmethod
    def _how(self) -> str:
        """The method, as an estimate names it."""

    def mean(
        self, frame: pd.DataFrame, column: str, *, where: pd.Series | None = None,
        unit: str = "as asked", group: Group = (),
    ) -> Estimate:  # fmt: skip
        """The mean of a numeric column."""
        self._same_rows(frame)
        quotient = _mean(numbers(frame, column), mask(frame, where))
        return self._estimate_of_sizes(frame, column, quotient, unit, group)

    def total(
        self, frame: pd.DataFrame, column: str, *, where: pd.Series | None = None,
        unit: str = "as asked", group: Group = (),
    ) -> Estimate:  # fmt: skip
        """The sum of a numeric column; missing answers add nothing."""
        self._same_rows(frame)
        quotient = replace(_mean(numbers(frame, column), mask(frame, where)), bottom=None)
        return self._estimate_of_sizes(frame, column, quotient, unit, group)

    def share(
        self, frame: pd.DataFrame, column: str, codes: str | int | Collection[str | int], *,
        where: pd.Series | None = None, unit: str = "share", group: Group = (),
    ) -> Estimate:  # fmt: skip
        """The share (0-1) that gave one of `codes` among those who answered; codes are compared as text."""
        self._same_rows(frame)
        quotient = _mean(given(frame, column, codes), mask(frame, where))
        return self._estimate(frame, column, quotient, unit, group, logit_interval)

    def ratio(
        self, frame: pd.DataFrame, numerator: str, denominator: str, *,
        where: pd.Series | None = None, unit: str = "as asked", group: Group = (),
    ) -> Estimate:  # fmt: skip
        """The total of one numeric column over that of another; NaN over a denominator that sums to 0."""
        self._same_rows(frame)
        y, x = numbers(frame, numerator), numbers(frame, denominator)
        inside = mask(frame, where) & np.isfinite(y) & np.isfinite(x)
        quotient = Quotient(np.where(inside, y, 0.0), np.where(inside, x, 0.0), inside)
        found = self._estimate(frame, f"{numerator} / {denominator}", quotient, unit, group, t_interval)
        nothing = found.n > 0 and math.isnan(found.value)
        return replace(found, method=f"no ratio: '{denominator}' sums to 0") if nothing else found

    def quantile(
        self, frame: pd.DataFrame, column: str, q: float, *,
        where: pd.Series | None = None, unit: str = "as asked", group: Group = (),
    ) -> Estimate:  # fmt: skip
        """The smallest answer that at least a share `q` of the people do not exceed.

        The limits are the quantiles at F ± t se(F), F being the share at or below the answer found
        (Woodruff 1952); `se` is their distance over 2t. A limit beyond the answers is NaN. R:
        `svyquantile(qrule = "math", interval.type = "mean")`.
        """
        self._same_rows(frame)
        if not 0 < q < 1:
            raise EstimateError(f"q = {q!r} is no share of people; expected a number above 0 and below 1.")
        values = numbers(frame, column)
        inside = mask(frame, where) & np.isfinite(values)
        found = _at(values[inside], self._full_weights()[inside], q)
        below = np.where(inside, (values <= found).astype(np.float64), np.nan)
        share = self._figures(frame, _mean(below, inside))
        reach = float((t_quantile(share) * share.se)[0])
        low, high = (
            _at(values[inside], self._full_weights()[inside], float(share.value[0]) + side)
            for side in (-reach, reach)
        )
        se = np.array([(high - low) / (2 * float(t_quantile(share)[0]))])
        figures = Figures(np.array([found]), se, share.df, share.rows, share.psus)
        told = self._told(column, figures, unit, group, lambda _: (np.array([low]), np.array([high])))
        beyond = share.se[0] > 0 and (math.isnan(low) or math.isnan(high))
        return replace(told, method="no limit on one side: it lies beyond the answers") if beyond else told

    def _same_rows(self, frame: pd.DataFrame) -> None:
        if not frame.index.equals(self._index()):
            raise EstimateError(
                f"The frame has {len(frame)} rows and {len(self._index())} were weighted, or another order. Pass "
                "the frame that was weighted, and where= for a part of it."
            )

    def _estimate(
        self,
        frame: pd.DataFrame,
        measure: str,
        quotient: Quotient,
        unit: str,
        group: Group,
        interval: Interval,
    ) -> Estimate:
        return self._told(measure, self._figures(frame, quotient), unit, group, interval)

    def _estimate_of_sizes(
        self, frame: pd.DataFrame, measure: str, quotient: Quotient, unit: str, group: Group
    ) -> Estimate:
        """An estimate that knows how far its two largest contributions make it up, for the release gate."""
        sizes = np.sort(np.abs(self._full_weights() * quotient.top)[quotient.inside])
        share = np.array([sizes[-2:].sum() / sizes.sum() if sizes.sum() > 0 else math.nan])
        figures = replace(self._figures(frame, quotient), dominance=share)
        return self._told(measure, figures, unit, group, t_interval)

    def _told(self, measure: str, figures: Figures, unit: str, group: Group, interval: Interval) -> Estimate:
        told = estimates(measure, figures, (group,), unit, interval, self._how())[0]
        return replace(told, method=NO_SPREAD) if told.se == 0 else told


def _mean(values: Floats, inside: NDArray[np.bool_]) -> Quotient:
    answered = inside & np.isfinite(values)
    return Quotient(np.where(answered, values, 0.0), answered.astype(np.float64), answered)


def _at(values: Floats, weights: Floats, share: float) -> float:
    """The smallest value with at least `share` of the weights at or below it; NaN for a share outside 0 to 1."""
    some = weights != 0
    if not some.any() or not 0 <= share <= 1:
        return math.nan
    order = np.argsort(values[some], kind="stable")
    below = np.cumsum(weights[some][order])
    # weights of linear calibration may be negative: the first place that reaches the share, as it is defined
    return float(values[some][order][np.argmax(below / below[-1] >= share - SAME_SHARE)])
