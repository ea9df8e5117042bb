"""Raking: weights scaled, margin after margin, until each margin of the population is met.

Iterative proportional fitting (Deming and Stephan 1940) multiplies all rows of a cell, the same class in
every margin, alike. So it runs on the table of distinct cells, and its cost is that of the rows read once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from cbresearch.sampling.design import Floats, Ints
from cbresearch.sampling.margins import Margin

TOLERANCE = 1e-10
"""Largest distance between a weighted share and its margin, as a share of the margin."""
SWEEPS = 1_000
ROUNDS = 200
"""How often margins and bounds take turns."""
BOUND_TOLERANCE = 1e-9
"""How far, as a share of it, a raked weight may pass a bound."""


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Which of C cells each of n rows lies in, and which class of each of M margins a cell is."""

    of_row: Ints
    classes: tuple[Ints, ...]
    """M times C codes; -1 where the class is missing."""
    shares: tuple[Floats, ...]
    """M times the population's shares, each summing to 1."""

    @property
    def size(self) -> int:
        return len(self.classes[0]) if self.classes else 1

    def sums(self, weights: Floats) -> Floats:
        """C sums of n weights."""
        return np.bincount(self.of_row, weights=weights, minlength=self.size).astype(np.float64)

    def by_class(self, table: Floats) -> list[Floats]:
        """The sums of C cells in each margin's classes; cells whose class is missing are in none."""
        return [
            # -1, a missing class, counts in a place of its own before the others
            np.bincount(classes + 1, weights=table, minlength=len(shares) + 1)[1:].astype(np.float64)
            for classes, shares in zip(self.classes, self.shares, strict=True)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Raked:
    """n weights with what it took to get there."""

    weights: Floats
    sweeps: int
    apart: Floats
    """M distances from each margin, as a share of it."""
    cut: NDArray[np.bool_]
    """n rows whose weight stood at a bound at least once."""
    within: bool = True
    """Whether the weights keep the bounds that were asked for."""

    def settled(self, tolerance: float) -> bool:
        return bool((self.apart <= tolerance).all())


def cells_of(margins: Sequence[Margin], rows: int) -> Cells:
    """The cells that the margins cut the rows into; a margin's missing class is a class of its own here."""
    cell, size = np.zeros(rows, dtype=np.int64), 1
    classes: list[Ints] = []
    for margin in margins:
        wide = len(margin.classes) + 1
        # in place, because rows are many and margins few
        cell *= wide
        cell += margin.code
        cell += 1
        size *= wide
        # a full table is as good as a list of its filled cells until it outgrows the rows
        if size > max(rows, 64):
            present, cell = np.unique(cell, return_inverse=True)
        else:
            present = np.arange(size)
        size = len(present)
        classes = [*(before[present // wide] for before in classes), present % wide - 1]
    return Cells(cell, tuple(classes), tuple(margin.shares for margin in margins))


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The table of C cells after raking: its sums, what each was multiplied by, and how it went."""

    table: Floats
    factors: Floats
    sweeps: int
    apart: Floats


def fitted(before: Floats, cells: Cells, *, tolerance: float = TOLERANCE, sweeps: int = SWEEPS) -> Fitted:
    """Raking of the table itself, from C sums of weights; their sum stays."""
    table, swept, apart = before.copy(), 0, _apart(before, cells)
    while (apart > tolerance).any() and swept < sweeps:
        for classes, shares in zip(cells.classes, cells.shares, strict=True):
            have = np.bincount(classes + 1, weights=table, minlength=len(shares) + 1)[1:]
            factors = np.where(have > 0, shares * have.sum() / np.where(have > 0, have, 1.0), 1.0)
            table *= np.append(factors, 1.0)[classes]
        swept, apart = swept + 1, _apart(table, cells)
    return Fitted(table, np.where(before > 0, table / np.where(before > 0, before, 1.0), 1.0), swept, apart)


def raked(weights: Floats, cells: Cells, *, tolerance: float = TOLERANCE, sweeps: int = SWEEPS) -> Raked:
    """Weights whose shares are those of every margin among the rows whose class is known there.

    `weights` are n, none negative, with somebody in every class that has a share; their sum stays.
    Where `sweeps` do not bring the margins within `tolerance`, the last weights come back with `apart`.
    """
    found = fitted(cells.sums(weights), cells, tolerance=tolerance, sweeps=sweeps)
    nobody = np.zeros(len(weights), dtype=bool)
    return Raked(weights * found.factors[cells.of_row], found.sweeps, found.apart, nobody)


def raked_within(
    weights: Floats, cells: Cells, *, ceiling: float, floor: float, tolerance: float = TOLERANCE,
    sweeps: int = SWEEPS,
) -> Raked:  # fmt: skip
    """Raked weights none of which passes `ceiling` or stays below `floor` times their mean; the sum stays.

    Rakes and trims in turn until the margins hold and so do the bounds; `within` is False where they cannot.
    """
    found = raked(weights, cells, tolerance=tolerance, sweeps=sweeps)
    cut, swept = found.cut, found.sweeps
    for _ in range(ROUNDS):
        if not found.settled(tolerance) or _within(found.weights, ceiling, floor):
            return replace(found, cut=cut, sweeps=swept)
        bounded = trimmed(found.weights, ceiling=ceiling, floor=floor)
        cut = cut | at_bounds(bounded, ceiling, floor)
        found = raked(bounded, cells, tolerance=tolerance, sweeps=sweeps)
        swept += found.sweeps
    return replace(found, cut=cut, sweeps=swept, within=False)


def trimmed(weights: Floats, *, ceiling: float = np.inf, floor: float = 0.0) -> Floats:
    """No weight above `ceiling` (> 1) or below `floor` (< 1) times the mean; the rest is scaled to keep the sum.

    Rows of weight 0 stand for nobody: they stay so, and the mean is that of the others.
    """
    some = weights > 0
    w, total = weights[some], weights.sum()
    low, high = floor * total / max(len(w), 1), ceiling * total / max(len(w), 1)
    if not len(w) or (w.max() <= high and w.min() >= low):
        return weights
    w = np.clip(w * _scale(w, low, high), low, high)
    answer = np.zeros(len(weights))
    answer[some] = w
    return answer


def trim_weights(weights: Floats, *, upper: float = np.inf, lower: float = -np.inf) -> Floats:
    """Weights cut at `upper` and `lower` once, what is cut shared equally among the others; the sum stays.

    The others may pass a bound by their part, and margins that held before hold no more; `rake` with a
    ceiling keeps both. R: `survey::trimWeights(strict = FALSE)`.
    """
    answer = np.clip(weights, lower, upper)
    kept = (weights >= lower) & (weights <= upper)
    answer[kept] += (weights.sum() - answer.sum()) / max(int(kept.sum()), 1)
    return answer


def kish_deff(weights: Floats) -> float:
    """What unequal weights cost: n sum(w²) / sum(w)² (Kish 1965), at least 1. NaN for no weights."""
    w = np.asarray(weights, dtype=np.float64)
    return float(len(w) * (w @ w) / w.sum() ** 2) if len(w) else float("nan")


def at_bounds(weights: Floats, ceiling: float, floor: float) -> NDArray[np.bool_]:
    """n rows whose weight stands at a bound."""
    mean = weights.sum() / max(int((weights > 0).sum()), 1)
    over, under = weights >= ceiling * mean * (1 - 1e-12), weights <= floor * mean * (1 + 1e-12)
    return np.asarray(over | (under & (weights > 0)))


def _within(weights: Floats, ceiling: float, floor: float) -> bool:
    w = weights[weights > 0]
    over, under = ceiling * (1 + BOUND_TOLERANCE), floor * (1 - BOUND_TOLERANCE)
    return bool(w.max() <= over * w.mean() and w.min() >= under * w.mean())


def _scale(w: Floats, low: float, high: float) -> float:
    """The factor that leaves the sum of the clipped weights as it was; the sum rises with it, so there is one."""
    total = w.sum()

    def missing(factor: float) -> float:
        return float(np.clip(w * factor, low, high).sum() - total)

    most = (high if np.isfinite(high) else 2 * total) / w.min()
    near = optimize.brentq(missing, low / w.max(), most, xtol=1e-300, rtol=1e-12)
    free = (w * near > low) & (w * near < high)
    if not free.any():
        return float(near)
    # the bracket ends within rounding of the root; where nobody changes sides the sum tells it exactly
    return float((total - np.clip(w * near, low, high)[~free].sum()) / w[free].sum())


def _apart(table: Floats, cells: Cells) -> Floats:
    """M: how far each margin's weighted shares are from the population's, as a share of the latter."""
    return np.array(
        [
            np.abs(have[shares > 0] / max(have.sum(), 1e-300) / shares[shares > 0] - 1).max()
            for have, shares in zip(cells.by_class(table), cells.shares, strict=True)
        ]
    )
