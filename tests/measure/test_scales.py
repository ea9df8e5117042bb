"""Points of items and scores of scales."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.scales import mean_score, points


def numbers(*values: float | None) -> pd.Series:
    return pd.Series(values, dtype="Int64", name="sat")


def told(series: pd.Series) -> list[float | None]:
    return [None if pd.isna(value) else float(value) for value in series]


@pytest.mark.parametrize(
    ("direction", "expected"),
    [(1, [0.0, 25.0, 100.0, None]), (-1, [100.0, 75.0, 0.0, None])],
    ids=["more is better", "worded the other way round"],
)
def test_points_run_from_worst_to_best(direction: int, expected: list[float | None]) -> None:
    assert told(points(numbers(1, 2, 5, None), 1, 5, direction)) == expected


@settings(deadline=None)
@given(st.lists(st.integers(1, 10), min_size=1), st.sampled_from([1, -1]))
def test_a_turned_item_is_the_mirror_of_the_plain_one(codes: list[int], direction: int) -> None:
    plain, turned = points(numbers(*codes), 1, 10, direction), points(numbers(*codes), 1, 10, -direction)
    assert ((plain + turned - 100).abs() < 1e-9).all()
    assert plain.between(0, 100).all()


def test_a_code_off_the_scale_is_refused() -> None:
    with pytest.raises(EstimateError) as error:
        points(numbers(1, 9, 5), 1, 5)
    assert str(error.value) == (
        "sat: answers such as 9 (1 in all) lie outside the scale from 1 to 5. "
        "Build the study first, or correct minimum and maximum in codebook.csv."
    )


def test_a_scale_without_length_is_refused() -> None:
    with pytest.raises(EstimateError, match="A scale from 5 to 5 has no length"):
        points(numbers(5), 5, 5)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [([40, 50, 30], 40.0), ([40, None, 20], 30.0), ([40, None, None], None), ([None, None, None], None)],
    ids=["complete", "one gap", "too few", "none"],
)
def test_mean_score_needs_enough_answers(answers: list[float | None], expected: float | None) -> None:
    items = pd.DataFrame([answers], dtype="Float64")
    assert told(mean_score(items, at_least=2)) == [expected]
