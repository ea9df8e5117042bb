"""The specification curve: an effect under every choice, a row each, with the choices marked beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale
from cbresearch.show.catalogue import message
from cbresearch.show.causes import is_clear
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import column_name, part_name, short
from cbresearch.show.page import Page
from cbresearch.show.rows import ends
from cbresearch.show.shown import Shown, is_shown, together
from cbresearch.show.tables import empty
from cbresearch.show.theme import ACCENT, INK, MAIN, SMALL
from cbresearch.show.words import compose, unanswered

CHOICES = ("outcome", "held", "rows", "weights")
COLUMN, TOP = 15.0, 24.0
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def curve(page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown) -> Shown:
    """Estimates from lowest to highest, each with its interval; a mark under each letter for a choice made.

    The legend says what each letter stands for. A choice that all rows share has no letter.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    there = [record for record in released if is_shown(record)]
    letters = list(zip(LETTERS, _choices(page, there), strict=False))

    def draw(lang: Language) -> Canvas:
        return _drawn(there, letters)

    told = [Text(f"{letter} {name.zh}", f"{letter} {name.en}") for letter, (_, _, name) in letters]
    key = Text("；".join(one.zh for one in told) + "。", "; ".join(one.en for one in told) + ".")
    legend = (message("figure.curve"), *([key] if told else []))
    return figure(page, released, Plot("curve", draw, _alternative(page, released), legend), title)


def curves(page: Page, released: Mapping[str, Sequence[Released]] | Unanswered) -> Shown:
    """A curve for each cause, titled by how many ways of estimating point the same way."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    parts = [curve(page, records, title=_title(page, records)) for records in released.values()]
    return together(*parts) if parts else empty(page)


def _title(page: Page, released: Sequence[Released]) -> Text:
    values = [record.value for record in released if record.value is not None]
    above = sum(value > 0 for value in values)
    return compose(
        page, f"title.curve.{'above' if 2 * above >= len(values) else 'below'}",
        name=short(page.label(released[0].measure)), rows=len(values), same=max(above, len(values) - above),
    )  # fmt: skip


Choice = tuple[str, str, Text]
"""A column of the group, one of its sets, how a reader calls it."""


def _choices(page: Page, released: Sequence[Released]) -> list[Choice]:
    """Every set that some rows have and others have not, told once where there are only two."""
    found: list[Choice] = []
    for column in CHOICES:
        sets = dict.fromkeys(one for record in released for one in _sets(record, column))
        told = [one for one in sets if any(one not in _sets(record, column) for record in released)]
        told = told[:1] if len(told) == 2 and column != "held" else told
        found += [(column, one, _name(page, column, one, released)) for one in told if one != "nothing"]
    return found


def _sets(record: Released, column: str) -> list[str]:
    return (record.part(column) or "").split("+")


def _name(page: Page, column: str, code: str, released: Sequence[Released]) -> Text:
    heading, name = column_name(page, column), part_name(page, _with(released[0], column, code), column)
    return Text(f"{heading.zh}·{name.zh}", f"{heading.en}: {name.en}")


def _with(record: Released, column: str, code: str) -> Released:
    return replace(record, group=((column, code),))


def _alternative(page: Page, released: Sequence[Released]) -> Text:
    values = [record.value for record in released if record.value is not None]
    if not values:
        return compose(page, "alt.nothing", held=len(released))
    return compose(
        page, "alt.curve", rows=len(values), above=sum(value > 0 for value in values),
        clear=sum(is_clear(record) for record in released),
    )  # fmt: skip


def _drawn(released: Sequence[Released], letters: Sequence[tuple[str, Choice]]) -> Canvas:
    step = min(14.0, max(5.0, 420.0 / max(len(released), 1)))
    left, bottom = COLUMN * len(letters) + 12, TOP + step * len(released)
    canvas = Canvas(bottom + 26)
    at = scale([0.0, *ends(released)], left, WIDTH - 8, intervals=6)
    canvas.ruler(at, TOP, bottom)
    canvas.line([at(0), at(0)], [TOP, bottom], colour=INK, width=1.3)
    for i, (letter, (column, code, _)) in enumerate(letters):
        x = COLUMN * (i + 0.5)
        canvas.text(x, TOP - 12, letter, align="center", size=SMALL)
        rows = [row for row, record in enumerate(released) if code in _sets(record, column)]
        canvas.dots(
            [(x, TOP + step * (row + 0.5)) for row in rows],
            colour=INK,
            size=min(5.0, step * 0.62),
            marker="s",
        )
    _estimates(canvas, at, released, step)
    return canvas


def _estimates(canvas: Canvas, at: Scale, released: Sequence[Released], step: float) -> None:
    for colour, is_side in ((ACCENT, False), (MAIN, True)):
        mine = [(i, r) for i, r in enumerate(released) if is_clear(r) is is_side and r.value is not None]
        ys = [TOP + step * (i + 0.5) for i, _ in mine]
        pieces = [
            ((at(r.low), y), (at(r.high), y)) for (_, r), y in zip(mine, ys, strict=True) if r.low is not None and r.high is not None
        ]  # fmt: skip
        canvas.lines(pieces, colour=colour, width=1.3, alpha=0.75)
        canvas.dots(
            [(at(r.value), y) for (_, r), y in zip(mine, ys, strict=True) if r.value is not None],
            colour=colour, size=min(5.5, step * 0.75), hollow=not is_side,
        )  # fmt: skip
