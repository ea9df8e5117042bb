"""A drawing surface in figure units, from the top left, on which text keeps its room in any font."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path
from matplotlib.text import Text as Words
from matplotlib.ticker import MaxNLocator

from cbresearch.show.fonts import families
from cbresearch.show.shown import clean
from cbresearch.show.theme import FONT, INK, MAIN, SMALL, theme
from cbresearch.show.units import number

WIDTH = 480.0
"""Units across every figure."""
Point = tuple[float, float]
_NARROW = frozenset("iljtfrI.,:;'|!()[] -")
_STAYS = frozenset("，。；：、！？）》”％ ,.;:)%")
_BROAD = frozenset("mwMWOQGCD%@—…")


@dataclass(frozen=True, slots=True)
class Scale:
    """Where values stand between `start` and `end`; `ticks` are round numbers that bound them."""

    ticks: tuple[float, ...]
    start: float
    end: float
    factor: float = 1.0
    """From numbers as released to numbers as printed: 100 for shares."""

    def __call__(self, value: float) -> float:
        return self.tick(value * self.factor)

    def tick(self, printed: float) -> float:
        low, high = self.ticks[0], self.ticks[-1]
        return self.start + (printed - low) / (high - low) * (self.end - self.start)

    def labels(self) -> list[str]:
        step = self.ticks[1] - self.ticks[0]
        decimals = max(0, -math.floor(math.log10(step) + 1e-9))
        while decimals < 6 and abs(round(step, decimals) - step) > 1e-9 * step:
            decimals += 1
        return [number(tick, decimals) for tick in self.ticks]


def scale(
    values: Iterable[float],
    start: float,
    end: float,
    *,
    factor: float = 1.0,
    intervals: int = 5,
    most: float | None = None,
) -> Scale:
    """A scale that holds all `values` as released, with about so many intervals between round ticks.

    It crosses neither zero nor `most` (in printed numbers) unless a value does.
    """
    printed = [value * factor for value in values] or [0.0, 1.0]
    low, high = min(printed), max(printed)
    pad = (high - low) * 0.02 or abs(high) * 0.1 or 1.0
    first = max(low - pad, 0.0) if low >= 0 else low - pad
    last = min(high + pad, most) if most is not None and high <= most else high + pad
    ticks = MaxNLocator(nbins=intervals, steps=[1, 2, 2.5, 5, 10]).tick_values(first, last)
    return Scale(tuple(float(tick) for tick in ticks), start, end, factor)


class Canvas:
    """One figure being drawn; every length is in units, y grows downwards."""

    def __init__(self, height: float, width: float = WIDTH) -> None:
        self.width, self.height = width, height
        with mpl.rc_context(theme()):
            self.figure = Figure(figsize=(width / 72, height / 72), dpi=72)
            self.axes: Axes = self.figure.add_axes((0, 0, 1, 1))
        self._drawn = 0
        self.axes.set_axis_off()
        self.axes.set_xlim(0, width)
        self.axes.set_ylim(height, 0)
        self.axes.set_autoscale_on(False)

    def crop(self, height: float) -> None:
        """End the figure at `height`, when its last line is known."""
        self.height = height
        self.figure.set_size_inches(self.width / 72, height / 72)
        self.axes.set_ylim(height, 0)

    def _add(self, artist: Artist) -> None:
        """Painter's order: what is drawn later lies above."""
        self._drawn += 1
        artist.set_zorder(self._drawn)
        self.axes.add_artist(artist)
        artist.set_clip_on(False)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        align: str = "left",
        size: float = FONT,
        colour: str = INK,
        alpha: float = 1.0,
    ) -> None:
        self._add(
            Words(
                x, y, clean(words), ha=align, va="center_baseline", size=size, color=colour, alpha=alpha,
                parse_math=False, family=list(families()),
            )
        )  # fmt: skip

    def line(
        self,
        xs: Sequence[float],
        ys: Sequence[float],
        *,
        colour: str = MAIN,
        width: float = 2.0,
        dash: bool = False,
        alpha: float = 1.0,
    ) -> None:
        self._add(
            Line2D(
                xs, ys, color=colour, linewidth=width, linestyle=(0, (3, 2.5)) if dash else "-", alpha=alpha,
                solid_capstyle="round",
            )
        )  # fmt: skip

    def lines(
        self,
        pieces: Sequence[tuple[Point, Point]],
        *,
        colour: str = INK,
        width: float = 0.7,
        alpha: float = 0.18,
    ) -> None:
        """Many separate strokes as one path; fine guide lines unless said otherwise."""
        xs = [x for (x0, _), (x1, _) in pieces for x in (x0, x1, math.nan)]
        ys = [y for (_, y0), (_, y1) in pieces for y in (y0, y1, math.nan)]
        self.line(xs, ys, colour=colour, width=width, alpha=alpha)

    def dots(
        self,
        points: Sequence[Point],
        *,
        colour: str = MAIN,
        size: float = 7.5,
        hollow: bool = False,
        marker: str = "o",
    ) -> None:
        """Marks of one kind; hollow ones are rings."""
        self._add(
            Line2D(
                [x for x, _ in points], [y for _, y in points], linestyle="none", marker=marker, markersize=size, color=colour,
                markerfacecolor="none" if hollow else colour, markeredgewidth=1.8 if hollow else 0,
            )
        )  # fmt: skip

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        self._add(Rectangle((x, y), width, height, facecolor=colour, edgecolor="none"))

    def shape(self, rings: Iterable[Sequence[Point]], at: Point, colour: str | None) -> None:
        """A polygon moved by `at`: its outer ring, then holes, which run the other way. None leaves the ground."""
        paths = [Path([(x + at[0], y + at[1]) for x, y in ring], closed=True) for ring in rings]
        self._add(
            PathPatch(
                Path.make_compound_path(*paths), facecolor=colour or "none", edgecolor=INK, linewidth=0.8,
                joinstyle="round",
            )
        )  # fmt: skip

    def ruler(self, scale: Scale, top: float, bottom: float, *, labels: bool = True) -> None:
        """Fine upright lines at the ticks, their numbers below."""
        self.lines([((scale.tick(tick), top), (scale.tick(tick), bottom)) for tick in scale.ticks])
        if labels:
            for tick, label in zip(scale.ticks, scale.labels(), strict=True):
                self.text(scale.tick(tick), bottom + 11, label, align="center", size=SMALL, alpha=0.8)


