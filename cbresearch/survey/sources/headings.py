"""One name for every column, from one heading row or several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence


def column_names(
    heading_rows: Sequence[Sequence[str]], width: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The unique name of each of `width` columns, with what had to be said about them.

    A column is called by its lowest heading; where that is blank, by the one above it. Upper rows
    are filled to the right, as merged cells mean. Lowest headings that repeat are told apart by the
    row above: 'upper/lower'. What is still blank is numbered, what still repeats is counted.
    """
    level = [[cell.strip() for cell in row] + [""] * (width - len(row)) for row in heading_rows]
    filled = [_fill_right(row) for row in level[:-1]]
    names = _told_apart(level[-1], filled)
    return _unique(names)


def _fill_right(row: Sequence[str]) -> list[str]:
    filled, last = [], ""
    for cell in row:
        last = cell or last
        filled.append(last)
    return filled


def _told_apart(lowest: Sequence[str], upper: Sequence[Sequence[str]]) -> list[str]:
    above = [[row[place] for row in reversed(upper) if row[place]] for place in range(len(lowest))]
    counts = Counter(lowest)
    names = []
    for name, parents in zip(lowest, above, strict=True):
        if not name:
            names.append(parents[0] if parents else "")
        elif counts[name] > 1 and parents and parents[0] != name:
            names.append(f"{parents[0]}/{name}")
        else:
            names.append(name)
    return names


def _unique(names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    taken = {name for name in names if name}
    used: set[str] = set()
    unique, said = [], []
    for place, name in enumerate(names, 1):
        if not name:
            mine = _free(f"column_{place}", taken | used)
            said.append(f"column {place} has no heading: named '{mine}'")
        elif name in used:
            mine = _free(f"{name} (2)", taken | used)
            said.append(f"heading '{name}' stands again over column {place}: named '{mine}'")
        else:
            mine = name
        used.add(mine)
        unique.append(mine)
    return tuple(unique), tuple(said)


def _free(wanted: str, taken: set[str]) -> str:
    stem, number = wanted.removesuffix(" (2)"), 2
    name = wanted
    while name in taken:
        name, number = f"{stem} ({number})", number + 1
    return name
