"""What the notebook on the policy asks of a study: who was reached when, what it did, how sure that is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cbresearch.estimate.policy.staggered import staggered
from cbresearch.estimate.questions.common import NO_AREA, Told
from cbresearch.estimate.questions.policy import (
    NO_EARLIER,
    NO_POLICY,
    policy_bounds,
    policy_design_of,
    policy_effect,
    policy_events,
    policy_frame,
    policy_pretrend,
)
from cbresearch.records import Released, Text, Unanswered
from cbresearch.study import Study
from cbresearch.study.file import Policy

ASKED: list[Callable[[Study], Told]] = [
    policy_design_of, policy_effect, policy_events, policy_pretrend, policy_bounds,
]  # fmt: skip
AREAS = tuple("甲乙丙丁戊己庚辛")
POLICY = {"name": "grant", "label": {"zh": "补助", "en": "The grant"}, "reached": "grant_yuan"}
DATES = dict(zip(AREAS, (2008, 2008, 2008, 2009, 2009, 2009, None, None), strict=True))


def told(answer: Told) -> tuple[list[Released], Text]:
    assert isinstance(answer.released, list) and isinstance(answer.sentence, Text)
    return answer.released, answer.sentence


def granted(town: Study, root: Path, dates: dict[str, int | None], lift: float = 0.0) -> Study:
    """The town with a grant from each community's date on, worth `lift` points."""
    people, ledger = town.residents(), town.communities()
    from_wave = ledger["community"].map(dates).astype("Float64")
    under = (ledger["wave"] >= from_wave).fillna(False)
    # the ledger leaves the cell empty where nothing was granted
    ledger["grant_yuan"] = pd.array(np.where(under, 50_000.0, np.nan), dtype="Float64")
    reached = (people["wave"] >= people["community"].map(dates).astype("Float64")).fillna(False)
    people["sat_overall_points"] = people["sat_overall_points"] + lift * reached.astype(float)
    file = town.file.model_copy(update={"policy": Policy.model_validate(POLICY)})
    study = replace(town, root=root, file=file)
    study.processed.mkdir(parents=True)
    people.to_parquet(study.processed / "residents.parquet")
    ledger.to_parquet(study.processed / "communities.parquet")
    return study


