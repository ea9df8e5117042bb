"""What the data say to the questions of study.toml: effects over time, each by every honest method.

An effect is a change within communities; what lies between them stands beside it as an association.
Registered questions are adjusted for their number by Holm, exploratory ones by Benjamini and Hochberg.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError, nearest
from cbresearch.estimate.clusters.few_clusters import FewClusters, panel
from cbresearch.estimate.effects.within_between import NO_AREA, NO_CAUSES, Split, effect_of, split
from cbresearch.estimate.questions.common import gate, joined, sampled_residents, unanswered, unit_of
from cbresearch.estimate.release import fact, release, release_facts, ruled
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.domains import Group
from cbresearch.sampling.multiple import benjamini_hochberg, holm
from cbresearch.study import EffectQuestion, Study, outcome_column

Kind = Literal["registered", "exploratory"]
NOT_ESTIMATED = {
    "within": Text(
        "不公布：各社区的这项投入没有随时间变化，或者与其他投入同步变化，无法单独估计。",
        "Held back: within communities this did not change over time, or only along with the rest.",
    ),
    "between": Text(
        "不公布：各社区在这一项上没有差别，或者与其他投入同高同低，无法单独估计。",
        "Held back: communities do not differ in this, or only along with the rest.",
    ),
}
NO_CHANGE = Text(
    "各社区的这项投入没有随时间变化，无法估计它的作用。",
    "This driver did not change over time within communities, so its effect cannot be seen.",
)
NO_QUESTIONS = {
    "registered": Text("研究没有事先登记的问题。", "The study registered no question beforehand."),
    "exploratory": Text("研究没有探索性问题。", "The study asks no exploratory question."),
}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """One question with the model that answers it; `outcome` is the column of residents it is about."""

    question: EffectQuestion
    outcome: str
    unit: str
    model: Split

    @property
    def cause(self) -> str:
        return self.question.cause

    @property
    def term(self) -> str:
        """The term that answers: change within communities, or with a single wave what lies between them."""
        return self.model.terms[-1]

    @property
    def can_be_told(self) -> bool:
        return (self.cause, self.term) in self.model.place


@dataclass(frozen=True, eq=False)
class Answers:
    """Every question that the data can be asked, with its model.

    Group of a record: ("outcome", column) where the question is exploratory, then ("term", …) or ("method", …).
    """

    study: Study
    frame: pd.DataFrame
    """`residents_with_causes` of the study."""
    asked: tuple[Asked, ...]
    skipped: tuple[Unanswered, ...]
    """Questions that the data cannot be asked at all, and why."""

    def of(self, kind: Kind) -> list[Asked]:
        return [one for one in self.asked if one.question.kind == kind]

    @cached_property
    def by_question(self) -> tuple[tuple[Asked, FewClusters], ...]:
        """Every method's view of each registered question that the data can tell."""
        return tuple((one, _panel(self.study, one)) for one in self.of("registered") if one.can_be_told)


def answers(study: Study) -> Answers | Unanswered:
    """The questions of study.toml put to the data; Unanswered where it asks none or names no communities."""
    if study.area is None:
        return unanswered("answers", NO_AREA)
    if not study.file.questions or study.communities().empty:
        return unanswered("answers", NO_CAUSES)
    frame = residents_with_causes(study)
    models: dict[object, Split | Unanswered] = {}
    asked, skipped = [], []
    for question in study.file.questions:
        outcome = outcome_column(study, question.outcome)
        causes, controls = held(study, question)
        # questions that share outcome, causes and controls share their model
        key = (outcome, frozenset(causes), frozenset(controls))
        if key not in models:
            models[key] = split(
                frame, outcome, causes, area=study.area, wave="wave", controls=controls, weights="weight"
            )
        model = models[key]
        if isinstance(model, Unanswered):
            skipped.append(replace(model, question=f"{question.cause} and {question.outcome}"))
        else:
            asked.append(Asked(question, outcome, _unit(study, question, outcome), model))
    return Answers(study, frame, tuple(asked), tuple(skipped)) if asked else skipped[0]


def effects(answers: Answers | Unanswered, kind: Kind = "registered") -> list[Released] | Unanswered:
    """Within effects, then between, of every question of a kind; p_adjusted for the within effects' number."""
    if isinstance(answers, Unanswered):
        return answers
    asked = answers.of(kind)
    if not asked:
        return _nothing(answers, "effects", kind)
    terms = ("within", "between") if any("within" in one.model.terms for one in asked) else ("between",)
    found = {term: [_effect(one, term) for one in asked if term in one.model.terms] for term in terms}
    found[terms[0]] = _adjusted(found[terms[0]], kind)
    listed = [estimate for term in terms for estimate in found[term]]
    return [
        ruled(estimate, ("held back", NOT_ESTIMATED[dict(estimate.group)["term"]]))
        if math.isnan(estimate.value)
        else released
        for estimate, released in zip(listed, release(listed, gate(answers.study)), strict=True)
    ]


