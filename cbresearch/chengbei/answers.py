"""What residents answer: satisfaction, expectations, importance, needs, use, payment, as codes of the codebook."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.chengbei.chance import pick
from cbresearch.chengbei.model import Model

FIELDS = (
    "employment",
    "health",
    "culture",
    "sport",
    "order",
    "homehelp",
    "property",
    "convenience",
    "welfare",
)
DIMENSIONS = ("tangibles", "reliability", "responsiveness", "assurance", "empathy")
FIELD_LIKING = (-0.15, 0.05, 0.12, 0.08, 0.42, -0.50, -0.62, -0.05, 0.45)
FIELD_IMPORTANCE = (0.55, 0.75, -0.20, -0.25, 0.70, -0.15, 0.45, 0.20, 0.35)
DIMENSION_LIKING = (-0.10, -0.20, -0.25, 0.15, 0.05)
DIMENSION_HOPE = (0.0, 0.25, 0.15, 0.10, 0.05)
# What the item adds of its own, in the units of the person's general satisfaction.
FIELD_NOISE_SD = 1.10
QUALITY_NOISE_SD = 0.90
HOPE_NOISE_SD = 0.75
HOPE_CUTS = (-3.0, -2.2, -1.3, -0.1)
NEEDED = (-0.6, 0.2, -0.9, -0.8, 0.0, -1.2, 0.3, -0.2, -0.8)
USED = (-1.5, -0.4, -1.2, -0.8, -0.9, -2.4, -0.6, -0.7, -1.4)
SCHOOLING_BY_AGE = np.array(
    [[0.03, 0.22, 0.42, 0.33], [0.07, 0.33, 0.37, 0.23], [0.20, 0.38, 0.30, 0.12], [0.48, 0.30, 0.15, 0.07]]
)
INCOME_BY_SCHOOLING = np.array(
    [[0.42, 0.36, 0.16, 0.06], [0.28, 0.40, 0.23, 0.09], [0.15, 0.36, 0.33, 0.16], [0.06, 0.22, 0.40, 0.32]]
)
COULD_PAY_NOTHING = np.array([0.62, 0.42, 0.27, 0.14])
COULD_PAY_YUAN = np.array([18.0, 30.0, 48.0, 85.0])


def background(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Schooling, income, tenure, years lived here: codes as text, positions of income for payment and needs."""
    schooling = pick(rng, SCHOOLING_BY_AGE[people["age_band"]])
    income = pick(rng, INCOME_BY_SCHOOLING[schooling])
    tenure = pick(rng, np.tile([0.66, 0.16, 0.18], (len(people), 1)))
    stayed = rng.gamma(2.0, np.where(tenure == 1, 2.5, 8.0))
    return people.assign(
        schooling=(schooling + 1).astype(str),
        income_position=income,
        income_band=(income + 1).astype(str),
        tenure=(tenure + 1).astype(str),
        years_resident=np.minimum(np.floor(stayed), people["age"]).astype("int64"),
    )


def opinions(rng: np.random.Generator, people: pd.DataFrame, model: Model) -> pd.DataFrame:
    """Every rated item, 1-5; `latent` is what groups and communities give, the person adds a general mood."""
    count = len(people)
    mood = (people["latent"] + rng.normal(scale=model.person_sd, size=count)).to_numpy()
    hope = rng.normal(scale=0.8, size=count)
    rated = {"sat_overall": _rated(mood + rng.normal(scale=model.answer_sd, size=count), model.cuts)}
    wide = tuple(cut * 1.25 for cut in model.cuts)
    for name, liking in zip(FIELDS, FIELD_LIKING, strict=True):
        rated[f"sat_{name}"] = _rated(mood + liking + rng.normal(scale=FIELD_NOISE_SD, size=count), wide)
    for name, weight in zip(FIELDS, FIELD_IMPORTANCE, strict=True):
        rated[f"imp_{name}"] = _rated(
            0.7 * hope + weight + rng.normal(scale=0.9, size=count), (-2.4, -1.6, -0.6, 0.6)
        )
    for name, liking, asked in zip(DIMENSIONS, DIMENSION_LIKING, DIMENSION_HOPE, strict=True):
        rated[f"exp_{name}"] = _rated(hope + asked + rng.normal(scale=HOPE_NOISE_SD, size=count), HOPE_CUTS)
        rated[f"per_{name}"] = _rated(mood + liking + rng.normal(scale=QUALITY_NOISE_SD, size=count), wide)
    # 'Staff are slow to act': agreeing is a complaint.
    rated["per_responsiveness"] = 6 - rated["per_responsiveness"]
    return people.assign(**{name: codes.astype(str) for name, codes in rated.items()})


def _rated(latent: NDArray[np.float64], cuts: Sequence[float]) -> NDArray[np.int64]:
    return np.asarray(np.searchsorted(np.asarray(cuts), latent) + 1, dtype=np.int64)


def needs(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Fields needed and used, at least one of each; the poor need work and relief, the old need care."""
    poor = (people["income_position"].to_numpy() == 0).astype(float)
    old = (people["age_band"].to_numpy() == 3).astype(float)
    young = (people["age_band"].to_numpy() <= 1).astype(float)
    lift = np.zeros((len(people), len(FIELDS)))
    for field, more in {
        "employment": 0.9 * poor + 0.5 * young - 1.2 * old,
        "health": 0.9 * old,
        "homehelp": 0.7 * old - 0.3 * poor,
        "welfare": 1.4 * poor + 0.3 * old,
        "property": -0.4 * poor,
        "sport": 0.4 * young,
    }.items():
        lift[:, FIELDS.index(field)] = more
    need = _several(rng, np.array(NEEDED) + lift, "health")
    use = _several(rng, np.array(USED) + 0.6 * lift + 0.8 * need, "order")
    return people.assign(
        **{f"need__{field}": need[:, i] for i, field in enumerate(FIELDS)},
        **{f"use__{field}": use[:, i] for i, field in enumerate(FIELDS)},
    )


def _several(rng: np.random.Generator, log_odds: NDArray[np.float64], otherwise: str) -> NDArray[np.int64]:
    chosen = rng.random(log_odds.shape) < 1 / (1 + np.exp(-log_odds))
    chosen[~chosen.any(axis=1), FIELDS.index(otherwise)] = True
    return chosen.astype(np.int64)


def payment(rng: np.random.Generator, people: pd.DataFrame) -> pd.DataFrame:
    """Yuan per month, many zeros; what one would pay is asked only of those who could pay anything."""
    income = people["income_position"].to_numpy()
    could = np.round(rng.lognormal(np.log(COULD_PAY_YUAN[income]), 0.8) / 5) * 5
    could = np.where(rng.random(len(people)) < COULD_PAY_NOTHING[income], 0, np.clip(could, 5, 1500))
    wish = np.where(rng.random(len(people)) < 0.25, 0, rng.beta(2, 2.5, len(people)))
    would = pd.Series(np.round(could * wish), people.index).where(could > 0)
    return people.assign(
        could_pay_yuan_per_month=could.astype(np.int64), would_pay_yuan_per_month=would.astype("Int64")
    )
