"""The map of communities: invented squares, each in the colour of its number, each with its place in the list."""

from __future__ import annotations

import json
import math
import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from cbresearch import show
from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.classes import classes
from cbresearch.show.outline import laid_out
from cbresearch.show.theme import ORDER
from cbresearch.show.units import Unit
from cbresearch.study import Ring, Shape, Study
from cbresearch.study.file import Areas

TITLE = Text("标题", "A finding")
CODES = ("欣乐社区", "朝阳社区", "新村社区", "光明社区")
COLOURS = set(ORDER)


def square(x: float, y: float, side: float = 1.0) -> Ring:
    return ((x, y), (x + side, y), (x + side, y + side), (x, y + side), (x, y))


def feature(code: str, *polygons: list[Ring]) -> dict[str, Any]:
    kind = "Polygon" if len(polygons) == 1 else "MultiPolygon"
    held = polygons[0] if kind == "Polygon" else polygons
    return {"type": "Feature", "properties": {"code": code}, "geometry": {"type": kind, "coordinates": held}}


def with_map(study: Study, root: Path, *features: dict[str, Any], **areas: Any) -> show.Page:
    """A page of the study as if its file named this map."""
    (root / "data").mkdir()
    told = {"type": "FeatureCollection", "features": features}
    (root / "data" / "map.geojson").write_text(json.dumps(told), encoding="utf-8")
    file = study.file.model_copy(
        update={"areas": Areas.model_validate({"map": "map.geojson"} | areas), "sources": study.file.sources}
    )
    return show.page(Study(root, file, study.codebook), "zh")


@pytest.fixture
def mapped(study: Study, tmp_path: Path) -> show.Page:
    """Four squares in a row; the last in two parts that lie apart."""
    row = [feature(code, [square(i, 0)]) for i, code in enumerate(CODES[:3])]
    last = feature(CODES[3], [square(3, 0)], [square(3, 2)])
    return with_map(study, tmp_path, *row, last)


@pytest.fixture
def numbers(number_: Any) -> list[Released]:
    """Four communities, one of them held back, and the district."""
    values = zip(CODES, (61.0, 70.0, None, 90.0), strict=True)
    return [
        *(number_(v, None, community=c, wave="2009") for c, v in values),
        number_(68.0, None, wave="2009"),
    ]


def svg_of(html: str) -> ET.Element:
    return ET.fromstring(html[html.index("<svg") : html.index("</svg>") + 6])


def texts(shown: show.Shown, lang: str = "en") -> list[str]:
    return [node.text or "" for node in svg_of(shown.html[lang]).iter("text")]  # type: ignore[index]


def outlines(shown: show.Shown) -> list[tuple[str, int]]:
    """Fill of each part of a community as drawn, with how many closed rings it has."""
    found = [node for node in svg_of(shown.html["en"]).iter("path") if "z" in node.get("d", "").lower()]
    drawn = [node for node in found if node.get("stroke") == "currentColor"]
    return [(node.get("fill", "none"), node.get("d", "").lower().count("z")) for node in drawn]


def test_each_community_has_the_colour_of_its_class(mapped: show.Page, numbers: list[Released]) -> None:
    drawn = outlines(show.areas(mapped, numbers, title=TITLE))
    assert len(drawn) == 5
    low, middle, held, high, other_part = (colour for colour, _ in drawn)
    assert high == other_part
    assert held == "none", "what is held back is not coloured"
    assert (
        "Communities without a colour have no number" in show.areas(mapped, numbers, title=TITLE).html["en"]
    )
    assert len({low, middle, high}) == 3 and {low, middle, high} <= COLOURS
    assert ORDER.index(low) < ORDER.index(middle) < ORDER.index(high)


def test_parts_that_lie_apart_are_one_community_with_its_number_in_each(
    mapped: show.Page, numbers: list[Released]
) -> None:
    shown = show.areas(mapped, numbers, title=TITLE)
    # Guangming is the first of the list: there, and in each of its two parts
    assert texts(shown).count("1") == 3
    assert [texts(shown).count(place) for place in "234"] == [2, 2, 2]


def test_a_hole_is_left_out_of_its_community(study: Study, tmp_path: Path, numbers: list[Released]) -> None:
    parts = [feature(code, [square(i, 0)]) for i, code in enumerate(CODES[:3])]
    page = with_map(study, tmp_path, *parts, feature(CODES[3], [square(3, 0), square(3.2, 0.2, 0.3)]))
    assert [rings for _, rings in outlines(show.areas(page, numbers, title=TITLE))] == [1, 1, 1, 2]


def test_the_list_runs_from_the_largest_down_and_says_what_is_held_back(
    mapped: show.Page, numbers: list[Released]
) -> None:
    said = texts(show.areas(mapped, numbers, title=TITLE))
    names = [word for word in said if word in {"Guangming", "Chaoyang", "Xinle", "Xincun"}]
    assert names == ["Guangming", "Chaoyang", "Xinle", "Xincun"]
    assert said[-3:] == ["4", "Xincun", "— held back"]
    assert {"90.0", "70.0", "61.0", "District 68.0"} <= set(said)


