"""Whether the scales measure what they should: reliability, dimensions, structure, sameness, communities' means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pandas as pd

from cbresearch.estimate.questions.common import (
    NO_AREA,
    ONE_WAVE,
    UNKNOWN,
    Told,
    chosen_wave,
    sampled_residents,
    unanswered,
    untold,
)
from cbresearch.estimate.release import fact, release_facts
from cbresearch.measure.agreement import RELIABLE, Agreement, agreement
from cbresearch.measure.confirmatory.confirm import confirm
from cbresearch.measure.confirmatory.invariance import LEAST_PER_GROUP, invariance
from cbresearch.measure.factorability import factorability, parallel_analysis
from cbresearch.measure.factors import explore, omega
from cbresearch.measure.items import items_of
from cbresearch.measure.polychoric import polychoric, smoothed
from cbresearch.measure.reliability import Alpha, alpha, ordinal_alpha
from cbresearch.records import Estimate, Text
from cbresearch.study import POINTS, Study

ENOUGH = 0.70
LEAST_ITEMS, LEAST_RESIDENTS = 3, 100
NO_SCALE = Text(
    "没有由三个以上题目组成、且有足够居民回答的量表。",
    "No scale has three items or more that enough residents answered.",
)
TOO_FEW_A_WAVE = Text(
    "各轮调查中完整回答的居民不足，无法比较各轮。",
    "Too few residents answered every item in each wave for waves to be compared.",
)


def reliability(study: Study, wave: int = 0) -> Told:
    """Alpha with its interval, ordinal alpha and omega of each scale; group: wave, ("statistic", …)."""
    chosen, scales = _scales(study, wave)
    if not scales:
        return untold(unanswered("reliability", NO_SCALE))
    facts, alphas = [], {}
    for scale, items in scales.items():
        w = _weights(study, chosen, items)
        found = alphas[scale] = alpha(items, weights=w)
        facts.append(_fact(scale, chosen, "alpha", found.value, found.n, found.low, found.high))
        facts.append(_fact(scale, chosen, "ordinal_alpha", ordinal_alpha(items, weights=w).value, found.n))
        facts.append(_fact(scale, chosen, "omega", omega(items, weights=w).value, found.n))
    return Told(release_facts(facts), _reliable(study, alphas))


def items_of_scales(study: Study, wave: int = 0) -> Told:
    """How each item goes with the rest of its scale, and alpha without it; measure: the item; group: wave, ("statistic", …)."""
    chosen, scales = _scales(study, wave)
    if not scales:
        return untold(unanswered("items_of_scales", NO_SCALE))
    facts, notes = [], []
    for items in scales.values():
        found = alpha(items, weights=_weights(study, chosen, items))
        for one in found.items:
            facts.append(_fact(one.item, chosen, "rest", one.rest, one.n, scale=False))
            facts.append(_fact(one.item, chosen, "alpha_without", one.alpha_without, one.n, scale=False))
        notes += [found.note] if found.note else []
    fine = Text(
        "没有题目与同一量表的其余题目方向相反。", "No item points the other way from the rest of its scale."
    )
    return Told(release_facts(facts), _joined(notes) if notes else fine)


def dimensions(study: Study, wave: int = 0) -> Told:
    """The loadings of the items of the longest scale on as many factors as it has; group: wave, ("factor", "1" …)."""
    chosen, scales = _scales(study, wave)
    if not scales:
        return untold(unanswered("dimensions", NO_SCALE))
    items = max(scales.values(), key=lambda one: one.shape[1])
    w = _weights(study, chosen, items)
    correlations = smoothed(polychoric(items, weights=w).correlations)
    n = items_of(items, w).complete.effective_n
    worth, found = (
        factorability(correlations, n),
        parallel_analysis(correlations, n, seed=study.file.study.seed),
    )
    factors = min(max(found.factors, 1), (items.shape[1] - 1) // 2)
    made = explore(items, factors, correlations="polychoric", weights=w)
    facts = [
        fact(item, float(loading), "ratio", (("wave", str(chosen)), ("factor", str(j + 1))), n=int(n), method="minres, oblimin")
        for item, row in zip(made.items, made.loadings, strict=True)
        for j, loading in enumerate(row)
    ]  # fmt: skip
    told = Text(f"{found.sentence.zh}KMO = {worth.kmo:.2f}。", f"{found.sentence.en} KMO = {worth.kmo:.2f}.")
    return Told(release_facts(facts), told)


def structure(study: Study, wave: int = 0) -> Told:
    """Fit of a model in which each scale is a factor; then reliability and variance extracted of each.

    Measure: the first scale for the fit, ("statistic", "cfi" | "rmsea" | "srmr"); each scale for its validity,
    ("statistic", "composite" | "extracted" | "most_shared").
    """
    chosen, scales = _scales(study, wave)
    if not scales:
        return untold(unanswered("structure", NO_SCALE))
    items = pd.concat(scales.values(), axis="columns")
    w = _weights(study, chosen, items)
    if items.notna().all(axis="columns").sum() < LEAST_RESIDENTS:
        return untold(unanswered("structure", NO_SCALE))
    found = confirm(items, {scale: list(one.columns) for scale, one in scales.items()}, weights=w)
    facts = []
    n = int(found.fit.n)
    for factor, shared in zip(found.factors, found.validity["most_shared"], strict=True):
        facts.append(_fact(factor, chosen, "composite", found.reliability[factor], n))
        facts.append(_fact(factor, chosen, "extracted", found.variance_extracted[factor], n))
        if len(scales) > 1:
            facts.append(_fact(factor, chosen, "most_shared", float(shared), n))
    return Told(release_facts(facts), _joined([found.sentence, *([found.note] if found.note else [])]))


def same_over_waves(study: Study) -> Told:
    """Whether the longest scale asked in several waves means the same in each; group: ("level", …), ("statistic", "cfi" | "rmsea")."""
    if len(study.waves) < 2:
        return untold(unanswered("same_over_waves", ONE_WAVE))
    frame = sampled_residents(study)
    by_wave = {wave: set(_scales(study, wave)[1]) for wave in study.waves}
    usual = [scale for scale in study.file.scales if sum(scale in one for one in by_wave.values()) > 1]
    if not usual:
        return untold(unanswered("same_over_waves", NO_SCALE))
    scale = max(usual, key=lambda one: len(study.codebook.items(one)))
    columns = [study.measured(item) for item in study.codebook.items(scale)]
    waves = [wave for wave, there in by_wave.items() if scale in there]
    whole = frame[frame["wave"].isin(waves)].dropna(subset=columns)
    kept = [wave for wave in waves if (whole["wave"] == wave).sum() >= LEAST_PER_GROUP]
    if len(kept) < 2:
        return untold(unanswered("same_over_waves", TOO_FEW_A_WAVE))
    whole = whole[whole["wave"].isin(kept)].reset_index(drop=True)
    found = invariance(
        whole[columns], {scale: columns}, whole["wave"], weights=whole["weight"].astype("float64")
    )
    facts = [
        fact(scale + POINTS, value, "ratio", (("level", step.level), ("statistic", name)), n=int(step.fit.n), method="lavaan-like ML")
        for step in found.steps
        for name, value in (("cfi", step.fit.cfi), ("rmsea", step.fit.rmsea))
    ]  # fmt: skip
    return Told(release_facts(facts), found.sentence)


def communities_compared(study: Study, wave: int = 0) -> Told:
    """ICC(1) and ICC(2) of each scale over communities; group: wave, ("statistic", "icc1" | "icc2")."""
    if study.area is None:
        return untold(unanswered("communities_compared", NO_AREA))
    chosen = chosen_wave(study, wave)
    frame = sampled_residents(study)
    here = frame[(frame["wave"] == chosen) & (frame[study.area] != UNKNOWN)]
    scores = [s + POINTS for s in study.file.scales if s + POINTS in here and here[s + POINTS].notna().any()]
    told = {
        column: agreement(here, column, study.area) for column in scores if here[study.area].nunique() > 1
    }
    if not told:
        return untold(unanswered("communities_compared", NO_SCALE))
    facts = [
        one
        for column, found in told.items()
        for one in (
            _fact(column, chosen, "icc1", found.icc1, found.n, found.icc1_low, found.icc1_high, scale=False),
            _fact(column, chosen, "icc2", found.icc2, found.n, scale=False),
        )
    ]
    return Told(release_facts(facts), _comparable(study, told))


def _scales(study: Study, wave: int) -> tuple[int, Mapping[str, pd.DataFrame]]:
    """The scales of three items or more that enough residents of a wave answered, each as a table of its items in points."""
    chosen = chosen_wave(study, wave)
    frame = study.residents()
    here = frame[frame["wave"] == chosen].reset_index(drop=True)
    found = {}
    for scale in study.file.scales:
        columns = [study.measured(item) for item in study.codebook.items(scale)]
        there = [
            c
            for c in columns
            if c in here.columns and here[c].notna().sum() >= LEAST_RESIDENTS and here[c].nunique() > 1
        ]
        if len(there) >= LEAST_ITEMS:
            found[scale] = here[there].astype("float64")
    return chosen, found


def _weights(study: Study, wave: int, items: pd.DataFrame) -> pd.Series:
    frame = study.residents()
    return frame.loc[frame["wave"] == wave, "weight"].astype("float64").reset_index(drop=True)


def _fact(
    measure: str, wave: int, statistic: str, value: float, n: int, low: float = float("nan"),
    high: float = float("nan"), *, scale: bool = True,
) -> Estimate:  # fmt: skip
    group = (("wave", str(wave)), ("statistic", statistic))
    return replace(fact(measure + POINTS if scale else measure, value, "ratio", group, n=n, method=statistic), low=low, high=high)  # fmt: skip


def _reliable(study: Study, alphas: Mapping[str, Alpha]) -> Text:
    enough = [scale for scale, found in alphas.items() if found.low >= ENOUGH]
    short = [scale for scale, found in alphas.items() if found.low < ENOUGH]
    if not short:
        return Text(
            f"{len(enough)}个量表的α系数连同置信区间都在{ENOUGH:.2f}以上，得分可以使用。",
            f"Alpha is {ENOUGH:.2f} or more for all {len(enough)} scales, intervals included; their scores may be used.",
        )
    zh = "、".join(study.label(one + POINTS).zh for one in short)
    en = ", ".join(study.label(one + POINTS).en for one in short)
    return Text(
        f"{zh}的α系数不能肯定达到{ENOUGH:.2f}，得分须谨慎使用。",
        f"Alpha of {en} is not surely {ENOUGH:.2f} or more; use these scores with care.",
    )


def _comparable(study: Study, told: Mapping[str, Agreement]) -> Text:
    fit = [column for column, found in told.items() if found.p < 0.05 and found.icc2 >= RELIABLE]
    if not fit:
        return Text(
            f"没有一个量表的社区平均分信度达到{RELIABLE:.2f}；比较社区时须看区间。",
            f"No scale has community means with a reliability of {RELIABLE:.2f}; compare communities by their intervals only.",
        )
    zh = "、".join(study.label(one).zh for one in fit)
    en = ", ".join(study.label(one).en for one in fit)
    return Text(
        f"{zh}的社区平均分信度达到{RELIABLE:.2f}，可以在社区之间比较。",
        f"Community means of {en} reach a reliability of {RELIABLE:.2f} and may be compared.",
    )


def _joined(texts: Iterable[Text]) -> Text:
    listed = list(texts)
    return Text("".join(one.zh for one in listed), " ".join(one.en for one in listed))
