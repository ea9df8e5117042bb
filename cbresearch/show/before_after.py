"""What weights change: each share before, after, beside the population's."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, scale, units_wide
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import part_name, row_names, varying
from cbresearch.show.page import Page
from cbresearch.show.rows import axis_title, not_shown, rows
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import ACCENT, CATEGORY, INK, MAIN, SMALL
from cbresearch.show.units import one_unit, unit_of
from cbresearch.show.words import compose, unanswered

STAGES = {
    "unweighted": (ACCENT, "o"),
    "base": (CATEGORY[4], "s"),
    "weighted": (MAIN, "o"),
    "population": (INK, "|"),
}
"""Colour and shape, so that the stages are told apart without colour too."""


def before_after(
    page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown, stage: str = "stage"
) -> Shown:
    """A row per group with its share unweighted, weighted, in the population.

    `stage` names the group column that holds "unweighted", "base", "weighted" or "population"; rows
    are what is left of the group. Rows keep their order.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    grouped = _grouped(page, released, stage)
    stages = list(dict.fromkeys(record.part(stage) or "" for record in released))

    def draw(lang: Language) -> Canvas:
        return _drawn(page, grouped, stages, stage, lang)

    plot = Plot("before-after", draw, _alternative(page, grouped))
    return figure(page, released, plot, title)


Grouped = dict[Text, dict[str, Released]]


def _grouped(page: Page, released: Sequence[Released], stage: str) -> Grouped:
    parts = [part for part in varying(released) if part != stage]
    found: Grouped = {}
    names = row_names(page, released, parts) if parts else [page.label(r.measure) for r in released]
    for name, record in zip(names, released, strict=True):
        found.setdefault(name, {})[record.part(stage) or ""] = record
    return found


def _alternative(page: Page, grouped: Grouped) -> Text:
    """Names the row that weights move most."""
    moves = {
        name: (found["unweighted"], found["weighted"])
        for name, found in grouped.items()
        if {"unweighted", "weighted"} <= set(found)
        and all(is_shown(found[s]) for s in ("unweighted", "weighted"))
    }
    if not moves:
        return compose(page, "alt.before_after_plain", rows=len(grouped))
    name, (first, last) = max(
        moves.items(), key=lambda move: abs((move[1][0].value or 0) - (move[1][1].value or 0))
    )
    unit = unit_of(page, first.unit)
    written = [
        Text(*(unit.amount(record.value or 0.0, lang) for lang in ("zh", "en"))) for record in (first, last)
    ]
    return compose(page, "alt.before_after", rows=len(grouped), far=name, first=written[0], last=written[1])


def _drawn(page: Page, grouped: Grouped, stages: Sequence[str], stage: str, lang: Language) -> Canvas:
    records = [record for found in grouped.values() for record in found.values()]
    unit = one_unit(page, records, "A figure of weights")
    canvas = Canvas(4000.0)
    top = _legend(canvas, page, records, stages, stage, lang) + 8
    place = rows([name.say(lang) for name in grouped], top)
    at = scale(
        [record.value for record in records if is_shown(record) and record.value is not None],
        place.beside + 8,
        WIDTH - 10,
        factor=unit.factor,
        most=unit.most,
    )
    canvas.ruler(at, top, place.bottom)
    for i, found in enumerate(grouped.values()):
        place.write(canvas, i)
        y = place.middles[i]
        there = {s: at(r.value) for s, r in found.items() if is_shown(r) and r.value is not None}
        if not there:
            not_shown(canvas, at.start + 4, y, lang)
            continue
        canvas.line([min(there.values()), max(there.values())], [y, y], colour=INK, width=1.0, alpha=0.35)
        for s, x in there.items():
            _mark(canvas, s, x, y)
    canvas.crop(axis_title(canvas, at, place.bottom + 28, unit.heading.say(lang)))
    return canvas


def _mark(canvas: Canvas, stage: str, x: float, y: float) -> None:
    colour, shape = STAGES.get(stage, (CATEGORY[3], "D"))
    if shape == "|":
        canvas.line([x, x], [y - 7, y + 7], colour=colour, width=2.0)
    else:
        canvas.dots([(x, y)], colour=colour, hollow=stage == "unweighted", marker=shape, size=7.0)


def _legend(
    canvas: Canvas,
    page: Page,
    records: Sequence[Released],
    stages: Sequence[str],
    column: str,
    lang: Language,
) -> float:
    x = 6.0
    for stage in stages:
        name = part_name(page, next(r for r in records if r.part(column) == stage), column).say(lang)
        _mark(canvas, stage, x, 10)
        canvas.text(x + 11, 10, name, size=SMALL)
        x += 11 + units_wide([name], SMALL) + 20
    return 20.0
