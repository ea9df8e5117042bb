"""Figures, tables: what is in them, what must never be, the same bytes twice."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbresearch import show
from cbresearch.errors import PublishError
from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.canvas import ems, scale, wrap
from cbresearch.show.names import short_measures
from cbresearch.show.shown import FINDINGS_TYPE, PAGE_TYPE
from cbresearch.show.theme import CATEGORY, DIVERGENCE, ORDER, contrast, spread, text_on

TITLE = Text("标题", "A finding")
FUNDING = "funding_thousand_yuan_per_100_households"
ITEMS = ("sat_health_points", "sat_culture_points", "sat_welfare_points")
Draw = Callable[..., show.Shown]


def by_area(make: Any) -> list[Released]:
    return [
        make(61.0, community="欣乐社区", wave="2009"),
        make(70.0, community="朝阳社区", wave="2009", status="caution"),
        make(None, community="新村社区", wave="2009"),
    ]


def by_wave(make: Any) -> list[Released]:
    return [
        make(60.0 + i, measure=item, wave=wave)
        for item in ITEMS
        for i, wave in enumerate(("2006", "2007", "2009"))
    ]


def answers(make: Any) -> list[Released]:
    shares = {"1": 0.1, "2": 0.2, "3": 0.3, "4": 0.3, "5": 0.1}
    return [
        make(share, 0.02, measure=item, unit="share", answer=code)
        for item in ("sat_health", "sat_culture", "sat_sport")
        for code, share in shares.items()
    ]


def effects(make: Any) -> list[Released]:
    unit = f"points per {FUNDING}"
    return [
        make(value, 1.0, measure=FUNDING, unit=unit, term=term)
        for value, term in ((1.9, "within"), (-0.2, "between"))
    ]


def specifications(make: Any) -> list[Released]:
    unit = f"points per {FUNDING}"
    return [
        make(value, 1.0, measure=FUNDING, unit=unit, term="within", outcome=outcome, held=held_sets, rows="everybody", weights=weights)
        for value, outcome, held_sets, weights in (
            (-0.4, "sat_overall_points", "nothing", "unweighted"),
            (0.8, "sat_overall_points", "residents", "weighted"),
            (1.9, "quality_points", "residents+staff_college_percent", "weighted"),
        )
    ]  # fmt: skip


def places(make: Any) -> list[Released]:
    records = []
    for i, item in enumerate(("sat_health_points", "sat_culture_points", "sat_sport_points")):
        records += [
            make(70.0 + i * 5, None, measure=item, axis="importance"),
            make(60.0 - i, None, measure=item, axis="performance"),
        ]
        records += [
            make(chance, None, measure=item, unit="percent", axis="probability", quadrant=quadrant)
            for quadrant, chance in (
                ("concentrate", 85.0 - 30 * i),
                ("keep_up", 15.0 + 30 * i),
                ("low_priority", 0.0),
                ("overkill", 0.0),
            )
        ]
    return records


def stages(make: Any) -> list[Released]:
    return [
        make(share, None, measure="age_group", unit="share", answer=code, stage=stage)
        for code in ("18-29", "60+")
        for stage, share in (("unweighted", 0.2), ("weighted", 0.25), ("population", 0.25))
    ]


def gone(make: Any) -> list[Released]:
    percents = (
        ("sat_health", "2006", 0.0),
        ("sat_health", "2009", 12.0),
        ("sat_culture", "2009", 3.0),
    )
    return [
        replace(make(percent, None, measure=item, unit="percent", wave=wave), method="missing")
        for item, wave, percent in percents
    ]


def counts(make: Any) -> list[Released]:
    return [
        make(120.0, None, measure="rows_received", unit="rows"),
        make(7.0, None, measure="rows_set_aside", unit="rows", step="set_aside_copies"),
        make(113.0, None, measure="residents", unit="residents"),
    ]


FIGURES: dict[str, tuple[Draw, Callable[[Any], list[Released]]]] = {
    "dots": (show.dots, by_area),
    "bars": (show.bars, by_area),
    "waves": (show.waves, by_wave),
    "likert": (show.likert, answers),
    "coefficients": (show.coefficients, effects),
    "plane": (show.plane, places),
    "curve": (show.curve, specifications),
    "before_after": (show.before_after, stages),
    "missing_map": (show.missing_map, gone),
}


def svg_of(html: str) -> ET.Element:
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


@pytest.mark.parametrize("kind", FIGURES)
def test_every_figure_has_all_that_a_reader_needs(page: show.Page, number_: Any, kind: str) -> None:
    draw, rows = FIGURES[kind]
    shown = draw(page, rows(number_), title=TITLE)
    for lang, html in shown.html.items():
        svg = svg_of(html)
        ids = [node.get("id") for node in svg.iter() if node.get("id")]
        assert svg.get("role") == "img"
        assert set((svg.get("aria-labelledby") or "").split()) <= set(ids)
        assert svg[0].text == TITLE.say(lang)
        assert len(svg[1].text or "") > 20, "the alternative says type and message"
        assert "<figcaption><strong>" in html and '<details class="data">' in html and "<th scope=" in html
        assert not re.search(r"<style|<script|<metadata|https?:|xlink", html)
        assert len(ids) == len(set(ids))
    assert len(shown.findings) == len(rows(number_))


@pytest.mark.parametrize("kind", FIGURES)
def test_every_figure_is_the_same_twice(page: show.Page, number_: Any, kind: str) -> None:
    draw, rows = FIGURES[kind]
    assert draw(page, rows(number_), title=TITLE).html == draw(page, rows(number_), title=TITLE).html


@pytest.mark.parametrize("kind", FIGURES)
def test_every_figure_gives_way_to_a_note(page: show.Page, kind: str) -> None:
    why = Unanswered("x", Text("没有。", "There is none."))
    assert "There is none." in FIGURES[kind][0](page, why, title=TITLE).html["en"]
    assert "There are no numbers" in FIGURES[kind][0](page, [], title=TITLE).html["en"]


@pytest.mark.parametrize("kind", FIGURES)
def test_every_figure_stands_with_nothing_but_held_back(page: show.Page, number_: Any, kind: str) -> None:
    draw, rows = FIGURES[kind]
    held = [number_(None, measure=r.measure, unit=r.unit, **dict(r.group)) for r in rows(number_)]
    html = draw(page, held, title=TITLE).html["en"]
    assert "held back" in html
    assert "no number that may be shown" in html or kind in {"coefficients", "before_after"}


def test_ids_of_figures_on_one_page_never_meet(page: show.Page, number_: Any) -> None:
    parts = [draw(page, rows(number_), title=TITLE) for draw, rows in FIGURES.values()]
    whole = "".join(part.html[lang] for part in parts for lang in ("zh", "en"))
    ids = re.findall(r'\bid="([^"]+)"', whole)
    assert len(ids) == len(set(ids))
    references = re.findall(r'href="#([^"]+)"|url\(#([^)]+)\)', whole)
    assert {a or b for a, b in references} <= set(ids)


IN_A_NEW_PROCESS = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
from conftest import sample_study
from cbresearch import show
from cbresearch.records import Released, Text
rows = [Released("sat_overall_points", (("community", area),), "points", "published", value, 1.0, 9.0, value - 2, value + 2, 60)
        for area, value in (("欣乐社区", 60.0), ("朝阳社区", 70.0))]
html = show.dots(show.page(sample_study()), rows, title=Text("标题", "A finding")).html
print(hashlib.sha256((html["zh"] + html["en"]).encode()).hexdigest())
"""


