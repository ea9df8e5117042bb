"""Alpha, omega, polychoric correlations, factors, agreement: by hand, by laws, against R."""

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
from cbresearch.measure.agreement import agreement, within_agreement
from cbresearch.measure.extraction import extract
from cbresearch.measure.factorability import factorability, parallel_analysis, velicer_map
from cbresearch.measure.factors import explore, omega, omega_hierarchical
from cbresearch.measure.items import items_of
from cbresearch.measure.polychoric import polychoric, smoothed
from cbresearch.measure.reliability import alpha, alpha_interval, ordinal_alpha
from cbresearch.measure.rotation import rotate

R = json.loads((Path(__file__).parents[1] / "reference" / "scales_bfi.json").read_text("utf-8"))


def scale(seed: int, n: int = 200, k: int = 4, loading: float = 0.7) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, 1))
    values = loading * common + math.sqrt(1 - loading**2) * rng.normal(size=(n, k))
    return pd.DataFrame(
        np.digitize(values, [-1.2, -0.4, 0.4, 1.2]) + 1.0, columns=[f"q{i}" for i in range(k)]
    )


@pytest.fixture
def bfi(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data.parent / "reference" / "scales_bfi" / "bfi.csv")


def keyed(bfi: pd.DataFrame, name: str) -> pd.DataFrame:
    keys = R["scales"][name]["key"]
    return pd.DataFrame({k.strip("-"): 7 - bfi[k[1:]] if k[0] == "-" else bfi[k] for k in keys})


# --- by hand ----------------------------------------------------------------------------------
def test_alpha_of_two_items_by_hand() -> None:
    # variances 1 and 1, covariance 0.5: 2 (1 - 2/3) = 2/3
    items = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 1, 3]})
    assert alpha(items).value == pytest.approx(2 * (1 - 2 / 3))
    assert alpha(items).average_r == pytest.approx(0.5)


def test_tetrachoric_of_an_even_table_by_hand() -> None:
    # both split in half, 3/8 in each like cell: rho = cos(pi (1 - 3/4)) = sin(pi/4)
    rows = [(0, 0)] * 3 + [(1, 1)] * 3 + [(0, 1)] + [(1, 0)]
    found = polychoric(pd.DataFrame(rows * 50, columns=["a", "b"]).astype(float))
    assert found.correlations[0, 1] == pytest.approx(math.sin(math.pi / 4), abs=1e-7)
    assert found.thresholds[0] == pytest.approx([0.0])


def test_icc_of_two_groups_by_hand() -> None:
    # means 1.5 and 3.5: between 2 * 2 = 4 on 1 df; within 0.5; F 8; ICC(1) 7/(8 - 1 + 2)
    frame = pd.DataFrame({"y": [1.0, 2, 3, 4], "g": list("aabb")})
    found = agreement(frame, "y", "g")
    assert (found.F, found.icc1, found.icc2) == (pytest.approx(8), pytest.approx(7 / 9), pytest.approx(7 / 8))


def test_full_agreement_is_one_and_an_even_spread_is_none() -> None:
    frame = pd.DataFrame({"q": [4.0, 4, 4, 1, 2, 3, 4, 5], "g": list("aaabbbbb")})
    found = within_agreement(frame, ["q"], "g", answers=5)
    # variance of 1..5 with n - 1 is 2.5, an even spread 2: less than no agreement counts as none
    assert found["rwg"].tolist() == [1.0, 0.0]


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 500), unit=st.floats(0.1, 10), shift=st.floats(-5, 5))
@settings(max_examples=20)
def test_units_change_nothing(seed: int, unit: float, shift: float) -> None:
    items = scale(seed)
    one, other = alpha(items), alpha(items * unit + shift)
    assert other.value == pytest.approx(one.value)
    assert other.lambda6 == pytest.approx(one.lambda6)


@given(seed=st.integers(0, 500))
@settings(max_examples=15)
def test_weights_of_two_are_residents_written_twice(seed: int) -> None:
    items = scale(seed, n=60)
    twice = pd.concat([items, items.iloc[:20]], ignore_index=True)
    weights = pd.Series([2.0] * 20 + [1.0] * 40)
    one, other = alpha(items, weights=weights), alpha(twice)
    # the divisor n - 1 drops out of alpha
    assert one.value == pytest.approx(other.value, rel=1e-9)
    pairs = polychoric(items, weights=weights).correlations, polychoric(twice).correlations
    assert pairs[0] == pytest.approx(pairs[1], abs=1e-6)


@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_turning_an_item_turns_its_polychoric_correlations(seed: int) -> None:
    items = scale(seed)
    turned = items.assign(q0=6 - items["q0"])
    sign = np.array([[1, -1, -1, -1], [-1, 1, 1, 1], [-1, 1, 1, 1], [-1, 1, 1, 1]])
    assert polychoric(turned).correlations == pytest.approx(polychoric(items).correlations * sign, abs=1e-6)


