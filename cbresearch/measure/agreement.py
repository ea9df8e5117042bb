"""Whether a community's mean stands for its residents: ICC(1), ICC(2), agreement within groups.

Bliese (2000, in Klein and Kozlowski); James, Demaree and Wolf (1984, J. of Applied Psychology 69) for rwg.
R: the one-way analysis of variance with n0 for unequal groups; `multilevel::ICC1`, `rwg.j`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.design import numbers, require

RELIABLE = 0.70
"""The customary least reliability of a mean that groups are compared by (LeBreton and Senter 2008,
Organizational Research Methods 11); a custom, no law."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """`icc1`: the share of one resident's answer that the group accounts for; `icc2`: the reliability of a
    group's mean at its usual size `n0`. `F`, `p` test that groups do not differ at all; intervals at 95 %.
    """

    column: str
    icc1: float
    icc1_low: float
    icc1_high: float
    icc2: float
    F: float
    p: float
    groups: int
    n: int
    n0: float

    @property
    def sentence(self) -> Text:
        """Whether means of groups may be compared."""
        if self.p >= 0.05:
            return Text(
                f"各组之间的差别与偶然无异（ICC(1) = {self.icc1:.3f}），组平均数不宜比较。",
                f"Groups differ no more than by chance (ICC(1) = {self.icc1:.3f}); their means are not to be compared.",
            )
        if self.icc2 < RELIABLE:
            return Text(
                f"组平均数的信度ICC(2)为{self.icc2:.2f}，低于惯用的{RELIABLE:.2f}（LeBreton与Senter，2008）；比较时须看区间。",
                f"The means of groups have a reliability ICC(2) of {self.icc2:.2f}, below the customary {RELIABLE:.2f} "
                "(LeBreton and Senter 2008); compare them by their intervals only.",
            )
        return Text(
            f"组平均数的信度ICC(2)为{self.icc2:.2f}，达到惯用的{RELIABLE:.2f}（LeBreton与Senter，2008），可以比较。",
            f"The means of groups have a reliability ICC(2) of {self.icc2:.2f}, at or above the customary {RELIABLE:.2f} "
            "(LeBreton and Senter 2008), and may be compared.",
        )


def agreement(frame: pd.DataFrame, column: str, group: str = "community") -> Agreement:
    """ICC(1) and ICC(2) of a numeric column over groups, by the one-way analysis of variance.

    Rows without an answer or a group are left out. ICC(1) may be negative where groups are more alike than
    chance. EstimateError for fewer than two groups or no group with two answers.
    """
    require(frame, [column, group])
    there = frame[group].notna().to_numpy() & np.isfinite(numbers(frame, column))
    y = numbers(frame, column)[there]
    code = pd.factorize(frame[group].to_numpy()[there])[0]
    sizes = np.bincount(code).astype(np.float64) if len(code) else np.zeros(0)
    k, n = len(sizes), len(y)
    if k < 2 or n <= k:
        raise EstimateError(
            f"{k} groups with {n} answers to '{column}'; expected at least two groups, and more answers than groups."
        )
    means = np.bincount(code, weights=y) / sizes
    between = float(sizes @ (means - y.mean()) ** 2) / (k - 1)
    within = float(((y - means[code]) ** 2).sum()) / (n - k)
    if within == 0:
        raise EstimateError(
            f"Within each group everybody answered '{column}' alike; there is nothing to compare with."
        )
    n0 = (n - float((sizes**2).sum()) / n) / (k - 1)
    F = between / within
    low, high = (F / float(stats.f.ppf(share, k - 1, n - k)) for share in (0.975, 0.025))
    one, left, right = ((f - 1) / (f - 1 + n0) for f in (F, low, high))
    return Agreement(column, one, left, right, 1 - 1 / F, F, float(stats.f.sf(F, k - 1, n - k)), k, n, n0)


def within_agreement(
    frame: pd.DataFrame, items: Sequence[str], group: str = "community", *, answers: int
) -> pd.DataFrame:
    """rwg(J): how far the residents of each group agree, against answers spread evenly over `answers` options.

    A row per group: group, n, mean_variance, rwg (of one item: rwg, of several: rwg(J)). Residents who missed
    an item are left out. 1 is full agreement; below 0 (more spread than even) counts as 0. NaN for a single
    resident. EstimateError for unknown columns, no item, fewer than two answer options, or answers further
    apart than that many options one step apart could be (points of 0-100 are no such answers).
    """
    require(frame, [*items, group])
    values = pd.DataFrame({item: numbers(frame, item) for item in items}, index=frame.index)
    _refuse_spread(values, answers)
    even = (answers**2 - 1) / 12
    whole = values.notna().all(axis="columns") & frame[group].notna()
    grouped = values[whole].groupby(frame.loc[whole, group], observed=True)
    variance = grouped.var(ddof=1).mean(axis="columns")
    J, share = len(items), variance / even
    rwg = (J * (1 - share) / (J * (1 - share) + share)).where(share <= 1, 0.0).where(variance.notna())
    told = pd.DataFrame({"n": grouped.size(), "mean_variance": variance, "rwg": rwg})
    return told.rename_axis("group").reset_index()


def _refuse_spread(values: pd.DataFrame, answers: int) -> None:
    faults = [] if values.shape[1] else ["no item; expected one at least"]
    if answers < 2:
        faults.append(f"answers = {answers}; expected how many answers each item offers, two or more")
    span = values.max() - values.min()
    faults += [
        f"answers to '{item}' lie {width:g} apart; {answers} answers lie at most {answers - 1} apart"
        for item, width in span.items()
        if width > answers - 1
    ]
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"Agreement cannot be held against an even spread of answers:\n{listed}")
