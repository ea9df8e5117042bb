"""What can go wrong with the use of cbresearch; faults in data are findings, not errors.

CbresearchError
├── StudyError       study.toml, codebook.csv or choices.csv: every fault at once, each with its line
├── SourceError      a raw file that cannot be read as what it says it is
├── BuildError       raw files that cannot become processed tables
├── ParameterError   a notebook parameter that does not exist or cannot hold that value
├── EstimateError    an estimator asked for something its data cannot give
└── PublishError     a run or a page that cannot be made
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class CbresearchError(Exception):
    """The root: whoever catches this catches every refusal of ours, and no bug."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: where it stands, what was found, what was expected, what to do."""

    where: str
    found: str
    expected: str
    near: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean '{self.near}'?" if self.near else ""
        return f"{self.where}: {self.found}; {self.expected}.{hint}"


class FaultsError(CbresearchError):
    """Several faults told together, so that one round of mending is enough."""

    heading = "Cannot go on"

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        count = len(self.faults)
        noun = "fault" if count == 1 else "faults"
        lines = "\n".join(f"  - {fault}" for fault in self.faults)
        super().__init__(f"{self.heading} ({count} {noun}):\n{lines}")


class StudyError(FaultsError):
    heading = "The study cannot be used as written"


class ParameterError(FaultsError):
    heading = "These parameters cannot be used"


class SourceError(CbresearchError):
    pass


class BuildError(CbresearchError):
    pass


class EstimateError(CbresearchError):
    pass


class PublishError(CbresearchError):
    pass


def nearest(name: str, known: Sequence[str]) -> str | None:
    """The known name most like `name`, or None when nothing is close."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return found[0] if found else None
