"""Formulas: what is done beside patsy, for speed, has patsy's own result."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import patsy
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate.formula import coded_alike, matrices

FORMULAS = (
    "y ~ x", "y~x+q+yes", "y ~ x + x", "y ~ town", "y ~ x*town", "y ~ C(town)", "y ~ C( q ) * town", "y ~ q + C(q)",
    "y ~ C(q, Treatment(3))", 'y ~ C(town, levels=["甲", "乙", "a", "b"])', "y ~ C(q, levels=[2, 1, 3, 4])",
    "y ~ ranked", "y ~ C(ranked) + words", "y ~ mixed", 'y ~ I(town == "甲") + np.log(q)', "y ~ 1", "y ~ town - 1",
    "y ~ yes + C(yes)", "y ~ words:x", 'y ~ np.where(words == "u", 1, 0)', "np.log(q) ~ x + town",
)  # fmt: skip


def people(seed: int, n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "y": rng.normal(size=n),
            "x": np.where(rng.random(n) < 0.1, np.nan, rng.normal(size=n)),
            "q": pd.array(rng.integers(1, 5, n), dtype="Int64"),
            "yes": rng.random(n) < 0.5,
            "town": pd.array(rng.choice(["乙", "甲", "b", "a"], n), dtype="string"),
            "words": rng.choice(["u", "v", "w"], n).astype(object),
            "ranked": pd.Categorical(rng.choice(["u", "v", "w"], n), ["w", "u", "v", "z"], ordered=True),
            "mixed": [1 if i % 2 else "a" for i in range(n)],
        },
        index=np.arange(n) + 7,
    )
    gone = rng.random((n, 4)) < 0.1
    return frame.assign(
        **{c: frame[c].mask(gone[:, i]) for i, c in enumerate(["q", "town", "words", "ranked"])}
    )


def by_patsy(frame: pd.DataFrame, formula: str) -> tuple[Any, Any]:
    """The long way: floats, and text one by one, with nothing prepared."""
    plain = {}
    for name in frame.columns:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            plain[name] = pd.Series(column.to_numpy(dtype="float64", na_value=np.nan))
        else:
            plain[name] = pd.Series([None if pd.isna(v) else v for v in column], dtype=object)
    space = patsy.EvalEnvironment([{"np": np}])
    y, X = patsy.dmatrices(formula, pd.DataFrame(plain), eval_env=space, return_type="dataframe")
    return y, X


@pytest.mark.parametrize("formula", FORMULAS)
def test_matrices_are_those_of_patsy(formula: str) -> None:
    for seed in range(3):
        frame = people(seed)
        made, (y, X) = matrices(frame, formula), by_patsy(frame, formula)
        assert made.names == tuple(X.columns)
        assert np.array_equal(made.X, X.to_numpy()) and np.array_equal(made.y, y.to_numpy()[:, 0])
        assert np.array_equal(made.rows, X.index.to_numpy())


@pytest.mark.parametrize("formula", FORMULAS)
def test_another_frame_is_coded_alike(formula: str) -> None:
    frame = people(1, 200).dropna()
    made = matrices(frame, formula)
    # few rows hold few of the classes, which must not change what a column means
    some = [3, 1, 50]
    X, rows = coded_alike(made, frame.iloc[some].drop(columns="y"))
    assert np.array_equal(X, made.X[some]) and rows.tolist() == [0, 1, 2]


@given(seed=st.integers(0, 500))
@settings(max_examples=30)
def test_a_sum_of_numbers_is_what_patsy_makes_of_it(seed: int) -> None:
    frame = people(seed, 20)
    made, (_, X) = matrices(frame, "y ~ q + x + yes"), by_patsy(frame, "y ~ q + x + yes")
    assert made.coding is None and made.names == tuple(X.columns)
    assert np.array_equal(made.X, X.to_numpy()) and np.array_equal(made.rows, X.index.to_numpy())


def test_gaps_in_another_frame_leave_its_row_out() -> None:
    frame = people(2)
    holed = pd.DataFrame({"x": [1.0, np.nan, 2.0], "town": ["a", "a", None]})
    assert coded_alike(matrices(frame, "y ~ x"), holed)[1].tolist() == [0, 2]
    assert coded_alike(matrices(frame, "y ~ x + town"), holed)[1].tolist() == [0]


@pytest.mark.parametrize(
    ("formula", "frame", "said"),
    [
        ("y ~ x + q", pd.DataFrame({"x": [1.0]}), "no column 'q'"),
        ("y ~ town", pd.DataFrame({"town": ["c"]}), "does not fit 'y ~ town'.*'c'"),
        ("y ~ town", pd.DataFrame({"x": ["c"]}), "does not fit 'y ~ town'.*town"),
    ],
)
def test_a_frame_that_cannot_be_coded_alike_is_refused(formula: str, frame: pd.DataFrame, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        coded_alike(matrices(people(1), formula), frame)
