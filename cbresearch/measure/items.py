"""The items of a scale as numbers, with what the residents who answered them weigh."""

from __future__ import annotations

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
    def effective_n(self) -> float:
        """Kish's: how many residents of equal weight would tell as much."""
        w = self.weights
        return float(w.sum() ** 2 / (w**2).sum()) if len(w) else 0.0

    def covariance(self) -> Floats:
        """Weighted, each pair of items over the residents who answered both; k x k, as cov(use = "pairwise").

        Divided by (1 - 1/n_effective) in place of n - 1, which for equal weights is the same.
        """
        there = np.isfinite(self.values).astype(np.float64)
        filled = np.nan_to_num(self.values)
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
    """The columns of `frame` as items; EstimateError lists those that are no numbers, never vary or nobody answered."""
    faults = []
    if frame.shape[1] < least:
        faults.append(f"{frame.shape[1]} items; expected at least {least}")
    columns = []
    for name in frame.columns:
        try:
            values = numbers(frame, str(name)) if isinstance(name, str) else frame[name].to_numpy(float)
        except EstimateError as error:
            faults.append(str(error))
            continue
        columns.append(values)
        told = values[np.isfinite(values)]
        if not len(told):
            faults.append(f"nobody answered '{name}'; leave it out")
        elif told.min() == told.max():
            faults.append(f"everybody answered '{name}' alike ({told[0]:g}); leave it out, it tells nothing")
    w = np.ones(len(frame)) if weights is None else weights.to_numpy(dtype=np.float64, na_value=np.nan)
    if len(w) != len(frame) or not np.isfinite(w).all() or (w < 0).any():
        faults.append("weights must be one number per resident, none missing or negative")
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"These items cannot make a scale:\n{listed}")
    return Items(np.column_stack(columns), w, tuple(map(str, frame.columns)))
