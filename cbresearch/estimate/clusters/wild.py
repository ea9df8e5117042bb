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
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.linear import Fit, least_squares, plain_se
from cbresearch.estimate.formula import matrices, weights_of
from cbresearch.sampling.design import Floats

RADEMACHER = (-1.0, 1.0)
WEBB = (-math.sqrt(1.5), -1.0, -math.sqrt(0.5), math.sqrt(0.5), 1.0, math.sqrt(1.5))
FEW = 10
"""Below so many clusters signs give too few vectors."""
Points = Literal["auto", "rademacher", "webb"]
FARTHEST = 60
"""How many standard errors from the estimate an end of the interval is looked for."""


@dataclass(frozen=True, slots=True)
class WildBootstrap:
    """`p` of a null with how it was had: every vector of signs (`exact`), or so many drawn at random."""

    p: float
    draws: int
    exact: bool
    points: str


@dataclass(frozen=True, slots=True)
class WildResult:
    """One coefficient with its restricted wild cluster bootstrap; `se` and `t` are CR1S, as in every draw."""

    value: float
    se: float
    t: float
    p: float
    low: float
    high: float
    clusters: int
    n: int
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
        extreme = _extreme(redrawn, observed)
        return extreme / len(redrawn) if exact else (1 + extreme) / (1 + len(redrawn))


def wild_bootstrap(
    fit: Fit, coefficient: int, *, null: float = 0.0, draws: int = 9_999, seed: int = 1,
    points: Points = "auto",
) -> WildBootstrap:  # fmt: skip
    """Test that a coefficient equals `null` by redrawing each cluster's residuals as a whole, null imposed.

    `points` are "rademacher" (signs), "webb" (six points) or "auto": Webb's below 10 clusters, where signs
    give too few vectors. Every vector is visited where there are no more than `draws` of them. Ties count
    against the null's rejection, so p is never 0.
    """
    vectors, name, exact = _vectors(len(fit.start), draws, seed, points)
    p = _redrawn(fit, coefficient, vectors).p(null, exact=exact)
    return WildBootstrap(p, len(vectors), exact, name)


def wild_interval(
    fit: Fit, coefficient: int, *, level: float = 0.05, draws: int = 9_999, seed: int = 1,
    points: Points = "auto",
) -> tuple[float, float]:  # fmt: skip
    """The ends of what the bootstrap does not reject at `level`, by bisection; NaN where it has no end."""
    vectors, _, exact = _vectors(len(fit.start), draws, seed, points)
    redrawn = _redrawn(fit, coefficient, vectors)

    def p(null: float) -> float:
        return redrawn.p(null, exact=exact)

    return _edge(p, redrawn.value, -redrawn.se, level), _edge(p, redrawn.value, redrawn.se, level)


def wild_unrestricted(
    fit: Fit, coefficient: int, *, null: float = 0.0, draws: int = 9_999, seed: int = 1,
    points: Points = "auto",
) -> WildBootstrap:  # fmt: skip
    """The same without the null imposed: residuals of the full fit, redrawn t around the estimate.

    With few treated clusters it rejects too often where the restricted one rejects too rarely, so the two
    together say how far either can be trusted (MacKinnon and Webb 2018, Econometrics Journal 21).
    """
    vectors, name, exact = _vectors(len(fit.start), draws, seed, points)
    redrawn = _redrawn_t(fit, coefficient, fit.residuals, vectors)
    se = float(plain_se(fit)[coefficient])
    observed = abs(float(fit.coefficients[coefficient]) - null) / se
    extreme = _extreme(np.abs(redrawn), observed)
    p = extreme / len(vectors) if exact else (1 + extreme) / (1 + len(vectors))
    return WildBootstrap(p, len(vectors), exact, name)


