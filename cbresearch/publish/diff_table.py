"""A comparison for the terminal: the summary, then a table for each way to differ."""

from __future__ import annotations

import io
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text as Line

from cbresearch.publish import diff_words as words
from cbresearch.publish.diff import Change, Kind
from cbresearch.publish.diff_numbers import Number
from cbresearch.publish.diff_why import CAUSES, Comparison

KINDS: tuple[Kind, ...] = ("measured", "counted", "gate", "only in A", "only in B", "unmoved")
ROWS = 20
LANGUAGE = "en"


def told(compared: Comparison, *, over: float, everything: bool) -> dict[Kind, tuple[Change, ...]]:
    """What is to be shown, by kind: moves over the threshold, and unmoved ones only when all is asked for."""
    return {
        kind: tuple(change for change in compared.changes if change.kind == kind and change.is_over(over))
        for kind in KINDS
        if kind != "unmoved" or everything
    }


def as_text(compared: Comparison, *, over: float = 0.0, everything: bool = False, width: int = 120) -> str:
    """Summary and tables, `width` columns wide; each table's first rows unless `everything` is asked for."""
    out = io.StringIO()
    console = Console(file=out, width=width, no_color=True, highlight=False, markup=False, emoji=False)
    console.print(Line(words.summary(compared, LANGUAGE)), soft_wrap=True)
    for line in notes(compared, over):
        console.print(Line(line), soft_wrap=True)
    for kind, changes in told(compared, over=over, everything=everything).items():
        if changes:
            shown = changes if everything else changes[:ROWS]
            console.print()
            console.print(_table(kind, shown, compared))
            if len(shown) < len(changes):
                left = len(changes) - len(shown)
                console.print(
                    Line(f"and {left:,} more: --over hides small moves, --all or --html shows every one")
                )
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines()) + "\n"


def notes(compared: Comparison, over: float) -> list[str]:
    """What stands under the summary: other studies, parameters, versions, what the threshold hides."""
    a, b = compared.a, compared.b
    lines = [words.said("studies", LANGUAGE, a=a.study, b=b.study)] if a.study != b.study else []
    for cause in CAUSES:
        found = dict.fromkeys(words.detail(cause, why) for why in compared.why.values())
        lines += [f"{words.CAUSE_WORDS[cause].say(LANGUAGE)}: {one}" for one in found if one]
    hidden = below(compared, over)
    return lines + ([words.said("below", LANGUAGE, n=f"{hidden:,}", over=f"{over:g}")] if hidden else [])


def below(compared: Comparison, over: float) -> int:
    """How many moves the threshold hides."""
    return sum(change.kind == "measured" and not change.is_over(over) for change in compared.changes)


def _table(kind: Kind, changes: Sequence[Change], compared: Comparison) -> Table:
    table = Table(
        title=Line(words.said(kind, LANGUAGE)), title_justify="left", title_style="", box=box.SIMPLE_HEAD,
        pad_edge=False,
    )  # fmt: skip
    table.add_column("finding", ratio=5, overflow="fold")
    table.add_column("report", ratio=2, overflow="fold")
    sides = {"only in A": ("before",), "only in B": ("now",)}.get(kind, ("before", "now"))
    for side in sides:
        table.add_column(side, justify="right", overflow="fold")
    if kind in ("measured", "counted"):
        table.add_column("moved by", justify="right", overflow="fold")
    if kind == "measured":
        table.add_column("of its margin", justify="right", overflow="fold")
    table.add_column("why", ratio=2, overflow="fold")
    for change in changes:
        table.add_row(*(Line(cell) for cell in _row(kind, change, compared)))
    return table


def _row(kind: Kind, change: Change, compared: Comparison) -> list[str]:
    marks = [words.mark(one, change, LANGUAGE) for one in change.marks if kind != "gate"]
    name = words.name(change, compared.apart, LANGUAGE) + (
        f" ({unit})" if (unit := words.unit(change, LANGUAGE)) else ""
    )
    sides = [_side(side, change) for side in (change.old, change.new) if side]
    moved = []
    if kind in ("measured", "counted"):
        moved = ["" if change.difference is None else words.step(change.difference)]
    if kind == "measured":
        moved.append(words.times(change))
    why = compared.why.get(change.key.report)
    reason = words.reason(change, why, LANGUAGE) if why and kind != "unmoved" else ""
    return [
        "\n".join([name, *(f"! {mark}" for mark in marks)]),
        change.key.report,
        *sides,
        *moved,
        reason,
    ]


def _side(number: Number, change: Change) -> str:
    if change.is_hidden:
        return words.status(number.status, LANGUAGE)
    grain = words.grain(change, number)
    doubt = words.doubt(number, LANGUAGE)
    return words.figure(number.value, grain, LANGUAGE) + (f"\n{doubt}" if doubt else "")
