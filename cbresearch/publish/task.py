"""What a worker is asked to do, with what it answers, as plain data between two processes."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any

BEGUN = '"begun"\n'
"""The line by which a worker says that a notebook's first cell is about to run."""


@dataclass(frozen=True, slots=True)
class PageText:
    """What a page says around its notebook, in one language."""

    language: str
    study: str
    notice: str
    area: str
    facts: tuple[tuple[str, str], ...]
    """Rows of the footer: what it is about, as (name, value)."""
    others: tuple[tuple[str, str], ...]
    """The same page in other languages, as (language, relative address)."""
    home: str
    path: str
    """Where the page goes, from the root of the file system."""
    provenance: str = ""
    """Where the page comes from, as JSON with an open seal."""


@dataclass(frozen=True, slots=True)
class Task:
    """Run one notebook, then write its pages.

    With `run_it` off, `source` is shown as it stands: an executed notebook that only needs pages, or
    one that could not be run, for the reason in `error`.
    """

    slug: str
    source: str
    executed: str
    run_it: bool
    parameters: dict[str, Any]
    seconds_allowed: float
    scratch: str
    pages: tuple[PageText, ...]
    error: dict[str, str] | None = None
    memory_bytes: int | None = None
    """What the notebook may allocate, where the system can be told to hold it to that."""
    prose: str = ""
    """The cells of the notebook's source, where only pages are made: their prose may have changed since it ran."""
    reads: dict[str, Any] | None = None
    """What the notebook declared that it reads; None for everything."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a task ended; `error` has class and message where it failed.

    `modules` are those that the notebook turned out to import, beyond those its kernel knew.
    """

    slug: str
    status: str
    error: dict[str, str] | None = None
    titles: dict[str, str] = field(default_factory=dict)
    findings: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    modules: tuple[str, ...] = ()
    headlines: dict[str, str] = field(default_factory=dict)


def to_line(record: Task | Outcome) -> str:
    return json.dumps(asdict(record), ensure_ascii=True, allow_nan=False) + "\n"


def task_of(line: str) -> Task:
    raw = json.loads(line)
    pages = tuple(
        PageText(**{**page, "facts": _pairs(page["facts"]), "others": _pairs(page["others"])})
        for page in raw["pages"]
    )
    return Task(**{**raw, "pages": pages})


def outcome_of(line: str) -> Outcome:
    raw = json.loads(line)
    return Outcome(**{**raw, "findings": tuple(raw["findings"]), "modules": tuple(raw["modules"])})


def _pairs(rows: list[list[str]]) -> tuple[tuple[str, str], ...]:
    return tuple((row[0], row[1]) for row in rows)
