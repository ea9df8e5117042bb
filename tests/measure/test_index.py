"""A composite index, and how far it depends on whom the sample met and how it was made."""

from __future__ import annotations

import math
from dataclasses import astuple
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.index.composite import composite_index
from cbresearch.measure.index.indicators import Indicator
from cbresearch.measure.index.redraws import normal_redraws, replicate_redraws
from cbresearch.measure.index.uncertainty import Choices, index_uncertainty
from cbresearch.records import Text

INDICATORS = [Indicator("care"), Indicator("food"), Indicator("wait", direction=-1), Indicator("clubs")]
SE = {"care": "care_se", "food": "food_se", "wait": "wait_se"}


def communities(seed: int = 1, n: int = 12, se: float = 3.0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    good = rng.normal(size=n)
    frame = pd.DataFrame({"community": [f"C{i + 1}" for i in range(n)]})
    frame["care"] = 60 + 8 * good + rng.normal(scale=4, size=n)
    frame["food"] = 70 + 6 * good + rng.normal(scale=4, size=n)
    frame["wait"] = 20 - 4 * good + rng.normal(scale=3, size=n)
    frame["clubs"] = np.exp(good + rng.normal(scale=0.5, size=n))
    return frame.assign(care_se=se, food_se=se, wait_se=se / 2)


def test_three_communities_on_paper() -> None:
    # care 0, 50, 100; wait, less being better, 100, 0, 50: means 50, 25, 75
    frame = pd.DataFrame({"community": ["a", "b", "c"], "care": [1, 2, 3], "wait": [10, 30, 20]})
    found = composite_index(frame, [INDICATORS[0], INDICATORS[2]], area="community")
    assert [(a.area, a.score, a.rank) for a in found.areas] == [("a", 50, 2), ("b", 25, 3), ("c", 75, 1)]
    assert list(found.table["area"]) == ["c", "a", "b"]
    assert [w.weight for w in found.weights] == [0.5, 0.5]
    assert found.sentence == Text(
        "按2项指标合成，3个社区中c得分最高。", "Of 3 areas, c scored highest on 2 indicators taken together."
    )
    # geometric, the worst being 1: sqrt(1 · 100), sqrt(50.5 · 1), sqrt(100 · 50.5)
    geometric = composite_index(
        frame, [INDICATORS[0], INDICATORS[2]], area="community", aggregate="geometric"
    )
    assert [a.score for a in geometric.areas] == pytest.approx([10, math.sqrt(50.5), math.sqrt(5050)])


def test_every_step_is_told() -> None:
    frame = communities(n=20)
    frame.loc[3, "food"], frame.loc[5, "clubs"] = np.nan, 500.0
    found = composite_index(
        frame, INDICATORS, area="community", missing="median", treat="winsorise", weights="pca", normalise="zscore"
    )  # fmt: skip
    assert [step.step for step in found.steps] == ["impute", "treat", "normalise", "weight", "aggregate"]
    told = {step.step: step.told for step in found.steps}
    assert told["impute"].en == "1 missing cell was filled with the indicator's median (food)."
    assert told["impute"].zh == "1个缺失值用该指标的中位数补上（food）。"
    assert told["treat"].en.startswith("Far-out values were pulled in: 1 of clubs.")
    assert told["treat"].zh.startswith("收缩了极端值：clubs1个。")
    assert "The first component holds" in told["weight"].en and "第一主成分解释了" in told["weight"].zh
    assert [a.score for a in found.areas] != [a.score for a in composite_index(
        frame, INDICATORS, area="community", missing="mean", normalise="zscore").areas]  # fmt: skip
    plain = composite_index(communities(), INDICATORS, area="community", treat="winsorise")
    assert plain.steps[0].told.en == "Nothing was missing."
    assert plain.steps[1].told.en == "No indicator was lopsided enough to be treated."


def test_comparisons_that_contradict_each_other_are_said() -> None:
    names = ["care", "food", "wait"]
    pairwise = pd.DataFrame([[1, 3, 1 / 3], [np.nan, 1, 3], [np.nan, np.nan, 1]], names[::-1], names[::-1])
    found = composite_index(communities(), INDICATORS[:3], area="community", weights="ahp", pairwise=pairwise)
    assert found.ahp is not None and not found.ahp.consistent
    assert "The comparisons contradict each other (CR = " in found.sentence.en
    assert "两两比较前后矛盾（CR = " in found.sentence.zh
    assert "the experts should compare again." in found.steps[3].told.en
    # rows of the matrix stand in another order than the indicators: weights go by name
    assert [w.weight for w in found.weights] == pytest.approx(found.ahp.weights[::-1].tolist())


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), weights=st.sampled_from(["equal", "entropy", "expert"]), how=st.sampled_from(["minmax", "rank"]))  # fmt: skip
def test_scores_know_no_unit_and_better_is_never_worse(seed: int, weights: Any, how: Any) -> None:
    indicators = [Indicator(i.column, i.direction, weight=j + 1.0) for j, i in enumerate(INDICATORS)]
    frame = communities(seed)
    options: dict[str, Any] = {"area": "community", "weights": weights, "normalise": how}
    found = composite_index(frame, indicators, **options)
    turned = frame.assign(wait=3 - 2 * frame["wait"], care=frame["care"] * 7)
    flipped = [Indicator(i.column, 1, weight=i.weight) for i in indicators]
    assert [a.score for a in composite_index(turned, flipped, **options).areas] == pytest.approx(
        [a.score for a in found.areas]
    )
    assert sum(w.weight for w in found.weights) == pytest.approx(1)
    assert all(0 <= a.score <= 100 + 1e-9 for a in found.areas)
    shuffled = composite_index(frame.sample(frac=1, random_state=1), indicators, **options)
    assert {a.area: a.rank for a in shuffled.areas} == {a.area: a.rank for a in found.areas}
    # one area gains on one indicator, and is not the best or worst on it
    middle = frame["care"].argsort().iloc[5]
    gained = frame.assign(care=frame["care"].where(frame.index != middle, frame["care"].nlargest(2).iloc[1]))
    if weights != "entropy":
        assert composite_index(gained, indicators, **options).areas[middle].rank <= found.areas[middle].rank


