"""Diverging stacked bars: how residents answered items that share one scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.errors import PublishError
from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, Scale, scale, units_wide
from cbresearch.show.catalogue import message
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import row_names, short, varying
from cbresearch.show.page import Page
from cbresearch.show.rows import axis_title, not_shown, rows
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.theme import DIVERGENCE, SMALL, spread, text_on
from cbresearch.show.units import number, unit_of
from cbresearch.show.words import compose, unanswered

THICK = 16.0
ROOM_FOR_NUMBER = 19.0
"""A segment narrower than this carries no number; the table has it."""


@dataclass(frozen=True)
class Bar:
    """One row: its name, its shares from the worst answer to the best; None where any part is held back."""

    name: Text
    shares: tuple[float, ...] | None

    @property
    def favourable(self) -> float:
        """Share right of the middle, half of the middle answer left out, for the order of rows."""
        return sum(self.shares[-(len(self.shares) // 2) :]) if self.shares else -1.0

    @property
    def left(self) -> float:
        """Share to the left of the middle line: half of a middle answer lies on each side."""
        half, odd = divmod(len(self.shares or ()), 2)
        return sum(self.shares[:half]) + (self.shares[half] / 2 if odd else 0.0) if self.shares else 0.0


def likert(
    page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown, answers: str = "answer"
) -> Shown:
    """A bar per item (or group) from shares of each answer; `answers` is the group column with the codes.

    Codes stand in the codebook's order, worst first (reverse-worded items are turned round). Where one
    share of a bar is held back the whole bar is, since the rest would give it away.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    codes = _codes(page, released, answers)
    found = sorted(_bars(page, released, answers), key=lambda bar: -bar.favourable)
    labels = [page.answer(_base(released[0].measure), code) for code in codes]

    def draw(lang: Language) -> Canvas:
        return _drawn(found, [label.say(lang) for label in labels], lang)

    legend = message("figure.likert" if len(codes) % 2 else "figure.likert_even")
    return figure(page, released, Plot("likert", draw, _alternative(page, found), (legend,)), title)


def title_of_answers(
    page: Page, released: Sequence[Released] | Unanswered, *, answers: str = "answer"
) -> Text:
    """A title that is the finding of `likert`: which item has most favourable answers, which fewest."""
    if isinstance(released, Unanswered):
        return released.reason
    there = sorted(
        (bar for bar in _bars(page, released, answers) if bar.shares), key=lambda bar: -bar.favourable
    )
    if len(there) < 2:
        return message("title.answers")
    return compose(page, "title.answers_range", best=short(there[0].name), worst=short(there[-1].name))


def _base(measure: str) -> str:
    return measure.removesuffix("_points")


def _codes(page: Page, released: Sequence[Released], answers: str) -> list[str]:
    measure = _base(released[0].measure)
    present = {record.part(answers) for record in released}
    ordered = [choice.code for choice in page.study.codebook.choices_of(measure) if choice.code in present]
    if missing := sorted(str(code) for code in present - set(ordered)):
        raise PublishError(
            f"Answers {', '.join(missing)} of '{measure}' cannot be put in order: choices.csv does not list them. "
            f"Give likert shares whose group names a code under '{answers}'."
        )
    question = page.study.codebook.by_name.get(measure)
    return ordered[::-1] if question and question.direction < 0 else ordered


def _bars(page: Page, released: Sequence[Released], answers: str) -> list[Bar]:
    parts = [part for part in varying(released) if part != answers]
    names = row_names(page, released, parts) if parts else [page.label(r.measure) for r in released]
    rows_by_name: dict[Text, dict[str, Released]] = {}
    for name, record in zip(names, released, strict=True):
        rows_by_name.setdefault(name, {})[record.part(answers) or ""] = record
    return [Bar(name, _shares(page, by_code, answers)) for name, by_code in rows_by_name.items()]


def _shares(page: Page, by_code: dict[str, Released], answers: str) -> tuple[float, ...] | None:
    records = [by_code[code] for code in _codes(page, list(by_code.values()), answers)]
    if not all(is_shown(record) for record in records):
        return None
    factor = unit_of(page, records[0].unit).factor
    return tuple((record.value or 0.0) * factor for record in records)


def _alternative(page: Page, found: Sequence[Bar]) -> Text:
    there = [bar for bar in found if bar.shares]
    if not there:
        return compose(page, "alt.nothing", held=len(found))
    return compose(
        page,
        "alt.likert",
        rows=len(found),
        best=there[0].name,
        worst=there[-1].name,
        held=len(found) - len(there),
    )


def _drawn(found: Sequence[Bar], answers: Sequence[str], lang: Language) -> Canvas:
    colours = spread(DIVERGENCE, len(answers))
    canvas = Canvas(4000.0)
    top = _legend(canvas, answers, colours) + 6
    place = rows([bar.name.say(lang) for bar in found], top, height=24.0)
    left = max((bar.left for bar in found), default=50.0)
    right = max((sum(bar.shares) - bar.left for bar in found if bar.shares), default=50.0)
    at = scale([-left, 0.0, right], place.beside + 4, WIDTH - 6)
    canvas.lines([((at(0), y - 12), (at(0), y + 12)) for y in place.middles], width=1.1, alpha=1.0)
    for i, bar in enumerate(found):
        place.write(canvas, i)
        if bar.shares is None:
            not_shown(canvas, at.start + 4, place.middles[i], lang)
        else:
            _segments(canvas, at, bar, bar.shares, colours, place.middles[i])
    for tick in at.ticks:
        canvas.text(at(tick), place.bottom + 9, number(abs(tick), 0), align="center", size=SMALL, alpha=0.8)
    canvas.crop(axis_title(canvas, at, place.bottom + 26, "%"))
    return canvas


def _legend(canvas: Canvas, answers: Sequence[str], colours: Sequence[str]) -> float:
    """Answers with their colours in reading order, on as many lines as they need."""
    x, y = 0.0, 10.0
    for answer, colour in zip(answers, colours, strict=True):
        wide = 16 + units_wide([answer], SMALL) + 8
        if x + wide > WIDTH and x > 0:
            x, y = 0.0, y + 17
        canvas.box(x, y - 5, 10, 10, colour)
        canvas.text(x + 15, y, answer, size=SMALL)
        x += wide
    return y + 8


def _segments(
    canvas: Canvas, at: Scale, bar: Bar, shares: Sequence[float], colours: Sequence[str], y: float
) -> None:
    edge = -bar.left
    for share, colour in zip(shares, colours, strict=True):
        start, end = at(edge), at(edge + share)
        canvas.box(start, y - THICK / 2, max(end - start - 0.8, 0.2), THICK, colour)
        if end - start >= ROOM_FOR_NUMBER:
            canvas.text(
                (start + end) / 2, y, number(share, 0), align="center", size=SMALL, colour=text_on(colour)
            )
        edge += share
