"""Runs on a cluster of two worker processes: the same files as here, also when one of them is killed midway."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from importlib import metadata, util
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from distributed import LocalCluster
from tiny_workspace import code, make_workspace, prose, write_notebook

from cbresearch.errors import PublishError
from cbresearch.publish import cluster as cluster_module
from cbresearch.publish import cluster_work
from cbresearch.publish.bundle import Bundle, Bundles, digest_of, files_for, pack, unpack
from cbresearch.publish.cluster import SCHEDULER, Cluster, chosen, on_cluster, put
from cbresearch.publish.kernels import scratch_folder
from cbresearch.publish.lanes import Started
from cbresearch.publish.run import Event, Ran, run
from cbresearch.publish.task import Outcome, Task
from cbresearch.study import Columns, Reads, Study, open_study, plain

FAILING = (code('lang = "zh"', "parameters"), prose("# 出错", "zh"), code("print('before')"), code("1 / 0"))
WORKER_OF_MINE = """
import os, pathlib, signal, time
def line_of(pid):
    return pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
def worker():
    pid = os.getppid()
    while b"multiprocessing" not in line_of(pid):
        pid = int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid
mark = pathlib.Path(MARK)
"""
SLOW = (
    WORKER_OF_MINE
    + """
if not mark.exists():
    half = mark.with_suffix(".part")
    half.write_text(str(worker()))
    half.rename(mark)
    time.sleep(60)
print("the end")
"""
)
KILLER = (
    WORKER_OF_MINE
    + """
with mark.open("a") as tries:
    tries.write("x")
os.kill(worker(), signal.SIGKILL)
time.sleep(60)
"""
)
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks for the worker in /proc")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A scheduler with two workers, as somebody might have started it."""
    with scratch_folder() as folder, LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, scheduler_kwargs=SCHEDULER,
        local_directory=str(folder),
    ) as cluster:  # fmt: skip
        yield cluster.scheduler_address


def workspace(folder: Path, **more: tuple[Any, ...]) -> Study:
    """The tiny workspace with more notebooks."""
    root = make_workspace(folder)
    study_toml = root / "data" / "study.toml"
    for name, cells in more.items():
        write_notebook(root, name, *cells)
        said = study_toml.read_text(encoding="utf-8")
        study_toml.write_text(f'{said}\n[[reports]]\nnotebook = "{name}"\n', encoding="utf-8")
    return open_study(root)


def made(ran: Ran, study: Study) -> dict[str, bytes]:
    """Every page, notebook and finding of a run, by its name."""
    found = [path for path in study.reports.rglob("*") if path.suffix in {".html", ".ipynb"}]
    found.append(study.reports / "findings.json")
    assert len(found) >= 3 * len(ran.jobs)
    return {path.relative_to(study.reports).as_posix(): path.read_bytes() for path in found}


def test_a_cluster_gives_the_same_bytes(address: str, tmp_path: Path) -> None:
    here, there = workspace(tmp_path / "here", a=FAILING), workspace(tmp_path / "there", a=FAILING)
    events: list[Event] = []
    expected = made(run(here), here)
    ran = run(there, cluster=Cluster(address), say=events.append)
    assert made(ran, there) == expected
    assert [(f.job.slug, f.error, f.message) for f in ran.failed] == [
        ("a", "ZeroDivisionError", "division by zero")
    ]
    assert sorted(e.kind for e in events) == ["failed"] + ["finished"] * 3 + ["started"] * 4
    # a page alone is written again there from what was executed before
    lost = next(there.reports.rglob("10_all.html"))
    lost.unlink()
    run(there, only=["10_all"], cluster=Cluster(address))
    assert made(ran, there) == expected
    assert run(there, only=["10_all"], cluster=Cluster("tcp://nobody:1")).skipped


def test_data_may_lie_where_all_workers_read(address: str, tmp_path: Path) -> None:
    here, there, share = workspace(tmp_path / "h"), workspace(tmp_path / "t"), tmp_path / "share"
    assert made(run(there, cluster=Cluster(address, str(share))), there) == made(run(here), here)
    [only] = share.iterdir()
    assert only.stem == digest_of(only.read_bytes())


