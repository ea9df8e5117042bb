"""One community's scorecard: value, target, verdict, beside the district and its own past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.grid import Cell, Grid, Kind, same
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown, shown
from cbresearch.show.tables import empty, held_back, notes, value_cell, words_of
from cbresearch.show.units import Unit, unit_of
from cbresearch.show.words import unanswered


def scorecard(
    page: Page,
    judged: Sequence[Released] | Unanswered,
    *,
    caption: Text | Shown,
    district: Sequence[Released] = (),
    earlier: Sequence[Released] = (),
) -> Shown:
    """A row per target: the verdict, this community's value with its interval, the target.

    The verdict comes first, so that a phone shows it; the unit stands once, with the item.

    `judged` carry "target" and "verdict" among the parts of their group. `district` and `earlier`
    (the wave before) are matched by measure; a column without any number is left out.
    """
    if isinstance(judged, Unanswered):
        return unanswered(page, judged)
    if not judged:
        return empty(page)
    others = [
        (name, {r.measure: r for r in found})
        for name, found in (("earlier", earlier), ("district", district))
        if found
    ]
    heads = [
        *(Cell(message(f"column.{name}")) for name in ("measure", "verdict")),
        Cell(message("column.here"), "number", message("column.interval")),
        *(Cell(message(f"column.{name}"), "number") for name in ("target", *(name for name, _ in others))),
    ]
    rows = tuple(
        (*_ruling(page, record), *(_beside(page, found.get(record.measure)) for _, found in others))
        for record in judged
    )
    everything = [*judged, *earlier, *district]
    grid = Grid(words_of(caption), tuple(heads), rows, notes(page, everything))
    return shown(page, grid.html, words_of(caption), everything)


def _ruling(page: Page, record: Released) -> tuple[Cell, ...]:
    unit, target, ruling = unit_of(page, record.unit), record.part("target"), record.part("verdict")
    return (
        Cell(page.label(record.measure), "label", unit.small),
        Cell(message(f"verdict.{ruling.replace(' ', '_')}"), _kind(ruling)) if ruling else Cell(same("—")),
        replace(_beside(page, record), under=_interval(unit, record)),
        Cell(same(unit.plain(float(target))) if target else same("—"), "number"),
    )


def _kind(ruling: str) -> Kind:
    kinds: dict[str, Kind] = {"met": "met", "not met": "not met"}
    return kinds.get(ruling, "cannot tell")


def _beside(page: Page, record: Released | None) -> Cell:
    if record is None:
        return Cell(same("—"), "number")
    if not is_shown(record):
        return held_back(record)
    unit = unit_of(page, record.unit)
    return value_cell(record, lambda value, _: unit.number(value))


def _interval(unit: Unit, record: Released) -> Text | None:
    """Below the value; nothing where there is none, or where the value is not shown."""
    if not is_shown(record) or record.low is None or record.high is None:
        return None
    low, high = record.low, record.high
    return Text(*(unit.interval(low, high, lang) for lang in ("zh", "en")))
