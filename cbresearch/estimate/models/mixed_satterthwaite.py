"""Degrees of freedom of a mixed model's coefficients after Satterthwaite, as in lmerTest.

Kuznetsova, Brockhoff and Christensen (2017, J. of Statistical Software 82).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cbresearch.estimate.models.mixed_likelihood import Method, Products, factor, profile, unprofiled
from cbresearch.estimate.models.mixed_search import derivatives, steps
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True, eq=False)
class SmallSample:
    """Standard errors and degrees of freedom of p coefficients."""

    se: Floats
    df: Floats


def satterthwaite(
    made: Products, contrasts: Floats, theta: Floats, sigma: float, method: Method
) -> SmallSample:
    """2 v² / (g'A g), g the slope of a contrast's variance v in (theta, sigma), A twice the inverse curvature.

    `contrasts` has a row for each. What of theta is zero stays zero: there is no curvature to differentiate.
    """
    free = theta != 0
    at = np.append(theta[free], 1.0)  # the last times sigma, so that all are of one size

    def whole(w: Floats) -> Floats:
        full = theta.copy()
        full[free] = w[:-1]
        return factor(full)

    def judge(w: Floats) -> float:
        return unprofiled(made, whole(w), float(w[-1]) * sigma, method)

    def variances(w: Floats) -> Floats:
        inverse = np.linalg.inv(profile(made, whole(w)).xx)
        return np.asarray((w[-1] * sigma) ** 2 * np.einsum("ia,ab,ib->i", contrasts, inverse, contrasts))

    spread = 2 * np.linalg.inv(derivatives(judge, at)[1])
    g = np.empty((len(at), len(contrasts)))
    for i, e in enumerate(np.diag(h := steps(judge, at))):
        f = [variances(at + s * e) for s in (-2, -1, 1, 2)]
        g[i] = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h[i])
    v = variances(at)
    return SmallSample(np.sqrt(v), 2 * v**2 / np.einsum("ac,ab,bc->c", g, spread, g))
