"""Whether communities moved alike before, and whether these data could have shown it had they not.

A test that is not significant proves nothing when it would have missed a trend as large as the effect: Roth
(2022, American Economic Review: Insights 4). So the slope that would have been seen is always told.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from cbresearch.estimate.policy.doubt import LEVEL
from cbresearch.estimate.policy.path import Path
from cbresearch.estimate.policy.wording import said
from cbresearch.records import Text
from cbresearch.sampling.design import Floats
from cbresearch.sampling.wald import wald


@dataclass(frozen=True, slots=True)
class PreTrend:
    """F of all earlier effects being zero, on `df1` and `df2`; NaN with the reason in `method` where there is none.

    `slope_half` and `slope_most` are the straight trends per wave that this test would see with 50 % and
    80 % power; `last` is the last event, to which such a trend would have grown. `communities` treated ones were seen
    early enough to bear on it.
    """

    events: tuple[int, ...]
    F: float
    df1: int
    df2: float
    p: float
    slope_half: float
    slope_most: float
    last: int
    communities: int
    method: str
    sentence: Text


def pretrend(path: Path) -> PreTrend:
    """Test the earlier points of a path all at once, with the power of the test.

    Hotelling's T² on `path.df_before` degrees of freedom, with CR2 clubSandwich's HTZ. The power is against
    departures growing by the same step in each wave, by the noncentral F. Points that have no standard error are left out.
    """
    with_doubt = [i for i in path.before if path.variance[i, i] > 0]
    events = tuple(path.events[i] for i in with_doubt)
    last = max((path.events[i] for i in path.after), default=0)
    if not events:
        why = Text(
            "享受政策之前没有可供比较的更早轮次，此前走势是否一致无从检验。",
            "No earlier waves to compare, so nothing tests that communities moved alike before.",
        )
        nan = math.nan
        return PreTrend((), nan, 0, nan, nan, nan, nan, last, 0, "no test: no earlier points", why)
    values, variance = path.values[with_doubt], path.variance[np.ix_(with_doubt, with_doubt)]
    terms = tuple(str(event) for event in events)
    tested = wald(terms, values, variance, path.df_before, "adjusted F")
    communities = max(path.communities[i] for i in with_doubt)
    half, most = (
        _slope(np.array(events) + 1.0, variance, tested.df2, power) if not math.isnan(tested.p) else math.nan
        for power in (0.5, 0.8)
    )
    return PreTrend(
        events, tested.statistic, tested.df1, tested.df2, tested.p, half, most, last, communities,
        tested.method, _sentence(tested.p, most, last, communities),
    )  # fmt: skip


def power(slope: float, steps: Floats, variance: Floats, df2: float) -> float:
    """The chance (0-1) that the joint test sees a trend of `slope` per wave in points `steps` waves from the base."""
    away = slope**2 * float(steps @ np.linalg.solve(variance, steps))
    return _seen(away, len(steps), df2)


def _seen(away: float, q: int, df2: float) -> float:
    # scipy's ncf.sf is wrong at a noncentrality of exactly 0 (it gives -0.95 for 0.05)
    point = float(special.fdtri(q, df2, 1 - LEVEL))
    below = float(special.ncfdtr(q, df2, away, point))
    if math.isnan(below):
        # from about 1,400 on it gives up; Patnaik (1949, Biometrika 36) is as good as exact there
        below = float(special.fdtr((q + away) ** 2 / (q + 2 * away), df2, point * q / (q + away)))
    return 1 - below


def _slope(steps: Floats, variance: Floats, df2: float, wanted: float) -> float:
    """The slope for which `power` is `wanted`."""
    q, far = len(steps), 1.0
    while _seen(far, q, df2) < wanted:
        far *= 2
    away = float(optimize.brentq(lambda x: _seen(x, q, df2) - wanted, 0.0, far, xtol=1e-12, rtol=1e-12))
    return math.sqrt(away / float(steps @ np.linalg.solve(variance, steps)))


def _sentence(p: float, slope: float, last: int, communities: int) -> Text:
    if math.isnan(p):
        return Text(
            "更早轮次的差别误差无法估计，此前走势是否一致无从检验。",
            "How far off the earlier differences may be cannot be had, so nothing tests that communities moved alike before.",
        )
    seen = (
        Text(
            f"享受政策之前走势就不一致（{said(p)}）。",
            f"Communities moved apart before the policy ({said(p)}).",
        )
        if p < LEVEL
        else Text(
            f"没有看出享受政策之前走势不一致（{said(p)}），但这不等于一致。",
            f"No moving apart was seen before the policy ({said(p)}), which is not to say that there was none.",
        )
    )
    return Text(
        f"{seen.zh}能看到更早情况的有{communities}个社区；每轮偏离{slope:.2g}才有八成把握看出来，"
        f"这样的偏离到最后一轮会累积成{slope * (last + 1):.2g}的虚假作用。",
        f"{seen.en} {communities} treated communities were seen early enough; a trend of {slope:.2g} a wave would have been "
        f"seen four times in five, and would by the last wave look like an effect of {slope * (last + 1):.2g}.",
    )
