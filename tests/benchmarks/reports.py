"""How fast reports are made beside what a user would write: `python -P tests/benchmarks/reports.py`.

A typical notebook (a table of 20,000 residents read, described, tested, two figures, three models) with 24
values of its parameter. Arms, each with its own start-up: the command lines of papermill and nbconvert one after
the other; their Python interfaces in two processes; the warm engine on two lanes; R Markdown in one warm session
where R has it. In steady state: the warm engine against the same cells as plain functions in two warm processes.
Each arm is paired with the warm one, right before and after it. Prints times, ratios and the load of the machine;
exit code 1 where a ratio stays below what is wanted. `--quick`: fewer reports for the slow arms.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

AREAS = (*(f"C{i:02d}" for i in range(1, 24)), "ALL")
ROWS = 20_000
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
CELLS = (
    "import numpy as np\nimport pandas as pd\nimport seaborn as sns\nimport statsmodels.formula.api as smf\nimport matplotlib.pyplot as plt",
    "residents = pd.read_parquet(data)\nframe = residents if area == 'ALL' else residents[residents['community'] == area]\nlen(frame)",
    "frame[['age', 'satisfaction', 'q1', 'q2', 'q3', 'q4', 'q5']].describe()",
    "items = frame[['q1', 'q2', 'q3', 'q4', 'q5']]\nk = items.shape[1]\nalpha = k / (k - 1) * (1 - items.var().sum() / items.sum(axis=1).var())\nprint(f'alpha {alpha:.3f}')",
    "pd.crosstab(frame['sex'], frame['q1'], normalize='index').round(3)",
    "fig, ax = plt.subplots(figsize=(7, 4))\nsns.histplot(frame['satisfaction'], bins=20, kde=True, ax=ax)\nax.set_title(f'Satisfaction, {area}')\nplt.show()",
    "fig, ax = plt.subplots(figsize=(7, 4))\nsns.boxplot(data=frame, x='age_group', y='satisfaction', hue='sex', ax=ax)\nax.set_title('By age and sex')\nplt.show()",
    "ols = smf.ols('satisfaction ~ age + C(sex) + income', data=frame).fit(cov_type='HC1')\nols.summary().tables[1]",
    "mixed = smf.mixedlm('satisfaction ~ age + income', data=frame, groups=frame['grid']).fit(reml=True)\nprint(mixed.params.round(3).to_string())",
    "frame = frame.assign(content=(frame['satisfaction'] > 60).astype(int))\nlogit = smf.logit('content ~ age + C(sex)', data=frame).fit(disp=0)\nprint(logit.params.round(3).to_string())",
    "by_group = frame.groupby(['age_group', 'sex'], observed=True)['satisfaction'].agg(['mean', 'std', 'count'])\nby_group.style.format(precision=1)",
    "print(f'{area}: mean {frame.satisfaction.mean():.1f}, n {len(frame)}')",
)
RMD = r"""
---
output: html_document
params:
  area: "C01"
  data: ""
