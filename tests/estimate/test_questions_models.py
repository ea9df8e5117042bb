"""Other models, filled gaps, ranks, the next survey: the estimators' own numbers, released and told."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from cbresearch.estimate import (
    e_value_of_difference,
    fay_herriot,
    few_clusters,
    mixed,
    ordered,
    rank_sets,
    total,
)
from cbresearch.estimate.planning import Survey, smallest_detectable
from cbresearch.estimate.questions import doubt, drivers, league, models, next_survey, robustness, services
from cbresearch.estimate.questions.common import Told, sampled_residents, sampling_design
from cbresearch.estimate.questions.drivers import Answers
from cbresearch.estimate.questions.satisfaction import satisfaction_by_area
from cbresearch.records import Released, Text, Unanswered
from cbresearch.sampling.multiple import holm
from cbresearch.study import Study

BY_MODEL: list[Callable[[Answers | Unanswered], Told]] = [
    models.by_mixed_model, models.by_ordered_logit, models.with_gaps_filled,
]  # fmt: skip


def told(answer: Told) -> tuple[list[Released], Text]:
    assert isinstance(answer.released, list) and isinstance(answer.sentence, Text)
    return answer.released, answer.sentence


@pytest.fixture(scope="module")
def asked(chengbei: Study) -> Answers:
    found = drivers.answers(chengbei)
    assert isinstance(found, Answers)
    return found


@pytest.fixture(scope="module")
def by_hand(asked: Answers) -> pd.DataFrame:
    """Residents with the first cause and the others as changes within communities and levels between them."""
    study = asked.study
    causes, _ = drivers.held(study, asked.of("registered")[0].question)
    frame = asked.frame.dropna(subset=["sat_overall_points", *causes, "sex", "age_group"]).copy()
    frame["points"] = frame["sat_overall_points"].astype(float)
    for i, cause in enumerate(causes):
        mean = frame.groupby("community")[[cause, "weight"]].apply(
            lambda part, cause=cause: np.average(
                part[cause].astype(float), weights=part["weight"].astype(float)
            )
        )
        frame[f"b{i}"] = frame["community"].map(mean).astype(float)
        frame[f"w{i}"] = frame[cause].astype(float) - frame[f"b{i}"]
    frame["cell"] = frame["community"].astype(str) + frame["wave"].astype(str)
    return frame.reset_index(drop=True)


FORMULA = "points ~ C(wave) + w0 + b0 + w1 + b1 + w2 + b2 + C(sex) + C(age_group)"


def test_the_mixed_model_groups_residents_of_a_community_and_year(
    asked: Answers, by_hand: pd.DataFrame
) -> None:
    released, sentence = told(models.by_mixed_model(asked))
    found = mixed(by_hand, FORMULA, group="cell")
    own = next(term for term in found.terms if term.term == "w0")
    first = released[0]
    assert (first.value, first.se, first.df) == pytest.approx((own.estimate, own.se, own.df), rel=1e-6)
    assert (first.n, first.psus) == (len(by_hand), 23)
    assert [record.measure for record in released] == [one.cause for one in asked.of("registered")]
    assert f"{found.icc:.0%}" in sentence.en


def test_the_odds_ratio_is_clustered_by_community(asked: Answers, by_hand: pd.DataFrame) -> None:
    released, sentence = told(models.by_ordered_logit(asked))
    found = ordered(by_hand, FORMULA, weights="weight", cluster="community")
    own = next(term for term in found.terms if term.term == "w0")
    first = released[0]
    assert (first.value, first.low, first.high) == pytest.approx(
        (own.odds_ratio, math.exp(own.low), math.exp(own.high)), rel=1e-6
    )
    assert first.unit == "ratio" and first.psus == 23
    # one question is put to each cause: the table by term, adjusted for their number
    table = found.brant().by_term.set_index("term")["p"]
    least = holm(table[["w0", "w1", "w2"]].to_numpy()).min()
    assert f"smallest adjusted p = {least:.2f}" in sentence.en


def test_complete_cases_stand_beside_the_filled(asked: Answers) -> None:
    released, sentence = told(models.with_gaps_filled(asked))
    complete = [r for r in released if r.part("method") == "complete cases"]
    filled = [r for r in released if r.part("method") == "multiple imputation"]
    effects = drivers.effects(asked)
    assert isinstance(effects, list)
    within = [r for r in effects if r.part("term") == "within"]
    assert [r.value for r in complete] == pytest.approx([r.value for r in within])
    # what is held of residents is not filled in
    assert [r.n for r in filled] == [int(asked.frame["age_group"].notna().sum())] * len(filled)
    missing = asked.frame["sat_overall_points"].isna().mean()
    assert f"{missing:.0%} of the people" in sentence.en


@pytest.mark.parametrize("ask", BY_MODEL)
def test_without_areas_other_models_say_why(
    ask: Callable[[Answers | Unanswered], Told], hamlet: Study
) -> None:
    answer = ask(drivers.answers(hamlet))
    assert isinstance(answer.released, Unanswered) and isinstance(answer.sentence, Unanswered)


def test_a_verdict_says_on_how_many_communities_it_rests(asked: Answers, by_hand: pd.DataFrame) -> None:
    verdicts = drivers.verdicts(asked)
    assert isinstance(verdicts, dict)
    found = few_clusters(by_hand, FORMULA, cause="w0", cluster="community", weights="weight", draws=99)
    said = verdicts[asked.of("registered")[0].cause]
    assert f"about {found.bearing.effective:.0f} of 23 communities" in said.en
    assert all(note.en in said.en for note in found.notes)


def test_e_values_are_of_effects_in_standard_deviations(asked: Answers) -> None:
    released, effects = robustness.e_values(asked), drivers.effects(asked)
    assert isinstance(released, list) and isinstance(effects, list)
    sd = asked.frame["sat_overall_points"].astype(float).std()
    first = effects[0]
    assert first.value is not None and first.se is not None
    found = e_value_of_difference(first.value / sd, first.se / sd)
    assert [r.value for r in released[:2]] == pytest.approx([found.point, found.limit])
    assert [r.part("strength") for r in released[:2]] == ["zero", "unclear"]


def test_communities_are_steadied_from_what_is_released(chengbei: Study) -> None:
    released, own = league.steadied(chengbei), satisfaction_by_area(chengbei, "sat_overall_points")
    assert isinstance(released, list) and isinstance(own, list)
    own = [r for r in own if r.part("community") is not None]
    frame = pd.DataFrame({"area": [r.part("community") for r in own], "mean": [r.value for r in own], "se": [r.se for r in own]})  # fmt: skip
    found = {one.area: one for one in fay_herriot(frame, estimate="mean", se="se", area="area").areas}
    # benchmarked to the district: all by the same amount
    moved = [(r.value or 0.0) - found[r.part("community") or ""].shrunken for r in released]
    assert len(released) == 23 and max(moved) - min(moved) < 1e-9
    assert [r.value for r in released] == sorted((r.value or 0.0 for r in released), reverse=True)


def test_ranks_hold_for_all_communities_at_once(chengbei: Study) -> None:
    released, sentence = told(league.ranks(chengbei))
    own = satisfaction_by_area(chengbei, "sat_overall_points")
    assert isinstance(own, list)
    own = [r for r in own if r.part("community") is not None]
    places = rank_sets(
        [r.part("community") or "" for r in own], [r.value or 0.0 for r in own], np.array([r.se for r in own]),
        seed=chengbei.file.study.seed,
    )  # fmt: skip
    ends = {one.area: (one.rank, one.rank_low, one.rank_high, one.letters) for one in places.places}
    assert {r.part("community"): (r.value, r.low, r.high, r.part("alike")) for r in released} == ends
    assert [r.value for r in released] == list(range(1, 24)) and sentence == places.say(
        {area: chengbei.answer("community", area) for area in ends}
    )


def test_three_communities_that_may_be_shown_are_wanted(town: Study, hamlet: Study) -> None:
    for study in (town, hamlet):
        assert isinstance(league.steadied(study), Unanswered) == (study.area is None)
    assert isinstance(league.ranks(hamlet).released, Unanswered)


def test_the_next_survey_could_see_what_the_formula_says(chengbei: Study) -> None:
    released, _ = told(next_survey.next_survey(chengbei))
    by_size = {(r.part("communities"), r.part("residents")): r.value or math.nan for r in released}
    sizes = {int(r.part("residents") or 0) for r in released}
    assert {int(r.part("communities") or 0) for r in released} == {23, 46} and len(sizes) == 3
    # more communities help more than as many more residents
    each = min(sizes)
    assert by_size["46", f"{each}"] < by_size["23", f"{2 * each}"] < by_size["23", f"{each}"]
    # the ratio of two plans is that of the formula: spread and likeness cancel at ICC 0 only, so take the same ICC
    frame = sampled_residents(chengbei)
    here = frame[(frame["wave"] == 2009) & frame["sat_overall_points"].notna() & (frame["community"] != "?")]
    size = here.groupby("community").size().to_numpy(float)
    from cbresearch.measure import agreement

    icc = agreement(here, "sat_overall_points", "community").icc1
    plan = Survey(23, float(each), icc, size_cv=float(size.std() / size.mean()))
    sd = float(here["sat_overall_points"].astype(float).std())
    assert by_size["23", f"{each}"] == pytest.approx(sd * smallest_detectable(plan), rel=1e-6)


def test_people_without_a_service_are_a_total(chengbei: Study) -> None:
    released = services.people_without(chengbei)
    assert isinstance(released, list) and {r.unit for r in released} == {"people"}
    frame = sampled_residents(chengbei)
    need, use = frame["need__health"].astype(float), frame["use__health"].astype(float)
    by_hand = total(
        frame.assign(without=need * (1 - use)),
        "without",
        sampling_design(chengbei),
        where=frame["wave"] == 2009,
    )
    own = next(r for r in released if r.measure == "need__health")
    assert (own.value, own.low, own.high) == pytest.approx((by_hand.value, by_hand.low, by_hand.high))
    here = frame["wave"] == 2009
    assert own.value == pytest.approx(float((need * (1 - use) * frame["weight"].astype(float))[here].sum()))


def test_the_headline_is_reckoned_with_known_counts_too(chengbei: Study) -> None:
    released = doubt.doubt_of_headline(chengbei)
    assert isinstance(released, list)
    errors = {r.part("reckoned"): r.value for r in released if r.measure == "standard_error"}
    assert list(errors) == [
        "selection",
        "taylor",
        "jackknife",
        "bootstrap",
        "half_samples",
        "calibrated",
        "linear",
        "poststratified",
    ]
    assert all(value is not None and value > 0 for value in errors.values())
    # communities differ, so that knowing their sizes saves
    assert errors["poststratified"] < errors["selection"]  # type: ignore[operator]
