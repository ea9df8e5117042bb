"""One notebook from its first cell to its last, in a kernel of its own."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbresearch.publish.kernels import KERNEL, transport
from cbresearch.publish.task import Task

START_TRIES = 3
BANNER_TAG = "papermill-error-cell-tag"


@dataclass(frozen=True, slots=True)
class Executed:
    """A notebook with its outputs; `error` has class and message where it did not reach its end."""

    notebook: Any
    error: dict[str, str] | None
    modules: tuple[str, ...] = ()


def execute(task: Task, begun: Callable[[], None] = lambda: None) -> Executed:
    """Run one notebook in a kernel of its own; what went wrong is told, not raised.

    Only a kernel that did not start is tried again: running a cell twice could count twice. `begun` is called
    before the first cell runs.
    """
    for attempt in range(START_TRIES):
        done = _attempt(task, begun, last=attempt == START_TRIES - 1)
        if done is not None:
            return done
    raise AssertionError("the last attempt always answers")


def _attempt(task: Task, begun: Callable[[], None], *, last: bool) -> Executed | None:
    # papermill costs more than a second to import, which a run with nothing to do need not pay
    from papermill.exceptions import PapermillExecutionError

    has_begun: list[bool] = []
    seen: list[Any] = []

    def start(**_: Any) -> None:
        if not has_begun:
            has_begun.append(True)
            begun()

    try:
        notebook = _papermill(task, start, seen)
    except PapermillExecutionError as error:
        return Executed(_settled(seen[-1]), {"class": error.ename, "message": error.evalue})
    except Exception as error:  # dead kernel, time-out, no start: each is this notebook's failure
        if not has_begun and not last and isinstance(error, RuntimeError):
            return None
        told = _told(error)
        notebook = seen[-1] if seen else _untouched(task)
        return Executed(_settled(_with_banner(notebook, told)), told)
    return Executed(_settled(notebook), _unraised(notebook), _learnt())


def _learnt() -> tuple[str, ...]:
    from cbresearch.publish.warm.client import host

    by = host()
    return tuple(by.modules) if by else ()


def _papermill(task: Task, start: Callable[..., None], seen: list[Any]) -> Any:
    import nbformat
    import papermill
    from papermill.engines import papermill_engines

    from cbresearch.publish.warm.engine import WarmEngine

    class Remembering(WarmEngine):  # papermill loses the notebook when a kernel dies
        @classmethod
        def execute_managed_notebook(cls, nb_man: Any, *arguments: Any, **options: Any) -> Any:
            seen.append(nb_man.nb)
            return super().execute_managed_notebook(nb_man, *arguments, **options)

    papermill_engines.register("cbresearch-remembering", Remembering)
    until = time.monotonic() + task.seconds_allowed
    folder = Path(tempfile.mkdtemp(prefix="", dir=task.scratch)) / "s"
    return papermill.execute_notebook(
        nbformat.read(task.source, as_version=4), None, parameters=task.parameters,
        engine_name="cbresearch-remembering", kernel_name=KERNEL, language="python", progress_bar=False,
        request_save_on_cell_execute=False, autosave_cell_every=0, start_timeout=60, config=transport(folder),
        timeout_func=lambda cell: max(1, int(until - time.monotonic())),
        on_cell_start=start, memory_bytes=task.memory_bytes,
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
