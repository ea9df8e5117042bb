"""The gate: what passes, what is held back, and that nothing leaks."""

from __future__ import annotations

import math
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.estimate import Rules, release, release_counts, release_facts
from cbresearch.estimate.disclosure import NEXT_SMALLEST, too_few
from cbresearch.estimate.precision import Nchs
from cbresearch.estimate.release import fact
from cbresearch.estimate.targets import judge, judged
from cbresearch.records import Estimate, Released

NAN = math.nan
POINTS = Estimate(
    "sat", 60.0, 2.0, 40, 56.0, 64.0, 200, 48, "points", (("wave", "2009"),), "Taylor linearisation"
)
SHARE = replace(POINTS, value=0.5, se=0.03, low=0.44, high=0.56, unit="share")
EFFECT = replace(POINTS, unit="points per money", group=(("term", "within"),), p=0.2, df=9.0, method="CR2")


def one(estimate: Estimate, minimum_cell: int = 10) -> Released:
    return release([estimate], Rules(minimum_cell))[0]


def test_a_good_figure_passes_with_all_its_numbers() -> None:
    found = one(POINTS)
    assert (found.status, found.value, found.low, found.high, found.n, found.psus, found.p) == (
        "published", 60.0, 56.0, 64.0, 200, 48, None,
    )  # fmt: skip


def test_a_small_cell_is_held_back_and_leaves_no_number() -> None:
    found = one(replace(POINTS, n=9))
    assert found.status == "held back"
    assert found.reason == too_few(10)
    assert found.reason.en == "Held back: fewer than 10 people, to protect them."
    numbers = {
        f.name: getattr(found, f.name)
        for f in fields(found)
        if f.name in {"value", "se", "df", "low", "high", "n", "psus", "p"}
    }
    assert set(numbers.values()) == {None}
    assert found.method == ""


@pytest.mark.parametrize(
    ("estimate", "status", "said"),
    [
        (replace(POINTS, value=NAN), "held back", "cannot give this figure"),
        (replace(POINTS, se=NAN, df=0, low=NAN, high=NAN), "held back", "Too few|too few sampled groups"),
        (replace(POINTS, se=0.0, low=NAN, high=NAN), "caution", "same answer"),
        (replace(POINTS, df=7), "caution", "interval itself is uncertain"),
        (replace(POINTS, low=40.0, high=80.0), "caution", "interval is wide"),
        (replace(POINTS, low=40.0, high=80.0, unit="as asked"), "published", None),
        (SHARE, "published", None),
        (replace(SHARE, df=7), "caution", "interval itself is uncertain"),
        (replace(SHARE, n=25), "held back", "fewer than 30 people"),
        (replace(SHARE, se=0.1), "held back", "fewer than 30 people"),
        (replace(SHARE, low=0.35, high=0.65), "held back", "too wide"),
        (replace(SHARE, value=0.06, low=0.025, high=0.12), "held back", "too wide"),
        (replace(SHARE, value=0.02, se=0.009, low=0.005, high=0.05), "published", None),
        (replace(SHARE, value=50.0, se=3.0, low=35.0, high=65.0, unit="percent"), "held back", "too wide"),
        (replace(SHARE, value=1.0, se=0.0, low=NAN, high=NAN), "caution", "same answer"),
        (replace(SHARE, value=-0.1, low=-0.3, high=0.1, p=0.3), "published", None),
        (EFFECT, "published", None),
        (replace(EFFECT, df=3.9), "caution", "Too few communities"),
        (replace(EFFECT, df=4.1), "published", None),
        (replace(EFFECT, value=NAN), "held back", "cannot give this figure"),
        (replace(EFFECT, p=NAN), "held back", "too few sampled groups"),
        (replace(EFFECT, se=NAN, df=NAN, group=(("method", "wild bootstrap"),)), "published", None),
    ],
)
def test_precision(estimate: Estimate, status: str, said: str | None) -> None:
    found = one(estimate)
    assert found.status == status
    if said is None:
        assert found.reason is None
    else:
        assert found.reason is not None
        assert any(part in found.reason.en for part in said.split("|"))
        assert found.reason.zh.endswith("。")


