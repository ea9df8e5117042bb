"""Factors out of correlations: minimum residuals, maximum likelihood.

Harman and Jones (1966, Psychometrika 31); Jöreskog (1967, Psychometrika 32). R: `psych::fa(fm = "minres")`,
`factanal`. Loadings are unrotated; a factor points the way of most of its items.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import optimize

from cbresearch.errors import EstimateError
from cbresearch.measure.correlations import checked, expect
from cbresearch.sampling.design import Floats

Method = Literal["minres", "ml"]
LEAST_UNIQUE = 0.005
"""No item may be explained in full: below this share of its own it is a Heywood case."""


@dataclass(frozen=True, slots=True, eq=False)
class Extracted:
    """`loadings` (items x factors), `uniquenesses` (items), the likelihood discrepancy of what is left, and
    items that reached the lower limit of uniqueness (Heywood cases)."""

    loadings: Floats
    uniquenesses: Floats
    discrepancy: float
    heywood: tuple[int, ...]


def extract(correlations: Floats, factors: int, method: Method = "minres") -> Extracted:
    """The loadings of so many factors of a k x k correlation matrix.

    EstimateError for an unknown method, a matrix without an inverse, more factors than k items can tell
    (degrees of freedom below 0), or a search that does not settle.
    """
    expect("extraction", method, get_args(Method))
    R = checked(correlations)
    k = len(R)
    if not 1 <= factors < k or (k - factors) ** 2 < k + factors:
        raise EstimateError(f"{factors} factors of {k} items leave nothing to test; take fewer factors.")
    smc = 1 - 1 / np.diag(np.linalg.inv(R))
    start = np.clip(1 - smc * 0.9, 0.05, 0.95) if method == "ml" else np.clip(1 - smc, 0.05, 0.95)
    judge = _likelihood if method == "ml" else _residuals
    found = optimize.minimize(
        lambda psi: judge(psi, R, factors), start, jac=True, method="L-BFGS-B",
        bounds=[(LEAST_UNIQUE, 1.0)] * k, options={"maxiter": 5_000, "maxfun": 20_000, "ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    psi = np.asarray(found.x, dtype=np.float64)
    slope = judge(psi, R, factors)[1]
    free = (psi > LEAST_UNIQUE * 1.001) & (psi < 0.9999)
    if np.abs(slope[free]).max(initial=0.0) > 1e-4:
        raise EstimateError(f"Extracting {factors} factors did not settle; take fewer factors.")
    loadings = _loadings_ml(psi, R, factors) if method == "ml" else _loadings_minres(psi, R, factors)
    loadings = loadings * np.where(loadings.sum(axis=0) < 0, -1.0, 1.0)
    return Extracted(
        loadings, 1 - (loadings**2).sum(axis=1), _discrepancy(R, loadings),
        tuple(np.flatnonzero(psi <= LEAST_UNIQUE * 1.001).tolist()),
    )  # fmt: skip


def _residuals(psi: Floats, R: Floats, factors: int) -> tuple[float, Floats]:
    """Half the squared residuals at the best loadings for these uniquenesses, with the slope."""
    values, vectors = np.linalg.eigh(R - np.diag(psi))
    rest, direction = values[:-factors], vectors[:, :-factors]
    return float((rest**2).sum() / 2), -(direction**2 * rest).sum(axis=1)


def _likelihood(psi: Floats, R: Floats, factors: int) -> tuple[float, Floats]:
    root = 1 / np.sqrt(psi)
    values = np.linalg.eigvalsh(R * np.outer(root, root))[:-factors]
    loadings = _loadings_ml(psi, R, factors)
    slope = np.diag(loadings @ loadings.T + np.diag(psi) - R) / psi**2
    return float((values - np.log(values) - 1).sum()), np.asarray(slope)


def _loadings_minres(psi: Floats, R: Floats, factors: int) -> Floats:
    values, vectors = np.linalg.eigh(R - np.diag(psi))
    order = np.argsort(values)[::-1][:factors]
    return np.asarray(vectors[:, order] * np.sqrt(np.maximum(values[order], 0)))


def _loadings_ml(psi: Floats, R: Floats, factors: int) -> Floats:
    root = 1 / np.sqrt(psi)
    values, vectors = np.linalg.eigh(R * np.outer(root, root))
    order = np.argsort(values)[::-1][:factors]
    return np.asarray(np.sqrt(psi)[:, None] * vectors[:, order] * np.sqrt(np.maximum(values[order] - 1, 0)))


def _discrepancy(R: Floats, loadings: Floats) -> float:
    """tr(M^-1 R) - log|M^-1 R| - k for the model matrix M, the residual variances being what is left."""
    M = loadings @ loadings.T
    np.fill_diagonal(M, 1.0)
    fitted = np.linalg.solve(M, R)
    return float(np.trace(fitted) - np.linalg.slogdet(fitted)[1] - len(R))
