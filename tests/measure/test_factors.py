"""Whether there are factors, how many and which, with the omegas: by hand, by laws, against psych and factanal."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bfi_scales import R, bfi_answers, keyed, scale
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import linear_sum_assignment

from cbresearch.errors import EstimateError
from cbresearch.measure.correlations import correlated
from cbresearch.measure.dimensionality import bartlett, horn, kmo
from cbresearch.measure.extraction import extract
from cbresearch.measure.factorability import factorability, parallel_analysis, velicer_map
from cbresearch.measure.factors import _one_factor, explore, omega, omega_hierarchical
from cbresearch.measure.rotation import rotate


def even(k: int, r: float) -> np.ndarray:
    """k items, each pair correlated by r."""
    return np.where(np.eye(k) == 1, 1.0, r)


def answers_with(correlations: np.ndarray, n: int = 200, seed: int = 1) -> pd.DataFrame:
    """Residents whose correlations are exactly these."""
    raw = np.random.default_rng(seed).normal(size=(n, len(correlations)))
    white = np.linalg.qr(raw - raw.mean(axis=0))[0]
    values = white @ np.linalg.cholesky(correlations).T
    return pd.DataFrame(values, columns=[f"q{i}" for i in range(len(correlations))])


def two_groups(seed: int, n: int = 500) -> pd.DataFrame:
    return pd.concat([scale(seed, n, 4), scale(seed + 1000, n, 4).add_prefix("r")], axis=1)


# --- by hand ----------------------------------------------------------------------------------
def test_kmo_and_bartlett_of_three_even_items_by_hand() -> None:
    # r = 1/2 and partial r = (1/2 - 1/4) / (1 - 1/4) = 1/3: KMO (1/4) / (1/4 + 1/9) = 9/13
    # |R| = 1 - 3/4 + 2/8 = 1/2, n = 100: chi2 = (99 - 11/6) log 2 on 3 df
    found = factorability(even(3, 0.5), 100)
    assert found.kmo == pytest.approx(9 / 13) and found.kmo_items == pytest.approx([9 / 13] * 3)
    assert (found.chi2, found.df) == (pytest.approx((99 - 11 / 6) * math.log(2)), 3)
    items = answers_with(even(3, 0.5), 100)
    assert kmo(items).value == pytest.approx(9 / 13)
    assert bartlett(items).chi2 == pytest.approx(found.chi2) and bartlett(items).n == 100


@pytest.mark.parametrize("method", ["minres", "ml"])
def test_even_items_load_alike_by_hand(method: Any) -> None:
    # r = 0.49: loadings 0.7 each; omega (4 x 0.7)² / ((4 x 0.7)² + 4 x 0.51)
    assert extract(even(4, 0.49), 1, method).loadings[:, 0] == pytest.approx([0.7] * 4, abs=1e-5)
    found = omega(answers_with(even(4, 0.49)), extraction=method)
    assert found.value == pytest.approx(7.84 / (7.84 + 2.04), abs=1e-5)
    assert found.rmsea == 0 and found.kind == "total, one factor" and found.note is None


def hierarchy() -> np.ndarray:
    """Nine items in three groups: 0.8 on the group, groups 0.5, 0.6 and 0.7 on what is general."""
    pattern = np.kron(np.eye(3), np.full((3, 1), 0.8))
    second = np.array([0.5, 0.6, 0.7])
    phi = np.outer(second, second)
    np.fill_diagonal(phi, 1)
    correlations = pattern @ phi @ pattern.T
    np.fill_diagonal(correlations, 1)
    return np.asarray(correlations)


def test_omega_hierarchical_by_hand() -> None:
    # general loadings 0.4, 0.48, 0.56, three of each: (3 x 1.44)² over the sum of all correlations;
    # uniquenesses 0.36 each
    correlations = hierarchy()
    found = omega_hierarchical(answers_with(correlations), 3)
    assert found.value == pytest.approx(4.32**2 / correlations.sum(), abs=1e-4)
    assert found.total == pytest.approx(1 - 9 * 0.36 / correlations.sum(), abs=1e-4)
    assert found.model == "3 groups, minres, oblimin, Schmid-Leiman, pearson correlations"
    assert found.note is None


def test_groups_of_a_general_factor_keep_their_signs() -> None:
    # 0.5, 0.6, -0.7: two of three correlations are negative
    second = np.array([0.5, 0.6, -0.7])
    phi = np.outer(second, second)
    np.fill_diagonal(phi, 1)
    assert _one_factor(phi)[0] == pytest.approx(second) and not _one_factor(phi)[1]


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 300), rotation=st.sampled_from(["varimax", "promax", "oblimin"]))
@settings(max_examples=12)
def test_a_rotation_reproduces_the_same_correlations(seed: int, rotation: Any) -> None:
    rng = np.random.default_rng(seed)
    L = rng.uniform(-0.2, 0.2, (8, 2))
    L[:4, 0] += 0.6
    L[4:, 1] += 0.6
    turned = rotate(L, rotation)
    assert turned.loadings @ turned.phi @ turned.loadings.T == pytest.approx(L @ L.T, abs=1e-8)
    assert np.diag(turned.phi) == pytest.approx(1)


@given(seed=st.integers(0, 200), method=st.sampled_from(["minres", "ml"]))
@settings(max_examples=12)
def test_an_exact_factor_model_is_found_again(seed: int, method: Any) -> None:
    rng = np.random.default_rng(seed)
    loadings = rng.uniform(0.4, 0.8, (6, 1))
    correlations = loadings @ loadings.T
    np.fill_diagonal(correlations, 1)
    found = extract(correlations, 1, method)
    assert found.loadings == pytest.approx(loadings, abs=1e-4)


@given(seed=st.integers(0, 200), rotation=st.sampled_from(["varimax", "promax", "oblimin"]))
@settings(max_examples=8)
def test_the_order_of_items_does_not_matter(seed: int, rotation: Any) -> None:
    items = two_groups(seed % 50, 300)
    mixed = items.sample(frac=1, axis=1, random_state=seed)
    one, other = explore(items, 2, rotation=rotation), explore(mixed, 2, rotation=rotation)
    place = [list(mixed.columns).index(name) for name in items.columns]
    assert matched(other.loadings[place], one.loadings).off == pytest.approx(0, abs=1e-3)
    assert other.chi2 == pytest.approx(one.chi2, rel=1e-6)


@given(seed=st.integers(0, 200))
@settings(max_examples=6)
def test_rotation_changes_neither_fit_nor_uniquenesses(seed: int) -> None:
    items = two_groups(seed, 300)
    one, *others = (explore(items, 2, rotation=r) for r in ("none", "varimax", "promax", "oblimin"))
    for other in others:
        assert other.uniquenesses == pytest.approx(one.uniquenesses)
        assert (other.chi2, other.tli) == (one.chi2, one.tli)
    assert one.table["communality"].to_numpy() == pytest.approx((one.loadings**2).sum(axis=1))


def test_an_item_without_any_factor_is_left_where_it_is() -> None:
    L = np.array([[0.7, 0.2], [0.6, 0.1], [0.1, 0.7], [0.2, 0.6], [0.0, 0.0]])
    for rotation in ("varimax", "promax", "oblimin"):
        assert rotate(L, rotation).loadings[4] == pytest.approx([0, 0])  # type: ignore[arg-type]


def test_under_no_correlation_bartlett_s_p_is_uniform() -> None:
    p = [
        factorability(np.corrcoef(np.random.default_rng(s).normal(size=(4, 150))), 150).p for s in range(300)
    ]
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_under_a_true_model_p_is_uniform() -> None:
    p = []
    for seed in range(120):
        rng = np.random.default_rng(seed)
        values = 0.7 * rng.normal(size=(300, 1)) + math.sqrt(0.51) * rng.normal(size=(300, 6))
        p.append(explore(pd.DataFrame(values, columns=list("abcdef")), 1, extraction="ml").p)
    assert stats.kstest(p, "uniform").pvalue > 0.01


# --- how many ---------------------------------------------------------------------------------
def test_unrelated_items_have_no_factor_and_two_groups_have_two() -> None:
    rng = np.random.default_rng(2)
    assert horn(pd.DataFrame(rng.normal(size=(500, 8)))).factors == 0
    found = horn(two_groups(1))
    assert found.factors == 2 and "2 factors" in found.sentence.en
    assert horn(two_groups(1), seed=1).table.equals(horn(two_groups(1), seed=1).table)
    assert int(np.argmin(velicer_map(correlated(two_groups(1)).values))) + 1 == 2


@pytest.mark.parametrize("cuts", [[0.8], [-1.2, -0.4, 0.4, 1.2]], ids=["two answers", "five"])
def test_polychoric_chance_is_that_of_unrelated_polychoric_correlations(cuts: list[float]) -> None:
    k, n = 6, 300
    found, given = [], None
    for seed in range(60):
        values = np.digitize(np.random.default_rng(seed).normal(size=(n, k)), cuts) + 1.0
        given = correlated(
            pd.DataFrame(values, columns=[f"q{i}" for i in range(k)]), correlations="polychoric"
        )
        found.append(np.linalg.eigvalsh(given.values)[-1])
    assert given is not None
    limit, plain = (
        parallel_analysis(given.values, n, percentile=50, kept=kept) for kept in (given.kept, None)
    )
    # the median of the largest eigenvalue: se of a median of 60 about 1.25 sd / sqrt(60)
    doubt = 1.25 * np.std(found) / math.sqrt(60)
    assert limit.chance[0] == pytest.approx(float(np.median(found)), abs=4 * doubt)
    assert plain.chance[0] < limit.chance[0]


def test_chance_is_as_often_exceeded_as_said() -> None:
    limit = parallel_analysis(np.eye(5), 200, draws=4000).chance[0]
    largest = [np.linalg.eigvalsh(np.corrcoef(np.random.default_rng(s).normal(size=(5, 200))))[-1] for s in range(400)]  # fmt: skip
    assert np.mean(np.array(largest) > limit) == pytest.approx(
        0.05, abs=3.5 * math.sqrt(0.05 * 0.95 * (1 / 400 + 1 / 4000))
    )


# --- R ----------------------------------------------------------------------------------------
class Matched:
    """How far loadings lie from R's when order and sign of factors, which nothing determines, fit best."""

    def __init__(self, mine: np.ndarray, theirs: np.ndarray) -> None:
        gap = np.abs(mine.T @ theirs)
        self.order = linear_sum_assignment(-gap)[1]
        self.sign = np.sign(np.diag(mine.T @ theirs[:, self.order]))
        self.off = float(np.abs(mine - theirs[:, self.order] * self.sign).max())


