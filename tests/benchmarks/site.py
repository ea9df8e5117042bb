"""The index of 10,000 reports in a browser, from its file: `python -P tests/benchmarks/site.py [--reports 10000]`.

Prints the size of the file, how long it takes to open, to search and to compare two communities, on this machine's
Chromium with the network cut; exit code 1 when a search takes longer than a second, opening longer than five,
or the file is larger than 3 MB.
"""

from __future__ import annotations

import argparse
import importlib.util
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from cbresearch.publish.browser import find_browser, flags

MOST_SECONDS = {"open": 5.0, "search": 1.0, "order": 1.0, "compare": 0.5}
MOST_MEGABYTES = 3.0


def index_of(folder: Path, reports: int) -> Path:
    spec = importlib.util.spec_from_file_location("uptodate", Path(__file__).with_name("uptodate.py"))
    assert spec and spec.loader
    uptodate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(uptodate)
    study = uptodate.make(folder, reports)
    uptodate.publish(study)
    return Path(study.reports / "index.html")


def timed(act: Callable[[], Any]) -> float:
    start = time.perf_counter()
    act()
    return time.perf_counter() - start


def looked_at(index: Path) -> dict[str, float]:
    """Seconds for what a reader does, each until the page has changed."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(find_browser()), args=flags())
        page = browser.new_page(offline=True)
        took = {"open": timed(lambda: page.goto(index.as_uri() + "#zh"))}
        shown = page.locator("#zh ul.reports li:visible")
        took["search"] = timed(lambda: page.locator("#find-zh").fill("第777社区"))
        assert 0 < shown.count() < 50, shown.count()
        page.locator("#find-zh").fill("")
        took["order"] = timed(lambda: page.locator("#sort-zh").select_option("name"))
        took["compare"] = timed(lambda: page.locator("#two-zh").select_option("9"))
        assert "61.5" in page.locator("#zh .compare tbody").inner_text()
        browser.close()
    return took


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--reports", type=int, default=10_000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        index = index_of(Path(folder), asked.reports)
        megabytes = index.stat().st_size / 1e6
        took = looked_at(index)
    print(f"index.html of {asked.reports:,} reports: {megabytes:.1f} MB (at most {MOST_MEGABYTES:.1f})")
    for name, seconds in took.items():
        print(f"  {name:8} {seconds:5.2f} s (at most {MOST_SECONDS[name]:.1f})")
    return int(
        megabytes > MOST_MEGABYTES or any(seconds > MOST_SECONDS[name] for name, seconds in took.items())
    )


if __name__ == "__main__":
    sys.exit(main())
