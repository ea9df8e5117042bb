"""Which modules notebooks need: learnt from those that ran, before the first run read from their import lines."""

from __future__ import annotations

import ast
import contextlib
import importlib
import io
import json
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2]


def learnt(known: frozenset[str]) -> list[str]:
    """Installed modules that this process has beyond those known, in the order of their import.

    Modules beside the notebooks are left to each notebook: they may change, and may do anything.
    """
    if len(sys.modules) == len(known):  # to look at each would copy the memory that it shares with its parent
        return []
    return [name for name, module in list(sys.modules.items()) if name not in known and _is_installed(module)]


def named_in(notebooks: Iterable[Path]) -> list[str]:
    """What the code cells of notebooks that never ran import by name, in order; modules beside them are left out."""
    found: dict[str, None] = {}
    for notebook in notebooks:
        beside = {path.stem for path in notebook.parent.iterdir()}
        found |= dict.fromkeys(name for name in _imports(notebook) if name.partition(".")[0] not in beside)
    return list(found)


def _imports(notebook: Path) -> Iterator[str]:
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        with contextlib.suppress(SyntaxError):  # a magic, or a mistake that is for the notebook to show
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                if isinstance(node, ast.Import):
                    yield from (alias.name for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    yield node.module
                    yield from (f"{node.module}.{alias.name}" for alias in node.names)


def load(names: Iterable[str]) -> None:
    """Import what is not there yet; what cannot be imported is left for the notebook to say."""
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # fmt: skip
        for name in names:
            if name not in sys.modules:
                with contextlib.suppress(Exception):
                    importlib.import_module(name)


def _is_installed(module: object) -> bool:
    spec = getattr(module, "__spec__", None)
    if spec is None or spec.name == "__main__":
        return False
    places = [spec.origin] if spec.origin else list(spec.submodule_search_locations or ())
    return all(place in {"built-in", "frozen"} or str(place).startswith(_roots()) for place in places)


@cache
def _roots() -> tuple[str, ...]:
    names = ("stdlib", "platstdlib", "purelib", "platlib")
    found = {sysconfig.get_path(name) for name in names} | {str(PACKAGE)}
    return tuple(os.path.join(path, "") for path in found if path)  # noqa: PTH118
