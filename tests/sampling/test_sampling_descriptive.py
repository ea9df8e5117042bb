"""Means, shares, totals: by hand, as laws, in what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate import (
    Design,
    contrast,
    design_effect,
    effective_n,
    mean,
    mean_by,
    share,
    share_by,
    total,
)

PLAIN = Design()


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def test_a_mean_of_rows_drawn_one_by_one() -> None:
    found = mean(frame(y=[1.0, 2.0, 3.0, 6.0]), "y", PLAIN)
    # s² = 14/3, se = sqrt(14/3/4), t(.975, 3) = 3.182446
    assert (found.value, found.df, found.n, found.psus) == (3.0, 3.0, 4, 4)
    assert found.se == pytest.approx(math.sqrt(14 / 12))
    assert found.high - found.value == pytest.approx(3.182446 * math.sqrt(14 / 12), rel=1e-6)


def test_two_clusters_count_as_two() -> None:
    found = mean(frame(y=[1, 1, 3, 3], g=["a", "a", "b", "b"]), "y", Design(psu="g"))
    # PSU totals of influence (y - 2)/4: -1/2 and 1/2; 2/(2-1) * (1/4 + 1/4) = 1
    assert (found.value, found.se, found.df, found.psus) == (2.0, 1.0, 1.0, 2)


def test_missing_answers_are_another_domain_not_low_ones() -> None:
    found = mean(frame(y=[1.0, None, 3.0, None]), "y", PLAIN)
    assert (found.value, found.n) == (2.0, 2)


def test_a_total_and_a_share() -> None:
    data = frame(y=[1, 2, 3, 4], w=[10, 10, 20, 20], a=["yes", "no", "yes", None])
    assert total(data, "y", Design(weights="w")).value == 170.0
    found = share(data, "a", Design(weights="w"), "yes")
    assert (found.value, found.n, found.unit) == (0.75, 3, "share")
    assert 0 < found.low < 0.75 < found.high < 1


def test_codes_are_compared_as_text() -> None:
    for answers in (
        pd.array([1, 2, None], dtype="Int64"),
        [1.0, 2.0, None],
        pd.array(["1", "2", None], dtype="string"),
    ):
        assert share(frame(a=answers), "a", PLAIN, 1).value == 0.5
        assert share(frame(a=answers), "a", PLAIN, ["1", "2"]).value == 1.0


def test_means_by_crossed_groups_are_named_and_leave_nobody_out() -> None:
    data = frame(
        y=[1.0, 2.0, 3.0, 4.0, None], wave=[2008, 2008, 2009, 2009, 2009], sex=["1", None, "1", "2", "2"]
    )
    found = mean_by(data, "y", ["wave", "sex"], PLAIN)
    assert [(e.group, e.value, e.n) for e in found] == [
        ((("wave", "2008"), ("sex", "1")), 1.0, 1),
        ((("wave", "2009"), ("sex", "1")), 3.0, 1),
        ((("wave", "2009"), ("sex", "2")), 4.0, 1),
    ]


def test_a_group_is_named_by_its_code_also_in_a_column_with_gaps() -> None:
    assert mean_by(frame(y=[1, 2, 3], q=[2.0, 10.0, None]), "y", "q", PLAIN)[1].group == (("q", "10"),)


def test_shares_by_group_carry_the_answer() -> None:
    data = frame(a=["1", "2", "1", "1"], g=["x", "x", "y", "y"])
    found = share_by(data, "a", "g", PLAIN, ["1", "2"])
    assert [(e.group[0][1], e.group[1], e.value) for e in found] == [
        ("x", ("answer", "1"), 0.5), ("y", ("answer", "1"), 1.0), ("x", ("answer", "2"), 0.5), ("y", ("answer", "2"), 0.0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("data", "design", "why"),
    [
        (frame(y=[1, 2], g=["a", "a"]), Design(psu="g"), "no interval: a single PSU"),
        (frame(y=[2, 2, 2]), PLAIN, "no interval: every answer is the same"),
        (
            frame(y=[1, 2], h=["a", "b"]),
            Design(strata="h", lonely="centre"),
            "no interval: as many strata as PSUs",
        ),
    ],
    ids=["one PSU", "no spread", "no df"],
)
def test_no_interval_is_said_and_never_of_zero_width(data: pd.DataFrame, design: Design, why: str) -> None:
    found = mean(data, "y", design)
    assert math.isnan(found.low) and math.isnan(found.high)
    assert found.method == why


def test_nobody_answered_is_nan_with_no_people() -> None:
    found = mean(frame(y=[1.0, 2.0], g=["a", "b"]), "y", PLAIN, where=pd.Series([False, False]))
    assert math.isnan(found.value) and (found.n, found.method) == (0, "nobody answered")


def test_a_domain_keeps_the_psus_it_does_not_touch() -> None:
    data = frame(y=[1.0, 3.0, 5.0, 9.0], g=[1, 2, 3, 4], a=["in", "in", "out", "out"])
    found = mean_by(data, "y", "a", Design(psu="g"))[0]
    # influence -1/2, 1/2, 0, 0 over 4 PSUs: 4/3 * 1/2; dropping the rows would give 2/1 * 1/2
    assert found.se == pytest.approx(math.sqrt(2 / 3))
    assert found.df == 1.0


def test_a_contrast_with_oneself_is_nothing() -> None:
    data = frame(y=[1.0, 2.0, 4.0, 7.0], a=["x", "x", "y", "y"])
    everybody = pd.Series([True] * 4)
    assert contrast(data, "y", PLAIN, first=everybody, second=everybody).value == 0.0
    found = contrast(data, "y", PLAIN, first=data["a"] == "y", second=data["a"] == "x")
    assert (found.value, found.n, found.df) == (4.0, 2, 1.0)
    assert 0 < found.p < 1


def test_a_contrast_speaks_of_the_smaller_side() -> None:
    data = frame(y=np.arange(12.0), a=["x"] * 3 + ["y"] * 9)
    found = contrast(data, "y", PLAIN, first=data["a"] == "x", second=data["a"] == "y")
    assert (found.n, found.psus, found.df) == (3, 3, 2.0)


def test_design_effect_of_alike_neighbours() -> None:
    data = frame(y=[1, 1, 1, 3, 3, 3, 5, 5, 5, 9, 9, 9], g=[1] * 3 + [2] * 3 + [3] * 3 + [4] * 3)
    # clusters of 3 alike: 3, but for (n - 1)/n against (m - 1)/m
    assert design_effect(data, "y", Design(psu="g")) == pytest.approx(3 * (4 / 3) / (12 / 11))


def test_effective_n_is_at_most_n() -> None:
    found = share(frame(a=["y", "n"] * 50), "a", PLAIN, "y")
    assert 99 <= effective_n(found) <= 100


def test_every_fault_of_a_design_is_told_at_once() -> None:
    data = frame(y=[1, 2], pw=[1.0, -1.0], block=["a", None])
    with pytest.raises(EstimateError) as error:
        mean(data, "y", Design(weights="pw", psu="block", strata=["stret"]))
    assert str(error.value) == (
        "The design does not fit the frame:\n"
        "  - 'pw' is negative in 1 rows; a weight says how many people a row stands for\n"
        "  - 'block' is missing in 1 of 2 rows; every row needs its place in the design\n"
        "  - no column 'stret'"
    )


def test_a_lonely_psu_is_refused_by_name() -> None:
    data = frame(y=[1, 2, 3], h=["a", "a", "b"])
    with pytest.raises(EstimateError, match=r"1 strata hold a single PSU \(b\).*Design\(lonely=\"centre\"\)"):
        mean(data, "y", Design(strata="h"))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d: mean(d, "yy", PLAIN), "The frame has no column 'yy'"),
        (lambda d: mean(d, "a", PLAIN), "Column 'a' holds text such as \\['x'\\]"),
        (lambda d: mean(d, "y", Design(lonely="adjust")), "no such policy; expected one of 'error'"),  # type: ignore[arg-type]
        (lambda d: mean(d, "y", PLAIN, where=d["y"]), "where= holds int64; expected booleans"),
        (lambda d: mean(d, "y", PLAIN, where=(d["y"] > 1).head(1)), "where= has 1 rows and the frame 2"),
        (lambda d: mean(d.head(0), "y", PLAIN), "the frame has no rows"),
        (lambda d: mean(d, "y", Design(fpc="n")), "fewer PSUs than were drawn"),
    ],
)
def test_bad_use_is_refused(call: object, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(frame(y=[1, 2], a=["x", "y"], n=[1.5, 1.5]))  # type: ignore[operator]


samples = st.integers(0, 2**32 - 1).map(
    lambda seed: (lambda rng: frame(
        y=rng.normal(size=60), w=rng.uniform(0.2, 5, 60), h=rng.integers(0, 3, 60), g=rng.integers(0, 6, 60),
        a=rng.choice(list("xyz"), 60),
    ))(np.random.default_rng(seed))
)  # fmt: skip
FULL = Design(weights="w", psu="g", strata="h", lonely="centre")


@given(data=samples, k=st.floats(0.01, 100))
@settings(deadline=None, max_examples=30)
def test_the_unit_of_weights_does_not_matter(data: pd.DataFrame, k: float) -> None:
    one, other = mean(data, "y", FULL), mean(data.assign(w=data["w"] * k), "y", FULL)
    assert (other.value, other.se, other.low) == pytest.approx((one.value, one.se, one.low), rel=1e-9)


@given(data=samples, seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_the_order_of_rows_does_not_matter(data: pd.DataFrame, seed: int) -> None:
    shuffled = data.sample(frac=1, random_state=seed)
    for one, other in zip(mean_by(data, "y", "a", FULL), mean_by(shuffled, "y", "a", FULL), strict=True):
        assert one.group == other.group
        assert (other.value, other.se, other.df) == pytest.approx((one.value, one.se, one.df), rel=1e-9)


@given(data=samples, a=st.floats(-5, 5), b=st.floats(0.1, 10))
@settings(deadline=None, max_examples=30)
def test_a_change_of_unit_changes_the_unit_only(data: pd.DataFrame, a: float, b: float) -> None:
    one, other = mean(data, "y", FULL), mean(data.assign(y=a + b * data["y"]), "y", FULL)
    assert other.value == pytest.approx(a + b * one.value, abs=1e-9)
    assert other.se == pytest.approx(b * one.se, rel=1e-7)


@given(data=samples)
@settings(deadline=None, max_examples=30)
def test_each_domain_alone_is_what_all_together_say(data: pd.DataFrame) -> None:
    for together in mean_by(data, "y", "a", FULL):
        alone = mean(data, "y", FULL, where=data["a"] == together.group[0][1])
        assert (alone.value, alone.se, alone.df, alone.n) == pytest.approx(
            (together.value, together.se, together.df, together.n), rel=1e-9, nan_ok=True
        )


def test_all_items_of_all_communities_in_all_waves_at_once() -> None:
    rng = np.random.default_rng(1)
    index = pd.MultiIndex.from_product(
        [range(4), range(23), range(10), range(6)], names=["wave", "area", "block", "i"]
    )
    data = index.to_frame(index=False).assign(w=rng.uniform(0.5, 2, 5520))
    data[[f"item{i}" for i in range(9)]] = rng.integers(0, 5, (5520, 9)) * 25.0
    design = Design(weights="w", psu="block", strata=["wave", "area"])
    found = mean_by(data, [f"item{i}" for i in range(9)], ["wave", "area"], design)
    assert len(found) == 9 * 23 * 4 and {e.df for e in found} == {9.0}


# --- dominance --------------------------------------------------------------------------------------
def test_two_people_s_part_of_a_total() -> None:
    # weights 1, 2, 1, 1 times 100, 30, 20, 20: 100 + 60 of 200
    frame = pd.DataFrame({"pay": [100.0, 30.0, 20.0, 20.0], "w": [1.0, 2.0, 1.0, 1.0]})
    assert total(frame, "pay", Design(weights="w")).dominance == pytest.approx(0.8)
    assert mean(frame, "pay", Design(weights="w")).dominance == pytest.approx(0.8)


def test_dominance_is_told_of_each_group_and_of_nobody_who_gave_nothing() -> None:
    frame = pd.DataFrame({"pay": [9.0, 1.0, 1.0, 0.0, 0.0, np.nan], "area": list("aaabbb")})
    found = mean_by(frame, "pay", "area", Design())
    assert found[0].dominance == pytest.approx(10 / 11)
    assert np.isnan(found[1].dominance)


def test_a_share_has_no_dominance() -> None:
    frame = pd.DataFrame({"answer": ["1", "2", "2", "2"]})
    assert np.isnan(share(frame, "answer", Design(), "1").dominance)
