"""What is true of the sample study, for its tests alone to know."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from cbresearch.chengbei.contract import Contract
from cbresearch.chengbei.district import District, funded_first
from cbresearch.chengbei.ledgers import mistake
from cbresearch.chengbei.mess import Messy
from cbresearch.chengbei.model import AGE_GROUPS, MODEL, Model, group_effects, latent_by_community_year


def truth(
    district: District,
    contract: Contract,
    people: pd.DataFrame,
    messy: dict[int, Messy],
    *,
    seed: int,
    model: Model = MODEL,
) -> dict[str, Any]:
    """Effects in points (0-100 of sat_overall_points, expected over all adults), and what was planted where."""
    adults = expected_by_adults(district, contract, model)
    return {
        "seed": seed,
        "effects_points_per_unit": effects_points(adults, model),
        "between_points_per_unit": between_points(district.panel, adults, model),
        "effects_latent": model.drivers,
        "group_points": _group_points(adults),
        "sat_overall_points": _by_community_and_wave(adults),
        "sat_overall_points_by_wave": _weighted(adults, ["wave"]),
        "community_effects_latent": _first_wave(district.panel, "community_effect"),
        "intraclass_correlation": intraclass_correlation(district.panel, model),
        "funded_first": list(funded_first(district.panel)),
        "answered": {str(w): int(n) for w, n in people.groupby("wave").size().items()},
        "planted": {str(wave): one.counts for wave, one in messy.items()},
        "planted_ids": {str(wave): one.ids for wave, one in messy.items()},
        "wrong_total": asdict(mistake(district)),
    }


def expected_by_adults(district: District, contract: Contract, model: Model) -> pd.DataFrame:
    """A row per community, wave, sex and age group: how many adults, their mean latent satisfaction, points, slope."""
    latent = (
        latent_by_community_year(district.panel, model).to_numpy()[:, None, None] + group_effects(model)[None]
    )
    ages = np.tile(district.population.age_shares, (district.panel["wave"].nunique(), 1))
    people = (
        district.panel["adults"].to_numpy()[:, None, None]
        * np.array(contract.margin("sex"))[:, None]
        * ages[:, None, :]
    )
    index = pd.MultiIndex.from_product(
        [district.panel.index, ["1", "2"], AGE_GROUPS], names=["cell", "sex", "age_group"]
    )
    table = pd.DataFrame(
        {
            "adults": people.ravel(),
            "points": model.expected_points(latent).ravel(),
            "slope": model.points_per_latent(latent).ravel(),
        },
        index=index,
    ).reset_index()
    return table.join(district.panel[["community", "wave"]], on="cell")


def effects_points(adults: pd.DataFrame, model: Model) -> dict[str, float]:
    """What one more unit of each driver adds to mean points, averaged over all adults and waves."""
    slope = float(np.average(adults["slope"], weights=adults["adults"]))
    return {name: effect * slope for name, effect in model.drivers.items()}


def between_points(panel: pd.DataFrame, adults: pd.DataFrame, model: Model) -> dict[str, float]:
    """Slopes of communities' mean points on their mean drivers: what a cross-section without noise would show."""
    points = pd.Series(_weighted(adults, ["community"]))
    means = panel.groupby("community")[list(model.drivers)].mean().loc[points.index]
    design = np.column_stack([np.ones(len(means)), means.to_numpy()])
    slopes = np.linalg.lstsq(design, points.to_numpy(), rcond=None)[0][1:]
    return dict(zip(model.drivers, map(float, slopes), strict=True))


def intraclass_correlation(panel: pd.DataFrame, model: Model) -> float:
    """Share of latent variance, within a wave, that lies between communities; averaged over waves."""
    latent = latent_by_community_year(panel, model)
    between = float(latent.groupby(panel["wave"]).var(ddof=0).mean())
    return between / (between + 1 + float(np.var(model.age)))


def _weighted(adults: pd.DataFrame, by: list[str]) -> dict[str, float]:
    weighed = (
        adults.assign(points=adults["points"] * adults["adults"]).groupby(by)[["points", "adults"]].sum()
    )
    means = weighed["points"] / weighed["adults"]
    return {str(key): float(value) for key, value in means.items()}


def _by_community_and_wave(adults: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {str(wave): _weighted(part, ["community"]) for wave, part in adults.groupby("wave")}


def _group_points(adults: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {name: _weighted(adults, [name]) for name in ("sex", "age_group")}


def _first_wave(panel: pd.DataFrame, column: str) -> dict[str, float]:
    once = panel.drop_duplicates("community").set_index("community")[column]
    return {str(name): float(value) for name, value in once.items()}
