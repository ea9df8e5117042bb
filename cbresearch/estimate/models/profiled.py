"""The profiled likelihood of a linear mixed model with one grouping factor, from cross-products per group.

Bates, Mächler, Bolker and Walker (2015, J. of Statistical Software 67), sections 3.3-3.4. With L the relative
Cholesky factor of the random effects, A_g = I + L'Z_g'Z_g L; nothing of the size of a group is ever built.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import optimize

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints

Method = Literal["REML", "ML"]
_Judge = Callable[[Floats], float]
SMALLEST = 1e-4
"""Below this relative standard deviation an effect is no effect: the fit is singular."""


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """Per group Z'Z (G x q x q), Z'X (G x q x p), Z'y (G x q); over all rows X'X, X'y, y'y; n and group sizes."""

    zz: Floats
    zx: Floats
    zy: Floats
    xx: Floats
    xy: Floats
    yy: float
    n: int
    sizes: Ints


def products(X: Floats, y: Floats, Z: Floats, code: Ints) -> Products:
    """Cross-products of n rows, `code` telling their group (0..G-1)."""
    G, q, p = int(code.max()) + 1, Z.shape[1], X.shape[1]
    order = np.argsort(code.astype(np.int16) if G < 2**15 else code, kind="stable")
    W = np.column_stack([Z, X, y])[order]
    sizes = np.bincount(code, minlength=G)
    ends = np.cumsum(sizes)
    found = np.empty((G, q + p + 1, q + p + 1))
    for g, end in enumerate(ends):
        rows = W[end - sizes[g] : end]
        found[g] = rows.T @ rows
    whole = found.sum(axis=0)
    return Products(
        found[:, :q, :q], found[:, :q, q:-1], found[:, :q, -1], whole[q:-1, q:-1], whole[q:-1, -1],
        float(whole[-1, -1]), len(y), sizes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What the likelihood is made of at one L: log|A| summed, X*X, the coefficients, the residual sum r."""

    log_det: float
    xx: Floats
    coefficients: Floats
    residual: float


def profile(made: Products, L: Floats) -> Profile:
    """Everything that follows from L; EstimateError where the regressors repeat each other."""
    q = L.shape[0]
    A = np.eye(q) + L.T @ made.zz @ L
    C = np.linalg.cholesky(A)
    U = np.linalg.solve(C, L.T @ made.zx)
    v = np.linalg.solve(C, (made.zy @ L)[:, :, None])[:, :, 0]
    xx = made.xx - np.einsum("gqp,gqr->pr", U, U)
    xy = made.xy - np.einsum("gqp,gq->p", U, v)
    b = np.linalg.solve(xx, xy)
    log_det = 2 * float(np.log(np.einsum("gqq->gq", C)).sum())
    return Profile(log_det, xx, b, made.yy - float((v**2).sum()) - float(b @ xy))


def deviance(made: Products, L: Floats, method: Method) -> float:
    """-2 log likelihood (REML: the criterion) with coefficients and residual variance profiled out."""
    found = profile(made, L)
    m = made.n - len(made.xy) if method == "REML" else made.n
    penalty = float(np.linalg.slogdet(found.xx)[1]) if method == "REML" else 0.0
    return found.log_det + penalty + m * (1 + math.log(2 * math.pi * found.residual / m))


def unprofiled(made: Products, L: Floats, sigma: float, method: Method) -> float:
    """The same at a residual standard deviation of one's own."""
    found = profile(made, L)
    m = made.n - len(made.xy) if method == "REML" else made.n
    penalty = float(np.linalg.slogdet(found.xx)[1]) if method == "REML" else 0.0
    return found.log_det + penalty + found.residual / sigma**2 + m * math.log(2 * math.pi * sigma**2)


def factor(theta: Floats) -> Floats:
    """L from its free elements: (intercept) or (intercept, covariance, slope)."""
    if len(theta) == 1:
        return np.array([[theta[0]]])
    return np.array([[theta[0], 0.0], [theta[1], theta[2]]])


