"""Means and correlations of some columns, as observed and as redrawn by community."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.measure.resample import cluster_bootstrap, residents
from cbresearch.sampling.design import Floats, Ints

SINGULAR = 1e-10
"""A column whose own part of variance lies below this (of 1) follows from the others, or does not vary."""


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Weighted means (B x p) and correlations (B x p x p) of p columns; row 0 as observed, then each redraw.

    A column that does not vary has correlations of 0 with every other and with itself.
    """

    mean: Floats
    correlation: Floats
    n: int
    left_out: int
    clusters: int


def moments(
    frame: pd.DataFrame, columns: Sequence[str], *, weights: str | None, cluster: str | None,
    draws: int, seed: int,
) -> Moments:  # fmt: skip
    """Means and correlations of the residents complete in `columns`, as observed and redrawn by cluster."""
    people = residents(frame, columns, weights=weights, cluster=cluster)
    whole = np.asarray(np.isfinite(people.values).all(axis=1))
    x, w, p = people.values[whole], people.weights[whole], len(columns)
    _refuse_thin(columns, x, w, people.cluster[whole], len(whole), cluster)
    # around the mean, so that no digits are lost when it is large against the spread
    centre = w @ x / w.sum()
    centred = x - centre
    upper = np.triu_indices(p)
    # clusters without a complete row stay among those that can be drawn: the sample had them
    values = np.zeros((len(whole), 1 + p + len(upper[0])))
    values[whole] = np.column_stack([np.ones(len(x)), centred, centred[:, upper[0]] * centred[:, upper[1]]])
    values[whole] *= w[:, None]
    found = cluster_bootstrap(values, people.cluster, draws=draws, seed=seed)
    sums = np.vstack([found.observed, found.redrawn])
    sums /= np.where(sums[:, :1] > 0, sums[:, :1], np.nan)
    mean, square = sums[:, 1 : p + 1], np.empty((len(sums), p, p))
    square[:, upper[0], upper[1]] = square[:, upper[1], upper[0]] = sums[:, p + 1 :]
    correlation = _correlation(square - mean[:, :, None] * mean[:, None, :])
    return Moments(mean + centre, correlation, len(x), int((~whole).sum()), found.clusters)


def _refuse_thin(
    columns: Sequence[str], x: Floats, w: Floats, cluster: Ints, rows: int, named: str | None
) -> None:
    if len(x) <= len(columns) or not w.sum() > 0:
        raise EstimateError(
            f"{len(x)} of {rows} rows are complete in {', '.join(columns)} and have a weight; "
            f"{len(columns) + 1} at least are needed. Look which column is empty, or name fewer."
        )
    flat = [column for column, low, high in zip(columns, x.min(0), x.max(0), strict=True) if low == high]
    if flat:
        raise EstimateError(f"{', '.join(map(repr, flat))} never varies among complete rows; leave it out.")
    if (cluster == cluster[0]).all():
        raise EstimateError(f"All complete rows lie in one cluster of '{named}'; two at least are needed.")


def _correlation(covariance: Floats) -> Floats:
    variance = np.diagonal(covariance, axis1=1, axis2=2)
    # a column that one redraw found constant, or a redraw of nobody (NaN), correlates with nothing
    varies = variance > SINGULAR * variance[0]
    scale = np.where(varies, 1 / np.sqrt(np.where(varies, variance, 1.0)), 0.0)
    return np.where(np.isfinite(covariance), covariance, 0.0) * scale[:, :, None] * scale[:, None, :]
