"""Dot-and-interval rows: communities, items or groups side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale, units_wide
from cbresearch.show.catalogue import message
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import row_names, varying, wholes
from cbresearch.show.page import Page
from cbresearch.show.rows import Order, Rows, axis_title, by_value, ends, not_shown, rows, summary, value_room
from cbresearch.show.shown import Shown, is_shown, together
from cbresearch.show.tables import empty
from cbresearch.show.theme import ACCENT, INK, MAIN, SMALL
from cbresearch.show.units import Unit, heading_of, unit_of
from cbresearch.show.words import unanswered


def dots(
    page: Page,
    released: Sequence[Released] | Unanswered,
    *,
    title: Text | Shown,
    reference: Released | float | None = None,
    reference_label: Text | None = None,
    highlight: str | None = None,
    order: Order = by_value,
) -> Shown:
    """A row per number, largest first: its dot, its 95 % interval, its value in print.

    A figure for each unit, since a figure has one axis. A number about everybody among numbers
    about groups becomes the reference line. `reference` draws an upright line, at a released number
    (the district's) or at a number such as a target. `highlight` is a code of any group column (a
    community) whose row is coloured. Held-back rows come last and say so in words.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    options = _Options(reference, reference_label, highlight, order)
    first, *others = (list(found) for found in _by_unit(released))
    figures = [_figure(page, first, title, options)]
    figures += [_figure(page, found, unit_of(page, found[0].unit).heading, options) for found in others]
    return together(*figures)


@dataclass(frozen=True)
class _Options:
    """What the reader of a figure is to hold its dots against, in which order, which one to find."""

    reference: Released | float | None
    reference_label: Text | None
    highlight: str | None
    order: Order


def _by_unit(released: Sequence[Released]) -> list[list[Released]]:
    found: dict[str, list[Released]] = {}
    for record in released:
        found.setdefault(record.unit, []).append(record)
    return list(found.values())


def _figure(page: Page, released: Sequence[Released], title: Text | Shown, options: _Options) -> Shown:
    reference, reference_label = options.reference, options.reference_label
    everybody = _everybody(released) if reference is None else None
    if everybody is not None:
        reference, reference_label = everybody, reference_label or message("figure.overall")
    rows_of = [record for record in released if record is not reference]
    ordered = options.order(rows_of, row_names(page, rows_of, varying(rows_of)))
    records = [record for record, _ in ordered]
    unit, line = unit_of(page, records[0].unit), _stands_at(reference)
    words = reference_label or message(
        "figure.district" if isinstance(reference, Released) else "figure.target"
    )
    stated = unit.plain(line or 0.0) if isinstance(reference, float | int) else unit.number(line or 0.0)
    heading = heading_of(page, records[0])

    def draw(lang: Language) -> Canvas:
        return _drawn(
            ordered, (unit, heading), lang, (line, f"{words.say(lang)} {stated}"), options.highlight
        )

    plot = Plot("dots", draw, summary(page, "dots", records), legend_of(records))
    return figure(page, [*records, *([everybody] if everybody else [])], plot, title)


def _everybody(released: Sequence[Released]) -> Released | None:
    """The one number about everybody among numbers about groups, if it may be shown."""
    found = [record for record in wholes(released) if is_shown(record)]
    return found[0] if len(found) == 1 else None


def _stands_at(reference: Released | float | None) -> float | None:
    """Where the reference line stands; nowhere when its number is held back."""
    if isinstance(reference, Released):
        return reference.value if is_shown(reference) else None
    return reference


def legend_of(records: Sequence[Released]) -> tuple[Text, ...]:
    """How to read dots; hollow ones are explained only where there are some."""
    has_interval = any(record.low is not None for record in records)
    first = message("figure.interval" if has_interval else "figure.plain_dots")
    return (first, message("figure.hollow")) if any(r.status == "caution" for r in records) else (first,)


def mark(canvas: Canvas, at: Scale, y: float, record: Released, colour: str) -> None:
    """One dot with its interval; hollow where it is to be used with care."""
    if record.value is None:
        return
    middle, is_hollow = at(record.value), record.status == "caution"
    if record.low is not None and record.high is not None:
        gap = 4.2 if is_hollow else 0.0
        for start, end in ((at(record.low), middle - gap), (middle + gap, at(record.high))):
            if end > start:
                canvas.line([start, end], [y, y], colour=colour, width=2.2)
    canvas.dots([(middle, y)], colour=colour, hollow=is_hollow)


def is_marked(record: Released, highlight: str | None) -> bool:
    return highlight is not None and highlight in dict(record.group).values()


def reference_line(canvas: Canvas, at: Scale, value: float, words: str, top: float, bottom: float) -> None:
    """A dashed upright with its name above it, kept inside the figure."""
    x, half = at(value), units_wide([words], SMALL) / 2
    canvas.line([x, x], [top, bottom], colour=INK, width=1.3, dash=True, alpha=0.75)
    canvas.text(min(max(x, half), WIDTH - half), top - 10, words, align="center", size=SMALL)


def _drawn(
    ordered: Sequence[tuple[Released, Text]],
    told: tuple[Unit, Text],
    lang: Language,
    line: tuple[float | None, str],
    highlight: str | None,
) -> Canvas:
    records = [record for record, _ in ordered]
    (unit, heading), (value, words) = told, line
    top = 8.0 if value is None else 24.0
    place = rows([label.say(lang) for _, label in ordered], top)
    reach = [*ends(records), *([] if value is None else [value])]
    at = scale(
        reach, place.beside + 6, WIDTH - value_room(records, unit) - 8, factor=unit.factor, most=unit.most
    )
    canvas = Canvas(place.bottom + 80)
    canvas.ruler(at, top, place.bottom)
    canvas.lines([((at.start, y), (at.end, y)) for y in place.middles], alpha=0.12)
    if value is not None:
        reference_line(canvas, at, value, words, top, place.bottom)
    if at.ticks[0] < 0 < at.ticks[-1]:
        canvas.line([at.tick(0), at.tick(0)], [top, place.bottom], colour=INK, width=1.1)
    for i, record in enumerate(records):
        _row(canvas, place, i, at, record, (unit, lang), ACCENT if is_marked(record, highlight) else MAIN)
    canvas.crop(axis_title(canvas, at, place.bottom + 28, heading.say(lang)))
    return canvas


def _row(
    canvas: Canvas, place: Rows, i: int, at: Scale, record: Released, told: tuple[Unit, Language], colour: str
) -> None:
    unit, lang = told
    place.write(canvas, i)
    y = place.middles[i]
    if not is_shown(record) or record.value is None:
        not_shown(canvas, at.start + 4, y, lang)
        return
    mark(canvas, at, y, record, colour)
    canvas.text(WIDTH, y, unit.number(record.value), align="right")
