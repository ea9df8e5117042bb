"""Whether the scales measure different things, and whether one score may stand for all."""

from __future__ import annotations

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.questions.common import Told, joined, unanswered, untold
from cbresearch.estimate.questions.measurement import (
    LEAST_RESIDENTS,
    NO_RESULT,
    NO_SCALE,
    coefficient,
    named,
    scales_of,
    weights_of,
)
from cbresearch.estimate.release import release_facts
from cbresearch.measure.confirmatory.confirm import Confirmed, confirm
from cbresearch.measure.dimensionality import horn
from cbresearch.measure.factors import omega, omega_hierarchical
from cbresearch.measure.wording import listed
from cbresearch.records import Text
from cbresearch.study import POINTS, Study

HARDLY_TWO = 0.85
"""The HTMT from which on two scales are hardly two (Henseler, Ringle and Sarstedt 2015, J. of the Academy of Marketing Science 43)."""
HALF = 0.50
MOSTLY_ONE = 0.75
"""The hierarchical omega from which on a single score may stand for all (Reise, Bonifay and Haviland 2013, J. of Personality Assessment 95)."""
ONE_SCALE = Text(
    "不足两个由三个以上题目组成的量表，不必问能否合成一个总分。",
    "Fewer than two scales have three items or more, so there is nothing to add up.",
)
NO_GENERAL = Text(
    "各量表之间没有共同的因素，不应把全部题目加成一个总分。",
    "Nothing is common to all scales; their items should not be added up into one score.",
)


def structure(study: Study, wave: int = 0) -> Told:
    """Reliability, variance extracted and the nearest neighbour of each scale, in a model with a factor for each.

    Measure: the scale; group: wave, ("statistic", "composite" | "extracted" | "htmt"), the last only among several
    scales: the largest HTMT2 with another. The sentence tells the fit, then which scales are hardly two.
    """
    chosen, scales = scales_of(study, wave)
    if not scales:
        return untold(unanswered("structure", NO_SCALE))
    items = pd.concat(scales.values(), axis="columns")
    if items.notna().all(axis="columns").sum() < LEAST_RESIDENTS:
        return untold(unanswered("structure", NO_SCALE))
    model = {scale: list(one.columns) for scale, one in scales.items()}
    try:
        found = confirm(items, model, weights=weights_of(study, chosen))
    except EstimateError:
        return untold(unanswered("structure", NO_RESULT))
    n = len(items) - found.left_out
    facts = []
    for i, factor in enumerate(found.factors):
        told = {"composite": found.reliability[factor], "extracted": found.variance_extracted[factor]}
        told |= {"htmt": float(np.delete(found.htmt[i], i).max())} if len(scales) > 1 else {}
        facts += [coefficient(factor + POINTS, chosen, name, value, n) for name, value in told.items()]
    note = [named(study, found.note, items)] if found.note else []
    said = [found.sentence, *note, *_drowned(study, found), *_overlapping(study, found)]
    return Told(release_facts(facts), joined(said))


def one_score(study: Study, wave: int = 0) -> Told:
    """Whether the items of all scales may be added up into one score.

    Parallel analysis tells how many things lie behind them. One: the measure is omega total, a single score will do.
    Two: no general factor can be told, and there is no number. Three or more: hierarchical omega with as many groups.
    Measure: the first scale; group: wave, ("statistic", "omega" | "omega_hierarchical").
    """
    chosen, scales = scales_of(study, wave)
    if len(scales) < 2:
        return untold(unanswered("one_score", ONE_SCALE))
    items = pd.concat(scales.values(), axis="columns")
    n, w = int(items.notna().all(axis="columns").sum()), weights_of(study, chosen)
    if n < LEAST_RESIDENTS:
        return untold(unanswered("one_score", NO_RESULT))
    try:
        things = horn(items, correlations="polychoric", weights=w, seed=study.file.study.seed).factors
        if things == 2:
            return Told([], _several(items.shape[1], things, None))
        # more groups than there are things would be noise, and with it the general factor behind them
        found = omega(items, weights=w) if things < 2 else omega_hierarchical(items, things, weights=w)
    except EstimateError:
        return untold(unanswered("one_score", NO_GENERAL))
    name = "omega" if things < 2 else "omega_hierarchical"
    told = coefficient(next(iter(scales)) + POINTS, chosen, name, found.value, n)
    note = [named(study, found.note, items)] if found.note else []
    return Told(release_facts([told]), joined([_several(items.shape[1], things, found.value), *note]))


