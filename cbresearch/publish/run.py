"""From a plan to a folder of pages: run what is not up to date, keep what is."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cbresearch.publish.kernels import KERNEL, scratch_folder, transport, write_kernelspec
from cbresearch.publish.keys import Inputs
from cbresearch.publish.lanes import Started, in_lanes
from cbresearch.publish.orders import Order, keep, order_for, task_for
from cbresearch.publish.plan import Job, plan
from cbresearch.publish.shelf import Kept, Shelf, alone
from cbresearch.publish.site import write_index
from cbresearch.publish.task import Outcome, Task
from cbresearch.study import Study

SECONDS_PER_NOTEBOOK = 600.0
START_TRIES = 3
BANNER_TAG = "papermill-error-cell-tag"


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


@dataclass(frozen=True, slots=True)
class Executed:
    """A notebook with its outputs; `error` has class and message where it did not reach its end."""

    notebook: Any
    error: dict[str, str] | None


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


def execute(task: Task) -> Executed:
    """Run one notebook in a kernel of its own; what went wrong is told, not raised.

    Only a kernel that did not start is tried again: running a cell twice could count twice.
    """
    for attempt in range(START_TRIES):
        done = _attempt(task, last=attempt == START_TRIES - 1)
        if done is not None:
            return done
    raise AssertionError("the last attempt always answers")


def _attempt(task: Task, *, last: bool) -> Executed | None:
    # papermill costs more than a second to import, which a run with nothing to do need not pay
    from papermill.exceptions import PapermillExecutionError

    begun: list[bool] = []
    seen: list[Any] = []
    try:
        notebook = _papermill(task, begun, seen)
    except PapermillExecutionError as error:
        return Executed(_settled(seen[-1]), {"class": error.ename, "message": error.evalue})
    except Exception as error:  # dead kernel, time-out, no start: each is this notebook's failure
        if not begun and not last and isinstance(error, RuntimeError):
            return None
        told = _told(error)
        notebook = seen[-1] if seen else _untouched(task)
        return Executed(_settled(_with_banner(notebook, told)), told)
    return Executed(_settled(notebook), _unraised(notebook))


def _papermill(task: Task, begun: list[bool], seen: list[Any]) -> Any:
    import nbformat
    import papermill
    from papermill.engines import NBClientEngine, papermill_engines

    class Remembering(NBClientEngine):  # papermill loses the notebook when a kernel dies
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, kernel_name: str, **options: Any) -> Any:
            seen.append(nb_man.nb)
            return super().execute_managed_notebook(nb_man, kernel_name, **options)

    papermill_engines.register("cbresearch-remembering", Remembering)
    until = time.monotonic() + task.seconds_allowed
    folder = Path(tempfile.mkdtemp(prefix="", dir=task.scratch)) / "s"
    return papermill.execute_notebook(
        nbformat.read(task.source, as_version=4), None, parameters=task.parameters,
        engine_name="cbresearch-remembering", kernel_name=KERNEL, language="python", progress_bar=False,
        request_save_on_cell_execute=False, autosave_cell_every=0, start_timeout=60, config=transport(folder),
        timeout_func=lambda cell: max(1, int(until - time.monotonic())),
        on_cell_start=lambda **_: begun.append(True),
    )  # fmt: skip


def _told(error: Exception) -> dict[str, str]:
    lines = str(error).strip().splitlines() or [""]
    return {"class": type(error).__name__, "message": lines[0][:500]}


def _unraised(notebook: Any) -> dict[str, str] | None:
    """An error that papermill lets pass: SystemExit(0) ends a notebook before its last cell."""
    for cell in notebook.cells:
        expected = "raises-exception" in cell.metadata.get("tags", [])
        for output in () if expected else cell.get("outputs", ()):
            if output.output_type == "error":
                return {"class": output.ename, "message": output.evalue or "the notebook ended itself"}
    return None


def _with_banner(notebook: Any, told: dict[str, str]) -> Any:
    import nbformat

    words = f"**{told['class']}**: {told['message'] or 'no message'}. This notebook did not reach its end."
    banner = nbformat.v4.new_markdown_cell(words, metadata={"tags": [BANNER_TAG]})
    notebook.cells.insert(0, banner)
    return notebook


def _untouched(task: Task) -> Any:
    import nbformat

    return nbformat.read(task.source, as_version=4)


def _settled(notebook: Any) -> Any:
    """The same run gives the same bytes: no clock times, no random cell ids."""
    notebook.metadata.get("papermill", {}).clear()
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        if {"injected-parameters", BANNER_TAG} & set(cell.metadata.get("tags", [])):
            cell["id"] = f"added-{number}"
    return notebook


def _carry_out(orders: Sequence[Order], study: Study, shelf: Shelf, say: Callable[[Event], None]) -> None:
    done = [order for order in orders if order.is_done]
    for count, order in enumerate(done, 1):
        say(Event("skipped", order.job, count, len(orders)))
    open_orders = {order.job.slug: order for order in orders if not order.is_done}
    if not open_orders:
        return
    count = len(done)
    for news in _work(list(open_orders.values()), study):
        order = open_orders[news.slug]
        if isinstance(news, Started):
            say(Event("started", order.job, count, len(orders)))
            continue
        count += 1
        kept = keep(order, news, shelf)
        reason = f"{kept.error['class']}: {kept.error['message']}".strip() if kept.error else ""
        kind: Literal["finished", "failed"] = "failed" if kept.error else "finished"
        say(Event(kind, order.job, count, len(orders), news.seconds, reason))


def _work(orders: Sequence[Order], study: Study) -> Iterator[Started | Outcome]:
    with scratch_folder() as scratch:
        write_kernelspec(scratch)
        tasks = [task_for(order, study, scratch, seconds_allowed=SECONDS_PER_NOTEBOOK) for order in orders]
        yield from in_lanes(tasks, lanes=os.cpu_count() or 1, scratch=scratch, cwd=study.notebooks)


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
