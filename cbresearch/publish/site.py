"""The index page: every report by district and community, in every language of the study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cbresearch
from cbresearch.publish.assets import asset, content_policy, template
from cbresearch.publish.failures import FAILURES
from cbresearch.publish.files import write_whole
from cbresearch.publish.kept import Kept, pdf_of
from cbresearch.publish.keys import Inputs, hash_of, hash_of_files
from cbresearch.publish.plan import MOST_IN_A_FOLDER, Area, Job
from cbresearch.publish.shelf import Shelf
from cbresearch.publish.site_figures import as_data
from cbresearch.publish.words import HTML_LANGUAGES, LANGUAGE_NAMES, words
from cbresearch.records import Text
from cbresearch.study import Study


@dataclass(frozen=True, slots=True)
class Also:
    """The same report in another language."""

    address: str
    html_language: str
    name: str


@dataclass(frozen=True, slots=True)
class Item:
    """One report on the index."""

    name: str
    search: str
    address: str
    hreflang: str
    also: tuple[Also, ...]
    badge: str
    badge_class: str
    why: str
    pdf: str = ""
    headline: str = ""
    """What the report found, in its own words; empty on a report of a community."""


@dataclass(frozen=True, slots=True)
class Group:
    title: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    groups: tuple[Group, ...]
    wide: bool
    many: bool = False
    """So many reports that each gets a line and not a card, lest the page grow to more than a few megabytes."""


def write_index(study: Study, jobs: Sequence[Job], shelf: Shelf, inputs: Inputs) -> Path:
    """Write reports/index.html over all `jobs` of the study, run or not; give its path.

    One file with every language of the study, the first one shown first; it needs no script, no
    server and no other file.
    """
    path, made_of = study.reports / "index.html", _made_of(jobs, shelf, inputs)
    if _is_current(path, made_of):
        return path
    streets = _groups_of_areas(study)
    tongues = [
        _tongue(study, jobs, shelf, inputs, language, streets) for language in reversed(study.languages)
    ]
    script = asset("index.js")
    figures = as_data(study, jobs, shelf)
    page = template("index.html.j2").render(
        made_of=made_of,
        tongues=tongues,
        title=" · ".join(dict.fromkeys(study.title.say(language) for language in study.languages)),
        style=asset("page.css") + asset("index.css"),
        script=script,
        figures=figures,
        policy=content_policy(script),
        version=cbresearch.__version__,
    )
    write_whole(path, page)
    return path


def _made_of(jobs: Sequence[Job], shelf: Shelf, inputs: Inputs) -> str:
    """One hash of all that the index shows."""
    made_by = [
        inputs.template,
        hash_of_files(Path(__file__).with_name(f"{name}.py") for name in ("site", "site_figures")),
        cbresearch.__version__,
    ]
    rows = [f"{inputs.processed} {inputs.study} {made_by}"]
    for job in jobs:
        kept = shelf.kept.get(job.slug)
        rows.append(f"{job.page('')} {job.languages}")
        if kept:
            paths = (path for page in kept.pages.values() for path in (page.path, pdf_of(page.path)))
            there = [path for path in paths if shelf.has(kept, path)]
            current = kept.key == inputs.run_key(job)
            rows.append(
                f"{there} {kept.status} {current} {kept.titles} {kept.headlines} {kept.error} {kept.finished[:10]}"
            )
    return hash_of(rows)


def _is_current(path: Path, made_of: str) -> bool:
    try:
        with path.open("rb") as file:
            return f'content="{made_of}"'.encode() in file.read(2000)
    except OSError:
        return False


def _tongue(
    study: Study, jobs: Sequence[Job], shelf: Shelf, inputs: Inputs, language: str, streets: dict[str, str]
) -> dict[str, Any]:
    """All that the template shows in one language."""
    say = words(language)
    district = [job for job in jobs if job.area is None]
    over_areas = [job for job in jobs if job.area is not None]
    sections = []
    if district:
        title = say["district"] if over_areas else say["district_only"]
        items = tuple(_item(job, shelf, inputs, language) for job in district)
        sections.append(Section(title, (Group("", items),), wide=True))
    for notebook in dict.fromkeys(job.notebook for job in over_areas):
        mine = [job for job in over_areas if job.notebook == notebook]
        groups = _grouped(study, mine, shelf, inputs, language, streets)
        many = len(jobs) > MOST_IN_A_FOLDER
        title = _section_title(notebook, over_areas, say)
        sections.append(Section(title, tuple(groups), wide=False, many=many))
    return {
        "language": language,
        "html_language": HTML_LANGUAGES[language],
        "name": LANGUAGE_NAMES[language],
        "say": say,
        "title": study.title.say(language),
        "notice": study.notice.say(language) if study.notice else "",
        "summary": _summary(jobs, shelf, language),
        "failures": FAILURES if any(_is_failed(job, shelf) for job in jobs) else "",
        "sections": sections,
    }


def _section_title(notebook: str, jobs: Iterable[Job], say: dict[str, Any]) -> str:
    several = len({job.notebook for job in jobs}) > 1
    return f"{say['areas']} · {notebook}" if several else str(say["areas"])


def _grouped(
    study: Study, jobs: Sequence[Job], shelf: Shelf, inputs: Inputs, language: str, streets: dict[str, str]
) -> list[Group]:
    """One group per street where the design has streets, else one for all."""
    column = _group_column(study)
    by_street: dict[str, list[Item]] = {}
    for job in jobs:
        street = streets.get(job.area.code, "") if job.area else ""
        by_street.setdefault(street, []).append(_item(job, shelf, inputs, language))
    if column is None or len(by_street) < 2:
        return [Group("", tuple(item for items in by_street.values() for item in items))]
    other = words(language)["other_group"]
    ordered = sorted(by_street, key=lambda street: street == "")
    return [
        Group(study.answer(column, street).say(language) if street else other, tuple(by_street[street]))
        for street in ordered
    ]


def _item(job: Job, shelf: Shelf, inputs: Inputs, language: str) -> Item:
    kept = shelf.kept.get(job.slug)
    there = [one for one in (kept.pages if kept else {}) if kept and shelf.has(kept, kept.pages[one].path)]
    shown = language if language in there else next(iter(there), "")
    name = _name(job, kept, language)
    badge, badge_class = _badge(job, kept, inputs, language)
    also = tuple(
        Also(kept.pages[one].path, HTML_LANGUAGES[one], LANGUAGE_NAMES[one])
        for one in there
        if kept and one != shown
    )
    address = kept.pages[shown].path if kept and shown else ""
    return Item(
        name=name,
        search=" ".join(
            [name, job.notebook, *_names(job.area), *(kept.headlines.values() if kept else ())]
        ).lower(),
        address=address,
        hreflang=HTML_LANGUAGES[shown] if shown and shown != language else "",
        also=also,
        badge=badge,
        badge_class=badge_class,
        why=f"{kept.error['class']}: {kept.error['message']}"[:200] if kept and kept.error else "",
        pdf=pdf_of(address) if kept and address and shelf.has(kept, pdf_of(address)) else "",
        headline=kept.headlines.get(shown, "") if kept and not kept.error else "",
    )


def _name(job: Job, kept: Kept | None, language: str) -> str:
    """A community's name, else the page's title, else the notebook's name."""
    if job.area:
        return job.area.label.say(language)
    titles = kept.titles if kept else {}
    return titles.get(language) or next(iter(titles.values()), "") or job.notebook


