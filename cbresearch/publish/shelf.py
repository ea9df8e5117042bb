"""The reports folder: what each report was made from, kept between runs."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cbresearch.errors import PublishError

FORMAT = 1
MODULES = ".modules.json"


@dataclass(frozen=True, slots=True)
class Page:
    """One HTML page on the shelf; `path` is relative to reports/, with forward slashes."""

    path: str
    key: str


@dataclass(frozen=True, slots=True)
class Kept:
    """What became of one job the last time it ran.

    `status` is "ok" or "failed", decided by what happened and never read from the notebook.
    `findings` has a record per number that the notebook published.
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

    def is_current(self, key: str, reports: Path) -> bool:
        return self.status == "ok" and self.key == key and (reports / self.executed).is_file()

    def has_page(self, language: str, key: str, reports: Path) -> bool:
        page = self.pages.get(language)
        return page is not None and page.key == key and (reports / page.path).is_file()


class Shelf:
    """reports/run.json with reports/findings.json, read leniently, written whole or not at all."""

    def __init__(self, reports: Path) -> None:
        self.reports = reports
        self.kept: dict[str, Kept] = {}
        self._load()

    def put(self, kept: Kept) -> None:
        self.kept[kept.slug] = kept

    def forget_all_but(self, slugs: set[str]) -> None:
        """Reports that study.toml no longer asks for leave the shelf with their files."""
        for slug in [s for s in self.kept if s not in slugs]:
            gone = self.kept.pop(slug)
            for path in (gone.executed, *(page.path for page in gone.pages.values())):
                _unlink_inside(self.reports, path)

    def save(self, about: dict[str, Any]) -> None:
        """Write findings.json, then run.json; `about` heads both (study, inputs, versions)."""
        ordered = [self.kept[slug] for slug in sorted(self.kept)]
        findings = [
            {"report": kept.slug, "notebook": kept.notebook, "parameters": kept.parameters, **record}
            for kept in ordered
            for record in kept.findings
        ]
        jobs = {
            kept.slug: _without(asdict(kept), "slug", "findings", "seconds", "finished") for kept in ordered
        }
        times = {kept.slug: {"seconds": kept.seconds, "finished": kept.finished} for kept in ordered}
        failed = [{"report": k.slug, **(k.error or {})} for k in ordered if k.status == "failed"]
        write_json(
            self.reports / "findings.json", {"format": FORMAT, "study": about["study"], "findings": findings}
        )
        write_json(
            self.reports / "run.json",
            {"format": FORMAT, **about, "failed": failed, "jobs": jobs, "times": times},
        )

    def _load(self) -> None:
        """What the last run left; a file that cannot be read counts as no run, so everything runs again."""
        try:
            run = json.loads((self.reports / "run.json").read_text(encoding="utf-8"))
            findings = json.loads((self.reports / "findings.json").read_text(encoding="utf-8"))
            if run["format"] == findings["format"] == FORMAT:
                self.kept = _kept(run, findings["findings"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            self.kept = {}


def modules_of(reports: Path) -> list[str]:
    """What notebooks of earlier runs turned out to import; nothing where that cannot be read."""
    try:
        found = json.loads((reports / MODULES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []


def keep_modules(reports: Path, names: list[str]) -> None:
    """For the next run, in the order in which they were imported."""
    if names != modules_of(reports):
        write_json(reports / MODULES, names)


@contextmanager
def alone(reports: Path) -> Iterator[None]:
    """One run at a time in a workspace; a second one is told who is at work."""
    reports.mkdir(parents=True, exist_ok=True)
    holder = reports / ".holder.json"
    lock = FileLock(reports / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise PublishError(
            f"Another run is at work in {reports}{_who(holder)}. Wait until it has ended, then run again."
        ) from error
    try:
        write_json(holder, {"pid": os.getpid(), "host": socket.gethostname(), "since": now()})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def write_json(path: Path, value: Any) -> None:
    """Strict JSON (no NaN), whole or not at all."""
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Readers see the old file or the new one, never half of either."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        half.write_text(text, encoding="utf-8", newline="\n")
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def _kept(run: dict[str, Any], findings: list[dict[str, Any]]) -> dict[str, Kept]:
    by_slug: dict[str, list[dict[str, Any]]] = {slug: [] for slug in run["jobs"]}
    for record in findings:
        by_slug[record["report"]].append(_without(record, "report", "notebook", "parameters"))
    return {
        slug: Kept(
            slug=slug,
            **{**job, "pages": {lang: Page(**page) for lang, page in job["pages"].items()}},
            findings=tuple(by_slug[slug]),
            **run["times"][slug],
        )
        for slug, job in run["jobs"].items()
    }


def _who(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f" (process {who['pid']} on {who['host']}, since {who['since']})"
    except (OSError, ValueError, KeyError):
        return ""


def _unlink_inside(folder: Path, path: str) -> None:
    target = (folder / path).resolve()
    if target.is_relative_to(folder.resolve()) and target.is_file():
        target.unlink()


def _without(record: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in record.items() if name not in names}
