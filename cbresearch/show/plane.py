"""Importance against performance: what to mend first, and how sure one may be of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale
from cbresearch.show.catalogue import message
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import short_measures
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import ACCENT, INK, MAIN, SMALL
from cbresearch.show.words import compose, unanswered

TOP, HEIGHT, LEFT = 26.0, 330.0, 46.0
SURE = 80.0
"""Percent of the redraws from which on a service is said to lie in its quadrant."""
CORNERS = {
    "concentrate": (0.0, 0.0), "keep_up": (1.0, 0.0), "low_priority": (0.0, 1.0), "overkill": (1.0, 1.0),
}  # fmt: skip
"""Where each quadrant lies: performance to the right, importance upwards."""


@dataclass(frozen=True, slots=True)
class Point:
    """One service with its number in the figure, its likeliest quadrant, and that quadrant's chance in percent."""

    number: int
    name: Text
    performance: float
    importance: float
    quadrant: str
    chance: float

    @property
    def is_sure(self) -> bool:
        return self.chance >= SURE


def plane(page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown) -> Shown:
    """Every service as a numbered point; filled where its quadrant is sure, the lines at the means of all.

    Takes three kinds of record an item, told apart by the part "axis": importance, performance (points) and
    probability (percent) with a quadrant.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    points = _points(page, released)

    def draw(lang: Language) -> Canvas:
        return _drawn(points, lang)

    key = [_told(point) for point in points]
    legend = Text("；".join(one.zh for one in key) + "。", "; ".join(one.en for one in key) + ".")
    told = (message("figure.plane"), legend) if points else ()
    alternative = _alternative(page, points) if points else compose(page, "alt.nothing", held=len(released))
    plot = Plot("plane", draw, alternative, told)
    return figure(page, list(released), plot, title)


def _points(page: Page, released: Sequence[Released]) -> list[Point]:
    names = short_measures(page, [record.measure for record in released])
    found = []
    for measure in dict.fromkeys(record.measure for record in released if is_shown(record)):
        mine = [record for record in released if record.measure == measure and record.value is not None]
        at = {record.part("axis"): record.value for record in mine if record.part("quadrant") is None}
        chances = {record.part("quadrant"): record.value or 0.0 for record in mine if record.part("quadrant")}
        if {"importance", "performance"} <= at.keys() and chances:
            quadrant = max(chances, key=lambda name: chances[name])
            found.append((names[measure], at["performance"], at["importance"], quadrant, chances[quadrant]))
    ordered = sorted(found, key=lambda one: -(one[2] or 0.0))
    return [
        Point(i, name, x or 0.0, y or 0.0, quadrant or "", chance)
        for i, (name, x, y, quadrant, chance) in enumerate(ordered, 1)
    ]


def _told(point: Point) -> Text:
    quadrant, sure = message(f"quadrant.{point.quadrant}"), _chance(point.chance)
    return Text(
        f"{point.number} {point.name.zh}（{quadrant.zh}，{sure.zh}）",
        f"{point.number} {point.name.en} ({quadrant.en.lower()}, {sure.en})",
    )


def _chance(percent: float) -> Text:
    """Rounded down, so that nothing reads as certain or as surer than it is."""
    if percent > 99:
        return Text("99%以上", "over 99%")
    # 28.999999999999996 is 29
    whole = f"{floor(percent + 1e-9)}%"
    return Text(whole, whole)


def title_of_plane(page: Page, released: Sequence[Released] | Unanswered) -> Text:
    """Names the services that surely need mending first, if any do."""
    if isinstance(released, Unanswered):
        return released.reason
    points = _points(page, released)
    first = [point for point in points if point.quadrant == "concentrate" and point.is_sure]
    if not first:
        return message("title.plane.unsure")
    names = Text("、".join(p.name.zh for p in first), ", ".join(p.name.en for p in first))
    return compose(page, "title.plane.sure", names=names)


def _alternative(page: Page, points: Sequence[Point]) -> Text:
    counts = {name: sum(point.quadrant == name for point in points) for name in CORNERS}
    return compose(page, "alt.plane", rows=len(points), sure=sum(point.is_sure for point in points), **counts)


def _drawn(points: Sequence[Point], lang: Language) -> Canvas:
    bottom = TOP + HEIGHT
    canvas = Canvas(bottom + 50)
    across = scale([p.performance for p in points], LEFT, WIDTH - 8, intervals=5, most=100.0)
    up = scale([p.importance for p in points], bottom, TOP, intervals=5, most=100.0)
    canvas.ruler(across, TOP, bottom)
    canvas.lines([((LEFT, up.tick(tick)), (WIDTH - 8, up.tick(tick))) for tick in up.ticks])
    for tick, label in zip(up.ticks, up.labels(), strict=True):
        canvas.text(LEFT - 8, up.tick(tick), label, align="right", size=SMALL, alpha=0.8)
    _cross_hairs(canvas, points, across, up, bottom)
    _corners(canvas, bottom, lang)
    for point in points:
        at = across(point.performance), up(point.importance)
        colour = ACCENT if point.quadrant == "concentrate" else MAIN
        canvas.dots([at], colour=colour, size=8.5, hollow=not point.is_sure)
        canvas.text(at[0] + 8, at[1] - 8, str(point.number))
    canvas.text(
        (LEFT + WIDTH) / 2, bottom + 32, message("axis.performance").say(lang), align="center", size=SMALL
    )
    canvas.text(0, TOP - 16, message("axis.importance").say(lang), size=SMALL)
    return canvas


def _cross_hairs(canvas: Canvas, points: Sequence[Point], across: Scale, up: Scale, bottom: float) -> None:
    if not points:
        return
    x = across(sum(p.performance for p in points) / len(points))
    y = up(sum(p.importance for p in points) / len(points))
    canvas.line([x, x], [TOP, bottom], colour=INK, width=1.3, dash=True, alpha=0.75)
    canvas.line([LEFT, WIDTH - 8], [y, y], colour=INK, width=1.3, dash=True, alpha=0.75)


def _corners(canvas: Canvas, bottom: float, lang: Language) -> None:
    for name, (right, down) in CORNERS.items():
        x = WIDTH - 14 if right else LEFT + 6
        y = bottom - 10 if down else TOP + 10
        words = message(f"quadrant.{name}").say(lang)
        canvas.text(x, y, words, align="right" if right else "left", size=SMALL, alpha=0.8)
