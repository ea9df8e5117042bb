"""What notebooks ask of a study: the right rows, the right words, nothing unreleased."""

from __future__ import annotations

import inspect
import json
import math
from dataclasses import replace

import numpy as np
import pytest

from cbresearch.codebook import Codebook
from cbresearch.errors import EstimateError
from cbresearch.estimate import Design, mean, questions
from cbresearch.estimate.questions import drivers, robustness
from cbresearch.records import Released, Text, Unanswered
from cbresearch.study import Study

ARGUMENTS = {
    "column": "sat_overall_points", "area": "甲", "name": "staff_count", "names": ["staff_count"],
}  # fmt: skip
NOT_ASKED = {
    "sampling_design", "sampled_residents", "outcome_columns", "headline_column", "headline", "Answers", "answers",
    "overall", "district_measures", "earlier",
}  # fmt: skip
ASKED = [name for name in questions.__all__ if name not in NOT_ASKED]


def ask(study: Study, name: str) -> list[Released] | Unanswered:
    function = getattr(questions, name)
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty][1:]
    found: list[Released] | Unanswered = function(study, *(ARGUMENTS[p.name] for p in needed))
    return found


@pytest.mark.parametrize("name", ASKED)
def test_every_question_is_answered_by_released_records(name: str, town: Study) -> None:
    found = ask(town, name)
    assert isinstance(found, list) and found
    assert all(isinstance(record, Released) for record in found)
    for record in found:
        numbers = (record.value, record.se, record.df, record.low, record.high, record.p)
        assert all(number is None or math.isfinite(number) for number in numbers)


@pytest.mark.parametrize("name", [name for name in ASKED if name not in {"findings_by_rule"}])
def test_a_study_with_one_wave_no_area_and_no_ledger_still_gets_answers(name: str, hamlet: Study) -> None:
    if name in {"indicators_by_area", "indicator_by_wave"}:
        return  # these are asked by the name of an indicator, and this study has none
    found = (
        questions.satisfaction_by_group(hamlet, "sat_overall")
        if name == "satisfaction_by_group"
        else ask(hamlet, name)
    )
    if isinstance(found, Unanswered):
        assert found.reason.zh.endswith("。") and found.reason.en.endswith(".")
    else:
        assert all(isinstance(record, Released) for record in found)


@pytest.mark.parametrize("name", ["quality", "situation", "satisfaction", "drivers", "community"])
def test_a_notebook_s_module_is_not_hidden_by_a_question_of_its_name(name: str) -> None:
    assert inspect.ismodule(getattr(questions, name))


def only(found: list[Released] | Unanswered, **parts: str) -> Released:
    assert isinstance(found, list)
    hits = [record for record in found if all(record.part(column) == code for column, code in parts.items())]
    assert len(hits) == 1
    return hits[0]


def test_waves_are_samples_of_their_own(town: Study) -> None:
    design = questions.sampling_design(town)
    assert design == Design(weights="weight", psu="block", strata=("wave", "community"), lonely="centre")


def test_a_community_rests_on_its_own_blocks(town: Study) -> None:
    found = questions.satisfaction_by_area(town, "sat_overall_points", 2008)
    assert isinstance(found, list)
    assert [record.part("community") for record in found] == [*"甲乙丙丁戊己庚辛", None]
    here = only(found, community="丙")
    frame = town.residents()
    inside = (frame["community"] == "丙") & (frame["wave"] == 2008)
    plain = mean(frame, "sat_overall_points", questions.sampling_design(town), where=inside)
    assert (here.value, here.se, here.df, here.psus, here.n) == pytest.approx(
        (plain.value, plain.se, 5, 6, 24)
    )


def test_an_item_asked_later_is_no_gap_before(town: Study) -> None:
    found = questions.satisfaction_by_wave(town)
    assert isinstance(found, list)
    assert [(r.measure, r.part("wave")) for r in found] == [
        *(("sat_overall_points", str(wave)) for wave in (2007, 2008, 2009)),
        ("sat_health_points", "2008"), ("sat_health_points", "2009"),
    ]  # fmt: skip


