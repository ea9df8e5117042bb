"""How satisfied residents are: by item, community, group and wave, with intervals that know the design."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from cbresearch.estimate.questions.common import (
    NO_AREA,
    NO_OUTCOME,
    ONE_WAVE,
    UNKNOWN,
    as_listed,
    asked,
    chosen_wave,
    gate,
    headline,
    in_percent,
    linked,
    outcome_columns,
    sampled_residents,
    sampling_design,
    unanswered,
    unit_of,
)
from cbresearch.estimate.release import release
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.descriptive import contrasts, mean, mean_by, share_by
from cbresearch.sampling.domains import Group
from cbresearch.study import Study

NO_LISTED_ANSWERS = Text(
    "编码本没有列出结果题目的各项回答。", "The codebook lists no answers for the outcome questions."
)


def overall(study: Study, wave: int = 0) -> Released | Unanswered:
    """The headline's mean in the district in one wave; group: wave."""
    column = headline(study)
    if not column:
        return unanswered("overall", NO_OUTCOME)
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    group = (("wave", str(chosen)),)
    estimate = mean(
        frame,
        column,
        sampling_design(study),
        where=frame["wave"] == chosen,
        unit=unit_of(study, column),
        group=group,
    )
    return release([estimate], gate(study), linked(study, frame, [column]))[0]


def satisfaction_by_item(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The weighted mean of every outcome item in one wave; group: wave."""
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    columns = asked(outcome_columns(study), frame, chosen)
    if not columns:
        return unanswered("satisfaction_by_item", NO_OUTCOME)
    found = means(study, frame, columns, ("wave",), frame["wave"] == chosen)
    return release(found, gate(study), linked(study, frame, columns))


def satisfaction_by_area(study: Study, column: str, wave: int = 0) -> list[Released] | Unanswered:
    """The mean of one column in each community of a wave, then in the district (no area in its group)."""
    if study.area is None or not column:
        return unanswered("satisfaction_by_area", NO_OUTCOME if study.area else NO_AREA)
    return means_by_area(study, sampled_residents(study), (column,), chosen_wave(study, wave))


def means_by_area(study: Study, frame: pd.DataFrame, columns: Sequence[str], wave: int) -> list[Released]:
    """Some columns' means in each community of a wave, then in the district, all ruled on together.

    Every page that tells a community's figure takes it from here: what one page holds back lest
    another community be worked out from the district's total, no other page may tell.
    """
    assert study.area is not None
    in_wave = frame["wave"] == wave
    by_area = means(study, frame, columns, ("wave", study.area), in_wave & (frame[study.area] != UNKNOWN))
    everybody = means(study, frame, columns, ("wave",), in_wave)
    found = [*as_listed(study, study.area, by_area), *everybody]
    return release(found, gate(study), linked(study, frame, columns))


def satisfaction_by_group(study: Study, column: str, wave: int = 0) -> list[Released] | Unanswered:
    """The mean of one column in each answer of each group question, then among everybody in the wave."""
    if not column:
        return unanswered("satisfaction_by_group", NO_OUTCOME)
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    in_wave = frame["wave"] == chosen
    questions = asked([question.name for question in study.codebook.with_role("group")], frame, chosen)
    found = [
        e
        for name in questions
        for e in as_listed(study, name, means(study, frame, (column,), ("wave", name), in_wave))
    ]
    found += means(study, frame, (column,), ("wave",), in_wave)
    return release(found, gate(study), linked(study, frame, [column]))


def satisfaction_by_wave(study: Study, columns: Sequence[str] = ()) -> list[Released] | Unanswered:
    """The mean of some columns (all outcome items when none is named) in each wave that asked them."""
    frame = sampled_residents(study)
    chosen = [column for column in columns if column] or asked(outcome_columns(study), frame)
    if not chosen:
        return unanswered("satisfaction_by_wave", NO_OUTCOME)
    estimates = means(study, frame, chosen, ("wave",), pd.Series(True, index=frame.index))
    return release([e for e in estimates if e.n], gate(study), linked(study, frame, chosen))


def change_since_last_wave(
    study: Study, columns: Sequence[str] = (), wave: int = 0
) -> list[Released] | Unanswered:
    """By how much each column's mean rose since the wave before, with its test; group: wave, ("since", earlier wave)."""
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    earlier = [w for w in study.waves if w < chosen]
    if not earlier:
        return unanswered("change_since_last_wave", ONE_WAVE)
    now, before = frame["wave"] == chosen, frame["wave"] == max(earlier)
    candidates = [column for column in columns if column] or outcome_columns(study)
    both = [c for c in asked(candidates, frame, chosen) if c in asked(candidates, frame, max(earlier))]
    if not both:
        return unanswered("change_since_last_wave", NO_OUTCOME)
    group = (("wave", str(chosen)), ("since", str(max(earlier))))
    return release(differences(study, frame, both, (now, before), group), gate(study))


def answers_by_item(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The weighted percent giving each answer to each rated outcome item; group: wave, ("answer", code).

    Only items that share one list of answers, the commonest, can stand side by side; the others are left out.
    """
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    in_wave, design = frame["wave"] == chosen, sampling_design(study)
    rated = {q.name: q for q in study.codebook.with_role("outcome") if q.is_rated and q.choices}
    names = asked(rated, frame, chosen)
    if not names:
        return unanswered("answers_by_item", NO_LISTED_ANSWERS)
    commonest, _ = Counter(rated[name].choices for name in names).most_common(1)[0]
    found: list[Estimate] = []
    for question in (rated[name] for name in names if rated[name].choices == commonest):
        codes = [c.code for c in study.codebook.choices_of(question.name) if c.code not in question.missing]
        found += in_percent(share_by(frame, question.name, "wave", design, codes, where=in_wave))
    return release(found, gate(study))


def means(
    study: Study, frame: pd.DataFrame, columns: Sequence[str], by: Sequence[str], where: pd.Series
) -> list[Estimate]:
    """Design-based means, each in its column's unit."""
    design = sampling_design(study)
    units = {unit_of(study, column) for column in columns}
    return [
        estimate
        for unit in sorted(units)
        for estimate in mean_by(
            frame, [c for c in columns if unit_of(study, c) == unit], by, design, where=where, unit=unit
        )
    ]


def differences(
    study: Study,
    frame: pd.DataFrame,
    columns: Sequence[str],
    sides: tuple[pd.Series, pd.Series],
    group: Group,
) -> list[Estimate]:
    """First side less second, column by column, each in its unit."""
    design, (first, second) = sampling_design(study), sides
    found = contrasts(frame, columns, design, first=first, second=second, group=group)
    return [replace(estimate, unit=unit_of(study, estimate.measure)) for estimate in found]
