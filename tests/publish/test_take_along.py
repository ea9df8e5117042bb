"""Tables that readers take along: CSV and workbook, made in the page, harmless, and equal to what the page shows."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from browser_page import Watched

from cbresearch.publish.render import to_page
from cbresearch.publish.task import PageText

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

HOSTILE = [
    "=1+1",
    "+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    'a "quoted", word',
    "<b>bold</b>",
    "−5.2",
    "1,364",
    "72.3",
]


def taken(reader: Watched, button: Any) -> tuple[str, bytes]:
    with reader.page.expect_download() as waiting:
        button.click()
    assert reader.found == []
    return waiting.value.suggested_filename, Path(waiting.value.path()).read_bytes()


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    """A page with a table of hostile cells, some over several rows."""
    import html

    import nbformat

    rows = "".join(
        f"<tr><th scope='row'>{i}</th><td>{html.escape(cell)}</td></tr>" for i, cell in enumerate(HOSTILE)
    )
    table = (
        "<table><caption>Odd &lt;cells&gt;</caption><tr><th scope='col'>row</th><th scope='col'>cell</th></tr>"
        f"<tr><th scope='row' rowspan='2'>both</th><td>1</td></tr><tr><td>2</td></tr>{rows}</table>"
    )
    output = nbformat.v4.new_output("display_data", data={"text/html": table, "text/plain": "x"})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x", outputs=[output])])
    page = PageText("en", "A study", "Sample data.", "", (("Made on", "2026-01-01"),), (), "index.html", "x")
    path = tmp_path / "odd.html"
    path.write_text(to_page(notebook, page)[0], encoding="utf-8")
    return path


def test_a_table_as_csv(reader: Watched, odd: Path) -> None:
    page = reader.open(odd)
    name, data = taken(reader, page.locator(".take button").first)
    assert name == "odd-en-1.csv"
    rows = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert rows[:3] == [["row", "cell"], ["both", "1"], ["both", "2"]]
    cells = [cell for _, cell in rows[3:]]
    assert cells == [
        "'=1+1", "'+cmd|' /C calc'!A0", "'-2+3", "'@SUM(A1)", "'=1", 'a "quoted", word', "<b>bold</b>", "-5.2", "1364", "72.3",
    ]  # fmt: skip


def test_all_tables_as_a_workbook(reader: Watched, odd: Path) -> None:
    page = reader.open(odd)
    name, data = taken(reader, page.get_by_role("button", name="Download all tables (Excel)"))
    assert name == "odd-en.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert book.sheetnames == ["Notes", "1"]
    notes = [[cell for cell in row if cell is not None] for row in book["Notes"].iter_rows(values_only=True)]
    assert ["Sample data."] in notes and ["Made on", "2026-01-01"] in notes and [1, "Odd <cells>"] in notes
    sheet = book["1"]
    assert sheet["A1"].value == "Odd <cells>"
    cells = [sheet.cell(row, 2) for row in range(5, 5 + len(HOSTILE))]
    assert {cell.data_type for cell in cells} == {"s", "n"}, "words and numbers, no formula"
    assert [cell.value for cell in cells] == [*(one.strip() for one in HOSTILE[:7]), -5.2, 1364, 72.3]


def test_every_table_of_a_report_can_be_taken(reader: Watched, published: Path) -> None:
    page = reader.open(published / "reports" / "zh" / "30_satisfaction.html")
    _, data = taken(reader, page.get_by_role("button", name="下载本页全部表格"))
    book = openpyxl.load_workbook(io.BytesIO(data))
    tables = page.locator("main table").count()
    assert len(book.sheetnames) == tables + 1 and tables > 5
    told = " ".join(str(cell) for row in book["说明"].iter_rows(values_only=True) for cell in row)
    assert "模拟" in told, "that the data are simulated goes along"
    first = page.evaluate("document.querySelector('main table tbody tr').innerText.split(/\\s+/)[0]")
    assert any(
        first in str(cell) for row in book[book.sheetnames[1]].iter_rows(values_only=True) for cell in row
    )
