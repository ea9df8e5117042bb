"""A comparison as one HTML page in both languages: no request, no file beside it, no need of a script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jinja2

import cbresearch
from cbresearch.errors import PublishError
from cbresearch.publish import diff_words
from cbresearch.publish.assets import TEMPLATE, asset, content_policy
from cbresearch.publish.diff import Change, Kind
from cbresearch.publish.diff_numbers import Number
from cbresearch.publish.diff_runs import Run
from cbresearch.publish.diff_table import below, told
from cbresearch.publish.diff_why import CAUSES, Cause, Comparison
from cbresearch.publish.shelf import write_whole
from cbresearch.publish.words import HTML_LANGUAGES, LANGUAGE_NAMES, words
from cbresearch.records import LANGUAGES

FIRST_ROWS = 50
NAMED_REPORTS = 6
NOTED = ("measured", "counted", "gate")


@dataclass(frozen=True, slots=True)
class Cell:
    """One side of a row: a figure with its interval and standard error, or a status in its place."""

    value: str = ""
    interval: str = ""
    doubt: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    name: str
    search: str
    report: str
    why: str
    marks: tuple[str, ...]
    before: Cell
    after: Cell
    step: str
    unit: str
    margins: str
    far: bool


@dataclass(frozen=True, slots=True)
class Section:
    """All rows of one kind; the first ones open, the rest behind a fold."""

    title: str
    count: str
    note: str
    below: str
    first: tuple[Row, ...]
    rest: tuple[Row, ...]
    rest_title: str
    has_before: bool
    has_after: bool
    has_move: bool


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that reports are made from, over all reports in which something moved."""

    name: str
    state: str
    reports: str
    details: tuple[str, ...] = ()


def write_diff(path: Path, compared: Comparison, *, over: float = 0.0, everything: bool = False) -> Path:
    """Write the page to `path`, whole or not at all; PublishError where that cannot be written."""
    try:
        write_whole(path, diff_html(compared, over=over, everything=everything))
    except OSError as error:
        raise PublishError(
            f"The page cannot be written to {path}: {error.strerror}. Name a file in a folder that you may write to."
        ) from error
    return path


def diff_html(compared: Comparison, *, over: float = 0.0, everything: bool = False) -> str:
    """The page's text: every language in it, Chinese first."""
    script = asset("diff.js")
    tongues = [_tongue(compared, language, over, everything) for language in reversed(LANGUAGES)]
    return _template().render(
        tongues=tongues,
        title=" · ".join(tongue["say"]["title"] for tongue in reversed(tongues)),
        style=asset("page.css") + asset("diff.css"),
        script=script,
        policy=content_policy(script),
    )


@cache
def _template() -> jinja2.Template:
    loader = jinja2.FileSystemLoader(TEMPLATE)
    return jinja2.Environment(loader=loader, autoescape=True).get_template("diff.html.j2")


def _tongue(compared: Comparison, language: str, over: float, everything: bool) -> dict[str, Any]:
    """All that the template shows in one language."""
    a, b = compared.a, compared.b
    page, say = words(language), diff_words.words(language)
    shown = told(compared, over=over, everything=everything)
    hidden = below(compared, over)
    notices = dict.fromkeys(run.notice.say(language) for run in (a, b) if run.notice)
    studies = dict.fromkeys(run.title.say(language) for run in (a, b))
    return {
        "language": language,
        "html_language": HTML_LANGUAGES[language],
        "tongue": LANGUAGE_NAMES[language],
        "say": say,
        "skip": page["skip"],
        "language_word": page["language"],
        "notice_word": page["notice"],
        "none_found": diff_words.said("no_match", language),
        "notices": tuple(notices),
        "study": " · ".join(study for study in studies if study),
        "summary": diff_words.summary(compared, language),
        "warning": diff_words.said("studies", language, a=a.study, b=b.study) if a.study != b.study else "",
        "causes": _inputs(compared, language),
        "sections": [
            _section(kind, changes, compared, language, hidden if kind == "measured" else 0, over)
            for kind, changes in shown.items()
            if changes or (kind == "measured" and hidden)
        ],
        "rows": any(shown.values()),
        "facts": (
            *_facts(a, say["before"], say), *_facts(b, say["after"], say),
            (page["fact_version"], f"cbresearch {cbresearch.__version__}"),
        ),
    }  # fmt: skip


