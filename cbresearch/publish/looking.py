"""Pages looked at as readers with and without good eyes, mice and large screens do: `cbresearch run --check`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from cbresearch.errors import PublishError
from cbresearch.publish.browser import flags
from cbresearch.publish.plan import Job
from cbresearch.publish.words import WORDS
from cbresearch.study import Study

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SECONDS = 60
MOST_TABS = 400
DESK = {"width": 1100, "height": 800}


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a page; `axe` says whether all of axe's rules are tried, or those on colours."""

    name: str
    width: int = DESK["width"]
    scale: float = 1.0
    colours: str = "light"
    forced: str = "none"
    axe: str = ""


VIEWS = (
    View("a desk", axe="all"),
    View("a desk in the dark", colours="dark", axe="colours"),
    View("forced colours", forced="active"),
    View("200 % zoom", width=DESK["width"] // 2, scale=2.0),
    View("320 px", width=320),
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one page: the rule, where on the page, what was found, in which views."""

    page: str
    rule: str
    where: str
    what: str
    views: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.page}: {self.rule}: {self.where} {self.what} ({', '.join(self.views)})"


def refuse_without_means() -> None:
    """PublishError where the libraries that look at pages are not installed, before anything has been done."""
    missing = [name for name in ("playwright", "axe_playwright_python") if util.find_spec(name) is None]
    if missing:
        raise PublishError(
            "To look at pages needs playwright and axe, which are not here. Install them: pip install 'cbresearch[check]'"
        )


def pages_of(study: Study, jobs: Sequence[Job]) -> dict[str, Path]:
    """The pages of some reports that are there, with the pages that list them, by their path from reports/."""
    names = [job.page(language) for job in jobs for language in job.languages]
    found = {name: study.reports / name for name in ("index.html", "failures.html", *names)}
    return {name: path for name, path in found.items() if path.is_file()}


def faults_of(pages: Mapping[str, Path], browser: Path) -> list[Fault]:
    """What readers would stumble over, page by page (name -> file), each fault once with the views that have it.

    The network is cut: a page that asks for anything is at fault. Rules are those of WCAG 2.2 AA as axe tries them,
    and what axe leaves out: placeholders for alternative texts, order of headings, headers of tables, contrast
    within figures, keyboard alone, zoom, narrow screens, less motion, forced colours.
    """
    from playwright.sync_api import sync_playwright

    found: dict[tuple[str, str, str, str], list[str]] = {}
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(browser), args=flags())
        for view in VIEWS:
            context = opened.new_context(
                viewport={"width": view.width, "height": DESK["height"]}, device_scale_factor=view.scale,
                color_scheme=view.colours, forced_colors=view.forced, reduced_motion="reduce", offline=True,
            )  # fmt: skip
            context.set_default_timeout(1000 * SECONDS)
            for name, path in pages.items():
                for fault in _seen(context, path, view):
                    found.setdefault((name, *fault), []).append(view.name)
            context.close()
        opened.close()
    return [Fault(*fault, tuple(dict.fromkeys(views))) for fault, views in found.items()]


Seen = tuple[str, str, str]


def _seen(context: Any, path: Path, view: View) -> Iterator[Seen]:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.resolve().as_uri())
    yield from (
        ("requests", "the page", f"asks for {url}") for url in asked if not url.startswith(("file:", "data:"))
    )
    yield from map(tuple, page.evaluate(_script(), [WORDS["image"].zh, WORDS["image"].en]))
    if view.axe:
        yield from _by_axe(page, view.axe)
    if view.axe == "all":
        yield from _by_keyboard(page)
    page.close()


def _by_axe(page: Any, rules: str) -> Iterator[Seen]:
    page.evaluate(_axe())
    only = (
        {"type": "tag", "values": LEVELS}
        if rules == "all"
        else {"type": "rule", "values": ["color-contrast"]}
    )
    told = page.evaluate("(only) => axe.run(document, {runOnly: only, resultTypes: ['violations']})", only)
    for violation in told["violations"]:
        for node in violation["nodes"]:
            yield f"axe {violation['id']}", node["html"][:100], violation["help"]


FOCUSED = """() => {
  const node = document.activeElement;
  if (!node || node === document.body) return null;
  const style = getComputedStyle(node), box = node.getBoundingClientRect();
  return {
    place: [...document.querySelectorAll("*")].indexOf(node),
    name: node.tagName.toLowerCase() + " “" + node.textContent.trim().replace(/\\s+/g, " ").slice(0, 60) + "”",
    shown: box.width > 0 && box.height > 0 && (style.outlineStyle !== "none" || style.boxShadow !== "none"),
  };
}"""
REACHABLE = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")]
  .filter((node) => node.checkVisibility() && !node.disabled && node.tabIndex >= 0).length"""


def _by_keyboard(page: Any) -> Iterator[Seen]:
    """Every control is reached by the tab key, shows that it is, and lets go again."""
    wanted = min(page.evaluate(REACHABLE), MOST_TABS)
    reached: set[int] = set()
    last = None
    for _ in range(wanted):
        page.keyboard.press("Tab")
        focused = page.evaluate(FOCUSED)
        if focused is None:
            break
        if focused["place"] == last:
            yield "keyboard", focused["name"], "does not let the tab key go on"
            return
        last = focused["place"]
        reached.add(last)
        if not focused["shown"]:
            yield "keyboard", focused["name"], "does not show that it has the focus"
    if len(reached) < wanted:
        yield (
            "keyboard",
            "the page",
            f"{wanted - len(reached)} of {wanted} controls are not reached by the tab key",
        )


@cache
def _script() -> str:
    return Path(__file__).with_suffix(".js").read_text(encoding="utf-8")


@cache
def _axe() -> str:
    from axe_playwright_python.base import AXE_SCRIPT

    return str(AXE_SCRIPT)


def listed(faults: Sequence[Fault], pages: int) -> str:
    """What to print: how many pages were looked at, then every fault."""
    if not faults:
        return f"{pages} pages looked at: nothing in anybody's way."
    at_fault = len({fault.page for fault in faults})
    return "\n".join(
        [f"{len(faults)} faults on {at_fault} of {pages} pages:", *(f"  - {fault}" for fault in faults)]
    )