def test_change_is_the_difference_of_the_waves(town: Study) -> None:
    waves = questions.satisfaction_by_wave(town, ["sat_overall_points"])
    change = only(questions.change_since_last_wave(town, ["sat_overall_points"]), since="2008")
    now, before = only(waves, wave="2009"), only(waves, wave="2008")
    assert change.value == pytest.approx(now.value - before.value)  # type: ignore[operator]
    assert change.se == pytest.approx(math.hypot(now.se, before.se))  # type: ignore[arg-type]
    assert change.p is not None


def test_answers_of_an_item_sum_to_a_hundred(town: Study) -> None:
    found = questions.answers_by_item(town)
    assert isinstance(found, list)
    shares = [r.value for r in found if r.measure == "sat_health"]
    assert len(shares) == 5
    assert sum(share for share in shares if share is not None) == pytest.approx(100)


def test_answers_with_other_lists_do_not_stand_beside_each_other(town: Study) -> None:
    plain = [replace(q, choices=None) if q.name == "sat_health" else q for q in town.codebook.questions]
    found = questions.answers_by_item(replace(town, codebook=Codebook(tuple(plain), town.codebook.choices)))
    assert isinstance(found, list) and {r.measure for r in found} == {"sat_overall"}


def test_published_figures_are_checked_against_the_ledger(town: Study) -> None:
    found = questions.indicators_in(town)
    assert isinstance(found, list)
    assert {r.measure: (r.value, r.part("published"), r.part("agrees")) for r in found} == {
        "volunteers_per_100": (pytest.approx(2.575), None, None),
        "staff_count": (36.0, "36", "yes"),
        "clinics": (8.0, "8", "no"),  # 'more than' 8 is not 8
    }
    earlier = questions.indicators_in(town, 2007)
    assert isinstance(earlier, list) and all(r.part("published") is None for r in earlier)


def test_the_district_rate_is_a_rate_of_sums_not_a_mean_of_rates(town: Study) -> None:
    frame = town.communities().query("wave == 2009")
    found = only(questions.indicators_by_area(town, ["volunteers_per_100"]), wave="2009", community=None)  # type: ignore[arg-type]
    assert found.value == pytest.approx(100 * frame["volunteers"].sum() / frame["households"].sum())


def test_groups_before_and_after_weighting(town: Study) -> None:
    found = questions.groups_before_after(town)
    frame = town.residents().query("wave == 2009")
    assert only(found, answer="1", stage="unweighted").value == pytest.approx(
        100 * (frame["sex"] == "1").mean()
    )
    by_hand = frame.loc[frame["sex"] == "1", "weight"].sum() / frame["weight"].sum()
    assert only(found, answer="1", stage="weighted").value == pytest.approx(100 * by_hand)
    assert only(found, answer="1", stage="population").value == 50.0


def test_an_answer_of_a_few_people_is_held_back_before_and_after_weighting(town: Study) -> None:
    counts = town.residents().query("wave == 2009")["sex"].value_counts()
    limits = town.file.disclosure.model_copy(update={"minimum_cell": int(counts["1"]) + 1})
    strict = replace(town, file=town.file.model_copy(update={"disclosure": limits}))
    found = questions.groups_before_after(strict)
    # the other answer goes too: together they make a hundred per cent
    assert {r.status for r in found if r.part("stage") != "population"} == {"held back"}
    assert {r.value for r in found if r.part("stage") == "population"} == {50.0}


def test_weights_cost_kish_s_design_effect(town: Study) -> None:
    w = town.residents().query("wave == 2007")["weight"].to_numpy(float)
    found = {r.measure: r.value for r in questions.weights_by_wave(town) if r.part("wave") == "2007"}
    assert found["weight_kish_deff"] == pytest.approx(len(w) * (w**2).sum() / w.sum() ** 2)
    assert found["weight_effective_n"] == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert found["weight_max_over_mean"] == pytest.approx(w.max() / w.mean())


def test_what_only_some_were_asked_is_not_called_missing(town: Study) -> None:
    found = {r.measure: r.value for r in questions.missing_by_item(town)}
    assert found == {"sex": 0.0, "sat_overall": 0.0, "sat_health": 25.0, "need": 0.0}


