"""What a notebook cell hands over: one fragment of a page per language, with the numbers in it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape as html_escape

from cbresearch.records import Language, Released, Text
from cbresearch.show.names import full_name
from cbresearch.show.page import Page

PAGE_TYPE = "application/vnd.cbresearch.page+json"
FINDINGS_TYPE = "application/vnd.cbresearch.findings+json"
STYLE = (
    "<style>.cbresearch{max-width:52rem}.cbresearch :is(th,td){text-align:left!important;vertical-align:top}"
    ".cbresearch :is(th,td).num{text-align:right!important}.cbresearch caption{text-align:left;font-weight:bold}"
    ".cbresearch .headline{font-size:1.2em;font-weight:bold}.cbresearch .note{border-left:3px solid;padding-left:1em}"
    ".cbresearch small{opacity:.75}</style>"
)
"""What JupyterLab needs so that a table reads as one; reports have their own style."""
LINE_CHARACTERS = 200
"""Longest text/plain line: enough for a terminal or a log."""

# control characters break SVG; marks that turn the writing direction can make a page say what it does not
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069\ufeff]")


@dataclass(frozen=True)
class Shown:
    """A figure, table or sentence in each of the page's languages.

    `html` maps a language to a fragment in which every text is escaped. `text` is the message in
    words. `findings` are the numbers shown, one mapping each, ready for JSON; a held-back one has
    no value and says why.
    """

    lang: Language
    html: Mapping[Language, str]
    text: Text
    findings: tuple[Mapping[str, object], ...] = ()

    def _repr_mimebundle_(
        self, include: Iterable[str] | None = None, exclude: Iterable[str] | None = None
    ) -> dict[str, object]:
        return {
            PAGE_TYPE: dict(self.html),
            FINDINGS_TYPE: [dict(finding) for finding in self.findings],
            "text/html": f'<div class="cbresearch">{STYLE}{self.html[self.lang]}</div>',
            "text/plain": repr(self),
        }

    def __repr__(self) -> str:
        line = " ".join(self.text.say(self.lang).split())
        return line if len(line) <= LINE_CHARACTERS else line[: LINE_CHARACTERS - 1] + "…"


def shown(
    page: Page, html: Callable[[Language], str], text: Text, released: Iterable[Released] = ()
) -> Shown:
    """A Shown whose fragment is made once for each language of the page."""
    fragments = {lang: html(lang) for lang in page.languages}
    return Shown(page.lang, fragments, text, tuple(finding(page, record) for record in released))


def together(*parts: Shown) -> Shown:
    """Several parts as one cell output, in their order; their findings follow each other, none twice.

    A part that only repeats an earlier one, such as the note on a question without an answer, is left out.
    """
    first = parts[0]
    parts = tuple(part for i, part in enumerate(parts) if part.html not in [one.html for one in parts[:i]])
    html = {lang: "\n".join(part.html[lang] for part in parts) for lang in first.html}
    findings: list[Mapping[str, object]] = []
    for part in parts:
        findings.extend(found for found in part.findings if found not in findings)
    text = Text(*(" ".join(part.text.say(lang) for part in parts) for lang in ("zh", "en")))
    return Shown(first.lang, html, text, tuple(findings))


def finding(page: Page, record: Released) -> dict[str, object]:
    """One number as findings.json keeps it, alike whichever language the notebook shows first.

    Words are there in both languages; what is missing or not finite is None.
    """
    is_held_back = record.status == "held back"
    numbers = {
        key: None if is_held_back else finite(getattr(record, key))
        for key in ("value", "low", "high", "se", "df")
    }
    return {
        "measure": record.measure,
        "group": dict(record.group),
        "name": both(full_name(page, record)),
        **numbers,
        "n": None if is_held_back else record.n,
        "unit": record.unit,
        "status": record.status,
        "p": None if is_held_back else finite(record.p),
        "p_adjusted": None if is_held_back else finite(record.p_adjusted),
        "reason": both(record.reason) if record.reason else None,
    }


def both(text: Text) -> dict[str, str]:
    """Words for JSON, by language."""
    return {"zh": text.zh, "en": text.en}


def finite(value: float | None) -> float | None:
    """The number itself, or None for what JSON cannot hold."""
    return value if value is not None and math.isfinite(value) else None


def escape(text: object) -> str:
    """Text made safe for HTML: markup escaped, control and direction-turning characters dropped."""
    return html_escape(clean(str(text)), quote=True)


def clean(text: str) -> str:
    """Text without characters that no reader can see but a page may trip over."""
    return _UNPRINTABLE.sub("", text)


def is_shown(record: Released) -> bool:
    """A number is there to be shown: released by the gate, and not missing."""
    return record.status != "held back" and record.value is not None and math.isfinite(record.value)


def listed(released: Sequence[Released] | Released) -> tuple[Released, ...]:
    return (released,) if isinstance(released, Released) else tuple(released)
