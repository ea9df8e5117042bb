"""One column with gaps: how it is filled, what it tells about others, and back into its own type."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.estimate.missing.classes import ordered_classes, plain_classes
from cbresearch.estimate.missing.matching import matched
from cbresearch.sampling.design import Floats, Ints, numbers

Draw = Callable[[Floats, Floats, NDArray[np.bool_], Ints, np.random.Generator], Floats]
MATCHED, ORDERED, CLASSES = "predictive mean matching", "ordered logit", "logits"
DRAWS: dict[str, Draw] = {MATCHED: matched, ORDERED: ordered_classes, CLASSES: plain_classes}


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """`values` are numbers, or codes of `labels`; NaN in the gaps. `how` is the key of its draw."""

    name: str
    how: str
    values: Floats
    labels: tuple[object, ...]
    dtype: object

    @property
    def gap(self) -> NDArray[np.bool_]:
        return np.isnan(self.values)

    def tells(self, filled: Floats) -> Floats:
        """What it says about other columns: itself, or a column per class but the first."""
        if self.how != CLASSES:
            return filled[:, None]
        return np.asarray((filled[:, None] == np.arange(1, len(self.labels))).astype(np.float64))

    def restored(self, filled: Floats, index: pd.Index) -> pd.Series:
        """Filled values in the column's own type."""
        if not self.labels:
            return pd.Series(filled, index=index).astype(self.dtype)  # type: ignore[call-overload, no-any-return]
        words = np.array(self.labels, dtype=object)[filled.astype(np.int64)]
        return pd.Series(words, index=index, dtype=self.dtype)  # type: ignore[call-overload, no-any-return]


def read(frame: pd.DataFrame, name: str) -> Column:
    """Numbers are matched, an ordered Categorical is ordered, text and other Categoricals are classes."""
    column = frame[name]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        return Column(name, MATCHED, numbers(frame, name), (), column.dtype)
    if isinstance(column.dtype, pd.CategoricalDtype):
        code, found = column.cat.codes.to_numpy(), tuple(column.cat.categories)
        how = ORDERED if column.cat.ordered else CLASSES
    else:
        code, kinds = pd.factorize(column, sort=True)
        how, found = CLASSES, tuple(kinds)
    return Column(name, how, np.where(code < 0, np.nan, code.astype(np.float64)), found, column.dtype)
