"""Every page as a reader's browser shows it: alone, offline, on a phone, by keyboard, without scripts."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from browser_page import Watched, reading
from whole_chain import COMMUNITIES, DISTRICT_REPORTS

from cbresearch.publish.browser import find_browser
from cbresearch.publish.printing import printed

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
HTML_LANGUAGES = {"zh": "zh-Hans", "en": "en"}

FACTS = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const ids = all("[id]").map((node) => node.id);
  return {
    lang: document.documentElement.lang,
    nowhere: all("a[href^='#']").map((node) => node.getAttribute("href").slice(1)).filter((id) => !ids.includes(decodeURIComponent(id))),
    text: document.querySelector("main").innerText.length,
    links: all("a[href]").map((node) => node.href),
  };
}"""


@dataclass(frozen=True)
class Visit:
    """What one page was seen to be, and what it did that it should not."""

    place: str
    facts: dict[str, Any]
    found: tuple[str, ...]
    """Addresses asked for, complaints of the console, uncaught errors; violations of the page's policy are among them."""

    @property
    def language(self) -> str:
        return self.place.split("/")[0] if "/" in self.place else "zh"


@pytest.fixture(scope="module")
def reports(published: Path) -> Path:
    return published / "reports"


@pytest.fixture(scope="module")
def visits(browser: Any, reports: Path) -> list[Visit]:
    """Every page of the site, opened from its folder with the network cut."""
    places = sorted(path.relative_to(reports).as_posix() for path in reports.rglob("*.html"))
    assert len(places) == 1 + 2 * (len(DISTRICT_REPORTS) + len(COMMUNITIES))
    with reading(browser) as reader:
        return [
            Visit(place, reader.open(reports / place).evaluate(FACTS), tuple(reader.found))
            for place in places
        ]


# --- opened anywhere; what test_looking finds on every page is not looked for again -----------------


def test_no_page_asks_for_anything_or_complains(visits: list[Visit]) -> None:
    assert {v.place: v.found for v in visits if v.found} == {}


def test_what_a_page_asks_for_would_be_seen(reader: Watched, tmp_path: Path) -> None:
    page = tmp_path / "asks.html"
    page.write_text("<img src='https://example.org/x.png'><script>no.such()</script>", encoding="utf-8")
    reader.open(page)
    assert "asked for https://example.org/x.png" in reader.found
    assert any("no is not defined" in one for one in reader.found)


def test_every_page_says_its_language(visits: list[Visit]) -> None:
    assert {v.place: v.facts["lang"] for v in visits} == {v.place: HTML_LANGUAGES[v.language] for v in visits}


def test_every_link_leads_somewhere(visits: list[Visit], reports: Path) -> None:
    files = {path.as_uri() for path in reports.rglob("*") if path.is_file()}
    for one in visits:
        assert one.facts["nowhere"] == [], one.place
        lost = [
            link
            for link in one.facts["links"]
            if link.split("#")[0] not in files and not link.startswith("data:")
        ]
        assert lost == [], one.place


# --- by keyboard ----------------------------------------------------------------------------------


@pytest.mark.parametrize("place", ["index.html", "zh/30_satisfaction.html", "en/50_drivers.html"])
def test_the_first_tab_skips_to_the_content(page: Any, reports: Path, place: str) -> None:
    page.goto((reports / place).as_uri())
    page.keyboard.press("Tab")
    focused = page.evaluate(
        "() => [document.activeElement.className, document.activeElement.getAttribute('href')]"
    )
    assert focused[0] == "skip"
    assert page.locator("a.skip:focus").bounding_box()["y"] >= 0  # it comes into sight
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("(id) => !!document.activeElement.closest(id)", focused[1])


# --- going about ----------------------------------------------------------------------------------


def test_the_other_language_opens_at_the_same_place(page: Any, reports: Path) -> None:
    at_the_top = "() => Math.abs(document.getElementById('s3').getBoundingClientRect().top - 60) < 60"
    page.goto((reports / "zh" / "30_satisfaction.html").as_uri() + "#s3")
    for language in ("en", "zh"):
        page.wait_for_function(at_the_top)
        # with the mouse as it is: playwright's own click may scroll the page first, which no reader does
        box = page.locator("nav.languages a").bounding_box()
        page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        page.wait_for_url(f"**/{language}/30_satisfaction.html#s3")
    page.wait_for_function(at_the_top)


def test_a_page_leads_home_in_its_own_language(page: Any, reports: Path) -> None:
    page.goto((reports / "en" / "10_data_quality.html").as_uri())
    page.locator("header a.home").click()
    page.wait_for_url("**/index.html#en")
    assert page.locator("h1:visible").count() == 1
    assert page.locator(".tongue:visible").get_attribute("lang") == "en"


@pytest.mark.parametrize("words", ["欣乐", "XINLE", " xinle "])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_index_is_searched_in_both_languages(page: Any, reports: Path, words: str, language: str) -> None:
    page.goto((reports / "index.html").as_uri() + f"#{language}")
    shown = page.locator(f"#{language} li:visible")
    everything = shown.count()
    assert everything == len(DISTRICT_REPORTS) + 23
    box = page.locator(f"#find-{language}")
    box.fill(words)
    assert shown.count() == 1
    assert shown.locator("a.name").get_attribute("href").startswith(f"{language}/90_community-xinle")
    box.fill("qqqq")
    assert shown.count() == 0 and page.locator(f"#{language} .none-found").is_visible()
    box.fill("")
    assert shown.count() == everything


