"""What the page on measurement says and shows: headlines, gaps, what comes first, intervals in a crossed table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from cbresearch import show
from cbresearch.records import Released, Text, Unanswered

WHY = Unanswered("any", Text("没有问。", "It was not asked."))
CAPTION = Text("信度", "Reliability")


def gap(make: Any, item: str, value: float | None, p: float = 0.001) -> Released:
    made = make(value, measure=f"exp_{item}_points", wave="2009", gap="perceived")
    return made if value is None else replace(made, p=p, p_adjusted=p)  # type: ignore[no-any-return]


def test_a_headline_is_every_sentence_or_why_there_is_none(page: show.Page) -> None:
    said = show.headline(page, Text("可以。", "It may."), WHY)
    assert said.html["en"].startswith('<p class="headline">It may.</p>')
    assert "It was not asked." in said.html["en"] and said.findings == ()
    assert show.headline(page, WHY, WHY).html["zh"].count("没有问") == 1


@pytest.mark.parametrize(
    "gaps, said, title",
    [
        ((-29.1, -20.0, -22.0), "On all 3 aspects, what residents find falls short of what they expect: most on “Premises are clean and "
         "well equipped”, by 29.1 points; least on “Promises are kept on time”, by 20.0 points.",
         "Furthest below expectation: Premises are clean and well equipped (by 29.1 points)"),
        ((-29.1, 4.0, None), "Of 2 aspects, 1 fall short", "Furthest below expectation: Premises are clean and well equipped (by 29.1 points)"),
        ((4.0, 5.0, 6.0), "On none of 3 aspects", "No aspect of the service can be told to fall short of expectation"),
        ((None, None, None), "There are no numbers to show here.", "No number may be shown"),
    ],
    ids=["all", "some", "none", "held back"],
)  # fmt: skip
def test_gaps_in_words(
    page: show.Page, number_: Any, gaps: tuple[float | None, ...], said: str, title: str
) -> None:
    items = ("tangibles", "reliability", "empathy")
    found = [gap(number_, item, value) for item, value in zip(items, gaps, strict=True)]
    assert show.gaps(page, found).text.en.startswith(said)
    assert show.title_of_gaps(page, found).en == title


def test_a_gap_that_may_be_chance_falls_short_of_nothing(page: show.Page, number_: Any) -> None:
    found = [gap(number_, item, -1.0, p=0.2) for item in ("tangibles", "reliability")]
    assert "On none of 2 aspects" in show.gaps(page, found).text.en
    assert show.title_of_gaps(page, WHY) == WHY.reason and "没有问" in show.gaps(page, WHY).html["zh"]


def test_the_axis_of_a_gap_is_no_scale_from_worst_to_best(page: show.Page, number_: Any) -> None:
    found = [gap(number_, item, value) for item, value in (("tangibles", -20.0), ("reliability", -29.0))]
    drawn = show.dots(page, found, title=CAPTION).html["en"]
    assert "2009, perceived less expected, points" in drawn and "0 worst" not in drawn


@pytest.mark.parametrize(
    "values, title",
    [
        ((8.0, 7.0, 1.0), "Culture comes first (8.0%); intervals that overlap with its own: 1"),
        ((8.0, 1.0, 2.0), "Culture comes first (8.0%), its interval apart from all others"),
        ((None, None, None), "No number may be shown"),
    ],
    ids=["near", "apart", "held back"],
)
def test_what_comes_first(page: show.Page, number_: Any, values: tuple[float | None, ...], title: str) -> None:  # fmt: skip
    found = [
        number_(value, 1.0, measure=f"sat_{item}_points", unit="percent of differences", matters="lmg")
        for item, value in zip(("culture", "sport", "health"), values, strict=True)
    ]
    assert show.title_of_first(page, found).en == title
    assert show.title_of_first(page, WHY) == WHY.reason


def test_intervals_stand_below_the_numbers_that_have_one(page: show.Page, number_: Any) -> None:
    def of(statistic: str, value: float | None, reach: float | None) -> Released:
        return number_(value, reach, measure="quality_points", unit="coefficient", statistic=statistic)  # type: ignore[no-any-return]

    found = [of("alpha", 0.834, 0.02), of("omega", 0.82, None), of("alpha_redrawn", None, None)]
    made = show.cross(page, found, caption=CAPTION, rows="measure", columns="statistic", intervals=True)
    html = made.html["en"]
    assert '0.83<br><small class="under">0.81 to 0.85</small>' in html and '<td class="num">0.82</td>' in html
    assert "held back" in html and html.count("under") == 1
    # a coefficient has no unit to name
    assert "<caption>Reliability</caption>" in html
    plain = show.cross(page, found, caption=CAPTION, rows="measure", columns="statistic")
    assert "under" not in plain.html["en"]


def test_no_chance_on_the_plane_reads_as_certain(page: show.Page, number_: Any) -> None:
    found = [
        number_(value, None, measure=f"sat_{item}_points", axis=axis)
        for item, x, y in (("culture", 50.0, 90.0), ("sport", 80.0, 40.0))
        for axis, value in (("importance", y), ("performance", x))
    ]
    found += [
        number_(chance, None, measure=f"sat_{item}_points", unit="percent of redraws", axis="probability", quadrant=quadrant)
        for item, chance, quadrant in (("culture", 100.0, "concentrate"), ("sport", 97.55, "overkill"))
    ]  # fmt: skip
    drawn = show.plane(page, found, title=CAPTION).html["en"]
    assert "(mend first, over 99%)" in drawn and "(possibly too much, 97%)" in drawn and "100%)" not in drawn
