"""Ordered logit: by hand, by laws, against clm, polr and sandwich."""

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
from scipy.special import expit, logit

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.linear import cluster_robust
from cbresearch.estimate.formula import matrices
from cbresearch.estimate.logit import fit_logit
from cbresearch.estimate.models.ordered import Ordered, ordered
from cbresearch.estimate.models.ordered_doubt import from_clusters, summed
from cbresearch.estimate.models.proportional_odds import (
    Answers,
    in_order,
    information_by,
    likelihood,
    scores,
)

R = json.loads((Path(__file__).parents[1] / "reference" / "ordinal_housing.json").read_text("utf-8"))
HOUSING = (
    "Sat ~ C(Infl, levels=['Low', 'Medium', 'High']) + C(Type, levels=['Tower', 'Apartment', 'Atrium', 'Terrace'])"
    " + C(Cont, levels=['Low', 'High'])"
)
seeds = st.integers(0, 300)


def town(seed: int, n: int = 300, clusters: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    latent = x - 0.5 * z + rng.logistic(size=n)
    return pd.DataFrame(
        {
            "answer": np.digitize(latent, [-1.5, 0, 1.5]) + 1,
            "x": x,
            "z": z,
            "w": rng.uniform(0.5, 2, n),
            "g": rng.integers(0, clusters, n),
            "sex": rng.choice(["man", "woman"], n),
        }
    )


def estimates(model: Ordered) -> list[float]:
    return [one.estimate for one in (*model.terms, *model.thresholds)]


def errors(model: Ordered) -> list[float]:
    return [one.se for one in (*model.terms, *model.thresholds)]


# --- by hand ----------------------------------------------------------------------------------
def test_a_two_by_two_table_gives_its_odds_ratio() -> None:
    rows = [(1, 0)] * 30 + [(2, 0)] * 10 + [(1, 1)] * 15 + [(2, 1)] * 25
    found = ordered(pd.DataFrame(rows, columns=["answer", "x"]), "answer ~ x")
    # (25/15)/(10/30) = 5; the variance of its log is the sum of reciprocals
    assert found.terms[0].odds_ratio == pytest.approx(5)
    assert found.terms[0].se == pytest.approx(math.sqrt(1 / 30 + 1 / 10 + 1 / 15 + 1 / 25))
    assert found.thresholds[0].estimate == pytest.approx(logit(30 / 40))
    assert found.thresholds[0].term == "1|2"
    assert found.table["odds_low"].item() == pytest.approx(math.exp(found.terms[0].low))
    assert found.method == "ordered logit, variance from the model"


def test_shares_of_a_two_by_two_table_are_its_shares() -> None:
    rows = [(1, 0)] * 30 + [(2, 0)] * 10 + [(1, 1)] * 15 + [(2, 1)] * 25
    found = ordered(pd.DataFrame(rows, columns=["answer", "x"]), "answer ~ x")
    # a saturated model: 25 of 40 where x = 1, with the binomial standard error
    there = found.shares(at={"x": 1}).set_index("answer").loc["2"]
    assert (there["share"], there["se"]) == pytest.approx((25 / 40, math.sqrt(25 * 15 / 40**3)))
    # the interval is symmetrical in log odds
    assert (logit(there["low"]) + logit(there["high"])) / 2 == pytest.approx(logit(25 / 40))
    assert found.shares()["share"].tolist() == pytest.approx([45 / 80, 35 / 80])


# --- laws -------------------------------------------------------------------------------------
@given(seed=seeds)
@settings(max_examples=15)
def test_turning_the_answers_turns_the_coefficients(seed: int) -> None:
    frame = town(seed)
    one = ordered(frame, "answer ~ x + z")
    other = ordered(frame.assign(answer=5 - frame["answer"]), "answer ~ x + z")
    assert estimates(other)[:2] == pytest.approx([-b for b in estimates(one)[:2]], abs=1e-8)
    assert estimates(other)[2:] == pytest.approx([-c for c in estimates(one)[:1:-1]], abs=1e-8)
    assert other.log_likelihood == pytest.approx(one.log_likelihood)


@given(seed=seeds, shift=st.floats(-3000, 3000), unit=st.floats(0.001, 1000))
@settings(max_examples=15)
def test_where_a_regressor_starts_and_its_unit_change_nothing_else(
    seed: int, shift: float, unit: float
) -> None:
    frame = town(seed)
    one = ordered(frame, "answer ~ x + z", weights="w")
    other = ordered(frame.assign(x=shift + unit * frame["x"]), "answer ~ x + z", weights="w")
    b, se = one.terms[0].estimate, one.terms[0].se
    assert (other.terms[0].estimate * unit, other.terms[0].se * unit) == pytest.approx((b, se), rel=1e-6)
    assert other.terms[1].estimate == pytest.approx(one.terms[1].estimate, rel=1e-6)
    cut = one.thresholds[1].estimate + shift * other.terms[0].estimate
    assert other.thresholds[1].estimate == pytest.approx(cut, rel=1e-6, abs=1e-6)
    assert other.shares()["se"].tolist() == pytest.approx(one.shares()["se"].tolist(), rel=1e-5)


@given(seed=seeds, unit=st.floats(0.001, 1000))
@settings(max_examples=10)
def test_the_unit_of_weights_and_the_order_of_rows_change_nothing(seed: int, unit: float) -> None:
    frame = town(seed)
    one = ordered(frame, "answer ~ x", weights="w", cluster="g")
    other = ordered(
        frame.assign(w=unit * frame["w"]).sample(frac=1, random_state=seed),
        "answer ~ x",
        weights="w",
        cluster="g",
    )
    assert estimates(other) == pytest.approx(estimates(one), rel=1e-8, abs=1e-9)
    assert errors(other) == pytest.approx(errors(one), rel=1e-7)
    assert other.terms[0].df == pytest.approx(one.terms[0].df, rel=1e-6)
    # Brant's too, because weights are no counts here
    assert other.brant().chi2 == pytest.approx(one.brant().chi2, rel=1e-6)


@given(seed=seeds)
@settings(max_examples=10)
def test_weights_as_counts_are_rows_written_twice(seed: int) -> None:
    frame = town(seed, 120)
    twice = pd.concat([frame, frame.iloc[:30]], ignore_index=True)
    counted = frame.assign(w=np.where(frame.index < 30, 2.0, 1.0))
    one, other = ordered(twice, "answer ~ x"), ordered(counted, "answer ~ x", weights="w", variance="model")
    assert estimates(other) == pytest.approx(estimates(one))
    assert errors(other) == pytest.approx(errors(one))
    assert other.brant().p == pytest.approx(one.brant().p)
    assert other.shares().equals(other.shares(counted))


@given(seed=seeds)
@settings(max_examples=10)
def test_rows_that_weigh_nothing_or_miss_something_count_for_nothing(seed: int) -> None:
    frame = town(seed, 120)
    kept = frame.iloc[:100]
    idle = frame.assign(w=np.where(frame.index < 100, frame["w"], 0.0))
    holed = frame.assign(answer=frame["answer"].astype("Int64").mask(frame.index >= 100))
    one = ordered(kept, "answer ~ x", weights="w")
    for other in (ordered(idle, "answer ~ x", weights="w"), ordered(holed, "answer ~ x", weights="w")):
        assert (estimates(other), errors(other)) == (
            pytest.approx(estimates(one)),
            pytest.approx(errors(one)),
        )
        assert (other.n, other.left_out, one.left_out) == (100, 20, 0)
        assert other.shares()["share"].tolist() == pytest.approx(one.shares()["share"].tolist())


@given(seed=seeds)
@settings(max_examples=10)
def test_each_row_its_own_cluster_is_the_sandwich_over_rows(seed: int) -> None:
    frame = town(seed, 80).assign(own=np.arange(80))
    one = ordered(frame, "answer ~ x", weights="w")
    other = ordered(frame, "answer ~ x", weights="w", cluster="own", variance="CR1")
    assert other.covariance == pytest.approx(one.covariance)
    assert (one.terms[0].df, other.terms[0].df) == (math.inf, 79)


@given(seed=seeds)
@settings(max_examples=10)
def test_two_answers_are_the_plain_logit(seed: int) -> None:
    frame = town(seed).assign(good=lambda f: (f["answer"] > 2) * 1)
    found = ordered(frame, "good ~ x + z", weights="w")
    made = matrices(frame, "good ~ x + z")
    told = fit_logit(made, frame["w"].to_numpy()).coefficients
    assert [one.estimate for one in found.terms] == pytest.approx(told[1:].tolist(), abs=1e-8)
    assert found.thresholds[0].estimate == pytest.approx(-told[0], abs=1e-8)


@given(seed=seeds)
@settings(max_examples=10)
def test_shares_stay_within_bounds_and_move_with_the_coefficient(seed: int) -> None:
    found = ordered(town(seed), "answer ~ x + z + sex", cluster="g")
    low, high = found.shares(at={"x": -2.0, "sex": "man"}), found.shares(at={"x": 2.0, "sex": "man"})
    for shares in (low, high, found.shares()):
        assert shares["share"].sum() == pytest.approx(1)
        assert ((shares["low"] > 0) & (shares["low"] < shares["share"])).all()
        assert ((shares["share"] < shares["high"]) & (shares["high"] < 1)).all()
    rises = high["share"].iloc[-1] > low["share"].iloc[-1]
    assert rises == (found.terms[[t.term for t in found.terms].index("x")].estimate > 0)


@given(seed=seeds)
@settings(max_examples=10)
def test_slopes_and_information_are_those_of_the_likelihood(seed: int) -> None:
    frame = town(seed, 60, clusters=5)
    code = pd.factorize(frame["answer"], sort=True)[0]
    answers = in_order(frame[["x", "z"]].to_numpy(), code, frame["w"].to_numpy(), ("x", "z"))
    at, h = np.concatenate([[0.4, -0.2], np.linspace(-1.2, 1.4, answers.levels - 1)]), 1e-5
    p = len(at)
    value, slope, information = likelihood(answers, at)
    numeric = [
        (likelihood(answers, at + h * e)[0] - likelihood(answers, at - h * e)[0]) / (2 * h) for e in np.eye(p)
    ]
    bend = np.array(
        [
            (likelihood(answers, at + h * e)[1] - likelihood(answers, at - h * e)[1]) / (2 * h)
            for e in np.eye(p)
        ]
    )
    assert slope == pytest.approx(np.array(numeric), rel=1e-5, abs=1e-5)
    assert -information == pytest.approx(bend, rel=1e-4, abs=1e-4)
    assert value == pytest.approx(_plain_likelihood(answers, at))
    assert scores(answers, at).sum(axis=0) == pytest.approx(slope)
    groups = frame["g"].to_numpy()[answers.order]
    assert information_by(answers, at, groups).sum(axis=0) == pytest.approx(information)
    alone = groups == 2
    assert information_by(answers, at, groups)[2] == pytest.approx(
        information_by(answers, at, np.where(alone, 1, 0))[1]
    )


def _plain_likelihood(answers: Answers, at: Any) -> float:
    cuts = np.concatenate([[-np.inf], at[2:], [np.inf]])
    code = np.repeat(np.arange(answers.levels), np.diff(answers.edges))
    eta = at[:2] @ answers.Z
    return float(answers.weights @ np.log(expit(cuts[code + 1] - eta) - expit(cuts[code] - eta)))


@given(seed=seeds, G=st.integers(4, 20))
@settings(max_examples=15)
def test_cr2_in_scores_is_cr2_of_least_squares(seed: int, G: int) -> None:
    frame = town(seed, 120, clusters=G)
    X = np.column_stack([np.ones(120), frame["x"], frame["g"] < 2])
    g = pd.factorize(frame["g"])[0]
    told = cluster_robust(X, frame["z"].to_numpy(), None, g, "CR2")
    each = X * (frame["z"].to_numpy() - X @ told.coefficients)[:, None]
    by_cluster = np.array([X[g == j].T @ X[g == j] for j in range(g.max() + 1)])
    found = from_clusters("CR2", X.T @ X, summed(each, g), by_cluster)
    assert found.covariance == pytest.approx(told.variance, rel=1e-8, abs=1e-12)
    assert found.df(np.eye(3)).tolist() == pytest.approx(told.df.tolist(), rel=1e-7)


# --- R ----------------------------------------------------------------------------------------
@pytest.fixture
def housing(shared_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared_data.parent / "reference" / "ordinal_housing" / "housing.csv")
    return frame.assign(Sat=pd.Categorical(frame["Sat"], ["Low", "Medium", "High"], ordered=True))


def test_housing_as_in_clm(housing: pd.DataFrame) -> None:
    found, told = ordered(housing, HOUSING, weights="Freq", variance="model"), R["housing"]
    theirs = list(told["clm"].values())
    theirs = [*theirs[2:], *theirs[:2]]
    assert estimates(found) == pytest.approx([one[0] for one in theirs], rel=1e-7)
    assert errors(found) == pytest.approx([one[1] for one in theirs], rel=1e-7)
    assert found.log_likelihood == pytest.approx(told["logLik"], rel=1e-10)
    assert found.answers == ("Low", "Medium", "High") and found.gradient < 1e-6
    assert [one.term for one in found.thresholds] == ["Low|Medium", "Medium|High"]


def test_predicted_shares_as_in_clm(housing: pd.DataFrame) -> None:
    found = ordered(housing, HOUSING, weights="Freq", variance="model")
    for told in R["housing"]["predict"]:
        at = {name: told[name] for name in ("Infl", "Type", "Cont")}
        one = pd.DataFrame([at])
        for shares in (found.shares(at=at), found.shares(one)):
            assert shares["share"].tolist() == pytest.approx([told[a] for a in found.answers], rel=1e-7)


def test_brant_as_by_hand_in_r(housing: pd.DataFrame) -> None:
    found, told = ordered(housing, HOUSING, weights="Freq", variance="model").brant(), R["housing"]["brant"]
    assert (found.chi2, found.df, found.p) == pytest.approx(tuple(told["omnibus"].values()), rel=1e-7)
    assert found.by_term["chi2"].tolist() == pytest.approx(
        [v["chisq"] for k, v in told.items() if k != "omnibus"], rel=1e-7
    )
    assert found.df2 == math.inf and "p = 0.201); one coefficient will do" in found.sentence.en


def test_clusters_as_in_sandwich(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data.parent / "reference" / "ordinal_housing" / "wine.csv")
    told = R["wine"]
    plain = ordered(frame, "rating ~ temp + contact")
    assert [plain.terms[0].estimate, plain.terms[0].se] == pytest.approx(told["coef"]["tempwarm"], rel=1e-7)
    found = ordered(frame, "rating ~ temp + contact", cluster="judge", variance="CR0")
    # polr's own optimum, from which R's scores are taken, holds six digits
    assert found.covariance == pytest.approx(np.array(told["vcov_CR0"]["values"]), rel=1e-4, abs=1e-5)
    other = ordered(frame, "rating ~ temp + contact", cluster="judge", variance="CR1")
    assert other.covariance == pytest.approx(found.covariance * 9 / 8)
    assert (other.clusters, other.terms[0].df) == (9, 8)
    assert other.note is not None and other.note.en.startswith("With 9 clusters the errors of CR1 are too")


# --- use --------------------------------------------------------------------------------------
def test_with_clusters_cr2_is_the_default_and_knows_its_degrees_of_freedom() -> None:
    rng = np.random.default_rng(5)
    g = np.repeat(np.arange(23), 20)
    latent = rng.normal(size=23)[g] + rng.logistic(size=460)
    frame = pd.DataFrame({"answer": np.digitize(latent, [-1, 1]), "treated": (g < 3) * 1.0, "g": g})
    found = ordered(frame, "answer ~ treated", cluster="g")
    plain = ordered(frame, "answer ~ treated", cluster="g", variance="CR1")
    assert found.variance == "sandwich variance over 23 clusters (CR2), Satterthwaite degrees of freedom"
    assert found.terms[0].df < 5 and found.terms[0].se > plain.terms[0].se
    assert found.note is not None
    assert "1 of 1 coefficients really rest on very few of the 23 clusters" in found.note.en
    assert found.note.zh.startswith("1个系数中有1个实际上只靠很少几个社区（自由度最小为")


def test_a_single_treated_cluster_has_no_standard_error() -> None:
    frame = town(4, 400, clusters=12).assign(treated=lambda f: (f["g"] == 3) * 1.0)
    found = ordered(frame, "answer ~ x + treated", cluster="g")
    x, treated = found.terms
    assert math.isnan(treated.se) and math.isnan(treated.p) and math.isfinite(x.se)
    assert found.note is not None and "treated rests on a single cluster" in found.note.en
    assert found.shares(at={"treated": 1.0})["se"].isna().all()
    assert found.shares(at={"treated": 0.0})["se"].notna().all()


def test_answers_nobody_gave_are_told() -> None:
    frame = town(3).assign(answer=lambda f: f["answer"].replace({3: 4}))
    found = ordered(frame, "answer ~ x")
    assert found.answers == ("1", "2", "4")
    assert found.note is not None and found.note.en.startswith("Nobody answered 3 in 'answer'")
    words = frame.assign(answer=pd.Categorical.from_codes(frame["answer"], list("abcdef"), ordered=True))
    said = ordered(words, "answer ~ x").note
    assert said is not None and "没有人选a、d、f" in said.zh
    assert ordered(town(3), "answer ~ x").note is None


def test_shares_of_another_frame_are_averaged_by_its_weights() -> None:
    frame = town(6)
    found = ordered(frame, "answer ~ x + sex", weights="w")
    two = pd.DataFrame({"x": [0.0, 1.0], "sex": ["man", "woman"], "w": [3.0, 1.0]})
    each = [found.shares(two.iloc[[i]])["share"].to_numpy() for i in range(2)]
    assert found.shares(two)["share"].tolist() == pytest.approx((0.75 * each[0] + 0.25 * each[1]).tolist())
    alike = found.shares(two.drop(columns="w"))["share"].tolist()
    assert alike == pytest.approx(((each[0] + each[1]) / 2).tolist())


def test_a_later_change_of_the_frame_does_not_reach_the_fit() -> None:
    frame = town(6)
    found = ordered(frame, "answer ~ x + z")
    before = found.shares(at={"x": 0.0})
    frame["z"] = 100.0
    assert found.shares(at={"x": 0.0}).equals(before)


def test_an_effect_that_differs_from_cut_to_cut_is_told() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=3_000)
    latent = rng.logistic(size=3_000)
    answer = 1 + (latent + 1.5 * x > -1) + (latent + 0.2 * x > 1) * (latent + 1.5 * x > -1)
    frame = pd.DataFrame({"answer": answer, "x": x, "g": rng.integers(0, 40, 3_000)})
    found = ordered(frame, "answer ~ x").brant()
    assert found.p < 0.001 and "(Brant test, p < 0.001), x most of all" in found.sentence.en
    over = ordered(frame, "answer ~ x", cluster="g").brant()
    assert (over.df, over.df2) == (1, 39) and over.p < 0.001


