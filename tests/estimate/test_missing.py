"""Missing answers: pooling against mice, filling in by laws and simulation."""

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
from cbresearch.estimate.formula import matrices
from cbresearch.estimate.logit import fit_logit
from cbresearch.estimate.missing.compare import with_missing
from cbresearch.estimate.missing.impute import Imputed, impute
from cbresearch.estimate.missing.pool import pool, pool_jointly, pool_statistics
from cbresearch.records import Estimate
from cbresearch.sampling.descriptive import mean
from cbresearch.sampling.design import Design

R = json.loads((Path(__file__).parents[1] / "reference" / "mi_nhanes.json").read_text("utf-8"))
NAMES = {
    "value": "estimate",
    "within": "ubar",
    "between": "b",
    "df": "df",
    "riv": "riv",
    "missing_share": "lambda",
    "fmi": "fmi",
}
seeds = st.integers(0, 200)


def town(seed: int, n: int = 400, missing: float = 0.3) -> pd.DataFrame:
    """Ratings of residents who answer the second question less often the less content they are."""
    rng = np.random.default_rng(seed)
    g = rng.integers(0, 10, n)
    content = rng.normal(size=10)[g] + rng.normal(size=n)
    first, second = (np.clip(np.round(3 + content + 0.5 * rng.normal(size=n)), 1, 5) for _ in range(2))
    gone = rng.random(n) < 2 * missing * (first < 3.5)
    return pd.DataFrame(
        {
            "first": first,
            "full": second,
            "second": np.where(gone, np.nan, second),
            "g": g,
            "w": rng.uniform(0.5, 2, n),
        }
    )


