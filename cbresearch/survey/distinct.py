"""The distinct texts of a column, found once however many steps of cleaning ask for them."""

from __future__ import annotations

import weakref
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.extensions import ExtensionArray


@dataclass(frozen=True, slots=True)
class Distinct:
    """A column as its distinct `texts`, in order of first appearance, and the place of each cell among them.

    The place of a missing cell is -1. Places take as few bytes as their number allows.
    """

    places: npt.NDArray[np.signedinteger]
    texts: ExtensionArray

    def cells(self) -> ExtensionArray:
        """The column itself."""
        return self.texts.take(self.places, allow_fill=True)

    def become(self, texts: ExtensionArray) -> Distinct:
        """The column where each distinct text has become the one of `texts` in its place."""
        merged, left = texts.factorize()
        return Distinct(_small(np.append(merged, -1), len(left))[self.places], left)


_KNOWN: dict[int, Distinct] = {}
"""By identity of the Arrow data behind a column, which never change, for as long as they live."""


def distinct(cells: pd.Series) -> Distinct:
    """The distinct values of a column and where they stand; remembered where the column is text."""
    data = _data(cells)
    if id(data) in _KNOWN:
        return _KNOWN[id(data)]
    places, texts = cells.array.factorize()
    found = Distinct(_small(places, len(texts)), texts)
    if data is not None:
        _remember(data, found)
    return found


def column_of(of: Distinct, like: pd.Series) -> pd.Series:
    """What `of` tells as a column with the rows and the name of `like`."""
    cells = pd.Series(of.cells(), index=like.index, name=like.name)
    _remember(_data(cells), of)
    return cells


def differing(was: pd.Series, now: pd.Series) -> npt.NDArray[np.bool_]:
    """Which cells of two columns of one length read differently; missing and missing are the same."""
    if (data := _data(was)) is not None and data is _data(now):
        return np.zeros(len(now), dtype=bool)
    before, after = distinct(was), distinct(now)
    place = {text: number for number, text in enumerate(after.texts)}
    translated = np.array([place.get(text, len(place)) for text in before.texts] + [-1])
    differ: npt.NDArray[np.bool_] = translated[before.places] != after.places
    return differ


def _data(cells: pd.Series) -> object:
    """The Arrow data behind a column of text, which no change ever touches: a change makes new ones."""
    return cells.array.__arrow_array__() if isinstance(cells.dtype, pd.StringDtype) else None


def _remember(data: object, found: Distinct) -> None:
    _KNOWN[id(data)] = found
    weakref.finalize(data, _KNOWN.pop, id(data), None).atexit = False


def _small(places: npt.NDArray[np.signedinteger], texts: int) -> npt.NDArray[np.signedinteger]:
    return places.astype(np.min_scalar_type(-max(texts, 1)))
