"""What residents need, could pay and would: by hand, by laws, and where a study did not ask."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cbresearch.codebook import Choice, Codebook, Question
from cbresearch.estimate.questions import payment, services
from cbresearch.estimate.questions.common import sampled_residents, sampling_design
from cbresearch.records import Released, Text, Unanswered
from cbresearch.sampling.descriptive import share
from cbresearch.sampling.quantiles import median
from cbresearch.sampling.ratios import ratio
from cbresearch.study import Study, StudyFile

QUESTIONS = [
    *(function for name, function in inspect.getmembers(payment, inspect.isfunction)
      if function.__module__ == payment.__name__ and not name.startswith("_")),
    services.needs_by_field, services.unmet_by_field,
]  # fmt: skip


def text(word: str) -> Text:
    return Text(word, word)


CODEBOOK = Codebook(
    (
        Question("id", "id", text("id"), role="key"),
        Question("sex", "select_one", text("sex"), choices="sex", role="group"),
        Question("need", "select_multiple", text("need"), choices="field", role="need"),
        Question("use", "select_multiple", text("use"), choices="field", role="use"),
        Question("could", "integer", text("could"), role="payment"),
        Question("would", "integer", text("would"), role="payment", relevant="${could} > 0"),
    ),
    {
        "sex": (Choice("1", text("men"), 1), Choice("2", text("women"), 2)),
        "field": (Choice("health", text("health"), 1), Choice("sport", text("sport"), 2)),
    },
)
# could, would, how many residents: a quarter could pay nothing, a quarter could and would not
PEOPLE = [(0, None, 100), (30, 0, 40), (20, 0, 60), (10, 5, 100), (20, 10, 100)]


def residents(people: list[tuple[int, int | None, int]], wave: int = 2009) -> pd.DataFrame:
    rows = [(could, would) for could, would, count in people for _ in range(count)]
    n = len(rows)
    return pd.DataFrame(
        {
            "wave": wave, "id": [f"{wave}-{i}" for i in range(n)],
            "sex": pd.array(["1", "2"] * (n // 2), dtype="string"),
            "could": pd.array([could for could, _ in rows], dtype="Int64"),
            "would": pd.array([would for _, would in rows], dtype="Int64"),
            # half need health, of whom every second used it; nobody was asked about sport
            "need__health": pd.array([1, 1, 0, 0] * (n // 4), dtype="Int8"),
            "use__health": pd.array([1, 0, 1, 1] * (n // 4), dtype="Int8"),
            "need__sport": pd.array([pd.NA] * n, dtype="Int8"),
            "use__sport": pd.array([pd.NA] * n, dtype="Int8"),
            "weight": pd.array([2.0] * n, dtype="Float64"),
        }
    )  # fmt: skip


def study_of(root: Path, frame: pd.DataFrame, codebook: Codebook = CODEBOOK) -> Study:
    waves = tuple(sorted(int(wave) for wave in frame["wave"].unique()))
    words = {"zh": "村", "en": "village"}
    sources = [{"table": "residents", "file": "r.csv", "wave": wave} for wave in waves]
    file = {
        "study": {"name": "village", "title": words, "waves": waves},
        "keys": {"resident": "id"},
        "sources": sources,
    }
    folder = root / "data" / "processed"
    folder.mkdir(parents=True)
    frame.to_parquet(folder / "residents.parquet")
    return Study(root, StudyFile.model_validate(file), codebook)


@pytest.fixture
def village(tmp_path: Path) -> Study:
    before = residents([(0, None, 200), (30, 0, 40), (20, 5, 160)], 2008)
    return study_of(tmp_path, pd.concat([before, residents(PEOPLE)], ignore_index=True))


def told(found: list[Released] | Unanswered) -> list[Released]:
    assert isinstance(found, list)
    return found


def values(found: list[Released] | Unanswered) -> list[float | None]:
    return [record.value for record in told(found)]


def test_a_quarter_could_not_and_a_quarter_would_not(village: Study) -> None:
    found = told(payment.free_or_paid(village))
    assert [(r.part("answer"), r.value) for r in found] == [
        ("could_not", 25.0), ("would_not", 25.0), ("would", 50.0),
    ]  # fmt: skip
    assert all(r.n == 400 and r.low is not None and r.low < r.value < r.high for r in found)  # type: ignore[operator]


def test_amounts_are_of_those_who_could_pay_something(village: Study) -> None:
    # could: 100 x 10, 160 x 20, 40 x 30, so the middle of 300 is 20; would: 100 x 0, 100 x 5, 100 x 10, so it is 5
    could, would = told(payment.could_by_group(village))[-1], told(payment.would_by_group(village))[-1]
    assert (could.value, could.n, could.unit) == (20.0, 300, "amount")
    assert (would.value, would.n) == (5.0, 300)
    assert dict(would.group) == {"wave": "2009", "median": "payers"}


def test_the_ratio_is_of_the_sums(village: Study) -> None:
    # they would pay 100 x 5 + 100 x 10 = 1,500 of 40 x 30 + 60 x 20 + 100 x 10 + 100 x 20 = 5,400
    everybody = told(payment.ratio_by_group(village))[-1]
    assert everybody.value == pytest.approx(100 * 150 / 540)
    assert (everybody.measure, everybody.unit) == ("would_of_could", "percent of a sum")


def test_groups_come_as_the_codebook_lists_them_then_everybody(village: Study) -> None:
    found = told(payment.would_pay_by_group(village))
    assert [record.part("sex") for record in found] == ["1", "2", None]
    assert values(found) == [50.0, 50.0, 50.0]


def test_the_change_is_since_the_first_wave_that_asked(village: Study) -> None:
    # 160 of 400 would pay in 2008, 200 of 400 in 2009
    (change,) = told(payment.change_in_paying(village))
    assert change.value == pytest.approx(10.0)
    assert (change.part("since"), change.unit) == ("2008", "percentage points")
    assert isinstance(payment.change_in_paying(village, 2008), Unanswered)


def test_each_wave_is_told_that_asked(village: Study) -> None:
    found = told(payment.payment_by_wave(village))
    assert [(r.measure, r.part("wave")) for r in found] == [
        (measure, wave)
        for measure in ("would_pay_something", "would_of_could", "could", "would")
        for wave in ("2008", "2009")
    ]


def test_an_answer_that_was_not_asked_for_does_not_count(tmp_path: Path) -> None:
    """Who could pay nothing and still names a sum could pay nothing."""
    contradicting = [(could, 40 if could == 0 else would, count) for could, would, count in PEOPLE]
    study = study_of(tmp_path, residents(contradicting))
    assert values(payment.free_or_paid(study)) == [25.0, 25.0, 50.0]
    assert told(payment.would_by_group(study))[-1].value == 5.0


@pytest.mark.parametrize("times", [2, 7, 100])
def test_the_unit_of_money_changes_amounts_alone(tmp_path: Path, times: int) -> None:
    one = study_of(tmp_path / "one", residents(PEOPLE))
    scaled = [(could * times, would and would * times, count) for could, would, count in PEOPLE]
    other = study_of(tmp_path / "other", residents(scaled))
    for ask in (payment.could_by_group, payment.would_by_group):
        for before, after in zip(told(ask(one)), told(ask(other)), strict=True):
            assert after.value == pytest.approx(times * before.value)  # type: ignore[operator]
    assert values(payment.ratio_by_group(other)) == pytest.approx(values(payment.ratio_by_group(one)))
    assert values(payment.free_or_paid(other)) == values(payment.free_or_paid(one))


def test_an_interval_beyond_all_answers_is_not_for_want_of_sampled_units(tmp_path: Path) -> None:
    study = study_of(tmp_path, residents([(0, None, 100), (20, 0, 100), (20, 10, 200)]))
    everybody = told(payment.could_by_group(study))[-1]
    assert (everybody.status, everybody.value, everybody.reason) == ("held back", None, payment.BEYOND)
    assert told(payment.ratio_by_group(study))[-1].status == "published"


def test_needs_are_of_all_and_unmet_needs_of_those_who_need(village: Study) -> None:
    (need,), (unmet,) = told(services.needs_by_field(village)), told(services.unmet_by_field(village))
    assert (need.measure, need.value, need.n) == ("need__health", 50.0, 400)
    assert (unmet.measure, unmet.value, unmet.n) == ("need__health", 50.0, 200)


def test_lists_that_differ_are_not_set_against_each_other(village: Study) -> None:
    other = replace(CODEBOOK.by_name["use"], choices="sex")
    questions = tuple(other if q.name == "use" else q for q in CODEBOOK.questions)
    found = services.unmet_by_field(replace(village, codebook=Codebook(questions, CODEBOOK.choices)))
    assert isinstance(found, Unanswered) and found.reason == services.NO_USE


def test_two_amounts_of_which_neither_follows_the_other_are_not_guessed_at(village: Study) -> None:
    questions = tuple(replace(q, relevant=None) for q in CODEBOOK.questions)
    found = payment.free_or_paid(replace(village, codebook=Codebook(questions, CODEBOOK.choices)))
    assert isinstance(found, Unanswered) and found.reason == payment.NO_PAYMENT


def test_too_few_people_are_not_told(village: Study) -> None:
    strict = village.file.disclosure.model_copy(update={"minimum_cell": 301})
    study = replace(village, file=village.file.model_copy(update={"disclosure": strict}))
    for ask in (
        payment.could_by_group,
        payment.would_by_group,
        payment.ratio_by_group,
        payment.would_pay_by_group,
    ):
        by_sex = [record for record in told(ask(study)) if record.part("sex")]
        assert by_sex and all(record.status == "held back" and record.value is None for record in by_sex)
    assert told(services.unmet_by_field(study))[0].status == "held back"
    assert {r.status for r in told(payment.could_by_group(study))} == {"held back"}


@pytest.mark.parametrize("ask", QUESTIONS, ids=lambda function: function.__name__)
def test_a_study_that_did_not_ask_says_so(ask: Any, town: Study, hamlet: Study) -> None:
    for study in (town, hamlet):
        found = ask(study)
        if ask is services.needs_by_field:
            assert [record.measure for record in told(found)] == ["need__health", "need__sport"]
            continue
        assert isinstance(found, Unanswered)
        assert found.reason.zh.endswith("。") and found.reason.en.endswith(".")


@pytest.mark.parametrize("ask", QUESTIONS, ids=lambda function: function.__name__)
def test_the_sample_study_answers_every_question(ask: Any, chengbei: Study) -> None:
    found = told(ask(chengbei))
    assert found and {record.status for record in found} <= {"published", "caution"}
    assert all(np.isfinite(record.value) for record in found if record.value is not None)


def test_the_sample_study_agrees_with_the_estimators(chengbei: Study) -> None:
    frame, design = sampled_residents(chengbei), sampling_design(chengbei)
    could, would = "could_pay_yuan_per_month", "would_pay_yuan_per_month"
    payers = (frame["wave"] == 2009) & (frame[could] > 0).fillna(False)
    by_hand = ratio(frame, would, could, design, where=payers)
    everybody = told(payment.ratio_by_group(chengbei))[-1]
    assert (everybody.value, everybody.se) == pytest.approx((100 * by_hand.value, 100 * by_hand.se))
    middle = median(frame, could, design, where=payers)
    told_middle = told(payment.could_by_group(chengbei))[-1]
    assert (told_middle.value, told_middle.low, told_middle.high, told_middle.unit) == (
        middle.value, middle.low, middle.high, "yuan",
    )  # fmt: skip
    in_wave = frame["wave"] == 2009
    need = share(frame, "need__health", design, 1, where=in_wave, interval="korn-graubard")
    named = {record.measure: record for record in told(services.needs_by_field(chengbei))}["need__health"]
    assert (named.value, named.low) == pytest.approx((100 * need.value, 100 * need.low))


def test_income_and_schooling_go_with_paying_in_the_sample_study(chengbei: Study) -> None:
    """As its answers are drawn: what people could pay follows income."""
    p = {record.measure: record.p_adjusted for record in told(payment.tests_of_paying(chengbei))}
    assert p["income_band"] is not None and p["income_band"] < 0.001
    assert p["sex"] is not None and p["sex"] > 0.05
