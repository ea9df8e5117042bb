"""What a study may say, and the one frozen object that says it."""

from cbresearch.study.file import (
    EffectQuestion,
    Index,
    Indicator,
    Pairs,
    Policy,
    Report,
    Sampling,
    Source,
    StudyFile,
)
from cbresearch.study.lines import Lines
from cbresearch.study.open import find_workspace, open_study
from cbresearch.study.reads import SLICE, Columns, Reads, from_plain, plain, reads_of
from cbresearch.study.shapes import Polygon, Ring, Shape
from cbresearch.study.study import (
    EACH,
    OPENED,
    POINTS,
    Study,
    facility_columns,
    known_columns,
    outcome_column,
    reported_columns,
)

__all__ = [
    "EACH",
    "OPENED",
    "POINTS",
    "SLICE",
    "Columns",
    "EffectQuestion",
    "Index",
    "Indicator",
    "Lines",
    "Pairs",
    "Policy",
    "Polygon",
    "Reads",
    "Report",
    "Ring",
    "Sampling",
    "Shape",
    "Source",
    "Study",
    "StudyFile",
    "facility_columns",
    "find_workspace",
    "from_plain",
    "known_columns",
    "open_study",
    "outcome_column",
    "plain",
    "reads_of",
    "reported_columns",
]
