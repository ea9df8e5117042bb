"""What a run says while it goes on, and what it came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cbresearch.publish.plan import Job


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

    @property
    def cause(self) -> str:
        """Class and first line: what failures have in common."""
        return cause_of({"class": self.error, "message": self.message})


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run did. `jobs` are all that were asked for; `skipped` of them were up to date.

    `stopped` says why it ended early: then `left` jobs were not run, and readers see what they saw before.
    `failures` is the page that groups what failed by cause. `slower` says why notebooks took longer to start
    than they need to elsewhere.
    """

    jobs: tuple[Job, ...]
    failed: tuple[Failure, ...]
    skipped: tuple[Job, ...]
    index: Path
    failures: Path | None = None
    stopped: str = ""
    left: int = 0
    slower: str = ""

    @property
    def exit_code(self) -> int:
        return 1 if self.failed else 0


Say = Callable[[Event], None]


def quiet(event: Event) -> None:
    """Say nothing."""


def cause_of(error: dict[str, str] | None) -> str:
    """Class and first line of an error; empty for none."""
    if not error:
        return ""
    first = (error.get("message", "").strip().splitlines() or [""])[0]
    return f"{error.get('class', '')}: {first}" if first else error.get("class", "")
