"""Joint tests, both wild bootstraps, permutations, and how many clusters bear on an effect."""

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
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.effective import bearing, cautions
from cbresearch.estimate.clusters.few_clusters import few_clusters
from cbresearch.estimate.clusters.joint import joint_test
from cbresearch.estimate.clusters.linear import Fit, least_squares, robust
from cbresearch.estimate.clusters.permutation import permutation_test
from cbresearch.estimate.clusters.wild import (
    wild_bootstrap,
    wild_cluster_bootstrap,
    wild_interval,
    wild_unrestricted,
)

REFERENCE = Path(__file__).parents[1] / "reference"
CLUSTERED = json.loads((REFERENCE / "clustered_se.json").read_text("utf-8"))
WILD = json.loads((REFERENCE / "wild_bootstrap.json").read_text("utf-8"))
KINDS = ("CR0", "CR1", "CR2", "CR3")


def sample(seed: int, G: int = 8, size: int = 6, *, weighted: bool = True) -> Fit:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(G), size)
    n = len(g)
    X = np.column_stack([np.ones(n), rng.normal(size=G)[g], rng.normal(size=n), rng.normal(size=n)])
    y = X @ [1, 0.5, 0, 0.2] + rng.normal(size=G)[g] + rng.normal(size=n)
    return least_squares(X, y, rng.uniform(0.5, 2, n) if weighted else None, g)


def schools(shared: Path, name: str = "mixed_models/hsb23") -> pd.DataFrame:
    frame = pd.read_csv(shared.parent / "reference" / f"{name}.csv", dtype={"school": str})
    return frame.assign(catholic=(frame["sector"] == "Catholic").astype(float))


# --- joint test -------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_one_restriction_is_the_t_test(kind: Any, seed: int) -> None:
    fit = sample(seed)
    found, single = joint_test(fit, [2], kind), robust(fit, kind)
    t = single.coefficients[2] / single.se[2]
    assert pytest.approx(t**2) == found.F
    assert found.df == pytest.approx(single.df[2])
    assert found.p == pytest.approx(2 * stats.t.sf(abs(t), single.df[2]))


@given(seed=st.integers(0, 500))
@settings(max_examples=15)
def test_the_same_restrictions_written_otherwise_are_the_same_test(seed: int) -> None:
    fit, C = sample(seed), np.eye(4)[[1, 2]]
    turned = np.array([[2.0, 1.0], [-1.0, 3.0]]) @ C
    one, other = joint_test(fit, C), joint_test(fit, turned)
    assert (other.F, other.df) == pytest.approx((one.F, one.df))


@pytest.mark.parametrize("kind", KINDS)
def test_joint_test_of_schools_as_in_r(kind: Any, shared_data: Path) -> None:
    frame, told = schools(shared_data), CLUSTERED["joint"]["hsb23_ols"][kind]
    X = np.column_stack([np.ones(len(frame)), frame[["cses", "meanses", "catholic"]]])
    found = joint_test(least_squares(X, frame["mAch"].to_numpy(), None, frame["school"]), [2, 3], kind)
    assert (found.F, found.df, found.p) == pytest.approx((told["F"], told["df"], told["p"]), rel=1e-8)


@pytest.mark.parametrize("kind", ["CR0", "CR1", "CR2"])
def test_joint_test_with_fixed_effects_as_in_r(kind: Any, shared_data: Path) -> None:
    told = CLUSTERED["joint"]["mortality_twfe_lm"][kind]
    frame = pd.read_csv(shared_data.parent / "reference" / "clustered_se" / "mortality_mv.csv")
    frame = frame.dropna(subset=["mrate", "legal", "beertaxa"])
    states = pd.get_dummies(frame["state"].astype(str)).astype(float)
    years = pd.get_dummies(frame["year"].astype(str)).astype(float).iloc[:, 1:]
    X = np.column_stack([frame[["legal", "beertaxa"]], states, years])
    found = joint_test(least_squares(X, frame["mrate"].to_numpy(), None, frame["state"]), [0, 1], kind)
    assert (found.F, found.df, found.p) == pytest.approx((told["F"], told["df"], told["p"]), rel=1e-8)


