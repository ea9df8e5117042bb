"""The district year by year: what each community had of staff, money, volunteers, premises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.chengbei.chance import share_out, standardised, stream
from cbresearch.chengbei.contract import WAVES, Contract
from cbresearch.chengbei.facts import FACTS
from cbresearch.chengbei.model import MODEL, Model
from cbresearch.chengbei.places import FEATURES, Place, places
from cbresearch.chengbei.population import Population, populate

GROWTH = 1.012
WORKING_FUNDS_BEFORE_YUAN = 8_000
# How many communities the special fund has reached by each year; never all of them.
FUNDED = {2007: 8, 2008: 15, 2009: 19}
VOLUNTEERS = {2006: 704, 2007: 1012, 2008: 1395, 2009: FACTS.volunteers}
UPPER_SECONDARY = {2006: 60, 2007: 66, 2008: 73, 2009: 79}
COLLEGE = {2006: 18, 2007: 26, 2008: 34, 2009: 42}
SPENDING = ("office", "services", "culture", "facilities", "relief")


@dataclass(frozen=True)
class District:
    """`panel`: a row per community and wave, every ledger column of the codebook with the study's drivers."""

    places: tuple[Place, ...]
    population: Population
    panel: pd.DataFrame


def draw_district(contract: Contract, *, seed: int, model: Model = MODEL) -> District:
    """The district that agrees with the published facts in its last wave, whatever the seed."""
    where = places(contract.committees)
    population = populate(where, contract.margin("age_group"), model.block_sd, seed=seed)
    communities = population.communities.assign(
        community_effect=model.community_sd
        * standardised(stream(seed, "community effects").normal(size=len(where)))
    )
    panel = pd.concat([communities.assign(wave=wave) for wave in WAVES], ignore_index=True)
    panel["cell_effect"] = model.cell_sd * stream(seed, "cells").normal(size=len(panel))
    for complete in (
        _people_of,
        _staff,
        _allowances,
        _money,
        _spending,
        _volunteers,
        _organisation,
        _drivers,
    ):
        panel = complete(panel, seed)
    return District(where, population, panel)


