"""One community's scorecard: value, target, verdict, beside the district and its own past."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.grid import Cell, Grid, same
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
    """A row per target: this community's value with interval, the target, the verdict.

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
        Cell(message("column.measure")),
        *(Cell(message(f"column.{name}"), "number") for name in ("here", "interval", "target")),
    ]
    heads += [
        Cell(message("column.verdict")),
        *(Cell(message(f"column.{name}"), "number") for name, _ in others),
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
    goal = Text(*(unit.goal(float(target), lang) for lang in ("zh", "en"))) if target else same("—")
    said = message(f"verdict.{ruling.replace(' ', '_')}") if ruling else same("—")
    label = Cell(page.label(record.measure), "label")
    return label, _beside(page, record), _interval(unit, record), Cell(goal, "number"), Cell(said)


def _beside(page: Page, record: Released | None) -> Cell:
    if record is None:
        return Cell(same("—"), "number")
    if not is_shown(record):
        return held_back(record)
    return value_cell(record, unit_of(page, record.unit).amount)


def _interval(unit: Unit, record: Released) -> Cell:
    if record.low is None or record.high is None:
        return Cell(same("—"), "number")
    low, high = record.low, record.high
    return Cell(Text(*(unit.interval(low, high, lang) for lang in ("zh", "en"))), "number")
