"""A workspace small enough to read, built as far as publish looks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from browser_page import Watched, reading, running_browser
from tiny_workspace import make_workspace

from cbresearch.publish.keys import Inputs
from cbresearch.study import Study, open_study


@pytest.fixture(autouse=True, scope="session")
def one_package() -> None:
    """The package's own source may be edited while tests run; that is not what they are about."""
    patch = pytest.MonkeyPatch()
    patch.setattr(Inputs, "package", "package")
    patch.setattr(Inputs, "template", "template")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_workspace(tmp_path)


@pytest.fixture
def study(root: Path) -> Study:
    return open_study(root)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """The machine's browser under playwright, which holds the thread's event loop: not longer than a module."""
    with running_browser() as opened:
        yield opened


@pytest.fixture
def reader(browser: Any) -> Iterator[Watched]:
    """Somebody at a desk who opens pages with the network cut."""
    with reading(browser) as watched:
        yield watched


@pytest.fixture
def page(reader: Watched) -> Any:
    """The reader's page, for tests that need not know what it did."""
    return reader.page