def matched(mine: np.ndarray, theirs: Any) -> Matched:
    return Matched(mine, np.array(theirs))


@pytest.fixture
def bfi25(shared_data: Path) -> pd.DataFrame:
    return bfi_answers(shared_data).iloc[:, :25]


def test_factorability_as_in_psych(bfi25: pd.DataFrame) -> None:
    found, test, told = kmo(bfi25), bartlett(bfi25), R["all25"]
    assert found.n == test.n == told["n"]
    assert found.value == pytest.approx(told["kmo_overall"], rel=1e-10)
    assert found.table["kmo"].tolist() == pytest.approx(list(told["kmo_items"].values()), rel=1e-10)
    assert (test.chi2, test.df) == pytest.approx(
        (told["bartlett"]["chisq"], told["bartlett"]["df"]), rel=1e-10
    )
    assert velicer_map(correlated(bfi25).values)[:8] == pytest.approx(R["map"], rel=1e-10)


@pytest.mark.parametrize(
    ("extraction", "rotation", "key", "tolerance"),
    [
        ("minres", "none", "minres_none", 1e-5), ("minres", "varimax", "minres_varimax", 1e-3),
        ("minres", "oblimin", "minres_oblimin", 1e-3),
        ("ml", "none", "factanal_none", 1e-6), ("ml", "varimax", "factanal_varimax", 1e-6), ("ml", "promax", "factanal_promax4", 1e-6),
    ],
)  # fmt: skip
def test_loadings_as_in_r(
    extraction: Any, rotation: Any, key: str, tolerance: float, bfi25: pd.DataFrame
) -> None:
    found = explore(bfi25, 5, extraction=extraction, rotation=rotation)
    fit = matched(found.loadings, R["efa5"][key])
    assert fit.off < tolerance
    if key + "_phi" in R["efa5"]:
        theirs = np.array(R["efa5"][key + "_phi"])[np.ix_(fit.order, fit.order)]
        assert found.phi == pytest.approx(theirs * np.outer(fit.sign, fit.sign), abs=1e-3)


