"""Residents inside communities: by hand, by laws, against lme4, lmerTest and pbkrtest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.models.mixed import Mixed, mixed

R = json.loads((Path(__file__).parents[1] / "reference" / "mixed_models.json").read_text("utf-8"))
FORMULAS: dict[str, tuple[str, str, str, str | None]] = {
    "hsb82_null_reml": ("hsb82", "mAch ~ 1", "school", None),
    "hsb82_null_ml": ("hsb82", "mAch ~ 1", "school", None),
    "hsb82_ri": ("hsb82", "mAch ~ cses + meanses + catholic", "school", None),
    "hsb82_rs": ("hsb82", "mAch ~ cses*meanses + cses*catholic", "school", "cses"),
    "hsb82_rs_ml": ("hsb82", "mAch ~ cses*meanses + cses*catholic", "school", "cses"),
    "hsb23_null_reml": ("hsb23", "mAch ~ 1", "school", None),
    "hsb23_catholic": ("hsb23", "mAch ~ cses + catholic", "school", None),
    "hsb23_two_level2": ("hsb23", "mAch ~ cses + meanses + catholic", "school", None),
    "hsb23_rs": ("hsb23", "mAch ~ cses*catholic", "school", "cses"),
    "sleepstudy_rs_reml": ("sleepstudy", "Reaction ~ Days", "Subject", "Days"),
    "sleepstudy_rs_ml": ("sleepstudy", "Reaction ~ Days", "Subject", "Days"),
    "dyestuff2_singular": ("dyestuff2", "Yield ~ 1", "Batch", None),
}


def balanced(seed: int, groups: int = 8, size: int = 5, spread: float = 1.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), size)
    x = rng.normal(size=len(g))
    y = 1 + 0.5 * x + spread * rng.normal(size=groups)[g] + rng.normal(size=len(g))
    return pd.DataFrame({"y": y, "x": x, "g": [f"g{i}" for i in g]})


def by_name(found: Mixed) -> dict[str, Any]:
    """Terms by the names that R gives them, whichever way round an interaction is written."""
    told = {}
    for term in found.terms:
        name = term.term.replace("Intercept", "(Intercept)")
        told[name] = told[":".join(reversed(name.split(":")))] = term
    return told


@pytest.fixture
def read(shared_data: Path) -> Any:
    def reader(name: str) -> pd.DataFrame:
        frame = pd.read_csv(
            shared_data.parent / "reference" / "mixed_models" / f"{name}.csv", dtype={"school": str}
        )
        return frame.assign(catholic=(frame["sector"] == "Catholic") * 1.0) if "sector" in frame else frame

    return reader


# --- by hand ----------------------------------------------------------------------------------
def test_a_balanced_one_way_layout_is_the_analysis_of_variance() -> None:
    frame = balanced(1, spread=2.0)
    means = frame.groupby("g")["y"].mean()
    between = 5 * float(means.var(ddof=1))
    within = float(((frame["y"] - frame["g"].map(means)) ** 2).sum()) / 32
    found = mixed(frame, "y ~ 1", group="g")
    assert found.variances.residual == pytest.approx(within, rel=1e-6)
    assert found.variances.intercept == pytest.approx((between - within) / 5, rel=1e-6)
    # the mean of 8 group means: 7 degrees of freedom, whichever way they are had
    assert found.terms[0].df == pytest.approx(7, rel=1e-5)
    assert mixed(frame, "y ~ 1", group="g", df="kenward-roger").terms[0].df == pytest.approx(7, rel=1e-5)
    assert found.terms[0].se == pytest.approx(np.sqrt(between / 40), rel=1e-6)


def test_groups_alike_are_a_singular_fit_with_a_sentence() -> None:
    frame = pd.DataFrame({"y": [1.0, 2, 3, 3, 2, 1, 2, 1, 3], "g": list("aaabbbccc")})
    found = mixed(frame, "y ~ 1", group="g")
    assert found.singular and found.variances.intercept == 0 and found.icc == 0
    assert found.note is not None and "sampling noise" in found.note.en
    assert found.groups["effect"].tolist() == [0, 0, 0] and found.variance_p == 0.5
    # what is left is the plain mean with n - 1 degrees of freedom
    assert found.terms[0].df == pytest.approx(8, rel=1e-4)


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 300), unit=st.floats(0.1, 50), shift=st.floats(-20, 20))
@settings(max_examples=15)
def test_units_of_the_outcome(seed: int, unit: float, shift: float) -> None:
    frame = balanced(seed)
    one, other = (mixed(f, "y ~ x", group="g") for f in (frame, frame.assign(y=frame["y"] * unit + shift)))
    assert other.terms[1].estimate == pytest.approx(unit * one.terms[1].estimate, rel=1e-5)
    assert other.terms[1].df == pytest.approx(one.terms[1].df, rel=1e-3)
    assert other.icc == pytest.approx(one.icc, abs=1e-6)


@given(seed=st.integers(0, 300))
@settings(max_examples=15)
def test_shrunken_effects_lie_between_zero_and_the_raw_ones(seed: int) -> None:
    found = mixed(balanced(seed), "y ~ 1", group="g")
    raw = found.groups["raw_mean"] - found.terms[0].estimate
    assert (found.groups["effect"].abs() <= raw.abs() + 1e-9).all()
    assert (found.groups["reliability"].between(-1e-9, 1)).all()
    assert found.groups["effect"].sum() == pytest.approx(0, abs=1e-6)


@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_the_order_of_rows_and_names_of_groups_do_not_matter(seed: int) -> None:
    frame = balanced(seed)
    mixed_up = frame.sample(frac=1, random_state=seed).assign(g=lambda f: f["g"].str.replace("g", "z"))
    one, other = mixed(frame, "y ~ x", group="g"), mixed(mixed_up, "y ~ x", group="g")
    assert other.criterion == pytest.approx(one.criterion)


@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_the_criterion_is_the_normal_likelihood_itself(seed: int) -> None:
    frame = balanced(seed)
    found = mixed(frame, "y ~ x", group="g", method="ML")
    same = (frame["g"].to_numpy()[:, None] == frame["g"].to_numpy()[None, :]) * 1.0
    V = found.variances.intercept * same + found.variances.residual * np.eye(len(frame))
    mean = found.terms[0].estimate + found.terms[1].estimate * frame["x"].to_numpy()
    assert found.log_likelihood == pytest.approx(
        stats.multivariate_normal(mean, V).logpdf(frame["y"]), rel=1e-8
    )


def test_satterthwaite_keeps_its_level_with_ten_groups() -> None:
    hits = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        g = np.repeat(np.arange(10), 6)
        frame = pd.DataFrame(
            {"x": rng.normal(size=10)[g], "g": g, "y": rng.normal(size=10)[g] + rng.normal(size=60)}
        )
        hits += mixed(frame, "y ~ x", group="g").terms[1].p < 0.05
    assert hits / 300 == pytest.approx(0.05, abs=3.5 * np.sqrt(0.05 * 0.95 / 300))


# --- R ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", R["models"])
def test_models_as_in_lme4(name: str, read: Any) -> None:
    file, formula, group, slope = FORMULAS[name]
    told = R["models"][name]
    found = mixed(read(file), formula, group=group, slope=slope, method="REML" if told["REML"] else "ML")
    mine = by_name(found)
    for term, value in told["fixef"].items():
        assert mine[term].estimate == pytest.approx(value, rel=1e-6)
        assert mine[term].se == pytest.approx(told["se"][term], rel=1e-5)
        assert mine[term].df == pytest.approx(told["satterthwaite_df"][term], rel=1e-4)
    assert found.criterion == pytest.approx(told["criterion"], rel=1e-9)
    assert found.singular == told["singular"]
    assert found.variances.intercept == pytest.approx(told["vcov"][0], rel=1e-4, abs=1e-12)
    assert found.variances.residual == pytest.approx(told["vcov"][-1], rel=1e-4)
    if slope:
        assert found.variances.slope == pytest.approx(told["vcov"][1], rel=1e-4)
    if "r2" in told:
        r2 = (found.r2_marginal, found.r2_conditional)
        assert r2 == pytest.approx((told["r2"]["marginal"], told["r2"]["conditional"]), rel=1e-4, abs=1e-12)
    if "icc" in told:
        assert found.icc == pytest.approx(told["icc"]["adjusted"], rel=1e-4)
    if "ranef" in told:
        effects = dict(zip(map(str, found.groups["group"]), found.groups["effect"], strict=True))
        for level, effect in zip(told["ranef"]["level"], told["ranef"]["(Intercept)"], strict=True):
            assert effects[level] == pytest.approx(effect, rel=1e-4, abs=1e-5)


@pytest.mark.parametrize("name", [name for name, told in R["models"].items() if "kenward_roger" in told])
def test_kenward_and_roger_as_in_pbkrtest(name: str, read: Any) -> None:
    file, formula, group, slope = FORMULAS[name]
    mine = by_name(mixed(read(file), formula, group=group, slope=slope, df="kenward-roger"))
    for term, told in R["models"][name]["kenward_roger"].items():
        assert (mine[term].se, mine[term].df) == pytest.approx((told["se"], told["df"]), rel=1e-5)
        assert mine[term].p == pytest.approx(told["p"], rel=1e-3)


def test_the_variance_of_slopes_is_tested_against_its_mixture(read: Any) -> None:
    told = R["lrt_random_slope_ml"]
    found = mixed(
        read("hsb82"), "mAch ~ cses + meanses + catholic", group="school", slope="cses", method="ML"
    )
    assert found.variance_p == pytest.approx(told["p_mixture_0.5_chi1_chi2"], rel=1e-4)


# --- use --------------------------------------------------------------------------------------
def test_rows_with_gaps_are_left_out_and_a_slope_joins_the_formula() -> None:
    frame = balanced(2).assign(y=lambda f: f["y"].where(f.index > 2))
    found = mixed(frame, "y ~ 1", group="g", slope="x")
    assert found.n == 37 and [term.term for term in found.terms] == ["Intercept", "x"]
    assert {"slope", "slope_se"} <= set(found.groups.columns)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: mixed(f, "y ~ x", group="gg"), "did you mean 'g'"),
        (lambda f: mixed(f.assign(g="a"), "y ~ x", group="g"), "1 group; a model of groups needs two"),
        (lambda f: mixed(f.assign(z=2 * f["x"]), "y ~ x + z", group="g"), "z follows from the columns before it"),
        (lambda f: mixed(f, "y ~ x", group="g", method="reml"), "method = 'reml'; expected one of REML, ML"),
        (lambda f: mixed(f, "y ~ x", group="g", df="kr"), "df = 'kr'; expected one of"),
        (lambda f: mixed(f.assign(g=f["g"].where(f.index > 0)), "y ~ x", group="g"), "'g' is missing in 1 of 40 rows"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(balanced(1))