def test_values_other_than_zero_can_be_tested() -> None:
    fit = sample(1)
    assert pytest.approx(0, abs=1e-12) == joint_test(fit, [1, 2], values=fit.coefficients[[1, 2]]).F


def test_restrictions_that_say_nothing_new_are_refused() -> None:
    with pytest.raises(EstimateError, match="follow from each other"):
        joint_test(sample(1), np.array([[0, 1, 0, 0], [0, 2, 0, 0]]))
    with pytest.raises(EstimateError, match="fewer restrictions than clusters"):
        joint_test(sample(1, G=3, size=10), [1, 2, 3])


# --- wild bootstraps --------------------------------------------------------------------------
def ten(shared: Path) -> Fit:
    frame = schools(shared, "wild_bootstrap/hsb10")
    X = np.column_stack([np.ones(len(frame)), frame[["cses", "catholic"]]])
    return least_squares(X, frame["mAch"].to_numpy(), None, frame["school"])


def test_without_the_null_imposed_as_in_r(shared_data: Path) -> None:
    told, fit = WILD["unrestricted"], ten(shared_data)
    assert wild_unrestricted(fit, 2).p == told["p_catholic"]
    assert wild_unrestricted(fit, 1).p == told["p_cses"]


def test_points_by_name_as_in_r(shared_data: Path) -> None:
    frame, told = schools(shared_data, "wild_bootstrap/hsb5"), WILD["hsb5_points"]
    fit = least_squares(
        np.column_stack([np.ones(len(frame)), frame["cses"]]), frame["mAch"].to_numpy(), None, frame["school"]
    )
    for points, name in (("rademacher", "signs"), ("webb", "webb")):
        assert wild_bootstrap(fit, 1, points=points).p == pytest.approx(told[f"p_{name}"], rel=1e-14)  # type: ignore[arg-type]
        assert wild_bootstrap(fit, 1, points=points, null=2).p == pytest.approx(
            told[f"p_{name}_equals_2"], rel=1e-14
        )  # type: ignore[arg-type]
    assert wild_bootstrap(fit, 1).points == "Webb"


def test_drawn_signs_agree_with_r_within_chance(shared_data: Path) -> None:
    told = WILD["hsb23_drawn"]["catholic"]
    found = wild_cluster_bootstrap(
        schools(shared_data),
        "mAch ~ cses + meanses + catholic",
        cause="catholic",
        cluster="school",
        draws=99_999,
    )
    assert found.t == pytest.approx(told["t"], rel=1e-10)
    assert found.p == pytest.approx(told["p_symmetric"], abs=4 * math.sqrt(2) * told["mc_se"])


@given(seed=st.integers(0, 200))
@settings(max_examples=8)
def test_the_bootstrap_from_a_frame_is_that_of_the_fit(seed: int) -> None:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(12), 5)
    frame = pd.DataFrame(
        {"y": rng.normal(size=60), "x": rng.normal(size=12)[g], "g": g, "w": rng.uniform(1, 2, 60)}
    )
    found = wild_cluster_bootstrap(frame, "y ~ x", cause="x", cluster="g", weights="w", draws=499)
    fit = least_squares(
        np.column_stack([np.ones(60), frame["x"]]), frame["y"].to_numpy(), frame["w"].to_numpy(), g
    )
    assert found.p == wild_bootstrap(fit, 1, draws=499).p
    assert (found.low, found.high) == wild_interval(fit, 1, draws=499)
    assert found.se == pytest.approx(robust(fit, "CR1S").se[1])


def test_weights_of_one_are_no_weights() -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(14), 4)
    frame = pd.DataFrame({"y": rng.normal(size=56), "x": rng.normal(size=14)[g], "g": g, "w": 3.0})
    told = [
        wild_cluster_bootstrap(frame, "y ~ x", cause="x", cluster="g", weights=w, draws=299).p
        for w in ("w", None)
    ]
    assert told[0] == told[1]


