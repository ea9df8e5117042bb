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
from cbresearch.measure.notes import joined
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints

MOST_ANSWERS = 20
"""More different answers than this are a quantity, not an ordered list."""
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(48)
EDGE, NEAR_EDGE = 0.9999, 0.999899
"""As near to 1 as is looked for; a table whose likelihood still rises there has no correlation of its own."""
LEAST_EIGENVALUE = 1e-8
"""Below this a matrix has no inverse worth having."""


@dataclass(frozen=True, slots=True, eq=False)
class Polychoric:
    """k x k `correlations` with standard errors, the thresholds of each item, residents for each pair.

    `se` takes the thresholds as known, as two-step standard errors in R's polycor do; NaN where the likelihood
    has no top. `empty_cells` pairs have a table with an empty cell. `smallest_eigenvalue` below 0 says that the
    pairs do not fit together as one matrix; nothing is smoothed here (see `smoothed`, `correlated`). `note`
    tells all three.
    """

    items: tuple[str, ...]
    correlations: Floats
    se: Floats
    thresholds: tuple[Floats, ...]
    n: Ints
    n_least: float
    """Residents of the smallest pair; Kish's effective number where there are weights."""
    empty_cells: int
    smallest_eigenvalue: float
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """The correlations, a row and a column per item."""
        return pd.DataFrame(self.correlations, index=list(self.items), columns=list(self.items))

    @property
    def kept(self) -> Floats:
        """k shares of what the latent answers told that is left after they were cut into a few (1: all of it)."""
        return np.array([_kept(cuts) for cuts in self.thresholds])


def polychoric(items: pd.DataFrame, *, weights: pd.Series | None = None) -> Polychoric:
    """Polychoric correlations of all pairs of items, each over the residents who answered both.

    `items` has a row per resident and a column per item of ordered numeric codes, at most 20 different.
    Nothing is added to empty cells (psych: correct = 0). Weights count residents; standard errors then rest on
    Kish's effective n. EstimateError for items that are no ordered answers, pairs that nobody answered
    together, or of which those who did answered one alike.
    """
    given = items_of(items, weights)
    codes, levels = _codes(given.values, given.names)
    k = len(codes)
    R, se, n = np.eye(k), np.zeros((k, k)), np.diag([int((code >= 0).sum()) for code in codes])
    pairs = list(combinations(range(k), 2))
    tables = _tables(codes, levels, given.weights, pairs, given.names)
    for (i, j), counts in zip(pairs, tables, strict=True):
        # the thresholds of those who answered both, as R's pairwise rule has it
        R[i, j], se[i, j] = _pair(counts, _cuts_of(counts.sum(axis=1)), _cuts_of(counts.sum(axis=0)))
        R[j, i], se[j, i] = R[i, j], se[i, j]
        n[i, j] = n[j, i] = int(((codes[i] >= 0) & (codes[j] >= 0)).sum())
    cuts = tuple(_cuts(code, given.weights, level) for code, level in zip(codes, levels, strict=True))
    empty = sum(bool((counts == 0).any()) for counts in tables)
    at_edge = [f"{given.names[i]}–{given.names[j]}" for i, j in pairs if abs(R[i, j]) > NEAR_EDGE]
    smallest = float(np.linalg.eigvalsh(R)[0])
    note = joined(_at_edge(at_edge), _empty(empty, len(pairs)), _unfit(smallest))
    n_least = float(min(counts.sum() for counts in tables))
    return Polychoric(given.names, R, se, cuts, n, n_least, empty, smallest, note)


def smoothed(correlations: Floats) -> Floats:
    """A matrix near by without negative eigenvalues: they become small and positive, the diagonal 1 again.

    What fits together already is returned as it is. R: `psych::cor.smooth`.
    """
    values, vectors = np.linalg.eigh(correlations)
    if values[0] >= LEAST_EIGENVALUE:
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


def _tables(
    codes: list[Ints], levels: list[int], w: Floats, pairs: list[tuple[int, int]], names: tuple[str, ...]
) -> list[Floats]:
    """The table of each pair, adding up to Kish's effective n; EstimateError lists pairs without one."""
    made, faults = [], []
    for i, j in pairs:
        both = (codes[i] >= 0) & (codes[j] >= 0) & (w > 0)
        counts = _table(codes[i][both], codes[j][both], w[both], (levels[i], levels[j]))
        if not both.any():
            faults.append(f"nobody answered both '{names[i]}' and '{names[j]}'")
        elif (counts.sum(axis=1) > 0).sum() < 2 or (counts.sum(axis=0) > 0).sum() < 2:
            faults.append(f"those who answered both '{names[i]}' and '{names[j]}' answered one of them alike")
        else:
            made.append(counts * (w[both].sum() / (w[both] ** 2).sum()))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(
            f"These pairs have no polychoric correlation; leave an item of each out:\n{listed}"
        )
    return made


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
    if abs(rho) > NEAR_EDGE:
        return rho, math.nan
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


def _kept(cuts: Floats) -> float:
    """The variance of the normal scores of the answers: information on the correlation, relative to no cutting."""
    ends = np.concatenate([[-np.inf], cuts, [np.inf]])
    share, height = np.diff(ndtr(ends)), np.diff(np.exp(-(ends**2) / 2) / math.sqrt(2 * math.pi))
    given = share > 0
    return float((height[given] ** 2 / share[given]).sum())


def _at_edge(pairs: list[str]) -> Text | None:
    if not pairs:
        return None
    return Text(
        f"{'、'.join(pairs)} 的相关无法与±1区分（列联表有关键的空格，或两题答案重复）；写出的是边界值，没有标准误。",
        f"The correlation of {', '.join(pairs)} cannot be told from ±1 (an empty cell that matters, or the same answers twice); "
        "what is given is the limit, without a standard error.",
    )


def _empty(count: int, pairs: int) -> Text | None:
    if not count:
        return None
    have, tables = ("has", "它") if count == 1 else ("have", "它们")
    return Text(
        f"{pairs}对题目中有{count}对的列联表含空格，{tables}的相关不太稳定；合并很少有人选的答案可以改善。",
        f"{count} of {pairs} pairs of items {have} empty cells, which makes their correlations less steady; "
        "joining answers that few gave would help.",
    )


def _unfit(smallest: float) -> Text | None:
    if smallest >= LEAST_EIGENVALUE:
        return None
    return Text(
        "这些相关系数合在一起不成为一个正定的矩阵；因子分析前需要平滑处理。",
        "Together these correlations are no positive definite matrix, which factoring needs.",
    )
