"""The profiled likelihood of a linear mixed model with one grouping factor, from cross-products per group.

Bates, Mächler, Bolker and Walker (2015, J. of Statistical Software 67), sections 3.3-3.4. With L the relative
Cholesky factor of the random effects, A_g = I + L'Z_g'Z_g L; nothing of the size of a group is ever built.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cbresearch.sampling.design import Floats, Ints

Method = Literal["REML", "ML"]


@dataclass(frozen=True, slots=True, eq=False)
class Products:
    """Per group Z'Z (G x q x q) and Z'[X y] (G x q x p+1); over all rows [X y]'[X y]; n and group sizes.

    X here is orthonormal, y what least squares leaves of it, a slope's column in Z centred and of variance 1:
    cross-products of a year or an income as it stands would lose half of the digits. `log_det` is what the
    turn of X adds to log|X'X|.
    """

    zz: Floats
    zw: Floats
    ww: Floats
    log_det: float
    n: int
    sizes: Ints

    @property
    def p(self) -> int:
        """The number of coefficients."""
        return len(self.ww) - 1

    @property
    def zx(self) -> Floats:
        """Z'X per group, G x q x p."""
        return self.zw[:, :, :-1]

    def freedom(self, method: Method) -> int:
        """n, less the coefficients where the likelihood is restricted."""
        return self.n - self.p if method == "REML" else self.n

    def intercept_alone(self) -> Products:
        """The same without the random slope."""
        return Products(
            self.zz[:, :1, :1], self.zw[:, :1], self.ww, self.log_det, self.n, self.sizes
        )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """Products with the way back: coefficients = `start` + `back` b, random effects = `out` u."""

    products: Products
    start: Floats
    back: Floats
    out: Floats


def turned(X: Floats, y: Floats, slope: Floats | None, code: Ints) -> Turned:
    """Cross-products of n rows, `code` telling their group (0..G-1); X (n x p) of full rank."""
    Q, R = np.linalg.qr(X)
    back = np.asarray(np.linalg.inv(R), dtype=np.float64)
    start = back @ (Q.T @ y)
    W = np.column_stack([Q, y - X @ start])
    ones = np.ones(len(y))
    Z, out = [ones], np.eye(1)
    if slope is not None:
        centre, scale = float(slope.mean()), float(slope.std())
        Z.append((slope - centre) / scale)
        out = np.array([[1.0, -centre / scale], [0.0, 1 / scale]])
    sizes = np.bincount(code)
    zz = np.array([[np.bincount(code, a * b) for b in Z] for a in Z])
    zw = np.array([[np.bincount(code, a * w) for w in W.T] for a in Z])
    log_det = 2 * float(np.log(np.abs(np.diag(R))).sum())
    made = Products(np.moveaxis(zz, 2, 0), np.moveaxis(zw, 2, 0), W.T @ W, log_det, len(y), sizes)
    return Turned(made, start, back, out)


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """What the likelihood is made of at one L: log|A| summed, X*X, the coefficients, the residual sum r."""

    log_det: float
    xx: Floats
    coefficients: Floats
    residual: float


def inside(made: Products, L: Floats) -> Floats:
    """L (I + L'Z'Z L)^-1 L' per group, G x q x q: the covariance of the effects given the answers, over sigma²."""
    return np.asarray(L @ np.linalg.inv(np.eye(len(L)) + L.T @ made.zz @ L) @ L.T)


def profile(made: Products, L: Floats) -> Profile:
    """Everything that follows from L."""
    A = np.eye(len(L)) + L.T @ made.zz @ L
    K = L @ np.linalg.inv(A) @ L.T
    left = made.ww - np.tensordot(made.zw, K @ made.zw, axes=([0, 1], [0, 1]))
    xx, xy = left[:-1, :-1], left[:-1, -1]
    b: Floats = np.asarray(np.linalg.solve(xx, xy), dtype=np.float64)
    log_det = float(np.linalg.slogdet(A)[1].sum())
    return Profile(log_det, xx, b, float(left[-1, -1] - b @ xy))


def deviance(made: Products, L: Floats, method: Method) -> float:
    """-2 log likelihood (REML: the criterion) with coefficients and residual variance profiled out."""
    found, m = profile(made, L), made.freedom(method)
    return _determinants(made, found, method) + m * (1 + math.log(2 * math.pi * found.residual / m))


def unprofiled(made: Products, L: Floats, sigma: float, method: Method) -> float:
    """The same at a residual standard deviation of one's own."""
    found, m = profile(made, L), made.freedom(method)
    return (
        _determinants(made, found, method) + found.residual / sigma**2 + m * math.log(2 * math.pi * sigma**2)
    )


def _determinants(made: Products, found: Profile, method: Method) -> float:
    if method == "ML":
        return found.log_det
    return found.log_det + float(np.linalg.slogdet(found.xx)[1]) + made.log_det


def factor(theta: Floats) -> Floats:
    """L from its free elements: (intercept) or (intercept, covariance, slope)."""
    if len(theta) == 1:
        return np.array([[theta[0]]])
    return np.array([[theta[0], 0.0], [theta[1], theta[2]]])
