"""The effect wave by wave before and since the policy, by regression on indicators of community and wave.

Two ways: plain leads and lags, which mix cohorts when dates differ, and the interaction-weighted one of Sun and
Abraham (2021, J. of Econometrics 225), which estimates each cohort's path first and then averages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.joint import joint_test
from cbresearch.estimate.clusters.linear import Fit
from cbresearch.estimate.policy.design import PolicyDesign
from cbresearch.estimate.policy.doubt import detectable, interval
from cbresearch.estimate.policy.fixed_effects import combined, two_way_fit
from cbresearch.estimate.policy.observed import Observed, observe
from cbresearch.estimate.policy.path import Path
from cbresearch.estimate.policy.pretrends import PreTrend, pretrend
from cbresearch.records import Estimate, Text
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True)
class EventPoint:
    """The effect `event` waves since the start; before it, what should be zero. -1 is the base."""

    event: int
    estimate: Estimate
    communities: int
    smallest_effect: float


@dataclass(frozen=True, slots=True, eq=False)
class EventStudy:
    """Points in order of events, with the test of the earlier ones."""

    outcome: str
    method: str
    points: tuple[EventPoint, ...]
    path: Path
    pretrend: PreTrend
    design: PolicyDesign
    note: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per event: event, estimate, se, df, low, high, p, communities."""
        rows = [
            (x.event, e.value, e.se, e.df, e.low, e.high, e.p, x.communities)
            for x in self.points
            for e in (x.estimate,)
        ]
        return pd.DataFrame(
            rows, columns=["event", "estimate", "se", "df", "low", "high", "p", "communities"]
        )


def event_study(
    frame: pd.DataFrame, outcome: str, *, community: str, wave: str, adoption: str,
    weights: str | None = None, controls: Sequence[str] = (), unit: str = "as asked",
) -> EventStudy:  # fmt: skip
    """Leads and lags in one regression; every wave since the start but -1 has its coefficient, CR2 by community.

    Rows as in `two_by_two`, of all waves. Where no community was never reached, the earliest lead is a second
    base (Borusyak, Jaravel and Spiess 2024, Rev. Economic Studies), so that a straight trend cannot be seen.
    """
    rows = observe(
        frame, outcome, community=community, wave=wave, adoption=adoption, weights=weights, controls=controls
    )
    since = _since(rows)
    events = [int(e) for e in np.unique(since[np.isfinite(since)]) if e != -1]
    note = rows.design.note
    if not rows.design.never:
        events, note = _second_base(events, note)
    fit = two_way_fit(rows, np.asarray((since[:, None] == np.array(events)).astype(np.float64)))
    return _study(rows, fit, events, np.eye(len(events)), "two-way fixed effects", unit, note)


def interaction_weighted(
    frame: pd.DataFrame, outcome: str, *, community: str, wave: str, adoption: str,
    weights: str | None = None, controls: Sequence[str] = (), unit: str = "as asked",
) -> EventStudy:  # fmt: skip
    """Each cohort's own path against the never reached, averaged by the cohorts' numbers of communities.

    Rows as in `event_study`. The shares of cohorts are taken as known; `staggered` reckons with their doubt.
    EstimateError where no community was never reached. R: `fixest::sunab`.
    """
    rows = observe(
        frame, outcome, community=community, wave=wave, adoption=adoption, weights=weights, controls=controls
    )
    if not rows.design.never:
        raise EstimateError(
            "No community was never reached, so cohorts have no path to be held against; "
            "use staggered(compared='not yet')."
        )
    T = len(rows.waves)
    pairs = [(g, t) for g in np.unique(rows.first) if g < T for t in range(T) if t != g - 1]
    first = rows.first[rows.community]
    terms = np.column_stack([(first == g) & (rows.wave == t) for g, t in pairs]).astype(np.float64)
    since = np.array([t - g for g, t in pairs])
    size = np.array([(rows.first == g).sum() for g, _ in pairs], dtype=np.float64)
    events = [int(e) for e in np.unique(since)]
    share = (since == np.array(events)[:, None]) * size
    fit = two_way_fit(rows, terms)
    weighted = share / share.sum(axis=1, keepdims=True)
    return _study(rows, fit, events, weighted, "Sun-Abraham", unit, rows.design.note)


def _study(
    rows: Observed, fit: Fit, events: list[int], weights: Floats, method: str, unit: str, note: Text
) -> EventStudy:
    found = combined(fit, weights)
    since = np.arange(len(rows.waves)) - rows.first[rows.first < len(rows.waves), None]
    communities = tuple(int((since == event).sum()) for event in events)
    se = np.sqrt(np.diag(found.variance))
    points = []
    for j, event in enumerate(events):
        value, doubt, df = float(found.values[j]), float(se[j]), float(found.df[j])
        t = interval(value, doubt, df)
        estimate = Estimate(
            rows.outcome, value, doubt, df, t.low, t.high, len(rows.y), len(rows.communities), unit,
            (("term", "event"), ("event", str(event))), f"{method}, CR2", t.p,
        )  # fmt: skip
        points.append(EventPoint(event, estimate, communities[j], detectable(doubt, df)))
    df_before = _df_before(fit, weights[[j for j, event in enumerate(events) if event < -1]])
    path = Path(tuple(events), found.values, found.variance, found.df, df_before, communities, method)
    return EventStudy(rows.outcome, method, tuple(points), path, pretrend(path), rows.design, note)


def _df_before(fit: Fit, weights: Floats) -> float:
    """Of HTZ for all leads at once: F's second degrees of freedom and as many as there are restrictions, less 1."""
    if not len(weights):
        return float("nan")
    q, k = weights.shape
    C = np.hstack([weights, np.zeros((q, fit.X.shape[1] - k))])
    return float(joint_test(fit, C).df + q - 1)


def _since(rows: Observed) -> Floats:
    """Waves since the start of each row's community; NaN for the never reached."""
    first = rows.first[rows.community]
    return np.where(first < len(rows.waves), rows.wave - first, np.nan)


def _second_base(events: list[int], note: Text) -> tuple[list[int], Text]:
    # some cohort came later than another, or nothing would compare: there is a lead before the base
    said = Text(
        f"没有始终未享受政策的社区，提前{-min(events)}轮也被定为零，因此看不出直线走势的差别。",
        f"No community was never reached, so {-min(events)} waves before is set to zero as well, and a straight trend apart cannot be seen.",
    )
    return [event for event in events if event != min(events)], Text(
        note.zh + said.zh, f"{note.en} {said.en}"
    )
