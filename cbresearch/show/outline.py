"""The outlines of communities in figure units: laid out to scale, thinned, with a place for a number in each."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from cbresearch.show.canvas import WIDTH
from cbresearch.study import Polygon, Ring, Shape

GRID = 0.4
"""Corners are laid on a grid this fine, in figure units, the same for neighbours, so that borders still meet."""
CUTS = 15
"""Level lines through a community along which a place for its number is looked for."""


@dataclass(frozen=True, slots=True)
class Place:
    """A point inside a part of a community, how wide and how tall that part is there."""

    x: float
    y: float
    wide: float
    tall: float


@dataclass(frozen=True, slots=True)
class Outline:
    """One community as drawn: its parts, the largest first, and a place in each. Holes run against their outer ring."""

    parts: tuple[Polygon, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Every community from the map's own top left corner, which stands at `left` in the figure."""

    outlines: dict[str, Outline]
    left: float
    height: float


def laid_out(shapes: Mapping[str, Shape], width: float, tallest: float) -> Layout:
    """Every shape at one scale, north up, as large as `width` and `tallest` allow, in the middle of a figure.

    Degrees are drawn as long as they are at the map's middle latitude; other coordinates as they are.
    """
    corners = [at for shape in shapes.values() for polygon in shape.polygons for at in polygon[0]]
    west, east = min(x for x, _ in corners), max(x for x, _ in corners)
    south, north = min(y for _, y in corners), max(y for _, y in corners)
    narrow = _narrowing(west, east, south, north)
    wide, tall = max((east - west) * narrow, 1e-9), max(north - south, 1e-9)
    by = min(width / wide, tallest / tall)

    def placed(ring: Ring) -> Ring:
        return _thinned([((x - west) * narrow * by, (north - y) * by) for x, y in ring])

    outlines = {
        code: _outline([tuple(map(placed, polygon)) for polygon in shape.polygons])
        for code, shape in shapes.items()
    }
    return Layout(outlines, (WIDTH - wide * by) / 2, tall * by)


def _narrowing(west: float, east: float, south: float, north: float) -> float:
    """How long a degree eastwards is, a degree northwards being 1; 1 for metres."""
    is_degrees = west >= -180 and east <= 180 and south >= -90 and north <= 90
    return max(math.cos(math.radians((south + north) / 2)), 0.01) if is_degrees else 1.0


def _thinned(ring: Sequence[tuple[float, float]]) -> Ring:
    """The ring on the grid, without corners that fall together; as it was where too little is left."""
    found: list[tuple[float, float]] = []
    for x, y in ring:
        at = (round(round(x / GRID) * GRID, 2), round(round(y / GRID) * GRID, 2))
        if not found or found[-1] != at:
            found.append(at)
    return tuple(found) if len(found) >= 4 else tuple(ring)


def _outline(polygons: Sequence[Polygon]) -> Outline:
    parts = [
        tuple(_turned(ring, is_outer=place == 0) for place, ring in enumerate(polygon))
        for polygon in polygons
    ]
    parts.sort(key=lambda part: -abs(_area(part[0])))
    return Outline(tuple(parts), tuple(map(_roomiest, parts)))


def _turned(ring: Ring, *, is_outer: bool) -> Ring:
    """Holes run against the outer ring, whichever way the file had them, so that they stay empty."""
    return ring if (_area(ring) > 0) == is_outer else ring[::-1]


def _area(ring: Ring) -> float:
    """Twice the signed area."""
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))


def _roomiest(polygon: Polygon) -> Place:
    """The middle of the widest level line inside a polygon, lines near its middle height being favoured."""
    heights = [y for _, y in polygon[0]]
    low, high = min(heights), max(heights)
    best, found = -1.0, Place(*polygon[0][0], 0.0, 0.0)
    for cut in range(1, CUTS + 1):
        share = cut / (CUTS + 1)
        y = low + (high - low) * share
        for start, end in _inside(polygon, y):
            score = (end - start) * (1 - abs(share - 0.5))
            if score > best:
                best, found = score, Place((start + end) / 2, y, end - start, 0.0)
    upright = [tuple((y, x) for x, y in ring) for ring in polygon]
    tall = (end - start for start, end in _inside(upright, found.x) if start <= found.y <= end)
    return replace(found, tall=max(tall, default=0.0))


def _inside(rings: Iterable[Ring], y: float) -> list[tuple[float, float]]:
    """The pieces of a level line that lie inside, holes left out."""
    y += 1e-7  # a hair off, so that no line runs through a corner
    crossings = sorted(
        x0 + (y - y0) / (y1 - y0) * (x1 - x0)
        for ring in rings
        for (x0, y0), (x1, y1) in pairwise(ring)
        if (y0 > y) != (y1 > y)
    )
    return list(zip(crossings[::2], crossings[1::2], strict=True))
