"""The model that the sample residents answer by: effects on latent satisfaction, whose residual is standard normal."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

POINTS_PER_STEP = 25.0
"""Five answers, 0 to 100 points."""

AGE_GROUPS = ("18-29", "30-44", "45-59", "60+")


@dataclass(frozen=True, slots=True)
class Model:
    """Effects on latent satisfaction, in standard deviations of what drivers and groups leave unexplained.

    Drivers are in the units of the study's indicators. They act WITHIN communities over time; the
    community effects are what need-driven funding answers to, so the cross-section misleads.
    """

    funding: float = 0.052
    college: float = 0.0050
    volunteers: float = 0.050
    wave: tuple[float, ...] = (0.0, -0.05, 0.02, 0.04)
    age: tuple[float, ...] = (-0.16, -0.08, 0.04, 0.22)
    women: float = 0.04
    community_sd: float = 0.34
    cell_sd: float = 0.07
    block_sd: float = 0.12
    person_sd: float = 0.75
    cuts: tuple[float, ...] = (-1.46, -0.71, 0.18, 1.12)

    @property
    def answer_sd(self) -> float:
        """Noise of one answer, such that block, person and answer together have variance 1."""
        return sqrt(1 - self.block_sd**2 - self.person_sd**2)

    @property
    def drivers(self) -> dict[str, float]:
        return {
            "funding_thousand_yuan_per_100_households": self.funding,
            "staff_college_percent": self.college,
            "volunteers_per_100_households": self.volunteers,
        }

    def expected_points(self, latent: ArrayLike) -> NDArray[np.float64]:
        """Mean of sat_overall_points (0-100) of residents whose latent satisfaction is `latent` on average."""
        above = norm.cdf(np.asarray(latent)[..., None] - np.asarray(self.cuts))
        return np.asarray(POINTS_PER_STEP * above.sum(axis=-1))

    def points_per_latent(self, latent: ArrayLike) -> NDArray[np.float64]:
        """Slope of `expected_points`: what one unit of latent satisfaction is worth in points."""
        density = norm.pdf(np.asarray(latent)[..., None] - np.asarray(self.cuts))
        return np.asarray(POINTS_PER_STEP * density.sum(axis=-1))


MODEL = Model()


def group_effects(model: Model) -> NDArray[np.float64]:
    """Latent effect of sex (rows: men, women) and age group (columns)."""
    return np.add.outer([0.0, model.women], model.age)


def latent_by_community_year(panel: pd.DataFrame, model: Model) -> pd.Series:
    """Latent satisfaction of each row of `panel` before any person: community, wave, cell, drivers."""
    waves = sorted(panel["wave"].unique())
    by_wave = panel["wave"].map(dict(zip(waves, model.wave, strict=True)))
    driven = sum(
        (panel[name] * effect for name, effect in model.drivers.items()), start=pd.Series(0.0, panel.index)
    )
    started = panel["wave"].eq(waves[0])
    return panel["community_effect"] + panel["cell_effect"] + by_wave + driven - driven[started].mean()
