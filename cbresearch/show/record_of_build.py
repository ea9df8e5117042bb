"""The record of the build as tables: what cleaning did, what the checks found."""

from __future__ import annotations

from collections import Counter
from typing import Any

from cbresearch.records import Text
from cbresearch.show.catalogue import message, messages
from cbresearch.show.grid import Cell, Grid, same
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, shown
from cbresearch.show.tables import words_of
from cbresearch.show.units import number

COUNTS = ("rows_set_aside", "cells_changed", "flagged")


def ledger(page: Page, *, caption: Text | Shown) -> Shown:
    """A row per cleaning step that did something, over all files: rows set aside, cells changed, marked, why."""
    frame = page.study.ledger()
    frame = frame.assign(rows_set_aside=frame["rows_before"] - frame["rows_after"])
    by_step = frame.groupby("step", sort=False)
    totals = by_step[list(COUNTS)].sum().join(by_step[["why_zh", "why_en"]].first())
    did = totals[(totals[list(COUNTS)] > 0).any(axis="columns")]
    heads = [Cell(message("column.step")), *(Cell(message(f"column.{name}"), "number") for name in COUNTS)]
    rows = tuple(_step(str(step), row) for step, row in did.to_dict("index").items())
    grid = Grid(words_of(caption), (*heads, Cell(message("column.why"))), rows)
    return shown(page, grid.html, words_of(caption))


def faults(page: Page, *, caption: Text | Shown) -> Shown:
    """A row per rule and column with how often it was broken, over all files; no cell's content is shown."""
    frame = page.study.findings()
    kept = frame[["rule", "column"]].astype("string").fillna("")
    counted = Counter(map(tuple, kept.to_numpy().tolist()))
    heads = (
        *(Cell(message(f"column.{name}")) for name in ("rule", "column")),
        Cell(message("column.count"), "number"),
    )
    rows = tuple(
        _broken(page, rule, column, count) for (rule, column), count in sorted(counted.items(), key=_by_rule)
    )
    grid = Grid(words_of(caption), heads, rows)
    return shown(page, grid.html, words_of(caption))


def _by_rule(counted: tuple[tuple[str, ...], int]) -> tuple[str, int, str]:
    (rule, column), count = counted
    return rule, -count, column


def _broken(page: Page, rule: str, column: str, count: int) -> tuple[Cell, ...]:
    where = page.label(column) if column else same("—")
    return Cell(_named("rule", rule), "label"), Cell(where), Cell(same(number(count, 0)), "number")


def _step(step: str, row: dict[Any, Any]) -> tuple[Cell, ...]:
    counts = [Cell(same(number(int(row[name]), 0)), "number") for name in COUNTS]
    return Cell(_named("step", step), "label"), *counts, Cell(Text(str(row["why_zh"]), str(row["why_en"])))


def _named(kind: str, code: str) -> Text:
    """The catalogue's words for a step or a rule; one that it does not know keeps its name."""
    words = code.replace("_", " ")
    return messages().get(f"{kind}.{code}", Text(words, words))
