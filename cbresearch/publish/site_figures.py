"""What two communities are compared by on the index page: figures that their own pages published, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cbresearch.publish.kept import Kept
from cbresearch.publish.plan import Area, Job
from cbresearch.publish.shelf import Shelf
from cbresearch.records import Text
from cbresearch.study import Study

PUBLISHED = {"published", "caution"}
BESIDE = {"wave", "target", "verdict"}
"""Parts of a figure's group that do not make it one of a smaller group."""
DIGITS = 4
"""More than are shown, so that nothing is rounded twice."""
POINTS = Text("分", "points")


@dataclass(frozen=True, slots=True)
class Compared:
    """A community with its figures, one for each measure: [value, low, high] and True where they want care, or None.

    `page` lies in the folder of each language, unless it names one: there may be ten thousand of them.
    """

    area: Area
    page: str
    values: tuple[list[Any] | None, ...]


def as_data(study: Study, jobs: Sequence[Job], shelf: Shelf) -> str:
    """Measures and communities as JSON that can stand in a page; empty where fewer than two can be compared.

    A community is a list, for there may be ten thousand: its name in Chinese and in English, its page, its figures.

    Measures are those that the study sets targets for, in the last wave that a community's page told.
    """
    measures = list(dict.fromkeys(target.measure for target in study.file.targets))
    if study.area is None or not measures:
        return ""
    found, district = _compared(study, study.area, measures, jobs, shelf)
    if len(found) < 2:
        return ""
    labels = [_label(study, measure) for measure in measures]
    data = {
        "measures": [{"zh": label.zh, "en": label.en} for label in labels],
        "district": district,
        "areas": [[one.area.label.zh, one.area.label.en, one.page, *one.values] for one in found],
    }  # fmt: skip
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("&", "\\u0026")


def _compared(
    study: Study, column: str, measures: Sequence[str], jobs: Sequence[Job], shelf: Shelf
) -> tuple[list[Compared], list[list[Any] | None]]:
    """Communities with at least one figure, each from the first page that tells one; and the district's figures."""
    found: dict[str, Compared] = {}
    district: list[list[Any] | None] = [None] * len(measures)
    for job in jobs:
        kept = shelf.kept.get(job.slug)
        if job.area is None or kept is None or kept.status != "ok" or job.area.code in found:
            continue
        records = shelf.findings_of(kept)
        values = [_latest(records, measure, {column: job.area.code}) for measure in measures]
        if any(values):
            found[job.area.code] = Compared(job.area, _page(kept, study.languages), tuple(values))
            district = [known or _latest(records, m, {}) for known, m in zip(district, measures, strict=True)]
    return list(found.values()), district


def _label(study: Study, measure: str) -> Text:
    """What a measure is called, with its unit."""
    name = study.label(measure)
    unit = study.indicators[measure].unit.text if measure in study.indicators else POINTS
    return Text(f"{name.zh}（{unit.zh}）", f"{name.en} ({unit.en})")


def _page(kept: Kept, languages: Sequence[str]) -> str:
    paths = {language: page.path for language, page in kept.pages.items()}
    in_all = {paths[one].removeprefix(f"{one}/") for one in languages if one in paths}
    return (
        in_all.pop() if len(in_all) == 1 and len(paths) == len(languages) else next(iter(paths.values()), "")
    )


def _latest(records: Iterable[Mapping[str, Any]], measure: str, group: Mapping[str, str]) -> list[Any] | None:
    """The figure of the last wave for exactly this group; None where it was held back or never made."""
    last: Mapping[str, Any] | None = None
    for record in records:
        said = record.get("group") or {}
        own = {name: value for name, value in said.items() if name not in BESIDE}
        is_it = record.get("measure") == measure and own == group
        if is_it and (last is None or str(said.get("wave", "")) > _wave(last)):
            last = record
    if last is None or last.get("status") not in PUBLISHED or last.get("value") is None:
        return None
    rounded = [
        None if last.get(part) is None else round(last[part], DIGITS) for part in ("value", "low", "high")
    ]
    return [*rounded, *([True] if last["status"] != "published" else [])]


def _wave(record: Mapping[str, Any]) -> str:
    return str((record.get("group") or {}).get("wave", ""))
