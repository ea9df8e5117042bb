"""What remains of a finding if communities would not have moved alike without the policy.

Rambachan and Roth (2023, Rev. Economic Studies 90): the departure may grow from wave to wave by up to M times
its largest step before. For each candidate of that largest step the bounds are sums of the path's
points, so the ends of the interval are the farthest of those sums' own t limits. It holds at 95 % whichever
step is the largest (union of Berger 1982, Technometrics 24) and is wider than their conditional test.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.policy.doubt import LEVEL
from cbresearch.estimate.policy.path import Path
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

GRID = (0.0, 0.5, 1.0, 1.5, 2.0)
FARTHEST = 100.0


@dataclass(frozen=True, slots=True)
class Bound:
    """For one `allowed` departure: the set of effects that the estimates leave, and its 95 % interval."""

    allowed: float
    set_low: float
    set_high: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class HonestBounds:
    """Bounds over a grid. `breakdown` is the largest departure at which the interval still leaves zero out,
    `breakdown_of_set` the same of the estimates without their doubt; 0 where zero is never left out, infinite
    where no departure tried brings it in.
    """

    target: str
    restriction: str
    value: float
    df: float
    bounds: tuple[Bound, ...]
    breakdown: float
    breakdown_of_set: float
    method: str
    sentence: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per departure allowed: allowed, set_low, set_high, low, high."""
        rows = [(b.allowed, b.set_low, b.set_high, b.low, b.high) for b in self.bounds]
        return pd.DataFrame(rows, columns=["allowed", "set_low", "set_high", "low", "high"])


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """What is bounded: `after` are its weights on the path's points, 0 on those before; `before` the places of
    the earlier points that have a standard error, in order; `df` that of the least sure point used.
    """

    name: str
    after: Floats
    before: list[int]
    df: float


def honest_bounds(
    path: Path, *, departures: Sequence[float] = GRID, event: int | None = None
) -> HonestBounds:
    """Bounds on the mean effect over all events since the start, or on one `event`, under relative magnitudes.

    `departures` are the M: how many times its largest step before a departure may step in each wave after.
    M = 0 allows none. EstimateError without an earlier point besides the base, for an unknown event, or for a negative M.
    """
    target = target_of(path, event)
    allow(departures)
    found = tuple(_bound(path, target, float(m)) for m in departures)
    value = float(target.after @ path.values)

    def ends(m: float) -> tuple[float, float]:
        bound = _bound(path, target, m)
        return bound.low, bound.high

    def ends_of_set(m: float) -> tuple[float, float]:
        bound = _bound(path, target, m)
        return bound.set_low, bound.set_high

    whole, of_set = breakdown(ends), breakdown(ends_of_set)
    return HonestBounds(
        target.name, "relative magnitudes", value, target.df, found, whole, of_set,
        "union of t limits over the largest earlier step", _sentence(whole, of_set),
    )  # fmt: skip


def target_of(path: Path, event: int | None) -> Target:
    """The mean over the events since the start, or one of them, with the earlier points to judge it by."""
    after, chosen = np.zeros(len(path.events)), path.after
    if event is not None:
        chosen = [i for i in path.after if path.events[i] == event]
        if not chosen:
            known = ", ".join(str(path.events[i]) for i in path.after)
            raise EstimateError(f"No event {event} since the start; the path has {known}.")
    after[chosen] = 1 / len(chosen)
    before = [i for i in path.before if path.variance[i, i] > 0]
    if not before:
        raise EstimateError(
            "The path has no earlier point besides the base, so nothing says how far communities moved apart before. "
            "At least one cohort must be seen twice before the policy."
        )
    name = "mean of events" if event is None else f"event {event}"
    return Target(name, after, before, float(path.df[[*chosen, *before]].min()))


def allow(departures: Sequence[float]) -> None:
    """EstimateError unless there are departures, none negative."""
    if not len(departures) or min(departures) < 0:
        raise EstimateError(f"departures={list(departures)}: expected numbers that are not negative.")


def _bound(path: Path, target: Target, m: float) -> Bound:
    steps = _steps(path, target)
    far = m * _leverage(path, target)
    # every sum that could be an end: the target and `far` times one earlier step, up or down
    ends = np.vstack([target.after + far * steps, target.after - far * steps])
    values = ends @ path.values
    used = np.flatnonzero((ends != 0).any(axis=0))
    se = np.sqrt(np.einsum("ij,jk,ik->i", ends[:, used], path.variance[np.ix_(used, used)], ends[:, used]))
    reach = float(stats.t.ppf(1 - LEVEL / 2, target.df)) * se
    return Bound(
        m, float(values.min()), float(values.max()), float((values - reach).min()), float((values + reach).max())
    )  # fmt: skip


def _steps(path: Path, target: Target) -> Floats:
    """One row per step between neighbouring earlier points, the last one to the base, which is zero."""
    rows = np.zeros((len(target.before), len(path.events)))
    events = [*(path.events[i] for i in target.before), -1]
    for row, i in enumerate(target.before):
        waves = events[row + 1] - events[row]
        rows[row, i] = -1 / waves
        if row + 1 < len(target.before):
            rows[row, target.before[row + 1]] = 1 / waves
    return rows


def _leverage(path: Path, target: Target) -> float:
    """What a step of 1 in every wave adds to the target, whose weights are not negative: t + 1 steps by event t."""
    return float(target.after @ (np.array(path.events) + 1.0))


def breakdown(ends: Callable[[float], tuple[float, float]]) -> float:
    """The largest departure at which zero is outside; ends must not move inwards as it grows. NaN without ends."""

    def outside(m: float) -> bool:
        low, high = ends(m)
        return low > 0 or high < 0

    if any(math.isnan(end) for end in ends(0.0)):
        return math.nan
    if not outside(0.0):
        return 0.0
    if outside(FARTHEST):
        return math.inf
    left, right = 0.0, FARTHEST
    for _ in range(30):
        middle = (left + right) / 2
        left, right = (middle, right) if outside(middle) else (left, middle)
    return left


def _sentence(whole: float, of_set: float) -> Text:
    if math.isnan(whole):
        return Text("误差无法估计，无从判断结论稳不稳。", "How far off the effect may be cannot be had, so neither can its bounds.")  # fmt: skip
    if not whole:
        return Text(
            f"即使没有政策时各社区走势完全一致，这些数据也看不出作用。不计误差、只看估计值，也要每轮的偏离不超过此前最大一步的{of_set:.2g}倍，方向才不变。",
            f"Even had communities moved alike without the policy, these data show no effect; its doubt aside, the estimate keeps its sign up to departures of {of_set:.2g} times the largest step before.",
        )
    if math.isinf(whole):
        return Text(
            f"试过的偏离，最大到此前最大一步的{FARTHEST:g}倍，都推翻不了结论。",
            f"No departure that was tried undoes the finding, up to {FARTHEST:g} times the largest step before.",
        )
    return Text(
        f"只要每轮的偏离不超过此前最大一步的{whole:.2g}倍，结论就成立。",
        f"The finding survives departures up to {whole:.2g} times the largest step before.",
    )
