"""Several tests at once: p values raised by as much as looking often deserves.

A test that could not be had (NaN) is not a test: it is left out of the count and stays NaN, as in R's
`p.adjust`. (statsmodels' `multipletests` turns every p into NaN when one is.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints


def holm(p: Sequence[float] | Floats) -> Floats:
    """Adjusted so that the chance of any false finding among all stays below the level (Holm 1979).

    `p` are n two-sided p values, NaN where there was no test; the answer has their order. Valid however
    the tests depend on each other. R: `p.adjust(p, "holm")`. EstimateError for a p outside 0 to 1.
    """
    values, told, order = _in_order(p)
    m = len(order)
    raised = np.maximum.accumulate((m - np.arange(m)) * values[told][order])
    return _back(values, told, order, raised)


def benjamini_hochberg(p: Sequence[float] | Floats) -> Floats:
    """Adjusted so that, of all findings, the expected share of false ones stays below the level.

    Shapes and missing values as in `holm`. Valid where the tests are independent or depend positively
    (Benjamini and Hochberg 1995). R: `p.adjust(p, "BH")`.
    """
    values, told, order = _in_order(p)
    m = len(order)
    scaled = m / np.arange(1, m + 1) * values[told][order]
    return _back(values, told, order, np.minimum.accumulate(scaled[::-1])[::-1])


def _in_order(p: Sequence[float] | Floats) -> tuple[Floats, NDArray[np.bool_], Ints]:
    """The values, which of them are there, and the order of those that are."""
    values = np.asarray(p, dtype=np.float64)
    told = np.isfinite(values)
    outside = values[np.isinf(values) | (told & ((values < 0) | (values > 1)))]
    if len(outside):
        raise EstimateError(f"p = {outside[0]:g} is no probability; expected p values between 0 and 1.")
    return values, told, np.argsort(values[told], kind="stable")


def _back(values: Floats, told: NDArray[np.bool_], order: Ints, raised: Floats) -> Floats:
    adjusted, kept = np.full(len(values), np.nan), np.empty(len(order))
    kept[order] = np.minimum(raised, 1.0)
    adjusted[told] = kept
    return adjusted
