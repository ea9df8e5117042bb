"""The same key gives the same bytes: two folders, two runs, not a byte apart."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from tiny_workspace import GOOD, code, make_workspace, prose, write_notebook

from cbresearch.publish.run import run
from cbresearch.study import open_study

FIGURES = (
    code('lang = "zh"', "parameters"),
    prose("# 图与表", "zh"),
    prose("# Figures and tables", "en"),
    code("%matplotlib inline\nimport matplotlib.pyplot as plt\nimport pandas as pd\nimport numpy as np"),
    code("fig, ax = plt.subplots()\nax.plot([1, 2, 3], [2, 1, 3], label='a')\nax.legend()\nplt.show()"),
    code(
        "%config InlineBackend.figure_formats = ['svg']\nfig, ax = plt.subplots()\nax.bar(['a', 'b'], [1, 2]);"
    ),
    code("pd.DataFrame({'a': np.random.default_rng(1).normal(size=3)}).style.set_uuid('a')"),
    code("pd.DataFrame({'a': [1.5, 2.5]})"),
    code("{'b', 'a', 'c'}, np.arange(3)"),
)


def made(folder: Path) -> Path:
    folder.mkdir()
    root = make_workspace(folder)
    write_notebook(root, "10_all", *FIGURES)
    run(open_study(root))
    return root


def hashes(root: Path) -> dict[str, str]:
    reports = root / "reports"
    # an executed notebook also keeps what no page shows, such as where in memory an object lay
    kept = [*reports.glob("*/*.html"), reports / "findings.json", reports / "index.html"]
    return {str(path.relative_to(reports)): hashlib.sha256(path.read_bytes()).hexdigest() for path in kept}


@pytest.fixture
def epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1200000000")


@pytest.mark.usefixtures("epoch")
def test_two_runs_in_two_folders_give_the_same_bytes(tmp_path: Path) -> None:
    one, two = hashes(made(tmp_path / "one")), hashes(made(tmp_path / "two"))
    assert len(one) == 8
    assert one == two


@pytest.mark.usefixtures("epoch")
def test_pages_with_new_prose_are_those_of_a_whole_run(tmp_path: Path) -> None:
    one = made(tmp_path / "one")
    executed = one / "reports" / "notebooks" / "10_all.ipynb"
    before = executed.stat().st_size
    write_notebook(one, "10_all", *FIGURES[:4], prose("## 新的一段", "zh"), *FIGURES[4:], prose("完。", "zh"))
    ran = run(open_study(one))
    assert len(ran.skipped) == 2 and executed.stat().st_size > before
    shown, findings = hashes(one), (one / "reports" / "findings.json").read_bytes()
    assert "新的一段" in (one / "reports" / "zh" / "10_all.html").read_text(encoding="utf-8")
    run(open_study(one), fresh=True)
    assert hashes(one) == shown
    assert (one / "reports" / "findings.json").read_bytes() == findings


def test_an_executed_notebook_that_is_broken_is_run_again(tmp_path: Path) -> None:
    root = make_workspace(tmp_path)
    run(open_study(root))
    executed, page = root / "reports" / "notebooks" / "10_all.ipynb", root / "reports" / "en" / "10_all.html"
    before = executed.read_bytes()
    executed.write_text("{", encoding="utf-8")
    page.unlink()
    ran = run(open_study(root))
    assert ran.failed == () and executed.read_bytes() == before and page.is_file()


def test_numbers_stay_when_only_pages_are_written(tmp_path: Path) -> None:
    root = make_workspace(tmp_path)
    run(open_study(root))
    findings = (root / "reports" / "findings.json").read_bytes()
    assert b"61.5" in findings
    write_notebook(root, "10_all", prose("前言", "zh"), *GOOD)
    run(open_study(root))
    assert (root / "reports" / "findings.json").read_bytes() == findings
