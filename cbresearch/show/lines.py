"""Change over the waves, a small panel for each item, group or community."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale, units_wide, wrap
from cbresearch.show.catalogue import message
from cbresearch.show.dots import is_marked
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import row_names, varying, wave_name
from cbresearch.show.page import Page
from cbresearch.show.rows import ends, summary
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import ACCENT, INK, MAIN, SMALL
from cbresearch.show.units import Unit, unit_of
from cbresearch.show.words import compose, paragraph, unanswered

TALL = {1: 190.0, 2: 120.0, 3: 92.0, 4: 70.0}
"""Height of a panel by how many stand in a row."""


@dataclass(frozen=True)
class Panel:
    """One series: what it is called, its unit, its numbers by wave."""

    name: Text
    unit: Unit
    records: tuple[Released, ...]


@dataclass(frozen=True)
class Sheet:
    """What all panels share: waves in order, the grey reference series, the marked code."""

    waves: tuple[str, ...]
    reference: tuple[Released, ...]
    highlight: str | None
    lang: Language


def waves(
    page: Page,
    released: Sequence[Released] | Unanswered,
    *,
    title: Text | Shown,
    reference: Sequence[Released] = (),
    reference_label: Text | None = None,
    highlight: str | None = None,
) -> Shown:
    """A panel per series over the group column "wave", with 95 % intervals. Panels share both axes,
    unless their units differ: then each has an upright axis of its own, with its unit in its heading.

    `reference` is a series of its own (the district) drawn in grey behind each panel, with the same
    unit. A held-back wave leaves a gap in the line. One series alone gets one wide panel; of one wave
    there is no change to draw, which a note says.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    panels = _panels(page, released)
    order = tuple(sorted({record.part("wave") or "" for record in [*released, *reference]}, key=_wave_order))

    def draw(lang: Language) -> Canvas:
        return _drawn(panels, Sheet(order, tuple(reference), highlight, lang))

    if len(order) == 1:
        key = "figure.caution.one_wave"
        return paragraph(page, key, message(key), released)
    has_interval = any(record.low is not None for record in released)
    legend = [message("figure.waves" if has_interval else "figure.plain_dots")]
    legend += [message("figure.hollow")] if any(record.status == "caution" for record in released) else []
    if reference:
        legend.append(
            compose(page, "figure.waves_reference", reference=reference_label or message("group.everybody"))
        )
    plot = Plot("waves", draw, summary(page, "waves", list(released), panels=len(panels)), tuple(legend))
    return figure(page, released, plot, title)


def _wave_order(wave: str) -> tuple[float, str]:
    return (float(wave), wave) if wave.isdigit() else (float("inf"), wave)


def _panels(page: Page, released: Sequence[Released]) -> list[Panel]:
    """Series in the order in which they come."""
    parts = [part for part in varying(released) if part != "wave"]
    names = row_names(page, released, parts) if parts else [Text("", "")] * len(released)
    series: dict[Text, list[Released]] = {}
    for name, record in zip(names, released, strict=True):
        series.setdefault(name, []).append(record)
    return [
        Panel(
            name,
            unit_of(page, found[0].unit),
            tuple(sorted(found, key=lambda record: _wave_order(record.part("wave") or ""))),
        )
        for name, found in series.items()
    ]


def _drawn(panels: Sequence[Panel], sheet: Sheet) -> Canvas:
    is_shared = len({panel.unit.heading for panel in panels}) == 1
    across = _across(len(panels)) if is_shared else min(2, len(panels))
    ticks = max(_ticks_room(panel, sheet) for panel in panels)
    gap = 12.0 if is_shared else 12.0 + ticks
    width = (WIDTH - ticks - gap * (across - 1) - 6) / across
    heads = [_heading(panel, sheet.lang, width, is_shared=is_shared) for panel in panels]
    common = ends([*(record for panel in panels for record in panel.records), *sheet.reference])
    canvas = Canvas(4000.0)
    y = 2.0
    for start in range(0, len(panels), across):
        row = range(start, min(start + across, len(panels)))
        y += 13.0 * max(len(heads[i]) for i in row) + 6
        for column, i in enumerate(row):
            x = ticks + column * (width + gap)
            for n, line in enumerate(reversed(heads[i])):
                canvas.text(x, y - 10 - 13 * n, line, size=SMALL)
            at = _upright(panels[i], common if is_shared else ends(panels[i].records), y, across)
            _panel(canvas, panels[i], sheet, at, (x, x + width), is_first=column == 0 or not is_shared)
        y += TALL[across] + 24
    canvas.crop(y)
    return canvas


