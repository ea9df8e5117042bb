"""Orders carried out side by side: each outcome on the shelf as soon as it is there."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from cbresearch.errors import PublishError
from cbresearch.publish.events import Event, Say, cause_of
from cbresearch.publish.kernels import scratch_folder, write_kernelspec
from cbresearch.publish.keys import Inputs
from cbresearch.publish.lanes import Started, in_lanes
from cbresearch.publish.orders import Limits, Order, keep, task_for
from cbresearch.publish.room import Room
from cbresearch.publish.shelf import Shelf, keep_modules, modules_of
from cbresearch.publish.task import Outcome
from cbresearch.publish.warm.modules import named_in
from cbresearch.study import Study

if TYPE_CHECKING:
    from cbresearch.publish.cluster import Cluster
    from cbresearch.publish.warming import Warm

SECONDS_PER_NOTEBOOK = 600.0
FIRST = 5
"""When so many reports in a row fail alike from the start, the others would as well."""


@dataclass(slots=True)
class Workshop:
    """What orders are carried out with; `warm` is used up by the first of them."""

    study: Study
    shelf: Shelf
    inputs: Inputs
    say: Say
    cluster: Cluster | None = None
    warm: Warm | None = None


class Tally:
    """How far a run has come."""

    def __init__(self, done: int, total: int, *, keep_going: bool) -> None:
        self.done, self.total = done, total
        self._keep_going = keep_going
        self._first: list[str] = []

    def count(self, cause: str) -> None:
        """One more report is behind us; `cause` says why it failed, or nothing."""
        self.done += 1
        if len(self._first) < FIRST:
            self._first.append(cause)

    @property
    def stop(self) -> str:
        """Why there is no point in going on; empty while there is."""
        alike = len(self._first) == FIRST and len(set(self._first)) == 1 and self._first[0]
        if self._keep_going or not alike or self.done == self.total:
            return ""
        return f"stopped after {FIRST} reports failed alike: {self._first[0]}"


def carry_out(orders: Sequence[Order], shop: Workshop, *, keep_going: bool) -> str:
    """Run or write what is not done yet; gives why it stopped early, or nothing."""
    done = [order for order in orders if order.is_done]
    for count, order in enumerate(done, 1):
        shop.say(Event("skipped", order.job, count, len(orders)))
    tally = Tally(len(done), len(orders), keep_going=keep_going)
    waiting = {order.job.slug: order for order in orders if not order.is_done}
    while waiting and not tally.stop:
        waiting = _once(waiting, shop, tally)
    return tally.stop


def _once(orders: dict[str, Order], shop: Workshop, tally: Tally) -> dict[str, Order]:
    """Carry out all orders; gives those to run whose executed notebook turned out to be unusable."""
    again: dict[str, Order] = {}
    learnt = dict.fromkeys(modules_of(shop.study.reports) or named_in(_notebooks(orders, shop)))
    with closing(_work(list(orders.values()), shop, list(learnt))) as news:
        for item in news:
            order = orders[item.slug]
            if isinstance(item, Started):
                shop.say(Event("started", order.job, tally.done, tally.total))
                continue
            learnt |= dict.fromkeys(item.modules)
            if item.error and not order.run_it:
                again[item.slug] = replace(order, run_it=True)
                continue
            _put(order, item, shop, tally)
            if tally.stop:
                break
    keep_modules(shop.study.reports, list(learnt))
    return again


def _notebooks(orders: dict[str, Order], shop: Workshop) -> list[Path]:
    names = dict.fromkeys(order.job.notebook for order in orders.values() if order.run_it)
    return [shop.study.notebooks / f"{name}.ipynb" for name in names]


def _put(order: Order, outcome: Outcome, shop: Workshop, tally: Tally) -> None:
    if outcome.error and not (shop.shelf.next / order.job.executed).is_file():
        raise PublishError(
            f"{order.job.executed} could not be written: {cause_of(outcome.error)}. "
            "Make room, then run again: what is finished is kept."
        )
    kept = keep(order, outcome, shop.shelf)
    cause = cause_of(kept.error)
    tally.count(cause)
    kind: Literal["finished", "failed"] = "failed" if kept.error else "finished"
    shop.say(Event(kind, order.job, tally.done, tally.total, outcome.seconds, cause))


def _work(orders: Sequence[Order], shop: Workshop, modules: Sequence[str]) -> Generator[Started | Outcome]:
    study = shop.study
    with ExitStack() as stack:
        warm, shop.warm = shop.warm, None
        room = warm.room if warm else Room.now()
        scratch = warm.scratch if warm else _scratch(stack)
        limits = Limits(SECONDS_PER_NOTEBOOK, room.bytes_per_lane)
        tasks = [task_for(order, study, shop.shelf, shop.inputs, scratch, limits) for order in orders]
        if shop.cluster is not None:
            from cbresearch.publish.cluster import on_cluster

            yield from on_cluster(tasks, study, shop.cluster, modules=modules)
            return
        yield from in_lanes(
            tasks, lanes=room.lanes, scratch=scratch, cwd=study.notebooks, modules=modules,
            zygote=warm.zygote if warm else None,
        )  # fmt: skip


def _scratch(stack: ExitStack) -> Path:
    folder = stack.enter_context(scratch_folder())
    write_kernelspec(folder)
    return folder
