"""The permutation test: what the estimate would be had the causes come to other clusters.

Fisher's randomisation test with a studentised coefficient (MacKinnon and Webb 2020, J. of Econometrics 218).
It needs no large number of clusters, but takes them to be exchangeable: had things gone otherwise, any
cluster could have had any other's cause.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations
from typing import Literal

import numpy as np

from cbresearch.estimate.clusters.linear import Fit, Labels
from cbresearch.sampling.design import Floats, Ints

Statistic = Literal["t", "coefficient"]
NOT_SHARED = "clusters do not share the moments at which the cause was seen"
NOT_CONSTANT = "the cause differs inside a cluster, and no column says when it was seen"


@dataclass(frozen=True, slots=True)
class Permuted:
    """`p` with how many assignments it rests on; `exact` when they are all that can be told apart.

    NaN with the reason in `note` where the cause cannot be handed from cluster to cluster.
    """

    p: float
    draws: int
    exact: bool
    note: str = ""


def permutation_test(
    fit: Fit, coefficient: int, *, moments: Labels | None = None, statistic: Statistic = "t",
    draws: int = 1_999, seed: int = 1,
) -> Permuted:  # fmt: skip
    """Hand each cluster another cluster's cause and see how often the coefficient is as far from zero.

    A cause that is the same throughout a cluster is handed on as a number. One that changes inside is
    handed on as a path over `moments` (n labels in the order of the rows given to `least_squares`, such as
    waves), within each of which it must be constant. Other regressors stay where they are. Every assignment
    is visited where there are no more than `draws` that differ; "t" is studentised by clusters, "coefficient"
    is not.
    """
    cells = _cells(fit, fit.X[:, coefficient], moments)
    if isinstance(cells, str):
        return Permuted(math.nan, 0, False, cells)
    orders, exact = _orders(cells.values, draws, seed)
    judge = _Judge(fit, coefficient, cells, statistic)
    observed = float(judge.sizes(cells.values[None])[0])
    redrawn = judge.sizes(cells.handed(np.array(orders)))
    extreme = int((redrawn >= observed - 1e-9 * max(1.0, observed)).sum())
    p = extreme / len(redrawn) if exact else (1 + extreme) / (1 + len(redrawn))
    return Permuted(p, len(redrawn), exact)


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """The cause by cluster and moment (G x T), the people there (G x T), and each row's cell (n, of G T)."""

    values: Floats
    people: Floats
    of_row: Ints
    is_centred: bool
    """The cause has no mean left in any cluster: what is handed on is centred again."""

    def handed(self, orders: Ints) -> Floats:
        """The causes (D x G x T) of D assignments."""
        given = self.values[orders]
        if not self.is_centred:
            return np.asarray(given)
        mean = (given * self.people).sum(axis=2, keepdims=True) / self.people.sum(axis=1)[:, None]
        return np.asarray(given - mean)


def _cells(fit: Fit, cause: Floats, moments: Labels | None) -> _Cells | str:
    G = len(fit.start)
    cluster = np.repeat(np.arange(G), np.diff(np.r_[fit.start, len(cause)]))
    moment = np.zeros(len(cause), dtype=np.int64)
    if moments is not None:
        moment = np.unique(np.asarray(moments)[fit.order].astype(str), return_inverse=True)[1]
    T = int(moment.max()) + 1
    of_row = cluster * T + moment
    low, high = (np.full(G * T, side * np.inf) for side in (1, -1))
    np.minimum.at(low, of_row, cause)
    np.maximum.at(high, of_row, cause)
    if not np.isfinite(low).all():
        return NOT_SHARED
    size = max(float(np.abs(cause).max()), 1e-300)
    if (high - low).max() > 1e-9 * size:
        return NOT_CONSTANT
    sums = np.abs(np.add.reduceat(fit.w * cause, fit.start))
    is_centred = T > 1 and bool(sums.max() <= 1e-9 * size * fit.w.sum())
    people = np.bincount(of_row, weights=fit.w, minlength=G * T).astype(np.float64)
    return _Cells(low.reshape(G, T), people.reshape(G, T), of_row, is_centred)


