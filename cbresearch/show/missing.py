"""Where answers are missing: a square for each question and wave, darker where more people gave none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, units_wide, wrap
from cbresearch.show.catalogue import message
from cbresearch.show.classes import Classes, classes
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import short, wave_name
from cbresearch.show.page import Page
from cbresearch.show.rows import summary
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import SMALL, text_on
from cbresearch.show.units import Unit, one_unit
from cbresearch.show.words import unanswered

HEAD, HIGH, GAP, LINE = 22.0, 19.0, 2.0, 12.0
NARROWEST, WIDEST, LEAST = 34.0, 64.0, 120.0
"""Width of a square: room for its number, no bar; and of the labels where there are many waves."""
By = Mapping[tuple[str, str], Released]
"""Question and wave = number; what was not asked has none."""


def missing_map(page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown) -> Shown:
    """A row per question, a column per wave, the share without an answer in each square in print.

    Questions stand by their largest share, what was not asked in a wave stays empty. All numbers share one unit.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    by = {(record.measure, record.part("wave") or ""): record for record in released}
    waves = sorted({wave for _, wave in by})
    items = sorted(dict.fromkeys(measure for measure, _ in by), key=lambda item: -_largest(by, item, waves))
    unit = one_unit(page, released, "A map of missing answers")

    def draw(lang: Language) -> Canvas:
        labels = [short(page.label(item)).say(lang) for item in items]
        return _drawn(by, items, labels, waves, unit, lang)

    alternative = summary(page, "missing_map", released, panels=len(items))
    return figure(
        page, released, Plot("missing_map", draw, alternative, (message("figure.missing_map"),)), title
    )


def _largest(by: By, item: str, waves: Sequence[str]) -> float:
    there = (by.get((item, wave)) for wave in waves)
    return max((record.value or 0.0 for record in there if record and is_shown(record)), default=-1.0)


def _drawn(
    by: By, items: Sequence[str], labels: Sequence[str], waves: Sequence[str], unit: Unit, lang: Language
) -> Canvas:
    there = [record.value or 0.0 for record in by.values() if is_shown(record)]
    coloured = classes(there, unit)
    heads = [wave_name(wave).say(lang) for wave in waves]
    wide = _square_width(labels, heads)
    left = WIDTH - wide * len(waves)
    lines = [wrap(label, left - 8, SMALL) for label in labels]
    canvas = Canvas(5000.0)
    y = coloured.key(canvas, unit.heading.say(lang)) + HEAD
    for column, head in enumerate(heads):
        canvas.text(left + wide * (column + 0.5), y - HEAD / 2, head, align="center", size=SMALL)
    for item, label in zip(items, lines, strict=True):
        high = max(HIGH, LINE * len(label) + 5)
        for i, line in enumerate(label):
            at = y + high / 2 + (i - (len(label) - 1) / 2) * LINE
            canvas.text(left - 8, at, line, align="right", size=SMALL)
        for column, wave in enumerate(waves):
            if record := by.get((item, wave)):
                _square(canvas, record, unit, coloured, (left + wide * column, y, wide, high))
        y += high
    canvas.crop(y + 4)
    return canvas


def _square_width(labels: Sequence[str], heads: Sequence[str]) -> float:
    """Squares as wide as the labels leave room for, so that those stand in one line where they can."""
    room = (WIDTH - units_wide(labels, SMALL) - 8) / len(heads)
    narrowest = max(NARROWEST, units_wide(heads, SMALL) + 6)
    return min(max(min(room, WIDEST), narrowest), (WIDTH - LEAST) / len(heads))


def _square(
    canvas: Canvas, record: Released, unit: Unit, coloured: Classes, at: tuple[float, float, float, float]
) -> None:
    x, y, wide, high = at
    middle = x + wide / 2, y + high / 2
    if not is_shown(record) or record.value is None:
        canvas.text(*middle, "—", align="center", size=SMALL, alpha=0.75)
        return
    colour = coloured.colour(record.value)
    canvas.box(x + GAP / 2, y + GAP / 2, wide - GAP, high - GAP, colour)
    canvas.text(*middle, unit.number(record.value), align="center", size=SMALL, colour=text_on(colour))
