"""What Linux lets a process ask of its descendants: to die with it, and to be found when they ran away."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from contextlib import suppress
from functools import cache
from pathlib import Path

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
SECONDS_TO_DIE = 30.0
NO_FORK = "CBRESEARCH_NO_FORK"
"""Environment variable: when set, kernels are started, not forked, for notebooks whose libraries bear no fork."""
STARTED = (
    "Kernels were started one by one: this system does not let them be forked, or CBRESEARCH_NO_FORK is set. "
    "The results are the same."
)


def can_fork() -> bool:
    """Whether kernels can be forked here; elsewhere threads of the system forbid it."""
    return sys.platform == "linux" and not os.environ.get(NO_FORK)


def die_with_parent(parent: int) -> None:
    """Be killed when the process that forked this one ends; end now if it already did."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Descendants whose parent ends become children of this process, whatever session they are in."""
    _prctl(PR_SET_CHILD_SUBREAPER, 1)


def _prctl(option: int, value: int) -> None:
    if _libc().prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")


@cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def children() -> list[int]:
    """The processes that this one would have to wait for."""
    me = os.getpid()
    try:
        return [int(pid) for pid in Path(f"/proc/{me}/task/{me}/children").read_text().split()]
    except OSError:  # a kernel without CONFIG_PROC_CHILDREN
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if _parent_of(path) == me]


def _parent_of(process: Path) -> int:
    try:
        return int((process / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return -1


def end_all(keep: frozenset[int] = frozenset()) -> None:
    """Kill every child but those to keep, again as long as their orphans turn up; wait for each."""
    until = time.monotonic() + SECONDS_TO_DIE
    while (left := [pid for pid in children() if pid not in keep]) and time.monotonic() < until:
        for pid in left:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        for pid in left:
            with suppress(ChildProcessError):
                os.waitpid(pid, 0)
