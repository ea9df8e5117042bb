"""How many notebooks run at a time, and how much memory each may have: by what the machine has now."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

LEAST_PER_LANE = 512 * 2**20
SHARE = 0.8
"""Of the memory that is free, what all lanes together may take."""


@dataclass(frozen=True, slots=True)
class Room:
    """Lanes side by side, one for each core that memory allows; bytes each, None where nobody knows."""

    lanes: int
    bytes_per_lane: int | None

    @classmethod
    def now(cls) -> Room:
        """By the cores that this process may use and the memory that is free."""
        return cls.of(_cores(), _free_bytes())

    @classmethod
    def of(cls, cores: int, free_bytes: int | None) -> Room:
        if free_bytes is None:
            return cls(cores, None)
        usable = int(SHARE * free_bytes)
        lanes = max(1, min(cores, usable // LEAST_PER_LANE))
        return cls(lanes, max(usable // lanes, LEAST_PER_LANE))


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _free_bytes() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return None
    found = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return int(found["MemAvailable"].split()[0]) * 1024 if "MemAvailable" in found else None