@pytest.mark.parametrize(
    ("indicators", "options", "faults"),
    [
        ([], {}, ["no indicator was named"]),
        (
            [Indicator("care", pillar="p"), Indicator("cares", direction=2), Indicator("care")],
            {},
            ["'care' is named 2 times", "cares, care has no pillar", "(did you mean 'care'?)", "has direction 2; expected 1"],
        ),
        (
            [Indicator("flat"), Indicator("empty"), Indicator("community")],
            {},
            ["'flat' is 1 everywhere and tells no area from another", "'empty' is missing everywhere", "holds text such as ['C1']"],
        ),
        ([Indicator("holes"), Indicator("care")], {}, ["'holes' is missing for C1, C2, C3, C4, C5 and 1 more"]),
        (INDICATORS, {"area": "twice"}, ["'twice' has x more than once; an index takes one row per area"]),
        (INDICATORS, {"area": "place"}, ["the frame has no column 'place' for areas"]),
        (INDICATORS, {"normalise": "min-max", "weights": "equall"}, ["Did you mean 'minmax'?", "Did you mean 'equal'?"]),
        (INDICATORS, {"normalise": "zscore", "aggregate": "geometric"}, ["z-scores lie around 0"]),
        (
            [Indicator("care", target=0), Indicator("food")],
            {"normalise": "distance"},
            ["the target of 'care' (0) is no better than the worst area", "'food' has no target"],
        ),
        (INDICATORS, {"weights": "expert"}, ["look at care, food, wait, clubs."]),
        (INDICATORS, {"weights": "ahp"}, ["needs pairwise= comparisons with rows and columns named care, food, wait, clubs; found none"]),
        (
            [Indicator("care"), Indicator("food"), Indicator("wait")],
            {"weights": "pca"},
            ["on the first component wait points against the rest"],
        ),
    ],
)  # fmt: skip
def test_bad_use_is_refused(indicators: list[Indicator], options: dict[str, Any], faults: list[str]) -> None:
    frame = communities().assign(flat=1.0, empty=np.nan, twice="x")
    frame["holes"] = frame["care"].where(frame.index > 5)
    with pytest.raises(EstimateError) as refused:
        composite_index(frame, indicators, **{"area": "community", **options})
    for fault in faults:
        assert fault in str(refused.value)


def redrawn(frame: pd.DataFrame, draws: int = 200, **options: Any) -> Any:
    return normal_redraws(frame, INDICATORS, area="community", se=SE, draws=draws, **options)


