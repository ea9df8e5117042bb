"""Whether a scale measures one thing well enough: its reliability, its items, its dimensions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.questions.common import Told, chosen_wave, joined, unanswered, untold
from cbresearch.estimate.release import fact, release_facts
from cbresearch.measure.correlations import correlated
from cbresearch.measure.dimensionality import bartlett, horn, kmo
from cbresearch.measure.factorability import velicer_map
from cbresearch.measure.factors import explore, omega
from cbresearch.measure.reliability import Alpha, alpha, alpha_interval, ordinal_alpha
from cbresearch.measure.wording import listed
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.study import POINTS, Study

ENOUGH = 0.70
"""Nunnally (1978) for research in its early stages; a custom, no law."""
CUSTOMARY = Text("惯用的下限", "Customary least")
LEAST_ITEMS, LEAST_RESIDENTS = 3, 100
DRAWS = 1_000
NO_SCALE = Text(
    "没有由三个以上题目组成、且有足够居民回答的量表。",
    "No scale has three items or more that enough residents answered.",
)
NO_RESULT = Text(
    "这些回答算不出结果：题目可能几乎相同，或几乎无关，或完整的回答太少。",
    "These answers give no result: items may be nearly the same or hardly related, or complete answers too few.",
)


def reliability(study: Study, wave: int = 0) -> Told:
    """Alpha with Feldt's interval and with that of redrawn communities, ordinal alpha and omega total of each scale.

    Measure: the scale; group: wave, ("statistic", "alpha" | "alpha_redrawn" | "ordinal_alpha" | "omega"). The
    redrawn one is of residents who answered every item; communities, or else sampled clusters, are drawn anew.
    """
    chosen, scales = scales_of(study, wave)
    if not scales:
        return untold(unanswered("reliability", NO_SCALE))
    facts, alphas, notes = [], {}, []
    for scale, items in scales.items():
        w = weights_of(study, chosen)
        found = alphas[scale] = alpha(items, weights=w)
        facts.append(
            coefficient(
                scale + POINTS,
                chosen,
                "alpha",
                found.value,
                found.n,
                (found.low, found.high),
                found.effective_n - 1,
            )
        )
        facts += _redrawn(study, chosen, scale, items)
        facts += _of_answers(scale, chosen, items, w, found.n)
        try:
            one = omega(items, weights=w)
        except EstimateError:
            continue
        facts.append(coefficient(scale + POINTS, chosen, "omega", one.value, found.n))
        notes += [_of_scale(study, scale, named(study, one.note, items))] if one.note else []
    return Told(release_facts(facts), joined([_reliable(study, alphas), *notes]))


def items_of_scales(study: Study, wave: int = 0) -> Told:
    """How each item goes with the rest of its scale, and alpha without it.

    Measure: the item; group: wave, ("statistic", "rest" | "alpha_without"). The sentence names the items that point
    the other way, or that the scale would be more reliable without.
    """
    chosen, scales = scales_of(study, wave)
    if not scales:
        return untold(unanswered("items_of_scales", NO_SCALE))
    facts, notes, better = [], [], []
    for items in scales.values():
        found = alpha(items, weights=weights_of(study, chosen))
        for one in found.items:
            facts.append(coefficient(one.item, chosen, "rest", one.rest, one.n))
            facts.append(coefficient(one.item, chosen, "alpha_without", one.alpha_without, one.n))
            better += [one.item] if round(one.alpha_without - found.value, 2) > 0 else []
        notes += [named(study, found.note, items)] if found.note else []
    return Told(release_facts(facts), joined([*notes, _without(study, better)]))


def dimensions(study: Study, wave: int = 0) -> Told:
    """How many dimensions the items of the longest scale have, and their loadings on as many factors.

    Measure: the item; group: wave, ("statistic", "loading_1" …, then "kmo", the item's own sampling adequacy).
    Polychoric correlations; Bartlett's test alone is of plain ones.
    """
    chosen, scales = scales_of(study, wave)
    if not scales:
        return untold(unanswered("dimensions", NO_SCALE))
    scale, items = max(scales.items(), key=lambda one: one[1].shape[1])
    w = weights_of(study, chosen)
    try:
        worth, apart = kmo(items, correlations="polychoric", weights=w), bartlett(items, weights=w)
        found = horn(items, correlations="polychoric", weights=w, seed=study.file.study.seed)
        by_map = velicer_map(correlated(items, correlations="polychoric", weights=w).values)
        factors = min(max(found.factors, 1), (items.shape[1] - 1) // 2)
        made = explore(items, factors, correlations="polychoric", weights=w)
    except EstimateError:
        return untold(unanswered("dimensions", NO_RESULT))
    n = items.notna().sum()
    facts = [
        coefficient(item, chosen, f"loading_{j + 1}", float(loading), int(n[item]))
        for item, row in zip(made.items, made.loadings, strict=True)
        for j, loading in enumerate(row)
    ]
    facts += [coefficient(item, chosen, "kmo", one, int(n[item])) for item, one in zip(worth.items, worth.by_item, strict=True)]  # fmt: skip
    simplest = int(np.argmin(by_map)) + 1 if len(by_map) else 1
    said = [
        _counted(study.label(scale + POINTS), items.shape[1], found.factors, simplest), worth.sentence,
        _unrelated(apart.chi2, apart.df, apart.p), *([named(study, made.note, items)] if made.note else []),
    ]  # fmt: skip
    return Told(release_facts(facts), joined(said))


def having(found: Sequence[Released] | Unanswered, *statistics: str) -> list[Released] | Unanswered:
    """The numbers of some statistics among those of all."""
    if isinstance(found, Unanswered):
        return found
    return [record for record in found if record.part("statistic") in statistics]


def scales_of(study: Study, wave: int) -> tuple[int, Mapping[str, pd.DataFrame]]:
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


def weights_of(study: Study, wave: int) -> pd.Series:
    """The weights on the same rows as the tables of `scales_of`."""
    frame = study.residents()
    return frame.loc[frame["wave"] == wave, "weight"].astype("float64").reset_index(drop=True)


def coefficient(
    measure: str, wave: int, statistic: str, value: float, n: int,
    ends: tuple[float, float] = (math.nan, math.nan), df: float = math.nan,
) -> Estimate:  # fmt: skip
    """A coefficient of a measurement as a fact; `ends` are those of its interval, `df` the degrees of freedom behind it."""
    group = (("wave", str(wave)), ("statistic", statistic))
    made = fact(measure, value, "coefficient", group, n=n, method=statistic)
    return replace(made, low=ends[0], high=ends[1], df=df)


def named(study: Study, words: Text, items: pd.DataFrame) -> Text:
    """What an estimator says of items, with labels in the place of the columns that it names."""
    labels = {str(column): study.label(str(column)) for column in items.columns}
    if not labels:
        return words
    codes = re.compile("|".join(re.escape(column) for column in sorted(labels, key=len, reverse=True)))
    return Text(
        codes.sub(lambda found: f"“{labels[found[0]].zh}”", words.zh),
        codes.sub(lambda found: f"“{labels[found[0]].en}”", words.en),
    )


def _redrawn(study: Study, wave: int, scale: str, items: pd.DataFrame) -> list[Estimate]:
    """Alpha with the interval of redrawn communities; nothing where there are none to draw."""
    column = study.area or study.design.cluster
    frame = study.residents()
    if column is None or column not in frame.columns:
        return []
    cluster = frame.loc[frame["wave"] == wave, column].reset_index(drop=True)
    there = cluster.notna().to_numpy()
    w = weights_of(study, wave)
    try:
        found = alpha_interval(
            items[there], cluster[there], weights=w[there], draws=DRAWS, seed=study.file.study.seed
        )
    except EstimateError:
        return []
    return [coefficient(scale + POINTS, wave, "alpha_redrawn", found.value, found.n, (found.low, found.high))]


def _of_answers(scale: str, wave: int, items: pd.DataFrame, w: pd.Series, n: int) -> list[Estimate]:
    """Ordinal alpha; nothing for answers that are no ordered few."""
    try:
        return [coefficient(scale + POINTS, wave, "ordinal_alpha", ordinal_alpha(items, weights=w).value, n)]
    except EstimateError:
        return []


def _of_scale(study: Study, scale: str, words: Text) -> Text:
    label = study.label(scale + POINTS)
    return Text(f"{label.zh}：{words.zh}", f"{label.en}: {words.en}")


def _reliable(study: Study, alphas: Mapping[str, Alpha]) -> Text:
    enough = [scale for scale, found in alphas.items() if found.low >= ENOUGH]
    short = [scale for scale, found in alphas.items() if found.low < ENOUGH]
    if not short:
        of = f"all {len(enough)} scales" if len(enough) > 1 else "the scale"
        return Text(
            f"{len(enough)}个量表的α系数连同置信区间都在{ENOUGH:.2f}以上，得分可以使用。",
            f"Alpha of {of} is {ENOUGH:.2f} or more, interval included; scores may be used.",
        )
    doubtful = listed([_with_interval(study.label(one + POINTS), alphas[one]) for one in short])
    fine = listed([study.label(one + POINTS) for one in enough])
    zh = f"得分可以使用的量表：{fine.zh}（α系数连同置信区间都在{ENOUGH:.2f}以上）。" if enough else ""
    en = (
        f"Scores may be used of: {fine.en} (alpha {ENOUGH:.2f} or more, interval included). "
        if enough
        else ""
    )
    return Text(
        f"{zh}α系数不能肯定达到{ENOUGH:.2f}、须谨慎使用的量表：{doubtful.zh}。",
        f"{en}To be used with care, alpha being not surely {ENOUGH:.2f}: {doubtful.en}.",
    )


def _with_interval(label: Text, found: Alpha) -> Text:
    return Text(
        f"{label.zh}（α = {found.value:.2f}，95%置信区间{found.low:.2f}～{found.high:.2f}）",
        f"{label.en} (alpha {found.value:.2f}, 95% interval {found.low:.2f} to {found.high:.2f})",
    )


def _without(study: Study, better: Sequence[str]) -> Text:
    if not better:
        return Text(
            "每道题都与同一量表的其余题目合得来：去掉任何一题，α系数都不会提高。",
            "Every item goes with the rest of its scale: leaving one out would not raise alpha.",
        )
    said = listed([study.label(one) for one in better])
    return Text(
        f"去掉以下题目，所在量表的α系数反而提高，宜检查措辞：{said.zh}。",
        f"Alpha of their scales would be higher without these items, whose wording deserves a look: {said.en}.",
    )


def _counted(label: Text, items: int, factors: int, simplest: int) -> Text:
    """How many dimensions parallel analysis finds, and whether Velicer's test agrees."""
    agrees = factors == simplest
    zh = "Velicer检验结论相同" if agrees else f"Velicer检验得到{simplest}个，两种方法不一致"
    en = "Velicer's test agrees" if agrees else f"Velicer's test finds {simplest}, so the two disagree"
    return Text(
        f"{label.zh}的{items}道题有{factors}个共同的因素（平行分析）；{zh}。",
        f"{label.en}: its {items} items have {factors} thing{'s' if factors != 1 else ''} in common by parallel analysis; {en}.",
    )


def _unrelated(chi2: float, df: int, p: float) -> Text:
    told = f"{chi2:,.0f}", "< 0.001" if p < 0.001 else f"= {p:.3f}"
    if p < 0.05:
        return Text(
            f"Bartlett检验排除了题目互不相关的可能（χ²({df}) = {told[0]}，p {told[1]}）。",
            f"Bartlett's test rules out that items are unrelated (chi-square({df}) = {told[0]}, p {told[1]}).",
        )
    return Text(
        f"Bartlett检验不能排除题目互不相关（χ²({df}) = {told[0]}，p {told[1]}）。",
        f"Bartlett's test cannot rule out that items are unrelated (chi-square({df}) = {told[0]}, p {told[1]}).",
    )
