"""Whatever a notebook does, it ends alone: its neighbours run, nothing of it stays, every job is accounted for."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny_workspace import code, write_notebook

from cbresearch.publish.kernels import scratch_folder, write_kernelspec
from cbresearch.publish.lanes import Started, in_lanes
from cbresearch.publish.task import Outcome, Task
from cbresearch.publish.warm.processes import can_fork
from cbresearch.publish.warm.zygote import Zygote

pytestmark = [
    pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux only"),
    pytest.mark.xdist_group("warm_isolation"),
]
MARK = f"cbresearch_isolation_test_{os.getpid()}"
"""In the command line of every process that a notebook here leaves behind."""
SLEEP = f"import time; time.sleep(600)  # {MARK}"
BEFORE = "print('before')"
GOOD = (BEFORE, "1 + 1")
BAD = {
    "segfault": "import ctypes; ctypes.string_at(0)",
    "abort": "import os; os.abort()",
    "exit": "import os; os._exit(0)",
    "group": "import os, signal; os.killpg(0, signal.SIGKILL)",
    "parent": "import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(20)",
    "endless": "while True: pass",
    "endless in C": "sum(iter(int, 1))",
    "hungry": "import numpy; numpy.ones(2**31)",
    "left early": "import sys; sys.exit(0)",
}
ENDINGS = {
    "segfault": "DeadKernelError", "abort": "DeadKernelError", "exit": "DeadKernelError", "group": "DeadKernelError",
    "parent": "DeadKernelError", "endless": "CellTimeoutError", "endless in C": "CellTimeoutError",
    "hungry": "MemoryError", "left early": "SystemExit",
}  # fmt: skip
LEAVING = {
    "child": f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}]); 1",
    "own session": f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True); 1",
    "daemon": (
        "import os, sys\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
        f"        os.execv(sys.executable, [sys.executable, '-c', {SLEEP!r}])\n    os._exit(0)\n1"
    ),
    "threads": "import threading, time\nfor _ in range(50): threading.Thread(target=time.sleep, args=(600,)).start()",
    "changed": (
        "import os, pandas, random\npandas.DataFrame.sum = None\nos.chdir('/')\nos.environ['LEFT'] = 'yes'\n"
        "pandas.set_option('display.max_rows', 1)\nimport builtins; builtins.print = None"
    ),
}  # fmt: skip
CLEAN = (
    "import os, random, numpy, pandas",
    "print(os.getcwd(), os.environ.get('LEFT'), pandas.get_option('display.max_rows'), pandas.DataFrame({'a': [1]}).sum().item())",
    "print(random.random(), numpy.random.rand())",
)


def tasks(
    root: Path, scratch: Path, notebooks: dict[str, tuple[str, ...]], *, seconds: float = 3
) -> list[Task]:
    made = []
    for i, (name, cells) in enumerate(notebooks.items()):
        source = write_notebook(root, f"n{i}", *(code(cell) for cell in cells))
        made.append(
            Task(
                name,
                str(source),
                str(root / f"out{i}.ipynb"),
                True,
                {},
                seconds,
                str(scratch),
                (),
                None,
                2**30,
            )
        )
    return made


def outcomes(root: Path, notebooks: dict[str, tuple[str, ...]], **options: Any) -> dict[str, Outcome]:
    with scratch_folder() as scratch:
        write_kernelspec(scratch)
        made = tasks(root, scratch, notebooks)
        news = list(in_lanes(made, lanes=1, scratch=scratch, cwd=root, **options))
    assert sum(isinstance(one, Started) for one in news) == len(notebooks)
    return {one.slug: one for one in news if isinstance(one, Outcome)}


def processes_with(mark: str) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if mark in line and int(process.name) != os.getpid():
            found.append(int(process.name))
    return found


def printed(path: Path) -> list[str]:
    cells = nbformat.read(path, as_version=4).cells
    return [
        o.text
        for c in cells
        for o in c.get("outputs", ())
        if o.output_type == "stream" and o.name == "stdout"
    ]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("isolation")
    (folder / "notebooks").mkdir()
    return folder


@pytest.fixture(scope="module")
def after_bad_ones(root: Path) -> dict[str, Outcome]:
    """Every bad notebook on one lane, a good one after each."""
    notebooks: dict[str, tuple[str, ...]] = {}
    for name, cell in BAD.items():
        notebooks[name] = (BEFORE, cell, "print('never')")
        notebooks[f"good after {name}"] = GOOD
    return outcomes(root, notebooks)


def test_every_job_is_accounted_for(after_bad_ones: dict[str, Outcome]) -> None:
    assert len(after_bad_ones) == 2 * len(BAD)


@pytest.mark.parametrize("name", BAD)
def test_a_bad_notebook_fails_by_name_and_alone(after_bad_ones: dict[str, Outcome], name: str) -> None:
    bad = after_bad_ones[name]
    assert bad.status == "failed" and bad.error is not None and bad.error["class"] == ENDINGS[name]
    assert after_bad_ones[f"good after {name}"].status == "ok"


def test_what_was_shown_before_the_end_is_kept(after_bad_ones: dict[str, Outcome], root: Path) -> None:
    for i, name in enumerate(after_bad_ones):
        assert printed(root / f"out{i}.ipynb") == ["before\n"], name


def test_nothing_of_a_notebook_stays(root: Path) -> None:
    notebooks = {name: (cell,) for name, cell in LEAVING.items()} | {"clean": CLEAN, "clean again": CLEAN}
    found = outcomes(root, notebooks, modules=["pandas", "numpy"])
    assert {one.status for one in found.values()} == {"ok"}
    assert processes_with(MARK) == []
    first, second = (printed(root / f"out{len(LEAVING) + i}.ipynb") for i in (0, 1))
    assert first[0] == second[0] == f"{root} None 60 1\n"
    assert first[1] != second[1]  # each draws its own numbers


def test_a_lane_goes_on_while_strays_are_killed(root: Path) -> None:
    """The stray is gone before the next notebook starts, not at the end of the run."""
    looks = (
        "import pathlib, time",
        f"print(sum({MARK!r}.encode() in (p / 'cmdline').read_bytes() for p in pathlib.Path('/proc').glob('[0-9]*') if (p / 'cmdline').exists()))",
    )
    outcomes(root, {"leaves": (LEAVING["own session"],), "looks": looks})
    assert printed(root / "out1.ipynb") == ["0\n"]


RUN_AND_HANG = """
import sys
from pathlib import Path
from cbresearch.publish.kernels import scratch_folder, write_kernelspec
from cbresearch.publish.lanes import in_lanes
from cbresearch.publish.task import Task
root, mark = Path(sys.argv[1]), sys.argv[2]
with scratch_folder() as scratch:
    write_kernelspec(scratch)
    task = Task("hangs", str(root / "notebooks/hangs.ipynb"), str(root / "out.ipynb"), True, {}, 600, str(scratch), ())
    for news in in_lanes([task], lanes=2, scratch=scratch, cwd=root):
        print(news, flush=True)