def _badge(job: Job, kept: Kept | None, inputs: Inputs, language: str) -> tuple[str, str]:
    say = words(language)
    if kept is None:
        return say["status_missing"], "missing"
    if kept.status == "failed":
        return say["status_failed"], "failed"
    return ("", "") if kept.key == inputs.run_key(job) else (say["status_stale"], "stale")


def _is_failed(job: Job, shelf: Shelf) -> bool:
    kept = shelf.kept.get(job.slug)
    return kept is not None and kept.status == "failed"


def _names(area: Area | None) -> tuple[str, ...]:
    return (area.code, area.label.zh, area.label.en) if area else ()


def _summary(jobs: Sequence[Job], shelf: Shelf, language: str) -> str:
    """How many reports, as of when, how many of them not complete."""
    kept = [shelf.kept[job.slug] for job in jobs if job.slug in shelf.kept]
    failed = sum(one.status == "failed" for one in kept)
    day = max((one.finished for one in kept), default="")[:10]
    more = Text(f"，其中 {failed} 份未完成", f", {failed} of them not complete") if failed else Text("", "")
    updated = Text(f"，更新于 {day}", f", last updated {day}") if day else Text("", "")
    return Text(
        f"共 {len(jobs)} 份报告{more.zh}{updated.zh}", f"{len(jobs)} reports{more.en}{updated.en}"
    ).say(language)


def _group_column(study: Study) -> str | None:
    """The first stratum that is not the community itself: in a district, the street."""
    return next((column for column in study.design.strata if column != study.area), None)


def _groups_of_areas(study: Study) -> dict[str, str]:
    """Community code to the code of its street; empty where the data has none."""
    column, area = _group_column(study), study.area
    path = study.processed / "residents.parquet"
    if column is None or area is None or not path.is_file():
        return {}
    import pyarrow.parquet as pq

    file: Any = pq.ParquetFile(path)
    if not {column, area} <= set(file.schema_arrow.names):
        return {}
    pairs = file.read(columns=[area, column]).group_by([area, column]).aggregate([]).to_pylist()
    return {
        str(pair[area]): str(pair[column])
        for pair in pairs
        if pair[area] is not None and pair[column] is not None
    }
