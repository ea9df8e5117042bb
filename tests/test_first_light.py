"""The whole chain as a user meets it: raw files in, reports out, then what a second run does."""

from __future__ import annotations

import ast
import re
import shutil
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from whole_chain import (
    COMMUNITIES,
    DISTRICT_REPORTS,
    REPOSITORY,
    Said,
    command,
    keep_said,
    kept_said,
    once,
    strict,
)

from cbresearch.estimate.questions import community, drivers, satisfaction
from cbresearch.records import Released, Unanswered
from cbresearch.study import open_study

pytestmark = pytest.mark.xdist_group("first_light")
FIELDS = {"notebook", "parameters", "measure", "name", "value", "low", "high", "df", "n", "unit", "status"}
NUMBERS = ("value", "low", "high", "se", "df", "n")
LOADING = re.compile(
    r"<(?!a\b)[a-z]+\b[^>]*?\b(?:src|href|srcset|poster|data|action)\s*=\s*[\"']?\s*([^\"'\s>]+)", re.I
)
CODE = nbformat.v4.new_code_cell
PARAMETERS = {"tags": ["parameters"]}


def pages_of(root: Path) -> dict[str, str]:
    """Every page but the index, by its place in reports/."""
    reports = root / "reports"
    found = sorted([*reports.glob("zh/*.html"), *reports.glob("en/*.html")])
    return {path.relative_to(reports).as_posix(): path.read_text(encoding="utf-8") for path in found}


def write_notebook(root: Path, name: str, *cells: Any) -> None:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    notebook = nbformat.v4.new_notebook(cells=list(cells), metadata=kernel)
    nbformat.write(notebook, root / "notebooks" / f"{name}.ipynb")
    study = root / "data" / "study.toml"
    entry = f'\n[[reports]]\nnotebook = "{name}"\n'
    study.write_text(study.read_text(encoding="utf-8") + entry, encoding="utf-8")


# --- what a first run leaves ----------------------------------------------------------------------


def test_each_report_is_a_page_in_each_language_and_an_executed_notebook(published: Path) -> None:
    slugs = sorted(strict(published / "reports" / "run.json")["jobs"])
    assert [slug for slug in slugs if not slug.startswith("90_")] == list(DISTRICT_REPORTS)
    assert len(slugs) == len(DISTRICT_REPORTS) + len(COMMUNITIES)
    assert sorted(pages_of(published)) == sorted(
        f"{lang}/{slug}.html" for slug in slugs for lang in ("zh", "en")
    )
    for slug in slugs:
        notebook = nbformat.read(published / "reports" / "notebooks" / f"{slug}.ipynb", as_version=4)
        ran = [cell for cell in notebook.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in ran), slug
        assert any(cell.outputs for cell in ran), slug


def test_the_index_leads_to_every_page(published: Path) -> None:
    index = (published / "reports" / "index.html").read_text(encoding="utf-8")
    assert set(re.findall(r'href="((?:zh|en)/[^"]+)"', index)) == set(pages_of(published))
    for area in COMMUNITIES:
        assert area in index


def test_every_page_says_that_the_data_are_simulated(published: Path) -> None:
    notice = open_study(published).notice
    assert notice is not None
    index = unescape((published / "reports" / "index.html").read_text(encoding="utf-8"))
    assert notice.zh in index and notice.en in index
    for place, html in pages_of(published).items():
        mine, other = (notice.zh, notice.en) if place.startswith("zh/") else (notice.en, notice.zh)
        assert mine in unescape(html), place
        assert other not in unescape(html), place


def test_no_page_asks_anything_of_anybody(published: Path) -> None:
    for place, html in {
        **pages_of(published),
        "index": (published / "reports" / "index.html").read_text("utf-8"),
    }.items():
        loads = [address for address in LOADING.findall(html) if not address.startswith(("data:", "#"))]
        assert loads == [], place
        assert re.findall(r"url\(\s*['\"]?(?!['\"]?(?:data:|#))[^)]*\)|@import", html) == [], place
        assert re.findall(r"<a\b[^>]*href=[\"']https?:[^\"']*", html) == [], place


