"""Rank tests for samples with a design: whether groups differ in where their answers stand among all people.

Lumley and Scott (2013, Biometrika 100): a person's rank is the share of the population below, ties at the
middle; groups are compared by the means of a score of it. R: `survey::svyranktest`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.design import Design, Floats, draw, numbers
from cbresearch.sampling.domains import domains_of
from cbresearch.sampling.joint import GroupMeans, joint

Scores = Literal["wilcoxon", "van der waerden", "median"]
SCORES: dict[Scores, Callable[[Floats], Floats]] = {
    "wilcoxon": lambda rank: rank,
    "van der waerden": stats.norm.ppf,
    "median": lambda rank: (rank > 0.5).astype(np.float64),
}
LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class RankTest:
    """F with df1 and df2 for groups that stand alike; with two groups F is the square of `t`, on df2.

    `groups` holds the mean scores. `difference` is the second group's mean score less the first's, in
    shares of the population for Wilcoxon scores; it and `t` are NaN with more than two groups. `method`
    says which scores, or why there is no test.
    """

    scores: Scores
    groups: GroupMeans
    difference: float
    t: float
    statistic: float
    df1: int
    df2: float
    p: float
    method: str

    @property
    def table(self) -> pd.DataFrame:
        """One row per group, `value` the mean score."""
        return self.groups.table

    @property
    def text(self) -> Text:
        if math.isnan(self.p):
            return Text(
                f"无法检验各组的高低（{self.method}）。", f"The groups cannot be ranked: {self.method}."
            )
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        told = f"F({self.df1}, {self.df2:g}) = {self.statistic:.2f}, {p}"
        told_zh = told.replace(", p", "，p")
        if self.p >= LEVEL:
            return Text(
                f"看不出各组的回答有高低之分（{told_zh}）。",
                f"These data cannot tell whether any group answers higher or lower ({told}).",
            )
        value = dict(zip(self.groups.labels, (e.value for e in self.groups.estimates), strict=True))
        top, bottom = max(value, key=lambda k: value[k]), min(value, key=lambda k: value[k])
        return Text(
            f"各组的回答有高低之分（{told_zh}）：“{top}”最高，“{bottom}”最低。",
            f"The groups answer at different heights ({told}): '{top}' highest, '{bottom}' lowest.",
        )


def rank_test(
    frame: pd.DataFrame, column: str, by: str | Sequence[str], design: Design, *,
    scores: Scores = "wilcoxon", where: pd.Series | None = None,
) -> RankTest:  # fmt: skip
    """Whether the groups of `by` differ in the ranks of a numeric (or ordered, numbered) column.

    `scores`: "wilcoxon" (the ranks; Kruskal and Wallis with several groups), "van der waerden" (their
    normal quantiles), "median" (above the middle or not). Rows that miss the column or `by` are outside
    the domain. EstimateError for unknown scores and fewer than two groups.
    """
    if scores not in get_args(Scores):
        known = ", ".join(f"'{name}'" for name in get_args(Scores))
        raise EstimateError(f"No rank scores are called {scores!r}; expected one of {known}.")
    values, domains, sample = numbers(frame, column), domains_of(frame, by, where), draw(frame, design)
    inside = (domains.code >= 0) & np.isfinite(values) & (sample.weights > 0)
    ranks = np.full(len(values), np.nan)
    ranks[inside] = SCORES[scores](_ranks(values[inside], sample.weights[inside]))
    groups = joint(column, sample, ranks, domains, "score")
    test = groups.equal()
    two = len(groups.labels) == 2
    difference = groups.estimates[1].value - groups.estimates[0].value if two else math.nan
    return RankTest(
        scores, groups, difference, math.copysign(math.sqrt(test.statistic), difference) if two else math.nan,
        test.statistic, test.df1, test.df2, test.p, _method(scores) if test.p >= 0 else test.method,
    )  # fmt: skip


def _method(scores: Scores) -> str:
    return f"design-based rank test, {scores} scores (Lumley and Scott 2013)"


def _ranks(values: Floats, weights: Floats) -> Floats:
    """The share of people below, plus half of those who answered the same."""
    _, place = np.unique(values, return_inverse=True)
    people = np.bincount(place, weights=weights)
    return np.asarray(((np.cumsum(people) - people / 2) / people.sum())[place])
