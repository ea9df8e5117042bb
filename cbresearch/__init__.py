"""cbresearch: from a questionnaire export and a district's ledgers to findings one may act on.

The verbs, in the order of the flow; each is imported when first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_VERBS = {
    "new": "cbresearch.workspace",
    "adopt": "cbresearch.survey.adopt",
    "check": "cbresearch.checks",
    "open_study": "cbresearch.study",
    "build": "cbresearch.build",
    "run": "cbresearch.publish.run",
}

__all__ = ["__version__", "adopt", "build", "check", "new", "open_study", "run"]


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'cbresearch' has no attribute '{name}'")
