"""How long `cbresearch build` takes on a national survey, beside polars on the same file; exit code 1 when over its limits.

python -P tests/benchmarks/build.py [--residents 5000000]

Makes a file of 30 items with Chinese labels. The build reads, cleans with its ledger, weights, scores and
writes it, as a user does, in a process of its own. Beside it stands the least that could be called the same
work, in a process of its own too: polars reads the labels as an Enum and means the items by community, and
writes nothing. Where polars is not installed the ratio is not told.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

MOST_TIMES, MOST_GIGABYTES = 1.5, 3.0
ITEMS, AREAS, SCALES, AT_ONCE = 30, 100, 3, 500_000
LABELS = ("很不满意", "不满意", "一般", "满意", "很满意", "")
SHARES = (0.08, 0.12, 0.25, 0.35, 0.17, 0.03)
STUDY = """
[study]
name = "national"
title = { zh = "全国", en = "National" }
waves = [2026]

[keys]
resident = "id"
area = "area"

[[sources]]
table = "residents"
file = "residents.csv"
"""
POLARS = """
import sys
import polars as pl
path, items, labels, areas = sys.argv[1], int(sys.argv[2]), sys.argv[3].split(), sys.argv[4].split()
names = [f"q{n:02d}" for n in range(1, items + 1)]
types = {"id": pl.String, "area": pl.Enum(areas), **dict.fromkeys(names, pl.Enum(labels))}
table = pl.read_csv(path, schema=types)
points = table.select("area", *[pl.col(n).to_physical().cast(pl.Float32) * 25 for n in names])
assert points.group_by("area").mean().height == len(areas)
"""


def make(root: Path, residents: int) -> Path:
    """A workspace with so many simulated residents; the raw file."""
    raw = root / "data" / "raw"
    raw.mkdir(parents=True)
    asked = [f"q{n:02d}" for n in range(1, ITEMS + 1)]
    scale = {name: number * SCALES // ITEMS + 1 for number, name in enumerate(asked)}
    scales = [
        f'[scales.sat{n}]\nlabel = {{ zh = "满意{n}", en = "Satisfaction {n}" }}\nminimum_answered = 2\n'
        for n in range(1, SCALES + 1)
    ]
    (root / "data" / "study.toml").write_text(STUDY + "\n".join(scales), encoding="utf-8")
    _write_lines(root / "data" / "codebook.csv", _codebook(scale))
    _write_lines(root / "data" / "choices.csv", _choices())
    path = raw / "residents.csv"
    schema = pa.schema([(name, pa.string()) for name in ("id", "area", *asked)])
    rng = np.random.default_rng(1)
    with arrow_csv.CSVWriter(path, schema, write_options=arrow_csv.WriteOptions(quoting_style="none")) as out:
        for start in range(0, residents, AT_ONCE):
            out.write_table(_answers(rng, start, min(AT_ONCE, residents - start)).cast(schema))
    return path


def _answers(rng: np.random.Generator, start: int, rows: int) -> pa.Table:
    columns = {
        "id": pa.array(np.arange(start + 1, start + rows + 1)),
        "area": _texts(rng.integers(0, AREAS, rows), _areas()),
    }
    for number in range(1, ITEMS + 1):
        columns[f"q{number:02d}"] = _texts(rng.choice(len(LABELS), rows, p=SHARES), LABELS)
    return pa.table(columns)


def _texts(places: np.ndarray, texts: tuple[str, ...]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(places.astype(np.int8)), pa.array(texts)).cast(pa.string())


def _areas() -> tuple[str, ...]:
    return tuple(f"第{n}社区" for n in range(1, AREAS + 1))


def _codebook(scale: dict[str, int]) -> Iterator[str]:
    yield "name,type,label::zh,label::en,choices,missing,direction,minimum,maximum,scale,role,relevant,table"
    yield "id,id,编号,Number,,,,,,,key,,residents"
    yield "area,select_one,社区,Community,area,,,,,,area,,residents"
    for name, number in scale.items():
        yield f"{name},select_one,题{name},Item {name},five,,1,1,5,sat{number},,,residents"


def _choices() -> Iterator[str]:
    yield "list,code,label::zh,label::en,order,variants"
    for number, label in enumerate(LABELS[:-1], 1):
        yield f"five,{number},{label},Answer {number},{number},"
    for number, label in enumerate(_areas(), 1):
        yield f"area,c{number:03d},{label},Community {number},{number},"


def _write_lines(path: Path, lines: Iterator[str]) -> None:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def timed(command: list[str]) -> tuple[float, float]:
    """Seconds and the peak memory in gigabytes of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{command[1:4]} ended with status {status}.")
    return time.perf_counter() - start, used.ru_maxrss / (1e9 if sys.platform == "darwin" else 1e6)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--residents", type=int, default=5_000_000)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        path = make(root, told.residents)
        print(
            f"{told.residents:,} residents, {ITEMS} items, {path.stat().st_size / 1e9:.2f} GB of text; load {os.getloadavg()[0]:.2f}"
        )
        path.read_bytes()
        seconds, gigabytes = timed([sys.executable, "-m", "cbresearch", "build", str(root)])
        print(f"build: {seconds:.1f} s, {gigabytes:.2f} GB at its peak (at most {MOST_GIGABYTES:g})")
        within = gigabytes <= MOST_GIGABYTES
        try:
            import polars  # noqa: F401
        except ModuleNotFoundError:
            print("polars is not installed: no ratio is told")
            return int(not within)
        labels, areas = " ".join(LABELS[:-1]), " ".join(_areas())
        fastest, _ = timed([sys.executable, "-c", POLARS, str(path), str(ITEMS), labels, areas])
        ratio = seconds / fastest
        print(f"polars: {fastest:.1f} s; build takes {ratio:.1f} times as long (at most {MOST_TIMES:g})")
        return int(not (within and ratio <= MOST_TIMES))


if __name__ == "__main__":
    sys.exit(main())