def test_unknown_points_are_refused() -> None:
    with pytest.raises(EstimateError, match="points = 'mammen'; expected one of auto, rademacher, webb"):
        wild_bootstrap(sample(1), 1, points="mammen")  # type: ignore[arg-type]


# --- permutation ------------------------------------------------------------------------------
def test_two_of_four_by_hand() -> None:
    # means 1, 2, 3, 6; the last two treated: 4.5 - 1.5 = 3, the largest of the 6 ways; so is its mirror
    fit = least_squares(
        np.column_stack([np.ones(4), [0, 0, 1, 1]]), np.array([1.0, 2, 3, 6]), None, list("abcd")
    )
    found = permutation_test(fit, 1, statistic="coefficient")
    assert (found.p, found.draws, found.exact) == (pytest.approx(2 / 6), 6, True)


def test_every_assignment_as_in_r(shared_data: Path) -> None:
    told = WILD["permutation"]
    means = schools(shared_data, "wild_bootstrap/hsb10").groupby("school")[["mAch", "catholic"]].mean()
    fit = least_squares(
        np.column_stack([np.ones(10), means["catholic"]]),
        means["mAch"].to_numpy(),
        None,
        means.index.to_numpy(),
    )
    found = permutation_test(fit, 1, statistic="coefficient")
    assert (found.draws, found.p) == (told["assignments"], pytest.approx(told["p"]))


def slow(fit: Fit, j: int, cause: np.ndarray) -> float:
    """|t| with CR0 of the cause put into the regression itself."""
    X = fit.X.copy()
    X[:, j] = cause
    root = np.sqrt(fit.w)
    b, *_ = np.linalg.lstsq(X * root[:, None], fit.y * root, rcond=None)
    M = np.linalg.inv((X * fit.w[:, None]).T @ X)
    scores = np.add.reduceat(X * (fit.w * (fit.y - X @ b))[:, None], fit.start, axis=0) @ M
    return float(abs(b[j]) / math.sqrt((scores[:, j] ** 2).sum()))


@given(seed=st.integers(0, 200))
@settings(max_examples=8)
def test_the_short_cut_is_the_regression_itself(seed: int) -> None:
    fit = sample(seed, G=5)
    values = fit.X[fit.start, 1]
    from itertools import permutations

    sizes = [slow(fit, 1, np.repeat(values[list(order)], 6)) for order in permutations(range(5))]
    observed = slow(fit, 1, fit.X[:, 1])
    expected = np.mean([size >= observed - 1e-9 for size in sizes])
    found = permutation_test(fit, 1)
    assert (found.draws, found.exact) == (120, True)
    assert found.p == pytest.approx(expected)


def test_paths_are_handed_on_whole_and_centred_again() -> None:
    rng = np.random.default_rng(2)
    g, wave = np.repeat(np.arange(5), 12), np.tile(np.repeat(np.arange(3), 4), 5)
    path = rng.normal(size=(5, 3))
    cause = path[g, wave] - path.mean(axis=1)[g]
    X = np.column_stack([np.ones(60), cause, wave == 1, wave == 2])
    fit = least_squares(X, rng.normal(size=60) + 0.4 * cause, None, g)
    from itertools import permutations

    handed = [
        path[list(order)][g, wave] - path[list(order)].mean(axis=1)[g] for order in permutations(range(5))
    ]
    expected = np.mean([slow(fit, 1, one) >= slow(fit, 1, cause) - 1e-9 for one in handed])
    assert permutation_test(fit, 1, moments=wave).p == pytest.approx(expected)


def test_what_cannot_be_permuted_says_why() -> None:
    fit = sample(1)
    assert math.isnan(permutation_test(fit, 2).p)
    assert "no column says when" in permutation_test(fit, 2).note
    uneven = np.tile(np.arange(6), 8)
    uneven[-1] = 9
    assert "do not share the moments" in permutation_test(fit, 2, moments=uneven).note


