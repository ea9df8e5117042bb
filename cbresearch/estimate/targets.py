"""Whether a target is met, when the figure it is held against has its doubt."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from cbresearch.records import Released

TargetVerdict = Literal["met", "not met", "cannot tell"]


def judge(released: Released, at_least: float) -> TargetVerdict:
    """ "met" when the whole interval is at or above the target, "not met" when all of it is below.

    A figure of the ledger has no interval and is compared as it is. A held-back figure, and an estimate
    whose interval could not be had, leave the question open.
    """
    if released.value is None:
        return "cannot tell"
    is_sampled = released.se is not None
    low = released.low if is_sampled else released.value
    high = released.high if is_sampled else released.value
    if low is None or high is None:
        return "cannot tell"
    if low >= at_least:
        return "met"
    return "not met" if high < at_least else "cannot tell"


def judged(released: Released, at_least: float) -> Released:
    """The same record with its target and verdict among the parts of its group."""
    verdict = judge(released, at_least)
    return replace(released, group=(*released.group, ("target", f"{at_least:g}"), ("verdict", verdict)))
