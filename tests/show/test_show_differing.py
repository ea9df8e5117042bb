"""Sentences and tables about groups, payment and doubt: chosen from numbers, silent where these are held back."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from cbresearch import show
from cbresearch.records import Released, Text, Unanswered

WHY = Unanswered("any", Text("没有问。", "It was not asked."))
CAPTION = Text("检验", "Tests")


def of_test(make: Any, name: str, kind: str, p: float | None) -> Released:
    if p is None:
        return make(None, measure=name, unit="F", test=kind)  # type: ignore[no-any-return]
    return replace(make(3.2, None, measure=name, unit="F", test=kind), p=p, p_adjusted=p)


def three(make: Any, name: str, *p: float | None) -> list[Released]:
    return [
        of_test(make, name, kind, one) for kind, one in zip(("means", "ranks", "satisfied"), p, strict=True)
    ]


@pytest.mark.parametrize(
    "p, said",
    [
        ((0.01, 0.02, 0.04), "differ by more than chance"),
        ((0.01, 0.02, 0.06), "a hint, not a settled finding"),
        ((0.2, 0.06, 0.9), "may be chance"),
    ],
    ids=["all", "some", "none"],
)
def test_what_tests_say_together_decides_the_sentence(
    page: show.Page, number_: Any, p: tuple[float, ...], said: str
) -> None:
    shown = show.differing(page, three(number_, "sex", *p))
    assert said in shown.text.en and shown.text.en.startswith("Sex:")
    assert "性别" in shown.text.zh


def test_questions_of_one_kind_stand_in_one_sentence(page: show.Page, number_: Any) -> None:
    found = [*three(number_, "sex", 0.9, 0.9, 0.9), *three(number_, "tenure", 0.9, 0.9, 0.9), *three(number_, "age_group", 0.001, 0.001, 0.001)]  # fmt: skip
    shown = show.differing(page, found)
    assert "Age group: groups differ" in shown.text.en and "Sex and housing tenure:" in shown.text.en
    assert len(re.findall("<p ", shown.html["zh"])) == 2
    assert len(shown.findings) == 9, "each test is on record once"


def test_a_test_that_was_held_back_decides_nothing(page: show.Page, number_: Any) -> None:
    shown = show.differing(page, three(number_, "sex", 0.01, None, 0.02))
    assert "differ by more than chance" in shown.text.en
    nothing = show.differing(page, three(number_, "sex", None, None, None))
    assert nothing.text.en == "There are no numbers to show here."


@pytest.mark.parametrize("kind", ["held", "paying"])
@pytest.mark.parametrize("p", [0.01, 0.5])
def test_one_kind_of_test_has_words_of_its_own(page: show.Page, number_: Any, kind: str, p: float) -> None:
    shown = show.differing(page, [of_test(number_, "sex", kind, p)])
    assert "Sex" in shown.text.en and ("by more than chance" in shown.text.en) == (p < 0.05)


def test_a_title_names_who_still_differs(page: show.Page, number_: Any) -> None:
    found = [of_test(number_, "sex", "held", 0.5), of_test(number_, "age_group", "held", 0.01)]
    assert show.title_of_differing(page, found).en == "Age group: residents still differ, all else held"
    assert "no kind of resident" in show.title_of_differing(page, found[:1]).en


def test_tests_stand_crossed_with_their_adjusted_p(page: show.Page, number_: Any) -> None:
    found = [*three(number_, "sex", 0.0004, 0.25, None), *three(number_, "tenure", 1.0, 1.0, 1.0)[:2]]
    html = show.tests(page, found, caption=CAPTION).html["en"]
    assert "&lt;0.001" in html and "0.250" in html and "held back: fewer than 10 people" in html
    assert html.count("<tr>") == 3 and "—" in html


def test_payment_is_told_from_three_shares(page: show.Page, number_: Any) -> None:
    shares = [
        number_(value, 3.0, measure="paying", unit="percent", answer=code)
        for code, value in (("could_not", 36.9), ("would_not", 17.6), ("would", 45.5))
    ]
    shown = show.free_or_paid(page, shares)
    assert shown.text.en == (
        "45.5% (95% interval 42.5 to 48.5) of residents would pay something for services; "
        "17.6% could and would not, 36.9% could pay nothing."
    )
    assert 'class="headline"' in shown.html["zh"] and len(shown.findings) == 3
    held = show.free_or_paid(
        page, [*shares[:2], number_(None, measure="paying", unit="percent", answer="would")]
    )
    assert "held back" in held.text.en and "36.9" not in held.text.en


def test_amounts_are_those_of_everybody(page: show.Page, number_: Any) -> None:
    could, would = (
        [number_(v, 5.0, measure=m, unit="yuan", sex="1"), number_(v + 1, 5.0, measure=m, unit="yuan")]
        for m, v in (("could_pay_yuan_per_month", 40.0), ("would_pay_yuan_per_month", 9.0))
    )
    ratio = [number_(31.0, 3.0, measure="would_of_could", unit="percent of a sum")]
    said = show.amounts(page, could, would, ratio).text
    assert "a median of 41 yuan" in said.en and "one of 10 yuan" in said.en
    assert "31% (95% interval 28 to 34) of what they could" in said.en
    assert "中位数为41元" in said.zh and "合计为能付的31%" in said.zh
    assert show.amounts(page, could, would, []).text.en == "There are no numbers to show here."


def reckoned(make: Any, errors: dict[str, float | None]) -> list[Released]:
    found = []
    for way, se in errors.items():
        found.append(make(se, None, measure="standard_error", unit="fine points", reckoned=way))
        found.append(make(se and 1.35, None, measure="design_effect", unit="ratio", reckoned=way))
    return found


def test_doubt_is_told_by_three_ways_with_what_it_costs(page: show.Page, number_: Any) -> None:
    ways = {"taylor": 0.85, "jackknife": 0.86, "bootstrap": 0.88, "calibrated": 0.83}
    said = show.doubt(page, reckoned(number_, ways)).text.en
    assert "0.85 points (Taylor), 0.86 points (jackknife) and 0.88 points (bootstrap)" in said
    assert (
        "The design effect is 1.35: drawn in groups and weighted, 60 returns tell as much as 44 people"
        in said
    )
    assert "goes from 0.85 points to 0.83 points" in said
    dearer = show.doubt(page, reckoned(number_, {**ways, "calibrated": 0.9})).text.en
    assert "does not lower the standard error" in dearer


def test_doubt_makes_do_with_what_there_is(page: show.Page, number_: Any) -> None:
    said = show.doubt(page, reckoned(number_, {"taylor": 0.85, "jackknife": None, "bootstrap": 0.88})).text.en
    assert said.startswith("The standard error is 0.85 points (Taylor).") and "jackknife" not in said
    nothing = show.doubt(page, reckoned(number_, {"taylor": None, "bootstrap": None}))
    assert nothing.text.en == "There are no numbers to show here."


def test_a_question_without_an_answer_is_a_note(page: show.Page) -> None:
    for shown in (
        show.differing(page, WHY), show.tests(page, WHY, caption=CAPTION), show.free_or_paid(page, WHY),
        show.amounts(page, WHY, WHY, WHY), show.doubt(page, WHY),
    ):  # fmt: skip
        assert "It was not asked." in shown.text.en and shown.findings == ()
    assert show.title_of_differing(page, WHY) == WHY.reason
