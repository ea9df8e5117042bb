"""How long each link of the chain takes on the sample study: `python tests/benchmarks/chain.py`.

Prints seconds of wall time and of processor time, with the load of the machine before it began; a
busy machine tells little. Each step runs once, as a user meets it.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    print(f"load before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        demo = str(Path(folder) / "demo")
        steps = [
            ["--help"], ["new", demo, "--demo"], ["check", demo], ["build", demo], ["build", demo],
            ["run", demo], ["run", demo],
        ]  # fmt: skip
        for words in steps:
            wall, processor = timed([sys.executable, "-m", "cbresearch", *words])
            print(f"{words[0]:8} {wall:7.2f} s wall {processor:7.2f} s processor")


def timed(command: list[str]) -> tuple[float, float]:
    """Wall and processor seconds of a command with all its children."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, processor


if __name__ == "__main__":
    main()
