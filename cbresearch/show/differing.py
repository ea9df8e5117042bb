"""Sentences about groups of residents: which differ by more than chance, alone and with all else held."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.grid import Cell, Grid, same
from cbresearch.show.names import short
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown, shown, together
from cbresearch.show.tables import NOTHING, empty, held_back, words_of
from cbresearch.show.words import compose, lower_first, paragraph, unanswered

LEVEL = 0.05
Tests = Sequence[Released] | Unanswered


def differing(page: Page, released: Tests) -> Shown:
    """Which group questions divide residents who differ, by tests whose p was adjusted for their number.

    Several tests of one question must agree; where they do not, the sentence says so. One kind of test alone
    has sentences of its own ("held", "paying"), by the part "test" of its records.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    kinds = _kinds(released)
    parts = [
        paragraph(page, key, compose(page, key, names=_names(page, named)), released)
        for verdict, named in kinds.items()
        if named and (key := f"differing.reading.{_about(released)}.{verdict}")
    ]
    return together(*parts) if parts else empty(page)


def tests(page: Page, released: Tests, *, caption: Text | Shown) -> Shown:
    """A row per group question, a column per test, the adjusted p of each; F is in the findings."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    at = {(record.measure, record.part("test") or ""): record for record in released}
    questions, kinds = (dict.fromkeys(key[i] for key in at) for i in (0, 1))
    heads = [Cell(message("column.group")), *(Cell(message(f"test.{kind}"), "number") for kind in kinds)]
    rows = tuple(
        (Cell(page.label(name), "label"), *(_adjusted(at.get((name, kind))) for kind in kinds))
        for name in questions
    )
    grid = Grid(words_of(caption), tuple(heads), rows)
    return shown(page, grid.html, words_of(caption), released)


def title_of_differing(page: Page, released: Tests) -> Text:
    """A title that names the questions whose groups differ, or says that none can be told to."""
    if isinstance(released, Unanswered):
        return released.reason
    clear, about = _kinds(released)["clear"], _about(released)
    return (
        compose(page, f"title.differing.{about}", names=_names(page, clear))
        if clear
        else message(f"title.differing.{about}_none")
    )


def _kinds(released: Sequence[Released]) -> dict[str, list[str]]:
    """The questions by what their tests say together."""
    p: dict[str, list[float]] = {}
    for record in released:
        if is_shown(record) and record.p_adjusted is not None:
            p.setdefault(record.measure, []).append(record.p_adjusted)
    found: dict[str, list[str]] = {"clear": [], "disputed": [], "unclear": []}
    for name, adjusted in p.items():
        below = sum(one < LEVEL for one in adjusted)
        found["clear" if below == len(adjusted) else "disputed" if below else "unclear"].append(name)
    return found


def _adjusted(record: Released | None) -> Cell:
    if record is None:
        return NOTHING
    if not is_shown(record) or record.p_adjusted is None:
        return held_back(record)
    return Cell(same("<0.001" if record.p_adjusted < 0.001 else f"{record.p_adjusted:.3f}"), "number")


def _about(released: Sequence[Released]) -> str:
    kinds = {record.part("test") or "" for record in released}
    return kinds.pop() if len(kinds) == 1 else "groups"


def _names(page: Page, measures: Sequence[str]) -> Text:
    labels = [short(page.label(measure)) for measure in measures]
    words = [label.en if i == 0 else lower_first(label.en) for i, label in enumerate(labels)]
    last = " and ".join(words[-2:])
    return Text("、".join(label.zh for label in labels), ", ".join([*words[:-2], last]))
