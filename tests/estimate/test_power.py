"""What a survey to come could see."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.planning import Survey, communities_needed, plans, power, smallest_detectable

R = json.loads((Path(__file__).parents[1] / "reference" / "cluster_power.json").read_text("utf-8"))
CHENGBEI = Survey(23, 40, 0.05, reached=11 / 23)


def close(value: float) -> Any:
    return pytest.approx(value, rel=R["tolerance"])


def told(case: dict[str, float]) -> Survey:
    return Survey(
        int(case["J"]), case["n"], case["icc"], case["P"],
        within_explained=case["r21"], between_explained=case["r22"], held=int(case["g"]),
    )  # fmt: skip


# --- by hand ----------------------------------------------------------------------------------
def test_half_of_four_hundred_communities_of_one() -> None:
    # one resident each: clusters do not matter, se = sqrt(1/(1/4 * 400)) = 0.1
    assert Survey(400, 1, 0.3).se == pytest.approx(0.1)
    assert Survey(400, 1, 0.3).design_effect == 1


def test_design_effect_of_unequal_sizes() -> None:
    # 1 + ((0.25 + 1) * 10 - 1) * 0.1
    assert Survey(10, 10, 0.1, size_cv=0.5).design_effect == pytest.approx(2.15)


# --- laws -------------------------------------------------------------------------------------
surveys = st.builds(
    Survey, st.integers(5, 200), st.floats(1, 200), st.floats(0.001, 0.5), st.floats(0.1, 0.9), st.floats(0, 1.5)
)  # fmt: skip


@settings(max_examples=40)
@given(survey=surveys, wanted=st.floats(0.1, 0.99))
def test_the_smallest_detectable_effect_is_seen_as_often_as_wanted(survey: Survey, wanted: float) -> None:
    effect = smallest_detectable(survey, power_wanted=wanted)
    assert power(survey, effect) == pytest.approx(wanted, abs=1e-6)
    assert power(survey, -effect) == pytest.approx(wanted, abs=1e-6)


@given(survey=surveys)
def test_no_effect_is_seen_as_often_as_the_level_says(survey: Survey) -> None:
    assert power(survey, 0) == pytest.approx(0.05)


@given(survey=surveys)
def test_the_variance_is_that_of_the_design_effect(survey: Survey) -> None:
    n = survey.residents_per_community * survey.communities
    drawn_one_by_one = 1 / (survey.reached * (1 - survey.reached) * n)
    assert survey.se**2 == pytest.approx(drawn_one_by_one * survey.design_effect)


@given(survey=surveys)
def test_more_residents_help_less_than_more_communities(survey: Survey) -> None:
    more_residents = replace(survey, residents_per_community=2 * survey.residents_per_community)
    more_communities = replace(survey, communities=2 * survey.communities)
    assert more_communities.se <= more_residents.se <= survey.se


def test_power_is_what_simulation_finds() -> None:
    survey, rng, draws = Survey(12, 30, 0.1), np.random.default_rng(1), 4_000
    effect = smallest_detectable(survey)
    between = rng.normal(scale=math.sqrt(0.1), size=(draws, 12))
    within = rng.normal(scale=math.sqrt(0.9 / 30), size=(draws, 12))
    means = between + within + effect * (np.arange(12) < 6)
    seen = stats.ttest_ind(means[:, :6], means[:, 6:], axis=1).pvalue < 0.05
    assert seen.mean() == pytest.approx(0.8, abs=3 * math.sqrt(0.16 / draws))


# --- R ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("case", R["cluster_design"], ids=lambda case: f"{case['J']} communities")
def test_cluster_designs_as_in_r(case: dict[str, float]) -> None:
    survey = told(case)
    assert (survey.se, survey.df, survey.design_effect) == (
        close(case["se"]),
        case["df"],
        close(case["deff"]),
    )
    assert smallest_detectable(survey) == close(case["mdes_noncentral"])
    assert power(survey, 0.25) == close(case["power_at_0.25"])
    assert power(survey, 0.5) == close(case["power_at_0.5"])


@pytest.mark.parametrize("case", R["clusters_needed_even"], ids=lambda case: f"effect {case['es']}")
def test_communities_needed_as_in_r(case: dict[str, float]) -> None:
    assert communities_needed(Survey(4, case["n"], case["icc"]), case["es"], step=2) == case["J"]


def test_design_effect_of_unequal_sizes_as_in_r() -> None:
    case = R["deff_unequal"]
    sizes = np.array(case["sizes"])
    survey = Survey(8, sizes.mean(), case["icc"], size_cv=sizes.std() / sizes.mean())
    assert survey.design_effect == close(case["eldridge"])


# --- use --------------------------------------------------------------------------------------
def test_plans_are_a_grid() -> None:
    table = plans(CHENGBEI, [23, 46], [20, 40])
    assert list(table["residents"]) == [460, 920, 920, 1840]
    assert table.loc[2, "smallest_detectable_sd"] == close(R["cluster_design"][0]["mdes_noncentral"])
    # 920 residents tell more from 46 communities than from 23
    assert table.loc[1, "smallest_detectable_sd"] < table.loc[2, "smallest_detectable_sd"]


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(EstimateError) as told_of:
        Survey(2, 0, 2, reached=1, size_cv=-1, within_explained=1)
    assert str(told_of.value).count("\n  - ") == 6
    assert "expected at least 3 communities" in str(told_of.value)


def test_bad_wishes_are_refused() -> None:
    with pytest.raises(EstimateError, match="more than the level"):
        smallest_detectable(CHENGBEI, power_wanted=0.01)
    with pytest.raises(EstimateError, match="never seen"):
        communities_needed(CHENGBEI, 0)
    with pytest.raises(EstimateError, match="Even 100,000 communities"):
        communities_needed(CHENGBEI, 1e-6)
