"""What each step of an index did, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cbresearch.measure.index.indicators import Areas
from cbresearch.measure.index.steps import MOST_PULLED, Aggregate, Missing, Normalise, Treat, Treated
from cbresearch.measure.index.weights import MOST_INCONSISTENT, Ahp, Weights, principal
from cbresearch.measure.wording import Names, listed, word
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

NORMALISED: dict[Normalise, Text] = {
    "minmax": Text("每项指标最差的社区记最低分，最好的记100分。", "On each indicator the worst area gets the lowest mark and the best 100."),
    "zscore": Text("每项指标减去平均数，再除以标准差。", "Each indicator minus its mean, over its standard deviation."),
    "rank": Text("每项指标只看名次，名次之间等距。", "Only the order of areas on each indicator counts, evenly spaced."),
    "distance": Text("每项指标看离目标还有多远，达到目标记100分。", "Each indicator by how far the target is; 100 where it is reached."),
}  # fmt: skip
AGGREGATED: dict[Aggregate, Text] = {
    "arithmetic": Text("加权算术平均：一项好可以完全弥补另一项差。", "Weighted arithmetic mean: a good indicator makes up for a bad one in full."),
    "geometric": Text("加权几何平均：短板难以用长板弥补；每项指标最低记1分。", "Weighted geometric mean: a bad indicator is hard to make up for; no mark is below 1."),
}  # fmt: skip
_WEIGHED: dict[Weights, Text] = {
    "equal": Text("等权", "Equal weights"),
    "expert": Text("专家给定的权重", "Weights as experts gave them"),
    "entropy": Text("熵权（差异大的指标权重大）", "Entropy weights (the more uneven, the heavier)"),
    "ahp": Text("层次分析法权重", "Weights from pairwise comparisons (AHP)"),
    "pca": Text("第一主成分的载荷作权重", "Weights by the first principal component"),
}


def imputed(areas: Areas, missing: Missing, names: Names | None) -> Text:
    """Which cells were filled, by indicator."""
    gone = np.asarray(np.isnan(areas.values))
    if not gone.any():
        return Text("没有缺失值。", "Nothing was missing.")
    said = listed(
        [word(names, c) for c, any_ in zip(areas.columns, gone.max(axis=0).tolist(), strict=True) if any_]
    )
    how = Text("平均数", "mean") if missing == "mean" else Text("中位数", "median")
    count = int(gone.sum())
    cells = "1 missing cell was" if count == 1 else f"{count} missing cells were"
    return Text(
        f"{count}个缺失值用该指标的{how.zh}补上（{said.zh}）。",
        f"{cells} filled with the indicator's {how.en} ({said.en}).",
    )


def treated(areas: Areas, how: Treat, found: Treated, names: Names | None) -> Text:
    """Which indicators had far-out values pulled in, how many, and which stay lopsided."""
    if how == "none":
        return Text("没有处理极端值。", "Far-out values were left as they are.")
    if not found.pulled.any():
        return Text("没有需要收缩的极端值。", "No indicator was lopsided enough to be treated.")
    words = [word(names, column) for column in areas.columns]
    pulled = listed(
        [
            Text(f"{name.zh}{count}个", f"{count} of {name.en}")
            for name, count in zip(words, found.pulled.tolist(), strict=True)
            if count
        ]
    )
    zh, en = f"收缩了极端值：{pulled.zh}。", f"Far-out values were pulled in: {pulled.en}."
    still = [name for name, lopsided in zip(words, found.still.tolist(), strict=True) if lopsided]
    if still:
        zh += f"{listed(still).zh}收缩{MOST_PULLED}个以后仍然偏斜。"
        en += f" {listed(still).en} stayed lopsided after {MOST_PULLED} at most."
    return Text(zh, en)


def weighed(
    areas: Areas, values: Floats, how: Weights, weights: Floats, compared: Ahp | None, names: Names | None
) -> Text:
    """The weights, with what speaks for or against them."""
    parts = listed(
        [
            Text(f"{name.zh} {weight:.3f}", f"{name.en} {weight:.3f}")
            for name, weight in zip((word(names, c) for c in areas.columns), weights.tolist(), strict=True)
        ]
    )
    zh, en = f"{_WEIGHED[how].zh}：{parts.zh}。", f"{_WEIGHED[how].en}: {parts.en}."
    if how == "pca":
        share = float(principal(values).share)
        zh += f"第一主成分解释了{share:.0%}的差异。"
        en += f" The first component holds {share:.0%} of the variance."
    if how == "ahp" and compared is not None:
        said = consistency(compared)
        zh, en = zh + said.zh, f"{en} {said.en}"
    return Text(zh, en)


def consistency(compared: Ahp) -> Text:
    ratio = f"CR = {compared.consistency_ratio:.2f}"
    if compared.consistent:
        return Text(f"两两比较前后一致（{ratio}）。", f"The comparisons are consistent ({ratio}).")
    return Text(
        f"两两比较前后矛盾（{ratio}，超过{MOST_INCONSISTENT:.2f}），应请专家重新比较。",
        f"The comparisons contradict each other ({ratio}, above {MOST_INCONSISTENT:.2f}); the experts should compare again.",
    )


def index_sentence(
    areas: int, indicators: int, best: Sequence[str], compared: Ahp | None, names: Names | None
) -> Text:
    said = listed([word(names, area) for area in best])
    zh = f"按{indicators}项指标合成，{areas}个社区中{said.zh}得分最高。"
    en = f"Of {areas} areas, {said.en} scored highest on {indicators} indicators taken together."
    if compared is not None and not compared.consistent:
        warning = consistency(compared)
        zh, en = zh + warning.zh, f"{en} {warning.en}"
    return Text(zh, en)
