"""When a figure is too rough to show: published rules, by name."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from cbresearch.errors import EstimateError, nearest
from cbresearch.records import Estimate, Status, Text
from cbresearch.sampling.descriptive import effective_n

Ruling = tuple[Status, Text | None]
PUBLISHED: Ruling = ("published", None)

FEW_EFFECTIVE = Text(
    "不公布：有效样本量不足30人，这个比例不可靠。",
    "Held back: the sample is worth fewer than 30 people here, too few for a share.",
)
TOO_WIDE = Text(
    "不公布：误差范围太宽，这个比例没有参考意义。",
    "Held back: the interval is too wide for the share to mean much.",
)
TOO_VARIABLE = Text(
    "不公布：变异系数太大，这个数没有参考意义。",
    "Held back: the coefficient of variation is too large for the figure to mean much.",
)
ROUGH = Text("误差范围较宽，请谨慎使用。", "The interval is wide; use with care.")
VARIABLE = Text("变异系数较大，请谨慎使用。", "The coefficient of variation is large; use with care.")
FEW_PSUS = Text(
    "抽样单位较少，误差范围本身也不太确定，请谨慎使用。",
    "Few groups were sampled, so the interval itself is uncertain; use with care.",
)
TOO_FEW_PSUS = Text(
    "不公布：抽样单位太少，误差范围不可信。",
    "Held back: too few groups were sampled for the interval to be trusted.",
)
ALL_ALIKE = Text(
    "受访者的回答完全一致，无法给出误差范围。",
    "Everybody asked gave the same answer, so there is no interval.",
)


class Precision(Protocol):
    """A set of rules for figures whose standard error and degrees of freedom are known."""

    @property
    def name(self) -> str: ...

    def of_share(self, estimate: Estimate) -> Ruling:
        """A share (unit "share" or "percent") that is no difference."""

    def of_mean(self, estimate: Estimate) -> Ruling:
        """A mean, a total, or a difference."""


@dataclass(frozen=True, slots=True)
class Nchs:
    """The National Center for Health Statistics' rules for shares (Parker et al. 2017, Vital and Health
    Statistics 2(175)); those for means are ours.

    Shares: held back below `least_effective_n`, or with an interval of `wide` or more, or wider than
    `relative` times the share unless narrower than `narrow`; a warning below `least_df` or at 0 or 100 %.
    Means on 0-100 points: a warning below `least_df` or when the interval is wider than `widest_points`.
    """

    name: str = "nchs-2017"
    least_effective_n: float = 30.0
    narrow: float = 0.05
    wide: float = 0.30
    relative: float = 1.30
    least_df: float = 8.0
    widest_points: float = 30.0

    def of_share(self, estimate: Estimate) -> Ruling:
        if estimate.se == 0:
            is_enough = estimate.n >= self.least_effective_n
            return ("caution", ALL_ALIKE) if is_enough else ("held back", FEW_EFFECTIVE)
        whole = 100 if estimate.unit == "percent" else 1
        width, value = (estimate.high - estimate.low) / whole, estimate.value / whole
        if effective_n(estimate) < self.least_effective_n:
            return "held back", FEW_EFFECTIVE
        if width >= self.wide or (width > self.narrow and width > self.relative * value):
            return "held back", TOO_WIDE
        return ("caution", FEW_PSUS) if estimate.df < self.least_df else PUBLISHED

    def of_mean(self, estimate: Estimate) -> Ruling:
        if estimate.se == 0:
            return "caution", ALL_ALIKE
        if estimate.unit == "points" and estimate.high - estimate.low > self.widest_points:
            return "caution", ROUGH
        return ("caution", FEW_PSUS) if estimate.df < self.least_df else PUBLISHED


@dataclass(frozen=True, slots=True)
class StatisticsCanada:
    """Statistics Canada's guidelines for releasing survey estimates, by coefficient of variation.

    Up to `free` without restriction, up to `most` with a warning, held back above, or on fewer than
    `least_n` answers. A difference has no coefficient of variation and passes.
    """

    name: str = "statcan"
    least_n: int = 10
    free: float = 0.165
    most: float = 0.333

    def of_share(self, estimate: Estimate) -> Ruling:
        return self.of_mean(estimate)

    def of_mean(self, estimate: Estimate) -> Ruling:
        if estimate.n < self.least_n:
            return "held back", fewer_than(self.least_n)
        return by_variation(estimate, self.free, self.most)


@dataclass(frozen=True, slots=True)
class IneChile:
    """The standard of Chile's statistical institute for household surveys (INE 2020).

    Held back below `least_n` answers or `least_df` degrees of freedom. A share p is shown with a warning
    when its standard error exceeds p^(2/3)/9 (of 1 - p above one half); any other figure by its
    coefficient of variation, with a warning above `free`, held back above `most`.
    """

    name: str = "ine-chile-2020"
    least_n: int = 60
    least_df: float = 9.0
    free: float = 0.15
    most: float = 0.30

    def of_share(self, estimate: Estimate) -> Ruling:
        whole = 100 if estimate.unit == "percent" else 1
        value, se = estimate.value / whole, estimate.se / whole
        admissible = min(value, 1 - value) ** (2 / 3) / 9
        return self._unless_few(estimate, ("caution", ROUGH) if se > admissible else PUBLISHED)

    def of_mean(self, estimate: Estimate) -> Ruling:
        return self._unless_few(estimate, by_variation(estimate, self.free, self.most))

    def _unless_few(self, estimate: Estimate, ruling: Ruling) -> Ruling:
        if estimate.n < self.least_n:
            return "held back", fewer_than(self.least_n)
        return ("held back", TOO_FEW_PSUS) if estimate.df < self.least_df else ruling


NCHS = Nchs()
SETS: Mapping[str, Precision] = MappingProxyType(
    {one.name: one for one in (NCHS, StatisticsCanada(), IneChile())}
)
"""Every set that study.toml may name as disclosure.precision."""


def precision_named(name: str) -> Precision:
    """The set of that name; EstimateError with the nearest one where there is none."""
    if name in SETS:
        return SETS[name]
    near = nearest(name, list(SETS))
    hint = f" Did you mean '{near}'?" if near else ""
    raise EstimateError(
        f"No rules of precision are called '{name}'; expected one of {', '.join(SETS)}.{hint}"
    )


def by_variation(estimate: Estimate, free: float, most: float) -> Ruling:
    """The ruling on se over value; one on a difference, which may be near zero for good reason, is free."""
    if not math.isnan(estimate.p):
        return PUBLISHED
    variation = estimate.se / abs(estimate.value) if estimate.value else math.inf
    if variation > most:
        return "held back", TOO_VARIABLE
    return ("caution", VARIABLE) if variation > free else PUBLISHED


def fewer_than(people: int) -> Text:
    return Text(
        f"不公布：不足{people}人回答，这个数不可靠。",
        f"Held back: fewer than {people} people answered, too few for the figure to be relied on.",
    )
