"""Sentences and tables about a policy that reached some communities earlier than others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.causes import is_clear
from cbresearch.show.dots import dots
from cbresearch.show.events import event_of
from cbresearch.show.grid import Cell, Grid
from cbresearch.show.names import column_name, event_name, part_name, short
from cbresearch.show.page import Page
from cbresearch.show.rows import as_given
from cbresearch.show.shown import Shown, is_shown, shown, together
from cbresearch.show.tables import NOTHING, empty, notes, value_cell, words_of
from cbresearch.show.units import heading_of, number, unit_of
from cbresearch.show.words import compose, lower_first, paragraph, say, unanswered

LEVEL = 0.05
Answer = Sequence[Released] | Unanswered


def headline_of_policy(page: Page, effects: Answer, smallest: Answer) -> Shown:
    """Whether the policy changed the outcome: the answer's interval and dates dealt anew must agree.

    `effects` are by method, the answer first; where none can be told, `smallest` says what would have been seen.
    """
    for given in (effects, smallest):
        if isinstance(given, Unanswered):
            return unanswered(page, given)
    assert not isinstance(effects, Unanswered) and not isinstance(smallest, Unanswered)
    if not effects:
        return empty(page)
    answer, named = effects[0], {"policy": _policy(page), "outcome": _outcome(page, effects[0])}
    verdict = _verdict(effects)
    said = say(page, f"policy.headline.{verdict}", x=answer, **named)
    if verdict in {"more", "less"} or not is_shown(answer):
        return said
    return together(
        said, *(say(page, "drivers.reading.detectable", m=one) for one in smallest if is_shown(one))
    )


def reached(page: Page, design: Answer, *, caption: Text | Shown) -> Shown:
    """A row per cohort, those never reached last: what each is used for, communities, waves seen before."""
    if isinstance(design, Unanswered):
        return unanswered(page, design)
    if not design:
        return empty(page)
    heads = (
        Cell(column_name(page, "cohort")), Cell(message("column.communities"), "number"),
        Cell(column_name(page, "waves_before"), "number"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(part_name(page, record, "cohort"), "label", under=part_name(page, record, "verdict")),
            value_cell(record, lambda value, _: number(value, 0)),
            Cell(part_name(page, record, "waves_before"), "number"),
        )
        for record in design
    )
    grid = Grid(words_of(caption), heads, rows)
    return shown(page, grid.html, words_of(caption), design)


def reading_of_reach(page: Page, design: Answer) -> Shown:
    """In how many batches how many communities were reached, from when to when, how many never."""
    if isinstance(design, Unanswered):
        return unanswered(page, design)
    cohorts = [record for record in design if record.part("cohort") != "never"]
    never = sum(round(record.value or 0) for record in design if record not in cohorts)
    if not cohorts:
        return empty(page)
    first, last = (part_name(page, cohorts[i], "cohort") for i in (0, -1))
    key = "policy.reading.reached" + ("_once" if len(cohorts) == 1 else "" if never else "_all")
    many = sum(round(record.value or 0) for record in cohorts)
    text = compose(
        page, key, policy=_policy(page), rows=len(cohorts), many=many, never=never, first=first, last=last
    )
    return paragraph(page, key, text, design)


def pairs(page: Page, released: Answer, *, caption: Text | Shown) -> Shown:
    """A row per cohort: change of the reached, of those not yet reached, the difference with its interval below."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    if not released:
        return empty(page)
    at = {(record.part("cohort"), record.part("side")): record for record in released}
    sides = ("reached", "not yet", "difference")
    heads = [Cell(column_name(page, "cohort")), *(Cell(message(f"side.{side}"), "number") for side in sides)]
    rows = tuple(
        (
            Cell(part_name(page, at[cohort, "difference"], "cohort"), "label"),
            *(_with_interval(page, at.get((cohort, side))) for side in sides),
        )
        for cohort in dict.fromkeys(cohort for cohort, _ in at)
    )
    headed = _with_unit(page, caption, released[0])
    grid = Grid(headed, tuple(heads), rows, notes(page, released))
    clear = [part_name(page, record, "cohort") for record in released if is_clear(record)]
    said = compose(page, f"policy.reading.pairs.{'some' if clear else 'none'}", names=_listed(clear))
    return together(shown(page, grid.html, headed, released), paragraph(page, "policy.reading.pairs", said))


def title_of_policy(page: Page, effects: Answer) -> Text:
    """Whether every method sees an effect, some do, or none."""
    if isinstance(effects, Unanswered):
        return effects.reason
    there = [record for record in effects if is_shown(record)]
    clear = sum(map(is_clear, there))
    key = "all" if there and clear == len(there) else "some" if clear else "none"
    return compose(page, f"title.policy.{key}", policy=_policy(page), rows=len(there), clear=clear)


def title_of_events(page: Page, released: Answer) -> Text:
    """Names the waves since the policy in which a difference can be told; first of all, whether there was one before."""
    if isinstance(released, Unanswered):
        return released.reason
    clear = [event_of(record) for record in released if is_clear(record)]
    before, after = [e for e in clear if e < 0], [e for e in clear if e >= 0]
    names = [event_name(event) for event in before or after]
    key = "before" if before else "after" if after else "none"
    return compose(page, f"title.events.{key}", names=_listed(names))


