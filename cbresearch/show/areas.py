"""A number for each community, on the map where the study has one, else in rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.records import Language, Released, Text, Unanswered
from cbresearch.show.canvas import WIDTH, Canvas, units_wide
from cbresearch.show.catalogue import message
from cbresearch.show.classes import Classes, classes
from cbresearch.show.dots import dots
from cbresearch.show.figure import Plot, figure
from cbresearch.show.names import groups_only, row_names, varying, wholes
from cbresearch.show.outline import Layout, Place, laid_out
from cbresearch.show.page import Page
from cbresearch.show.rows import by_value, not_shown, summary
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import CAUTION, empty
from cbresearch.show.theme import INK, SMALL, text_on
from cbresearch.show.units import Unit, heading_of, unit_of
from cbresearch.show.words import compose, unanswered

TALLEST, EDGE, MARGIN = 400.0, 2.0, 30.0
LINE, SWATCH, NAME = 16.0, 9.0, 40.0
"""The list below the map: its lines, the colour before a number, where names begin in a column."""


def areas(page: Page, released: Sequence[Released] | Unanswered, *, title: Text | Shown) -> Shown:
    """The map of the communities, each in the colour of its class, with a list of them, largest first.

    Takes one number for each community in one unit, and the district's beside them if there is one.
    Without a map in study.toml, or for other numbers, rows as `dots` has them.
    """
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    if not page.study.shapes or not _is_for_a_map(page, released):
        return dots(page, released, title=title)
    records = groups_only(released)
    whole = next((one for one in wholes(released) if is_shown(one)), None)
    ordered = by_value(records, row_names(page, records, varying(records)))
    drawing = _Drawing(page, ordered, whole)
    alternative = summary(page, "map", [record for record, _ in ordered])
    plot = Plot("map", drawing.draw, alternative, drawing.legend())
    return figure(page, [record for record, _ in ordered] + ([whole] if whole else []), plot, title)


def _is_for_a_map(page: Page, released: Sequence[Released]) -> bool:
    """One number for each community, all in one unit, and nothing else than the district's."""
    area = page.study.area or ""
    records = groups_only(released)
    codes = [record.part(area) for record in records]
    alike = len({record.unit for record in released}) == 1 and set(varying(records)) <= {area}
    return alike and None not in codes and len(set(codes)) == len(codes) and len(wholes(released)) <= 1


