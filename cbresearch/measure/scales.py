"""Scores: ratings on one footing, from 0 (worst) to 100 (best)."""

from __future__ import annotations

import pandas as pd

from cbresearch.errors import EstimateError


def points(codes: pd.Series, minimum: float, maximum: float, direction: int = 1) -> pd.Series:
    """The answers of one item as points, 0 the worst answer offered and 100 the best.

    `codes` are numbers between `minimum` and `maximum`, missing allowed. `direction` is 1 where more
    is better and -1 for an item worded the other way round. Missing answers give missing points
    (Float64). Assumes equal steps between neighbouring answers. EstimateError where a code lies
    outside the scale: clean first.
    """
    if minimum >= maximum:
        raise EstimateError(
            f"A scale from {minimum:g} to {maximum:g} has no length; the minimum must lie below the maximum."
        )
    numbers = codes.astype("Float64")
    outside = numbers[((numbers < minimum) | (numbers > maximum)).fillna(False)]
    if len(outside):
        raise EstimateError(
            f"{codes.name}: answers such as {outside.iloc[0]:g} ({len(outside)} in all) lie outside the scale from {minimum:g} to {maximum:g}. "
            "Build the study first, or correct minimum and maximum in codebook.csv."
        )
    above = numbers - minimum if direction == 1 else maximum - numbers
    return above / (maximum - minimum) * 100


def mean_score(items: pd.DataFrame, *, at_least: int) -> pd.Series:
    """Average the items that a resident answered.

    `items` has a row per resident and a column per item, all in points pointing the same way. Fewer
    than `at_least` answers give a missing score, not a low one (Float64). Assumes a skipped item
    would have resembled the answered ones.
    """
    answered = items.notna().sum(axis="columns")
    return items.mean(axis="columns").astype("Float64").where(answered >= at_least)