def test_findings_by_rule(town: Study) -> None:
    assert [(r.part("rule"), r.value) for r in questions.findings_by_rule(town)] == [
        ("range", 2.0),
        ("choice", 1.0),
    ]


def test_a_community_against_the_district_it_is_part_of(town: Study) -> None:
    both = questions.area_against_district(town, "乙")
    difference = next(r for r in questions.area_differences(town, "乙") if r.measure == "sat_overall_points")  # type: ignore[union-attr]
    overall = [r for r in both if r.measure == "sat_overall_points"]  # type: ignore[union-attr]
    assert difference.value == pytest.approx(overall[0].value - overall[1].value)  # type: ignore[operator]
    assert (difference.df, difference.n) == (5.0, 24)


def test_the_scorecard_has_a_verdict_for_every_target(town: Study) -> None:
    found = questions.scorecard(town, "甲")
    assert isinstance(found, list)
    assert [(r.measure, r.part("target"), r.part("verdict")) for r in found] == [
        ("sat_overall_points", "50", "cannot tell"), ("volunteers_per_100", "3", "not met"),
    ]  # fmt: skip


def test_effects_are_in_points_per_unit_of_the_driver(town: Study) -> None:
    answers = questions.answers(town)
    assert not isinstance(answers, Unanswered)
    found = drivers.effects(answers)
    assert isinstance(found, list)
    assert [(r.part("term"), r.unit) for r in found] == [
        ("within", "points per volunteers_per_100"), ("between", "points per volunteers_per_100"),
    ]  # fmt: skip
    panel = drivers.panels(answers, "volunteers_per_100")
    assert isinstance(panel, list)
    assert only(panel, method="CR2").value == found[0].value
    verdicts = drivers.verdicts(answers)
    assert isinstance(verdicts, dict) and isinstance(verdicts["volunteers_per_100"], Text)
    votes = {one.p < 0.05 for one in panel if one.p is not None}
    decision = {(True,): "agree", (False,): "cannot tell"}.get(tuple(votes), "disagree")
    assert {one.part("verdict") for one in panel} == {decision}


def test_a_small_minimum_cell_hides_every_community(town: Study) -> None:
    limits = town.file.disclosure.model_copy(update={"minimum_cell": 25})
    strict = replace(town, file=town.file.model_copy(update={"disclosure": limits}))
    found = questions.satisfaction_by_area(strict, "sat_overall_points")
    assert isinstance(found, list)
    assert [r.status for r in found] == ["held back"] * 8 + ["published"]
    compared = questions.area_differences(strict, "甲")
    assert isinstance(compared, list) and {r.status for r in compared} == {"held back"}


def test_as_asked_studies_report_the_numbers_that_were_offered(hamlet: Study) -> None:
    found = questions.satisfaction_by_item(hamlet)
    assert isinstance(found, list)
    assert [(r.measure, r.unit) for r in found] == [("sat_overall", "as asked"), ("sat_health", "as asked")]
    assert 1 <= (found[0].value or np.nan) <= 5


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda s: questions.satisfaction_by_item(s, 2010), "No wave 2010; the study has 2007, 2008, 2009"),
        (lambda s: questions.scorecard(s, "甲乙"), "No area '甲乙' among the 8 of 'community'"),
        (
            lambda s: questions.indicator_by_wave(s, "staff_cout"),
            "No indicator 'staff_cout'.*Did you mean 'staff_count'",
        ),
        (
            lambda s: drivers.panels(questions.answers(s), "staff_count"),
            "'staff_count' is the cause of no registered question of study.toml; they ask about volunteers_per_100",
        ),
        (
            lambda s: questions.satisfaction_by_area(s, "sat_overal_points"),
            "did you mean 'sat_overall_points'",
        ),
    ],
)
def test_bad_use_is_refused(call: object, said: str, town: Study) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town)  # type: ignore[operator]


