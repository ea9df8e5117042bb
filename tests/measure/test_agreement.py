"""Agreement within communities: by hand, by laws, against R's one-way analysis of variance."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bfi_scales import R, bfi_answers
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.agreement import agreement, within_agreement


def town(seed: int, between: float = 0.5, groups: int = 12) -> pd.DataFrame:
    """Residents of communities of 2 to 20, with a score and three answers 1-5."""
    rng = np.random.default_rng(seed)
    code = np.repeat(np.arange(groups), rng.integers(2, 21, groups))
    y = between * rng.normal(size=groups)[code] + rng.normal(size=len(code))
    answers = np.clip(np.round(3 + y[:, None] + rng.normal(size=(len(code), 3))), 1, 5)
    frame = pd.DataFrame(answers, columns=["q0", "q1", "q2"])
    return frame.assign(score=y, community=pd.Series(code).astype(str))


# --- by hand ----------------------------------------------------------------------------------
def test_icc_of_two_groups_by_hand() -> None:
    # means 1.5 and 3.5: between 2 * 2 = 4 on 1 df; within 0.5; F 8; ICC(1) 7/(8 - 1 + 2)
    frame = pd.DataFrame({"y": [1.0, 2, 3, 4], "g": list("aabb")})
    found = agreement(frame, "y", "g")
    assert (found.F, found.icc1, found.icc2) == (pytest.approx(8), pytest.approx(7 / 9), pytest.approx(7 / 8))


def test_n0_of_unequal_groups_by_hand() -> None:
    # sizes 2 and 4: (6 - 20/6) / 1
    frame = pd.DataFrame({"y": [1.0, 2, 3, 4, 5, 7], "community": list("aabbbb")})
    assert agreement(frame, "y").n0 == pytest.approx(6 - 20 / 6)


def test_full_agreement_is_one_and_an_even_spread_is_none() -> None:
    frame = pd.DataFrame({"q": [4.0, 4, 4, 1, 2, 3, 4, 5, 2], "community": list("aaabbbbbc")})
    found = within_agreement(frame, ["q"], answers=5)
    # variance of 1..5 with n - 1 is 2.5, an even spread 2: less than no agreement counts as none; one resident agrees with nobody
    assert found["rwg"].tolist() == pytest.approx([1.0, 0.0, np.nan], nan_ok=True)
    assert found["n"].tolist() == [3, 5, 1]


def test_rwg_of_two_items_by_hand() -> None:
    # variances 0.5 and 0.5 of an even 2: share 1/4; 2 (3/4) / (2 (3/4) + 1/4) = 6/7
    frame = pd.DataFrame({"p": [3.0, 4], "q": [2.0, 3], "community": ["a", "a"]})
    assert within_agreement(frame, ["p", "q"], answers=5)["rwg"].tolist() == pytest.approx([6 / 7])


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 500), unit=st.floats(0.1, 100), shift=st.floats(-100, 100))
@settings(max_examples=15)
def test_units_and_order_change_nothing(seed: int, unit: float, shift: float) -> None:
    frame = town(seed)
    one = agreement(frame, "score")
    other = agreement(frame.assign(score=frame["score"] * unit + shift).sample(frac=1), "score")
    for name in ("icc1", "icc1_low", "icc1_high", "icc2", "p", "n0"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), rel=1e-6)


@given(seed=st.integers(0, 500))
@settings(max_examples=15)
def test_the_mean_of_n0_answers_has_the_reliability_of_spearman_and_brown(seed: int) -> None:
    found = agreement(town(seed), "score")
    stepped = found.n0 * found.icc1 / (1 + (found.n0 - 1) * found.icc1)
    assert found.icc2 == pytest.approx(stepped)
    assert found.icc1_low <= found.icc1 <= found.icc1_high <= 1


@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_those_without_an_answer_or_a_community_are_not_there(seed: int) -> None:
    frame = town(seed)
    holed = pd.concat([frame, frame.head(3).assign(score=np.nan), frame.head(3).assign(community=None)])
    assert agreement(holed, "score") == agreement(frame, "score")
    pd.testing.assert_frame_equal(
        within_agreement(holed.assign(q0=holed["q0"].where(holed["score"].notna())), ["q0"], answers=5),
        within_agreement(frame, ["q0"], answers=5),
    )


@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_agreement_lies_between_none_and_full(seed: int) -> None:
    found = within_agreement(town(seed), ["q0", "q1", "q2"], answers=5)
    assert found["rwg"].between(0, 1).all()
    one = within_agreement(town(seed), ["q0"], answers=5)
    assert one["rwg"].tolist() == pytest.approx((1 - one["mean_variance"] / 2).clip(lower=0).tolist())


def test_the_interval_covers() -> None:
    inside, true = 0, 0.25 / 1.25
    for seed in range(200):
        rng = np.random.default_rng(seed)
        code = np.repeat(np.arange(20), 8)
        frame = pd.DataFrame({"y": 0.5 * rng.normal(size=20)[code] + rng.normal(size=160), "g": code})
        found = agreement(frame, "y", "g")
        inside += found.icc1_low <= true <= found.icc1_high
    assert inside / 200 == pytest.approx(0.95, abs=3.3 * np.sqrt(0.95 * 0.05 / 200))


# --- R ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["hsb23", "hsb82"])
def test_as_in_r_s_analysis_of_variance(name: str, shared_data: Path) -> None:
    frame = pd.read_csv(
        shared_data.parent / "reference" / "mixed_models" / f"{name}.csv", dtype={"school": str}
    )
    found, told = agreement(frame, "mAch", "school"), R[f"icc_{name}"]
    mine = (found.icc1, found.icc2, found.F, found.n0, found.groups)
    theirs = [told[k] for k in ("icc1", "icc2_mean_reliability", "F", "n0", "k")]
    assert mine == pytest.approx(theirs, rel=1e-8)
    assert found.p == pytest.approx(told["p"], rel=1e-6)


def test_intervals_as_in_psych() -> None:
    told = R["icc_shrout_fleiss"]
    rows = [{"y": y, "community": str(i)} for i, line in enumerate(told["data"]) for y in line]
    found, one, mean = agreement(pd.DataFrame(rows), "y"), told["ICC1"], told["ICC1k"]
    assert (found.icc1, found.icc1_low, found.icc1_high, found.F, found.p) == pytest.approx(
        [one[k] for k in ("ICC", "lower bound", "upper bound", "F", "p")], rel=1e-8
    )
    assert found.icc2 == pytest.approx(mean["ICC"], rel=1e-8)


def test_within_groups_as_in_r(shared_data: Path) -> None:
    items = ["N1", "N2", "N3", "N4", "N5"]
    found = within_agreement(bfi_answers(shared_data), items, "education", answers=6)
    told = list(R["rwg"].values())
    assert found["rwg"].tolist() == pytest.approx([one["rwg_J"] for one in told], rel=1e-10)
    assert found["mean_variance"].tolist() == pytest.approx(
        [one["mean_item_variance"] for one in told], rel=1e-10
    )
    assert found["n"].tolist() == [one["n"] for one in told]


# --- words and refusals ------------------------------------------------------------------------
def test_sentences_name_the_rule_they_go_by() -> None:
    none = agreement(town(3, between=0.0), "score")
    low = agreement(town(0, between=0.3, groups=60), "score")
    high = agreement(town(1, between=2.0), "score")
    assert none.p >= 0.05 and "no more than by chance" in none.sentence.en
    assert low.icc2 < 0.7 and "below the customary 0.70 (LeBreton and Senter 2008)" in low.sentence.en
    assert "低于惯用的0.70" in low.sentence.zh
    assert high.icc2 > 0.7 and high.sentence.en.endswith("and may be compared.")


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: agreement(f, "scores"), "did you mean 'score'"),
        (lambda f: agreement(f.assign(community="a"), "q0"), "1 groups with .* expected at least two groups"),
        (lambda f: agreement(f.assign(q0=f["community"].astype(int)), "q0"), "Within each group everybody answered 'q0' alike"),
        (lambda f: agreement(f.assign(q0="much"), "q0"), "Column 'q0' holds text"),
        (lambda f: within_agreement(f, ["q0"], answers=1), "answers = 1; expected .* two or more"),
        (lambda f: within_agreement(f, [], answers=5), "no item"),
        (lambda f: within_agreement(f.assign(q0=(f["q0"] - 1) * 25), ["q0", "q1"], answers=5), "'q0' lie 100 apart; 5 answers lie at most 4 apart"),
        (lambda f: within_agreement(f, ["q0"], "comunity", answers=5), "did you mean 'community'"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town(1))
