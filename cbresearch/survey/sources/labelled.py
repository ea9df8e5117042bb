"""Statistics packages' files: codes in the cells, labels kept beside them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyreadstat

from cbresearch.errors import SourceError
from cbresearch.survey.sources.cells import cell_text, texts
from cbresearch.survey.sources.headings import column_names
from cbresearch.survey.sources.raw import Raw, text_frame

_READERS: dict[str, Callable[..., Any]] = {".sav": pyreadstat.read_sav, ".dta": pyreadstat.read_dta}
_FALLBACKS = ("GB18030", "WINDOWS-1252")


def read_labelled(path: Path, *, encoding: str | None) -> Raw:
    """A .sav or .dta file. Codes stay codes, also those that the file declares missing."""
    columns, about, used = _read(path, encoding)
    names, renamed = column_names([list(columns)], len(columns))
    single = {name for name, stored in about.readstat_variable_types.items() if stored == "float"}
    cells = [texts(column, single=name in single) for name, column in columns.items()]
    kept = dict(zip(columns, names, strict=True))
    labels = {
        kept[name]: {code: str(label).strip() for code, label in _coded(listed).items()}
        for name, listed in about.variable_value_labels.items()
    }
    headings = {
        kept[name]: label.strip()
        for name, label in about.column_names_to_labels.items()
        if label and label.strip()
    }
    return Raw(text_frame(names, cells), 1, labels, headings, (f"encoding {used.lower()}", *renamed))


def _coded(listed: dict[Any, Any]) -> dict[str, Any]:
    return {text: label for code, label in listed.items() if (text := cell_text(code)) is not None}


def _read(path: Path, encoding: str | None) -> tuple[dict[str, list[Any]], Any, str]:
    """By the encoding that is given, else the one the file names, else the usual suspects."""
    reader = _READERS[path.suffix.lower()]
    refusals: list[str] = []
    for attempt in (encoding,) if encoding else (None, *_FALLBACKS):
        try:
            columns, about = reader(path, user_missing=True, output_format="dict", encoding=attempt)
        except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeError) as error:
            refusals.append(str(error))
            continue
        return columns, about, attempt or about.file_encoding or "utf-8"
    tried = (
        f"in encoding {encoding}" if encoding else "in the encoding it names, in GB18030 or in windows-1252"
    )
    raise SourceError(
        f"{path.name}: cannot be read {tried} ({refusals[0]}); expected a {path.suffix.lower()} file as the package saved it."
    )
