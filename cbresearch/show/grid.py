"""Plain semantic HTML tables: caption, scopes, escaped text.

Written by hand for size and for the caption: great-tables spends about ten kilobytes of style on each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cbresearch.records import Language, Text
from cbresearch.show.shown import escape

Kind = Literal["label", "words", "number", "held back", "caution"]
_CSS: dict[Kind, str] = {
    "label": "",
    "words": "",
    "number": "num",
    "held back": "held-back",
    "caution": "num caution",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """Text with what it is: a row's label, words, a number, or the mark of one that is not shown."""

    text: Text
    kind: Kind = "words"


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
        head = "".join(
            f'<th scope="col"{_css(cell)}>{escape(cell.text.say(lang))}</th>' for cell in self.columns
        )
        body = "".join(f"<tr>{''.join(_cell(cell, lang) for cell in row)}</tr>\n" for row in self.rows)
        notes = "".join(f'<p class="table-note">{escape(note.say(lang))}</p>' for note in self.notes)
        name = escape((self.caption or self.columns[0].text).say(lang))
        return (
            f'<div class="scroll" role="region" tabindex="0" aria-label="{name}" style="overflow-x:auto">'
            f'<table class="data">{caption}<thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>{notes}'
        )


def same(words: str) -> Text:
    """Words that read alike in both languages, such as a number."""
    return Text(words, words)


def _cell(cell: Cell, lang: Language) -> str:
    words = escape(cell.text.say(lang))
    return f'<th scope="row">{words}</th>' if cell.kind == "label" else f"<td{_css(cell)}>{words}</td>"


def _css(cell: Cell) -> str:
    return f' class="{_CSS[cell.kind]}"' if _CSS[cell.kind] else ""


def text_columns(names: Sequence[Text]) -> tuple[Cell, ...]:
    return tuple(Cell(name) for name in names)
