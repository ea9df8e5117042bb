"""Bytes of csv, xlsx, sav files that depend on their content alone, not on the clock."""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from pathlib import Path

import pandas as pd
import pyreadstat
from openpyxl import Workbook

LONG_AGO = (2009, 12, 31, 12, 0, 0)
STAMP = b"2009-12-31T12:00:00Z"
# SPSS system file header: the date of creation stands at byte 84 + 8, nine letters, then the time, eight.
SAV_STAMP = slice(92, 109)
SAV_STAMP_TEXT = b"31 Dec 0912:00:00"


def csv_bytes(table: pd.DataFrame, *, encoding: str = "utf-8") -> bytes:
    """Comma-separated, headings first, lines ended as Windows programs end them; missing cells are empty."""
    return table.to_csv(index=False, lineterminator="\r\n").encode(encoding)


def xlsx_bytes(book: Workbook) -> bytes:
    """The workbook, its two clocks (document properties, archive entries) stopped."""
    written, stopped = io.BytesIO(), io.BytesIO()
    book.save(written)
    with zipfile.ZipFile(written) as source, zipfile.ZipFile(stopped, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            content = source.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", STAMP, content)
            target.writestr(zipfile.ZipInfo(name, LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return stopped.getvalue()


def sav_bytes(
    table: pd.DataFrame, *, labels: dict[str, str], value_labels: dict[str, dict[float, str]]
) -> bytes:
    """An SPSS file: numbers as numbers, text as text, a long label per column, labels of values."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "residents.sav"
        pyreadstat.write_sav(table, path, column_labels=labels, variable_value_labels=value_labels)
        content = bytearray(path.read_bytes())
    content[SAV_STAMP] = SAV_STAMP_TEXT
    return bytes(content)