def test_fit_as_in_psych_and_factanal(bfi25: pd.DataFrame) -> None:
    told = R["efa5"]
    ml, minres = (explore(bfi25, 5, extraction=one) for one in ("ml", "minres"))  # type: ignore[arg-type]
    assert (ml.chi2, ml.df) == pytest.approx((told["ml_chisq"], told["ml_dof"]), rel=1e-8)
    assert math.log(ml.p) == pytest.approx(math.log(told["factanal_p"]), rel=1e-6)
    assert ml.tli == pytest.approx(told["ml_tli"], rel=1e-8)
    ends = (ml.rmsea, ml.rmsea_low, ml.rmsea_high)
    assert ends == pytest.approx([told["ml_rmsea"][k] for k in ("RMSEA", "lower", "upper")], rel=1e-6)
    assert ml.uniquenesses == pytest.approx(list(told["factanal_uniquenesses"].values()), abs=1e-6)
    theirs = told["minres_fit"]
    assert (minres.chi2, minres.df) == pytest.approx((theirs["chisq"], theirs["dof"]), rel=1e-5)
    assert (minres.tli, minres.rmsea) == pytest.approx((theirs["TLI"], theirs["RMSEA"]["RMSEA"]), rel=1e-5)
    assert ml.method == "ml, oblimin, pearson correlations" and ml.note is None


