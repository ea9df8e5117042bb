"""Which reports are up to date, and what changed for those that are not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from cbresearch.publish.events import cause_of
from cbresearch.publish.kept import Kept
from cbresearch.publish.keys import Inputs
from cbresearch.publish.orders import Order, order_for
from cbresearch.publish.plan import Job, plan
from cbresearch.publish.shelf import Shelf
from cbresearch.study import Study

State = Literal["up to date", "stale", "failed", "missing"]
STATES: tuple[State, ...] = ("up to date", "stale", "failed", "missing")

NAMES = {
    "code": "code of the notebook",
    "study": "study.toml, codebook or map",
    "package": "source of cbresearch",
    "helpers": "Python files beside the notebooks",
    "seed": "seed",
    "prose": "prose of the notebook",
    "template": "template of the pages",
}
"""What an input of a report is called."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How one report stands; `why` names what changed since it was made, or how it failed.

    `waits` says that an unfinished run has made it, and readers do not see it yet.
    """

    job: Job
    state: State
    why: tuple[str, ...] = ()
    waits: bool = False


def status(
    study: Study, *, only: Sequence[str] = (), area: Sequence[str] = (), lang: Sequence[str] = ()
) -> tuple[Standing, ...]:
    """How each report of the study stands, in the order of the plan. Nothing is run or written."""
    inputs, shelf = Inputs(study), Shelf(study.reports)
    inputs.processed  # noqa: B018  (nothing built: say so before anything else)
    jobs = plan(study, only=only, area=area, lang=lang, found=inputs.slices.areas)
    return tuple(_standing(order_for(job, study, shelf, inputs, fresh=False), shelf) for job in jobs)


def _standing(order: Order, shelf: Shelf) -> Standing:
    kept = shelf.latest(order.job.slug)
    if kept is None:
        return Standing(order.job, "missing", ("never made",))
    waits = order.job.slug in shelf.staged
    changes = tuple(_changes(order, kept, shelf))
    if kept.status == "failed":
        return Standing(order.job, "failed", (cause_of(kept.error), *changes), waits)
    state: State = "up to date" if order.is_done else "stale"
    return Standing(order.job, state, changes if state == "stale" else (), waits)


def _changes(order: Order, kept: Kept, shelf: Shelf) -> Iterator[str]:
    yield from changed_inputs(kept.inputs, order.made.inputs)
    yield from switched("parameters", kept.parameters, order.job.given)
    yield from switched("versions", kept.versions, order.made.versions)
    languages = order.page_keys.keys() - kept.pages.keys()
    if languages:
        yield f"language: {', '.join(sorted(languages))} is new"
    gone = [path for path in kept.files() if not shelf.has(kept, path)]
    if gone:
        yield f"file missing: {', '.join(gone)}"


def changed_inputs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two sets of a report's inputs, in words."""
    for name, said in NAMES.items():
        if old.get(name) != new.get(name):
            is_seed = name == "seed"
            yield f"{said}: {_short(old.get(name))} → {_short(new.get(name))}" if is_seed else said
    before, after = old.get("processed", {}), new["processed"]
    tables = [table for table in {**before, **after} if before.get(table) != after.get(table)]
    if tables:
        yield f"data it reads: {', '.join(tables)}"


def switched(what: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """Values that were given otherwise, in words."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if names:
        told = (f"{name} {_short(before.get(name))} → {_short(after.get(name))}" for name in names)
        yield f"{what}: {', '.join(told)}"


def _short(value: Any) -> str:
    return "none" if value is None else str(value)


def lines(standings: Sequence[Standing], *, why: bool) -> Iterator[str]:
    """As a terminal shows it: a line for each report that is not up to date, then how many are what."""
    for one in standings:
        if one.state == "up to date" and not one.waits:
            continue
        name = f"{one.job.notebook} {one.job.area.code}" if one.job.area else one.job.notebook
        waits = " (made, shown when the run is whole)" if one.waits else ""
        yield f"{one.state:<10} {name}{waits}"
        for reason in one.why if why else ():
            yield f"           {reason}"
    counts = {state: sum(one.state == state for one in standings) for state in STATES}
    yield ", ".join(f"{count} {state}" for state, count in counts.items() if count) or "no reports"
