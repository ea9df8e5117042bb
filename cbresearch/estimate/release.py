"""The release gate: what may be shown, what with a warning, what not at all, and why.

Disclosure first, over all figures that a reader will have side by side; precision next. A held-back record
has no numbers at all, so that nothing downstream can reach them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cbresearch.estimate.clusters.effective import CONSERVATIVE_DF
from cbresearch.estimate.disclosure import Cell, protected
from cbresearch.estimate.precision import NCHS, PUBLISHED, Precision, Ruling
from cbresearch.records import Estimate, Released, Text
from cbresearch.sampling.domains import Group

EFFECT_PARTS = frozenset({"term", "method"})
"""Parts of a group that mark a model's coefficient."""
NO_VALUE = Text("不公布：现有数据算不出这个数。", "Held back: these data cannot give this figure.")
NO_DOUBT = Text(
    "不公布：抽样单位太少，无法估计误差。",
    "Held back: too few sampled groups to tell how far off the figure may be.",
)
FEW_CLUSTERS = Text(
    "真正起作用的社区太少：没有作用时误判的机会低于5%，有作用时也容易看漏，请谨慎使用。",
    "Too few communities bear on this: a false alarm is rarer than 5%, and a real effect is easily missed; use with care.",
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What the gate asks of a figure. `most_dominant` is the share (0-1) of a total that two answers may make up;
    below `least_df_of_effect` CR2 is conservative (docs/calibration.md), so an effect carries a warning.
    """

    minimum_cell: int = 10
    most_dominant: float = 0.9
    precision: Precision = NCHS
    least_df_of_effect: float = CONSERVATIVE_DF


def release(estimates: Iterable[Estimate], rules: Rules, beside: Sequence[Cell] = ()) -> list[Released]:
    """Rule on estimates, in the order given.

    `beside` are the cells of every other table that the same reader will have: what one page holds back
    lest a neighbour be worked out from a total, no other page may tell.
    """
    listed = list(estimates)
    held = _protected([cell_of(estimate) for estimate in listed], beside, rules)
    return [
        ruled(estimate, held[i] if i in held else _precision(estimate, rules))
        for i, estimate in enumerate(listed)
    ]


def release_counts(
    measure: str, counts: Mapping[Group, int], rules: Rules, *, unit: str = "people"
) -> list[Released]:
    """Numbers of people, one per group; those below the minimum are held back, zero included."""
    facts = [fact(measure, float(count), unit, group, n=count) for group, count in counts.items()]
    held = _protected([cell_of(one) for one in facts], (), rules)
    return [ruled(one, held.get(i, PUBLISHED)) for i, one in enumerate(facts)]


def release_facts(facts: Iterable[Estimate]) -> list[Released]:
    """Figures of the administrative ledger or of the files themselves: no sample, nobody's answer; all pass.

    Only a figure that cannot be had (NaN) is held back.
    """
    return [ruled(one, ("held back", NO_VALUE) if math.isnan(one.value) else PUBLISHED) for one in facts]


def cell_of(estimate: Estimate) -> Cell:
    """The estimate as a reader could use it; on a scale of points, nobody's answer dominates: 0 is one like any other."""
    dominance = math.nan if estimate.unit == "points" else estimate.dominance
    return Cell(estimate.measure, estimate.group, estimate.n, dominance)


def fact(
    measure: str, value: float, unit: str, group: Group = (), *, n: int = 0, method: str = "count"
) -> Estimate:
    """A figure without sampling error; `n` is how many rows or communities it is about."""
    nan = math.nan
    return Estimate(measure, value, nan, nan, nan, nan, n, 0, unit, group, method)


def ruled(estimate: Estimate, ruling: Ruling) -> Released:
    """The record that leaves the gate; nothing but the question and the reason when held back."""
    status, reason = ruling
    bare = Released(
        measure=estimate.measure, group=estimate.group, unit=estimate.unit, status=status, value=None, se=None,
        df=None, low=None, high=None, n=None, reason=reason,
    )  # fmt: skip
    if status == "held back":
        return bare
    return replace(
        bare, value=_known(estimate.value), se=_known(estimate.se), df=_known(estimate.df),
        low=_known(estimate.low), high=_known(estimate.high), n=estimate.n or None,
        psus=estimate.psus or None, p=_known(estimate.p), p_adjusted=_known(estimate.p_adjusted),
        method=estimate.method,
    )  # fmt: skip


def _protected(cells: Sequence[Cell], beside: Sequence[Cell], rules: Rules) -> dict[int, Ruling]:
    held = protected([*cells, *beside], rules.minimum_cell, rules.most_dominant)
    return {i: ("held back", reason) for i, reason in held.items() if i < len(cells)}


def _precision(estimate: Estimate, rules: Rules) -> Ruling:
    if math.isnan(estimate.value):
        return "held back", NO_VALUE
    if EFFECT_PARTS & {column for column, _ in estimate.group}:
        return _of_effect(estimate, rules)
    if math.isnan(estimate.se) or estimate.df <= 0:
        return "held back", NO_DOUBT
    # a difference between shares carries a test and may be negative: no share itself
    if estimate.unit in {"share", "percent"} and math.isnan(estimate.p):
        return rules.precision.of_share(estimate)
    return rules.precision.of_mean(estimate)


def _of_effect(estimate: Estimate, rules: Rules) -> Ruling:
    if math.isnan(estimate.p):
        return "held back", NO_DOUBT
    return ("caution", FEW_CLUSTERS) if estimate.df < rules.least_df_of_effect else PUBLISHED


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number
