"""The steps of an index, each against R and on paper."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.index.indicators import Indicator
from cbresearch.measure.index.steps import (
    Aggregate,
    Normalise,
    aggregate,
    impute,
    normalise,
    ranks,
    treat,
    winsorise,
)
from cbresearch.measure.index.weights import (
    RANDOM_INDEX,
    ahp,
    entropy_weights,
    equal_weights,
    expert_weights,
    principal,
)
from cbresearch.sampling.design import Floats

R = json.loads((Path(__file__).parents[1] / "reference" / "index.json").read_text(encoding="utf-8"))
SMALL = R["small"]
BFI = R["bfi_neuroticism"]
W = np.array([0.4, 0.3, 0.2, 0.1])


def close(value: Any) -> Any:
    return pytest.approx(np.asarray(value, dtype=float), rel=1e-8, abs=1e-12)


def table(columns: dict[str, list[float]]) -> Floats:
    return np.column_stack([columns[name] for name in "abcd"])


X = table(SMALL["data"])


@pytest.mark.parametrize("how", ["minmax", "zscore", "rank"])
def test_normalised_as_in_r(how: Normalise) -> None:
    assert normalise(X, how) == close(table(SMALL[how]["values"]))


def test_winsorised_as_in_r() -> None:
    found = winsorise(X)
    assert found.values == close(table(SMALL["winsorised"]["values"]))
    assert found.pulled.tolist() == list(SMALL["winsorised"]["pulled"].values())
    assert not found.still.any()


def test_entropy_and_principal_component_as_in_r() -> None:
    assert entropy_weights(X) == close(list(SMALL["entropy"]["values"].values()))
    found = principal(X)
    assert found.loadings == close(list(SMALL["pca"]["loading"].values()))
    assert found.share == close(SMALL["pca"]["share"])
    assert found.weights == close(found.loadings / found.loadings.sum())


def test_aggregated_as_in_r() -> None:
    assert aggregate(normalise(X, "minmax"), W, "arithmetic") == close(SMALL["arithmetic"]["values"])
    assert aggregate(normalise(X, "minmax", floor=1.0), W, "geometric") == close(SMALL["geometric"]["values"])
    assert ranks(aggregate(normalise(X, "minmax"), W, "arithmetic")) == close(SMALL["ranks"]["values"])


def test_five_items_of_bfi_as_in_r(shared_data: Path) -> None:
    frame = pd.read_csv(shared_data.parent / "reference" / "scales_bfi" / "bfi.csv")
    x = frame[[f"N{i}" for i in range(1, 6)]].dropna().to_numpy(dtype=float)
    alike = np.full(5, 0.2)
    assert len(x) == BFI["n"]
    assert aggregate(normalise(x, "zscore"), alike, "arithmetic")[:5] == close(BFI["z_mean_first5"])
    assert aggregate(normalise(x, "minmax"), alike, "arithmetic")[:5] == close(
        100 * np.array(BFI["minmax_mean_first5"])
    )
    assert aggregate(x, alike, "geometric")[:5] == close(BFI["geometric_mean_first5"])
    assert np.abs(principal(x).loadings) == close(BFI["pca_loading_pc1_abs"])
    assert principal(x).share == close(BFI["pca_share"][0])


def test_imputed_on_paper() -> None:
    values = np.array([[1.0, 4.0], [np.nan, 4.0], [2.0, np.nan], [6.0, 1.0]])
    assert impute(values, "mean")[:, 0].tolist() == [1, 3, 2, 6]
    assert impute(values, "median")[:, 0].tolist() == [1, 2, 2, 6] and impute(values, "mean")[2, 1] == 3
    with pytest.raises(EstimateError, match="2 cells are missing"):
        impute(values, "refuse")
    assert impute(values[[0, 3]], "refuse") is not None


def test_winsorised_on_both_sides_and_told_when_it_was_not_enough() -> None:
    # a column with two far values needs both pulled in to 9; mirrored it needs the same from below
    far = np.array([*range(10), 200.0, 210.0, *range(10), *range(10)])[:, None]
    up, down = winsorise(far), winsorise(-far)
    assert up.pulled.tolist() == [2] and up.values.max() == 9 and not up.still.any()
    assert (down.values == -up.values).all()
    stuck = winsorise(far, most=1)
    assert stuck.pulled.tolist() == [1] and stuck.still.tolist() == [True] and stuck.values.max() == 200
    assert treat(far, "none").values is far and not treat(far, "none").pulled.any()
    beside = np.hstack([far, np.ones_like(far)])
    assert winsorise(beside).pulled.tolist() == [2, 0] and (winsorise(beside).values[:, 1] == 1).all()
    three = np.array([[0.0], [0.0], [100.0]])
    assert (winsorise(three).values == three).all()  # G2 needs four areas


def test_normalised_on_paper() -> None:
    x = np.array([[2.0], [4.0], [4.0], [10.0]])
    assert normalise(x, "minmax")[:, 0].tolist() == [0, 25, 25, 100]
    assert normalise(x, "minmax", floor=1.0)[:, 0] == pytest.approx([1, 25.75, 25.75, 100])
    assert normalise(x, "rank")[:, 0] == pytest.approx([0, 50, 50, 100])
    # a target of 6 lies 4 above the worst: 4 is half way, 10 is there and no more
    assert normalise(x, "distance", targets=np.array([6.0]))[:, 0].tolist() == [0, 50, 50, 100]
    assert normalise(x, "zscore")[:, 0] == pytest.approx(np.array([-3, -1, -1, 5]) / math.sqrt(12))
    with pytest.raises(EstimateError, match="normalise='distance' needs targets"):
        normalise(x, "distance")
    for how in ("minmax", "zscore", "rank"):
        assert np.isnan(normalise(np.ones((3, 1)), how)).all() == (how != "rank")


def test_aggregated_on_paper() -> None:
    x, half = np.array([[4.0, 9.0], [0.0, 9.0], [-1.0, 9.0]]), np.array([0.5, 0.5])
    assert aggregate(x, half, "arithmetic").tolist() == [6.5, 4.5, 4.0]
    assert aggregate(x, half, "geometric") == pytest.approx([6.0, 0.0, math.nan], nan_ok=True)
    assert ranks(np.array([3.0, 5.0, 3.0, 1.0])).tolist() == [2, 1, 2, 4]
    assert ranks(np.array([0.1 + 0.2, 0.3, 0.0])).tolist() == [1, 1, 3]


tables = st.integers(0, 10_000).map(lambda seed: np.random.default_rng(seed).lognormal(size=(9, 4)))


@settings(max_examples=40)
@given(x=tables, a=st.floats(0.01, 100), b=st.floats(-50, 50))
def test_steps_know_no_unit_and_no_order(x: Floats, a: float, b: float) -> None:
    for how in ("minmax", "zscore", "rank"):
        assert normalise(a * x + b, how) == pytest.approx(normalise(x, how), abs=1e-6)
    assert winsorise(a * x + b).values == pytest.approx(a * winsorise(x).values + b)
    assert entropy_weights(a * x + b) == pytest.approx(entropy_weights(x))
    assert entropy_weights(x[::-1]) == pytest.approx(entropy_weights(x))
    assert principal(a * x + b).loadings == pytest.approx(principal(x).loadings, abs=1e-6)
    assert entropy_weights(x).sum() == pytest.approx(1) and (entropy_weights(x) >= 0).all()


@settings(max_examples=40)
@given(x=tables)
def test_a_geometric_mean_is_never_above_the_arithmetic(x: Floats) -> None:
    assert (aggregate(x, W, "geometric") <= aggregate(x, W, "arithmetic") + 1e-12).all()
    assert winsorise(x).values.max() <= x.max() and (np.argsort(ranks(x.T)) == np.argsort(-x.T)).all()


def test_many_tables_go_through_like_one() -> None:
    many = np.random.default_rng(1).lognormal(sigma=1.5, size=(40, 12, 4))
    treated = winsorise(many)
    assert treated.pulled.max() > 0
    for i, one in enumerate(many):
        alone = winsorise(one)
        assert (treated.values[i] == alone.values).all() and (treated.still[i] == alone.still).all()
        assert entropy_weights(many)[i] == pytest.approx(entropy_weights(one))
        assert principal(many).weights[i] == pytest.approx(principal(one).weights, nan_ok=True)
        for how in get_args(Normalise)[:3]:
            assert normalise(many, how)[i] == pytest.approx(normalise(one, how))
        for mean in get_args(Aggregate):
            assert aggregate(many, W, mean)[i] == pytest.approx(aggregate(one, W, mean))


def test_entropy_by_hand() -> None:
    # min-max columns (0, 1/2, 1) and (0, 0, 1): parts (0, 1/3, 2/3) and (0, 0, 1)
    e = -(1 / 3 * math.log(1 / 3) + 2 / 3 * math.log(2 / 3)) / math.log(3)
    assert entropy_weights(np.array([[0.0, 5], [1, 5], [2, 9]])) == pytest.approx(
        [(1 - e) / (2 - e), 1 / (2 - e)]
    )


def test_an_indicator_against_the_rest_has_no_principal_weight() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=(30, 1)) + 0.3 * rng.normal(size=(30, 4))
    assert (principal(x).weights > 0).all()
    x[:, 3] *= -1
    assert np.isnan(principal(x).weights).all() and principal(x).loadings[3] < 0


def test_equal_and_expert_weights() -> None:
    pillars = [Indicator("a", pillar="p"), Indicator("b", pillar="p"), Indicator("c", pillar="q")]
    assert equal_weights(pillars).tolist() == [0.25, 0.25, 0.5]
    assert equal_weights([Indicator("a"), Indicator("b")]).tolist() == [0.5, 0.5]
    assert expert_weights([Indicator("a", weight=3), Indicator("b", weight=1)]).tolist() == [0.75, 0.25]
    with pytest.raises(EstimateError, match=r"not 0 for all; look at b, c\."):
        expert_weights([Indicator("a", weight=3), Indicator("b"), Indicator("c", weight=-1)])


# choosing a house: Saaty (1990), How to make a decision, European J. of Operational Research 48, table 2
HOUSE = pd.DataFrame(
    [
        [1, 5, 3, 7, 6, 6, 1 / 3, 1 / 4],
        [1 / 5, 1, 1 / 3, 5, 3, 3, 1 / 5, 1 / 7],
        [1 / 3, 3, 1, 6, 3, 4, 6, 1 / 5],
        [1 / 7, 1 / 5, 1 / 6, 1, 1 / 3, 1 / 4, 1 / 7, 1 / 8],
        [1 / 6, 1 / 3, 1 / 3, 3, 1, 1 / 2, 1 / 5, 1 / 6],
        [1 / 6, 1 / 3, 1 / 4, 4, 2, 1, 1 / 5, 1 / 6],
        [3, 5, 1 / 6, 7, 5, 5, 1, 1 / 2],
        [4, 7, 5, 8, 6, 6, 2, 1],
    ],
    index=list("stnaymcf"), columns=list("stnaymcf"),
)  # fmt: skip


def test_the_house_of_saaty() -> None:
    found = ahp(HOUSE)
    printed = [0.173, 0.054, 0.188, 0.018, 0.031, 0.036, 0.167, 0.333]
    assert found.weights == pytest.approx(printed, abs=5e-4)
    assert found.largest_eigenvalue == pytest.approx(9.669, abs=5e-4)
    assert found.consistency_index == pytest.approx(0.238, abs=5e-4)
    assert found.consistency_ratio == pytest.approx(0.169, abs=5e-4) and not found.consistent


def test_ahp_by_power_iteration() -> None:
    vector = np.ones(8)
    for _ in range(200):
        vector = HOUSE.to_numpy() @ vector
        largest, vector = vector.sum(), vector / vector.sum()
    assert ahp(HOUSE).weights == pytest.approx(vector, rel=1e-9)
    assert ahp(HOUSE).largest_eigenvalue == pytest.approx(largest, rel=1e-9)


@settings(max_examples=30)
@given(w=st.lists(st.floats(0.1, 1), min_size=1, max_size=len(RANDOM_INDEX)))
def test_comparisons_made_from_weights_give_them_back(w: list[float]) -> None:
    names = [f"i{j}" for j in range(len(w))]
    matrix = np.array(w)[:, None] / np.array(w)
    matrix[np.tril_indices(len(w), -1)] = np.nan  # the upper triangle is enough
    found = ahp(pd.DataFrame(matrix, names, names))
    assert found.weights == pytest.approx(np.array(w) / sum(w))
    assert found.consistency_ratio == pytest.approx(0, abs=1e-9) and found.consistent


def test_comparisons_that_cannot_be() -> None:
    with pytest.raises(EstimateError) as refused:
        ahp(pd.DataFrame([[1, 3, 0], [3, 2, 1], [1, 1, 1]], list("abc"), list("abc")))
    for fault in (
        "(a, b) is 3 and its mirror image 3; one is 1 over the other",
        "(a, c): 0; expected a number above 0",
        "(b, b) is 2",
    ):
        assert fault in str(refused.value)
    with pytest.raises(EstimateError, match="expected the same names in the same order, 15 at most"):
        ahp(pd.DataFrame([[1.0, 2], [0.5, 1]], ["a", "b"], ["b", "a"]))
    # 0.33 is how people type a third
    assert ahp(pd.DataFrame([[1, 3], [0.33, 1]], list("ab"), list("ab"))).weights[0] == pytest.approx(
        0.75, abs=0.01
    )
