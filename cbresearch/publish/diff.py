"""Two runs compared, number by number: what moved, and by how much of its margin of error."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any, Literal

from cbresearch.publish.diff_numbers import Key, Number, in_order, numbered
from cbresearch.records import Text

Kind = Literal["measured", "counted", "gate", "only in A", "only in B", "unmoved"]
"""Moved and has a margin of error; moved and has none; held back in one run; in one run alone; none of these."""

ROUNDING = 1e-9
"""Less than this share of a number is arithmetic in another order, not a move."""
WIDER = 0.25
"""A margin of error that changes by more than this share is told, whatever the number did."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Something a reader must not overlook. `what` is "status", "zero", "interval", "margin", "number",
    "rank" or the column of a conclusion."""

    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Change:
    """One number in both runs, or in one of them.

    `difference` is new less old, in the number's unit. `margin` is the wider of the two margins of
    error, so that A against B says the same as B against A; the runs share residents, so it is a
    yardstick and not a test. What either run holds back has figures on neither side: `is_hidden`.
    """

    key: Key
    name: Text
    kind: Kind
    old: Number | None
    new: Number | None
    difference: float | None = None
    margin: float | None = None
    marks: tuple[Mark, ...] = ()
    is_hidden: bool = False

    @property
    def margins(self) -> float | None:
        """By how many of its margins of error it moved, with the sign of the difference."""
        return None if self.difference is None or not self.margin else self.difference / self.margin

    @property
    def is_beyond(self) -> bool:
        return self.margins is not None and abs(self.margins) > 1

    def is_over(self, threshold: float) -> bool:
        """Moved further than `threshold` margins, or is worth telling however little it moved."""
        if self.kind != "measured" or self.margins is None or self.marks:
            return True
        return abs(self.margins) > threshold


@dataclass(frozen=True, slots=True)
class Counts:
    compared: int
    moved: int
    beyond: int
    gate: int
    only_in_a: int
    only_in_b: int


def diff(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> tuple[Change, ...]:
    """Every number of two findings.json, the furthest moved first; unmoved ones last.

    Numbers are matched by report, measure, group and unit. The order of the records does not matter.
    """
    before, after = numbered(old), numbered(new)
    changes = [
        _change(key, *pair)
        for key in before.keys() | after.keys()
        for pair in _pairs(before.get(key, ()), after.get(key, ()))
    ]
    held = {"only in A": _held_back(after), "only in B": _held_back(before)}
    guarded = (_guarded(change, held[change.kind]) if change.kind in held else change for change in changes)
    return tuple(sorted(guarded, key=_how_far))


def count(changes: Sequence[Change]) -> Counts:
    kinds = [change.kind for change in changes]
    only = (kinds.count("only in A"), kinds.count("only in B"))
    moved = kinds.count("measured") + kinds.count("counted")
    beyond = sum(change.is_beyond for change in changes)
    return Counts(len(changes) - sum(only), moved, beyond, kinds.count("gate"), *only)


def apart(changes: Sequence[Change]) -> dict[Key, str]:
    """For numbers of a report that share name and unit: the parts of their group in which they differ."""
    alike: dict[tuple[str, Text, str], set[Key]] = {}
    for change in changes:
        alike.setdefault((change.key.report, change.name, change.key.unit), set()).add(change.key)
    told = {}
    for keys in (keys for keys in alike.values() if len(keys) > 1):
        common = set.intersection(*(set(key.group) for key in keys))
        for key in keys:
            own = [f"{column} {code}" for column, code in key.group if (column, code) not in common]
            if own:
                told[key] = ", ".join(own)
    return told


Held = dict[str, set[frozenset[tuple[str, str]]]]
"""The groups whose figure a run holds back in any of its reports, by measure."""


def _held_back(numbers: Mapping[Key, Sequence[Number]]) -> Held:
    found: Held = {}
    for key, twins in numbers.items():
        if any(number.is_held_back for number in twins):
            found.setdefault(key.measure, set()).add(frozenset(key.group))
    return found


def _guarded(change: Change, held: Held) -> Change:
    """A number of one run alone, hidden where the other run holds the same back in another table.

    A run may hold a group back by leaving it out of a table, so it is looked for under all groups
    that are part of this one, or that this one is part of.
    """
    group = frozenset(change.key.group)
    if not any(group <= other or other <= group for other in held.get(change.key.measure, ())):
        return change
    old, new = (side.hidden() if side else None for side in (change.old, change.new))
    return replace(change, old=old, new=new, is_hidden=True)


def _pairs(old: Sequence[Number], new: Sequence[Number]) -> list[tuple[Number | None, Number | None]]:
    """Old beside new. Alike ones find each other first; the rest pair up from the smallest."""
    if any(number.is_held_back for number in (*old, *new)):
        # the run that shows it would tell what the other one holds back
        old, new = _all_hidden(old), _all_hidden(new)
    after = {number.identity: number for number in new}
    alike = [(number, after[number.identity]) for number in old if number.identity in after]
    paired = {number.identity for number, _ in alike}
    left, right = (
        in_order(number for number in side if number.identity not in paired) for side in (old, new)
    )
    return [*alike, *zip_longest(left, right)]


def _all_hidden(numbers: Sequence[Number]) -> tuple[Number, ...]:
    """One hidden number for them all; held back when any of them was."""
    hidden = sorted((number.hidden() for number in numbers), key=lambda n: (not n.is_held_back, n.status))
    return tuple(hidden[:1])


def _change(key: Key, old: Number | None, new: Number | None) -> Change:
    if old is None or new is None:
        one = old or new
        assert one is not None
        return Change(
            key, one.name, "only in A" if new is None else "only in B", old, new, is_hidden=one.is_held_back
        )
    if old.is_held_back or new.is_held_back:
        marks, name = _status(old, new), (new if new.is_held_back else old).name
        return Change(key, name, "gate" if marks else "unmoved", old, new, marks=marks, is_hidden=True)
    margin = max((side.margin for side in (old, new) if side.margin), default=None)
    difference = None if old.value is None or new.value is None else new.value - old.value
    if difference is not None and _is_rounding(difference, old.value, new.value, margin):
        difference = 0.0
    marks = (*_status(old, new), *_conclusions(old, new), *_figures(key, old, new, difference))
    if not difference and not marks:
        return Change(key, new.name, "unmoved", old, new, difference, margin)
    return Change(key, new.name, "measured" if margin else "counted", old, new, difference, margin, marks)


def _is_rounding(difference: float, old: float | None, new: float | None, margin: float | None) -> bool:
    return abs(difference) <= ROUNDING * max(abs(old or 0.0), abs(new or 0.0), margin or 0.0)


def _status(old: Number, new: Number) -> tuple[Mark, ...]:
    return () if old.status == new.status else (Mark("status", old.status, new.status),)


def _conclusions(old: Number, new: Number) -> tuple[Mark, ...]:
    before, after = dict(old.said), dict(new.said)
    return tuple(
        Mark(column, before.get(column, ""), after.get(column, ""))
        for column in sorted(before.keys() | after.keys())
        if before.get(column) != after.get(column)
    )


def _figures(key: Key, old: Number, new: Number, difference: float | None) -> tuple[Mark, ...]:
    marks = []
    if (old.value is None) != (new.value is None):
        marks.append(Mark("number", _is_there(old), _is_there(new)))
    if difference and old.value and new.value and (old.value > 0) != (new.value > 0):
        marks.append(Mark("zero", _side(old.value), _side(new.value)))
    if old.margin and new.margin:
        before, after = _holds_zero(old), _holds_zero(new)
        if before != after:
            marks.append(Mark("interval", _holds(before), _holds(after)))
        change = abs(new.margin - old.margin) / max(old.margin, new.margin)
        if change > (WIDER if difference else ROUNDING):
            marks.append(Mark("margin", f"{old.margin!r}", f"{new.margin!r}"))
    if key.unit == "rank" and difference and old.value is not None and new.value is not None:
        marks.append(Mark("rank", f"{old.value:g}", f"{new.value:g}"))
    return tuple(marks)


def _is_there(number: Number) -> str:
    return "none" if number.value is None else "there"


def _side(value: float) -> str:
    return "above" if value > 0 else "below"


def _holds_zero(number: Number) -> bool:
    return number.low is not None and number.high is not None and number.low <= 0 <= number.high


def _holds(zero: bool) -> str:
    return "with zero" if zero else "without zero"


def _how_far(change: Change) -> tuple[Any, ...]:
    """Measured moves by their margins, then the others by their share, then what has no size."""
    kinds: tuple[Kind, ...] = ("measured", "counted", "gate", "only in A", "only in B", "unmoved")
    share = 0.0
    if change.difference and change.old and change.new:
        share = abs(change.difference) / max(abs(change.old.value or 0.0), abs(change.new.value or 0.0))
    return (kinds.index(change.kind), -abs(change.margins or 0.0), -share, change.key, _in_twins(change))


def _in_twins(change: Change) -> str:
    return str([side.identity if side else () for side in (change.old, change.new)])