def test_uncertainty_is_the_index_made_again_and_again() -> None:
    # the slow way: composite_index() for each table and recipe, ranks counted one by one
    frame = communities(n=8)
    tables = redrawn(frame, 100)
    choices = Choices(normalise=("minmax", "rank"), weights=("equal", "entropy"), aggregate=("arithmetic",))
    found = index_uncertainty(frame, INDICATORS, tables, area="community", choices=choices, top=2)
    ranks = []
    for normalise, weights in product(choices.normalise, choices.weights):
        for table in tables:
            made = frame.assign(**{i.column: table[:, j] * i.direction for j, i in enumerate(INDICATORS)})
            again = composite_index(made, INDICATORS, area="community", normalise=normalise, weights=weights)
            ranks.append([a.rank for a in again.areas])
    counted = np.array(ranks, dtype=float).reshape(4, 100, 8)
    assert [a.top for a in found.areas] == pytest.approx((counted <= 2).mean(axis=(0, 1)).tolist())
    for r in range(8):
        assert found.rank_shares[:, r] == pytest.approx((counted == r + 1).mean(axis=(0, 1)))
    # Sobol' indices from their definition: variance of conditional means over the variance
    total = counted.var(axis=(0, 1))
    assert [a.by_method for a in found.areas] == pytest.approx(
        (counted.mean(axis=1).var(axis=0) / total).tolist()
    )
    assert [a.by_sampling for a in found.areas] == pytest.approx(
        (counted.mean(axis=0).var(axis=0) / total).tolist()
    )
    assert found.by_method == pytest.approx(counted.mean(axis=1).var(axis=0).sum() / total.sum())
    once = composite_index(frame, INDICATORS, area="community")
    assert [(a.score, a.rank) for a in found.areas] == [(a.score, a.rank) for a in once.areas]


@settings(max_examples=15)
@given(seed=st.integers(0, 10_000))
def test_laws_of_doubt(seed: int) -> None:
    frame = communities(seed)
    found = index_uncertainty(frame, INDICATORS, redrawn(frame, 100), area="community")
    assert found.rank_shares.sum(axis=1) == pytest.approx(np.ones(12))
    assert found.by_method + found.by_sampling + found.by_both == pytest.approx(1)
    for area in found.areas:
        # an area best on everything scores 100 whatever the sample: its interval has no width
        assert area.rank_low <= area.rank_high and area.score_low <= area.score_high
        assert area.standing_low <= area.standing_high
    assert len(found.recipes) == 4 and found.failed == 0 and found.draws == 100
    # without sampling error only the method is left, with one recipe only the sample
    exact = frame.assign(care_se=0.0, food_se=0.0, wait_se=0.0)
    method = index_uncertainty(exact, INDICATORS, redrawn(exact, 100), area="community")
    assert method.by_method == pytest.approx(1) or math.isnan(method.by_method)
    assert all(area.score_low == pytest.approx(area.score_high) for area in method.areas)
    one = Choices(normalise=("minmax",), aggregate=("arithmetic",))
    sampling = index_uncertainty(frame, INDICATORS, redrawn(frame, 100), area="community", choices=one)
    assert (sampling.by_method, sampling.by_sampling) == pytest.approx((0, 1), abs=1e-9)


def test_what_never_moves_has_no_shares_and_what_is_sure_is_said() -> None:
    frame = communities(se=0.0)
    frame.loc[0, ["care", "food", "wait", "clubs"]] = [99, 99, 1, 20]
    one = Choices(normalise=("minmax",), aggregate=("arithmetic",))
    still = index_uncertainty(frame, INDICATORS, redrawn(frame, 100), area="community", choices=one)
    assert all(math.isnan(x) for a in still.areas for x in (a.by_method, a.by_sampling, a.by_both))
    assert still.sentence.en.endswith(
        "For half of the areas the interval of the rank spans at least 1 of 12 places."
    )
    frame = frame.assign(care_se=3.0)
    found = index_uncertainty(
        frame, INDICATORS, redrawn(frame), area="community", top=1, names={"C1": Text("甲社区", "Jia")}
    )
    assert found.areas[0].rank == 1 and found.table.loc[0, "area"] == "C1"
    assert found.sentence.en.startswith("Surely among the first 1: Jia (chance over 99%).")
    assert found.sentence.zh.startswith("可以肯定进入前1名的有：甲社区（把握99%以上）。")
    assert (
        f"{found.by_sampling:.0%} is sampling, {found.by_method:.0%} the choice among 4 recipes"
        in found.sentence.en
    )
    assert found.ranks.query("area == 'C1' and rank == 1")["share"].item() == 1.0
    assert len(found.ranks) == 144 and astuple(found.areas[0])[0] == "C1"


def test_redraws_have_the_errors_they_were_given() -> None:
    frame = communities(n=5)
    names = [i.column for i in INDICATORS]
    alike = pd.DataFrame(np.eye(4), names, names)
    alike.loc["care", "wait"] = alike.loc["wait", "care"] = 0.8
    tables = redrawn(frame, 20_000, correlation=alike.loc[names[::-1], names])
    off = tables - tables.mean(axis=0)
    assert off.std(axis=0)[:, 0] == pytest.approx(np.full(5, 3.0), rel=0.03)
    assert off.std(axis=0)[:, 2] == pytest.approx(np.full(5, 1.5), rel=0.03)
    assert off.std(axis=0)[:, 3] == pytest.approx(np.zeros(5), abs=1e-9)
    # less waiting is better: what goes together as asked goes apart once turned
    assert np.corrcoef(off[:, 0, 0], off[:, 0, 2])[0, 1] == pytest.approx(-0.8, abs=0.02)
    assert np.corrcoef(off[:, 0, 0], off[:, 1, 0])[0, 1] == pytest.approx(0, abs=0.03)
    assert tables.mean(axis=0)[:, 2] == pytest.approx(-frame["wait"].to_numpy(), rel=0.02)


