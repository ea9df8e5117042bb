"""The first line of a notebook: its study, once its parameters are known to be good ones."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence

from cbresearch.errors import ParameterError
from cbresearch.publish.parameters import faults_in
from cbresearch.publish.plan import areas_of
from cbresearch.study import Study, open_study

KINDS: dict[str, type] = {"lang": str, "area": str, "wave": int}
"""Every parameter that a notebook of ours may declare."""

INJECTED = "# Parameters\n"
"""How papermill begins the cell that it adds."""


def begin(names: Mapping[str, object]) -> Study:
    """Open the study around the notebook; ParameterError when a parameter is misspelt or out of range.

    `names` is the notebook's `globals()`. Papermill only warns of a parameter it does not know,
    then runs with the default; here the cell it injected is read again, so that `aera=…` stops
    the notebook instead of reporting the wrong community.
    """
    study = open_study()
    cells = [str(cell) for cell in _sequence(names.get("In")) if str(cell).strip()]
    declared = {name: KINDS[name] for name in _assigned(cells[:1]) if name in KINDS}
    asked = _assigned(cell for cell in cells if cell.startswith(INJECTED))
    given = {name: names[name] for name in dict.fromkeys((*declared, *asked)) if name in names}
    faults = faults_in(declared, given, areas=codes_of(study), waves=study.waves, languages=study.languages)
    if faults:
        raise ParameterError(faults)
    return study


def codes_of(study: Study) -> tuple[str, ...]:
    """The codes of the areas found in the built tables, in the codebook's order where it lists them."""
    return tuple(area.code for area in areas_of(study))


def chosen_area(study: Study, area: str) -> str:
    """The area a notebook reports on: the one named, or the first one when it is opened by hand."""
    return area or codes_of(study)[0]


def _sequence(cells: object) -> Sequence[object]:
    return cells if isinstance(cells, list | tuple) else ()


def _assigned(cells: Iterable[str]) -> list[str]:
    nodes = (node for cell in cells for node in ast.walk(ast.parse(cell)))
    return [node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