@given(seed=st.integers(0, 300), rotation=st.sampled_from(["varimax", "promax", "oblimin"]))
@settings(max_examples=12)
def test_a_rotation_reproduces_the_same_correlations(seed: int, rotation: Any) -> None:
    rng = np.random.default_rng(seed)
    L = rng.uniform(-0.2, 0.2, (8, 2))
    L[:4, 0] += 0.6
    L[4:, 1] += 0.6
    turned = rotate(L, rotation)
    assert turned.loadings @ turned.phi @ turned.loadings.T == pytest.approx(L @ L.T, abs=1e-8)


@given(seed=st.integers(0, 200), method=st.sampled_from(["minres", "ml"]))
@settings(max_examples=12)
def test_an_exact_factor_model_is_found_again(seed: int, method: Any) -> None:
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(0.4, 0.8, (6, 1))
    correlations = loadings @ loadings.T
    np.fill_diagonal(correlations, 1)
    found = extract(correlations, 1, method)
    assert found.loadings == pytest.approx(loadings, abs=1e-4)


def test_the_interval_over_clusters_is_wider_where_residents_are_alike() -> None:
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(20), 15)
    base = rng.normal(size=20)[g][:, None] * 2
    spread = rng.uniform(0.2, 2, 20)[g][:, None]
    items = pd.DataFrame(base + spread * rng.normal(size=(300, 4)))
    items.columns = list("abcd")
    low, high = alpha_interval(items, pd.Series(g), draws=500)
    found = alpha(items)
    assert low < found.value < high
    assert high - low > 2 * (found.high - found.low)


def test_feldt_s_interval_covers() -> None:
    inside, true = 0, 4 * 0.49 / (1 + 3 * 0.49)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = 0.7 * rng.normal(size=(80, 1)) + math.sqrt(0.51) * rng.normal(size=(80, 4))
        found = alpha(pd.DataFrame(values, columns=list("abcd")))
        inside += found.low <= true <= found.high
    assert inside / 300 == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 300))


def test_unrelated_items_have_no_factor_and_two_groups_have_two() -> None:
    rng = np.random.default_rng(2)
    noise = np.corrcoef(rng.normal(size=(8, 500)))
    assert parallel_analysis(noise, 500).factors == 0
    items = pd.concat([scale(1, 500, 4), scale(2, 500, 4).add_prefix("r")], axis=1)
    found = parallel_analysis(items_of(items).correlation(), 500)
    assert found.factors == 2 and "2 factors" in found.sentence.en
    assert int(np.argmin(velicer_map(items_of(items).correlation()))) + 1 == 2


# --- R ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", R["scales"])
def test_scales_as_in_psych(name: str, bfi: pd.DataFrame) -> None:
    told, items = R["scales"][name], keyed(bfi, name)
    found, complete = alpha(items), alpha(items, missing="complete")
    assert (found.value, found.standardised, found.lambda6, found.average_r) == pytest.approx(
        (told["raw_alpha"], told["std_alpha"], told["G6_smc"], told["average_r"]), rel=1e-10
    )
    assert (found.low, found.high) == pytest.approx((told["feldt"][0], told["feldt"][2]), rel=1e-10)
    table = found.table
    for column, theirs in (
        ("rest", "r_drop"),
        ("mean", "mean"),
        ("sd", "sd"),
        ("alpha_without", "alpha_drop"),
    ):
        assert table[column].tolist() == pytest.approx(told[theirs], rel=1e-10)
    assert complete.value == pytest.approx(told["complete_alpha"], rel=1e-10)
    assert (complete.low, complete.high) == pytest.approx(told["complete_feldt"], rel=1e-10)
    whole = items.dropna()
    assert omega(whole).value == pytest.approx(told["omega_minres"], abs=1e-5)
    assert ordinal_alpha(whole).value == pytest.approx(told["ordinal_alpha"], abs=1e-3)
    assert omega(whole, correlations="polychoric").value == pytest.approx(told["ordinal_omega"], abs=1e-3)


def test_polychoric_as_in_lavaan_and_polycor(bfi: pd.DataFrame) -> None:
    found = polychoric(bfi.iloc[:, :25].dropna())
    assert found.correlations == pytest.approx(np.array(R["lavaan_polychoric"]), abs=1e-6)
    pair = polychoric(bfi[["A2", "A3"]])
    assert pair.correlations[0, 1] == pytest.approx(R["polychor_A2_A3"]["rho"], abs=1e-5)
    assert pair.se[0, 1] == pytest.approx(R["polychor_A2_A3"]["se"], rel=1e-3)


def test_factorability_as_in_psych(bfi: pd.DataFrame) -> None:
    whole, told = items_of(bfi.iloc[:, :25]).complete, R["all25"]
    found = factorability(whole.correlation(), len(whole.values))
    assert len(whole.values) == told["n"]
    assert found.kmo == pytest.approx(told["kmo_overall"], rel=1e-10)
    assert found.kmo_items == pytest.approx(list(told["kmo_items"].values()), rel=1e-10)
    assert (found.chi2, found.df) == pytest.approx(
        (told["bartlett"]["chisq"], told["bartlett"]["df"]), rel=1e-10
    )
    assert velicer_map(whole.correlation())[:8] == pytest.approx(R["map"], rel=1e-10)


