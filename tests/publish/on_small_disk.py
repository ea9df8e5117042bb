"""A run on a disk that fills up, then on one that may not be written: `python on_small_disk.py WORKSPACE`.

For a process with a mount table of its own (`unshare --user --map-root-user --mount`); prints as JSON what
happened and what readers saw. It lies beside the test that calls it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from test_faults import new_data, seen

from cbresearch.errors import PublishError
from cbresearch.publish.keys import Inputs
from cbresearch.publish.run import run
from cbresearch.study import open_study

MEGABYTES, LEFT_BYTES = 8, 150_000


def main(root: Path) -> dict[str, Any]:
    Inputs.package = Inputs.template = "fixed"  # type: ignore[assignment]  # others may edit the package
    reports = root / "reports"
    reports.mkdir(exist_ok=True)
    mount("-t", "tmpfs", "-o", f"size={MEGABYTES}m", "none", str(reports))
    told: dict[str, Any] = {"first": ended(root), "before": seen(root)}
    new_data(root, "2")
    ballast = reports / "ballast"
    fill(ballast)
    told |= {"full": ended(root), "while full": seen(root)}
    ballast.unlink()
    told |= {"with room": ended(root), "after": seen(root)}
    mount("-o", "remount,ro", str(reports))
    told |= {"read only": ended(root)}
    return told


def mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


def ended(root: Path) -> str:
    """The exit code of a run, or what it said."""
    try:
        return str(run(open_study(root)).exit_code)
    except PublishError as error:
        return str(error)


def fill(ballast: Path) -> None:
    """Leave room for a page or two, not for all."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1 << 16)):
                pass
        except OSError:
            pass
        file.truncate(file.tell() - LEFT_BYTES)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]))))
