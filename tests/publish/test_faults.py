"""Runs killed for real: what is finished is kept, readers see the last complete run, the end is the same as ever."""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from filelock import FileLock, Timeout
from tiny_workspace import code, make_workspace, prose, write_notebook

from cbresearch.errors import PublishError
from cbresearch.publish import carry_out, files
from cbresearch.publish.lock import alone
from cbresearch.publish.run import Event, run
from cbresearch.publish.shelf import MOVING
from cbresearch.study import open_study

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

EPOCH = "1200000000"
RUN = """
import os, sys
from cbresearch.publish.keys import Inputs
from cbresearch.publish.run import run
from cbresearch.study import open_study
Inputs.package = Inputs.template = "fixed"  # others may edit the package while tests run
sys.exit(run(open_study(sys.argv[1])).exit_code)
"""
REPORTS = [f"{number}_more" for number in range(20, 28)]


def many(folder: Path) -> Path:
    """A workspace with eleven reports that take a moment each, most of which show the data they were made from."""
    folder.mkdir(exist_ok=True)
    root = make_workspace(folder)
    shown = "import pathlib, time\ntime.sleep(0.05)\nprint(pathlib.Path('../data/processed/manifest.json').read_text())"
    toml = (root / "data" / "study.toml").read_text(encoding="utf-8")
    for name in REPORTS:
        write_notebook(root, name, code('lang = "zh"', "parameters"), prose("# 题", "zh"), code(shown))
        toml += f'\n[[reports]]\nnotebook = "{name}"\n'
    (root / "data" / "study.toml").write_text(toml, encoding="utf-8")
    return root


def new_data(root: Path, version: str) -> None:
    (root / "data" / "processed" / "manifest.json").write_text(
        f'{{"residents": "{version}"}}', encoding="utf-8"
    )


