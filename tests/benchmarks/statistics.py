"""How fast the estimators are beside what a user would pick: `python -P tests/benchmarks/statistics.py`.

Each task runs in turn, ours, theirs, ours, theirs, in processes that have loaded their libraries and the
data (a table with a hundredth of its values missing); what is timed is everything from table and formula to
estimates. One thread each. Prints the median of both with the ratio pair by pair, and the machine's load;
exit code 1 where a ratio stays below what is wanted. A peer that is not installed is said and left out.

`--python`: an interpreter that has pyfixest; `--balance`: one that has balance (it wants an older numpy);
`--rscript`: R with lme4, ordinal and survey. `--quick`: two rounds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROWS, CLUSTERS = 200_000, 23
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
PYTHON = """
import sys, time, warnings
warnings.simplefilter("ignore")
import numpy as np, pandas as pd
frame = pd.read_{reader}({data!r})
{setup}
def run():
    {run}
run()
print("ready", flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    run()
    print(time.perf_counter() - start, flush=True)
"""
R = """
suppressWarnings(suppressPackageStartupMessages({{ {setup} }}))
frame <- read.csv({data!r}, stringsAsFactors = TRUE)
{prepare}
run <- function() {{ {run} }}
invisible(suppressMessages(run()))
cat("ready\\n"); flush(stdout())
input <- file("stdin"); open(input)
while (length(readLines(input, 1)) > 0) {{
  took <- system.time(suppressMessages(run()))[["elapsed"]]
  cat(took, "\\n"); flush(stdout())
}}
"""


@dataclass(frozen=True)
class Side:
    """One way of doing a task: in which language, what is loaded once, what is timed."""

    name: str
    kind: str
    setup: str
    run: str
    prepare: str = ""


@dataclass(frozen=True)
class Task:
    name: str
    data: str
    ours: Side
    theirs: Side
    wanted: float
    """How many times as fast we mean to be."""


def ours(setup: str, run: str) -> Side:
    return Side("cbresearch", "ours", setup, run)


TASKS = (
    Task(
        "wild cluster bootstrap, 9,999 draws, 23 clusters, 200,000 rows (ours weighted, theirs not)",
        "clusters",
        ours(
            "from cbresearch.estimate.clusters.wild import wild_cluster_bootstrap",
            "wild_cluster_bootstrap(frame, 'y ~ x + z1 + z2', cause='x', cluster='g', weights='w', draws=9_999, seed=1)",
        ),
        Side(
            "pyfixest",
            "python",
            "import pyfixest as pf",
            "pf.feols('y ~ x + z1 + z2', data=frame, vcov={'CRV1': 'g'}).wildboottest(param='x', reps=9_999, seed=1)",
        ),
        5,
    ),
    Task(
        "random slope model, 23 groups, 200,000 rows",
        "clusters",
        ours(
            "from cbresearch.estimate.models.mixed import mixed",
            "mixed(frame, 'y ~ z1 + z2', group='g', slope='z1')",
        ),
        Side("lme4", "R", "library(lme4)", "lmer(y ~ z1 + z2 + (1 + z1 | g), frame)"),
        10,
    ),
    Task(
        "ordered logit, 10 regressors, 200,000 rows",
        "answers",
        ours(
            "from cbresearch.estimate.models.ordered import ordered",
            "ordered(frame, 'answer ~ x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9')",
        ),
        Side(
            "ordinal::clm",
            "R",
            "library(ordinal)",
            "summary(clm(answer ~ x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9, data = frame))",
            "frame$answer <- factor(frame$answer, ordered = TRUE)",
        ),
        5,
    ),
    Task(
        "raking, 1,000,000 rows, 4 margins",
        "people",
        ours(
            "from cbresearch.sampling.calibrate import rake\nfrom cbresearch.sampling.design import Design\n"
            "margins = {c: (frame[c].value_counts(normalize=True) * np.linspace(0.8, 1.2, frame[c].nunique())) for c in ('sex', 'age', 'area', 'schooling')}\n"
            "margins = {c: (m / m.sum()).to_dict() for c, m in margins.items()}",
            "rake(frame, Design(weights='w'), margins)",
        ),
        Side(
            "balance",
            "balance",
            "from balance import Sample\n"
            "columns = ['sex', 'age', 'area', 'schooling']\n"
            "sample = Sample.from_frame(frame[columns + ['w']].assign(id=np.arange(len(frame)).astype(str)), id_column='id', weight_column='w')\n"
            "target = Sample.from_frame(frame[columns].sample(100_000, random_state=1).assign(id=np.arange(100_000).astype(str)), id_column='id')\n"
            "both = sample.set_target(target)",
            "both.adjust(method='rake', variables=columns, transformations=None)",
        ),
        8,
    ),
)


def clusters() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    g = rng.integers(0, CLUSTERS, ROWS)
    x, u, slope = (
        rng.normal(size=CLUSTERS)[g],
        0.4 * rng.normal(size=CLUSTERS)[g],
        0.3 * rng.normal(size=CLUSTERS)[g],
    )
    z1, z2 = rng.normal(size=(2, ROWS))
    frame = pd.DataFrame({"g": g, "x": x, "z1": z1, "z2": z2, "w": rng.uniform(0.5, 3, ROWS)})
    return holed(
        frame.assign(y=3 + 0.1 * x + u + (0.2 + slope) * z1 + rng.normal(size=ROWS)), ["y", "z1", "z2"]
    )


def answers() -> pd.DataFrame:
    rng = np.random.default_rng(2)
    X = rng.normal(size=(ROWS, 10))
    latent = X @ np.linspace(-0.5, 0.5, 10) + rng.logistic(size=ROWS)
    frame = pd.DataFrame(X, columns=[f"x{i}" for i in range(10)])
    return holed(frame, list(frame)).assign(answer=np.digitize(latent, [-2, -0.5, 0.7, 2]) + 1)


def people() -> pd.DataFrame:
    rng, n = np.random.default_rng(3), 1_000_000
    sizes = {"sex": 2, "age": 6, "area": 23, "schooling": 5}
    drawn = {name: [f"{name}{i}" for i in range(size)] for name, size in sizes.items()}
    return pd.DataFrame({name: rng.choice(codes, n) for name, codes in drawn.items()}).assign(
        w=rng.uniform(0.5, 2, n)
    )


def holed(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """A hundredth of the values of some columns missing."""
    rng = np.random.default_rng(4)
    return frame.assign(**{c: frame[c].where(rng.random(len(frame)) > 0.01) for c in columns})


class Runner:
    """A process that has loaded everything and runs once for each line it is sent."""

    def __init__(self, side: Side, program: str, folder: Path, data: str) -> None:
        self.name = side.name
        is_r = side.kind == "R"
        template = R if is_r else PYTHON
        # balance wants an older numpy, with which today's parquet readers do not work
        reader = "csv" if side.kind in {"R", "balance"} else "parquet"
        file = str(folder / f"{data}.{reader}")
        code = template.format(data=file, reader=reader, setup=side.setup, run=side.run, prepare=side.prepare)
        # -P: this folder holds a file of the name of a module that libraries import
        command = [program, "--vanilla", "-e", code] if is_r else [program, "-P", "-c", code]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, **ONE_THREAD},
        )  # fmt: skip
        self._until("ready")

    def _until(self, word: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.strip() == word:
                return
        raise RuntimeError(f"{self.name} did not start:\n{self.process.stderr.read()[-2000:]}")  # type: ignore[union-attr]

    def seconds(self) -> float:
        """The fastest of three where one takes less than a second: the rest is what else the machine did."""
        first = self._once()
        return first if first >= 1 else min(first, self._once(), self._once())

    def _once(self) -> float:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        for line in self.process.stdout:
            try:
                return float(line)
            except ValueError:
                continue  # a library that talks
        raise RuntimeError(f"{self.name} ended:\n{self.process.stderr.read()[-2000:]}")  # type: ignore[union-attr]

    def close(self) -> None:
        self.process.kill()
        self.process.wait()


def compare(task: Task, program: str, folder: Path, rounds: int) -> bool:
    mine = Runner(task.ours, sys.executable, folder, task.data)
    try:
        theirs = Runner(task.theirs, program, folder, task.data)
    except RuntimeError as error:
        print(
            f"{task.name}\n  {task.theirs.name}: left out. {str(error).splitlines()[-1] if str(error) else ''}\n"
        )
        mine.close()
        return True
    pairs = [(mine.seconds(), theirs.seconds()) for _ in range(rounds)]
    mine.close()
    theirs.close()
    ratios = [b / a for a, b in pairs]
    middle = np.median(ratios)
    verdict = "reached" if middle >= task.wanted else "NOT REACHED"
    print(
        f"{task.name}\n"
        f"  cbresearch {np.median([a for a, _ in pairs]):.3f} s, {task.theirs.name} {np.median([b for _, b in pairs]):.3f} s; "
        f"{middle:.1f} times as fast ({min(ratios):.1f} to {max(ratios):.1f}), wanted {task.wanted:g}: {verdict}\n",
        flush=True,
    )
    return middle >= task.wanted


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--balance", default=sys.executable)
    parser.add_argument("--rscript", default=shutil.which("Rscript") or "Rscript")
    parser.add_argument("--quick", action="store_true")
    told = parser.parse_args()
    programs = {"python": told.python, "balance": told.balance, "R": told.rscript}
    print(f"load before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores, one thread each\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for make in (clusters, answers, people):
            table = make()
            table.to_parquet(folder / f"{make.__name__}.parquet")
            table.to_csv(folder / f"{make.__name__}.csv", index=False)
        reached = [
            compare(task, programs[task.theirs.kind], folder, 2 if told.quick else 7) for task in TASKS
        ]
    print(f"load after: {os.getloadavg()[0]:.2f}")
    sys.exit(0 if all(reached) else 1)


if __name__ == "__main__":
    main()
