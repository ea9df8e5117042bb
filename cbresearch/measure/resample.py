"""Residents resampled by community, so that what communities share counts as one piece of luck.

Out of G communities G - 1 are drawn with replacement and counted G/(G - 1) times, which leaves the
variance of a total unbiased (Rao and Wu 1988, JASA 83, with m = n - 1); drawing all G would make it
(G - 1)/G as large, 4 % too small for 23. All that a draw needs are totals by community, so the draws
cost a matrix product and 200,000 residents no more than 200.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.design import Design, Floats, Ints, draw, numbers, require

FEWEST_DRAWS = 100
FEW_CLUSTERS = 10
_CELLS = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Residents:
    """k columns of n residents as numbers (NaN where not answered), with weights and cluster codes 0..G-1."""

    values: Floats
    weights: Floats
    cluster: Ints

    @property
    def clusters(self) -> int:
        return int(self.cluster.max()) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Resampled:
    """k totals as `observed` (k) and as they came out in every draw (`redrawn`, draws x k)."""

    observed: Floats
    redrawn: Floats
    clusters: int


def residents(
    frame: pd.DataFrame, columns: Sequence[str], *, weights: str | None, cluster: str | None
) -> Residents:
    """The columns of a frame as numbers; every column absent or holding text is told at once.

    `cluster` None makes each resident a cluster. EstimateError also for fewer than two clusters and for
    missing weights or clusters.
    """
    design = Design(weights=weights, psu=cluster)
    require(frame, [*columns, *design.columns])
    found, faults = [], []
    for column in columns:
        try:
            found.append(numbers(frame, column))
        except EstimateError as error:
            faults.append(str(error))
    if faults:
        raise EstimateError("\n".join(faults))
    sample = draw(frame, design)
    made = Residents(np.column_stack(found), sample.weights, sample.psu)
    if not made.weights.sum() > 0:
        raise EstimateError(f"Every weight in '{weights}' is 0; nobody would be counted.")
    if made.clusters < 2:
        raise EstimateError(
            f"'{cluster}' holds a single cluster: resampling clusters needs two at least, and some ten to mean much. "
            "Name the column of communities, or cluster=None where residents were drawn one by one."
        )
    return made


def cluster_bootstrap(values: Floats, cluster: Ints, *, draws: int, seed: int) -> Resampled:
    """Totals of `values` (n x k, already weighted, 0 where a resident has no say) over redrawn clusters.

    `cluster` has n codes 0..G-1. The same seed gives the same draws. EstimateError below 100 draws.
    """
    if draws < FEWEST_DRAWS:
        raise EstimateError(f"draws={draws}: ends of an interval need {FEWEST_DRAWS} draws at least.")
    G = int(cluster.max()) + 1
    order = np.argsort(cluster, kind="stable")
    start = np.searchsorted(cluster[order], np.arange(G))
    totals = np.add.reduceat(values[order], start, axis=0)
    rng, redrawn = np.random.default_rng(seed), np.empty((draws, values.shape[1]))
    block = max(1, _CELLS // G)
    for first in range(0, draws, block):
        size = min(block, draws - first)
        drawn = rng.integers(G, size=(size, G - 1)) + G * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * G).reshape(size, G)
        redrawn[first : first + size] = times.astype(np.float64) @ totals * (G / (G - 1))
    return Resampled(totals.sum(axis=0), redrawn, G)


def interval(redrawn: Floats) -> Floats:
    """Low and high (2 x ...) of the middle 95 % along the first axis.

    NaN where more than 5 % of the draws had no such number: the rest would be a choice among draws.
    """
    there = np.isfinite(redrawn).mean(axis=0) >= 0.95
    kept = np.where(there, redrawn, 0.0)
    return np.where(there, np.nanquantile(kept, [0.025, 0.975], axis=0), np.nan)


def rank_interval(ranks: Floats) -> Floats:
    """Low and high (2 x ...) of ranks, whole numbers that hold at least the middle 95 % of the draws."""
    low = np.nanquantile(ranks, 0.025, axis=0, method="lower")
    return np.stack([low, np.nanquantile(ranks, 0.975, axis=0, method="higher")])


def few(clusters: int) -> Text:
    """A warning to end a sentence with, empty from ten clusters on."""
    if clusters >= FEW_CLUSTERS:
        return Text("", "")
    return Text(
        f"只有{clusters}个社区，这些把握只能当作大概。",
        f" With only {clusters} communities these chances are rough.",
    )
