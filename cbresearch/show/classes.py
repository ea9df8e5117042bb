"""Numbers in a few classes between round ends, each with its colour: light for less, dark for more."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, replace

import seaborn as sns
from matplotlib.colors import to_hex

from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale, units_wide, wrap
from cbresearch.show.theme import INK, ORDER, SMALL
from cbresearch.show.units import Unit

BLOCK, THICK, LINE = 48.0, 12.0, 14.0


@dataclass(frozen=True, slots=True)
class Classes:
    """Equal steps between round numbers; a number on a border belongs to the class above it, the largest to the last."""

    ends: Scale
    colours: tuple[str, ...]
    unit: Unit

    def colour(self, value: float) -> str:
        """The colour of a number as released, by what stands in print: two that read alike look alike."""
        place = bisect_right(self.ends.ticks, _printed(value, self.unit)) - 1
        return self.colours[min(max(place, 0), len(self.colours) - 1)]

    def key(self, canvas: Canvas, heading: str, mark: tuple[float, str] | None = None) -> float:
        """The unit, then the colours in a row with the round numbers between them; returns where it ends.

        `mark` is a number as released with its name, such as the district's, and stands above its place.
        """
        y = 8.0
        for line in wrap(heading, WIDTH - 4, SMALL):
            canvas.text(0, y, line, size=SMALL, alpha=0.8)
            y += LINE
        if mark is not None:
            self._mark(canvas, y + 4, *mark)
            y += LINE + 8
        for i, colour in enumerate(self.colours):
            canvas.box(i * BLOCK, y - 4, BLOCK, THICK, colour)
        for i, label in enumerate(self.ends.labels()):
            canvas.text(i * BLOCK, y + 17, label, align="center" if i else "left", size=SMALL, alpha=0.8)
        return y + 26

    def _mark(self, canvas: Canvas, y: float, value: float, words: str) -> None:
        x = self.ends(value) * BLOCK * len(self.colours)
        canvas.dots([(x, y + 8)], colour=INK, size=6.0, marker="v")
        canvas.text(max(x, units_wide([words], SMALL) / 2), y - 2, words, align="center", size=SMALL)


def classes(values: Iterable[float], unit: Unit) -> Classes:
    """Classes that hold all `values`, none of them empty at either end, as many as can be told apart."""
    listed = list(values)
    ends = scale(listed, 0.0, 1.0, factor=unit.factor, intervals=len(ORDER), most=unit.most)
    printed = [_printed(value, unit) for value in listed] or [*ends.ticks]
    first = max((i for i, tick in enumerate(ends.ticks[:-1]) if tick <= min(printed)), default=0)
    last = min((i for i, tick in enumerate(ends.ticks) if i > first and tick >= max(printed)), default=-1)
    ends = replace(ends, ticks=ends.ticks[first : last + 1] if last > 0 else ends.ticks)
    count = len(ends.ticks) - 1
    if count == len(ORDER):
        return Classes(ends, ORDER, unit)
    return Classes(ends, tuple(to_hex(colour) for colour in sns.blend_palette(ORDER, count)), unit)


def _printed(value: float, unit: Unit) -> float:
    """The number as a reader has it: 3.0 for 2.976."""
    return float(unit.number(value).replace(",", "").replace("\N{MINUS SIGN}", "-"))
