"""Pages as PDF: found browser or a sentence that says what to install; tagged, whole, and only of the page as it is."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from pathlib import Path, PurePosixPath

import pytest
from tiny_workspace import code, prose, write_notebook

from cbresearch.cli import main
from cbresearch.errors import PublishError
from cbresearch.publish import browser
from cbresearch.publish.printing import pdf_of, print_reports, printed
from cbresearch.publish.run import run
from cbresearch.study import open_study


def _browser() -> Path | None:
    try:
        return browser.find_browser()
    except PublishError:
        return None


needs_browser = pytest.mark.skipif(_browser() is None, reason="no Chrome, Edge or Chromium here")


def heard(_: Path) -> None:
    """Nobody listens."""


def test_it_is_looked_for_where_each_system_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRAMFILES", r"C:\Program Files")
    assert r"C:\Program Files\Microsoft\Edge\Application\msedge.exe" in list(browser.places("win32"))
    mac = [PurePosixPath(place) for place in browser.places("darwin")]
    assert PurePosixPath("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome") in mac
    assert set(browser.COMMANDS) == set(browser.places("linux"))


def test_without_one_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(PublishError, match=r"Install one of them \(on Debian: apt install chromium\)"):
        browser.find_browser()
    monkeypatch.setenv(browser.NAMED, "my-browser")
    with pytest.raises(PublishError, match="names 'my-browser', which is no program here"):
        browser.find_browser()


def test_without_one_nothing_is_run(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(browser.NAMED, "my-browser")
    monkeypatch.setattr("sys.argv", ["cbresearch", "run", str(root), "--pdf"])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 2 and "my-browser" in capsys.readouterr().err
    assert not (root / "reports").exists()


@needs_browser
def test_a_page_is_printed_and_its_pdf_goes_when_the_page_changes(root: Path) -> None:
    write_notebook(
        root,
        "10_all",
        code('lang = "zh"', "parameters"),
        prose("# 居民满意度", "zh"),
        prose("## 第一节", "zh"),
    )
    study = open_study(root)
    ran = run(study, only=["10_all"])
    found = _browser()
    assert found is not None
    pdfs = print_reports(study, ran.jobs, found, heard)
    assert sorted(path.relative_to(study.reports).as_posix() for path in pdfs) == [
        "en/10_all.pdf",
        "zh/10_all.pdf",
    ]
    assert print_reports(study, ran.jobs, found, heard) == [], "they are up to date"
    index = study.reports / "index.html"
    listed = index.read_bytes()
    assert b'href="zh/10_all.pdf"' in listed and b'href="en/10_all.pdf"' in listed
    data = pdf_of(study.reports / "zh" / "10_all.html").read_bytes()
    assert b"/StructTreeRoot" in data and b"/Outlines" in data, "tagged, with an outline"
    if shutil.which("pdftotext"):
        told = subprocess.run(
            ["pdftotext", "-", "-"], input=data, capture_output=True, check=True
        ).stdout.decode()
        assert "居民满意度" in told, "Chinese can be selected"
    assert run(study, only=["10_all"]).skipped and pdfs[0].is_file(), "nothing changed"
    assert index.read_bytes() == listed
    write_notebook(root, "10_all", code('lang = "zh"', "parameters"), prose("# 别的", "zh"))
    run(open_study(root), only=["10_all"])
    assert not any(path.exists() for path in pdfs), "they showed what is no more"
    assert b".pdf" not in index.read_bytes()
    assert len(print_reports(study, ran.jobs, found, heard)) == 2


def test_a_browser_that_fails_leaves_nothing_half_done(tmp_path: Path) -> None:
    pages = [tmp_path / "one.html", tmp_path / "two.html"]
    for page in pages:
        page.write_text("<html></html>", encoding="utf-8")
    pdf_of(pages[0]).write_bytes(b"%PDF-old")
    os.utime(pdf_of(pages[0]), (1, 1))
    broken = tmp_path / "browser"
    broken.write_text("#!/bin/sh\necho 'cannot open display' >&2\nexit 1\n", encoding="utf-8")
    broken.chmod(broken.stat().st_mode | stat.S_IXUSR)
    with pytest.raises(
        PublishError, match=r"2 of 2 pages could not be printed:\n  - one.html: cannot open display\n"
    ):
        printed(pages, broken, 2, heard)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["browser", "one.html", "one.pdf", "two.html"]
    assert pdf_of(pages[0]).read_bytes() == b"%PDF-old"
