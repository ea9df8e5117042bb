"""The likelihood of ordered answers under proportional odds, with its slopes and curvature.

log odds of Y <= j are cut_j - x'b (McCullagh 1980, J. Royal Statistical Society B 42). With F the logistic
distribution, u and l the upper and lower cut of an answer less x'b,

    F(u) - F(l) = F(u) F(-l) (1 - exp(l - u)),

so a row adds two plain logits, and what is left depends on the answer alone: no difference of nearly equal
chances is ever taken, and all second derivatives are sums of F(1 - F).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints

BLOCK = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """n answers sorted from the lowest; `Z` (k x n) their regressors (no ones), centred and scaled; n weights.

    `edges` (K + 1) say where each answer starts; `order` where each row stood before; `centre` and `scale` (k)
    what was taken from the regressors.
    """

    Z: Floats
    edges: Ints
    weights: Floats
    order: Ints
    centre: Floats
    scale: Floats
    names: tuple[str, ...]

    @property
    def levels(self) -> int:
        return len(self.edges) - 1

    @property
    def rows(self) -> list[slice]:
        return [slice(a, b) for a, b in zip(self.edges[:-1], self.edges[1:], strict=True)]

    @property
    def parameters(self) -> int:
        return len(self.Z) + self.levels - 1

    @property
    def back(self) -> Floats:
        """p x p: from coefficients and cuts on the scale of `Z` to those on the regressors' own."""
        k = len(self.Z)
        J = np.eye(self.parameters)
        J[:k, :k] = np.diag(1 / self.scale)
        J[k:, :k] = self.centre / self.scale
        return J

    def joined(self, cut: int) -> Answers:
        """The same rows with two answers: up to `cut` (from 0), and above."""
        edges = self.edges[[0, cut + 1, self.levels]]
        return Answers(self.Z, edges, self.weights, self.order, self.centre, self.scale, self.names)


def in_order(X: Floats, code: Ints, weights: Floats, names: tuple[str, ...]) -> Answers:
    """Sort n rows by their answers 0..K-1 (none of them empty) and put n x k regressors on one scale.

    EstimateError for columns that are infinite or the same in every row.
    """
    # small integers are sorted by counting, several times as fast
    order = np.argsort(code.astype(np.int16), kind="stable")
    Z, w = X.T[:, order], weights[order]
    centre = Z @ w / w.sum()
    if not np.isfinite(centre).all():
        raise EstimateError(
            f"{listed(names, ~np.isfinite(centre))}: infinite in some rows; expected numbers."
        )
    Z -= centre[:, None]
    scale = np.sqrt(np.einsum("ai,ai,i->a", Z, Z, w) / w.sum())
    if (flat := scale <= 1e-10 * np.maximum(np.abs(centre), 1e-290)).any():
        raise EstimateError(f"{listed(names, flat)}: the same in every row; leave it out of the formula.")
    Z /= scale[:, None]
    edges = np.concatenate([[0], np.cumsum(np.bincount(code))]).astype(np.int64)
    return Answers(Z, edges, w, order, centre, scale, names)


def likelihood(answers: Answers, at: Floats) -> tuple[float, Floats, Floats]:
    """Log likelihood, slope (p) and information (p x p, minus the second derivatives) at k coefficients, K-1 cuts."""
    k, w = len(answers.Z), answers.weights
    up, over = ends(answers, at)
    gap, bend = _gaps(at[k:])
    inner = np.array([w[rows].sum() for rows in answers.rows[1:-1]])
    value = float(w @ np.log(np.maximum(up * over, 1e-300)) + inner @ np.log(gap))
    slope, information = np.empty(len(at)), np.zeros((len(at), len(at)))
    slope[:k] = answers.Z @ (w * (up - over))
    f_up, f_over = w * up * (1 - up), w * over * (1 - over)
    information[:k, :k] = _squares(answers.Z, f_up + f_over)
    for j, (below, above) in enumerate(zip(answers.rows[:-1], answers.rows[1:], strict=True)):
        slope[k + j] = w[below] @ (1 - up[below]) - w[above] @ (1 - over[above])
        cross = answers.Z[:, below] @ f_up[below] + answers.Z[:, above] @ f_over[above]
        information[:k, k + j] = information[k + j, :k] = -cross
        information[k + j, k + j] = f_up[below].sum() + f_over[above].sum()
    slope[k + 1 :] += inner * bend
    slope[k:-1] -= inner * bend
    information[k:, k:] += _between(inner * bend / gap)
    return value, slope, information


