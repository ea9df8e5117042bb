"""The numbers of R, kept in tests/reference with the calls that made them, on data that stay outside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from cbresearch.estimate import (
    Design,
    cluster_robust,
    contrast,
    design_effect,
    few_clusters,
    mean,
    mean_by,
    share,
    total,
)
from cbresearch.estimate.clusters.linear import least_squares
from cbresearch.estimate.clusters.wild import wild_bootstrap, wild_interval

REFERENCE = Path(__file__).parents[1] / "reference"


def numbers(name: str) -> Any:
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))


SURVEY, CLUSTERED, WILD = numbers("survey_api"), numbers("clustered_se"), numbers("wild_bootstrap")
R = SURVEY["designs"]
DESIGNS = {
    "strat": ("apistrat", Design(weights="pw", strata="stype", fpc="fpc")),
    "strat_nofpc": ("apistrat", Design(weights="pw", strata="stype")),
    "clus1": ("apiclus1", Design(weights="pw", psu="dnum", fpc="fpc")),
    "clus1_nofpc": ("apiclus1", Design(weights="pw", psu="dnum")),
}


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-8, nan_ok=True)


@pytest.fixture(params=DESIGNS)
def api(request: pytest.FixtureRequest, shared_data: Path) -> tuple[pd.DataFrame, Design, Any]:
    name, design = DESIGNS[request.param]
    return pd.read_csv(shared_data / "api-schools-design" / f"{name}.csv"), design, R[request.param]


@pytest.fixture
def reference(shared_data: Path) -> Path:
    return shared_data.parent / "reference"


def schools(path: Path) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype={"school": str})
    return frame.assign(catholic=(frame["sector"] == "Catholic").astype(float))


def matrix(frame: pd.DataFrame, *columns: str) -> np.ndarray:
    return np.column_stack([np.ones(len(frame)), *(frame[column] for column in columns)])


def test_mean_with_interval_and_df(api: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = api
    found, expected = mean(frame, "api00", design), r["mean"]
    assert (found.value, found.se, found.low, found.high) == tuple(
        close(expected[k]) for k in ("value", "se", "low", "high")
    )
    assert found.df == expected["df"]


def test_total_leaves_missing_out(api: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = api
    found = total(frame, "enroll", design)
    assert (found.value, found.se) == (close(r["total"]["value"]), close(r["total"]["se"]))


def test_share_with_logit_interval(api: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = api
    found = share(frame, "awards", design, "Yes")
    assert (found.value, found.low, found.high) == tuple(
        close(r["share"][k]) for k in ("value", "low", "high")
    )


def test_means_of_domains(api: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = api
    found = {estimate.group[0][1]: estimate for estimate in mean_by(frame, "api00", "stype", design)}
    assert list(found) == ["E", "H", "M"]
    for code, estimate in found.items():
        assert estimate.value == close(r["mean_by_stype"]["value"][code])
        assert estimate.se == close(r["mean_by_stype"]["se"][code])


def test_contrast_of_domains(api: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = api
    found = contrast(frame, "api00", design, first=frame["stype"] == "H", second=frame["stype"] == "E")
    expected = r["contrast_H_minus_E"]
    assert (found.value, found.se) == (close(expected["value"]), close(expected["se"]))


def test_a_domain_that_crosses_the_design(api: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = api
    found = mean(frame, "api00", design, where=(frame["awards"] == "Yes") & (frame["meals"] > 40))
    expected = r["domain"]
    assert (found.value, found.se, found.low) == tuple(close(expected[k]) for k in ("value", "se", "low"))
    assert found.df == expected["df"]


def test_design_effect_against_sampling_with_replacement(api: tuple[pd.DataFrame, Design, Any]) -> None:
    frame, design, r = api
    assert design_effect(frame, "api00", design) == close(r["design_effect"]["value"])


@pytest.mark.parametrize("policy", ["centre", "average", "certainty"])
def test_lonely_psu(policy: Any, shared_data: Path) -> None:
    frame = pd.read_csv(shared_data / "api-schools-design" / "apistrat.csv")
    is_high = frame["stype"] == "H"
    frame = pd.concat([frame[~is_high], frame[is_high].head(1)])
    found = mean(frame, "api00", Design(weights="pw", strata="stype", lonely=policy))
    assert found.value == close(SURVEY["lonely_psu"]["value"])
    assert found.se == close(SURVEY["lonely_psu"]["se"][policy])


def robust_case(name: str, folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, Any]:
    if name.startswith("mortality"):
        mv = pd.read_csv(folder / "clustered_se" / "mortality_mv.csv").dropna(
            subset=["mrate", "legal", "beertaxa"]
        )
        years = pd.get_dummies(mv["year"]).to_numpy(float)[:, 1:]
        X = np.column_stack([mv["legal"], mv["beertaxa"], pd.get_dummies(mv["state"]).to_numpy(float), years])
        w = mv["pop"].to_numpy(float) if name.endswith("wls") else None
        return X, mv["mrate"].to_numpy(), w, mv["state"].to_numpy()
    frame = schools(folder / "mixed_models" / "hsb23.csv")
    if name == "hsb8_ols":
        frame = frame[frame["school"].isin(sorted(frame["school"].unique())[:8])]
        return matrix(frame, "cses", "catholic"), frame["mAch"].to_numpy(), None, frame["school"].to_numpy()
    w = np.arange(1, len(frame) + 1) % 5 + 1.0 if name.endswith("wls") else None
    return (
        matrix(frame, "cses", "meanses", "catholic"),
        frame["mAch"].to_numpy(),
        w,
        frame["school"].to_numpy(),
    )


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (name, kind)
        for name, case in CLUSTERED.items()
        if isinstance(case, dict)
        for kind in case
        if kind.startswith("CR")
    ],
)
def test_cluster_robust_variances(name: str, kind: Any, reference: Path) -> None:
    X, y, w, clusters = robust_case(name, reference)
    found, expected = cluster_robust(X, y, w, clusters, kind), CLUSTERED[name]
    many = len(expected["coefficients"])
    assert list(found.coefficients[:many]) == [close(v) for v in expected["coefficients"].values()]
    assert list(found.se[:many]) == [close(v) for v in expected[kind]["se"].values()]
    assert list(found.df[:many]) == [close(v) for v in expected[kind]["df"].values()]


def test_the_panel_gives_the_p_of_clubsandwich(reference: Path) -> None:
    frame = schools(reference / "mixed_models" / "hsb23.csv")
    found = few_clusters(frame, "mAch ~ cses + meanses + catholic", cause="catholic", cluster="school")
    p = dict(zip(found.table["method"], found.table["p"], strict=True))
    r = CLUSTERED["hsb23_ols"]
    assert p["CR2"] == close(r["CR2"]["p"]["catholic"])
    assert p["CR3"] == close(r["CR3"]["p"]["catholic"])
    assert p["wild bootstrap"] == pytest.approx(
        WILD["hsb23"]["p_catholic"], abs=4 * np.sqrt(0.107 * 0.893 / 9_999)
    )
    assert found.decision == "disagree"


def test_wild_bootstrap_of_ten_clusters_is_exact(reference: Path) -> None:
    frame = schools(reference / "wild_bootstrap" / "hsb10.csv")
    fit = least_squares(
        matrix(frame, "cses", "catholic"), frame["mAch"].to_numpy(), None, frame["school"].to_numpy()
    )
    r = WILD["hsb10"]
    found = wild_bootstrap(fit, 2)
    assert (found.p, found.draws, found.exact) == (r["p_catholic"], r["draws"], True)
    assert wild_bootstrap(fit, 2, null=1.0).p == r["p_catholic_equals_1"]
    assert wild_bootstrap(fit, 1).p == r["p_cses"]
    assert wild_interval(fit, 2) == pytest.approx(r["interval_catholic"], rel=1e-4)
    assert wild_interval(fit, 1) == pytest.approx(r["interval_cses"], rel=1e-4)


def test_wild_bootstrap_of_five_clusters_uses_every_webb_vector(reference: Path) -> None:
    frame = schools(reference / "wild_bootstrap" / "hsb5.csv")
    fit = least_squares(matrix(frame, "cses"), frame["mAch"].to_numpy(), None, frame["school"].to_numpy())
    found = wild_bootstrap(fit, 1)
    assert (found.p, found.draws, found.points) == (
        pytest.approx(WILD["hsb5"]["p_cses"], abs=1e-12),
        7776,
        "Webb",
    )
    assert wild_bootstrap(fit, 1, null=2.0).p == pytest.approx(WILD["hsb5"]["p_cses_equals_2"], abs=1e-12)


@pytest.mark.parametrize(
    ("column", "value", "se"), [("Q40", 9.101, 0.03932), ("Q51", 5.610, 0.10794), ("Q29", 8.538, 0.07219)]
)
def test_a_real_survey_clustered_on_census_tracts(
    column: str, value: float, se: float, shared_data: Path
) -> None:
    pyreadstat = pytest.importorskip("pyreadstat")
    path = shared_data / "aej-juarez-2023" / "AEJ_Percepcion_2023.sav"
    frame, _ = pyreadstat.read_sav(path, usecols=["Q1", "Q2", column])
    found = mean(frame, column, Design(psu="Q1", strata="Q2"))
    assert (round(found.value, 3), round(found.se, 5), found.df, found.psus) == (value, se, 48, 57)
