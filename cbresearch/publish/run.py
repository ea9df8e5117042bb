"""From a plan to a folder of pages: run what is not up to date, keep what is."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cbresearch.errors import PublishError
from cbresearch.publish.events import Event, Failure, Ran, Say, quiet
from cbresearch.publish.failures import write_failures
from cbresearch.publish.keys import Inputs
from cbresearch.publish.lock import alone
from cbresearch.publish.orders import Order, order_for
from cbresearch.publish.plan import Job, plan
from cbresearch.publish.shelf import Shelf
from cbresearch.publish.site import write_index
from cbresearch.publish.warm.processes import STARTED, can_fork
from cbresearch.study import Study

if TYPE_CHECKING:
    from cbresearch.publish.cluster import Cluster
    from cbresearch.publish.warming import Warm

__all__ = ["Event", "Failure", "Ran", "quiet", "run"]


def run(
    study: Study,
    *,
    only: Sequence[str] = (),
    area: Sequence[str] = (),
    lang: Sequence[str] = (),
    fresh: bool = False,
    only_failed: bool = False,
    keep_going: bool = False,
    say: Say = quiet,
    wait: Callable[[str], None] | None = None,
    cluster: Cluster | None = None,
    warm: Warm | None = None,
) -> Ran:
    """Make every report that is asked for and not up to date, then the index page.

    A notebook that fails leaves its broken copy with the error shown; the others go on, unless the
    first ones all fail alike and `keep_going` is off. `fresh` runs all of them again, `only_failed`
    those that failed last time. `say` hears of each step, in the caller's thread; `wait` of another
    run at work, which is then waited for. With a `cluster`, its workers run the notebooks, with the
    same results; `warm` is what kernels are forked from, where that was got ready before. Readers see the last complete run until this one is whole; a run that was cut short
    is taken up where it stopped. Before anything runs: PublishError when nothing is built or another
    run is at work, ParameterError with every fault of names and parameters.
    """
    inputs = Inputs(study)
    inputs.processed  # noqa: B018  (nothing built: say so before anything else)
    with _much_to_remember():
        found = inputs.slices.areas
        whole = plan(study, found=found)
        narrowed = only or area or lang
        jobs = plan(study, only=only, area=area, lang=lang, found=found) if narrowed else whole
    with alone(study.reports, wait), _room_on_disk(study.reports):
        with _much_to_remember():
            shelf = Shelf(study.reports)
            shelf.recover()
            if only_failed:
                jobs = tuple(job for job in jobs if _failed(shelf, job))
            orders = [order_for(job, study, shelf, inputs, fresh=fresh or only_failed) for job in jobs]
        inputs.slices.save()
        stopped = _made(orders, study, shelf, inputs, say, cluster, warm, keep_going=keep_going)
        if not stopped:
            # put what was made where readers find it; the index that lists it comes last
            shelf.publish([job.slug for job in jobs], {job.slug for job in whole}, _about(study, inputs))
        failures = write_failures(study, whole, shelf)
        index = study.reports / "index.html" if stopped else write_index(study, whole, shelf, inputs)
        return _ran(orders, shelf, index, failures, stopped)


def _made(
    orders: Sequence[Order], study: Study, shelf: Shelf, inputs: Inputs, say: Say, cluster: Cluster | None,
    warm: Warm | None, *, keep_going: bool,
) -> str:  # fmt: skip
    """Carry out the orders; gives why that stopped early, or nothing."""
    if all(order.is_done for order in orders):
        for count, order in enumerate(orders, 1):
            say(Event("skipped", order.job, count, len(orders)))
        return ""
    # what notebooks are run by takes longer to import than a run with nothing to do may take
    from cbresearch.publish.carry_out import Workshop, carry_out

    return carry_out(orders, Workshop(study, shelf, inputs, say, cluster, warm), keep_going=keep_going)


def _ran(orders: Sequence[Order], shelf: Shelf, index: Path, failures: Path | None, stopped: str) -> Ran:
    jobs = tuple(order.job for order in orders)
    skipped = tuple(order.job for order in orders if order.is_done)
    failed, left = [], 0
    for order in orders:
        kept = shelf.latest(order.job.slug)
        if kept is None or kept.key != order.made.key:
            left += 1
        elif kept.error:
            failed.append(Failure(order.job, kept.error.get("class", ""), kept.error.get("message", "")))
    slower = "" if can_fork() or len(skipped) == len(jobs) else STARTED
    return Ran(jobs, tuple(failed), skipped, index, failures, stopped, left, slower)


def _failed(shelf: Shelf, job: Job) -> bool:
    kept = shelf.latest(job.slug)
    return kept is not None and kept.status == "failed"


@contextmanager
def _much_to_remember() -> Iterator[None]:
    """Tens of thousands of records that all stay: to look for garbage among them takes a third of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextmanager
def _room_on_disk(reports: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise PublishError(
            f"{reports} cannot be written to: {error.strerror or error}. "
            "Mend that, then run again: what is finished is kept."
        ) from error


def _about(study: Study, inputs: Inputs) -> dict[str, Any]:
    return {
        "study": study.name,
        "versions": inputs.versions,
        "inputs": {
            "processed": inputs.processed, "study": inputs.study, "package": inputs.package, "template": inputs.template,
        },
    }  # fmt: skip
