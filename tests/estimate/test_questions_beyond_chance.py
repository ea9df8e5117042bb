"""Whether groups differ beyond chance, and how far off the headline may be: released, adjusted, told why not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from cbresearch.codebook import Codebook
from cbresearch.estimate.questions import beyond_chance, doubt
from cbresearch.estimate.questions.common import headline, sampled_residents, sampling_design
from cbresearch.estimate.regression import regress
from cbresearch.records import Released, Unanswered
from cbresearch.sampling.descriptive import design_effect, mean
from cbresearch.sampling.joint import group_means
from cbresearch.study import Study

ASKED = (
    beyond_chance.tests_of_groups, beyond_chance.differences_with_all_held, beyond_chance.tests_with_all_held,
)  # fmt: skip


def told(found: list[Released] | Unanswered) -> list[Released]:
    assert isinstance(found, list)
    return found


def stricter(study: Study, minimum_cell: int) -> Study:
    disclosure = study.file.disclosure.model_copy(update={"minimum_cell": minimum_cell})
    return replace(study, file=study.file.model_copy(update={"disclosure": disclosure}))


@pytest.fixture(scope="module")
def tests(chengbei: Study) -> list[Released]:
    return told(beyond_chance.tests_of_groups(chengbei, headline(chengbei)))


def test_each_question_has_three_tests(tests: list[Released], chengbei: Study) -> None:
    names = [question.name for question in chengbei.codebook.with_role("group")]
    assert [record.measure for record in tests] == [name for name in names for _ in range(3)]
    assert {record.part("test") for record in tests} == {"means", "ranks", "satisfied"}
    assert all(record.unit == "F" and record.status == "published" for record in tests)


def test_holm_counts_the_questions_of_one_test(tests: list[Released]) -> None:
    """The smallest p is raised five times, each further one by less, and none below the one before."""
    for kind in ("means", "ranks", "satisfied"):
        of = sorted((r for r in tests if r.part("test") == kind), key=lambda r: r.p or 0.0)
        raised, least = [], 0.0
        for place, record in enumerate(of):
            least = max(least, min((5 - place) * (record.p or 0.0), 1.0))
            raised.append(least)
        assert [record.p_adjusted for record in of] == pytest.approx(raised)


def test_means_are_tested_as_the_estimator_tests_them(tests: list[Released], chengbei: Study) -> None:
    frame, design = sampled_residents(chengbei), sampling_design(chengbei)
    by_hand = group_means(frame, headline(chengbei), "age_group", design, where=frame["wave"] == 2009).equal()
    (found,) = [r for r in tests if r.measure == "age_group" and r.part("test") == "means"]
    assert (found.value, found.p) == pytest.approx((by_hand.statistic, by_hand.p))


def test_the_first_answer_is_what_the_others_are_held_against(chengbei: Study) -> None:
    found = told(beyond_chance.differences_with_all_held(chengbei, headline(chengbei)))
    first = [record for record in found if record.part("level") == "reference"]
    assert [record.part(q.name) for q, record in zip(chengbei.codebook.with_role("group"), first, strict=True)] == [
        "1", "18-29", "1", "1", "1",
    ]  # fmt: skip
    assert all(record.value == 0.0 and record.se is None for record in first)
    assert all(record.p is not None and record.unit == "points" for record in found if record not in first)


def test_differences_are_those_of_one_regression(chengbei: Study) -> None:
    frame, names = sampled_residents(chengbei), [q.name for q in chengbei.codebook.with_role("group")]
    model = regress(
        frame, f"{headline(chengbei)} ~ {' + '.join(names)}", sampling_design(chengbei), where=frame["wave"] == 2009
    )  # fmt: skip
    found = told(beyond_chance.differences_with_all_held(chengbei, headline(chengbei)))
    old = next(record for record in found if record.part("age_group") == "60+")
    by_hand = model.estimate("age_group[T.60+]")
    assert (old.value, old.se, old.df) == pytest.approx((by_hand.value, by_hand.se, by_hand.df))
    joint = told(beyond_chance.tests_with_all_held(chengbei, headline(chengbei)))
    tenure = next(record for record in joint if record.measure == "tenure")
    assert tenure.value == pytest.approx(model.wald("tenure").statistic)


def test_a_small_group_is_not_told_by_its_difference(chengbei: Study) -> None:
    """A difference from a group that is printed would give the small group's mean away."""
    found = told(beyond_chance.differences_with_all_held(stricter(chengbei, 5_000), headline(chengbei)))
    others = [record for record in found if record.part("level") is None]
    assert others and all(record.status == "held back" and record.value is None for record in others)
    few = told(beyond_chance.tests_of_groups(stricter(chengbei, 5_000), headline(chengbei)))
    assert {record.status for record in few} == {"held back"}


