"""The order of a page: one title, headings without gaps, places to link to, tables that scroll."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

HEADING = re.compile(r"<h([1-6])([^>]*)>(.*?)</h\1>", re.DOTALL)
TABLE = re.compile(r'(<div [^>]*class="scroll"[^>]*>\s*)?(<table\b.*?</table>)', re.DOTALL)
CAPTION = re.compile(r"<caption[^>]*>(.*?)</caption>", re.DOTALL)
REGION = re.compile(r'(<div\b[^>]*\brole="region"[^>]*\baria-label=")([^"]*)(")')
TAG = re.compile(r"<[^>]+>")
ENOUGH_FOR_CONTENTS = 3


@dataclass(frozen=True, slots=True)
class Place:
    """A heading of the second level that the list of contents names."""

    anchor: str
    text: str


@dataclass(frozen=True, slots=True)
class Outline:
    """A page's body in order; `title` is the text of its first h1, "" where it has none."""

    title: str
    body: str
    contents: tuple[Place, ...]


def outlined(body: str, table_word: str) -> Outline:
    """Take the title out, number the headings, wrap the tables.

    `body` must be sanitised, hence well-formed. Anchors are s1, s2, … in order, so that pages of two
    languages share them. `table_word` names a table without a caption to a screen reader.
    """
    title = ""
    if (first := HEADING.search(body)) and first[1] == "1":
        title = text_of(first[3])
        body = body[: first.start()] + body[first.end() :]
    places: list[Place] = []
    body = _renumbered(body, places)
    body = TABLE.sub(lambda found: found[0] if found[1] else _scrolling(found[2], table_word), body)
    body = _told_apart(body)
    contents = tuple(places) if len(places) >= ENOUGH_FOR_CONTENTS else ()
    return Outline(title, body, contents)


def text_of(fragment: str) -> str:
    return " ".join(html.unescape(TAG.sub("", fragment)).split())


def _renumbered(body: str, places: list[Place]) -> str:
    level_before, count = 1, 0

    def mend(found: re.Match[str]) -> str:
        nonlocal level_before, count
        count += 1
        level = min(max(int(found[1]), 2), level_before + 1)
        level_before = level
        if level == 2:
            places.append(Place(f"s{count}", text_of(found[3])))
        attributes = re.sub(r'\s(?:id|style)="[^"]*"', "", found[2])
        return f'<h{level}{attributes} id="s{count}">{found[3]}</h{level}>'

    return HEADING.sub(mend, body)


def _told_apart(body: str) -> str:
    """Regions of one name get a number, else a list of the page's regions would not tell which is which."""
    so_far: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        name = found[2]
        so_far[name] = count = so_far.get(name, 0) + 1
        return f"{found[1]}{name} ({count}){found[3]}" if count > 1 else found[0]

    return REGION.sub(number, body)


def _scrolling(table: str, table_word: str) -> str:
    caption = CAPTION.search(table)
    label = html.escape(text_of(caption[1]) if caption else table_word)
    return f'<div class="scroll" role="region" tabindex="0" aria-label="{label}">{table}</div>'