@dataclass(frozen=True)
class _Drawing:
    """The numbers in the order of the list, where each community is known by its place."""

    page: Page
    ordered: list[tuple[Released, Text]]
    whole: Released | None

    @property
    def unit(self) -> Unit:
        return unit_of(self.page, self.ordered[0][0].unit)

    def code(self, record: Released) -> str:
        return record.part(self.page.study.area or "") or ""

    def legend(self) -> tuple[Text, ...]:
        """How to read the map, what it lacks, whose it is."""
        shapes, told = self.page.study.shapes, [message("figure.map")]
        if set(shapes) - {self.code(record) for record, _ in self.ordered if is_shown(record)}:
            told.append(message("figure.map_blank"))
        if any(record.low is not None for record, _ in self.ordered):
            told.append(message("figure.map_interval"))
        if any(record.status == "caution" for record, _ in self.ordered):
            told.append(message("figure.map_care"))
        if lacking := [name for record, name in self.ordered if self.code(record) not in shapes]:
            names = Text("、".join(name.zh for name in lacking), ", ".join(name.en for name in lacking))
            told.append(compose(self.page, "figure.map_lacks", names=names))
        source = self.page.study.file.areas.source if self.page.study.file.areas else None
        return (*told, compose(self.page, "figure.map_source", source=source.text)) if source else tuple(told)

    def draw(self, lang: Language) -> Canvas:
        there = [record.value or 0.0 for record, _ in self.ordered if is_shown(record)]
        coloured = classes([*there, *([self.whole.value or 0.0] if self.whole else [])], self.unit)
        layout = self._layout()
        canvas = Canvas(5000.0)
        heading = heading_of(self.page, self.ordered[0][0]).say(lang)
        top = coloured.key(canvas, heading, self._mark(lang)) + 10
        self._map(canvas, layout, coloured, top)
        canvas.crop(self._list(canvas, coloured, top + layout.height + 18, lang))
        return canvas

    def _layout(self) -> Layout:
        """As wide as the figure; margins are left where some community is too small for its number."""
        whole = laid_out(self.page.study.shapes, WIDTH - 2 * EDGE, TALLEST)
        if all(_fits(outline.places[0]) for outline in whole.outlines.values()):
            return whole
        return laid_out(self.page.study.shapes, WIDTH - 2 * (EDGE + MARGIN), TALLEST)

    def _mark(self, lang: Language) -> tuple[float, str] | None:
        if self.whole is None or self.whole.value is None:
            return None
        words = message("figure.district").say(lang)
        return self.whole.value, f"{words} {self.unit.number(self.whole.value)}"

    def _map(self, canvas: Canvas, layout: Layout, coloured: Classes, top: float) -> None:
        numbers = {self.code(record): (i, record) for i, (record, _) in enumerate(self.ordered, 1)}
        for code, outline in layout.outlines.items():
            record = numbers[code][1] if code in numbers else None
            for part in outline.parts:
                canvas.shape(part, (layout.left, top), _colour(coloured, record))
        small = [
            (i, layout.outlines[code].places[0])
            for code, (i, _) in numbers.items()
            if code in layout.outlines
        ]
        _outside(canvas, layout, top, [(place, str(i)) for i, place in small if not _fits(place)])
        for code, (i, record) in numbers.items():
            for place in layout.outlines[code].places if code in layout.outlines else ():
                if _fits(place):
                    ink = INK if (colour := _colour(coloured, record)) is None else text_on(colour)
                    at = place.x + layout.left, place.y + top
                    canvas.text(*at, str(i), align="center", size=SMALL, colour=ink)

    def _list(self, canvas: Canvas, coloured: Classes, top: float, lang: Language) -> float:
        """Every community under its number, in as many columns as their names leave room for."""
        names = [name.say(lang) for _, name in self.ordered]
        values = [self._value(record) for record, _ in self.ordered]
        held = message("mark.held_back").say(lang)
        wide = NAME + units_wide(names, SMALL) + 8 + units_wide([*values, f"— {held}"], SMALL) + 16
        columns = max(1, min(3, int(WIDTH // wide)))
        lines = -(-len(names) // columns)
        for i, (record, _) in enumerate(self.ordered):
            x, y = WIDTH / columns * (i // lines), top + LINE * (i % lines)
            colour = _colour(coloured, record)
            if colour is not None:
                canvas.box(x, y - SWATCH / 2, SWATCH, SWATCH, colour)
            canvas.text(x + NAME - 6, y, str(i + 1), align="right", size=SMALL, alpha=0.8)
            canvas.text(x + NAME, y, names[i], size=SMALL)
            end = x + WIDTH / columns - (16 if columns > 1 else 0)
            if values[i]:
                canvas.text(end, y, values[i], align="right", size=SMALL)
            else:
                not_shown(canvas, end - units_wide([f"— {held}"], SMALL), y, lang)
        return top + LINE * lines

    def _value(self, record: Released) -> str:
        if not is_shown(record) or record.value is None:
            return ""
        return self.unit.number(record.value) + (CAUTION if record.status == "caution" else "")


def _colour(coloured: Classes, record: Released | None) -> str | None:
    """None, which leaves the ground, where there is no number that may be shown."""
    if record is None or not is_shown(record) or record.value is None:
        return None
    return coloured.colour(record.value)


def _fits(place: Place) -> bool:
    """Whether a number of two digits finds room inside."""
    return place.wide >= 1.6 * SMALL and place.tall >= 1.2 * SMALL


def _outside(canvas: Canvas, layout: Layout, top: float, numbers: Sequence[tuple[Place, str]]) -> None:
    """The numbers of the smallest communities at the nearer side, each at the end of a line, none upon another."""
    middle = WIDTH / 2 - layout.left
    for is_left in (True, False):
        here = sorted((one for one in numbers if (one[0].x < middle) == is_left), key=lambda one: one[0].y)
        room = min(LINE - 2, layout.height / max(len(here), 1))
        end, align = (18.0, "right") if is_left else (WIDTH - 18.0, "left")
        last = -room
        for rank, (place, words) in enumerate(here):
            last = min(max(place.y, last + room), layout.height - room * (len(here) - rank - 1))
            x = place.x + layout.left
            canvas.line([x, end], [place.y + top, last + top], colour=INK, width=0.8)
            canvas.dots([(x, place.y + top)], colour=INK, size=3.5)
            canvas.text(end - 3 if is_left else end + 3, last + top, words, align=align, size=SMALL)
