"""The record of the build as tables: what cleaning did, what the checks found."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pandas as pd

from cbresearch.records import Text
from cbresearch.show.catalogue import message, messages
from cbresearch.show.grid import Cell, Grid, same
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, shown
from cbresearch.show.tables import words_of
from cbresearch.show.units import number

COUNTS = ("rows_before", "rows_after", "cells_changed", "flagged")


def ledger(page: Page, *, caption: Text | Shown) -> Shown:
    """A row per cleaning step and source that did something: rows before and after, cells changed, why."""
    frame = page.study.ledger()
    did = frame[
        (frame["rows_before"] != frame["rows_after"]) | (frame["cells_changed"] > 0) | (frame["flagged"] > 0)
    ]
    heads = [Cell(message(f"column.{name}")) for name in ("source", "step")]
    heads += [Cell(message(f"column.{name}"), "number") for name in COUNTS] + [Cell(message("column.why"))]
    rows = tuple(_step(row) for row in did.to_dict("records"))
    grid = Grid(words_of(caption), tuple(heads), rows)
    return shown(page, grid.html, words_of(caption))


def faults(page: Page, *, caption: Text | Shown) -> Shown:
    """A row per source, column and rule with how often it was broken; no cell's content is shown."""
    frame = page.study.findings()
    kept = frame[["source", "column", "rule"]].astype("string").fillna("")
    counted = Counter(map(tuple, kept.to_numpy().tolist()))
    heads = [Cell(message(f"column.{name}")) for name in ("source", "column", "rule")] + [
        Cell(message("column.count"), "number")
    ]
    rows = tuple(
        (
            Cell(same(source), "label"),
            Cell(page.label(column) if column else same("—")),
            Cell(_named("rule", rule)),
            Cell(same(number(count, 0)), "number"),
        )
        for (source, column, rule), count in sorted(
            counted.items(), key=lambda item: (item[0][0], -item[1], item[0])
        )
    )
    grid = Grid(words_of(caption), tuple(heads), rows)
    return shown(page, grid.html, words_of(caption))


def _step(row: dict[Any, Any]) -> tuple[Cell, ...]:
    counts = [Cell(same(_count(row[name])), "number") for name in COUNTS]
    return (
        Cell(same(str(row["source"])), "label"),
        Cell(_named("step", str(row["step"]))),
        *counts,
        Cell(Text(str(row["why_zh"]), str(row["why_en"]))),
    )


def _count(value: Any) -> str:
    return number(int(value), 0) if pd.notna(value) else "—"


def _named(kind: str, code: str) -> Text:
    """The catalogue's words for a step or a rule; one that it does not know keeps its name."""
    words = code.replace("_", " ")
    return messages().get(f"{kind}.{code}", Text(words, words))
