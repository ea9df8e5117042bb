"""A raw file as it was read: every cell text, nothing judged yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pandas as pd
from pandas.api.extensions import ExtensionArray


@dataclass(frozen=True)
class Raw:
    """One file, one frame.

    `frame` holds every cell as text (dtype "string") as the file has it, NA where it is blank; its
    columns are the headings, its index runs from 0. `first_row` is the number of the file's row that
    holds the first data row, counted from 1. `value_labels` gives column -> code -> label and
    `headings` column -> long label, where the file keeps such things. `said` tells how it was read.
    """

    frame: pd.DataFrame
    first_row: int = 1
    value_labels: dict[str, dict[str, str]] = field(default_factory=dict)
    headings: dict[str, str] = field(default_factory=dict)
    said: tuple[str, ...] = ()


def text_frame(names: Sequence[str], columns: Sequence[Sequence[str | None]]) -> pd.DataFrame:
    """A frame of text columns of one length; a cell of blanks only is NA."""
    return framed(
        names,
        [
            pd.array(
                [None if cell is None or not cell or cell.isspace() else cell for cell in cells],
                dtype="string",
            )
            for cells in columns
        ],
    )


def framed(names: Sequence[str], columns: Sequence[ExtensionArray]) -> pd.DataFrame:
    """Columns of one length under their names, which may be none or repeat."""
    rows = len(columns[0]) if columns else 0
    frame = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(rows), copy=False)
    frame.columns = pd.Index(list(names), dtype="object" if not names else None)
    return frame