@pytest.mark.parametrize("name", R["scales"])
def test_one_factor_and_its_omega_as_in_psych_and_factanal(name: str, shared_data: Path) -> None:
    told, whole = R["scales"][name], keyed(bfi_answers(shared_data), name).dropna()
    assert omega(whole).value == pytest.approx(told["omega_minres"], abs=1e-5)
    assert omega(whole, correlations="polychoric").value == pytest.approx(told["ordinal_omega"], abs=1e-3)
    found, theirs = explore(whole, 1, extraction="ml"), np.array(told["factanal_loadings"])
    assert found.loadings[:, 0] == pytest.approx(theirs * np.sign(theirs.sum()), abs=1e-6)
    assert (found.chi2, found.tli) == pytest.approx((told["ml_chisq"], told["ml_tli"]), rel=1e-5)
    assert found.rmsea == pytest.approx(told["ml_rmsea"]["RMSEA"], rel=1e-5)
    congeneric = theirs.sum() ** 2 / (theirs.sum() ** 2 + (1 - theirs**2).sum())
    assert omega(whole, extraction="ml").value == pytest.approx(congeneric, abs=1e-6)


def test_omega_hierarchical_as_in_psych(bfi25: pd.DataFrame) -> None:
    found = omega_hierarchical(bfi25, 5)
    assert found.kind == "hierarchical" and "5 groups" in found.model
    assert (found.value, found.total) == pytest.approx(
        (R["omega_5"]["omega_h"], R["omega_5"]["omega_total"]), abs=1e-3
    )
    assert found.note is not None
    assert found.note.en.startswith("A1, C4") and "were turned" in found.note.en


# --- words and refusals ------------------------------------------------------------------------
def test_polychoric_factors_have_no_p_and_say_why() -> None:
    found = explore(two_groups(1), 2, correlations="polychoric")
    assert math.isnan(found.p) and math.isnan(found.rmsea_low) and found.chi2 > 0
    assert found.method.endswith("no p or interval, their chi2 follows no chi-square")


