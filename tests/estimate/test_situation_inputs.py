"""Which figures differ between communities, and in what order they are told."""

from __future__ import annotations

from cbresearch.estimate.questions import situation as ask
from cbresearch.records import Released
from cbresearch.study import Study


def test_figures_that_are_the_same_everywhere_are_left_out(chengbei: Study) -> None:
    names = ask.uneven(chengbei)
    assert "working_funds_yuan_per_community" not in names  # 20,000 yuan in each
    assert "staff_count" not in names  # counted per nothing


def test_the_most_uneven_comes_first(chengbei: Study) -> None:
    last = chengbei.communities().query("wave == 2009")
    names = ask.uneven(chengbei)
    variation = [last[name].astype(float).std() / last[name].astype(float).mean() for name in names]
    assert variation == sorted(variation, reverse=True)


def test_inputs_are_the_causes_that_the_study_asks_about(chengbei: Study) -> None:
    answers = ask.inputs_by_area(chengbei)
    told = [
        {one.measure for one in answer if isinstance(one, Released)}
        for answer in answers
        if isinstance(answer, list)
    ]
    assert told == [{name} for name in ask.drivers(chengbei)]
    assert all(
        len(answer) == 24 for answer in answers if isinstance(answer, list)
    )  # 23 communities, the district


def test_others_are_neither_inputs_nor_the_same_everywhere(chengbei: Study) -> None:
    others = ask.other_figures_by_area(chengbei)
    assert isinstance(others, list)
    measures = {one.measure for one in others}
    assert measures.isdisjoint(ask.drivers(chengbei))
    assert "service_fields_per_community" in measures
