"""Each report's standing, with what changed by name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tiny_workspace import GOOD, code, make_workspace, prose, write_notebook

from cbresearch.publish.keys import Inputs
from cbresearch.publish.run import run
from cbresearch.publish.status import NAMES, lines, status
from cbresearch.study import open_study


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = make_workspace(tmp_path_factory.mktemp("made"))
    write_notebook(root, "90_one", code('lang = "zh"\narea: str = ""', "parameters"), code("1 / 0"))
    run(open_study(root))
    return root


@pytest.fixture
def later(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "later"))


def why(root: Path) -> tuple[str, ...]:
    first = status(open_study(root))[0]
    assert first.state == "stale"
    return first.why


def edit(path: Path, old: str, new: str) -> None:
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def test_lines_name_what_is_not_up_to_date(later: Path) -> None:
    shutil.rmtree(later / "reports" / ".jobs")
    (later / "reports" / "run.json").unlink()
    assert list(lines(status(open_study(later)), why=True)) == [
        "missing    10_all", "           never made",
        "missing    90_one 欣乐", "           never made",
        "missing    90_one A2", "           never made",
        "3 missing",
    ]  # fmt: skip


def test_a_failed_report_says_how_it_failed(later: Path) -> None:
    assert list(lines(status(open_study(later)), why=True)) == [
        "failed     90_one 欣乐", "           ZeroDivisionError: division by zero",
        "failed     90_one A2", "           ZeroDivisionError: division by zero",
        "1 up to date, 2 failed",
    ]  # fmt: skip


def test_code_and_prose_are_told_apart(later: Path) -> None:
    write_notebook(later, "10_all", *GOOD[:-1], prose("## 改", "zh"), GOOD[-1])
    assert why(later) == ("prose of the notebook",)
    write_notebook(later, "10_all", *GOOD, code("more = 1"))
    assert why(later) == ("code of the notebook", "prose of the notebook")


def test_data_study_seed_and_parameters_are_named(later: Path) -> None:
    (later / "data" / "processed" / "manifest.json").write_text("{}", encoding="utf-8")
    assert why(later) == ("data it reads: everything",)
    toml = later / "data" / "study.toml"
    edit(toml, "[2008, 2009]", "[2008, 2009]\nseed = 7")
    assert why(later)[0] == "seed: 1 → 7"
    edit(toml, "A tiny study", "A small study")
    assert why(later)[0] == "study.toml, codebook or map"


def test_versions_package_template_and_helpers_are_named(
    later: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (later / "notebooks" / "helper.py").write_text("x = 1", encoding="utf-8")
    now = Inputs(open_study(later)).versions
    monkeypatch.setattr(Inputs, "versions", {**now, "pandas": "99"})
    monkeypatch.setattr(Inputs, "package", "other")
    monkeypatch.setattr(Inputs, "template", "other")
    assert why(later) == (
        "source of cbresearch", "Python files beside the notebooks", "template of the pages",
        f"versions: pandas {now['pandas']} → 99",
    )  # fmt: skip


def test_a_new_language_and_a_lost_file_are_named(later: Path) -> None:
    (later / "reports" / "en" / "10_all.html").unlink()
    assert why(later) == ("file missing: en/10_all.html",)


def test_every_input_of_a_report_has_a_name(later: Path) -> None:
    inputs = Inputs(open_study(later))
    assert {*NAMES, "processed"} == set(inputs.made(status(open_study(later))[0].job).inputs)