---
```{r}
library(ggplot2); library(lme4)
residents <- read.csv(params$data)
frame <- if (params$area == "ALL") residents else residents[residents$community == params$area, ]
nrow(frame)
summary(frame[, c("age", "satisfaction", "q1", "q2", "q3", "q4", "q5")])
items <- frame[, paste0("q", 1:5)]
k <- ncol(items); alpha <- k / (k - 1) * (1 - sum(sapply(items, var)) / var(rowSums(items))); alpha
round(prop.table(table(frame$sex, frame$q1), 1), 3)
ggplot(frame, aes(satisfaction)) + geom_histogram(aes(y = after_stat(density)), bins = 20) + geom_density()
ggplot(frame, aes(age_group, satisfaction, fill = factor(sex))) + geom_boxplot()
summary(lm(satisfaction ~ age + factor(sex) + income, frame))
fixef(lmer(satisfaction ~ age + income + (1 | grid), frame))
frame$content <- as.integer(frame$satisfaction > 60)
coef(glm(content ~ age + factor(sex), binomial, frame))
aggregate(satisfaction ~ age_group + sex, frame, function(x) c(mean(x), sd(x), length(x)))
```
"""
WANTED = {"command lines": 15.0, "two processes": 4.5, "R Markdown": 1.5}
STEADY_AT_MOST = 1.2


@dataclass(frozen=True)
class Bench:
    """Where the notebook and its data lie."""

    folder: Path

    @property
    def notebook(self) -> Path:
        return self.folder / "typical.ipynb"

    @property
    def data(self) -> Path:
        return self.folder / "residents.parquet"


def make(folder: Path) -> Bench:
    import nbformat
    import numpy as np
    import pandas as pd

    draw = np.random.default_rng(1)
    community = draw.integers(1, 24, ROWS)
    grid = draw.integers(0, 40, ROWS)
    base = (
        draw.normal(0, 8, ROWS)
        + draw.normal(0, 4, 24)[community]
        + draw.normal(0, 3, (24, 40))[community, grid]
    )
    frame = pd.DataFrame(
        {
            "community": [f"C{i:02d}" for i in community], "grid": 40 * community + grid, "sex": draw.integers(1, 3, ROWS),
            "age": draw.integers(18, 90, ROWS), "income": draw.lognormal(8, 0.5, ROWS) / 1000, "satisfaction": np.clip(60 + base, 0, 100),
        }
    )  # fmt: skip
    frame["age_group"] = pd.cut(
        frame["age"], [17, 30, 45, 60, 90], labels=["18-30", "31-45", "46-60", "61+"]
    ).astype(str)
    for i in range(1, 6):
        frame[f"q{i}"] = np.clip(np.round(3 + base / 10 + draw.normal(0, 0.8, ROWS)), 1, 5)
    bench = Bench(folder)
    frame.to_parquet(bench.data)
    frame.to_csv(folder / "residents.csv", index=False)
    (folder / "report.Rmd").write_text(RMD.lstrip(), encoding="utf-8")
    cells = [nbformat.v4.new_code_cell("area = 'C01'\ndata = ''", metadata={"tags": ["parameters"]})]
    cells += [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), bench.notebook)
    return bench


def command_lines(bench: Bench, areas: tuple[str, ...]) -> float:
    """What the manuals say: papermill, then jupyter nbconvert, one report after the other."""
    start = time.perf_counter()
    for area in areas:
        out = bench.folder / "cli" / f"{area}.ipynb"
        out.parent.mkdir(exist_ok=True)
        for line in (
            [
                "papermill",
                str(bench.notebook),
                str(out),
                "-p",
                "area",
                area,
                "-p",
                "data",
                str(bench.data),
                "--no-progress-bar",
            ],
            ["nbconvert", "--to", "html", str(out)],
        ):
            subprocess.run([sys.executable, "-m", *line], check=True, capture_output=True)
    return time.perf_counter() - start


def in_a_pool(job: tuple[str, str, str, str]) -> None:
    """One report by the Python interfaces of papermill and nbconvert."""
    notebook, out, area, data = job
    import papermill
    from nbconvert import HTMLExporter

    papermill.execute_notebook(notebook, out, {"area": area, "data": data}, progress_bar=False)
    html, _ = HTMLExporter().from_filename(out)
    Path(out).with_suffix(".html").write_text(html, encoding="utf-8")


def two_processes(bench: Bench, areas: tuple[str, ...]) -> float:
    """What a careful user scripts: the Python interfaces in two processes."""
    (bench.folder / "pool").mkdir(exist_ok=True)
    jobs = [
        (str(bench.notebook), str(bench.folder / "pool" / f"{a}.ipynb"), a, str(bench.data))
        for a in largest_first(areas)
    ]
    start = time.perf_counter()
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        list(pool.map(in_a_pool, jobs))
    return time.perf_counter() - start


def largest_first(areas: tuple[str, ...]) -> list[str]:
    return sorted(areas, key=lambda area: area != "ALL")


def warm(bench: Bench, areas: tuple[str, ...]) -> list[float]:
    """Seconds from the start until each report is there, by the warm engine on two lanes, start-up included."""
    folder = bench.folder / "warm"
    folder.mkdir(exist_ok=True)
    asked = json.dumps(
        {
            "notebook": str(bench.notebook),
            "data": str(bench.data),
            "folder": str(folder),
            "areas": largest_first(areas),
        }
    )
    start = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-P", __file__, "--lanes", asked], check=True, capture_output=True, text=True
    )
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    if len(seen) != len(areas) or any(error for _, error in seen):
        raise SystemExit(f"a report failed: {seen}")
    whole = time.perf_counter() - start
    return [*(seconds for seconds, _ in seen[:-1]), whole]


def lanes(asked: dict[str, Any]) -> None:
    """Run in a process of its own: what `cbresearch run` does, with a line for each report that is there."""
    from cbresearch.publish.kernels import scratch_folder, write_kernelspec
    from cbresearch.publish.lanes import in_lanes
    from cbresearch.publish.shelf import keep_modules, modules_of
    from cbresearch.publish.task import Outcome, PageText, Task

    start, folder = time.perf_counter(), Path(asked["folder"])
    learnt: dict[str, None] = dict.fromkeys(modules_of(folder))
    with scratch_folder() as scratch:
        write_kernelspec(scratch)
        tasks = []
        for i, area in enumerate(asked["areas"]):
            page = PageText("en", "typical", "", area, (), (), "index.html", str(folder / f"{i}.html"))
            parameters = {"area": area, "data": asked["data"]}
            tasks.append(
                Task(
                    f"{i}",
                    asked["notebook"],
                    str(folder / f"{i}.ipynb"),
                    True,
                    parameters,
                    600,
                    str(scratch),
                    (page,),
                )
            )
        for news in in_lanes(tasks, lanes=2, scratch=scratch, cwd=folder, modules=list(learnt)):
            if isinstance(news, Outcome):
                learnt |= dict.fromkeys(news.modules)
                print(json.dumps([time.perf_counter() - start, news.error]), flush=True)
    keep_modules(folder, list(learnt))


def plain(job: tuple[str, str]) -> None:
    """The cells of one report as plain functions in a process that has imported everything: figures and tables shown."""
    area, data = job
    names: dict[str, Any] = {"area": area, "data": data, "show": show_figure}
    with contextlib.redirect_stdout(io.StringIO()):
        for body, last in compiled():
            exec(body, names)
            if last is not None:
                shown = eval(last, names)
                getattr(shown, "_repr_html_", shown.__repr__)()


def show_figure(figure: Any) -> None:
    import matplotlib.pyplot as plt

    figure.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close(figure)


@cache
def compiled() -> list[tuple[Any, Any]]:
    """Each cell: what it does, and the expression whose value it shows, if there is one."""
    import matplotlib

    matplotlib.use("agg")
    return [compiled_cell(source.replace("plt.show()", "show(fig)")) for source in CELLS]


def compiled_cell(source: str) -> tuple[Any, Any]:
    tree = ast.parse(source)
    last = tree.body[-1]
    if not isinstance(last, ast.Expr) or (isinstance(last.value, ast.Call) and source.endswith("show(fig)")):
        return compile(tree, "cell", "exec"), None
    tree.body.pop()
    return compile(tree, "cell", "exec"), compile(ast.Expression(last.value), "cell", "eval")


def steady(bench: Bench, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds for 24 reports, both arms warm, in turn: by the engine, by plain functions."""
    ours, theirs = [], []
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        jobs = [(area, str(bench.data)) for area in largest_first(AREAS)]
        list(pool.map(plain, jobs))
        for _ in range(rounds):
            # the first of these are start-up; largest last would leave a lane idle, so the round is whole rounds
            seconds = warm(bench, AREAS * 3)
            ours.append((seconds[-2] - seconds[len(AREAS) - 1]) / (2 * len(AREAS) - 1) * len(AREAS))
            start = time.perf_counter()
            list(pool.map(plain, jobs))
            list(pool.map(plain, jobs))
            theirs.append((time.perf_counter() - start) / 2)
    return ours, theirs


