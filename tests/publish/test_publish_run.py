"""Whole runs with real kernels: what fails stands alone, what is unchanged is left alone."""

from __future__ import annotations

import json
import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest
from tiny_workspace import code, make_workspace, notebook_of, prose, write_notebook

from cbresearch.errors import PublishError
from cbresearch.publish import carry_out
from cbresearch.publish import execute as execute_module
from cbresearch.publish.kernels import scratch_folder, transport, write_kernelspec
from cbresearch.publish.lanes import Started, in_lanes
from cbresearch.publish.run import Event, Ran, run
from cbresearch.publish.task import Outcome, Task
from cbresearch.publish.warm import processes
from cbresearch.publish.warming import warming
from cbresearch.study import Study, open_study

FAILING = (
    code('lang = "zh"', "parameters"),
    prose("# 出错", "zh"),
    code("print('before')"),
    code("1 / 0"),
    code("print('after')"),
)
DYING = (code('lang = "zh"', "parameters"), prose("# 中断", "zh"), code("import os\nos._exit(3)"))


def read_json(path: Path) -> Any:
    def refuse(name: str) -> None:
        raise AssertionError(f"{name} is not JSON")

    return json.loads(path.read_text(encoding="utf-8"), parse_constant=refuse)


@dataclass(frozen=True)
class Finished:
    root: Path
    ran: Ran
    events: list[Event]

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    def page(self, name: str) -> str:
        return (self.reports / name).read_text(encoding="utf-8")

    def notebook(self, slug: str) -> Any:
        return nbformat.read(self.reports / "notebooks" / f"{slug}.ipynb", as_version=4)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """A workspace after its first run: two notebooks that work, one that fails, one whose kernel dies."""
    root = make_workspace(tmp_path_factory.mktemp("first"))
    write_notebook(root, "70_fails", *FAILING)
    write_notebook(root, "80_dies", *DYING)
    study_toml = root / "data" / "study.toml"
    more = "".join(f'\n[[reports]]\nnotebook = "{name}"\n' for name in ("70_fails", "80_dies"))
    study_toml.write_text(study_toml.read_text(encoding="utf-8") + more, encoding="utf-8")
    events: list[Event] = []
    return Finished(root, run(open_study(root), say=events.append), events)


@pytest.fixture
def later(first: Finished, tmp_path: Path) -> Path:
    """The same workspace somewhere else, free to be changed."""
    return Path(shutil.copytree(first.root, tmp_path / "later"))


def test_failures_stand_alone(first: Finished) -> None:
    failed = [(f.job.slug, f.error) for f in first.ran.failed]
    assert failed == [("70_fails", "ZeroDivisionError"), ("80_dies", "DeadKernelError")]
    assert first.ran.exit_code == 1
    assert len(first.ran.jobs) == 5 and first.ran.skipped == ()


def test_every_job_is_heard_of(first: Finished) -> None:
    assert sorted(e.kind for e in first.events) == ["failed"] * 2 + ["finished"] * 3 + ["started"] * 5
    assert [e.done for e in first.events if e.kind != "started"] == [1, 2, 3, 4, 5]
    assert {e.total for e in first.events} == {5}
    assert [e.reason for e in first.events if e.job.slug == "70_fails"] == [
        "",
        "ZeroDivisionError: division by zero",
    ]


def test_two_languages_come_from_one_run(first: Finished) -> None:
    zh, en = first.page("zh/10_all.html"), first.page("en/10_all.html")
    assert "总体情况" in zh and "满意" in zh and "Overview" not in zh
    assert "Overview" in en and "Satisfied" in en and "总体情况" not in en
    assert 'href="../en/10_all.html"' in zh and 'href="../zh/10_all.html"' in en


def test_an_area_reaches_its_notebook(first: Finished) -> None:
    page = first.page("zh/90_one-xinle-community-081cd4.html")
    assert "area is 欣乐" in page and "<h1>欣乐社区：评分卡</h1>" in page


def test_a_broken_copy_shows_how_far_it_came(first: Finished) -> None:
    assert "papermill-error-cell-tag" in first.notebook("70_fails").cells[0].metadata.tags
    page = first.page("zh/70_fails.html")
    assert "这份报告没有完成" in page and "division by zero" in page
    assert 'tabindex="0">before</pre>' in page and ">after</pre>" not in page


def test_a_dead_kernel_is_no_success(first: Finished) -> None:
    assert "DeadKernelError" in first.notebook("80_dies").cells[0].source
    assert "内存" in first.page("zh/80_dies.html")


def test_every_number_is_on_record(first: Finished) -> None:
    assert read_json(first.reports / "findings.json")["findings"] == [
        {"report": "10_all", "notebook": "10_all", "parameters": {"lang": "zh"}, "name": "sat", "value": 61.5,
         "low": None, "n": 120, "status": "published"}
    ]  # fmt: skip


