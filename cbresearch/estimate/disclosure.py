"""Which figures would tell of people, and which others must go with them lest they be worked out.

Primary: a cell about fewer people than the minimum, or one in which two answers make up nearly all of the
total. Secondary: over all tables of a report at once, as long as a held-back cell follows from printed ones
by subtraction, or a sum of held-back cells is itself about too few, the smallest printed cell beside it goes
too (Hundepool et al. 2012, Statistical Disclosure Control, chapter 4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cbresearch.records import Text
from cbresearch.sampling.domains import Group

UNDIVIDED = frozenset({"answer", "term", "method"})
"""Parts of a group whose figures speak of the same people, so that none follows from the others."""
NEXT_SMALLEST = Text(
    "不公布：否则用总数相减就能得到另一个被保护的小组的数字。",
    "Held back: with it, the figure of another protected small group could be had by subtraction.",
)
DOMINATED = Text(
    "不公布：一两个人的回答几乎决定了这个数，以保护个人信息。",
    "Held back: one or two answers make up nearly all of this figure; it would tell of them.",
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure as a reader could use it against others: what is measured, of whom, and how many they are.

    `dominance` is the share (0-1) of the total that its two largest contributions make up; NaN where
    contributions say nothing (a share, a count).
    """

    measure: str
    group: Group
    people: int
    dominance: float = math.nan


@dataclass(frozen=True, slots=True)
class Line:
    """A printed sum: `total` is the cell of all, `parts` those it is divided into, `rest` people in none of them."""

    total: int
    parts: tuple[int, ...]
    rest: int

    @property
    def cells(self) -> tuple[int, ...]:
        return (self.total, *self.parts)


def too_few(minimum_cell: int) -> Text:
    return Text(
        f"不公布：不足{minimum_cell}人，以保护个人信息。",
        f"Held back: fewer than {minimum_cell} people, to protect them.",
    )


def protected(cells: Sequence[Cell], minimum_cell: int, most_dominant: float) -> dict[int, Text]:
    """Which cells must be held back, by their place, each with its reason.

    `cells` are those of all tables that one reader will have; a cell named twice is one. Held back are
    cells of fewer than `minimum_cell` people, those dominated beyond `most_dominant` (0-1), and as few of
    the others as it takes that nothing of the first two kinds can be worked out.
    """
    first: dict[tuple[str, Group], int] = {}
    for i, cell in enumerate(cells):
        first.setdefault((cell.measure, cell.group), i)
    held = {i: too_few(minimum_cell) for i in first.values() if cells[i].people < minimum_cell}
    held |= {i: DOMINATED for i in first.values() if i not in held and cells[i].dominance > most_dominant}
    lines = _lines(cells, first)
    while (exposed := _exposed(cells, lines, held, minimum_cell)) is not None:
        held[exposed] = NEXT_SMALLEST
    return {i: held[first[cell.measure, cell.group]] for i, cell in enumerate(cells) if first[cell.measure, cell.group] in held}  # fmt: skip


def recoverable(cells: Sequence[Cell], held: Sequence[int]) -> set[int]:
    """The held-back cells that follow from the printed ones by adding and subtracting, whatever the numbers.

    What a reader could do: the printed sums as equations, the held-back cells (and people in no printed
    part) as unknowns; a cell is recoverable when every solution gives it the same value.
    """
    first = {(cell.measure, cell.group): i for i, cell in reversed(list(enumerate(cells)))}
    return _recoverable(_lines(cells, first), set(held))


def _exposed(
    cells: Sequence[Cell], lines: Sequence[Line], held: dict[int, Text], minimum_cell: int
) -> int | None:
    """The smallest printed cell on a line that gives a held-back one away; None when none does."""
    for line in lines:
        unknown = [i for i in line.cells if i in held]
        parts = [i for i in line.parts if i in held]
        people = sum(cells[i].people for i in parts) + line.rest
        alone = len(unknown) == 1 and not line.rest
        few = bool(parts) and line.total not in held and people < minimum_cell
        if (alone or few) and (next_ := _smallest(cells, line, held)) is not None:
            return next_
    given_away = _recoverable(lines, set(held))
    for line in lines:
        if given_away & set(line.cells) and (next_ := _smallest(cells, line, held)) is not None:
            return next_
    return None


def _smallest(cells: Sequence[Cell], line: Line, held: dict[int, Text]) -> int | None:
    """The next to go: a part before the total, of which readers have most need."""
    printed = [i for i in line.parts if i not in held] or [i for i in (line.total,) if i not in held]
    return min(printed, key=lambda i: (cells[i].people, i), default=None)


def _lines(cells: Sequence[Cell], first: dict[tuple[str, Group], int]) -> list[Line]:
    """Cells alike but for one part of the group, where the figure over that part is there too."""
    parts: dict[tuple[str, str, Group], list[int]] = {}
    for i in first.values():
        for column, code in cells[i].group:
            if column not in UNDIVIDED:
                whole = tuple(part for part in cells[i].group if part != (column, code))
                parts.setdefault((cells[i].measure, column, whole), []).append(i)
    return [
        Line(total, tuple(members), max(0, cells[total].people - sum(cells[i].people for i in members)))
        for (measure, _, whole), members in parts.items()
        if (total := first.get((measure, whole))) is not None
    ]


def _recoverable(lines: Sequence[Line], held: set[int]) -> set[int]:
    involved = [line for line in lines if held & set(line.cells)]
    unknown = sorted(held & {i for line in involved for i in line.cells})
    if not unknown:
        return set()
    place = {i: column for column, i in enumerate(unknown)}
    rests = [row for row, line in enumerate(involved) if line.rest]
    equations = np.zeros((len(involved), len(unknown) + len(rests)))
    for row, line in enumerate(involved):
        for i in line.cells:
            if i in place:
                equations[row, place[i]] = 1.0 if i in line.parts else -1.0
    for column, row in enumerate(rests, len(unknown)):
        equations[row, column] = 1.0
    # a cell is determined when no direction that leaves the printed sums alone moves it
    _, sizes, directions = np.linalg.svd(equations)
    free = directions[int((sizes > 1e-9).sum()) :]
    moved = np.abs(free[:, : len(unknown)]).max(axis=0, initial=0.0)
    return {i for i, size in zip(unknown, moved, strict=True) if size < 1e-9}
