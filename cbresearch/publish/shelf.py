"""The reports folder: what readers see of the last complete run, beside what an unfinished one has made so far.

Finished pages wait in reports/.next and all move into place together, when the last one is done. A page
replaced as soon as it is made would stand beside others made from older data: the district's figure would no
longer be that of its communities, under an index that knows nothing of it. So until a run is whole its
readers have the last one that was, and a run that ends early has cost nobody anything: the next one takes
over what waits.

Each report has a record, written whole or not at all as soon as it is done, its pages before it. run.json and
findings.json are drawn up from these records and can be lost. While pages move, reports/.moving names them;
a run that finds that file completes the move. Nothing depends on a clock.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from cbresearch.publish.files import files_below, write_json, write_parts
from cbresearch.publish.files import write_whole as write_whole
from cbresearch.publish.kept import FORMAT as FORMAT
from cbresearch.publish.kept import Kept, kept_of, pdf_of, plain

NEXT, MOVING, MODULES = ".next", ".moving", ".modules.json"
UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


class Shelf:
    """What is known of each report; what cannot be read counts as never made."""

    def __init__(self, reports: Path) -> None:
        self.reports, self.next = reports, reports / NEXT
        self._there = set(files_below(reports))
        self._waiting = {p.removeprefix(f"{NEXT}/") for p in self._there if p.startswith(f"{NEXT}/")}
        self.kept: dict[str, Kept] = {} if MOVING in self._there else _listed(reports / "run.json")
        if not self.kept:
            self.kept = self._recorded(reports, self._there)
        self.staged = {
            slug: kept
            for slug, kept in self._recorded(self.next, self._waiting).items()
            if all(_is_whole(self.next / path) for path in kept.files() if not self._has_moved(path))
        }

    # --- what is there ------------------------------------------------------------------------
    def latest(self, slug: str) -> Kept | None:
        """What became of a report last, whether or not readers see it yet."""
        return self.staged.get(slug) or self.kept.get(slug)

    def folder_of(self, kept: Kept) -> Path:
        """Where the files of a report lie."""
        return self.next if self.staged.get(kept.slug) is kept else self.reports

    def has(self, kept: Kept, path: str) -> bool:
        """Whether a file of a report was there when the shelf was opened, or was put there since."""
        return path in (self._waiting if self.staged.get(kept.slug) is kept else self._there)

    def findings_of(self, kept: Kept) -> tuple[dict[str, Any], ...]:
        """The numbers a report published, from its record."""
        return _record(self.folder_of(kept) / kept.record).findings

    def _has_moved(self, path: str) -> bool:
        return MOVING in self._there and path in self._there and path not in self._waiting

    # --- what changes -------------------------------------------------------------------------
    def put(self, kept: Kept) -> Kept:
        """Write the record of a report that is done; its pages wait in `next` already."""
        write_json(self.next / kept.record, plain(kept))
        self.staged[kept.slug] = kept = replace(kept, findings=())
        self._waiting.update(kept.files())
        return kept

    def recover(self) -> None:
        """Complete a move that was cut short; clear what a process left half written."""
        for half in self.reports.glob(".*.part"):
            half.unlink(missing_ok=True)
        try:
            moving = json.loads((self.reports / MOVING).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return
        # a record moves last, so what is still staged under these names is all that has not moved
        self._move([slug for slug in moving if slug in self.staged])

    def publish(self, slugs: Iterable[str], asked_for: set[str], about: dict[str, Any]) -> None:
        """Move these reports into place, let go of those not `asked_for` any more, and draw up the lists.

        `about` heads run.json (study, inputs, versions).
        """
        moving = sorted(slug for slug in slugs if slug in self.staged)
        gone = [self.kept[slug] for slug in self.kept if slug not in asked_for]
        if moving or gone or self.must_list(about):
            _onto_disk()
            write_json(self.reports / MOVING, moving)
            self._move(moving)
            for kept in gone:
                del self.kept[kept.slug]
                self._unlink(kept.files())
            self._list(about)
        (self.reports / MOVING).unlink(missing_ok=True)
        for slug in [slug for slug in self.staged if slug not in asked_for]:
            del self.staged[slug]
        if not self.staged:
            shutil.rmtree(self.next, ignore_errors=True)

    def must_list(self, about: dict[str, Any]) -> bool:
        """Whether run.json is missing or says something else about the run."""
        if {"run.json", "findings.json"} - self._there or MOVING in self._there:
            return True
        head = _head(self.reports / "run.json")
        return any(head.get(name) != value for name, value in about.items())

    def _move(self, slugs: Sequence[str]) -> None:
        for slug in slugs:
            kept, before = self.staged.pop(slug), self.kept.get(slug)
            for path in kept.files():
                if path in self._waiting:
                    (self.reports / path).parent.mkdir(parents=True, exist_ok=True)
                    with suppress(FileNotFoundError):
                        (self.next / path).replace(self.reports / path)
                        self._unprint(path)
                    self._there.add(path)
            if before is not None:
                self._unlink(set(before.files()) - set(kept.files()))
            self.kept[slug] = kept

    def _unlink(self, paths: Iterable[str]) -> None:
        for path in paths:
            target = (self.reports / path).resolve()
            if target.is_relative_to(self.reports.resolve()):
                target.unlink(missing_ok=True)
                self._unprint(path)
                self._there.discard(path)

    def _unprint(self, path: str) -> None:
        """A PDF of the page as it was would tell of numbers that are no more."""
        if path.endswith(".html") and pdf_of(path) in self._there:
            (self.reports / pdf_of(path)).unlink(missing_ok=True)
            self._there.discard(pdf_of(path))

    def _recorded(self, folder: Path, paths: set[str]) -> dict[str, Kept]:
        found = {}
        for path in sorted(p for p in paths if p.startswith(".jobs/") and p.endswith(".json")):
            with suppress(*UNREADABLE):
                kept = _record(folder / path)
                if kept.record == path:
                    found[kept.slug] = replace(kept, findings=())
        return found

    # --- the lists ----------------------------------------------------------------------------
    def _list(self, about: dict[str, Any]) -> None:
        """findings.json, then run.json, a line for each report; neither is ever whole in memory."""
        lost: list[str] = []
        write_parts(self.reports / "findings.json", self._findings(about, lost))
        for slug in lost:
            del self.kept[slug]
        write_parts(self.reports / "run.json", self._run(about))
        self._there |= {"findings.json", "run.json"}

    def _findings(self, about: dict[str, Any], lost: list[str]) -> Iterator[str]:
        yield f'{{"format": {FORMAT}, "study": {_json(about["study"])}, "findings": ['
        comma = ""
        for kept in self._ordered():
            try:
                findings = self.findings_of(kept)
            except UNREADABLE:
                lost.append(kept.slug)
                continue
            head = {"report": kept.slug, "notebook": kept.notebook, "parameters": kept.parameters}
            for record in findings:
                yield f"{comma}\n{_json(head | record)}"
                comma = ","
        yield "\n]}\n"

    def _run(self, about: dict[str, Any]) -> Iterator[str]:
        failed = [{"report": k.slug, **(k.error or {})} for k in self._ordered() if k.status == "failed"]
        head = {"format": FORMAT, "about": list(about), **about, "failed": failed}
        yield "{" + ",\n".join(f"{_json(name)}: {_json(value)}" for name, value in head.items())
        usual = about.get("versions")
        jobs = ((k.slug, _listed_as(k, usual)) for k in self._ordered())
        times = ((k.slug, {"seconds": k.seconds, "finished": k.finished}) for k in self._ordered())
        yield from _lines("times", times)
        yield from _lines("jobs", jobs)
        yield "}\n"

    def _ordered(self) -> list[Kept]:
        return [self.kept[slug] for slug in sorted(self.kept)]


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


def _listed(path: Path) -> dict[str, Kept]:
    """Every report in run.json; nothing where that cannot be read."""
    try:
        run = json.loads(path.read_text(encoding="utf-8"))
        return {
            slug: kept_of(
                {
                    "format": run["format"],
                    "slug": slug,
                    "versions": run.get("versions", {}),
                    **job,
                    **run["times"][slug],
                }
            )
            for slug, job in run["jobs"].items()
        }
    except UNREADABLE:
        return {}


def _listed_as(kept: Kept, versions: dict[str, str] | None) -> dict[str, Any]:
    """A report in run.json: without what is told elsewhere there, and its versions only where they are not the run's."""
    apart = {"slug", "findings", "seconds", "finished"}
    if kept.versions == versions:
        apart.add("versions")
    return {name: value for name, value in asdict(kept).items() if name not in apart}


def _head(path: Path) -> dict[str, Any]:
    """What stands in run.json before the reports, one name to a line."""
    head: dict[str, Any] = {}
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.startswith('"times":'):
                    break
                head |= json.loads("{" + line.strip().removeprefix("{").removesuffix(",") + "}")
    except UNREADABLE:
        return {}
    return head


def _record(path: Path) -> Kept:
    return kept_of(json.loads(path.read_text(encoding="utf-8")))


def _is_whole(path: Path) -> bool:
    """Whether a file reached the disk: after a power cut its name may be there without its end."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 16))
            end = file.read().rstrip()
    except OSError:
        return False
    return end.endswith(b"</html>" if path.suffix == ".html" else b"}")


def _onto_disk() -> None:
    """All that was written is on the disk, once for the whole run and not file by file."""
    if hasattr(os, "sync"):
        os.sync()


def _lines(name: str, rows: Iterator[tuple[str, Any]]) -> Iterator[str]:
    yield f",\n{_json(name)}: {{"
    comma = ""
    for key, value in rows:
        yield f"{comma}\n{_json(key)}: {_json(value)}"
        comma = ","
    yield "\n}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
