"""Sentences in both languages, from the message catalogue with released numbers in them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cbresearch.errors import PublishError
from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import fill, message, placeholders
from cbresearch.show.names import full_name, group_name, row_names, short, short_name, varying
from cbresearch.show.page import Page
from cbresearch.show.shown import Shown, escape, is_shown, shown
from cbresearch.show.units import number, unit_of, value_text


@dataclass(frozen=True, slots=True)
class Named:
    """A released number with the label that tells it from others which the sentence does not name."""

    record: Released
    label: Text


Value = Released | Named | Text | str | int | float
"""What may stand in a sentence."""

_KINDS = {
    "headline": ('<p class="headline">', "</p>"),
    "reading": ('<p class="reading">', "</p>"),
    "caution": ('<div class="note" role="note"><p>', "</p></div>"),
    "method": ('<p class="method">', "</p>"),
}
_ENDINGS = ("，请谨慎使用", "; use with care")
_OPENINGS = (("不公布：", "held back: "), ("慎用：", "use with care: "))


def say(page: Page, key: str, /, **values: Value | Unanswered) -> Shown:
    """One sentence of the catalogue as a paragraph in both languages; its numbers become findings.

    In the catalogue `{x}` is a released number with unit and interval, `{x.value}` the number with
    its unit, `{x.interval}`, `{x.brief}` (for titles), `{x.size}` (without sign), `{x.over}`, `{x.one}` (one more of a cause), `{x.n}`, `{x.psus}`, `{x.p}`, `{x.name}`
    (measure with group), `{x.label}` (what tells it from the other numbers here), `{x.reason}`.
    A held-back number turns the sentence into the one that says so and why; an Unanswered into its note.
    """
    for value in values.values():
        if isinstance(value, Unanswered):
            return unanswered(page, value)
    given = {name: value for name, value in values.items() if not isinstance(value, Unanswered)}
    numbers = [
        value.record if isinstance(value, Named) else value
        for value in given.values()
        if isinstance(value, Released | Named)
    ]
    hidden = [record for record in numbers if not is_shown(record)]
    if hidden:
        text = _all(compose(page, "reading.held_back", x=record) for record in hidden)
        return paragraph(page, key, text, numbers)
    return paragraph(page, key, compose(page, key, **given), numbers)


def compose(page: Page, key: str, /, **values: Value) -> Text:
    """The words alone, for a title or an alternative; PublishError lists what the message wants and did not get."""
    template = message(key)
    wanted = {name for name, _ in placeholders(template.en)}
    if missing := sorted(wanted - set(values)):
        raise PublishError(
            f"The message '{key}' wants {', '.join(sorted(wanted))}; not given: {', '.join(missing)}."
        )
    labels = _labels(page, values)
    return fill(template, lambda name, part, lang: _written(page, values[name], part, lang, labels.get(name)))


def paragraph(page: Page, key: str, text: Text, released: Iterable[Released] = ()) -> Shown:
    """Words as a paragraph of the kind that the key names: headline, reading, caution, method."""
    start, end = next((_KINDS[part] for part in key.split(".") if part in _KINDS), _KINDS["reading"])
    return shown(page, lambda lang: f"{start}{escape(text.say(lang))}{end}", text, released)


def unanswered(page: Page, what: Unanswered) -> Shown:
    """A note that says which question the data cannot answer, with the reason."""
    text = compose(page, "note.unanswered", reason=what.reason)
    return paragraph(page, "caution", text)


def reason_of(record: Released) -> Text:
    """Why the gate held a number back or warned of it, without the words that the mark itself says."""
    reason = record.reason or message("note.no_reason")
    zh, en = (
        text.rstrip("。.").removesuffix(end)
        for text, end in zip((reason.zh, reason.en), _ENDINGS, strict=True)
    )
    for opening_zh, opening_en in _OPENINGS:
        zh = zh.removeprefix(opening_zh)
        en = en[len(opening_en) :] if en.lower().startswith(opening_en) else en
    return Text(zh, lower_first(en))


def lower_first(words: str) -> str:
    """English for the middle of a sentence; an abbreviation keeps its capitals."""
    return words if words[1:2].isupper() else words[:1].lower() + words[1:]


def _labels(page: Page, values: Mapping[str, Value]) -> dict[str, Text]:
    """What tells the numbers of one sentence from each other."""
    records = {name: value for name, value in values.items() if isinstance(value, Released)}
    names = row_names(page, list(records.values()), varying(list(records.values())))
    return dict(zip(records, names, strict=True))


def _written(page: Page, value: Value, part: str, lang: str, label: Text | None) -> str:
    match value:
        case Released():
            return _part(page, value, part, lang, label)
        case Named():
            return _part(page, value.record, part, lang, value.label)
        case Text():
            return value.say(lang)
        case bool() | str():
            return str(value)
        case int():
            return number(value, 0)
        case float():
            return number(value, 1)


def _part(page: Page, record: Released, part: str, lang: str, label: Text | None) -> str:
    unit = unit_of(page, record.unit)
    match part:
        case "name":
            return short_name(page, record).say(lang)
        case "label":
            return short(label or short_name(page, record)).say(lang)
        case "measure":
            return short(page.label(record.measure)).say(lang)
        case "group":
            return group_name(page, record).say(lang)
        case "reason":
            return reason_of(record).say(lang)
        case "over" | "one":
            return (unit.over if part == "over" else unit.one).say(lang)
    if record.value is None:
        raise PublishError(
            f"'{part or 'value'}' of a held-back number was asked for: {full_name(page, record).en}."
        )
    match part:
        case "value":
            return unit.amount(record.value, lang)
        case "brief":
            return unit.brief(record.value, lang)
        case "size":
            return unit.amount(abs(record.value), lang)
        case "interval" if record.low is not None and record.high is not None:
            return unit.interval(record.low, record.high, lang)
        case "n" | "psus":
            return number(getattr(record, part) or 0, 0)
        case "p" if record.p is not None:
            return "< 0.001" if record.p < 0.001 else f"= {record.p:.3f}"
        case "":
            return value_text(page, record, lang)
    raise PublishError(f"A number has no '{part}' to say: {full_name(page, record).en}.")


def _all(texts: Iterable[Text]) -> Text:
    listed = list(texts)
    return Text("".join(text.zh for text in listed), " ".join(text.en for text in listed))
