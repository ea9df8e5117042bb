"""One community: against its targets, against the district, against its own past."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd

from cbresearch.estimate.questions.common import (
    NO_AREA,
    NO_LEDGER,
    NO_OUTCOME,
    asked,
    chosen_area,
    chosen_wave,
    gate,
    linked,
    outcome_columns,
    sampled_residents,
    sampling_design,
    unanswered,
    unit_of,
)
from cbresearch.estimate.questions.common import (
    headline as headline,
)
from cbresearch.estimate.questions.satisfaction import differences, means_by_area
from cbresearch.estimate.questions.situation import district, of_area
from cbresearch.estimate.release import fact, release, release_facts, ruled
from cbresearch.estimate.targets import judged
from cbresearch.records import Released, Text, Unanswered
from cbresearch.sampling.descriptive import mean
from cbresearch.study import Study

NO_TARGETS = Text("研究没有设定目标。", "The study sets no targets.")


def scorecard(study: Study, area: str, wave: int = 0) -> list[Released] | Unanswered:
    """Each target beside the community's figure; group: wave, area, ("target", …), ("verdict", "met" | …)."""
    if study.area is None or not study.file.targets:
        return unanswered("scorecard", NO_AREA if study.area is None else NO_TARGETS)
    chosen = chosen_wave(study, wave)
    return [
        judged(_measure(study, target.measure, area, chosen), target.at_least)
        for target in study.file.targets
    ]


def district_measures(study: Study, wave: int = 0) -> list[Released]:
    """What the targets are set for, over the whole district; group: wave."""
    chosen = chosen_wave(study, wave)
    return [_district_measure(study, target.measure, chosen) for target in study.file.targets]


def earlier(study: Study, area: str, wave: int = 0) -> list[Released]:
    """What the targets are set for, in the community in the wave before; nothing where there is none."""
    before = [w for w in study.waves if w < chosen_wave(study, wave)]
    if study.area is None or not before:
        return []
    return [_measure(study, target.measure, area, max(before)) for target in study.file.targets]


def area_against_district(study: Study, area: str, wave: int = 0) -> list[Released] | Unanswered:
    """Every outcome item in the community (wave, area), then in the district (wave)."""
    if study.area is None:
        return unanswered("area_against_district", NO_AREA)
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    code, columns = chosen_area(study, frame, area), asked(outcome_columns(study), frame, chosen)
    if not columns:
        return unanswered("area_against_district", NO_OUTCOME)
    line = means_by_area(study, frame, columns, chosen)
    return [*_of(line, study.area, code), *_of(line, study.area, None)]


def area_differences(study: Study, area: str, wave: int = 0) -> list[Released] | Unanswered:
    """How far the community lies above the district, of which it is a part, item by item, with a test.

    Group: wave, area, ("against", "district"). Held back where the community's own figure is.
    """
    if study.area is None:
        return unanswered("area_differences", NO_AREA)
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    code, in_wave = chosen_area(study, frame, area), frame["wave"] == chosen
    here = in_wave & (frame[study.area] == code)
    columns = asked(outcome_columns(study), frame[here])
    if not columns:
        return unanswered("area_differences", NO_OUTCOME)
    group = (("wave", str(chosen)), (study.area, code), ("against", "district"))
    found = differences(study, frame, columns, (here, in_wave), group)
    levels = _of(means_by_area(study, frame, columns, chosen), study.area, code)
    hidden = {one.measure: one.reason for one in levels if one.status == "held back"}
    return [
        ruled(estimate, ("held back", hidden[estimate.measure])) if estimate.measure in hidden else told
        for estimate, told in zip(found, release(found, gate(study)), strict=True)
    ]


def area_over_waves(study: Study, area: str, column: str) -> list[Released] | Unanswered:
    """One column's mean in the community, wave by wave; group: wave, area."""
    if study.area is None or not column:
        return unanswered("area_over_waves", NO_OUTCOME if study.area else NO_AREA)
    frame = sampled_residents(study)
    code = chosen_area(study, frame, area)
    lines = (means_by_area(study, frame, (column,), wave) for wave in sorted(study.waves))
    return [one for line in lines for one in _of(line, study.area, code)]


def area_ledger(study: Study, area: str, wave: int = 0) -> list[Released] | Unanswered:
    """Every indicator of the community (wave, area), each followed by the district's (wave)."""
    if study.area is None:
        return unanswered("area_ledger", NO_AREA)
    chosen, frame = chosen_wave(study, wave), study.communities()
    row = _ledger_row(study, frame, area, chosen)
    if row is None:
        return unanswered("area_ledger", NO_LEDGER)
    facts = [
        one
        for name, indicator in study.indicators.items()
        for one in (of_area(study, name, row, chosen), district(study, indicator, frame, chosen))
    ]
    return release_facts(facts)


def _measure(study: Study, measure: str, area: str, wave: int) -> Released:
    """The community's figure for one target, held back where neither ledger nor residents hold it."""
    assert study.area is not None
    if measure in study.indicators:
        row = _ledger_row(study, study.communities(), area, wave)
        asked_of = (("wave", str(wave)), (study.area, area))
        gap = fact(measure, math.nan, measure, asked_of, method="ledger")
        return release_facts([gap if row is None else of_area(study, measure, row, wave)])[0]
    frame = sampled_residents(study)
    code = chosen_area(study, frame, area)
    found = _of(means_by_area(study, frame, (measure,), wave), study.area, code)
    nobody = fact(measure, math.nan, unit_of(study, measure), (("wave", str(wave)), (study.area, code)))
    return found[0] if found else release([nobody], gate(study))[0]


def _of(line: Sequence[Released], area: str, code: str | None) -> list[Released]:
    """The records of one community in a line ruled on as a whole; of the district for None."""
    return [one for one in line if one.part(area) == code]


def _district_measure(study: Study, measure: str, wave: int) -> Released:
    group = (("wave", str(wave)),)
    if measure in study.indicators:
        frame = study.communities()
        gap = fact(measure, math.nan, measure, group, method="ledger")
        return release_facts(
            [gap if frame.empty else district(study, study.indicators[measure], frame, wave)]
        )[0]
    frame = sampled_residents(study)
    design, unit = sampling_design(study), unit_of(study, measure)
    everybody = mean(frame, measure, design, where=frame["wave"] == wave, unit=unit, group=group)
    return release([everybody], gate(study), linked(study, frame, [measure]))[0]


def _ledger_row(study: Study, frame: pd.DataFrame, area: str, wave: int) -> pd.Series | None:
    if frame.empty:
        return None
    code = chosen_area(study, frame, area)
    rows = frame[(frame["wave"] == wave) & (frame[study.area].astype("string") == code)]
    return None if rows.empty else rows.iloc[0]
