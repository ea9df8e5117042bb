"""Alpha, item by item: by hand, by laws, against psych."""

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

from cbresearch.errors import EstimateError
from cbresearch.measure.reliability import alpha, alpha_interval, ordinal_alpha


def with_holes(items: pd.DataFrame, seed: int, share: float) -> pd.DataFrame:
    return items.mask(np.random.default_rng(seed).random(items.shape) < share)


def first(items: pd.DataFrame, n: int) -> pd.DataFrame:
    """Only the first n residents answered."""
    return items.mask(pd.Series(items.index >= n, index=items.index))


# --- by hand ----------------------------------------------------------------------------------
def test_alpha_of_two_items_by_hand() -> None:
    # variances 1 and 1, covariance 0.5: 2 (1 - 2/3) = 2/3
    found = alpha(pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 1, 3]}))
    assert found.value == pytest.approx(2 * (1 - 2 / 3))
    assert found.average_r == pytest.approx(0.5)
    assert found.table["alpha_without"].isna().all()
    assert (found.n, found.method) == (3, "Feldt, n = 3")


def test_kish_by_hand() -> None:
    # weights 1, 1, 2: 16 / 6
    items = pd.DataFrame({"a": [1.0, 2, 3], "b": [2.0, 1, 3]})
    found = alpha(items, weights=pd.Series([1.0, 1, 2]))
    assert found.effective_n == pytest.approx(16 / 6)
    assert found.method == "Feldt, Kish's effective n = 2.7"


def test_answers_that_cancel_out_have_no_alpha() -> None:
    found = alpha(pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [4.0, 3, 2, 1]}))
    assert math.isnan(found.value) and math.isnan(found.low)
    assert found.note is not None and found.note.en.startswith("a, b point the other way")


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 500), unit=st.floats(0.1, 10), shift=st.floats(-1e7, 1e7))
@settings(max_examples=20)
def test_units_change_nothing(seed: int, unit: float, shift: float) -> None:
    items = with_holes(scale(seed), seed, 0.1)
    one, other = alpha(items), alpha(items * unit + shift)
    assert other.value == pytest.approx(one.value, rel=1e-6)
    assert other.lambda6 == pytest.approx(one.lambda6, rel=1e-6)


@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_the_order_of_items_and_residents_does_not_matter(seed: int) -> None:
    items = with_holes(scale(seed), seed, 0.1)
    mixed = items.sample(frac=1, random_state=seed)[["q2", "q0", "q3", "q1"]]
    one, other = alpha(items), alpha(mixed)
    assert (other.value, other.lambda6) == pytest.approx((one.value, one.lambda6))
    rest = other.table.set_index("item")["rest"].reindex(items.columns)
    assert rest.tolist() == pytest.approx(one.table["rest"].tolist())


@given(seed=st.integers(0, 500))
@settings(max_examples=15)
def test_weights_of_two_are_residents_written_twice(seed: int) -> None:
    items = with_holes(scale(seed, n=60), seed, 0.1)
    twice = pd.concat([items, items.iloc[:20]], ignore_index=True)
    weights = pd.Series([2.0] * 20 + [1.0] * 40)
    one, other = alpha(items, weights=weights), alpha(twice)
    # with holes the divisor n - 1 differs from pair to pair, and by weights: to its third digit
    assert one.value == pytest.approx(other.value, abs=2e-3)
    whole, same = alpha(scale(seed, n=60), weights=weights), alpha(pd.concat([scale(seed, n=60)] * 2)[:80])
    assert whole.value == pytest.approx(same.value, rel=1e-9)
    assert one.effective_n < other.n


@given(seed=st.integers(0, 500))
@settings(max_examples=10)
def test_residents_of_no_weight_or_no_answer_are_not_there(seed: int) -> None:
    items = scale(seed, n=80)
    one = alpha(items.iloc[:50])
    none = alpha(items, weights=pd.Series([1.0] * 50 + [0.0] * 30))
    silent = alpha(first(items, 50))
    for other in (none, silent):
        assert (other.value, other.low, other.high) == pytest.approx((one.value, one.low, one.high))
        assert other.n == one.n == 50