def test_the_headline_over_the_district(town: Study, hamlet: Study) -> None:
    assert questions.headline(town) == "sat_overall_points"
    found = questions.overall(town, 2008)
    same = only(questions.satisfaction_by_wave(town, ["sat_overall_points"]), wave="2008")
    # one domain or three: the order of a sum is all that differs
    assert (found.value, found.se, found.n) == (same.value, pytest.approx(same.se, rel=1e-12), same.n)
    assert questions.headline(hamlet) == "sat_overall"


def test_a_study_without_an_outcome_says_so(town: Study) -> None:
    bare = replace(
        town, file=town.file.model_copy(update={"questions": (), "reporting": town.file.reporting.model_copy(update={"headline": None})}),
        codebook=Codebook(tuple(q for q in town.codebook.questions if q.role != "outcome"), town.codebook.choices),
    )  # fmt: skip
    column = questions.headline(bare)
    assert column == ""
    for found in (
        questions.overall(bare), questions.satisfaction_by_item(bare), questions.satisfaction_by_area(bare, column),
        questions.satisfaction_by_group(bare, column), questions.area_over_waves(bare, "甲", column),
        questions.change_since_last_wave(bare, [column]), questions.headline_without_flagged(bare),
    ):  # fmt: skip
        assert isinstance(found, Unanswered)
        assert found.reason.en == "The codebook names no outcome question."


def test_targets_of_the_district_and_of_the_wave_before(town: Study) -> None:
    now, before = questions.district_measures(town), questions.earlier(town, "甲")
    assert (
        [r.measure for r in now]
        == [r.measure for r in before]
        == ["sat_overall_points", "volunteers_per_100"]
    )
    assert now[1].value == pytest.approx(2.575)
    assert {r.part("wave") for r in before} == {"2008"}
    assert questions.earlier(town, "甲", 2007) == []


def test_all_panels_are_the_panels_of_all(town: Study) -> None:
    answers = questions.answers(town)
    assert not isinstance(answers, Unanswered)
    assert drivers.panels(answers) == drivers.panels(answers, "volunteers_per_100")
    smallest, effects = drivers.smallest(answers), drivers.effects(answers)
    assert isinstance(smallest, list) and isinstance(effects, list)
    assert smallest[0].unit == effects[0].unit and smallest[0].group == effects[0].group
    assert smallest[0].value > 2.8 * effects[0].se  # type: ignore[operator]


def test_rows_received_and_kept(town: Study) -> None:
    received, kept = questions.received_and_kept(town)
    assert (received.value, kept.value) == (580.0, 576.0)


def test_the_sample_study_bears_out_every_published_figure(chengbei: Study) -> None:
    found = questions.indicators_in(chengbei)
    assert isinstance(found, list)
    published = [r for r in found if r.part("published")]
    assert len(published) == sum(i.published is not None for i in chengbei.file.indicators)
    assert {r.part("agrees") for r in published} == {"yes"}


def test_every_question_is_answered_for_the_sample_study_with_ten_blocks_a_community(chengbei: Study) -> None:
    areas = questions.satisfaction_by_area(chengbei, questions.headline(chengbei))
    assert isinstance(areas, list)
    assert len(areas) == 24 and {r.status for r in areas} == {"published"}
    assert {r.df for r in areas if r.part("community")} == {9.0}


def test_funding_follows_need_between_communities_of_the_sample_study(chengbei: Study) -> None:
    answers = questions.answers(chengbei)
    assert not isinstance(answers, Unanswered)
    found = drivers.effects(answers)
    funding = "funding_thousand_yuan_per_100_households"
    assert isinstance(found, list)
    within, between = (
        next(r for r in found if r.measure == funding and r.part("term") == t) for t in ("within", "between")
    )
    assert between.high is not None and between.high < 0
    assert within.psus == between.psus == 23
    truth = json.loads((chengbei.root / "data" / "truth.json").read_text(encoding="utf-8"))[
        "effects_points_per_unit"
    ]
    for record in (r for r in found if r.part("term") == "within"):
        # one draw in twenty lies outside by chance; five standard errors do not
        step = 10 if "percent" in record.measure else 1
        assert abs(record.value - step * truth[record.measure]) < 5 * record.se  # type: ignore[operator]


# --- the questions of study.toml -------------------------------------------------------------------
EXPLORED = {"outcome": "sat_health", "cause": "volunteers_per_100", "controls": ["sex", "staff_count"]}


