"""Coefficients and cuts of an ordered model as they are told: with interval, p, and what few clusters do to them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from cbresearch.estimate.models.ordered_doubt import Doubt
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

FEW = 5.0
"""Below so many degrees of freedom not even t and CR2 keep their level well."""
MANY = 40


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient, on the log odds of a higher answer, or one cut; p two-sided against zero, 95 % interval."""

    term: str
    estimate: float
    se: float
    df: float
    p: float
    low: float
    high: float

    @property
    def odds_ratio(self) -> float:
        """How many times the odds of a higher answer with one more of the term."""
        return math.exp(self.estimate)


def terms_of(names: Sequence[str], values: Floats, doubt: Doubt) -> tuple[Term, ...]:
    """Each parameter with t on its own degrees of freedom."""
    alone = np.eye(len(values))
    se, df = doubt.se(alone), doubt.df(alone)
    reach = stats.t.ppf(0.975, df) * se
    p = 2 * stats.t.sf(np.abs(values) / se, df)
    told = zip(names, values, se, df, p, values - reach, values + reach, strict=True)
    return tuple(Term(name, *map(float, numbers)) for name, *numbers in told)


def notes_on(terms: Sequence[Term], doubt: Doubt) -> list[Text]:
    """What few clusters do to the terms, by name."""
    notes = []
    if single := [one.term for one in terms if math.isnan(one.df)]:
        listed = ", ".join(single)
        notes.append(
            Text(
                f"{'、'.join(single)}只靠一个社区来估计，标准误无从得知。",
                f"{listed} rests on a single cluster, so its standard error cannot be had.",
            )
        )
    thin = [one.df for one in terms if one.df < FEW]
    if thin and doubt.kind == "CR2":
        notes.append(
            Text(
                f"{len(terms)}个系数中有{len(thin)}个实际上只靠很少几个社区（自由度最小为{min(thin):.1f}），其区间和p值只作参考。",
                f"{len(thin)} of {len(terms)} coefficients really rest on very few of the {doubt.clusters} clusters (as few as "
                f"{min(thin):.1f} degrees of freedom): take their interval and p as rough.",
            )
        )
    if doubt.kind in ("CR0", "CR1") and doubt.clusters is not None and doubt.clusters < MANY:
        notes.append(
            Text(
                f"只有{doubt.clusters}个社区时，{doubt.kind}的标准误偏小；应以CR2为准。",
                f"With {doubt.clusters} clusters the errors of {doubt.kind} are too small; CR2 is made for that.",
            )
        )
    return notes


def together(notes: Sequence[Text]) -> Text | None:
    """Several notes as one; None where there is nothing to say."""
    return Text("".join(one.zh for one in notes), " ".join(one.en for one in notes)) if notes else None
