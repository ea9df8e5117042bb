"""What readers carry away, paper and workbooks, tells no more than the pages do: no held-back figure, nobody's name."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from browser_page import reading, running_browser
from test_disclosure import (
    SMALL,
    TELLTALE,
    USUAL,
    Planted,
    Private,
    about,
    asked_by_the_notebooks,
    open_gate,
    planted,
    private,
    told,
    written,
)

from cbresearch.publish.browser import find_browser
from cbresearch.publish.printing import printed

MILLISECONDS_APART = 300
"""Chromium drops what is saved faster than ten files in two seconds; no reader presses buttons so fast."""
TAKE = re.compile("下载|Download")
pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
__all__ = ["planted", "private"]


@dataclass(frozen=True)
class Carried:
    """What one page gives to those who take it along, as text."""

    paper: str
    workbook: str
    sheets: str

    def places_telling(self, figure: float) -> list[str]:
        return [
            name for name in ("paper", "workbook", "sheets") if told(getattr(self, name)) & written(figure)
        ]


def carried(browser: Any, page: Path, folder: Path) -> Carried:
    """Print the page, take every table as CSV and all of them as a workbook."""
    copy = Path(shutil.copy(page, folder / f"{page.parent.name}-{page.name}"))
    [pdf] = printed([copy], find_browser(), 1, lambda path: None)
    paper = subprocess.run(
        ["pdftotext", "-raw", str(pdf), "-"], capture_output=True, check=True
    ).stdout.decode()
    with reading(browser) as reader:
        opened = reader.open(page)
        opened.evaluate("for (const fold of document.querySelectorAll('details')) fold.open = true")
        taken = dict(_downloads(opened))
    books = "\n".join(_cells(data) for name, data in taken.items() if name.endswith(".xlsx"))
    return Carried(
        paper, books, "\n".join(d.decode("utf-8-sig") for n, d in taken.items() if n.endswith(".csv"))
    )


def _downloads(page: Any) -> Iterator[tuple[str, bytes]]:
    for button in page.locator("button", has_text=TAKE).all():
        page.wait_for_timeout(MILLISECONDS_APART)
        with page.expect_download() as waiting:
            button.click()
        yield waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


def _cells(workbook: bytes) -> str:
    sheets = openpyxl.load_workbook(io.BytesIO(workbook)).worksheets
    cells = (cell for sheet in sheets for row in sheet.iter_rows(values_only=True) for cell in row)
    return "\n".join(str(cell) for cell in cells if cell is not None)


@pytest.fixture(scope="module")
def taken(planted: Planted, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Carried]:
    """By language and page: the report on satisfaction and the scorecard of the small community."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext, which reads PDF, is not on this machine")
    reports = planted.study.reports
    pages = [p for p in sorted(reports.rglob("*.html")) if p.parent != reports and "failures" not in p.name]
    folder = tmp_path_factory.mktemp("carried")
    with running_browser() as browser:
        return {page.relative_to(reports).as_posix(): carried(browser, page, folder) for page in pages}


def test_paper_and_workbooks_tell_no_figure_that_was_held_back(
    planted: Planted, taken: dict[str, Carried]
) -> None:
    assert len(taken) == 6
    true = [r for r in asked_by_the_notebooks(open_gate(planted.study)) if about(r, SMALL)]
    figures = [
        getattr(record, name)
        for record in true
        for name in ("value", "se", "low", "high")
        if record.measure.endswith("_points") and abs(getattr(record, name)) >= TELLTALE
    ]
    assert len(figures) > 30
    found = {place: [f for f in figures if page.places_telling(f)] for place, page in taken.items()}
    assert found == {place: [] for place in taken}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_same_search_finds_what_was_published_in_each(
    planted: Planted, taken: dict[str, Carried], language: str
) -> None:
    usual = next(r for r in asked_by_the_notebooks(planted.study) if about(r, USUAL))
    assert usual.value is not None
    page = taken[f"{language}/30_satisfaction.html"]
    assert page.places_telling(usual.value) == ["paper", "workbook", "sheets"]


@pytest.mark.parametrize("report", ["10_data_quality", "30_satisfaction"])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_paper_and_workbooks_name_nobody(
    published: Path, private: Private, tmp_path: Path, report: str, language: str
) -> None:
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext, which reads PDF, is not on this machine")
    with running_browser() as browser:
        found = carried(browser, published / "reports" / language / f"{report}.html", tmp_path)
    digits = {re.sub(r"\D", "", trace) for trace in private.in_remarks if "@" not in trace}
    for text in (found.paper, found.workbook, found.sheets):
        assert len(text) > 500
        assert not [secret for secret in private.in_remarks | private.addresses | digits if secret in text]
        assert not set(re.findall(r"[\u4e00-\u9fff]+", text)) & private.names
