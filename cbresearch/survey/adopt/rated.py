"""Scales with two ends: which numbers belong to them, which stand for no answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.survey.adopt.column import Column
from cbresearch.survey.adopt.ordered import means_no_answer, steps, turns_down

_SCALE_WORDS = re.compile(r"escala|scale|\brate\b|rating|calif|打分|评分|分制|几分|评价", re.IGNORECASE)
_ENDS = re.compile(
    r"(?<![\d.$])(\d{1,2})\s*(?:al?|to|and|through|y|hasta|-|–|—|~|～|至|到)\s*(\d{1,3})(?![\d.])",
    re.IGNORECASE,
)
USUAL = ((1, 5), (1, 7), (1, 10), (0, 10), (1, 4))
NUMBER_CODES = frozenset(
    {
        str(sign * code)
        for sign in (1, -1)
        for code in (77, 88, 97, 98, 99, 777, 888, 997, 998, 999, 7777, 8888, 9997, 9998, 9999)
    }
    | {"-1", "-2", "-3", "-7", "-8", "-9", "-555", "-666", "99999", "-99999", "999999"}
)


@dataclass(frozen=True, slots=True)
class Rated:
    """A recognised scale: its ends, which way it runs, the codes outside it, and why it was recognised.

    `steps` gives the number of each answer where the cells hold words; empty where they hold numbers.
    """

    low: int
    high: int
    why: str
    confidence: float
    missing: tuple[str, ...] = ()
    direction: int = 1
    steps: tuple[tuple[str, int], ...] = ()

    @property
    def in_words(self) -> bool:
        return bool(self.steps)


def recognise(column: Column) -> Rated | None:
    """The scale of a column by its own label, value labels or words; None where nothing tells."""
    if column.labels and column.is_whole:
        return _by_value_labels(column)
    if column.is_whole or _is_number_or_excuse(column):
        return _by_asking(column)
    if not column.is_number and 2 < column.distinct <= 12:
        return _by_words(column)
    return None


def within(column: Column, low: int, high: int, why: str, confidence: float) -> Rated:
    """The column as a scale from `low` to `high`; a number outside it, or a word, stands for no answer."""
    outside = [text for text, value in column.numbers.items() if not low <= value <= high]
    excuses = sorted(text for text in column.counts if text not in column.numbers and "|" not in text)
    return Rated(low, high, why, confidence, (*_in_order(outside), *excuses))


def asked_ends(label: str) -> tuple[int, int] | None:
    """The two ends that a question names: (1, 10) in 'En una escala del 1 al 10'."""
    if not _SCALE_WORDS.search(label):
        return None
    for match in _ENDS.finditer(label):
        low, high = int(match[1]), int(match[2])
        if low in (0, 1) and high in (3, 4, 5, 6, 7, 9, 10, 11, 100):
            return low, high
    return None


def _by_asking(column: Column) -> Rated | None:
    ends = asked_ends(column.label)
    if ends is None or column.distinct < 2:
        return None
    inside = [value for value in column.values if ends[0] <= value <= ends[1]]
    if len(inside) < 2:
        return None
    return within(column, *ends, f"the question names a scale from {ends[0]} to {ends[1]}", 0.95)


def _is_number_or_excuse(column: Column) -> bool:
    """Whole numbers, with a few words in place of some: 'there is no library here'."""
    words = column.distinct - len(column.numbers)
    return (
        bool(column.numbers)
        and 0 < words <= 5
        and all(value.is_integer() for value in column.numbers.values())
    )


def _by_value_labels(column: Column) -> Rated | None:
    told = {code: label for code, label in column.labels.items() if _is_whole(code)}
    judged = {code: label for code, label in told.items() if not means_no_answer(label)}
    numbered = {code for code, label in judged.items() if re.fullmatch(r"\d{1,3}", label)}
    if len(numbered) >= 3:
        low, high = min(map(int, numbered)), max(map(int, numbered))
        rated = within(column, low, high, f"its value labels are the numbers {low} to {high}", 0.95)
        others = _in_order({*filter(_is_whole, rated.missing), *(set(told) - numbered)})
        return Rated(low, high, rated.why, rated.confidence, others)
    if between := _labelled_ends(column, judged):
        return between
    if not 3 <= len(judged) <= 11:
        return _by_asking(column)
    codes = sorted(judged, key=int)
    rungs = steps([judged[code] for code in codes])
    if rungs is None or list(rungs) not in (sorted(rungs), sorted(rungs, reverse=True)):
        return _by_asking(column)
    low, high = int(codes[0]), int(codes[-1])
    rated = within(
        column, low, high, f"its answers run from '{judged[codes[0]]}' to '{judged[codes[-1]]}'", 0.85
    )
    others = _in_order({*filter(_is_whole, rated.missing), *(set(told) - set(judged))})
    return Rated(low, high, rated.why, rated.confidence, others, 1 if rungs[0] < rungs[-1] else -1)


def _labelled_ends(column: Column, judged: dict[str, str]) -> Rated | None:
    """A scale whose ends are labelled and whose steps between are bare numbers."""
    if len(judged) < 2:
        return None
    codes = sorted(judged, key=int)
    low, high = int(codes[0]), int(codes[-1])
    between = [text for text, value in column.numbers.items() if low < value < high and text not in judged]
    if len(between) < 2 or len(between) < len(judged) - 2:
        return None
    rated = within(
        column,
        low,
        high,
        f"labelled at '{judged[codes[0]]}' and '{judged[codes[-1]]}', numbers between",
        0.75,
    )
    others = _in_order({*filter(_is_whole, rated.missing), *(set(column.labels) - set(judged))})
    return Rated(
        low,
        high,
        rated.why,
        rated.confidence,
        others,
        -1 if turns_down(judged[codes[0]], judged[codes[-1]]) else 1,
    )


def _by_words(column: Column) -> Rated | None:
    silent = [text for text in column.counts if means_no_answer(text)]
    judged = [text for text in column.counts if text not in silent]
    rungs = steps(judged)
    if rungs is None:
        return None
    ladder = sorted(zip(judged, rungs, strict=True), key=lambda pair: pair[1])
    high = max(3, ladder[-1][1], 5 if max(rungs) == 4 and len({*rungs}) == 4 and min(rungs) > 1 else 0)
    why = f"its answers run from '{ladder[0][0]}' to '{ladder[-1][0]}'"
    return Rated(1, high, why, 0.8, tuple(silent), 1, tuple(ladder))


def stray_codes(column: Column) -> tuple[str, ...]:
    """Numbers that look like codes for no answer in a column that is no scale: -999, or 99 far above the rest."""
    if not column.is_number or column.distinct < 3:
        return ()
    suspects = [text for text in column.numbers if text in NUMBER_CODES]
    rest = [value for text, value in column.numbers.items() if text not in suspects]
    if not rest:
        return ()
    below = [text for text in suspects if column.numbers[text] < 0 <= min(rest)]
    above = [
        text
        for text in suspects
        if column.numbers[text] > max(2 * max(rest), 10) and column.numbers[text] > 0
    ]
    return _in_order([*below, *above])


def _is_whole(code: str) -> bool:
    return bool(re.fullmatch(r"-?\d{1,6}", code))


def _in_order(codes: Sequence[str] | set[str]) -> tuple[str, ...]:
    return tuple(sorted(codes, key=float))