def ems(words: str) -> float:
    """How wide text stands, in its own size: one for a Chinese character, about half for a Latin letter."""
    return sum(_em(character) for character in words)


def _em(character: str) -> float:
    if _is_wide(character):
        return 1.0
    if character in _NARROW:
        return 0.37
    return 0.95 if character in _BROAD else 0.7 if character.isupper() else 0.62


def units_wide(words: Iterable[str], size: float = FONT) -> float:
    """Room for the widest of some texts."""
    return max((ems(text) for text in words), default=0.0) * size


def wrap(words: str, room: float, size: float = FONT) -> list[str]:
    """Text in lines no wider than `room`; Latin words stay whole, Chinese breaks anywhere but before a stop."""
    lines, line = [], ""
    for piece in _pieces(words):
        if line and ems((line + piece).rstrip()) * size > room:
            lines.append(line.rstrip())
            line = piece.lstrip()
        else:
            line += piece
    return [*lines, line.rstrip()] if line.strip() else lines or [""]


def _pieces(words: str) -> list[str]:
    """Where a line may break: after a blank, on either side of a Chinese character that is no stop."""
    pieces: list[str] = []
    for character in words:
        may_break = bool(pieces) and (
            pieces[-1][-1] == " " or _is_wide(character) or _is_wide(pieces[-1][-1])
        )
        if not pieces or (may_break and character not in _STAYS):
            pieces.append(character)
        else:
            pieces[-1] += character
    return pieces


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"
