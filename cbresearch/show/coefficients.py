"""Effects with their intervals around zero, a panel for each unit of a cause."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale, units_wide, wrap
from cbresearch.show.catalogue import message
from cbresearch.show.causes import is_clear
from cbresearch.show.dots import mark
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import MEASURE, row_names, varying
from cbresearch.show.page import Page
from cbresearch.show.rows import ends, not_shown
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import CATEGORY, INK, SMALL
from cbresearch.show.units import unit_of
from cbresearch.show.words import compose, unanswered

ROW = 24.0


def coefficients(page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown) -> Shown:
    """A panel per cause with a row per term (within, between) or method, on an axis with zero in its middle.

    The axes of two causes differ, because their units do: lengths compare inside a panel only.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    records = sorted(
        released, key=lambda record: list(dict.fromkeys(r.measure for r in released)).index(record.measure)
    )
    legend = [message("figure.coefficients")]
    legend += [message("figure.hollow")] if any(record.status == "caution" for record in records) else []

    def draw(lang: Language) -> Canvas:
        return _drawn(page, records, lang)

    plot = Plot("coefficients", draw, _alternative(page, records), tuple(legend))
    return figure(page, records, plot, title)


def _alternative(page: Page, records: Sequence[Released]) -> Text:
    there = [record for record in records if is_shown(record)]
    sure = sum(is_clear(record) for record in there)
    return compose(
        page,
        "alt.coefficients",
        rows=len(records),
        clear=sure,
        unclear=len(there) - sure,
        held=len(records) - len(there),
    )


def _drawn(page: Page, records: Sequence[Released], lang: Language) -> Canvas:
    parts = [part for part in varying(records) if part != MEASURE]
    names = {id(r): name.say(lang) for r, name in zip(records, row_names(page, records, parts), strict=True)}
    colours = dict(zip(dict.fromkeys(names.values()), CATEGORY, strict=False))
    left = units_wide(names.values()) + 10 if parts else 0.0
    canvas = Canvas(160.0 * len(records) + 100)
    y = 4.0
    for measure, members in groupby(records, key=lambda record: record.measure):
        panel = list(members)
        y = _heading(canvas, page, measure, panel[0].unit, y, lang)
        at = _around_zero(ends(panel), left + 8, WIDTH - 10)
        bottom = y + ROW * len(panel)
        canvas.ruler(at, y, bottom)
        canvas.line([at(0), at(0)], [y, bottom], colour=INK, width=1.3)
        for i, record in enumerate(panel):
            _row(
                canvas,
                page,
                at,
                y + ROW * (i + 0.5),
                record,
                (names[id(record)] if parts else "", left, lang),
                colours,
            )
        y = bottom + 34
    canvas.crop(y - 10)
    return canvas


def _heading(canvas: Canvas, page: Page, measure: str, unit: str, y: float, lang: Language) -> float:
    for line in wrap(page.label(measure).say(lang), WIDTH - 8):
        canvas.text(0, y + 8, line)
        y += 16
    for line in wrap(unit_of(page, unit).heading.say(lang), WIDTH - 8, SMALL):
        canvas.text(0, y + 7, line, size=SMALL, alpha=0.8)
        y += 14
    return y + 4


def _around_zero(reach: Sequence[float], start: float, end: float) -> Scale:
    far = max((abs(number) for number in reach), default=1.0)
    return scale([-far, 0.0, far], start, end, intervals=6)


def _row(
    canvas: Canvas,
    page: Page,
    at: Scale,
    y: float,
    record: Released,
    told: tuple[str, float, Language],
    colours: dict[str, str],
) -> None:
    name, left, lang = told
    canvas.text(left - 8, y, name, align="right")
    if not is_shown(record):
        not_shown(canvas, at.start + 4, y, lang)
        return
    mark(canvas, at, y, record, colours.get(name, CATEGORY[0]))
