"""The highest likelihood of ordered answers by Newton's method, which says so when there is none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg
from scipy.special import logit

from cbresearch.errors import EstimateError
from cbresearch.estimate.models.proportional_odds import Answers, likelihood, listed
from cbresearch.sampling.design import Floats

Heights = tuple[float, Floats, Floats]
STEPS = 60
STILL = 1e-12
"""Newton's last step is below a millionth of a standard error."""
REPEATED = 1e-10
SPENT = 1e-8
"""Where less than this share of the first information is left in some direction, answers are separated there."""


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """k coefficients and K-1 cuts at the highest likelihood; `at` and `information` on the scale of Answers.Z.

    `gradient` is the largest slope left there, over the root of its information: what is left to climb, in
    standard errors.
    """

    b: Floats
    cuts: Floats
    log_likelihood: float
    at: Floats
    information: Floats
    gradient: float
    steps: int


def fit(answers: Answers) -> Optimum:
    """Newton with halved steps. EstimateError, naming columns, where they repeat each other or separate answers."""
    k = len(answers.Z)
    shares = np.array([answers.weights[rows].sum() for rows in answers.rows])
    at = np.concatenate([np.zeros(k), logit(np.cumsum(shares)[:-1] / shares.sum())])
    value, slope, information = likelihood(answers, at)
    first, unit = information, shares.sum() / len(answers.weights)
    _refuse_repeats(answers, first)
    for taken in range(STEPS):
        try:
            step = linalg.cho_solve(linalg.cho_factor(information), slope)
        except linalg.LinAlgError:
            break
        if slope @ step < STILL * unit:
            _refuse_separation(answers, information, first)
            at = at + step  # costs nothing, and squares what is left
            to = answers.back @ at
            left = float(np.abs(slope / np.sqrt(np.diag(information))).max() / np.sqrt(unit))
            return Optimum(to[:k], to[k:], value, at, information, left, taken)
        if (higher := _uphill(answers, at, step, value)) is None:
            break
        at, (value, slope, information) = higher
    _refuse_separation(answers, information, first)
    raise EstimateError(
        f"The ordered logit did not settle in {STEPS} steps, and no column separates the answers. Look for a column "
        "with a few values very far from the others, or join answers that hardly anybody gave."
    )


def _uphill(answers: Answers, at: Floats, step: Floats, value: float) -> tuple[Floats, Heights] | None:
    """A step, halved as often as is needed to keep cuts in order and not go down; None where that does not help."""
    size = 1.0
    while size > 1e-8:
        moved = at + size * step
        if (np.diff(moved[len(answers.Z) :]) > 0).all():
            found = likelihood(answers, moved)
            if found[0] >= value - 1e-10 * abs(value):
                return moved, found
        size /= 2
    return None


def _refuse_repeats(answers: Answers, information: Floats) -> None:
    size = np.sqrt(np.diag(information))
    values, vectors = np.linalg.eigh(information / np.outer(size, size))
    if values[0] < REPEATED:
        named = listed(answers.names, np.abs(vectors[: len(answers.Z), 0]) > 1e-3)
        raise EstimateError(
            f"{named}: these columns follow from each other, so their coefficients mean nothing. Leave one out "
            "(the cuts stand for the column of ones: classes want one left out, also after '- 1')."
        )


def _refuse_separation(answers: Answers, information: Floats, first: Floats) -> None:
    values, vectors = linalg.eigh(information, first)
    if values[0] < SPENT:
        along = np.abs(vectors[: len(answers.Z), 0])
        raise EstimateError(
            f"{listed(answers.names, along > 0.1 * along.max())} foretells some answers without fail (separation), "
            "so that the coefficient has no end. Join classes in which everybody answers alike or answers that "
            "hardly anybody gave, or leave the column out."
        )