def _drowned(study: Study, found: Confirmed) -> list[Text]:
    """Scales whose items hold more of their own than of what they share (Fornell and Larcker 1981)."""
    short = [study.label(f + POINTS) for f, share in found.variance_extracted.items() if share < HALF]
    if not short:
        return []
    said = listed(short)
    return [
        Text(
            f"单独一道题还不够准（平均提取方差不到{HALF:.2f}），应当用整个量表的分数：{said.zh}。",
            f"Single items are too noisy (variance extracted below {HALF:.2f}), so take the score of the whole scale: {said.en}.",
        )
    ]


def _overlapping(study: Study, found: Confirmed) -> list[Text]:
    """Pairs of scales whose HTMT2 says that they are hardly two; nothing of a single scale."""
    labels = [study.label(factor + POINTS) for factor in found.factors]
    pairs = [
        Text(f"{labels[i].zh}与{labels[j].zh}（{found.htmt[i, j]:.2f}）", f"{labels[i].en} and {labels[j].en} ({found.htmt[i, j]:.2f})")
        for i in range(len(labels))
        for j in range(i + 1, len(labels))
        if found.htmt[i, j] > HARDLY_TWO
    ]  # fmt: skip
    if len(labels) < 2:
        return []
    if not pairs:
        return [
            Text(
                f"各量表测的是不同的东西：两两之间的HTMT2都不超过{HARDLY_TWO:.2f}。",
                f"The scales measure different things: no HTMT2 between two is above {HARDLY_TWO:.2f}.",
            )
        ]
    zh, en = "；".join(one.zh for one in pairs), "; ".join(one.en for one in pairs)
    return [
        Text(
            f"有的量表几乎测的是同一件事（HTMT2高于{HARDLY_TWO:.2f}）：{zh}。不宜把它们当作两项互相印证的证据。",
            f"Some scales measure nearly the same thing (HTMT2 above {HARDLY_TWO:.2f}): {en}. They should not be taken as two pieces of evidence.",
        )
    ]


def _several(items: int, things: int, general: float | None) -> Text:
    """How many things lie behind all items, and so whether one score may stand for them."""
    if things < 2:
        return Text(
            f"全部{items}道题背后只有一个共同的因素（平行分析）：可以加成一个总分。",
            f"A single thing lies behind all {items} items (parallel analysis): they may be added up into one score.",
        )
    zh = f"全部{items}道题背后有{things}个因素（平行分析）"
    en = f"{things} things lie behind all {items} items (parallel analysis)"
    if general is None:
        return Text(
            f"{zh}：不应加成一个总分，应当分开看。", f"{en}: they should not be added up into one score."
        )
    if general >= MOSTLY_ONE:
        return Text(
            f"{zh}，但总分的{general:.0%}来自共同的总因素（分层ω）：可以加成一个总分。",
            f"{en}, but {general:.0%} of their sum comes from one general factor (hierarchical omega): one score may stand for all.",
        )
    return Text(
        f"{zh}，总分只有{general:.0%}来自共同的总因素（分层ω，以{MOSTLY_ONE:.0%}为宜）：各量表应当分开看。",
        f"{en}, and only {general:.0%} of their sum comes from one general factor (hierarchical omega, of which {MOSTLY_ONE:.0%} is wanted): look at the scales apart.",
    )
