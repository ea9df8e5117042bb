"""From a formula such as "y ~ x + age" to numbers, with the rows that have them all.

patsy reads the formula. What is slow in it for many rows (classes looked up one by one, copies) is done here
beforehand, with the same result: sums of plain numbers do not go through it at all, and text reaches it coded.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import patsy
from numpy.typing import NDArray

from cbresearch.errors import EstimateError, nearest
from cbresearch.sampling.design import Floats, Ints, numbers, require

NAME = r"[^\W\d]\w*"
SUM = re.compile(rf"\s*({NAME})\s*~\s*({NAME}(?:\s*\+\s*{NAME})*)\s*")


@dataclass(frozen=True, slots=True, eq=False)
class Matrices:
    """What a formula makes of a frame: `y` (n), `X` (n x k) with `names` (k), `rows` their n places in the frame."""

    formula: str
    y: Floats
    X: Floats
    names: tuple[str, ...]
    rows: Ints
    coding: Any = None
    """patsy's DesignInfo, which codes another frame in the same way; None for sums of plain numbers."""

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
    if (plainly := _sum_of_numbers(frame, formula)) is not None:
        return plainly
    plain = pd.DataFrame(
        {c: _plain(frame[c], _only_classes(formula, c)) for c in used(frame, formula)},
        index=range(len(frame)),
    )
    # an environment of our own: a caller's variable called C or Q must not change the formula
    environment = patsy.EvalEnvironment([{"np": np, "C": _classes}])
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
    return Matrices(
        formula, y.iloc[:, 0].to_numpy(), X.to_numpy(), tuple(X.columns), X.index.to_numpy(), X.design_info
    )


def coded_alike(made: Matrices, frame: pd.DataFrame) -> tuple[Floats, Ints]:
    """X of another frame, coded as in `made`, with the places of its rows that miss nothing.

    EstimateError for a column that is not there, or a class that `made` had not met.
    """
    if made.coding is None:
        return _side_by_side(frame, made.names[1:], np.ones(len(frame), dtype=np.bool_))
    plain = pd.DataFrame(
        {c: _as_objects(frame[c]) for c in used(frame, made.formula.partition("~")[2])},
        index=range(len(frame)),
    )
    try:
        (X,) = patsy.build_design_matrices([made.coding], plain, NA_action="drop", return_type="dataframe")
    except patsy.PatsyError as error:
        raise EstimateError(f"The frame does not fit '{made.formula}': {error.message}.") from error
    return X.to_numpy(), X.index.to_numpy()


def used(frame: pd.DataFrame, formula: str) -> list[str]:
    """The columns of the frame that a formula speaks of."""
    words = set(re.findall(NAME, formula))
    return [column for column in frame.columns if str(column) in words]


def weights_of(frame: pd.DataFrame, column: str | None, rows: Ints) -> Floats | None:
    """The weights of some rows; None where the rows count alike."""
    return None if column is None else numbers(frame, column)[rows]


def _sum_of_numbers(frame: pd.DataFrame, formula: str) -> Matrices | None:
    """The matrices of a formula that only adds columns of numbers; None for any other."""
    if (read := SUM.fullmatch(formula)) is None:
        return None
    outcome, names = read[1], tuple(dict.fromkeys(re.findall(NAME, read[2])))
    if not all(c in frame.columns and _is_number(frame[c]) for c in (outcome, *names)):
        return None
    y = numbers(frame, outcome)
    X, rows = _side_by_side(frame, names, ~np.isnan(y))
    return Matrices(formula, y[rows], X, ("Intercept", *names), rows)


def _side_by_side(frame: pd.DataFrame, names: Sequence[str], whole: NDArray[np.bool_]) -> tuple[Floats, Ints]:
    """Ones, then the columns, of those `whole` rows that miss none of them; and which rows these are."""
    require(frame, names)
    columns = [numbers(frame, name) for name in names]
    for column in columns:
        whole = whole & ~np.isnan(column)
    rows = np.flatnonzero(whole)
    X = np.ones((1 + len(names), len(rows)))
    for place, column in enumerate(columns, start=1):
        X[place] = column[rows]
    return X.T, rows


def _is_number(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)


def _only_classes(formula: str, column: str) -> bool:
    """Whether the formula speaks of a column as C(column) only, so that its numbers are names of classes."""
    word = re.escape(column)
    return len(re.findall(rf"\bC\(\s*{word}\s*[,)]", formula)) == len(re.findall(rf"\b{word}\b", formula))


def _plain(values: pd.Series, only_classes: bool) -> pd.Series:
    """The column in the types that formulas know: floats with NaN, or classes in the order of their values."""
    if _is_number(values):
        values = pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan))
        if not only_classes:
            return values
    code, found = pd.factorize(values)
    classes = np.asarray(found, dtype=object)
    if not (_is_number(values) or all(isinstance(one, str) for one in classes)):
        return _as_objects(values)
    order = np.argsort(classes, kind="stable")
    place = np.full(len(classes) + 1, -1)  # the last is for -1, which is missing
    place[order] = np.arange(len(classes))
    return pd.Series(pd.Categorical.from_codes(place[code], classes[order].tolist()))


def _as_objects(values: pd.Series) -> pd.Series:
    """Floats with NaN, or objects with None."""
    if _is_number(values):
        return pd.Series(values.to_numpy(dtype=np.float64, na_value=np.nan))
    return pd.Series([None if pd.isna(value) else value for value in values], dtype=object)


def _classes(data: Any, contrast: Any = None, levels: Any = None) -> Any:
    """patsy's C(), which need not look classes up that are already coded."""
    if isinstance(getattr(data, "dtype", None), pd.CategoricalDtype):
        if contrast is None and levels is None:
            return data
        data = pd.Series([None if pd.isna(value) else value for value in data], dtype=object)
    return patsy.builtins.C(data, contrast, levels)
