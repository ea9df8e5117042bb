"""From the folder one stands in to a checked study."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import ValidationError

from cbresearch.codebook import read_codebook
from cbresearch.errors import Fault, StudyError
from cbresearch.study.faults import reference_faults, shape_faults
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
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError(
            [Fault("study.toml", f"not valid TOML: {error}", "expected TOML 1.0, see https://toml.io")]
        ) from error
    codebook, faults = read_codebook(path.with_name("codebook.csv"), path.with_name("choices.csv"))
    lines = Lines(text)
    try:
        file = StudyFile.model_validate(raw)
    except ValidationError as error:
        faults = [*shape_faults(error, lines), *faults]
        raise StudyError(faults) from error
    study = Study(root, file, codebook)
    faults += list(reference_faults(study, lines))
    if faults:
        raise StudyError(faults)
    return study
