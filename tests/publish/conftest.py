"""A workspace small enough to read, built as far as publish looks."""

from __future__ import annotations

from pathlib import Path

import pytest
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