def r_markdown(bench: Bench, areas: tuple[str, ...]) -> float | None:
    """One R session that has loaded its packages and rendered once; None where R lacks them."""
    rscript = shutil.which("Rscript")
    needed = (
        "for (p in c('rmarkdown','ggplot2','lme4')) if (!requireNamespace(p, quietly=TRUE)) quit(status=1)"
    )
    if not rscript or subprocess.run([rscript, "-e", needed], capture_output=True, check=False).returncode:
        return None
    program = f"""
render <- function(area, i) rmarkdown::render("report.Rmd", params=list(area=area, data="{bench.folder}/residents.csv"),
  output_file=paste0("r", i, ".html"), quiet=TRUE, envir=new.env())
render("C01", 0)
start <- Sys.time(); areas <- c({",".join(f'"{a}"' for a in areas)})
for (i in seq_along(areas)) render(areas[i], i)
cat(as.numeric(difftime(Sys.time(), start, units="secs")))
"""
    done = subprocess.run(
        [rscript, "-e", program], cwd=bench.folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"R Markdown failed: {done.stderr.strip().splitlines()[-1:]}")
        return None
    return float(done.stdout.split()[-1])


def paired(
    name: str, bench: Bench, arm: Callable[[Bench, tuple[str, ...]], float | None], areas: tuple[str, ...]
) -> bool:
    """One arm between two runs of the warm one; per report, since the slow arm may do fewer."""
    before = warm(bench, AREAS)[-1]
    seconds = arm(bench, areas)
    if seconds is None:
        print(f"{name:14} not installed here, not compared")
        return True
    after = warm(bench, AREAS)[-1]
    ours, theirs = statistics.mean([before, after]) / len(AREAS), seconds / len(areas)
    return told(name, theirs, ours, theirs / ours, WANTED[name], at_least=True)


