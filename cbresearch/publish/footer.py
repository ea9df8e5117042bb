"""What a page says about itself: study, waves, data, parameters, version, date."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

import cbresearch
from cbresearch.publish.keys import hash_of_files
from cbresearch.publish.plan import Job
from cbresearch.publish.task import PageText
from cbresearch.publish.words import words
from cbresearch.study import Study


def page_texts(study: Study, job: Job, to_write: Sequence[str], shown: Sequence[str]) -> tuple[PageText, ...]:
    """The texts around one job's notebook, for each language to write; `shown` are all that it has."""
    return tuple(_page_text(study, job, language, shown) for language in to_write)


def page_date() -> str:
    """Today in UTC, or the day that SOURCE_DATE_EPOCH names, so that pages can be made again alike."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    return time.strftime("%Y-%m-%d", time.gmtime(int(seconds) if seconds else None))


def _page_text(study: Study, job: Job, language: str, shown: Sequence[str]) -> PageText:
    return PageText(
        language=language,
        study=study.title.say(language),
        notice=study.notice.say(language) if study.notice else "",
        area=job.area.label.say(language) if job.area else "",
        facts=tuple(_facts(study, job, language)),
        others=tuple((other, f"../{job.page(other)}") for other in shown if other != language),
        home=f"../index.html#{language}",
        path=str(study.reports / job.page(language)),
    )


def _facts(study: Study, job: Job, language: str) -> list[tuple[str, str]]:
    say = words(language)
    comma = "、" if language == "zh" else ", "
    given = [f"{name} = {value}" for name, value in job.parameters if name != "lang"]
    facts = [(say["fact_study"], study.title.say(language))]
    if job.area:
        facts.append((say["fact_area"], job.area.label.say(language)))
    facts += [
        (say["fact_waves"], comma.join(map(str, study.waves))),
        (say["fact_answers"], f"{_answers(study.processed / 'residents.parquet'):,}"),
        (say["fact_notebook"], f"{job.notebook}.ipynb"),
    ]
    if given:
        facts.append((say["fact_parameters"], comma.join(given)))
    facts += [
        (say["fact_data"], hash_of_files([study.processed / "manifest.json"])[:12]),
        (say["fact_version"], f"cbresearch {cbresearch.__version__}"),
        (say["fact_date"], page_date()),
    ]
    return facts


def _answers(path: Path) -> int:
    return _rows(path, path.stat().st_mtime_ns) if path.is_file() else 0


@lru_cache(maxsize=4)
def _rows(path: Path, written: int) -> int:
    """Rows of a parquet file, from its footer; `written` makes a new file a new question."""
    meta: Any = pq.read_metadata(path)
    return int(meta.num_rows)
