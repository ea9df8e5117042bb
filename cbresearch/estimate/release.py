"""The release gate: what may be shown, what with a warning, what not at all.

Disclosure first: a figure about fewer people than the study's minimum cell is held back. Where it is the
only one of its table line that is, the next smallest goes too, since it could be had by subtraction from
the total (the total counts as printed when it is among the figures handed in together).
Precision next, by the published rules in `Precision`. A held-back record has no numbers at all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cbresearch.records import Estimate, Released, Status, Text
from cbresearch.sampling.descriptive import effective_n
from cbresearch.sampling.domains import Group

Ruling = tuple[Status, Text | None]

EFFECT_PARTS = frozenset({"term", "method"})
"""Parts of a group that mark a model's coefficient."""
UNDIVIDED = frozenset({"answer", "term", "method"})
"""Parts of a group whose figures speak of the same people, so that none follows from the others."""


@dataclass(frozen=True, slots=True)
class Precision:
    """When a figure is too rough to show. The defaults for shares are those of the National Center for
    Health Statistics (Parker et al. 2017, Vital and Health Statistics 2(175)); those for means are ours.

    Shares: held back below `least_effective_n`, or with an interval of `wide` or more, or wider than
    `relative` times the share unless narrower than `narrow`; a warning below `least_df` or at 0 or 100 %.
    Means on 0-100 points: a warning below `least_df` or when the interval is wider than `widest_points`.
    Effects: a warning below `least_df_of_effect` (Satterthwaite's approximation fails there).
    """

    name: str = "nchs-2017"
    least_effective_n: float = 30.0
    narrow: float = 0.05
    wide: float = 0.30
    relative: float = 1.30
    least_df: float = 8.0
    widest_points: float = 30.0
    least_df_of_effect: float = 5.0


NCHS = Precision()

NEXT_SMALLEST = Text(
    "不公布：否则用总数相减就能得到另一个被保护的小组的数字。",
    "Held back: with it, the figure of another protected small group could be had by subtraction.",
)
NO_VALUE = Text("不公布：现有数据算不出这个数。", "Held back: these data cannot give this figure.")
NO_DOUBT = Text(
    "不公布：抽样单位太少，无法估计误差。",
    "Held back: too few sampled groups to tell how far off the figure may be.",
)
FEW_EFFECTIVE = Text(
    "不公布：有效样本量不足30人，这个比例不可靠。",
    "Held back: the sample is worth fewer than 30 people here, too few for a share.",
)
TOO_WIDE = Text(
    "不公布：误差范围太宽，这个比例没有参考意义。",
    "Held back: the interval is too wide for the share to mean much.",
)
ROUGH = Text("误差范围较宽，请谨慎使用。", "The interval is wide; use with care.")
FEW_PSUS = Text(
    "抽样单位较少，误差范围本身也不太确定，请谨慎使用。",
    "Few groups were sampled, so the interval itself is uncertain; use with care.",
)
ALL_ALIKE = Text(
    "受访者的回答完全一致，无法给出误差范围。",
    "Everybody asked gave the same answer, so there is no interval.",
)
FEW_CLUSTERS = Text(
    "能比较的社区太少，结论不稳，请谨慎使用。",
    "Too few communities bear on this; the result is shaky, use with care.",
)
PUBLISHED: Ruling = ("published", None)


def too_few(minimum_cell: int) -> Text:
    return Text(
        f"不公布：不足{minimum_cell}人，以保护个人信息。",
        f"Held back: fewer than {minimum_cell} people, to protect them.",
    )


def release(estimates: Iterable[Estimate], minimum_cell: int, precision: Precision = NCHS) -> list[Released]:
    """Rule on estimates that one report prints together, in the order given."""
    listed = list(estimates)
    protected = disclosive([(e.measure, e.group, e.n) for e in listed], minimum_cell)
    return [
        ruled(estimate, ("held back", protected[i]) if i in protected else _precision(estimate, precision))
        for i, estimate in enumerate(listed)
    ]