def test_other_rules_can_be_named() -> None:
    rules = Rules(precision=Nchs(name="house", least_df=50))
    assert release([POINTS], rules)[0].status == "caution"


def cells(**people: int) -> list[Estimate]:
    total = replace(POINTS, n=sum(people.values()))
    return [
        *(replace(POINTS, n=n, group=(("wave", "2009"), ("area", name))) for name, n in people.items()),
        total,
    ]


def statuses(estimates: list[Estimate]) -> dict[str | None, str]:
    return {found.part("area"): found.status for found in release(estimates, Rules())}


def test_the_only_small_cell_takes_the_next_smallest_with_it() -> None:
    assert statuses(cells(a=5, b=60, c=40, d=50)) == {
        "a": "held back", "b": "published", "c": "held back", "d": "published", None: "published",
    }  # fmt: skip
    assert release(cells(a=5, b=60, c=40), Rules())[2].reason == NEXT_SMALLEST


def test_two_small_cells_protect_each_other() -> None:
    assert statuses(cells(a=5, b=6, c=40)) == {
        "a": "held back",
        "b": "held back",
        "c": "published",
        None: "published",
    }


def test_without_a_total_nothing_can_be_subtracted() -> None:
    assert statuses(cells(a=5, b=60, c=40)[:-1]) == {"a": "held back", "b": "published", "c": "published"}


def test_answers_of_the_same_people_are_no_parts_of_a_total() -> None:
    shares = [replace(SHARE, group=(("wave", "2009"), ("answer", code))) for code in "12"]
    assert {
        r.status
        for r in release([*shares, SHARE, replace(SHARE, n=5, group=(("answer", "1"),))][:3], Rules())
    } == {"published"}


@given(st.dictionaries(st.text("abcdefgh", min_size=1, max_size=1), st.integers(0, 60), min_size=2))
def test_no_line_is_left_with_exactly_one_gap(people: dict[str, int]) -> None:
    found = [r for r in release(cells(**people), Rules()) if r.part("area")]
    gaps = sum(r.status == "held back" for r in found)
    assert gaps != 1
    assert all(r.status == "held back" for r, n in zip(found, people.values(), strict=True) if n < 10)


def test_counts_below_the_minimum_are_held_back_zero_too() -> None:
    # the two gaps are nine people together, which is too few again: the third goes with them
    counts = {(("area", "a"),): 12, (("area", "b"),): 0, (("area", "c"),): 9, (): 21}
    found = release_counts("people", counts, Rules())
    assert [(r.value, r.n, r.status) for r in found] == [
        (None, None, "held back"), (None, None, "held back"), (None, None, "held back"), (21.0, 21, "published"),
    ]  # fmt: skip


def test_figures_of_the_ledger_pass_however_small() -> None:
    found = release_facts([fact("staff", 4.0, "staff", n=1), fact("staff", NAN, "staff")])
    assert [(r.status, r.value, r.se) for r in found] == [("published", 4.0, None), ("held back", None, None)]


@pytest.mark.parametrize(
    ("released", "verdict"),
    [
        (one(POINTS), "cannot tell"),
        (one(replace(POINTS, low=60.0)), "met"),
        (one(replace(POINTS, high=59.9)), "not met"),
        (one(replace(POINTS, n=3)), "cannot tell"),
        (one(replace(POINTS, se=0.0, low=NAN, high=NAN)), "cannot tell"),
        (release_facts([fact("staff", 60.0, "staff")])[0], "met"),
        (release_facts([fact("staff", 59.0, "staff")])[0], "not met"),
    ],
)
def test_a_target_is_met_when_the_whole_interval_says_so(released: Released, verdict: str) -> None:
    assert judge(released, 60) == verdict
    assert judged(released, 60).part("verdict") == verdict
    assert judged(released, 60).part("target") == "60"
