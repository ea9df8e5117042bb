"""Answers for the gaps of one column of classes, drawn from a logit: ordered ones at once, others one by one.

Coefficients are drawn from the normal approximation of their posterior. Regressors have a prior of standard
deviation 2.5 on their scaled values (Gelman and others 2008, Annals of Applied Statistics 2), so that a class
that somebody foretells without fail does no harm; communities one as wide as they differ.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import linalg
from scipy.special import logit

from cbresearch.errors import EstimateError
from cbresearch.estimate.missing.matching import ALIKE, between_share
from cbresearch.estimate.models.proportional_odds import Answers, chances, likelihood
from cbresearch.sampling.design import Floats, Ints

PRIOR = 1 / 2.5**2
STEPS = 40
LOGISTIC = np.pi**2 / 3
"""The variance of the logistic distribution, which is that within communities."""


def ordered_classes(
    X: Floats, y: Floats, gap: NDArray[np.bool_], groups: Ints, rng: np.random.Generator
) -> Floats:
    """Codes for the gaps: y holds codes whose order means something; X n x k scaled regressors with ones."""
    there = ~gap
    kinds, code = np.unique(y[there], return_inverse=True)
    drawn = _drawn(X, groups, there, code.astype(np.int64), gap, rng)
    return np.asarray(kinds[drawn])


def plain_classes(
    X: Floats, y: Floats, gap: NDArray[np.bool_], groups: Ints, rng: np.random.Generator
) -> Floats:
    """Codes for the gaps: y holds names of classes, asked for in turn from the commonest: this one, or a rarer?"""
    kinds, counts = np.unique(y[~gap], return_counts=True)
    kinds = kinds[np.argsort(-counts, kind="stable")]
    found = np.full(len(y), kinds[-1])
    open_, asked = gap.copy(), ~gap
    for kind in kinds[:-1]:
        code = (y[asked] == kind).astype(np.int64)
        if not open_.any():
            break
        taken = np.flatnonzero(open_)[_drawn(X, groups, asked, code, open_, rng) == 1]
        found[taken], open_[taken] = kind, False
        asked = asked & (y != kind)
    return np.asarray(found[gap])


def _drawn(
    X: Floats, groups: Ints, there: NDArray[np.bool_], code: Ints, gap: NDArray[np.bool_], rng: np.random.Generator
) -> Ints:  # fmt: skip
    """Codes 0..K-1 for the rows in `gap`, from an ordered logit of the codes of the rows `there`."""
    G = int(groups.max()) + 1
    W = np.column_stack([X[:, 1:], np.eye(G)[groups]]) if G > 1 else X[:, 1:]
    penalty = np.full(W.shape[1] + int(code.max()), PRIOR)
    penalty[W.shape[1] :] = 0.0
    if G > 1:
        share = between_share(code.astype(np.float64), groups[there], rng)
        penalty[X.shape[1] - 1 : W.shape[1]] = (1 - share) / share / LOGISTIC if share > 1 / ALIKE else ALIKE
    at, information = _most_likely(_sorted(W[there], code), penalty)
    L = linalg.cholesky(information, lower=True)
    at = at + linalg.solve_triangular(L, rng.normal(size=len(at)), lower=True, trans="T")
    # a draw may bring two cuts that lie close out of order
    below = np.cumsum(chances(W[gap], at[: W.shape[1]], np.sort(at[W.shape[1] :])), axis=1)
    return np.asarray((rng.random(len(below))[:, None] > below[:, :-1]).sum(axis=1), dtype=np.int64)


def _sorted(W: Floats, code: Ints) -> Answers:
    order = np.argsort(code, kind="stable")
    edges = np.concatenate([[0], np.cumsum(np.bincount(code))]).astype(np.int64)
    k = W.shape[1]
    return Answers(W.T[:, order], edges, np.ones(len(code)), order, np.zeros(k), np.ones(k), ())


def _most_likely(answers: Answers, penalty: Floats) -> tuple[Floats, Floats]:
    """The top of the posterior and minus its second derivatives there, by Newton with halved steps."""
    k, shares = len(answers.Z), np.diff(answers.edges)
    at = np.concatenate([np.zeros(k), logit(np.cumsum(shares)[:-1] / shares.sum())])
    value, slope, information = _posterior(answers, at, penalty)
    for _ in range(STEPS):
        step = linalg.solve(information, slope, assume_a="pos")
        if slope @ step < 1e-8:
            return at + step, information
        size = 1.0
        while size > 1e-8:
            moved = at + size * step
            if (np.diff(moved[k:]) > 0).all():
                found = _posterior(answers, moved, penalty)
                if found[0] >= value - 1e-10 * abs(value):
                    break
            size /= 2
        at, (value, slope, information) = moved, found
    raise EstimateError(
        "The logit that classes are drawn from did not settle; join classes that hardly anybody gave."
    )


def _posterior(answers: Answers, at: Floats, penalty: Floats) -> tuple[float, Floats, Floats]:
    value, slope, information = likelihood(answers, at)
    return value - float(penalty @ at**2) / 2, slope - penalty * at, information + np.diag(penalty)
