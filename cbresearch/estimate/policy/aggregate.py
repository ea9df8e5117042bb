"""Effects by cohort and wave put together: over all, by cohort, by calendar wave, by waves since the start.

Callaway and Sant'Anna (2021), section 3; R: `did::aggte`. Shares of cohorts are estimates too, so they
have their own influence: without it the standard errors would be too small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from cbresearch.estimate.policy.group_time import Comparisons
from cbresearch.sampling.design import Floats, Ints

Aggregation = Literal[
    "cohort and wave", "overall", "cohort", "cohort average", "event", "event average", "calendar"
]


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A mean of some ATT(g, t), weighted by the cohorts' shares times `times`; what it is about, None for all."""

    aggregation: Aggregation
    members: Ints
    times: Floats
    cohort: int | None = None
    wave: int | None = None
    event: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Aggregates:
    """J aggregates with the influence (G x J) of each community on them."""

    parts: tuple[Part, ...]
    values: Floats
    influence: Floats


def parts_of(plan: Comparisons) -> tuple[Part, ...]:
    """Overall first: the mean over treated communities and waves; then each cohort, event and wave."""
    after = np.flatnonzero(plan.event >= 0)
    cohort, waves = plan.levels[plan.cohort], np.array(plan.waves)
    in_cohort = {g: after[cohort[after] == g] for g in np.unique(cohort[after])}
    found = [Part("overall", after, np.ones(len(after)))]
    found += [Part("cohort", k, np.ones(len(k)), cohort=int(waves[g])) for g, k in in_cohort.items()]
    members = np.concatenate(list(in_cohort.values()))
    each = np.concatenate([np.full(len(k), 1 / len(k)) for k in in_cohort.values()])
    found += [Part("cohort average", members, each)]
    for e in np.unique(plan.event):
        k = np.flatnonzero(plan.event == e)
        found.append(Part("event", k, np.ones(len(k)), event=int(e)))
    for t in np.unique(plan.wave[after]):
        k = after[plan.wave[after] == t]
        found.append(Part("calendar", k, np.ones(len(k)), wave=int(waves[t])))
    for i in range(len(cohort)):
        one = np.array([i])
        named = (int(waves[cohort[i]]), int(waves[plan.wave[i]]), int(plan.event[i]))
        found.append(Part("cohort and wave", one, np.ones(1), *named))
    return tuple(found)


def aggregate(plan: Comparisons, effects: Floats, influence: Floats, level: Ints, mass: Floats) -> Aggregates:
    """All parts from K effects and their influence (G x K); `level` (G) is each community's cohort.

    The event average is the plain mean of the events from the first wave under the policy on.
    """
    share = np.bincount(level, mass, len(plan.levels)) / mass.sum()
    # how each community moves the shares: G x C
    moved = mass[:, None] / mass.mean() * ((level[:, None] == np.arange(len(share))) - share)
    parts, values, columns = parts_of(plan), [], []
    for part in parts:
        row = plan.cohort[part.members]
        weight = part.times * share[row]
        value = float(weight @ effects[part.members] / weight.sum())
        own = influence[:, part.members] @ weight / weight.sum()
        apart = part.times * (effects[part.members] - value) / weight.sum()
        values.append(value)
        columns.append(own + moved[:, row] @ apart)
    after = [i for i, part in enumerate(parts) if part.event is not None and part.event >= 0 and part.aggregation == "event"]  # fmt: skip
    average = Part("event average", np.concatenate([parts[i].members for i in after]), np.ones(0))
    found = np.column_stack(columns)
    return Aggregates(
        (*parts, average),
        np.array([*values, np.mean([values[i] for i in after])]),
        np.column_stack([found, found[:, after].mean(axis=1)]),
    )


def overall(plan: Comparisons, effects: Floats, mass: Floats) -> Floats:
    """The overall effect alone, from effects (..., K) and the cohorts' mass (..., C)."""
    after = plan.event >= 0
    weight = mass[..., plan.cohort[after]]
    return np.asarray((weight * effects[..., after]).sum(axis=-1) / weight.sum(axis=-1))
