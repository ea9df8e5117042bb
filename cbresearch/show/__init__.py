"""From released numbers to figures, tables, sentences, each in Chinese and English."""

from __future__ import annotations

from cbresearch.show.accounts import based_on, headline, level, panels, quoted, received, scores
from cbresearch.show.areas import areas
from cbresearch.show.bars import bars
from cbresearch.show.before_after import before_after
from cbresearch.show.causes import (
    headline_of_effects,
    reading_of_effect,
    readings_of_effects,
    title_of_effects,
    verdicts_of_methods,
)
from cbresearch.show.coefficients import coefficients
from cbresearch.show.curve import curve, curves
from cbresearch.show.differing import differing, tests, title_of_differing
from cbresearch.show.dots import dots
from cbresearch.show.doubt import doubt
from cbresearch.show.events import events
from cbresearch.show.flow import flow
from cbresearch.show.gaps import gaps, title_of_first, title_of_gaps
from cbresearch.show.likert import likert, title_of_answers
from cbresearch.show.lines import waves
from cbresearch.show.missing import missing_map
from cbresearch.show.page import Page, page
from cbresearch.show.payment import amounts, free_or_paid
from cbresearch.show.plane import plane, title_of_plane
from cbresearch.show.policy import (
    bends,
    bounds,
    headline_of_policy,
    pairs,
    reached,
    reading_of_events,
    reading_of_methods,
    reading_of_pretrend,
    reading_of_reach,
    title_of_events,
    title_of_policy,
)
from cbresearch.show.published import against_published, agreement, published
from cbresearch.show.readings import (
    best_and_worst,
    change,
    changes,
    compared,
    first_and_last,
    spread,
    title_of,
    title_of_differences,
    title_of_waves,
    verdict,
    verdicts,
)
from cbresearch.show.record_of_build import faults, ledger
from cbresearch.show.rows import as_given, by_value
from cbresearch.show.scorecard import scorecard
from cbresearch.show.shown import Shown, together
from cbresearch.show.tables import cross, table
from cbresearch.show.words import compose, say, unanswered

__all__ = [
    "Page", "Shown", "against_published", "agreement", "amounts", "areas", "as_given", "bars", "based_on", "before_after", "bends",
    "best_and_worst", "bounds", "by_value", "change", "changes", "coefficients", "compared", "compose", "cross", "curve", "curves", "differing", "dots",
    "doubt", "events", "faults", "first_and_last", "flow", "free_or_paid", "gaps", "headline", "headline_of_effects", "headline_of_policy", "ledger", "level", "likert", "missing_map", "page", "pairs", "panels", "plane", "published", "quoted",
    "reached", "reading_of_effect", "reading_of_events", "reading_of_methods", "reading_of_pretrend", "reading_of_reach", "readings_of_effects", "received", "say", "scorecard", "scores", "spread", "table", "tests",
    "title_of", "title_of_answers", "title_of_differences", "title_of_differing", "title_of_effects", "title_of_events", "title_of_first", "title_of_gaps", "title_of_plane", "title_of_policy", "title_of_waves", "together",
    "unanswered", "verdict", "verdicts", "verdicts_of_methods", "waves",
]  # fmt: skip
