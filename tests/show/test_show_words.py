"""The message catalogue, the sentences made from it, the choice of a sentence from numbers."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch import show
from cbresearch.errors import ParameterError, PublishError
from cbresearch.records import Text, Unanswered
from cbresearch.show.catalogue import message, messages, placeholders
from cbresearch.show.names import short
from cbresearch.show.readings import counted
from cbresearch.show.units import DECIMALS, number, unit_of
from cbresearch.show.words import lower_first, reason_of

WITHOUT_UNIT = {
    "after.ratio", "unit.coefficient", "after.coefficient", "unit.fine_coefficient", "after.fine_coefficient",
}  # fmt: skip
PARTS = {
    "",
    "value",
    "brief",
    "size",
    "interval",
    "over",
    "one",
    "n",
    "psus",
    "p",
    "name",
    "label",
    "measure",
    "group",
    "reason",
}


@pytest.mark.parametrize("key", sorted(messages()))
def test_every_message_says_the_same_in_both_languages(key: str) -> None:
    words = messages()[key]
    assert placeholders(words.zh) == placeholders(words.en)
    assert (words.zh.strip() and words.en.strip()) or key in WITHOUT_UNIT
    assert {part for _, part in placeholders(words.en)} <= PARTS
    assert "{" not in re.sub(r"\{\w+(\.\w+)?\}", "", words.zh + words.en)


@pytest.mark.parametrize(
    "key", [key for key in messages() if re.search(r"\.(headline|reading|caution|method)\.", key)]
)
def test_every_sentence_ends_as_sentences_do(key: str) -> None:
    words = messages()[key]
    assert words.zh.endswith("。")
    assert words.en.endswith(".")
    assert not re.search("[\u4e00-\u9fff]", words.en), "Chinese inside the English"
    assert not re.search(r"[\u4e00-\u9fff][,;:!?]", words.zh), "a Latin stop inside the Chinese"


def test_an_unknown_message_is_refused_with_the_nearest() -> None:
    with pytest.raises(PublishError, match=r"no 'drivers.method.cr1'.*Did you mean 'drivers.method.cr2'\?"):
        message("drivers.method.cr1")


def test_a_sentence_says_number_interval_unit(page: show.Page, number_: Any) -> None:
    said = show.say(page, "satisfaction.headline.level", x=number_(61.04, 1.6, wave="2009"))
    assert said.text == Text(
        "社区服务总体满意度（2009年）为61.0分（95%置信区间59.4～62.6）。",
        "Satisfaction with community services overall (2009): 61.0 points (95% interval 59.4 to 62.6).",
    )
    assert said.html["en"].startswith('<p class="headline">Satisfaction')
    assert [finding["value"] for finding in said.findings] == [61.04]


def test_a_held_back_number_turns_the_sentence(page: show.Page, number_: Any) -> None:
    said = show.say(page, "satisfaction.headline.level", x=number_(None, community="欣乐社区"))
    assert said.text.zh == "社区服务总体满意度（欣乐社区）不公布：不足10人，以保护个人信息。"
    assert said.text.en == (
        "Satisfaction with community services overall (Xinle) is held back: fewer than 10 people, to protect them."
    )
    assert said.findings[0]["value"] is None
    assert said.findings[0]["reason"] == {
        "zh": "不公布：不足10人，以保护个人信息。",
        "en": "Held back: fewer than 10 people, to protect them.",
    }


def test_an_unanswered_question_takes_the_place_of_the_sentence(page: show.Page) -> None:
    why = Unanswered("effects", Text("没有社区。", "There are no communities."))
    said = show.say(page, "satisfaction.headline.level", x=why)
    assert said.text.en == "These data cannot answer this question: There are no communities."
    assert said.html["zh"].startswith('<div class="note" role="note">')


def test_a_message_that_wants_more_says_what(page: show.Page) -> None:
    with pytest.raises(PublishError, match="wants areas, staff, volunteers; not given: staff, volunteers"):
        show.say(page, "situation.headline.staff", areas=23)


def test_text_from_outside_is_escaped(page: show.Page) -> None:
    said = show.say(page, "quality.reading.weights", column=Text("<b>", "<script>\u202e"), n=60, effective=41)
    assert "&lt;script&gt;" in said.html["en"]
    assert "<script" not in said.html["en"]
    assert "\u202e" not in said.html["en"]


@pytest.mark.parametrize(
    "reach, expected",
    [(0.5, "more"), (3.0, "cannot tell")],
)
def test_the_interval_decides_what_is_said_of_an_effect(
    page: show.Page, number_: Any, reach: float, expected: str
) -> None:
    cause = "funding_thousand_yuan_per_100_households"
    effect = number_(1.9, reach, measure=cause, unit=f"points per {cause}", term="within")
    said = show.reading_of_effect(page, effect).text.en
    if expected == "more":
        assert said == (
            "Funding per 100 households: within the same community, each additional 1,000 yuan per 100 households went "
            "with satisfaction with community services overall higher by 1.90 points (95% interval 1.40 to 2.40)."
        )
    else:
        assert "cannot tell whether" in said
        assert said.endswith("Any size in that interval would fit these data.")


def test_what_could_have_been_seen_is_said(page: show.Page, number_: Any) -> None:
    cause = "staff_college_percent"
    effect = number_(0.1, 0.3, measure=cause, unit=f"points per {cause}", term="within")
    smallest = number_(0.42, None, measure=cause, unit=f"points per {cause}", term="within")
    (said,) = {show.readings_of_effects(page, [effect], detectable=[smallest]).text.en}
    assert "about 0.42 points or more" in said


@pytest.mark.parametrize(
    "value, reach, verdict, opening",
    [
        (64.0, 2.0, "met", "Met: "),
        (50.0, 2.0, "not met", "Not met: "),
        (60.5, 2.0, "cannot tell", "Cannot tell: "),
    ],
)
def test_the_verdict_is_the_one_that_was_judged(
    page: show.Page, number_: Any, value: float, reach: float, verdict: str, opening: str
) -> None:
    judged = number_(value, reach, community="欣乐社区", target="60", verdict=verdict)
    said = show.verdict(page, judged).text.en
    assert said.startswith(opening)
    assert "target of 60 points" in said


def test_a_number_that_nobody_judged_has_no_verdict(page: show.Page, number_: Any) -> None:
    with pytest.raises(PublishError, match="carries no verdict"):
        show.verdict(page, number_(64.0))


@pytest.mark.parametrize(
    "gap, said", [(10.0, "The two intervals do not overlap."), (1.0, "cannot tell which is higher.")]
)
def test_best_and_worst_claims_no_more_than_the_intervals(
    page: show.Page, number_: Any, gap: float, said: str
) -> None:
    rows = [
        number_(60.0, community="欣乐社区"),
        number_(60.0 + gap, community="朝阳社区"),
        number_(None, community="新村社区"),
    ]
    assert show.best_and_worst(page, rows).text.en.endswith(said)


def test_first_and_last_waves(page: show.Page, number_: Any) -> None:
    series = [number_(70.0, wave="2009"), number_(60.0, wave="2006")]
    assert show.first_and_last(page, series).text.en.startswith("2009 was higher than 2006: from 60.0 points")
    assert show.title_of_waves(page, series).en == (
        "Satisfaction with community services overall: up from 60.0 points (2006) to 70.0 points (2009)"
    )


@pytest.mark.parametrize("change, opening", [(3.0, "up by"), (-3.0, "down by"), (1.0, "a change of")])
def test_a_change_has_a_direction_only_off_zero(
    page: show.Page, number_: Any, change: float, opening: str
) -> None:
    assert f": {opening} " in show.change(page, number_(change, 2.0, wave="2009")).text.en


@pytest.mark.parametrize(
    "measure, value, agrees, said",
    [
        ("staff_count", 123.0, "yes", "agrees with the published 123 people"),
        ("exercise_paths", 26.0, "yes", "agrees with the published “more than 20 paths”"),
        ("staff_count", 120.0, "no", "need checking"),
        ("staff_count", 120.0, None, "Elected committee members: 120 people."),
    ],
)
def test_a_ledger_figure_is_held_against_the_published_one(
    page: show.Page, number_: Any, measure: str, value: float, agrees: str | None, said: str
) -> None:
    stated = f"{page.study.indicators[measure].published:g}"
    group = {"published": stated, "agrees": agrees} if agrees else {}
    assert said in show.agreement(page, number_(value, None, measure=measure, unit=measure, **group)).text.en


def test_published_figures_are_counted(page: show.Page, number_: Any) -> None:
    def found(value: float, agrees: str) -> Any:
        return number_(value, None, measure="staff_count", unit="staff_count", published="123", agrees=agrees)

    assert show.published(page, [found(123.0, "yes")]).text.en == (
        "Published figures that can be checked: 1. The ledgers agree with all of them."
    )
    assert show.published(page, [found(123.0, "yes"), found(9.0, "no")]).text.en.endswith(
        "the sources need checking."
    )
    assert (
        "<td>Differs</td>"
        in show.against_published(page, [found(9.0, "no")], caption=Text("表", "T")).html["en"]
    )


def test_differences_are_said_to_be_differences(page: show.Page, number_: Any) -> None:
    rows = [
        number_(v, 2.0, measure=m, against="district")
        for m, v in (("sat_sport_points", 5.0), ("sat_order_points", -1.0))
    ]
    title = show.title_of_differences(page, rows)
    assert title.en == "Against the overall level: of 2 items, 1 above, 1 too close to tell"
    assert "points, difference from the overall level" in show.dots(page, rows, title=title).html["en"]


def test_everybody_is_the_line_that_groups_are_held_against(page: show.Page, number_: Any) -> None:
    rows = [number_(60.0, sex="1"), number_(64.0, sex="2"), number_(70.0, tenure="1"), number_(62.0)]
    shown = show.dots(page, rows, title=show.title_of(page, rows), order=show.as_given)
    assert re.findall(r">([^<>]+)</text>", shown.html["en"]).count("Overall 62.0") == 1
    assert shown.text.en == "Highest: Owned (70.0 points); lowest: Men (60.0 points)"
    assert re.findall(r'<th scope="row">(.*?)</th>', shown.html["en"]) == ["Men", "Women", "Owned", "Overall"]
    assert len(shown.findings) == 4


def test_a_language_the_study_lacks_is_refused(study: Any) -> None:
    with pytest.raises(
        ParameterError,
        match=r"lang: 'eng' was given; expected one of the study's languages: zh, en. Did you mean 'en'\?",
    ):
        show.page(study, "eng")


@pytest.mark.parametrize("code", sorted(DECIMALS))
def test_every_unit_has_its_words(page: show.Page, code: str) -> None:
    assert unit_of(page, code).heading.zh or code.endswith("coefficient")


def test_every_indicator_and_its_rate_has_a_unit(page: show.Page) -> None:
    for name in page.study.indicators:
        assert unit_of(page, name).heading == page.study.indicators[name].unit.text
        assert unit_of(page, f"points per {name}").per


@pytest.mark.parametrize(
    "unit, heading, per",
    [
        ("points per staff_college_percent", "points per 1 percentage point", "1 percentage point"),
        (
            "points per funding_thousand_yuan_per_100_households",
            "points per 1,000 yuan per 100 households",
            "1,000 yuan per 100 households",
        ),
        (
            "points per volunteers_per_100_households",
            "points per 1 volunteer per 100 households",
            "1 volunteer per 100 households",
        ),
    ],
)
def test_a_rate_reads_as_english(page: show.Page, unit: str, heading: str, per: str) -> None:
    found = unit_of(page, unit)
    assert found.heading.en == heading
    assert found.per is not None
    assert found.per.en == per


def test_an_unknown_unit_is_refused_with_the_nearest(page: show.Page) -> None:
    with pytest.raises(PublishError, match=r"No unit 'point'; expected .* Did you mean 'points'\?"):
        unit_of(page, "point")


def test_a_share_is_printed_as_percent(page: show.Page, number_: Any) -> None:
    said = show.say(page, "situation.headline.figure", x=number_(0.314, 0.02, unit="share"))
    assert "31.4% (95% interval 29.4 to 33.4)" in said.text.en


@given(st.floats(-1e9, 1e9), st.integers(0, 4))
def test_a_printed_number_reads_back(value: float, decimals: int) -> None:
    printed = number(value, decimals)
    assert (
        abs(float(printed.replace(",", "").replace("\N{MINUS SIGN}", "-")) - value)
        <= 0.5000001 * 10**-decimals + 1e-6
    )
    assert "-" not in printed


def test_nothing_is_minus_zero() -> None:
    assert number(-0.04, 1) == "0.0"


@pytest.mark.parametrize(
    "words, expected", [("Satisfaction", "satisfaction"), ("GDP per head", "GDP per head"), ("", "")]
)
def test_abbreviations_keep_their_capitals(words: str, expected: str) -> None:
    assert lower_first(words) == expected


def test_a_reason_says_nothing_twice(number_: Any) -> None:
    assert reason_of(number_(60.0, status="caution")) == Text("误差范围较宽", "the interval is wide")
    assert reason_of(number_(None)) == Text(
        "不足10人，以保护个人信息", "fewer than 10 people, to protect them"
    )


def test_steps_and_rules_of_the_survey_have_names() -> None:
    from importlib import import_module
    from pkgutil import iter_modules

    import cbresearch.survey as survey
    from cbresearch.survey.ledger import STEPS
    from cbresearch.survey.rules import RULES

    for module in iter_modules(survey.__path__):
        import_module(f"cbresearch.survey.{module.name}")
    wanted = {f"step.{name}" for name in STEPS} | {f"rule.{name}" for name in RULES}
    assert wanted - set(messages()) == set()


@pytest.mark.parametrize(
    "value, reach, said",
    [
        (70.0, 2.0, "Xinle is above the overall level: 70.0 points"),
        (50.0, 2.0, "Xinle is below the overall level: 50.0 points"),
        (62.0, 2.0, "so the survey cannot tell which is higher."),
        (62.0, None, "Xinle: 62.0 points, more than the overall level at 61.0 points."),
    ],
)
def test_a_community_is_compared_with_care(
    page: show.Page, number_: Any, value: float, reach: float | None, said: str
) -> None:
    here, there = number_(value, reach, community="欣乐社区", wave="2009"), number_(61.0, reach, wave="2009")
    assert said in show.compared(page, here, there).text.en


def test_titles_over_waves_count_what_is_clear(page: show.Page, number_: Any) -> None:
    items = {"sat_health_points": 10.0, "sat_sport_points": -10.0, "sat_order_points": 0.5}
    rows = [
        number_(60.0 + gain * step, measure=item, wave=wave)
        for item, gain in items.items()
        for step, wave in enumerate(("2006", "2009"))
    ]
    assert show.title_of_waves(page, rows).en == (
        "2006 to 2009: of 3 items, 1 rose, 1 fell, 1 too close to tell"
    )
    assert (
        show.title_of_waves(page, rows[4:]).en
        == "First and last wave differ by less than the margin of error"
    )


def test_a_title_of_answers_names_both_ends(page: show.Page, number_: Any) -> None:
    shares = {"sat_health": 0.5, "sat_sport": 0.2, "sat_order": 0.3}
    rows = [
        number_(share if code == "4" else 1 - share, 0.01, measure=item, unit="share", answer=code)
        for item, share in shares.items()
        for code in ("2", "4")
    ]
    assert show.title_of_answers(page, rows).en == (
        "Most favourable answers: Health and rehabilitation; fewest: Sport"
    )


def test_counts_leave_out_what_is_not_there(page: show.Page) -> None:
    assert counted(page, "targets", {"met": 3, "missed": 1, "unclear": 0}) == Text(
        "4项目标中，3项达标，1项未达标", "of 4 targets, 3 met, 1 not met"
    )
    assert counted(page, "targets", {"met": 0, "missed": 4, "unclear": 0}) == Text(
        "4项目标全部未达标", "all 4 targets not met"
    )


def test_a_whole_question_is_cut_after_a_word() -> None:
    long = "En una escala del uno al diez, qué tan satisfecho se encuentra con su colonia"
    assert short(Text("满意度", long)) == Text("满意度", "En una escala del … se encuentra con su colonia")
    assert short(Text("很" * 40, "a" * 80)).zh == "很" * 10 + " … " + "很" * 18
    assert len(short(Text("很" * 40, "a" * 80)).en) == 60
    assert short(Text("x" * 60, "y" * 60)) == Text("x" * 60, "y" * 60)


FUNDING = "funding_thousand_yuan_per_100_households"
COLLEGE = "staff_college_percent"


def _effect(make: Any, cause: str, value: float) -> Any:
    return make(value, 1.0, measure=cause, unit=f"points per {cause}", term="within")


def _checked(make: Any, cause: str, decision: str) -> Any:
    unit = f"points per {cause}"
    return make(1.9, 1.0, measure=cause, unit=unit, method="CR2", verdict=decision)


@pytest.mark.parametrize(
    "value, decision, said",
    [
        (1.9, "agree", "changes in funding per 100 households went with changes in"),
        (1.9, "disagree", "so it cannot be told for sure."),
        (1.9, "cannot tell", "so it cannot be told for sure."),
        (0.2, "agree", "none can be told to go with"),
    ],
)
def test_a_cause_is_claimed_only_when_every_method_sees_it(
    page: show.Page, number_: Any, value: float, decision: str, said: str
) -> None:
    effects = [_effect(number_, FUNDING, value), _effect(number_, COLLEGE, 0.1)]
    checked = [_checked(number_, FUNDING, decision)]
    headline = show.headline_of_effects(page, effects, checked).text.en
    assert headline.startswith("Inputs looked at: 2.")
    assert said in headline
    is_claimed = "by every method" in show.title_of_effects(page, effects, checked).en
    assert is_claimed == ("by every method" in headline) == (decision == "agree" and value > 1)


def test_without_methods_nothing_is_claimed(page: show.Page, number_: Any) -> None:
    why = Unanswered("driver_panels", Text("没有。", "There is none."))
    effects = [_effect(number_, FUNDING, 1.9)]
    assert "cannot be told for sure" in show.headline_of_effects(page, effects, why).text.en


def test_a_single_wave_has_no_causes(page: show.Page, number_: Any) -> None:
    between = number_(1.9, 1.0, measure=FUNDING, unit=f"points per {FUNDING}", term="between")
    assert "single wave" in show.headline_of_effects(page, [between], []).text.en
    assert "single wave" in show.title_of_effects(page, [between], []).en


def test_a_reading_says_that_methods_disagree(page: show.Page, number_: Any) -> None:
    effect = _effect(number_, FUNDING, 1.9)
    doubted = show.readings_of_effects(page, [effect], checked=[_checked(number_, FUNDING, "disagree")])
    sure = show.readings_of_effects(page, [effect], checked=[_checked(number_, FUNDING, "agree")])
    assert doubted.text.en.endswith("But the methods disagree, so nothing should rest on it.")
    assert doubted.text.zh.startswith("每百户经费：同一社区内，每百户每增加1千元，")
    assert "disagree" not in sure.text.en


def test_what_methods_say_stands_below_their_table(page: show.Page) -> None:
    verdicts = {FUNDING: Text("看不出。", "They cannot tell."), COLLEGE: Text("看到了。", "They see it.")}
    said = show.verdicts_of_methods(page, verdicts)
    assert '<p class="reading">Funding per 100 households: They cannot tell.</p>' in said.html["en"]
    assert "Inputs looked at: 2." in said.html["en"]
    alone = show.verdicts_of_methods(page, {FUNDING: Text("看不出。", "They cannot tell.")})
    assert "looked at" not in alone.html["en"]


def test_large_figures_per_something_are_told_whole() -> None:
    from cbresearch.records import Text
    from cbresearch.show.units import Unit

    unit = Unit(Text("元", "yuan"), Text("元", " yuan"), 2, whole_from=100.0)
    assert [unit.number(value) for value in (2.417, 99.99, 100.0, 20000.0)] == [
        "2.42",
        "99.99",
        "100",
        "20,000",
    ]


def test_no_message_stands_twice() -> None:
    """The later one would win, silently."""
    import csv
    from importlib.resources import files

    with (files("cbresearch.show") / "messages.csv").open(encoding="utf-8", newline="") as file:  # type: ignore[call-arg]
        keys = [row[0] for row in csv.reader(file)]
    assert sorted({key for key in keys if keys.count(key) > 1}) == []
