"""Nothing on any page that a run makes is in a reader's way; and what would be is found."""

from __future__ import annotations

from importlib import util
from pathlib import Path

import pytest
from tiny_workspace import code, write_notebook
from whole_chain import DISTRICT_REPORTS

from cbresearch.errors import PublishError
from cbresearch.publish import looking
from cbresearch.publish.browser import find_browser
from cbresearch.publish.diff_page import write_diff
from cbresearch.publish.diff_runs import read_run
from cbresearch.publish.diff_why import compare
from cbresearch.publish.run import run
from cbresearch.study import open_study

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="module")
def found() -> Path:
    """The browser that looks at pages by itself, without the tests' hand on it."""
    try:
        looking.refuse_without_means()
        return find_browser()
    except PublishError as error:
        pytest.skip(str(error))


def test_no_page_of_a_run_is_in_anybodys_way(published: Path, found: Path) -> None:
    reports = published / "reports"
    paths = sorted(reports.rglob("*.html"))
    pages = {path.relative_to(reports).as_posix(): path.as_uri() for path in paths}
    pages["index.html#en"] = f"{pages['index.html']}#en"
    assert len(pages) > 2 * len(DISTRICT_REPORTS)
    heard: list[str] = []
    faults = looking.faults_of(pages, found, lanes=2, say=heard.append)
    assert [str(fault) for fault in faults] == []
    assert sorted(heard) == sorted(pages)


def test_pages_of_failures_and_differences_are_in_nobodys_way(root: Path, found: Path) -> None:
    study = open_study(root)
    run(study)
    before = read_run(root)
    write_notebook(root, "10_all", code('lang = "zh"', "parameters"), code("1 / 0"))
    ran = run(open_study(root), keep_going=True)
    page = write_diff(
        root / "reports" / "diff.html", compare(before, read_run(root)), over=0, everything=True
    )
    pages = looking.pages_of(study, ran.jobs)
    pages |= {f"diff.html#{language}": f"{page.as_uri()}#{language}" for language in study.languages}
    assert {"index.html#zh", "index.html#en", "failures.html#zh", "failures.html#en"} <= pages.keys()
    assert [str(fault) for fault in looking.faults_of(pages, found)] == []


BAD = """<!DOCTYPE html><html><head><title>Bad</title><style>
.faint { color: #bbb; background: #fff } .wide { width: 2000px } a { outline: none }
@media (prefers-color-scheme: dark) { .night { color: #333; background: #222 } }
@keyframes turn { to { rotate: 1turn } } .turning { animation: turn 1s infinite }
</style></head><body><main><h1>One</h1><h3>Three</h3>
<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="image">
<svg width="100" height="100"><rect width="100" height="100" fill="#ffffff"/><text x="9" y="50" fill="#eeeeee">faint words</text></svg>
<table><tr><th>head</th></tr><tr><td>cell</td></tr></table>
<p class="faint">faint</p><p class="night">night</p><div class="wide">wide</div><p class="turning">turns</p>
<a href="#x">a link without a ring</a><button onkeydown="event.preventDefault()">stuck</button><a href="#y">never reached</a>
<img src="https://example.org/x.png" alt="a picture from elsewhere, of nothing">
</main></body></html>"""


def test_what_would_be_in_the_way_is_found(tmp_path: Path, found: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text(BAD, encoding="utf-8")
    faults = looking.faults_of({"bad.html": page.as_uri()}, found)
    by_rule = {fault.rule: fault for fault in faults}
    assert {
        "language", "headings", "alternative text", "contrast of figures", "tables", "motion", "width", "requests",
        "keyboard", "axe color-contrast", "axe html-has-lang",
    } <= by_rule.keys()  # fmt: skip
    assert "320 px" in by_rule["width"].views
    night = [fault for fault in faults if "night" in fault.where and fault.rule == "axe color-contrast"]
    assert [fault.views for fault in night] == [("a desk in the dark",)]
    said = [f"{fault.where} {fault.what}" for fault in faults if fault.rule == "keyboard"]
    assert any("without a ring” does not show that it has the focus" in one for one in said)
    assert any("stuck” does not let the tab key go on" in one for one in said)
    told = looking.listed(faults, 1)
    assert told.startswith(f"{len(faults)} faults on 1 of 1 pages:\n  - bad.html: ")


def test_without_the_libraries_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(PublishError, match=r"pip install 'cbresearch\[check\]'"):
        looking.refuse_without_means()
