"""One lane of a run: a process that reads tasks, a line each, runs them and answers.

Started by `lanes` through `lane`; ends as soon as whoever started it is gone.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

from cbresearch.publish import render
from cbresearch.publish.execute import Executed, execute
from cbresearch.publish.shelf import write_whole
from cbresearch.publish.task import BEGUN, Outcome, Task, task_of, to_line


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
    done = execute(task, begun) if task.run_it else as_it_stands(task)
    if task.run_it or task.error:
        write_whole(Path(task.executed), render.as_json(done.notebook))
    titles = {}
    for page in task.pages:
        html, titles[page.language] = render.to_page(done.notebook, page, error=done.error)
        write_whole(Path(page.path), html)
    findings = () if done.error else render.findings_of(done.notebook)
    status = "failed" if done.error else "ok"
    seconds = round(time.perf_counter() - started, 3)
    return Outcome(task.slug, status, done.error, titles, findings, seconds, done.modules)


def as_it_stands(task: Task) -> Executed:
    return Executed(render.read_notebook(Path(task.source)), task.error)


def _read(lines: TextIO, tasks: queue.Queue[str]) -> None:
    for line in lines:
        tasks.put(line)
    os._exit(0)  # nobody is left to answer; kernels see their parent gone and end as well
