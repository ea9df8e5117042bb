"""Confirmatory factors, validity and invariance: by hand, by laws, against lavaan."""

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
from cbresearch.measure.confirmatory.confirm import confirm, htmt
from cbresearch.measure.confirmatory.invariance import invariance
from cbresearch.measure.confirmatory.likelihood import Moments, _judged
from cbresearch.measure.confirmatory.structure import structure

R = json.loads((Path(__file__).parents[1] / "reference" / "cfa_holzinger.json").read_text("utf-8"))
MODEL = {"visual": ["x1", "x2", "x3"], "textual": ["x4", "x5", "x6"], "speed": ["x7", "x8", "x9"]}
TWO = {"f": ["a", "b", "c"], "g": ["d", "e", "h"]}


def town(seed: int, n: int = 400, shift: float = 0.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    common = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n)
    values = 0.7 * np.repeat(common, 3, axis=1) + 0.6 * rng.normal(size=(n, 6))
    frame = pd.DataFrame(values, columns=list("abcdeh"))
    frame["group"] = np.where(np.arange(n) % 2, "one", "two")
    frame.loc[frame["group"] == "two", "c"] += shift
    return frame


# --- by hand ----------------------------------------------------------------------------------
def test_three_items_of_one_factor_are_solved_by_their_correlations() -> None:
    # saturated: loadings² are r12 r13 / r23 and so on
    frame = town(1)[["a", "b", "c"]]
    r = frame.corr().to_numpy()
    found = confirm(frame, {"f": ["a", "b", "c"]})
    expected = np.sqrt(
        [r[0, 1] * r[0, 2] / r[1, 2], r[0, 1] * r[1, 2] / r[0, 2], r[0, 2] * r[1, 2] / r[0, 1]]
    )
    assert found.table["standardised"].tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert found.fit.df == 0 and found.fit.chi2 == pytest.approx(0, abs=1e-6)
    assert found.reliability["f"] == pytest.approx(
        expected.sum() ** 2 / (expected.sum() ** 2 + (1 - expected**2).sum()), rel=1e-5
    )


def test_htmt_of_equal_blocks_by_hand() -> None:
    r = np.full((4, 4), 0.3)
    r[:2, :2] = r[2:, 2:] = 0.6
    np.fill_diagonal(r, 1)
    assert htmt(r, [0, 0, 1, 1])[0, 1] == pytest.approx(0.5)


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 200))
@settings(max_examples=8, deadline=None)
def test_units_of_items_do_not_touch_fit_or_standardised_loadings(seed: int) -> None:
    frame = town(seed).drop(columns="group")
    one, other = confirm(frame, TWO), confirm(frame * [1, 2, 5, 0.1, 3, 10] + 7, TWO)
    assert other.fit.chi2 == pytest.approx(one.fit.chi2, rel=1e-6)
    assert other.table["standardised"].tolist() == pytest.approx(one.table["standardised"].tolist(), rel=1e-5)


@given(seed=st.integers(0, 200))
@settings(max_examples=8, deadline=None)
def test_the_slope_is_that_of_the_discrepancy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    model = structure([0, 0, 0, 1, 1, 1], groups=2, level="scalar")
    groups = []
    for g in range(2):
        X = rng.normal(size=(60, 6)) + g
        groups.append(Moments(60, X.mean(axis=0), np.cov(X.T, ddof=0)))
    theta = np.array(
        [
            {"L": 0.8, "Psi": 1.0, "nu": 0.2, "kappa": 0.1}.get(k[0], 0.7 if k[1] == k[2] else 0.2)
            for k in model.keys
        ]
    )  # type: ignore[index]
    h = 1e-6
    numeric = [
        (_judged(model, groups, theta + h * e)[0] - _judged(model, groups, theta - h * e)[0]) / (2 * h)
        for e in np.eye(len(theta))
    ]
    assert _judged(model, groups, theta)[1] == pytest.approx(np.array(numeric), abs=1e-5)


@given(seed=st.integers(0, 100))
@settings(max_examples=6, deadline=None)
def test_more_in_common_never_fits_better(seed: int) -> None:
    frame = town(seed)
    found = invariance(frame.drop(columns="group"), TWO, frame["group"])
    assert (found.table["chi2_difference"].dropna() > -1e-6).all()
    assert found.table["df"].is_monotonic_increasing


def test_a_true_model_is_accepted_as_often_as_said() -> None:
    p = np.array([confirm(town(seed, 300).drop(columns="group"), TWO).fit.p for seed in range(150)])
    assert (p < 0.05).mean() == pytest.approx(0.05, abs=3.5 * np.sqrt(0.05 * 0.95 / 150))


