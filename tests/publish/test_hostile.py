"""A hundred and forty payloads through file names, headings, answers, names of communities and parameters: nothing runs, nothing breaks."""

from __future__ import annotations

import csv
import random
import subprocess
import sys
from pathlib import Path

import pytest
from browser_page import Watched
from payloads import CHARACTERS, PAYLOADS
from tiny_workspace import code, make_workspace, write_notebook

from cbresearch.publish.plan import plan
from cbresearch.publish.run import run
from cbresearch.study import open_study

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ITEMS, ROWS_EACH, SCORECARDS = 40, 12, 8
FILE = "x <img src=x onerror=window.pwned=1>.csv"
DRAWABLE = [one for one in PAYLOADS if not {"🏳", "ﷺ"} & set(one)]
"""A character that no font has stops a figure, which is told; headings, names and listed answers go into figures."""


def hostile_file(path: Path) -> None:
    """Headings, names of communities, answers of a list, open answers: each payload in each place, or nearly."""
    chance = random.Random(20090901)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(
            ["id", "area", "choice", "said", *(DRAWABLE[3 * i % len(DRAWABLE)] for i in range(ITEMS))]
        )
        count = 0
        for area, name in enumerate(DRAWABLE):
            for row in range(ROWS_EACH):
                count += 1
                answers = [chance.randint(1, 5) for _ in range(ITEMS)]
                picked = DRAWABLE[(7 * area + row) % len(DRAWABLE)]
                writer.writerow([count, name, picked, PAYLOADS[count % len(PAYLOADS)], *answers])


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a workspace adopted from the hostile file, built and run by the command line."""
    folder = tmp_path_factory.mktemp("hostile")
    hostile_file(folder / FILE)
    with (folder / FILE).open(encoding="utf-8", newline="") as file:
        outcome = next(csv.reader(file))[4]
    command(folder, "adopt", FILE, "--into", "ws", "--area", "area", "--outcome", outcome)
    command(
        folder,
        "run",
        "ws",
        "--only",
        "10_data_quality",
        "--only",
        "20_situation",
        "--only",
        "30_satisfaction",
    )
    areas = [job.area.code for job in plan(open_study(folder / "ws")) if job.area]
    assert len(areas) > 100
    command(
        folder,
        "run",
        "ws",
        *(word for code in areas[:: len(areas) // SCORECARDS] for word in ("--area", code)),
    )
    return folder


def command(folder: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "cbresearch", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "\x1b" not in done.stdout + done.stderr and "\u202e" not in done.stdout, (
        "nothing steers the terminal"
    )


def faults_of(watched: Watched, path: Path) -> list[str]:
    """What a hostile page would do: run something, ask for something, open something, hide or break the page."""
    page, found = watched.open(path), watched.found
    page.evaluate("document.querySelectorAll('summary').forEach((node) => node.click())")
    page.mouse.move(300, 300)
    if page.evaluate("window.pwned !== undefined"):
        found.append("a script ran")
    if page.url.partition("#")[0] != path.as_uri():
        found.append(f"went to {page.url}")
    found += page.evaluate(
        """() => [
          ...document.querySelectorAll("script:not([src])").length > 3 ? ["more scripts than the page has"] : [],
          ...[...document.querySelectorAll("*")].flatMap((node) => [...node.attributes])
            .filter((one) => one.name.startsWith("on") || (/href|src|action|data$/.test(one.name) && /^\\s*(javascript|vbscript):/i.test(one.value)))
            .map((one) => one.name + "=" + one.value.slice(0, 60)),
          ...[...document.querySelectorAll("iframe, object, embed, form, base, link, video, audio, template, foreignObject")]
            .map((node) => node.tagName),
          ...["footer.foot", "main h1"].filter((one) => ![...document.querySelectorAll(one)].some((node) => node.checkVisibility()))
        ]"""
    )
    return list(found)


def test_nothing_executes_and_no_page_breaks(place: Path, reader: Watched) -> None:
    pages = sorted((place / "ws" / "reports").rglob("*.html"))
    assert len(pages) >= 1 + 2 * 3 + 2 * SCORECARDS
    assert {page.name: found for page in pages if (found := faults_of(reader, page))} == {}


def test_nothing_is_written_outside_the_workspace(place: Path) -> None:
    assert {path.name for path in place.iterdir()} == {FILE, "ws"}
    assert not list(place.parent.rglob("*PWNED*")) and not Path("/tmp/PWNED").exists()


def test_words_arrive_as_they_are(place: Path) -> None:
    """Escaped, not cut away: a reader sees what the community is called."""
    html = (place / "ws" / "reports" / "en" / "30_satisfaction.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;window.pwned=1&lt;/script&gt;" in html
    assert "{{ 7 * 7 }}" in html and ">49<" not in html


def test_parameters_stay_words(tmp_path: Path, reader: Watched) -> None:
    root = make_workspace(tmp_path)
    write_notebook(root, "10_all", code('lang = "zh"\nnote: str = ""', "parameters"), code("print(note)"))
    toml = root / "data" / "study.toml"
    text = toml.read_text(encoding="utf-8").split("[[reports]]")[0]
    notes = [one for one in PAYLOADS if len(one) < 500]
    for one in notes:
        escaped = "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in one)
        text += f'[[reports]]\nnotebook = "10_all"\nparameters = {{ note = "{escaped}" }}\n'
    toml.write_text(text, encoding="utf-8")
    study = open_study(root)
    ran = run(study)
    assert [f"{one.job.slug}: {one.cause}" for one in ran.failed] == []
    assert len({job.slug for job in ran.jobs}) == len(notes), "each has a page of its own"
    pages = [study.reports / job.page("en") for job in ran.jobs]
    assert all(page.resolve().is_relative_to(study.reports.resolve()) and page.is_file() for page in pages)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "notebooks", "reports"]
    printed = [html for page in pages if "<pre" in (html := page.read_text(encoding="utf-8"))]
    assert len(printed) > len(notes) - len(CHARACTERS)
    assert {page.name: found for page in pages if (found := faults_of(reader, page))} == {}


def test_what_runs_would_be_seen(tmp_path: Path, reader: Watched) -> None:
    page = tmp_path / "bad.html"
    body = "<img src=x onerror=window.pwned=1><iframe></iframe><img src='https://evil.example/x.png'>"
    page.write_text(f"<main><h1>x</h1>{body}</main><footer class=foot>y</footer>", encoding="utf-8")
    found = faults_of(reader, page)
    assert "a script ran" in found and "IFRAME" in found and "onerror=window.pwned=1" in found
    assert "asked for https://evil.example/x.png" in found
