"""Any survey file read as the same thing: a frame of text."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from cbresearch.errors import SourceError, nearest
from cbresearch.survey.sources.cells import texts
from cbresearch.survey.sources.delimited import read_delimited
from cbresearch.survey.sources.headings import column_names
from cbresearch.survey.sources.labelled import read_labelled
from cbresearch.survey.sources.raw import Raw, text_frame
from cbresearch.survey.sources.sheets import read_sheet

TEXT = (".csv", ".tsv", ".txt")
WORKBOOKS = (".xlsx", ".xls")
LABELLED = (".sav", ".dta")
SUFFIXES = (*TEXT, *WORKBOOKS, *LABELLED, ".parquet")


def read_source(
    path: Path, *, sheet: str | None = None, header_rows: int = 1, encoding: str | None = None
) -> Raw:
    """Read a raw file; its ending says how.

    `sheet` names a sheet of a workbook (the first one where None); `header_rows` counts the heading
    rows of a text table or a sheet; `encoding` is found where None. Identifiers keep their zeros,
    "NA" stays "NA", dates are ISO 8601, wholly blank rows stay where they are. SourceError where the
    file is missing, empty, or not what its ending says.
    """
    _refuse_missing(path)
    suffix = path.suffix.lower()
    if suffix in TEXT:
        raw = read_delimited(path, header_rows=header_rows, encoding=encoding)
    elif suffix in WORKBOOKS:
        raw = read_sheet(path, sheet=sheet, header_rows=header_rows)
    elif suffix in LABELLED:
        raw = read_labelled(path, encoding=encoding)
    elif suffix == ".parquet":
        raw = _read_parquet(path)
    else:
        raise SourceError(
            f"{path.name}: files ending in '{path.suffix}' cannot be read; expected {', '.join(SUFFIXES)}."
        )
    if raw.frame.empty:
        raise SourceError(f"{path.name}: no data row below the headings; expected at least one.")
    return raw


def _refuse_missing(path: Path) -> None:
    if not path.is_file():
        there = sorted(p.name for p in path.parent.glob("*") if p.is_file()) if path.parent.is_dir() else []
        near = nearest(path.name, there)
        hint = f" Did you mean '{near}'?" if near else ""
        raise SourceError(
            f"{path}: no such file; {path.parent} holds {', '.join(there[:8]) or 'no files'}.{hint}"
        )
    if path.stat().st_size == 0:
        raise SourceError(
            f"{path.name}: the file is empty; expected headings with data below. Export it again."
        )


def _read_parquet(path: Path) -> Raw:
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise SourceError(f"{path.name}: not a parquet file that can be opened ({error}).") from error
    kept = [name for name in table.column_names if not name.startswith("__index_level_")]
    names, renamed = column_names([kept], len(kept))
    single = {name for name in kept if table.schema.field(name).type == pa.float32()}
    cells = [texts(table.column(name).to_pylist(), single=name in single) for name in kept]
    return Raw(text_frame(names, cells), 1, said=renamed)


__all__ = ["SUFFIXES", "Raw", "read_source"]