def test_nullable_codes_are_as_good_as_floats() -> None:
    items = with_holes(scale(3), 3, 0.2)
    assert alpha(items.astype("Int64")).value == pytest.approx(alpha(items).value)


def test_feldt_s_interval_covers() -> None:
    inside, true = 0, 4 * 0.49 / (1 + 3 * 0.49)
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = 0.7 * rng.normal(size=(80, 1)) + math.sqrt(0.51) * rng.normal(size=(80, 4))
        found = alpha(pd.DataFrame(values, columns=list("abcd")))
        inside += found.low <= true <= found.high
    assert inside / 300 == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 300))


# --- clusters ---------------------------------------------------------------------------------
def clustered(seed: int = 1, groups: int = 20) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(groups), 15)
    base = rng.normal(size=groups)[g][:, None] * 2
    spread = rng.uniform(0.2, 2, groups)[g][:, None]
    items = pd.DataFrame(base + spread * rng.normal(size=(len(g), 4)), columns=list("abcd"))
    return items, pd.Series(g).astype(str)


def test_the_interval_over_clusters_is_wider_where_residents_are_alike() -> None:
    items, cluster = clustered()
    found, feldt = alpha_interval(items, cluster, draws=500), alpha(items)
    assert found.value == pytest.approx(feldt.value)
    assert found.low < found.value < found.high
    assert found.high - found.low > 2 * (feldt.high - feldt.low)
    assert (found.n, found.clusters, found.draws, found.note) == (300, 20, 500, None)


def test_the_interval_over_single_residents_is_feldt_s() -> None:
    rng = np.random.default_rng(5)
    values = 0.7 * rng.normal(size=(600, 1)) + math.sqrt(0.51) * rng.normal(size=(600, 4))
    items = pd.DataFrame(values, columns=list("abcd"))
    found, feldt = alpha_interval(items, pd.Series(range(600)), draws=2000), alpha(items)
    assert (found.low, found.high) == pytest.approx((feldt.low, feldt.high), abs=0.01)


def test_the_same_seed_draws_the_same_clusters() -> None:
    items, cluster = clustered()
    one, again, other = (alpha_interval(items, cluster, draws=200, seed=s) for s in (3, 3, 4))
    assert one == again and one.low != other.low


def test_incomplete_residents_have_no_say_but_their_cluster_may_be_drawn() -> None:
    items, cluster = clustered()
    items.loc[cluster == "7", "a"] = np.nan
    found = alpha_interval(items, cluster, draws=200)
    assert (found.n, found.clusters) == (285, 20)
    assert found.value == pytest.approx(alpha(items, missing="complete").value)


def test_few_clusters_are_told() -> None:
    found = alpha_interval(*clustered(groups=6), draws=200)
    assert found.note is not None
    assert found.note.en == "Only 6 clusters could be drawn anew; the interval is probably too narrow."


# --- R ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", R["scales"])
def test_scales_as_in_psych(name: str, shared_data: Path) -> None:
    told, items = R["scales"][name], keyed(bfi_answers(shared_data), name)
    found, complete = alpha(items), alpha(items, missing="complete")
    assert (found.value, found.standardised, found.lambda6, found.average_r) == pytest.approx(
        (told["raw_alpha"], told["std_alpha"], told["G6_smc"], told["average_r"]), rel=1e-10
    )
    assert (found.low, found.high) == pytest.approx((told["feldt"][0], told["feldt"][2]), rel=1e-10)
    pairs = (("rest", "r_drop"), ("mean", "mean"), ("sd", "sd"), ("alpha_without", "alpha_drop"))
    for column, theirs in pairs:
        assert found.table[column].tolist() == pytest.approx(told[theirs], rel=1e-10)
    assert not found.table["is_reversed"].any()
    assert complete.value == pytest.approx(told["complete_alpha"], rel=1e-10)
    assert (complete.low, complete.high) == pytest.approx(told["complete_feldt"], rel=1e-10)
    assert ordinal_alpha(items.dropna()).value == pytest.approx(told["ordinal_alpha"], abs=1e-3)


