"""Communities side by side, steadied, with the places that each can hold."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cbresearch.estimate.communities.fay_herriot import benchmarked, fay_herriot
from cbresearch.estimate.communities.ranks import RankSets, rank_sets
from cbresearch.estimate.questions.common import (
    NO_AREA,
    NO_OUTCOME,
    Told,
    chosen_wave,
    headline,
    sampled_residents,
    unanswered,
    unit_of,
    untold,
)
from cbresearch.estimate.questions.satisfaction import means_by_area
from cbresearch.estimate.release import fact, release_facts
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.study import Study

TOO_FEW = Text(
    "可以公布的社区不足三个，不排名次。", "Fewer than three communities may be shown, so there are no ranks."
)


def steadied(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """Each community's headline drawn towards the rest by Fay and Herriot, the highest first; group: wave, area.

    Made of released figures only.
    """
    shown = _shown(study, wave)
    if isinstance(shown, Unanswered):
        return replace(shown, question="steadied")
    return release_facts(_steadied(study, shown))


def ranks(study: Study, wave: int = 0) -> Told:
    """Each community's rank (1 the highest) with the ranks that the data allow, for all communities at once.

    Measure: the headline; group: wave, area, ("alike", letters): communities that share a letter cannot be told
    apart. Made of released figures only, of the communities' own answers, unshrunken.
    """
    shown = _shown(study, wave)
    if isinstance(shown, Unanswered):
        return untold(replace(shown, question="ranks"))
    areas = [r.part(study.area or "") or "" for r in shown.areas]
    values, errors = [r.value or 0.0 for r in shown.areas], np.array([r.se for r in shown.areas])
    places = rank_sets(areas, values, errors, seed=study.file.study.seed)
    names = {area: study.answer(study.area or "", area) for area in areas}
    return Told(release_facts(_ranked(study, places, shown)), places.say(names))


@dataclass(frozen=True, slots=True)
class _Shown:
    """The headline of each community that may be shown; of how many asked; the district's."""

    wave: int
    areas: list[Released]
    asked: int
    district: float | None


def _shown(study: Study, wave: int) -> _Shown | Unanswered:
    outcome = headline(study)
    if study.area is None or not outcome:
        return unanswered("league", NO_OUTCOME if study.area else NO_AREA)
    chosen = chosen_wave(study, wave)
    told = means_by_area(study, sampled_residents(study), (outcome,), chosen)
    areas = [r for r in told if r.part(study.area) is not None]
    there = [r for r in areas if r.value is not None and r.se]
    if len(there) < 3:
        return unanswered("league", TOO_FEW)
    district = next((r.value for r in told if r.part(study.area) is None), None)
    return _Shown(chosen, there, len(areas), district)


def _steadied(study: Study, shown: _Shown) -> list[Estimate]:
    areas = [r.part(study.area or "") or "" for r in shown.areas]
    frame = pd.DataFrame(
        {"area": areas, "mean": [r.value for r in shown.areas], "se": [r.se for r in shown.areas]}
    )
    found = fay_herriot(frame.astype({"mean": float, "se": float}), estimate="mean", se="se", area="area")
    people = _people(study, areas, shown.wave)
    if shown.district is not None and people is not None and len(areas) == shown.asked:
        found = benchmarked(found, people, shown.district)
    outcome = headline(study)
    counts = dict(zip(areas, (r.n or 0 for r in shown.areas), strict=True))
    return [
        replace(
            fact(outcome, one.shrunken, unit_of(study, outcome), _group(study, shown.wave, one.area), n=counts[one.area], method="Fay-Herriot"),
            low=one.low, high=one.high, se=one.rmse,
        )
        for one in sorted(found.areas, key=lambda one: -one.shrunken)
    ]  # fmt: skip


def _ranked(study: Study, places: RankSets, shown: _Shown) -> list[Estimate]:
    counts = {r.part(study.area or ""): r.n or 0 for r in shown.areas}
    return [
        replace(
            fact(headline(study), float(one.rank), "rank", (*_group(study, shown.wave, one.area), ("alike", one.letters)), n=counts[one.area], method="rank sets"),
            low=float(one.rank_low), high=float(one.rank_high),
        )
        for one in sorted(places.places, key=lambda one: one.rank)
    ]  # fmt: skip


def _people(study: Study, areas: list[str], wave: int) -> np.ndarray | None:
    """How many people each community's residents stand for."""
    frame = sampled_residents(study)
    weight = frame[frame["wave"] == wave].astype({"weight": float}).groupby(study.area or "")["weight"].sum()
    people = weight.reindex(areas)
    return people.to_numpy() if people.notna().all() else None


def _group(study: Study, wave: int, area: str) -> tuple[tuple[str, str], ...]:
    return (("wave", str(wave)), (study.area or "", area))
