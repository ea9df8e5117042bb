"""What the estimates of a policy say, in words."""

from __future__ import annotations

import math

from cbresearch.estimate.policy.dates import DealtDates
from cbresearch.estimate.policy.doubt import LEVEL
from cbresearch.records import Estimate, Text


def of_effect(estimate: Estimate, dealt: DealtDates, smallest: float) -> Text:
    """The effect with both doubts, whether they agree, and what would have been seen."""
    numbers = _numbers(estimate, dealt)
    seen = {p < LEVEL for p in (estimate.p, dealt.p) if not math.isnan(p)}
    if seen == {True}:
        return Text(
            f"享受政策的社区，变化与别处不同：{numbers.zh}。",
            f"Communities changed otherwise once the policy had come: {numbers.en}.",
        )
    could = could_be_seen(smallest)
    if True in seen:
        return Text(
            f"两种检验结论不一，不宜据此下结论：{numbers.zh}。{could.zh}",
            f"The two tests disagree, so nothing should rest on it: {numbers.en}. {could.en}",
        )
    return Text(
        f"现有数据看不出政策的作用：{numbers.zh}。{could.zh}",
        f"These data cannot tell an effect of the policy: {numbers.en}. {could.en}",
    )


def could_be_seen(smallest: float) -> Text:
    """The smallest effect that would have been seen; empty where it cannot be had."""
    if math.isnan(smallest):
        return Text("误差无法估计。", "How far off that may be cannot be had.")
    return Text(
        f"作用至少要有{smallest:.2g}（单位与估计值相同），才有八成把握看出来。",
        f"An effect of about {smallest:.2g}, in the unit of the estimate, would have been seen four times in five.",
    )


def said(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _numbers(estimate: Estimate, dealt: DealtDates) -> Text:
    value = f"{estimate.value:+.3g}"
    if math.isnan(estimate.p):
        return Text(
            f"平均{value}（把享受政策的时间随机重排，{said(dealt.p)}）",
            f"{value} on average (dates dealt anew: {said(dealt.p)})",
        )
    return Text(
        f"平均{value}（95%区间{estimate.low:.3g}至{estimate.high:.3g}，{said(estimate.p)}；"
        f"把享受政策的时间随机重排，{said(dealt.p)}）",
        f"{value} on average (95 % interval {estimate.low:.3g} to {estimate.high:.3g}, {said(estimate.p)}; "
        f"dates dealt anew: {said(dealt.p)})",
    )
