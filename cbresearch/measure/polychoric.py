"""Correlations of what lies behind ordered answers: polychoric, by two steps.

Olsson (1979, Psychometrika 44): thresholds from each item's own shares, then for each pair the correlation
that makes its table of answers likeliest. R: `polycor::polychor`, `lavaan::lavCor`, `psych::polychoric(correct = 0)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import ndtr, ndtri

from cbresearch.errors import EstimateError
from cbresearch.measure.items import items_of
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints

MOST_ANSWERS = 20
"""More different answers than this are a quantity, not an ordered list."""
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)
EDGE = 0.9999


@dataclass(frozen=True, slots=True, eq=False)
class Polychoric:
    """k x k `correlations` with standard errors, the thresholds of each item, residents for each pair.

    A pair whose table has an empty cell has a correlation all the same; its number is in `empty_cells`.
    `smallest_eigenvalue` below 0 says that the pairs do not fit together as one matrix (`note` says so too);
    nothing is smoothed here, see `smoothed`.
    """

    items: tuple[str, ...]
    correlations: Floats
    se: Floats
    thresholds: tuple[Floats, ...]
    n: Ints
    empty_cells: int
    smallest_eigenvalue: float
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """The correlations, a row and a column per item."""
        return pd.DataFrame(self.correlations, index=list(self.items), columns=list(self.items))


def polychoric(items: pd.DataFrame, *, weights: pd.Series | None = None) -> Polychoric:
    """Polychoric correlations of all pairs of items, each over the residents who answered both.

    `items` has a row per resident and a column per item of ordered numeric codes, at most 20 different.
    Weights count residents; standard errors then rest on Kish's effective n. EstimateError for items that
    are no ordered answers, or pairs that nobody answered together.
    """
    given = items_of(items, weights)
    codes, levels = _codes(given.values, given.names)
    k = len(codes)
    R, se, n = np.eye(k), np.zeros((k, k)), np.zeros((k, k), dtype=np.int64)
    empty = 0
    for i in range(k):
        n[i, i] = int((codes[i] >= 0).sum())
    cuts = tuple(_cuts(codes[i], given.weights, levels[i]) for i in range(k))
    for i, j in combinations(range(k), 2):
        both = (codes[i] >= 0) & (codes[j] >= 0)
        if not both.any():
            raise EstimateError(f"Nobody answered both '{given.names[i]}' and '{given.names[j]}'.")
        w = given.weights[both]
        counts = _table(codes[i][both], codes[j][both], w, (levels[i], levels[j]))
        effective = w.sum() ** 2 / (w**2).sum()
        counts *= effective / w.sum()
        empty += int((counts == 0).any())
        # the thresholds of those who answered both, as R's pairwise rule has it
        pair = _cuts_of(counts.sum(axis=1)), _cuts_of(counts.sum(axis=0))
        R[i, j], se[i, j] = _pair(counts, *pair)
        R[j, i], se[j, i], n[i, j] = R[i, j], se[i, j], both.sum()
        n[j, i] = n[i, j]
    smallest = float(np.linalg.eigvalsh(R)[0])
    return Polychoric(given.names, R, se, cuts, n, empty, smallest, _note(smallest))


def smoothed(correlations: Floats) -> Floats:
    """The nearest matrix without negative eigenvalues: they become small and positive, the diagonal 1 again (psych's `cor.smooth`)."""
    values, vectors = np.linalg.eigh(correlations)
    if values[0] > 0:
        return correlations
    lifted = np.maximum(values, 1e-6)
    lifted *= len(values) / lifted.sum()
    made = (vectors * lifted) @ vectors.T
    sd = np.sqrt(np.diag(made))
    return np.asarray(made / np.outer(sd, sd))


def _codes(values: Floats, names: tuple[str, ...]) -> tuple[list[Ints], list[int]]:
    """0..L-1 for each item's answers, -1 where none, with how many different there are."""
    codes, levels = [], []
    for column, name in zip(values.T, names, strict=True):
        there = np.isfinite(column)
        kinds, code = np.unique(column[there], return_inverse=True)
        if len(kinds) > MOST_ANSWERS:
            raise EstimateError(
                f"'{name}' has {len(kinds)} different answers; expected at most {MOST_ANSWERS} ordered ones. "
                "For a quantity use its plain correlation."
            )
        placed = np.full(len(column), -1, dtype=np.int64)
        placed[there] = code
        codes.append(placed)
        levels.append(len(kinds))
    return codes, levels


def _table(one: Ints, other: Ints, w: Floats, shape: tuple[int, int]) -> Floats:
    cells = np.bincount(one * shape[1] + other, weights=w, minlength=shape[0] * shape[1])
    return cells.astype(np.float64).reshape(shape)


def _cuts(code: Ints, w: Floats, levels: int) -> Floats:
    there = code >= 0
    return _cuts_of(np.bincount(code[there], weights=w[there], minlength=levels).astype(np.float64))


def _cuts_of(counts: Floats) -> Floats:
    """Normal quantiles of the cumulated shares: levels - 1 thresholds (answers given by nobody repeat one)."""
    return np.asarray(ndtri(np.cumsum(counts)[:-1] / counts.sum()))


def _pair(counts: Floats, rows: Floats, columns: Floats) -> tuple[float, float]:
    """The likeliest correlation of one table, with its standard error from the curvature there."""

    def lack(rho: float) -> float:
        chance = _chances(rows, columns, rho)
        return -float((counts[counts > 0] * np.log(np.maximum(chance[counts > 0], 1e-300))).sum())

    found = optimize.minimize_scalar(lack, bounds=(-EDGE, EDGE), method="bounded", options={"xatol": 1e-9})
    rho = float(found.x)
    step = min(1e-4, (1 - abs(rho)) / 4)
    curvature = (lack(rho + step) - 2 * lack(rho) + lack(rho - step)) / step**2
    return rho, 1 / math.sqrt(curvature) if curvature > 0 else math.nan


def _chances(rows: Floats, columns: Floats, rho: float) -> Floats:
    """The chance of each cell of a table for two thresholded normals with correlation rho."""
    corner = np.zeros((len(rows) + 2, len(columns) + 2))
    corner[1:-1, 1:-1] = _below(rows, columns, rho)
    corner[1:-1, -1], corner[-1, 1:-1], corner[-1, -1] = ndtr(rows), ndtr(columns), 1.0
    return np.asarray(np.diff(np.diff(corner, axis=0), axis=1))


def _below(rows: Floats, columns: Floats, rho: float) -> Floats:
    """P(X <= a, Y <= b) = Phi(a) Phi(b) + integral of the density over correlations from 0 to rho.

    The angle asin(r) is integrated over, which keeps the integrand smooth up to correlations of 1.
    """
    a, b = rows[:, None, None], columns[None, :, None]
    with np.errstate(invalid="ignore"):
        angle = math.asin(rho) * (NODES + 1) / 2
        sine = np.sin(angle)
        exponent = -(a**2 + b**2 - 2 * a * b * sine) / (2 * np.cos(angle) ** 2)
        # a threshold at infinity (an answer nobody gave) adds nothing
        density = np.where(np.isfinite(exponent), np.exp(np.where(np.isfinite(exponent), exponent, 0.0)), 0.0)
    area = (density * NODE_WEIGHTS).sum(axis=2) * math.asin(rho) / 2 / (2 * math.pi)
    return np.asarray(ndtr(rows)[:, None] * ndtr(columns)[None, :] + area)


def _note(smallest: float) -> Text | None:
    if smallest > 0:
        return None
    return Text(
        "这些相关系数合在一起不成为一个正定的矩阵；因子分析前需要平滑处理。",
        "Together these correlations are no positive definite matrix; smooth it before factoring.",
    )
