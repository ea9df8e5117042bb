"""Replicate weights: on paper, as laws, against R, in what they refuse."""

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
from cbresearch.records import Estimate
from cbresearch.sampling.calibrate import calibrate, post_stratify, rake
from cbresearch.sampling.descriptive import mean, total
from cbresearch.sampling.design import Design
from cbresearch.sampling.hadamard import hadamard
from cbresearch.sampling.replicates import Replicates
from cbresearch.sampling.replication import ReplicateDesign, given_replicates, replicate

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "survey_replicates.json").read_text(encoding="utf-8")
)


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-8, nan_ok=True)


# on paper


def test_leaving_each_of_three_out() -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0, 6.0]})
    found = replicate(frame, Design(), "JK1")
    assert found.replicate(0).tolist() == [0.0, 1.5, 1.5]
    told = found.mean(frame, "y")
    # means without one: 4, 3.5, 1.5 around 3: 2/3 (1 + 1/4 + 9/4) = 7/3, which is s²/n
    assert (told.value, told.se, told.df) == (3.0, pytest.approx(math.sqrt(7 / 3)), 2.0)
    assert (told.n, told.psus, told.method) == (3, 3, "jackknife JK1, 3 replicates")


def test_two_pairs_and_their_half_samples() -> None:
    frame = pd.DataFrame({"y": [1.0, 3.0, 10.0, 16.0], "pair": ["a", "a", "b", "b"]})
    found = replicate(frame, Design(strata="pair"), "BRR")
    assert sorted(found.factors.T.tolist()) == [
        [0.0, 2.0, 0.0, 2.0], [0.0, 2.0, 2.0, 0.0], [2.0, 0.0, 0.0, 2.0], [2.0, 0.0, 2.0, 0.0],
    ]  # fmt: skip
    # the variance of the total is the sum of squared differences within pairs: 4 + 36
    assert found.total(frame, "y").se == pytest.approx(math.sqrt(40))
    fay = replicate(frame, Design(strata="pair"), "BRR", rho=0.5)
    assert set(np.unique(fay.factors)) == {0.5, 1.5}
    assert fay.total(frame, "y").se == pytest.approx(math.sqrt(40))


def test_a_bootstrap_draws_one_psu_fewer_and_rescales() -> None:
    frame = pd.DataFrame({"g": [1, 2, 3, 4, 5, 6], "h": list("aaabbb"), "n": [6] * 6})
    found = replicate(frame, Design(psu="g", strata="h"), "bootstrap", draws=50, seed=3)
    # m/(m - 1) = 3/2 for each of the two draws in a stratum: factors sum to m
    assert set(np.unique(found.factors)) == {0.0, 1.5, 3.0}
    assert found.factors[:3].sum(axis=0).tolist() == [3.0] * 50
    # half of the stratum drawn: 1 - k + k factor with k² = 1/2
    half = replicate(frame, Design(psu="g", strata="h", fpc="n"), "bootstrap", draws=50, seed=3)
    k = math.sqrt(0.5)
    assert half.factors == pytest.approx(1 - k + k * found.factors)


def test_a_psu_certain_to_be_drawn_is_never_left_out() -> None:
    frame = pd.DataFrame({"y": [1.0, 3.0, 9.0], "h": ["a", "a", "b"]})
    design = Design(strata="h", lonely="certainty")
    found = replicate(frame, design, "JKn")
    assert found.factors.tolist() == [[0.0, 2.0], [2.0, 0.0], [1.0, 1.0]]
    assert found.total(frame, "y").se == pytest.approx(total(frame, "y", design).se) == pytest.approx(2.0)


@pytest.mark.parametrize("order", [1, 2, 3, 5, 8, 12, 20, 24, 25, 44, 60])
def test_hadamard_matrices_are_orthogonal_and_begin_with_ones(order: int) -> None:
    matrix = hadamard(order)
    size = len(matrix)
    assert size >= order and set(np.unique(matrix)) <= {-1, 1}
    assert (matrix.T @ matrix == size * np.eye(size)).all()
    assert (matrix[0] == 1).all() and (matrix[:, 0] == 1).all()
    assert size <= {25: 32}.get(order, max(order + 3, 1))


