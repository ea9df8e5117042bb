"""Maximum likelihood of a weighted logit, which says so when there is no maximum.

Where some combination of columns tells 1 from 0 without error, the likelihood rises for ever and any number
printed is an accident of when the search stopped. That is found by a linear programme (Konis 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import linalg, optimize, special

from cbresearch.errors import EstimateError
from cbresearch.estimate.formula import Matrices
from cbresearch.sampling.design import Floats

STEPS = 60
STILL = 1e-10
# chances as sure as these are rare without separation, and common with it
SURE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """k coefficients; for each of n rows, as if of weight 1, its curvature (p(1 - p) in a logit) and residual."""

    coefficients: Floats
    curvature: Floats
    residuals: Floats


def fit_logit(m: Matrices, w: Floats) -> Fit:
    """Log odds of y (0 or 1) on X with n weights, by Newton's method with halved steps.

    EstimateError where y is separated by columns of X, naming them, and where the search does not settle.
    """
    # rows of like weight in all: the likelihood has no unit
    w = w / w[w > 0].mean()
    beta = np.zeros(len(m.names))
    reached = _loglikelihood(m, w, beta)
    for _ in range(STEPS):
        p = special.expit(m.X @ beta)
        step = _newton(m.X, w * p * (1 - p), w * (m.y - p))
        if step is None:
            break
        size = 1.0
        while (now := _loglikelihood(m, w, beta + size * step)) < reached - 1e-12 * abs(
            reached
        ) and size > 1e-6:
            size /= 2
        beta, reached = beta + size * step, now
        if np.max(np.abs(m.X @ step)) < STILL and size == 1:
            return _settled(m, w, beta)
    _refuse_separation(m, w)
    raise EstimateError(
        f"The logit '{m.formula}' did not settle in {STEPS} steps, and no column separates the answers. "
        "Look for a column with a few values very far from the others, or use fewer terms."
    )


def _settled(m: Matrices, w: Floats, beta: Floats) -> Fit:
    p = special.expit(m.X @ beta)
    if np.min((p * (1 - p))[w > 0]) < SURE:
        _refuse_separation(m, w)
    return Fit(beta, p * (1 - p), m.y - p)


def _newton(X: Floats, working: Floats, score: Floats) -> Floats | None:
    """(X'WX)^-1 X's; None where all chances have run to 0 or 1, which leaves no curvature to go by."""
    R = np.linalg.qr(X * np.sqrt(working)[:, None], mode="r")
    diagonal = np.abs(np.diag(R))
    if not (diagonal > 1e-12 * np.maximum(np.sqrt((X**2).sum(axis=0)), 1e-300)).all():
        return None
    return np.asarray(linalg.cho_solve((R, False), X.T @ score))


def _loglikelihood(m: Matrices, w: Floats, beta: Floats) -> float:
    # log p = -log(1 + exp(-eta)), without overflow
    signed = np.where(m.y > 0, -1.0, 1.0) * (m.X @ beta)
    return -float(w @ np.logaddexp(0.0, signed))


def _refuse_separation(m: Matrices, w: Floats) -> None:
    """Maximise the sum of s x'b over -1 <= b <= 1 with every s x'b >= 0, s = +1 for y = 1 and -1 for y = 0."""
    counted = w > 0
    signed = np.unique(np.where(m.y > 0, 1.0, -1.0)[counted, None] * m.X[counted], axis=0)
    signed = signed / np.maximum(np.abs(signed).max(axis=0), 1e-300)
    rows, k = signed.shape
    found = optimize.linprog(-signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(rows), bounds=(-1, 1))
    if found.x is None or -found.fun <= 1e-7:
        return
    # complete where one b leaves a margin t > 0 in every row
    margin = optimize.linprog(
        np.append(np.zeros(k), -1.0), A_ub=np.column_stack([-signed, np.ones(rows)]), b_ub=np.zeros(rows),
        bounds=[(-1, 1)] * (k + 1),
    )  # fmt: skip
    complete = margin.x is not None and -margin.fun > 1e-9
    raise EstimateError(
        f"In '{m.formula}' the outcome is separated {'completely' if complete else 'in part'}: "
        f"{_columns(m.names, found.x)} tells 1 from 0 without error in {'all' if complete else 'some'} rows, so "
        "its coefficient is infinite. Merge classes in which everybody answers alike, leave the column out, "
        "or show the shares by crosstab()."
    )


def _columns(names: tuple[str, ...], b: Floats) -> str:
    """The columns that separate; a text column by its own name where several of its classes do."""
    named = [name for name, slope in zip(names, b, strict=True) if abs(slope) > 1e-7 and name != "Intercept"]
    terms = [name.split("[")[0] for name in named]
    said = [name if terms.count(term) == 1 else term for name, term in zip(named, terms, strict=True)]
    return ", ".join(f"'{name}'" for name in dict.fromkeys(said)) or "the constant"
