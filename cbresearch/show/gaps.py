"""Gaps between what was expected and what was found, and which service matters most, in words."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.page import Page
from cbresearch.show.rows import labelled
from cbresearch.show.shown import Shown, is_shown
from cbresearch.show.tables import empty
from cbresearch.show.words import compose, say, unanswered

LEVEL = 0.05


def gaps(page: Page, released: Sequence[Released] | Unanswered) -> Shown:
    """On how many sides what was found falls short of what was expected, on which most and least."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    there = _there(released)
    if not there:
        return empty(page)
    short = [record for record in there if _is_short(record)]
    if not short:
        return say(page, "needs.reading.gaps_none", rows=len(there))
    named = labelled(page, released, low=there[0], high=there[-1])
    if len(short) == len(there) > 1:
        return say(page, "needs.reading.gaps_all", rows=len(there), **named)
    return say(page, "needs.reading.gaps_some", rows=len(there), count=len(short), low=named["low"])


def title_of_gaps(page: Page, released: Sequence[Released] | Unanswered) -> Text:
    """The widest shortfall, if any can be told from chance."""
    if isinstance(released, Unanswered):
        return released.reason
    there = _there(released)
    if not there:
        return message("title.none")
    if not _is_short(there[0]):
        return message("title.gaps_none")
    return compose(page, "title.gaps", low=labelled(page, released, low=there[0])["low"])


def title_of_first(page: Page, released: Sequence[Released] | Unanswered) -> Text:
    """What comes first by estimate, and how many others have an interval that overlaps with its own."""
    if isinstance(released, Unanswered):
        return released.reason
    there = _there(released)
    if not there:
        return message("title.none")
    *others, first = there
    named = labelled(page, released, high=first)
    near = sum(_overlap(one, first) for one in others)
    return compose(page, "title.first_of" if near else "title.first", rows=near, **named)


def _overlap(one: Released, other: Released) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return one.value == other.value
    return one.low <= other.high and other.low <= one.high


def _there(released: Sequence[Released]) -> list[Released]:
    """What may be shown, the widest shortfall first."""
    return sorted((record for record in released if is_shown(record)), key=lambda record: record.value or 0.0)


def _is_short(record: Released) -> bool:
    p = record.p if record.p_adjusted is None else record.p_adjusted
    return (record.value or 0.0) < 0 and p is not None and p < LEVEL