def classed(seed: int, n: int = 300) -> pd.DataFrame:
    """One column of each kind, with gaps by chance, and what helps to fill them."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    grade = pd.Categorical.from_codes(
        np.digitize(x + rng.logistic(size=n), [-1, 1]), ["low", "mid", "high"], ordered=True
    )
    frame = pd.DataFrame(
        {
            "x": x,
            "rating": pd.array(np.clip(np.round(3 + x), 1, 5).astype(int), dtype="Int64"),
            "grade": grade,
            "job": pd.array(np.where(x > 0.5, "none", rng.choice(["farm", "shop"], n)), dtype="string"),
            "pays": pd.array(x + rng.logistic(size=n) > 0, dtype="boolean"),
            "g": rng.choice(["east", "west", "north"], n),
        }
    )
    gone = rng.random((n, 4)) < 0.2
    columns = ["rating", "grade", "job", "pays"]
    return frame.assign(**{name: frame[name].mask(gone[:, i]) for i, name in enumerate(columns)})


def average(frame: pd.DataFrame) -> Estimate:
    return mean(frame, "second", Design(weights="w", psu="g"))


# --- pooling ----------------------------------------------------------------------------------
def test_two_sets_by_hand() -> None:
    # mean 2, within 1, between 2, total 1 + 1.5 * 2 = 4, lambda 3/4, df (2 - 1)/(9/16)
    found = pool([1.0, 3.0], [1.0, 1.0])
    assert (found.value, found.se, found.missing_share) == (2, 2, pytest.approx(0.75))
    assert found.df == pytest.approx(16 / 9)
    # Barnard and Rubin: observed df 31/33 * 30 / 4, and the two as a harmonic sum
    observed = 31 / 33 * 30 / 4
    assert pool([1.0, 3.0], [1.0, 1.0], 30).df == pytest.approx(1 / (9 / 16 + 1 / observed))


@given(q=st.lists(st.floats(-5, 5), min_size=3, max_size=8), unit=st.floats(0.1, 50))
def test_units_change_no_share(q: list[float], unit: float) -> None:
    one, other = pool(q, [1.0] * len(q), 30), pool([unit * x for x in q], [unit**2] * len(q), 30)
    assert other.fmi == pytest.approx(one.fmi, abs=1e-9) and other.df == pytest.approx(one.df, rel=1e-6)
    assert other.df <= 30 and 0 <= other.missing_share < 1
    assert other.low <= other.value <= other.high


def test_sets_that_agree_add_nothing() -> None:
    found = pool([2.0, 2.0, 2.0], [0.25, 0.25, 0.25], 50)
    assert (found.se, found.missing_share, found.fmi) == (0.5, 0, pytest.approx(2 / (found.df + 3)))
    assert pool([2.0, 2.0], [0.25, 0.25]).df == math.inf


@given(q=st.lists(st.floats(-5, 5), min_size=3, max_size=8).filter(lambda q: np.ptp(q) > 1e-3))
def test_a_joint_test_of_one_coefficient_is_its_own_squared(q: list[float]) -> None:
    u = np.linspace(0.5, 1.5, len(q))
    one, joint = pool(q, u), pool_jointly(np.array(q)[:, None], u[:, None, None])
    assert pytest.approx((one.value / one.se) ** 2) == joint.F
    assert (joint.df1, joint.riv) == (1, pytest.approx(one.riv))


def test_joint_tests_at_the_ends_of_what_is_known() -> None:
    same = np.ones((5, 2)), np.tile(np.eye(2), (5, 1, 1))
    # nothing missing: the plain Wald tests, (1 + 1)/2 against chi-square and F
    assert pool_jointly(*same).p == pytest.approx(stats.chi2.sf(2, 2))
    assert pytest.approx(1) == pool_jointly(*same, 40).F
    assert pool_statistics([2.0] * 5, 2).p == pytest.approx(stats.chi2.sf(2, 2))
    # with 3 complete degrees of freedom and half of all missing no reference is known
    apart = np.linspace(-2, 2, 10).reshape(5, 2)
    assert math.isnan(pool_jointly(apart, same[1], 3).p)
    # of two sets and two coefficients (4 or fewer): the formula for few sets
    few = pool_jointly(np.array([[0.0, 1.0], [1.0, 0.0]]), same[1][:2], 40)
    assert few.df2 == pytest.approx(2 * 1.5 * (1 + 1 / few.riv) ** 2 / 2)


def completed(shared_data: Path) -> list[pd.DataFrame]:
    frame = pd.read_csv(shared_data.parent / "reference" / "mi_nhanes" / "nhanes_imputed_m20.csv")
    return [one.reset_index(drop=True) for _, one in frame.groupby("imp")]


def least_squares(sets: list[pd.DataFrame]) -> tuple[np.ndarray, np.ndarray]:
    b, V = [], []
    for one in sets:
        X = np.column_stack([np.ones(len(one)), one["age"], one["bmi"]])
        coefficients, *_ = np.linalg.lstsq(X, one["chl"], rcond=None)
        left = one["chl"] - X @ coefficients
        b.append(coefficients)
        V.append(np.linalg.inv(X.T @ X) * float(left @ left) / (len(one) - 3))
    return np.array(b), np.array(V)


@pytest.mark.parametrize("sets", [20, 5])
def test_pooling_as_in_mice(sets: int, shared_data: Path) -> None:
    b, V = least_squares(completed(shared_data)[:sets])
    for i, told in enumerate(R["pooled" if sets == 20 else "pooled_5"]):
        found = pool(b[:, i], V[:, i, i], 22)
        for mine, theirs in NAMES.items():
            assert getattr(found, mine) == pytest.approx(told[theirs], rel=1e-10)


def test_joint_tests_as_in_mice(shared_data: Path) -> None:
    b, V = least_squares(completed(shared_data))
    b, V = b[:, 1:], V[:, 1:, 1:]
    d1 = pool_jointly(b, V, 22)
    assert (d1.F, d1.df1, d1.df2, d1.p, d1.riv) == pytest.approx(tuple(R["D1"].values()), rel=1e-10)
    wald = [one @ np.linalg.solve(its, one) for one, its in zip(b, V, strict=True)]
    d2 = pool_statistics(wald, 2)
    assert (d2.F, d2.df1, d2.df2, d2.p, d2.riv) == pytest.approx(tuple(R["D2"].values()), rel=1e-10)


def test_a_pooled_logit_as_in_mice(shared_data: Path) -> None:
    b, V = [], []
    for one in completed(shared_data):
        made = matrices(one.assign(high=(one["chl"] > 190) * 1), "high ~ age + bmi")
        fit = fit_logit(made, np.ones(len(one)))
        b.append(fit.coefficients)
        V.append(np.diag(np.linalg.inv(made.X.T @ (made.X * fit.curvature[:, None]))))
    for i, (told, said) in enumerate(zip(R["logit"], R["logit_summary"], strict=True)):
        found = pool(np.array(b)[:, i], np.array(V)[:, i], 22)
        # glm stops at a relative change of 1e-8 in the deviance, which leaves its variances four digits
        for mine, theirs in NAMES.items():
            assert getattr(found, mine) == pytest.approx(told[theirs], rel=1e-4)
        assert (found.p, found.low, found.high) == pytest.approx(
            (said["p.value"], said["2.5 %"], said["97.5 %"]), rel=1e-4
        )


def test_scalars_as_in_mice() -> None:
    told = R["scalar"]
    assert pool(told["qhat"], told["u"], 24).df == pytest.approx(told["df"], rel=1e-10)
    assert pool(told["qhat"], told["u"]).df == pytest.approx(R["scalar_df_1987"], rel=1e-10)


# --- filling in -------------------------------------------------------------------------------
@given(seed=seeds)
@settings(max_examples=6, deadline=None)
def test_only_gaps_are_filled_and_only_with_answers_that_were_given(seed: int) -> None:
    frame = town(seed, 150)
    found = impute(frame, ["second"], community="g", weights="w", helpers=["first"], m=3, seed=seed)
    there = frame["second"].notna()
    for one in found.sets:
        assert one["second"].notna().all()
        assert one.loc[there, "second"].equals(frame.loc[there, "second"])
        assert set(one["second"]) <= set(frame["second"].dropna())
        assert one.drop(columns="second").equals(frame.drop(columns="second"))
    assert found.shares_missing["second"] == pytest.approx(1 - there.mean())


@given(seed=seeds)
@settings(max_examples=4, deadline=None)
def test_every_kind_of_column_keeps_its_type_and_its_classes(seed: int) -> None:
    frame = classed(seed)
    columns = ["rating", "grade", "job", "pays"]
    found = impute(frame, columns, community="g", helpers=["x"], m=2, rounds=2, seed=seed)
    assert found.table["how"].tolist() == ["predictive mean matching", "ordered logit", "logits", "logits"]
    for one in found.sets:
        for name in columns:
            there = frame[name].notna()
            assert one[name].dtype == frame[name].dtype and one[name].notna().all()
            assert one.loc[there, name].equals(frame.loc[there, name])
            assert set(one[name]) <= set(frame[name].dropna())


@given(seed=seeds, unit=st.floats(0.01, 100))
@settings(max_examples=5, deadline=None)
def test_units_of_weights_and_helpers_change_no_answer(seed: int, unit: float) -> None:
    frame = town(seed, 120)
    # a column that says nothing says nothing
    other = frame.assign(w=unit * frame["w"], first=3 - unit * frame["first"], flat=7.0)
    kept = impute(frame, ["second"], community="g", weights="w", helpers=["first"], m=2, seed=seed)
    turned = impute(other, ["second"], community="g", weights="w", helpers=["first", "flat"], m=2, seed=seed)
    # the drawn coefficient of a column turned round has the other sign: alike in distribution, not draw by draw
    straight = impute(
        other.assign(first=unit * frame["first"]), ["second"], community="g", weights="w",
        helpers=["first", "flat"], m=2, seed=seed,
    )  # fmt: skip
    assert turned.sets[0]["second"].notna().all()
    for one, two in zip(kept.sets, straight.sets, strict=True):
        assert (one["second"] == two["second"]).mean() > 0.98


def test_the_same_seed_gives_the_same_sets_and_sets_differ() -> None:
    frame = town(1)
    one, two = (impute(frame, ["second"], community="g", helpers=["first"], m=m, seed=5) for m in (2, 3))
    assert all(a.equals(b) for a, b in zip(one.sets, two.sets[:2], strict=True))
    assert not one.sets[0].equals(one.sets[1])


def test_where_nothing_tells_people_apart_everybody_may_give_the_answer() -> None:
    # 60 answers, all foretold alike: were ties not broken by chance, five people would fill every gap
    frame = pd.DataFrame({"a": [*np.arange(60.0), *[np.nan] * 60], "b": 1.0})
    found = impute(frame, ["a"], helpers=["b"], m=5, seed=1)
    for one in found.sets:
        assert one["a"].iloc[60:].nunique() > 25


def test_classes_follow_what_foretells_them() -> None:
    frame = classed(3, 2_000)
    found = impute(frame, ["grade", "job", "pays"], community="g", helpers=["x"], m=2, rounds=1, seed=1)
    filled = found.sets[0]
    gap = frame["job"].isna() & (frame["x"] > 1.2)
    # nobody with x > 0.5 has another answer; the prior leaves a little room
    assert (filled.loc[gap, "job"] == "none").mean() > 0.9
    for name, code in (("grade", filled["grade"].cat.codes), ("pays", filled["pays"].astype(float))):
        gone = frame[name].isna()
        slope = [np.corrcoef(frame.loc[rows, "x"], code[rows])[0, 1] for rows in (gone, ~gone)]
        assert slope[0] == pytest.approx(slope[1], abs=0.12)


def test_a_community_without_answers_is_filled_like_the_others_with_more_doubt() -> None:
    frame = town(2, 600).assign(second=lambda f: f["full"].mask(f["g"] == 4))
    found = impute(frame, ["second"], community="g", m=30, seed=3)
    each = [one.loc[one["g"] == 4, "second"].mean() for one in found.sets]
    elsewhere = frame.groupby("g")["full"].mean().drop(4)
    assert np.mean(each) == pytest.approx(elsewhere.mean(), abs=0.4)
    # how far communities lie apart, not how surely a mean of 60 people is known
    assert 0.5 < np.std(each) / elsewhere.std() < 1.6


def test_what_drifts_is_told() -> None:
    frame = classed(1)
    found = impute(frame, ["rating", "grade"], helpers=["x"], m=6, rounds=6, seed=2)
    assert len(found.trace) == 6 * 6 * 2 and found.note is None
    assert found.drift["column"].tolist() == ["grade", "rating"]
    # set i moves by 3 + 0.3 i from round 2 to round 5
    moving = found.trace.assign(mean_filled=found.trace["round"] * (1 + 0.1 * found.trace["set"]))
    drifting = Imputed(found.sets, found.columns, found.table, moving)
    assert drifting.note is not None
    assert drifting.note.en.startswith("What is filled in for grade, rating still drifts")
    assert impute(frame, ["rating"], helpers=["x"], m=2, seed=2).drift.empty


# --- both answers side by side ----------------------------------------------------------------
@given(seed=seeds)
@settings(max_examples=5, deadline=None)
def test_with_nothing_missing_both_answers_are_the_same(seed: int) -> None:
    frame = town(seed).assign(second=lambda f: f["full"])
    found = with_missing(frame, average, impute(frame, ["second"], community="g", m=3, seed=seed))
    assert found.imputed == found.complete
    assert found.difference_in_se == 0 and found.pooled.missing_share == 0
    assert found.sentence.en == "Nothing is missing; both ways give the same result."


def test_filling_in_mends_what_leaving_out_bends() -> None:
    bent, mended, inside = [], [], 0
    for seed in range(60):
        frame = town(seed)
        true = mean(frame, "full", Design(weights="w", psu="g")).value
        made = impute(frame, ["second"], community="g", weights="w", helpers=["first"], m=5, seed=seed)
        found = with_missing(frame, average, made)
        bent.append(found.complete.value - true)
        mended.append(found.imputed.value - true)
        inside += abs(found.imputed.value - true) < 2 * math.sqrt(found.pooled.between * 1.2) + 0.02
    assert np.mean(bent) > 0.2
    assert abs(np.mean(mended)) < 0.1 * np.mean(bent)
    assert inside > 50


def test_intervals_hold_the_truth_as_often_as_they_say_when_gaps_are_chance() -> None:
    inside, wider, runs = 0, [], 150
    for seed in range(runs):
        rng = np.random.default_rng(seed)
        x = rng.normal(size=120)
        y = np.where(rng.random(120) < 0.4, np.nan, x + rng.normal(size=120))
        frame = pd.DataFrame({"x": x, "second": y, "w": 1.0})
        made = impute(frame, ["second"], helpers=["x"], m=10, seed=seed)
        found = with_missing(frame, lambda f: mean(f, "second", Design(weights="w")), made)
        inside += found.imputed.low < 0 < found.imputed.high
        wider.append(found.imputed.se / found.complete.se)
    # 95 % of 150 is 142.5 with a standard error of 2.7
    assert inside >= 135
    # x tells half of what is missing, so it is worth having
    assert np.mean(wider) < 1


def test_the_table_sets_both_side_by_side() -> None:
    frame = town(2)
    found = with_missing(
        frame, average, impute(frame, ["second"], community="g", helpers=["first"], m=4, seed=1)
    )
    assert list(found.table["how"]) == ["complete cases", "multiple imputation"]
    gone = int(frame["second"].isna().sum())
    assert found.table["n"].tolist() == [len(frame) - gone, len(frame)]
    assert found.table["fmi"].iloc[1] == found.pooled.fmi
    assert found.sentence.en.startswith(f"{gone / 400:.0%} of the people miss an answer. Filling in")
    assert found.sentence.en.endswith("who did not answer matters.")
    assert found.sentence.zh.endswith("谁没有回答是有影响的。")
    # mean() asks for no test, so that there is none here
    assert math.isnan(found.imputed.p)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: impute(f, ["second"], m=1, seed=1), "at least two sets"),
        (lambda f: impute(f, ["second"], rounds=0, seed=1), "rounds = 0; expected at least one"),
        (lambda f: impute(f, [], seed=1), "no columns"),
        (lambda f: impute(f, ["first"], helpers=["second"], seed=1), "'second' is missing in .*must be complete"),
        (lambda f: impute(f, ["second"], helpers=["second"], seed=1), "to be filled and to help filling at once"),
        (lambda f: impute(f, ["secnd"], seed=1), "did you mean 'second'"),
        (lambda f: impute(f.assign(second=f["second"].where(f.index < 3)), ["second"], seed=1), "expected at least 5 to draw from"),
        (lambda f: impute(f.assign(w=0.0), ["second"], weights="w", seed=1), "no positive weight"),
        (lambda f: pool([1.0], [1.0]), "at least two sets"),
        (lambda f: pool([1.0, 2.0], [1.0, np.nan]), "missing or negative in set 1 "),
        (lambda f: pool([1.0, 2.0], [1.0, 1.0], 0), "df_complete = 0"),
        (lambda f: pool_jointly(np.ones((3, 2)), np.ones((3, 2))), "m x k x k"),
        (lambda f: pool_statistics([1.0, -2.0], 2), "none missing or negative"),
        (lambda f: with_missing(f.iloc[1:], average, impute(f, ["second"], seed=1, m=2)), "has 59 rows and the completed sets have 60"),
        (lambda f: with_missing(f, lambda g: mean(g.assign(second=2.0), "second", Design()), impute(f, ["second"], seed=1, m=2)), "no standard error for the complete cases"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(town(1, 60))
