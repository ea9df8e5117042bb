"""Margins: how a population divides into classes, beside how the rows of a frame do.

Rows are coded once, column by column, and only the distinct codes are ever compared as text; a million
rows of strings cost no more than their factorisation.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from cbresearch.sampling.design import Floats, Ints, require

Columns = str | tuple[str, ...]
# a type checker takes the keys of a Mapping to the letter: dict[str, ...] would not do for str | tuple
People = Mapping[Any, float]
"""People, or their share, in each class: a code, or a tuple of codes for crossed columns."""
Margins = Mapping[Any, People]
"""The people of each margin: a column, or a tuple of columns, crossed."""


@dataclass(frozen=True, slots=True, eq=False)
class Margin:
    """n rows in K classes, and the people that the population has in each."""

    name: str
    code: Ints
    """n codes 0..K-1; -1 where a row's class is missing."""
    classes: tuple[str, ...]
    """K codes as text: those that rows hold, then those that only the population knows."""
    people: Floats
    """K counts or shares; NaN for a class of which the population says nothing."""
    order: tuple[int, ...]
    """The places of the classes that the population has, as it lists them."""

    @property
    def shares(self) -> Floats:
        return np.asarray(np.nan_to_num(self.people) / np.nansum(self.people))


@dataclass(frozen=True, slots=True)
class Uncovered:
    """A class that stands in the way of a margin: nobody to stand for its people, or no people to stand for."""

    margin: str
    code: str
    share: float
    """What the population gives the class, 0-1; NaN where rows hold it and the population says nothing."""


def margin_of(frame: pd.DataFrame, columns: Columns, people: People) -> Margin:
    """The rows of `frame` coded by `columns`; codes are compared as text, so that 1, 1.0 and "1" are the same."""
    named = _listed(columns)
    require(frame, named)
    code, there = _crossed([_coded(frame[column]) for column in named])
    told = {_named(key): float(count) for key, count in people.items()}
    classes = (*there, *(name for name in told if name not in set(there)))
    place = {name: k for k, name in enumerate(classes)}
    counts = np.array([told.get(name, math.nan) for name in classes])
    return Margin(" x ".join(named), code, classes, counts, tuple(place[name] for name in told))


def margins_of(frame: pd.DataFrame, margins: Margins) -> tuple[Margin, ...]:
    """`margin_of` each; EstimateError names every column that the frame lacks."""
    require(frame, [name for columns in margins for name in _listed(columns)])
    # columns of strings are coded outside Python, so that threads do gain
    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(lambda of: margin_of(frame, *of), margins.items()))


def uncovered(margin: Margin, have: Floats) -> list[Uncovered]:
    """Classes with people whom no weight stands for, then classes that rows hold and the population does not.

    `have` are the sums of the weights in each of the margin's K classes.
    """
    shares = margin.shares
    empty = (shares > 0) & ~(have > 0)
    unlisted = sorted(np.array(margin.classes, dtype=object)[(have > 0) & ~(shares > 0)])
    return [
        *(Uncovered(margin.name, margin.classes[k], float(shares[k])) for k in np.flatnonzero(empty)),
        *(Uncovered(margin.name, code, math.nan) for code in unlisted),
    ]


Coded = tuple[Ints, list[str]]


def _coded(values: pd.Series) -> Coded:
    """n codes, -1 where missing, and what each stands for as text."""
    code, distinct = pd.factorize(values)
    place, names = pd.factorize(np.array([_text(key) for key in distinct], dtype=object))
    # 1 and "1" in one column of objects are one class
    merged = code if len(names) == len(place) else np.append(place, -1)[code]
    return merged.astype(np.int64, copy=False), list(names)


def _crossed(columns: Sequence[Coded]) -> Coded:
    code, names = columns[0]
    for other, others in columns[1:]:
        both = np.where((code < 0) | (other < 0), -1, code * len(others) + other)
        place, present = pd.factorize(both, use_na_sentinel=False)
        kept = present >= 0
        code = np.where(kept, np.cumsum(kept) - 1, -1)[place]
        names = [_pair(names[k // len(others)], others[k % len(others)]) for k in present[kept]]
    return code, names


def _listed(columns: Columns) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else tuple(columns)


def _named(key: Hashable) -> str:
    if not isinstance(key, tuple):
        return _text(key)
    name = _text(key[0])
    for part in key[1:]:
        name = _pair(name, _text(part))
    return name


def _pair(first: str, second: str) -> str:
    return f"{first} / {second}"


def _text(key: object) -> str:
    """A class as its code is written: 2 for the 2.0 that a column with gaps holds."""
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)
