"""Readable names for released numbers, from the codebook."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from itertools import accumulate

from cbresearch.records import Released, Text
from cbresearch.show.catalogue import fill, message, messages
from cbresearch.show.page import Page

MEASURE = "measure"
"""Stands for the measured column itself wherever a group column could be named."""
MISSING = "missing"
"""The method of a number that is the percent without an answer."""
LONGEST = 60
"""Letters of a label in a sentence, a Chinese character counted as two; tables have the whole of it."""
MEASURED = frozenset({"outcome", "covariate"})
"""Parts of a group whose code is a measure of its own."""
NUMBERED = frozenset({"allowed", "bend", "waves_before"})
"""Parts of a group whose code is a number, which must not be taken for the code of an answer."""
ASIDES = frozenset({"target", "verdict", "published", "agrees", "against", "since"})
"""Parts of a group that say what a number is held against; they do not tell it from others."""


def full_name(page: Page, record: Released) -> Text:
    """Measure and group in words: 'Overall satisfaction (Xinle, 2009)'."""
    measure = page.label(record.measure)
    if not _naming(record):
        return measure
    group = group_name(page, record)
    return Text(f"{measure.zh}（{group.zh}）", f"{measure.en} ({group.en})")


def short_name(page: Page, record: Released) -> Text:
    """`full_name` for a sentence or a title: a measure that is a whole question is cut short."""
    if not _naming(record):
        return short(page.label(record.measure))
    measure, group = short(page.label(record.measure)), group_name(page, record)
    return Text(f"{measure.zh}（{group.zh}）", f"{measure.en} ({group.en})")


def short(label: Text) -> Text:
    """A label of at most `LONGEST` letters in each language; longer ones lose whole words before their end.

    Questions of one battery begin alike, so that the end tells more of them than the beginning.
    """
    return Text(_cut(label.zh), _cut(label.en))


def _cut(words: str) -> str:
    if _wide(words) <= LONGEST:
        return words
    start, end = _fitting(words, LONGEST // 3), _fitting(words[::-1], LONGEST * 2 // 3 - 3)[::-1]
    return f"{start.rstrip(' ,;:.、，；：（(')} … {end.lstrip(' ,;:.、，；：）)')}"


def _fitting(words: str, room: int) -> str:
    """As much of the beginning as fits into `room`, ending with a whole word where words are apart."""
    fits = sum(total <= room for total in accumulate(map(_wide, words)))
    start = words[:fits]
    whole = start if words[fits : fits + 1] == " " else start.rpartition(" ")[0]
    return whole if len(whole) > fits / 2 else start


def _wide(words: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in words)


def group_name(page: Page, record: Released) -> Text:
    """The group alone; the words for everybody where there is none."""
    if not _naming(record):
        return message("group.everybody")
    return _joined([part_name(page, record, column) for column in _naming(record)])


def part_name(page: Page, record: Released, column: str) -> Text:
    """One part of a number's name: its measure, or the label of its code in `column`."""
    if column == MEASURE:
        return page.label(record.measure)
    code = record.part(column)
    if code is None:
        return message("group.everybody")
    if column == "wave" or (column == "cohort" and code.isdigit()):
        return wave_name(code)
    if column == "event":
        return event_name(int(code))
    if column in NUMBERED:
        return _numbered(column, code)
    if column in MEASURED:
        return short(page.label(code))
    if column == "held":
        return _joined([_held(page, one) for one in code.split("+")])
    known = page.answer(column, code)
    if known == Text(code, code):
        known = page.answer(record.measure, code)
    if known == Text(code, code) and f"{column}.{code}" in messages():
        return message(f"{column}.{code}")
    return known


def _held(page: Page, code: str) -> Text:
    """A set of controls: one that the catalogue names, or a measure held on its own."""
    return message(f"held.{code}") if f"held.{code}" in messages() else short(page.label(code))


def wave_name(code: str) -> Text:
    """'2009年' for a wave named by its year, '第3轮' for one that is counted."""
    is_year = code.isdigit() and len(code) == 4
    return Text(f"{code}年", code) if is_year else Text(f"第{code}轮", f"Wave {code}")


