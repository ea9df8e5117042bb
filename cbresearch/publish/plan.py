"""Which notebooks are to run, over which areas, with what."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from cbresearch.errors import Fault, ParameterError, PublishError, nearest
from cbresearch.publish.parameters import Plain, checked, declared_in, some_of
from cbresearch.records import Language, Text
from cbresearch.study import Reads, Report, Study, reads_of

RESERVED_ON_WINDOWS = {"con", "prn", "aux", "nul", *(f"{p}{i}" for p in ("com", "lpt") for i in range(1, 10))}

MOST_IN_A_FOLDER = 1000
"""More reports than this, and file managers and web servers become slow to list them."""


@dataclass(frozen=True, slots=True)
class Area:
    """One community: the code found in the data with the name that readers know it by."""

    code: str
    label: Text


@dataclass(frozen=True, slots=True)
class Job:
    """One notebook to run once with these parameters, shown in these languages.

    `area` is None for a report of the whole district; `slug` names its files and is plain ASCII.
    """

    notebook: str
    area: Area | None
    parameters: tuple[tuple[str, Plain], ...]
    languages: tuple[Language, ...]
    slug: str
    folder: str = ""
    """Where its files lie inside the folder of their kind: "" or a name with a slash."""
    reads: Reads | None = None
    """What it reads of the data; None for everything."""

    @property
    def given(self) -> dict[str, Plain]:
        return dict(self.parameters)

    @property
    def executed(self) -> str:
        """Where the executed notebook lies, from reports/."""
        return f"notebooks/{self.folder}{self.slug}.ipynb"

    def page(self, language: str) -> str:
        """Where the page in one language lies, from reports/."""
        return f"{language}/{self.folder}{self.slug}.html"

    @property
    def up(self) -> str:
        """From a page to reports/."""
        return "../../" if self.folder else "../"


def plan(
    study: Study, *, only: Sequence[str] = (), area: Sequence[str] = (), lang: Sequence[str] = (),
    found: Collection[str] | None = None,
) -> tuple[Job, ...]:  # fmt: skip
    """The jobs that study.toml asks for, in its order, narrowed to notebooks, areas and languages.

    `only` takes notebook names with or without folder and ending; `area` takes codes or names of
    communities, and leaves reports of the whole district out. ParameterError lists at once every
    name that the study does not know and every parameter that a notebook cannot take. `found` are
    the codes of communities in the data, where they are known already.
    """
    areas = areas_of(study, found)
    codes, labels = [one.code for one in areas], [name for one in areas for name in _names(one)]
    faults = [
        *_unknown_notebooks(study, only),
        *_unknown(area, codes, "--area", "community", "communities", also=labels),
        *_unknown(lang, study.languages, "--lang", "language", "languages"),
    ]
    jobs: list[Job] = []
    for report in study.file.reports:
        try:
            jobs.extend(_jobs(study, report, areas))
        except ParameterError as error:
            faults.extend(error.faults)
    faults.extend(_twice(jobs))
    if faults:
        raise ParameterError(dict.fromkeys(faults))
    return _narrowed(tuple(sharded(jobs)), only=only, area=area, lang=lang)


def refuse_unknown(
    study: Study, *, only: Sequence[str] = (), area: Sequence[str] = (), lang: Sequence[str] = ()
) -> None:
    """ParameterError as `plan` raises it, before any table is built: communities as the codebook lists them.

    Where the codebook lists none, names of communities are left to `plan`.
    """
    listed = study.answers(study.area) if study.area else ()
    plan(study, only=only, area=area if listed else (), lang=lang, found=listed)


def sharded(jobs: Sequence[Job]) -> Sequence[Job]:
    """The same jobs; more than a folder should hold are spread over 256 by a hash of their name."""
    if len(jobs) <= MOST_IN_A_FOLDER:
        return jobs
    return [
        Job(
            one.notebook,
            one.area,
            one.parameters,
            one.languages,
            one.slug,
            f"{_short_hash(one.slug)[:2]}/",
            one.reads,
        )
        for one in jobs
    ]


def areas_of(study: Study, found: Collection[str] | None = None) -> tuple[Area, ...]:
    """The communities found in data/processed, in the codebook's order, else sorted by code.

    Empty without an area question.
    """
    if study.area is None:
        return ()
    found = codes_found(study) if found is None else found
    order = {code: place for place, code in enumerate(study.answers(study.area))}
    codes = sorted(found, key=lambda code: (order.get(code, len(order)), code))
    return tuple(Area(code, study.answer(study.area, code)) for code in codes)


def codes_found(study: Study) -> set[str]:
    """The codes of communities in data/processed; only that column of residents and communities is read."""
    tables = ("residents", "communities") if study.area else ()
    return {
        code for table in tables for code in _distinct(study.processed / f"{table}.parquet", study.area or "")
    }


def slug_of(report: str, area: Area | None, parameters: Mapping[str, Plain]) -> str:
    """A file name for one job: safe on every file system, readable, never the same for two jobs."""
    parts = [_plain(report)]
    if area is not None:
        parts.append(_plain(area.label.en) or _plain(area.code))
        if parts[-1] != area.code:
            parts.append(_short_hash(area.code))
    told = {"lang", "area"} if area else {"lang"}
    extra = {name: value for name, value in parameters.items() if name not in told}
    parts += [f"{_plain(name)}-{_plain(str(value))}" for name, value in extra.items()]
    if parts[0] != report or any(_plain(str(value)) != str(value) for value in extra.values()):
        parts.append(_short_hash(repr((report, sorted(extra.items())))))
    slug = "-".join(part for part in parts if part)
    return f"report-{slug}" if slug in RESERVED_ON_WINDOWS else slug


def _jobs(study: Study, report: Report, areas: Sequence[Area]) -> list[Job]:
    path = _path_of(study, report.notebook)
    declared = declared_in(path)
    languages = report.languages or study.languages
    if report.over == "area" and not areas:
        raise ParameterError(
            [
                Fault(
                    report.notebook,
                    "runs over areas, of which the data has none",
                    'expected keys.area in study.toml, or over = "district"',
                )
            ]
        )
    codes = dict.fromkeys(one.code for one in areas)
    lang: dict[str, object] = {"lang": languages[0]} if "lang" in declared else {}
    reads = reads_of(report)
    known = (study.answers(study.area) if study.area else {}) or codes
    values: dict[str, Plain] = {}
    jobs = []
    for area in areas if report.over == "area" else (None,):
        if values and area and area.code in known and "area" not in report.parameters:
            values = values | {"area": area.code}  # all else was checked for the area before
        else:
            given = lang | ({"area": area.code} if area else {}) | report.parameters
            values = checked(declared, given, study, where=report.notebook, areas=codes)
        slug = slug_of(report.notebook, area, {name: values[name] for name in report.parameters})
        mine = reads.about(area.code) if reads and area else reads
        jobs.append(Job(report.notebook, area, tuple(values.items()), languages, slug, reads=mine))
    return jobs


def _twice(jobs: Sequence[Job]) -> list[Fault]:
    """Reports that would be written to the same files."""
    counts = Counter(job.slug for job in jobs)
    return [
        Fault("study.toml", f"the report '{slug}' is asked for {count} times", "expected each report once")
        for slug, count in counts.items()
        if count > 1
    ]


def _path_of(study: Study, notebook: str) -> Path:
    path = study.notebooks / f"{notebook}.ipynb"
    if Path(notebook).name != notebook or "\\" in notebook:
        raise ParameterError(
            [Fault(f"notebook '{notebook}'", "lies outside notebooks/", "expected the name of a file in it")]
        )
    return path


def _narrowed(
    jobs: tuple[Job, ...], *, only: Sequence[str], area: Sequence[str], lang: Sequence[str]
) -> tuple[Job, ...]:
    wanted = {_bare(name) for name in only}
    kept = [job for job in jobs if not wanted or job.notebook in wanted]
    if area:
        kept = [job for job in kept if job.area and not set(area).isdisjoint(_names(job.area))]
    if lang:
        spoken = [(job, tuple(one for one in job.languages if one in lang)) for job in kept]
        kept = [replace(job, languages=languages) for job, languages in spoken if languages]
    if not kept:
        asked = " ".join(
            [*(f"--only {n}" for n in only), *(f"--area {a}" for a in area), *(f"--lang {c}" for c in lang)]
        )
        if not asked:
            raise PublishError("study.toml lists no reports. Add a [[reports]] part that names a notebook.")
        by_area = ", ".join(dict.fromkeys(job.notebook for job in jobs if job.area)) or "none"
        raise PublishError(f"No report fits {asked}. Reports made for each community: {by_area}.")
    return tuple(kept)


def _unknown_notebooks(study: Study, only: Sequence[str]) -> list[Fault]:
    known = list(dict.fromkeys(report.notebook for report in study.file.reports))
    return _unknown([_bare(name) for name in only], known, "--only", "report", "reports")


def _unknown(
    given: Sequence[str], known: Sequence[str], where: str, noun: str, nouns: str, *, also: Sequence[str] = ()
) -> list[Fault]:
    """A fault per name that is neither `known` nor another spelling in `also`."""
    return [
        Fault(
            where,
            f"no {noun} '{name}' in the study",
            f"{nouns}: {some_of(known)}",
            nearest(name, [*known, *also]),
        )
        for name in given
        if name not in known and name not in also
    ]


def _bare(notebook: str) -> str:
    return Path(notebook).name.removesuffix(".ipynb")


def _names(area: Area) -> tuple[str, ...]:
    return tuple(dict.fromkeys((area.code, area.label.zh, area.label.en)))


def _distinct(path: Path, column: str) -> set[str]:
    if not path.is_file():
        return set()
    # a run with nothing to do remembers the areas, and need not wait for this import
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    try:
        file: Any = pq.ParquetFile(path)
        if column not in file.schema_arrow.names:
            return set()
        values = pc.unique(file.read(columns=[column]).column(0)).to_pylist()
    except (OSError, ValueError) as error:
        raise PublishError(
            f"data/processed/{path.name} cannot be read: {str(error).splitlines()[0]}. "
            "Run 'cbresearch build --fresh' to make it again."
        ) from error
    return {str(value) for value in values if value is not None}


@lru_cache(maxsize=256)
def _plain(text: str) -> str:
    bare = re.sub(r"[^A-Za-z0-9_]+", "-", text).strip("-").lower()
    return bare[:60].strip("-")


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
