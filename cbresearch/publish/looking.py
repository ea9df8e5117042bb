"""Pages looked at as readers with and without good eyes, mice and large screens do: `cbresearch run --check`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any

from cbresearch.errors import PublishError
from cbresearch.publish.browser import flags
from cbresearch.publish.failures import FAILURES
from cbresearch.publish.plan import Job
from cbresearch.publish.words import WORDS
from cbresearch.study import Study

LEVELS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
SECONDS = 60
MOST_TABS = 400


# Contrast depends on colours, grounds and sizes alone: of a thousand cells that look alike, one is tried.
ONE_OF_EACH_KIND = """() => {
  const kinds = new Map(), grounds = new Map([[null, ""]]);
  const ground = (node) => {
    if (!grounds.has(node)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(node);
      grounds.set(node, [ground(node.parentElement), backgroundColor, backgroundImage, opacity].join());
    }
    return grounds.get(node);
  };
  for (const node of document.querySelectorAll("body, body *")) {
    const speaks = [...node.childNodes].some((one) => one.nodeType === 3 && one.data.trim());
    if (!(speaks || node.matches("input, select, textarea")) || node.closest("svg, script") || !node.checkVisibility()) continue;
    const { color, fontSize, fontWeight } = getComputedStyle(node);
    kinds.set([ground(node), color, fontSize, fontWeight, node.tagName].join(), node);
  }
  return [...kinds.values()];
}"""


@dataclass(frozen=True, slots=True)
class Trial:
    """Rules of axe, tried on the elements that a script in the page gives."""

    how: Mapping[str, Any]
    over: str = "() => [document]"


RULES = Trial({"runOnly": {"type": "tag", "values": LEVELS}, "rules": {"color-contrast": {"enabled": False}}})
NARROW = Trial({"runOnly": {"type": "rule", "values": ("scrollable-region-focusable", "target-size")}})
CONTRAST = Trial({"runOnly": {"type": "rule", "values": ("color-contrast",)}}, ONE_OF_EACH_KIND)


@dataclass(frozen=True, slots=True)
class View:
    """One way to look at a page, and what of axe is tried in it."""

    name: str
    width: int = 1100
    height: int = 800
    colours: str = "light"
    forced: str = "none"
    axe: tuple[Trial, ...] = ()


DESK = View("a desk", axe=(RULES, CONTRAST))
VIEWS = (
    DESK,
    View("a desk in the dark", colours="dark", axe=(CONTRAST,)),
    View("forced colours", forced="active"),
    # what is twice as large has half the room
    View("200 % zoom", width=550, height=400),
    View("320 px", width=320, axe=(NARROW,)),
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


def pages_of(study: Study, jobs: Sequence[Job]) -> dict[str, str]:
    """Addresses of the pages of some reports that are there, by their path from reports/.

    With them the pages that list reports, in each of the languages that they hold.
    """
    lists = [
        (name, f"#{language}") for name in ("index.html", FAILURES) for language in reversed(study.languages)
    ]
    names = [*lists, *((job.page(language), "") for job in jobs for language in job.languages)]
    there = [(name, place) for name, place in names if (study.reports / name).is_file()]
    return {name + place: (study.reports / name).resolve().as_uri() + place for name, place in there}


def faults_of(
    pages: Mapping[str, str], browser: Path, lanes: int = 1, say: Callable[[str], None] = lambda name: None
) -> list[Fault]:
    """What readers would stumble over, page by page (name -> address), each fault once with the views that have it.

    The network is cut: a page that asks for anything is at fault. Rules are those of WCAG 2.2 AA as axe tries them,
    and what axe leaves out: placeholders for alternative texts, order of headings, headers of tables, contrast
    within figures, keyboard alone, zoom, narrow screens, less motion, forced colours. What is folded away is
    looked at too. So many pages at a time as there are `lanes`; `say` hears the name of each, in its lane's thread.
    """
    names = list(pages)
    # one that looks at pages cannot share its thread with another, not even with a caller's
    with ThreadPoolExecutor(max_workers=max(lanes, 1)) as pool:
        shares = [{name: pages[name] for name in names[lane::lanes]} for lane in range(max(lanes, 1))]
        found = [
            fault
            for share in pool.map(lambda part: _looked_at(part, browser, say), shares)
            for fault in share
        ]
    return sorted(found, key=lambda fault: names.index(fault.page))


def _looked_at(pages: Mapping[str, str], browser: Path, say: Callable[[str], None]) -> list[Fault]:
    from playwright.sync_api import sync_playwright

    faults: list[Fault] = []
    if not pages:
        return faults
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(browser), args=flags())
        context = opened.new_context(offline=True, reduced_motion="reduce")
        context.set_default_timeout(1000 * SECONDS)
        for name, address in pages.items():
            by_fault: dict[Seen, list[str]] = {}
            for view, seen in _seen(context, address):
                by_fault.setdefault(seen, []).append(view.name)
            faults += [Fault(name, *seen, tuple(dict.fromkeys(views))) for seen, views in by_fault.items()]
            say(name)
        opened.close()
    return faults


Seen = tuple[str, str, str]


def _seen(context: Any, address: str) -> Iterator[tuple[View, Seen]]:
    """Open a page once, then look at it in each view."""
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_viewport_size({"width": DESK.width, "height": DESK.height})
    page.goto(address)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    for fault in _by_keyboard(page):
        yield DESK, fault
    page.evaluate(_axe())
    for view in VIEWS:
        page.set_viewport_size({"width": view.width, "height": view.height})
        page.emulate_media(color_scheme=view.colours, forced_colors=view.forced)
        for found in page.evaluate(_script(), [WORDS["image"].zh, WORDS["image"].en]):
            yield view, (found[0], found[1], found[2])
        for trial in view.axe:
            yield from ((view, fault) for fault in _by_axe(page, trial))
    for url in asked:
        if not url.startswith(("file:", "data:")):
            yield DESK, ("requests", "the page", f"asks for {url}")
    page.close()


def _by_axe(page: Any, trial: Trial) -> Iterator[Seen]:
    how = {**trial.how, "resultTypes": ["violations"], "preload": False}
    told = page.evaluate(f"(how) => axe.run({{ include: ({trial.over})() }}, how)", how)
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
    hidden: [0.1, 0.5, 0.9].every((down) => {
      const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height * down);
      return top && !node.contains(top) && !top.contains(node);
    }),
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
        elif focused["hidden"]:
            yield "keyboard", focused["name"], "lies behind something else when it has the focus"
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
