"""Domains: which rows of a frame are spoken of, by group, and how they answered."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints, require

Group = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Domains:
    """Groups of rows: one code per row (-1: in none), and what each code stands for."""

    code: Ints
    groups: tuple[Group, ...]

    def __len__(self) -> int:
        return len(self.groups)


def domains_of(frame: pd.DataFrame, by: str | Sequence[str], where: pd.Series | None = None) -> Domains:
    """The groups of `by` that rows of the domain `where` lie in, named by their codes as text."""
    columns = listed(by)
    require(frame, columns)
    inside = mask(frame, where) & frame[columns].notna().all(axis="columns").to_numpy()
    code = np.full(len(frame), -1, dtype=np.int64)
    if not inside.any():
        return Domains(code, ())
    grouped = frame.loc[inside, columns].groupby(columns, sort=True, observed=True)
    code[inside] = grouped.ngroup().to_numpy()
    keys = [key if isinstance(key, tuple) else (key,) for key in grouped.size().index]
    return Domains(code, tuple(tuple(zip(columns, map(as_code, key), strict=True)) for key in keys))


def as_code(key: object) -> str:
    """A class as its code is written: 2 for the 2.0 that a column with gaps holds."""
    return str(int(key)) if isinstance(key, float) and key.is_integer() else str(key)


def one_domain(frame: pd.DataFrame, where: pd.Series | None, group: Group) -> Domains:
    return Domains(np.where(mask(frame, where), 0, -1).astype(np.int64), (group,))


def given(frame: pd.DataFrame, column: str, codes: str | int | Collection[str | int]) -> Floats:
    """1.0 where one of `codes` was given, 0.0 where another answer was, NaN where none."""
    require(frame, (column,))
    wanted = {str(codes)} if isinstance(codes, str | int) else {str(code) for code in codes}
    answers = frame[column]
    is_float = pd.api.types.is_float_dtype(answers)
    text = answers.map(as_code, na_action="ignore") if is_float else answers.astype("string")
    hit = text.isin(wanted).to_numpy(dtype=np.float64)
    return np.where(answers.isna().to_numpy(dtype=bool), np.nan, hit)


def mask(frame: pd.DataFrame, where: pd.Series | None) -> NDArray[np.bool_]:
    if where is None:
        return np.ones(len(frame), dtype=bool)
    if len(where) != len(frame) or not where.index.equals(frame.index):
        raise EstimateError(
            f"where= has {len(where)} rows and the frame {len(frame)}; expected one per row, in order."
        )
    if not pd.api.types.is_bool_dtype(where):
        raise EstimateError(f"where= holds {where.dtype}; expected booleans, such as frame['wave'] == 2009.")
    # an unknown is not in the domain: NA == 2009 is NA
    return where.fillna(False).to_numpy(dtype=bool)


def listed(columns: str | Sequence[str]) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns)