def panels(answers: Answers | Unanswered, cause: str | None = None) -> list[Released] | Unanswered:
    """The registered effects by every method, the answer (CR2) first; group: ("method", …), ("verdict", …).

    The verdict is "agree", "disagree" or "cannot tell", alike in every record of a question.
    """
    if isinstance(answers, Unanswered):
        return answers
    told = _panels(answers, cause)
    if isinstance(told, Unanswered):
        return told
    return release([e for one, found in told for e in _judged(one, found)], gate(answers.study))


def verdicts(answers: Answers | Unanswered) -> dict[str, Text] | Unanswered:
    """Whether the methods agree, on how many communities that rests and which of them cannot be trusted there, by cause."""
    told = answers if isinstance(answers, Unanswered) else _panels(answers)
    if isinstance(told, Unanswered):
        return told
    return {one.cause: joined([found.verdict, _rests_on(found), *found.notes]) for one, found in told}


def _rests_on(found: FewClusters) -> Text:
    bearing = found.bearing
    return Text(
        f"这一估计相当于靠{bearing.effective:.0f}个社区（共{bearing.clusters}个）。",
        f"It rests on about {bearing.effective:.0f} of {bearing.clusters} communities.",
    )


def smallest(answers: Answers | Unanswered) -> list[Released] | Unanswered:
    """The effect of each registered cause that would have been seen four times in five; group as in `effects`."""
    told = answers if isinstance(answers, Unanswered) else _panels(answers)
    if isinstance(told, Unanswered):
        return told
    facts = []
    for one, found in told:
        answer = found.estimates[0]
        seen = fact(
            one.cause, found.smallest_effect, one.unit, _group(one, one.term), n=answer.n, method="80 % power"
        )
        facts.append(replace(seen, psus=answer.psus))
    return release_facts(facts)


def _panels(answers: Answers, cause: str | None = None) -> Sequence[tuple[Asked, FewClusters]] | Unanswered:
    causes = [one.cause for one in answers.of("registered")]
    if not causes:
        return _nothing(answers, "panels", "registered")
    if cause is not None and cause not in causes:
        near = nearest(cause, causes)
        hint = f" Did you mean '{near}'?" if near else ""
        raise EstimateError(
            f"'{cause}' is the cause of no registered question of study.toml; they ask about {', '.join(causes)}.{hint}"
        )
    told = [pair for pair in answers.by_question if cause in {None, pair[0].cause}]
    return told or unanswered("panels", NO_CHANGE)


def _nothing(answers: Answers, question: str, kind: Kind) -> Unanswered:
    return answers.skipped[0] if answers.skipped else unanswered(question, NO_QUESTIONS[kind])


def residents_with_causes(study: Study) -> pd.DataFrame:
    """A row per resident and wave, who carries the indicators of their community in that wave.

    Causes are in steps of their question's unit, so that a coefficient is the effect of one step.
    """
    assert study.area is not None
    steps = {question.cause: question.unit for question in study.file.questions}
    asked = [
        name for q in study.file.questions for name in (q.cause, *q.controls) if name in study.indicators
    ]
    ledger = study.communities()[[study.area, "wave", *dict.fromkeys(asked)]]
    causes = ledger.assign(**{name: ledger[name] / step for name, step in steps.items()}).astype(
        {study.area: "string"}
    )
    return sampled_residents(study).merge(causes, on=[study.area, "wave"], how="left", validate="many_to_one")


def held(study: Study, question: EffectQuestion) -> tuple[list[str], list[str]]:
    """The indicators of a question, its cause first, then what is held of residents."""
    causes = [question.cause, *(name for name in question.controls if name in study.indicators)]
    controls = [
        outcome_column(study, name) if name in study.file.scales else name
        for name in question.controls
        if name not in study.indicators
    ]
    return causes, controls


def _effect(one: Asked, term: str) -> Estimate:
    estimate = effect_of(one.model, one.cause, term, one.unit)
    return replace(estimate, group=_group(one, term))


def _adjusted(estimates: Iterable[Estimate], kind: Kind) -> list[Estimate]:
    listed = list(estimates)
    adjust = holm if kind == "registered" else benjamini_hochberg
    adjusted = adjust(np.array([estimate.p for estimate in listed]))
    return [replace(e, p_adjusted=float(p)) for e, p in zip(listed, adjusted, strict=True)]


def _panel(study: Study, one: Asked) -> FewClusters:
    return panel(
        one.model.fit, one.model.place[one.cause, one.term], cause=one.cause, unit=one.unit, moments=one.model.moments,
        seed=study.file.study.seed, names=partial(_area_name, study),
    )  # fmt: skip


def _judged(one: Asked, found: FewClusters) -> list[Estimate]:
    """What each method found, with the decision over all of them."""
    return [
        replace(e, group=(*_outcome_part(one), *e.group, ("verdict", found.decision)))
        for e in found.estimates
    ]


def _outcome_part(one: Asked) -> Group:
    return (("outcome", one.outcome),) if one.question.kind == "exploratory" else ()


def _group(one: Asked, term: str) -> Group:
    return (*_outcome_part(one), ("term", term))


def _area_name(study: Study, code: str) -> Text:
    assert study.area is not None
    return study.answer(study.area, code)


def _unit(study: Study, question: EffectQuestion, outcome: str) -> str:
    step = "" if question.unit == 1 else f"{question.unit:g} "
    return f"{unit_of(study, outcome)} per {step}{question.cause}"