"""


@pytest.fixture
def hanging(root: Path) -> Iterator[subprocess.Popen[str]]:
    """A run in a process of its own whose notebook started another process and now sleeps."""
    write_notebook(
        root,
        "hangs",
        code(LEAVING["own session"]),
        code("open('there', 'w').close(); import time; time.sleep(600)"),
    )
    (root / "there").unlink(missing_ok=True)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", RUN_AND_HANG, str(root), MARK], stdout=subprocess.PIPE, text=True
    )  # fmt: skip
    try:
        wait_until(lambda: (root / "there").exists())
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def wait_until(is_so: Any, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.05)


@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_no_orphan_is_left_when_the_run_is_ended(hanging: subprocess.Popen[str], by: signal.Signals) -> None:
    assert processes_with(MARK)
    hosts = [pid for pid in processes_with("cbresearch.publish.warm.host") if descends(pid, hanging.pid)]
    workers = [pid for pid in processes_with("-m\0cbresearch.publish.lane\0") if descends(pid, hanging.pid)]
    assert hosts and workers
    hanging.send_signal(by)
    wait_until(lambda: not processes_with(MARK))
    wait_until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() for pid in (*hosts, *workers)))


def descends(pid: int, ancestor: int) -> bool:
    while pid > 1:
        if pid == ancestor:
            return True
        try:
            pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            return False
    return False


def test_a_zygote_that_is_lost_leaves_the_ordinary_kernel(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start = Zygote.__init__

    def lost(self: Zygote, *arguments: Any, **options: Any) -> None:
        start(self, *arguments, **options)
        self._process.kill()
        self._process.wait()

    monkeypatch.setattr(Zygote, "__init__", lost)
    found = outcomes(root, {"good": GOOD})
    assert found["good"].status == "ok" and printed(root / "out0.ipynb") == ["before\n"]