def test_smoothing_is_told_with_the_factors() -> None:
    near = scale(2, n=300, k=2, loading=0.95).to_numpy()
    values = np.full((900, 4), np.nan)
    values[:300, :2], values[300:600, 1:3] = near, near
    values[600:, 0], values[600:, 2] = near[:, 0], 6 - near[:, 1]
    values[:, 3] = scale(3, n=900, k=1).to_numpy()[:, 0]
    found = explore(pd.DataFrame(values, columns=list("abcd")), 1, correlations="polychoric")
    assert found.note is not None and found.note.en.endswith("The matrix was smoothed before it was used.")


def test_heywood_cases_are_told() -> None:
    correlations = np.array([[1, 0.9, 0.9, 0.5], [0.9, 1, 0.7, 0.5], [0.9, 0.7, 1, 0.4], [0.5, 0.5, 0.4, 1]])
    found = explore(answers_with(correlations), 1)
    assert found.note is not None
    assert found.note.en.startswith("q0 would be explained almost in full (a Heywood case)")


def test_omega_says_what_it_presumes_and_does_not_find() -> None:
    opposed = omega(scale(1).assign(q0=lambda f: 6 - f["q0"]))
    assert opposed.note is not None and opposed.note.en.startswith("q0 points the other way from the rest")
    two = omega(two_groups(1))
    assert two.note is not None and "fits poorly (RMSEA = " in two.note.en and two.rmsea > 0.1
    assert math.isnan(omega(scale(1)[["q0", "q1", "q2"]]).rmsea)


def test_a_group_that_is_all_of_the_general_factor_is_told() -> None:
    loadings, is_heywood = _one_factor(np.array([[1, 0.8, 0.7], [0.8, 1, 0.4], [0.7, 0.4, 1]]))
    # sqrt(0.8 x 0.7 / 0.4) = 1.18
    assert is_heywood and loadings.max() < 1


def test_kmo_reads_as_a_sentence() -> None:
    assert "worth factoring" in kmo(two_groups(1)).sentence.en
    # r = 0.1: partial r of 0.1 / 1.1; KMO 1 / (1 + 1 / 1.21) = 0.55
    assert "KMO = 0.55, below Kaiser's 0.60" in kmo(answers_with(even(3, 0.1))).sentence.en


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: omega(f[["q0", "q1"]]), "omega needs at least three"),
        (lambda f: omega_hierarchical(f, 2), "expected at least 3"),
        (lambda f: omega_hierarchical(f, 3), "leave nothing to test"),
        (lambda f: _one_factor(np.array([[1, 0.5, 0.5], [0.5, 1, -0.5], [0.5, -0.5, 1]])), "no general factor behind them"),
        (lambda f: explore(f, 3), "leave nothing to test"),
        (lambda f: explore(f, 1, extraction="pa"), "extraction = 'pa'; expected one of minres, ml"),
        (lambda f: explore(f, 1, rotation="varimx"), "rotation = 'varimx'; expected .* Did you mean 'varimax'"),
        (lambda f: rotate(np.ones((4, 2)), "quartimax"), "rotation = 'quartimax'"),
        (lambda f: explore(f, 1, correlations="spearman"), "correlations = 'spearman'"),
        (lambda f: explore(f.assign(same=f["q0"]), 1), "follow from the others"),
        (lambda f: factorability(np.array([[1, 1], [1, 1.0]]), 50), "follow from the others"),
        (lambda f: velicer_map(np.array([[1, 0.2], [0.5, 1]])), "Expected a correlation matrix"),
        (lambda f: parallel_analysis(np.eye(4), 3, draws=5, percentile=0), "(?s)3 residents and 4 items.*draws = 5.*percentile = 0"),
        (lambda f: parallel_analysis(np.eye(4), 50, kept=np.ones(3)), "kept: expected 4 shares"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(scale(1))
