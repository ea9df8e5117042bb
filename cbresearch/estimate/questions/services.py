"""Which services residents need, and which of these they do not use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cbresearch.codebook import Question
from cbresearch.estimate.questions.common import (
    asked,
    chosen_wave,
    gate,
    in_percent,
    sampled_residents,
    sampling_design,
    unanswered,
)
from cbresearch.estimate.release import release
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.descriptive import share_by, total
from cbresearch.sampling.design import numbers
from cbresearch.study import Study

NO_NEEDS = Text("问卷没有询问需要哪些服务。", "The questionnaire does not ask which services are needed.")
NO_USE = Text(
    "问卷没有用同一组选项询问需要和用过哪些服务，看不出哪些需要没有得到满足。",
    "The questionnaire does not ask with one list of answers what is needed and what is used, so unmet need cannot be told.",
)


def needs_by_field(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The weighted percent of residents who named each service as needed; group: wave, ("gap", "named")."""
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    columns = [c for question in study.codebook.with_role("need") for c in _columns(study, question)]
    there = asked(columns, frame, chosen)
    if not there:
        return unanswered("needs_by_field", NO_NEEDS)
    return release(_shares(study, frame, there, frame["wave"] == chosen, ("gap", "named")), gate(study))


def unmet_by_field(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """Of residents who need a service, the percent who did not use it; measure: the need; group: wave, ("gap", "unused")."""
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    pairs = {
        need: use for need, use in _needed_and_used(study) if len(asked((need, use), frame, chosen)) == 2
    }
    if not pairs:
        return unanswered("unmet_by_field", NO_USE)
    unused = {need: 1 - numbers(frame, use) for need, use in pairs.items()}
    named = {need: numbers(frame, need) == 1 for need in pairs}
    told = frame.assign(**{need: np.where(named[need], unused[need], np.nan) for need in pairs})
    return release(_shares(study, told, list(pairs), told["wave"] == chosen, ("gap", "unused")), gate(study))


def people_without(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """How many people of the population need a service and did not use it; measure: the need; group: wave, ("gap", "people")."""
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    pairs = {
        need: use for need, use in _needed_and_used(study) if len(asked((need, use), frame, chosen)) == 2
    }
    if not pairs:
        return unanswered("people_without", NO_USE)
    group = (("wave", str(chosen)), ("gap", "people"))
    without = {need: numbers(frame, need) * (1 - numbers(frame, use)) for need, use in pairs.items()}
    told, design = frame.assign(**without), sampling_design(study)
    found = [
        total(told, need, design, where=told["wave"] == chosen, unit="people", group=group) for need in pairs
    ]
    return release(sorted(found, key=lambda one: -one.value), gate(study))


def _needed_and_used(study: Study) -> list[tuple[str, str]]:
    """Columns of a service needed and the same service used, where both questions share a list of answers."""
    return [
        pair
        for need in study.codebook.with_role("need")
        for use in study.codebook.with_role("use")
        if need.choices == use.choices
        for pair in zip(_columns(study, need), _columns(study, use), strict=True)
    ]


def _columns(study: Study, question: Question) -> list[str]:
    return [f"{question.name}__{choice.code}" for choice in study.codebook.choices_of(question.name)]


def _shares(
    study: Study, frame: pd.DataFrame, columns: Sequence[str], where: pd.Series, part: tuple[str, str]
) -> list[Estimate]:
    """The percent of 1 in columns of 0 and 1."""
    found = share_by(
        frame, columns, "wave", sampling_design(study), [1], where=where, interval="korn-graubard"
    )
    return [replace(one, group=(one.group[0], part)) for one in in_percent(found)]
