"""How long a run with nothing to do takes, with 10,000 reports that are up to date; exit code 1 when over a second.

python -P tests/benchmarks/uptodate.py [--reports 10000]

Makes a study of so many communities with a page and a record for each, as a run would leave them, then runs
it as a user does, in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import pandas as pd

from cbresearch.publish.files import write_whole
from cbresearch.publish.keys import Inputs
from cbresearch.publish.orders import keep, order_for
from cbresearch.publish.plan import plan
from cbresearch.publish.run import run
from cbresearch.publish.shelf import Shelf
from cbresearch.publish.site import write_index
from cbresearch.publish.task import Outcome
from cbresearch.study import Study, open_study
from cbresearch.survey.manifest import hash_file, input_hashes, made_by

MOST_SECONDS, MOST_MEGABYTES_OF_INDEX = 1.0, 3.0
RESIDENTS_EACH, TIMES = 10, 5
STUDY = """
[study]
name = "many"
title = { zh = "许多社区", en = "Many communities" }
waves = [2009]

[keys]
resident = "id"
area = "community"

[scales.overall]
label = { zh = "总体", en = "Overall" }
minimum_answered = 1

[[targets]]
measure = "sat_points"
at_least = 60

[[sources]]
table = "residents"
wave = 2009
file = "r.csv"

[[reports]]
notebook = "90_one"
over = "area"
own = { residents = ["remark"] }
"""
CODEBOOK = """name,type,label::zh,label::en,choices,missing,direction,minimum,maximum,scale,role,relevant,table
id,id,编号,Number,,,,,,,key,,residents
community,select_one,社区,Community,community,,,,,,area,,residents
sat,select_one,满意度,Satisfaction,five,,1,1,5,overall,outcome,,residents
remark,text,意见,Remark,,,,,,,,,residents
"""


def make(root: Path, communities: int) -> Study:
    """A study with so many communities, built as far as reports look."""
    data = root / "data"
    for folder in (data / "raw", data / "processed", root / "notebooks"):
        folder.mkdir(parents=True)
    codes = [f"c{number:06d}" for number in range(communities)]
    choices = [f"community,{code},第{i}社区,Community No {i},{i}," for i, code in enumerate(codes)]
    (data / "study.toml").write_text(STUDY, encoding="utf-8")
    (data / "codebook.csv").write_text(CODEBOOK, encoding="utf-8")
    choices += [f"five,{code},第{code}级,Level {code},{code}," for code in range(1, 6)]
    head = "list,code,label::zh,label::en,order,variants"
    (data / "choices.csv").write_text("\n".join([head, *choices, ""]), encoding="utf-8")
    (data / "raw" / "r.csv").write_text("id\n1\n", encoding="utf-8")
    rows = communities * RESIDENTS_EACH
    residents = pd.DataFrame(
        {"id": [f"r{i}" for i in range(rows)], "community": codes * RESIDENTS_EACH, "wave": 2009,
         "sat": [i % 5 + 1 for i in range(rows)], "remark": [f"remark {i}" for i in range(rows)]}
    )  # fmt: skip
    residents.to_parquet(data / "processed" / "residents.parquet", index=False)
    residents[["community", "wave"]].drop_duplicates().to_parquet(data / "processed" / "communities.parquet")
    residents.head(0)[["id"]].to_parquet(data / "processed" / "findings.parquet")
    (data / "processed" / "ledger.csv").write_text("step\nread\n", encoding="utf-8")
    parameters = nbformat.v4.new_code_cell('lang = "zh"\narea: str = ""', metadata={"tags": ["parameters"]})
    notebook = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell("print(area)")])
    nbformat.write(notebook, root / "notebooks" / "90_one.ipynb")
    study = open_study(root)
    outputs = {path.name: hash_file(path) for path in (data / "processed").iterdir()}
    manifest = {"inputs": input_hashes(study), "made_by": made_by(), "outputs": outputs}
    write_whole(data / "processed" / "manifest.json", json.dumps(manifest))
    return study


def publish(study: Study) -> None:
    """Every report as if it had been made: pages, records, lists and index."""
    shelf, inputs, jobs = Shelf(study.reports), Inputs(study), plan(study)
    finding = {
        "measure": "sat_points",
        "value": 61.5,
        "low": 60.1,
        "high": 62.9,
        "n": 10,
        "status": "published",
    }
    for job in jobs:
        order = order_for(job, study, shelf, inputs, fresh=True)
        write_whole(shelf.next / job.executed, "{}")
        for language in order.page_keys:
            write_whole(shelf.next / job.page(language), "<html></html>")
        titles = dict.fromkeys(order.page_keys, "评分卡")
        group = {"wave": "2009", "community": job.area.code if job.area else ""}
        keep(order, Outcome(job.slug, "ok", None, titles, (finding | {"group": group},) * 10, 0.1), shelf)
    run(study)


def timed(command: list[str]) -> float:
    """Seconds of the quickest of several calls: the others tell of what else the machine does."""
    seconds, before = [], used()
    for _ in range(TIMES):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        seconds.append(time.perf_counter() - start)
        assert "0 reports made" in done.stdout, done.stdout + done.stderr
    print(
        f"  seconds each: {', '.join(f'{one:.2f}' for one in seconds)}; median {statistics.median(seconds):.2f}"
    )
    print(f"  of the processor: {(used() - before) / TIMES:.2f} s each, which other processes leave as it is")
    return min(seconds)


def used() -> float:
    """Seconds of processor that child processes have used."""
    told = resource.getrusage(resource.RUSAGE_CHILDREN)
    return told.ru_utime + told.ru_stime


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        study = make(Path(folder), asked.reports)
        start = time.perf_counter()
        publish(study)
        print(f"{asked.reports:,} reports put on the shelf in {time.perf_counter() - start:.1f} s")
        print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        seconds = timed([sys.executable, "-m", "cbresearch", "run", folder])
        megabytes = write_index(study, plan(study), Shelf(study.reports), Inputs(study)).stat().st_size / 1e6
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(
        f"cbresearch run with nothing to do: {seconds:.2f} s (at most {MOST_SECONDS:.1f}), {peak:.0f} MB at most"
    )
    print(
        f"index.html, every community comparable: {megabytes:.1f} MB (at most {MOST_MEGABYTES_OF_INDEX:.1f})"
    )
    return int(seconds > MOST_SECONDS or megabytes > MOST_MEGABYTES_OF_INDEX)


if __name__ == "__main__":
    sys.exit(main())
