"""Records of findings.json as numbers that can be compared: which number, and what one run says of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from cbresearch.records import Text

HELD_BACK = "held back"
RELEASED = ("published", "caution")
SAID_OF_IT = frozenset({"agrees", "alike", "quadrant", "strength", "verdict"})
"""Columns of a group that are conclusions: they may change while the question stays the same."""
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""What steers a terminal, turns a line round or cannot be written down."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which number it is, in any run: the question, without what was concluded."""

    report: str
    measure: str
    group: tuple[tuple[str, str], ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Number:
    """What one run says of it. A held-back number has a status and nothing else.

    `said` holds the conclusions that travel with the number, as (column, code) pairs.
    """

    name: Text
    status: str
    value: float | None = None
    se: float | None = None
    low: float | None = None
    high: float | None = None
    n: int | None = None
    said: tuple[tuple[str, str], ...] = ()

    @property
    def is_held_back(self) -> bool:
        return self.status == HELD_BACK

    @property
    def margin(self) -> float | None:
        """Half the width of the 95 % interval; None where there is no interval or it has no width."""
        if self.low is None or self.high is None or self.high <= self.low:
            return None
        return (self.high - self.low) / 2

    @property
    def identity(self) -> tuple[Any, ...]:
        """Equal for numbers that a reader could not tell apart: nine digits, the names left out."""
        digits = tuple(
            "" if x is None else f"{x + 0.0:.9g}" for x in (self.value, self.se, self.low, self.high)
        )
        return (self.status, self.said, self.n or 0, *digits)

    def hidden(self) -> Number:
        """The same without its figures and what they led to."""
        return replace(self, value=None, se=None, low=None, high=None, n=None, said=())


def numbered(records: Iterable[Mapping[str, Any]]) -> dict[Key, tuple[Number, ...]]:
    """Every number by its key. A number that a report shows twice is there once.

    Several different numbers under one key (a table that repeats a question with other means) are
    all kept, in an order that does not depend on the order of `records`.
    """
    found: dict[Key, dict[tuple[Any, ...], Number]] = {}
    for record in records:
        key, number = _read(record)
        twins = found.setdefault(key, {})
        twin = twins.get(number.identity)
        if twin is None or _words(number) < _words(twin):
            twins[number.identity] = number
    return {key: in_order(twins.values()) for key, twins in found.items()}


def plain(words: Any) -> str:
    """Words of a file that anybody may have written, safe to print; nothing for None."""
    return UNPRINTABLE.sub("", "" if words is None else str(words))


def in_order(numbers: Iterable[Number]) -> tuple[Number, ...]:
    return tuple(sorted(numbers, key=lambda n: (n.value is None, n.value or 0.0, str(n.identity), _words(n))))


def _read(record: Mapping[str, Any]) -> tuple[Key, Number]:
    name = _text(record.get("name"), plain(record.get("measure")))
    pairs = _pairs(record.get("group"))
    group = tuple(pair for pair in pairs if pair[0] not in SAID_OF_IT)
    key = Key(
        plain(record.get("report")),
        plain(record.get("measure")) or name.en,
        group,
        plain(record.get("unit")),
    )
    status = record.get("status", "published")
    if status not in RELEASED:  # a word we do not know is no leave to show a number
        return key, Number(name, HELD_BACK)
    count = _finite(record.get("n"))
    value, se, low, high = (_finite(record.get(part)) for part in ("value", "se", "low", "high"))
    concluded = tuple(pair for pair in pairs if pair[0] in SAID_OF_IT)
    return key, Number(name, status, value, se, low, high, None if count is None else round(count), concluded)


def _text(name: Any, otherwise: str) -> Text:
    if isinstance(name, Mapping):
        zh, en = (plain(name.get(language)) for language in ("zh", "en"))
        return Text(zh or en or otherwise, en or zh or otherwise)
    return Text(plain(name) or otherwise, plain(name) or otherwise)


def _pairs(group: Any) -> tuple[tuple[str, str], ...]:
    if isinstance(group, Mapping):
        return tuple(sorted((plain(column), plain(code)) for column, code in group.items()))
    return () if group is None else (("group", plain(group)),)


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _words(number: Number) -> tuple[str, str]:
    return (number.name.zh, number.name.en)