def test_the_map_has_all_that_a_reader_needs(mapped: show.Page, numbers: list[Released]) -> None:
    shown = show.areas(mapped, numbers, title=TITLE)
    for lang, html in shown.html.items():
        svg = svg_of(html)
        assert svg[0].text == TITLE.say(lang)
        assert "<figcaption><strong>" in html and '<details class="data">' in html and "<th scope=" in html
        assert not re.search(r"<style|<script|<metadata|<image|https?:|xlink", html)
    assert svg_of(shown.html["en"])[1].text == (
        "Map of communities, darker where the number is larger. Communities: 4. Highest: Guangming, 90.0 points; "
        "lowest: Xinle, 61.0 points. Held back: 1."
    )
    assert len(shown.findings) == 5
    assert "Xincun: held back" in shown.html["en"]
    assert shown.html == show.areas(mapped, numbers, title=TITLE).html, "the same bytes twice"


def test_whose_map_it_is_stands_below_it(study: Study, tmp_path: Path, numbers: list[Released]) -> None:
    parts = [feature(code, [square(i, 0)]) for i, code in enumerate(CODES)]
    source = {"zh": "虚构", "en": "invented <b>"}
    page = with_map(study, tmp_path, *parts, source=source)
    shown = show.areas(page, numbers, title=TITLE)
    assert "底图：虚构。" in shown.html["zh"] and "Map: invented &lt;b&gt;." in shown.html["en"]


def test_numbers_to_be_used_with_care_are_marked(mapped: show.Page, number_: Any) -> None:
    rows = [number_(60.0 + i, community=code) for i, code in enumerate(CODES[:3])]
    rows.append(number_(80.0, community=CODES[3], status="caution"))
    shown = show.areas(mapped, rows, title=TITLE)
    assert "80.0†" in texts(shown) and "†: use with care." in shown.html["en"]
    assert "95% intervals" in shown.html["en"]


def test_without_a_map_there_are_rows(page: show.Page, numbers: list[Released]) -> None:
    assert show.areas(page, numbers, title=TITLE).html == show.dots(page, numbers, title=TITLE).html


@pytest.mark.parametrize("more", ["wave", "unit", "measure"])
def test_several_numbers_for_a_community_are_rows(
    mapped: show.Page, numbers: list[Released], number_: Any, more: str
) -> None:
    other = {
        "wave": number_(60.0, None, community=CODES[0], wave="2008"),
        "unit": number_(6.0, None, community=CODES[0], wave="2009", unit="years"),
        "measure": number_(60.0, None, community="幸福社区", wave="2009", measure="sat_health_points"),
    }[more]
    shown = show.areas(mapped, [*numbers, other], title=TITLE)
    assert 'class="chart dots"' in shown.html["en"] and 'class="chart map"' not in shown.html["en"]


def test_a_community_that_the_map_lacks_is_named(mapped: show.Page, numbers: list[Released]) -> None:
    """It cannot happen where choices.csv lists the communities, for then the study does not open."""
    lacking = [*numbers[:4], Released("sat_overall_points", (("community", "幸福社区"), ("wave", "2009")), "points", "published", 50.0, None, None, None, None, 60)]  # fmt: skip
    assert "Not on the map: Xingfu." in show.areas(mapped, lacking, title=TITLE).html["en"]


def test_a_community_without_a_number_is_drawn_all_the_same(
    mapped: show.Page, numbers: list[Released]
) -> None:
    drawn = outlines(show.areas(mapped, numbers[1:], title=TITLE))
    assert len(drawn) == 5 and drawn[0][0] == "none"


def test_the_map_gives_way_to_a_note(mapped: show.Page, numbers: list[Released], number_: Any) -> None:
    why = Unanswered("x", Text("没有。", "There is none."))
    assert "There is none." in show.areas(mapped, why, title=TITLE).html["en"]
    assert "There are no numbers" in show.areas(mapped, [], title=TITLE).html["en"]
    held = [number_(None, community=code, wave="2009") for code in CODES]
    html = show.areas(mapped, held, title=TITLE).html["en"]
    assert "no number that may be shown" in html and "60.0" not in html


def test_a_community_too_small_for_its_number_has_it_outside(
    study: Study, tmp_path: Path, numbers: list[Released]
) -> None:
    parts = [feature(code, [square(i, 0)]) for i, code in enumerate(CODES[:3])]
    page = with_map(study, tmp_path, *parts, feature(CODES[3], [square(3.0, 0.4, 0.02)]))
    nodes = svg_of(show.areas(page, numbers, title=TITLE).html["en"]).iter("text")
    ones = [node for node in nodes if node.text == "1"]
    assert len(ones) == 2, "on the map and in the list"
    assert float(ones[0].get("x", "0")) > 460, "at the right side of the map, where there is room"


# --- how the outlines are laid out ------------------------------------------------------------------


