"""Indicators: which columns an index is made of, and which way each points."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, numbers

FEWEST_AREAS = 3


@dataclass(frozen=True, slots=True)
class Indicator:
    """One column of an index.

    `direction` is 1 where more is better, -1 where less is. `pillar` groups indicators (for all or none):
    with equal weights pillars count alike. `weight` is an expert's, read when weights="expert"; `target`,
    in the column's unit, the value that earns full marks, read when normalise="distance".
    """

    column: str
    direction: int = 1
    pillar: str | None = None
    weight: float | None = None
    target: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Areas:
    """`values` is areas x indicators, turned so that more is always better, NaN where missing."""

    names: tuple[str, ...]
    values: Floats
    indicators: tuple[Indicator, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(indicator.column for indicator in self.indicators)


def areas_of(frame: pd.DataFrame, indicators: Sequence[Indicator], area: str) -> Areas:
    """A frame with a row per area as numbers; EstimateError tells every fault at once."""
    faults = list(_faults(frame, indicators, area))
    if faults:
        raise EstimateError("This index cannot be made:\n" + "\n".join(f"  - {fault}" for fault in faults))
    values = np.column_stack([numbers(frame, i.column) * i.direction for i in indicators])
    return Areas(tuple(frame[area].astype(str)), values, tuple(indicators))


def _faults(frame: pd.DataFrame, indicators: Sequence[Indicator], area: str) -> Iterator[str]:
    if not indicators:
        yield "no indicator was named"
    columns = [indicator.column for indicator in indicators]
    yield from (
        f"'{c}' is named {columns.count(c)} times" for c in dict.fromkeys(columns) if columns.count(c) > 1
    )
    without = [indicator.column for indicator in indicators if indicator.pillar is None]
    if 0 < len(without) < len(indicators):
        yield f"{', '.join(without)} has no pillar; name one for every indicator or for none"
    if area not in frame.columns:
        yield f"the frame has no column '{area}' for areas"
    else:
        if frame[area].isna().any():
            yield f"'{area}' is missing in {int(frame[area].isna().sum())} rows"
        if repeated := frame[area][frame[area].duplicated()].astype(str).unique().tolist():
            yield f"'{area}' has {', '.join(repeated[:5])} more than once; an index takes one row per area"
    if len(frame) < FEWEST_AREAS:
        yield f"{len(frame)} areas; an index compares {FEWEST_AREAS} at least"
    for indicator in indicators:
        if indicator.direction not in (1, -1):
            yield f"'{indicator.column}' has direction {indicator.direction}; expected 1 (more is better) or -1"
        yield from _column_faults(frame, indicator.column)


def _column_faults(frame: pd.DataFrame, column: str) -> Iterator[str]:
    try:
        values = numbers(frame, column)
    except EstimateError as error:
        yield str(error)
        return
    there = values[~np.isnan(values)]
    if not len(there):
        yield f"'{column}' is missing everywhere"
    elif np.isinf(there).any():
        yield f"'{column}' is infinite in some rows"
    elif there.min() == there.max():
        yield f"'{column}' is {there[0]:g} everywhere and tells no area from another; leave it out"
