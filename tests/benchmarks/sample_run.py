"""Where the time of the sample study's whole run goes: `python -P tests/benchmarks/sample_run.py [--page FILE]`.

The district and 23 communities in two languages, in a fresh workspace, as a user runs them. Prints the seconds of
each part, how much of both cores was at work, and the pages' share, which is measured by writing every page
again from its executed notebook. Exit code 1 when the run takes longer than 20 seconds. `--page` runs the other
benchmarks of runs as well and writes what all of them print as a page of the documentation.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

MOST_SECONDS = 20.0
HERE = Path(__file__).parent
PAGE = """# How fast runs are, and where their time goes

Written by `python -P tests/benchmarks/sample_run.py --page docs/runs.md`; each block is what the script above it
printed on a machine with {cores} cores. Other machines give other seconds; the ratios are what to compare.
"""
OTHERS = {
    "reports.py": "Beside what a user would write, and beside the same cells as plain functions:",
    "uptodate.py": "A run with nothing to do:",
    "national.py": "Very many reports, each with a small notebook of its own community:",
}


@dataclass(frozen=True)
class Run:
    """A whole run: seconds by the clock and of the processor, with when each report began and ended."""

    wall: float
    processor: float
    moments: list[tuple[float, str]]

    @property
    def busy(self) -> float:
        return self.processor / self.wall / (os.cpu_count() or 1)


def whole_run(folder: Path) -> Run:
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-P", "-m", "cbresearch", "run", str(folder)]
    moments = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout
        for line in process.stdout:
            moments.append((time.perf_counter() - start, line.strip()))
    if process.returncode:
        raise SystemExit(f"the run ended with {process.returncode}: {moments[-3:]}")
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(wall, used, moments)


def seconds_of_pages(folder: Path) -> float:
    """Seconds to write every page of a run again from its executed notebook, in a warm process."""
    from cbresearch.publish import render
    from cbresearch.publish.task import PageText

    page = {code: PageText(code, "x", "", "", (), (), "index.html", "x.html") for code in ("zh", "en")}
    notebooks = [
        render.read_notebook(path) for path in sorted((folder / "reports" / "notebooks").rglob("*.ipynb"))
    ]
    render.to_page(notebooks[0], page["zh"])
    start = time.perf_counter()
    for notebook in notebooks:
        for text in page.values():
            render.to_page(notebook, text)
    return time.perf_counter() - start


def printed(folder: Path, run: Run) -> str:
    """The parts of a run, a line each."""
    build = json.loads((folder / "data" / "processed" / "times.json").read_text(encoding="utf-8"))
    times = json.loads((folder / "reports" / "run.json").read_text(encoding="utf-8"))["times"]
    by_notebook: dict[str, list[float]] = defaultdict(list)
    for slug, told in times.items():
        by_notebook[slug.partition("-")[0]].append(told["seconds"])
    done = [moment for moment, line in run.moments if "] finished " in line]
    longest = max(seconds[0] for seconds in by_notebook.values())
    pages = seconds_of_pages(folder)
    lines = [
        f"whole run {run.wall:.1f} s by the clock (at most {MOST_SECONDS:.0f}), {run.processor:.1f} s of the processor: "
        f"{run.busy:.0%} of {os.cpu_count()} cores at work",
        f"  build of the tables                    {build['seconds']:6.1f} s  "
        + ", ".join(f"{name} {seconds:.1f}" for name, seconds in build["parts"].items()),
        f"  first report finished after            {done[0]:6.1f} s",
        f"  reports, seconds in their lanes        {sum(map(sum, by_notebook.values())):6.1f} s  the longest {longest:.1f}",
    ]
    lines += [
        f"    {name:20} {len(seconds):3} x       {sum(seconds) / len(seconds):8.2f} s"
        for name, seconds in sorted(by_notebook.items())
    ]
    lines += [
        f"    of which {2 * len(times)} pages written     {pages:8.1f} s",
        f"  from the last report to the end        {run.wall - done[-1]:6.1f} s",
    ]
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--page", type=Path, help="run the other benchmarks of runs as well, and write this page"
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "demo"
        subprocess.run(
            [sys.executable, "-m", "cbresearch", "new", str(folder), "--demo"],
            check=True,
            capture_output=True,
        )
        load = os.getloadavg()[0]
        run = whole_run(folder)
        text = f"load before: {load:.2f}\n{printed(folder, run)}"
    print(text, flush=True)
    if asked.page:
        asked.page.write_text(page(text), encoding="utf-8")
    return int(run.wall > MOST_SECONDS)


def page(sample: str) -> str:
    blocks = [PAGE.format(cores=os.cpu_count()), block("The sample study:", "sample_run.py", sample)]
    for script, about in OTHERS.items():
        done = subprocess.run([sys.executable, "-P", str(HERE / script)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)  # fmt: skip
        print(done.stdout, flush=True)
        blocks.append(block(about, script, done.stdout.strip("\n")))
    return "\n".join(blocks)


def block(about: str, script: str, text: str) -> str:
    return f"{about} `tests/benchmarks/{script}`\n\n```\n{text}\n```\n"


if __name__ == "__main__":
    sys.exit(main())
