"""What residents want of services and what they get: gaps, priorities, what matters for the whole, Kano classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from cbresearch.estimate.questions.common import (
    NO_OUTCOME,
    Told,
    chosen_wave,
    gate,
    headline,
    sampled_residents,
    sampling_design,
    unanswered,
    unit_of,
    untold,
)
from cbresearch.estimate.release import fact, release, release_facts
from cbresearch.measure.gaps import Pair, gaps
from cbresearch.measure.importance import relative_importance
from cbresearch.measure.kano import KanoItem, kano
from cbresearch.measure.priorities import Item, Place, importance_performance
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.study import POINTS, Pairs, Study

DRAWS = 2_000
NO_PAIRS = {
    "gap": Text("问卷没有成对询问期望和感受。", "The questionnaire does not ask for expectation and perception in pairs."),
    "importance": Text("问卷没有成对询问重要程度和满意程度。", "The questionnaire does not ask for importance and performance in pairs."),
    "kano": Text("问卷没有成对询问“有”和“没有”时的感受，无法作Kano分类。", "The questionnaire does not ask in pairs how residents would feel with and without a service, so there are no Kano classes."),
}  # fmt: skip
TOO_FEW_ITEMS = Text(
    "没有其他同类题目，无法比较各项服务对总体满意度的作用。",
    "There are no further items of its kind, so nothing can be said to matter more for the whole.",
)
QUADRANTS = ("concentrate", "keep_up", "low_priority", "overkill")


def gap_by_item(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """Perceived less expected, item by item, p_adjusted by Holm; measure: what was perceived; group: wave, ("gap", …)."""
    pairs = _pairs(study, "gap")
    if isinstance(pairs, Unanswered):
        return pairs
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    asked_of = frame["wave"] == chosen
    there = [pair for pair in pairs if _asked(frame[asked_of], pair)]
    if not there:
        return unanswered("gap_by_item", NO_PAIRS["gap"])
    found = gaps(
        frame, [Pair(second, first, second) for first, second in there], sampling_design(study),
        where=asked_of, unit=unit_of(study, there[0][1]),
    )  # fmt: skip
    group = (("wave", str(chosen)), ("gap", "perceived"))
    told = [replace(gap.estimate, group=group, p_adjusted=gap.p_holm) for gap in found.gaps]
    return release(sorted(told, key=lambda estimate: estimate.value), gate(study))


def priorities(study: Study, wave: int = 0) -> Told:
    """Where each service stands between importance and performance; measure: performance.

    Three kinds of record an item, group: wave, ("axis", "importance") and ("axis", "performance") in points,
    then ("axis", "probability") with ("quadrant", …), in percent of the redraws of communities.
    """
    pairs = _pairs(study, "importance")
    if isinstance(pairs, Unanswered):
        return untold(pairs)
    chosen = chosen_wave(study, wave)
    frame = _of_wave(study, chosen)
    items = [Item(second, second, first) for first, second in pairs if _asked(frame, (first, second))]
    if len(items) < 2:
        return untold(unanswered("priorities", NO_PAIRS["importance"]))
    found = importance_performance(
        frame, items, weights="weight", cluster=_cluster(study), draws=DRAWS, seed=study.file.study.seed,
        names=_names(study, [item.name for item in items]),
    )  # fmt: skip
    wave_part = ("wave", str(chosen))
    facts = [
        one
        for place in found.items
        if place.n >= study.minimum_cell
        for one in _placed(study, place, wave_part)
    ]
    return Told(release_facts(facts), found.sentence)


def _placed(study: Study, place: Place, wave: tuple[str, str]) -> list[Estimate]:
    at = [
        fact(place.item, getattr(place, axis), unit_of(study, place.item), (wave, ("axis", axis)), n=place.n)
        for axis in ("importance", "performance")
    ]
    chances = [
        fact(
            place.item, 100 * getattr(place, quadrant), "percent",
            (wave, ("axis", "probability"), ("quadrant", quadrant)), n=place.n,
        )
        for quadrant in QUADRANTS
    ]  # fmt: skip
    return [*at, *chances]


def what_matters(study: Study, wave: int = 0) -> Told:
    """Each service's share of what explains the headline (LMG), in percent of its variance; measure: the service.

    Group: wave, ("matters", "share"). The interval comes from resampling communities.
    """
    outcome = headline(study)
    if not outcome:
        return untold(unanswered("what_matters", NO_OUTCOME))
    chosen = chosen_wave(study, wave)
    frame = _of_wave(study, chosen)
    services = [study.measured(q) for q in study.codebook.with_role("outcome") if q.is_rated]
    there = [c for c in services if c != outcome and c in frame.columns and frame[c].notna().any()]
    if len(there) < 2:
        return untold(unanswered("what_matters", TOO_FEW_ITEMS))
    found = relative_importance(
        frame, outcome, there, weights="weight", cluster=_cluster(study), draws=DRAWS,
        seed=study.file.study.seed, names=_names(study, [outcome, *there]),
    )  # fmt: skip
    group = (("wave", str(chosen)), ("matters", "share"))
    facts = [
        replace(
            fact(one.driver, 100 * one.part, "percent", group, n=found.n, method=found.method),
            low=100 * one.low, high=100 * one.high, psus=found.clusters,
        )
        for one in sorted(found.drivers, key=lambda one: one.rank)
    ]  # fmt: skip
    return Told(release_facts(facts), found.sentence)


def kano_classes(study: Study, wave: int = 0) -> Told:
    """How often each service came out in the class that it has, in percent of redraws; group: wave, ("class", …)."""
    pairs = _pairs(study, "kano")
    if isinstance(pairs, Unanswered):
        return untold(pairs)
    chosen = chosen_wave(study, wave)
    frame = _of_wave(study, chosen)
    items = [
        KanoItem(first, first, second) for first, second in _codes(pairs) if _asked(frame, (first, second))
    ]
    if not items:
        return untold(unanswered("kano_classes", NO_PAIRS["kano"]))
    found = kano(
        frame, items, weights="weight", cluster=_cluster(study), draws=DRAWS, seed=study.file.study.seed,
        names=_names(study, [item.name for item in items]),
    )  # fmt: skip
    facts = [
        fact(
            one.item,
            100 * one.probability,
            "percent",
            (("wave", str(chosen)), ("class", one.category)),
            n=one.n,
        )
        for one in found.items
        if one.n >= study.minimum_cell
    ]
    return Told(release_facts(facts), found.sentence)


def _codes(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Kano's table is of the answers themselves, not of points."""
    return [(first.removesuffix(POINTS), second.removesuffix(POINTS)) for first, second in pairs]


def _pairs(study: Study, kind: str) -> list[tuple[str, str]] | Unanswered:
    """The columns of paired items in the study's unit, as study.toml pairs their scales."""
    told: list[Pairs] = [pair for pair in study.file.pairs if pair.kind == kind]
    if not told:
        return unanswered(kind, NO_PAIRS[kind])
    return [
        (study.measured(first), study.measured(second))
        for pair in told
        for first, second in zip(
            study.codebook.items(pair.first), study.codebook.items(pair.second), strict=True
        )
    ]


def _asked(frame: pd.DataFrame, pair: tuple[str, str]) -> bool:
    return all(column in frame.columns and frame[column].notna().any() for column in pair)


def _of_wave(study: Study, wave: int) -> pd.DataFrame:
    frame = sampled_residents(study)
    return frame[frame["wave"] == wave].reset_index(drop=True)


def _cluster(study: Study) -> str | None:
    """Communities are what is resampled; without them the clusters that were drawn."""
    return study.area or study.design.cluster


def _names(study: Study, columns: Sequence[str]) -> dict[str, Text]:
    return {column: study.label(column) for column in columns}
