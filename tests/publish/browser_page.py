"""A reader's browser for tests: the machine's own, the network cut, and what a page did that it should not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from cbresearch.errors import PublishError
from cbresearch.publish.browser import find_browser, flags

DESK = {"width": 1100, "height": 800}


@contextmanager
def running_browser() -> Iterator[Any]:
    """Playwright driving the machine's browser; the test is skipped, with the reason, where either is missing."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    try:
        found = find_browser()
    except PublishError as error:
        pytest.skip(str(error))
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=str(found), args=flags())
        yield opened
        opened.close()


@contextmanager
def reading(browser: Any, **how: Any) -> Iterator[Watched]:
    """A page of a reader without a network; `how` as in playwright's new_context."""
    with browser.new_context(
        **{"viewport": DESK, "reduced_motion": "reduce", "offline": True, **how}
    ) as context:
        yield Watched(context.new_page())


class Watched:
    """One page that opens one file after the other, and what it did that a report page does not do."""

    def __init__(self, page: Any) -> None:
        self.page, self.found = page, list[str]()
        page.on("dialog", lambda dialog: self.found.append(f"dialog {dialog.message}"))
        page.on("popup", lambda other: self.found.append(f"popup {other.url}"))
        page.on(
            "console",
            lambda said: self.found.append(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: self.found.append(str(error)))
        page.on("request", lambda asked: self._asked(asked.url))

    def open(self, path: Path, place: str = "") -> Any:
        """Open a file, at a place on it; what the page before did is forgotten."""
        self.found.clear()
        self.page.goto(path.as_uri() + place)
        return self.page

    def _asked(self, url: str) -> None:
        if not url.startswith(("file:", "data:", "blob:")):
            self.found.append(f"asked for {url}")
