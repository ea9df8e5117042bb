"""Released numbers as tables: a row each, or two of their parts crossed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.grid import Cell, Grid, Kind, same
from cbresearch.show.names import (
    MEASURE,
    column_name,
    full_name,
    part_name,
    row_names,
    short_measures,
    varying,
)
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown, listed, shown
from cbresearch.show.units import heading_of, number, unit_of
from cbresearch.show.words import compose, paragraph, reason_of, unanswered

NOTHING = Cell(same("—"), "number")
"""Stands where a number has no interval, no n, no p."""
CAUTION = "†"
"""Follows a number that is to be used with care; the note below the table says why."""


def table(
    page: Page,
    released: Sequence[Released] | Released | Unanswered,
    *,
    caption: Text | Shown,
    rows: Sequence[str] | None = None,
) -> Shown:
    """A row per number: its labels, the value with unit, 95 % interval, n, and the reason where it is held back.

    `rows` names the parts that label a row ("measure" or group columns); by default those that differ.
    An interval column is there when any number has one; n where any is known.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    records = listed(released)
    if not records:
        return empty(page)
    grid = long_grid(page, records, words_of(caption), tuple(rows) if rows is not None else None)
    return shown(page, grid.html, words_of(caption), records)


def cross(
    page: Page,
    released: Sequence[Released] | Unanswered,
    *,
    caption: Text | Shown,
    rows: str,
    columns: str,
    intervals: bool = False,
) -> Shown:
    """Values of `rows` down and `columns` across, each a part of the numbers ("measure" or a group column).

    A combination that nobody asked for stays empty; one that was held back says so. A unit stands once:
    in the caption when all numbers share it, else with the row or the column that has it. `intervals` stand
    below the values that have one.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    grid = _crossed(page, released, words_of(caption), rows, columns)
    grid = _with_intervals(page, grid, released, rows, columns) if intervals else grid
    return shown(page, grid.html, words_of(caption), released)


def words_of(words: Text | Shown) -> Text:
    """The words of a caption or title, whichever way they were made."""
    return words.text if isinstance(words, Shown) else words


def empty(page: Page) -> Shown:
    """The note that stands where there is no number at all."""
    text = message("note.empty")
    return paragraph(page, "caution", text)


def long_grid(
    page: Page, records: Sequence[Released], caption: Text | None, parts: tuple[str, ...] | None = None
) -> Grid:
    """The long table as a grid, which is also the data behind a figure. Columns that nobody fills are left out.

    Rows of one measure stand together under its name, with the unit where it is not that of the whole table.
    """
    parts = varying(records) if parts is None else parts
    records = _by_measure(records) if _has_groups(records, parts) else records
    alone = unit_of(page, records[0].unit) if len({record.unit for record in records}) == 1 else None
    columns = _label_columns(page, records, parts)
    if alone is None:
        columns[0] = (columns[0][0], _with_units(page, columns[0][1], records))
    heading = _with_unit(message("column.value"), heading_of(page, records[0]) if alone else None)
    columns.append((Cell(heading, "number"), [_value(page, record) for record in records]))
    for name, write in (("interval", _interval), ("n", _n), ("p", _p), ("p_adjusted", _p_adjusted)):
        cells = [write(page, record) for record in records]
        if any(cell != NOTHING for cell in cells):
            columns.append((Cell(message(f"column.{name}"), "number"), cells))
    rows = tuple(zip(*(cells for _, cells in columns), strict=True))
    if _has_groups(records, parts):
        rows = _spanned(rows, [record.measure for record in records])
    return Grid(caption, tuple(head for head, _ in columns), rows, notes(page, records))


def _has_groups(records: Sequence[Released], parts: Sequence[str]) -> bool:
    """Several rows for each measure, told apart by further columns that all of them have."""
    others = [part for part in parts if part != MEASURE]
    is_told = all(record.part(part) is not None for record in records for part in others)
    return bool(others) and parts[0] == MEASURE and is_told


def _by_measure(records: Sequence[Released]) -> list[Released]:
    place = {measure: i for i, measure in enumerate(dict.fromkeys(record.measure for record in records))}
    return sorted(records, key=lambda record: place[record.measure])


def _with_units(page: Page, labels: Sequence[Cell], records: Sequence[Released]) -> list[Cell]:
    return [
        replace(label, under=_small_unit(page, record)) for label, record in zip(labels, records, strict=True)
    ]


def _small_unit(page: Page, record: Released) -> Text:
    if record.part("against") or record.part("since"):
        return heading_of(page, record)
    return unit_of(page, record.unit).small


def _spanned(rows: Sequence[tuple[Cell, ...]], measures: Sequence[str]) -> tuple[tuple[Cell, ...], ...]:
    """The first label of each measure made the head of its rows; the second label then names the row."""
    counts = Counter(measures)
    found = []
    for i, ((label, second, *rest), measure) in enumerate(zip(rows, measures, strict=True)):
        named = replace(second, kind="label")
        is_start = i == 0 or measures[i - 1] != measure
        head = (replace(label, kind="group", rows=counts[measure]),) if is_start else ()
        found.append((*head, named, *rest))
    return tuple(found)


def notes(page: Page, records: Sequence[Released]) -> tuple[Text, ...]:
    """What the marks mean, a line for each reason."""
    lines = [
        compose(page, "note.caution", reason=reason_of(record))
        for record in records
        if record.status == "caution"
    ]
    return tuple(dict.fromkeys(lines))


def held_back(record: Released) -> Cell:
    """The mark that stands for a number which is not shown, with the reason as text."""
    mark, reason = message("mark.held_back"), reason_of(record)
    return Cell(Text(f"{mark.zh}：{reason.zh}", f"{mark.en}: {reason.en}"), "held back")


def value_cell(record: Released, write: Callable[[float, str], str]) -> Cell:
    """A number as `write(value, language)` has it, or why it is not shown."""
    if not is_shown(record) or record.value is None:
        return held_back(record)
    mark = CAUTION if record.status == "caution" else ""
    text = Text(write(record.value, "zh") + mark, write(record.value, "en") + mark)
    return Cell(text, "caution" if mark else "number")


def _with_unit(words: Text, heading: Text | None) -> Text:
    return Text(f"{words.zh}：{heading.zh}", f"{words.en}: {heading.en}") if heading and heading.en else words


def _label_columns(
    page: Page, records: Sequence[Released], parts: tuple[str, ...]
) -> list[tuple[Cell, list[Cell]]]:
    """A column for each part; one for all where the numbers are split by different columns."""
    if not parts:
        return [
            (Cell(message("column.measure")), [Cell(full_name(page, record), "label") for record in records])
        ]
    if any(record.part(part) is None for record in records for part in parts if part != MEASURE):
        names = row_names(page, records, parts)
        return [(Cell(message("column.group")), [Cell(name, "label") for name in names])]
    kinds: list[Kind] = ["label", *(["words"] * (len(parts) - 1))]  # type: ignore[list-item]
    return [
        (Cell(column_name(page, part)), [Cell(part_name(page, record, part), kind) for record in records])
        for part, kind in zip(parts, kinds, strict=True)
    ]


def _value(page: Page, record: Released) -> Cell:
    unit = unit_of(page, record.unit)
    return value_cell(record, lambda value, _: unit.number(value))


def _interval(page: Page, record: Released) -> Cell:
    unit, low, high = unit_of(page, record.unit), record.low, record.high
    if low is None or high is None:
        return NOTHING
    return Cell(Text(*(unit.interval(low, high, lang) for lang in ("zh", "en"))), "number")


def _n(page: Page, record: Released) -> Cell:
    return Cell(same(number(record.n, 0)), "number") if record.n else NOTHING


def _p(page: Page, record: Released) -> Cell:
    return _probability(record.p)


def _p_adjusted(page: Page, record: Released) -> Cell:
    return _probability(record.p_adjusted)


def _probability(p: float | None) -> Cell:
    return NOTHING if p is None else Cell(same("<0.001" if p < 0.001 else f"{p:.3f}"), "number")


def _crossed(page: Page, released: Sequence[Released], caption: Text, rows: str, columns: str) -> Grid:
    alone = len({record.unit for record in released}) == 1
    down_units, over_units = _units_by(page, released, rows), _units_by(page, released, columns)
    if down_units:
        over_units = {}
    by_place = {(_code(record, rows), _code(record, columns)): record for record in released}
    downwards, across = (
        dict.fromkeys(place[0] for place in by_place),
        dict.fromkeys(place[1] for place in by_place),
    )
    some = {place[0]: record for place, record in by_place.items()}
    tops = {place[1]: record for place, record in by_place.items()}
    heads = [
        Cell(column_name(page, rows)),
        *(
            Cell(_label(page, tops[code], columns, released), "number", over_units.get(code))
            for code in across
        ),
    ]
    body = tuple(
        (
            Cell(_label(page, some[down], rows, released), "label", down_units.get(down)),
            *(
                _crossing(page, by_place.get((down, over)), is_bare=alone or bool(down_units or over_units))
                for over in across
            ),
        )
        for down in downwards
    )
    return Grid(
        _with_unit(caption, heading_of(page, released[0]) if alone else None),
        tuple(heads),
        body,
        notes(page, released),
    )


def _with_intervals(page: Page, grid: Grid, released: Sequence[Released], rows: str, columns: str) -> Grid:
    """The interval in small print below each number that may be shown and has one."""
    downwards = list(dict.fromkeys(_code(record, rows) for record in released))
    across = list(dict.fromkeys(_code(record, columns) for record in released))
    body = [list(row) for row in grid.rows]
    for record in released:
        found = _interval(page, record)
        if is_shown(record) and found != NOTHING:
            i, j = downwards.index(_code(record, rows)), across.index(_code(record, columns)) + 1
            body[i][j] = replace(body[i][j], under=found.text)
    return replace(grid, rows=tuple(map(tuple, body)))


def _units_by(page: Page, released: Sequence[Released], part: str) -> dict[str, Text]:
    """The unit of each row (or column) where it has one of its own; nothing where all share one or any mixes."""
    found: dict[str, set[str]] = {}
    for record in released:
        found.setdefault(_code(record, part), set()).add(record.unit)
    if len({record.unit for record in released}) == 1 or any(len(units) > 1 for units in found.values()):
        return {}
    return {code: unit_of(page, next(iter(units))).small for code, units in found.items()}


def _crossing(page: Page, record: Released | None, *, is_bare: bool) -> Cell:
    if record is None:
        return Cell(same(""), "number")
    unit = unit_of(page, record.unit)
    return value_cell(record, (lambda value, _: unit.number(value)) if is_bare else unit.amount)


def _code(record: Released, part: str) -> str:
    return record.measure if part == MEASURE else record.part(part) or ""


def _label(page: Page, record: Released, part: str, released: Sequence[Released]) -> Text:
    if part == MEASURE:
        return short_measures(page, [one.measure for one in released])[record.measure]
    return part_name(page, record, part)
