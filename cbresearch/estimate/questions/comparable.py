"""Whether scores may be compared: between waves, between communities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.questions.common import (
    NO_AREA,
    ONE_WAVE,
    UNKNOWN,
    Told,
    chosen_wave,
    joined,
    sampled_residents,
    unanswered,
    untold,
)
from cbresearch.estimate.questions.measurement import (
    LEAST_RESIDENTS,
    NO_RESULT,
    NO_SCALE,
    coefficient,
    scales_of,
)
from cbresearch.estimate.release import fact, release_facts
from cbresearch.measure.agreement import RELIABLE, Agreement, agreement, within_agreement
from cbresearch.measure.confirmatory.invariance import LEAST_PER_GROUP, Invariance, invariance
from cbresearch.measure.wording import listed
from cbresearch.records import Estimate, Text
from cbresearch.study import POINTS, Study

LEVEL = 0.05
TOO_FEW_A_WAVE = Text(
    "各轮调查中完整回答的居民不足，无法比较各轮。",
    "Too few residents answered every item in each wave for waves to be compared.",
)
NO_SCORE = Text(
    "没有足够居民回答、可以在社区之间比较的量表。",
    "No scale was answered by enough residents in several communities.",
)


def same_over_waves(study: Study) -> Told:
    """Whether the longest scale asked in several waves means the same in each.

    Measure: the scale; group: ("sameness", "configural" | "metric" | "scalar" | "strict"), ("statistic", "cfi" |
    "rmsea" | "cfi_change"), the last from the second level on.
    """
    if len(study.waves) < 2:
        return untold(unanswered("same_over_waves", ONE_WAVE))
    frame = sampled_residents(study)
    by_wave = {wave: set(scales_of(study, wave)[1]) for wave in study.waves}
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
    weights = whole["weight"].astype("float64")
    try:
        found = invariance(whole[columns], {scale: columns}, whole["wave"], weights=weights)
    except EstimateError:
        return untold(unanswered("same_over_waves", NO_RESULT))
    facts = [
        fact(scale + POINTS, value, "fine coefficient", (("sameness", step.level), ("statistic", name)), n=len(whole), method="maximum likelihood")
        for i, step in enumerate(found.steps)
        for name, value in (("cfi", step.fit.cfi), ("rmsea", step.fit.rmsea), ("cfi_change", step.cfi_change))
        if i or name != "cfi_change"
    ]  # fmt: skip
    return Told(release_facts(facts), _same(study, scale, kept, found))


def communities_compared(study: Study, wave: int = 0) -> Told:
    """Whether communities can be told apart by each scale, and whether residents of one agree.

    Measure: the scale; group: wave, ("statistic", "icc1" | "icc2" | "rwg"). A reliability below 0 is none at all and
    told as 0. rwg is that of the middle community, for scales whose items offer equally many answers.
    """
    if study.area is None:
        return untold(unanswered("communities_compared", NO_AREA))
    chosen = chosen_wave(study, wave)
    frame = sampled_residents(study)
    here = frame[(frame["wave"] == chosen) & (frame[study.area] != UNKNOWN)]
    told: dict[str, Agreement] = {}
    facts: list[Estimate] = []
    for scale in study.file.scales:
        column = scale + POINTS
        if column not in here or here[column].notna().sum() < LEAST_RESIDENTS:
            continue
        try:
            found = agreement(here, column, study.area)
        except EstimateError:
            continue
        told[column] = found
        ends = (found.icc1_low, found.icc1_high)
        facts.append(coefficient(column, chosen, "icc1", found.icc1, found.n, ends, found.groups - 1))
        facts.append(coefficient(column, chosen, "icc2", max(found.icc2, 0.0), found.n))
        facts += _agreeing(study, scale, chosen, here)
    if not told:
        return untold(unanswered("communities_compared", NO_SCORE))
    return Told(release_facts(facts), _comparable(study, told))


def _agreeing(study: Study, scale: str, wave: int, here: pd.DataFrame) -> list[Estimate]:
    """rwg of the community in the middle; nothing where items offer different numbers of answers."""
    items = [item for item in study.codebook.items(scale) if item.name in here.columns and here[item.name].notna().any()]  # fmt: skip
    offered = {len(study.codebook.choices_of(item.name)) for item in items}
    if len(offered) != 1 or study.area is None:
        return []
    try:
        found = within_agreement(here, [item.name for item in items], study.area, answers=offered.pop())
    except EstimateError:
        return []
    enough = found[found["n"] >= study.minimum_cell]
    if enough.empty:
        return []
    middle, n = float(enough["rwg"].median()), int(enough["n"].sum())
    return [coefficient(scale + POINTS, wave, "rwg", middle, n)]


def _same(study: Study, scale: str, waves: Sequence[int], found: Invariance) -> Text:
    label = study.label(scale + POINTS)
    zh = f"{'、'.join(map(str, waves))}年" if min(waves) > 999 else f"第{'、'.join(map(str, waves))}轮"
    en = listed([Text(str(wave), str(wave)) for wave in waves]).en
    if found.level in {"scalar", "strict"}:
        return Text(
            f"{label.zh}：{zh}的居民对题目的理解相同，各年的平均分可以直接比较。",
            f"{label.en}: the items meant the same to residents in {en}, so that means of these waves may be compared.",
        )
    if found.level == "metric":
        odd = listed([study.label(item) for item in found.odd_items])
        return Text(
            f"{label.zh}：{zh}的居民回答的起点不同{f'，问题主要在{odd.zh}' if odd.zh else ''}。可以比较相关，比较平均分须谨慎。",
            f"{label.en}: residents in {en} start from different points{f', mostly for {odd.en}' if odd.en else ''}. Relations may be compared, means with care.",
        )
    return Text(
        f"{label.zh}：{zh}的居民对题目的理解不同，各年的平均分不宜比较。",
        f"{label.en}: the items did not mean the same to residents in {en}; means of these waves are not to be compared.",
    )


def _comparable(study: Study, told: Mapping[str, Agreement]) -> Text:
    """Scales by what their communities' means are good for: to be compared, by intervals only, not at all."""
    kinds: dict[str, list[Text]] = {"fit": [], "rough": [], "chance": []}
    for column, found in told.items():
        kind = "chance" if found.p >= LEVEL else "fit" if found.icc2 >= RELIABLE else "rough"
        kinds[kind].append(study.label(column))
    words = {
        "fit": (f"可以在社区之间比较（社区平均分的信度达到{RELIABLE:.2f}）", f"Communities may be compared (means reach a reliability of {RELIABLE:.2f})"),
        "rough": (f"比较时须看区间（信度低于{RELIABLE:.2f}）", f"Compare communities by their intervals only (reliability below {RELIABLE:.2f})"),
        "chance": ("社区之间的差别与偶然无异，不宜比较", "Communities differ no more than by chance and are not to be compared"),
    }  # fmt: skip
    return joined(
        Text(f"{words[kind][0]}：{listed(labels).zh}。", f"{words[kind][1]}: {listed(labels).en}.")
        for kind, labels in kinds.items()
        if labels
    )
