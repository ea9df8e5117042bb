"""What one page holds back, no other page tells; a few people are never told by a difference."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cbresearch.estimate.questions import community, quality, satisfaction
from cbresearch.records import Released
from cbresearch.study import Study


def stricter(study: Study, minimum_cell: int) -> Study:
    disclosure = study.file.disclosure.model_copy(update={"minimum_cell": minimum_cell})
    return replace(study, file=study.file.model_copy(update={"disclosure": disclosure}))


@pytest.fixture(scope="module")
def one_small(chengbei: Study) -> Study:
    """The sample study with the minimum set so that exactly one community falls below it."""
    sizes = (
        chengbei.residents()
        .query("wave == 2009")
        .groupby("community")["sat_overall_points"]
        .count()
        .sort_values()
    )
    assert sizes.iloc[0] < sizes.iloc[1], "the seed gives one smallest community"
    return stricter(chengbei, int(sizes.iloc[0]) + 1)


def held(records: object) -> set[str]:
    assert isinstance(records, list)
    return {
        one.part("community") or ""
        for one in records
        if isinstance(one, Released) and one.status == "held back" and one.part("wave") == "2009"
    }


def test_a_scorecard_holds_back_what_the_district_report_does(one_small: Study) -> None:
    hidden = held(satisfaction.satisfaction_by_area(one_small, "sat_overall_points"))
    assert len(hidden) == 2, "the small one, and the next so that it cannot be worked out"
    for area in hidden:
        cards = [
            community.scorecard(one_small, area),
            community.area_over_waves(one_small, area, "sat_overall_points"),
            community.area_differences(one_small, area),
            community.area_against_district(one_small, area),
        ]
        for records in cards:
            assert isinstance(records, list)
            told = [
                one for one in records
                if one.measure == "sat_overall_points" and one.part("wave") == "2009" and one.part("community") == area
            ]  # fmt: skip
            assert told and all(one.value is None and one.reason is not None for one in told)


def test_the_few_who_are_flagged_are_not_told_by_a_difference(chengbei: Study) -> None:
    everybody, without = quality.headline_without_flagged(chengbei)
    assert everybody.n is not None and without.n is not None
    flagged = everybody.n - without.n
    told, hidden = quality.headline_without_flagged(stricter(chengbei, flagged + 1))
    assert (told.status, hidden.status, hidden.value, hidden.n) == ("published", "held back", None, None)


def test_a_percent_that_stands_for_a_few_people_is_held_back(chengbei: Study) -> None:
    open_answers = {one.measure: one for one in quality.missing_by_item(stricter(chengbei, 3))}
    strict = {one.measure: one for one in quality.missing_by_item(stricter(chengbei, 60))}
    people = {name: round((one.value or 0) * (one.n or 0) / 100) for name, one in open_answers.items()}
    assert any(0 < count < 60 for count in people.values())
    for name, count in people.items():
        assert (strict[name].status == "held back") == (0 < count < 60)


def test_what_came_in_is_what_was_set_aside_and_what_was_kept(chengbei: Study) -> None:
    flow = quality.flow_of_residents(chengbei)
    assert isinstance(flow, list)
    received, *aside, kept = flow
    assert len(aside) > 2 and {one.measure for one in aside} == {"rows_set_aside"}
    assert received.value == sum(one.value or 0.0 for one in aside) + (kept.value or 0.0)
    assert kept.value == len(chengbei.residents())


def test_missing_answers_of_all_waves_are_those_of_each(chengbei: Study) -> None:
    whole = quality.missing_by_item_and_wave(chengbei)
    last = quality.missing_by_item(chengbei)
    assert [one for one in whole if one.part("wave") == str(chengbei.waves[-1])] == last
    assert {one.part("wave") for one in whole} == {str(wave) for wave in chengbei.waves}