def ends(answers: Answers, at: Floats) -> tuple[Floats, Floats]:
    """For each row F(u), the chance of an answer no higher, and F(-l), the chance of one no lower."""
    k = len(answers.Z)
    eta, cuts = at[:k] @ answers.Z, at[k:]
    up, over = np.ones(len(eta)), np.ones(len(eta))
    for j, (below, above) in enumerate(zip(answers.rows[:-1], answers.rows[1:], strict=True)):
        up[below] = expit(cuts[j] - eta[below])
        over[above] = expit(eta[above] - cuts[j])
    return up, over


def scores(answers: Answers, at: Floats) -> Floats:
    """Each row's slope (n x p), its weight included."""
    k, w = len(answers.Z), answers.weights
    up, over = ends(answers, at)
    _, bend = _gaps(at[k:])
    each = np.zeros((len(at), len(w)))
    each[:k] = answers.Z * (w * (up - over))
    for j, (below, above) in enumerate(zip(answers.rows[:-1], answers.rows[1:], strict=True)):
        each[k + j, below] = w[below] * (1 - up[below])
        each[k + j, above] = -w[above] * (1 - over[above])
    for j, rows in enumerate(answers.rows[1:-1]):
        each[k + j, rows] -= w[rows] * bend[j]
        each[k + j + 1, rows] += w[rows] * bend[j]
    return each.T


def information_by(answers: Answers, at: Floats, groups: Ints) -> Floats:
    """What each group 0..G-1 of rows adds to the information, G x p x p; `groups` in the rows' sorted order."""
    k, w, G = len(answers.Z), answers.weights, int(groups.max()) + 1
    up, over = ends(answers, at)
    gap, bend = _gaps(at[k:])
    f_up, f_over = w * up * (1 - up), w * over * (1 - over)

    def total(values: Floats, rows: slice) -> Floats:
        return np.asarray(np.bincount(groups[rows], weights=values[rows], minlength=G))

    found, everyone = np.zeros((G, len(at), len(at))), slice(0, len(w))
    for a in range(k):
        for b in range(a, k):
            found[:, a, b] = found[:, b, a] = total(answers.Z[a] * answers.Z[b] * (f_up + f_over), everyone)
        for j, (below, above) in enumerate(zip(answers.rows[:-1], answers.rows[1:], strict=True)):
            cross = total(answers.Z[a] * f_up, below) + total(answers.Z[a] * f_over, above)
            found[:, a, k + j] = found[:, k + j, a] = -cross
    for j, (below, above) in enumerate(zip(answers.rows[:-1], answers.rows[1:], strict=True)):
        found[:, k + j, k + j] = total(f_up, below) + total(f_over, above)
    for j, rows in enumerate(answers.rows[1:-1]):
        here = np.array([[1.0, -1.0], [-1.0, 1.0]]) * (bend[j] / gap[j])
        found[:, k + j : k + j + 2, k + j : k + j + 2] += total(w, rows)[:, None, None] * here
    return found


def chances(X: Floats, b: Floats, cuts: Floats) -> Floats:
    """The chance of each answer for each row, n x K."""
    below = expit(cuts[None, :] - (X @ b)[:, None])
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


def _gaps(cuts: Floats) -> tuple[Floats, Floats]:
    """1 - exp(-d) for the distances d between cuts, and the slope of its logarithm in d."""
    apart = np.diff(cuts)
    gap = -np.expm1(-apart)
    return gap, np.exp(-apart) / gap


def _between(amounts: Floats) -> Floats:
    """The sum of amount x (1, -1)(1, -1)' over neighbouring cuts."""
    found = np.zeros((len(amounts) + 1, len(amounts) + 1))
    for j, amount in enumerate(amounts):
        found[j : j + 2, j : j + 2] += amount * np.array([[1.0, -1.0], [-1.0, 1.0]])
    return found


def _squares(Z: Floats, amounts: Floats) -> Floats:
    """Z diag(amounts) Z', block by block, so that the products stay in the processor's cache."""
    found = np.zeros((len(Z), len(Z)))
    for a in range(0, Z.shape[1], BLOCK):
        part = Z[:, a : a + BLOCK]
        found += (part * amounts[a : a + BLOCK]) @ part.T
    return found


def listed(names: tuple[str, ...], which: NDArray[np.bool_]) -> str:
    """Names as they are told in a sentence."""
    return ", ".join(f"'{name}'" for name, one in zip(names, which, strict=True) if one)
