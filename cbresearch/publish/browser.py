"""The Chrome, Edge or Chromium of this machine: what prints pages and looks at them."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path, PureWindowsPath

from cbresearch.errors import PublishError

NAMED = "CBRESEARCH_BROWSER"
"""Environment variable that names the browser where several are there, or where it lies elsewhere."""
COMMANDS = (
    "chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge",
    "microsoft-edge-stable", "msedge",
)  # fmt: skip
ON_MACOS = (
    "Google Chrome.app/Contents/MacOS/Google Chrome",
    "Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    "Chromium.app/Contents/MacOS/Chromium",
)
ON_WINDOWS = (
    r"Google\Chrome\Application\chrome.exe",
    r"Microsoft\Edge\Application\msedge.exe",
    r"Chromium\Application\chrome.exe",
)
QUIET = (
    "--headless", "--disable-gpu", "--disable-extensions", "--disable-component-update", "--disable-sync",
    "--disable-background-networking", "--no-first-run", "--no-default-browser-check", "--disable-quic", "--hide-scrollbars",
)  # fmt: skip
"""No window, nothing fetched, nothing of the user's own profile."""


def find_browser() -> Path:
    """Where the browser lies; PublishError says what to install where there is none.

    First the one that CBRESEARCH_BROWSER names, then those on the path, then those in the usual places of
    macOS and Windows. Edge comes with Windows.
    """
    if named := os.environ.get(NAMED):
        found = shutil.which(named)
        if found is None:
            raise PublishError(
                f"{NAMED} names '{named}', which is no program here. Name the Chrome, Edge or Chromium to use."
            )
        return Path(found)
    for place in places():
        if there := shutil.which(place):
            return Path(there)
    raise PublishError(
        "No Chrome, Edge or Chromium was found, and pages are printed by one. Install one of them "
        f"(on Debian: apt install chromium), or name it in {NAMED}."
    )


def places(platform: str = sys.platform) -> Iterator[str]:
    """Commands and paths at which a browser may lie, the likeliest first."""
    yield from COMMANDS
    if platform == "darwin":
        for root in ("/Applications", f"{Path.home()}/Applications"):
            yield from (f"{root}/{path}" for path in ON_MACOS)
    if platform == "win32":
        for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
            if folder := os.environ.get(variable):
                yield from (str(PureWindowsPath(folder) / path) for path in ON_WINDOWS)


def flags() -> list[str]:
    """How the browser is started. A superuser's has no sandbox, which Chromium would otherwise refuse to do without."""
    as_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return [*QUIET, *(["--no-sandbox"] if as_root else [])]
