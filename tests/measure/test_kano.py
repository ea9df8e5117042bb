"""Kano classes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.kano import CATEGORIES, WORDS, Kano, KanoItem, classify, fong_tied, kano
from cbresearch.records import Text

LIFT = KanoItem("lift", "with", "without")


def frame(pairs: list[tuple[float, float]]) -> pd.DataFrame:
    made = pd.DataFrame(pairs, columns=["with", "without"])
    return made.assign(g=np.arange(len(made)) % 10, w=1.0)


# one pair of answers for each class, in the order of CATEGORIES
PAIR = dict(zip(CATEGORIES, [(2, 5), (1, 5), (1, 3), (3, 3), (5, 1), (1, 1)], strict=True))


def of(counts: dict[str, int], **options: object) -> Kano:
    pairs = [PAIR[category] for category, n in counts.items() for _ in range(n)]  # type: ignore[index]
    return kano(frame(pairs), [LIFT], draws=200, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("category", CATEGORIES)
def test_a_pair_for_each_class(category: str) -> None:
    assert classify(*PAIR[category]) == category  # type: ignore[index]
    assert of({category: 10}).items[0].category == category
    assert WORDS[category].zh and WORDS[category].en  # type: ignore[index]


def test_the_table_of_berger() -> None:
    # liking both or disliking both is questionable; swapping the two answers turns attractive and
    # one-dimensional and must-be into reverse; what is neither liked nor disliked is indifferent
    for one in range(1, 6):
        for other in range(1, 6):
            there, swapped = classify(one, other), classify(other, one)
            assert (there == "questionable") == (one == other and one in (1, 5))
            if there in ("attractive", "one-dimensional", "must-be"):
                assert swapped == "reverse"
            assert (there == "indifferent") == (1 < one < 5 and 1 < other < 5)


def test_ten_residents_on_paper() -> None:
    # M 4, O 3, A 1, I 1, R 1: better = (1 + 3)/9, worse = -(3 + 4)/9, lead 0.1, total strength 0.8
    found = of({"must-be": 4, "one-dimensional": 3, "attractive": 1, "indifferent": 1, "reverse": 1})
    lift = found.items[0]
    assert lift.shares == pytest.approx((0.4, 0.3, 0.1, 0.1, 0.1, 0.0))
    assert (lift.better, lift.worse) == pytest.approx((4 / 9, -7 / 9))
    assert (lift.strength, lift.total_strength, lift.n) == (pytest.approx(0.1), pytest.approx(0.8), 10)
    # Fong: |4 - 3| = 1 against 1.65 sqrt(7 · 13/20) = 3.52
    assert (lift.category, lift.tied_with) == ("must-be", "one-dimensional")
    assert found.sentence == Text(
        "lift说不清是必备还是期望（越多越好）。", "Lift cannot be told between must-be and one-dimensional."
    )
    assert found.table.loc[0, "must-be"] == pytest.approx(0.4)


def test_fong_on_paper() -> None:
    # 60 against 30 of 100: 30 and 1.65 sqrt(90 · 110/200) = 11.6; 45 against 35: 10 and 1.65 sqrt(80 · 120/200) = 11.4
    assert not fong_tied(60, 30, 100)
    assert fong_tied(45, 35, 100)


def test_equal_shares_go_to_the_class_that_angers_first() -> None:
    assert of({"attractive": 5, "must-be": 5}).items[0].category == "must-be"
    # 0.1 + 0.2 against 0.3: equal up to rounding
    data = frame([PAIR["attractive"], PAIR["must-be"], PAIR["must-be"]]).assign(w=[0.3, 0.1, 0.2])
    assert kano(data, [LIFT], weights="w", draws=100).items[0].category == "must-be"


def test_a_clear_class_is_sure_and_said() -> None:
    found = of({"attractive": 80, "indifferent": 20}, cluster="g")
    lift = found.items[0]
    assert (lift.category, lift.tied_with, lift.probability, found.clusters) == ("attractive", None, 1.0, 10)
    assert lift.better_low <= lift.better <= lift.better_high and lift.worse == 0
    assert found.sentence == Text("魅力：lift。", "Attractive: lift.")


@settings(max_examples=25)
@given(codes=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5)), min_size=4, max_size=40))
def test_shares_and_coefficients_have_their_bounds(codes: list[tuple[float, float]]) -> None:
    data = frame(codes)
    lift = kano(data, [LIFT], draws=100).items[0]
    assert sum(lift.shares) == pytest.approx(1) and lift.effective_n == pytest.approx(lift.n)
    counted = pd.Series([classify(int(a), int(b)) for a, b in codes]).value_counts(normalize=True)
    assert lift.shares == pytest.approx(tuple(float(counted.get(c, 0.0)) for c in CATEGORIES))
    if sum(lift.shares[:4]) > 1e-9:
        assert 0 <= lift.better <= 1 and -1 <= lift.worse <= 0
    else:
        assert np.isnan([lift.better, lift.worse]).all()
    # weights: twice the weight is the resident twice; codes the other way round are the same answers
    heavy = kano(data.assign(w=np.where(data.index == 0, 2.0, 1.0)), [LIFT], weights="w", draws=100).items[0]
    assert heavy.shares == pytest.approx(kano(frame([codes[0], *codes]), [LIFT], draws=100).items[0].shares)
    turned = data.assign(**{c: 6 - data[c] for c in ("with", "without")})
    again = kano(turned, [LIFT], answers=(5, 4, 3, 2, 1), draws=100).items[0]
    assert (again.category, again.shares) == (lift.category, lift.shares)


def test_missing_answers_are_left_out() -> None:
    data = frame([(1, 5)] * 9 + [(1, np.nan)]).astype({"without": "Float64"})
    lift = kano(data, [LIFT], draws=100).items[0]
    assert (lift.n, lift.shares[1]) == (9, 1.0)


def test_every_fault_at_once() -> None:
    data = frame([(1, 5), (9, 2)]).assign(empty=np.nan)
    with pytest.raises(EstimateError) as refused:
        kano(
            data, [LIFT, KanoItem("care", "empty", "with"), KanoItem("food", "withot", "without")], draws=100
        )
    said = str(refused.value)
    for fault in (
        "'with' holds 9 (1 such answers); expected (1, 2, 3, 4, 5), other codes made missing first",
        "nobody answered both questions about 'care'",
        "The frame has no column 'withot' (did you mean",
    ):
        assert fault in said
    with pytest.raises(EstimateError, match="expected five codes, from 'I like it' to 'I dislike it'"):
        kano(data, [LIFT], answers=(1, 2, 3), draws=100)
