"""What remains of a finding if the trend apart went on, but could bend.

Rambachan and Roth (2023), smoothness: from wave to wave the slope of the departure may change by at most M; M = 0
is a straight trend apart, of any slope. The interval is the shortest of fixed length around a sum of the path's
points (Armstrong and Kolesár 2018, Econometrica 86). Whatever sum the search ends at, the interval is valid.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, special

from cbresearch.estimate.policy.doubt import LEVEL
from cbresearch.estimate.policy.honest import Bound, HonestBounds, Target, allow, breakdown, target_of
from cbresearch.estimate.policy.path import Path
from cbresearch.records import Text
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """The points used (earlier ones first): values, variance, `steps` from the base, and the target's weights.

    A departure is `steps` times a slope plus `bends` times as many changes of slope as columns.
    """

    values: Floats
    variance: Floats
    steps: Floats
    bends: Floats
    weights: Floats
    earlier: int
    df: float


def smooth_bounds(path: Path, *, bends: Sequence[float], event: int | None = None) -> HonestBounds:
    """Bounds when the slope of the departure changes by at most each of `bends` (units of the outcome) per wave.

    Target and errors as in `honest_bounds`. The set is NaN where the earlier points bend by more than is allowed.
    `breakdown` is in units of the outcome; its doubt is that of t, so that small samples widen the interval.
    """
    target = target_of(path, event)
    allow(bends)
    problem = _problem(path, target)
    value = float(target.after @ path.values)
    found = tuple(_bound(problem, float(m)) for m in bends)
    scale = math.sqrt(float(problem.weights @ problem.variance @ problem.weights)) or 1.0
    # bends are in the outcome's unit, breakdown() looks from 0 to 100: one standard error is its unit
    whole = scale * breakdown(lambda m: _interval(problem, m * scale))
    return HonestBounds(
        target.name, "smoothness", value, target.df, found, whole, math.nan,
        "shortest interval of fixed length", _sentence(whole),
    )  # fmt: skip


def _problem(path: Path, target: Target) -> Problem:
    used = [*target.before, *np.flatnonzero(target.after)]
    events = np.array(path.events)[used]
    return Problem(
        path.values[used], path.variance[np.ix_(used, used)], events + 1.0, _bends(events),
        target.after[used], len(target.before), target.df,
    )  # fmt: skip


def _bends(events: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Floats:
    """Departures at `events` for a bend of 1 in each wave, the base at zero and no slope from the base on."""
    waves = np.arange(events.min(), events.max() + 1)
    base = int(-1 - events.min())
    second = np.diff(np.eye(len(waves)), n=2, axis=0)
    fixed = np.zeros((2, len(waves)))
    fixed[0, base] = fixed[1, base + 1] = 1.0
    fixed[1, base] = -1.0
    departures = np.linalg.inv(np.vstack([second, fixed]))[:, : len(second)]
    return np.asarray(departures[events - events.min()])


def _bound(problem: Problem, m: float) -> Bound:
    low, high = _interval(problem, m)
    set_low, set_high = (_end(problem, m, sign) for sign in (-1.0, 1.0))
    return Bound(m, set_low, set_high, low, high)


def _end(problem: Problem, m: float, sign: float) -> float:
    """One end of the set: the departure that fits the earlier points and takes most from the target."""
    model = np.column_stack([problem.bends, problem.steps])
    early = slice(0, problem.earlier)
    taken = problem.weights @ model
    found = optimize.linprog(
        sign * taken, A_eq=model[early], b_eq=problem.values[early],
        bounds=[(-m, m)] * problem.bends.shape[1] + [(None, None)], method="highs",
    )  # fmt: skip
    # infeasible (status 2): the earlier points bend by more than m
    return float(problem.weights @ problem.values - sign * found.fun) if found.success else math.nan


def _interval(problem: Problem, m: float) -> tuple[float, float]:
    """Around target + sum of earlier points, chosen so that no straight trend can bias it."""
    if not np.isfinite(problem.variance).all():
        return math.nan, math.nan
    k = problem.earlier
    steps = problem.steps[:k]
    drift = float(problem.weights @ problem.steps)
    start = _least_variance(problem, drift)
    free = linalg.null_space(steps[None, :])

    def whole(move: Floats) -> Floats:
        weights = problem.weights.copy()
        weights[:k] = start + free @ move
        return weights

    def reach(move: Floats) -> float:
        weights = whole(move)
        se = math.sqrt(float(weights @ problem.variance @ weights))
        return _reach(m * float(np.abs(problem.bends.T @ weights).sum()), se, problem.df)

    move = np.zeros(k - 1)
    if k > 1:
        move = optimize.minimize(reach, move, method="Nelder-Mead", options={"xatol": 1e-6, "fatol": 1e-8}).x
    centre, half = float(whole(move) @ problem.values), reach(move)
    return centre - half, centre + half


def _least_variance(problem: Problem, drift: float) -> Floats:
    """Weights of the earlier points that take out any straight trend with least variance."""
    k = problem.earlier
    V, steps = problem.variance[:k, :k], problem.steps[:k]
    # minimise (v + V^-1 c)' V (v + V^-1 c) subject to steps'v = -drift, c the covariance with the target
    pulled = np.linalg.solve(V, problem.variance[:k, k:] @ problem.weights[k:])
    direction = np.linalg.solve(V, steps)
    return np.asarray(-pulled + direction * (steps @ pulled - drift) / (steps @ direction))


def _reach(bias: float, se: float, df: float) -> float:
    """Half the length: the 95 % point of |bias + se T|, T of Student's t; it only grows with the bias."""
    if se == 0 or not df > 0:
        return bias if se == 0 else math.nan
    away, one_sided = bias / se, float(special.stdtrit(df, 1 - LEVEL))
    two_sided = float(special.stdtrit(df, 1 - LEVEL / 2))

    def beyond(point: float) -> float:
        return float(special.stdtr(df, away - point) + special.stdtr(df, -away - point)) - LEVEL

    # the far tail takes from nothing up to half of what may be missed
    low, high = max(two_sided, away + one_sided), away + two_sided + 1.0
    return se * (low if beyond(low) <= 0 else float(optimize.brentq(beyond, low, high, xtol=1e-10)))


def _sentence(whole: float) -> Text:
    if math.isnan(whole):
        return Text("误差无法估计，无从判断结论稳不稳。", "How far off the effect may be cannot be had, so neither can its bounds.")  # fmt: skip
    if not whole:
        return Text(
            "如果此前的走势差别会直线延续下去，这些数据就看不出作用。",
            "If the trend apart before went on in a straight line, these data show no effect.",
        )
    if math.isinf(whole):
        return Text(
            "扣除此前直线走势的差别后结论仍成立，试过的转折都推翻不了。",
            "The finding survives the trend apart going on in a straight line, and every bend that was tried.",
        )
    return Text(
        f"扣除此前直线走势的差别后结论仍成立，每轮走势的转折最多可到{whole:.2g}。",
        f"The finding survives the trend apart going on in a straight line, and bending by up to {whole:.2g} a wave.",
    )
