"""How a run of very many reports behaves: `python -P tests/benchmarks/national.py [--reports 10000]`.

Runs a small notebook for each of so many communities, as a user does, in a process of its own, and reads what it
prints: reports per second and memory of the process that leads the run, for each tenth of the way. Exit code 1
where the last tenths take over a quarter longer than the first ones, or the memory has grown by more than a tenth
between the second tenth and the last, or a report is missing. Says what 100,000 would take at that rate.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import nbformat

CELLS = (
    "import pandas as pd",
    "residents = pd.read_parquet('../data/processed/residents.parquet', filters=[('community', '==', area)])",
    "residents['sat'].describe().to_frame()",
    "print(f'{area}: {residents.sat.mean():.2f}, n {len(residents)}')",
)
SLOWER_AT_MOST, MEMORY_AT_MOST = 1.25, 1.10
NATION = 100_000


@dataclass(frozen=True)
class Tenth:
    """A tenth of the way: seconds that it took, megabytes that the leading process held at its end."""

    seconds: float
    megabytes: float


def make(folder: Path, communities: int) -> None:
    spec = importlib.util.spec_from_file_location("uptodate", Path(__file__).with_name("uptodate.py"))
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    study = module.make(folder, communities)
    parameters = nbformat.v4.new_code_cell('lang = "zh"\narea: str = ""', metadata={"tags": ["parameters"]})
    cells = [parameters, *map(nbformat.v4.new_code_cell, CELLS)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), study.notebooks / "90_one.ipynb")


def followed(folder: Path, reports: int) -> list[Tenth]:
    """The run, tenth by tenth, from what it says while it goes on."""
    command = [sys.executable, "-P", "-m", "cbresearch", "run", str(folder)]
    tenths: list[Tenth] = []
    since, done = time.perf_counter(), 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        assert run.stdout
        for line in run.stdout:
            done += "] finished " in line
            if done and done % (reports // 10) == 0 and len(tenths) < done * 10 // reports:
                now = time.perf_counter()
                tenths.append(Tenth(now - since, megabytes(run.pid)))
                since = now
                told = tenths[-1]
                print(
                    f"  {done:7,} {reports / 10 / told.seconds:6.1f} a second {told.megabytes:6.0f} MB",
                    flush=True,
                )
    if run.returncode:
        raise SystemExit(f"the run ended with {run.returncode}")
    print(f"  pages moved into place, index written: {time.perf_counter() - since:.1f} s")
    return tenths


def megabytes(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, asked.reports)
        start = time.perf_counter()
        tenths = followed(folder, asked.reports)
        whole = time.perf_counter() - start
        written = len(json.loads((folder / "reports" / "run.json").read_text(encoding="utf-8"))["jobs"])
        index = (folder / "reports" / "index.html").stat().st_size / 1e6
    slower = sum(one.seconds for one in tenths[-3:]) / sum(one.seconds for one in tenths[1:4])
    grown = tenths[-1].megabytes / tenths[1].megabytes
    print(
        f"{asked.reports:,} reports in {whole:.0f} s; the last three tenths took {slower:.2f} times the first ones (at most {SLOWER_AT_MOST})"
    )
    print(
        f"memory of the leading process {grown:.2f} times what it was (at most {MEMORY_AT_MOST}); index.html {index:.1f} MB"
    )
    print(f"{NATION:,} at this rate: {whole / asked.reports * NATION / 3600:.1f} hours on this machine")
    return int(slower > SLOWER_AT_MOST or grown > MEMORY_AT_MOST or written != asked.reports)


if __name__ == "__main__":
    sys.exit(main())
