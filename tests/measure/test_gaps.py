"""Gaps between expectation and perception."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.gaps import Pair, gaps
from cbresearch.records import Text
from cbresearch.sampling.descriptive import mean
from cbresearch.sampling.design import Design
from cbresearch.sampling.multiple import holm

DESIGN = Design(weights="w", psu="g")
PAIRS = [Pair("care", "care_e", "care_p", "care_i"), Pair("food", "food_e", "food_p", "food_i")]


def people(seed: int = 1, n: int = 120) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"g": np.arange(n) % 12, "w": rng.uniform(0.5, 2, n)})
    for dimension, fall in (("care", 1.0), ("food", 0.0)):
        frame[f"{dimension}_e"] = rng.integers(3, 6, n).astype(float)
        frame[f"{dimension}_p"] = frame[f"{dimension}_e"] - fall + rng.normal(scale=0.8, size=n)
        frame[f"{dimension}_i"] = rng.integers(1, 10, n).astype(float)
    return frame


def test_three_residents_on_paper() -> None:
    # gaps -1, 0 and (expectation missing) none: mean -0.5; influences -1/4, 1/4 and, for the PSU that stays
    # in the design, 0, so se² = 3/2 · (1/16 + 1/16) = 3/16; df = 2 PSUs of the domain - 1
    frame = pd.DataFrame({"e": [5, 4, np.nan], "p": [4, 4, 1]})
    found = gaps(frame, [Pair("care", "e", "p")], Design())
    gap = found.gaps[0]
    assert (gap.estimate.value, gap.estimate.n, gap.expectation, gap.perception) == (-0.5, 2, 4.5, 4.0)
    assert gap.estimate.se == pytest.approx(math.sqrt(3) / 4) and gap.estimate.df == 1
    # with 1 df the t distribution is Cauchy's
    assert gap.estimate.p == pytest.approx(1 - 2 * math.atan(2 / math.sqrt(3)) / math.pi)
    assert gap.weighted is None and found.weighted is None


def test_importance_on_paper() -> None:
    # shares 3/4, 1/4 and 1/2, 1/2: weighted gaps -0.75 + 0.25·2 = -0.25 and 0 - 0.5 = -0.5
    frame = pd.DataFrame(
        {"e1": [5, 4], "p1": [4, 4], "e2": [3, 3], "p2": [5, 2], "i1": [75, 20], "i2": [25, 20]}
    )
    found = gaps(frame, [Pair("a", "e1", "p1", "i1"), Pair("b", "e2", "p2", "i2")], Design())
    assert found.weighted is not None and found.weighted.value == pytest.approx(-0.375)
    assert found.gaps[0].weighted is not None
    assert found.gaps[0].weighted.value == pytest.approx(-0.375)  # (-0.75 + 0)/2
    assert found.overall.value == pytest.approx(0.0)  # (-1 + 2)/2 and (0 - 1)/2


@settings(max_examples=25)
@given(seed=st.integers(0, 10_000), scale=st.floats(0.1, 50))
def test_a_gap_is_the_design_based_mean_of_the_difference(seed: int, scale: float) -> None:
    frame = people(seed)
    frame.loc[:9, "care_p"] = np.nan
    found = gaps(frame, PAIRS, DESIGN)
    for gap, pair in zip(found.gaps, PAIRS, strict=True):
        apart = frame.assign(apart=frame[pair.perception] - frame[pair.expectation])
        alone = mean(apart, "apart", DESIGN)
        assert (gap.estimate.value, gap.estimate.se, gap.estimate.df) == (alone.value, alone.se, alone.df)
        assert gap.perception - gap.expectation == pytest.approx(gap.estimate.value)
        assert gap.estimate.low < gap.estimate.value < gap.estimate.high
    assert [gap.p_holm for gap in found.gaps] == pytest.approx(holm([gap.estimate.p for gap in found.gaps]))
    turned = gaps(frame, [Pair(p.dimension, p.perception, p.expectation) for p in PAIRS], DESIGN)
    assert [g.estimate.value for g in turned.gaps] == pytest.approx([-g.estimate.value for g in found.gaps])
    other = frame.assign(care_i=frame["care_i"] * scale, food_i=frame["food_i"] * scale, w=frame["w"] * scale)
    again = gaps(other, PAIRS, DESIGN)
    assert again.weighted is not None and found.weighted is not None
    assert again.weighted.value == pytest.approx(found.weighted.value)
    assert again.weighted.se == pytest.approx(found.weighted.se)


def test_parts_add_up_and_equal_importance_changes_nothing() -> None:
    frame = people()
    frame.loc[3, "food_i"], frame.loc[4, "care_e"] = np.nan, np.nan
    found = gaps(frame, PAIRS, DESIGN)
    assert found.weighted is not None and found.weighted.n == 118
    parts = [gap.weighted.value for gap in found.gaps if gap.weighted]
    assert sum(parts) == pytest.approx(found.weighted.value)
    alike = gaps(frame.assign(care_i=1, food_i=1), PAIRS, DESIGN)
    assert alike.weighted is not None
    assert (alike.weighted.value, alike.weighted.se) == pytest.approx((alike.overall.value, alike.overall.se))


def test_table_and_sentence() -> None:
    names = {"care": Text("照护", "care"), "food": Text("餐食", "meals")}
    found = gaps(people(), PAIRS[::-1], DESIGN, names=names)
    assert list(found.table["dimension"]) == ["care", "food"]
    assert found.table.loc[0, "gap"] == found.gaps[1].estimate.value
    value = f"{found.gaps[1].estimate.value:+.2f}"
    assert found.sentence == Text(
        f"感受低于期望的有照护（{value}）；其余1个方面看不出差距。",
        f"Perception falls short of expectation in care ({value}); in the other 1 dimension no gap can be told from chance.",
    )
    above = gaps(people(), [Pair("care", "care_p", "care_e")], DESIGN, names=names)
    assert above.sentence.zh == f"感受高于期望的有照护（{-found.gaps[1].estimate.value:+.2f}）。"


def test_only_the_domain_is_spoken_of_but_the_design_stays() -> None:
    frame = people()
    older = frame["g"] < 6
    found = gaps(frame, PAIRS, DESIGN, where=older)
    alone = mean(frame.assign(d=frame["care_p"] - frame["care_e"]), "d", DESIGN, where=older)
    assert found.gaps[0].estimate.se == alone.se and found.gaps[0].estimate.n == 60


def test_a_dimension_nobody_answered_has_no_number_and_a_reason() -> None:
    found = gaps(people().assign(food_p=np.nan), PAIRS, DESIGN)
    assert math.isnan(found.gaps[1].estimate.value) and math.isnan(found.gaps[1].p_holm)
    assert found.gaps[1].estimate.method == "nobody answered"
    assert found.gaps[0].p_holm == found.gaps[0].estimate.p  # a test that was not had is not counted
    assert list(found.table["dimension"]) == ["care", "food"]


def test_every_fault_at_once() -> None:
    frame = people().assign(word="a", below=-1.0)
    pairs = [
        Pair("care", "care_e", "care_pp", "below"),
        Pair("care", "word", "word"),
        Pair("food", "food_e", "food_p", "food_i"),
    ]
    with pytest.raises(EstimateError) as refused:
        gaps(frame, pairs, DESIGN)
    said = str(refused.value)
    for fault in (
        "These gaps cannot be had:",
        "dimension 'care' is named 2 times; each once",
        "importance is missing for care; name it for every dimension or for none",
        "The frame has no column 'care_pp' (did you mean 'care_p'?)",
        "importance 'below' is below 0 in some rows; points cannot be",
        "'care' takes 'word' for both sides; its gap would always be 0",
        "Column 'word' holds text such as ['a']",
    ):
        assert fault in said
    with pytest.raises(EstimateError, match="no pair of columns was named"):
        gaps(frame, [], DESIGN)
