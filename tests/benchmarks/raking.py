"""Raking a million rows of four string columns, ours against the package `balance`, in pairs.

`python tests/benchmarks/raking.py --peer PYTHON`, where PYTHON is an interpreter that can import
`balance`. Both get the same frame of strings and the same margins, and are timed from the frame to its
weights. They take turns, so that a busy machine troubles both; the ratio of each pair is what counts.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

CLASSES = {"sex": 2, "age": 6, "schooling": 5, "community": 23}
Weigh = Callable[[], "np.ndarray"]


def population() -> dict[str, dict[str, float]]:
    """People of each class, in whole thousands: the peer turns margins into 10,000 rows and has nothing to round."""
    rng = np.random.default_rng(7)
    margins = {}
    for name, size in CLASSES.items():
        drawn = rng.integers(50, 150, size)
        thousands = drawn * 10_000 // drawn.sum()
        thousands[-1] += 10_000 - thousands.sum()
        margins[name] = {f"{name}{k}": 1000.0 * count for k, count in enumerate(thousands)}
    return margins


def sample(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    drawn = {
        name: np.array([f"{name}{k}" for k in range(size)])[rng.integers(0, size, rows)]
        for name, size in CLASSES.items()
    }
    return pd.DataFrame({**drawn, "base": rng.uniform(0.5, 2.0, rows)})


def ours(frame: pd.DataFrame) -> Weigh:
    from cbresearch.sampling.calibrate import rake
    from cbresearch.sampling.design import Design

    margins = population()
    return lambda: rake(frame, Design(weights="base"), margins).weights.to_numpy()


def balance(frame: pd.DataFrame) -> Weigh:
    import logging

    from balance.weighting_methods.rake import rake

    logging.disable(logging.CRITICAL)
    margins, covariates = population(), frame[list(CLASSES)]
    return lambda: rake(covariates, frame["base"], None, None, transformations=None, target_margins=margins)[
        "weight"
    ].to_numpy()


def worker(who: str, rows: int) -> None:
    """One timed run for every line that is read: seconds, and Kish's design effect of the weights."""
    weigh = {"ours": ours, "balance": balance}[who](sample(rows))
    weigh()
    print("ready", flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        w = weigh()
        seconds = time.perf_counter() - start
        print(f"run {seconds} {len(w) * (w @ w) / w.sum() ** 2}", flush=True)


class Runner:
    """A process that holds the frame and runs when told."""

    def __init__(self, interpreter: str, who: str, rows: int) -> None:
        # -P: the modules beside this script are none of the worker's business
        command = [interpreter, "-P", __file__, "--worker", who, "--rows", str(rows)]
        # the peer greets at length on stderr; our own troubles are to be seen
        errors = None if who == "ours" else subprocess.DEVNULL
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True
        )
        self._line("ready")

    def run(self) -> tuple[float, float]:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds, deff = self._line("run").split()[1:]
        return float(seconds), float(deff)

    def _line(self, start: str) -> str:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.startswith(start):
                return line
        raise SystemExit(f"the process ended before it said '{start}': {' '.join(self.process.args)}")

    def end(self) -> None:
        self.process.communicate("")


def has_balance(interpreter: str) -> bool:
    try:
        return subprocess.run([interpreter, "-c", "import balance"], capture_output=True).returncode == 0
    except OSError:
        return False


def compare(peer: str, rows: int, pairs: int) -> None:
    print(f"{rows:,} rows, 4 margins of strings; load {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
    mine = Runner(sys.executable, "ours", rows)
    theirs = Runner(peer, "balance", rows) if has_balance(peer) else None
    if theirs is None:
        print(f"balance is absent: {peer} cannot import it; name another interpreter with --peer")
    ratios = []
    for _ in range(pairs):
        seconds, deff = mine.run()
        line = f"ours {seconds:.3f} s (design effect {deff:.5f})"
        if theirs is not None:
            other, other_deff = theirs.run()
            ratios.append(other / seconds)
            line += f"   balance {other:.3f} s ({other_deff:.5f})   ratio {ratios[-1]:.1f}"
        print(line)
    if ratios:
        print(f"median ratio {np.median(ratios):.1f}, from {min(ratios):.1f} to {max(ratios):.1f}")
    print(f"load after: {os.getloadavg()[0]:.2f}")
    for runner in (mine, theirs):
        if runner is not None:
            runner.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peer", default=sys.executable, help="an interpreter that can import balance")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--worker", choices=("ours", "balance"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.worker:
        worker(asked.worker, asked.rows)
    else:
        compare(asked.peer, asked.rows, asked.pairs)


if __name__ == "__main__":
    main()
