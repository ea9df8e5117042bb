"""Sentences about causes, which claim no more than every method bears out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.names import short
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, is_shown, listed, together
from cbresearch.show.tables import empty
from cbresearch.show.words import Named, compose, lower_first, paragraph, say, unanswered
from cbresearch.study import outcome_column

Answer = Sequence[Released] | Released | Unanswered


def is_clear(effect: Released) -> bool:
    """The interval leaves zero out, so the direction can be told."""
    if not is_shown(effect) or effect.low is None or effect.high is None:
        return False
    return effect.low > 0 or effect.high < 0


def is_sure(effect: Released, checked: Answer) -> bool:
    """Every method sees the effect, and it stays when as many questions as were asked are allowed for."""
    counted = effect.p if effect.p_adjusted is None else effect.p_adjusted
    return is_agreed(effect, checked) and (counted is None or counted < 0.05)


def is_agreed(effect: Released, checked: Answer) -> bool:
    """Every method sees the effect, as the part "verdict" of their records says; without methods it is not."""
    if isinstance(checked, Unanswered):
        return False
    votes = {one.part("verdict") for one in listed(checked) if one.measure == effect.measure}
    return votes == {"agree"}


def title_of_effects(page: Page, effects: Answer, checked: Answer) -> Text:
    """Names the causes whose change over time moved with the outcome by every method, if any did.

    `checked` are the same effects by several methods, each record with whether they agree.
    """
    if isinstance(effects, Unanswered):
        return effects.reason
    return _answer(page, "title.effects", effects, checked) or message("title.effects_between")


def headline_of_effects(page: Page, effects: Answer, checked: Answer) -> Shown:
    """The drivers notebook's answer: which of how many causes, by every method; with one wave, that none can be told."""
    if isinstance(effects, Unanswered):
        return unanswered(page, effects)
    said = _answer(page, "drivers.headline", effects, checked) or message("drivers.headline.between_only")
    return paragraph(page, "drivers.headline.clear", said, listed(effects))


def verdicts_of_methods(page: Page, verdicts: Mapping[str, Text] | Unanswered) -> Shown:
    """What the methods say together, a sentence for each cause, then that several causes were looked at."""
    if isinstance(verdicts, Unanswered):
        return unanswered(page, verdicts)
    parts = [
        say(page, "drivers.verdict", cause=short(page.label(cause)), verdict=verdict)
        for cause, verdict in verdicts.items()
    ]
    if not parts:
        return empty(page)
    return together(*parts, *([say(page, "drivers.caution.several", rows=len(parts))] if parts[1:] else []))


def _answer(page: Page, key: str, effects: Sequence[Released] | Released, checked: Answer) -> Text | None:
    """What can be told of change over time; nothing where there is a single wave."""
    within = [record for record in listed(effects) if record.part("term") == "within"]
    if not within:
        return None
    seen = [record for record in within if is_clear(record)]
    sure = [record for record in seen if is_sure(record, checked)]
    kind = "clear" if sure else "disputed" if seen else "unclear"
    names = _listed([short(page.label(record.measure)) for record in sure or seen])
    return compose(page, f"{key}.{kind}", names=names, outcome=outcome(page), rows=len(within))


def _listed(names: Sequence[Text]) -> Text:
    """'a, b and c' for the middle of a sentence."""
    words = [lower_first(name.en) for name in names]
    last = " and ".join(words[-2:])
    return Text("、".join(name.zh for name in names), ", ".join([*words[:-2], last]))


def reading_of_effect(
    page: Page,
    effect: Released | Unanswered,
    *,
    detectable: Released | None = None,
    checked: Answer | None = None,
) -> Shown:
    """Whether the outcome went up or down with a cause, or that the data cannot tell.

    The interval against zero decides. Where it cannot be told, `detectable` (the smallest effect that
    could have been seen, in the effect's unit) is said, or else the range that fits the data. `checked`
    is the same effect by several methods: where they do not agree, the sentence says so.
    """
    if isinstance(effect, Unanswered):
        return unanswered(page, effect)
    term = effect.part("term")
    kind = f"drivers.reading.{term if term in {'within', 'between'} else 'other'}"
    label = short(page.label(effect.measure))
    if not is_shown(effect) or effect.low is None or effect.high is None:
        return say(page, f"{kind}.unclear", x=effect, outcome=outcome(page))
    named = Named(effect, label)
    if is_clear(effect):
        key = f"{kind}.{'more' if effect.low > 0 else 'less'}"
        said = compose(page, key, x=named, outcome=outcome(page))
        if term == "within" and checked is not None and not is_sure(effect, checked):
            doubt = message("drivers.reading.disputed")
            said = Text(said.zh + doubt.zh, f"{said.en} {doubt.en}")
        return paragraph(page, key, said, [effect])
    unclear = compose(page, f"{kind}.unclear", x=named, outcome=outcome(page))
    if detectable is not None and is_shown(detectable):
        seen = compose(page, "drivers.reading.detectable", m=detectable)
    else:
        seen = message("drivers.reading.compatible")
    text = Text(unclear.zh + seen.zh, f"{unclear.en} {seen.en}")
    return paragraph(page, f"{kind}.unclear", text, [effect, *([detectable] if detectable else [])])


def readings_of_effects(
    page: Page,
    effects: Answer,
    *,
    detectable: Sequence[Released] | Unanswered = (),
    checked: Answer | None = None,
) -> Shown:
    """A reading per effect; `detectable` are matched to them by measure and group, `checked` by measure."""
    if isinstance(effects, Unanswered):
        return unanswered(page, effects)
    known = () if isinstance(detectable, Unanswered) else detectable
    smallest = {(record.measure, record.part("term")): record for record in known}
    parts = [
        reading_of_effect(
            page, one, detectable=smallest.get((one.measure, one.part("term"))), checked=checked
        )
        for one in listed(effects)
    ]
    return together(*parts) if parts else empty(page)


def outcome(page: Page) -> Text:
    """What the drivers are held against, in the middle of a sentence."""
    headline = page.study.file.reporting.headline
    label = short(page.label(outcome_column(page.study, headline))) if headline else message("column.value")
    return Text(label.zh, lower_first(label.en))
