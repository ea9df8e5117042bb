"""Worker processes side by side, with every task accounted for whatever becomes of a process."""

from __future__ import annotations

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import Enum, auto
from pathlib import Path

from cbresearch.errors import PublishError
from cbresearch.publish.kernels import kernel_environment
from cbresearch.publish.task import BEGUN, Outcome, Task, outcome_of, to_line
from cbresearch.publish.warm.zygote import HOST, Zygote
from cbresearch.publish.warming import zygote_for

TRIES = 2
GRACE_SECONDS = 60.0
"""How long a worker may take beyond a notebook's own limit: start-up, rendering, clean-up."""


@dataclass(frozen=True, slots=True)
class Started:
    slug: str


class Lost(Enum):
    """When a worker was lost: a notebook that had begun is not run twice."""

    BEFORE_IT_BEGAN = auto()
    LATER = auto()


class Lane:
    """One worker process, replaced when it is lost; `host` is the socket to what forks its kernels.

    `told` are environment variables of a caller on another machine.
    """

    def __init__(
        self, scratch: Path, cwd: Path, number: int, host: socket.socket | None = None,
        told: Mapping[str, str] | None = None,
    ) -> None:  # fmt: skip
        self._host = host
        self._environment = kernel_environment(scratch) | ({HOST: str(host.fileno())} if host else {})
        self._environment |= told or {}
        self._cwd = cwd
        self._log = scratch / f"lane-{number}.log"
        self._process: subprocess.Popen[str] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def perform(self, task: Task) -> Outcome:
        """The worker's answer.

        When the worker is lost before the notebook began, a new one tries once more; when it is lost later,
        a new one shows the notebook as failed.
        """
        for _ in range(TRIES):
            answer = self._ask(task)
            if isinstance(answer, Outcome):
                return answer
            if answer is Lost.LATER:
                break
        lost = {"class": "WorkerLost", "message": self._last_words()}
        shown = self._ask(replace(task, run_it=False, error=lost))
        return shown if isinstance(shown, Outcome) else Outcome(task.slug, "failed", lost)

    def stop(self) -> None:
        """End the worker for good; kernels see their parent gone and end as well."""
        with self._lock:
            self._stopped = True
        self._kill()

    def release(self) -> None:
        """Close what is left of the pipes, once nobody reads them."""
        for stream in (self._process.stdin, self._process.stdout) if self._process else ():
            with suppress(OSError):
                stream.close()  # type: ignore[union-attr]

    def _ask(self, task: Task) -> Outcome | Lost:
        process = self._alive()
        timer = threading.Timer(task.seconds_allowed + GRACE_SECONDS, self._kill)
        timer.start()
        has_begun = False
        try:
            process.stdin.write(to_line(task))  # type: ignore[union-attr]
            process.stdin.flush()  # type: ignore[union-attr]
            while (answer := process.stdout.readline()).endswith("\n"):  # type: ignore[union-attr]
                if answer != BEGUN:
                    return outcome_of(answer)
                has_begun = True
        except OSError:
            pass
        finally:
            timer.cancel()
        self._kill()
        self.release()
        return Lost.LATER if has_begun else Lost.BEFORE_IT_BEGAN

    def _alive(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise PublishError("the run was stopped")
            if self._process is None or self._process.poll() is not None:
                self._process = self._start()
            return self._process

    def _start(self) -> subprocess.Popen[str]:
        # -P: the notebooks folder must not shadow a module of the worker
        command = [sys.executable, "-P", "-m", "cbresearch.publish.lane"]
        with self._log.open("w", encoding="utf-8") as log:
            return subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, encoding="utf-8",
                cwd=self._cwd, env=self._environment, start_new_session=True,
                pass_fds=[self._host.fileno()] if self._host else [],
            )  # fmt: skip

    def _kill(self) -> None:
        process = self._process
        if process is not None and process.poll() is None:
            _kill_group(process)
            process.wait()

    def _last_words(self) -> str:
        said = self._log.read_text(encoding="utf-8", errors="replace").strip() if self._log.is_file() else ""
        last = said.splitlines()[-1:] or ["it left no message"]
        return f"the process that ran the notebook ended: {last[0][:300]}"


def _kill_group(process: subprocess.Popen[str]) -> None:
    if os.name == "nt":
        process.kill()
        return
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def in_lanes(
    tasks: Sequence[Task], *, lanes: int, scratch: Path, cwd: Path, modules: Sequence[str] = (),
    zygote: Zygote | None = None,
) -> Iterator[Started | Outcome]:  # fmt: skip
    """Each task's start and outcome as they happen; leaving early ends every process.

    `modules` are imported once, where kernels are forked from, unless a `zygote` is given that did so already;
    without fork they are of no use.
    """
    waiting: queue.Queue[Task] = queue.Queue()
    for task in tasks:
        waiting.put(task)
    news: queue.Queue[Started | Outcome | Exception] = queue.Queue()
    count = min(lanes, len(tasks))
    if zygote is None and any(task.run_it for task in tasks):
        zygote = zygote_for(count, scratch, list(modules))
    hosts = zygote.lanes[:count] if zygote else [None] * count
    crew = [Lane(scratch, cwd, number, host) for number, host in enumerate(hosts)]
    threads = [threading.Thread(target=_serve, args=(lane, waiting, news), daemon=True) for lane in crew]
    for thread in threads:
        thread.start()
    try:
        missing = {task.slug for task in tasks}
        while missing:
            item = news.get()
            if isinstance(item, Exception):
                raise item
            if isinstance(item, Outcome):
                missing.discard(item.slug)
            yield item
    finally:
        for lane in crew:
            lane.stop()
        for thread, lane in zip(threads, crew, strict=True):
            thread.join(timeout=10)
            lane.release()
        if zygote:
            zygote.close()


def _serve(lane: Lane, waiting: queue.Queue[Task], news: queue.Queue[Started | Outcome | Exception]) -> None:
    while True:
        try:
            task = waiting.get_nowait()
        except queue.Empty:
            return
        news.put(Started(task.slug))
        try:
            news.put(lane.perform(task))
        except Exception as error:  # a bug of ours must reach the caller, not vanish with the thread
            news.put(error)
            return