def test_tables_made_from_residents_drawn_anew() -> None:
    frame = communities(n=6)

    def redraw(rng: np.random.Generator) -> dict[str, np.ndarray]:
        return {"care": frame["care"].to_numpy() + rng.normal(scale=3.0, size=6)}

    tables = replicate_redraws(frame, INDICATORS, redraw, area="community", draws=400)
    assert tables.std(axis=0)[:, 0] == pytest.approx(np.full(6, 3.0), rel=0.2)
    assert (tables[:, :, 2] == -frame["wait"].to_numpy()).all()
    for strange, said in (
        ({"care": np.zeros(5)}, "'care' as numbers of shape \\(5,\\)"),
        ({"cure": np.zeros(6)}, "'cure'"),
    ):
        with pytest.raises(
            EstimateError, match=f"Redraw 1 gives {said}.*expected 6 numbers for one of care, food"
        ):
            replicate_redraws(frame, INDICATORS, lambda rng, told=strange: told, area="community", draws=100)


def test_missing_cells_are_filled_in_every_table() -> None:
    frame = communities()
    frame.loc[2, "food"] = np.nan
    tables = redrawn(frame.assign(food_se=frame["food_se"].where(frame.index != 2)), 100)
    assert np.isnan(tables[:, 2, 1]).all() and np.isnan(tables).sum() == len(tables)
    found = index_uncertainty(frame, INDICATORS, tables, area="community", missing="mean")
    assert found.failed == 0
    with pytest.raises(EstimateError, match="'food' is missing for C3"):
        index_uncertainty(frame, INDICATORS, tables, area="community")


def test_tables_without_an_index_are_counted_and_too_many_refused() -> None:
    frame = communities(3, se=1.0)
    recipe = Choices(normalise=("minmax",), weights=("equal", "pca"), aggregate=("arithmetic",))
    tables = redrawn(frame, 100)
    tables[:3, :, 1] *= -1  # food against the rest in 3 of 100 tables
    found = index_uncertainty(frame, INDICATORS, tables, area="community", choices=recipe)
    assert found.failed == 0.03
    tables[:20, :, 1] = -np.abs(tables[:20, :, 1])
    with pytest.raises(EstimateError, match=r"(?s)2\d% of the redrawn tables give no index by some recipe"):
        index_uncertainty(frame, INDICATORS, tables, area="community", choices=recipe)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"se": {}}, "se names no standard error; without one there is nothing to redraw"),
        ({"se": {"cares": "care_se"}}, "se names 'cares', which is no indicator; expected among care, food"),
        ({"se": {"care": "minus"}}, "'minus' is missing or negative for C1, C2, C3, C4, C5"),
        ({"se": SE, "draws": 50}, "draws=50: ends of an interval need 100 draws at least"),
        ({"se": SE, "correlation": pd.DataFrame([[1.0]], ["care"], ["care"])}, "expected care, food, wait, clubs in both."),
        (
            {"se": SE, "correlation": pd.DataFrame(np.ones((4, 4)) * 2, *[[i.column for i in INDICATORS]] * 2)},
            "correlation is no correlation matrix: expected 1 on the diagonal",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_redrawn_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(EstimateError) as refused:
        normal_redraws(communities().assign(minus=-1.0), INDICATORS, area="community", **options)
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"top": 12}, "top=12; expected 1 to 11, for there are 12 areas."),
        ({"choices": Choices(treat=())}, "Choices(...) names no way for some step"),
        ({"redrawn": np.zeros((5, 4))}, "redrawn has shape (5, 4); expected draws x 12 areas x 4 indicators."),
        ({"choices": Choices(normalise=("zscore",), aggregate=("geometric",))}, "z-scores lie around 0"),
    ],
)  # fmt: skip
def test_doubt_that_cannot_be_had_is_refused(options: dict[str, Any], said: str) -> None:
    frame = communities()
    given_tables = options.pop("redrawn", None)
    tables = redrawn(frame, 100) if given_tables is None else given_tables
    with pytest.raises(EstimateError) as refused:
        index_uncertainty(frame, INDICATORS, tables, area="community", **options)
    assert said in str(refused.value)


def test_z_scores_with_a_geometric_mean_are_left_out_of_the_recipes() -> None:
    recipes = Choices(normalise=("minmax", "zscore")).recipes
    assert [(r.normalise, r.aggregate) for r in recipes] == [
        ("minmax", "arithmetic"),
        ("minmax", "geometric"),
        ("zscore", "arithmetic"),
    ]
