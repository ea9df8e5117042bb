"""Whether a scale means the same to different groups, before their means are compared.

Meredith (1993, Psychometrika 58); the change of CFI by .01 as the rule of Cheung and Rensvold (2002, Structural
Equation Modeling 9). R: lavaan's `group.equal = c("loadings", "intercepts", "residuals")`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.measure.confirmatory.confirm import FAIR_CFI, checked, moments_of
from cbresearch.measure.confirmatory.likelihood import Fit, Moments, solve
from cbresearch.measure.confirmatory.structure import LEVELS, structure
from cbresearch.measure.items import Items, items_of
from cbresearch.records import Text

Level = Literal["none", "configural", "metric", "scalar", "strict"]
CFI_DROP = 0.01
LEAST_PER_GROUP = 100
"""A group with fewer residents cannot carry a model of its own."""


@dataclass(frozen=True, slots=True)
class Step:
    """One level of sameness with its fit, and what it costs against the level before."""

    level: str
    fit: Fit
    chi2_difference: float
    df_difference: int
    p: float
    cfi_change: float

    @property
    def holds(self) -> bool:
        """The drop in CFI decides: chi-square finds any difference in a large survey."""
        return self.fit.cfi >= FAIR_CFI if self.level == "configural" else self.cfi_change >= -CFI_DROP


@dataclass(frozen=True, slots=True, eq=False)
class Invariance:
    """Every level in turn; `level` is the last that holds. `odd_items` are those whose intercepts stand in the way."""

    steps: tuple[Step, ...]
    level: Level
    groups: int
    smallest_group: int
    odd_items: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row per level: level, chi2, df, cfi, rmsea, srmr, chi2_difference, df_difference, p, cfi_change, holds."""
        return pd.DataFrame(
            [
                (s.level, s.fit.chi2, s.fit.df, s.fit.cfi, s.fit.rmsea, s.fit.srmr, s.chi2_difference, s.df_difference, s.p, s.cfi_change, s.holds)
                for s in self.steps
            ],
            columns=["level", "chi2", "df", "cfi", "rmsea", "srmr", "chi2_difference", "df_difference", "p", "cfi_change", "holds"],
        )  # fmt: skip

    @property
    def sentence(self) -> Text:
        """Whether means may be compared."""
        if self.level in {"scalar", "strict"}:
            return Text(
                "各组对题目的理解相同，平均分可以直接比较。",
                "The items mean the same to all groups, so that means may be compared.",
            )
        if self.level == "metric":
            odd_zh = f"，问题主要在 {'、'.join(self.odd_items)}" if self.odd_items else ""
            odd_en = f", mostly for {', '.join(self.odd_items)}" if self.odd_items else ""
            return Text(
                f"各组的回答起点不同{odd_zh}：可以比较相关，比较平均分须谨慎。",
                f"Groups start from different points{odd_en}: relations may be compared, means with care.",
            )
        return Text(
            "各组对题目的理解不同，平均分不宜比较。",
            "The items do not mean the same to all groups; their means are not to be compared.",
        )


def invariance(
    items: pd.DataFrame, model: Mapping[str, Sequence[str]], group: pd.Series, *,
    weights: pd.Series | None = None,
) -> Invariance:  # fmt: skip
    """Fit the model to all groups at once with more and more in common: nothing, loadings, intercepts, residuals.

    Residents who missed an item or the group are left out. EstimateError for faults of the model, a single
    group, or groups of fewer than 100 residents, which cannot carry it: join groups, or compare waves instead.
    """
    names = checked(items, model)
    whole, labels = _whole(items, names, group, weights)
    groups = _moments(whole, labels)
    owner = [f for f, listed in enumerate(model.values()) for _ in listed]
    steps: list[Step] = []
    for level in LEVELS:
        fit = solve(structure(owner, len(groups), level), groups).fit
        steps.append(_step(level, fit, steps[-1].fit if steps else None))
    reached: Level = "none"
    for step in steps:
        if not step.holds:
            break
        reached = step.level  # type: ignore[assignment]
    odd = _odd(owner, names, groups, steps) if reached == "metric" else ()
    return Invariance(
        tuple(steps), reached, len(groups), int(min(np.unique(labels, return_counts=True)[1])), odd
    )


def _whole(
    items: pd.DataFrame, names: list[str], group: pd.Series, weights: pd.Series | None
) -> tuple[Items, np.ndarray]:
    given = items_of(items[names], weights)
    there = np.isfinite(given.values).all(axis=1) & group.notna().to_numpy()
    labels = group.to_numpy()[there].astype(str)
    kinds, counts = np.unique(labels, return_counts=True)
    if len(kinds) < 2:
        raise EstimateError(f"{len(kinds)} group; sameness across groups needs two at least.")
    small = [
        f"{kind} ({count})" for kind, count in zip(kinds, counts, strict=True) if count < LEAST_PER_GROUP
    ]
    if small:
        raise EstimateError(
            f"{len(small)} of {len(kinds)} groups have fewer than {LEAST_PER_GROUP} residents ({', '.join(small[:5])}); "
            "a model of their own would be noise. Join groups, or compare waves instead."
        )
    return Items(given.values[there], given.weights[there], given.names), labels


def _moments(whole: Items, labels: np.ndarray) -> list[Moments]:
    return [
        moments_of(Items(whole.values[labels == kind], whole.weights[labels == kind], whole.names))
        for kind in np.unique(labels)
    ]


def _step(level: str, fit: Fit, before: Fit | None) -> Step:
    if before is None:
        return Step(level, fit, float("nan"), 0, float("nan"), float("nan"))
    chi2, df = fit.chi2 - before.chi2, fit.df - before.df
    return Step(level, fit, chi2, df, float(stats.chi2.sf(max(chi2, 0), df)), fit.cfi - before.cfi)


def _odd(owner: list[int], names: list[str], groups: list[Moments], steps: list[Step]) -> tuple[str, ...]:
    """The items whose intercepts, freed one after the other, bring the CFI back; at most half of the items."""
    wanted = steps[1].fit.cfi - CFI_DROP
    free: list[int] = []
    markers = structure(owner).markers
    candidates = [i for i in range(len(owner)) if i not in markers]
    while len(free) < len(owner) // 2 and candidates:
        found = {
            i: solve(structure(owner, len(groups), "scalar", free={"nu": [*free, i]}), groups).fit
            for i in candidates
        }
        best = min(found, key=lambda i: found[i].chi2)
        free.append(best)
        candidates.remove(best)
        if found[best].cfi >= wanted:
            break
    return tuple(names[i] for i in free)