def release_counts(
    measure: str, counts: Mapping[Group, int], minimum_cell: int, *, unit: str = "people"
) -> list[Released]:
    """Numbers of people, one per group; those below the minimum are held back, zero included."""
    facts = [fact(measure, float(count), unit, group, n=count) for group, count in counts.items()]
    protected = disclosive([(f.measure, f.group, f.n) for f in facts], minimum_cell)
    return [
        ruled(one, ("held back", protected[i]) if i in protected else PUBLISHED)
        for i, one in enumerate(facts)
    ]


def release_facts(facts: Iterable[Estimate]) -> list[Released]:
    """Figures of the administrative ledger or of the files themselves: no sample, nobody's answer; all pass.

    Only a figure that cannot be had (NaN) is held back.
    """
    return [ruled(one, ("held back", NO_VALUE) if math.isnan(one.value) else PUBLISHED) for one in facts]


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
        psus=estimate.psus or None, p=_known(estimate.p), p_adjusted=_known(estimate.p_adjusted), method=estimate.method,
    )  # fmt: skip


def disclosive(cells: Sequence[tuple[str, Group, int]], minimum_cell: int) -> dict[int, Text]:
    """Which of these (measure, group, people) must be held back to protect people, and why."""
    held = {i: too_few(minimum_cell) for i, (_, _, n) in enumerate(cells) if n < minimum_cell}
    for members in _lines(cells):
        alone = [i for i in members if i in held]
        others = sorted((cells[i][2], i) for i in members if i not in held)
        if len(alone) == 1 and others:
            held[others[0][1]] = NEXT_SMALLEST
    return held


def _lines(cells: Sequence[tuple[str, Group, int]]) -> list[list[int]]:
    """The lines of a table: cells alike but for one part of the group, where the total over that part is given too."""
    lines: dict[tuple[str, str, Group], list[int]] = {}
    for i, (measure, group, _) in enumerate(cells):
        for column, code in group:
            if column not in UNDIVIDED:
                rest = tuple(part for part in group if part != (column, code))
                lines.setdefault((measure, column, rest), []).append(i)
    given = {(measure, group) for measure, group, _ in cells}
    return [members for (measure, _, rest), members in lines.items() if (measure, rest) in given]


def _precision(estimate: Estimate, rules: Precision) -> Ruling:
    if math.isnan(estimate.value):
        return "held back", NO_VALUE
    if EFFECT_PARTS & {column for column, _ in estimate.group}:
        return _of_effect(estimate, rules)
    if math.isnan(estimate.se) or estimate.df <= 0:
        return "held back", NO_DOUBT
    # a difference between shares carries a test and may be negative: no share itself
    if estimate.unit in {"share", "percent"} and math.isnan(estimate.p):
        return _of_share(estimate, rules)
    return _of_mean(estimate, rules)


def _of_effect(estimate: Estimate, rules: Precision) -> Ruling:
    if math.isnan(estimate.p):
        return "held back", NO_DOUBT
    return ("caution", FEW_CLUSTERS) if estimate.df < rules.least_df_of_effect else PUBLISHED


def _of_share(estimate: Estimate, rules: Precision) -> Ruling:
    if estimate.se == 0:
        return (
            ("caution", ALL_ALIKE) if estimate.n >= rules.least_effective_n else ("held back", FEW_EFFECTIVE)
        )
    whole = 100 if estimate.unit == "percent" else 1
    width, value = (estimate.high - estimate.low) / whole, estimate.value / whole
    if effective_n(estimate) < rules.least_effective_n:
        return "held back", FEW_EFFECTIVE
    if width >= rules.wide or (width > rules.narrow and width > rules.relative * value):
        return "held back", TOO_WIDE
    return ("caution", FEW_PSUS) if estimate.df < rules.least_df else PUBLISHED


def _of_mean(estimate: Estimate, rules: Precision) -> Ruling:
    if estimate.se == 0:
        return "caution", ALL_ALIKE
    if estimate.unit == "points" and estimate.high - estimate.low > rules.widest_points:
        return "caution", ROUGH
    return ("caution", FEW_PSUS) if estimate.df < rules.least_df else PUBLISHED


def _known(number: float) -> float | None:
    return None if math.isnan(number) else number
