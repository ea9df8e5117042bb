"""A flow chart of cleaning: what came in, what each step set aside, what was kept."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Language, Released, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, wrap
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import group_name
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import FONT, ORDER, SMALL, text_on
from cbresearch.show.units import number
from cbresearch.show.words import compose, unanswered

TRUNK, SIDE = 190.0, 220.0
"""Width of the boxes that the flow goes through, and where those of what leaves it begin."""
LINE, PAD, GAP = 15.0, 8.0, 16.0
THROUGH, ASIDE = ORDER[1], ORDER[0]


def flow(page: Page, counts: Sequence[Released] | Unanswered) -> Shown:
    """From the number received, through those set aside by step, to the number kept, in this order; titled by its ends."""
    if isinstance(counts, Unanswered):
        return unanswered(page, counts)
    if len(counts) < 2 or not all(map(is_shown, counts)):
        return empty(page)
    names = [group_name(page, one) if one.group else page.label(one.measure) for one in counts]

    def draw(lang: Language) -> Canvas:
        return _drawn(counts, [name.say(lang) for name in names], lang)

    ends = {"received": counts[0], "kept": counts[-1]}
    alternative = compose(page, "alt.flow", steps=len(counts) - 2, **ends)
    return figure(page, counts, Plot("flow", draw, alternative), compose(page, "title.flow", **ends))


def _drawn(counts: Sequence[Released], names: Sequence[str], lang: Language) -> Canvas:
    canvas = Canvas(2000.0)
    y = _box(canvas, 0.0, 4.0, TRUNK, _lines(names[0], counts[0], TRUNK), THROUGH)
    for name, count in zip(names[1:-1], counts[1:-1], strict=True):
        lines = _lines(name, count, WIDTH - SIDE)
        bottom = _box(canvas, SIDE, y + GAP, WIDTH - SIDE, lines, ASIDE)
        middle = (y + GAP + bottom) / 2
        canvas.line([TRUNK / 2, SIDE - 4], [middle, middle], width=1.2)
        canvas.dots([(SIDE - 6, middle)], marker=">", size=6)
        canvas.line([TRUNK / 2, TRUNK / 2], [y, bottom], width=1.2)
        y = bottom
    canvas.line([TRUNK / 2, TRUNK / 2], [y, y + GAP - 5], width=1.2)
    canvas.dots([(TRUNK / 2, y + GAP - 4)], marker="v", size=6)
    canvas.crop(_box(canvas, 0.0, y + GAP, TRUNK, _lines(names[-1], counts[-1], TRUNK), THROUGH) + 4)
    return canvas


def _lines(name: str, count: Released, wide: float) -> list[str]:
    return [*wrap(name, wide - 2 * PAD, SMALL), number(count.value or 0.0, 0)]


def _box(canvas: Canvas, x: float, y: float, wide: float, lines: Sequence[str], colour: str) -> float:
    """Words, the number last and larger, on a ground; returns where it ends."""
    tall = LINE * len(lines) + PAD
    canvas.box(x, y, wide, tall, colour)
    for place, line in enumerate(lines):
        size = FONT if place == len(lines) - 1 else SMALL
        middle = y + PAD / 2 + LINE * (place + 0.5)
        canvas.text(x + wide / 2, middle, line, align="center", size=size, colour=text_on(colour))
    return y + tall
