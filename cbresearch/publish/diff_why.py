"""Why numbers moved: what a report was made from, in one run and in the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from cbresearch.publish.diff import Change, apart, diff
from cbresearch.publish.diff_numbers import Key
from cbresearch.publish.diff_runs import Made, Run, made

Cause = Literal["data", "study", "notebook", "package", "parameters", "versions"]
CAUSES: tuple[Cause, ...] = ("data", "study", "notebook", "package", "parameters", "versions")


@dataclass(frozen=True, slots=True)
class Switched:
    """One parameter or one library, before and after; empty where a run did not have it."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Why:
    """All that differs between two makings of one report, and all that cannot be known.

    Several causes may stand together: nothing here tells which of them moved a number. `tables` are the
    tables of data/processed that changed, as far as the report reads them. `status_a`
    and `status_b` are "ok", "failed" or "" where the run has no such report.
    """

    changed: tuple[Cause, ...]
    unknown: tuple[Cause, ...]
    tables: tuple[str, ...] = ()
    parameters: tuple[Switched, ...] = ()
    versions: tuple[Switched, ...] = ()
    status_a: str = ""
    status_b: str = ""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs with every number of both, and why, by report."""

    a: Run
    b: Run
    changes: tuple[Change, ...]
    why: Mapping[str, Why]
    apart: Mapping[Key, str]

    def count_of(self, cause: Cause) -> int:
        """How many numbers moved, or went behind the gate or came out, in reports where it changed."""
        return sum(cause in self.why[change.key.report].changed for change in self._told)

    @property
    def unexplained(self) -> int:
        """Numbers that moved although all that was recorded stayed the same."""
        whys = [self.why[change.key.report] for change in self._told]
        return sum(not why.changed and not why.unknown for why in whys)

    @property
    def unrecorded(self) -> int:
        """Numbers that moved where nothing is known to have changed and not all is known."""
        whys = [self.why[change.key.report] for change in self._told]
        return sum(not why.changed and bool(why.unknown) for why in whys)

    @property
    def _told(self) -> list[Change]:
        return [change for change in self.changes if change.kind in ("measured", "counted", "gate")]


def compare(a: Run, b: Run, *, seen: Callable[[Run, str], Made] = made) -> Comparison:
    """`a` is before, `b` is after. Reports where nothing moved are not asked why."""
    changes = diff(a.findings, b.findings)
    reports = dict.fromkeys(change.key.report for change in changes if change.kind != "unmoved")
    return Comparison(
        a, b, changes, {name: why(seen(a, name), seen(b, name)) for name in reports}, apart(changes)
    )


def why(old: Made, new: Made) -> Why:
    """What differs between two makings of one report.

    The same key means that nothing differs. Where keys differ and all else is known to be the
    same, only code is left: the notebook, or a file of Python beside it.
    """
    if old.key is not None and old.key == new.key:
        return Why((), (), status_a=old.status, status_b=new.status)
    states = {cause: _differs(cause, old, new) for cause in CAUSES}
    changed = [cause for cause in CAUSES if states[cause]]
    unknown = [cause for cause in CAUSES if states[cause] is None]
    if old.key and new.key and not changed and unknown in ([], ["notebook"]):
        changed, unknown = ["notebook"], []
    return Why(
        tuple(changed), tuple(unknown), _tables(old, new), _switched(old.parameters, new.parameters),
        _switched(old.versions, new.versions), old.status, new.status,
    )  # fmt: skip


def _differs(cause: Cause, old: Made, new: Made) -> bool | None:
    """Whether it changed; None where that is not recorded, or not in the same way."""
    before, after = getattr(old, cause), getattr(new, cause)
    is_hash = cause not in ("parameters", "versions")
    if before is None or after is None or (is_hash and old.format != new.format):
        return None
    if cause == "data":  # a table that one of them does not read says that the notebook changed
        return bool(_tables(old, new)) if before.keys() & after.keys() else None
    return bool(before != after)


def _tables(old: Made, new: Made) -> tuple[str, ...]:
    before, after = old.data or {}, new.data or {}
    return tuple(sorted(name for name in before.keys() & after.keys() if before[name] != after[name]))


def _switched(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> tuple[Switched, ...]:
    before, after = old or {}, new or {}
    return tuple(
        Switched(name, before.get(name, ""), after.get(name, ""))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    )