def told(name: str, theirs: float, ours: float, ratio: float, wanted: float, *, at_least: bool) -> bool:
    good = ratio >= wanted if at_least else ratio <= wanted
    word = "at least" if at_least else "at most"
    print(
        f"{name:14} {theirs:6.3f} s a report, warm {ours:6.3f} s: {ratio:5.2f} ({word} {wanted:g} wanted){'' if good else '  MISSED'}"
    )
    return good


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument(
        "--quick", action="store_true", help="fewer reports for the slow arms; within 3 minutes"
    )
    asked.add_argument("--lanes", help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.lanes:
        lanes(json.loads(given.lanes))
        return 0
    os.environ.update(ONE_THREAD)
    slow = ("C01", "C12", "ALL") if given.quick else AREAS
    middling = (*AREAS[:7], "ALL") if given.quick else AREAS
    print(f"load before: {os.getloadavg()[0]:.2f}, {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        bench = make(Path(folder))
        warm(bench, AREAS[:2])  # what the notebook imports is learnt, as on any second run
        good = paired("command lines", bench, command_lines, slow)
        good &= paired("two processes", bench, two_processes, middling)
        good &= paired("R Markdown", bench, r_markdown, middling)
        ours, theirs = steady(bench, 1 if given.quick else 3)
        one, other = statistics.median(ours) / len(AREAS), statistics.median(theirs) / len(AREAS)
        ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
        good &= told("plain cells", other, one, ratio, STEADY_AT_MOST, at_least=False)
    print(f"load after: {os.getloadavg()[0]:.2f}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
