"""Who may import whom, read from the real imports of every module."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "cbresearch"
MODULES = sorted(PACKAGE.rglob("*.py"))
FOUNDATION = {"errors", "records", "codebook", "study"}

# room -> rooms and modules of ours that it may import
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "records": set(),
    "codebook": {"errors", "records"},
    "study": {"errors", "records", "codebook"},
    "workspace": {"errors", "chengbei"},
    "notebook": {*FOUNDATION, "publish"},
    "checks": {*FOUNDATION, "survey"},
    "build": {*FOUNDATION, "survey", "measure"},
    "sampling": {"errors", "records"},
    "survey": {*FOUNDATION, "sampling", "workspace"},
    "measure": {*FOUNDATION, "sampling"},
    "estimate": {*FOUNDATION, "sampling", "measure"},
    "show": FOUNDATION,
    "publish": FOUNDATION,
    "chengbei": FOUNDATION,
    "cli": {*FOUNDATION, "workspace", "checks", "build", "survey", "publish"},
    "__main__": {"cli"},
    "__init__": set(),
}
# package -> the only places that may import it
KEEPERS: dict[str, str | tuple[str, ...]] = {
    "papermill": "publish/",
    "nbconvert": "publish/render.py",
    "statsmodels": "estimate/",
    "seaborn": "show/",
    "matplotlib": ("show/", "publish/warm/figures.py"),  # the latter draws an empty figure before any fork
    "distributed": ("publish/cluster.py", "publish/cluster_work.py"),
    "fsspec": ("publish/cluster.py", "publish/cluster_work.py"),
    "typer": "cli.py",
    "rich": ("cli.py", "publish/diff_table.py"),
    "zhplot": "nowhere: its font file is read, its code is not",
}


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
            assert node.level == 0, f"{path} imports by dots; write the whole name"


def room_of(path: Path) -> str:
    inside = path.relative_to(PACKAGE)
    return inside.parts[0] if len(inside.parts) > 1 else inside.stem


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_room_imports_only_what_it_may(path: Path) -> None:
    room = room_of(path)
    ours = {name.split(".")[1] for name in imports_of(path) if name.startswith("cbresearch.")}
    forbidden = ours - ALLOWED[room] - {room, "__version__"}
    assert not forbidden, f"{room} may not import {sorted(forbidden)}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_library_is_imported_only_by_its_keeper(path: Path) -> None:
    inside = path.relative_to(PACKAGE).as_posix()
    for name in imports_of(path):
        keeper = KEEPERS.get(name.split(".")[0])
        assert keeper is None or inside.startswith(keeper), f"{inside} imports {name}; only {keeper} may"


def test_every_room_is_listed() -> None:
    assert {room_of(path) for path in MODULES} <= set(ALLOWED)


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys, cbresearch, cbresearch.cli;"
        "heavy = {'pandas', 'numpy', 'matplotlib', 'statsmodels', 'papermill', 'nbconvert', 'pydantic', 'scipy'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert loaded == "[]"
