"""Kenward and Roger's standard errors and degrees of freedom of a mixed model, as in pbkrtest.

Kenward and Roger (1997, Biometrics 53); Halekoh and Højsgaard (2014, J. of Statistical Software 59). Their
formulas speak of n x n matrices; with V^-1 = (I - Z K Z') / sigma² they need cross-products of groups only.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from cbresearch.estimate.models.mixed_likelihood import Products, factor, inside, profile
from cbresearch.estimate.models.mixed_satterthwaite import SmallSample
from cbresearch.sampling.design import Floats

Pair = tuple[Floats, Floats]


def kenward_roger(made: Products, contrasts: Floats, theta: Floats, sigma: float) -> SmallSample:
    """Adjusted standard errors and degrees of freedom of each row of `contrasts`, after a REML fit.

    The parameters are the unique elements of the random effects' covariance, then the residual variance.
    """
    L, s2 = factor(theta), sigma**2
    q = len(L)
    K = inside(made, L)
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
    v = np.einsum("ia,ab,ib->i", contrasts, Phi, contrasts)
    g = np.array([np.einsum("ia,ab,ib->i", contrasts, Phi @ one @ Phi, contrasts) for one in P])
    # for one contrast the paper's A1, A2, B, E, V come down to 2 / A with A = g'W g / v²
    df = 2 * v**2 / np.einsum("ac,ab,bc->c", g, W, g)
    return SmallSample(np.sqrt(np.einsum("ia,ab,ib->i", contrasts, adjusted, contrasts)), df)


def _elements(q: int) -> list[Floats]:
    """The symmetric matrices that pick each unique element of a q x q covariance."""
    found = []
    for i in range(q):
        for j in range(i + 1):
            one = np.zeros((q, q))
            one[i, j] = one[j, i] = 1.0
            found.append(one)
    return found


def _moments(
    made: Products, K: Floats, M: Pair, N: Pair, E: list[Floats], s2: float
) -> tuple[list[Floats], dict[tuple[int, int], Floats], Floats]:
    """P_a, Q_ab and the traces of V^-1 D_a V^-1 D_b, summed over groups."""
    (M1, M2), (N1, N2) = M, N
    ZX, XX = made.zx, made.ww[:-1, :-1]
    F1 = np.einsum("gqp,gqr,grs->ps", ZX, K, ZX)
    KSK = K @ made.zz @ K
    F2 = np.einsum("gqp,gqr,grs->ps", ZX, KSK, ZX)
    F3 = np.einsum("gqp,gqr,grs->ps", ZX, KSK @ made.zz @ K, ZX)
    last = len(E)
    P = [-np.einsum("gqp,qr,grs->ps", M1, e, M1) for e in E]
    P.append(-(XX - 2 * F1 + F2) / s2**2)
    Q: dict[tuple[int, int], Floats] = {}
    T = np.empty((last + 1, last + 1))
    for i, j in product(range(last), range(last)):
        Q[i, j] = np.einsum("gap,ab,gbc,cd,gds->ps", M1, E[i], N1, E[j], M1)
        T[i, j] = np.einsum("ab,gbc,cd,gda->", E[i], N1, E[j], N1)
    for i in range(last):
        Q[i, last] = np.einsum("gap,ab,gbs->ps", M1, E[i], M2)
        Q[last, i] = Q[i, last].T
        T[i, last] = T[last, i] = np.einsum("ab,gba->", E[i], N2)
    Q[last, last] = (XX - 3 * F1 + 3 * F2 - F3) / s2**3
    KS = K @ made.zz
    T[last, last] = (made.n - 2 * np.einsum("gaa->", KS) + np.einsum("gab,gba->", KS, KS)) / s2**2
    return P, Q, T