def test_under_the_null_p_is_uniform() -> None:
    rng, p = np.random.default_rng(1), []
    for _ in range(300):
        g = np.repeat(np.arange(9), 3)
        y = rng.normal(size=9)[g] + rng.normal(size=27)
        fit = least_squares(np.column_stack([np.ones(27), (g < 3) * 1.0]), y, None, g)
        p.append(permutation_test(fit, 1).p)
    assert stats.kstest(p, "uniform").pvalue > 0.01


# --- how many clusters bear on it -------------------------------------------------------------
def test_equal_clusters_count_in_full_and_one_loud_cluster_counts_alone() -> None:
    g = np.repeat(np.arange(6), 4)
    X = np.column_stack([np.ones(24), np.where(g % 2, 1.0, -1.0)])
    y = np.random.default_rng(1).normal(size=24)
    even = bearing(least_squares(X, y, None, g), 1)
    assert (even.effective, even.largest) == (pytest.approx(6), pytest.approx(1 / 6))
    X[:, 1] = g == 0
    one = bearing(least_squares(X, y, None, g), 1)
    # the treated cluster's sum is 4 * 5/6, the five others' 4 * 1/6: gamma 25 to 1
    gamma = np.array([25, 1, 1, 1, 1, 1])
    assert one.effective == pytest.approx(6 / (1 + gamma.var() / gamma.mean() ** 2))
    assert one.treated == 1 and one.few_treated and even.treated is None


def test_a_cause_that_moves_inside_clusters_is_judged_by_how_far_it_moves() -> None:
    """Its sums per cluster are what rounding and other regressors leave, which would count one cluster of four."""
    g = np.repeat(np.arange(4), 6)
    moved = np.tile([-1.0, 1.0], 12) + np.where(g == 2, 1e-4, 0.0)
    fit = least_squares(np.column_stack([np.ones(24), moved]), np.arange(24.0), None, g)
    assert bearing(fit, 1).effective == pytest.approx(4, rel=1e-6)
    # one cluster that moves three times as far: gamma 9 to 1
    further = np.tile([-1.0, 1.0], 12) * np.where(g == 0, 3.0, 1.0)
    gamma = np.array([9, 1, 1, 1])
    found = bearing(least_squares(np.column_stack([np.ones(24), further]), np.arange(24.0), None, g), 1)
    assert found.effective == pytest.approx(4 / (1 + gamma.var() / gamma.mean() ** 2))


@given(seed=st.integers(0, 300), scale=st.floats(0.01, 100))
@settings(max_examples=20)
def test_the_unit_of_the_cause_does_not_matter(seed: int, scale: float) -> None:
    fit = sample(seed)
    X = fit.X * [1, scale, 1, 1]
    other = least_squares(X, fit.y, fit.w, np.repeat(np.arange(8), 6))
    assert bearing(other, 1).effective == pytest.approx(bearing(fit, 1).effective, rel=1e-6)
    assert 1 <= bearing(fit, 1).effective <= 8 + 1e-9


def test_cautions_name_what_fails() -> None:
    few = bearing(
        least_squares(
            np.column_stack([np.ones(24), np.repeat(np.arange(6), 4) < 1]),
            np.arange(24.0),
            None,
            np.repeat(np.arange(6), 4),
        ),
        1,
    )
    said = cautions(few, 3.0)
    assert [one.en[:9] for one in said] == ["The cause", "Only 1 of"]
    assert all(one.zh.endswith("。") for one in said)
    assert cautions(few, 20.0)[0].en.startswith("Only 1 of 6 communities have it")


def test_the_panel_carries_its_cautions() -> None:
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(23), 10)
    frame = pd.DataFrame({"y": rng.normal(size=230), "x": (g < 3) * 1.0, "g": g})
    found = few_clusters(frame, "y ~ x", cause="x", cluster="g", draws=199)
    assert found.bearing.treated == 3
    assert any("Only 3 of 23 communities" in note.en for note in found.notes)
