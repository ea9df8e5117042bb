"""Chance that can be repeated: one stream of random numbers for each named purpose."""

from __future__ import annotations

from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray


def stream(seed: int, purpose: str, wave: int = 0) -> np.random.Generator:
    """A generator that depends on `seed`, `purpose` and `wave` alone, so one more draw elsewhere moves nothing here."""
    return np.random.default_rng([seed, crc32(purpose.encode()), wave])


def share_out(total: int, sizes: ArrayLike) -> NDArray[np.int64]:
    """Whole numbers in proportion to `sizes` (positive) that sum to `total` exactly, by largest remainder."""
    parts = np.asarray(sizes, dtype=float)
    exact = total * parts / parts.sum()
    whole = np.floor(exact).astype(np.int64)
    first = np.argsort(-(exact - whole), kind="stable")[: total - int(whole.sum())]
    whole[first] += 1
    return np.asarray(whole, dtype=np.int64)


def standardised(values: ArrayLike) -> NDArray[np.float64]:
    """The same values with mean 0 and standard deviation 1: 23 draws alone would stray too far from either."""
    drawn = np.asarray(values, dtype=float)
    return np.asarray((drawn - drawn.mean()) / drawn.std(), dtype=float)


def pick(rng: np.random.Generator, chances: NDArray[np.float64]) -> NDArray[np.int64]:
    """One position for each row of `chances` (rows sum to 1)."""
    reached = rng.random(len(chances))[:, None] > chances.cumsum(axis=1)
    return np.asarray(np.minimum(reached.sum(axis=1), chances.shape[1] - 1), dtype=np.int64)
