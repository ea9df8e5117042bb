"""The message catalogue: every sentence of the pages, in Chinese and English, by key."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from cbresearch.errors import PublishError, nearest
from cbresearch.records import Text

PLACEHOLDER = re.compile(r"\{(\w+)(?:\.(\w+))?\}")
"""`{name}` or `{name.part}`: what a sentence leaves open."""


@cache
def messages() -> Mapping[str, Text]:
    """Every message by its key, as messages.csv lists them."""
    with files("cbresearch.show").joinpath("messages.csv").open(encoding="utf-8") as handle:
        return MappingProxyType({row["key"]: Text(row["zh"], row["en"]) for row in csv.DictReader(handle)})


def message(key: str) -> Text:
    """The words of one message; PublishError with the nearest key when there is none of that name."""
    try:
        return messages()[key]
    except KeyError:
        near = nearest(key, list(messages()))
        hint = f" Did you mean '{near}'?" if near else ""
        raise PublishError(
            f"The message catalogue has no '{key}'; name a key of cbresearch/show/messages.csv.{hint}"
        ) from None


def placeholders(template: str) -> tuple[tuple[str, str], ...]:
    """What a message leaves open, as (name, part) pairs, each once, sorted."""
    return tuple(sorted({(found[1], found[2] or "") for found in PLACEHOLDER.finditer(template)}))


def fill(template: Text, value: Callable[[str, str, str], str]) -> Text:
    """The message with `value(name, part, lang)` in each open place."""

    def filled(lang: str) -> str:
        return PLACEHOLDER.sub(lambda found: value(found[1], found[2] or "", lang), template.say(lang))

    return Text(filled("zh"), filled("en"))
