"""Several coefficients tested together with few clusters: the approximate Hotelling test (HTZ).

Tipton and Pustejovsky (2015, J. Educational and Behavioral Statistics 40); clubSandwich's
`Wald_test(test = "HTZ")`. A Wald statistic against chi-square or F(q, G - 1) rejects far too often.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.linear import Fit, Kind, adjustments
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True)
class JointTest:
    """F of q restrictions, with q and `df` degrees of freedom; NaN where the data leave none."""

    kind: Kind
    F: float
    restrictions: int
    df: float
    p: float


def joint_test(
    fit: Fit, coefficients: Sequence[int] | Floats, kind: Kind = "CR2", *, values: Floats | None = None
) -> JointTest:
    """Test that some coefficients are zero (or `values`) all at once.

    `coefficients` are their places, or a q x k matrix C of restrictions C b = values. EstimateError where
    the restrictions follow from each other or there are more of them than clusters can tell.
    """
    C = _restrictions(fit, coefficients)
    q, G = len(C), len(fit.start)
    if q >= G:
        raise EstimateError(f"{q} restrictions and {G} clusters; expected fewer restrictions than clusters.")
    made = adjustments(fit, kind)
    V = C @ made.variance @ C.T
    if np.linalg.matrix_rank(V) < q:
        raise EstimateError(
            f"The {q} restrictions follow from each other; leave out those that say nothing new."
        )
    away = C @ fit.coefficients - (0.0 if values is None else np.asarray(values))
    wald = float(away @ np.linalg.solve(V, away))
    eta = _eta(made.blocks(C))
    df = eta - q + 1
    if not df > 0:
        return JointTest(kind, float("nan"), q, float(df), float("nan"))
    F = df / eta * wald / q
    return JointTest(kind, F, q, float(df), float(stats.f.sf(F, q, df)))


def _restrictions(fit: Fit, coefficients: Sequence[int] | Floats) -> Floats:
    k = len(fit.coefficients)
    given = np.asarray(coefficients)
    C = given.astype(np.float64) if given.ndim == 2 else np.eye(k)[given.astype(int)]
    if C.shape[1] != k or not len(C):
        raise EstimateError(f"Restrictions of shape {C.shape}; expected at least one row of {k} numbers.")
    return np.asarray(C)


def _eta(P: Floats) -> float:
    """Degrees of freedom of the Wishart that the variance resembles: q(q + 1) over the sum of squared spreads of P_ij."""
    G, q = P.shape[0], P.shape[2]
    each = np.arange(G)
    omega = P[each, each].sum(axis=0)
    values, vectors = np.linalg.eigh((omega + omega.T) / 2)
    root = (vectors / np.sqrt(values)) @ vectors.T
    A = root @ P @ root
    diagonal = np.einsum("ijss->ijs", A)
    spread = np.einsum("ijs,ijt->", diagonal, diagonal) + np.einsum("ijst,ijts->", A, A)
    return float(q * (q + 1) / spread)
