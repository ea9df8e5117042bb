"""The items of a scale as numbers, with what the residents who answered them weigh."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, numbers


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """n x k answers (NaN where none), n weights, k names."""

    values: Floats
    weights: Floats
    names: tuple[str, ...]

    @property
    def complete(self) -> Items:
        """The residents who answered everything."""
        whole = np.isfinite(self.values).all(axis=1)
        return Items(self.values[whole], self.weights[whole], self.names)

    @property
    def answered(self) -> Floats:
        """The weights of those who answered anything and whose weight is not 0."""
        return self.weights[np.isfinite(self.values).any(axis=1) & (self.weights > 0)]

    @property
    def is_weighted(self) -> bool:
        w = self.answered
        return bool(len(w) and (w != w[0]).any())

    @property
    def effective_n(self) -> float:
        """Kish's: how many residents of equal weight would tell as much."""
        w = self.answered
        return float(w.sum() ** 2 / (w**2).sum()) if len(w) else 0.0

    @property
    def size(self) -> float:
        """How many residents tests may count on: as many as answered, Kish's number where weights differ."""
        return self.effective_n if self.is_weighted else float(len(self.answered))

    def covariance(self) -> Floats:
        """Weighted, each pair of items over the residents who answered both; k x k, as cov(use = "pairwise").

        Divided by (1 - 1/n_effective) in place of n - 1, which for equal weights is the same.
        """
        there = np.isfinite(self.values).astype(np.float64)
        filled = np.nan_to_num(self.values)
        # around the mean, so that no digits are lost when it is large against the spread
        filled = (filled - filled.sum(axis=0) / np.maximum(there.sum(axis=0), 1)) * there
        w = self.weights[:, None]
        people = there.T @ (there * w)
        squares = there.T @ (there * w**2)
        with np.errstate(invalid="ignore", divide="ignore"):
            # a pair that nobody answered together has no covariance: NaN
            mean = (filled * w).T @ there / people
            product = filled.T @ (filled * w) / people
            return np.asarray((product - mean * mean.T) / (1 - squares / people**2))

    def correlation(self) -> Floats:
        C = self.covariance()
        sd = np.sqrt(np.diag(C))
        return np.asarray(C / np.outer(sd, sd))


def items_of(frame: pd.DataFrame, weights: pd.Series | None = None, *, least: int = 2) -> Items:
    """The columns of `frame` as items, a row per resident; weights stand on the same rows.

    EstimateError lists at once the items that are no numbers, never vary, are named twice or that nobody
    answered, and weights that do not fit.
    """
    faults = [f"{frame.shape[1]} items; expected at least {least}"] if frame.shape[1] < least else []
    faults += [f"'{name}' is named twice" for name in frame.columns[frame.columns.duplicated()].unique()]
    columns = []
    if not faults:
        for name in frame.columns:
            try:
                columns.append(_column(frame, name))
            except EstimateError as error:
                faults.append(str(error))
    faults += _unfit(frame, weights)
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"These items cannot make a scale:\n{listed}")
    w = np.ones(len(frame)) if weights is None else weights.to_numpy(dtype=np.float64, na_value=np.nan)
    return Items(np.column_stack(columns), w, tuple(map(str, frame.columns)))


def complete_of(given: Items, *, least: int) -> Items:
    """Those who answered everything; EstimateError for fewer than `least`, or an item answered all alike."""
    whole = given.complete
    n = len(whole.answered)
    if n < least:
        raise EstimateError(
            f"{n} residents answered every one of {len(given.names)} items; expected at least {least}. "
            "Leave out the item most often missed, or use pairs of items where that is offered."
        )
    values = whole.values[whole.weights > 0]
    flat = [name for name, column in zip(given.names, values.T, strict=True) if column.min() == column.max()]
    if flat:
        raise EstimateError(
            f"{', '.join(map(repr, flat))} never varies among the {n} residents who answered every item; leave it out."
        )
    return whole


def _column(frame: pd.DataFrame, name: str) -> Floats:
    values = numbers(frame, name) if isinstance(name, str) else frame[name].to_numpy(float)
    told = values[~np.isnan(values)]
    if not len(told):
        raise EstimateError(f"nobody answered '{name}'; leave it out")
    if not np.isfinite(told).all():
        raise EstimateError(f"'{name}' holds infinite numbers; blank them, or correct what made them")
    if told.min() == told.max():
        raise EstimateError(
            f"everybody answered '{name}' alike ({told[0]:g}); leave it out, it tells nothing"
        )
    return values


def _unfit(frame: pd.DataFrame, weights: pd.Series | None) -> Iterator[str]:
    if weights is None:
        return
    if len(weights) != len(frame):
        yield f"{len(weights)} weights for {len(frame)} residents"
    elif not weights.index.equals(frame.index):
        yield "the weights are labelled otherwise than the rows of items; take both from one frame"
    w = weights.to_numpy(dtype=np.float64, na_value=np.nan)
    if not np.isfinite(w).all() or (w < 0).any():
        yield "weights must be one number per resident, none missing or negative"
    elif len(w) and not w.sum() > 0:
        yield "every weight is 0; nobody would be counted"
