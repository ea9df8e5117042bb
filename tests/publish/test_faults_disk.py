"""Faults of a disk, for real: it fills up, it may not be written, what lies on it is broken."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from small_study import small_study
from test_faults import EPOCH, many, new_data, whole
from test_faults import seen as pages_of
from tiny_workspace import code, write_notebook

APART = ["unshare", "--user", "--map-root-user", "--mount"]


def _may_mount() -> bool:
    if not shutil.which("unshare"):
        return False
    probe = [*APART, "sh", "-c", "mount -t tmpfs none /mnt"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not _may_mount(), reason="needs a mount table of its own (unshare), for a small disk")
def test_a_disk_that_fills_up_and_one_that_may_not_be_written(tmp_path: Path) -> None:
    undisturbed = many(tmp_path / "undisturbed")
    new_data(undisturbed, "2")
    wanted = whole(undisturbed)
    root = many(tmp_path / "disturbed")
    command = [*APART, sys.executable, str(Path(__file__).with_name("on_small_disk.py")), str(root)]
    done = subprocess.run(
        command,
        env=dict(os.environ) | {"SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["first"] == "0"
    assert "No space left on device" in told["full"] and "run again" in told["full"], told["full"]
    assert told["while full"] == told["before"], "readers keep the last complete reports"
    assert told["with room"] == "0" and told["after"] == wanted, "as if nothing had happened"
    assert "cannot be written to: Read-only file system" in told["read only"], told["read only"]


TABLES = ["residents.parquet", "communities.parquet", "findings.parquet", "ledger.csv", "manifest.json"]
RAW = "id,area,sex,age,sat,slow\n1,A,1,30,4,2\n2,B,2,50,5,1\n3,B,1,41,3,3\n"


def run(root: Path) -> None:
    command = [sys.executable, "-P", "-m", "cbresearch", "run", str(root)]
    done = subprocess.run(
        command,
        env=dict(os.environ) | {"SOURCE_DATE_EPOCH": EPOCH},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def state(root: Path) -> dict[str, str]:
    """Every built table and every page, as a digest."""
    tables = {
        name: hashlib.sha256((root / "data" / "processed" / name).read_bytes()).hexdigest() for name in TABLES
    }
    return tables | pages_of(root)


def test_broken_tables_are_built_again_and_the_pages_are_the_same(tmp_path: Path) -> None:
    """As after a power cut: a file cut off in the middle, one full of zeros, an empty one, one that is gone."""
    (tmp_path / "notebooks").mkdir()
    shown = "import pandas as pd\npd.read_parquet('../data/processed/residents.parquet')"
    write_notebook(tmp_path, "10_all", code('lang = "zh"', "parameters"), code(shown))
    root = small_study(tmp_path, {"r.csv": RAW}, more='[[reports]]\nnotebook = "10_all"').root
    run(root)
    before = state(root)
    for number, name in enumerate(TABLES):
        table = root / "data" / "processed" / name
        good = table.read_bytes()
        table.write_bytes((good[: len(good) // 2], bytes(len(good)), b"")[number % 3])
        run(root)
        assert state(root) == before, name
    (root / "data" / "processed" / TABLES[0]).unlink()
    run(root)
    assert state(root) == before