def _across(count: int) -> int:
    """Panels in a row: few and wide, or many and small."""
    if count == 1:
        return 1
    return 2 if count in {2, 4} else 3 if count <= 12 else 4


def _ticks_room(panel: Panel, sheet: Sheet) -> float:
    reach = ends([*panel.records, *sheet.reference]) or [0.0]
    return units_wide([panel.unit.number(value) for value in reach], SMALL) + 8


def _heading(panel: Panel, lang: Language, width: float, *, is_shared: bool) -> list[str]:
    lines = wrap(panel.name.say(lang), width, SMALL) if panel.name.en else []
    return lines if is_shared else [*lines, *wrap(panel.unit.heading.say(lang), width, SMALL)]


def _upright(panel: Panel, reach: Sequence[float], top: float, across: int) -> Scale:
    unit, intervals = panel.unit, 4 if across > 1 else 5
    return scale(reach, top + TALL[across], top, factor=unit.factor, intervals=intervals, most=unit.most)


def _panel(
    canvas: Canvas, panel: Panel, sheet: Sheet, at: Scale, span: tuple[float, float], *, is_first: bool
) -> None:
    _frame(canvas, at, span, is_first=is_first)
    across = _waves_scale(sheet.waves, span)
    is_wide = span[1] - span[0] >= 50 * len(sheet.waves)
    for wave in sheet.waves if is_wide else dict.fromkeys((sheet.waves[0], sheet.waves[-1])):
        canvas.text(
            across[wave], at.start + 10, _wave(wave, sheet.lang), align="center", size=SMALL, alpha=0.8
        )
    _series(canvas, sheet.reference, at, across, INK, is_quiet=True)
    is_lit = any(is_marked(record, sheet.highlight) for record in panel.records)
    _series(canvas, panel.records, at, across, ACCENT if is_lit else MAIN, is_quiet=False)


def _wave(wave: str, lang: Language) -> str:
    """A year stays a number on an axis; a counted wave says what it is."""
    return wave if len(wave) == 4 and wave.isdigit() else wave_name(wave).say(lang)


def _frame(canvas: Canvas, at: Scale, span: tuple[float, float], *, is_first: bool) -> None:
    canvas.lines([((span[0], at.tick(tick)), (span[1], at.tick(tick))) for tick in at.ticks])
    if is_first:
        for tick, label in zip(at.ticks, at.labels(), strict=True):
            canvas.text(span[0] - 6, at.tick(tick), label, align="right", size=SMALL, alpha=0.8)


def _waves_scale(order: Sequence[str], span: tuple[float, float]) -> dict[str, float]:
    """Where waves stand: years apart as they are, counted waves evenly."""
    numbers = (
        [float(wave) for wave in order]
        if all(wave.isdigit() for wave in order)
        else list(map(float, range(len(order))))
    )
    inside = 18.0
    first, room = span[0] + inside, span[1] - span[0] - 2 * inside
    length = numbers[-1] - numbers[0]
    return {
        wave: first + room * ((n - numbers[0]) / length if length else 0.5)
        for wave, n in zip(order, numbers, strict=True)
    }


def _series(
    canvas: Canvas,
    records: Sequence[Released],
    at: Scale,
    across: dict[str, float],
    colour: str,
    *,
    is_quiet: bool,
) -> None:
    run: list[tuple[float, float]] = []
    for record in [*records, None]:
        if record is not None and is_shown(record) and record.value is not None:
            run.append((across[record.part("wave") or ""], at(record.value)))
            continue
        if len(run) > 1:
            xs, ys = zip(*run, strict=True)
            canvas.line(
                xs, ys, colour=colour, width=1.2 if is_quiet else 1.6, alpha=0.45 if is_quiet else 1.0
            )
        run = []
    if not is_quiet:
        _points(canvas, [record for record in records if is_shown(record)], at, across, colour)


def _points(
    canvas: Canvas, records: Sequence[Released], at: Scale, across: dict[str, float], colour: str
) -> None:
    where = [across[record.part("wave") or ""] for record in records]
    reach = [
        ((x, at(record.low)), (x, at(record.high)))
        for x, record in zip(where, records, strict=True)
        if record.low is not None and record.high is not None
    ]
    if reach:
        canvas.lines(reach, colour=colour, width=1.8, alpha=1.0)
    for is_hollow in (False, True):
        marks = [
            (x, at(record.value))
            for x, record in zip(where, records, strict=True)
            if record.value is not None and (record.status == "caution") == is_hollow
        ]
        if marks:
            canvas.dots(marks, colour=colour, size=5.5, hollow=is_hollow)
