"""An effect wave by wave, before and since something came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale, units_wide
from cbresearch.show.catalogue import message
from cbresearch.show.causes import is_clear
from cbresearch.show.figure import Plot, figure
from cbresearch.show.page import Page
from cbresearch.show.rows import axis_title, ends
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import CATEGORY, INK, MAIN, SMALL
from cbresearch.show.units import Unit, number, one_unit
from cbresearch.show.words import compose, unanswered

BASE = -1
"""The last wave before, against which all others are held."""
BEFORE = CATEGORY[5]
TOP, TALL = 26.0, 200.0


@dataclass(frozen=True)
class Strip:
    """Where waves and numbers stand."""

    across: Scale
    at: Scale
    unit: Unit

    @property
    def bottom(self) -> float:
        return TOP + TALL


def events(page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown) -> Shown:
    """A dot with its 95 % interval for each wave, by the part "event" (waves since); grey before, coloured since.

    The wave before, -1, is what the others are compared with: a square at zero, with no doubt of its own.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    records = sorted(released, key=event_of)
    unit = one_unit(page, records, "A figure of events")

    def draw(lang: Language) -> Canvas:
        return _drawn(records, unit, lang)

    legend = [message("figure.events")]
    legend += [message("figure.hollow")] if any(record.status == "caution" for record in records) else []
    return figure(page, records, Plot("events", draw, _alternative(page, records), tuple(legend)), title)


def event_of(record: Released) -> int:
    """Waves since it came; negative before."""
    return int(record.part("event") or 0)


def _alternative(page: Page, records: Sequence[Released]) -> Text:
    there = [record for record in records if is_shown(record)]
    clear = [record for record in there if is_clear(record)]
    return compose(
        page, "alt.events", rows=len(records), before=sum(event_of(r) < 0 for r in clear),
        after=sum(event_of(r) >= 0 for r in clear), held=len(records) - len(there),
    )  # fmt: skip


def _drawn(records: Sequence[Released], unit: Unit, lang: Language) -> Canvas:
    waves = range(min(event_of(records[0]), BASE), max(event_of(records[-1]), 0) + 1)
    at = scale([*ends(records), 0.0], TOP + TALL, TOP, factor=unit.factor, most=unit.most)
    left, edge = units_wide(at.labels(), SMALL) + 8, 0.6
    strip = Strip(Scale((waves[0] - edge, waves[-1] + edge), left, WIDTH - 4), at, unit)
    canvas = Canvas(TOP + TALL + 90)
    _frame(canvas, strip, waves, lang)
    canvas.dots([(strip.across(BASE), at(0.0))], colour=BEFORE, size=6.5, marker="s")
    for record in records:
        _point(canvas, strip, record)
    canvas.crop(axis_title(canvas, strip.across, strip.bottom + 32, message("axis.events").say(lang)))
    return canvas


def _frame(canvas: Canvas, strip: Strip, waves: range, lang: Language) -> None:
    across, at = strip.across, strip.at
    canvas.lines([((across.start, at.tick(tick)), (across.end, at.tick(tick))) for tick in at.ticks])
    for tick, label in zip(at.ticks, at.labels(), strict=True):
        canvas.text(across.start - 6, at.tick(tick), label, align="right", size=SMALL, alpha=0.8)
    canvas.line([across.start, across.end], [at(0.0), at(0.0)], colour=INK, width=1.1)
    for wave in waves:
        canvas.text(across(wave), strip.bottom + 12, number(wave, 0), align="center", size=SMALL, alpha=0.8)
    came = across(BASE + 0.5)
    canvas.line([came, came], [TOP, strip.bottom], colour=INK, width=1.3, dash=True, alpha=0.75)
    for side, x, align in (("before", came - 8, "right"), ("since", came + 8, "left")):
        canvas.text(x, TOP - 12, message(f"figure.{side}").say(lang), align=align, size=SMALL)


def _point(canvas: Canvas, strip: Strip, record: Released) -> None:
    x, colour = strip.across(event_of(record)), BEFORE if event_of(record) < 0 else MAIN
    if not is_shown(record) or record.value is None:
        canvas.text(x, strip.at(0.0) - 9, "—", align="center", size=SMALL, alpha=0.75)
        return
    y, is_hollow = strip.at(record.value), record.status == "caution"
    if record.low is not None and record.high is not None:
        gap = 4.2 if is_hollow else 0.0
        for start, end in ((strip.at(record.low), y + gap), (y - gap, strip.at(record.high))):
            if start > end:
                canvas.line([x, x], [start, end], colour=colour, width=2.2)
    canvas.dots([(x, y)], colour=colour, hollow=is_hollow)
    # beside the dot, and never on the line of zero
    zero = strip.at(0.0)
    lifted = y if abs(y - zero) > 7 else zero - 8 if record.value >= 0 else zero + 8
    canvas.text(x + 8, lifted, strip.unit.number(record.value), size=SMALL)
