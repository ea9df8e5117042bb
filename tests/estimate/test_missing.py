"""Missing answers: pooling against mice, filling in by laws and simulation."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate.missing.compare import with_missing
from cbresearch.estimate.missing.impute import impute
from cbresearch.estimate.missing.pool import pool, pool_jointly
from cbresearch.records import Estimate
from cbresearch.sampling.descriptive import mean
from cbresearch.sampling.design import Design

R = json.loads((Path(__file__).parents[1] / "reference" / "mi_nhanes.json").read_text("utf-8"))
NAMES = {
    "value": "estimate",
    "within": "ubar",
    "between": "b",
    "df": "df",
    "riv": "riv",
    "missing_share": "lambda",
    "fmi": "fmi",
}


def town(seed: int, n: int = 400, missing: float = 0.3) -> pd.DataFrame:
    """Ratings of residents who answer the second question less often the less content they are."""
    rng = np.random.default_rng(seed)
    g = rng.integers(0, 10, n)
    content = rng.normal(size=10)[g] + rng.normal(size=n)
    first, second = (np.clip(np.round(3 + content + 0.5 * rng.normal(size=n)), 1, 5) for _ in range(2))
    gone = rng.random(n) < 2 * missing * (first < 3.5)
    return pd.DataFrame(
        {
            "first": first,
            "full": second,
            "second": np.where(gone, np.nan, second),
            "g": g,
            "w": rng.uniform(0.5, 2, n),
        }
    )


def average(frame: pd.DataFrame) -> Estimate:
    return mean(frame, "second", Design(weights="w", psu="g"))


# --- pooling ----------------------------------------------------------------------------------
def test_two_sets_by_hand() -> None:
    # mean 2, within 1, between 2, total 1 + 1.5 * 2 = 4, lambda 3/4, df (2 - 1)/(9/16)
    found = pool([1.0, 3.0], [1.0, 1.0])
    assert (found.value, found.se, found.missing_share) == (2, 2, pytest.approx(0.75))
    assert found.df == pytest.approx(16 / 9)


@given(q=st.lists(st.floats(-5, 5), min_size=3, max_size=8), unit=st.floats(0.1, 50))
def test_units_change_no_share(q: list[float], unit: float) -> None:
    one, other = pool(q, [1.0] * len(q), 30), pool([unit * x for x in q], [unit**2] * len(q), 30)
    assert other.fmi == pytest.approx(one.fmi, abs=1e-9) and other.df == pytest.approx(one.df, rel=1e-6)
    assert other.df <= 30


def test_sets_that_agree_add_nothing() -> None:
    found = pool([2.0, 2.0, 2.0], [0.25, 0.25, 0.25], 50)
    assert (found.se, found.missing_share, found.fmi) == (0.5, 0, pytest.approx(2 / (found.df + 3)))


@pytest.mark.parametrize("sets", [20, 5])
def test_pooling_as_in_mice(sets: int, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data.parent / "reference" / "mi_nhanes" / "nhanes_imputed_m20.csv")
    b, V = [], []
    for _, one in frame[frame["imp"] <= sets].groupby("imp"):
        X = np.column_stack([np.ones(len(one)), one["age"], one["bmi"]])
        coefficients, *_ = np.linalg.lstsq(X, one["chl"], rcond=None)
        left = one["chl"] - X @ coefficients
        b.append(coefficients)
        V.append(np.linalg.inv(X.T @ X) * float(left @ left) / (len(one) - 3))
    for i, told in enumerate(R["pooled" if sets == 20 else "pooled_5"]):
        found = pool(np.array(b)[:, i], np.array(V)[:, i, i], 22)
        for mine, theirs in NAMES.items():
            assert getattr(found, mine) == pytest.approx(told[theirs], rel=1e-9)
    if sets == 20:
        joint = pool_jointly(np.array(b)[:, 1:], np.array(V)[:, 1:, 1:], 22)
        assert (joint.F, joint.df1, joint.df2, joint.p, joint.riv) == pytest.approx(
            tuple(R["D1"].values()), rel=1e-9
        )


def test_scalars_as_in_mice() -> None:
    told = R["scalar"]
    assert pool(told["qhat"], told["u"], 24).df == pytest.approx(told["df"], rel=1e-10)
    assert pool(told["qhat"], told["u"]).df == pytest.approx(R["scalar_df_1987"], rel=1e-10)


# --- filling in -------------------------------------------------------------------------------
@given(seed=st.integers(0, 200))
@settings(max_examples=6, deadline=None)
def test_only_gaps_are_filled_and_only_with_answers_that_were_given(seed: int) -> None:
    frame = town(seed, 150)
    found = impute(frame, ["second"], community="g", weights="w", helpers=["first"], m=3, rounds=2, seed=seed)
    given_ = frame["second"].notna()
    for one in found.sets:
        assert one["second"].notna().all()
        assert one.loc[given_, "second"].equals(frame.loc[given_, "second"])
        assert set(one["second"]) <= set(frame["second"].dropna())
    assert found.missing["second"] == pytest.approx(1 - given_.mean())


def test_the_same_seed_gives_the_same_sets_and_sets_differ() -> None:
    frame = town(1)
    one, two = (impute(frame, ["second"], community="g", helpers=["first"], m=2, seed=5) for _ in range(2))
    assert all(a.equals(b) for a, b in zip(one.sets, two.sets, strict=True))
    assert not one.sets[0].equals(one.sets[1])


def test_with_nothing_missing_both_answers_are_the_same() -> None:
    frame = town(1).assign(second=lambda f: f["full"])
    found = with_missing(frame, average, impute(frame, ["second"], community="g", m=3))
    assert found.imputed.value == found.complete.value and found.imputed.se == found.complete.se
    assert found.difference_in_se == 0 and "hardly moves" in found.sentence.en


def test_filling_in_mends_what_leaving_out_bends() -> None:
    bent, mended, inside = [], [], 0
    for seed in range(60):
        frame = town(seed)
        true = mean(frame, "full", Design(weights="w", psu="g")).value
        made = impute(
            frame, ["second"], community="g", weights="w", helpers=["first"], m=5, rounds=1, seed=seed
        )
        found = with_missing(frame, average, made)
        bent.append(found.complete.value - true)
        mended.append(found.imputed.value - true)
        inside += abs(found.imputed.value - true) < 2 * math.sqrt(found.pooled.between * 1.2) + 0.02
    assert np.mean(bent) > 0.2
    assert abs(np.mean(mended)) < 0.15 * np.mean(bent)
    assert inside > 50


def test_the_table_sets_both_side_by_side() -> None:
    frame = town(2)
    found = with_missing(frame, average, impute(frame, ["second"], community="g", helpers=["first"], m=4))
    assert list(found.table["how"]) == ["complete cases", "multiple imputation"]
    assert found.table["n"].tolist() == [int(frame["second"].notna().sum()), len(frame)]
    assert "who did not answer matters" in found.sentence.en


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: impute(f.assign(second="x"), ["second"]), "holds words"),
        (lambda f: impute(f, ["second"], m=1), "at least two sets"),
        (lambda f: impute(f, ["second"], helpers=["second"]), "must be complete"),
        (lambda f: impute(f, ["secnd"]), "did you mean 'second'"),
        (lambda f: pool([1.0], [1.0]), "at least two sets"),
        (lambda f: pool([1.0, 2.0], [1.0, np.nan]), "missing or negative"),
        (lambda f: pool_jointly(np.ones((3, 2)), np.ones((3, 2))), "m x k x k"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town(1, 60))
