"""The first line of a notebook: its study, once its parameters are known to be good ones."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence

from cbresearch.errors import ParameterError
from cbresearch.publish.parameters import faults_in
from cbresearch.study import Study, open_study

DECLARED: dict[str, type] = {"lang": str, "area": str, "wave": int}
"""Every parameter that a notebook of ours may take."""


def begin(names: Mapping[str, object]) -> Study:
    """Open the study around the notebook; ParameterError when a parameter is misspelt or out of range.

    `names` is the notebook's `globals()`. Papermill only warns of a parameter it does not know,
    then runs with the default; here the cell it injected is read again, so that `aera=…` stops
    the notebook instead of reporting the wrong community.
    """
    study = open_study()
    given = {name: names[name] for name in DECLARED if name in names}
    given |= dict.fromkeys(_injected(names.get("In", ())), "") | given
    declared = {name: kind for name, kind in DECLARED.items() if name in _parameters_cell(names.get("In", ())) or name in given}
    faults = faults_in(declared, given, areas=areas_of(study), waves=study.waves, languages=study.languages)
    if faults:
        raise ParameterError(faults)
    return study


def areas_of(study: Study) -> tuple[str, ...]:
    """The areas that appear in the built tables, in the codebook's order where it lists them."""
    if study.area is None:
        return ()
    present = set(study.residents()[study.area].dropna().astype(str))
    listed = [choice.code for choice in study.codebook.choices_of(study.area)]
    return (*(code for code in listed if code in present), *sorted(present - set(listed)))


def chosen_area(study: Study, area: str) -> str:
    """The area a notebook reports on: the one named, or the first one when it is opened by hand."""
    return area or areas_of(study)[0]


def chosen_wave(study: Study, wave: int) -> int:
    """The wave a notebook reports on: the one named, or the last one for 0."""
    return wave or max(study.waves)


def _injected(cells: object) -> Iterator[str]:
    for source in cells if isinstance(cells, Sequence) else ():
        if str(source).startswith("# Parameters\n"):
            yield from _assigned(str(source))


def _parameters_cell(cells: object) -> list[str]:
    sources = [str(source) for source in cells if str(source).strip()] if isinstance(cells, Sequence) else []
    return list(_assigned(sources[0])) if sources else []


def _assigned(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
