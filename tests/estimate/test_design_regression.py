"""Design-based regression: by hand, as laws, against R, in what it refuses."""

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
from cbresearch.estimate.clusters.linear import cluster_robust
from cbresearch.estimate.regression import regress
from cbresearch.sampling.descriptive import contrast, mean, share
from cbresearch.sampling.design import Design
from cbresearch.sampling.joint import group_means

R = json.loads((Path(__file__).parents[1] / "reference" / "survey_taylor.json").read_text(encoding="utf-8"))
PLAIN = Design()
FULL = Design(weights="w", psu="g", strata="h", lonely="centre")
DESIGNS = {
    "strat": ("apistrat", Design(weights="pw", strata="stype", fpc="fpc")),
    "strat_nofpc": ("apistrat", Design(weights="pw", strata="stype")),
    "clus1": ("apiclus1", Design(weights="pw", psu="dnum", fpc="fpc")),
    "clus1_nofpc": ("apiclus1", Design(weights="pw", psu="dnum")),
    "clus2_two_stage_fpc": ("apiclus2", Design(weights="pw", psu=("dnum", "snum"), fpc=("fpc1", "fpc2"))),
    "clus2_with_replacement": ("apiclus2", Design(weights="pw", psu="dnum")),
}
FORMULAS = {
    "linear": ("api00 ~ ell + meals + mobility", "linear"),
    "factor": ("api00 ~ stype + meals", "linear"),
    "logit": ("whole ~ ell + meals + mobility", "logit"),
}


