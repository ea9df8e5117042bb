"""Plain semantic HTML tables: caption, scopes, escaped text.

Written by hand for size and for the caption: great-tables spends about ten kilobytes of style on each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cbresearch.records import Language, Text
from cbresearch.show.shown import escape

Kind = Literal["label", "group", "words", "number", "held back", "caution", "met", "not met", "cannot tell"]
_CSS: dict[Kind, str] = {
    "label": "",
    "group": "",
    "words": "",
    "number": "num",
    "held back": "held-back",
    "caution": "num caution",
    "met": "verdict met",
    "not met": "verdict not-met",
    "cannot tell": "verdict cannot-tell",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with what it is: a row's label, words, a number, a verdict, or the mark of one that is not shown.

    `under` stands in small print: the unit after a row's label, the interval below a number. A "group" is the
    label of `rows` rows, the first of which it begins.
    """

    text: Text
    kind: Kind = "words"
    under: Text | None = None
    rows: int = 1


@dataclass(frozen=True, slots=True)
class Grid:
    """A table before it has a language: `columns` are headings with the kind of their cells."""

    caption: Text | None
    columns: tuple[Cell, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[Text, ...] = ()

    def html(self, lang: Language) -> str:
        """A table in a box of its own that scrolls where the page is narrow, followed by its notes."""
        caption = f"<caption>{escape(self.caption.say(lang))}</caption>" if self.caption else ""
        head = "".join(f'<th scope="col"{_css(cell)}>{_words(cell, lang)}</th>' for cell in self.columns)
        body = "".join(_row(row, lang, is_first=i == 0) for i, row in enumerate(self.rows))
        notes = "".join(f'<p class="table-note">{escape(note.say(lang))}</p>' for note in self.notes)
        name = escape((self.caption or self.columns[0].text).say(lang))
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{name}" style="overflow-x:auto">'
            f'<table class="data">{caption}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>{notes}'
        )


def same(words: str) -> Text:
    """Words that read alike in both languages, such as a number."""
    return Text(words, words)


def _row(row: tuple[Cell, ...], lang: Language, *, is_first: bool) -> str:
    """A row; one that begins with the label of a group begins a body of its own."""
    start = "</tbody>\n<tbody>" if row[0].kind == "group" and not is_first else ""
    return f"{start}<tr>{''.join(_cell(cell, lang) for cell in row)}</tr>\n"


def _cell(cell: Cell, lang: Language) -> str:
    words = _words(cell, lang)
    if cell.kind == "group":
        return f'<th scope="rowgroup" rowspan="{cell.rows}">{words}</th>'
    if cell.kind == "label":
        return f'<th scope="row">{words}</th>'
    if cell.kind in {"met", "not met", "cannot tell"}:
        return f"<td><span{_css(cell)}>{words}</span></td>"
    return f"<td{_css(cell)}>{words}</td>"


def _words(cell: Cell, lang: Language) -> str:
    words = escape(cell.text.say(lang))
    if cell.under is None or not cell.under.say(lang):
        return words
    if cell.kind == "label":
        return words + _beside(cell.text.say(lang), cell.under.say(lang), lang)
    return f'{words}<br><small class="under">{escape(cell.under.say(lang))}</small>'


def _beside(label: str, unit: str, lang: Language) -> str:
    """The unit in brackets after a label, unless the label says it already: 'Police rooms' needs no 'rooms'."""
    if lang == "en" and label.casefold().endswith(unit.casefold()):
        return ""
    return f' <small class="under">{escape(f"（{unit}）" if lang == "zh" else f"({unit})")}</small>'


def _css(cell: Cell) -> str:
    return f' class="{_CSS[cell.kind]}"' if _CSS[cell.kind] else ""


def text_columns(names: Sequence[Text]) -> tuple[Cell, ...]:
    return tuple(Cell(name) for name in names)
