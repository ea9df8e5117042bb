"""What became of one report the last time it was made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 2


@dataclass(frozen=True, slots=True)
class Page:
    """One HTML page; `path` is relative to reports/, with forward slashes."""

    path: str
    key: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one job.

    `headlines` are the first sentence of a report on the whole district, by language: the index shows them.
    `status` is "ok" or "failed", decided by what happened and never read from the notebook. `inputs`
    names what it was made of, each as a hash, so that a change can be told by name; `key` covers all of
    them that can change a number. `findings` has a record per number that the notebook published; it is
    empty in memory, where 10,000 of them would not fit, and read from the record's file when needed.
    """

    slug: str
    notebook: str
    area: str | None
    parameters: dict[str, Any]
    status: str
    key: str
    executed: str
    pages: dict[str, Page]
    titles: dict[str, str] = field(default_factory=dict)
    error: dict[str, str] | None = None
    findings: tuple[dict[str, Any], ...] = ()
    seconds: float = 0.0
    finished: str = ""
    inputs: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    headlines: dict[str, str] = field(default_factory=dict)

    @property
    def record(self) -> str:
        """Where this record lies, from reports/: beside the executed notebooks, folder for folder."""
        inside = self.executed.partition("/")[2].removesuffix(".ipynb")
        return f".jobs/{inside}.json"

    def files(self) -> Iterator[str]:
        """Everything that belongs to the report, its record last."""
        yield from (page.path for page in self.pages.values())
        yield self.executed
        yield self.record


def plain(kept: Kept) -> dict[str, Any]:
    """As JSON has it."""
    return {"format": FORMAT, **asdict(kept)}


def kept_of(raw: dict[str, Any]) -> Kept:
    """From JSON; ValueError, KeyError or TypeError where it is not a record of this format."""
    if raw.pop("format") != FORMAT:
        raise ValueError("a record of another format")
    pages = {language: Page(**page) for language, page in raw["pages"].items()}
    return Kept(**{**raw, "pages": pages, "findings": tuple(raw.get("findings", ()))})


def pdf_of(page: str) -> str:
    """Where the page at this path lies as printed."""
    return page.removesuffix(".html") + ".pdf"