@pytest.fixture(scope="module")
def asked(town: Study) -> questions.Answers:
    """One registered question and one exploratory."""
    told = (*town.file.model_dump()["questions"], EXPLORED)
    file = type(town.file).model_validate({**town.file.model_dump(), "questions": told})
    found = questions.answers(replace(town, file=file))
    assert isinstance(found, questions.Answers)
    return found


def test_a_question_alone_is_not_raised(asked: questions.Answers) -> None:
    (within, between) = drivers.effects(asked)
    assert within.p_adjusted == within.p
    # what lies between communities is an association and is not tested
    assert between.p_adjusted is None


def test_exploratory_questions_name_their_outcome(asked: questions.Answers) -> None:
    found = drivers.effects(asked, "exploratory")
    assert isinstance(found, list)
    assert {record.part("outcome") for record in found} == {"sat_health_points"}
    assert {record.part("outcome") for record in drivers.effects(asked)} == {None}


def test_holm_counts_the_registered_questions(chengbei: Study) -> None:
    answers = questions.answers(chengbei)
    assert isinstance(answers, questions.Answers)
    found = drivers.effects(answers)
    assert isinstance(found, list)
    raw = sorted(r.p for r in found if r.part("term") == "within" and r.p is not None)
    adjusted = sorted(r.p_adjusted for r in found if r.p_adjusted is not None)
    assert adjusted[0] == pytest.approx(min(1, 3 * raw[0])) and len(adjusted) == len(raw) == 3


def test_the_step_of_a_cause_is_all_that_a_unit_changes(asked: questions.Answers) -> None:
    study = asked.study
    tens = [{**q, "unit": 10} for q in study.file.model_dump()["questions"]]
    file = type(study.file).model_validate({**study.file.model_dump(), "questions": tens})
    other = questions.answers(replace(study, file=file))
    assert isinstance(other, questions.Answers)
    one, ten = drivers.effects(asked), drivers.effects(other)
    assert isinstance(one, list) and isinstance(ten, list)
    assert ten[0].unit == "points per 10 volunteers_per_100"
    assert ten[0].value == pytest.approx(10 * one[0].value)  # type: ignore[operator]
    assert ten[0].p == pytest.approx(one[0].p)


def test_unseen_confounding_is_told_for_registered_questions(chengbei: Study) -> None:
    answers = questions.answers(chengbei)
    strengths, sentences = robustness.strengths(answers), robustness.strength_sentences(answers)
    assert isinstance(strengths, list) and isinstance(sentences, dict)
    assert {r.part("strength") for r in strengths} == {"zero", "unclear"}
    assert all(r.value is not None and 0 <= r.value <= 100 for r in strengths)
    assert "社区" not in sentences["staff_college_percent"].en
    benchmarks = robustness.benchmarks(answers)
    assert isinstance(benchmarks, list)
    told = {r.part("covariate") for r in benchmarks if r.measure == "staff_college_percent"}
    assert told == {"funding_thousand_yuan_per_100_households", "volunteers_per_100_households"}


def test_the_curve_holds_the_registered_answer(asked: questions.Answers) -> None:
    found, effects = robustness.curve(asked, "volunteers_per_100"), drivers.effects(asked)
    assert isinstance(found, list) and isinstance(effects, list)
    same = [
        r for r in found
        if (r.part("outcome"), r.part("held"), r.part("rows"), r.part("weights"))
        == ("sat_overall_points", "residents", "everybody", "weighted")
    ]  # fmt: skip
    assert len(same) == 1 and same[0].value == pytest.approx(effects[0].value)
    assert [r.value for r in found] == sorted(r.value for r in found if r.value is not None)


def test_without_areas_every_answer_says_why(hamlet: Study) -> None:
    answers = questions.answers(hamlet)
    assert isinstance(answers, Unanswered)
    for found in (
        robustness.strengths(answers), robustness.benchmarks(answers), robustness.curve(answers, "x"),
        robustness.strength_sentences(answers), robustness.curve_sentences(answers),
    ):  # fmt: skip
        assert found is answers