def event_name(waves_since: int) -> Text:
    """'2 waves before', 'the wave it came', '1 wave after'."""
    if not waves_since:
        return message("event.now")
    key = f"event.{'before' if waves_since < 0 else 'after'}{'_one' if abs(waves_since) == 1 else ''}"
    return fill(message(key), lambda *_: str(abs(waves_since)))


def _numbered(column: str, code: str) -> Text:
    """The catalogue's words for this number, its words for any number there, or the number itself."""
    if f"{column}.{code}" in messages():
        return message(f"{column}.{code}")
    key = f"{column}.times"
    return fill(message(key), lambda *_: code) if key in messages() else Text(code, code)


def column_name(page: Page, column: str) -> Text:
    """The heading of a column of labels."""
    return message(f"column.{column}") if f"column.{column}" in messages() else page.label(column)


def varying(released: Sequence[Released]) -> tuple[str, ...]:
    """The parts by which these numbers differ, measure first, then group columns as they come."""
    columns = dict.fromkeys(column for record in released for column in _naming(record))
    found = [column for column in columns if len({record.part(column) for record in released}) > 1]
    return (MEASURE, *found) if len({record.measure for record in released}) > 1 else tuple(found)


def constant(released: Sequence[Released]) -> tuple[str, ...]:
    """The group columns that all these numbers share."""
    columns = dict.fromkeys(column for record in released for column in _naming(record))
    return tuple(column for column in columns if len({record.part(column) for record in released}) == 1)


def row_names(page: Page, released: Sequence[Released], columns: Sequence[str]) -> list[Text]:
    """A label per number that tells it from the others; words that all measures share are left out."""
    short = short_measures(page, [record.measure for record in released])
    return [_row_name(page, record, columns, short) for record in released]


def _row_name(page: Page, record: Released, columns: Sequence[str], short: dict[str, Text]) -> Text:
    if not columns:
        return full_name(page, record)
    there = [column for column in columns if column == MEASURE or record.part(column) is not None]
    parts = [
        short[record.measure] if column == MEASURE else part_name(page, record, column) for column in there
    ]
    return _joined(parts) if parts else message("group.everybody")


def wholes(released: Sequence[Released]) -> list[Released]:
    """Numbers about everybody among numbers about groups: they have none of the parts by which the others differ."""
    columns = [column for column in varying(released) if column != MEASURE]
    return [record for record in released if columns and not any(record.part(column) for column in columns)]


def groups_only(released: Sequence[Released]) -> list[Released]:
    """The numbers about groups, without those about everybody."""
    everybody = wholes(released)
    return [record for record in released if record not in everybody]


def short_measures(page: Page, measures: Sequence[str]) -> dict[str, Text]:
    """Labels without what all of them share: 'Satisfaction with culture' is 'Culture' among its like."""
    labels = {measure: page.label(measure) for measure in dict.fromkeys(measures)}
    zh = _without_shared([label.zh for label in labels.values()], spaced=False)
    en = _without_shared([label.en for label in labels.values()], spaced=True)
    return {measure: Text(*pair) for measure, pair in zip(labels, zip(zh, en, strict=True), strict=True)}


def _naming(record: Released) -> list[str]:
    return [column for column, _ in record.group if column not in ASIDES]


def _without_shared(labels: list[str], *, spaced: bool) -> list[str]:
    if len(labels) < 3:
        return labels
    head = _shared_start(labels)
    stop = max(
        (head.rfind(mark) + len(mark) for mark in ((" ", ": ") if spaced else ("：",)) if mark in head),
        default=0,
    )
    tail = "" if spaced else _shared_start([label[::-1] for label in labels])[::-1]
    bare = [label[stop : len(label) - len(tail)].strip() for label in labels]
    if not all(bare):
        return labels
    return [text[0].upper() + text[1:] for text in bare]


def _shared_start(labels: Sequence[str]) -> str:
    first, last = min(labels), max(labels)
    same = next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:same]


def _joined(parts: Sequence[Text]) -> Text:
    return Text("，".join(part.zh for part in parts), ", ".join(part.en for part in parts))
