"""How far the registered answers can be trusted: unseen confounding, and every defensible way of estimating."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

import pandas as pd

from cbresearch.estimate.effects.sensitivity import Sensitivity, e_value_of_difference, sensitivity
from cbresearch.estimate.effects.specification import Specification, SpecificationCurve, specification_curve
from cbresearch.estimate.effects.within_between import effect_of
from cbresearch.estimate.questions.common import gate, unanswered
from cbresearch.estimate.questions.drivers import NO_CHANGE, Answers, Asked, held
from cbresearch.estimate.release import fact, release, release_facts
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.study import POINTS, Study

ONE_WAVE_ONLY = Text(
    "只有一轮调查，社区自身的变化看不到，没有测到的因素无从谈起。",
    "With a single wave no community can be compared with itself, so unseen causes cannot be bounded.",
)


def strengths(answers: Answers | Unanswered) -> list[Released] | Unanswered:
    """The robustness values of each registered effect, in percent; group: ("strength", …).

    "zero": what a confounder must explain of cause and outcome to bring the effect to zero; "unclear": to
    take its significance away. Benchmarks follow, ("strength", "like"), ("covariate", …): what the effect
    would be were a confounder as strong as that covariate left out, in the effect's unit.
    """
    found = _found(answers)
    if isinstance(found, Unanswered):
        return found
    facts: list[Estimate] = []
    for one, result in found:
        for name, share in (("zero", result.robustness), ("unclear", result.robustness_significant)):
            facts.append(fact(one.cause, 100 * share, "percent", (("strength", name),), n=result.n, method="robustness value"))  # fmt: skip
    return release_facts(facts)


def benchmarks(answers: Answers | Unanswered) -> list[Released] | Unanswered:
    """What each registered effect would be, were a confounder as strong as a covariate left out.

    Group: ("covariate", …), ("times", "1" or "2"); the unit is the effect's.
    """
    found = _found(answers)
    if isinstance(found, Unanswered):
        return found
    facts = [
        fact(one.cause, b.estimate, one.unit, (("covariate", b.covariate), ("times", f"{b.times:g}")), n=result.n, method="benchmark")
        for one, result in found
        for b in result.benchmarks
    ]  # fmt: skip
    return release_facts(facts)


def e_values(answers: Answers | Unanswered) -> list[Released] | Unanswered:
    """The E-values of each registered effect: how strongly, as a risk ratio, a confounder must go with cause and outcome.

    Group: ("strength", "zero") to explain the estimate away, ("strength", "unclear") to bring its interval to
    zero. The effect is of one step of the cause, in standard deviations of residents' answers.
    """
    found = _found(answers)
    if isinstance(found, Unanswered):
        return found
    assert isinstance(answers, Answers)
    facts: list[Estimate] = []
    for one, _ in found:
        answer = effect_of(one.model, one.cause, one.term, one.unit)
        sd = float(answers.frame[one.outcome].astype("float64").std())
        told = e_value_of_difference(answer.value / sd, answer.se / sd)
        for name, value in (("zero", told.point), ("unclear", told.limit)):
            facts.append(fact(one.cause, value, "ratio", (("strength", name),), n=answer.n, method="E-value"))
    return release_facts(facts)


def strength_sentences(answers: Answers | Unanswered) -> Mapping[str, Text] | Unanswered:
    """What the robustness value of each registered cause means, in a sentence."""
    found = _found(answers)
    if isinstance(found, Unanswered):
        return found
    assert isinstance(answers, Answers)
    labels = answers.study.label

    def named(covariate: str) -> Text:
        return Text(f"“{labels(covariate).zh}”", f"'{labels(covariate).en}'")

    return {one.cause: result.say(named) for one, result in found}


def curves(answers: Answers | Unanswered) -> dict[str, list[Released]] | Unanswered:
    """`curve` of every registered cause that the data can tell."""
    if isinstance(answers, Unanswered):
        return answers
    found = {one.cause: curve(answers, one.cause) for one in answers.of("registered")}
    told = {cause: one for cause, one in found.items() if not isinstance(one, Unanswered)}
    return told or unanswered("curves", NO_CHANGE)


def curve(answers: Answers | Unanswered, cause: str) -> list[Released] | Unanswered:
    """One registered effect under every choice, from the lowest to the highest.

    Group: ("term", …), ("outcome", column), ("held", sets joined by "+"), ("rows", …), ("weights", …).
    """
    found = _curve(answers, cause)
    if isinstance(found, Unanswered):
        return found
    assert isinstance(answers, Answers)
    return release([_grouped(found.term, one) for one in found.specifications], gate(answers.study))


def curve_sentences(answers: Answers | Unanswered) -> Mapping[str, Text] | Unanswered:
    """How many ways of estimating agree, by registered cause."""
    if isinstance(answers, Unanswered):
        return answers
    found = {one.cause: _curve(answers, one.cause) for one in answers.of("registered")}
    told = {cause: one.sentence for cause, one in found.items() if not isinstance(one, Unanswered)}
    return told or unanswered("curve", NO_CHANGE)


def _found(answers: Answers | Unanswered) -> list[tuple[Asked, Sensitivity]] | Unanswered:
    if isinstance(answers, Unanswered):
        return answers
    told = [one for one in answers.of("registered") if one.can_be_told]
    if not told:
        return unanswered("strengths", NO_CHANGE)
    if told[0].term != "within":
        return unanswered("strengths", ONE_WAVE_ONLY)
    return [(one, _sensitivity(answers, one)) for one in told]


@cache
def _sensitivity(answers: Answers, one: Asked) -> Sensitivity:
    """Between communities and years, where a confounder of what communities do would differ."""
    study = answers.study
    causes, _ = held(study, one.question)
    cells = _cells(answers, one.outcome, causes)
    names = {cause: f"cause{i}" for i, cause in enumerate(causes)}
    formula = f"outcome ~ {' + '.join(names.values())} + C(area) + C(wave)"
    found = sensitivity(
        cells.rename(columns=names), formula, cause="cause0", benchmarks=list(names.values())[1:], times=(1, 2), weights="residents",
    )  # fmt: skip
    return _renamed(found, {name: cause for cause, name in names.items()})


def _renamed(found: Sensitivity, causes: Mapping[str, str]) -> Sensitivity:
    told = tuple(replace(b, covariate=causes[b.covariate]) for b in found.benchmarks)
    return replace(found, cause=causes[found.cause], benchmarks=told)


def _cells(answers: Answers, outcome: str, causes: list[str]) -> pd.DataFrame:
    """A row per community and wave: the weighted mean of the outcome, the causes, how many answered."""
    area = answers.study.area
    frame = answers.frame[[area, "wave", "weight", outcome, *causes]].dropna()
    weight = frame["weight"].astype("float64")
    weighed = frame.assign(total=frame[outcome].astype("float64") * weight, weight=weight)
    grouped = weighed.groupby([area, "wave"], observed=True)
    sums = grouped[["total", "weight"]].sum()
    cells = grouped[causes].first().astype("float64")
    cells = cells.assign(outcome=sums["total"] / sums["weight"], residents=grouped.size().astype("float64"))
    return cells.reset_index().rename(columns={area: "area"}).astype({"area": str})


def _curve(answers: Answers | Unanswered, cause: str) -> SpecificationCurve | Unanswered:
    if isinstance(answers, Unanswered):
        return answers
    one = next((one for one in answers.of("registered") if one.cause == cause), None)
    if one is None or not one.can_be_told:
        return unanswered("curve", NO_CHANGE)
    return _curve_of(answers, one)


@cache
def _curve_of(answers: Answers, one: Asked) -> SpecificationCurve:
    study, frame = answers.study, answers.frame
    assert study.area is not None
    causes, controls = held(study, one.question)
    sets = {"residents": controls} if controls else {}
    careful = ~frame[_flags(frame)].any(axis="columns")
    rows: dict[str, pd.Series | None] = {"everybody": None}
    if not careful.all():
        rows["unflagged"] = careful
    return specification_curve(
        frame, _outcomes(study, one.outcome), one.cause, area=study.area, wave="wave",
        controls={**sets, **{name: [name] for name in causes[1:]}}, causes=causes, rows=rows,
        weights={"weighted": "weight", "unweighted": None}, term=one.term, unit=one.unit,
    )  # fmt: skip


def _flags(frame: pd.DataFrame) -> list[str]:
    return [str(column) for column in frame.columns if str(column).startswith("flag_")]


def _outcomes(study: Study, outcome: str) -> list[str]:
    """The outcome itself, then every other scale made of outcome items that could stand for it."""
    role = {question.name for question in study.codebook.with_role("outcome")}
    scales = [
        scale + POINTS
        for scale in study.file.scales
        if len(items := study.codebook.items(scale)) > 1 and all(item.name in role for item in items)
    ]
    return list(dict.fromkeys([outcome, *scales]))


def _grouped(term: str, one: Specification) -> Estimate:
    held_sets = "+".join(one.held) or "nothing"
    group = (("term", term), ("outcome", one.outcome), ("held", held_sets), ("rows", one.rows), ("weights", one.weights))  # fmt: skip
    return replace(one.estimate, group=group)
