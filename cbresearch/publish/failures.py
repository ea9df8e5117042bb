"""The page that groups failed reports by cause, with what to do about each, in every language of the study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cbresearch
from cbresearch.publish.assets import asset, content_policy, template
from cbresearch.publish.events import cause_of
from cbresearch.publish.files import write_whole
from cbresearch.publish.kept import Kept
from cbresearch.publish.plan import Job
from cbresearch.publish.shelf import NEXT, Shelf
from cbresearch.publish.words import HTML_LANGUAGES, LANGUAGE_NAMES, advice, words
from cbresearch.study import Study

FAILURES = "failures.html"


def write_failures(study: Study, jobs: Sequence[Job], shelf: Shelf) -> Path | None:
    """Write reports/failures.html over what failed last, or remove it where nothing did; gives its path.

    A run that stopped early shows its failed pages nowhere else: they are linked where they wait.
    """
    path = study.reports / FAILURES
    failed = [(job, kept) for job in jobs if (kept := shelf.latest(job.slug)) and kept.status == "failed"]
    if not failed:
        path.unlink(missing_ok=True)
        return None
    page = template("failures.html.j2").render(
        tongues=[_tongue(study, failed, shelf, language) for language in reversed(study.languages)],
        title=" · ".join(dict.fromkeys(words(one)["failures_title"] for one in study.languages)),
        style=asset("page.css"),
        policy=content_policy(""),
        version=cbresearch.__version__,
    )
    write_whole(path, page)
    return path


def _tongue(study: Study, failed: Sequence[tuple[Job, Kept]], shelf: Shelf, language: str) -> dict[str, Any]:
    by_cause: dict[str, list[tuple[Job, Kept]]] = {}
    for job, kept in failed:
        by_cause.setdefault(cause_of(kept.error), []).append((job, kept))
    groups = [
        {
            "cause": cause,
            "advice": advice((together[0][1].error or {}).get("class", ""), language),
            "reports": [_report(job, kept, shelf, language) for job, kept in together],
        }
        for cause, together in sorted(by_cause.items(), key=lambda pair: (-len(pair[1]), pair[0]))
    ]
    return {
        "language": language,
        "html_language": HTML_LANGUAGES[language],
        "name": LANGUAGE_NAMES[language],
        "say": words(language),
        "study": study.title.say(language),
        "groups": groups,
    }


def _report(job: Job, kept: Kept, shelf: Shelf, language: str) -> dict[str, str]:
    place = f"{NEXT}/" if shelf.folder_of(kept) == shelf.next else ""
    pages = [kept.pages[one].path for one in (language, *kept.pages) if one in kept.pages]
    there = [page for page in pages if shelf.has(kept, page)]
    name = f"{job.notebook} · {job.area.label.say(language)}" if job.area else job.notebook
    return {"name": name, "address": f"{place}{there[0]}" if there else ""}
