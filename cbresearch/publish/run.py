"""From a plan to a folder of pages: run what is not up to date, keep what is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cbresearch.publish.kernels import scratch_folder, write_kernelspec
from cbresearch.publish.keys import Inputs
from cbresearch.publish.lanes import Started, in_lanes
from cbresearch.publish.orders import Limits, Order, keep, order_for, task_for
from cbresearch.publish.plan import Job, plan
from cbresearch.publish.room import Room
from cbresearch.publish.shelf import Kept, Shelf, alone, keep_modules, modules_of
from cbresearch.publish.site import write_index
from cbresearch.publish.task import Outcome
from cbresearch.study import Study

SECONDS_PER_NOTEBOOK = 600.0


@dataclass(frozen=True, slots=True)
class Event:
    """One step of a run. `done` of `total` jobs are behind us; `seconds` is what this one took."""

    kind: Literal["started", "finished", "failed", "skipped"]
    job: Job
    done: int
    total: int
    seconds: float = 0.0
    reason: str = ""
    """Why it failed: class and first line of the error."""


@dataclass(frozen=True, slots=True)
class Failure:
    job: Job
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did. `jobs` are all that were asked for; `skipped` of them were up to date."""

    jobs: tuple[Job, ...]
    failed: tuple[Failure, ...]
    skipped: tuple[Job, ...]
    index: Path

    @property
    def exit_code(self) -> int:
        return 1 if self.failed else 0


def quiet(event: Event) -> None:
    """Say nothing."""


def run(
    study: Study,
    *,
    only: Sequence[str] = (),
    area: Sequence[str] = (),
    lang: Sequence[str] = (),
    fresh: bool = False,
    say: Callable[[Event], None] = quiet,
) -> Ran:
    """Make every report that is asked for and not up to date, then the index page.

    A notebook that fails leaves its broken copy with the error shown; the others go on. `fresh`
    runs all of them again. `say` hears of each step, in the caller's thread. Before anything runs:
    PublishError when nothing is built or another run is at work, ParameterError with every fault
    of names and parameters.
    """
    inputs = Inputs(study)
    inputs.processed  # noqa: B018  (nothing built: say so before anything else)
    whole = plan(study)
    jobs = plan(study, only=only, area=area, lang=lang)
    with alone(study.reports):
        shelf = Shelf(study.reports)
        shelf.forget_all_but({job.slug for job in whole})
        orders = [order_for(job, study, shelf, inputs, fresh=fresh) for job in jobs]
        try:
            _carry_out(orders, study, shelf, say)
        finally:  # also after Ctrl-C: what is finished stays finished
            shelf.save(_about(study, inputs))
            index = write_index(study, whole, shelf, inputs)
    failed = tuple(
        _failure(job, shelf.kept[job.slug]) for job in jobs if shelf.kept[job.slug].status == "failed"
    )
    return Ran(jobs, failed, tuple(order.job for order in orders if order.is_done), index)


def _carry_out(orders: Sequence[Order], study: Study, shelf: Shelf, say: Callable[[Event], None]) -> None:
    done = [order for order in orders if order.is_done]
    for count, order in enumerate(done, 1):
        say(Event("skipped", order.job, count, len(orders)))
    open_orders = {order.job.slug: order for order in orders if not order.is_done}
    if not open_orders:
        return
    count = len(done)
    learnt = dict.fromkeys(modules_of(study.reports))
    for news in _work(list(open_orders.values()), study, list(learnt)):
        order = open_orders[news.slug]
        if isinstance(news, Started):
            say(Event("started", order.job, count, len(orders)))
            continue
        count += 1
        learnt |= dict.fromkeys(news.modules)
        kept = keep(order, news, shelf)
        reason = f"{kept.error['class']}: {kept.error['message']}".strip() if kept.error else ""
        kind: Literal["finished", "failed"] = "failed" if kept.error else "finished"
        say(Event(kind, order.job, count, len(orders), news.seconds, reason))
    keep_modules(study.reports, list(learnt))


def _work(orders: Sequence[Order], study: Study, modules: Sequence[str]) -> Iterator[Started | Outcome]:
    room = Room.now()
    with scratch_folder() as scratch:
        write_kernelspec(scratch)
        limits = Limits(SECONDS_PER_NOTEBOOK, room.bytes_per_lane)
        tasks = [task_for(order, study, scratch, limits) for order in orders]
        yield from in_lanes(tasks, lanes=room.lanes, scratch=scratch, cwd=study.notebooks, modules=modules)


def _failure(job: Job, kept: Kept) -> Failure:
    error = kept.error or {}
    return Failure(job, error.get("class", ""), error.get("message", ""))


def _about(study: Study, inputs: Inputs) -> dict[str, Any]:
    return {
        "study": study.name,
        "versions": inputs.versions,
        "inputs": {
            "processed": inputs.processed, "study": inputs.study, "package": inputs.package, "template": inputs.template,
        },
    }  # fmt: skip
