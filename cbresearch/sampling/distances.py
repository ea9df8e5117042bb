"""Distances: how calibrated weights may leave the base weights, and the smallest leave that meets the totals.

g_i = F(x_i'λ) multiplies the weight of row i; λ solves Σ w_i g_i x_i = T by Newton's method (Deville and
Särndal 1992, JASA 87; R: `survey::grake`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cbresearch.sampling.design import Floats

Distance = Literal["linear", "raking", "logit"]
Bounds = tuple[float, float]
STEPS = 100
HALVINGS = 30


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """g as a function of u = x'λ, and its slope."""

    g: Callable[[Floats], Floats]
    slope: Callable[[Floats], Floats]


@dataclass(frozen=True, slots=True, eq=False)
class Solved:
    """n factors of the weights, the steps they took, and how far each of K totals is missed, as a share of it."""

    factors: Floats
    steps: int
    apart: Floats


def shape_of(distance: Distance, bounds: Bounds | None) -> Shape:
    """Linear (cut at `bounds` where given), raking (never negative), logit (always inside its `bounds`)."""
    if distance == "raking":
        return Shape(_exp, _exp)
    if distance == "logit":
        assert bounds is not None
        return _logit(*bounds)
    low, high = bounds or (-np.inf, np.inf)
    return Shape(
        lambda u: np.clip(1 + u, low, high), lambda u: ((1 + u >= low) & (1 + u <= high)).astype(np.float64)
    )


def solved(weights: Floats, x: Floats, totals: Floats, shape: Shape, tolerance: float) -> Solved:
    """The factors that bring the weighted sums of the n x K columns `x` to the K `totals`.

    Columns may repeat each other. Where no factors do, the nearest come back with how far they are `apart`.
    """
    size = np.maximum(np.abs(totals), weights @ np.abs(x))
    scaled, wanted = x / size, totals / size
    multiplier = np.zeros(x.shape[1])
    factors = shape.g(scaled @ multiplier)
    missed = wanted - (weights * factors) @ scaled
    steps = 0
    while np.abs(missed).max(initial=0.0) > tolerance and steps < STEPS:
        slope = weights * shape.slope(scaled @ multiplier)
        # least squares, because the classes of two margins both add up to everybody
        step = np.linalg.lstsq((scaled * slope[:, None]).T @ scaled, missed, rcond=1e-13)[0]
        for _ in range(HALVINGS):
            factors = shape.g(scaled @ (multiplier + step))
            left = wanted - (weights * factors) @ scaled
            if np.abs(left).max() < np.abs(missed).max():
                break
            step = step / 2
        else:
            break
        multiplier, missed, steps = multiplier + step, left, steps + 1
    factors = shape.g(scaled @ multiplier)
    return Solved(factors, steps, np.abs(missed))


def _exp(u: Floats) -> Floats:
    # beyond this a step has run away; halving it brings it back
    return np.exp(np.clip(u, -500, 500))


def _logit(low: float, high: float) -> Shape:
    steep = (high - low) / ((1 - low) * (high - 1))

    def g(u: Floats) -> Floats:
        e = _exp(steep * u)
        return (low * (high - 1) + high * (1 - low) * e) / ((high - 1) + (1 - low) * e)

    def slope(u: Floats) -> Floats:
        return steep * (g(u) - low) * (high - g(u)) / (high - low)

    return Shape(g, slope)
