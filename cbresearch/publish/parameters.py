"""What a notebook may be told, read from its `parameters` cell without running it."""

from __future__ import annotations

import ast
import json
import keyword
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cbresearch.errors import Fault, ParameterError, nearest
from cbresearch.study import Study

Plain = str | int | float | bool
PLAIN: tuple[type, ...] = (bool, int, float, str)
"""The only kinds of value that reach a notebook; anything else could carry code."""

NAMES_OF_TYPES = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
WORDS_FOR_BOOLS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
ALL_AREAS, LAST_WAVE, STUDY_LANGUAGE = "", 0, ""


@dataclass(frozen=True, slots=True)
class Declared:
    """One parameter as a notebook declares it; `default` is None where it is not a plain literal."""

    name: str
    type: type
    default: Plain | None


@dataclass(frozen=True, slots=True)
class Choices:
    """The values that one of the study's own parameters may take, with one that is always allowed."""

    noun: str
    listed: Collection[object]
    """Tens of thousands of communities should come as the keys of a dictionary."""
    also: object = None


def declared_in(notebook: Path) -> dict[str, Declared]:
    """The parameters of one notebook, in order, from the first code cell tagged `parameters`.

    The type is the annotation's where there is one (`wave: int = 0`), else the default's. A name
    whose type is none of str, int, float and bool is listed with type `object`; it cannot be given.
    A notebook without such a cell declares nothing.
    """
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ParameterError(
            [
                Fault(
                    notebook.name,
                    f"cannot be read as a notebook: {error}",
                    "expected a Jupyter notebook, format 4",
                )
            ]
        ) from error
    for cell in cells:
        if cell.get("cell_type") == "code" and "parameters" in cell.get("metadata", {}).get("tags", []):
            return declared_by(_source(cell), where=notebook.name)
    return {}


def declared_by(source: str, *, where: str) -> dict[str, Declared]:
    """The parameters that one cell's source declares; `where` names the notebook in the error."""
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        raise ParameterError(
            [
                Fault(
                    where,
                    f"its parameters cell is not Python: {error.msg}, line {error.lineno}",
                    "expected lines such as wave: int = 0",
                )
            ]
        ) from error
    return {declared.name: declared for statement in tree.body for declared in _declarations(statement)}


def faults_in(
    declared: Mapping[str, type],
    given: Mapping[str, object],
    *,
    areas: Collection[str],
    waves: Sequence[int],
    languages: Sequence[str],
) -> list[Fault]:
    """Everything wrong with `given`, names and values alike; empty when a notebook may start.

    `area = ""`, `wave = 0` and `lang = ""` stand for the whole district, the last wave and the study's
    first language, so they always pass.
    """
    choices = {
        "area": Choices("community", areas, also=ALL_AREAS),
        "wave": Choices("wave", waves, also=LAST_WAVE),
        "lang": Choices("language", languages, also=STUDY_LANGUAGE),
    }
    faults: list[Fault] = []
    for name, value in given.items():
        faults.extend(
            _name_faults(name, declared)
            or _type_faults(name, value, declared[name])
            or _choice_faults(name, value, choices.get(name))
        )
    return faults


def check_parameters(
    notebook: Path, given: Mapping[str, object], study: Study, *, areas: Sequence[str] = ()
) -> dict[str, Plain]:
    """The values to hand to one notebook, each in its declared type.

    Text from a command line becomes the declared type where it can ("2008" a year, "true" a bool).
    ParameterError lists every fault at once. Areas are the codebook's answers to the study's area
    question, else `areas`.
    """
    return checked(declared_in(notebook), given, study, where=notebook.stem, areas=areas)


