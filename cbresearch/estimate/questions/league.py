"""Communities side by side, steadied, with the places that each can hold."""

from __future__ import annotations

from dataclasses import replace

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
from cbresearch.records import Estimate, Released, Text
from cbresearch.study import Study

TOO_FEW = Text(
    "可以公布的社区不足三个，不排名次。", "Fewer than three communities may be shown, so there are no ranks."
)


def league(study: Study, wave: int = 0) -> Told:
    """Each community's shrunken headline, then its rank (1 the highest) with the ranks that the data allow.

    Measure: the headline; group: wave, area, and for ranks ("alike", letters): communities that share a letter
    cannot be told apart. Made of released figures only; ranks come from the communities' own answers, unshrunken.
    """
    outcome = headline(study)
    if study.area is None or not outcome:
        return untold(unanswered("league", NO_OUTCOME if study.area else NO_AREA))
    chosen = chosen_wave(study, wave)
    told = means_by_area(study, sampled_residents(study), (outcome,), chosen)
    shown = [r for r in told if r.part(study.area) is not None and r.value is not None and r.se]
    if len(shown) < 3:
        return untold(unanswered("league", TOO_FEW))
    areas = [r.part(study.area) or "" for r in shown]
    places = rank_sets(
        areas, [r.value or 0.0 for r in shown], np.array([r.se for r in shown]), seed=study.file.study.seed
    )
    names = {area: study.answer(study.area, area) for area in areas}
    facts = [*_steadied(study, shown, areas, chosen, told), *_ranked(study, places, chosen)]
    return Told(release_facts(facts), places.say(names))


def _steadied(
    study: Study, shown: list[Released], areas: list[str], wave: int, told: list[Released]
) -> list[Estimate]:
    frame = pd.DataFrame({"area": areas, "mean": [r.value for r in shown], "se": [r.se for r in shown]})
    found = fay_herriot(frame.astype({"mean": float, "se": float}), estimate="mean", se="se", area="area")
    district = next((r.value for r in told if r.part(study.area or "") is None), None)
    people = _people(study, areas, wave)
    if (
        district is not None
        and people is not None
        and len(shown) == sum(r.part(study.area or "") is not None for r in told)
    ):
        found = benchmarked(found, people, district)
    outcome = headline(study)
    counts = dict(zip(areas, (r.n or 0 for r in shown), strict=True))
    return [
        replace(
            fact(outcome, one.shrunken, unit_of(study, outcome), _group(study, wave, one.area), n=counts[one.area], method="Fay-Herriot"),
            low=one.low, high=one.high, se=one.rmse,
        )
        for one in found.areas
    ]  # fmt: skip


def _ranked(study: Study, places: RankSets, wave: int) -> list[Estimate]:
    return [
        replace(
            fact(headline(study), float(one.rank), "rank", (*_group(study, wave, one.area), ("alike", one.letters)), method="rank sets"),
            low=float(one.rank_low), high=float(one.rank_high),
        )
        for one in places.places
    ]  # fmt: skip


def _people(study: Study, areas: list[str], wave: int) -> np.ndarray | None:
    """How many people each community's residents stand for."""
    frame = sampled_residents(study)
    weight = frame[frame["wave"] == wave].astype({"weight": float}).groupby(study.area or "")["weight"].sum()
    people = weight.reindex(areas)
    return people.to_numpy() if people.notna().all() else None


def _group(study: Study, wave: int, area: str) -> tuple[tuple[str, str], ...]:
    return (("wave", str(wave)), (study.area or "", area))
