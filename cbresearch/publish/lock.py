"""One run at a time in a workspace."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from cbresearch.errors import PublishError
from cbresearch.publish.files import now, write_json


@contextmanager
def alone(reports: Path, wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold the workspace's reports; PublishError names who is at work.

    With `wait`, it is told instead who holds them, and the run begins when they are free. The system lets
    go of the lock when its holder ends, however it ends.
    """
    try:
        reports.mkdir(parents=True, exist_ok=True)
        lock = FileLock(reports / ".lock")
        _acquire(lock, reports, wait)
    except OSError as error:
        raise PublishError(
            f"{reports} cannot be written to: {error.strerror}. Run as someone who may write there."
        ) from error
    holder = reports / ".holder.json"
    try:
        write_json(holder, {"pid": os.getpid(), "host": socket.gethostname(), "since": now()})
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, reports: Path, wait: Callable[[str], None] | None) -> None:
    try:
        lock.acquire(timeout=0)
        return
    except Timeout as error:
        said = f"Another run is at work in {reports}{_who(reports / '.holder.json')}."
        if wait is None:
            raise PublishError(
                f"{said} Wait until it has ended, then run again; 'cbresearch run --wait' does both."
            ) from error
    wait(f"{said} Waiting until it has ended.")
    lock.acquire(poll_interval=0.1)


def _who(holder: Path) -> str:
    try:
        who = json.loads(holder.read_text(encoding="utf-8"))
        return f" (process {who['pid']} on {who['host']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
