"""The likelihood of ordered answers under proportional odds, and its least point by Newton's method.

log odds of Y <= k are cut_k - x'b (McCullagh 1980, J. Royal Statistical Society B 42). With F the logistic
distribution at the upper and lower cut of an answer, the slope in x'b is F_u + F_l - 1: no quotient at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit, logit

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints

STEPS = 50
FARTHEST = 40.0
"""A linear predictor beyond this is separation: some answers are foretold without fail."""


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """n x k regressors (no column of ones), n codes 0..K-1 of ordered answers, n weights."""

    X: Floats
    code: Ints
    weights: Floats
    levels: int


@dataclass(frozen=True, slots=True, eq=False)
class Optimum:
    """k coefficients and K-1 cuts at the largest likelihood, with the information there; each row's scores on demand."""

    b: Floats
    cuts: Floats
    log_likelihood: float
    information: Floats
    gradient: float
    """The largest slope left, over the square root of its information."""


def fit(answers: Answers) -> Optimum:
    """Newton with halved steps. EstimateError where answers are separated, or the search does not settle."""
    k = answers.X.shape[1]
    shares = np.bincount(answers.code, weights=answers.weights, minlength=answers.levels)
    at = np.concatenate([np.zeros(k), logit(np.cumsum(shares)[:-1] / shares.sum())])
    value, slope, information = likelihood(answers, at)
    for _ in range(STEPS):
        step = np.linalg.solve(information, slope)
        gain = float(slope @ step)
        if gain < 1e-12:
            return Optimum(at[:k], at[k:], value, information, float(np.abs(slope / np.sqrt(np.diag(information))).max()))  # fmt: skip
        size = 1.0
        while size > 1e-6:
            moved = at + size * step
            if (np.diff(moved[k:]) > 0).all():
                found = likelihood(answers, moved)
                if found[0] >= value - 1e-9 * abs(value):
                    break
            size /= 2
        else:
            break
        at, (value, slope, information) = moved, found
        if np.abs(answers.X @ at[:k]).max() > FARTHEST:
            raise EstimateError(
                "Some answers are foretold without fail by the regressors (separation), so that their effect has no end. "
                "Leave that regressor out, or join rare answers."
            )
    raise EstimateError("The ordered logit did not settle; look for answers hardly anybody gave, or regressors that nearly repeat each other.")  # fmt: skip


def likelihood(answers: Answers, at: Floats) -> tuple[float, Floats, Floats]:
    """Log likelihood, slope and information in (b, cuts)."""
    k, K = answers.X.shape[1], answers.levels
    up, low = _ends(answers, at)
    w = answers.weights
    p = np.maximum(up - low, 1e-300)
    f_up, f_low = up * (1 - up), low * (1 - low)
    in_eta = w * (up + low - 1)
    slope = np.empty(k + K - 1)
    slope[:k] = answers.X.T @ in_eta
    slope[k:] = _by_cut(answers, w * f_up / p, -w * f_low / p)
    curved = w * (f_up + f_low)
    information = np.zeros((k + K - 1, k + K - 1))
    information[:k, :k] = answers.X.T @ (answers.X * curved[:, None])
    crossed = _crossed(answers, w * f_up, w * f_low)
    information[:k, k:], information[k:, :k] = -crossed, -crossed.T
    information[k:, k:] = _cut_information(answers, (up, low, p, f_up, f_low))
    return float(w @ np.log(p)), slope, information


def scores(answers: Answers, at: Floats) -> Floats:
    """Each row's slope (n x (k + K - 1)), weights included."""
    up, low = _ends(answers, at)
    w, p = answers.weights, np.maximum(up - low, 1e-300)
    cuts = np.zeros((len(w), answers.levels - 1))
    rows = np.arange(len(w))
    inside = answers.code < answers.levels - 1
    cuts[rows[inside], answers.code[inside]] += (w * up * (1 - up) / p)[inside]
    above = answers.code > 0
    cuts[rows[above], answers.code[above] - 1] -= (w * low * (1 - low) / p)[above]
    return np.column_stack([answers.X * (w * (up + low - 1))[:, None], cuts])


def chances(X: Floats, b: Floats, cuts: Floats) -> Floats:
    """The chance of each answer for each row, n x K."""
    below = expit(cuts[None, :] - (X @ b)[:, None])
    return np.diff(np.column_stack([np.zeros(len(X)), below, np.ones(len(X))]), axis=1)


def _ends(answers: Answers, at: Floats) -> tuple[Floats, Floats]:
    """F at the upper and at the lower cut of each row's answer."""
    k = answers.X.shape[1]
    eta = answers.X @ at[:k]
    cuts = np.concatenate([[-np.inf], at[k:], [np.inf]])
    return expit(cuts[answers.code + 1] - eta), expit(cuts[answers.code] - eta)


def _by_cut(answers: Answers, upper: Floats, lower: Floats) -> Floats:
    """Sums by cut of what rows add through their upper and their lower one."""
    K = answers.levels
    above = np.bincount(answers.code, weights=upper, minlength=K)[:-1]
    below = np.bincount(answers.code, weights=lower, minlength=K)[1:]
    return np.asarray(above + below)


def _crossed(answers: Answers, upper: Floats, lower: Floats) -> Floats:
    """X' times what each cut gets from each row, k x (K - 1)."""
    return np.column_stack([_by_cut(answers, upper * x, lower * x) for x in answers.X.T]).T


def _cut_information(answers: Answers, told: tuple[Floats, ...]) -> Floats:
    up, low, p, f_up, f_low = told
    w, K = answers.weights, answers.levels
    bend_up = f_up * (1 - 2 * up) / p - (f_up / p) ** 2
    bend_low = -f_low * (1 - 2 * low) / p - (f_low / p) ** 2
    found = -np.diag(_by_cut(answers, w * bend_up, w * bend_low))
    between = np.bincount(answers.code, weights=w * f_up * f_low / p**2, minlength=K)[1:-1]
    for i, value in enumerate(between):
        found[i, i + 1] = found[i + 1, i] = -value
    return found
