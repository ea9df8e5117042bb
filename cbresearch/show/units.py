"""Units in words, with the way their numbers are written."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cbresearch.errors import PublishError, nearest
from cbresearch.records import Released, Text
from cbresearch.show.catalogue import fill, message, messages
from cbresearch.show.names import wave_name
from cbresearch.show.page import Page
from cbresearch.study import Indicator

DECIMALS = {
    "points": 1, "percent": 1, "share": 1, "percentage points": 1, "as asked": 2, "people": 0, "yuan": 0, "rows": 0,
    "residents": 0, "communities": 0, "households": 0, "cells": 0, "seconds": 0, "years": 1, "count": 0, "ratio": 2,
    "per 1,000 households": 2, "rank": 0, "index points": 1, "F": 2, "fine points": 2, "amount": 0, "percent of a sum": 0,
    "coefficient": 2, "fine coefficient": 3, "percent of differences": 1, "percent of redraws": 1,
}  # fmt: skip
"""Decimals by the unit codes that estimators use; each has its words under `unit.` in the catalogue."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`heading` names the unit on an axis; `after` follows a number; `per` is what one more of a cause is."""

    heading: Text
    after: Text
    decimals: int
    factor: float = 1.0
    per: Text | None = None
    most: float | None = None
    """The largest printed number that makes sense: 100 for points, percent."""
    whole_from: float = math.inf
    """The size from which decimals tell nothing: 20,000 yuan, not 20,000.00."""

    def number(self, value: float) -> str:
        printed = value * self.factor
        return number(printed, 0 if abs(printed) >= self.whole_from else self.decimals)

    def amount(self, value: float, lang: str) -> str:
        """The number with its unit: '63.2分', '63.2 points'."""
        return self.number(value) + self.after.say(lang)

    def goal(self, value: float, lang: str) -> str:
        """A number that somebody set, with its unit: '60分'."""
        return self.plain(value) + self.after.say(lang)

    def plain(self, value: float) -> str:
        """A number that somebody set, with no more decimals than it has: '60'."""
        return f"{value * self.factor:,.10g}".replace("-", "\N{MINUS SIGN}")

    def brief(self, value: float, lang: str) -> str:
        """The number, with its unit where that is one word; for titles, whose subtitle names the unit."""
        return self.amount(value, lang) if len(self.after.en) <= 9 else self.number(value)

    @property
    def over(self) -> Text:
        """What a cause is counted on, where a sentence says it apart: '每百户' of '1千元/百户'."""
        on = self.per.zh.partition("/")[2] if self.per else ""
        return Text(f"每{on}" if on else "", "")

    @property
    def one(self) -> Text:
        """One more of a cause, for a sentence that has said `over`: '1千元', '1,000 yuan per 100 households'."""
        return Text(self.per.zh.partition("/")[0], self.per.en) if self.per else Text("1个单位", "unit")

    @property
    def small(self) -> Text:
        """The unit as a row's label carries it, in a few words."""
        if self.per is not None:
            return self.heading
        return Text(self.after.zh, self.after.en.removeprefix(" × ").strip())

    def interval(self, low: float, high: float, lang: str) -> str:
        joint = "～" if lang == "zh" else " to "
        return f"{self.number(low)}{joint}{self.number(high)}"


def number(value: float, decimals: int) -> str:
    """Thousands apart, a true minus sign, no minus before zero."""
    written = f"{value:,.{decimals}f}"
    if not re.search("[1-9]", written):
        written = written.lstrip("-")
    return written.replace("-", "\N{MINUS SIGN}")


def unit_of(page: Page, code: str) -> Unit:
    """The unit of a released number: a code of `DECIMALS`, an indicator's name, or '<unit> per <cause>'."""
    if code in page.study.indicators:
        return _indicator_unit(page.study.indicators[code])
    base, separator, cause = code.partition(" per ")
    if separator:
        return _rate(unit_of(page, base), _one_step(page, cause))
    if code not in DECIMALS:
        near = nearest(code, [*DECIMALS, *page.study.indicators])
        hint = f" Did you mean '{near}'?" if near else ""
        raise PublishError(f"No unit '{code}'; expected an indicator or one of {', '.join(DECIMALS)}.{hint}")
    return _plain_unit(code)


