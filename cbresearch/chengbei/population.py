"""The adults of Chengbei: how many households each community has, who lives in them, in which residents' groups."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.chengbei.chance import share_out, standardised, stream
from cbresearch.chengbei.places import Place

ADULTS_IN_HOUSEHOLD = np.arange(1, 6)
# Of the adults of each age group (rows), the share who live in a household of 1 to 5 adults.
HOUSEHOLD_SIZE_BY_AGE = np.array(
    [
        [0.05, 0.30, 0.40, 0.20, 0.05],
        [0.05, 0.55, 0.25, 0.12, 0.03],
        [0.05, 0.40, 0.35, 0.15, 0.05],
        [0.14, 0.50, 0.18, 0.14, 0.04],
    ]
)
YOUNGER = np.array([1.0, 0.3, -0.4, -1.0])
HOUSEHOLDS_PER_BLOCK = 80


@dataclass(frozen=True)
class Population:
    """`communities`: a row per community. `age_shares`: community x age group, each row sums to 1.
    `blocks`: a row per residents' group, the first stage of sampling; its households sum to the community's.
    """

    communities: pd.DataFrame
    age_shares: NDArray[np.float64]
    blocks: pd.DataFrame


def populate(
    places: Sequence[Place], age_margin: Sequence[float], block_sd: float, *, seed: int
) -> Population:
    """Households, adults and residents' groups in the last wave; the adults' ages sum to `age_margin` exactly."""
    rng = stream(seed, "population")
    communities = pd.DataFrame(
        [(p.community, p.street, p.prefix) for p in places], columns=["community", "street", "prefix"]
    )
    communities["households"] = _households(rng, len(places))
    tilt = 0.25 * standardised(rng.normal(size=len(places)))
    shares = _age_shares(communities["households"].to_numpy(), np.asarray(age_margin), tilt)
    communities["adults_per_household"] = _adults_per_household(shares)
    blocks = pd.concat(
        [
            _blocks(rng, place, households, block_sd)
            for place, households in zip(places, communities["households"], strict=True)
        ],
        ignore_index=True,
    )
    return Population(communities, shares, blocks)


def _households(rng: np.random.Generator, count: int) -> NDArray[np.int64]:
    """Most communities below 3,000 households, three of them near 6,000, none above."""
    households = rng.integers(1200, 2950, size=count)
    households[rng.choice(count, size=3, replace=False)] = rng.integers(5700, 5990, size=3)
    return households


def _adults_per_household(age_shares: NDArray[np.float64]) -> NDArray[np.float64]:
    # An adult stands for 1/a of a household of a adults.
    return np.asarray(1 / ((age_shares @ HOUSEHOLD_SIZE_BY_AGE) / ADULTS_IN_HOUSEHOLD).sum(axis=1))


def _age_shares(
    households: NDArray[np.int64], margin: NDArray[np.float64], tilt: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Younger and older communities whose adults together have exactly the ages of `margin`: raking by rows and columns."""
    people = margin * np.exp(np.outer(tilt, YOUNGER))
    for _ in range(100):
        shares = people / people.sum(axis=1, keepdims=True)
        adults = households * _adults_per_household(shares)
        people = shares * adults[:, None]
        people = people * (margin * adults.sum() / people.sum(axis=0))
    return np.asarray(people / people.sum(axis=1, keepdims=True))


def _blocks(rng: np.random.Generator, place: Place, households: int, block_sd: float) -> pd.DataFrame:
    count = round(households / HOUSEHOLDS_PER_BLOCK)
    committee = np.arange(count) * len(place.committees) // count
    return pd.DataFrame(
        {
            "community": place.community,
            "block": [f"{place.prefix}-{number:03d}" for number in range(1, count + 1)],
            "committee": [place.committees[i] for i in committee],
            "block_households": share_out(int(households), rng.uniform(0.7, 1.3, size=count)),
            "block_effect": rng.normal(scale=block_sd, size=count),
        }
    )
