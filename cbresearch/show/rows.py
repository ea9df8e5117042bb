"""Figures made of labelled rows: where the label stands, what is at the right, what is held back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile

from cbresearch.records import Language, Released, Text
from cbresearch.show.canvas import WIDTH, Canvas, Scale, ems, units_wide, wrap
from cbresearch.show.catalogue import message
from cbresearch.show.names import row_names, varying
from cbresearch.show.page import Page
from cbresearch.show.shown import is_shown
from cbresearch.show.theme import FONT, SMALL
from cbresearch.show.units import Unit
from cbresearch.show.words import Named, compose

ROOM_BESIDE = 164.0
"""Labels wider than this stand above their row, so that phones keep room for the marks."""
ROW, LINE, TIGHT = 21.0, 15.0, 12.0


@dataclass(frozen=True)
class Rows:
    """Where each row stands: `beside` is the width left for labels, 0 when they stand above."""

    labels: tuple[tuple[str, ...], ...]
    beside: float
    middles: tuple[float, ...]
    bottom: float

    def write(self, canvas: Canvas, row: int) -> None:
        """The label of one row, in the left column or above it."""
        lines, middle = self.labels[row], self.middles[row]
        size = _size(lines) if self.beside else FONT
        step = LINE if size == FONT else TIGHT
        first = (
            middle - step * (len(lines) - 1) / 2
            if self.beside
            else middle - ROW / 2 - LINE * (len(lines) - 0.45)
        )
        for i, line in enumerate(lines):
            if self.beside:
                canvas.text(self.beside - 8, first + i * step, line, align="right", size=size)
            else:
                canvas.text(0, first + i * step, line)


def rows(labels: Sequence[str], top: float, *, height: float = ROW) -> Rows:
    """Room for `labels` from `top` down: beside the marks where they fit in two lines, else above."""
    folded = tuple(tuple(_folded(label)) for label in labels)
    widest = max((units_wide(lines, _size(lines)) for lines in folded), default=0.0)
    if widest <= ROOM_BESIDE - 8 and max(map(len, folded), default=1) <= 2:
        return _beside(folded, top, height)
    wrapped = tuple(tuple(wrap(label, WIDTH - 4)) for label in labels)
    middles: list[float] = []
    y = top
    for lines in wrapped:
        y += LINE * len(lines) + 3
        middles.append(y + height / 2 - 2)
        y += height
    return Rows(wrapped, 0.0, tuple(middles), y)


def _folded(label: str) -> list[str]:
    """One line of text, or smaller lines of about one length where the column is too narrow for it."""
    room = ROOM_BESIDE - 8
    if units_wide([label]) <= room:
        return [label]
    first = wrap(label, room, SMALL)
    # a finite search: words too long for any room keep their number of lines for ever
    narrower = (wrap(label, room * 0.92**step, SMALL) for step in range(1, 9))
    return [first, *takewhile(lambda lines: len(lines) == len(first), narrower)][-1]


def _size(lines: Sequence[str]) -> float:
    return FONT if len(lines) == 1 and units_wide(lines) <= ROOM_BESIDE - 8 else SMALL


def _beside(folded: tuple[tuple[str, ...], ...], top: float, height: float) -> Rows:
    widest = max(units_wide(lines, _size(lines)) for lines in folded)
    tall = max(height, TIGHT * 2 + 3) if any(len(lines) > 1 for lines in folded) else height
    middles = tuple(top + tall * (i + 0.5) for i in range(len(folded)))
    return Rows(folded, widest + 10, middles, top + tall * len(folded))


def by_value(records: Sequence[Released], labels: Sequence[Text]) -> list[tuple[Released, Text]]:
    """Largest first; what is held back comes last, in its own order. Waves stay in theirs."""
    if varying(records) == ("wave",):
        return as_given(records, labels)
    pairs = list(zip(records, labels, strict=True))
    there = [pair for pair in pairs if is_shown(pair[0])]
    there.sort(key=lambda pair: -(pair[0].value or 0.0))
    return there + [pair for pair in pairs if not is_shown(pair[0])]


def as_given(records: Sequence[Released], labels: Sequence[Text]) -> list[tuple[Released, Text]]:
    return list(zip(records, labels, strict=True))


Order = Callable[[Sequence[Released], Sequence[Text]], list[tuple[Released, Text]]]


def ends(records: Sequence[Released]) -> list[float]:
    """Every number that a mark reaches: values and interval ends of what may be shown."""
    return [
        number
        for record in records
        if is_shown(record)
        for number in (record.value, record.low, record.high)
        if number is not None
    ]


def not_shown(canvas: Canvas, x: float, y: float, lang: Language) -> None:
    canvas.text(x, y, f"— {message('mark.held_back').say(lang)}", size=SMALL, alpha=0.75)


def axis_title(canvas: Canvas, scale: Scale, y: float, words: str) -> float:
    """The unit below the numbers, in lines where it is long; returns where the figure may end."""
    lines = wrap(words, WIDTH - 20, SMALL)
    middle = (scale.start + scale.end) / 2
    widest = max(ems(line) for line in lines) * SMALL / 2
    middle = min(max(middle, widest), WIDTH - widest)
    for i, line in enumerate(lines):
        canvas.text(middle, y + i * 14, line, align="center", size=SMALL, alpha=0.8)
    return y + len(lines) * 14 - 4


def value_room(records: Sequence[Released], unit: Unit) -> float:
    """Width of the column of values at the right."""
    return (
        units_wide([unit.number(r.value) for r in records if is_shown(r) and r.value is not None], FONT) + 10
    )


def summary(page: Page, kind: str, records: Sequence[Released], *, panels: int | None = None) -> Text:
    """The written alternative: kind of chart, number of rows, highest, lowest, held back."""
    there = sorted((r for r in records if is_shown(r)), key=lambda r: r.value or 0.0)
    held = len(records) - len(there)
    if not there:
        return compose(page, "alt.nothing", held=held)
    count = panels if panels is not None else len(records)
    return compose(
        page, f"alt.{kind}", rows=count, held=held, **labelled(page, records, high=there[-1], low=there[0])
    )


def labelled(page: Page, records: Sequence[Released], **chosen: Released) -> dict[str, Named]:
    """Some of the numbers, each with the label that tells it from all the others."""
    names = dict(zip(map(id, records), row_names(page, records, varying(records)), strict=True))
    return {key: Named(record, names[id(record)]) for key, record in chosen.items()}
