"""Answers for the gaps of one column of numbers, from people foretold alike (predictive mean matching).

A regression with communities as effects drawn towards their mean is fitted to those who answered, its
coefficients are drawn once from their posterior, and each gap takes the answer of one of the five people whose
fitted value lies nearest (Little 1988; type 1 matching of van Buuren 2018, section 3.4). What is filled in was
given by somebody, so a rating stays a rating.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from cbresearch.sampling.design import Floats, Ints

DONORS = 5
RIDGE = 1e-5
ALIKE = 1e6
"""So hard are communities drawn to their mean where nothing tells them apart."""


def matched(X: Floats, y: Floats, gap: NDArray[np.bool_], groups: Ints, rng: np.random.Generator) -> Floats:
    """Answers for the gaps: X n x k scaled regressors with ones, y n numbers, groups 0..G-1 (one: no communities)."""
    there = ~gap
    fitted, b = _fitted(X[there], y[there], groups[there], int(groups.max()) + 1, rng)
    k = X.shape[1]
    wanted = X[gap] @ b[:k] + np.append(b[k:], 0.0)[groups[gap]] if len(b) > k else X[gap] @ b
    return _nearest(fitted, wanted, y[there], rng)


def _fitted(X: Floats, y: Floats, groups: Ints, G: int, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Fitted values of those who answered, and one draw of the coefficients (k, then G communities if there are any)."""
    n, k = X.shape
    several = G > 1
    P = np.zeros((k + G * several,) * 2)
    P[:k, :k] = X.T @ X
    pull = np.zeros(len(P))
    pull[1:k] = RIDGE * np.diag(P)[1:k] + 1e-8 * n  # a regressor that follows from others shares with them
    right = np.concatenate([X.T @ y, np.bincount(groups, weights=y, minlength=G) if several else []])
    if several:
        S = np.column_stack([np.bincount(groups, weights=x, minlength=G) for x in X.T])
        P[k:, :k], P[:k, k:], P[k:, k:] = S, S.T, np.diag(S[:, 0])
        share = between_share(y, groups, rng)
        pull[k:] = (1 - share) / share if share > 1 / ALIKE else ALIKE
    L = linalg.cholesky(P + np.diag(pull), lower=True)
    b = linalg.cho_solve((L, True), right)
    fitted = X @ b[:k] + (b[k:][groups] if several else 0.0)
    left = y - fitted
    sigma = np.sqrt((left @ left + pull @ b**2) / rng.chisquare(max(n - k, 1)))
    drawn = b + sigma * linalg.solve_triangular(L, rng.normal(size=len(b)), lower=True, trans="T")
    return np.asarray(fitted), np.asarray(drawn)


def between_share(y: Floats, groups: Ints, rng: np.random.Generator) -> float:
    """A draw of the share of variance that lies between communities, from the analysis of variance; 0 where none does.

    Drawn, because two dozen communities hardly tell how far they differ.
    """
    sizes = np.bincount(groups).astype(np.float64)
    k, n = int((sizes > 0).sum()), len(y)
    if k < 2 or n <= k:
        return 0.0
    means = np.bincount(groups, weights=y) / np.maximum(sizes, 1)
    within = float(((y - means[groups]) ** 2).sum()) / rng.chisquare(n - k)
    between = float((sizes * (means - y.mean()) ** 2).sum()) / rng.chisquare(k - 1)
    n0 = (n - float((sizes**2).sum()) / n) / (k - 1)
    spread = max((between - within) / n0, 0.0)
    return spread / (spread + within) if spread + within > 0 else 0.0


def _nearest(fitted: Floats, wanted: Floats, answers: Floats, rng: np.random.Generator) -> Floats:
    """For each gap the answer of one of the people foretold most alike, any of them where many are alike."""
    # people foretold just alike come in random order, or the same few would give all answers
    order = rng.permutation(len(fitted))
    order = order[np.argsort(fitted[order], kind="stable")]
    ranked, n = fitted[order], len(order)
    k = min(DONORS, n)
    first, last = np.searchsorted(ranked, wanted, "left"), np.searchsorted(ranked, wanted, "right")
    middle = first + (rng.random(len(wanted)) * (last - first)).astype(np.int64)
    start = np.clip(middle - k, 0, max(n - 2 * k, 0))
    window = start[:, None] + np.arange(min(2 * k, n))
    away = np.abs(ranked[window] - wanted[:, None])
    near = np.argsort(away + rng.random(away.shape) * 1e-12 * (1 + away), axis=1)[:, :k]
    every = np.arange(len(wanted))
    chosen = near[every, rng.integers(0, k, len(wanted))]
    return np.asarray(answers[order[window[every, chosen]]])
