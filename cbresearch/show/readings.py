"""Sentences chosen from numbers: what a result says, so that no notebook has to word it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cbresearch.errors import PublishError
from cbresearch.records import Released, Text, Unanswered
from cbresearch.show.catalogue import message
from cbresearch.show.names import MISSING, full_name, groups_only, short, wave_name
from cbresearch.show.page import Page
from cbresearch.show.rows import labelled
from cbresearch.show.shown import Shown, is_shown, listed, together
from cbresearch.show.tables import empty
from cbresearch.show.units import unit_of
from cbresearch.show.words import Named, compose, say, unanswered

Answer = Sequence[Released] | Released | Unanswered


def best_and_worst(page: Page, released: Answer) -> Shown:
    """Highest and lowest of several numbers; whether their intervals tell them apart."""
    return _best_and_worst(
        page, released, "satisfaction.reading.best_and_worst", "satisfaction.reading.close"
    )


def spread(page: Page, released: Answer) -> Shown:
    """Most and least among figures of the ledger, which have no interval."""
    return _best_and_worst(page, released, "situation.reading.spread", "situation.reading.spread")


def title_of(page: Page, released: Answer) -> Text:
    """A figure's title that is its finding: highest and lowest, or that they cannot be told apart."""
    if isinstance(released, Unanswered):
        return released.reason
    there = _there(released)
    if not there:
        return message("title.none")
    named = labelled(page, listed(released), high=there[-1], low=there[0])
    if there[-1].method == MISSING:
        return compose(page, "title.missing", high=named["high"])
    if len(there) == 1:
        return compose(page, "title.one", x=named["high"])
    return (
        compose(page, "title.highest_and_lowest", **named)
        if _apart(there[0], there[-1])
        else message("title.close")
    )


def title_of_waves(page: Page, released: Answer) -> Text:
    """A title for change over the waves: from where to where for one series, else how many rose or fell."""
    if isinstance(released, Unanswered):
        return released.reason
    series = [found for found in _series(released) if len(found) > 1]
    if not series:
        return title_of(page, released)
    moves = [_direction(found[0], found[-1]) for found in series]
    if not any(moves):
        return message("title.waves_unclear")
    if len(series) > 1:
        counts = {name: moves.count(name) for name in ("rose", "fell")}
        ends = {name: wave_name(series[0][i].part("wave") or "") for name, i in (("first", 0), ("last", -1))}
        told = counted(page, "items", {**counts, "untold": moves.count("")})
        return compose(page, "title.waves_many", counts=told, **ends)
    first, last = series[0][0], series[0][-1]
    return compose(page, f"title.{moves[0]}", x=short(page.label(last.measure)), first=first, last=last)


def title_of_differences(page: Page, differences: Answer) -> Text:
    """A title for differences from the overall level: how many lie above, how many below."""
    if isinstance(differences, Unanswered):
        return differences.reason
    there = _there(differences)
    above = sum(record.low is not None and record.low > 0 for record in there)
    below = sum(record.high is not None and record.high < 0 for record in there)
    if not above and not below:
        return message("title.differences_close" if there else "title.none")
    told = counted(page, "items", {"above": above, "below": below, "level": len(there) - above - below})
    return compose(page, "title.differences", counts=told)


def counted(page: Page, things: str, counts: Mapping[str, int]) -> Text:
    """How many "items" or "targets" are of each kind, in words: 'of 4 targets, 3 met, 1 not met'.

    Kinds without any are left out; where one kind has all, 'all 4 targets met'.
    """
    total, there = sum(counts.values()), {kind: count for kind, count in counts.items() if count}
    if len(there) == 1 and total > 1:
        return compose(
            page, f"count.{next(iter(there))}", rows=compose(page, f"count.all_{things}", rows=total)
        )
    opening = compose(page, f"count.of_{things}", rows=total)
    parts = [
        compose(page, f"count.{kind}", rows=compose(page, "count.some", rows=count))
        for kind, count in there.items()
    ]
    zh, en = "，".join(part.zh for part in parts), ", ".join(part.en for part in parts)
    return Text(opening.zh + zh, f"{opening.en} {en}")


def change(page: Page, difference: Released | Unanswered) -> Shown:
    """Whether something rose or fell, from an estimated difference (later minus earlier) with its interval."""
    if isinstance(difference, Unanswered):
        return unanswered(page, difference)
    key = "change_unclear"
    if difference.low is not None and difference.high is not None:
        key = "rose" if difference.low > 0 else "fell" if difference.high < 0 else key
    earlier = difference.part("since")
    since = wave_name(earlier) if earlier else message("group.earlier_wave")
    return say(page, f"satisfaction.reading.{key}", x=difference, since=since)