def start(root: Path) -> subprocess.Popen[bytes]:
    environment = dict(os.environ) | {"SOURCE_DATE_EPOCH": EPOCH, "CBRESEARCH_TEST": str(root)}
    command = [sys.executable, "-P", "-c", RUN, str(root)]
    return subprocess.Popen(
        command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def whole(root: Path) -> dict[str, str]:
    process = start(root)
    assert process.wait(120) == 0
    return seen(root)


def seen(root: Path) -> dict[str, str]:
    """What a reader has: every page, the index and the numbers."""
    reports = root / "reports"
    paths = [
        *reports.glob("zh/*.html"),
        *reports.glob("en/*.html"),
        reports / "index.html",
        reports / "findings.json",
    ]
    return {
        str(path.relative_to(reports)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(paths)
    }


def workers_of(root: Path) -> Iterator[int]:
    """Every process of the run but the first one."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if f"CBRESEARCH_TEST={root}".encode() in (process / "environ").read_bytes():
                yield int(process.name)
        except OSError:
            continue


def test_twenty_kills_leave_what_readers_see_whole_and_the_end_the_same(
    tmp_path: Path,
) -> None:
    undisturbed = many(tmp_path / "undisturbed")
    new_data(undisturbed, "2")
    root = many(tmp_path / "disturbed")
    first, second = whole(root), whole(undisturbed)
    new_data(root, "2")
    chance = random.Random(20090301)
    for turn in range(20):
        process = start(root)
        time.sleep(chance.uniform(0.2, 1.4))
        if turn % 2:  # a worker, a kernel or their host, while the run goes on
            victims = [pid for pid in workers_of(root) if pid != process.pid]
            if victims:
                _kill(chance.choice(victims))
            time.sleep(chance.uniform(0.0, 0.5))
        _kill(process.pid)
        process.wait(30)
        # a kill in the milliseconds in which pages move leaves a note, by which the next run completes the move
        assert seen(root) in (first, second) or (root / "reports" / MOVING).exists()
    assert _failed_away(root, second)


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _failed_away(root: Path, wanted: dict[str, str]) -> bool:
    """The end of it: one more run, or two where a killed worker had made one report fail."""
    process = start(root)
    process.wait(120)
    return seen(root) == wanted or whole(root) == wanted


def test_a_killed_run_leaves_no_process_and_no_lock(tmp_path: Path) -> None:
    root = many(tmp_path)
    process = start(root)
    until = time.monotonic() + 20
    while len(list(workers_of(root))) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    _kill(process.pid)
    process.wait(30)
    until = time.monotonic() + 10
    while list(workers_of(root)) and time.monotonic() < until:
        time.sleep(0.02)
    assert list(workers_of(root)) == []
    with alone(root / "reports"):
        pass


def test_a_run_takes_up_what_another_one_finished(tmp_path: Path) -> None:
    root = many(tmp_path)

    class Enough(Exception):
        pass

    def stop(event: Event) -> None:
        if event.kind == "finished" and event.done == 4:
            raise Enough

    with pytest.raises(Enough):
        run(open_study(root), say=stop)
    assert not (root / "reports" / "index.html").exists()
    ran = run(open_study(root))
    assert len(ran.skipped) == 4 and ran.failed == ()
    assert len(list((root / "reports" / "zh").glob("*.html"))) == 11


def test_a_clock_that_jumps_back_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = many(tmp_path)
    run(open_study(root), only=["10_all"])
    monkeypatch.setattr(
        files.time, "gmtime", lambda seconds=None: time.struct_time((1999, 1, 1, 0, 0, 0, 4, 1, 0))
    )
    assert len(run(open_study(root), only=["10_all"]).skipped) == 1
    new_data(root, "2")
    ran = run(open_study(root), only=["10_all"])
    assert ran.skipped == () and ran.failed == ()
    assert len(run(open_study(root), only=["10_all"]).skipped) == 1


def test_a_full_disk_stops_the_run_and_costs_nobody_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = many(tmp_path)
    run(open_study(root), only=["10_all"])
    before = seen(root)
    new_data(root, "2")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(carry_out, "keep", full)
    with pytest.raises(
        PublishError, match=r"cannot be written to: No space left on device\. Mend that, then run"
    ):
        run(open_study(root), only=["10_all"])
    assert seen(root) == before
    monkeypatch.undo()
    assert run(open_study(root), only=["10_all"]).failed == ()


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_says_so(root: Path) -> None:
    (root / "reports").mkdir(mode=0o500)
    with pytest.raises(PublishError, match="cannot be written to: Permission denied"):
        run(open_study(root))


def test_a_folder_that_is_a_file_says_so(root: Path) -> None:
    (root / "reports").write_text("mine", encoding="utf-8")
    with pytest.raises(PublishError, match="reports cannot be written to: File exists"):
        run(open_study(root))


@pytest.mark.parametrize(
    "name", ["run.json", "findings.json", ".slices.json", ".modules.json", ".holder.json", "index.html"]
)
def test_state_that_cannot_be_read_is_made_again(tmp_path: Path, name: str) -> None:
    root = make_workspace(tmp_path)
    run(open_study(root), only=["10_all"])
    (root / "reports" / name).write_bytes(b"\xff\x00{")
    ran = run(open_study(root), only=["10_all"])
    assert ran.failed == () and len(ran.jobs) == 1
    assert b"\xff" not in (root / "reports" / "index.html").read_bytes()
    if name == "findings.json":
        assert run(open_study(root), only=["10_all"], fresh=True).failed == ()
        assert b"61.5" in (root / "reports" / name).read_bytes()


FAILING = (code('lang = "zh"', "parameters"), code("import nothing_of_that_name"))


def test_a_run_whose_first_reports_all_fail_alike_stops(tmp_path: Path) -> None:
    root = many(tmp_path)
    run(open_study(root))
    before = seen(root)
    for name in ["10_all", *REPORTS]:
        write_notebook(root, name, *FAILING)
    ran = run(open_study(root))
    cause = "ModuleNotFoundError: No module named 'nothing_of_that_name'"
    assert ran.stopped == f"stopped after 5 reports failed alike: {cause}"
    assert ran.exit_code == 1 and len(ran.failed) == 5 and ran.left == 4
    assert seen(root) == before
    page = (root / "reports" / "failures.html").read_text(encoding="utf-8")
    assert page.count(f"<h2>{cause.replace(chr(39), '&#39;')}</h2>") == 2
    assert 'href=".next/zh/' in page and "缺少一个程序包" in page and "A package is missing" in page
    ran = run(open_study(root), keep_going=True)
    assert ran.stopped == "" and len(ran.failed) == 9 and ran.left == 0
    page, index = (
        (root / "reports" / name).read_text(encoding="utf-8") for name in ("failures.html", "index.html")
    )
    assert ".next" not in page and page.count("<li>") == 18
    assert 'href="failures.html#zh"' in index


def test_only_what_failed_last_time_and_no_page_of_failures_when_nothing_did(tmp_path: Path) -> None:
    root = make_workspace(tmp_path)
    write_notebook(root, "10_all", *FAILING)
    run(open_study(root))
    assert (root / "reports" / "failures.html").exists()
    write_notebook(root, "10_all", code("1"))
    ran = run(open_study(root), only_failed=True)
    assert [job.slug for job in ran.jobs] == ["10_all"] and ran.failed == ()
    assert not (root / "reports" / "failures.html").exists()
    assert "failures.html" not in (root / "reports" / "index.html").read_text(encoding="utf-8")
    assert run(open_study(root), only_failed=True).jobs == ()


def test_two_runs_at_once_do_not_meet(tmp_path: Path) -> None:
    root = many(tmp_path)
    process = start(root)
    until = time.monotonic() + 20
    while not (root / "reports" / ".holder.json").is_file() and time.monotonic() < until:
        time.sleep(0.01)
    with pytest.raises(PublishError, match=f"process {process.pid} on .*'cbresearch run --wait' does both"):
        run(open_study(root))
    heard: list[str] = []
    ran = run(open_study(root), wait=heard.append)
    assert process.wait(1) == 0
    assert len(heard) == 1 and f"process {process.pid}" in heard[0]
    assert ran.failed == ()
    with pytest.raises(Timeout), alone(root / "reports"):
        FileLock(root / "reports" / ".lock").acquire(timeout=0)