def town(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame(
        {
            "x": rng.normal(size=80), "z": rng.integers(0, 2, 80), "w": rng.uniform(0.2, 5, 80),
            "h": rng.integers(0, 3, 80), "g": rng.integers(0, 6, 80), "a": rng.choice(list("pqr"), 80),
        }
    )  # fmt: skip
    y = data["x"] + data["z"] + rng.normal(size=80)
    return data.assign(y=y, yes=(rng.normal(size=80) * 2 + y > 0).astype(float))


towns = st.integers(0, 2**32 - 1).map(town)
few = settings(deadline=None, max_examples=15)


@pytest.fixture(params=DESIGNS)
def schools(request: pytest.FixtureRequest, shared_data: Path) -> tuple[pd.DataFrame, Design, Any]:
    file, design = DESIGNS[request.param]
    frame = pd.read_csv(shared_data.parent / "reference" / "survey_api" / f"{file}.csv")
    return frame.assign(whole=frame["sch.wide"] == "Yes"), design, R["designs"][request.param]


@pytest.mark.parametrize("case", FORMULAS)
def test_svyglm(schools: tuple[pd.DataFrame, Design, Any], case: str) -> None:
    frame, design, r = schools
    formula, family = FORMULAS[case]
    found, expected = regress(frame, formula, design, family=family), r[case]  # type: ignore[arg-type]
    rel = R["tolerance_of_logit_se"] if case == "logit" else R["tolerance"]
    assert list(found.coefficients) == pytest.approx(expected["estimate"], rel=R["tolerance"])
    assert list(found.se) == pytest.approx(expected["se"], rel=rel)
    assert found.covariance == pytest.approx(np.array(expected["covariance"]), rel=rel)
    assert list(found.table["p"]) == pytest.approx(expected["p"], rel=rel)
    assert found.table[["low", "high"]].to_numpy() == pytest.approx(np.array(expected["limits"]), rel=rel)
    assert found.df == expected["df"]


def test_wald_test_of_a_text_column(schools: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = schools
    found, expected = regress(frame, "api00 ~ stype + meals", design).wald("stype"), r["factor"]["wald_stype"]
    assert (found.statistic, found.df1, found.df2, found.p) == pytest.approx(
        tuple(expected[k] for k in ("statistic", "df1", "df2", "p")), rel=R["tolerance"]
    )


def test_a_line_by_hand() -> None:
    found = regress(pd.DataFrame({"x": [0.0, 0.0, 1.0, 1.0], "y": [0.0, 2.0, 3.0, 5.0]}), "y ~ x", PLAIN)
    # means 1 and 4; residuals 1 all round, influence on the slope 1/2: 4/3 * 4 * 1/4
    assert list(found.coefficients) == pytest.approx([1.0, 3.0])
    assert found.se[1] == pytest.approx(math.sqrt(4 / 3))
    assert (found.df, found.n, found.psus, found.left_out) == (2, 4, 4, 0)


def test_a_logit_by_hand() -> None:
    data = pd.DataFrame({"x": [0] * 4 + [1] * 4, "y": [1, 0, 0, 0, 1, 1, 1, 0]})
    found = regress(data, "y ~ x", PLAIN, family="logit")
    # log odds of 1/4 and 3/4: -log 3 and log 3
    assert list(found.coefficients) == pytest.approx([-math.log(3), 2 * math.log(3)])
    row = found.odds_ratios.iloc[0]
    assert (row["term"], row["odds_ratio"]) == ("x", pytest.approx(9.0))
    assert row["low"] < 9 < row["high"]


@given(data=towns)
@few
def test_a_regression_on_nothing_is_a_mean_or_a_share(data: pd.DataFrame) -> None:
    found, expected = regress(data, "y ~ 1", FULL).estimate("Intercept"), mean(data, "y", FULL)
    assert (found.value, found.se, found.df, found.low) == pytest.approx(
        (expected.value, expected.se, expected.df, expected.low)
    )
    logit, p = regress(data, "yes ~ 1", FULL, family="logit"), share(data, "yes", FULL, 1)
    assert logit.coefficients[0] == pytest.approx(math.log(p.value / (1 - p.value)))
    assert logit.se[0] == pytest.approx(p.se / (p.value * (1 - p.value)))


@given(data=towns)
@few
def test_a_regression_on_groups_compares_their_means(data: pd.DataFrame) -> None:
    found = regress(data, "y ~ z", FULL)
    expected = contrast(data, "y", FULL, first=data["z"] == 1, second=data["z"] == 0)
    assert (found.coefficients[1], found.se[1]) == pytest.approx((expected.value, expected.se))
    one, other = regress(data, "y ~ a", FULL), group_means(data, "y", "a", FULL)
    for reference in ("F", "adjusted F"):
        wald, equal = one.wald("a", reference), other.equal(reference)  # type: ignore[arg-type]
        assert (wald.statistic, wald.df2, wald.p) == pytest.approx((equal.statistic, equal.df2, equal.p))


@given(data=towns)
@few
def test_without_strata_it_is_the_sandwich_of_clusters(data: pd.DataFrame) -> None:
    found = regress(data, "y ~ x + z", Design(weights="w", psu="g"))
    X = np.column_stack([np.ones(80), data["x"], data["z"]])
    sandwich = cluster_robust(X, data["y"].to_numpy(), data["w"].to_numpy(), data["g"].to_numpy(), "CR1")
    assert found.covariance == pytest.approx(sandwich.variance, rel=1e-7)


@pytest.mark.parametrize("family", ["linear", "logit"])
@given(data=towns, k=st.floats(0.01, 100), seed=st.integers(0, 99))
@few
def test_units_of_weights_and_order_of_rows_do_not_matter(
    family: Any, data: pd.DataFrame, k: float, seed: int
) -> None:
    formula = "yes ~ x + a" if family == "logit" else "y ~ x + a"
    one = regress(data, formula, FULL, family=family)
    shuffled = data.assign(w=data["w"] * k).sample(frac=1, random_state=seed)
    other = regress(shuffled, formula, FULL, family=family)
    assert other.coefficients == pytest.approx(one.coefficients, rel=1e-6, abs=1e-9)
    assert other.covariance == pytest.approx(one.covariance, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("family", ["linear", "logit"])
@given(data=towns, b=st.floats(0.001, 1000))
@few
def test_a_change_of_unit_changes_the_unit_only(family: Any, data: pd.DataFrame, b: float) -> None:
    formula = "yes ~ x + z" if family == "logit" else "y ~ x + z"
    one, other = (regress(d, formula, FULL, family=family) for d in (data, data.assign(x=data["x"] / b)))
    assert (other.coefficients[1], other.se[1]) == pytest.approx(
        (one.coefficients[1] * b, one.se[1] * b), rel=1e-6
    )


def test_a_domain_is_not_cut_out_of_the_design() -> None:
    data = town(4)
    found = regress(data, "y ~ x", FULL, where=data["z"] == 1)
    zeroed = regress(data.assign(w=data["w"] * (data["z"] == 1)), "y ~ x", FULL)
    assert found.coefficients == pytest.approx(zeroed.coefficients)
    assert found.covariance == pytest.approx(zeroed.covariance)
    cut = regress(data[data["z"] == 1], "y ~ x", Design(weights="w", psu="g", strata="h", lonely="centre"))
    assert cut.coefficients == pytest.approx(found.coefficients)


def test_the_second_stage_adds() -> None:
    data = town(6).assign(i=lambda d: np.arange(80) // 2, f=0.5)
    one = regress(data, "y ~ x", Design(psu="g", fpc="f"))
    both = regress(data, "y ~ x", Design(psu=("g", "i"), fpc=("f", "f"), lonely="centre"))
    assert (both.se > one.se).all() and both.df == one.df


def test_rows_that_miss_something_are_counted() -> None:
    data = town(2)
    data.loc[:5, "x"] = np.nan
    found = regress(data, "y ~ x", FULL, where=data.index.to_series() < 40)
    assert (found.n, found.left_out) == (34, 6)


def test_an_estimate_goes_to_the_release_gate() -> None:
    found = regress(town(1), "y ~ x", FULL)
    estimate, row = found.estimate("x", "points per year"), found.table.iloc[1]
    assert (estimate.value, estimate.p, estimate.low) == (row["estimate"], row["p"], row["low"])
    assert estimate.method == "design-based linear regression, Taylor linearisation"


def test_too_few_psus_leave_no_interval() -> None:
    data = town(1).assign(g=lambda d: d["g"] % 3)
    found = regress(data, "y ~ x + z", Design(psu="g"))
    assert found.df == 0 and found.table[["p", "low", "high"]].isna().all(axis=None)
    assert found.method == "no interval: 3 coefficients and too few PSUs, 0 degrees of freedom"
    assert math.isnan(found.wald("x").p)


@pytest.mark.parametrize(
    ("columns", "formula", "said"),
    [
        ({"s": lambda d: d["yes"] * 2 + 1}, "yes ~ s", "separated completely: 's' tells 1 from 0 without error in all rows"),
        ({"s": lambda d: np.where(d.index < 9, 1.0 * d["yes"], 0.0)}, "yes ~ s + x", "separated in part: 's' tells 1 from 0"),
        ({"s": lambda d: np.where((d.index < 30) & (d["yes"] == 1), "b", "a")}, "yes ~ s", r"in part: 's\[T.b\]' tells 1"),
        ({"s": lambda d: np.where(d["yes"] == 1, d["a"], "none")}, "yes ~ s", "completely: 's' tells 1 from 0"),
    ],
    ids=["complete", "in part", "class", "text"],
)  # fmt: skip
def test_separation_is_found_and_named(columns: dict[str, Any], formula: str, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        regress(town(1).assign(**columns), formula, PLAIN, family="logit")


def test_sure_chances_without_separation_are_let_through() -> None:
    middle, far = [-1.0, -0.5, 0.0, 0.5, 1.0] * 4, [-30.0, 30.0] * 3
    y = [0, 0, 1, 0, 1, 0, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, *[0, 1] * 3]
    found = regress(pd.DataFrame({"x": middle + far, "y": y}), "y ~ x", PLAIN, family="logit")
    # at x = 30 the chance is 1 less about 1e-16
    assert 30 * found.coefficients[1] > 20 and found.se[1] < 1


def test_every_fault_of_a_regression_is_told_at_once() -> None:
    data = town(1).assign(twice=lambda d: d["x"] * 2, a1=lambda d: d["z"] + 1)
    with pytest.raises(EstimateError) as error:
        regress(data, "a1 ~ x + twice", PLAIN, family="logit")
    assert str(error.value) == (
        "'a1 ~ x + twice' cannot be estimated:\n"
        "  - 'twice' follows from the columns before it, so its coefficient means nothing; leave it out\n"
        "  - the outcome holds 1, 2; a logit needs 0 and 1"
    )


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d: regress(d, "y ~ x", PLAIN, family="probit"), "family='probit'.: expected 'linear' or 'logit'"),
        (lambda d: regress(d, "one ~ x", PLAIN, family="logit"), "the outcome is 1 in every row"),
        (lambda d: regress(d.head(2), "y ~ x", PLAIN), "2 rows of positive weight miss nothing, for 2 coefficients"),
        (lambda d: regress(d, "y ~ x", PLAIN).wald("xx"), "has no term 'xx'; it has Intercept, x"),
        (lambda d: regress(d, "y ~ x", PLAIN).wald([]), "has no term nothing"),
        (lambda d: regress(d, "y ~ x", PLAIN).odds_ratios, "is a linear regression; odds ratios need family='logit'"),
    ],
    ids=["family", "one", "rows", "term", "no term", "odds"],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town(1).assign(one=1))
