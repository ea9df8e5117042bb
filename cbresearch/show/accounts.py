"""Sentences that open or close a notebook: what it rests on, how to read its scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.names import short
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown, together
from cbresearch.show.tables import empty, table
from cbresearch.show.words import paragraph, say, unanswered


def quoted(page: Page, words: Text | Mapping[str, Text] | Unanswered) -> Shown:
    """What an estimator says of its result, in its own words; a sentence for each measure where there are several."""
    if isinstance(words, Unanswered):
        return unanswered(page, words)
    if isinstance(words, Text):
        return paragraph(page, "quoted", words)
    parts = [say(page, "quoted.of", name=short(page.label(name)), words=text) for name, text in words.items()]
    return together(*parts) if parts else empty(page)


def headline(page: Page, *words: Text | Unanswered) -> Shown:
    """The sentences of estimators that a page opens with; why there is none where the data cannot tell."""
    parts = [
        unanswered(page, one) if isinstance(one, Unanswered) else paragraph(page, "quoted.headline", one)
        for one in words
    ]
    return together(*parts)


def received(page: Page, counts: Sequence[Released] | Unanswered) -> Shown:
    """The headline of data quality, from the number of returns received, then that of residents kept."""
    if isinstance(counts, Unanswered):
        return unanswered(page, counts)
    first, kept = counts
    return say(page, "quality.headline.kept", received=first, kept=kept)


def level(page: Page, overall: Released | Unanswered) -> Shown:
    """One number with its interval as a headline."""
    return say(page, "satisfaction.headline.level", x=overall)


def scores(page: Page) -> Shown:
    """How to read the scores: 0-100 points, or in the numbers that residents were offered."""
    points = page.study.file.reporting.scores == "points"
    return say(page, f"satisfaction.caution.{'points' if points else 'as_asked'}")


def panels(page: Page, by_method: Sequence[Released] | Unanswered, *, caption: Text | Shown) -> Shown:
    """The same effects by several methods, a row for each driver and method."""
    return table(page, by_method, caption=caption, rows=("measure", "method"))


def based_on(page: Page, effects: Sequence[Released] | Unanswered) -> Shown:
    """The method behind the effects, how many residents and communities, what few communities mean."""
    if isinstance(effects, Unanswered):
        return unanswered(page, effects)
    there = [effect for effect in effects if is_shown(effect)]
    if not there:
        return empty(page)
    return together(
        say(page, "drivers.method.cr2"),
        say(page, "drivers.method.n", x=there[0]),
        say(page, "drivers.caution.few", areas=there[0].psus or 0),
    )
