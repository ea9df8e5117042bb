"""The policy's effect looked at in other ways: batch by batch, by other estimators, allowing for a trend apart.

`policy` has the answer; what is here is there for whoever doubts it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import replace

import pandas as pd

from cbresearch.estimate.policy.design import policy_design
from cbresearch.estimate.policy.event_study import event_study, interaction_weighted
from cbresearch.estimate.policy.imputation import imputation
from cbresearch.estimate.policy.smooth import smooth_bounds
from cbresearch.estimate.policy.two_by_two import two_by_two
from cbresearch.estimate.questions.common import gate, headline, unit_of
from cbresearch.estimate.questions.policy import ADOPTION, found_by_cohorts, path_of, policy_frame
from cbresearch.estimate.release import fact, release, release_facts
from cbresearch.records import Estimate, Released, Unanswered
from cbresearch.study import Study

BENDS = (0, 1, 2, 5)
Answer = list[Released] | Unanswered


def policy_pairs(study: Study) -> Answer:
    """Each cohort over the wave in which it was reached: its change, that of those not reached by then, the difference.

    Measure: the headline; group: ("term", "pair"), ("cohort", wave), ("side", "reached" | "not yet" | "difference").
    Two waves and two sides, means of residents; held back where one side has a single community.
    """
    frame = policy_frame(study)
    if isinstance(frame, Unanswered):
        return replace(frame, question="policy_pairs")
    assert study.area is not None
    design = policy_design(frame, community=study.area, wave="wave", adoption=ADOPTION)
    told: list[Released] = []
    for cohort in design.cohorts:
        before = design.waves[design.waves.index(cohort.wave) - 1]
        told += _pair(study, frame, before, cohort.wave)
    return told


def policy_paths(study: Study) -> Answer:
    """The effect by waves since the policy, by every method that tells it.

    Measure: the headline; group: ("term", "event"), ("event", "-2" | "0" …), ("method", "staggered" |
    "interaction-weighted" | "leads and lags" | "imputation"). Filling in has nothing to say of earlier waves.
    """
    frame = policy_frame(study)
    if isinstance(frame, Unanswered):
        return replace(frame, question="policy_paths")
    listed = sorted(_paths(study, frame), key=lambda estimate: int(dict(estimate.group)["event"]))
    return release(listed, gate(study))


def policy_bends(study: Study) -> Answer:
    """The mean effect over events should the trend apart have gone on, straight or bending; Rambachan and Roth's smoothness.

    Measure: the headline; group: ("term", "bends"), ("bend", "0" | "1" …): by how much the trend may turn from wave
    to wave, in the outcome's unit; last ("term", "survives bends"): up to which turn the finding stands.
    """
    made = path_of(study, "policy_bends")
    if isinstance(made, Unanswered):
        return made
    overall, path = made
    outcome, unit = headline(study), unit_of(study, headline(study))
    # of the size of the standard error, in steps that can be said: 1, 2, 5 points; 0.1, 0.2, 0.5 of a grade
    step = 10.0 ** math.floor(math.log10(overall.se)) if overall.se > 0 else 1.0
    found = smooth_bounds(path, bends=[bend * step for bend in BENDS])
    facts = [
        replace(
            # the middle of an interval of fixed length is the estimate with a straight trend taken out
            fact(outcome, (bound.low + bound.high) / 2, unit, (("term", "bends"), ("bend", f"{bound.allowed:g}")), n=overall.n, method=found.method),
            low=bound.low, high=bound.high, df=found.df, psus=overall.psus,
        )
        for bound in found.bounds
    ]  # fmt: skip
    survives = fact(
        outcome, found.breakdown, unit, (("term", "survives bends"),), n=overall.n, method=found.method
    )
    return release_facts([*facts, survives])


def _pair(study: Study, frame: pd.DataFrame, before: int, after: int) -> list[Released]:
    assert study.area is not None
    outcome = headline(study)
    unit, cohort = unit_of(study, outcome), (("term", "pair"), ("cohort", str(after)))
    both = frame[frame["wave"].isin([before, after])]
    judged = policy_design(both, community=study.area, wave="wave", adoption=ADOPTION)
    if judged.verdict == "refuse":
        return release_facts([fact(outcome, math.nan, unit, (*cohort, ("side", "difference")))])
    found = two_by_two(
        frame, outcome, community=study.area, wave="wave", adoption=ADOPTION, before=before, after=after,
        weights="weight", unit=unit, seed=study.file.study.seed,
    )  # fmt: skip
    changes = (
        ("reached", found.treated_after - found.treated_before),
        ("not yet", found.compared_after - found.compared_before),
    )
    sides = [
        fact(outcome, change, unit, (*cohort, ("side", side)), n=found.estimate.n) for side, change in changes
    ]
    difference = replace(found.estimate, group=(*cohort, ("side", "difference")))
    return [*release_facts(sides), *release([difference], gate(study))]


def _paths(study: Study, frame: pd.DataFrame) -> Iterator[Estimate]:
    """By each method in turn, its points in their order."""
    assert study.area is not None
    outcome, area = headline(study), study.area
    unit = unit_of(study, outcome)
    found = found_by_cohorts(study, frame)
    yield from _named("staggered", (effect.estimate for effect in found.of("event")))
    if found.design.never:
        weighted = interaction_weighted(
            frame, outcome, community=area, wave="wave", adoption=ADOPTION, weights="weight", unit=unit
        )
        yield from _named("interaction-weighted", (point.estimate for point in weighted.points))
    plain = event_study(
        frame, outcome, community=area, wave="wave", adoption=ADOPTION, weights="weight", unit=unit
    )
    yield from _named("leads and lags", (point.estimate for point in plain.points))
    filled = imputation(
        frame, outcome, community=area, wave="wave", adoption=ADOPTION, weights="weight", unit=unit
    )
    yield from _named("imputation", filled.by_event)


def _named(method: str, estimates: Iterable[Estimate]) -> Iterator[Estimate]:
    for estimate in estimates:
        yield replace(estimate, group=(*estimate.group, ("method", method)))
