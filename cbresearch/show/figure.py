"""A figure as a page shows it: finding, drawing, how to read it, what is held back, its data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from cbresearch.records import Language, Released, Text
from cbresearch.show.canvas import Canvas
from cbresearch.show.catalogue import message
from cbresearch.show.names import MISSING, constant, part_name, row_names, varying
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, escape, is_shown, shown
from cbresearch.show.svg import inline
from cbresearch.show.tables import long_grid, words_of
from cbresearch.show.units import heading_of
from cbresearch.show.words import compose, reason_of


@dataclass(frozen=True)
class Plot:
    """What a kind of figure knows of itself: how to draw it, its alternative, how to read it."""

    kind: str
    draw: Callable[[Language], Canvas]
    alternative: Text
    legend: tuple[Text, ...] = ()


def figure(page: Page, records: Sequence[Released], plot: Plot, title: Text | Shown) -> Shown:
    """A <figure> per language, drawn once in each; a character without a glyph is a PublishError."""
    words = words_of(title)
    subtitle = _subtitle(page, records)
    data = long_grid(page, records, subtitle)
    unseen = _held_back(page, records)

    def html(lang: Language) -> str:
        name = _name(plot.kind, lang, words, records)
        drawing = inline(
            plot.draw(lang), name=name, title=words.say(lang), alternative=plot.alternative.say(lang)
        )
        legend = ("" if lang == "zh" else " ").join(text.say(lang) for text in plot.legend)
        return (
            f'<figure class="chart {plot.kind}"><figcaption><strong>{escape(words.say(lang))}</strong><br>'
            f'<span class="subtitle">{escape(subtitle.say(lang))}</span></figcaption>\n{drawing}\n'
            f"{_line('legend', [legend] if legend else [])}{_line('held-back', [line.say(lang) for line in unseen])}"
            f'<details class="data"><summary>{escape(message("figure.data").say(lang))}</summary>{data.html(lang)}</details></figure>'
        )

    return shown(page, html, words, records)


def _name(kind: str, lang: str, title: Text, records: Sequence[Released]) -> str:
    """An id that only this figure in this language has, the same in each run."""
    told = repr((kind, lang, title, [(r.measure, r.group, r.value) for r in records]))
    return f"{kind}-{sha256(told.encode()).hexdigest()[:8]}"


def _subtitle(page: Page, records: Sequence[Released]) -> Text:
    """What the numbers share: measure, group, unit."""
    measures = dict.fromkeys(record.measure for record in records)
    shared = [page.label(next(iter(measures)))] if len(measures) == 1 else []
    methods = {record.method for record in records if is_shown(record)}
    shared += [message("measured.missing")] if methods == {MISSING} else []
    shared += [part_name(page, records[0], column) for column in constant(records)]
    units = dict.fromkeys(heading_of(page, record) for record in records)
    shared += [unit for unit in units if len(units) == 1 and unit.en]
    return Text("，".join(text.zh for text in shared), ", ".join(text.en for text in shared))


def _held_back(page: Page, records: Sequence[Released]) -> tuple[Text, ...]:
    """A line for each reason, naming the numbers that it keeps back."""
    by_reason: dict[Text, list[Text]] = {}
    names = row_names(page, records, varying(records))
    for record, name in zip(records, names, strict=True):
        if not is_shown(record):
            by_reason.setdefault(reason_of(record), []).append(name)
    return tuple(
        compose(page, "note.held_back", name=Text(_listed(found, "zh"), _listed(found, "en")), reason=reason)
        for reason, found in by_reason.items()
    )


def _listed(names: Sequence[Text], lang: str) -> str:
    return ("、" if lang == "zh" else "; ").join(dict.fromkeys(name.say(lang) for name in names))


def _line(css: str, lines: Sequence[str]) -> str:
    return "".join(f'<p class="{css}">{escape(line)}</p>' for line in lines)
