"""Ordered logit: by hand, by laws, against clm and polr."""

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
from scipy.special import logit

from cbresearch.errors import EstimateError
from cbresearch.estimate.models.ordered import ordered
from cbresearch.estimate.models.proportional_odds import Answers, likelihood, scores

R = json.loads((Path(__file__).parents[1] / "reference" / "ordinal_housing.json").read_text("utf-8"))
HOUSING = (
    "Sat ~ C(Infl, levels=['Low', 'Medium', 'High']) + C(Type, levels=['Tower', 'Apartment', 'Atrium', 'Terrace'])"
    " + C(Cont, levels=['Low', 'High'])"
)


def town(seed: int, n: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, n))
    latent = x - 0.5 * z + rng.logistic(size=n)
    return pd.DataFrame(
        {
            "answer": np.digitize(latent, [-1.5, 0, 1.5]) + 1,
            "x": x,
            "z": z,
            "w": rng.uniform(0.5, 2, n),
            "g": rng.integers(0, 50, n),
        }
    )


# --- by hand ----------------------------------------------------------------------------------
def test_a_two_by_two_table_gives_its_odds_ratio() -> None:
    rows = [(1, 0)] * 30 + [(2, 0)] * 10 + [(1, 1)] * 15 + [(2, 1)] * 25
    found = ordered(pd.DataFrame(rows, columns=["answer", "x"]), "answer ~ x")
    # (25/15)/(10/30) = 5; the variance of its log is the sum of reciprocals
    assert found.terms[0].odds_ratio == pytest.approx(5)
    assert found.terms[0].se == pytest.approx(math.sqrt(1 / 30 + 1 / 10 + 1 / 15 + 1 / 25))
    assert found.thresholds == pytest.approx([logit(30 / 40)])


def test_shares_average_to_those_observed() -> None:
    frame = town(1)
    found = ordered(frame, "answer ~ x + z").shares()
    # the scores of the cuts are zero, so the average chances are the observed shares up to the logit's own rounding
    assert found["share"].sum() == pytest.approx(1)
    assert found["share"].tolist() == pytest.approx(
        frame["answer"].value_counts(normalize=True).sort_index().tolist(), abs=0.02
    )


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 300))
@settings(max_examples=15)
def test_turning_the_answers_turns_the_coefficients(seed: int) -> None:
    frame = town(seed)
    one, other = (
        ordered(frame, "answer ~ x + z"),
        ordered(frame.assign(answer=5 - frame["answer"]), "answer ~ x + z"),
    )
    assert [t.estimate for t in other.terms] == pytest.approx([-t.estimate for t in one.terms], abs=1e-7)
    assert other.log_likelihood == pytest.approx(one.log_likelihood)


@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_weights_as_counts_are_rows_written_twice(seed: int) -> None:
    frame = town(seed, 120)
    twice = pd.concat([frame, frame.iloc[:30]], ignore_index=True)
    counted = frame.assign(w=np.where(frame.index < 30, 2.0, 1.0))
    one, other = ordered(twice, "answer ~ x"), ordered(counted, "answer ~ x", weights="w", variance="model")
    assert (other.terms[0].estimate, other.terms[0].se) == pytest.approx(
        (one.terms[0].estimate, one.terms[0].se)
    )


@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_each_row_its_own_cluster_is_the_sandwich_over_rows(seed: int) -> None:
    frame = town(seed, 80).assign(own=np.arange(80))
    one, other = (
        ordered(frame, "answer ~ x", weights="w"),
        ordered(frame, "answer ~ x", weights="w", cluster="own"),
    )
    assert other.covariance == pytest.approx(one.covariance)
    assert other.terms[0].df == 79


@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_slopes_and_information_are_those_of_the_likelihood(seed: int) -> None:
    frame = town(seed, 60)
    given_ = Answers(frame[["x", "z"]].to_numpy(), frame["answer"].to_numpy() - 1, frame["w"].to_numpy(), 4)
    at, h = np.array([0.4, -0.2, -1.2, 0.1, 1.4]), 1e-5
    _, slope, information = likelihood(given_, at)
    numeric = [
        (likelihood(given_, at + h * e)[0] - likelihood(given_, at - h * e)[0]) / (2 * h) for e in np.eye(5)
    ]
    bend = np.array(
        [(likelihood(given_, at + h * e)[1] - likelihood(given_, at - h * e)[1]) / (2 * h) for e in np.eye(5)]
    )
    assert slope == pytest.approx(np.array(numeric), rel=1e-5, abs=1e-5)
    assert -information == pytest.approx(bend, rel=1e-4, abs=1e-4)
    assert scores(given_, at).sum(axis=0) == pytest.approx(slope)


