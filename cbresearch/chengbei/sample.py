"""Who is drawn: residents' groups of each community, households of each group, one adult of each household."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.chengbei.chance import pick, stream
from cbresearch.chengbei.district import District
from cbresearch.chengbei.population import ADULTS_IN_HOUSEHOLD, HOUSEHOLD_SIZE_BY_AGE, Population

BLOCKS_DRAWN = 10
HOUSEHOLDS_DRAWN = 10
AGE_STARTS = np.array([18, 30, 45, 60])
AGE_ENDS = np.array([30, 45, 60, 93])
ANSWERING_BY_AGE = np.array([0.44, 0.58, 0.68, 0.78])
ANSWERING_BY_STREET = {"朝阳街道": 0.03, "小桥大街街道": 0.0, "马坊街道": -0.07, "火车西站街道": 0.04}
ANSWERING_BY_SEX = np.array([-0.03, 0.03])


def selected(district: District, wave: int, sex_margin: list[float], *, seed: int) -> pd.DataFrame:
    """A row per adult drawn in `wave`, whether or not they will answer; `answers` says so.

    `base_weight` is the inverse of the chance of being drawn: groups of the community over groups drawn,
    households of the group over households drawn, adults of the household.
    """
    rng = stream(seed, "sample", wave)
    blocks = _blocks_drawn(rng, district, wave)
    people = blocks.loc[blocks.index.repeat(HOUSEHOLDS_DRAWN)].reset_index(drop=True)
    adults, age_group = _household_members(rng, district.population, people["place"].to_numpy())
    sex = (rng.random(len(people)) > sex_margin[0]).astype(np.int64)
    people = people.assign(
        wave=wave,
        adults_in_household=adults,
        age_band=age_group,
        age=_ages(rng, age_group),
        sex=(sex + 1).astype(str),
        base_weight=people["groups"] / BLOCKS_DRAWN * people["block_households"] / HOUSEHOLDS_DRAWN * adults,
    )
    chance = ANSWERING_BY_AGE[age_group] + people["street"].map(ANSWERING_BY_STREET) + ANSWERING_BY_SEX[sex]
    return people.assign(answers=rng.random(len(people)) < chance)


def _blocks_drawn(rng: np.random.Generator, district: District, wave: int) -> pd.DataFrame:
    """Ten residents' groups of each community, each group with the same chance."""
    year = district.panel.loc[district.panel["wave"] == wave, ["community", "street"]].reset_index(drop=True)
    frame = district.population.blocks.merge(year.assign(place=year.index), on="community")
    frame["groups"] = frame.groupby("community")["block"].transform("size")
    order = frame.assign(ticket=rng.random(len(frame))).sort_values(["place", "ticket"], kind="stable")
    drawn = order.groupby("place").head(BLOCKS_DRAWN).drop(columns="ticket")
    return drawn.sort_values(["place", "block"], kind="stable").reset_index(drop=True)


def _household_members(
    rng: np.random.Generator, population: Population, place: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Adults in each household drawn, with the age group (position) of the one adult drawn from it."""
    # Of the adults of a community, the share in each age group (second axis) and household size (third).
    adults = population.age_shares[:, :, None] * HOUSEHOLD_SIZE_BY_AGE[None]
    by_size = adults.sum(axis=1)
    households = by_size / ADULTS_IN_HOUSEHOLD
    size = pick(rng, (households / households.sum(axis=1, keepdims=True))[place])
    ages = adults[place, :, size]
    return ADULTS_IN_HOUSEHOLD[size], pick(rng, ages / ages.sum(axis=1, keepdims=True))


def _ages(rng: np.random.Generator, age_group: NDArray[np.int64]) -> NDArray[np.int64]:
    low, high = AGE_STARTS[age_group], AGE_ENDS[age_group]
    spread = rng.random(len(age_group))
    # The oldest group thins out towards 92.
    spread = np.where(age_group == len(AGE_STARTS) - 1, spread**1.7, spread)
    return np.asarray(low + np.floor(spread * (high - low)), dtype=np.int64)