def _orders(values: Floats, draws: int, seed: int) -> tuple[list[Ints], bool]:
    """Which cluster's path each cluster gets; all distinct assignments where there are few."""
    _, kind, counts = np.unique(values, axis=0, return_inverse=True, return_counts=True)
    G = len(values)
    distinct = math.factorial(G)
    for count in counts:
        distinct //= math.factorial(int(count))
    if distinct <= draws:
        return list(_distinct(kind.ravel())), True
    rng = np.random.default_rng(seed)
    return [rng.permutation(G) for _ in range(draws)], False


def _distinct(kind: Ints) -> Iterator[Ints]:
    """Every way to hand the kinds of path to clusters, once each."""
    G, first = len(kind), [np.flatnonzero(kind == k) for k in range(kind.max() + 1)]
    if len(first) == 2:
        for chosen in combinations(range(G), len(first[1])):
            order = np.full(G, first[0][0])
            order[list(chosen)] = first[1][0]
            yield order
        return
    seen = set()
    for placed in permutations(range(G)):
        told = tuple(kind[list(placed)])
        if told not in seen:
            seen.add(told)
            yield np.array(placed)


class _Judge:
    """The size of the statistic for any cause that is constant in its cells, the other regressors held.

    By Frisch, Waugh and Lovell: with B an orthonormal basis of the others, everything that a cause x needs
    are sums over cells and clusters, so that no draw touches the rows.
    """

    def __init__(self, fit: Fit, coefficient: int, cells: _Cells, statistic: Statistic) -> None:
        self.statistic = statistic
        root = np.sqrt(fit.w)
        others = np.delete(fit.X, coefficient, axis=1) * root[:, None]
        basis = np.linalg.qr(others)[0] if others.shape[1] else np.zeros((len(root), 1))
        y = fit.y * root
        y = y - basis @ (basis.T @ y)
        self.shape = cells.values.shape
        count = cells.values.size
        self.people = cells.people.ravel()
        self.y = np.bincount(cells.of_row, weights=root * y, minlength=count)
        self.basis = np.column_stack(
            [np.bincount(cells.of_row, weights=root * b, minlength=count) for b in basis.T]
        )
        self.basis_y = np.add.reduceat(basis * y[:, None], fit.start)
        self.basis_basis = np.array([basis[rows].T @ basis[rows] for rows in fit.rows_of])

    def sizes(self, causes: Floats) -> Floats:
        """|statistic| of D causes (D x G x T); 0 where a cause cannot be told from what is held."""
        x = causes.reshape(len(causes), -1)
        held = x @ self.basis
        xy = self._by_cluster(x * self.y) - held @ self.basis_y.T
        moved = np.stack([self._by_cluster(x * b) for b in self.basis.T], axis=2)
        xx = (
            self._by_cluster(x**2 * self.people)
            - 2 * np.einsum("dgk,dk->dg", moved, held)
            + np.einsum("dk,gkl,dl->dg", held, self.basis_basis, held, optimize=True)
        )
        spread = xx.sum(axis=1)
        told = spread > 1e-10 * (x**2 * self.people).sum(axis=1)
        b = np.divide(xy.sum(axis=1), spread, out=np.zeros(len(x)), where=told)
        if self.statistic == "coefficient":
            return np.asarray(np.abs(b))
        scores = xy - b[:, None] * xx
        noise = np.sqrt((scores**2).sum(axis=1))
        return np.asarray(
            np.divide(np.abs(b) * spread, noise, out=np.zeros(len(x)), where=told & (noise > 0))
        )

    def _by_cluster(self, cells: Floats) -> Floats:
        return np.asarray(cells.reshape(len(cells), *self.shape).sum(axis=2))