def wild_cluster_bootstrap(
    frame: pd.DataFrame, formula: str, *, cause: str, cluster: str, weights: str | None = None,
    null: float = 0.0, level: float = 0.05, draws: int = 9_999, seed: int = 1, points: Points = "auto",
) -> WildResult:  # fmt: skip
    """The restricted wild cluster bootstrap of `cause` in a linear `formula`, p and interval, with weights.

    Rows with a missing value in the formula are left out. EstimateError for unknown columns, missing
    clusters or weights, fewer than two clusters.
    """
    made = matrices(frame, formula, also=[cluster, *([weights] if weights else [])])
    labels = frame[cluster].to_numpy()[made.rows]
    fit = least_squares(made.X, made.y, weights_of(frame, weights, made.rows), labels)
    j = made.place(cause)
    vectors, name, exact = _vectors(len(fit.start), draws, seed, points)
    redrawn = _redrawn(fit, j, vectors)

    def p(at: float) -> float:
        return redrawn.p(at, exact=exact)

    ends = [_edge(p, redrawn.value, side * redrawn.se, level) for side in (-1, 1)]
    return WildResult(
        redrawn.value, redrawn.se, (redrawn.value - null) / redrawn.se, p(null), ends[0], ends[1],
        len(fit.start), len(fit.y), len(vectors), exact, name,
    )  # fmt: skip


def _vectors(G: int, draws: int, seed: int, chosen: Points) -> tuple[Floats, str, bool]:
    """Draws x G numbers, their kind, and whether they are all there are."""
    if chosen not in get_args(Points):
        raise EstimateError(f"points = '{chosen}'; expected one of {', '.join(get_args(Points))}.")
    kind = ("webb" if G < FEW else "rademacher") if chosen == "auto" else chosen
    points = np.array(WEBB if kind == "webb" else RADEMACHER)
    if len(points) ** G <= draws:
        return np.array(list(product(points, repeat=G))), kind.capitalize(), True
    picked = np.random.default_rng(seed).integers(0, len(points), size=(draws, G), dtype=np.int8)
    return np.asarray(points[picked]), kind.capitalize(), False


def _extreme(redrawn: Floats, observed: float) -> int:
    """How many are as large; the all-plus and all-minus vectors give |t| back up to rounding: they must count."""
    return int((redrawn >= observed - 1e-9 * max(1.0, observed)).sum())


def _redrawn_t(fit: Fit, j: int, residuals: Floats, vectors: Floats) -> Floats:
    """The t of every redrawn sample, from weighted scores of the clusters alone."""
    (n, k), G = fit.X.shape, len(fit.start)
    scores = np.add.reduceat(fit.X * (fit.w * residuals)[:, None], fit.start, axis=0)
    a = fit.bread[j]
    numerator = vectors @ (scores @ a)
    each = vectors * (scores @ a) - vectors @ (scores @ fit.bread @ _moved(fit, a).T)
    scale = G / (G - 1) * (n - 1) / (n - k)
    return np.asarray(numerator / np.sqrt(scale * (each**2).sum(axis=1)))


def _moved(fit: Fit, a: Floats) -> Floats:
    """X_g'W_g X_g a for each cluster, G x k: how a redrawn coefficient moves the cluster's score."""
    return np.add.reduceat(fit.X * (fit.w * (fit.X @ a))[:, None], fit.start, axis=0)


def _redrawn(fit: Fit, j: int, vectors: Floats) -> Redrawn:
    """Draws x G signs turned into what each redrawn t is made of, for every null at once."""
    (n, k), G = fit.X.shape, len(fit.start)
    a = fit.bread[j]
    moved = fit.bread @ _moved(fit, a).T  # k x G
    over, each = [], []
    for residual in _without(fit, j):
        scores = np.add.reduceat(fit.X * (fit.w * residual)[:, None], fit.start, axis=0)  # G x k
        mine = scores @ a
        over.append(vectors @ mine)
        each.append(vectors * mine - vectors @ (scores @ moved))
    scale = G / (G - 1) * (n - 1) / (n - k)
    products = [scale * np.einsum("bg,bg->b", each[s], each[t]) for s, t in ((0, 0), (0, 1), (1, 1))]
    se = float(plain_se(fit)[j])
    return Redrawn(float(fit.coefficients[j]), se, over[0], over[1], *products)


def _without(fit: Fit, j: int) -> tuple[Floats, Floats]:
    """Residuals of y and of the cause on all other regressors, from k x k numbers of the full fit.

    The full fit less the cause: y - X b + b_j e, with e the cause less what the others say of it, which is
    X a / a_j for a the cause's row of the bread (Frisch, Waugh and Lovell).
    """
    a = fit.bread[j]
    cause = fit.X @ (a / a[j])
    return fit.residuals + fit.coefficients[j] * cause, cause


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
