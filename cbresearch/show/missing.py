"""Where answers are missing: a square for each question and wave, darker where more people gave none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas
from cbresearch.show.catalogue import message
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import short, wave_name
from cbresearch.show.page import Page
from cbresearch.show.rows import rows, summary
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import ORDER, SMALL, text_on
from cbresearch.show.units import Unit, one_unit
from cbresearch.show.words import unanswered

HEAD, HIGH, GAP = 22.0, 20.0, 2.0
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
    place = rows(labels, HEAD, height=HIGH + GAP)
    canvas = Canvas(place.bottom + 4)
    wide = (WIDTH - place.beside) / len(waves)
    top = max((_largest(by, item, waves) for item in items), default=0.0)
    for column, wave in enumerate(waves):
        x = place.beside + column * wide
        canvas.text(x + wide / 2, HEAD / 2, wave_name(wave).say(lang), align="center", size=SMALL)
        for row, item in enumerate(items):
            if record := by.get((item, wave)):
                _square(canvas, record, unit, top, (x, place.middles[row], wide))
    for row in range(len(items)):
        place.write(canvas, row)
    return canvas


def _square(canvas: Canvas, record: Released, unit: Unit, top: float, at: tuple[float, float, float]) -> None:
    x, middle, wide = at
    if not is_shown(record) or record.value is None:
        canvas.text(x + wide / 2, middle, "—", align="center", size=SMALL, alpha=0.75)
        return
    step = min(int(record.value / top * len(ORDER)), len(ORDER) - 1) if top > 0 else 0
    canvas.box(x, middle - HIGH / 2, wide - GAP, HIGH, ORDER[step])
    words = unit.number(record.value)
    canvas.text(x + (wide - GAP) / 2, middle, words, align="center", size=SMALL, colour=text_on(ORDER[step]))
