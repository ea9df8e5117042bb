"""Text tables whose every line has as many cells as the heading: read at once, a column at a time."""

from __future__ import annotations

import csv

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from pandas.api.extensions import ExtensionArray


def regular_columns(text: str, separator: str, width: int) -> list[pa.ChunkedArray] | None:
    """The cells of every record, headings included, as `width` columns of text cut as the csv module cuts them.

    None where some record has more or fewer cells or a cell is longer than that module takes: such
    a file needs the slower look that says which row is at fault. A blank line is a record of blanks.
    """
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(text.encode("utf-8")),
            arrow_csv.ReadOptions(autogenerate_column_names=True),
            arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values='"' in text, ignore_empty_lines=False
            ),
            arrow_csv.ConvertOptions(
                column_types={f"f{number}": pa.string() for number in range(width)}, strings_can_be_null=False
            ),
        )
    except (pa.ArrowInvalid, UnicodeEncodeError):
        return None
    fits = table.num_columns == width and all(map(_is_taken, table.columns))
    return table.columns if fits else None


def _is_taken(column: pa.ChunkedArray) -> bool:
    longest = pc.max(pc.binary_length(column)).as_py()
    return longest is None or longest <= csv.field_size_limit()


def text_column(cells: pa.ChunkedArray) -> ExtensionArray:
    """A column of a `text_frame`: a cell of blanks only is NA."""
    blank = [text for text in pc.unique(cells).to_pylist() if not text or text.isspace()]
    if blank:
        cells = pc.if_else(pc.is_in(cells, pa.array(blank, pa.string())), pa.scalar(None, pa.string()), cells)
    text: ExtensionArray = pd.array(cells, dtype="string")
    return text
