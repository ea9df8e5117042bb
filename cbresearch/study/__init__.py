"""What a study may say, and the one frozen object that says it."""

from cbresearch.study.file import Indicator, Report, Sampling, Source, StudyFile
from cbresearch.study.lines import Lines
from cbresearch.study.open import find_workspace, open_study
from cbresearch.study.study import (
    EACH,
    OPENED,
    POINTS,
    Study,
    facility_columns,
    known_columns,
    reported_columns,
)

__all__ = [
    "EACH",
    "OPENED",
    "POINTS",
    "Indicator",
    "Lines",
    "Report",
    "Sampling",
    "Source",
    "Study",
    "StudyFile",
    "facility_columns",
    "find_workspace",
    "known_columns",
    "open_study",
    "reported_columns",
]
