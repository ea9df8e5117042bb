"""One band around all effects by time, so that the whole path is inside it nineteen times in twenty.

Multiplier bootstrap of influences, a draw per community (Callaway and Sant'Anna 2021, section 4; weights of
Mammen 1993, Annals of Statistics 21, or Webb 2023, Canadian J. of Economics 56).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.wild import WEBB
from cbresearch.estimate.policy.doubt import LEVEL
from cbresearch.sampling.design import Floats

Multiplier = Literal["Mammen", "Webb"]
GOLDEN = (1 + math.sqrt(5)) / 2


def critical_value(
    influence: Floats, *, multiplier: Multiplier = "Webb", draws: int = 9_999, seed: int = 1
) -> float:
    """How many standard errors the band reaches, from the influence (G x J) of what it covers.

    The 95 % point of the largest |t| among the J, communities' influences multiplied by random weights
    of mean 0 and variance 1. NaN where nothing has any spread. EstimateError for another multiplier.
    """
    if multiplier not in get_args(Multiplier):
        raise EstimateError(f"No multiplier is called '{multiplier}'; expected 'Mammen' or 'Webb'.")
    spread = np.sqrt((influence**2).sum(axis=0))
    moving = influence[:, spread > 1e-12 * max(float(spread.max(initial=0.0)), 1e-300)]
    if not moving.shape[1]:
        return math.nan
    weights = _weights(multiplier, (draws, len(influence)), np.random.default_rng(seed))
    largest = np.abs(weights @ moving / np.sqrt((moving**2).sum(axis=0))).max(axis=1)
    return float(np.quantile(largest, 1 - LEVEL, method="higher"))


def in_t(critical: float, df: float) -> float:
    """The point of t that is exceeded as rarely as `critical` is by the normal: the bootstrap knows no `df`.

    Never less than that of a single interval, which the bootstrap may fall short of by chance.
    """
    tail = min(float(stats.norm.sf(critical)), LEVEL / 2)
    return float(stats.t.isf(tail, df)) if df > 0 else math.nan


def _weights(multiplier: Multiplier, shape: tuple[int, int], rng: np.random.Generator) -> Floats:
    if multiplier == "Webb":
        return np.asarray(rng.choice(WEBB, size=shape))
    low = rng.random(shape) < GOLDEN / math.sqrt(5)
    return np.where(low, 1 - GOLDEN, GOLDEN)
