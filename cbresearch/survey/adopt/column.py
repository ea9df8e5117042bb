"""What can be said about one column before anybody has said what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import pandas as pd

from cbresearch.survey.sources.raw import Raw

BLANKS = frozenset({"na", "n/a", "#n/a", "nan", "null", "none", ".", "-", "--", "/", "(空)", "(跳过)"})
"""Texts that stand for an empty cell in exports; `cbresearch build` reads them so too."""

_NUMBER = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)")


@dataclass(frozen=True, eq=False)
class Column:
    """One column of a raw file: its name, what the file calls it, how often each text occurs.

    `counts` maps each text found to its number of rows, blanks and "NA" left out; `rows` counts all
    rows that hold anything at all.
    """

    name: str
    label: str
    rows: int
    counts: Mapping[str, int]
    labels: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def answered(self) -> int:
        return sum(self.counts.values())

    @property
    def distinct(self) -> int:
        return len(self.counts)

    @property
    def words(self) -> str:
        """Name and label in one string, to look for hints in."""
        return f"{self.name} {self.label}"

    @cached_property
    def numbers(self) -> Mapping[str, float]:
        """The texts that are plain numbers, with their value; '007' is no number but an identifier."""
        found = {text: float(text) for text in self.counts if _NUMBER.fullmatch(text)}
        padded = any(re.match(r"[-+]?0\d", text) for text in found)
        return {} if padded else found

    @cached_property
    def is_number(self) -> bool:
        """Nearly every cell is a number; a few slips of typing do not change that."""
        numeric = sum(self.counts[text] for text in self.numbers)
        return self.answered > 0 and numeric >= 0.98 * self.answered

    @cached_property
    def is_whole(self) -> bool:
        return self.is_number and all(value.is_integer() for value in self.numbers.values())

    @cached_property
    def is_unique(self) -> bool:
        return self.rows > 1 and self.answered == self.rows == self.distinct

    @cached_property
    def values(self) -> tuple[float, ...]:
        """The distinct numbers, in order."""
        return tuple(sorted(set(self.numbers.values())))

    @cached_property
    def mean(self) -> float:
        total = sum(self.counts[text] for text in self.numbers)
        return (
            sum(self.counts[text] * value for text, value in self.numbers.items()) / total
            if total
            else float("nan")
        )

    def share(self, texts: Sequence[str]) -> float:
        """Share of the answered rows that hold one of these texts."""
        return sum(self.counts.get(text, 0) for text in texts) / self.answered if self.answered else 0.0


def columns_of(raws: Sequence[Raw]) -> tuple[tuple[Column, ...], pd.DataFrame]:
    """Every column of one or more files of the same survey, with their rows one below the other."""
    cells = raws[0].frame if len(raws) == 1 else pd.concat([raw.frame for raw in raws], ignore_index=True)
    labels = {name: label for raw in reversed(raws) for name, label in raw.headings.items()}
    listed = {name: codes for raw in reversed(raws) for name, codes in raw.value_labels.items()}
    blank_rows = int(cells.isna().all(axis=1).sum())
    return (
        tuple(
            Column(
                str(name),
                plain_label(labels.get(str(name), str(name))),
                len(cells) - blank_rows,
                _counts(cells[name], listed.get(str(name), {})),
                listed.get(str(name), {}),
            )
            for name in cells.columns
        ),
        cells,
    )


def _counts(cells: pd.Series, labels: Mapping[str, str]) -> dict[str, int]:
    counts = {str(text): int(count) for text, count in cells.value_counts().items()}
    return {
        text: count
        for text, count in counts.items()
        if text in labels or text.strip().casefold() not in BLANKS
    }


def plain_label(text: str) -> str:
    """A label without markup, line breaks or a platform's question number before it."""
    bare = re.sub(r"\s+", " ", re.sub(r"<[^<>]{1,40}>", "", text)).strip()
    return re.sub(r"^\d{1,3}[、.．]\s*(?=\D)", "", bare) or text