@pytest.mark.parametrize(
    "words, notebook",
    [
        ("专项资金", "60_policy"),
        ("满意 什么 哪里", "30_satisfaction"),
        ("college degree", "50_drivers"),
        ("哪里满意", ""),
    ],
)
def test_findings_are_searched_by_words_and_by_pairs_of_characters(
    page: Any, reports: Path, words: str, notebook: str
) -> None:
    page.goto((reports / "index.html").as_uri() + "#zh")
    page.locator("#find-zh").fill(words)
    found = [link.get_attribute("href") for link in page.locator("#zh li:visible a.name").all()]
    assert any(notebook in one for one in found) if notebook else found == []
    assert len(found) < len(DISTRICT_REPORTS)


def test_the_index_is_narrowed_and_ordered(page: Any, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri() + "#en")
    shown = page.locator("#en ul.reports li:visible")
    everything = shown.count()
    streets = page.locator("#group-en option").all_inner_texts()
    page.locator("#group-en").select_option(streets[1])
    assert 0 < shown.count() < 23
    assert page.locator("#en .none-found").inner_text() == f"{shown.count()} found"
    assert page.locator("#en section h3:visible").all_inner_texts() == [streets[1]]
    page.locator("#group-en").select_option("")
    page.locator("#part-en").select_option("0")
    assert shown.count() == len(DISTRICT_REPORTS)
    page.locator("#part-en").select_option("")
    assert shown.count() == everything and page.locator("#en .none-found").inner_text() == ""
    page.locator("#sort-en").select_option("name")
    names = page.locator("#en ul.reports:not(.wide)").first.locator("a.name, span.name").all_inner_texts()
    assert names == sorted(names)
    page.locator("#badge-en").select_option("Not made yet")
    assert shown.count() == everything - page.locator("#en ul.reports li:has(a.name)").count()


def test_two_communities_stand_side_by_side(page: Any, reports: Path) -> None:
    page.goto((reports / "index.html").as_uri() + "#en")
    place = page.locator("#en .compare")
    names = place.locator("#one-en option").all_inner_texts()
    assert len(names) == len(COMMUNITIES)
    place.locator("#one-en").select_option(label=names[1])
    place.locator("#two-en").select_option(label=names[0])
    heads = place.locator("thead th").all_inner_texts()
    assert names[1] in heads[1] and names[0] in heads[2] and "District" in heads[3]
    rows = place.locator("tbody tr")
    assert rows.count() > 2
    first = rows.first.locator("td").all_inner_texts()
    link = place.locator("thead th.one a")
    address = link.get_attribute("href")
    link.click()
    page.wait_for_url(f"**/{address}")
    assert first[0].split()[0] in page.locator("main").inner_text(), "the scorecard says the same"


def test_pages_are_read_without_javascript(browser: Any, reports: Path, visits: list[Visit]) -> None:
    usual = {one.place: one.facts["text"] for one in visits}
    with reading(browser, java_script_enabled=False) as reader:
        page = reader.page
        page.goto((reports / "index.html").as_uri())
        assert page.locator("main:visible h1").inner_text()
        assert not page.locator("input[type=search]").first.is_visible()  # a box that does nothing stays away
        page.locator('a.name[href="zh/30_satisfaction.html"]:visible').click()
        page.wait_for_url("**/zh/30_satisfaction.html")
        assert len(page.locator("main").inner_text()) >= 0.95 * usual["zh/30_satisfaction.html"]
        page.locator("nav.contents a").first.click()
        page.wait_for_url("**#s1")
        page.locator("nav.languages a").click()
        page.wait_for_url("**/en/30_satisfaction.html*")
        assert page.locator("main h1").is_visible()


def test_the_data_behind_a_figure_opens_by_keyboard(page: Any, reports: Path) -> None:
    page.goto((reports / "en" / "30_satisfaction.html").as_uri())
    fold = page.locator("figure details").first
    assert not fold.locator("table").is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.locator("table").is_visible()
    assert fold.locator("tbody tr").count() > 5


# --- on paper -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def paper(reports: Path, tmp_path_factory: pytest.TempPathFactory, browser: Any) -> dict[str, str]:
    """The text of the report on satisfaction as printed in each language, its pages apart by form feeds."""
    if shutil.which("pdftotext") is None:
        pytest.skip("pdftotext, which reads PDF, is not on this machine")
    folder = tmp_path_factory.mktemp("paper")
    pages = [
        Path(shutil.copy(reports / language / "30_satisfaction.html", folder / f"{language}.html"))
        for language in HTML_LANGUAGES
    ]
    pdfs = printed(pages, find_browser(), 2, lambda path: None)
    # in the order of the file, as one who copies or listens has it, and not as it might stand in columns
    read = [
        subprocess.run(["pdftotext", "-raw", str(pdf), "-"], capture_output=True, check=True) for pdf in pdfs
    ]
    return {pdf.stem: done.stdout.decode() for pdf, done in zip(pdfs, read, strict=True)}


@pytest.mark.parametrize("language", HTML_LANGUAGES)
def test_paper_has_page_numbers_and_all_that_is_read(
    paper: dict[str, str], reader: Watched, reports: Path, language: str
) -> None:
    sheets = paper[language].split("\f")[:-1]
    assert len(sheets) > 3
    for number, sheet in enumerate(sheets, 1):
        assert f"{number}/{len(sheets)}" in "".join(sheet.split())
    squeezed = "".join(paper[language].split())
    page = reader.open(reports / language / "30_satisfaction.html")
    for words in page.locator("main h1, main h2, main figcaption, main p.headline").all_inner_texts():
        assert "".join(words.split()) in squeezed, words
    for gone in page.locator(".skip, nav.contents a, nav.languages a, .take button").all_text_contents()[:1]:
        assert "".join(gone.split()) not in squeezed
    assert "file://" not in paper[language], "no header or footer of the browser's own"
