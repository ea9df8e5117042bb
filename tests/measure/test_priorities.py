"""Importance against performance, with the chance of every quadrant."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.importance import relative_importance
from cbresearch.measure.priorities import (
    Item,
    Lines,
    derived_importance_performance,
    importance_performance,
)
from cbresearch.measure.wording import chance
from cbresearch.records import Text

NAMES = ("care", "food", "rooms", "staff")
ITEMS = [Item(name, f"{name}_p", f"{name}_i") for name in NAMES]
# importance and performance in each corner of the map
CORNERS = {"care": (4.5, 2.0), "food": (4.5, 4.0), "rooms": (2.5, 2.0), "staff": (2.5, 4.0)}
QUADRANT = {
    "care": "concentrate here",
    "food": "keep up",
    "rooms": "low priority",
    "staff": "possible overkill",
}


def people(seed: int = 1, n: int = 230, noise: float = 0.3) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"g": np.arange(n) % 23, "w": rng.uniform(0.5, 2, n)})
    for name, (importance, performance) in CORNERS.items():
        frame[f"{name}_i"] = importance + rng.normal(scale=noise, size=n)
        frame[f"{name}_p"] = performance + rng.normal(scale=noise, size=n)
    frame["y"] = frame["care_p"] + 0.9 * frame["food_p"] + rng.normal(scale=noise, size=n)
    return frame


def test_two_residents_on_paper() -> None:
    # means: care (5, 2), food (4, 4), rooms (1.5, 3); lines 3.5 and 3: rooms lies on the line, which is high
    frame = pd.DataFrame(
        {"care_i": [5, 5], "care_p": [1, 3], "food_i": [4, 4], "food_p": [4, 4], "rooms_i": [1, 2], "rooms_p": [3, 3]}
    )  # fmt: skip
    found = importance_performance(frame, ITEMS[:3], draws=100)
    assert (found.lines.importance, found.lines.performance) == (3.5, 3.0)
    assert [(p.importance, p.performance) for p in found.items] == [(5, 2), (4, 4), (1.5, 3)]
    assert [p.quadrant for p in found.items] == ["concentrate here", "keep up", "possible overkill"]
    # each redraw takes one resident twice; care's performance is then 1 or 3, the line 8/3 or 10/3
    assert found.items[0].concentrate == 1.0


def test_corners_are_sure_and_named() -> None:
    found = importance_performance(people(), ITEMS, weights="w", cluster="g", draws=500)
    assert {p.item: p.quadrant for p in found.items} == QUADRANT
    assert all(p.probability == 1.0 and p.n == 230 for p in found.items)
    assert found.sentence == Text(
        "应当优先改进：care（把握99%以上）。", "To be mended first: care (chance over 99%)."
    )
    assert found.table.loc[0, "item"] == "care" and (found.clusters, found.draws) == (23, 500)


def test_an_item_near_the_line_has_chances_not_a_quadrant() -> None:
    frame = people(noise=1.0)
    middle = float(np.mean([p for _, p in CORNERS.values()]))
    frame["care_p"] += middle - CORNERS["care"][1]
    frame["food_p"] -= middle - CORNERS["care"][1]
    found = importance_performance(frame, ITEMS, weights="w", cluster="g", draws=500)
    care = found.items[0]
    assert 0.1 < care.concentrate < 0.9 and 0.1 < care.keep_up < 0.9
    assert f"Perhaps, but not sure: care (chance {chance(care.concentrate).en})" in found.sentence.en
    assert "可能需要、但还说不准：care（把握" in found.sentence.zh
    none = importance_performance(frame, ITEMS[2:], cluster="g", draws=100).sentence
    assert none.en.startswith("No item can be named with confidence as the one to mend first.")
    assert none.zh.startswith("没有哪一项能肯定地说应当优先改进。")


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000), unit=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_chances_add_up_and_know_no_unit(seed: int, unit: float, shift: float) -> None:
    frame = people(seed, 69, 2.0)
    frame.loc[frame["g"] == 1, "food_p"] = np.nan
    found = importance_performance(frame, ITEMS, weights="w", cluster="g", draws=100)
    for p in found.items:
        assert p.concentrate + p.keep_up + p.low_priority + p.overkill == pytest.approx(1)
    other = frame.assign(
        w=frame["w"] * unit, **{c: frame[c] * unit + shift for c in frame if c[-2:] in ("_i", "_p")}
    )
    again = importance_performance(other, ITEMS[::-1], weights="w", cluster="g", draws=100)
    assert [p.quadrant for p in again.items[::-1]] == [p.quadrant for p in found.items]
    assert [p.concentrate for p in again.items[::-1]] == [p.concentrate for p in found.items]


def test_fixed_lines_judge_against_the_scale() -> None:
    found = importance_performance(people(), ITEMS, cluster="g", draws=100, lines=Lines(2.0, 4.5))
    assert {p.quadrant for p in found.items} == {"concentrate here"}
    alone = importance_performance(people(), ITEMS[1:2], draws=100, lines=Lines(3, 3))
    assert alone.items[0].quadrant == "keep up"


def test_derived_importance_is_the_share_of_relative_importance() -> None:
    frame = people().assign(food_p=lambda f: f["food_p"].mask(f.index < 4))
    found = derived_importance_performance(frame, ITEMS, "y", weights="w", cluster="g", draws=300)
    drivers = [item.performance for item in ITEMS]
    divided = relative_importance(frame, "y", drivers, weights="w", cluster="g", draws=300)
    assert [p.importance for p in found.items] == pytest.approx([d.share for d in divided.drivers])
    assert found.lines.importance == pytest.approx(0.25)
    assert (found.kind, found.items[0].n) == ("derived", 226)
    complete = frame.dropna()
    assert found.items[0].performance == pytest.approx(np.average(complete["care_p"], weights=complete["w"]))
    assert found.items[0].quadrant == "concentrate here" and found.items[1].quadrant == "keep up"


@pytest.mark.parametrize(
    ("items", "options", "said"),
    [
        ([], {}, "no item was named; expected Item(name, performance, importance)"),
        ([ITEMS[0], ITEMS[0]], {}, "item 'care' is named twice"),
        (
            [Item("care", "care_p"), ITEMS[1]],
            {},
            "item 'care' has no column of importance; name it, or use derived_importance_performance()",
        ),
        (ITEMS[:1], {}, "One item lies on its own mean; name more items, or lines=Lines(3, 3)."),
        ([ITEMS[0], Item("x", "empty", "care_i")], {}, "Nobody answered both importance and performance of x."),
        ([ITEMS[0], Item("x", "cares_p", "care_i")], {}, "'cares_p' (did you mean 'care_p'?)"),
        (ITEMS, {"weights": "empty"}, "'empty' is missing in 230 of 230 rows"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(items: list[Item], options: dict[str, Any], said: str) -> None:
    with pytest.raises(EstimateError) as refused:
        importance_performance(people().assign(empty=np.nan), items, draws=100, **options)
    assert said in str(refused.value)


def test_an_outcome_among_its_items_is_refused() -> None:
    with pytest.raises(EstimateError, match="the outcome 'care_p' cannot be one of them"):
        derived_importance_performance(people(), ITEMS, "care_p", draws=100)


@pytest.mark.parametrize(
    ("p", "zh", "en"),
    [
        (1.0, "99%以上", "over 99%"),
        (0.0, "不到1%", "under 1%"),
        (0.29, "29%", "29%"),
        (0.7955, "79%", "79%"),
    ],
)
def test_a_chance_never_reads_as_certain_or_as_more_than_it_is(p: float, zh: str, en: str) -> None:
    assert chance(p) == Text(zh, en)
