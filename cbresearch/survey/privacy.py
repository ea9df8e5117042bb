"""Personal data in cells: found by their shape, masked before anything else looks at them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

import pandas as pd

from cbresearch.records import Text
from cbresearch.survey.distinct import distinct


@dataclass(frozen=True, slots=True)
class Trace:
    """One shape of personal data, with the mark that replaces it."""

    name: str
    mark: Text
    pattern: re.Pattern[str]


# A digit before or after a shape would make it part of a longer number, such as an order or account.
_GAP = r"[\s\-–—.·]?"
_PHONE = Text("[电话]", "[phone]")
TRACES = (
    Trace(
        "e-mail",
        Text("[邮箱]", "[e-mail]"),
        re.compile(r"[A-Za-z0-9._%+\-]+@[A-Za-z0-9\-]+(?:\.[A-Za-z0-9\-]+)+"),
    ),
    # 18 digits hold a birth date and a check digit; 15 digits are the form before 1999
    Trace(
        "ID number",
        Text("[证件号]", "[ID number]"),
        re.compile(
            r"(?<![0-9])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[0-9Xx](?![0-9])"
            r"|(?<![0-9])[1-9]\d{5}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}(?![0-9])"
        ),
    ),
    Trace(
        "mobile phone",
        _PHONE,
        re.compile(
            r"(?<![0-9])(?:\(?(?:\+|00)86\)?[\s\-]?)?1[3-9]\d" + _GAP + r"\d{4}" + _GAP + r"\d{4}(?![0-9])"
        ),
    ),
    Trace(
        "landline phone",
        _PHONE,
        re.compile(
            r"(?<![0-9])[(（]?0(?:10|2\d|[3-9]\d{2})[)）]?[\s\-–—]?[2-9]\d{6,7}(?:[\-转]\d{1,5})?(?![0-9])"
        ),
    ),
    # without an area code seven or eight digits are a phone only when somebody says so
    Trace(
        "local phone",
        _PHONE,
        re.compile(
            r"(?<=电话)[号码是为:：\s]{0,4}[2-9]\d{6,7}(?![0-9])|(?<=座机)[号码是为:：\s]{0,4}[2-9]\d{6,7}(?![0-9])"
        ),
    ),
)


_LIKELY = re.compile(r"[@＠]|\d(?:\D?\D?\d){6}")


def mask(text: str, lang: str = "zh") -> str:
    """`text` with every phone, ID number and e-mail address replaced by its mark in `lang`.

    Full-width digits count as digits. Text without a trace comes back exactly as it was.
    """
    half = _half_width(text)
    masked = half
    for trace in TRACES:
        masked = trace.pattern.sub(trace.mark.say(lang), masked)
    return text if masked == half else masked


def traces(text: str, lang: str = "zh") -> tuple[str, ...]:
    """The marks of what `mask` would replace in `text`, each once, in the order of TRACES."""
    half = _half_width(text)
    marks: dict[str, None] = {}
    for trace in TRACES:
        mark = trace.mark.say(lang)
        half, count = trace.pattern.subn(mark, half)
        if count:
            marks[mark] = None
    return tuple(marks)


def traced(cells: pd.Series, lang: str = "zh") -> pd.Series:
    """The cells that hold personal data, as the marks (in `lang`) of what they hold; the others left out."""
    found = distinct(cells)
    # every shape has an @ or seven digits
    marks = [" ".join(traces(text, lang)) if _LIKELY.search(text) else "" for text in found.texts]
    told = pd.Series(
        pd.array([mark or None for mark in marks], dtype="string").take(found.places, allow_fill=True),
        index=cells.index,
    )
    return told[told.notna()]


def _half_width(text: str) -> str:
    return "".join(
        unicodedata.normalize("NFKC", sign) if "０" <= sign <= "９" or sign in "＠－＋Ｘｘ" else sign
        for sign in text
    )