def test_whatever_a_questionnaire_calls_its_answers_can_be_compared(town: Study, tmp_path: Path) -> None:
    """Column names of an export hold spaces and signs that no formula could read."""
    name = "您的性别 (1=男) ~ C"
    sex = replace(town.codebook.by_name["sex"], name=name)
    questions = tuple(sex if q.name == "sex" else q for q in town.codebook.questions)
    folder = tmp_path / "data" / "processed"
    folder.mkdir(parents=True)
    town.residents().rename(columns={"sex": name}).to_parquet(folder / "residents.parquet")
    study = replace(town, root=tmp_path, codebook=Codebook(questions, town.codebook.choices))
    (men, women) = told(beyond_chance.differences_with_all_held(study, headline(study)))
    (same_men, same_women) = told(beyond_chance.differences_with_all_held(town, headline(town)))
    assert (men.part(name), women.part(name)) == (same_men.part("sex"), same_women.part("sex")) == ("1", "2")
    assert women.value == pytest.approx(same_women.value)


@pytest.mark.parametrize("ask", ASKED, ids=lambda function: function.__name__)
def test_without_groups_or_outcome_there_is_a_reason(ask: object, town: Study, hamlet: Study) -> None:
    bare = tuple(replace(q, role=None) for q in town.codebook.questions)
    without = ask(replace(town, codebook=Codebook(bare, town.codebook.choices)), headline(town))  # type: ignore[operator]
    assert isinstance(without, Unanswered) and without.reason == beyond_chance.NO_GROUPS
    assert isinstance(ask(hamlet, ""), Unanswered)  # type: ignore[operator]
    assert told(ask(hamlet, headline(hamlet)))  # type: ignore[operator]


# --- how far off the headline may be ---------------------------------------------------------------


def at(found: list[Released] | Unanswered) -> dict[tuple[str, str | None], Released]:
    return {(record.measure, record.part("reckoned")): record for record in told(found)}


def test_three_ways_agree_on_the_doubt_of_the_sample_study(chengbei: Study) -> None:
    found = at(doubt.doubt_of_headline(chengbei))
    se = {
        way: found["standard_error", way].value for way in ("taylor", "jackknife", "bootstrap", "calibrated")
    }
    assert se["jackknife"] == pytest.approx(se["taylor"], rel=0.01)
    assert se["bootstrap"] == pytest.approx(se["taylor"], rel=0.15)
    assert se["calibrated"] < se["taylor"]  # type: ignore[operator]
    halves = found["standard_error", "half_samples"].value
    assert halves == pytest.approx(se["taylor"], rel=0.35), (
        "with a degree of freedom a stratum it strays more"
    )
    assert found[headline(chengbei), "half_samples"].value == pytest.approx(
        found[headline(chengbei), "taylor"].value
    )
    assert {record.status for record in found.values()} == {"published"}


def test_the_reported_way_is_that_of_reports(chengbei: Study) -> None:
    frame, design, column = sampled_residents(chengbei), sampling_design(chengbei), headline(chengbei)
    by_hand = mean(frame, column, design, where=frame["wave"] == 2009)
    found = at(doubt.doubt_of_headline(chengbei))
    assert found[column, "taylor"].value == pytest.approx(by_hand.value)
    assert found["standard_error", "taylor"].value == pytest.approx(by_hand.se)
    effect = design_effect(frame, column, design, where=frame["wave"] == 2009)
    assert found["design_effect", "taylor"].value == pytest.approx(effect)


def test_calibration_repeats_the_weights_of_the_build(chengbei: Study) -> None:
    found, column = at(doubt.doubt_of_headline(chengbei, 2007)), headline(chengbei)
    assert found[column, "calibrated"].value == pytest.approx(found[column, "taylor"].value, abs=1e-6)
    assert found[column, "selection"].value != pytest.approx(found[column, "taylor"].value, abs=1e-3)


def test_a_study_without_weights_or_margins_has_no_rows_of_them(hamlet: Study) -> None:
    found = at(doubt.doubt_of_headline(hamlet))
    assert {way for _, way in found} == {"taylor", "jackknife", "bootstrap", "half_samples"}


def test_replicates_that_cannot_be_had_say_why(hamlet: Study, tmp_path: Path) -> None:
    """More units than can be left out one by one: without clusters each resident is one."""
    frame = pd.concat([hamlet.residents()] * 16, ignore_index=True)
    folder = tmp_path / "data" / "processed"
    folder.mkdir(parents=True)
    frame.to_parquet(folder / "residents.parquet")
    design = hamlet.file.design.model_copy(update={"cluster": None})
    study = replace(hamlet, root=tmp_path, file=hamlet.file.model_copy(update={"design": design}))
    found = at(doubt.doubt_of_headline(study))
    left_out = found["standard_error", "jackknife"]
    assert (left_out.status, left_out.value, left_out.reason) == ("held back", None, doubt.NO_REPLICATES)
    assert found["standard_error", "taylor"].status == "published"


def test_too_few_answers_have_no_doubt_told_either(chengbei: Study) -> None:
    found = told(doubt.doubt_of_headline(stricter(chengbei, 5_000)))
    assert {record.status for record in found} == {"held back"}


def test_without_an_outcome_there_is_no_headline(town: Study) -> None:
    reporting = town.file.reporting.model_copy(update={"headline": None})
    bare = tuple(replace(q, role=None) for q in town.codebook.questions)
    study = replace(
        town, codebook=Codebook(bare, town.codebook.choices), file=town.file.model_copy(update={"reporting": reporting})
    )  # fmt: skip
    assert isinstance(doubt.doubt_of_headline(study), Unanswered)
