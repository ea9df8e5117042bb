"""The sample study: a seeded district that agrees with every published figure of Chengbei, drawn as messy raw files."""

from __future__ import annotations

from cbresearch.chengbei.facts import FACTS, Facts
from cbresearch.chengbei.write import draw

__all__ = ["FACTS", "Facts", "draw"]
