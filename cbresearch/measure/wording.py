"""Pieces of sentences: names in two languages, lists of them, chances that never read as certainty."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cbresearch.records import Text

Names = Mapping[str, Text]


def word(names: Names | None, code: str) -> Text:
    """How a code is called in a sentence: as `names` says, or as it is written."""
    return (names or {}).get(code, Text(code, code))


def listed(words: Sequence[Text]) -> Text:
    """甲、乙、丙 / a, b and c."""
    english = [item.en for item in words]
    said = f"{', '.join(english[:-1])} and {english[-1]}" if len(english) > 1 else "".join(english)
    return Text("、".join(item.zh for item in words), said)


def chance(p: float) -> Text:
    """A share of redraws, rounded down, so that none reads as certain or as more than it is."""
    if p > 0.99:
        return Text("99%以上", "over 99%")
    if p < 0.01:
        return Text("不到1%", "under 1%")
    # 0.29 * 100 is 28.999999999999996
    percent = f"{math.floor(p * 100 + 1e-9)}%"
    return Text(percent, percent)