def test_every_number_is_on_record(published: Path) -> None:
    record = strict(published / "reports" / "findings.json")
    assert record["study"] == "chengbei" and len(record["findings"]) > 300
    for one in record["findings"]:
        assert one.keys() >= FIELDS, one
        assert one["name"] and one["unit"], one
        assert one["status"] in {"published", "caution", "held back"}, one
        assert one["parameters"]["lang"] == "zh", one
        assert (one["value"] is None) == (one["status"] == "held back"), one
        if one["low"] is not None:
            assert one["low"] <= one["value"] <= one["high"] and one["n"] > 0, one
            # an interval that is counted off, from redraws or deals, has no degrees of freedom
            group = one["group"]
            counted = (
                group.get("method") in {"wild bootstrap", "dealt dates"}
                or group.get("statistic") == "alpha_redrawn"
                or "matters" in group
                or one["unit"] in {"rank", "index points"}
                # communities drawn towards the rest: a normal approximation
                or (one["notebook"] == "50_drivers" and "community" in group)
            )
            assert (one["df"] or 0) > 0 or counted, one
    assert {one["notebook"] for one in record["findings"]} == {*DISTRICT_REPORTS, "90_community"}
    areas = {one["parameters"].get("area") for one in record["findings"] if one["notebook"] == "90_community"}
    assert areas == set(COMMUNITIES)


def test_the_numbers_on_record_are_those_of_the_estimators(published: Path) -> None:
    study = open_study(published)
    findings = strict(published / "reports" / "findings.json")["findings"]
    headline = satisfaction.headline(study)
    answers: list[tuple[str, str | None, list[Released] | Unanswered]] = [
        ("30_satisfaction", None, satisfaction.satisfaction_by_area(study, headline)),
        ("50_drivers", None, drivers.effects(drivers.answers(study))),
        ("90_community", "欣乐社区", community.area_differences(study, "欣乐社区")),
    ]
    for notebook, area, answer in answers:
        assert not isinstance(answer, Unanswered) and len(answer) >= 6
        mine = [f for f in findings if f["notebook"] == notebook and f["parameters"].get("area") == area]
        for one in answer:
            same = [
                f for f in mine
                if (f["measure"], f["group"], f["status"]) == (one.measure, dict(one.group), one.status)
                and all(f[name] == pytest.approx(getattr(one, name), rel=1e-9) for name in NUMBERS)
            ]  # fmt: skip
            assert same, f"{notebook}: {one}"


def test_the_headline_is_the_weighted_mean_in_the_table(published: Path) -> None:
    residents = pd.read_parquet(published / "data" / "processed" / "residents.parquet")
    last = residents[(residents["wave"] == 2009) & residents["sat_overall_points"].notna()]
    mean = float((last["sat_overall_points"] * last["weight"]).sum() / last["weight"].sum())
    found = [
        f for f in strict(published / "reports" / "findings.json")["findings"]
        if f["report"] == "30_satisfaction" and f["measure"] == "sat_overall_points" and f["group"] == {"wave": "2009"}
    ]  # fmt: skip
    assert found and all(f["value"] == pytest.approx(mean, abs=1e-9) and f["n"] == len(last) for f in found)


def test_the_run_is_on_record(published: Path) -> None:
    run = strict(published / "reports" / "run.json")
    assert run["failed"] == []
    assert all(
        re.fullmatch(r"[0-9a-f]{64}", run["inputs"][name])
        for name in ("processed", "study", "package", "template")
    )
    assert run["versions"].keys() >= {"cbresearch", "python", "pandas", "numpy"}
    assert run["times"].keys() == run["jobs"].keys()
    assert all(time["seconds"] > 0 for time in run["times"].values())
    manifest = strict(published / "data" / "processed" / "manifest.json")
    raw = {f"data/raw/{path.name}" for path in (published / "data" / "raw").iterdir()}
    assert raw <= manifest["inputs"].keys()


def test_only_tests_know_the_truth(published: Path) -> None:
    """The reports were made without the file; besides, no notebook or module could name it."""
    assert not (published / "data" / "truth.json").exists()
    modules = [p for p in (REPOSITORY / "cbresearch").rglob("*.py") if "chengbei" not in p.parts]
    assert len(modules) > 50
    for path in modules:
        texts = [n.value for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Constant)]
        assert not [text for text in texts if isinstance(text, str) and "truth" in text.lower()], path
    for path in (REPOSITORY / "notebooks").glob("*.ipynb"):
        assert "truth" not in path.read_text("utf-8").lower(), path


# --- what later runs do ---------------------------------------------------------------------------


@pytest.fixture
def later(published: Path, tmp_path: Path) -> Path:
    """The same workspace somewhere else, free to be changed."""
    return Path(shutil.copytree(published, tmp_path / "later"))