def _people_of(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    years_ago = WAVES[-1] - panel["wave"]
    households = (panel["households"] / GROWTH**years_ago).round().astype("int64")
    return panel.assign(
        households=households, adults=(households * panel["adults_per_household"]).round().astype("int64")
    )


def _staff(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    """123 members each year, five or six a community; schooling rises as posts change hands."""
    count = FACTS.communities
    six = stream(seed, "staff").permutation(count) < FACTS.staff - 5 * count
    staff = np.where(six, 6, 5)
    college = _rising(staff, COLLEGE, seed, "college")
    others = _rising(staff - college[-1], _difference(UPPER_SECONDARY, COLLEGE), seed, "upper secondary")
    return panel.assign(
        staff_total=np.tile(staff, len(WAVES)),
        directors=1,
        deputy_directors=1,
        members=np.tile(staff - 2, len(WAVES)),
        staff_college=college.ravel(),
        staff_upper_secondary=(college + others).ravel(),
        student_interns=np.where(panel["wave"] > WAVES[0], FACTS.interns_per_community, 0),
    )


def _difference(totals: dict[int, int], part: dict[int, int]) -> dict[int, int]:
    return {wave: totals[wave] - part[wave] for wave in totals}


def _rising(room: NDArray[np.int64], totals: dict[int, int], seed: int, purpose: str) -> NDArray[np.int64]:
    """Counts by wave and community that never fall, stay within `room`, and sum to `totals` each wave."""
    rng = stream(seed, purpose)
    seats = np.repeat(np.arange(len(room)), room)
    # Some communities draw schooled staff sooner; the rest is chance.
    turn = 0.7 * rng.normal(size=len(room))[seats] + rng.normal(size=len(seats))
    queue = seats[np.argsort(turn, kind="stable")]
    return np.array([np.bincount(queue[:total], minlength=len(room)) for total in totals.values()])


def _allowances(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    risen = panel["wave"] > WAVES[0]
    insurance = FACTS.insurance_per_member_yuan_per_month * 12 * panel["staff_total"]
    pay = {
        f"allowance_{allowance.post}_yuan_per_month": np.where(risen, allowance.after, allowance.before)
        for allowance in FACTS.allowances
    }
    return panel.assign(**pay, social_insurance_yuan=insurance.where(risen, 0))


def _money(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The special fund goes to the least content communities first, by size, and reaches more of them each year."""
    first = panel["wave"] == WAVES[0]
    judged = 0.05 * stream(seed, "need").normal(size=FACTS.communities)
    queue = np.argsort(panel.loc[first, "community_effect"].to_numpy() + judged, kind="stable")
    fund = np.zeros((len(WAVES), FACTS.communities), dtype="int64")
    for row, wave in enumerate(WAVES[1:], 1):
        reached = queue[: FUNDED[wave]]
        households = panel.loc[panel["wave"] == wave, "households"].to_numpy()[reached]
        claims = households**0.8 * stream(seed, "fund", wave).uniform(0.8, 1.25, len(reached))
        fund[row, reached] = 1000 * share_out(FACTS.special_fund_yuan // 1000, claims)
    working = np.where(first, WORKING_FUNDS_BEFORE_YUAN, FACTS.working_funds_per_community_yuan)
    return panel.assign(working_funds_yuan=working, special_fund_yuan=fund.ravel())


def _spending(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Nearly all of the year's money is spent; office costs come out of working funds."""
    rng = stream(seed, "spending")
    office = (panel["working_funds_yuan"] * rng.uniform(0.55, 0.80, len(panel))).round(-2).astype("int64")
    left = panel["working_funds_yuan"] + panel["special_fund_yuan"] - office
    # Down to whole hundreds, so that nobody spends more than they were given.
    rest = left * rng.uniform(0.93, 1.0, len(panel)) // 100 * 100
    parts = rng.dirichlet([6, 3, 4, 2], size=len(panel))
    shared = np.array([share_out(int(total), part) for total, part in zip(rest, parts, strict=True)])
    columns = {f"spending_{heading}_yuan": shared[:, i] for i, heading in enumerate(SPENDING[1:])}
    return panel.assign(
        spending_office_yuan=office, **columns, spending_total_yuan=office + shared.sum(axis=1)
    )


def _volunteers(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    """From scattered helpers to teams; communities grow at their own pace."""
    rng = stream(seed, "volunteers")
    start = rng.normal(scale=0.20, size=FACTS.communities)
    pace = rng.normal(scale=0.18, size=FACTS.communities)
    counts, teams = [], []
    for step, wave in enumerate(WAVES):
        households = panel.loc[panel["wave"] == wave, "households"].to_numpy()
        liking = start + pace * step + rng.normal(scale=0.18, size=FACTS.communities)
        counts.append(share_out(VOLUNTEERS[wave], households * np.exp(liking)))
        ready = np.argsort(np.argsort(-liking - 0.5 * np.log(households)))
        teams.append((ready < (0, 9, 17, 23)[step]).astype(int) + (ready < (0, 0, 5, 12)[step]))
    return panel.assign(volunteers=np.concatenate(counts), volunteer_teams=np.concatenate(teams))


def _organisation(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    rng = stream(seed, "organisation")
    step = panel["wave"] - WAVES[0]
    borrowed = np.tile(rng.random(FACTS.communities) < 0.3, len(WAVES))
    at_risk = panel["community"].isin(FACTS.premises_at_risk)
    started = np.tile(rng.integers(3, 6, FACTS.communities), len(WAVES))
    premises = pd.Series(np.where(borrowed | at_risk, "2", "1"), panel.index).mask(at_risk & (step >= 2), "3")
    return panel.assign(
        **dict.fromkeys(FACTS.governance_bodies, "1"),
        premises=premises,
        feature=panel["community"].map(FEATURES),
        service_fields=np.minimum(started + step, 9),
    )


def _drivers(panel: pd.DataFrame, seed: int) -> pd.DataFrame:
    hundreds = panel["households"] / 100
    funds = panel["working_funds_yuan"] + panel["special_fund_yuan"]
    return panel.assign(
        funding_thousand_yuan_per_100_households=funds / 1000 / hundreds,
        staff_college_percent=100 * panel["staff_college"] / panel["staff_total"],
        volunteers_per_100_households=panel["volunteers"] / hundreds,
    )


def funded_first(panel: pd.DataFrame) -> Sequence[str]:
    """The communities that the special fund reached in its first year."""
    return list(panel.loc[(panel["wave"] == WAVES[1]) & (panel["special_fund_yuan"] > 0), "community"])
