"""Figures of the ledgers beside what a published report states."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.grid import Cell, Grid, same
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, listed, shown, together
from cbresearch.show.tables import empty, value_cell, words_of
from cbresearch.show.units import unit_of
from cbresearch.show.words import compose, say, unanswered


def agreement(page: Page, found: Released | Unanswered) -> Shown:
    """One ledger figure beside the published one, from the parts "published" and "agrees" of its group."""
    if isinstance(found, Unanswered):
        return unanswered(page, found)
    stated, agrees = found.part("published"), found.part("agrees")
    if stated is None:
        return say(page, "situation.headline.figure", x=found)
    key = "differs" if agrees != "yes" else "agrees_more" if _is_more_than(page, found) else "agrees"
    return say(page, f"situation.reading.{key}", x=found, published=_stated(page, found, stated))


def published(page: Page, found: Sequence[Released] | Unanswered) -> Shown:
    """How many published figures the ledgers bear out, in a headline; each that differs, in a sentence."""
    if isinstance(found, Unanswered):
        return unanswered(page, found)
    checked = [record for record in listed(found) if record.part("published") is not None]
    if not checked:
        return say(page, "situation.headline.published_none")
    differing = [record for record in checked if record.part("agrees") != "yes"]
    key = "published_some" if differing else "published_all"
    count = {"rows": len(checked), **({"agrees": len(checked) - len(differing)} if differing else {})}
    return together(
        say(page, f"situation.headline.{key}", **count), *(agreement(page, one) for one in differing)
    )


def against_published(page: Page, found: Sequence[Released] | Unanswered, *, caption: Text | Shown) -> Shown:
    """A row per figure of the district: its value, what was published, whether they agree."""
    if isinstance(found, Unanswered):
        return unanswered(page, found)
    if not found:
        return empty(page)
    heads = (
        Cell(message("column.measure")), Cell(message("column.value"), "number"),
        Cell(message("column.published"), "number"), Cell(message("column.agrees")),
    )  # fmt: skip
    grid = Grid(words_of(caption), heads, tuple(_row(page, record) for record in found))
    return shown(page, grid.html, words_of(caption), found)


def _row(page: Page, record: Released) -> tuple[Cell, ...]:
    unit = unit_of(page, record.unit)
    label = Cell(page.label(record.measure), "label", unit.small)
    value = value_cell(record, lambda value, _: unit.number(value))
    stated, agrees = record.part("published"), record.part("agrees")
    if stated is None or agrees is None:
        return label, value, Cell(same("—"), "number"), Cell(same("—"))
    words = same(unit.plain(float(stated)))
    if _is_more_than(page, record):
        words = compose(page, "published.more_than", x=words)
    return label, value, Cell(words, "number"), Cell(message(f"agrees.{agrees}"))


def _stated(page: Page, record: Released, stated: str) -> Text:
    unit = unit_of(page, record.unit)
    return Text(*(unit.goal(float(stated), lang) for lang in ("zh", "en")))


def _is_more_than(page: Page, record: Released) -> bool:
    indicator = page.study.indicators.get(record.measure)
    return indicator is not None and indicator.published_as == "more than"
