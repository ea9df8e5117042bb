"""How much confounding an effect withstands."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate.effects.sensitivity import (
    e_value_of_difference,
    e_value_of_ratio,
    partial_r2,
    robustness_value,
    sensitivity,
)

R = json.loads((Path(__file__).parents[1] / "reference" / "sensitivity_darfur.json").read_text("utf-8"))
FORMULA = "peacefactor ~ directlyharmed + age + farmer_dar + herder_dar + pastvoted + hhsize_darfur + female + C(village)"


def close(value: float) -> Any:
    return pytest.approx(value, rel=R["tolerance"])


def town(seed: int = 1, confounded: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    hidden, need, noise = rng.normal(size=(3, 92))
    money = rng.normal(size=92) + hidden + 0.5 * need
    score = 50 + confounded * hidden + 3 * money + 0.5 * need + rng.normal(size=92)
    return pd.DataFrame({"score": score, "money": money, "need": need, "hidden": hidden, "noise": noise})


# --- by hand ----------------------------------------------------------------------------------
def test_a_t_of_3_on_9_degrees_of_freedom() -> None:
    # f = 3/3 = 1: partial R² = 9/18, RV = (sqrt(1 + 4) - 1)/2
    assert partial_r2(3, 9) == 0.5
    assert robustness_value(3, 9) == pytest.approx((math.sqrt(5) - 1) / 2)


def test_an_insignificant_effect_has_nothing_to_lose() -> None:
    assert robustness_value(1.5, 50, level=0.05) == 0
    assert robustness_value(1.5, 50) > 0


def test_a_risk_ratio_of_two() -> None:
    # 2 + sqrt(2 * 1)
    assert e_value_of_ratio(2, 0.9, 4).point == pytest.approx(2 + math.sqrt(2))
    assert e_value_of_ratio(2, 0.9, 4).limit == 1


# --- laws -------------------------------------------------------------------------------------
ts, dfs = st.floats(0.01, 50), st.floats(3, 2_000)


@given(t=ts, df=dfs)
def test_the_robustness_value_is_a_share_and_takes_the_whole_estimate(t: float, df: float) -> None:
    rv = robustness_value(t, df)
    assert 0 < rv < 1
    # a confounder of strength RV on both sides: bias factor sqrt(rv * rv/(1 - rv)) sqrt(df) equals t
    assert math.sqrt(rv * rv / (1 - rv) * df) == pytest.approx(t, rel=1e-6)
    assert robustness_value(t, df, level=0.05) <= rv
    assert robustness_value(t, df, share=0.5) <= rv


@given(ratio=st.floats(0.02, 50))
def test_the_direction_of_a_ratio_does_not_matter(ratio: float) -> None:
    one, other = (e_value_of_ratio(r, r, r).point for r in (ratio, 1 / ratio))
    assert one == pytest.approx(other) and one >= 1


@given(shift=st.floats(-100, 100), scale=st.floats(0.01, 100))
def test_the_units_do_not_matter(shift: float, scale: float) -> None:
    frame = town()
    moved = frame.assign(score=frame["score"] * scale + shift, money=frame["money"] * 7)
    one, other = (
        sensitivity(f, "score ~ money + need", cause="money", benchmarks=["need"]) for f in (frame, moved)
    )
    assert other.robustness == pytest.approx(one.robustness)
    assert other.benchmarks[0].with_outcome == pytest.approx(one.benchmarks[0].with_outcome)
    assert other.benchmarks[0].t == pytest.approx(one.benchmarks[0].t)


def test_leaving_a_covariate_out_moves_the_estimate_as_its_strength_says() -> None:
    # the bias formula is an identity: with the true partial R² of what is left out it gives the longer model's estimate
    frame = town(confounded=4)
    short = sensitivity(frame, "score ~ money + need", cause="money")
    long = sensitivity(frame, "score ~ money + need + hidden", cause="money", benchmarks=["hidden"])
    of_outcome = sensitivity(frame, "score ~ hidden + money + need", cause="hidden").partial_r2
    of_cause = sensitivity(frame, "money ~ hidden + need", cause="hidden").partial_r2
    bias = short.se * math.sqrt(short.df * of_outcome * of_cause / (1 - of_cause))
    assert short.estimate - bias == pytest.approx(long.estimate)


def test_weights_of_two_are_rows_written_twice_but_for_degrees_of_freedom() -> None:
    frame = town().assign(w=2.0)
    weighted = sensitivity(frame, "score ~ money + need", cause="money", weights="w")
    plain = sensitivity(frame, "score ~ money + need", cause="money")
    assert weighted.t == pytest.approx(plain.t) and weighted.estimate == pytest.approx(plain.estimate)


# --- R ----------------------------------------------------------------------------------------
def test_darfur_as_in_r(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data.parent / "reference" / "sensitivity_darfur" / "darfur.csv")
    found = sensitivity(frame, FORMULA, cause="directlyharmed", benchmarks=["female"])
    for key in ("estimate", "se", "t", "df"):
        assert getattr(found, key) == close(R["model"][key])
    assert found.partial_r2 == close(R["partial_r2_treatment"])
    assert found.robustness == close(R["rv_q1"])
    assert found.robustness_significant == close(R["rv_q1_alpha05"])
    names = {"r2dz_x": "with_cause", "r2yz_dx": "with_outcome", "adjusted_estimate": "estimate",
             "adjusted_se": "se", "adjusted_t": "t", "ci_lower": "low", "ci_upper": "high"}  # fmt: skip
    for benchmark, told in zip(found.benchmarks, R["benchmark_female"], strict=True):
        for theirs, ours in names.items():
            assert getattr(benchmark, ours) == close(told[theirs])
    assert list(found.table["times"]) == [1, 2, 3]


def test_shares_and_levels_as_in_r() -> None:
    t, df = R["model"]["t"], R["model"]["df"]
    assert robustness_value(t, df, share=0.5) == close(R["rv_q05"])
    assert robustness_value(t, df, level=0.10) == close(R["rv_q1_alpha10"])


@pytest.mark.parametrize("case", ["rr_3.9", "rr_0.8", "rr_null_inside"])
def test_e_values_as_in_r(case: str) -> None:
    told = R["evalue"][case]
    found = e_value_of_ratio(told["rr"], told["lower"], told["upper"])
    assert (found.point, found.limit) == (close(told["e_point"]), close(told["e_ci"]))


def test_e_values_of_other_measures_as_in_r() -> None:
    common, difference = R["evalue"]["or_common_2.2"], R["evalue"]["smd_0.4_se_0.12"]
    found = e_value_of_ratio(2.2, 1.3, 3.7, common=True)
    assert (found.point, found.limit) == (close(common["e_point"]), close(common["e_ci"]))
    found = e_value_of_difference(0.4, 0.12)
    assert (found.point, found.limit) == (close(difference["e_point"]), close(difference["e_ci"]))


# --- words ------------------------------------------------------------------------------------
def test_the_sentence_says_whether_the_strongest_covariate_would_do() -> None:
    found = sensitivity(town(), "score ~ money + need", cause="money", benchmarks=["need"])
    assert "Something as strong as 'need' would not be enough." in found.sentence.en
    assert f"{found.robustness:.1%}" in found.sentence.zh
    weak = town().assign(score=lambda f: 0.0 * f["money"] + 0.6 * f["need"] + f["noise"])
    assert (
        "would be enough"
        in sensitivity(weak, "score ~ money + need", cause="money", benchmarks=["need"]).sentence.en
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: sensitivity(f, "score ~ money", cause="mony"), "Did you mean 'money'"),
        (lambda f: sensitivity(f, "score ~ money", cause="money", benchmarks=["money"]), "benchmark of itself"),
        (lambda f: sensitivity(f.assign(two=2 * f["money"]), "score ~ money + two", cause="money"), "follow from the others"),
        (lambda f: e_value_of_ratio(2, 3, 4), "expected 0 < low <= ratio <= high"),
    ],
    ids=["unknown", "itself", "repeats", "interval"],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town())
