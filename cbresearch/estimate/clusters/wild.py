"""The wild cluster bootstrap with the null imposed, for weighted least squares too.

Cameron, Gelbach and Miller (2008, Review of Economics and Statistics 90), Webb (2023, Canadian J. of
Economics 56); fast through cluster scores (Roodman et al. 2019, Stata Journal 19). Weights enter as the
square root on both sides, which leaves t, b and residual scores those of the weighted fit.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from cbresearch.estimate.clusters.linear import Fit, robust
from cbresearch.sampling.design import Floats

RADEMACHER = (-1.0, 1.0)
WEBB = (-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5))
FARTHEST = 60
"""How many standard errors from the estimate an end of the interval is looked for."""


@dataclass(frozen=True, slots=True)
class WildBootstrap:
    """`p` of a null with how it was had: every vector of signs (`exact`), or so many drawn at random."""

    p: float
    draws: int
    exact: bool
    points: str


@dataclass(frozen=True, slots=True, eq=False)
class Redrawn:
    """Every redrawn t as a function of the null r: (over_y - r over_x) / sqrt(a - 2 r b + r² c).

    Residuals under the null are linear in r, so numbers per draw are all that need be kept.
    """

    value: float
    se: float
    """CR1S, as in every redrawn t."""
    over_y: Floats
    over_x: Floats
    a: Floats
    b: Floats
    c: Floats

    def p(self, null: float, *, exact: bool) -> float:
        observed = abs(self.value - null) / self.se
        spread = np.sqrt(self.a - 2 * null * self.b + null**2 * self.c)
        redrawn = np.abs(self.over_y - null * self.over_x) / spread
        # the all-plus and all-minus vectors give |t| back up to rounding: they must count
        extreme = int((redrawn >= observed - 1e-9 * max(1.0, observed)).sum())
        return extreme / len(redrawn) if exact else (1 + extreme) / (1 + len(redrawn))


def wild_bootstrap(
    fit: Fit, coefficient: int, *, null: float = 0.0, draws: int = 9_999, seed: int = 1
) -> WildBootstrap:
    """Test that a coefficient equals `null` by redrawing each cluster's residuals as a whole.

    Every vector of signs is visited where there are no more than `draws` of them; below 10 clusters
    Webb's six points give enough vectors. Ties count against the null's rejection, so p is never 0.
    """
    vectors, points, exact = _vectors(len(fit.start), draws, seed)
    p = _redrawn(fit, coefficient, vectors).p(null, exact=exact)
    return WildBootstrap(p, len(vectors), exact, points)


def wild_interval(
    fit: Fit, coefficient: int, *, level: float = 0.05, draws: int = 9_999, seed: int = 1
) -> tuple[float, float]:
    """The ends of what the bootstrap does not reject at `level`, by bisection; NaN where it has no end."""
    vectors, _, exact = _vectors(len(fit.start), draws, seed)
    redrawn = _redrawn(fit, coefficient, vectors)

    def p(null: float) -> float:
        return redrawn.p(null, exact=exact)

    return _edge(p, redrawn.value, -redrawn.se, level), _edge(p, redrawn.value, redrawn.se, level)


def _vectors(G: int, draws: int, seed: int) -> tuple[Floats, str, bool]:
    points, name = (WEBB, "Webb") if G < 10 else (RADEMACHER, "Rademacher")
    if len(points) ** G <= draws:
        return np.array(list(product(points, repeat=G))), name, True
    return np.asarray(np.random.default_rng(seed).choice(points, size=(draws, G))), name, False


def _redrawn(fit: Fit, j: int, vectors: Floats) -> Redrawn:
    """Draws x G signs turned into what each redrawn t is made of."""
    (n, k), G = fit.X.shape, len(fit.start)
    root = np.sqrt(fit.w)
    X, y, x = fit.X * root[:, None], fit.y * root, fit.X[:, j] * root
    others = X[:, np.arange(k) != j]
    both = np.column_stack([y, x])
    left = both - others @ np.linalg.lstsq(others, both, rcond=None)[0] if k > 1 else both
    a = fit.bread[j]
    moved = np.array([X[rows].T @ (X[rows] @ a) for rows in fit.rows_of])  # G x k
    over, each = [], []
    for residual in left.T:
        scores = np.add.reduceat(X * residual[:, None], fit.start, axis=0)  # G x k
        over.append(vectors @ (scores @ a))
        each.append(vectors * (scores @ a) - vectors @ (scores @ fit.bread @ moved.T))
    scale = G / (G - 1) * (n - 1) / (n - k)
    products = [scale * (each[s] * each[t]).sum(axis=1) for s, t in ((0, 0), (0, 1), (1, 1))]
    se = float(robust(fit, "CR1S").se[j])
    return Redrawn(float(fit.coefficients[j]), se, over[0], over[1], *products)


def _edge(p: Callable[[float], float], centre: float, step: float, level: float) -> float:
    inside, outside = centre, centre + step
    while p(outside) > level:
        inside, outside = outside, outside + step
        if abs(outside - centre) > FARTHEST * abs(step):
            return math.nan
    for _ in range(30):
        middle = (inside + outside) / 2
        inside, outside = (middle, outside) if p(middle) > level else (inside, middle)
    return (inside + outside) / 2