# --- words and refusals ------------------------------------------------------------------------
def test_an_item_that_points_the_other_way_is_told_not_turned() -> None:
    found = alpha(scale(1).assign(q0=lambda f: 6 - f["q0"]))
    assert found.note is not None
    assert found.note.en == (
        "q0 points the other way from the rest; perhaps it was not reversed. Nothing was turned here."
    )
    assert "q0 与其余题目方向相反" in found.note.zh
    assert found.table["is_reversed"].tolist() == [True, False, False, False]
    assert found.value < alpha(scale(1)).value and alpha(scale(1)).note is None


def test_ordinal_alpha_is_higher_and_has_no_interval() -> None:
    one, latent = alpha(scale(1)), ordinal_alpha(scale(1))
    assert latent.value > one.value and latent.kind == "polychoric"
    assert math.isnan(latent.low) and latent.method.startswith("no interval: Feldt's is too narrow")


def test_pairs_that_contradict_each_other_are_told() -> None:
    # a goes with b, b with c, but c against a, each pair told by other residents
    up, down = [1.0, 2, 3, 4, 5], [5.0, 4, 3, 2, 1]
    no = [np.nan] * 5
    items = pd.DataFrame({"a": up + no + up, "b": up + up + no, "c": no + up + down})
    found = alpha(items)
    assert found.note is not None and "contradict each other" in found.note.en
    assert math.isnan(found.lambda6)


def test_items_that_repeat_each_other_have_no_lambda6() -> None:
    assert math.isnan(alpha(scale(1).assign(q4=lambda f: f["q0"])).lambda6)


SPLIT = scale(1).assign(q0=lambda f: f["q0"].where(f.index < 100), q1=lambda f: f["q1"].where(f.index >= 100))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: alpha(f[["q0"]]), "1 items; expected at least 2"),
        (lambda f: alpha(f.assign(q1=3.0, q2=np.nan)), r"(?s)everybody answered 'q1' alike \(3\).*nobody answered 'q2'"),
        (lambda f: alpha(f.assign(q1="often")), "Column 'q1' holds text"),
        (lambda f: alpha(f.assign(q1=f["q1"].replace(5, np.inf))), "'q1' holds infinite numbers"),
        (lambda f: alpha(f[["q0", "q1", "q0"]]), "'q0' is named twice"),
        (lambda f: alpha(f, missing="listwise"), "expected one of pairwise, complete"),
        (lambda f: alpha(first(f, 2), missing="complete"), "2 residents answered every one of 4 items; expected at least 3"),
        (lambda f: alpha(f.assign(q0=f["q0"].where(f.index < 10), q1=[2.0] * 10 + [3.0] * 190), missing="complete"), "'q1' never varies among the 10 residents"),
        (lambda f: alpha(SPLIT), r"Nobody answered both 'q0' and 'q1' \(of 1 such pairs\)"),
        (lambda f: alpha(f, weights=pd.Series([1.0] * 3)), "3 weights for 200 residents"),
        (lambda f: alpha(f, weights=pd.Series(1.0, index=range(1, 201))), "labelled otherwise than the rows"),
        (lambda f: alpha(f, weights=pd.Series([-1.0] + [1.0] * 199)), "none missing or negative"),
        (lambda f: alpha(f, weights=pd.Series([0.0] * 200)), "every weight is 0"),
        (lambda f: alpha(f.assign(q0=[1.0] * 99 + [2.0] * 101), weights=pd.Series([1.0] * 99 + [0.0] * 101)), "'q0' never varies among residents with a weight"),
        (lambda f: alpha_interval(f, pd.Series(["a"] * 200)), "1 cluster; redrawing needs two"),
        (lambda f: alpha_interval(f, pd.Series([None, "a"] + ["b"] * 198)), "1 residents belong to no cluster"),
        (lambda f: alpha_interval(f, pd.Series(range(3))), "3 labels of clusters for 200 residents"),
        (lambda f: alpha_interval(f, pd.Series(range(200), index=range(1, 201))), "stand on other rows"),
        (lambda f: alpha_interval(f, pd.Series(range(200)), draws=10), "draws=10"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(scale(1))