def fitted(made: Products, method: Method) -> Floats:
    """theta of the least deviance; the boundary (0) is kept where it is not worse. EstimateError where it does not settle."""

    def judge(theta: Floats) -> float:
        return deviance(made, factor(theta), method)

    if made.zz.shape[1] == 1:
        return _intercept(judge)
    best = min((_slope(judge, start) for start in _starts(made, judge)), key=judge)
    return _polished(judge, best)


def _intercept(judge: _Judge) -> Floats:
    grid = np.concatenate([[0.0], np.geomspace(1e-3, 30, 40)])
    values = np.array([judge(np.array([t])) for t in grid])
    i = int(values.argmin())
    low, high = grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)]
    found = optimize.minimize_scalar(
        lambda t: judge(np.array([t])), bounds=(low, high), method="bounded", options={"xatol": 1e-10}
    )
    theta = np.array([float(found.x)])
    if judge(theta) >= values[0] - 1e-10:
        return np.array([0.0])
    return _polished(judge, theta)


def _starts(made: Products, judge: _Judge) -> list[Floats]:
    """From no slope, from the scale at which slopes would matter, and from far out."""
    scale = math.sqrt(float(made.zz[:, 0, 0].sum()) / max(float(made.zz[:, 1, 1].sum()), 1e-300))
    one = _intercept(lambda t: judge(np.array([t[0], 0.0, 0.0])))[0]
    return [np.array([max(one, 0.1), 0.0, size * scale]) for size in (0.1, 0.5, 1.5)]


def _slope(judge: _Judge, start: Floats) -> Floats:
    step = np.maximum(np.abs(start), 0.05 * max(abs(start[0]), abs(start[2])))
    simplex = np.vstack([start, *(start + np.diag(step * 0.5))])
    found = optimize.minimize(
        judge, start, method="Nelder-Mead",
        options={"initial_simplex": simplex, "xatol": 1e-7, "fatol": 1e-8, "maxiter": 2_000},
    )  # fmt: skip
    if not found.success:
        raise EstimateError("The variances of the mixed model did not settle; leave the slope out.")
    theta = np.asarray(found.x, dtype=np.float64)
    # L and L with a column turned are the same covariance
    theta[:2] *= math.copysign(1, theta[0])
    theta[2] = abs(theta[2])
    return theta


def _polished(judge: _Judge, theta: Floats) -> Floats:
    """Newton steps from a point already close; none where it lies on the boundary."""
    diagonal = [0] if len(theta) == 1 else [0, 2]
    if (np.abs(theta[diagonal]) < SMALLEST).any():
        return theta
    for _ in range(6):
        slope, bend = derivatives(judge, theta)
        if np.linalg.eigvalsh(bend)[0] <= 0:
            break
        moved = theta - np.linalg.solve(bend, slope)
        if (moved[diagonal] <= 0).any() or judge(moved) > judge(theta) + 1e-9:
            break
        if np.abs(moved - theta).max() < 1e-10:
            return np.asarray(moved)
        theta = moved
    return theta


def derivatives(judge: _Judge, at: Floats) -> tuple[Floats, Floats]:
    """Slope and second derivatives by central differences of the fourth order."""
    k = len(at)
    h = 1e-3 * np.maximum(np.abs(at), 0.01)
    slope, bend = np.empty(k), np.empty((k, k))
    centre = judge(at)
    for i in range(k):
        e = np.eye(k)[i] * h[i]
        f = [judge(at + s * e) for s in (-2, -1, 1, 2)]
        slope[i] = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h[i])
        bend[i, i] = (-f[0] + 16 * f[1] - 30 * centre + 16 * f[2] - f[3]) / (12 * h[i] ** 2)
    for i in range(k):
        for j in range(i):
            a, b = np.eye(k)[i] * h[i], np.eye(k)[j] * h[j]

            def crossed(s: float, a: Floats = a, b: Floats = b) -> float:
                return (judge(at + s * a + s * b) - judge(at + s * a - s * b) - judge(at - s * a + s * b) + judge(at - s * a - s * b)) / (4 * s * s)  # fmt: skip

            bend[i, j] = bend[j, i] = (4 * crossed(1) - crossed(2)) / 3 / (h[i] * h[j])
    return slope, bend