def checked(
    declared: Mapping[str, Declared],
    given: Mapping[str, object],
    study: Study,
    *,
    where: str,
    areas: Collection[str] = (),
) -> dict[str, Plain]:
    """The same for a notebook that was read already; `where` names it in the error."""
    types = {name: one.type for name, one in declared.items()}
    values = {name: coerced(value, types.get(name, object)) for name, value in given.items()}
    listed = study.answers(study.area) if study.area else {}
    faults = faults_in(types, values, areas=listed or areas, waves=study.waves, languages=study.languages)
    if faults:
        raise ParameterError([Fault(f"{where}, {f.where}", f.found, f.expected, f.near) for f in faults])
    return {name: value for name, value in values.items() if isinstance(value, (str, int, float))}


def coerced(value: object, wanted: type) -> object:
    """`value` in the declared type where nothing is lost by it, else as it came."""
    if wanted is float and type(value) is int:
        return float(value)
    if wanted is str and type(value) is int:
        return str(value)
    if not isinstance(value, str) or wanted is str:
        return value
    if wanted is bool:
        return WORDS_FOR_BOOLS.get(value.strip().casefold(), value)
    if wanted in (int, float):
        try:
            return wanted(value)
        except ValueError:
            return value
    return value


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _declarations(statement: ast.stmt) -> Iterator[Declared]:
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        default = _literal(statement.value)
        yield Declared(statement.target.id, _annotated(statement.annotation) or _type_of(default), default)
    elif isinstance(statement, ast.Assign):
        default = _literal(statement.value)
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield Declared(target.id, _type_of(default), default)


def _literal(node: ast.expr | None) -> Plain | None:
    try:
        value = ast.literal_eval(node) if node is not None else None
    except (ValueError, TypeError):
        return None
    return value if type(value) in PLAIN else None


def _type_of(default: Plain | None) -> type:
    return object if default is None else type(default)


def _annotated(annotation: ast.expr) -> type | None:
    """The plain type that an annotation names, also in `int | None`, `Optional[int]` or quotes."""
    text = annotation.value if isinstance(annotation, ast.Constant) else ast.unparse(annotation)
    words = str(text).replace("Optional[", " ").replace("]", " ").replace("|", " ").split()
    plain = {kind.__name__: kind for kind in PLAIN}
    named = [word for word in words if word != "None"]
    return plain.get(named[0]) if len(named) == 1 else None


def _name_faults(name: str, declared: Mapping[str, type]) -> list[Fault]:
    if not name.isidentifier() or keyword.iskeyword(name):
        return [
            Fault(
                f"parameter {name!r}", "not a name", "expected letters, digits and underscores, such as wave"
            )
        ]
    if name not in declared:
        known = ", ".join(declared) or "none"
        return [
            Fault(
                f"parameter '{name}'",
                "the notebook does not declare it",
                f"it declares {known}",
                nearest(name, list(declared)),
            )
        ]
    return []


def _type_faults(name: str, value: object, wanted: type) -> list[Fault]:
    where = f"parameter '{name}'"
    if wanted not in PLAIN:
        return [
            Fault(
                where, "its type is not plain", "only text, numbers, true and false can be given from outside"
            )
        ]
    # exact types: a subclass of str may bring its own __str__, which papermill would write as code
    if type(value) is not wanted and not (wanted is float and type(value) is int):
        return [Fault(where, f"found {value!r}", f"expected {NAMES_OF_TYPES[wanted]}")]
    if isinstance(value, float) and not math.isfinite(value):
        return [Fault(where, f"found {value!r}", "expected a finite number")]
    return []


def _choice_faults(name: str, value: object, choices: Choices | None) -> list[Fault]:
    if choices is None or value == choices.also or value in choices.listed:
        return []
    texts = [str(choice) for choice in choices.listed]
    return [
        Fault(
            f"parameter '{name}'",
            f"no {choices.noun} '{value}' in the study",
            f"expected {some_of(texts)}",
            nearest(str(value), texts),
        )
    ]


def some_of(texts: Sequence[str], most: int = 12) -> str:
    """A list that stays readable in an error: the first few, then how many more."""
    more = f" and {len(texts) - most} more" if len(texts) > most else ""
    return (", ".join(texts[:most]) + more) or "none"
