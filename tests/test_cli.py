"""The commands as a user meets them: what they print, and the exit code."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from cbresearch.cli import main


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Call the command line; gives exit code and what was printed."""

    def calling(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["cbresearch", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out + said.err

    return calling


def test_help_lists_every_verb(call) -> None:
    code, said = call("--help")
    assert code == 0
    assert all(
        verb in said for verb in ("new", "adopt", "check", "build", "run", "diff", "status", "verify", "lab")
    )


def test_version(call) -> None:
    assert call("--version") == (0, "cbresearch 0.1.0\n")


def test_a_new_workspace_says_what_comes_next(call, tmp_path: Path) -> None:
    code, said = call("new", tmp_path / "mine")
    assert (code, said) == (
        0,
        f"Workspace at {tmp_path / 'mine'}. Next: cbresearch check {tmp_path / 'mine'}\n",
    )
    code, said = call("check", tmp_path / "mine")
    assert code == 2
    assert "data/raw/survey.csv is missing" in said


@pytest.mark.parametrize("verb", ["check", "build", "run", "status", "lab"])
def test_outside_a_workspace_each_verb_says_how_to_make_one(call, verb: str, tmp_path: Path) -> None:
    code, said = call(verb, tmp_path)
    assert code == 2
    assert "run 'cbresearch new DIR' to make a workspace" in said


def test_check_finds_nothing_wrong_with_the_sample_study(call, drawn: Path) -> None:
    code, said = call("check", drawn)
    assert (code, said) == (0, "chengbei: nothing wrong. 10 sources, 86 columns.\n")


def test_a_second_build_does_nothing_and_says_so(call, chengbei, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(chengbei.root, root)
    code, said = call("build", root)
    assert code == 0
    assert said.startswith("Nothing has changed since the last build")


def test_wrong_names_stop_a_run_before_it_begins(call, chengbei, tmp_path: Path) -> None:
    root = tmp_path / "copy"
    shutil.copytree(chengbei.root, root)
    code, said = call("run", root, "--only", "50_driver", "--area", "欣乐社", "--lang", "fr")
    assert code == 2
    assert "50_drivers" in said
    assert "欣乐社区" in said
    assert not (root / "reports" / "index.html").exists()


def test_an_unreadable_export_is_refused_with_its_name(call, tmp_path: Path) -> None:
    code, said = call("adopt", tmp_path / "none.sav", "--into", tmp_path / "out")
    assert code == 2
    assert "none.sav" in said
    assert not (tmp_path / "out").exists()


def test_failures_are_told_once_for_each_cause(capsys: pytest.CaptureFixture[str]) -> None:
    from cbresearch.cli import _tell
    from cbresearch.publish.plan import Job
    from cbresearch.publish.run import Failure, Ran

    jobs = tuple(Job("90_community", None, (), ("zh",), f"slug-{i}") for i in range(3))
    failed = (
        Failure(jobs[0], "ValueError", "no numbers\nmore"), Failure(jobs[1], "ValueError", "no numbers"),
        Failure(jobs[2], "KernelDied", ""),
    )  # fmt: skip
    _tell(Ran(jobs, failed, (), Path("reports/index.html")))
    said = capsys.readouterr()
    assert said.out == f"0 reports made, 0 up to date, 3 failed.\nOpen {Path('reports/index.html')}\n"
    assert said.err == "  ValueError: no numbers\n    in slug-0, slug-1\n  KernelDied\n    in slug-2\n"


def test_a_name_that_no_report_has_is_told_before_anything_is_built(
    call, drawn: Path, tmp_path: Path
) -> None:
    shutil.copytree(drawn, tmp_path / "mine", ignore=shutil.ignore_patterns("processed", "reports"))
    code, said = call("run", tmp_path / "mine", "--only", "99_x", "--area", "Nowhere", "--lang", "fr")
    assert code == 2
    assert all(
        word in said
        for word in ("--only: no report '99_x'", "--area: no community 'Nowhere'", "no language 'fr'")
    )
    assert not list((tmp_path / "mine" / "data" / "processed").glob("*.parquet")), "nothing was built"
