"""Sentences about payment: who could and would pay, how much of what they could."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Released, Unanswered
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown
from cbresearch.show.tables import empty
from cbresearch.show.words import say, unanswered

Answer = Sequence[Released] | Unanswered


def free_or_paid(page: Page, shares: Answer) -> Shown:
    """The headline: who would pay something, who could and would not, who could pay nothing."""
    if isinstance(shares, Unanswered):
        return unanswered(page, shares)
    by_answer = {record.part("answer") or "": record for record in shares}
    return say(page, "payment.headline.free_or_paid", **by_answer)


def amounts(page: Page, could: Answer, would: Answer, ratio: Answer) -> Shown:
    """What those who could pay something could and would, in the middle, and how far the sums go together.

    Each is told by group, everybody last.
    """
    told: dict[str, Released] = {}
    for name, answer in (("could", could), ("would", would), ("ratio", ratio)):
        if isinstance(answer, Unanswered):
            return unanswered(page, answer)
        if not answer:
            return empty(page)
        told[name] = answer[-1]
    return say(page, "payment.reading.amounts", **told)
