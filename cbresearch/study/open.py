"""From the folder one stands in to a checked study."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from cbresearch.codebook import read_codebook
from cbresearch.errors import Fault, StudyError
from cbresearch.study.faults import own_errors, reference_faults, shape_faults
from cbresearch.study.file import StudyFile
from cbresearch.study.lines import Lines
from cbresearch.study.study import Study


def find_workspace(start: Path | str = ".") -> Path:
    """The nearest folder at or above `start` that holds data/study.toml."""
    here = Path(start).resolve()
    for folder in (here, *here.parents):
        if (folder / "data" / "study.toml").is_file():
            return folder
    raise StudyError(
        [
            Fault(
                str(here),
                "no data/study.toml here or in any folder above",
                "run 'cbresearch new DIR' to make a workspace",
            )
        ]
    )


def open_study(start: Path | str = ".") -> Study:
    """The study of the workspace around `start`; StudyError lists everything wrong with it at once."""
    root = find_workspace(start)
    path = root / "data" / "study.toml"
    text = path.read_text(encoding="utf-8-sig")
    raw, lines = _parsed(text), Lines(text)
    codebook, faults = read_codebook(path.with_name("codebook.csv"), path.with_name("choices.csv"))
    file, misshapen = _shaped(raw, lines)
    faults = [*misshapen, *faults]
    if file is None:
        raise StudyError(faults)
    study = Study(root, file, codebook)
    faults += reference_faults(study, lines)
    if faults:
        raise StudyError(faults)
    return study


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        fault = Fault("study.toml", f"not valid TOML: {error}", "expected TOML 1.0, see https://toml.io")
        raise StudyError([fault]) from error


def _shaped(raw: dict[str, Any], lines: Lines) -> tuple[StudyFile | None, list[Fault]]:
    """What can be read of study.toml, with what is wrong with the rest; None where too little is left.

    Faulty keys are put aside so that everything else can still be checked in the same round.
    """
    try:
        return StudyFile.model_validate(raw), []
    except ValidationError as error:
        faults = list(shape_faults(error, lines))
        places = [item["loc"] for item in own_errors(error)]
    try:
        return StudyFile.model_validate(_without(raw, places)), faults
    except ValidationError:
        return None, faults


def _without(raw: dict[str, Any], places: Sequence[tuple[int | str, ...]]) -> dict[str, Any]:
    """A copy without the keys at these places; list items stay, so that lines are still found."""
    copy = deepcopy(raw)
    for place in places:
        holder: Any = copy
        for part in place[:-1]:
            known = isinstance(holder, dict) and part in holder
            holder = holder[part] if known or (isinstance(holder, list) and isinstance(part, int)) else None
        if isinstance(holder, dict):
            holder.pop(place[-1], None)
    return copy
