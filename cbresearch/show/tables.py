"""Released numbers as tables: a row each, or two of their parts crossed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.grid import Cell, Grid, same
from cbresearch.show.names import MEASURE, column_name, full_name, part_name, short_measures, varying
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown, listed, shown
from cbresearch.show.units import Unit, heading_of, number, unit_of
from cbresearch.show.words import compose, reason_of, unanswered

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
) -> Shown:
    """Values of `rows` down and `columns` across, each a part of the numbers ("measure" or a group column).

    A combination that nobody asked for stays empty; one that was held back says so. Numbers whose
    units differ carry them; otherwise the unit stands in the caption.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    grid = _crossed(page, released, words_of(caption), rows, columns)
    return shown(page, grid.html, words_of(caption), released)


def words_of(words: Text | Shown) -> Text:
    """The words of a caption or title, whichever way they were made."""
    return words.text if isinstance(words, Shown) else words


def empty(page: Page) -> Shown:
    """The note that stands where there is no number at all."""
    text = message("note.empty")
    return shown(page, lambda lang: f'<aside class="note"><p>{text.say(lang)}</p></aside>', text)


def long_grid(
    page: Page, records: Sequence[Released], caption: Text | None, parts: tuple[str, ...] | None = None
) -> Grid:
    """The long table as a grid, which is also the data behind a figure."""
    parts = varying(records) if parts is None else parts
    units = {record.unit: unit_of(page, record.unit) for record in records}
    alone = next(iter(units.values())) if len(units) == 1 else None
    has_interval = any(record.low is not None for record in records)
    has_n, has_p = any(record.n for record in records), any(record.p is not None for record in records)
    names = row_names(page, records, parts)
    is_mixed = any(record.part(part) is None for record in records for part in parts if part != MEASURE)
    shown_parts = ("group",) if is_mixed else parts or (MEASURE,)
    heads = [Cell(column_name(page, part)) for part in shown_parts]
    heads.append(Cell(_with_unit(message("column.value"), heading_of(page, records[0]) if alone else None), "number"))
    heads += [Cell(message("column.interval"), "number")] if has_interval else []
    heads += [Cell(message("column.n"), "number")] if has_n else []
    rows = tuple(
        (
            *_labels(page, record, parts),
            *_numbers(record, units[record.unit], alone is not None, has_interval, has_n),
        )
        for record in records
    )
    return Grid(caption, tuple(heads), rows, notes(page, records))


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
    return Text(f"{words.zh}：{heading.zh}", f"{words.en}: {heading.en}") if heading else words


def _labels(page: Page, record: Released, parts: tuple[str, ...]) -> list[Cell]:
    if not parts:
        return [Cell(full_name(page, record), "label")]
    return [
        Cell(part_name(page, record, part), "label" if i == 0 else "words") for i, part in enumerate(parts)
    ]


def _numbers(record: Released, unit: Unit, is_alone: bool, has_interval: bool, has_n: bool) -> list[Cell]:
    cells = [value_cell(record, (lambda value, _: unit.number(value)) if is_alone else unit.amount)]
    if has_interval:
        interval = Text("—", "—")
        if record.low is not None and record.high is not None:
            interval = Text(
                unit.interval(record.low, record.high, "zh"), unit.interval(record.low, record.high, "en")
            )
        cells.append(Cell(interval, "number"))
    if has_n:
        cells.append(Cell(same(number(record.n, 0) if record.n else "—"), "number"))
    return cells


def _crossed(page: Page, released: Sequence[Released], caption: Text, rows: str, columns: str) -> Grid:
    units = {record.unit: unit_of(page, record.unit) for record in released}
    alone = next(iter(units.values())) if len(units) == 1 else None
    by_place = {(_code(record, rows), _code(record, columns)): record for record in released}
    downwards, across = (
        dict.fromkeys(place[0] for place in by_place),
        dict.fromkeys(place[1] for place in by_place),
    )
    some = {place[0]: record for place, record in by_place.items()}
    tops = {place[1]: record for place, record in by_place.items()}
    heads = [
        Cell(column_name(page, rows)),
        *(Cell(_label(page, tops[code], columns, released), "number") for code in across),
    ]
    body = tuple(
        (
            Cell(_label(page, some[down], rows, released), "label"),
            *(_crossing(by_place.get((down, over)), units, alone is not None) for over in across),
        )
        for down in downwards
    )
    return Grid(_with_unit(caption, heading_of(page, released[0]) if alone else None), tuple(heads), body, notes(page, released))


def _crossing(record: Released | None, units: dict[str, Unit], is_alone: bool) -> Cell:
    if record is None:
        return Cell(same(""), "number")
    unit = units[record.unit]
    return value_cell(record, (lambda value, _: unit.number(value)) if is_alone else unit.amount)


def _code(record: Released, part: str) -> str:
    return record.measure if part == MEASURE else record.part(part) or ""


def _label(page: Page, record: Released, part: str, released: Sequence[Released]) -> Text:
    if part == MEASURE:
        return short_measures(page, [one.measure for one in released])[record.measure]
    return part_name(page, record, part)
