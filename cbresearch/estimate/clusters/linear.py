"""Weighted least squares whose variance forgives likeness within clusters, few of them included.

Symbols as in Pustejovsky and Tipton (2018, J. Business & Economic Statistics 36): X (n x k), weights W,
M = (X'WX)^-1, e = y - Xb, cluster j = rows X_j, W_j; V = c M [sum_j E_j e_j e_j' E_j'] M. The working
model is identity, also with weights. Nothing of size n x n, nor of the size of a cluster squared, is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints

Labels = Sequence[object] | NDArray[Any]
Kind = Literal["CR0", "CR1", "CR1S", "CR2", "CR3"]


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A weighted least squares fit, rows sorted so that those of a cluster stand together."""

    X: Floats
    y: Floats
    w: Floats
    start: Ints
    """Row at which each cluster starts, G of them."""
    coefficients: Floats
    bread: Floats
    """M, k x k."""
    residuals: Floats
    clusters: tuple[object, ...]
    order: Ints
    """Where each row stood before rows were sorted by cluster."""

    @property
    def rows_of(self) -> list[slice]:
        ends = [*self.start[1:], len(self.y)]
        return [slice(a, b) for a, b in zip(self.start, ends, strict=True)]


@dataclass(frozen=True, slots=True, eq=False)
class ClusterRobust:
    """k coefficients with their variance (k x k) and Satterthwaite degrees of freedom (k), from G clusters."""

    kind: Kind
    coefficients: Floats
    variance: Floats
    df: Floats
    clusters: int

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.variance)))


def cluster_robust(
    X: Floats, y: Floats, w: Floats | None, clusters: Labels, kind: Kind = "CR2"
) -> ClusterRobust:
    """Coefficients of y on X with a variance that holds when errors are alike within clusters.

    `X` is n x k with its own column of ones; `w` n weights or None; `clusters` n labels. CR0 is the plain
    sandwich; CR1 multiplies by G/(G-1), CR1S by G(n-1)/((G-1)(n-k)); CR2 is unbiased when the errors
    are independent and alike; CR3 is close to leaving one cluster out. EstimateError for missing or
    infinite values, negative weights, columns that repeat each other and fewer than two clusters.
    """
    if kind not in get_args(Kind):
        raise EstimateError(
            f"No cluster-robust variance is called '{kind}'; expected one of {', '.join(get_args(Kind))}."
        )
    return robust(least_squares(X, y, w, clusters), kind)


def least_squares(X: Floats, y: Floats, w: Floats | None, clusters: Labels) -> Fit:
    """Fit y on X by weighted least squares and remember which rows belong to which cluster."""
    X, y = np.asarray(X, dtype=np.float64), np.asarray(y, dtype=np.float64)
    w = np.ones(len(y)) if w is None else np.asarray(w, dtype=np.float64)
    labels, code = _coded(clusters)
    _refuse(X, y, w, code, len(labels))
    # small integers are sorted by counting, several times as fast
    order = np.argsort(code.astype(np.int16) if len(labels) < 2**15 else code, kind="stable")
    # column by column, several times as fast as row by row
    X, y, w, code = np.take(X.T, order, axis=1).T, y[order], w[order], code[order]
    k = X.shape[1]
    both = np.empty((k + 1, len(y)))
    np.multiply(X.T, np.sqrt(w), out=both[:k])
    np.multiply(y, np.sqrt(w), out=both[k])
    # the triangle of [X y] holds that of X, and beside it what Q'y would be: Q itself is never made
    triangle: Floats = np.asarray(np.linalg.qr(both.T, mode="r"))
    R = triangle[:k, :k]
    _refuse_repeats(R)
    coefficients = linalg.solve_triangular(R, triangle[:k, k])
    inverse = linalg.solve_triangular(R, np.eye(X.shape[1]))
    start = np.flatnonzero(np.r_[True, code[1:] != code[:-1]])
    return Fit(X, y, w, start, coefficients, inverse @ inverse.T, y - X @ coefficients, tuple(labels), order)


def _coded(clusters: Labels) -> tuple[NDArray[Any], Ints]:
    """The labels as text, sorted, with each row's place among them; labels that read alike are one cluster."""
    code, values = pd.factorize(np.asarray(clusters), use_na_sentinel=False)
    labels, place = np.unique(np.asarray(values).astype(str), return_inverse=True)
    return labels, place.astype(np.int64)[code]


def robust(fit: Fit, kind: Kind) -> ClusterRobust:
    """The variance of one kind for a fit already made."""
    made = adjustments(fit, kind)
    return ClusterRobust(kind, fit.coefficients, made.variance, made.satterthwaite(), len(fit.start))


def plain_se(fit: Fit) -> Floats:
    """CR1S standard errors (Stata's), without anything else: what bootstraps divide by."""
    (n, k), G = fit.X.shape, len(fit.start)
    scores = np.add.reduceat(fit.X * (fit.w * fit.residuals)[:, None], fit.start, axis=0) @ fit.bread
    return np.asarray(np.sqrt(G * (n - 1) / ((G - 1) * max(n - k, 1)) * (scores**2).sum(axis=0)))