@pytest.fixture(scope="module")
def village(town: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return granted(town, tmp_path_factory.mktemp("village"), DATES)


@pytest.mark.parametrize("ask", ASKED)
def test_every_question_is_answered_by_released_records_with_a_sentence(
    ask: Callable[[Study], Told], village: Study
) -> None:
    released, sentence = told(ask(village))
    assert released and all(isinstance(record, Released) for record in released)
    assert sentence.zh and sentence.en
    assert all(record.status != "held back" for record in released)


def test_who_was_reached_when_comes_from_the_ledger(village: Study) -> None:
    released, sentence = told(policy_design_of(village))
    assert [(r.part("cohort"), r.value, r.part("waves_before"), r.part("verdict")) for r in released] == [
        ("2008", 3.0, "1", "label"), ("2009", 3.0, "2", "label"), ("never", 2.0, "3", "compared"),
    ]  # fmt: skip
    assert {r.measure for r in released} == {"grant"} and {r.unit for r in released} == {"communities"}
    assert "Only 2 communities were never reached" in sentence.en


def test_the_effect_is_that_of_the_estimator_on_residents(village: Study) -> None:
    people = village.residents()
    people = people.assign(first=people["community"].map(DATES).astype("Float64"))
    found = staggered(
        people, "sat_overall_points", community="community", wave="wave", adoption="first", weights="weight", seed=7
    )  # fmt: skip
    released, sentence = told(policy_effect(village))
    assert [r.part("method") for r in released] == ["staggered", "dealt dates", "imputation", "two-way"]
    answer, dealt = released[:2]
    assert answer.value == pytest.approx(found.overall.estimate.value)
    assert (answer.se, answer.df) == (found.overall.estimate.se, found.overall.estimate.df)
    assert (dealt.p, dealt.low, dealt.high) == (found.dealt.p, found.dealt.low, found.dealt.high)
    assert (dealt.se, dealt.value) == (None, answer.value)
    # 8! / (3! 3! 2!) ways to deal the dates
    assert dealt.method == "exact" and found.dealt.deals == 560
    assert {(r.n, r.psus, r.unit) for r in released} == {(len(people), 8, "points")}
    assert sentence.en == f"{found.sentence.en} {found.note.en}"


def test_an_effect_put_into_the_answers_moves_every_method_by_it(
    village: Study, town: Study, tmp_path: Path
) -> None:
    before, after = (
        told(policy_effect(study))[0] for study in (village, granted(town, tmp_path, DATES, lift=10.0))
    )
    for one, other in zip(before, after, strict=True):
        assert one.value is not None
        assert other.value == pytest.approx(one.value + 10.0)


def test_events_before_and_since(village: Study) -> None:
    released, _ = told(policy_events(village))
    assert [dict(r.group) for r in released] == [
        {"term": "event", "event": event} for event in ("-2", "0", "1")
    ]
    assert all(r.low is not None and r.p is not None for r in released)


def test_the_trend_that_would_have_been_seen(village: Study) -> None:
    (test, half, most), sentence = told(policy_pretrend(village))
    assert dict(test.group) == {"term": "before"} and test.p is not None
    assert [r.part("power") for r in (half, most)] == ["50", "80"]
    assert half.value is not None and most.value is not None and 0 < half.value < most.value
    assert f"a trend of {most.value:.2g} a wave" in sentence.en


def test_bounds_widen_with_what_is_allowed(village: Study) -> None:
    released, _ = told(policy_bounds(village))
    *bounds, survives = released
    assert [r.part("allowed") for r in bounds] == ["0", "0.5", "1", "1.5", "2"]
    widths = [r.high - r.low for r in bounds if r.high is not None and r.low is not None]
    assert len(widths) == 5 and widths == sorted(widths)
    assert dict(survives.group) == {"term": "survives"} and survives.unit == "ratio"


@pytest.mark.parametrize("ask", ASKED)
def test_without_a_policy_or_communities_there_is_no_answer(
    ask: Callable[[Study], Told], town: Study, hamlet: Study, village: Study
) -> None:
    no_area = replace(
        village,
        file=village.file.model_copy(update={"keys": hamlet.file.keys, "policy": village.file.policy}),
    )
    for study, why in ((town, NO_POLICY), (hamlet, NO_POLICY), (no_area, NO_AREA)):
        answer = ask(study)
        assert answer.released == answer.sentence == Unanswered(ask.__name__, why)


def test_a_policy_that_reached_everybody_at_once_cannot_be_judged(town: Study, tmp_path: Path) -> None:
    answer = policy_effect(granted(town, tmp_path, dict.fromkeys(AREAS, 2008)))
    assert isinstance(answer.released, Unanswered)
    assert answer.released.reason.en.startswith(
        "0 communities were left to compare with; at least 2 are needed."
    )


@pytest.mark.parametrize("ask", [policy_pretrend, policy_bounds])
def test_without_two_earlier_waves_nothing_is_said_of_trends(
    ask: Callable[[Study], Told], town: Study, tmp_path: Path
) -> None:
    dates = {area: 2008 if i < 5 else None for i, area in enumerate(AREAS)}
    answer = ask(granted(town, tmp_path, dates))
    assert answer.released == Unanswered(ask.__name__, NO_EARLIER)


def test_residents_without_a_community_or_an_answer_are_not_asked(town: Study, tmp_path: Path) -> None:
    study = granted(town, tmp_path, DATES)
    people = study.residents()
    people["community"] = people["community"].mask(people.index == 0)
    people["sat_overall_points"] = people["sat_overall_points"].mask(people.index.isin([5, 6]))
    people.to_parquet(study.processed / "residents.parquet")
    frame = policy_frame(study)
    assert isinstance(frame, pd.DataFrame) and len(frame) == len(people) - 3


# --- the sample study ------------------------------------------------------------------------------
def test_the_special_fund_reached_nineteen_of_twenty_three(chengbei: Study) -> None:
    released, sentence = told(policy_design_of(chengbei))
    assert [(r.part("cohort"), r.value) for r in released] == [
        ("2007", 8.0), ("2008", 7.0), ("2009", 4.0), ("never", 4.0),
    ]  # fmt: skip
    assert "Only 4 communities were reached in 2009, under 5" in sentence.en


def test_the_sample_study_answers_every_question(chengbei: Study) -> None:
    effect, _ = told(policy_effect(chengbei))
    answer, dealt = effect[:2]
    assert answer.psus == 23 and answer.n is not None and answer.n > 5_000
    # two roads to the same doubt: t of influences, and dates dealt anew
    assert None not in (answer.low, answer.high, dealt.low, dealt.high, answer.p, dealt.p)
    width = (dealt.high - dealt.low) / (answer.high - answer.low)  # type: ignore[operator]
    assert 0.7 < width < 1.4
    events, _ = told(policy_events(chengbei))
    assert [r.part("event") for r in events] == ["-3", "-2", "0", "1", "2"]
    (test, _, most), sentence = told(policy_pretrend(chengbei))
    assert test.p is not None and most.value is not None
    assert "11 treated communities were seen early enough" in sentence.en
    bounds, _ = told(policy_bounds(chengbei))
    assert len(bounds) == 6