def matched(mine: np.ndarray, theirs: list[list[float]]) -> float:
    """The largest difference when order and sign of factors, which nothing determines, are taken as they fit best."""
    other = np.array(theirs)
    return max(
        min(
            float(np.abs(mine[:, i] - sign * other[:, j]).max())
            for i in range(mine.shape[1])
            for sign in (1, -1)
        )
        for j in range(other.shape[1])
    )


@pytest.mark.parametrize(
    ("extraction", "rotation", "key", "tolerance"),
    [
        ("minres", "none", "minres_none", 1e-5), ("minres", "oblimin", "minres_oblimin", 1e-3),
        ("ml", "none", "factanal_none", 1e-6), ("ml", "varimax", "factanal_varimax", 1e-6), ("ml", "promax", "factanal_promax4", 1e-6),
    ],
)  # fmt: skip
def test_factors_as_in_r(
    extraction: Any, rotation: Any, key: str, tolerance: float, bfi: pd.DataFrame
) -> None:
    found = explore(bfi.iloc[:, :25], 5, extraction=extraction, rotation=rotation)
    assert matched(found.loadings, R["efa5"][key]) < tolerance
    if extraction == "ml":
        assert (found.chi2, found.df) == pytest.approx((R["efa5"]["ml_chisq"], R["efa5"]["ml_dof"]), rel=1e-8)
        ends = (found.rmsea, found.rmsea_low, found.rmsea_high)
        assert ends == pytest.approx(
            [R["efa5"]["ml_rmsea"][k] for k in ("RMSEA", "lower", "upper")], rel=1e-6
        )


def test_omega_hierarchical_as_in_psych(bfi: pd.DataFrame) -> None:
    found = omega_hierarchical(bfi.iloc[:, :25], 5)
    assert found.kind == "hierarchical" and "5 groups" in found.model
    assert (found.value, found.total) == pytest.approx(
        (R["omega_5"]["omega_h"], R["omega_5"]["omega_total"]), abs=1e-3
    )


@pytest.mark.parametrize("name", ["hsb23", "hsb82"])
def test_intraclass_correlations_as_in_r(name: str, shared_data: Path) -> None:
    frame = pd.read_csv(
        shared_data.parent / "reference" / "mixed_models" / f"{name}.csv", dtype={"school": str}
    )
    found, told = agreement(frame, "mAch", "school"), R[f"icc_{name}"]
    mine = (found.icc1, found.icc2, found.F, found.n0, found.groups)
    assert mine == pytest.approx(
        [told[k] for k in ("icc1", "icc2_mean_reliability", "F", "n0", "k")], rel=1e-8
    )
    assert found.icc1_low < found.icc1 < found.icc1_high and "may be compared" in found.sentence.en


def test_agreement_within_groups_as_in_r(bfi: pd.DataFrame) -> None:
    found = within_agreement(bfi, ["N1", "N2", "N3", "N4", "N5"], "education", answers=6)
    told = list(R["rwg"].values())
    assert found["rwg"].tolist() == pytest.approx([one["rwg_J"] for one in told], rel=1e-10)
    assert found["n"].tolist() == [one["n"] for one in told]


# --- words and refusals ------------------------------------------------------------------------
def test_an_item_that_points_the_other_way_is_told_not_turned() -> None:
    items = scale(1).assign(q0=lambda f: 6 - f["q0"])
    found = alpha(items)
    assert found.note is not None and found.note.en.startswith("q0 points the other way")
    assert found.value < alpha(scale(1)).value
    assert omega(items).note is not None


def test_smoothing_lifts_only_what_does_not_fit() -> None:
    odd = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    assert np.linalg.eigvalsh(smoothed(odd))[0] > 0 and np.diag(smoothed(odd)) == pytest.approx(1)
    assert smoothed(np.eye(3)) == pytest.approx(np.eye(3))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: alpha(f[["q0"]]), "1 items; expected at least 2"),
        (lambda f: alpha(f.assign(q1=3.0, q2=np.nan)), r"(?s)everybody answered 'q1' alike.*|nobody answered 'q2'"),
        (lambda f: alpha(f, missing="listwise"), "expected one of pairwise, complete"),
        (lambda f: alpha(f.assign(q0=f["q0"].where(f.index < 100), q1=f["q1"].where(f.index >= 100))), "Nobody answered both 'q0' and 'q1'"),
        (lambda f: polychoric(f.assign(q0=np.arange(200.0))), "'q0' has 200 different answers"),
        (lambda f: omega(f[["q0", "q1"]]), "omega needs at least three"),
        (lambda f: omega_hierarchical(f, 2), "expected at least 3"),
        (lambda f: explore(f, 3), "leave nothing to test"),
        (lambda f: factorability(np.array([[1, 1], [1, 1.0]]), 50), "follow from the others"),
        (lambda f: agreement(f.assign(g="a"), "q0", "g"), "expected at least two groups"),
        (lambda f: within_agreement(f.assign(g="a"), ["q0"], "g", answers=1), "two or more"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(scale(1))


def test_under_no_correlation_bartlett_s_p_is_uniform() -> None:
    p = [
        factorability(np.corrcoef(np.random.default_rng(s).normal(size=(4, 150))), 150).p for s in range(300)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01
