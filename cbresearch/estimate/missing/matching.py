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
    wanted = X[gap] @ b[:k] + (b[k:][groups[gap]] if len(b) > k else 0.0)
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
    """For each gap the answer of one of the five people foretold most alike, or of more where they are just alike."""
    unit = float(answers.std()) or 1.0  # what differs by a billionth of it is alike
    levels, level, people = np.unique(np.round(fitted / unit, 9), return_inverse=True, return_counts=True)
    width = min(2 * DONORS, len(levels))
    # five distinct levels to either side hold the nearest five people
    start = np.clip(np.searchsorted(levels, wanted / unit) - DONORS, 0, len(levels) - width)
    window = start[:, None] + np.arange(width)
    every = np.arange(len(wanted))[:, None]
    window = window[every, np.argsort(np.abs(levels[window] - wanted[:, None] / unit), axis=1, kind="stable")]
    reached = np.cumsum(people[window], axis=1)
    enough = np.minimum((reached < DONORS).sum(axis=1), width - 1)
    chosen = (rng.random(len(wanted)) * reached[every[:, 0], enough]).astype(np.int64)
    place = (reached <= chosen[:, None]).sum(axis=1)
    inside = chosen - np.where(place > 0, reached[every[:, 0], place - 1], 0)
    first = np.cumsum(people) - people
    order = np.argsort(level, kind="stable")
    return np.asarray(answers[order[first[window[every[:, 0], place]] + inside]])