def test_brant_with_fewer_clusters_than_slopes_says_so() -> None:
    found = ordered(town(2, clusters=4), "answer ~ x + z", cluster="g").brant()
    assert math.isnan(found.p) and found.by_term["p"].notna().all()
    assert "not more clusters than slopes to compare (4)" in found.sentence.en


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: ordered(f.assign(answer=f["answer"].astype("string")), "answer ~ x"), r"holds words \('\d', .*pd\.Categorical\(frame\['answer'\]"),
        (lambda f: ordered(f.assign(answer=pd.Categorical(f["answer"])), "answer ~ x"), "Categorical without order"),
        (lambda f: ordered(f, "answr ~ x"), "did you mean 'answer'"),
        (lambda f: ordered(f.assign(answer=2), "answer ~ x"), "everybody answered 2 among the rows"),
        (lambda f: ordered(f.assign(answer=np.nan), "answer ~ x"), "nobody answered"),
        (lambda f: ordered(f.assign(answer=f["x"]), "answer ~ z"), "300 different values; an ordered model takes at most 30"),
        (lambda f: ordered(f.assign(answer=f["answer"].astype(float).replace(4, np.inf)), "answer ~ x"), "infinite in some rows"),
        (lambda f: ordered(f.assign(x=f["answer"] * 1.0), "answer ~ z + x"), r"^'x' foretells some answers without fail"),
        (lambda f: ordered(f.assign(top=(f["answer"] == 4) & (f["x"] > 1)), "answer ~ z + top"), r"^'top' foretells some"),
        (lambda f: ordered(f.assign(y=3 + 2 * f["x"]), "answer ~ z + y + x"), r"^'y', 'x': these columns follow"),
        (lambda f: ordered(f.assign(one=1.0), "answer ~ x + one"), r"^'one': the same in every row"),
        (lambda f: ordered(f.assign(z=f["z"].where(f.index > 0, np.inf)), "answer ~ x + z"), r"^'z': infinite"),
        (lambda f: ordered(f, "answer ~ 1"), "has no regressor"),
        (lambda f: ordered(f.assign(w=-f["w"]), "answer ~ x", weights="w"), "negative or infinite in 300 rows"),
        (lambda f: ordered(f.assign(w=f["w"].mask(f["x"] > 0)), "answer ~ x", weights="w"), "'w' is missing in"),
        (lambda f: ordered(f, "answer ~ x", weights="ww"), "did you mean 'w'"),
        (lambda f: ordered(f.assign(g=1), "answer ~ x", cluster="g"), "1 cluster; a variance between"),
        (lambda f: ordered(f, "answer ~ x", variance="CR2"), "name their column in cluster="),
        (lambda f: ordered(f, "answer ~ x", cluster="g", variance="model"), "takes rows to be independent"),
        (lambda f: ordered(f, "answer ~ x", variance="HC3"), "no such variance; expected one of 'auto'"),
        (lambda f: ordered(f.assign(answer=(f["x"] + f["w"] > 1) * 1), "answer ~ z").brant(), "no lines to be parallel"),
        (lambda f: ordered(f.assign(few=(f["x"] > 1.5) & (f["answer"] > 2)), "answer ~ z + few").brant(), "at cut 1 .counted from"),
        (lambda f: ordered(f, "answer ~ x").shares(at={"xx": 1.0}), "no such column; it has x. Did you mean 'x'"),
        (lambda f: ordered(f, "answer ~ x").shares(f[["z"]]), "no column 'x'"),
        (lambda f: ordered(f, "answer ~ x").shares(f.iloc[:0]), "nothing to average"),
        (lambda f: ordered(f, "answer ~ sex").shares(at={"sex": "both"}), "does not fit 'answer ~ sex'.*both"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town(1))
