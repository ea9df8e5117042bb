"""What residents want of services and what they get: gaps, priorities, what matters for the whole, Kano classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from cbresearch.estimate.disclosure import too_few
from cbresearch.estimate.questions.common import (
    NO_OUTCOME,
    Told,
    chosen_wave,
    gate,
    headline,
    joined,
    sampled_residents,
    sampling_design,
    unanswered,
    unit_of,
    untold,
)
from cbresearch.estimate.release import fact, release, release_facts, ruled
from cbresearch.measure.gaps import Pair, gaps
from cbresearch.measure.importance import MOST_DRIVERS, Method, RelativeImportance, relative_importance
from cbresearch.measure.kano import KanoItem, kano
from cbresearch.measure.priorities import (
    SURE,
    Item,
    Place,
    Priorities,
    derived_importance_performance,
    importance_performance,
)
from cbresearch.measure.wording import listed
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.study import POINTS, Pairs, Study

DRAWS = 2_000
LEAST_COMPLETE = 100
"""Residents who answered everything, below whom what matters is noise."""
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
    """Perceived less expected, item by item, p_adjusted by Holm; measure: what was expected; group: wave, ("gap", …).

    Named after the expectation, since perception is the one that may be asked the other way round.
    """
    pairs = _pairs(study, "gap")
    if isinstance(pairs, Unanswered):
        return pairs
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    asked_of = frame["wave"] == chosen
    there = [pair for pair in pairs if _answered(frame[asked_of], pair)]
    if not there:
        return unanswered("gap_by_item", NO_PAIRS["gap"])
    found = gaps(
        frame, [Pair(first, first, second) for first, second in there], sampling_design(study),
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
    there, few = _enough(study, frame, pairs)
    if len(there) < 2:
        return untold(unanswered("priorities", NO_PAIRS["importance"]))
    found = importance_performance(
        frame, [Item(second, second, first) for first, second in there], weights="weight",
        cluster=_cluster(study, frame), draws=DRAWS, seed=study.file.study.seed, names=_names(study, [p for _, p in there]),
    )  # fmt: skip
    wave_part = ("wave", str(chosen))
    facts = [one for place in found.items for one in _placed(study, place, wave_part)]
    held = [
        fact(performance, 0, unit_of(study, performance), (wave_part, ("axis", axis)))
        for _, performance in few
        for axis in ("importance", "performance")
    ]
    return Told([*release_facts(facts), *_held_back(study, held)], found.sentence)


def mend_first(study: Study, wave: int = 0) -> Told:
    """How likely each service is among those to mend first, by importance as residents state it and as it is derived.

    Percent of the redraws; measure: performance; group: wave, ("importance", "stated" | "derived"). Derived
    importance is a service's share of what explains the headline. The sentence says which come first by both.
    """
    outcome, pairs = headline(study), _pairs(study, "importance")
    if isinstance(pairs, Unanswered):
        return untold(pairs)
    if not outcome:
        return untold(unanswered("mend_first", NO_OUTCOME))
    chosen = chosen_wave(study, wave)
    frame = _of_wave(study, chosen)
    there, _ = _enough(study, frame, [pair for pair in pairs if outcome not in pair])
    columns = [performance for _, performance in there]
    if len(there) < 2 or not _explained(frame, outcome, columns):
        return untold(unanswered("mend_first", TOO_FEW_ITEMS))
    items = [Item(second, second, first) for first, second in there]
    seed, cluster = study.file.study.seed, _cluster(study, frame)
    stated = importance_performance(frame, items, weights="weight", cluster=cluster, draws=DRAWS, seed=seed)
    derived = derived_importance_performance(
        frame, items, outcome, method=_method(columns), weights="weight", cluster=cluster, draws=DRAWS, seed=seed
    )  # fmt: skip
    facts = [
        fact(place.item, 100 * place.concentrate, "percent of redraws", (("wave", str(chosen)), ("importance", found.kind)), n=place.n)
        for found in (stated, derived)
        for place in found.items
    ]  # fmt: skip
    return Told(release_facts(facts), _in_both(study, stated, derived))


def _placed(study: Study, place: Place, wave: tuple[str, str]) -> list[Estimate]:
    at = [
        fact(place.item, getattr(place, axis), unit_of(study, place.item), (wave, ("axis", axis)), n=place.n)
        for axis in ("importance", "performance")
    ]
    chances = [
        fact(
            place.item, 100 * getattr(place, quadrant), "percent of redraws",
            (wave, ("axis", "probability"), ("quadrant", quadrant)), n=place.n,
        )
        for quadrant in QUADRANTS
    ]  # fmt: skip
    return [*at, *chances]


def _in_both(study: Study, stated: Priorities, derived: Priorities) -> Text:
    """What is surely to be mended first by both kinds of importance, and what by one of them alone."""
    sure = [[place.item for place in found.items if place.concentrate >= SURE] for found in (stated, derived)]
    both = [item for item in sure[0] if item in sure[1]]
    kinds = (
        (both, "按两种重要程度都应优先改进", "To be mended first by both kinds of importance"),
        ([i for i in sure[0] if i not in both], "只按居民自己说的重要程度", "By importance as residents state it alone"),
        ([i for i in sure[1] if i not in both], "只按推算的重要程度", "By importance as worked out alone"),
    )  # fmt: skip
    told = [(listed([study.label(item) for item in items]), zh, en) for items, zh, en in kinds if items]
    nothing = Text(
        "按两种重要程度，都没有哪一项能肯定地说应当优先改进。",
        "By neither kind of importance can any service surely be said to need mending first.",
    )
    return (
        joined(Text(f"{zh}：{items.zh}。", f"{en}: {items.en}.") for items, zh, en in told)
        if told
        else nothing
    )


def what_matters(study: Study, wave: int = 0) -> Told:
    """Each service's share of what explains the headline, in percent of its variance; measure: the service.

    Group: wave, ("matters", "lmg"), or "johnson" where there are too many services for LMG. The interval comes
    from resampling communities.
    """
    made = _importance(study, wave, None)
    if isinstance(made, Unanswered):
        return untold(made)
    return Told(release_facts(_shares(chosen_wave(study, wave), made)), made.sentence)


def by_two_divisions(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """`what_matters` by LMG and by Johnson's relative weights, which should tell the same; group: wave, ("matters", …)."""
    made = _importance(study, wave, None)
    if isinstance(made, Unanswered):
        return made
    both = [made] if made.method == "johnson" else [made, _importance(study, wave, "johnson")]
    chosen = chosen_wave(study, wave)
    return release_facts(
        one for found in both if not isinstance(found, Unanswered) for one in _shares(chosen, found)
    )


