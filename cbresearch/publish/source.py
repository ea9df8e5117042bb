"""A notebook as its author left it: the code that makes the numbers, and the prose around it."""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ADDED = "injected-parameters"
LENGTH = 16


@dataclass(frozen=True, slots=True)
class Source:
    """`code` is a hash of all that can change a number, `whole` of all that a page may show.

    `text` is the notebook without outputs, as it travels to where a page is made.
    """

    code: str
    whole: str
    text: str


def read_source(path: Path) -> Source:
    """Outputs, cell ids and how the notebook was saved do not matter; kind, tags and text of its cells do."""
    cells = [
        {
            "cell_type": cell["cell_type"],
            "id": cell.get("id", f"cell-{number}"),
            "metadata": cell.get("metadata", {}),
            "source": _joined(cell.get("source", "")),
        }
        for number, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"])
    ]
    code = [(_tags(cell), normal(cell["source"])) for cell in cells if is_code(cell)]
    whole = [(cell["cell_type"], _tags(cell), cell["source"]) for cell in cells]
    return Source(_hash(code), _hash(whole), json.dumps(cells, ensure_ascii=False))


def normal(code: str) -> str:
    """The code without blanks at line ends, unless they are part of a text that it holds."""
    bare = "\n".join(line.rstrip() for line in code.splitlines()).strip("\n")
    try:
        same = ast.dump(ast.parse(bare)) == ast.dump(ast.parse(code))
    except (SyntaxError, ValueError):  # a magic line, which only IPython reads
        same = False
    return bare if same else code


def is_code(cell: Any) -> bool:
    """Whether a cell does anything; an empty one does not."""
    return cell["cell_type"] == "code" and bool(_joined(cell["source"]).strip())


def with_prose_of(text: str, executed: Any) -> Any:
    """The executed notebook as if its source of now had been run: the new prose, and what came of the same code.

    ValueError where it did not run this code.
    """
    run = [cell for cell in executed.cells if is_code(cell)]
    added = [cell for cell in run if ADDED in _tags(cell)]
    ran = iter([cell for cell in run if cell not in added])
    cells: list[Any] = []
    for cell in map(_node, json.loads(text)):
        if is_code(cell):
            before = next(ran, None)
            if before is None or normal(before.source) != normal(cell.source):
                raise ValueError("the executed notebook ran other code than its source has now")
            cell.outputs, cell.execution_count = before.outputs, before.execution_count
        cells.append(cell)
        if "parameters" in _tags(cell):
            cells.extend(added)
            added = []
    if next(ran, None) is not None:
        raise ValueError("the executed notebook ran more code than its source has now")
    executed.cells = added + cells
    return executed


def _node(cell: dict[str, Any]) -> Any:
    import nbformat

    more: dict[str, Any] = {"outputs": [], "execution_count": None} if cell["cell_type"] == "code" else {}
    return nbformat.from_dict(cell | more)


def _tags(cell: Any) -> list[str]:
    return sorted(cell.get("metadata", {}).get("tags", []))


def _joined(source: str | list[str]) -> str:
    return source if isinstance(source, str) else "".join(source)


def _hash(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, ensure_ascii=False).encode()).hexdigest()[:LENGTH]