def test_the_run_is_on_record(first: Finished) -> None:
    record = read_json(first.reports / "run.json")
    assert record["failed"][0] == {
        "report": "70_fails",
        "class": "ZeroDivisionError",
        "message": "division by zero",
    }
    assert {slug: job["status"] for slug, job in record["jobs"].items()}["80_dies"] == "failed"
    assert record["times"]["10_all"]["seconds"] > 0
    assert {"pandas", "python", "cbresearch"} <= record["versions"].keys()
    index = first.ran.index.read_text(encoding="utf-8")
    assert 'href="zh/10_all.html"' in index and "ZeroDivisionError: division by zero" in index


def test_nothing_else_is_left_behind(first: Finished) -> None:
    left = {str(path.relative_to(first.reports)) for path in first.reports.rglob("*") if path.is_file()}
    slugs = [job.slug for job in first.ran.jobs]
    expected = {f"{lang}/{slug}.html" for slug in slugs for lang in ("zh", "en")} | {
        path for s in slugs for path in (f"notebooks/{s}.ipynb", f".jobs/{s}.json")
    }
    own = {
        "index.html",
        "failures.html",
        "findings.json",
        "run.json",
        ".lock",
        ".modules.json",
        ".slices.json",
    }
    assert left == expected | own


def test_what_is_up_to_date_is_left_alone(later: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_worker(*_: Any, **__: Any) -> Any:
        raise AssertionError("nothing should have been started")

    monkeypatch.setattr(carry_out, "in_lanes", no_worker)
    events: list[Event] = []
    ran = run(open_study(later), only=["10_all", "90_one"], say=events.append)
    assert ran.exit_code == 0 and ran.skipped == ran.jobs and len(ran.jobs) == 3
    assert [(e.kind, e.done) for e in events] == [("skipped", 1), ("skipped", 2), ("skipped", 3)]


def test_a_fresh_part_keeps_the_others_and_gives_the_same_bytes(later: Path) -> None:
    reports = later / "reports"
    kept = [p for p in reports.rglob("*") if p.suffix in {".html", ".ipynb"}] + [reports / "findings.json"]
    before = {path: path.read_bytes() for path in kept}
    written = (reports / "notebooks" / "10_all.ipynb").stat().st_mtime_ns
    ran = run(open_study(later), only=["10_all"], lang=["en"], fresh=True)
    assert [job.slug for job in ran.jobs] == ["10_all"] and ran.skipped == ()
    assert (reports / "notebooks" / "10_all.ipynb").stat().st_mtime_ns > written
    assert {path: path.read_bytes() for path in kept} == before
    assert len(read_json(reports / "run.json")["jobs"]) == 5


def test_a_lost_page_is_written_again_without_running(later: Path) -> None:
    reports = later / "reports"
    page, executed = reports / "en" / "10_all.html", reports / "notebooks" / "10_all.ipynb"
    before, run_before = page.read_bytes(), executed.read_bytes()
    page.unlink()
    ran = run(open_study(later), only=["10_all"])
    assert ran.skipped == () and page.read_bytes() == before
    assert executed.read_bytes() == run_before
    assert read_json(reports / "findings.json")["findings"][0]["value"] == 61.5


def test_new_data_runs_what_is_asked_for_and_marks_the_rest(later: Path) -> None:
    (later / "data" / "processed" / "manifest.json").write_text('{"residents": "2"}', encoding="utf-8")
    ran = run(open_study(later), only=["10_all"])
    assert ran.skipped == ()
    index = ran.index.read_text(encoding="utf-8")
    assert index.count("数据或程序已变，待更新") == 2  # the two communities


def outcome_of(root: Path, source: Path, seconds: float, scratch: Path) -> list[Started | Outcome]:
    write_kernelspec(scratch)
    task = Task("x", str(source), str(root / "out.ipynb"), True, {}, seconds, str(scratch), ())
    return list(in_lanes([task], lanes=2, scratch=scratch, cwd=root))


def test_a_notebook_that_takes_too_long_is_ended(root: Path) -> None:
    source = write_notebook(root, "slow", code("x = 1"), code("import time\ntime.sleep(60)"))
    with scratch_folder() as scratch:
        _, outcome = outcome_of(root, source, 4, scratch)
    assert isinstance(outcome, Outcome)
    assert outcome.error is not None and outcome.error["class"] == "CellTimeoutError"
    assert "CellTimeoutError" in nbformat.read(root / "out.ipynb", as_version=4).cells[0].source


KILL_THE_WORKER = """
import os, pathlib, signal, time
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        line, parent = (process / "cmdline").read_bytes(), (process / "stat").read_text().rpartition(")")[2].split()[1]
    except OSError:
        continue
    if b"cbresearch.publish.lane" in line and parent == os.environ["PYTEST_PROCESS"]:
        os.kill(int(process.name), signal.SIGKILL)
time.sleep(20)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for the worker in /proc")
def test_a_lost_worker_is_a_failed_report_with_a_broken_copy(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_PROCESS", str(os.getpid()))
    source = write_notebook(root, "killer", code(KILL_THE_WORKER))
    with scratch_folder() as scratch:
        _, outcome = outcome_of(root, source, 30, scratch)
    assert isinstance(outcome, Outcome)
    assert outcome.status == "failed" and outcome.error is not None and outcome.error["class"] == "WorkerLost"
    assert (root / "out.ipynb").is_file()


TASK = Task("x", "x.ipynb", "out.ipynb", True, {}, 9, "/nowhere", ())


@pytest.mark.parametrize(
    "failures, begins, tries, error",
    [(2, False, 3, None), (3, False, 3, "RuntimeError"), (1, True, 1, "RuntimeError")],
)
def test_only_a_kernel_that_did_not_start_is_tried_again(
    monkeypatch: pytest.MonkeyPatch, failures: int, begins: bool, tries: int, error: str | None
) -> None:
    calls: list[int] = []

    def fake(task: Task, start: Callable[[], None], seen: list[Any]) -> Any:
        calls.append(1)
        seen.append(notebook_of(code("1")))
        if begins:
            start()
        if len(calls) <= failures:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return seen[-1]

    monkeypatch.setattr(execute_module, "_papermill", fake)
    done = execute_module.execute(TASK)
    assert len(calls) == tries
    assert (done.error or {}).get("class") == error


def test_a_notebook_that_leaves_early_is_not_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    notebook = notebook_of(code("import sys; sys.exit(0)"), code("print('never')"))
    notebook.cells[0].outputs = [
        nbformat.v4.new_output("error", ename="SystemExit", evalue="0", traceback=[])
    ]
    monkeypatch.setattr(execute_module, "_papermill", lambda *_: notebook)
    assert execute_module.execute(TASK).error == {"class": "SystemExit", "message": "0"}


def test_sockets_lie_in_a_folder_of_their_own(tmp_path: Path) -> None:
    config = transport(tmp_path / "s")
    assert config.ConnectionFileMixin.transport == "ipc"
    assert config.ConnectionFileMixin.ip.startswith(str(tmp_path / "s"))
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o700


def test_nothing_built_says_what_to_do(root: Path, study: Study) -> None:
    (root / "data" / "processed" / "manifest.json").unlink()
    with pytest.raises(PublishError) as caught:
        run(study)
    assert str(caught.value) == (
        "data/processed/manifest.json is missing, so there is nothing to report on. Run 'cbresearch build' first."
    )
    assert not (root / "reports").exists()


def test_the_notebook_sees_its_folder_and_this_interpreter(root: Path) -> None:
    source = write_notebook(
        root,
        "where",
        code("import os, sys\nprint(os.getcwd())\nprint(sys.prefix)\nprint(os.environ['OMP_NUM_THREADS'])"),
    )
    with scratch_folder() as scratch:
        write_kernelspec(scratch)
        task = Task("x", str(source), str(root / "out.ipynb"), True, {}, 30, str(scratch), ())
        list(in_lanes([task], lanes=1, scratch=scratch, cwd=root / "notebooks"))
    said = nbformat.read(root / "out.ipynb", as_version=4).cells[-1].outputs[0].text.split()
    assert said == [str(root / "notebooks"), sys.prefix, "1"]


def test_without_forks_the_pages_are_the_same_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1200000000")
    pages = []
    for name in ("forked", "started"):
        (tmp_path / name).mkdir()
        root = make_workspace(tmp_path / name)
        ran = run(open_study(root), only=["90_one"])
        assert ran.failed == ()
        pages.append([path.read_bytes() for path in sorted((root / "reports").glob("??/*.html"))])
        assert ran.slower == ("" if name == "forked" else processes.STARTED)
        monkeypatch.setenv(processes.NO_FORK, "1")
    assert pages[0] == pages[1] and len(pages[0]) == 4
    assert run(open_study(root), only=["90_one"]).slower == "", "nothing ran"


def test_kernels_get_ready_while_tables_are_built(root: Path) -> None:
    """What is got ready before serves the run, and ends with it; a run that needs none leaves none behind either."""
    study = open_study(root)
    with warming(study) as warm:
        assert warm.zygote is not None
        process = warm.zygote._process
        ran = run(study, only=["90_one"], warm=warm)
        assert ran.failed == () and len(ran.jobs) == 2
        assert process.poll() is not None, "it ended with the run"
    with warming(study) as warm:
        assert warm.zygote is not None
        process = warm.zygote._process
        assert len(run(study, only=["90_one"], warm=warm).skipped) == 2
    assert process.poll() is not None
    assert not warm.scratch.exists()
