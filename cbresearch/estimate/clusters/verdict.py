"""Whether methods that ought to agree do, in a word, then in a sentence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from cbresearch.estimate.clusters.effective import Bearing
from cbresearch.records import Estimate, Text

Decision = Literal["agree", "disagree", "cannot tell"]
Names = Callable[[str], Text]
LEVEL = 0.05
WILD, WILD_UNRESTRICTED, PERMUTATION = "wild bootstrap", "unrestricted wild bootstrap", "permutation"
METHODS_ZH = {WILD: "野自助法", WILD_UNRESTRICTED: "不加原假设的野自助法", PERMUTATION: "置换检验"}
VOTERS = ("CR2", WILD, PERMUTATION)
"""The methods that keep close to their 5 % in docs/calibration.md. CR1S and the unrestricted bootstrap reject a
true null too often to have a vote, CR3 too rarely.
"""


@dataclass(frozen=True, slots=True)
class Without:
    """The estimate when one cluster is left out; NaN where it cannot be had without that cluster."""

    cluster: str
    value: float


def as_written(code: str) -> Text:
    return Text(code, code)


def decide(estimates: Sequence[Estimate], bearing: Bearing) -> Decision:
    """Whether the methods with a vote see an effect; with few treated clusters the bootstrap has none."""
    voting = [one for one in voters(estimates) if one.method != WILD or not bearing.few_treated]
    votes = {estimate.p < LEVEL for estimate in voting}
    if votes == {True}:
        return "agree"
    return "disagree" if True in votes else "cannot tell"


def voters(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Those whose word counts, where they could be had."""
    return [one for one in estimates if one.method in VOTERS and not math.isnan(one.p)]


def sentence(
    decision: Decision,
    estimates: Sequence[Estimate],
    without: Sequence[Without],
    smallest: float,
    names: Names,
) -> Text:
    """The decision with each method's p, what could have been seen, which single cluster turns the sign."""
    said = _said(decision, estimates, smallest)
    turned = [names(item.cluster) for item in without if item.value * estimates[0].value < 0]
    # where nothing is seen the sign means nothing, and its turning neither
    if not turned or decision == "cannot tell":
        return said
    return Text(
        f"{said.zh}去掉{'、'.join(name.zh for name in turned)}（任何一个），方向就会相反。",
        f"{said.en} Without {' or '.join(name.en for name in turned)} the sign turns.",
    )


def _said(decision: Decision, estimates: Sequence[Estimate], smallest: float) -> Text:
    told = [(e.method, "p < 0.001" if e.p < 0.001 else f"p = {e.p:.3f}") for e in voters(estimates)]
    zh = "，".join(f"{METHODS_ZH.get(method, method)} {p}" for method, p in told)
    en = ", ".join(f"{method} {p}" for method, p in told)
    if decision == "agree":
        return Text(f"各种方法都看到了影响（{zh}）。", f"Every method sees an effect ({en}).")
    if decision == "disagree":
        return Text(
            f"各种方法结论不一（{zh}），不宜据此下结论。",
            f"The methods disagree ({en}), so nothing should rest on it.",
        )
    return Text(
        f"现有数据看不出影响（{zh}）；影响至少要有{smallest:.2g}（单位与估计值相同），才有八成把握看出来。",
        f"These data cannot tell ({en}); an effect of about {smallest:.2g}, in the unit of the estimate, would have been seen four times in five.",
    )
