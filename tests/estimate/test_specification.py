"""One effect under every defensible choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from cbresearch.errors import EstimateError
from cbresearch.estimate.effects.specification import SpecificationCurve, specification_curve
from cbresearch.estimate.effects.within_between import within_between


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    index = pd.MultiIndex.from_product([range(12), range(4), range(6)], names=["area", "wave", "i"])
    town = index.to_frame(index=False)
    money = rng.normal(size=(12, 4)) + np.arange(4)
    staff = rng.normal(size=(12, 4))
    cell = (town["area"], town["wave"])
    n = len(town)
    town = town.assign(
        money=money[cell], staff=staff[cell], age=rng.integers(18, 80, n), careless=rng.random(n) < 0.1, w=rng.uniform(0.5, 2, n)
    )  # fmt: skip
    score = 40 + 4 * town["money"] + town["staff"] + 0.1 * town["age"] + rng.normal(size=n)
    return town.assign(score=score, other=score + rng.normal(size=n))


def curve(frame: pd.DataFrame, **changes: Any) -> SpecificationCurve:
    asked: dict[str, Any] = {
        "area": "area", "wave": "wave", "controls": {"age": ["age"], "staff": ["staff"]}, "causes": ["money", "staff"],
        "rows": {"all": None, "careful": ~frame["careless"]}, "weights": {"weighted": "w", "plain": None},
    }  # fmt: skip
    return specification_curve(frame, ["score", "other"], "money", **{**asked, **changes})


def test_every_combination_is_there_once(frame: pd.DataFrame) -> None:
    found = curve(frame)
    # 2 outcomes x 4 subsets of 2 controls x 2 sets of rows x 2 weights
    assert len(found.specifications) == 32 and found.untold == 0
    named = {(s.outcome, s.held, s.rows, s.weights) for s in found.specifications}
    assert len(named) == 32 and ("other", ("age", "staff"), "careful", "plain") in named


def test_the_curve_rises(frame: pd.DataFrame) -> None:
    assert curve(frame).table["estimate"].is_monotonic_increasing


def test_a_specification_is_what_the_estimator_says_of_that_choice(frame: pd.DataFrame) -> None:
    found = {(s.outcome, s.held, s.rows, s.weights): s.estimate for s in curve(frame).specifications}
    part = frame[~frame["careless"]]
    answers = within_between(
        part, "score", ["money", "staff"], area="area", wave="wave", controls=["age"], weights="w"
    )
    assert isinstance(answers, list)
    one = found["score", ("age", "staff"), "careful", "weighted"]
    assert (one.value, one.se, one.df) == pytest.approx((answers[0].value, answers[0].se, answers[0].df))


def test_counts_and_sentence_agree_with_the_table(frame: pd.DataFrame) -> None:
    found = curve(frame)
    assert found.positive == (found.table["estimate"] > 0).sum() == 32
    assert found.clear == (found.table["low"] > 0).sum()
    assert found.sentence.en == (
        "Of 32 defensible ways of estimating, 32 point the same way and 32 have an interval that leaves zero out."
    )


def test_turning_the_outcome_turns_the_curve(frame: pd.DataFrame) -> None:
    turned = curve(frame.assign(score=-frame["score"], other=-frame["other"]))
    assert turned.median == pytest.approx(-curve(frame).median)
    assert (turned.positive, turned.clear) == (0, 32)


def test_what_the_data_cannot_tell_is_counted(frame: pd.DataFrame) -> None:
    found = curve(frame.assign(money=frame["area"] * 1.0))
    assert found.specifications == () and found.untold == 32
    assert "No way of estimating" in found.sentence.en


def test_bad_use_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(EstimateError, match="rows offers no choice"):
        curve(frame, rows={})
    with pytest.raises(EstimateError, match="did you mean 'staff'"):
        curve(frame, controls={"s": ["staf"]})
