"""Within is not between: the split, its laws, and what it cannot answer."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.estimate import few_clusters, within_between
from cbresearch.records import Estimate, Unanswered


def district(seed: int, areas: int = 12, waves: int = 4, each: int = 15) -> pd.DataFrame:
    """Money helps (+2 within) and goes to the unhappy: areas that get more have a lower level."""
    rng = np.random.default_rng(seed)
    index = pd.MultiIndex.from_product([range(areas), range(waves), range(each)], names=["area", "wave", "i"])
    data = index.to_frame(index=False)
    need = rng.normal(size=areas)
    cell = data["area"] * waves + data["wave"]
    money = (need[data["area"]] + rng.normal(size=areas * waves)[cell]).astype(float)
    y = 60 + 2 * money - 8 * need[data["area"]] + data["wave"] + rng.normal(scale=2, size=len(data))
    sex = rng.choice(["1", "2"], len(data))
    return data.assign(y=y, money=money, sex=sex, w=rng.uniform(0.5, 2, len(data)))


def ask(data: pd.DataFrame, **changes: object) -> list[Estimate]:
    asked = {"area": "area", "wave": "wave", "controls": ["sex"], "weights": "w", **changes}
    found = within_between(data, "y", ["money"], **asked)  # type: ignore[arg-type]
    assert isinstance(found, list)
    return found


def test_the_cross_section_misleads_and_the_waves_do_not() -> None:
    within, between = ask(district(1))
    assert (within.group, between.group) == ((("term", "within"),), (("term", "between"),))
    assert within.low < 2 < within.high and within.low > 0
    assert between.high < 0
    assert (within.n, within.psus, within.method) == (720, 12, "CR2")


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=15)
def test_without_controls_within_is_the_two_way_fixed_effects_estimate(seed: int) -> None:
    data = district(seed).sample(frac=0.8, random_state=seed)
    within = ask(data, controls=())[0]
    fixed = few_clusters(
        data, "y ~ money + C(area) + C(wave)", cause="money", cluster="area", weights="w", draws=99
    )
    assert within.value == pytest.approx(fixed.estimates[0].value, rel=1e-8)


@given(seed=st.integers(0, 10_000), k=st.floats(0.01, 100))
@settings(deadline=None, max_examples=15)
def test_the_unit_of_a_cause_changes_the_effect_in_proportion(seed: int, k: float) -> None:
    data = district(seed)
    for one, other in zip(ask(data), ask(data.assign(money=data["money"] * k)), strict=True):
        assert other.value * k == pytest.approx(one.value, rel=1e-6)
        assert other.p == pytest.approx(one.p, rel=1e-5)


def test_a_level_of_the_areas_leaves_the_within_effect_alone() -> None:
    data = district(3)
    raised = data.assign(y=data["y"] + 50 * data["area"])
    assert ask(raised, controls=())[0].value == pytest.approx(ask(data, controls=())[0].value, rel=1e-9)


def test_one_wave_has_only_a_between_term() -> None:
    found = ask(district(1).query("wave == 0"))
    assert [e.group for e in found] == [(("term", "between"),)]


def test_a_cause_that_never_changes_has_no_within_effect() -> None:
    data = district(1)
    data["money"] = data.groupby("area")["money"].transform("first")
    within, between = ask(data)
    assert (
        math.isnan(within.value)
        and within.method == "not estimated: does not change over the waves beyond the rest"
    )
    assert not math.isnan(between.value)


def test_rows_with_gaps_are_left_out_and_counted() -> None:
    data = district(1)
    data["y"] = data["y"].mask(data.index < 20)
    data["sex"] = data["sex"].mask(data.index > 710)
    assert ask(data)[0].n == 720 - 20 - 9


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: {"area": None}, "names no communities"),
        (lambda d: {"causes": []}, "no figures from community ledgers"),
        (lambda d: {"frame": d.query("area < 2")}, "too few communities"),
        (lambda d: {"frame": d.assign(y=np.nan)}, "No resident has both"),
    ],
    ids=["no area", "no causes", "two areas", "no answers"],
)
def test_what_cannot_be_answered_says_why(change: object, said: str) -> None:
    data = district(1)
    asked = {
        "frame": data,
        "outcome": "y",
        "causes": ["money"],
        "area": "area",
        "wave": "wave",
        **change(data),
    }  # type: ignore[operator]
    found = within_between(**asked)
    assert isinstance(found, Unanswered)
    assert said in found.reason.en and found.reason.zh.endswith("。")
