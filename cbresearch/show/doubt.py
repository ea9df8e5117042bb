"""The sentence about how far off the headline may be, from its standard error reckoned in several ways."""

from __future__ import annotations

from collections.abc import Sequence

from cbresearch.records import Released, Unanswered
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown, together
from cbresearch.show.tables import empty
from cbresearch.show.words import say, unanswered

REPORTED = "taylor"
REPLICATES = ("jackknife", "bootstrap")
KNOWING = "calibrated"


def doubt(page: Page, reckoned: Sequence[Released] | Unanswered) -> Shown:
    """What the standard error is by each way, what the design costs, what knowing the population saves.

    `reckoned` holds the measures "standard_error" and "design_effect", each with the part "reckoned".
    """
    if isinstance(reckoned, Unanswered):
        return unanswered(page, reckoned)
    at = {(r.measure, r.part("reckoned")): r for r in reckoned if is_shown(r)}
    errors = {way: at.get(("standard_error", way)) for way in (REPORTED, *REPLICATES, KNOWING)}
    effect, reported, knowing = at.get(("design_effect", REPORTED)), errors[REPORTED], errors[KNOWING]
    if reported is None or effect is None or effect.value is None:
        return empty(page)
    told = {way: error for way in REPLICATES if (error := errors[way]) is not None}
    parts = [
        say(
            page,
            f"doubt.reading.{'by_three' if len(told) == len(REPLICATES) else 'by_taylor'}",
            taylor=reported,
            **told,
        )
    ]
    parts.append(
        say(
            page,
            "doubt.reading.effect",
            x=effect,
            n=effect.n or 0,
            worth=round((effect.n or 0) / effect.value),
        )
    )
    if knowing is not None and knowing.value is not None and reported.value is not None:
        key = "saves" if knowing.value < reported.value else "costs"
        parts.append(say(page, f"doubt.reading.{key}", before=reported, after=knowing))
    return together(*parts)
