"""Workbooks: one sheet, its cells as they were typed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from cbresearch.errors import SourceError, nearest
from cbresearch.survey.sources.cells import cell_text, rows_to_columns, sheet_text
from cbresearch.survey.sources.headings import column_names
from cbresearch.survey.sources.raw import Raw, text_frame


def read_sheet(path: Path, *, sheet: str | None, header_rows: int) -> Raw:
    """One sheet of an .xlsx or .xls file, the first one unless named."""
    book = _open(path)
    chosen = _choose(book.sheet_names, sheet, path.name)
    cells = book.get_sheet_by_name(chosen).to_python(skip_empty_area=False)
    rows = [[_text(cell) for cell in row] for row in cells]
    if len(rows) < header_rows or not any(map(any, rows)):
        raise SourceError(
            f"{path.name}, sheet '{chosen}': {len(rows)} rows; expected {header_rows} heading row(s) with data below. "
            f"Its sheets: {', '.join(book.sheet_names)}."
        )
    width = _used_width(rows)
    names, renamed = column_names([row[:width] for row in rows[:header_rows]], width)
    columns = list(rows_to_columns([row[:width] for row in rows[header_rows:]], width))
    return Raw(text_frame(names, columns), header_rows + 1, said=(f"sheet '{chosen}'", *renamed))


def _open(path: Path) -> CalamineWorkbook:
    try:
        return CalamineWorkbook.from_path(path)
    except PasswordError as error:
        raise SourceError(
            f"{path.name}: protected by a password; expected an open workbook. Save a copy without it."
        ) from error
    except (CalamineError, OSError, ValueError) as error:
        raise SourceError(
            f"{path.name}: not a workbook that can be opened ({error}); expected .xlsx or .xls."
        ) from error


def _choose(there: list[str], wanted: str | None, name: str) -> str:
    if wanted is None:
        return there[0]
    if wanted in there:
        return wanted
    near = nearest(wanted, there)
    hint = f" Did you mean '{near}'?" if near else ""
    raise SourceError(f"{name}: no sheet '{wanted}'; its sheets are {', '.join(there)}.{hint}")


def _text(cell: Any) -> str:
    text = sheet_text(cell) if isinstance(cell, float) else cell_text(cell)
    return text or ""


def _used_width(rows: list[list[str]]) -> int:
    """Up to the last column that holds anything: formatted but empty columns are no columns."""
    return max((place for row in rows for place, cell in enumerate(row, 1) if cell.strip()), default=0)
