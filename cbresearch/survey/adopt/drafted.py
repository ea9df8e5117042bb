"""What was made of a column: a question, its answers, the guesses behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from cbresearch.codebook import Choice, Question
from cbresearch.records import Text
from cbresearch.survey.adopt.personal import Personal
from cbresearch.survey.adopt.rated import Rated


@dataclass(frozen=True, slots=True)
class Guess:
    """One thing that was decided about a column, why, and how sure that is (0 to 1)."""

    column: str
    what: str
    why: str
    confidence: float


@dataclass(frozen=True)
class Drafted:
    """The question that a heading became, with its answers and the guesses behind them."""

    heading: str
    question: Question
    choices: tuple[Choice, ...] = ()
    guesses: tuple[Guess, ...] = ()

    @property
    def is_rated(self) -> bool:
        """Recognised as an item of a scale, whether or not it is in one yet."""
        return any(guess.what.startswith("rated ") for guess in self.guesses)


@dataclass(frozen=True)
class Seen:
    """What the file as a whole tells about its columns."""

    key: str | None = None
    rated: Mapping[str, Rated] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    personal: Mapping[str, Personal] = field(default_factory=dict)
    places: frozenset[str] = frozenset()
    """Areas and strata: places, whatever their cells look like."""
    cluster: str | None = None
    weight: str | None = None


@dataclass(frozen=True)
class DraftedScale:
    """A scale of the study: items that share their answers."""

    name: str
    label: Text
    minimum_answered: int