def kano_classes(study: Study, wave: int = 0) -> Told:
    """How often each service came out in the class that it has, in percent of redraws; group: wave, ("class", …)."""
    pairs = _pairs(study, "kano")
    if isinstance(pairs, Unanswered):
        return untold(pairs)
    chosen = chosen_wave(study, wave)
    frame = _of_wave(study, chosen)
    there, few = _enough(study, frame, _codes(pairs))
    if not there:
        return untold(unanswered("kano_classes", NO_PAIRS["kano"]))
    found = kano(
        frame, [KanoItem(first, first, second) for first, second in there], weights="weight",
        cluster=_cluster(study, frame), draws=DRAWS, seed=study.file.study.seed, names=_names(study, [first for first, _ in there]),
    )  # fmt: skip
    wave_part = ("wave", str(chosen))
    facts = [
        fact(
            one.item,
            100 * one.probability,
            "percent of redraws",
            (wave_part, ("class", one.category)),
            n=one.n,
        )
        for one in found.items
    ]
    held = [fact(first, 0, "percent of redraws", (wave_part, ("class", "unknown"))) for first, _ in few]
    return Told([*release_facts(facts), *_held_back(study, held)], found.sentence)


def _importance(study: Study, wave: int, method: Method | None) -> RelativeImportance | Unanswered:
    outcome = headline(study)
    if not outcome:
        return unanswered("what_matters", NO_OUTCOME)
    frame = _of_wave(study, chosen_wave(study, wave))
    services = [study.measured(q) for q in study.codebook.with_role("outcome") if q.is_rated]
    there = [c for c in services if c != outcome and c in frame.columns and frame[c].nunique() > 1]
    if len(there) < 2 or not _explained(frame, outcome, there):
        return unanswered("what_matters", TOO_FEW_ITEMS)
    return relative_importance(
        frame, outcome, there, method=method or _method(there), weights="weight", cluster=_cluster(study, frame),
        draws=DRAWS, seed=study.file.study.seed, names=_names(study, [outcome, *there]),
    )  # fmt: skip


def _shares(wave: int, found: RelativeImportance) -> list[Estimate]:
    group = (("wave", str(wave)), ("matters", found.method))
    return [
        replace(
            fact(one.driver, 100 * one.part, "percent of differences", group, n=found.n, method=found.method),
            low=100 * one.low, high=100 * one.high, psus=found.clusters,
        )
        for one in sorted(found.drivers, key=lambda one: one.rank)
    ]  # fmt: skip


def _method(drivers: Sequence[str]) -> Method:
    return "lmg" if len(drivers) <= MOST_DRIVERS else "johnson"


def _explained(frame: pd.DataFrame, outcome: str, drivers: Sequence[str]) -> bool:
    """Enough residents answered all of it for the outcome to be divided among the drivers."""
    whole = frame[[outcome, *drivers]].dropna() if outcome in frame.columns else frame.iloc[:0]
    return len(whole) >= LEAST_COMPLETE and all(whole[column].nunique() > 1 for column in whole)


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


def _answered(frame: pd.DataFrame, pair: tuple[str, str]) -> int:
    """How many residents answered both."""
    if not all(column in frame.columns for column in pair):
        return 0
    return int(frame[list(pair)].notna().all(axis="columns").sum())


def _enough(
    study: Study, frame: pd.DataFrame, pairs: Sequence[tuple[str, str]]
) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """The pairs that so many answered that they may be told, and those that too few did."""
    counts = {pair: _answered(frame, pair) for pair in pairs}
    there = [pair for pair, count in counts.items() if count >= study.minimum_cell]
    return there, [pair for pair, count in counts.items() if 0 < count < study.minimum_cell]


def _held_back(study: Study, facts: Sequence[Estimate]) -> list[Released]:
    return [ruled(one, ("held back", too_few(study.minimum_cell))) for one in facts]


def _of_wave(study: Study, wave: int) -> pd.DataFrame:
    frame = sampled_residents(study)
    return frame[frame["wave"] == wave].reset_index(drop=True)


def _cluster(study: Study, frame: pd.DataFrame) -> str | None:
    """Communities are what is resampled; without several of them the clusters that were drawn, else residents."""
    several = [
        c for c in (study.area, study.design.cluster) if c and c in frame.columns and frame[c].nunique() > 1
    ]
    return several[0] if several else None


def _names(study: Study, columns: Sequence[str]) -> dict[str, Text]:
    return {column: study.label(column) for column in columns}
