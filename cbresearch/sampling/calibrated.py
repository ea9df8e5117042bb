"""Calibrated weights: what they reached, what they cost, and what doubt they leave.

Weights that know the population take out of an estimate what its answers share with the margins. So the
variance is that of the residuals on the margins (Deville and Särndal 1992; R: `survey::svyrecvar`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.design import Design, Floats, Ints, degrees_of_freedom, draw, spread
from cbresearch.sampling.figures import TAYLOR, Figures
from cbresearch.sampling.quotients import Quotient, Quotients
from cbresearch.sampling.recipes import Reached
from cbresearch.sampling.replicates import Replicates

SAME = 1e-11
"""A standard error below this share of its estimate is rounding: the margins fix the number."""


@dataclass(frozen=True, slots=True, eq=False)
class Projection:
    """A regression on the margins, which tells what of an answer the margins already know."""

    cell: Ints
    """n codes 0..C-1: rows that the margins do not tell apart."""
    x: Floats
    """C x K: what the margins say of a cell."""
    weights: Floats
    """n weights of the regression."""

    def residuals(self, values: Floats) -> Floats:
        """n values less their fit, by weighted least squares."""
        size = np.bincount(self.cell, weights=self.weights, minlength=len(self.x))
        some = size > 0
        root = np.sqrt(size[some])
        sums = np.bincount(self.cell, weights=self.weights * values, minlength=len(self.x))[some]
        fit = np.linalg.lstsq(self.x[some] * root[:, None], sums / root, rcond=1e-12)[0]
        return np.asarray(values - (self.x @ fit)[self.cell])


Recipe = Callable[[Floats], Floats]
"""The same calibration of other base weights; EstimateError where they cannot reach the population."""


@dataclass(frozen=True, slots=True, eq=False)
class Calibrated(Quotients):
    """Weights of a frame that agree with its population, with statements that know it.

    `mean`, `total`, `share`, `ratio` and `quantile` take the frame that was weighted. Degrees of freedom
    are the design's: PSUs less strata of the domain.
    """

    weights: pd.Series
    """n weights, on the frame's index."""
    design: Design
    method: str
    reached: tuple[Reached, ...]
    sweeps: int
    kish_deff: float
    """What unequal weights cost: how many times they raise the variance of a mean that they do not explain."""
    trimmed_share: float
    """Share (0-1) of rows whose weight stood at a bound."""
    largest_factor: float
    """How many times the share of one row in all has grown, at most."""
    negative: int
    """Rows of negative weight, which only linear calibration without bounds can give."""
    sentence: Text
    counted: bool
    """Whether margins counted the people. Shares do not: how many there are is the sample's own guess then."""
    recipe: Recipe = field(repr=False)
    projection: Projection = field(repr=False)

    @property
    def table(self) -> pd.DataFrame:
        """One row per class: margin, code, people of the population, of the sample before and after."""
        return pd.DataFrame(
            [(r.margin, r.code, r.people, r.before, r.after) for r in self.reached],
            columns=["margin", "code", "people", "before", "after"],
        )

    def applied_to(self, replicates: Replicates) -> Replicates:
        """Replicate weights each calibrated as the sample was, so that they know the doubt of that step too."""
        if not replicates.index.equals(self.weights.index):
            raise EstimateError(
                f"The replicates are of {len(replicates.index)} rows and {len(self.weights)} were calibrated, or of "
                "another order. Make both from the same frame."
            )
        columns = np.empty((len(self.weights), len(replicates.scales)))
        for r in range(columns.shape[1]):
            try:
                columns[:, r] = self.recipe(replicates.replicate(r))
            except EstimateError as error:
                raise EstimateError(f"Replicate {r + 1} of {columns.shape[1]}: {error}") from error
        return replace(
            replicates, weights=self._full_weights(), base=np.ones(len(columns)), unit=np.arange(len(columns)),
            factors=columns, note=f"{replicates.note}, each calibrated",
        )  # fmt: skip

    def _index(self) -> pd.Index[Any]:
        return self.weights.index

    def _full_weights(self) -> Floats:
        return self.weights.to_numpy()

    def _figures(self, frame: pd.DataFrame, quotient: Quotient) -> Figures:
        w, inside, drawn = self._full_weights(), quotient.inside, draw(frame, self.design)
        top, u = float(w @ quotient.top), quotient.top
        value, guessed = top, np.zeros(len(w))
        if quotient.bottom is not None:
            people = float(w @ quotient.bottom)
            value = top / people if people else math.nan
            u = (quotient.top - value * quotient.bottom) / (people or math.nan)
        elif not self.counted:
            # a total is a mean times the people; their number moves with the base weights
            guessed = drawn.weights * top / w.sum()
        value = value if inside.any() else math.nan
        df, se = degrees_of_freedom(drawn, inside), math.nan
        if df > 0 and math.isfinite(value):
            influence = w * self.projection.residuals(u) + guessed
            everyone = np.zeros(len(w), dtype=np.int64)
            se = float(np.sqrt(spread(drawn, influence, everyone, 1).variance[0]))
            se = 0.0 if se <= SAME * abs(value) else se
        numbers = (value, se, df, int(inside.sum()), len(np.unique(drawn.psu[inside])))
        return Figures(*(np.array([number]) for number in numbers))

    def _how(self) -> str:
        return f"{TAYLOR} of residuals on the margins"


def sentence_of(
    reached: Sequence[Reached], n: int, deff: float, grown: float, trimmed: float, negative: int
) -> Text:
    """What a reader of a report is told of the weights."""
    names = list(dict.fromkeys(row.margin for row in reached))
    zh = (
        f"权重已调整到与总体的{'、'.join(names)}一致。权重不等的代价是设计效应 {deff:.2f}：{n} 份答卷相当于"
        f" {n / deff:.0f} 份；一份答卷的比重最多变为原来的 {grown:.2f} 倍。"
    )
    en = (
        f"The weights agree with the population on {', '.join(names)}. Unequal weights cost a design effect of "
        f"{deff:.2f}: {n} answers tell as much as {n / deff:.0f}. The share of one answer grew at most {grown:.2f} times."
    )
    if trimmed:
        zh, en = (
            zh + f"{trimmed:.1%} 的权重停在限度上。",
            en + f" {trimmed:.1%} of the weights stand at a bound.",
        )
    if negative:
        zh = zh + f"有 {negative} 份权重为负，说明样本离总体太远，应限制权重的变化。"
        en = (
            en
            + f" {negative} weights are negative: the sample is too far from the population, and they need bounds."
        )
    return Text(zh=zh, en=en)
