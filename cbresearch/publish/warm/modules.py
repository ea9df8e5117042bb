"""Which modules a notebook turned out to need, learnt from those that ran, imported before the next one runs."""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import sys
import sysconfig
import warnings
from collections.abc import Iterable
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
