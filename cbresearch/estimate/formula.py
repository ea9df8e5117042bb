"""From a formula such as "y ~ x + age" to numbers, with the rows that have them all."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import patsy

from cbresearch.errors import EstimateError, nearest
from cbresearch.sampling.design import Floats, Ints, numbers, require


@dataclass(frozen=True, slots=True, eq=False)
class Matrices:
    """What a formula makes of a frame: `y` (n), `X` (n x k) with `names` (k), `rows` their n places in the frame."""

    formula: str
    y: Floats
    X: Floats
    names: tuple[str, ...]
    rows: Ints

    def place(self, name: str) -> int:
        """Where a column of X stands; EstimateError with the nearest name for one that is not there."""
        if name in self.names:
            return self.names.index(name)
        near = nearest(name, list(self.names))
        hint = f" Did you mean '{near}'?" if near else ""
        raise EstimateError(f"'{self.formula}' has no column '{name}'; it has {', '.join(self.names)}.{hint}")


def matrices(frame: pd.DataFrame, formula: str, also: Sequence[str] = ()) -> Matrices:
    """y and X of the rows that miss nothing in the formula.

    `also` are columns that the estimate needs beside the formula (clusters, weights): they must be there
    and complete. Text columns become dummies, the first class left out. EstimateError for a formula that
    cannot be read, a column that is not there, or an outcome that is not one number per row.
    """
    require(frame, also)
    for column in also:
        if empty := int(frame[column].isna().sum()):
            raise EstimateError(
                f"'{column}' is missing in {empty} of {len(frame)} rows; leave those rows out first."
            )
    words = set(re.findall(r"[^\W\d]\w*", formula))
    named = [column for column in frame.columns if str(column) in words]
    plain = pd.DataFrame({column: _plain(frame[column]) for column in named}, index=range(len(frame)))
    # an environment of our own: a caller's variable called C or Q must not change the formula
    environment = patsy.EvalEnvironment([{"np": np}])
    try:
        y, X = patsy.dmatrices(
            formula, plain, eval_env=environment, NA_action="drop", return_type="dataframe"
        )
    except patsy.PatsyError as error:
        known = ", ".join(map(str, frame.columns[:12]))
        raise EstimateError(
            f"The formula '{formula}' cannot be read: {error.message}. Columns: {known} …"
        ) from error
    if y.shape[1] != 1:
        raise EstimateError(
            f"The left side of '{formula}' has {y.shape[1]} columns; expected one number per row."
        )
    return Matrices(formula, y.iloc[:, 0].to_numpy(), X.to_numpy(), tuple(X.columns), X.index.to_numpy())


def weights_of(frame: pd.DataFrame, column: str | None, rows: Ints) -> Floats | None:
    """The weights of some rows; None where the rows count alike."""
    return None if column is None else numbers(frame, column)[rows]


def _plain(values: pd.Series) -> pd.Series:
    """The column in the types that formulas know: floats with NaN, or objects with None."""
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return pd.Series([None if pd.isna(value) else value for value in values], dtype=object)