def heading_of(page: Page, record: Released) -> Text:
    """The unit as an axis or a column names it; for a difference, what it is a difference from."""
    unit, since = unit_of(page, record.unit), record.part("since")
    after = Text(unit.after.zh, unit.after.en.strip())
    if record.part("against"):
        return _filled("unit.against", unit=after)
    if record.part("gap") == "perceived":
        return after
    if since:
        return _filled("unit.since", unit=after, since=wave_name(since))
    return unit.heading


def _filled(key: str, **words: Text) -> Text:
    return fill(message(key), lambda name, _, lang: words[name].say(lang))


def one_unit(page: Page, released: Sequence[Released], figure: str) -> Unit:
    """The unit that all numbers of a figure share; PublishError lists them when there are several."""
    codes = list(dict.fromkeys(record.unit for record in released))
    if len(codes) > 1:
        raise PublishError(
            f"{figure} has one axis and was given numbers in {len(codes)} units: {', '.join(codes)}. "
            "Draw a figure for each unit, or use a table."
        )
    return unit_of(page, codes[0])


def value_text(page: Page, record: Released, lang: str) -> str:
    """The number with unit and, where it has one, interval; only for records that may be shown."""
    unit = unit_of(page, record.unit)
    assert record.value is not None
    amount = unit.amount(record.value, lang)
    if record.low is None or record.high is None:
        return amount
    interval = unit.interval(record.low, record.high, lang)
    return f"{amount}（95%置信区间{interval}）" if lang == "zh" else f"{amount} (95% interval {interval})"


def _plain_unit(code: str) -> Unit:
    key = "percent" if code == "share" else code
    slug = re.sub(r"\W+", "_", key)
    heading = message(f"unit.{slug}")
    after = message(f"after.{slug}") if f"after.{slug}" in messages() else heading
    most = 100.0 if code in {"points", "percent", "share"} else None
    return Unit(heading, _spaced(after), DECIMALS[code], 100.0 if code == "share" else 1.0, most=most)


def _indicator_unit(indicator: Indicator) -> Unit:
    words = indicator.unit.text
    is_percent = words.en == "%"
    is_count = indicator.per is None and float(indicator.multiply).is_integer()
    decimals = 1 if is_percent else 0 if is_count else 2
    return Unit(words, _spaced(words), decimals, whole_from=math.inf if is_percent else 100.0)


def _spaced(words: Text) -> Text:
    """The unit as it follows a number; one that begins with a number of its own is multiplied."""
    if not words.en or words.en.startswith("%"):
        return words
    return Text(words.zh, f" × {words.en}" if words.en[:1].isdigit() else f" {words.en}")


def _rate(base: Unit, one_more: Text) -> Unit:
    heading = Text(f"{base.after.zh}（每增加{one_more.zh}）", f"{base.after.en.strip()} per {one_more.en}")
    return Unit(heading, base.after, max(base.decimals, 2), base.factor, one_more)


def _one_step(page: Page, cause: str) -> Text:
    """A step of a cause whose effect is told: '10 percentage points' for "10 staff_college_percent"."""
    step, separator, name = cause.partition(" ")
    if not separator:
        return _one_more(page, cause)
    if name not in page.study.indicators:
        return Text(f"{step}个单位的{page.label(name).zh}", f"{step} units of {page.label(name).en}")
    words = page.study.indicators[name].unit.text
    if words.en == "%":
        points = message("after.percentage_points")
        return Text(f"{step}{points.zh}", f"{step} {points.en}")
    return Text(
        f"{step}{words.zh}", f"{step} × {words.en}" if words.en[:1].isdigit() else f"{step} {words.en}"
    )


def _one_more(page: Page, cause: str) -> Text:
    """One more of a cause: '1 percentage point', '1 volunteer per 100 households', '1,000 yuan'."""
    if cause not in page.study.indicators:
        return Text(f"1个单位的{page.label(cause).zh}", f"unit of {page.label(cause).en}")
    words = page.study.indicators[cause].unit.text
    if words.en == "%":
        return message("unit.one_percentage_point")
    if words.en.startswith("thousand "):
        return Text(f"1{words.zh}", f"1,000 {words.en.removeprefix('thousand ')}")
    return Text(f"1{words.zh}", words.en if words.en[:1].isdigit() else f"1 {_singular(words.en)}")


def _singular(words: str) -> str:
    head, separator, rest = words.partition(" per ")
    one = re.sub(r"people$", "person", head)
    one = one[:-1] if one.endswith("s") and not one.endswith("ss") else one
    return one + separator + rest
