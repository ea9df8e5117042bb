"""Communities steadied, and which places they can hold."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate.communities.fay_herriot import benchmarked, fay_herriot
from cbresearch.estimate.communities.ranks import marginal_rank_sets, rank_sets

R = json.loads((Path(__file__).parents[1] / "reference" / "small_area_milk.json").read_text("utf-8"))


def areas(seed: int, k: int = 12, spread: float = 5.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    se = rng.uniform(1, 4, k)
    x = rng.normal(size=k)
    y = 60 + 2 * x + spread * rng.normal(size=k) + se * rng.normal(size=k)
    return pd.DataFrame(
        {"area": [f"a{i}" for i in range(k)], "y": y, "se": se, "x": x, "people": rng.uniform(100, 900, k)}
    )


def fit(frame: pd.DataFrame, **more: Any) -> Any:
    return fay_herriot(frame, estimate="y", se="se", area="area", **more)


# --- Fay and Herriot --------------------------------------------------------------------------
def test_equal_errors_by_hand() -> None:
    # errors 1, values 0, 4, 8: variance 16 less 1; weight 15/16 towards the mean 4
    frame = pd.DataFrame({"area": list("abc"), "y": [0.0, 4, 8], "se": [1.0, 1, 1]})
    found = fit(frame)
    assert found.variance == pytest.approx(15)
    assert found.table["shrunken"].tolist() == pytest.approx([4 - 4 * 15 / 16, 4, 4 + 4 * 15 / 16])


def test_areas_alike_are_drawn_all_the_way() -> None:
    found = fit(pd.DataFrame({"area": list("abcd"), "y": [60.0, 60.5, 59.5, 60.2], "se": [2.0, 2, 2, 2]}))
    assert found.variance == 0 and found.note is not None
    assert np.ptp(found.table["shrunken"]) == pytest.approx(0)


@given(seed=st.integers(0, 300))
@settings(max_examples=20)
def test_shrunken_lies_between_direct_and_foretold(seed: int) -> None:
    frame = areas(seed)
    found = fit(frame, regressors=["x"])
    foretold = found.coefficients[0] + found.coefficients[1] * frame["x"]
    low, high = np.minimum(frame["y"], foretold), np.maximum(frame["y"], foretold)
    assert ((found.table["shrunken"] >= low - 1e-9) & (found.table["shrunken"] <= high + 1e-9)).all()
    assert found.table["weight"].between(0, 1).all()


@given(seed=st.integers(0, 300), unit=st.floats(0.1, 20))
@settings(max_examples=15)
def test_units_of_the_estimates(seed: int, unit: float) -> None:
    frame = areas(seed)
    one, other = fit(frame), fit(frame.assign(y=frame["y"] * unit, se=frame["se"] * unit))
    assert other.variance == pytest.approx(one.variance * unit**2, rel=1e-5, abs=1e-9)
    assert other.table["rmse"].tolist() == pytest.approx((one.table["rmse"] * unit).tolist(), rel=1e-5)


@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_the_benchmark_is_the_district_s_figure(seed: int) -> None:
    frame = areas(seed)
    moved = benchmarked(fit(frame), frame["people"].to_numpy(), 61.0)
    assert np.average(moved.table["shrunken"], weights=frame["people"]) == pytest.approx(61)
    apart = moved.table["shrunken"].diff().dropna()
    assert apart.tolist() == pytest.approx(fit(frame).table["shrunken"].diff().dropna().tolist())


def test_shrinking_brings_estimates_closer_to_the_truth() -> None:
    direct, shrunken = 0.0, 0.0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        true, se = 60 + 3 * rng.normal(size=23), rng.uniform(2, 6, 23)
        frame = pd.DataFrame({"area": range(23), "y": true + se * rng.normal(size=23), "se": se})
        found = fit(frame)
        direct += ((frame["y"] - true) ** 2).mean()
        shrunken += ((found.table["shrunken"] - true) ** 2).mean()
    assert shrunken < 0.6 * direct


@pytest.mark.parametrize("method", ["REML", "ML"])
def test_milk_as_in_r(method: Any, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data.parent / "reference" / "small_area_milk" / "milk.csv")
    frame = frame.assign(**{f"a{i}": (frame["major_area"] == i) * 1.0 for i in (2, 3, 4)})
    found = fay_herriot(
        frame,
        estimate="direct_est",
        se="std_error",
        area="small_area",
        regressors=["a2", "a3", "a4"],
        method=method,
    )
    told = R[method]
    assert found.variance == pytest.approx(told["refvar"], rel=1e-6)
    assert found.coefficients == pytest.approx(list(told["beta"].values()), rel=1e-6)
    for column, theirs in (("weight", "gamma"), ("shrunken", "eblup")):
        assert found.table[column].tolist() == pytest.approx(told[theirs], rel=1e-6)
    assert (found.table["rmse"] ** 2).tolist() == pytest.approx(told["mse"], rel=1e-6)


# --- ranks ------------------------------------------------------------------------------------
def test_areas_far_apart_have_their_ranks() -> None:
    found = rank_sets(list("abc"), [1.0, 9.0, 5.0], np.array([0.1, 0.1, 0.1]))
    assert [(p.area, p.rank_low, p.rank_high, p.letters) for p in found.places] == [
        ("b", 1, 1, "a"), ("c", 2, 2, "b"), ("a", 3, 3, "c"),
    ]  # fmt: skip
    assert found.sentence.en == "b is surely first; of 3 pairs of areas, 3 can be told apart."


def test_areas_alike_can_hold_any_place() -> None:
    found = rank_sets(list("abcd"), [5.0, 5.0, 5.0, 5.0], np.ones(4))
    assert {(p.rank, p.rank_low, p.rank_high, p.letters) for p in found.places} == {(1, 1, 4, "a")}
    assert "ranks have no meaning" in found.sentence.en


@given(seed=st.integers(0, 300))
@settings(max_examples=20)
def test_rank_sets_hold_the_rank_and_letters_tell_who_is_alike(seed: int) -> None:
    frame = areas(seed)
    found = rank_sets(list(frame["area"]), frame["y"].to_numpy(), frame["se"].to_numpy())
    for i, place in enumerate(found.places):
        assert place.rank_low <= place.rank <= place.rank_high
        for j, other in enumerate(found.places):
            if set(place.letters) & set(other.letters):
                assert not found.better[i, j] and not found.better[j, i]


@given(seed=st.integers(0, 100))
@settings(max_examples=8)
def test_an_area_asked_about_alone_has_a_set_no_wider(seed: int) -> None:
    frame = areas(seed)
    told = list(frame["area"]), frame["y"].to_numpy(), frame["se"].to_numpy()
    together, alone = rank_sets(*told).table, marginal_rank_sets(*told).table
    width = (together["rank_high"] - together["rank_low"]).sum()
    assert (alone["rank_high"] - alone["rank_low"]).sum() <= width


def test_a_covariance_is_read_as_errors_where_it_is_diagonal() -> None:
    frame = areas(1)
    told = list(frame["area"]), frame["y"].to_numpy()
    one = rank_sets(*told, frame["se"].to_numpy())
    other = rank_sets(*told, np.diag(frame["se"].to_numpy() ** 2))
    assert one.table.equals(other.table)


def test_all_sets_hold_at_once_as_often_as_said() -> None:
    rng, held = np.random.default_rng(1), 0
    true = np.array([50.0, 50, 50, 51, 53, 55, 56, 60])
    best = np.array([1 + (true > t).sum() for t in true])
    worst = np.array([(true >= t).sum() for t in true])
    for _ in range(300):
        y = true + 2 * rng.normal(size=8)
        table = (
            rank_sets(range(8), y, np.full(8, 2.0)).table.set_index("area").loc[[str(i) for i in range(8)]]
        )  # type: ignore[arg-type]
        held += bool(((table["rank_low"] <= worst) & (table["rank_high"] >= best)).all())
    assert held / 300 >= 0.95 - 2.5 * np.sqrt(0.95 * 0.05 / 300)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: fit(f.assign(se=0.0)), "'se' is 0 or less"),
        (lambda f: fit(f.assign(y=np.nan, area="a")), r"(?s)'y' is missing in 12 of 12 areas.*names an area twice"),
        (lambda f: fit(f, method="EB"), "expected one of REML, ML"),
        (lambda f: fit(f.iloc[:2]), "expected at least 3"),
        (lambda f: benchmarked(fit(f), np.ones(3), 60), "3 numbers of people for 12 areas"),
        (lambda f: rank_sets(["a"], [1.0], np.ones(1)), "expected at least two"),
        (lambda f: rank_sets(["a", "b"], [1.0, np.nan], np.ones(2)), "Missing values"),
        (lambda f: rank_sets(["a", "b"], [1.0, 2.0], np.zeros(2)), "positive standard errors"),
        (lambda f: rank_sets(["a"], [1.0, 2.0], np.ones(2)), "expected as many of each"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(areas(1))