@dataclass(frozen=True, slots=True, eq=False)
class Adjusted:
    """What each cluster adds to a variance, and what the variance of that variance is made of.

    With g_j = M E_j (k x n_j): `squares` are the G matrices g_j g_j', `reach` g_j X_j, `weighed` g_j W_j X_j,
    all G x k x k. Nothing grows with the size of a cluster.
    """

    variance: Floats
    squares: Floats
    reach: Floats
    weighed: Floats
    bread: Floats
    meat: Floats

    def satterthwaite(self) -> Floats:
        """(sum_i P_ii)² / sum_ij P_ij² for each coefficient."""
        return np.array([self._df(c) for c in range(len(self.bread))])

    def blocks(self, C: Floats) -> Floats:
        """P_ij (G x G x q x q) for q combinations C of the coefficients."""
        U, T = C @ self.reach, C @ self.weighed
        UM = U @ self.bread
        UMT = np.einsum("iqa,jpa->ijqp", UM, T)
        P = np.einsum("iqa,jpa->ijqp", UM @ self.meat, UM) - UMT - np.einsum("jpa,iqa->ijqp", UM, T)
        each = np.arange(len(U))
        P[each, each] += C @ self.squares @ C.T
        return np.asarray(P)

    def _df(self, c: int) -> float:
        if not np.isfinite(self.squares[:, c, c]).all():
            return float("nan")
        P = self.blocks(np.eye(len(self.bread))[c : c + 1])[:, :, 0, 0]
        return float(np.trace(P) ** 2 / (P**2).sum())


def adjustments(fit: Fit, kind: Kind) -> Adjusted:
    """Every cluster's residuals put right for what the fit took of them, by the rule of `kind`."""
    (n, k), G = fit.X.shape, len(fit.start)
    M, meat = fit.bread, _meat(fit)
    scores = np.empty((G, k))
    squares, reach, weighed = (np.empty((G, k, k)) for _ in range(3))
    for j, rows in enumerate(fit.rows_of):
        X, W = fit.X[rows], fit.w[rows]
        g = M @ _weigh(kind, fit, X, W, meat)
        scores[j] = g @ fit.residuals[rows]
        squares[j], reach[j], weighed[j] = g @ g.T, g @ X, (g * W) @ X
    scale = {"CR1": G / (G - 1), "CR1S": G * (n - 1) / ((G - 1) * max(n - k, 1))}.get(kind, 1.0)
    return Adjusted(scale * scores.T @ scores, squares, reach, weighed, M, meat)


def _meat(fit: Fit) -> Floats:
    """X'W²X."""
    weighted = fit.X * fit.w[:, None]
    return np.asarray(weighted.T @ weighted)


def _weigh(kind: Kind, fit: Fit, X: Floats, W: Floats, meat: Floats) -> Floats:
    """E_j, k x n_j."""
    XW = (X * W[:, None]).T
    if kind == "CR2":
        return _half_inverse(fit.bread, X, W, XW, meat)
    if kind == "CR3":
        # X_j'W_j (I - H_jj)^-1 = (I - X_j'W_jX_j M)^-1 X_j'W_j: k x k in place of n_j x n_j
        left = np.eye(X.shape[1]) - XW @ X @ fit.bread
        singular = np.linalg.cond(left) > 1e13
        return (
            np.full_like(XW, np.nan) if singular else np.asarray(np.linalg.solve(left, XW), dtype=np.float64)
        )
    return XW


def _half_inverse(M: Floats, X: Floats, W: Floats, XW: Floats, meat: Floats) -> Floats:
    """X_j'W_j B_j^(-1/2) for B_j = I - H_jj - H_jj' + X_j M (X'W²X) M X_j'.

    B_j is the identity outside the span of X_j and W_j X_j, so its root is taken inside that span only.
    """
    Q = np.linalg.qr(np.hstack([X, W[:, None] * X]))[0]
    QX, QWX = Q.T @ X, Q.T @ XW.T
    H = QX @ M @ QWX.T
    B = np.eye(Q.shape[1]) - H - H.T + QX @ M @ meat @ M @ QX.T
    values, vectors = np.linalg.eigh((B + B.T) / 2)
    # B_j is singular where a regressor lives in one cluster only (fixed effects): the pseudo-inverse
    keep = values > 1e-12 * max(values.max(), 1.0)
    root = (vectors[:, keep] / np.sqrt(values[keep])) @ vectors[:, keep].T
    E = QWX.T @ root @ Q.T  # W_j X_j lies in the span, so nothing of it is lost outside
    return np.asarray(E)


def _refuse(X: Floats, y: Floats, w: Floats, code: Ints, G: int) -> None:
    n = len(y)
    if X.ndim != 2 or not (len(X) == len(w) == len(code) == n):
        raise EstimateError(
            f"X has shape {X.shape}, y {n} rows, w {len(w)}, clusters {len(code)}; expected as many rows in each."
        )
    if not (np.isfinite(X).all() and np.isfinite(y).all() and np.isfinite(w).all()):
        raise EstimateError(
            "Missing or infinite values in X, y or w; leave those rows out first, and say how many."
        )
    if (w < 0).any():
        raise EstimateError(
            f"{int((w < 0).sum())} weights are negative; a weight says how many people a row stands for."
        )
    if G < 2:
        raise EstimateError(f"{G} cluster; a variance between clusters needs at least two.")
    if n <= X.shape[1]:
        raise EstimateError(f"{n} rows cannot tell {X.shape[1]} coefficients apart; use fewer regressors.")


def _refuse_repeats(R: Floats) -> None:
    diagonal = np.abs(np.diag(R))
    size = np.sqrt((R**2).sum(axis=0))
    repeats = np.flatnonzero(diagonal <= 1e-10 * np.where(size > 0, size, 1.0))
    if len(repeats):
        listed = ", ".join(str(i) for i in repeats)
        raise EstimateError(
            f"Column {listed} of X (counted from 0) follows from those before it, so its coefficient means nothing. "
            "Leave it out."
        )