# as laws

STRATA = st.lists(
    st.tuples(st.lists(st.floats(-50, 50), min_size=2, max_size=4), st.floats(0.1, 20)),
    min_size=1,
    max_size=5,
)


def drawn(strata: list[tuple[list[float], float]]) -> pd.DataFrame:
    rows = [(h, y, w) for h, (values, w) in enumerate(strata) for y in values]
    return pd.DataFrame(rows, columns=["h", "y", "w"]).assign(unit=range(len(rows)))


@settings(max_examples=60)
@given(STRATA)
def test_the_jackknife_of_a_total_is_that_of_linearisation(strata: list[tuple[list[float], float]]) -> None:
    frame, design = drawn(strata), Design(weights="w", strata="h", psu="unit")
    found, plain = replicate(frame, design, "JKn").total(frame, "y"), total(frame, "y", design)
    assert found.value == pytest.approx(plain.value)
    # where all answers are alike nothing but the root of a rounding is left
    assert found.se == pytest.approx(plain.se, rel=1e-6, abs=1e-6, nan_ok=True)
    assert found.df == plain.df


@settings(max_examples=40)
@given(STRATA, st.floats(0, 0.9))
def test_half_samples_of_a_total_are_balanced(strata: list[tuple[list[float], float]], rho: float) -> None:
    frame = drawn([(values[:2], w) for values, w in strata])
    design = Design(weights="w", strata="h", psu="unit")
    found = replicate(frame, design, "BRR", rho=rho).total(frame, "y")
    assert found.se == pytest.approx(total(frame, "y", design).se, rel=1e-6, abs=1e-6)
    assert found.df == len(strata)


@settings(max_examples=30)
@given(STRATA, st.floats(0.1, 10), st.floats(-5, 5))
def test_scale_and_shift_of_a_mean(
    strata: list[tuple[list[float], float]], scale: float, shift: float
) -> None:
    frame = drawn(strata)
    found = replicate(frame, Design(weights="w", strata="h"), "JKn")
    told = found.mean(frame, "y")
    moved = found.mean(frame.assign(y=frame["y"] * scale + shift), "y")
    assert moved.value == pytest.approx(told.value * scale + shift, abs=1e-9)
    assert moved.se == pytest.approx(told.se * scale, rel=1e-6, abs=1e-9, nan_ok=True)