@linux
def test_a_lost_workers_jobs_go_elsewhere(address: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    slow = (
        code('lang = "zh"', "parameters"),
        prose("# 慢", "zh"),
        code(SLOW.replace("MARK", repr(str(mark)))),
    )
    there = workspace(tmp_path / "w", slow=slow)

    def kill() -> None:
        until = time.monotonic() + 40
        while not mark.exists() and time.monotonic() < until:
            time.sleep(0.05)
        os.kill(int(mark.read_text()), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    ran = run(there, cluster=Cluster(address))
    killer.join()
    assert ran.failed == () and len(ran.jobs) == 4
    here = workspace(tmp_path / "here", slow=slow)
    assert made(ran, there) == made(run(here), here)


@linux
def test_a_notebook_that_kills_its_workers_is_failed_by_name(address: str, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    cells = (
        code('lang = "zh"', "parameters"),
        prose("# 坏", "zh"),
        code(KILLER.replace("MARK", repr(str(mark)))),
    )
    study = workspace(tmp_path / "w", killer=cells)
    ran = run(study, cluster=Cluster(address))
    assert [(f.job.slug, f.error) for f in ran.failed] == [("killer", "WorkerLost")]
    assert ran.failed[0].message == "2 workers of the cluster were lost while they ran this notebook"
    assert mark.read_text() == "xx"
    assert "没有完成" in next((study.reports / "zh").rglob("killer.html")).read_text(encoding="utf-8")


@linux
def test_the_local_cluster_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CBRESEARCH_TEST_RUN", str(tmp_path))
    study = workspace(tmp_path / "w")
    assert run(study, only=["10_all"], cluster=Cluster("local")).exit_code == 0
    until = time.monotonic() + 5
    while (left := processes_with(f"CBRESEARCH_TEST_RUN={tmp_path}")) and time.monotonic() < until:
        time.sleep(0.1)
    assert left == []


def processes_with(variable: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if variable.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
    # what hands out names of semaphores stays with this process, whatever it runs
    return [line for line in found if "resource_tracker" not in line]


@pytest.mark.parametrize("leaves", ["distributed", "fsspec"])
def test_a_missing_extra_is_said_before_anything_runs(monkeypatch: pytest.MonkeyPatch, leaves: str) -> None:
    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == leaves else find(name))
    with pytest.raises(PublishError) as caught:
        chosen("tcp://scheduler:8786", None)
    assert str(caught.value) == (
        f"A run on a cluster needs {leaves}, which is not here. "
        "Install it here and where workers run: pip install 'cbresearch[cluster]'"
    )


def test_a_share_without_a_cluster_is_a_slip() -> None:
    assert chosen(None, None) is None
    with pytest.raises(PublishError, match="Name one as well: --cluster ADDRESS"):
        chosen(None, "somewhere")


def test_no_scheduler_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module, "SECONDS_TO_CONNECT", 1)
    with pytest.raises(
        PublishError, match=r"No dask scheduler with a worker answers at tcp://127\.0\.0\.1:1 "
    ):
        run(workspace(tmp_path), cluster=Cluster("tcp://127.0.0.1:1"))


class Workers:
    """A client whose workers answer with what they have."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)

    def run(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"tcp://there:1": self._answers.pop(0)}


@pytest.mark.parametrize(
    "answers, said",
    [
        (["0.0.9"], "tcp://there:1 has cbresearch 0.0.9, this machine 0.1.0"),
        (
            [metadata.PackageNotFoundError("cbresearch")],
            "tcp://there:1 has no cbresearch, this machine 0.1.0",
        ),
        (["0.1.0", ImportError("no module")], "tcp://there:1 cannot load cbresearch: no module"),
        (["0.1.0", {"numpy": "1.0"}], "tcp://there:1 would not give the same pages: .*numpy 1.0, here 2"),
    ],
    ids=["older", "missing", "broken", "another numpy"],
)
def test_a_worker_that_differs_is_named(answers: list[Any], said: str) -> None:
    with pytest.raises(PublishError, match=said):
        cluster_module._check_versions(Workers(*answers))


def test_a_bundle_arrives_as_it_was_sent(study: Study, tmp_path: Path) -> None:
    task = Task("x", "x.ipynb", "out.ipynb", True, {}, 9, "/nowhere", ())
    (study.notebooks / ".ipynb_checkpoints").mkdir()
    (study.notebooks / ".ipynb_checkpoints" / "old.ipynb").write_text("{}")
    files, bundles = files_for(study, task), Bundles(study)
    bundle = bundles.of(task)
    assert bundles.of(task) is bundle and Bundles(study).of(task) == bundle
    folder = unpack(bundle, tmp_path)
    assert unpack(Bundle(bundle.digest, b""), tmp_path) == folder  # it is there already
    found = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert found == {name: content.read_bytes() for name, content in files.items()}
    assert found["data/raw/r.csv"] == b"" != (study.raw / "r.csv").read_bytes()
    assert {"data/study.toml", "data/processed/residents.parquet", "notebooks/10_all.ipynb"} <= found.keys()
    assert not [name for name in found if "old" in name]
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert open_study(folder).name == study.name


def test_only_what_a_report_declares_travels(study: Study, tmp_path: Path) -> None:
    declared = Reads("10_all", None, (("residents", Columns(("street",))),))
    task = Task("x", "x.ipynb", "out.ipynb", True, {}, 9, "/nowhere", (), reads=plain(declared))
    table = study.processed / "residents.parquet"
    secret = pd.read_parquet(table).assign(remark="私人的话", phone="13800000000")
    secret.to_parquet(table)
    secret.to_parquet(study.processed / "findings.parquet")
    secret.to_csv(study.processed / "ledger.csv")
    (study.processed / "changes.parquet").write_bytes(table.read_bytes())
    bundle = Bundles(study).of(task)
    assert "私人的话".encode() not in bundle.data and b"13800000000" not in bundle.data
    folder = unpack(bundle, tmp_path)
    assert [p.name for p in sorted((folder / "data" / "processed").iterdir())] == [
        "manifest.json",
        "residents.parquet",
    ]
    there = pd.read_parquet(folder / "data" / "processed" / "residents.parquet")
    pd.testing.assert_frame_equal(there, secret[["id", "community", "street", "wave"]])
    everything = Reads("10_all", None, (("residents", Columns(("*",))),))
    whole = files_for(study, replace(task, reads=plain(everything)))
    assert whole["data/processed/residents.parquet"] == table, "nothing to cut: the file itself"


@pytest.mark.parametrize("name", ["../out", "a/../../out", "/out", "C:/out", "a\\..\\..\\out", ".", "a/"])
def test_a_bundle_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(PublishError, match="outside its folder"):
        pack({name: b"x"})
    evil = tmp_path / "evil.zip"
    with zipfile.ZipFile(evil, "w") as whole:
        whole.writestr("good", "x")
        whole.writestr(name, "x")
    data, into = evil.read_bytes(), tmp_path / "into"
    into.mkdir()
    with pytest.raises(PublishError, match="outside its folder"):
        unpack(Bundle(digest_of(data), data), into)
    assert list(into.iterdir()) == []


def test_a_bundle_that_changed_on_its_way_is_refused(tmp_path: Path) -> None:
    bundle = pack({"a": b"x"})
    with pytest.raises(PublishError, match="did not arrive as it was sent"):
        unpack(Bundle(bundle.digest, bundle.data + b" "), tmp_path)


def test_a_store_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PublishError, match="Name a folder or store with --share"):
        put(pack({"a": b"x"}), str(tmp_path / "file" / "below"))
    with pytest.raises(PublishError, match="Cannot put data at nowhere://x"):
        put(pack({"a": b"x"}), "nowhere://x")


def test_a_bug_on_a_worker_reaches_the_caller(address: str, study: Study, tmp_path: Path) -> None:
    missing = study.notebooks / "missing.ipynb"
    task = Task("x", str(missing), str(tmp_path / "x.ipynb"), True, {}, 9, "/nowhere", ())
    started, outcome = on_cluster([task], study, Cluster(address))
    assert started == Started("x") and isinstance(outcome, Outcome)
    assert outcome.error is not None and outcome.error["class"] == "FileNotFoundError"
    unreadable = Cluster(address, f"memory://{tmp_path.name}")  # a store that only this process has
    with pytest.raises(PublishError, match=r"cannot read memory://.* that every worker can read"):
        list(on_cluster([task], study, unreadable))


def test_a_worker_whose_caller_is_gone_keeps_neither_data_nor_processes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster_work, "SECONDS_IDLE", 0.2)
    crew = cluster_work.Crew((), {})
    crew.setup(
        SimpleNamespace(
            state=SimpleNamespace(nthreads=1),
            memory_manager=SimpleNamespace(memory_limit=None),
            local_directory=str(tmp_path),
        )
    )
    task = Task("x", "notebooks/x.ipynb", "x.ipynb", True, {}, 9, "/nowhere", ())
    with pytest.raises(PublishError, match="cannot read"):
        crew.do(cluster_work.Errand(task, "0" * 64, str(tmp_path / "not-there.zip")), None)
    assert list(tmp_path.iterdir()) != []
    until = time.monotonic() + 15
    while list(tmp_path.iterdir()) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(tmp_path.iterdir()) == []
