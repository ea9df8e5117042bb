"""Replicate weights: the sample as it would have been with some of its PSUs left out, or drawn again.

Whatever is computed with the sample's weights is computed again with each replicate's; how the answers
differ is the doubt (Wolter 2007, Introduction to Variance Estimation; R: `survey::svrVar`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.records import Estimate
from cbresearch.sampling.design import Floats, Ints
from cbresearch.sampling.domains import Group
from cbresearch.sampling.figures import Figures, Interval, t_interval
from cbresearch.sampling.quotients import Quotient, Quotients

Centre = Literal["mean", "full"]
RANK_TOLERANCE = 1e-5
"""A direction in which replicates differ by less than this share of the largest is rounding (R: `degf`)."""
LOST = "no interval: in some replicates the number cannot be had"
SAME = 1e-11
"""A standard error below this share of its estimate is rounding."""

Statistic = Callable[[Floats], float | Floats]
"""Numbers computed from n weights: one, or an array of always the same length."""


@dataclass(frozen=True, slots=True, eq=False)
class Replicated:
    """m numbers of a statistic, how they vary together, and what each of R replicates said."""

    estimates: tuple[Estimate, ...]
    covariance: Floats
    """m x m; NaN where a replicate could not be computed."""
    values: Floats
    """R x m."""


@dataclass(frozen=True, slots=True, eq=False)
class Replicates(Quotients):
    """n rows with the sample's weights and R sets of replicate weights.

    `mean`, `total`, `share`, `ratio` and `quantile` take the frame that was weighted; `statistic` takes
    whatever can be computed from weights. Degrees of freedom are the rank of the replicate weights in the
    domain, less one (R: `degf`). A replicate in which a number cannot be had leaves its standard error NaN.
    """

    note: str
    """How the replicates were made, as an estimate names its method."""
    index: pd.Index[Any]
    """Of the frame that was weighted."""
    weights: Floats
    """n weights of the sample as a whole."""
    base: Floats
    """n weights that the factors multiply."""
    unit: Ints
    """n codes 0..U-1 of rows that are left out and drawn again together."""
    factors: Floats
    """U x R: replicate r weighs row i by base_i factors[unit_i, r]."""
    scales: Floats
    """R factors of the squared distances."""
    centre: Centre
    """Distances from the mean of the replicates (R: mse = FALSE), or from the answer of the full sample."""
    psu: Ints | None
    """n codes of PSUs; None where a file keeps them to itself: one more than the degrees of freedom then."""

    df: int = field(init=False)
    """Degrees of freedom of the sample as a whole."""

    def __post_init__(self) -> None:
        # found once: with a thousand PSUs a rank takes a second
        object.__setattr__(self, "df", self._rank_less_one(self.weights != 0))

    def replicate(self, r: int) -> Floats:
        """n weights of replicate r, counted from 0."""
        return np.asarray(self.base * self.factors[self.unit, r])

    def statistic(
        self, compute: Statistic, measures: str | Sequence[str], *, unit: str = "as asked", group: Group = ()
    ) -> Replicated:
        """Any numbers that weights give, with their doubt: `compute` is called with n weights, R + 1 times.

        `measures` names the numbers in order. EstimateError where they are not as many as their names.
        """
        names = (measures,) if isinstance(measures, str) else tuple(measures)
        full = np.atleast_1d(np.asarray(compute(self.weights), dtype=np.float64))
        if full.shape != (len(names),):
            raise EstimateError(
                f"The statistic gives numbers of shape {full.shape} and measures= names {len(names)}; "
                "name every number that it gives."
            )
        values = np.empty((len(self.scales), len(names)))
        for r in range(len(values)):
            values[r] = compute(self.replicate(r))
        told = [
            self._told(name, self._spread(full[k], values[:, k], self.weights != 0), unit, group, t_interval)
            for k, name in enumerate(names)
        ]
        return Replicated(tuple(told), self._covariance(values, full), values)

    def _index(self) -> pd.Index[Any]:
        return self.index

    def _full_weights(self) -> Floats:
        return self.weights

    def _how(self) -> str:
        return self.note

    def _figures(self, frame: pd.DataFrame, quotient: Quotient) -> Figures:
        sums = np.append(self._sums(quotient.top), self.weights @ quotient.top)
        if quotient.bottom is not None:
            people = np.append(self._sums(quotient.bottom), self.weights @ quotient.bottom)
            # without anybody of the domain there is no answer
            sums = sums / np.where(people == 0, np.nan, people)
        full = float(sums[-1]) if quotient.inside.any() else math.nan
        return self._spread(full, sums[:-1], quotient.inside)

    def _spread(self, full: float, each: Floats, inside: NDArray[np.bool_]) -> Figures:
        """One number with what R replicates make of it."""
        se = float(np.sqrt(self._covariance(each[:, None], np.array([full]))[0, 0]))
        everybody = bool((inside | (self.weights == 0)).all())
        df = self.df if everybody else self._rank_less_one(inside)
        psus = df + 1 if self.psu is None else len(np.unique(self.psu[inside]))
        known = df > 0 and np.isfinite(full)
        return Figures(
            np.array([full]), np.array([(0.0 if se <= SAME * abs(full) else se) if known else math.nan]),
            np.array([df]), np.array([int(inside.sum())]), np.array([psus]),
        )  # fmt: skip

    def _told(self, measure: str, figures: Figures, unit: str, group: Group, interval: Interval) -> Estimate:
        told = Quotients._told(self, measure, figures, unit, group, interval)
        lost = math.isnan(told.se) and told.method == self.note
        return replace(told, method=LOST) if lost else told

    def _sums(self, values: Floats) -> Floats:
        """R weighted sums of n values."""
        of_unit = np.bincount(self.unit, weights=self.base * values, minlength=len(self.factors))
        return np.asarray(of_unit @ self.factors)

    def _covariance(self, values: Floats, full: Floats) -> Floats:
        """m x m, from R x m."""
        centre = full if self.centre == "full" else values[self.scales > 0].mean(axis=0)
        distance = values - centre
        return np.asarray((distance * self.scales[:, None]).T @ distance)

    def _rank_less_one(self, inside: NDArray[np.bool_]) -> int:
        there = self.factors[np.unique(self.unit[inside & (self.base > 0)])]
        if not there.size:
            return 0
        # the squares of a matrix's singular values are the eigenvalues of its smaller product with itself
        product = there.T @ there if len(there) > there.shape[1] else there @ there.T
        size = np.linalg.eigvalsh(product)
        return int((size > RANK_TOLERANCE**2 * size[-1]).sum()) - 1