# --- R ----------------------------------------------------------------------------------------
@pytest.fixture
def housing(shared_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared_data.parent / "reference" / "ordinal_housing" / "housing.csv")
    return frame.assign(Sat=pd.Categorical(frame["Sat"], ["Low", "Medium", "High"], ordered=True))


def test_housing_as_in_clm(housing: pd.DataFrame) -> None:
    found, told = ordered(housing, HOUSING, weights="Freq", variance="model"), R["housing"]
    theirs = list(told["clm"].values())
    assert found.thresholds == pytest.approx([one[0] for one in theirs[:2]], rel=1e-6)
    assert found.table["estimate"].tolist() == pytest.approx([one[0] for one in theirs[2:]], rel=1e-6)
    assert found.table["se"].tolist() == pytest.approx([one[1] for one in theirs[2:]], rel=1e-6)
    assert found.log_likelihood == pytest.approx(told["logLik"], rel=1e-9)
    assert found.answers == ("Low", "Medium", "High")


def test_predicted_shares_as_in_clm(housing: pd.DataFrame) -> None:
    found = ordered(housing, HOUSING, weights="Freq", variance="model")
    nobody = dict.fromkeys(found._names, 0.0)
    for told, name in zip(R["housing"]["predict"][:3], (None, 0, 1), strict=True):
        at = nobody | ({found._names[name]: 1.0} if name is not None else {})
        assert found.shares(at)["share"].tolist() == pytest.approx([told[a] for a in found.answers], rel=1e-6)


def test_brant_as_by_hand_in_r(housing: pd.DataFrame) -> None:
    found, told = ordered(housing, HOUSING, weights="Freq", variance="model").brant(), R["housing"]["brant"]
    assert (found.chi2, found.df, found.p) == pytest.approx(tuple(told["omnibus"].values()), rel=1e-6)
    assert found.by_term["chi2"].tolist() == pytest.approx(
        [v["chisq"] for k, v in told.items() if k != "omnibus"], rel=1e-6
    )
    assert "one coefficient will do" in found.sentence.en


def test_clusters_as_in_sandwich(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data.parent / "reference" / "ordinal_housing" / "wine.csv")
    found, told = ordered(frame, "rating ~ temp + contact", cluster="judge"), R["wine"]
    # ours is CR1: G/(G - 1) times theirs; polr's own optimum holds six digits
    G = found.clusters
    assert G is not None and found.note is not None
    assert found.covariance * (G - 1) / G == pytest.approx(
        np.array(told["vcov_CR0"]["values"]), rel=1e-4, abs=1e-5
    )
    plain = ordered(frame, "rating ~ temp + contact")
    assert [plain.terms[0].estimate, plain.terms[0].se] == pytest.approx(told["coef"]["tempwarm"], rel=1e-6)


# --- use --------------------------------------------------------------------------------------
def test_gaps_are_left_out_and_words_in_order_are_kept() -> None:
    frame = town(3).assign(answer=lambda f: f["answer"].astype("Int64").mask(f.index < 5))
    assert ordered(frame, "answer ~ x").n == 295


def test_an_effect_that_differs_from_cut_to_cut_is_told() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=3_000)
    latent = rng.logistic(size=3_000)
    answer = 1 + (latent + 1.5 * x > -1) + (latent + 0.2 * x > 1) * (latent + 1.5 * x > -1)
    found = ordered(pd.DataFrame({"answer": answer, "x": x}), "answer ~ x").brant()
    assert found.p < 0.001 and "x most of all" in found.sentence.en


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: ordered(f.assign(answer=f["answer"].astype(str)), "answer ~ x"), "holds words such as"),
        (lambda f: ordered(f.assign(answer=pd.Categorical(f["answer"])), "answer ~ x"), "Categorical without order"),
        (lambda f: ordered(f, "answr ~ x"), "did you mean 'answer'"),
        (lambda f: ordered(f.assign(answer=2), "answer ~ x"), "same answer"),
        (lambda f: ordered(f.assign(x=f["answer"] * 1.0), "answer ~ x"), "foretold without fail"),
        (lambda f: ordered(f, "answer ~ 1"), "has no regressor"),
        (lambda f: ordered(f.assign(answer=(f["x"] + f["w"] > 1) * 1), "answer ~ z").brant(), "no lines to be parallel"),
        (lambda f: ordered(f, "answer ~ x").shares({"y": 1.0}), "No regressor 'y'"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town(1))
