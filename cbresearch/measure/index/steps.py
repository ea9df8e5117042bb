"""The steps that turn indicators into comparable numbers: impute, treat, normalise, aggregate.

OECD and JRC (2008), Handbook on Constructing Composite Indicators; the R package COINr takes the same
steps. Arrays are ... x areas x indicators, more being better: a thousand redrawn tables go through in one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats

Missing = Literal["refuse", "mean", "median"]
Treat = Literal["none", "winsorise"]
Normalise = Literal["minmax", "zscore", "rank", "distance"]
Aggregate = Literal["arithmetic", "geometric"]
SKEW, KURTOSIS, MOST_PULLED = 2.0, 3.5, 5


@dataclass(frozen=True, slots=True, eq=False)
class Treated:
    """Values after treatment; per indicator, how many were pulled in and whether it is `still` lopsided."""

    values: Floats
    pulled: NDArray[np.int64]
    still: NDArray[np.bool_]


def impute(values: Floats, how: Missing) -> Floats:
    """Fill a missing cell with the mean or median of the areas that have the indicator.

    Pulls the area towards the middle and understates its doubt. "refuse" is an EstimateError where a cell
    is missing.
    """
    if how == "refuse":
        if gone := int(np.isnan(values).sum()):
            raise EstimateError(f"{gone} cells are missing; leave them out, or fill them by mean or median.")
        return values
    middle = np.nanmean if how == "mean" else np.nanmedian
    return np.where(np.isnan(values), middle(values, axis=-2, keepdims=True), values)


def treat(values: Floats, how: Treat) -> Treated:
    """The values as they are ("none"), or with far-out ones pulled in ("winsorise")."""
    if how == "winsorise":
        return winsorise(values)
    nothing = np.zeros(values.shape[:-2] + values.shape[-1:], dtype=np.int64)
    return Treated(values, nothing, nothing > 0)


def winsorise(values: Floats, *, most: int = MOST_PULLED) -> Treated:
    """Pull the farthest values in to their neighbour while |skewness| > 2 and excess kurtosis > 3.5.

    One value more at a time on the skewed side, `most` at the utmost; what is lopsided even then is told
    in `still`. Skewness and kurtosis are G1 and G2, as in spreadsheets; they need four areas. No NaN.
    """
    n = values.shape[-2]
    ordered, treated = np.sort(values, axis=-2), values
    lopsided = _lopsided(values)
    pulled = np.zeros(lopsided.shape, dtype=np.int64)
    upper = stats.skew(_varying(values), axis=-2) > 0
    for times in range(1, min(most, n - 3) + 1):
        if not lopsided.any():
            break
        low, high = ordered[..., times, :], ordered[..., n - 1 - times, :]
        inside = np.where(
            upper[..., None, :],
            np.minimum(values, high[..., None, :]),
            np.maximum(values, low[..., None, :]),
        )
        treated = np.where(lopsided[..., None, :], inside, treated)
        pulled = np.where(lopsided, times, pulled)
        lopsided = lopsided & _lopsided(treated)
    return Treated(treated, pulled, lopsided)


def _lopsided(values: Floats) -> NDArray[np.bool_]:
    if values.shape[-2] < 4:
        return np.zeros(values.shape[:-2] + values.shape[-1:], dtype=bool)
    varying = _varying(values)
    skewed = np.abs(stats.skew(varying, axis=-2, bias=False)) > SKEW
    return np.asarray(skewed & (stats.kurtosis(varying, axis=-2, bias=False) > KURTOSIS))


def _varying(values: Floats) -> Floats:
    """Columns that do not vary made into evenly spaced ones, which are not lopsided: scipy would warn of 0/0."""
    varies = np.ptp(values, axis=-2, keepdims=True) > 0
    return np.where(varies, values, np.arange(values.shape[-2], dtype=np.float64)[:, None])


def normalise(values: Floats, how: Normalise, *, targets: Floats | None = None, floor: float = 0.0) -> Floats:
    """Indicators on one scale, `floor` (worst) to 100 (best), or with mean 0 and sd 1 for "zscore".

    "minmax" puts the worst area at the floor and the best at 100; "rank" spaces areas evenly, ties sharing
    their mean rank; "distance" puts 100 at `targets` (one per indicator, turned like the values) and the
    floor at the worst area, nothing counting above 100. An indicator that does not vary gives NaN.
    """
    low, high = values.min(axis=-2, keepdims=True), values.max(axis=-2, keepdims=True)
    if how == "zscore":
        spread = np.where(high > low, values.std(axis=-2, ddof=1, keepdims=True), np.nan)
        return np.asarray((values - values.mean(axis=-2, keepdims=True)) / spread)
    if how == "rank":
        values = np.asarray(stats.rankdata(values, axis=-2))
        low, high = np.ones_like(low), np.full_like(high, values.shape[-2])
    if how == "distance":
        if targets is None:
            raise EstimateError("normalise='distance' needs targets, one per indicator.")
        high = np.broadcast_to(targets, high.shape)
    share = (values - low) / np.where(high > low, high - low, np.nan)
    return np.asarray(floor + (100 - floor) * np.minimum(share, 1.0))


def aggregate(values: Floats, weights: Floats, how: Aggregate) -> Floats:
    """One number per area (... x areas): the weighted arithmetic or geometric mean of its indicators.

    `weights` (... x indicators) add up to 1. With the arithmetic mean a good indicator makes up for a bad
    one in full, with the geometric one less and less. NaN where a geometric mean meets a value below 0;
    a 0 makes it 0.
    """
    if how == "arithmetic":
        return np.asarray(np.einsum("...aj,...j->...a", values, weights))
    above = values > 0
    logs = np.einsum("...aj,...j->...a", np.log(np.where(above, values, 1.0)), weights)
    zero = ((values == 0) & (weights[..., None, :] > 0)).any(axis=-1)
    found = np.where(zero, 0.0, np.exp(logs))
    return np.where((values < 0).any(axis=-1) | np.isnan(values).any(axis=-1), np.nan, found)


def ranks(scores: Floats) -> Floats:
    """1 for the best area (... x areas); areas with equal scores share the better rank, NaN has none."""
    # scores equal up to rounding are equal
    return np.asarray(stats.rankdata(-scores.round(9), axis=-1, method="min", nan_policy="propagate"))