# --- R ----------------------------------------------------------------------------------------
@pytest.fixture
def schools(shared_data: Path) -> pd.DataFrame:
    return pd.read_csv(shared_data.parent / "reference" / "cfa_holzinger" / "hs1939.csv")


def test_fit_and_loadings_as_in_lavaan(schools: pd.DataFrame) -> None:
    found, told = confirm(schools, MODEL), R["fit"]
    fit = found.fit
    mine = (
        fit.chi2,
        fit.df,
        fit.p,
        fit.cfi,
        fit.tli,
        fit.rmsea,
        fit.rmsea_low,
        fit.rmsea_high,
        fit.srmr,
        fit.log_likelihood,
        fit.aic,
        fit.bic,
    )
    assert mine == pytest.approx(tuple(told.values()), rel=1e-6)
    for one, (item, loading, se, standardised) in zip(found.loadings, R["loadings"], strict=True):
        assert one.item == item
        assert (one.loading, one.standardised) == pytest.approx((loading, standardised), rel=1e-5)
        if se:
            assert one.se == pytest.approx(se, rel=1e-5)
    assert found.correlations == pytest.approx(np.array(R["latent_cor"]), abs=1e-5)


def test_reliability_and_validity_as_by_hand_and_semtools(schools: pd.DataFrame) -> None:
    found = confirm(schools, MODEL)
    for factor, told in R["by_hand"].items():
        assert found.reliability[factor] == pytest.approx(told["CR_std"], rel=1e-5)
        assert found.variance_extracted[factor] == pytest.approx(told["AVE_std"], rel=1e-5)
    assert found.htmt == pytest.approx(np.array(R["htmt"]), abs=1e-10)
    assert found.validity["most_shared"].tolist() == pytest.approx(
        (np.array(R["latent_cor"]) ** 2 - np.eye(3)).max(axis=1).tolist(), abs=1e-4
    )


def test_invariance_as_in_lavaan(schools: pd.DataFrame) -> None:
    found, told = invariance(schools, MODEL, schools["school"]), R["invariance"]
    for step in found.steps:
        fit, theirs = step.fit, told["fits"][step.level]
        mine = (fit.chi2, fit.df, fit.cfi, fit.tli, fit.rmsea, fit.srmr, fit.log_likelihood)
        assert mine == pytest.approx(tuple(theirs.values()), rel=1e-5)
    table = found.table.iloc[1:]
    assert table["chi2_difference"].tolist() == pytest.approx(told["chisq_diff"], rel=1e-5)
    assert table["p"].tolist() == pytest.approx(told["p"], rel=1e-4)
    # x3 and x7 are the textbook's; with x7 the marker, its fellows move in its place
    assert found.level == "metric" and found.odd_items[0] == "x3"


# --- words and use ----------------------------------------------------------------------------
def test_an_item_that_one_group_answers_higher_is_named() -> None:
    frame = town(3, 1_000, shift=0.8)
    found = invariance(frame.drop(columns="group"), TWO, frame["group"])
    assert (found.level, found.odd_items) == ("metric", ("c",))
    assert "mostly for c" in found.sentence.en
    same = town(3, 1_000)
    assert "may be compared" in invariance(same.drop(columns="group"), TWO, same["group"]).sentence.en


def test_gaps_are_left_out_and_weights_count_effective_residents() -> None:
    frame = town(2).drop(columns="group")
    frame.loc[:9, "a"] = np.nan
    weights = pd.Series(np.where(np.arange(400) % 2, 3.0, 1.0))
    found = confirm(frame, TWO, weights=weights)
    w = weights[10:]
    assert found.left_out == 10 and found.fit.n == pytest.approx(w.sum() ** 2 / (w**2).sum())
    assert "lie where they were meant to" in found.sentence.en


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: confirm(f, {"f": ["a", "bb"], "g": ["a"]}), r"(?s)'a' belongs to 2 factors.*no item 'bb'.*'g' has 1 item"),
        (lambda f: confirm(f, {}), "no factor at all"),
        (lambda f: confirm(f, {"f": ["a", "b"]}), "4 parameters and 3 moments|3 parameters|moments"),
        (lambda f: confirm(f.iloc[:4], TWO), "expected more residents than items"),
        (lambda f: invariance(f, TWO, pd.Series(["x"] * 400)), "1 group"),
        (lambda f: invariance(f, TWO, pd.Series(["x"] * 350 + ["y"] * 50)), r"fewer than 100 residents \(y \(50\)\)"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town(1).drop(columns="group"))
