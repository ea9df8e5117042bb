"""The residents follow the model that the truth file describes, and the cross-section misleads."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from cbresearch.chengbei.contract import Contract
from cbresearch.chengbei.district import District, draw_district, funded_first
from cbresearch.chengbei.model import MODEL, latent_by_community_year
from cbresearch.chengbei.sample import selected
from cbresearch.chengbei.truth import (
    between_points,
    effects_points,
    expected_by_adults,
    intraclass_correlation,
)

DRIVERS = list(MODEL.drivers)
FUNDING = DRIVERS[0]


def slopes(outcome: pd.Series, drivers: pd.DataFrame, *groups: pd.Series) -> dict[str, float]:
    """Least squares of `outcome` on `drivers` with an effect for each class of each group."""
    dummies = [pd.get_dummies(group.astype(str), dtype=float) for group in groups]
    design = np.column_stack(
        [drivers.to_numpy(), *(d.to_numpy()[:, 1:] for d in dummies), np.ones(len(outcome))]
    )
    found = np.linalg.lstsq(design, outcome.to_numpy(dtype=float), rcond=None)[0]
    return dict(zip(drivers.columns, map(float, found), strict=False))


def points(residents: pd.DataFrame, item: str = "sat_overall") -> pd.Series:
    return (residents[item].astype(int) - 1) * 25.0


def alpha(items: pd.DataFrame) -> float:
    count = items.shape[1]
    return float(count / (count - 1) * (1 - items.var().sum() / items.sum(axis=1).var()))


def test_without_shocks_the_effects_come_back_exactly(contract: Contract, seed: int) -> None:
    quiet = replace(MODEL, cell_sd=0.0)
    panel = draw_district(contract, seed=seed, model=quiet).panel
    found = slopes(latent_by_community_year(panel, quiet), panel[DRIVERS], panel["community"], panel["wave"])
    assert found == pytest.approx(quiet.drivers, rel=1e-8)


def test_within_communities_residents_answer_to_funding_as_the_truth_says(
    residents: pd.DataFrame, district: District, contract: Contract
) -> None:
    found = slopes(
        points(residents),
        residents[DRIVERS],
        residents["community"],
        residents["wave"],
        residents["age_group"],
        residents["sex"],
    )
    true = effects_points(expected_by_adults(district, contract, MODEL), MODEL)
    assert all(effect > 0 for effect in found.values())
    # Its standard error is about 0.35 points.
    assert found[FUNDING] == pytest.approx(true[FUNDING], abs=0.9)
    assert found[FUNDING] > 0.6


def test_between_communities_funding_shows_the_wrong_sign(
    residents: pd.DataFrame, district: District, contract: Contract
) -> None:
    means = residents.assign(points=points(residents)).groupby("community")[["points", *DRIVERS]].mean()
    assert slopes(means["points"], means[DRIVERS])[FUNDING] < -2
    assert between_points(district.panel, expected_by_adults(district, contract, MODEL), MODEL)[FUNDING] < -2


@pytest.mark.parametrize("wave", [2007, 2008, 2009])
def test_a_single_cross_section_misleads(residents: pd.DataFrame, wave: int) -> None:
    one = residents[residents["wave"] == wave]
    assert slopes(points(one), one[DRIVERS])[FUNDING] < 0


@pytest.mark.parametrize("driver", DRIVERS)
def test_points_per_unit_are_what_one_more_unit_changes(
    district: District, contract: Contract, driver: str
) -> None:
    step = 0.01
    adults = expected_by_adults(district, contract, MODEL)
    # Raise the driver everywhere but keep the zero of the scale, which is set at the first wave's mean.
    shifted = replace(MODEL, wave=tuple(w + MODEL.drivers[driver] * step for w in MODEL.wave))
    more = expected_by_adults(district, contract, shifted)
    change = np.average(more["points"] - adults["points"], weights=adults["adults"]) / step
    assert effects_points(adults, MODEL)[driver] == pytest.approx(change, rel=1e-3)


def test_expected_points_are_the_mean_of_simulated_answers() -> None:
    latent, draws = 0.3, np.random.default_rng(1).normal(size=200_000)
    answered = np.searchsorted(MODEL.cuts, latent + draws) * 25.0
    assert float(MODEL.expected_points(latent)) == pytest.approx(answered.mean(), abs=0.3)


def test_the_least_content_are_funded_first(district: District) -> None:
    effects = district.panel.drop_duplicates("community").set_index("community")["community_effect"]
    first = funded_first(district.panel)
    assert len(first) == 8
    assert effects[first].mean() < effects.drop(first).mean() - MODEL.community_sd
    never = set(effects.index) - set(district.panel.loc[district.panel["special_fund_yuan"] > 0, "community"])
    assert len(never) == 4


def test_communities_share_about_a_tenth_of_the_variance(residents: pd.DataFrame, district: District) -> None:
    assert 0.09 < intraclass_correlation(district.panel, MODEL) < 0.14
    observed = []
    for _, wave in residents.assign(points=points(residents)).groupby("wave"):
        by = wave.groupby("community")["points"]
        size, within = by.size().mean(), by.var().mean()
        between = by.mean().var() - within / size
        observed.append(between / (between + within))
    assert 0.08 < np.mean(observed) < 0.16


def test_scales_hang_together_as_scales_do(residents: pd.DataFrame) -> None:
    items = residents.filter(regex="^(sat|exp|per)_").astype(int)
    items["per_responsiveness"] = 6 - items["per_responsiveness"]
    for scale in ("sat", "exp", "per"):
        assert (
            0.75 < alpha(items.filter(regex=f"^{scale}_").drop(columns="sat_overall", errors="ignore")) < 0.85
        ), scale


def test_property_and_home_help_please_least_order_and_welfare_most(residents: pd.DataFrame) -> None:
    means = residents.filter(regex="^sat_").drop(columns="sat_overall").astype(int).mean().sort_values()
    assert set(means.index[:2]) == {"sat_property", "sat_homehelp"}
    assert set(means.index[-2:]) == {"sat_order", "sat_welfare"}


def test_older_residents_are_more_content_and_answer_more(residents: pd.DataFrame) -> None:
    by_age = residents.assign(points=points(residents)).groupby("age_group")["points"].mean()
    assert by_age["60+"] > by_age["18-29"] + 4
    shares = residents["age_group"].value_counts(normalize=True)
    assert shares["18-29"] < 0.19
    assert shares["60+"] > 0.23


@pytest.mark.parametrize("driver", DRIVERS)
def test_drivers_are_the_indicators_of_the_study(district: District, contract: Contract, driver: str) -> None:
    indicator = next(one for one in contract.file.indicators if one.name == driver)
    panel = district.panel
    asked = panel[list(indicator.sum_of)].sum(axis=1) / panel[str(indicator.per)] * indicator.multiply
    assert panel[driver].to_numpy() == pytest.approx(asked.to_numpy())


def test_the_adults_have_the_ages_of_the_margin(district: District, contract: Contract) -> None:
    year = district.panel[district.panel["wave"] == 2009]
    weighed = (district.population.age_shares * year["adults"].to_numpy()[:, None]).sum(axis=0) / year[
        "adults"
    ].sum()
    assert weighed == pytest.approx(contract.margin("age_group"), abs=5e-5)


@pytest.mark.parametrize("wave", [2006, 2007, 2008, 2009])
def test_the_people_drawn_stand_for_the_adults_of_the_ledger(
    district: District, contract: Contract, seed: int, wave: int
) -> None:
    drawn = selected(district, wave, contract.margin("sex"), seed=seed)
    year = district.panel[district.panel["wave"] == wave].set_index("community")
    assert drawn["base_weight"].sum() == pytest.approx(year["adults"].sum(), rel=0.04)
    by_community = drawn.groupby("community")["base_weight"].sum() / year["adults"]
    assert by_community.between(0.75, 1.25).all()
    ages = drawn.groupby("age_band")["base_weight"].sum() / drawn["base_weight"].sum()
    assert ages.to_numpy() == pytest.approx(contract.margin("age_group"), abs=0.035)
    assert drawn.groupby("community")["block"].nunique().eq(10).all()


def test_who_could_pay_nothing_is_not_asked_what_they_would_pay(residents: pd.DataFrame) -> None:
    could, would = residents["could_pay_yuan_per_month"], residents["would_pay_yuan_per_month"]
    assert would.isna().equals(could.eq(0))
    assert (would.dropna() <= could[would.notna()]).all()
    assert 0.25 < could.eq(0).mean() < 0.6
