"""Whether other models and other treatments of missing answers say the same of the registered questions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.few_clusters import clustered
from cbresearch.estimate.effects.within_between import split
from cbresearch.estimate.missing.compare import with_missing
from cbresearch.estimate.missing.impute import Imputed, impute
from cbresearch.estimate.models.mixed import mixed
from cbresearch.estimate.models.ordered import LEVEL, Ordered, ordered
from cbresearch.estimate.questions.common import Told, gate, joined, unanswered, untold
from cbresearch.estimate.questions.drivers import NO_CHANGE, Answers, Asked, held
from cbresearch.estimate.release import fact, release, release_facts
from cbresearch.records import Estimate, Text, Unanswered
from cbresearch.sampling.multiple import holm
from cbresearch.study import POINTS

SETS, ROUNDS = 5, 2
UNTESTED = Text(
    "有的回答太少，无法检验各档的作用是否相同。",
    "Some answers are too rare to test whether one ratio does for all.",
)
NO_ORDER = Text(
    "结果不是有先后次序的回答，不作有序回归。",
    "The outcome is no answer with an order, so there is no ordered regression.",
)


def by_mixed_model(answers: Answers | Unanswered) -> Told:
    """Each registered effect by a linear mixed model, weights left aside; group: ("term", "within"), ("method", "mixed model").

    The random intercept is of a community in a year, where causes change: one of the community alone would take
    its residents of a year as unrelated, and see effects that are not there (Schmidt-Catran and Fairbrother 2016,
    European Sociological Review 32). The sentence says how much of the outcome lies between these groups.
    """
    asked = _asked(answers)
    if isinstance(asked, Unanswered):
        return untold(asked)
    assert isinstance(answers, Answers)
    found, share = [], Text("", "")
    for one in asked:
        frame, formula = _parts(answers, one)
        model = mixed(frame, formula, group="cell")
        term = next(t for t in model.terms if t.term == "within")
        found.append(
            Estimate(
                one.cause, term.estimate, term.se, term.df, term.low, term.high, model.n, frame["area"].nunique(), one.unit,
                (("term", "within"), ("method", "mixed model")), "mixed model, Satterthwaite", term.p,
            )
        )  # fmt: skip
        share = Text(
            f"控制了这些投入和居民特征以后，居民回答的差别还有{model.icc:.0%}在社区、年份之间。",
            f"With these inputs and residents' characteristics held, {model.icc:.0%} of the differences in answers still lie between communities and years.",
        )
        share = Text(share.zh + model.note.zh, f"{share.en} {model.note.en}") if model.note else share
    return Told(release(found, gate(answers.study)), share)


def by_ordered_logit(answers: Answers | Unanswered) -> Told:
    """Each registered effect on the odds of a better answer, errors clustered by community; group: ("term", "within"), ("method", "ordered logit").

    The value is an odds ratio. The sentence is Brant's: whether one ratio does for all answers, by cause.
    """
    asked = _asked(answers)
    if isinstance(asked, Unanswered):
        return untold(asked)
    assert isinstance(answers, Answers)
    facts, differ, notes = [], {}, []
    for one in asked:
        if not one.outcome.endswith(POINTS) or answers.frame[one.outcome].nunique() > 11:
            continue
        frame, formula = _parts(answers, one)
        model = ordered(frame, formula, weights="weight", cluster="area")
        term = next(t for t in model.terms if t.term == "within")
        ratio = fact(one.cause, term.odds_ratio, "ratio", (("term", "within"), ("method", "ordered logit")), n=model.n, method=model.variance)  # fmt: skip
        facts.append(replace(ratio, low=float(np.exp(term.low)), high=float(np.exp(term.high)), df=term.df, p=term.p, psus=model.clusters or 0))  # fmt: skip
        differ[one.cause] = _brant_p(model)
        notes += [model.note] if model.note else []
    if not facts:
        return untold(unanswered("by_ordered_logit", NO_ORDER))
    said = _brant(answers, differ)
    return Told(release_facts(facts), joined([said, *dict.fromkeys(notes)]))


def _brant_p(model: Ordered) -> float:
    """p of one ratio for all answers, for the cause alone; NaN where some answers are too rare to test."""
    try:
        table = model.brant().by_term
    except EstimateError:
        return math.nan
    return float(table.loc[table["term"] == "within", "p"].iloc[0])


def _brant(answers: Answers, p_by_cause: Mapping[str, float]) -> Text:
    """Whether one odds ratio does for all answers, allowing for the number of causes (Holm)."""
    adjusted = holm(np.array(list(p_by_cause.values())))
    if np.isnan(adjusted).any():
        return UNTESTED
    differing = [cause for cause, p in zip(p_by_cause, adjusted, strict=True) if p < LEVEL]
    least = float(adjusted.min())
    if not differing:
        return Text(
            f"这些作用在回答的各档之间看不出差别（Brant检验，校正后最小的p = {least:.2f}），每项可以用一个比值概括。",
            f"No effect is seen to differ from answer to answer (Brant test, smallest adjusted p = {least:.2f}); one ratio each will do.",
        )
    labels = [answers.study.label(cause) for cause in differing]
    return Text(
        f"{'、'.join(one.zh for one in labels)}的作用在回答的各档之间不完全相同（Brant检验），一个比值只是平均。",
        f"{', '.join(one.en for one in labels)}: the effect differs from answer to answer (Brant test), so that one ratio is an average only.",
    )


def with_gaps_filled(answers: Answers | Unanswered) -> Told:
    """Each registered effect of those who answered, then of everybody with gaps filled in; group: ("term", "within"), ("method", …)."""
    asked = _asked(answers)
    if isinstance(asked, Unanswered):
        return untold(asked)
    assert isinstance(answers, Answers)
    frame, sets = _imputed(answers, asked[0].outcome)
    found = {one.cause: with_missing(frame, partial(_effect, answers, one), sets) for one in asked}
    listed = [
        replace(estimate, group=(("term", one.term), ("method", how)))
        for one in asked
        for how, estimate in (("complete cases", found[one.cause].complete), ("multiple imputation", found[one.cause].imputed))
    ]  # fmt: skip
    most = max(found.values(), key=lambda one: abs(one.difference_in_se))
    return Told(release(listed, gate(answers.study)), most.sentence)


def _asked(answers: Answers | Unanswered) -> list[Asked] | Unanswered:
    if isinstance(answers, Unanswered):
        return answers
    told = [one for one in answers.of("registered") if one.can_be_told and one.term == "within"]
    return told or unanswered("models", NO_CHANGE)


def _parts(answers: Answers, one: Asked) -> tuple[pd.DataFrame, str]:
    """Residents with every cause split into within and between, and the formula that has them all; names that a formula can hold."""
    study = answers.study
    causes, controls = held(study, one.question)
    area = study.area or ""
    frame = answers.frame.dropna(subset=[one.outcome, *causes, area, *controls])
    weight = frame["weight"].astype("float64")
    columns: dict[str, pd.Series] = {
        "outcome": frame[one.outcome].astype("float64"), "area": frame[area].astype(str),
        "wave": frame["wave"].astype(str), "weight": weight,
        "cell": frame[area].astype(str) + " " + frame["wave"].astype(str),
    }  # fmt: skip
    terms = ["C(wave)"]
    for i, cause in enumerate(causes):
        values = frame[cause].astype("float64")
        mean = (values * weight).groupby(frame[area].astype(str)).transform("sum") / weight.groupby(frame[area].astype(str)).transform("sum")  # fmt: skip
        within, between = ("within", "between") if i == 0 else (f"within{i}", f"between{i}")
        columns |= {within: values - mean, between: mean}
        terms += [within, between]
    for i, control in enumerate(controls):
        is_number = pd.api.types.is_numeric_dtype(frame[control])
        columns[f"control{i}"] = frame[control].astype("float64") if is_number else frame[control].astype(str)
        terms.append(f"control{i}" if is_number else f"C(control{i})")
    return pd.DataFrame(columns).reset_index(drop=True), f"outcome ~ {' + '.join(terms)}"


def _imputed(answers: Answers, outcome: str) -> tuple[pd.DataFrame, Imputed]:
    """The residents, and their completed sets, in which the outcome is helped by the other outcome items."""
    study, frame = answers.study, answers.frame
    items = [study.measured(q) for q in study.codebook.with_role("outcome") if q.is_rated]
    columns = [c for c in dict.fromkeys([outcome, *items]) if c in frame.columns and frame[c].notna().sum() > 0.5 * len(frame)]  # fmt: skip
    helpers = [q.name for q in study.codebook.with_role("group") if q.name in frame.columns and frame[q.name].notna().all()]  # fmt: skip
    numeric = frame.assign(**{c: frame[c].astype("float64") for c in columns}).reset_index(drop=True)
    sets = impute(
        numeric, columns, community=study.area, weights="weight", helpers=["wave", *helpers], m=SETS, rounds=ROUNDS,
        seed=study.file.study.seed,
    )  # fmt: skip
    return numeric, replace(sets, columns=(outcome,))


def _effect(answers: Answers, one: Asked, frame: pd.DataFrame) -> Estimate:
    causes, controls = held(answers.study, one.question)
    model = split(
        frame, one.outcome, causes, area=answers.study.area, wave="wave", controls=controls, weights="weight"
    )
    assert not isinstance(model, Unanswered)
    return clustered(model.fit, model.place[one.cause, one.term], "CR2", one.cause, one.unit)
