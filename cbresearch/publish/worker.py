"""One lane of a run: a process that reads tasks, a line each, runs them and answers.

Started by `lanes` through `lane`; ends as soon as whoever started it is gone.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TextIO

from cbresearch.publish import render
from cbresearch.publish.execute import Executed, execute
from cbresearch.publish.files import write_whole
from cbresearch.publish.source import with_prose_of
from cbresearch.publish.task import BEGUN, Outcome, Task, task_of, to_line
from cbresearch.study import SLICE, Reads, from_plain


def main() -> None:
    """Serve until standard input closes. Answers leave by the original standard output alone."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever a library prints must not look like an answer
    tasks: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(sys.stdin, tasks), daemon=True).start()
    render.warm_up()

    def say(line: str) -> None:
        answers.write(line)
        answers.flush()

    while True:
        say(to_line(answer(task_of(tasks.get()), lambda: say(BEGUN))))


def nothing() -> None:
    """Say nothing."""


def answer(task: Task, begun: Callable[[], None] = nothing) -> Outcome:
    """What came of the task; a page that cannot be written is one report's failure, not the lane's."""
    try:
        return perform(task, begun)
    except Exception as error:
        traceback.print_exc()
        return Outcome(task.slug, "failed", {"class": type(error).__name__, "message": str(error)[:500]})


def perform(task: Task, begun: Callable[[], None] = nothing) -> Outcome:
    """Run the notebook where asked, keep it with its outputs, write each page; `begun` is called at its first cell."""
    started = time.perf_counter()
    done = _executed(task, begun) if task.run_it else as_it_stands(task)
    if task.run_it or task.error or task.prose:
        write_whole(Path(task.executed), render.as_json(done.notebook))
    titles, headlines = {}, {}
    for page in task.pages:
        html, titles[page.language] = render.to_page(done.notebook, page, error=done.error)
        headlines[page.language] = render.headline_of(html)
        write_whole(Path(page.path), html)
    findings = () if done.error else render.findings_of(done.notebook)
    status = "failed" if done.error else "ok"
    seconds = round(time.perf_counter() - started, 3)
    return Outcome(task.slug, status, done.error, titles, findings, seconds, done.modules, headlines)


def as_it_stands(task: Task) -> Executed:
    notebook = render.read_notebook(Path(task.source))
    if task.prose and not task.error:
        notebook = with_prose_of(task.prose, notebook)
    return Executed(notebook, task.error)


def _executed(task: Task, begun: Callable[[], None]) -> Executed:
    """Run the notebook, whose kernel reads what study.toml declares and is told where it asks for more."""
    if task.reads is None:
        os.environ.pop(SLICE, None)
        return execute(task, begun)
    os.environ[SLICE] = json.dumps(task.reads)
    try:
        done = execute(task, begun)
    finally:
        os.environ.pop(SLICE, None)
    return replace(done, error=_taught(done.error, from_plain(task.reads)))


def _taught(error: dict[str, str] | None, reads: Reads) -> dict[str, str] | None:
    missed = error["message"].strip("'\"") if error and error["class"] == "KeyError" else ""
    if not error or not missed or not reads.refuses(missed):
        return error
    return error | {"message": f"{error['message']}. If that is a column: {reads.why_not(missed)}"}


def _read(lines: TextIO, tasks: queue.Queue[str]) -> None:
    for line in lines:
        tasks.put(line)
    os._exit(0)  # nobody is left to answer; kernels see their parent gone and end as well