def test_bytes_do_not_depend_on_the_process() -> None:
    command = [sys.executable, "-c", IN_A_NEW_PROCESS, str(Path(__file__).parent)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    first, second = (run.communicate()[0].strip() for run in runs)
    assert len(first) == 64
    assert first == second


def test_the_bundle_is_what_pages_are_made_from(page: show.Page, number_: Any) -> None:
    shown = show.dots(page, by_area(number_), title=TITLE)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {PAGE_TYPE, FINDINGS_TYPE, "text/html", "text/plain"}
    assert shown.html["zh"] in bundle["text/html"]
    assert bundle["text/plain"] == "标题"
    findings = json.loads(json.dumps(bundle[FINDINGS_TYPE], allow_nan=False))
    assert set(findings[0]) == {
        "measure", "group", "name", "value", "low", "high", "se", "df", "n", "unit", "status", "p", "p_adjusted", "reason",
    }  # fmt: skip
    assert findings[0]["name"] == {
        "zh": "社区服务总体满意度（朝阳社区，2009年）",
        "en": "Satisfaction with community services overall (Chaoyang, 2009)",
    }
    assert findings[-1]["value"] is None and findings[-1]["n"] is None


def test_infinite_degrees_of_freedom_fit_json(page: show.Page) -> None:
    exact = Released("staff_count", (), "staff_count", "published", 123.0, None, float("inf"), None, None, 23)
    assert show.table(page, exact, caption=TITLE).findings[0]["df"] is None


def test_a_held_back_row_is_named_with_its_reason(page: show.Page, number_: Any) -> None:
    shown = show.dots(page, by_area(number_), title=TITLE)
    assert "新村社区：不公布（不足10人，以保护个人信息）。" in shown.html["zh"]
    assert '<td class="held-back">held back: fewer than 10 people, to protect them</td>' in shown.html["en"]


def test_the_alternative_names_highest_and_lowest(page: show.Page, number_: Any) -> None:
    svg = svg_of(show.dots(page, by_area(number_), title=TITLE).html["en"])
    assert svg[1].text == (
        "Dot-and-interval chart, ordered by value. Rows: 3. Highest: Chaoyang, 70.0 points; lowest: Xinle, 61.0 points. Held back: 1."
    )


def test_one_share_held_back_holds_back_its_bar(page: show.Page, number_: Any) -> None:
    rows = answers(number_)
    rows[0] = number_(None, measure="sat_health", unit="share", answer="1")
    svg = ET.tostring(svg_of(show.likert(page, rows, title=TITLE).html["en"]), encoding="unicode")
    assert svg.count("— held back") == 1
    assert svg.count(">30</") == 4, "two bars of three are drawn, each with two shares of 30 %"


def test_reverse_worded_answers_are_turned_round(page: show.Page, number_: Any) -> None:
    rows = [number_(0.2, 0.01, measure="per_responsiveness", unit="share", answer=code) for code in "12345"]
    texts = [node.text for node in svg_of(show.likert(page, rows, title=TITLE).html["en"]).iter("text")]
    assert texts[:2] == ["Strongly agree", "Agree"]


def test_answers_without_order_are_refused(page: show.Page, number_: Any) -> None:
    with pytest.raises(PublishError, match="Answers 7 of 'sat_health' cannot be put in order"):
        show.likert(page, [number_(0.2, 0.01, measure="sat_health", unit="share", answer="7")], title=TITLE)


def test_a_character_without_glyph_stops_the_figure(page: show.Page, number_: Any) -> None:
    rows = [number_(60.0, community="\U0002b740社区"), number_(61.0, community="欣乐社区")]
    with pytest.raises(
        PublishError, match=r"No font has the character '\U0002b740' \(U\+2B740\); looked in DejaVu Sans and"
    ):
        show.dots(page, rows, title=TITLE)


def test_hostile_labels_stay_text(page: show.Page, number_: Any) -> None:
    nasty = '<img src=x onerror=alert(1)>"]]>&$a$'
    html = show.dots(
        page, [number_(60.0, community=nasty), number_(61.0, community="欣乐社区")], title=Text(nasty, nasty)
    ).html["en"]
    assert "<img" not in html
    assert "&lt;img src=x onerror=alert(1)&gt;&quot;]]&gt;&amp;$a$" in html
    assert svg_of(html)[0].text == nasty


def test_cross_keeps_places_and_says_what_is_missing(page: show.Page, number_: Any) -> None:
    rows = [
        number_(60.0, measure=ITEMS[0], wave="2006"),
        number_(None, measure=ITEMS[0], wave="2007"),
        number_(64.0, measure=ITEMS[1], wave="2007", status="caution"),
    ]
    html = show.cross(page, rows, caption=TITLE, rows="measure", columns="wave").html["en"]
    cells = re.findall(r"<td[^>]*>(.*?)</td>", html)
    assert cells == ["60.0", "held back: fewer than 10 people, to protect them", "", "64.0†"]
    assert "<caption>A finding: points (0 worst, 100 best)</caption>" in html
    assert "† Use with care: the interval is wide." in html


def test_the_scorecard_has_a_row_per_target(page: show.Page, number_: Any) -> None:
    judged = [
        number_(64.2, community="欣乐社区", target="60", verdict="met"),
        number_(
            20.0,
            None,
            measure="staff_college_percent",
            unit="staff_college_percent",
            target="30",
            verdict="not met",
        ),
    ]
    html = show.scorecard(page, judged, caption=TITLE, district=[number_(61.0)]).html["en"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", html) == [
        '<span class="verdict met">Met</span>', '64.2<br><small class="under">62.2 to 66.2</small>', "60", "61.0",
        '<span class="verdict not-met">Not met</span>', "20.0", "30", "—",
    ]  # fmt: skip
    assert 'Staff with a college degree <small class="under">(%)</small></th>' in html


def test_a_unit_stands_once_with_its_row_or_column(page: show.Page, number_: Any) -> None:
    rows = [
        number_(value, None, measure=name, unit=name, wave=wave)
        for name, value in (("elderly_centres", 1.0), ("staff_college_percent", 50.0))
        for wave in ("2006", "2009")
    ]
    down = show.cross(page, rows, caption=TITLE, rows="measure", columns="wave").html["en"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", down) == ["1", "1", "50.0", "50.0"]
    assert '<th scope="row">Elderly activity centres</th>' in down
    across = show.cross(page, rows, caption=TITLE, rows="wave", columns="measure").html["en"]
    assert re.findall(r"<td[^>]*>(.*?)</td>", across) == ["1", "50.0", "1", "50.0"]
    assert 'Staff with a college degree<br><small class="under">%</small></th>' in across


def test_rows_of_one_measure_stand_under_its_name(page: show.Page, number_: Any) -> None:
    rows = [
        number_(value, 1.0, measure=name, unit=f"points per {name}", term=term)
        for term in ("within", "between")
        for name, value in ((FUNDING, 1.9), ("staff_college_percent", 0.2))
    ]
    html = show.table(page, rows, caption=TITLE, rows=("measure", "term")).html["en"]
    assert re.findall(r'<th scope="(rowgroup|row)"( rowspan="2")?>(.*?)(?:<br>.*?)?</th>', html) == [
        ("rowgroup", ' rowspan="2"', "Funding per 100 households"),
        ("row", "", "Same community, over time"),
        ("row", "", "Between communities"),
        ("rowgroup", ' rowspan="2"', "Staff with a college degree"),
        ("row", "", "Same community, over time"),
        ("row", "", "Between communities"),
    ]
    assert html.count("points per 1,000 yuan per 100 households") == 1
    assert html.count("<tbody>") == html.count("</tbody>") == 2


def test_findings_do_not_depend_on_the_language_shown_first(study: Any, number_: Any) -> None:
    in_two = [show.table(show.page(study, lang), by_area(number_), caption=TITLE) for lang in ("zh", "en")]
    assert in_two[0].findings == in_two[1].findings


def test_together_keeps_each_number_once(page: show.Page, number_: Any) -> None:
    rows = by_area(number_)
    both = show.together(show.dots(page, rows, title=TITLE), show.best_and_worst(page, rows))
    assert len(both.findings) == 3
    assert both.html["en"].index("<svg") < both.html["en"].index('<p class="reading">')


def test_only_the_languages_of_the_study_are_drawn(study: Any, number_: Any) -> None:
    about = study.file.study.model_copy(update={"languages": ("en",)})
    english = type(study)(study.root, study.file.model_copy(update={"study": about}), study.codebook)
    assert set(show.dots(show.page(english, "en"), by_area(number_), title=TITLE).html) == {"en"}


@pytest.mark.parametrize("colour", CATEGORY)
def test_marks_stand_out_from_light_and_dark_pages(colour: str) -> None:
    assert contrast(colour, "#ffffff") >= 3
    assert contrast(colour, "#15191e") >= 3


@pytest.mark.parametrize("count", range(2, 8))
def test_numbers_in_segments_can_be_read(count: int) -> None:
    colours = spread(DIVERGENCE, count)
    assert len(colours) == count
    assert all(contrast(colour, text_on(colour)) >= 4.5 for colour in colours)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_a_scale_holds_its_values() -> None:
    at = scale([0.313, 0.6], 10, 110, factor=100)
    assert at.ticks[0] <= 31.3 and at.ticks[-1] >= 60
    assert 10 <= at(0.313) < at(0.6) <= 110


def test_lines_keep_words_and_stops_together() -> None:
    assert wrap("Welfare and minimum-living allowance", 150, 10) == [
        "Welfare and minimum-living",
        "allowance",
    ]
    assert (
        wrap("社会救助，低保", 50, 10) == ["社会救助，", "低保"]
        or wrap("社会救助，低保", 40, 10)[1][0] != "，"
    )
    assert ems("社区") == 2.0


def test_what_all_items_share_is_left_out(page: show.Page) -> None:
    short = short_measures(page, ITEMS)
    assert [label.en for label in short.values()] == [
        "Health and rehabilitation",
        "Culture",
        "Welfare and minimum-living allowance",
    ]
    assert [label.zh for label in short.values()] == ["医疗康复", "文化", "社会救助与低保"]


def test_one_axis_takes_one_unit(page: show.Page, number_: Any) -> None:
    rows = [number_(60.0, wave="2006"), number_(1.2, wave="2007", unit=FUNDING)]
    with pytest.raises(
        PublishError, match=f"has one axis and was given numbers in 2 units: points, {FUNDING}"
    ):
        show.bars(page, rows, title=TITLE)


def test_a_flow_names_each_step_and_both_ends(page: show.Page, number_: Any) -> None:
    drawn = show.flow(page, counts(number_)).html
    told = " ".join(str(node.text) for node in svg_of(drawn["en"]).iter("text"))
    assert [word for word in told.split() if word.isdigit()] == ["120", "7", "113"]
    assert "Set aside repeated rows" in told
    assert "<figcaption><strong>Of 120 rows, cleaning kept 113 residents</strong>" in drawn["en"]
    assert len(svg_of(drawn["zh"])[1].text or "") > 15 and '<details class="data">' in drawn["zh"]
    assert show.flow(page, counts(number_)).html == drawn
    assert "There is none." in show.flow(page, Unanswered("x", Text("没有。", "There is none."))).html["en"]
    hidden = [*counts(number_)[:2], number_(None, measure="residents", unit="residents")]
    assert "<svg" not in show.flow(page, hidden).html["en"], "a flow with a gap gives away what is held back"


def test_squares_of_missing_answers_tell_asked_from_held_back(page: show.Page, number_: Any) -> None:
    hidden = number_(None, measure="sat_culture", unit="percent", wave="2006")
    there, with_hidden = (
        show.missing_map(page, records, title=TITLE).html["en"]
        for records in (gone(number_), [*gone(number_), hidden])
    )
    assert '<span class="subtitle">Share of residents without an answer' in with_hidden
    told = [node.text for node in svg_of(there).iter("text")]
    assert {"0", "12", "3"} <= {str(text).removesuffix(".0") for text in told} and "—" not in told
    assert "—" in [node.text for node in svg_of(with_hidden).iter("text")]
    colours = re.findall(r'fill="(#[0-9a-f]{6})"', there)
    assert colours[: len(ORDER)] == list(ORDER), "the key, light to dark"
    assert colours[len(ORDER) :].count(ORDER[-1]) == 1, "the largest share is the darkest"
    assert (
        told.index("Satisfaction with health and rehabilitation") < told.index("12.0") < told.index("3.0")
    ), "largest first"
    assert told.index("2006") < told.index("2009")


def test_dots_in_two_units_are_two_figures(page: show.Page, number_: Any) -> None:
    rows = [number_(60.0, measure=ITEMS[0]), number_(8.2, 0.1, measure="age", unit="as asked")]
    shown = show.dots(page, rows, title=TITLE)
    assert re.findall("<figcaption><strong>(.*?)</strong>", shown.html["en"]) == [
        "A finding",
        "points as in the questionnaire",
    ]
    assert len(shown.findings) == 2


@pytest.mark.parametrize(
    "values, most, ends", [([0.5, 99.5], 100, (0, 100)), ([-3.0, 4.0], None, (-4, 6)), ([7.0], None, (6, 8))]
)
def test_a_scale_crosses_neither_zero_nor_the_most(
    values: list[float], most: float | None, ends: tuple[float, float]
) -> None:
    at = scale(values, 0, 100, most=most)
    assert (at.ticks[0], at.ticks[-1]) == ends


def test_waves_in_several_units_get_axes_of_their_own(page: show.Page, number_: Any) -> None:
    rows = [
        number_(value, None, measure=name, unit=name, wave=wave)
        for name, value in ((FUNDING, 2.0), ("staff_college_percent", 30.0))
        for wave in ("2006", "2009")
    ]
    texts = [node.text for node in svg_of(show.waves(page, rows, title=TITLE).html["en"]).iter("text")]
    assert "thousand yuan per 100 households" in texts
    assert "%" in texts


def test_waves_keep_their_order(page: show.Page, number_: Any) -> None:
    rows = [number_(value, None, wave=wave) for wave, value in (("2006", 1.0), ("2007", 9.0), ("2008", 5.0))]
    texts = [node.text for node in svg_of(show.bars(page, rows, title=TITLE).html["en"]).iter("text")]
    assert [text for text in texts if text in {"2006", "2007", "2008"}] == ["2006", "2007", "2008"]


def test_one_wave_is_no_change(page: show.Page, number_: Any) -> None:
    shown = show.waves(page, [number_(60.0, wave="2009")], title=TITLE)
    assert "<svg" not in shown.html["en"]
    assert "no change to show" in shown.html["en"]
    assert [finding["value"] for finding in shown.findings] == [60.0]


def test_figures_of_the_ledger_are_said_to_be_plain(page: show.Page, number_: Any) -> None:
    plain = [number_(value, None, wave=wave) for value, wave in ((1.0, "2006"), (2.0, "2009"))]
    assert "without sampling error" in show.waves(page, plain, title=TITLE).html["en"]
    assert "95% intervals" in show.waves(page, by_wave(number_), title=TITLE).html["en"]
