"""Were the dates dealt anew among the communities, how often would they tell as much as the real ones?

Randomisation inference (Fisher 1935; MacKinnon and Webb 2020, J. of Econometrics 218). It leans on no
normality, only on the null that dates change nothing and could have fallen to any community alike.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from cbresearch.estimate.policy.doubt import LEVEL
from cbresearch.sampling.design import Floats, Ints

FARTHEST = 60
CHUNK = 1_000

Statistic = Callable[[Ints], Floats]
"""From dealt cohorts (D x G) to what each deal would have estimated (D)."""


@dataclass(frozen=True, slots=True)
class DealtDates:
    """`p` of no effect; `low` and `high` are the constant effects not rejected at 5 % (NaN where without end).

    `exact` when every deal was visited, else `deals` were drawn and the real one counts among them.
    """

    p: float
    low: float
    high: float
    deals: int
    exact: bool


def deal_dates(
    cohort: Ints, of_outcome: Statistic, of_treatment: Statistic, *, draws: int = 9_999, seed: int = 1
) -> DealtDates:
    """Deal the cohorts (G labels) anew, sizes kept, all ways where there are no more than `draws` of them.

    `of_outcome` is the estimate for dealt cohorts, `of_treatment` the same estimator with the treatment
    itself for an outcome: a constant effect r would leave of_outcome - r of_treatment, which gives the interval.
    """
    dealt, exact = deals(cohort, draws, seed)
    parts = [slice(i, i + CHUNK) for i in range(0, len(dealt), CHUNK)]
    y = np.concatenate([of_outcome(dealt[part]) for part in parts])
    d = np.concatenate([of_treatment(dealt[part]) for part in parts])
    found, unit = (float(of(cohort[None, :])[0]) for of in (of_outcome, of_treatment))

    def p(null: float) -> float:
        real = abs(found - null * unit)
        extreme = int((np.abs(y - null * d) >= real - 1e-9 * max(1.0, abs(found))).sum())
        return extreme / len(y) if exact else (1 + extreme) / (1 + len(y))

    centre, step = found / unit, float(np.std(y))
    low, high = (_edge(p, centre, sign * step) for sign in (-1, 1)) if step > 0 else (math.nan, math.nan)
    return DealtDates(p(0.0), low, high, len(dealt), exact)


def deals(cohort: Ints, draws: int, seed: int) -> tuple[Ints, bool]:
    """D x G cohorts dealt anew, and whether these are all the ways there are."""
    _, sizes = np.unique(cohort, return_counts=True)
    ways = math.factorial(len(cohort)) // math.prod(math.factorial(int(n)) for n in sizes)
    if ways <= draws:
        return np.array(list(_every(cohort))), True
    rng = np.random.default_rng(seed)
    return rng.permuted(np.tile(cohort, (draws, 1)), axis=1), False


def _every(cohort: Ints) -> Iterator[Ints]:
    first, *others = np.unique(cohort)
    if not others:
        yield np.full(len(cohort), first)
        return
    rest = cohort[cohort != first]
    for chosen in combinations(range(len(cohort)), len(cohort) - len(rest)):
        left = np.setdiff1d(np.arange(len(cohort)), chosen)
        for below in _every(rest):
            whole = np.full(len(cohort), first)
            whole[left] = below
            yield whole


def _edge(p: Callable[[float], float], centre: float, step: float) -> float:
    """Where p falls to the level, outwards from the centre; NaN where it never does."""
    inside, outside = centre, centre + step
    while p(outside) > LEVEL:
        inside, outside = outside, outside + step
        if abs(outside - centre) > FARTHEST * abs(step):
            return math.nan
    for _ in range(30):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p(middle) > LEVEL else (inside, middle)
    return (inside + outside) / 2
