"""How much each indicator counts: alike, as experts say, or as the data suggest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.measure.index.indicators import Indicator
from cbresearch.measure.index.steps import normalise
from cbresearch.sampling.design import Floats

Weights = Literal["equal", "expert", "entropy", "ahp", "pca"]
# mean consistency index of random matrices, by size from 1 (Saaty 1980, The Analytic Hierarchy Process)
RANDOM_INDEX = (0, 0, 0.58, 0.90, 1.12, 1.24, 1.32, 1.41, 1.45, 1.49, 1.51, 1.48, 1.56, 1.57, 1.59)
MOST_INCONSISTENT = 0.10


@dataclass(frozen=True, slots=True, eq=False)
class Ahp:
    """Weights from pairwise comparisons, with how far the comparisons contradict each other.

    `consistency_ratio` is the consistency index over that of random comparisons; above 0.10 the expert
    should be asked again.
    """

    columns: tuple[str, ...]
    weights: Floats
    largest_eigenvalue: float
    consistency_index: float
    consistency_ratio: float

    @property
    def consistent(self) -> bool:
        return self.consistency_ratio <= MOST_INCONSISTENT


@dataclass(frozen=True, slots=True, eq=False)
class Principal:
    """First principal component of the correlations: loadings (... x k, mostly positive), share of variance."""

    loadings: Floats
    share: Floats

    @property
    def weights(self) -> Floats:
        """Loadings that add up to 1; NaN where one points against the others, for no weight is negative."""
        against = (self.loadings < -1e-9).any(axis=-1, keepdims=True)
        return np.where(against, np.nan, self.loadings / self.loadings.sum(axis=-1, keepdims=True))


def equal_weights(indicators: Sequence[Indicator]) -> Floats:
    """Indicators count alike within their pillar, and pillars alike; without pillars all alike."""
    pillars = [indicator.pillar for indicator in indicators]
    return np.array([1 / len(set(pillars)) / pillars.count(pillar) for pillar in pillars])


def expert_weights(indicators: Sequence[Indicator]) -> Floats:
    """The indicators' own weights, made to add up to 1; EstimateError names those without one, or below 0."""
    without = [i.column for i in indicators if i.weight is None or not i.weight >= 0]
    given = np.array([i.weight or 0.0 for i in indicators])
    if without or not given.sum() > 0:
        named = ", ".join(without) or "every indicator"
        raise EstimateError(
            f"weights='expert' needs Indicator(weight=...), 0 or more and not 0 for all; look at {named}."
        )
    return np.asarray(given / given.sum())


def entropy_weights(values: Floats) -> Floats:
    """Weights (... x k) by how unevenly an indicator is spread over areas (Shannon entropy; 熵权法).

    `values` (... x areas x k) are put between 0 and 1 by min-max first. e_j = -sum p ln p / ln(areas) with
    p the area's part of the column, 0 ln 0 = 0; the weight is (1 - e_j) as a share. It rewards indicators
    in which few areas stand out, whether or not these matter.
    """
    scaled = normalise(values, "minmax")
    part = scaled / scaled.sum(axis=-2, keepdims=True)
    entropy = -(part * np.log(np.where(part > 0, part, 1.0))).sum(axis=-2) / np.log(values.shape[-2])
    return np.asarray((1 - entropy) / (1 - entropy).sum(axis=-1, keepdims=True))


def principal(values: Floats) -> Principal:
    """The first principal component of `values` (... x areas x k), from their correlations."""
    z = normalise(values, "zscore")
    correlation = np.swapaxes(z, -1, -2) @ z / (values.shape[-2] - 1)
    found, vectors = np.linalg.eigh(correlation)
    loadings = vectors[..., -1]
    turned = loadings * np.where(loadings.sum(axis=-1, keepdims=True) < 0, -1.0, 1.0)
    return Principal(turned, found[..., -1] / values.shape[-1])


def ahp(pairwise: pd.DataFrame) -> Ahp:
    """Weights from Saaty's pairwise comparisons: the principal eigenvector, with its consistency ratio.

    Cell (a, b) says how many times as important a is as b, from 1/9 to 9; rows and columns are named alike.
    The lower triangle may be left out (NaN). EstimateError tells every cell that is not positive or not
    one over its mirror image.
    """
    columns, comparisons = tuple(map(str, pairwise.columns)), _comparisons(pairwise)
    n = len(columns)
    found, vectors = np.linalg.eig(comparisons)
    largest = int(np.argmax(found.real))
    vector = np.abs(vectors[:, largest].real)
    index = max((float(found[largest].real) - n) / (n - 1), 0.0) if n > 1 else 0.0
    ratio = index / RANDOM_INDEX[n - 1] if n > 2 else 0.0
    return Ahp(columns, vector / vector.sum(), float(found[largest].real), index, ratio)


def _comparisons(pairwise: pd.DataFrame) -> Floats:
    rows, columns = list(map(str, pairwise.index)), list(map(str, pairwise.columns))
    if rows != columns or not 1 <= len(rows) <= len(RANDOM_INDEX):
        raise EstimateError(
            f"Pairwise comparisons have rows {rows} and columns {columns}; expected the same names in the same "
            f"order, {len(RANDOM_INDEX)} at most."
        )
    given = pairwise.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(divide="ignore"):
        # a 0 is told below; its mirror image is not needed for that
        mirrored = 1 / given.T
    filled = np.where(np.isnan(given), mirrored, given)
    faults = []
    for a in range(len(rows)):
        for b in range(a, len(rows)):
            one, other = filled[a, b], filled[b, a]
            if not (one > 0 and other > 0):
                faults.append(f"({rows[a]}, {rows[b]}): {one:g}; expected a number above 0")
            # 0.33 for a third is what people type
            elif abs(one * other - 1) > 0.02:
                faults.append(
                    f"({rows[a]}, {rows[b]}) is {one:g} and its mirror image {other:g}; one is 1 over the other"
                )
    if faults:
        raise EstimateError(
            "These comparisons contradict themselves:\n" + "\n".join(f"  - {f}" for f in faults)
        )
    return np.asarray(filled)
