"""The policy's effect where it came to some communities earlier than to others.

Callaway and Sant'Anna (2021): no treated community ever serves as a control, so effects that grow or
differ by cohort do no harm, which they do to two-way fixed effects (Goodman-Bacon 2021, J. of Econometrics
225). Doubt is told twice: by t from the communities' influences, and by dealing the dates anew.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.estimate.policy.aggregate import Aggregates, Aggregation, Part, aggregate, overall
from cbresearch.estimate.policy.bands import Multiplier, critical_value, in_t
from cbresearch.estimate.policy.dates import DealtDates, Statistic, deal_dates
from cbresearch.estimate.policy.design import PolicyDesign
from cbresearch.estimate.policy.doubt import Doubt, detectable, doubt, interval
from cbresearch.estimate.policy.group_time import (
    Base,
    Compared,
    Comparisons,
    by_cohort,
    comparisons,
    effects_of,
    influence_of,
)
from cbresearch.estimate.policy.observed import Cells, cells, observe
from cbresearch.estimate.policy.path import Path
from cbresearch.estimate.policy.wording import of_effect
from cbresearch.records import Estimate, Text
from cbresearch.sampling.design import Floats, Ints


@dataclass(frozen=True, slots=True)
class PolicyEffect:
    """One effect of the policy; `cohort`, `wave` and `event` (waves since the start) say of whom and when.

    `estimate` has the small-sample standard error; `se_plain` is the one without correction, as in R's `did`.
    The band covers all cohorts and waves, or all events, at once; NaN for other aggregates.
    """

    aggregation: Aggregation
    cohort: int | None
    wave: int | None
    event: int | None
    estimate: Estimate
    se_plain: float
    band_low: float
    band_high: float
    communities: int
    """Treated ones behind it."""


@dataclass(frozen=True, slots=True, eq=False)
class Staggered:
    """All effects, the overall one first; `dealt` tests that one by dealing the dates anew.

    `smallest_effect` overall would have been seen four times in five. `path` is the effect by events, None
    with a varying base, whose earlier points are steps from wave to wave.
    """

    outcome: str
    compared: Compared
    base: Base
    design: PolicyDesign
    effects: tuple[PolicyEffect, ...]
    dealt: DealtDates
    smallest_effect: float
    path: Path | None
    sentence: Text
    note: Text

    @property
    def overall(self) -> PolicyEffect:
        """The mean effect over treated communities and the waves since they were reached."""
        return self.effects[0]

    def of(self, aggregation: Aggregation) -> list[PolicyEffect]:
        return [effect for effect in self.effects if effect.aggregation == aggregation]

    @property
    def table(self) -> pd.DataFrame:
        """A row per effect; cohort, wave and event are missing where the effect is not of one."""
        rows = [
            (
                e.aggregation, e.cohort, e.wave, e.event, e.estimate.value, e.estimate.se, e.estimate.df,
                e.estimate.low, e.estimate.high, e.estimate.p, e.band_low, e.band_high, e.se_plain, e.communities,
            )
            for e in self.effects
        ]  # fmt: skip
        columns = [
            "aggregation", "cohort", "wave", "event", "estimate", "se", "df", "low", "high", "p",
            "band_low", "band_high", "se_plain", "communities",
        ]  # fmt: skip
        return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(("cohort", "wave", "event"), "Int64"))


def staggered(
    frame: pd.DataFrame, outcome: str, *, community: str, wave: str, adoption: str,
    weights: str | None = None, controls: Sequence[str] = (), compared: Compared = "not yet",
    base: Base = "universal", count_residents: bool = False, unit: str = "as asked",
    multiplier: Multiplier = "Webb", draws: int = 9_999, seed: int = 1,
) -> Staggered:  # fmt: skip
    """Group-time effects with their aggregates (overall, cohort, event, calendar), in units of the outcome.

    `frame` has a row per resident (repeated cross-sections) or per community and wave; `adoption` is the
    first wave under the policy, missing for never. Rows are first made means of community and wave, by `weights`;
    `controls` of residents make those means comparable (see `cells`). `compared` and `base` as in
    `comparisons`; each community counts alike, or with `count_residents` as its weights add up. Rows with a
    missing outcome or control, communities not seen in every wave and those reached by the first one are left out.
    Standard errors: influence functions with those of the cohorts' shares, t by Welch and Satterthwaite.
    EstimateError for columns missing or unfit, and for a design that `policy_design` refuses. R: `did`.
    """
    rows = observe(
        frame, outcome, community=community, wave=wave, adoption=adoption, weights=weights, controls=controls
    )
    made = cells(rows, count_residents=count_residents)
    plan = comparisons(made, compared, base)
    level = np.searchsorted(plan.levels, made.first)
    effects = effects_of(plan, *by_cohort(made, plan.levels))
    found = aggregate(plan, effects, influence_of(plan, made), level, made.mass)
    known = doubt(found.influence, level, _alone(plan, found, level))
    listed = _effects(found, known, plan, level, outcome, unit, len(rows.y), multiplier, draws, seed)
    dealt = _dealt(made, plan, level, draws, seed)
    first = listed[0].estimate
    smallest = detectable(first.se, first.df)
    path = _path(found, known, listed) if base == "universal" else None
    return Staggered(
        outcome, compared, base, rows.design, listed, dealt, smallest, path,
        of_effect(first, dealt, smallest), rows.design.note,
    )  # fmt: skip


def _effects(
    found: Aggregates, known: Doubt, plan: Comparisons, level: Ints, outcome: str, unit: str, n: int,
    multiplier: Multiplier, draws: int, seed: int,
) -> tuple[PolicyEffect, ...]:  # fmt: skip
    reach = np.full(len(found.parts), np.nan)
    for kind in ("cohort and wave", "event"):
        mine = np.array([part.aggregation == kind for part in found.parts])
        many = critical_value(found.influence[:, mine], multiplier=multiplier, draws=draws, seed=seed)
        reach[mine] = many
    made = []
    for j, part in enumerate(found.parts):
        value, se, df = float(found.values[j]), float(known.se[j]), float(known.df[j])
        t = interval(value, se, df)
        far = se * in_t(reach[j], df)
        estimate = Estimate(
            outcome, value, se, df, t.low, t.high, n, len(level), unit, _group(part), "Callaway-Sant'Anna", t.p
        )  # fmt: skip
        treated = int(np.isin(level, plan.cohort[part.members]).sum())
        made.append(
            PolicyEffect(
                part.aggregation, part.cohort, part.wave, part.event, estimate, float(known.plain[j]),
                value - far, value + far, treated,
            )
        )  # fmt: skip
    return tuple(made)


def _group(part: Part) -> tuple[tuple[str, str], ...]:
    named = (("cohort", part.cohort), ("wave", part.wave), ("event", part.event))
    return (("term", part.aggregation), *((key, str(code)) for key, code in named if code is not None))


def _alone(plan: Comparisons, found: Aggregates, level: Ints) -> NDArray[np.bool_]:
    """Parts in which a single community is all that is treated, or all that is compared with."""
    size = np.bincount(level, minlength=len(plan.levels))
    single = (size[plan.cohort] == 1) | (plan.controls @ size == 1)
    return np.array([bool(single[part.members].any()) for part in found.parts])


def _dealt(made: Cells, plan: Comparisons, level: Ints, draws: int, seed: int) -> DealtDates:
    treatment = (np.arange(len(made.waves)) >= made.first[:, None]).astype(np.float64)

    def of(values: Floats) -> Statistic:
        weighted = values * made.mass[:, None]

        def estimate(dealt: Ints) -> Floats:
            member = (dealt[:, None, :] == np.arange(len(plan.levels))[:, None]).astype(np.float64)
            mass = member @ made.mass
            return overall(plan, effects_of(plan, member @ weighted / mass[..., None], mass), mass)

        return estimate

    return deal_dates(level, of(made.means), of(treatment), draws=draws, seed=seed)


def _path(found: Aggregates, known: Doubt, listed: Sequence[PolicyEffect]) -> Path:
    events = [j for j, part in enumerate(found.parts) if part.aggregation == "event"]
    before = [known.df[j] for j in events if (found.parts[j].event or 0) < 0]
    return Path(
        tuple(int(found.parts[j].event or 0) for j in events), found.values[events],
        known.variance[np.ix_(events, events)], known.df[events], float(min(before, default=math.nan)),
        tuple(listed[j].communities for j in events), "Callaway-Sant'Anna",
    )  # fmt: skip
