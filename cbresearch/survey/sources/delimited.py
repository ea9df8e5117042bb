"""Text tables: one record a line, cells between separators."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from cbresearch.errors import SourceError
from cbresearch.survey.sources.cells import rows_to_columns
from cbresearch.survey.sources.encodings import Decoded, decode
from cbresearch.survey.sources.headings import column_names
from cbresearch.survey.sources.raw import Raw, framed, text_frame
from cbresearch.survey.sources.regular import regular_columns, text_column

SEPARATORS = {",": "comma", "\t": "tab", ";": "semicolon", "|": "pipe"}
_SAMPLE = 200
_LOOKED_AT = 1_000_000
"""Characters in which the first records are looked for."""

_OTHER_FORMATS = {
    b"PK\x03\x04": ".xlsx",
    b"\xd0\xcf\x11\xe0": ".xls",
    b"$FL2": ".sav",
    b"PAR1": ".parquet",
    b"%PDF": ".pdf",
}


def read_delimited(path: Path, *, header_rows: int, encoding: str | None) -> Raw:
    """A .csv, .tsv or .txt file; encoding and separator are found unless told, every cell stays as typed."""
    data = path.read_bytes()
    _refuse_other_formats(data, path.name)
    decoded = decode(data, path.name, encoding)
    separator = find_separator(decoded.text)
    return _regular(decoded, separator, header_rows) or _ragged(decoded, separator, header_rows, path.name)


def _regular(decoded: Decoded, separator: str, header_rows: int) -> Raw | None:
    """The table where every record has as many cells as the first; None for any other, or one without headings or data."""
    width = _width(decoded.text, separator)
    columns = regular_columns(decoded.text, separator, width) if width > 1 else None
    if columns is None or len(columns[0]) <= header_rows:
        return None
    headings = [[column[row].as_py() for column in columns] for row in range(header_rows)]
    if not any(map(any, headings)):
        return None
    names, renamed = column_names(headings, width)
    frame = framed(names, [text_column(column.slice(header_rows)) for column in columns])
    return Raw(frame, header_rows + 1, said=_said(decoded, separator, renamed))


def _width(text: str, separator: str) -> int:
    """How many cells the first record has; none where it has no end, which the csv module tells of."""
    try:
        return len(next(_reader(text[:_LOOKED_AT], separator), []))
    except csv.Error:
        return 0


def _ragged(decoded: Decoded, separator: str, header_rows: int, name: str) -> Raw:
    records = _records(decoded.text, separator, name)
    if len(records) < header_rows or not any(map(any, records)):
        raise SourceError(
            f"{name}: {len(records)} rows; expected {header_rows} heading row(s) with data below."
        )
    heading_rows, rows = records[:header_rows], records[header_rows:]
    headed = max(map(len, heading_rows))
    width = max([headed, *map(len, rows)])
    names, renamed = column_names(heading_rows, width)
    frame = text_frame(names, list(rows_to_columns(rows, width)))
    uneven = _uneven(rows, headed, header_rows + 1)
    return Raw(frame, header_rows + 1, said=(*_said(decoded, separator, renamed), *uneven))


def _said(decoded: Decoded, separator: str, renamed: Sequence[str]) -> tuple[str, ...]:
    return (decoded.said, f"separator {SEPARATORS[separator]}", *renamed)


def find_separator(text: str) -> str:
    """The separator that cuts most of the first records into as many cells as the heading has."""
    scores = {separator: _score(text, separator) for separator in SEPARATORS}
    return max(scores, key=lambda separator: scores[separator])


def _score(text: str, separator: str) -> tuple[float, int]:
    try:
        widths = [len(row) for row in islice(_reader(text[:_LOOKED_AT], separator), _SAMPLE) if row]
    except csv.Error:
        return (0.0, 0)
    if not widths or widths[0] < 2:
        return (0.0, 0)
    share = Counter(widths)[widths[0]] / len(widths)
    return (round(share, 1), widths[0])


def _records(text: str, separator: str, name: str) -> list[list[str]]:
    reader = _reader(text, separator)
    try:
        return list(reader)
    except csv.Error as error:
        raise SourceError(
            f"{name}: line {reader.line_num} cannot be cut into cells ({error}); expected quotes that open to close again. "
            "Look for a stray quote there."
        ) from error


def _reader(text: str, separator: str) -> csv._reader:  # type: ignore[name-defined]
    return csv.reader(io.StringIO(text, newline=""), delimiter=separator)


def _uneven(rows: list[list[str]], headed: int, first_row: int) -> Iterator[str]:
    """Rows that do not fit their heading: nothing of them is lost, but they deserve a look."""
    longer = [number for number, row in enumerate(rows, first_row) if len(row) > headed]
    shorter = [number for number, row in enumerate(rows, first_row) if row and len(row) < headed]
    for found, which in ((longer, "more"), (shorter, "fewer")):
        if found:
            listed = ", ".join(map(str, found[:5])) + (", ..." if len(found) > 5 else "")
            yield f"rows with {which} cells than the heading: {len(found)} (row {listed})"


def _refuse_other_formats(data: bytes, name: str) -> None:
    for magic, suffix in _OTHER_FORMATS.items():
        if data.startswith(magic):
            raise SourceError(
                f"{name}: the content is a {suffix} file; expected a text table. Name it with the ending {suffix}."
            )
    if b"\x00" in data[:4096] and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SourceError(f"{name}: the content is not text; expected a table of cells between separators.")
