"""The command line as tests call it, with what the sample study's reports are."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

REPOSITORY = Path(__file__).parent.parent
DISTRICT_REPORTS = (
    "10_data_quality",
    "20_situation",
    "30_satisfaction",
    "35_payment",
    "40_measurement",
    "50_drivers",
    "60_policy_change",
)
COMMUNITIES = ("欣乐社区", "光明社区")


@dataclass(frozen=True)
class Said:
    """What a command printed, with its exit code."""

    code: int
    text: str


def command(*words: object, cwd: Path | None = None) -> Said:
    """One call of the command line, in a process of its own, as a user or a scheduled job makes it."""
    # -P: the folder one stands in must not shadow the package
    line = [sys.executable, "-P", "-m", "cbresearch", *map(str, words)]
    done = subprocess.run(line, cwd=cwd, capture_output=True, encoding="utf-8", check=False)
    return Said(done.returncode, done.stdout + done.stderr)


def keep_said(said: Said, folder: Path) -> None:
    """Beside what a command made, for the workers that did not call it."""
    (folder / "said.json").write_text(json.dumps([said.code, said.text]), encoding="utf-8")


def kept_said(folder: Path) -> Said:
    code, text = json.loads((folder / "said.json").read_text(encoding="utf-8"))
    return Said(code, text)


def strict(path: Path) -> Any:
    """The JSON in a file; NaN and Infinity are no JSON."""

    def refuse(name: str) -> None:
        raise AssertionError(f"{path.name} holds {name}")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


def once(temporary: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A folder that the first worker to need it makes, then all of them share. Read only."""
    mine = temporary.getbasetemp()
    # pytest-xdist gives every worker a base of its own inside the run's
    base = mine.parent if mine.name.startswith("popen-") else mine
    folder, made = base / name, base / f"{name}.made"
    with FileLock(base / f"{name}.lock"):
        if not made.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            made.touch()
    return folder