def changes(page: Page, differences: Answer) -> Shown:
    """`change` for each of several differences."""
    if isinstance(differences, Unanswered):
        return unanswered(page, differences)
    parts = [change(page, difference) for difference in listed(differences)]
    return together(*parts) if parts else empty(page)


def first_and_last(page: Page, released: Answer) -> Shown:
    """The first wave of a series against its last; a change is claimed only where the intervals stand apart."""
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    series = _series(released)
    if not series:
        return empty(page)
    first, last = series[0][0], series[0][-1]
    if len(series[0]) == 1:
        return say(page, "satisfaction.reading.one", x=first)
    return say(
        page, f"satisfaction.reading.waves_{_direction(first, last) or 'unclear'}", first=first, last=last
    )


def verdict(page: Page, judged: Released | Unanswered) -> Shown:
    """Whether a target is met, from a record whose group carries "target" and "verdict"."""
    if isinstance(judged, Unanswered):
        return unanswered(page, judged)
    ruling, target = judged.part("verdict"), judged.part("target")
    if ruling is None or target is None:
        raise PublishError(
            f"'{full_name(page, judged).en}' carries no verdict; expected a number judged against its target "
            "(the parts 'target' and 'verdict' of its group)."
        )
    unit = unit_of(page, judged.unit)
    words = Text(*(unit.goal(float(target), lang) for lang in ("zh", "en")))
    key = {"met": "met", "not met": "missed", "cannot tell": "unclear"}[ruling]
    if judged.low is None:
        key = "no_interval" if key == "unclear" else f"ledger_{key}"
    return say(page, f"community.reading.{key}", x=judged, target=words)


def verdicts(page: Page, area: str, judged: Answer) -> Shown:
    """The scorecard's headline: of so many targets, so many met, not met, or not to be told."""
    if isinstance(judged, Unanswered):
        return unanswered(page, judged)
    rulings = [record.part("verdict") for record in listed(judged)]
    kinds = {"met": "met", "missed": "not met", "unclear": "cannot tell"}
    told = counted(page, "targets", {name: rulings.count(ruling) for name, ruling in kinds.items()})
    name = page.answer(page.study.area, area) if page.study.area else Text(area, area)
    return say(page, "community.headline.verdicts", area=name, counts=told)


def compared(page: Page, here: Released, there: Released) -> Shown:
    """One number against another (a community and its district); a claim only where the intervals stand apart."""
    if not (is_shown(here) and is_shown(there)) or here.value is None or there.value is None:
        return say(page, "community.reading.alike", here=here, there=there)
    if here.low is None or there.low is None:
        key = (
            "same_as"
            if here.value == there.value
            else "more_than"
            if here.value > there.value
            else "less_than"
        )
    else:
        key = "alike" if not _apart(here, there) else "above" if here.value > there.value else "below"
    named = labelled(page, [here, there], here=here, there=there)
    if set(here.group) > set(there.group):
        named["there"] = Named(there, message("group.whole"))
    return say(page, f"community.reading.{key}", **named)


def _best_and_worst(page: Page, released: Answer, apart: str, close: str) -> Shown:
    if isinstance(released, Unanswered):
        return unanswered(page, released)
    there = _there(released)
    if not there:
        return empty(page)
    named = labelled(page, listed(released), high=there[-1], low=there[0])
    if len(there) == 1:
        return say(page, "satisfaction.reading.one", x=named["high"])
    return say(page, apart if _apart(there[0], there[-1]) else close, **named)


def _there(released: Sequence[Released] | Released) -> list[Released]:
    """What may be shown of the groups, smallest first; of several units the first one."""
    records = groups_only(listed(released))
    alike = [record for record in records if record.unit == records[0].unit]
    return sorted((record for record in alike if is_shown(record)), key=lambda record: record.value or 0.0)


def _series(released: Sequence[Released] | Released) -> list[list[Released]]:
    """What may be shown, a list per series, each in the order of its waves."""
    found: dict[tuple[object, ...], list[Released]] = {}
    for record in sorted((r for r in listed(released) if is_shown(r)), key=lambda r: r.part("wave") or ""):
        rest = (record.measure, *(part for part in record.group if part[0] != "wave"))
        found.setdefault(rest, []).append(record)
    return list(found.values())


def _direction(first: Released, last: Released) -> str:
    """'rose' or 'fell' where the intervals stand apart, nothing where they overlap."""
    if not _apart(first, last):
        return ""
    return "rose" if (last.value or 0) > (first.value or 0) else "fell"


def _apart(one: Released, other: Released) -> bool:
    """Their intervals do not overlap; ledger figures are apart when they differ."""
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return one.value != other.value
    return one.high < other.low or other.high < one.low