def reading_of_methods(page: Page, effects: Answer) -> Shown:
    """Between which values the methods lie, and how many of their intervals leave zero out."""
    if isinstance(effects, Unanswered):
        return unanswered(page, effects)
    there = sorted((record for record in effects if is_shown(record)), key=lambda record: record.value or 0.0)
    if not there:
        return empty(page)
    clear = sum(map(is_clear, there))
    key = f"policy.reading.methods_{'all' if clear == len(there) else 'some' if clear else 'none'}"
    return say(page, key, low=there[0], high=there[-1], rows=len(there), clear=clear)


def reading_of_events(page: Page, released: Answer) -> Shown:
    """The effect in the wave in which the policy came, and in the last one seen after it."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    after = sorted((record for record in released if event_of(record) >= 0), key=event_of)
    if not after:
        return empty(page)
    ends = after if len(after) == 1 else [after[0], after[-1]]
    parts = [
        say(
            page, f"policy.reading.event.{'clear' if is_clear(one) else 'unclear'}", x=one,
            when=part_name(page, one, "event"), outcome=_outcome(page, one),
        )
        for one in ends
    ]  # fmt: skip
    return together(*parts, *([say(page, "policy.reading.late")] if ends[1:] else []))


def reading_of_pretrend(page: Page, released: Answer, effects: Answer) -> Shown:
    """Whether communities moved apart before, and whether a trend as large as the effect would have been seen.

    `released` has the test, then the trends per wave seen with 50 and 80 % power.
    """
    for given in (released, effects):
        if isinstance(given, Unanswered):
            return unanswered(page, given)
    assert not isinstance(released, Unanswered) and not isinstance(effects, Unanswered)
    test, half, most = released
    if not is_shown(test) or test.p is None:
        return say(page, "policy.reading.alike", x=test)
    parts = [say(page, f"policy.reading.{'apart' if test.p < LEVEL else 'alike'}", x=test)]
    if is_shown(half) and is_shown(most):
        parts.append(say(page, "policy.reading.trend_seen", half=half, most=most))
    effect = effects[0] if effects else None
    if effect is not None and is_shown(effect) and is_shown(most) and test.p >= LEVEL:
        weak = (most.value or 0.0) > abs(effect.value or 0.0)
        parts.append(say(page, f"policy.reading.trend_{'larger' if weak else 'smaller'}", x=effect))
    return together(*parts)


def bounds(page: Page, released: Answer) -> Shown:
    """The interval by how far communities may have moved apart, a row for each departure allowed."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    rows = [record for record in released if record.part("allowed") is not None]
    return dots(page, rows, title=_title_of_bounds(page, released), order=as_given)


def bends(page: Page, released: Answer, *, caption: Text | Shown) -> Shown:
    """The interval by how far the trend apart may turn, and up to which turn the finding stands."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    rows = [record for record in released if record.part("bend") is not None]
    if not rows:
        return empty(page)
    headed = _with_unit(page, caption, rows[0])
    heads = (Cell(column_name(page, "bend")), Cell(message("column.interval"), "number"))
    body = tuple((Cell(part_name(page, record, "bend"), "label"), _interval(page, record)) for record in rows)
    parts = [shown(page, Grid(headed, heads, body).html, headed, rows)]
    for one in released:
        if one.part("term") == "survives bends" and one.value is not None:
            key = "none" if one.value == 0 else "any" if math.isinf(one.value) else "some"
            said = compose(page, f"policy.reading.bends_{key}", **({"x": one} if key == "some" else {}))
            parts.append(paragraph(page, "policy.reading.bends", said, [one]))
    return together(*parts)


def _with_unit(page: Page, caption: Text | Shown, record: Released) -> Text:
    words, unit = words_of(caption), heading_of(page, record)
    return Text(f"{words.zh}：{unit.zh}", f"{words.en}: {unit.en}")


def _interval(page: Page, record: Released) -> Cell:
    if not is_shown(record) or record.low is None or record.high is None:
        return NOTHING
    unit, low, high = unit_of(page, record.unit), record.low, record.high
    return Cell(Text(*(unit.interval(low, high, lang) for lang in ("zh", "en"))), "number")


def _with_interval(page: Page, record: Released | None) -> Cell:
    """A number with its interval in small print below."""
    if record is None:
        return NOTHING
    unit, under = unit_of(page, record.unit), _interval(page, record)
    cell = value_cell(record, lambda value, _: unit.number(value))
    return cell if under == NOTHING else replace(cell, under=under.text)


def _title_of_bounds(page: Page, released: Sequence[Released]) -> Text:
    found = next((record.value for record in released if record.part("term") == "survives"), None)
    if found is None:
        return message("title.bounds.unknown")
    if found == 0:
        return message("title.bounds.none")
    if math.isinf(found):
        return message("title.bounds.any")
    return compose(page, "title.bounds.some", times=found)


def _verdict(effects: Sequence[Released]) -> str:
    """'more' or 'less' where both tests see it, 'disputed' where one does, else 'unclear'."""
    dealt = [record for record in effects if record.part("method") == "dealt dates"]
    p = [record.p for record in (effects[0], *dealt) if record.p is not None]
    seen = {one < LEVEL for one in p}
    if seen == {True}:
        return "more" if (effects[0].value or 0.0) > 0 else "less"
    return "disputed" if True in seen else "unclear"


def _listed(names: Sequence[Text]) -> Text:
    return Text("、".join(name.zh for name in names), ", ".join(name.en for name in names))


def _policy(page: Page) -> Text:
    """The policy in the middle of a sentence."""
    policy = page.study.file.policy
    label = short(policy.label.text) if policy else message("policy.any")
    return Text(label.zh, lower_first(label.en))


def _outcome(page: Page, record: Released) -> Text:
    label = short(page.label(record.measure))
    return Text(label.zh, lower_first(label.en))
