"""Tables of indicators as they might have come out: the doubt that sampling leaves in an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.measure.index.indicators import Areas, Indicator, areas_of
from cbresearch.measure.resample import FEWEST_DRAWS
from cbresearch.sampling.design import Floats, numbers

Redraw = Callable[[np.random.Generator], Mapping[str, Floats]]
"""The columns that residents drawn anew change, a number per area in the order of the table at hand."""


def normal_redraws(
    frame: pd.DataFrame, indicators: Sequence[Indicator], *, area: str, se: Mapping[str, str],
    correlation: pd.DataFrame | None = None, draws: int = 1_000, seed: int = 1,
) -> Floats:  # fmt: skip
    """Redrawn values (draws x areas x indicators, more being better) around estimates with standard errors.

    `se` names the column of standard errors of an indicator's column; one without (a count from records)
    has no sampling error and is not redrawn. `correlation` is of the errors of two indicators within an
    area, for the same residents answered both: rows and columns named after indicators (None: 0). Normal,
    so shares near 0 or 1 can pass them. EstimateError for missing or negative standard errors and for a
    matrix that is no correlation matrix.
    """
    table = areas_of(frame, indicators, area)
    faults = list(_faults(frame, table, se, draws))
    if faults:
        raise EstimateError("These estimates cannot be redrawn:\n" + "\n".join(f"  - {f}" for f in faults))
    errors = np.column_stack(
        [numbers(frame, se[c]) if c in se else np.zeros(len(frame)) for c in table.columns]
    )
    turned = np.array([indicator.direction for indicator in indicators], dtype=np.float64)
    root = _root(table, correlation)
    noise = np.random.default_rng(seed).standard_normal((draws, *table.values.shape)) @ root.T
    # an error common to two indicators helps one and harms the other where these point apart
    return np.asarray(table.values + noise * turned * errors)


def replicate_redraws(
    frame: pd.DataFrame, indicators: Sequence[Indicator], redraw: Redraw, *, area: str,
    draws: int = 1_000, seed: int = 1,
) -> Floats:  # fmt: skip
    """Redrawn values (draws x areas x indicators, more being better) from columns that `redraw` makes.

    `redraw` gets a random generator and returns the indicators that change when residents are drawn anew, so that
    errors are as alike between indicators as they are; the others stay. EstimateError for a column that is no
    indicator, or has another number of areas.
    """
    table = areas_of(frame, indicators, area)
    if draws < FEWEST_DRAWS:
        raise EstimateError(f"draws={draws}: ends of an interval need {FEWEST_DRAWS} draws at least.")
    turned = {one.column: (place, one.direction) for place, one in enumerate(indicators)}
    rng, found = np.random.default_rng(seed), np.repeat(table.values[None], draws, axis=0)
    for i in range(draws):
        for column, values in redraw(rng).items():
            if column not in turned or np.shape(values) != (len(frame),):
                raise EstimateError(
                    f"Redraw {i + 1} gives '{column}' as numbers of shape {np.shape(values)}; expected {len(frame)} numbers "
                    f"for one of {', '.join(turned)}."
                )
            place, direction = turned[column]
            found[i, :, place] = direction * np.asarray(values, dtype=np.float64)
    return found


def _root(table: Areas, correlation: pd.DataFrame | None) -> Floats:
    """A square root of the correlation matrix in the order of the indicators."""
    k = len(table.columns)
    if correlation is None:
        return np.eye(k)
    named = sorted(map(str, correlation.index)), sorted(map(str, correlation.columns))
    if named != (sorted(table.columns), sorted(table.columns)):
        raise EstimateError(
            f"correlation has rows {', '.join(named[0])} and columns {', '.join(named[1])}; "
            f"expected {', '.join(table.columns)} in both."
        )
    matrix = correlation.loc[list(table.columns), list(table.columns)].to_numpy(dtype=np.float64)
    values, vectors = np.linalg.eigh(matrix)
    if not (np.allclose(matrix, matrix.T) and np.allclose(np.diag(matrix), 1) and values.min() > -1e-9):
        raise EstimateError(
            "correlation is no correlation matrix: expected 1 on the diagonal, symmetric, positive."
        )
    return np.asarray(vectors * np.sqrt(np.maximum(values, 0.0)))


def _faults(frame: pd.DataFrame, table: Areas, se: Mapping[str, str], draws: int) -> Iterator[str]:
    if draws < FEWEST_DRAWS:
        yield f"draws={draws}: ends of an interval need {FEWEST_DRAWS} draws at least"
    if not se:
        yield "se names no standard error; without one there is nothing to redraw"
    for column, error in se.items():
        if column not in table.columns:
            yield f"se names '{column}', which is no indicator; expected among {', '.join(table.columns)}"
            continue
        try:
            values = numbers(frame, error)
        except EstimateError as fault:
            yield str(fault)
            continue
        needed = ~np.isnan(table.values[:, table.columns.index(column)])
        bad = [name for name, e, n in zip(table.names, values, needed, strict=True) if n and not e >= 0]
        if bad:
            yield f"'{error}' is missing or negative for {', '.join(bad[:5])}; every estimate needs its error"
