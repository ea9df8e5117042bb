"""R's survey package on the schools of California, two-stage sample included; regression is in tests/estimate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cbresearch.sampling.crosstab import crosstab
from cbresearch.sampling.descriptive import design_effect, mean, share, total
from cbresearch.sampling.design import Design
from cbresearch.sampling.joint import group_means
from cbresearch.sampling.quantiles import quantile
from cbresearch.sampling.ranks import rank_test
from cbresearch.sampling.ratios import ratio

R = json.loads((Path(__file__).parents[1] / "reference" / "survey_taylor.json").read_text(encoding="utf-8"))
DESIGNS = {
    "strat": ("apistrat", Design(weights="pw", strata="stype", fpc="fpc")),
    "strat_nofpc": ("apistrat", Design(weights="pw", strata="stype")),
    "clus1": ("apiclus1", Design(weights="pw", psu="dnum", fpc="fpc")),
    "clus1_nofpc": ("apiclus1", Design(weights="pw", psu="dnum")),
    "clus2_two_stage_fpc": ("apiclus2", Design(weights="pw", psu=("dnum", "snum"), fpc=("fpc1", "fpc2"))),
    "clus2_with_replacement": ("apiclus2", Design(weights="pw", psu="dnum")),
}
Schools = tuple[pd.DataFrame, Design, Any]


def close(value: Any) -> Any:
    return pytest.approx(value, rel=R["tolerance"])


def of(name: str, shared_data: Path) -> Schools:
    file, design = DESIGNS[name]
    folder = shared_data.parent / "reference" / "survey_api"
    return pd.read_csv(folder / f"{file}.csv"), design, R["designs"][name]


@pytest.fixture(params=DESIGNS)
def schools(request: pytest.FixtureRequest, shared_data: Path) -> Schools:
    return of(request.param, shared_data)


def test_mean_and_total(schools: Schools) -> None:
    frame, design, r = schools
    found, expected = mean(frame, "api00", design), r["mean"]
    assert (found.value, found.se, found.low, found.high, found.df) == close(
        tuple(expected[k] for k in ("value", "se", "low", "high", "df"))
    )
    found = total(frame, "enroll", design)
    assert (found.value, found.se) == close((r["total"]["value"], r["total"]["se"]))


def test_mean_of_a_domain(schools: Schools) -> None:
    frame, design, r = schools
    found = mean(frame, "api00", design, where=(frame["awards"] == "Yes") & (frame["meals"] > 40))
    assert (found.value, found.se, found.df) == close(tuple(r["domain"][k] for k in ("value", "se", "df")))


@pytest.mark.parametrize(
    ("interval", "in_r"), [("logit", "logit"), ("beta", "beta"), ("korn-graubard", "beta"), ("t", "t")]
)
def test_intervals_of_a_share(schools: Schools, interval: Any, in_r: str) -> None:
    # no design here has an adjusted effective n above n, so Korn and Graubard's interval is R's "beta"
    frame, design, r = schools
    found = share(frame, "awards", design, "Yes", interval=interval)
    assert found.value == close(r["share"]["value"])
    assert [found.low, found.high] == close(r["share"][in_r])


@pytest.mark.parametrize("against", ["with replacement", "without replacement"])
def test_design_effects(schools: Schools, against: Any) -> None:
    frame, design, r = schools
    assert design_effect(frame, "api00", design, against=against) == close(r["design_effect"][against])


def test_design_effects_of_groups(schools: Schools) -> None:
    frame, design, r = schools
    for code, expected in r["design_effect"]["by_stype"].items():
        found = design_effect(
            frame, "api00", design, where=frame["stype"] == code, against="without replacement"
        )
        assert found == close(expected)


def test_ratio(schools: Schools) -> None:
    frame, design, r = schools
    found = ratio(frame, "api.stu", "enroll", design)
    assert (found.value, found.se) == close((r["ratio"]["value"], r["ratio"]["se"]))


@pytest.mark.parametrize("rule", ["math", "school"])
def test_quantiles(schools: Schools, rule: Any) -> None:
    frame, design, r = schools
    for i, q in enumerate(r["quantile"]["q"]):
        found = quantile(frame, "api00", q, design, rule=rule)
        assert (found.value, found.low, found.high, found.se) == close(
            tuple(r["quantile"][rule][k][i] for k in ("value", "low", "high", "se"))
        )


def test_groups_with_their_covariance(schools: Schools) -> None:
    frame, design, r = schools
    found, expected = group_means(frame, "api00", "stype", design), r["groups"]
    assert list(found.labels) == expected["labels"]
    assert list(found.table["value"]) == close(expected["value"])
    # in the stratified sample the groups are the strata, whose covariance is 0 up to rounding
    assert found.covariance == pytest.approx(np.array(expected["covariance"]), rel=R["tolerance"], abs=1e-9)
    contrast = found.contrast({"E": -1, "H": 1})
    assert (contrast.value, contrast.se) == close(
        (expected["contrast_H_minus_E"]["value"], expected["contrast_H_minus_E"]["se"])
    )


def test_two_groups_as_a_t_test(schools: Schools) -> None:
    frame, design, r = schools
    found = group_means(frame, "api00", "comp.imp", design).equal()
    assert (found.statistic, found.df2, found.p) == close(
        (r["t_test"]["t"] ** 2, r["t_test"]["df"], r["t_test"]["p"])
    )


@pytest.mark.parametrize("scores", ["wilcoxon", "van der waerden", "median"])
@pytest.mark.parametrize("name", ["clus1", "clus1_nofpc"])
def test_rank_tests_where_weights_are_equal(name: str, scores: Any, shared_data: Path) -> None:
    frame, design, r = of(name, shared_data)
    found, expected = rank_test(frame, "api00", "comp.imp", design, scores=scores), r["rank_test"][scores]
    assert (found.t, found.df2, found.p) == close((expected["t"], expected["df"], expected["p"]))


def test_rank_tests_on_the_ranks_of_r(schools: Schools) -> None:
    # with unequal weights R ranks tied answers by their order in the file; everything after that agrees
    frame, design, r = schools
    found = group_means(frame.assign(rank=ranks_of_r(frame)), "rank", "comp.imp", design).equal()
    expected = r["rank_test"]["wilcoxon"]
    assert (found.statistic, found.df2, found.p) == close((expected["t"] ** 2, expected["df"], expected["p"]))
    ours = rank_test(frame, "api00", "comp.imp", design)
    assert ours.t == pytest.approx(expected["t"], rel=3e-3)


def ranks_of_r(frame: pd.DataFrame) -> pd.Series:
    order = np.argsort(frame["api00"].to_numpy(), kind="stable")
    weights = frame["pw"].to_numpy()[order]
    ranks = np.empty(len(frame))
    ranks[order] = (np.cumsum(weights) - weights / 2) / weights.sum()
    return pd.Series(ranks, index=frame.index).groupby(frame["api00"]).transform("mean")


@pytest.mark.parametrize(("rows", "columns"), [("sch.wide", "comp.imp"), ("stype", "awards")])
def test_rao_scott(schools: Schools, rows: str, columns: str) -> None:
    frame, design, r = schools
    found, expected = crosstab(frame, rows, columns, design), r["crosstab"][f"{rows} {columns}"]
    assert (found.statistic, found.df1, found.df2, found.p) == close(
        tuple(expected[k] for k in ("statistic", "df1", "df2", "p"))
    )


def test_shares_of_a_crosstab(schools: Schools) -> None:
    frame, design, r = schools
    people = np.array(r["crosstab"]["stype awards people"])
    table = crosstab(frame, "stype", "awards", design).table
    assert list(table["share"]) == close(list((people / people.sum()).ravel()))
    assert list(table["row_share"]) == close(list((people / people.sum(axis=1, keepdims=True)).ravel()))


@pytest.mark.parametrize(
    ("policy", "in_r"),
    [("centre", "adjust"), ("average", "average"), ("certainty", "certainty"), ("certainty", "remove")],
)
def test_lonely_psu_policies_have_other_names_in_r(policy: Any, in_r: str, shared_data: Path) -> None:
    frame = of("strat", shared_data)[0]
    is_high = frame["stype"] == "H"
    frame = pd.concat([frame[~is_high], frame[is_high].head(1)])
    found = mean(frame, "api00", Design(weights="pw", strata="stype", lonely=policy))
    assert (found.value, found.se) == close((R["lonely_psu"]["value"], R["lonely_psu"]["se"][in_r]))