def contents(root: Path) -> dict[str, bytes]:
    """All that a run makes, without the pages (they carry the day) and the clock."""
    made = [*(root / "reports" / "notebooks").iterdir(), root / "reports" / "findings.json"]
    tables = [p for p in (root / "data" / "processed").iterdir() if p.name != "times.json"]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in made + tables}


def test_a_second_run_does_nothing_and_a_fresh_one_gives_the_same(later: Path) -> None:
    """From a folder inside the workspace, as a scheduled job may stand."""
    before = contents(later)
    written = {path: path.stat().st_mtime_ns for path in (later / "reports").glob("*/*.*")}
    said = command("run", *("--only", "50_drivers", "--only", "30_satisfaction"), cwd=later / "data" / "raw")
    assert said.code == 0, said.text
    assert "Nothing has changed since the last build" in said.text
    assert "0 reports made, 2 up to date, 0 failed." in said.text
    assert {path: path.stat().st_mtime_ns for path in written} == written
    said = command("run", later, "--only", "50_drivers", "--fresh")
    assert said.code == 0, said.text
    assert "1 reports made, 0 up to date, 0 failed." in said.text
    executed = later / "reports" / "notebooks" / "50_drivers.ipynb"
    assert executed.stat().st_mtime_ns > written[executed]
    assert contents(later) == before


REMARKS = """
from IPython.display import HTML, Markdown, display
from cbresearch.study import open_study
remarks = open_study().residents()["remark"].dropna()
hostile = remarks[remarks.str.contains("<script>")]
print(hostile.iloc[0])
display(HTML(hostile.iloc[0]), Markdown(hostile.iloc[0]), hostile.to_frame(), HTML(hostile.to_frame().to_html(escape=False)))
""".strip()


@dataclass(frozen=True)
class Mixed:
    """A workspace to which its owner added one notebook that breaks before one that shows what residents wrote."""

    root: Path
    said: Said

    def page(self, place: str) -> str:
        return (self.root / "reports" / place).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def mixed(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Mixed:
    def make(folder: Path) -> None:
        root = Path(shutil.copytree(published, folder / "chengbei"))
        parameters = CODE('lang: str = "zh"', metadata=PARAMETERS)
        broken = (CODE("print('as far as this')"), CODE("share = 1 / 0"), CODE("print('never reached')"))
        write_notebook(root, "60_broken", parameters, *broken)
        write_notebook(root, "70_remarks", parameters, CODE(REMARKS))
        keep_said(command("run", root, "--only", "60_broken", "--only", "70_remarks"), folder)

    folder = once(tmp_path_factory, "mixed", make)
    return Mixed(folder / "chengbei", kept_said(folder))


def test_a_broken_notebook_keeps_its_copy_and_the_others_go_on(mixed: Mixed) -> None:
    assert mixed.said.code == 1
    assert "1 reports made, 0 up to date, 1 failed." in mixed.said.text
    assert "  ZeroDivisionError: division by zero\n    in 60_broken\n" in mixed.said.text
    copy = mixed.root / "reports" / "notebooks" / "60_broken.ipynb"
    outputs = [o for cell in nbformat.read(copy, as_version=4).cells for o in cell.get("outputs", ())]
    assert [o.ename for o in outputs if o.output_type == "error"] == ["ZeroDivisionError"]
    for lang in ("zh", "en"):
        page = mixed.page(f"{lang}/60_broken.html")
        assert "ZeroDivisionError: division by zero" in page
        assert "as far as this</pre>" in page and "never reached</pre>" not in page
    run = strict(mixed.root / "reports" / "run.json")
    assert run["failed"] == [
        {"report": "60_broken", "class": "ZeroDivisionError", "message": "division by zero"}
    ]
    assert run["jobs"]["70_remarks"]["status"] == "ok"
    assert "ZeroDivisionError" in mixed.page("index.html")


def test_what_residents_wrote_cannot_run(mixed: Mixed) -> None:
    executed = nbformat.read(mixed.root / "reports" / "notebooks" / "70_remarks.ipynb", as_version=4)
    assert "<script>alert(1)</script>" in executed.cells[-1].outputs[0].text  # it did reach the notebook
    for lang in ("zh", "en"):
        page = mixed.page(f"{lang}/70_remarks.html")
        assert "希望网上也能提意见" in page
        assert not re.search(r"<script[^>]*>\s*alert", page, re.I)
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
