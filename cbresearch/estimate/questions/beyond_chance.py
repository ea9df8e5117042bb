"""Whether groups of residents differ by more than the drawing of the sample would make them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.disclosure import too_few
from cbresearch.estimate.precision import PUBLISHED, Ruling
from cbresearch.estimate.questions.common import (
    NO_OUTCOME,
    chosen_wave,
    gate,
    sampled_residents,
    sampling_design,
    unanswered,
    unit_of,
)
from cbresearch.estimate.regression import Regression, regress
from cbresearch.estimate.release import fact, release, release_facts, ruled
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.crosstab import crosstab
from cbresearch.sampling.design import Design, Floats, numbers
from cbresearch.sampling.domains import as_code
from cbresearch.sampling.joint import group_means
from cbresearch.sampling.multiple import holm
from cbresearch.sampling.ranks import rank_test
from cbresearch.study import POINTS, Study

SATISFIED = "satisfied"
LEAST_ANSWERS = 4
"""Of fewer answers the two best are half of all and more: no share of the satisfied."""
NO_GROUPS = Text(
    "问卷没有可以把居民分成几类的题目，无法比较不同居民。",
    "The questionnaire has no question that divides residents into groups, so there is nothing to compare.",
)
NO_TEST = Text(
    "不公布：抽样单位太少，无法检验。",
    "Held back: too few sampled groups for a test.",
)
NO_REGRESSION = Text(
    "回答太少，或各项特征彼此重复，无法同时比较。",
    "Too few answers, or characteristics that repeat each other: they cannot be compared all at once.",
)


class Tested(Protocol):
    """F for a hypothesis, however it was found."""

    @property
    def statistic(self) -> float: ...
    @property
    def p(self) -> float: ...
    @property
    def method(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Tests:
    """One test of each of several group questions, to be adjusted for their number."""

    name: str
    of: dict[str, Tested]
    """By question."""


def tests_of_groups(study: Study, column: str, wave: int = 0) -> list[Released] | Unanswered:
    """F that all groups of a question are alike in `column`, by three tests, p_adjusted by Holm within each.

    Measure is the group question; group: wave, ("test", "means" | "satisfied" | "ranks"). "satisfied" is Rao
    and Scott's F for the two best answers of a rated item, "ranks" Lumley and Scott's, "means" Wald's.
    """
    if not column:
        return unanswered("tests_of_groups", NO_OUTCOME)
    chosen, frame = chosen_wave(study, wave), _with_satisfied(study, column)
    names = dividing(study, frame, column, chosen)
    if not names:
        return unanswered("tests_of_groups", NO_GROUPS)
    in_wave, design = frame["wave"] == chosen, sampling_design(study)
    kinds: dict[str, Callable[[str], Tested]] = {
        "means": lambda name: group_means(frame, column, name, design, where=in_wave).equal(),
        "ranks": lambda name: rank_test(frame, column, name, design, where=in_wave),
    }
    if SATISFIED in frame.columns:
        kinds["satisfied"] = lambda name: crosstab(frame, name, SATISFIED, design, where=in_wave)
    tests = [Tests(kind, {name: test(name) for name in names}) for kind, test in kinds.items()]
    people = {
        name: int((frame.loc[in_wave, [name, column]].notna().all(axis="columns")).sum()) for name in names
    }
    found = released_tests(study, tests, people, chosen)
    return sorted(found, key=lambda record: names.index(record.measure))


def differences_with_all_held(study: Study, column: str, wave: int = 0) -> list[Released] | Unanswered:
    """How far each answer of each group question lies from its first, among residents alike in all the others.

    One regression of `column` on all group questions at once, with the design's standard errors. Group: wave,
    ("held", "others"), then the question with its answer; the first answer is 0, marked ("level", "reference").
    """
    fitted = _fitted(study, column, wave)
    if isinstance(fitted, Unanswered):
        return fitted
    unit, found = unit_of(study, column), []
    for place, name in enumerate(fitted.names):
        reference, *others = fitted.answers[name]
        start = (("wave", str(fitted.wave)), ("held", "others"))
        least = fitted.people[name][reference]
        zero = fact(column, 0.0, unit, (*start, ("level", "reference"), (name, reference)), n=least)
        found += release_facts([zero])
        estimates = [
            replace(
                fitted.model.estimate(_term(place, i + 1), unit), measure=column,
                group=(*start, (name, code)), n=min(least, fitted.people[name][code]),
            )
            for i, code in enumerate(others)
        ]  # fmt: skip
        found += release(estimates, gate(study))
    return found


def tests_with_all_held(study: Study, column: str, wave: int = 0) -> list[Released] | Unanswered:
    """F that a question's answers make no difference among residents alike in all others, p_adjusted by Holm.

    As `tests_of_groups`, from the regression of `differences_with_all_held`; group: wave, ("test", "held").
    """
    fitted = _fitted(study, column, wave)
    if isinstance(fitted, Unanswered):
        return fitted
    tests: dict[str, Tested] = {
        name: fitted.model.wald([_term(place, i) for i in range(1, len(fitted.answers[name]))])
        for place, name in enumerate(fitted.names)
    }
    people = dict.fromkeys(fitted.names, fitted.model.n)
    return released_tests(study, [Tests("held", tests)], people, fitted.wave)


def released_tests(study: Study, tests: Iterable[Tests], people: dict[str, int], wave: int) -> list[Released]:
    """A record for each test; held back where there is none, or where it would rest on too few `people`."""
    found = []
    for kind in tests:
        adjusted = holm(np.array([test.p for test in kind.of.values()]))
        for (name, test), p_adjusted in zip(kind.of.items(), adjusted, strict=True):
            group = (("wave", str(wave)), ("test", kind.name))
            one = fact(name, test.statistic, "F", group, n=people[name], method=test.method)
            one = replace(one, p=test.p, p_adjusted=float(p_adjusted))
            found.append(ruled(one, _of_test(study, one)))
    return found


def dividing(study: Study, frame: pd.DataFrame, column: str, wave: int) -> list[str]:
    """The group questions whose answers divide those who answered `column` into two groups or more."""
    asked_of = frame[(frame["wave"] == wave) & frame[column].notna()]
    names = [question.name for question in study.codebook.with_role("group")]
    return [name for name in names if name in asked_of.columns and asked_of[name].nunique() > 1]


def _of_test(study: Study, one: Estimate) -> Ruling:
    if one.n < study.minimum_cell:
        return "held back", too_few(study.minimum_cell)
    return ("held back", NO_TEST) if math.isnan(one.p) else PUBLISHED


def _with_satisfied(study: Study, column: str) -> pd.DataFrame:
    """The sample with a column of 1 for the two best answers, 0 for the others, where `column` is a rated item."""
    frame = sampled_residents(study)
    item = study.codebook.by_name.get(column.removesuffix(POINTS))
    if item is None or not item.is_rated or item.name not in frame.columns:
        return frame
    assert item.minimum is not None and item.maximum is not None
    if item.maximum - item.minimum + 1 < LEAST_ANSWERS:
        return frame
    answers = numbers(frame, item.name)
    best = answers >= item.maximum - 1 if item.direction > 0 else answers <= item.minimum + 1
    return frame.assign(**{SATISFIED: np.where(np.isnan(answers), np.nan, best)})


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """A regression on all group questions, with the answers of each in the order of the codebook."""

    wave: int
    model: Regression
    names: Sequence[str]
    answers: dict[str, list[str]]
    people: dict[str, dict[str, int]]
    """How many residents of the regression gave each answer."""


def _fitted(study: Study, column: str, wave: int) -> _Fitted | Unanswered:
    if not column:
        return unanswered("all held", NO_OUTCOME)
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    names = dividing(study, frame, column, chosen)
    if not names:
        return unanswered("all held", NO_GROUPS)
    complete = (frame["wave"] == chosen) & frame[[column, *names]].notna().all(axis="columns")
    coded = {name: frame[name].map(as_code, na_action="ignore") for name in names}
    answers = {name: _listed(study, name, set(coded[name][complete])) for name in names}
    # codes of ours: whatever a questionnaire calls its columns and answers, a formula can read these
    columns = {
        f"q{place}": coded[name].map({code: f"a{i:03d}" for i, code in enumerate(answers[name])})
        for place, name in enumerate(names)
    }
    try:
        model = _regression(
            frame.assign(**columns), numbers(frame, column), list(columns), sampling_design(study), complete
        )
    except EstimateError:
        return unanswered("all held", NO_REGRESSION)
    people = {
        name: {code: int((coded[name][complete] == code).sum()) for code in answers[name]} for name in names
    }
    return _Fitted(chosen, model, names, answers, people)


def _regression(
    frame: pd.DataFrame, outcome: Floats, columns: Sequence[str], design: Design, where: pd.Series
) -> Regression:
    return regress(frame.assign(outcome=outcome), f"outcome ~ {' + '.join(columns)}", design, where=where)


def _listed(study: Study, name: str, codes: set[str]) -> list[str]:
    place = {choice.code: i for i, choice in enumerate(study.codebook.choices_of(name))}
    return sorted(codes, key=lambda code: (place.get(code, len(place)), code))


def _term(question: int, answer: int) -> str:
    return f"q{question}[T.a{answer:03d}]"