def test_a_bootstrap_comes_near_linearisation_and_repeats_itself() -> None:
    rng = np.random.default_rng(5)
    frame = pd.DataFrame({"y": rng.normal(size=200), "g": np.arange(200) // 5, "h": np.arange(200) // 100})
    design = Design(psu="g", strata="h")
    found, again = (replicate(frame, design, "bootstrap", draws=2000, seed=9) for _ in range(2))
    # the spread of 2000 draws is known to about 1/sqrt(4000) = 1.6 %: four times that
    assert found.mean(frame, "y").se == pytest.approx(mean(frame, "y", design).se, rel=0.064)
    assert found.mean(frame, "y") == again.mean(frame, "y")


def test_every_statement_is_a_statistic_of_weights() -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"y": rng.normal(size=30), "x": rng.uniform(1, 2, 30), "g": np.arange(30) // 3})
    found = replicate(frame, Design(psu="g"), "JK1")
    y, x = frame["y"].to_numpy(), frame["x"].to_numpy()

    def three(w: np.ndarray) -> np.ndarray:
        return np.array([w @ y / w.sum(), w @ y, w @ y / (w @ x)])

    told = found.statistic(three, ["mean", "total", "ratio"])
    stated = [found.mean(frame, "y"), found.total(frame, "y"), found.ratio(frame, "y", "x")]
    for one, other in zip(told.estimates, stated, strict=True):
        assert (one.value, one.se, one.df) == (close(other.value), close(other.se), other.df)
        assert (one.low, one.high) == (close(other.low), close(other.high))
    assert told.covariance.shape == (3, 3) and told.values.shape == (10, 3)
    assert np.sqrt(np.diag(told.covariance)).tolist() == [close(e.se) for e in told.estimates]


def columns_of(found: Replicates) -> pd.DataFrame:
    return pd.DataFrame({f"r{k}": found.replicate(k) for k in range(len(found.scales))})


@pytest.mark.parametrize("combined", [True, False])
def test_columns_of_a_file_say_what_their_makers_knew(combined: bool) -> None:
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {"y": rng.normal(size=12), "g": np.arange(12) // 2, "w": np.repeat([1.0, 2.0, 3.0], 4)}
    )
    made = replicate(frame, Design(weights="w", psu="g"), "JK1")
    columns = columns_of(made)
    wide = frame.join(columns if combined else columns.div(frame["w"], axis=0))
    found = given_replicates(wide, ReplicateDesign("w", list(columns), "JK1", combined=combined))
    told, own = found.mean(wide, "y"), made.mean(frame, "y")
    assert (told.value, told.se, told.df, told.psus) == (close(own.value), close(own.se), own.df, own.psus)


# against R


def schools(shared: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(shared.parent / "reference" / "survey_api" / f"{name}.csv")


def pairs(frame: pd.DataFrame) -> pd.DataFrame:
    """The first 14 districts in pairs."""
    place = {district: k for k, district in enumerate(sorted(frame["dnum"].unique())[:14])}
    some = frame[frame["dnum"].isin(list(place))].reset_index(drop=True)
    return some.assign(pair=some["dnum"].map(place) // 2)


def replicated_as(name: str, shared: Path) -> tuple[pd.DataFrame, Replicates]:
    clus1 = schools(shared, "apiclus1")
    plain, margins = Design(weights="pw", psu="dnum"), REFERENCE["margins"]
    jack = replicate(clus1, plain, "JK1")
    match name:
        case "JK1":
            return clus1, jack
        case "JK1_fpc":
            return clus1, replicate(clus1, Design(weights="pw", psu="dnum", fpc="fpc"), "JK1")
        case "JK1_mse":
            return clus1, replicate(clus1, plain, "JK1", centre="full")
        case "JKn" | "JKn_fpc":
            strat = schools(shared, "apistrat")
            fpc = "fpc" if name == "JKn_fpc" else None
            return strat, replicate(strat, Design(weights="pw", strata="stype", fpc=fpc), "JKn")
        case "BRR" | "Fay":
            frame = pairs(clus1)
            design = Design(weights="pw", psu="dnum", strata="pair")
            return frame, replicate(frame, design, "BRR", rho=0.3 if name == "Fay" else 0.0)
        case "subbootstrap":
            r = REFERENCE["subbootstrap"]
            times = (
                pd.DataFrame(r["times_drawn"], index=r["districts"]).loc[clus1["dnum"]].to_numpy() * 15 / 14
            )
            columns = pd.DataFrame(times, index=clus1.index).add_prefix("r")
            wide = clus1.join(columns)
            design = ReplicateDesign("pw", list(columns), "bootstrap", combined=False)
            return wide, given_replicates(wide, design)
        case "JK1_post_stratified":
            return clus1, post_stratify(clus1, plain, "stype", margins["stype"]).applied_to(jack)
        case "JK1_raked":
            return clus1, rake(clus1, plain, margins, tolerance=1e-12).applied_to(jack)
    types, totals = {"stype": margins["stype"]}, {"api99": REFERENCE["api99_total"]}
    return clus1, calibrate(clus1, plain, types, totals).applied_to(jack)


def same(found: Estimate, expected: dict[str, float], **more: float) -> None:
    told = {name: getattr(found, name) for name in ("value", "se", "low", "high") if name in expected}
    assert told == {name: close(expected[name]) for name in told}
    assert more == {name: getattr(found, name) for name in more}


KINDS = [
    name for name, block in REFERENCE.items() if isinstance(block, dict) and "degf" in block
]  # fmt: skip


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_of_replicates_agrees_with_r(name: str, shared_data: Path) -> None:
    frame, found = replicated_as(name, shared_data)
    r = REFERENCE[name]
    assert found.df == r["degf"]
    same(found.mean(frame, "api00"), r["mean"], df=r["degf"])
    same(found.total(frame, "enroll"), r["total"])
    same(found.ratio(frame, "api.stu", "enroll"), r["ratio"])
    if "domain" in r:
        domain = (frame["awards"] == "Yes") & (frame["meals"] > 40)
        same(found.mean(frame, "api00", where=domain), r["domain"], df=r["domain"]["degf"])
        same(found.quantile(frame, "api00", 0.5), r["median"])
        same(found.share(frame, "awards", "Yes"), r["share"])


def test_half_samples_are_those_of_the_reference(shared_data: Path) -> None:
    assert hadamard(8).tolist() == REFERENCE["hadamard"]
    frame, found = replicated_as("BRR", shared_data)
    assert sorted(columns_of(found).iloc[0]) == [
        close(value) for value in sorted(REFERENCE["BRR"]["first_row"])
    ]
    assert len(frame) == len(found.weights)


def test_a_regression_with_replicate_weights_agrees_with_r(shared_data: Path) -> None:
    frame, found = replicated_as("JK1", shared_data)
    x = np.column_stack(
        [np.ones(len(frame)), *(frame[c].to_numpy(float) for c in ("ell", "meals", "mobility"))]
    )
    y = frame["api00"].to_numpy(float)

    def slopes(w: np.ndarray) -> np.ndarray:
        return np.linalg.solve((x * w[:, None]).T @ x, x.T @ (w * y))

    told = found.statistic(slopes, ["(Intercept)", "ell", "meals", "mobility"]).estimates
    r = REFERENCE["JK1_regression"]
    assert [e.value for e in told] == [close(value) for value in r["value"]]
    assert [e.se for e in told] == [close(se) for se in r["se"]]


# what is refused


def refused(call: Any) -> str:
    with pytest.raises(EstimateError) as error:
        call()
    return str(error.value)


STRATIFIED = pd.DataFrame({"y": [1.0, 2, 3, 4, 5], "h": list("aabbb"), "n": [9] * 5, "g": range(5)})


@pytest.mark.parametrize(
    ("kind", "design", "said"),
    [
        ("JK1", Design(strata="h"), "JK1 knows no strata and the design has 2; use JKn"),
        (
            "BRR",
            Design(strata="h"),
            "BRR wants two PSUs in every stratum and 1 of 2 hold another number; use JKn",
        ),
        (
            "BRR",
            Design(strata="h", fpc="n"),
            "BRR has no place for an fpc; leave it out of the design, or use JKn",
        ),
        (
            "JKn",
            Design(strata="g", lonely="centre"),
            'replicates know a lonely PSU only as certain to be drawn: Design(lonely="certainty")',
        ),
        (
            "JKn",
            Design(strata="g", lonely="certainty"),
            "no stratum has a PSU that can be left out: each holds one, or was drawn whole",
        ),
        (
            "bootstrap",
            Design(psu=("h", "g"), fpc=("n", "n")),
            "replicates carry the first stage only; leave the fpc of later stages out of the design",
        ),
    ],
)
def test_a_design_without_such_replicates_is_told_what_to_do(kind: Any, design: Design, said: str) -> None:
    assert said in refused(lambda: replicate(STRATIFIED, design, kind))


def test_more_replicates_than_can_be_kept_are_refused() -> None:
    many = pd.DataFrame({"y": np.zeros(9000)})
    assert refused(lambda: replicate(many, Design(), "JK1")) == (
        "The design has no such replicates: 9000 PSUs are too many to leave each out; use kind='bootstrap', or no "
        "replicates at all."
    )
    assert "500 draws of 9000 PSUs are too many" in refused(lambda: replicate(many, Design(), "bootstrap"))


def test_words_that_mean_nothing_are_told_at_once() -> None:
    kind: Any = "BBR"
    centre: Any = "median"
    assert refused(lambda: replicate(STRATIFIED, Design(), kind, draws=1, rho=1, centre=centre)) == (
        "replicate() cannot be used so: no kind of replicates is called 'BBR' (did you mean 'BRR'?); expected one of "
        "JK1, JKn, BRR, bootstrap; no centre is called 'median'; expected 'mean' of the replicates or 'full' sample; "
        "rho = 1 keeps no half of a half-sample; expected 0 to below 1; "
        "1 draws cannot differ; expected 2 or more, some hundreds to be of use."
    )


def test_columns_that_do_not_fit_are_told_at_once() -> None:
    frame = pd.DataFrame({"w": [1.0, 2.0], "r1": [0.0, 4.0], "r2": [None, 1.0], "word": ["a", "b"]})
    design = ReplicateDesign("w", ["r1", "r2", "r3", "word"], "JKn")
    assert refused(lambda: given_replicates(frame, design)) == (
        "The replicate design does not fit the frame:\n"
        "  - 'r2' is missing or infinite in some rows; every row needs its weight\n"
        "  - no column 'r3'\n"
        "  - 'word' holds no numbers\n"
        "  - JKn needs rscales=, one number per column: (m - 1)/m of the stratum of the PSU left out"
    )


def test_a_group_that_a_replicate_loses_has_no_interval() -> None:
    frame = pd.DataFrame({"y": [1.0, 2.0, 3.0, 4.0], "g": [1, 1, 2, 3], "who": ["a", "a", "b", "b"]})
    found = replicate(frame, Design(psu="g"), "JK1")
    told = found.mean(frame, "y", where=frame["who"] == "a")
    # one PSU holds all of the group
    assert (told.value, told.psus, told.method) == (1.5, 1, "no interval: a single PSU")
    both = found.statistic(lambda w: w[:2] @ frame["y"][:2] / w[:2].sum() if w[0] else math.nan, "y")
    assert math.isnan(both.estimates[0].se)
    assert both.estimates[0].method == "no interval: in some replicates the number cannot be had"


def test_a_statistic_names_every_number() -> None:
    found = replicate(STRATIFIED, Design(), "JK1")
    assert refused(lambda: found.statistic(lambda w: np.array([1.0, 2.0]), "one")) == (
        "The statistic gives numbers of shape (2,) and measures= names 1; name every number that it gives."
    )


def test_a_replicate_that_cannot_be_calibrated_is_named() -> None:
    frame = pd.DataFrame({"sex": ["1", "1", "2", "2"], "g": [1, 2, 3, 3]})
    found = rake(frame, Design(psu="g"), {"sex": {"1": 0.5, "2": 0.5}})
    assert refused(lambda: found.applied_to(replicate(frame, Design(psu="g"), "JK1"))) == (
        "Replicate 3 of 3: The margins cannot be reached: nobody stands for 'sex' = '2', 50.0% of the people: "
        "merge it with a neighbour."
    )
    said = refused(lambda: found.applied_to(replicate(frame.head(3), Design(psu="g"), "JK1")))
    assert said.startswith("The replicates are of 3 rows and 4 were calibrated")


def test_replicates_of_raked_and_trimmed_weights_know_both_steps() -> None:
    rng = np.random.default_rng(8)
    frame = pd.DataFrame(
        {
            "y": rng.normal(size=120),
            "sex": rng.choice(["1", "2"], 120),
            "g": np.arange(120) // 6,
            "w": rng.uniform(0.5, 2.5, 120),
        }
    )
    design = Design(weights="w", psu="g")
    found = rake(frame, design, {"sex": {"1": 0.65, "2": 0.35}}, ceiling=1.7)
    each = found.applied_to(replicate(frame, design, "JK1"))
    assert each.share(frame, "sex", "1").se == 0.0
    for k in range(20):
        w = each.replicate(k)
        assert w[frame["sex"] == "1"].sum() == pytest.approx(0.65 * w.sum(), rel=1e-8)
        assert w.max() <= 1.7 * w[w > 0].mean() * (1 + 1e-8)
    # the two ways of knowing the margin agree to the order of 1/PSUs
    assert each.mean(frame, "y").se == pytest.approx(found.mean(frame, "y").se, rel=0.15)
