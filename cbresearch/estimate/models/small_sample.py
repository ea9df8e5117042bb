"""Degrees of freedom of a mixed model's coefficients: Satterthwaite, Kenward and Roger.

Kuznetsova, Brockhoff and Christensen (2017, J. of Statistical Software 82); Kenward and Roger (1997,
Biometrics 53); Halekoh and Højsgaard (2014, J. of Statistical Software 59). R: lmerTest, pbkrtest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import numpy as np

from cbresearch.estimate.models.profiled import Method, Products, derivatives, factor, profile, unprofiled
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True, eq=False)
class SmallSample:
    """Standard errors and degrees of freedom of p coefficients."""

    se: Floats
    df: Floats


def satterthwaite(made: Products, theta: Floats, sigma: float, method: Method) -> SmallSample:
    """2 v² / (g'A g), with g the slope of a coefficient's variance v in (theta, sigma) and A twice the inverse curvature.

    On the boundary the random effects that are zero stay zero, and only what is free is differentiated.
    """
    free = np.abs(theta) > 0
    at = np.append(theta[free], sigma)

    def whole(w: Floats) -> tuple[Floats, float]:
        full = theta.copy()
        full[free] = w[:-1]
        return factor(full), float(w[-1])

    def judge(w: Floats) -> float:
        L, s = whole(w)
        return unprofiled(made, L, s, method)

    def variances(w: Floats) -> Floats:
        L, s = whole(w)
        return np.asarray(s**2 * np.diag(np.linalg.inv(profile(made, L).xx)))

    spread = 2 * np.linalg.inv(derivatives(judge, at)[1])
    slopes = np.array([_slope(variances, at, i) for i in range(len(at))])
    v = variances(at)
    return SmallSample(np.sqrt(v), 2 * v**2 / np.einsum("ac,ab,bc->c", slopes, spread, slopes))


def _slope(function: Callable[[Floats], Floats], at: Floats, i: int) -> Floats:
    h = 1e-3 * max(abs(at[i]), 0.01)
    e = np.eye(len(at))[i] * h
    f = [function(at + s * e) for s in (-2, -1, 1, 2)]
    return np.asarray((f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h))


def kenward_roger(made: Products, theta: Floats, sigma: float) -> SmallSample:
    """Adjusted standard errors and degrees of freedom of each coefficient, from cross-products alone (Woodbury).

    The parameters are the unique elements of the random effects' covariance, then the residual variance.
    """
    L, s2 = factor(theta), sigma**2
    q = len(L)
    K = L @ np.linalg.inv(np.eye(q) + L.T @ made.zz @ L) @ L.T
    left = np.eye(q) - made.zz @ K
    M, M2 = left @ made.zx / s2, left @ left @ made.zx / s2**2
    N, N2 = left @ made.zz / s2, left @ left @ made.zz / s2**2
    E = _elements(q)
    Phi = np.asarray(s2 * np.linalg.inv(profile(made, L).xx), dtype=np.float64)
    P, Q, T = _moments(made, K, (M, M2), (N, N2), E, s2)
    a = len(E) + 1
    information = np.empty((a, a))
    for i, j in product(range(a), range(a)):
        information[i, j] = T[i, j] - 2 * np.trace(Phi @ Q[i, j]) + np.trace(Phi @ P[i] @ Phi @ P[j])
    W = np.asarray(2 * np.linalg.inv(information), dtype=np.float64)
    lift = sum(W[i, j] * (Q[i, j] - P[i] @ Phi @ P[j]) for i, j in product(range(a), range(a)))
    adjusted = Phi + 2 * Phi @ lift @ Phi
    df = np.array([_contrast_df(c, Phi, P, W) for c in np.eye(len(Phi))])
    return SmallSample(np.sqrt(np.diag(adjusted)), df)


def _elements(q: int) -> list[Floats]:
    """The symmetric matrices that pick each unique element of a q x q covariance."""
    found = []
    for i in range(q):
        for j in range(i + 1):
            one = np.zeros((q, q))
            one[i, j] = one[j, i] = 1.0
            found.append(one)
    return found


Pair = tuple[Floats, Floats]


def _moments(
    made: Products, K: Floats, M: Pair, N: Pair, E: list[Floats], s2: float
) -> tuple[list[Floats], dict[tuple[int, int], Floats], Floats]:
    """P_a, Q_ab and the traces of V^-1 D_a V^-1 D_b, summed over groups."""
    (M1, M2), (N1, N2) = M, N
    ZX = made.zx
    F1 = np.einsum("gqp,gqr,grs->ps", ZX, K, ZX)
    KSK = K @ made.zz @ K
    F2 = np.einsum("gqp,gqr,grs->ps", ZX, KSK, ZX)
    F3 = np.einsum("gqp,gqr,grs->ps", ZX, KSK @ made.zz @ K, ZX)
    last = len(E)
    P = [-np.einsum("gqp,qr,grs->ps", M1, e, M1) for e in E]
    P.append(-(made.xx - 2 * F1 + F2) / s2**2)
    Q: dict[tuple[int, int], Floats] = {}
    T = np.empty((last + 1, last + 1))
    for i, j in product(range(last), range(last)):
        Q[i, j] = np.einsum("gap,ab,gbc,cd,gds->ps", M1, E[i], N1, E[j], M1)
        T[i, j] = np.einsum("ab,gbc,cd,gda->", E[i], N1, E[j], N1)
    for i in range(last):
        Q[i, last] = np.einsum("gap,ab,gbs->ps", M1, E[i], M2)
        Q[last, i] = Q[i, last].T
        T[i, last] = T[last, i] = np.einsum("ab,gba->", E[i], N2)
    Q[last, last] = (made.xx - 3 * F1 + 3 * F2 - F3) / s2**3
    KS = K @ made.zz
    T[last, last] = (made.n - 2 * np.einsum("gaa->", KS) + np.einsum("gab,gba->", KS, KS)) / s2**2
    return P, Q, T


def _contrast_df(c: Floats, Phi: Floats, P: list[Floats], W: Floats) -> float:
    """The denominator degrees of freedom of one contrast, formula (11) and after of Kenward and Roger."""
    v = float(c @ Phi @ c)
    told = np.array([float(c @ Phi @ one @ Phi @ c) / v for one in P])
    A = float(told @ W @ told)  # for a single contrast A1 and A2 are the same
    if A <= 0:
        return math.inf
    B, g = 3.5 * A, -1.0
    c1, c2, c3 = g / (3 + 2 * (1 - g)), (1 - g) / (3 + 2 * (1 - g)), (3 - g) / (3 + 2 * (1 - g))
    mean = 1 / (1 - A)
    variance = 2 * (1 + c1 * B) / ((1 - c2 * B) ** 2 * (1 - c3 * B))
    rho = variance / (2 * mean**2)
    return float(4 + 3 / (rho - 1))
