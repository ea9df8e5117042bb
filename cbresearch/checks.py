"""Everything wrong with a study, told before anything runs."""

from __future__ import annotations

from pathlib import Path

from cbresearch.codebook import read_codebook
from cbresearch.errors import Fault, StudyError
from cbresearch.study import Study, find_workspace, open_study
from cbresearch.survey import relevance


def check(start: Path | str = ".") -> Study:
    """The study of the workspace around `start`, when nothing is wrong with it.

    StudyError lists at once what is wrong with study.toml, with the codebook and choices, with the
    files that they name, and with the conditions under which questions are asked.
    """
    root = find_workspace(start)
    codebook, _ = read_codebook(root / "data" / "codebook.csv", root / "data" / "choices.csv")
    faults: list[Fault] = relevance.check(codebook)
    try:
        study = open_study(root)
    except StudyError as error:
        raise StudyError([*error.faults, *faults]) from error
    if faults:
        raise StudyError(faults)
    return study
