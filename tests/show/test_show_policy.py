"""What a page says of a policy, chosen from numbers: never more than both tests and every interval bear out."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from cbresearch import show
from cbresearch.errors import PublishError
from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.events import events
from cbresearch.show.names import event_name, part_name

WHY = Unanswered("policy", Text("没有政策。", "There is no policy."))
TITLE = Text("标题", "Title")


def by_method(make: Any, value: float, reach: float, p: float, p_dealt: float) -> list[Released]:
    answer = replace(make(value, reach, term="overall", method="staggered"), p=p)
    return [answer, replace(make(value, reach, term="overall", method="dealt dates"), p=p_dealt)]


def by_event(make: Any, values: dict[int, float | None], reach: float = 2.0) -> list[Released]:
    return [make(value, reach, term="event", event=str(event)) for event, value in values.items()]


@pytest.mark.parametrize(
    "value, p, p_dealt, said",
    [
        (5.0, 0.01, 0.02, "Once the special fund had come, satisfaction with community services overall rose by 5.0 points"),
        (-5.0, 0.01, 0.02, "fell by 5.0 points"),
        (5.0, 0.01, 0.2, "Two tests disagree on whether the special fund changed"),
        (5.0, 0.2, 0.2, "These data cannot tell whether the special fund changed"),
    ],
    ids=["up", "down", "disputed", "unclear"],
)  # fmt: skip
def test_the_headline_claims_what_both_tests_bear_out(
    page: show.Page, number_: Any, value: float, p: float, p_dealt: float, said: str
) -> None:
    smallest = [number_(6.5, None, term="overall")]
    shown = show.headline_of_policy(page, by_method(number_, value, 2.0, p, p_dealt), smallest)
    assert said in shown.text.en and "专项资金" in shown.text.zh
    assert ("6.5 points" in shown.text.en) == (p_dealt > 0.05), (
        "what would have been seen goes with doubt only"
    )


def test_a_held_back_answer_makes_no_headline(page: show.Page, number_: Any) -> None:
    shown = show.headline_of_policy(page, [number_(None, term="overall", method="staggered")], [])
    assert "is held back" in shown.text.en and "points" not in shown.text.en


def design(make: Any, *cohorts: tuple[str, int, str, str]) -> list[Released]:
    return [
        make(float(n), None, measure="special_fund", unit="communities", cohort=cohort, waves_before=before, verdict=verdict)
        for cohort, n, before, verdict in cohorts
    ]  # fmt: skip


def test_who_was_reached_when(page: show.Page, number_: Any) -> None:
    found = design(number_, ("2007", 8, "1", "label"), ("2008", 7, "2", "fit"), ("never", 4, "4", "compared"))
    said = show.reading_of_reach(page, found).text
    assert said.en == "From 2007 to 2008, the special fund reached 15 communities in 2 cohorts; 4 were never reached."  # fmt: skip
    html = show.reached(page, found, caption=TITLE).html["en"]
    assert html.count("<tr>") == 4 and "Never reached" in html and "Estimate, with reservations" in html
    assert "never" not in show.reached(page, found, caption=TITLE).html["zh"], "no code among the words"


@pytest.mark.parametrize(
    "cohorts, said",
    [
        ((("2007", 8, "1", "fit"), ("never", 4, "4", "compared")), "In 2007, the special fund reached 8"),
        ((("2007", 8, "1", "fit"), ("2008", 7, "2", "fit"), ("never", 0, "4", "compared")), "reached all 15"),
    ],
    ids=["at once", "everybody"],
)
def test_batches_are_counted_in_words(page: show.Page, number_: Any, cohorts: Any, said: str) -> None:
    assert said in show.reading_of_reach(page, design(number_, *cohorts)).text.en


def pair(make: Any, cohort: str, difference: float | None, reach: float = 2.0) -> list[Released]:
    sides = [make(value, None, term="pair", cohort=cohort, side=side) for side, value in (("reached", 5.0), ("not yet", 1.0))]  # fmt: skip
    return [*sides, make(difference, reach, term="pair", cohort=cohort, side="difference")]


def test_pairs_name_the_cohorts_that_differ(page: show.Page, number_: Any) -> None:
    rows = [*pair(number_, "2007", 4.0), *pair(number_, "2008", 1.0)]
    shown = show.pairs(page, rows, caption=TITLE)
    assert "a difference can be told, for 2007;" in shown.text.en
    assert "2.0 to 6.0" in shown.html["en"] and "2.0～6.0" in shown.html["zh"]
    assert "Every interval holds 0" in show.pairs(page, rows[3:], caption=TITLE).text.en
    alone = show.pairs(page, [number_(None, term="pair", cohort="2009", side="difference")], caption=TITLE)
    assert "held back" in alone.html["en"]


@pytest.mark.parametrize(
    "reaches, title, said",
    [
        ((1.0, 1.0), "All 2 methods see an effect", "every 95% interval leaves 0 out"),
        ((1.0, 9.0), "Of 2 methods, 1 see", "1 of their 95% intervals leave 0 out"),
        ((9.0, 9.0), "No method can tell an effect", "every 95% interval holds 0"),
    ],
)
def test_methods_are_counted(
    page: show.Page, number_: Any, reaches: tuple[float, float], title: str, said: str
) -> None:
    rows = [number_(3.0 + i, reach, term="overall", method=method) for i, (reach, method) in enumerate(zip(reaches, ("staggered", "two-way"), strict=True))]  # fmt: skip
    assert title in show.title_of_policy(page, rows).en
    text = show.reading_of_methods(page, rows).text
    assert said in text.en and "between 3.0 points and 4.0 points" in text.en


# --- wave by wave ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "values, said",
    [
        ({-2: 0.5, 0: 1.0, 1: 1.5}, "In no wave"),
        ({-2: 0.5, 0: 1.0, 1: 4.0}, "Since the policy, a difference can be told: 1 wave after"),
        ({-2: -4.0, 0: 1.0, 1: 4.0}, "before the policy had come: 2 waves before"),
    ],
)
def test_the_title_of_events_looks_before_first(
    page: show.Page, number_: Any, values: dict[int, float | None], said: str
) -> None:
    assert said in show.title_of_events(page, by_event(number_, values)).en


def test_events_stand_in_their_order_with_the_base_between(page: show.Page, number_: Any) -> None:
    shown = events(page, by_event(number_, {1: 3.0, -3: None, 0: 1.0, -2: 0.2}), title=TITLE)
    assert [finding["group"]["event"] for finding in shown.findings] == ["-3", "-2", "0", "1"]  # type: ignore[index]
    for lang, before in (("en", "Before"), ("zh", "政策之前")):
        html = shown.html[lang]  # type: ignore[index]
        assert before in html and "—" in html
        drawn = re.findall(r">\s*([−\d.]+)\s*</text>", html)
        assert {"−3", "−2", "−1", "0", "1"} <= set(drawn) and "0.2" in drawn
    assert "Held back: 1." in shown.html["en"]


def test_a_number_never_lies_on_the_line_of_zero(page: show.Page, number_: Any) -> None:
    html = events(page, by_event(number_, {0: 0.01, 1: -0.01}, 8.0), title=TITLE).html["en"]
    places = [float(y) for y in re.findall(r'y="([\d.]+)"[^>]*>\s*−?0\.0\s*</text>', html)]
    assert len(set(places)) >= 2 or "0.0" in html


def test_events_of_several_units_have_no_axis(page: show.Page, number_: Any) -> None:
    rows = [
        number_(1.0, unit=unit, term="event", event=str(i)) for i, unit in enumerate(("points", "percent"))
    ]
    with pytest.raises(PublishError, match="A figure of events has one axis"):
        events(page, rows, title=TITLE)


def test_events_are_read_first_and_last(page: show.Page, number_: Any) -> None:
    text = show.reading_of_events(page, by_event(number_, {-2: 9.0, 0: 3.0, 1: 9.0, 2: 1.0})).text.en
    assert "The wave it came:" in text and "3.0 points (95% interval 1.0 to 5.0), which leaves 0 out" in text
    assert "2 waves after:" in text and "which holds 0" in text and "The later the wave" in text
    assert "The later" not in show.reading_of_events(page, by_event(number_, {0: 3.0})).text.en


@pytest.mark.parametrize(
    "since, zh, en",
    [(-3, "3轮以前", "3 waves before"), (-1, "前一轮", "The wave before"), (0, "到来当轮", "The wave it came"), (1, "1轮以后", "1 wave after")],
)  # fmt: skip
def test_events_have_names(since: int, zh: str, en: str) -> None:
    assert event_name(since) == Text(zh, en)


def test_numbers_of_a_policy_are_never_taken_for_answers(page: show.Page, number_: Any) -> None:
    """The outcome as asked has choices 1 to 5; wave 1 after the policy is none of them."""
    record = number_(1.0, measure="sat_overall", event="1", allowed="1", bend="2", waves_before="1")
    names = [part_name(page, record, part).en for part in ("event", "allowed", "bend", "waves_before")]
    assert names == ["1 wave after", "1 × the largest step", "2", "1"]


# --- before, and what if --------------------------------------------------------------------------
def pretrend(make: Any, p: float | None, half: float = 3.0, most: float = 5.0) -> list[Released]:
    test = make(None, unit="F", term="before") if p is None else replace(make(1.1, None, unit="F", term="before"), p=p)  # fmt: skip
    trends = [
        make(value, None, term="trend seen", power=power) for value, power in ((half, "50"), (most, "80"))
    ]
    return [test, *trends]


@pytest.mark.parametrize(
    "p, most, said, unsaid",
    [
        (0.4, 5.0, "so the test tells little", "would most likely"),
        (0.4, 1.0, "would most likely have been seen", "tells little"),
        (0.01, 5.0, "Communities moved apart before the policy (F test, p = 0.010)", "tells little"),
        (None, 5.0, "is held back", "No moving apart"),
    ],
    ids=["blind", "sharp", "apart", "held back"],
)
def test_a_pretest_says_what_it_could_have_seen(
    page: show.Page, number_: Any, p: float | None, most: float, said: str, unsaid: str
) -> None:
    effects = by_method(number_, 2.5, 2.0, 0.01, 0.01)
    text = show.reading_of_pretrend(page, pretrend(number_, p, 0.5, most), effects).text.en
    assert said in text and unsaid not in text


@pytest.mark.parametrize(
    "survives, title",
    [
        (0.0, "there is no finding to undo"),
        (1.25, "survives departures up to 1.2 times"),
        (math.inf, "No departure that was tried"),
        (None, "cannot be had"),
    ],
)
def test_bounds_are_titled_by_what_survives(
    page: show.Page, number_: Any, survives: float | None, title: str
) -> None:
    rows = [number_(2.0, 3.0 + m, term="bounds", allowed=f"{m:g}") for m in (0.0, 0.5)]
    rows.append(number_(survives, None, unit="ratio", term="survives"))
    shown = show.bounds(page, rows)
    assert title in shown.text.en
    assert "No departure" in shown.html["en"] and "0.5 × the largest step" in shown.html["en"]
    assert "最大一步的0.5倍" in shown.html["zh"]


@pytest.mark.parametrize(
    "survives, said",
    [(0.0, "these data show no effect"), (1.5, "turns by up to 1.5 points a wave"), (math.inf, "every turn that was tried")],
)  # fmt: skip
def test_bends_say_up_to_where(page: show.Page, number_: Any, survives: float, said: str) -> None:
    rows = [number_(2.0, 3.0 + m, term="bends", bend=f"{m:g}") for m in (0, 2)]
    rows.append(number_(survives, None, term="survives bends"))
    shown = show.bends(page, rows, caption=TITLE)
    assert said in shown.text.en and "Straight on" in shown.html["en"] and "直线延续" in shown.html["zh"]


# --- without an answer ----------------------------------------------------------------------------
SHOWN: list[Callable[[show.Page, Any], show.Shown]] = [
    lambda page, why: show.headline_of_policy(page, why, why),
    lambda page, why: show.reading_of_reach(page, why),
    lambda page, why: show.reached(page, why, caption=TITLE),
    lambda page, why: show.pairs(page, why, caption=TITLE),
    lambda page, why: show.reading_of_methods(page, why),
    lambda page, why: events(page, why, title=show.title_of_events(page, why)),
    lambda page, why: show.reading_of_events(page, why),
    lambda page, why: show.reading_of_pretrend(page, why, why),
    lambda page, why: show.bounds(page, why),
    lambda page, why: show.bends(page, why, caption=TITLE),
]


@pytest.mark.parametrize("make", SHOWN)
def test_without_an_answer_the_reason_is_said_once(page: show.Page, make: Any) -> None:
    note = make(page, WHY)
    assert "There is no policy." in note.text.en and note.findings == ()
    assert show.together(note, note).html == note.html
    assert show.title_of_policy(page, WHY) == WHY.reason


@pytest.mark.parametrize("make", [*SHOWN[:7], SHOWN[9]])
def test_nothing_to_show_is_said(page: show.Page, make: Any) -> None:
    assert make(page, []).text.en == "There are no numbers to show here."