def test_ground_is_drawn_to_scale() -> None:
    """A square of a degree at 60 degrees north is half as wide as it is tall."""
    layout = laid_out({"a": Shape("a", ((square(10.0, 59.5),),))}, 400.0, 400.0)
    xs, ys = zip(*layout.outlines["a"].parts[0][0], strict=True)
    assert (max(xs) - min(xs)) / (max(ys) - min(ys)) == pytest.approx(math.cos(math.radians(60)), abs=0.01)
    in_metres = laid_out({"a": Shape("a", ((square(500_000.0, 4_000_000.0, 800.0),),))}, 400.0, 300.0)
    assert in_metres.height == pytest.approx(300.0)
    xs, ys = zip(*in_metres.outlines["a"].parts[0][0], strict=True)
    assert max(xs) - min(xs) == pytest.approx(max(ys) - min(ys))


def test_north_is_up() -> None:
    shapes = {name: Shape(name, ((square(0.0, y),),)) for name, y in (("south", 0.0), ("north", 1.0))}
    outlines_ = laid_out(shapes, 100.0, 400.0).outlines
    assert outlines_["north"].places[0].y < outlines_["south"].places[0].y


@pytest.mark.parametrize("turn", [1, -1])
def test_holes_stay_empty_whichever_way_the_file_runs(turn: int) -> None:
    ring, hole = square(0.0, 0.0, 10.0)[::turn], square(4.0, 1.0, 2.0)[::turn]
    outline = laid_out({"a": Shape("a", ((ring, hole),))}, 100.0, 100.0).outlines["a"]
    areas = [sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(one)) for one in outline.parts[0]]
    assert areas[0] * areas[1] < 0


def test_a_number_stands_inside_its_community() -> None:
    """The middle of a horseshoe lies outside it."""
    horseshoe = ((0, 0), (9, 0), (9, 9), (6, 9), (6, 2), (3, 2), (3, 9), (0, 9), (0, 0))
    ring = tuple((float(x), float(y)) for x, y in horseshoe)
    place = laid_out({"a": Shape("a", ((ring,),))}, 90.0, 90.0).outlines["a"].places[0]
    x, y = place.x / 10, 9 - place.y / 10
    assert 0 < y < 9 and (0 < x < 3 or 6 < x < 9 or y < 2)


def test_borders_of_neighbours_still_meet() -> None:
    """Two communities share a wavy border of a thousand corners, which nobody could see."""
    border = [(1 + 0.0005 * math.sin(i), i / 1000) for i in range(1001)]
    west = ((0.0, 0.0), *border, (0.0, 1.0), (0.0, 0.0))
    east = ((2.0, 1.0), *border[::-1], (2.0, 0.0), (2.0, 1.0))
    outlines_ = laid_out({"w": Shape("w", ((west,),)), "e": Shape("e", ((east,),))}, 400.0, 400.0).outlines
    left, right = (set(outlines_[code].parts[0][0]) for code in "we")
    assert len(left & right) > 50
    assert len(outlines_["w"].parts[0][0]) < 700
    assert len(left - right) == len(right - left) == 2, "only the two outer corners of each are its own"


# --- classes ----------------------------------------------------------------------------------------


PERCENT = Unit(Text("%", "%"), Text("%", "%"), 1)


def test_classes_hold_every_number_and_none_is_empty_at_an_end() -> None:
    found = classes([0.0, 20.0, 100.0], PERCENT)
    assert found.ends.ticks == (0.0, 25.0, 50.0, 75.0, 100.0)
    assert found.colour(0.0) == found.colour(24.9) == found.colours[0] == ORDER[0]
    assert found.colour(25.0) == found.colours[1], "on the border: the class above"
    assert found.colour(100.0) == found.colours[-1] == ORDER[-1], "the largest: the last class"


def test_numbers_that_are_all_alike_have_one_colour() -> None:
    found = classes([5.0, 5.0], PERCENT)
    assert len(found.colours) >= 1 and found.colour(5.0) in found.colours


def test_shares_are_classed_as_they_are_printed() -> None:
    share = Unit(Text("%", "%"), Text("%", "%"), 1, factor=100.0)
    found = classes([0.0, 0.07, 0.35], share)
    ticks = found.ends.ticks
    assert all(found.colour(tick / 100) == colour for tick, colour in zip(ticks, found.colours, strict=False))


def test_where_every_community_has_a_colour_nothing_is_said_of_blanks(
    mapped: show.Page, number_: Any
) -> None:
    rows = [number_(60.0 + i, None, community=code) for i, code in enumerate(CODES)]
    assert "without a colour" not in show.areas(mapped, rows, title=TITLE).html["en"]


def test_numbers_that_read_alike_have_one_colour() -> None:
    found = classes([0.0, 2.976, 3.04, 4.5], PERCENT)
    assert 3.0 in found.ends.ticks
    assert found.colour(2.976) == found.colour(3.04) != found.colour(2.94)
    assert found.colour(-0.01) == found.colour(0.0), "no minus stands before a zero"
