"""What a run left on disk, as far as comparing needs it; what was not recorded stays unknown."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbresearch.errors import PublishError
from cbresearch.publish.diff_numbers import plain
from cbresearch.records import Text

READABLE = (1, 2)
WHOLE = "everything"
"""The one table of a report that does not say which ones it reads."""


@dataclass(frozen=True, slots=True)
class Made:
    """What one report was made from: hashes and names. None where the run did not record it.

    `key` covers all of them. `status` is "ok", "failed" or "" where the run has no such report.
    `data` has a hash for each table the report reads. Hashes of two formats cannot be compared.
    """

    status: str = ""
    key: str | None = None
    data: Mapping[str, str] | None = None
    study: str | None = None
    notebook: str | None = None
    package: str | None = None
    parameters: Mapping[str, str] | None = None
    versions: Mapping[str, str] | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """One run as it lies on disk. `label` is what the user called it; `reports` holds the files."""

    label: str
    reports: Path
    study: str
    findings: tuple[Mapping[str, Any], ...]
    record: Mapping[str, Any]
    title: Text
    notice: Text | None

    @property
    def finished(self) -> str:
        """When its last report was finished, or nothing."""
        times = [_in(one, "finished") for one in _map(self.record, "times").values()]
        return max((when for when in times if isinstance(when, str)), default="")

    def title_of(self, report: str, language: str) -> str:
        """The title of a report's page, else the name of its files."""
        titles = _map(_map(_map(self.record, "jobs"), report), "titles")
        return plain(titles.get(language) or next(iter(titles.values()), "")) or report


def read_run(path: Path) -> Run:
    """The run in a workspace, in a reports folder or around a findings.json.

    PublishError tells what is missing or cannot be read, with what to do. run.json may be missing
    or broken: then nothing is known of why numbers moved.
    """
    file = _findings_file(path)
    content = _json(file)
    if not isinstance(content, dict) or not isinstance(content.get("findings"), list):
        raise PublishError(f"{file} is not a list of findings as 'cbresearch run' writes it.")
    if content.get("format") not in READABLE:
        raise PublishError(
            f"{file} has format {str(content.get('format'))[:20]}, and this version of cbresearch reads "
            f"{', '.join(map(str, READABLE))}. Run 'cbresearch run' with this version, then compare again."
        )
    findings = tuple(record for record in content["findings"] if isinstance(record, dict))
    try:
        record = _json(file.with_name("run.json"))
    except PublishError:
        record = {}
    name = plain(content.get("study"))
    title, notice = _about(file.parent.parent / "data" / "study.toml", name)
    label = plain(path) if str(path) != "." else path.resolve().name
    return Run(label, file.parent, name, findings, record if isinstance(record, dict) else {}, title, notice)


def made(run: Run, report: str) -> Made:
    """All that a run tells about what one report was made from: the one place that knows run.json.

    A report's own record goes before that of the whole run, since a run leaves alone what is up to
    date.
    """
    job = _map(_map(run.record, "jobs"), report)
    found = _map(run.record, "inputs") | _map(job, "inputs")
    versions, parameters, data = (
        job.get("versions", run.record.get("versions")), job.get("parameters"), found.get("processed"),
    )  # fmt: skip
    return Made(
        status=plain(job.get("status")),
        key=_text(job.get("key")),
        data={WHOLE: data} if isinstance(data, str) else _texts(data),
        study=_together(found, "study", "seed"),
        notebook=_together(found, "code", "helpers"),
        package=_together(found, "package"),
        parameters=_texts(parameters, leave_out="lang"),
        versions=_texts(versions),
        format=plain(run.record.get("format")),
    )


def _findings_file(path: Path) -> Path:
    if path.is_file():
        return path
    if not path.is_dir():
        raise PublishError(
            f"There is no {path}. Name a workspace, its reports folder, or the findings.json of a run."
        )
    for file in (path / "findings.json", path / "reports" / "findings.json"):
        if file.is_file():
            return file
    raise PublishError(
        f"{path} has no findings.json, nor has a folder 'reports' in it. Run 'cbresearch run' there first, "
        "or name the folder that holds the run."
    )


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise PublishError(f"{file} cannot be read: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise PublishError(f"{file} is not JSON ({error}). Name the findings.json of a run.") from error


def _about(file: Path, name: str) -> tuple[Text, Text | None]:
    """Title and notice of the study, where study.toml still lies beside the reports."""
    try:
        study = _map(tomllib.loads(file.read_text(encoding="utf-8")), "study")
    except (OSError, ValueError):
        return Text(name, name), None
    title, notice = _both(study.get("title")), _both(study.get("notice"))
    return title or Text(name, name), notice


def _both(words: Any) -> Text | None:
    if isinstance(words, str) and words:
        return Text(plain(words), plain(words))
    zh, en = (plain(_in(words, language)) for language in ("zh", "en"))
    return Text(zh or en, en or zh) if zh or en else None


def _in(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, dict) else None


def _map(found: Any, name: str) -> dict[str, Any]:
    inner = _in(found, name)
    return inner if isinstance(inner, dict) else {}


def _text(found: Any) -> str | None:
    return found if isinstance(found, str) else None


def _together(found: Mapping[str, Any], first: str, *more: str) -> str | None:
    """Several inputs as one, or None where the first one was not recorded."""
    return None if found.get(first) is None else json.dumps([found.get(name) for name in (first, *more)])


def _texts(found: Any, *, leave_out: str = "") -> dict[str, str] | None:
    """Names with their values in words; None where there are none to be had."""
    if not isinstance(found, dict):
        return None
    return {
        plain(name): plain(value if isinstance(value, str) else json.dumps(value))
        for name, value in found.items()
        if name != leave_out
    }
