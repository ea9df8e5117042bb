"""One cell of a binary file as the text a person would have typed."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np


def number_text(number: float) -> str | None:
    """'5' for 5.0, the shortest digits that give the same number back otherwise; None for NaN."""
    if math.isnan(number):
        return None
    if math.isinf(number):
        return str(number)
    digits = repr(float(number))
    return _plain(digits.removesuffix(".0"), number)


def single_text(number: float) -> str | None:
    """As `number_text`, for a number stored in single precision: 121.2, not 121.19999694824219."""
    if math.isnan(number) or math.isinf(number) or float(number).is_integer():
        return number_text(number)
    return _plain(str(np.float32(number)), number)


def sheet_text(number: float) -> str | None:
    """As `number_text`, at the fifteen digits a spreadsheet keeps."""
    return number_text(number) if math.isnan(number) else number_text(float(format(number, ".15g")))


def _plain(digits: str, number: float) -> str:
    """Without an exponent, as long as that stays readable."""
    if "e" not in digits or not 1e-12 < abs(number) < 1e24:
        return digits
    return format(Decimal(digits), "f")


def moment_text(moment: dt.date | dt.datetime | dt.time) -> str:
    """ISO 8601: '2023-11-05', or '2023-11-05 09:30:00' where the hour is known."""
    if isinstance(moment, dt.datetime):
        if moment.time() == dt.time():
            return moment.date().isoformat()
        return moment.isoformat(sep=" ", timespec="auto" if moment.microsecond else "seconds")
    return moment.isoformat()


def cell_text(cell: Any) -> str | None:
    """The text of one cell of any type; None for an empty one. True and false are 1 and 0."""
    match cell:
        case None:
            return None
        case str():
            return cell
        case bool() | np.bool_():
            return str(int(cell))
        case int() | np.integer():
            return str(int(cell))
        case float() | np.floating():
            return number_text(float(cell))
        case dt.date() | dt.time():
            return None if cell != cell else moment_text(cell)
        case dt.timedelta():
            return number_text(cell.total_seconds())
        case bytes():
            return cell.decode("utf-8", errors="backslashreplace")
        case _:
            return str(cell)


def texts(cells: Sequence[Any], *, single: bool = False) -> list[str | None]:
    """A column of cells as text; `single` says that its fractions are stored in single precision."""
    known: dict[tuple[type, Any], str | None] = {}
    return [_remembered(known, cell, single) for cell in cells]


def _remembered(known: dict[tuple[type, Any], str | None], cell: Any, single: bool) -> str | None:
    if cell is None or cell.__class__ is str:
        return cell
    key = (cell.__class__, cell)
    if key not in known:
        known[key] = single_text(cell) if single and isinstance(cell, float) else cell_text(cell)
    return known[key]


def rows_to_columns(rows: Sequence[Sequence[str]], width: int) -> Iterable[tuple[str, ...]]:
    """Turn rows of unequal length into `width` columns; a short row ends in blanks."""
    level = [row if len(row) == width else [*row, *[""] * (width - len(row))] for row in rows]
    return zip(*level, strict=True) if level else (() for _ in range(width))