def _facts(run: Run, side: str, say: dict[str, Any]) -> list[tuple[str, str]]:
    facts = [(side, run.label)]
    return [*facts, (f"{side} · {say['finished']}", run.finished)] if run.finished else facts


def _section(
    kind: Kind, changes: Sequence[Change], compared: Comparison, language: str, hidden: int, over: float
) -> Section:
    rows = tuple(_row(change, compared, language) for change in changes)
    note = f"{kind}_note" if kind in NOTED else "gate_note" if any(c.is_hidden for c in changes) else ""
    return Section(
        title=diff_words.said(kind, language),
        count=f"{len(rows):,}",
        note=diff_words.said(note, language) if note else "",
        below=diff_words.said("below", language, n=f"{hidden:,}", over=f"{over:g}") if hidden else "",
        first=rows[:FIRST_ROWS],
        rest=rows[FIRST_ROWS:],
        rest_title=diff_words.said("rest", language, n=f"{len(rows) - FIRST_ROWS:,}"),
        has_before=kind != "only in B",
        has_after=kind != "only in A",
        has_move=kind in ("measured", "counted"),
    )


def _row(change: Change, compared: Comparison, language: str) -> Row:
    why = compared.why.get(change.key.report)
    name = diff_words.name(change, compared.apart, language)
    report = _title(compared, change.key.report, language)
    told = change.marks if change.kind != "gate" else ()
    return Row(
        name=name,
        search=f"{name} {report} {change.key.report} {change.key.measure}".lower(),
        report=report,
        why=diff_words.reason(change, why, language) if why and change.kind != "unmoved" else "",
        marks=tuple(diff_words.mark(one, change, language) for one in told),
        before=_cell(change.old, change, language),
        after=_cell(change.new, change, language),
        step="" if change.difference is None else diff_words.step(change.difference),
        unit=diff_words.unit(change, language),
        margins=diff_words.margins(change, language),
        far=change.is_beyond,
    )


def _cell(number: Number | None, change: Change, language: str) -> Cell:
    if number is None:
        return Cell()
    if change.is_hidden:
        return Cell(status=diff_words.status(number.status, language))
    grain = diff_words.grain(change, number)
    return Cell(
        diff_words.figure(number.value, grain, language),
        diff_words.interval(number, grain, language),
        diff_words.doubt(number, language),
    )


def _inputs(compared: Comparison, language: str) -> list[Input]:
    """A row per thing that reports are made from; none where nothing moved."""
    if not compared.why:
        return []
    return [_input(compared, cause, language) for cause in CAUSES]


def _input(compared: Comparison, cause: Cause, language: str) -> Input:
    name = diff_words.CAUSE_WORDS[cause].say(language)
    touched = [report for report, why in compared.why.items() if cause in why.changed]
    if not touched:
        unknown = any(cause in why.unknown for why in compared.why.values())
        return Input(name, diff_words.said("unknown" if unknown else "no", language), "")
    titles = [_title(compared, report, language) for report in touched[:NAMED_REPORTS]]
    comparable = [why for why in compared.why.values() if why.changed or why.status_a == why.status_b]
    reports = _listed(titles, len(touched), language)
    if len(touched) == len(comparable) > 1:
        reports = diff_words.said("all_reports", language, n=len(touched))
    details = dict.fromkeys(diff_words.detail(cause, compared.why[report]) for report in touched)
    shown = tuple(one for one in details if one)[:NAMED_REPORTS]
    return Input(name, diff_words.said("yes", language), reports, shown)


def _title(compared: Comparison, report: str, language: str) -> str:
    """As B has it, or A where only A has the report."""
    title = compared.b.title_of(report, language)
    return title if title != report else compared.a.title_of(report, language)


def _listed(titles: Sequence[str], count: int, language: str) -> str:
    joined = ("；" if language == "zh" else "; ").join(titles)
    more = count - len(titles)
    return joined + (diff_words.said("and_more", language, n=more) if more else "")
