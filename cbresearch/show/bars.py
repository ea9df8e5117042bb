"""Plain bars from zero: how much, how many."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, scale
from cbresearch.show.catalogue import message
from cbresearch.show.dots import is_marked
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import row_names, varying
from cbresearch.show.page import Page
from cbresearch.show.rows import Order, axis_title, by_value, ends, not_shown, rows, summary, value_room
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import ACCENT, INK, MAIN
from cbresearch.show.units import Unit, one_unit
from cbresearch.show.words import unanswered

THICK = 13.0


def bars(
    page: Page,
    released: Sequence[Released] | Unanswered,
    *,
    title: Text | Shown,
    highlight: str | None = None,
    order: Order = by_value,
) -> Shown:
    """A bar per number from zero, largest first, with its value in print and its interval where it has one.

    All numbers share one unit. `highlight` is a code of any group column whose bar is coloured.
    `order=as_given` keeps the order of the numbers (age groups, kinds of facility).
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    ordered = order(released, row_names(page, released, varying(released)))
    records = [record for record, _ in ordered]
    unit = one_unit(page, records, "A bar chart")
    has_interval = any(record.low is not None for record in records)

    def draw(lang: Language) -> Canvas:
        return _drawn(ordered, unit, lang, highlight)

    legend = (message("figure.bars_interval" if has_interval else "figure.bars"),)
    return figure(page, records, Plot("bars", draw, summary(page, "bars", records), legend), title)


def _drawn(
    ordered: Sequence[tuple[Released, Text]], unit: Unit, lang: Language, highlight: str | None
) -> Canvas:
    records = [record for record, _ in ordered]
    place = rows([label.say(lang) for _, label in ordered], 4.0)
    at = scale(
        [0.0, *ends(records)],
        place.beside + 2,
        WIDTH - value_room(records, unit) - 8,
        factor=unit.factor,
        most=unit.most,
    )
    canvas = Canvas(place.bottom + 80)
    canvas.ruler(at, 4.0, place.bottom)
    for i, record in enumerate(records):
        place.write(canvas, i)
        y = place.middles[i]
        if not is_shown(record) or record.value is None:
            not_shown(canvas, at(0) + 4, y, lang)
            continue
        colour = ACCENT if is_marked(record, highlight) else MAIN
        canvas.box(min(at(0), at(record.value)), y - THICK / 2, abs(at(record.value) - at(0)), THICK, colour)
        if record.low is not None and record.high is not None:
            canvas.line([at(record.low), at(record.high)], [y, y], colour=INK, width=1.3)
        canvas.text(WIDTH, y, unit.number(record.value), align="right")
    canvas.line([at(0), at(0)], [4.0, place.bottom], colour=INK, width=1.1)
    canvas.crop(axis_title(canvas, at, place.bottom + 28, unit.heading.say(lang)))
    return canvas
