"""Every page as a reader's browser shows it: alone, offline, on a phone, by keyboard, without scripts."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from whole_chain import COMMUNITIES, DISTRICT_REPORTS

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "msedge")
DESK, PHONE = {"width": 1100, "height": 800}, {"width": 390, "height": 844}
HTML_LANGUAGES = {"zh": "zh-Hans", "en": "en"}

FACTS = """() => {
  const all = (selector) => [...document.querySelectorAll(selector)];
  const seen = (node) => node.checkVisibility();
  const words = (id) => (document.getElementById(id) || {textContent: ""}).textContent;
  const named = (node) => (node.getAttribute("aria-label")
    || (node.getAttribute("aria-labelledby") || "").split(/\\s+/).filter(Boolean).map(words).join(" ")
    || node.getAttribute("alt") || (node.querySelector(":scope > title") || {textContent: ""}).textContent || "").trim();
  const ids = all("[id]").map((node) => node.id);
  return {
    lang: document.documentElement.lang,
    title: document.title,
    headings: all("h1,h2,h3,h4,h5,h6").filter(seen).map((node) => [Number(node.tagName[1]), node.textContent.trim()]),
    pictures: all("img, svg[role=img], [role=img]").map(named),
    unnamed_drawings: all("svg").filter((n) => n.getAttribute("role") !== "img" && n.getAttribute("aria-hidden") !== "true"
      && !n.closest("[role=img]")).length,
    bare_heads: all("th").filter((node) => !["col", "row", "colgroup", "rowgroup"].includes(node.scope)).length,
    uncaptioned: all("table").filter((node) => !node.querySelector("caption") && !named(node)).length,
    twice: ids.filter((id, place) => ids.indexOf(id) !== place),
    nowhere: all("a[href^='#']").map((node) => node.getAttribute("href").slice(1)).filter((id) => !ids.includes(decodeURIComponent(id))),
    unlabelled: all("a, button, input, summary").filter((node) => seen(node)
      && !node.textContent.trim() && !named(node) && !(node.labels || []).length).length,
    text: document.querySelector("main").innerText.length,
    links: all("a[href]").map((node) => node.href),
  };
}"""
TOO_WIDE = """() => {
  const page = document.documentElement, width = page.clientWidth;
  if (page.scrollWidth <= width) return [];
  return [...document.querySelectorAll("body *")].filter((node) => node.getBoundingClientRect().right > width + 1)
    .slice(0, 3).map((node) => node.tagName + "." + node.className + ": " + node.textContent.trim().slice(0, 40)).concat("page");
}"""


@dataclass(frozen=True)
class Visit:
    """What one page was seen to be."""

    place: str
    facts: dict[str, Any]
    asked: tuple[str, ...]
    """Addresses requested that are neither files nor data."""
    complaints: tuple[str, ...]
    """What the console and uncaught errors said; violations of the page's policy are among them."""
    too_wide: dict[str, list[str]]

    @property
    def language(self) -> str:
        return self.place.split("/")[0] if "/" in self.place else "zh"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"none of {', '.join(BROWSERS)} is on this machine: install one to see the pages")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def reports(published: Path) -> Path:
    return published / "reports"


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    with cut_off(browser) as context:
        yield context.new_page()


def cut_off(browser: Any, **how: Any) -> Any:
    context = browser.new_context(viewport=DESK, reduced_motion="reduce", **how)
    context.set_offline(True)
    return context


def visit(context: Any, reports: Path, place: str) -> Visit:
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "console", lambda said: complaints.append(said.text) if said.type in {"error", "warning"} else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((reports / place).as_uri())
    facts = page.evaluate(FACTS)
    too_wide = {}
    for name, size in (("desk", DESK), ("phone", PHONE)):
        page.set_viewport_size(size)
        too_wide[name] = page.evaluate(TOO_WIDE)
    page.close()
    elsewhere = tuple(address for address in asked if not address.startswith(("file:", "data:")))
    return Visit(place, facts, elsewhere, tuple(complaints), too_wide)


@pytest.fixture(scope="module")
def visits(browser: Any, reports: Path) -> list[Visit]:
    """Every page of the site, opened from its folder with the network cut."""
    places = sorted(path.relative_to(reports).as_posix() for path in reports.rglob("*.html"))
    assert len(places) == 1 + 2 * (len(DISTRICT_REPORTS) + len(COMMUNITIES))
    with cut_off(browser) as context:
        return [visit(context, reports, place) for place in places]


# --- opened anywhere ------------------------------------------------------------------------------


def test_no_page_asks_for_anything_or_complains(visits: list[Visit]) -> None:
    assert {v.place: v.asked for v in visits if v.asked} == {}
    assert {v.place: v.complaints for v in visits if v.complaints} == {}


def test_every_page_says_its_language(visits: list[Visit]) -> None:
    assert {v.place: v.facts["lang"] for v in visits} == {v.place: HTML_LANGUAGES[v.language] for v in visits}
    assert all(v.facts["title"].strip() for v in visits)


@pytest.mark.parametrize("screen", ["desk", "phone"])
def test_no_page_scrolls_sideways(visits: list[Visit], screen: str) -> None:
    assert {v.place: v.too_wide[screen] for v in visits if v.too_wide[screen]} == {}


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


# --- for everybody --------------------------------------------------------------------------------


def test_headings_make_an_outline(visits: list[Visit]) -> None:
    for one in visits:
        levels = [level for level, _ in one.facts["headings"]]
        assert levels.count(1) == 1 and levels[0] == 1, one.place
        steps = [(a, b) for a, b in pairwise(levels) if b > a + 1]
        assert steps == [], one.place
        assert all(text for _, text in one.facts["headings"]), one.place


def test_every_picture_and_control_has_a_name(visits: list[Visit]) -> None:
    from cbresearch.publish.words import WORDS

    placeholders = {WORDS["image"].zh, WORDS["image"].en}
    assert sum(len(v.facts["pictures"]) for v in visits) > 20
    for one in visits:
        assert all(len(name) > 10 and name not in placeholders for name in one.facts["pictures"]), one.place
        assert one.facts["unnamed_drawings"] == 0, one.place
        assert one.facts["unlabelled"] == 0, one.place
        assert one.facts["twice"] == [], one.place


def test_every_table_can_be_read_aloud(visits: list[Visit]) -> None:
    for one in visits:
        assert (one.facts["bare_heads"], one.facts["uncaptioned"]) == (0, 0), one.place


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
    from whole_chain import COMMUNITIES

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
    with cut_off(browser, java_script_enabled=False) as context:
        page = context.new_page()
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
