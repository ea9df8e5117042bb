"""The panel of methods and its verdict."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from cbresearch.errors import EstimateError
from cbresearch.estimate import few_clusters
from cbresearch.estimate.clusters.effective import Bearing
from cbresearch.estimate.clusters.verdict import Without, decide, sentence
from cbresearch.records import Estimate, Text


def frame(effect: float, seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(23), 20)
    x = rng.normal(size=23)[g]
    y = effect * x + rng.normal(scale=0.3, size=23)[g] + rng.normal(size=len(g))
    return pd.DataFrame(
        {"y": y, "x": x, "age": rng.integers(18, 80, len(g)), "g": g, "w": rng.uniform(0.5, 2, len(g))}
    )


def with_p(*values: float) -> tuple[Estimate, ...]:
    nan = math.nan
    methods = ("CR2", "CR1S", "CR3", "wild bootstrap", "permutation")
    return tuple(
        Estimate("x", 1.0, 0.5, 9, nan, nan, 100, 23, "points", (), m, p)
        for m, p in zip(methods, values, strict=True)
    )


def test_the_table_begins_with_the_answer() -> None:
    found = few_clusters(frame(1.0), "y ~ x + age", cause="x", cluster="g", weights="w")
    assert list(found.table.columns) == ["method", "estimate", "se", "df", "p", "low", "high"]
    assert list(found.table["method"]) == [
        "CR2", "CR1S", "CR3", "wild bootstrap", "unrestricted wild bootstrap", "permutation",
    ]  # fmt: skip
    assert (found.clusters, found.smallest_cluster, found.largest_cluster, len(found.without_each)) == (
        23,
        20,
        20,
        23,
    )
    assert found.table["df"][1] == 22.0
    assert found.decision == "agree"
    assert found.verdict.en.startswith(
        "Every method sees an effect (CR2 p < 0.001, wild bootstrap p < 0.001, permutation p < 0.001)."
    )
    assert found.verdict.zh.startswith("各种方法都看到了影响（CR2 p < 0.001")


def test_no_effect_comes_with_the_effect_that_could_have_been_seen() -> None:
    found = few_clusters(frame(0.0, seed=4), "y ~ x + age", cause="x", cluster="g", weights="w")
    assert found.decision == "cannot tell"
    assert (
        f"an effect of about {found.smallest_effect:.2g}, in the unit of the estimate, would have been seen four times in five"
        in found.verdict.en
    )
    assert found.smallest_effect > 2.8 * found.estimates[0].se  # the normal would say 2.80


def test_rows_with_gaps_are_left_out_and_counted() -> None:
    data = frame(1.0)
    data["y"] = data["y"].astype("Float64").mask(data.index < 7)
    data["age"] = data["age"].astype("Int64").mask(data.index == 10)
    assert few_clusters(data, "y ~ x + age", cause="x", cluster="g").estimates[0].n == len(data) - 8


def test_classes_and_functions_in_a_formula() -> None:
    data = frame(1.0).assign(sex=pd.array(["1", "2"] * 230, dtype="string"))
    found = few_clusters(data, "y ~ x + C(sex) + np.log(age)", cause="x", cluster="g")
    assert found.estimates[0].value == pytest.approx(1.0, abs=0.3)


@pytest.mark.parametrize(
    ("ps", "decision"),
    [
        ((0.01, 0.02, 0.03, 0.04, 0.04), "agree"),
        ((0.06, 0.01, 0.20, 0.10, 0.04), "disagree"),
        # CR1S rejects too often and CR3 too rarely to have a vote
        ((0.06, 0.01, 0.20, 0.10, 0.30), "cannot tell"),
        ((0.01, 0.01, 0.20, 0.01, 0.02), "agree"),
        # a cause that cannot be permuted
        ((0.01, 0.01, 0.01, 0.01, math.nan), "agree"),
    ],
)
def test_the_decision_counts_every_method_that_has_a_say(ps: tuple[float, ...], decision: str) -> None:
    assert decide(with_p(*ps), Bearing(23, 10.0, None, 0.1)) == decision


def test_the_bootstrap_has_no_vote_with_few_treated() -> None:
    split = with_p(0.01, 0.01, 0.01, 0.20, 0.01)
    assert decide(split, Bearing(23, 3.0, 3, 0.3)) == "agree"
    assert decide(split, Bearing(23, 9.0, 9, 0.1)) == "disagree"
    assert decide(split, Bearing(23, 3.0, 20, 0.3)) == "agree"


def test_a_cluster_that_turns_the_sign_is_named_in_words() -> None:
    without = [Without("1", 0.8), Without("2", -0.1)]
    said = sentence(
        "disagree",
        with_p(0.06, 0.01, 0.2, 0.1, 0.01),
        without,
        2.0,
        lambda code: Text(f"社区{code}", f"Community {code}"),
    )
    assert said.en.endswith("so nothing should rest on it. Without Community 2 the sign turns.")
    assert said.zh.endswith("不宜据此下结论。去掉社区2（任何一个），方向就会相反。")


@pytest.mark.parametrize(
    ("formula", "cause", "cluster", "said"),
    [
        ("y ~ fund", "fund", "g", "The formula 'y ~ fund' cannot be read: .*name 'fund' is not defined"),
        ("y ~ x + age", "ag", "g", "has no column 'ag'; it has Intercept, x, age. Did you mean 'age'?"),
        ("y ~ x", "x", "gg", r"The frame has no column 'gg' \(did you mean 'g'\?\)"),
        ("y ~ x", "x", "gap", "'gap' is missing in 460 of 460 rows"),
        ("y + x ~ age", "age", "g", "The left side of"),
    ],
)
def test_bad_use_is_refused(formula: str, cause: str, cluster: str, said: str) -> None:
    data = frame(1.0).assign(gap=None)
    with pytest.raises(EstimateError, match=said):
        few_clusters(data, formula, cause=cause, cluster=cluster)
