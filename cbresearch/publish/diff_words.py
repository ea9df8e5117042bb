"""What a comparison says, in Chinese and English: numbers as one reads them, marks, causes, counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cbresearch.publish.diff import Change, Mark, count
from cbresearch.publish.diff_numbers import Key, Number
from cbresearch.publish.diff_runs import WHOLE
from cbresearch.publish.diff_why import CAUSES, Cause, Comparison, Switched, Why
from cbresearch.records import Text

DIFF_WORDS = {
    "title": Text("两次运行对比：哪些结果变了，为什么", "Two runs compared: what moved, and why"),
    "runs": Text("对比的两次运行", "The two runs"),
    "before": Text("之前（A）", "Before (A)"),
    "after": Text("现在（B）", "Now (B)"),
    "finished": Text("完成时间", "Finished"),
    "inputs": Text("两次运行之间变了什么", "What changed between the runs"),
    "input": Text("由什么得出", "Made from"),
    "input_state": Text("是否变了", "Changed?"),
    "reports_touched": Text("涉及的报告", "Reports concerned"),
    "inputs_note": Text(
        "只列出有结果变动的报告。几项同时变动时，无法分清各自的作用：逐项改变后再运行，才能分清。",
        "Over the reports in which something moved. Where several changed at once, nothing here tells "
        "them apart: change one at a time and run again to know.",
    ),
    "yes": Text("变了", "changed"),
    "no": Text("未变", "the same"),
    "unknown": Text("没有记录", "not recorded"),
    "finding": Text("结果", "Finding"),
    "moved_by": Text("变动", "Moved by"),
    "why": Text("原因", "Why"),
    "measured": Text("变动的结果，按误差范围排序", "Moved, by their margin of error"),
    "measured_note": Text(
        "误差范围是95%置信区间宽度的一半，两次中取较宽的一个。两次运行多半用的是同一批居民，"
        "所以这只是一把尺子，不是检验：变动超过1倍误差范围，说明结论可能要改。",
        "The margin of error is half the width of the 95% interval, the wider of the two. Both runs mostly "
        "rest on the same residents, so this is a yardstick and not a test: more than 1 margin is a move "
        "that may change a conclusion.",
    ),
    "counted": Text("变动的结果，没有误差范围", "Moved, without a margin of error"),
    "counted_note": Text(
        "计数、合计和检验值没有误差范围，按变动比例排序。",
        "Counts, totals and test values have none; these are sorted by the share they moved.",
    ),
    "gate": Text("不再公布或重新公布的结果", "Held back, or released again"),
    "gate_note": Text(
        "有一次运行不公布的结果，两次的数值在这里都不显示，否则等于把它公布了。",
        "What one run holds back is shown for neither; the other run's figure would give it away.",
    ),
    "only in A": Text("只在之前（A）有的结果", "Only before (A)"),
    "only in B": Text("只在现在（B）有的结果", "Only now (B)"),
    "unmoved": Text("没有变动的结果", "Did not move"),
    "rest": Text("其余 {n} 项", "The other {n}"),
    "none": Text("没有结果变动。", "No finding moved."),
    "below": Text("另有 {n} 项变动不到误差范围的 {over} 倍，未列出。", "{n} more moved by no more than {over} margins of error and are not listed."),
    "studies": Text(
        "这两次运行出自两项不同的研究（{a} 与 {b}）：名称相同的结果未必是同一件事。",
        "These runs are of two different studies ({a} and {b}): findings of the same name need not be about the same thing.",
    ),
    "se": Text("标准误", "s.e."),
    "held": Text("不公布", "held back"),
    "shown": Text("已公布", "published"),
    "no_number": Text("无数值", "no number"),
    "failed": Text("该报告未完成", "the report is not complete there"),
    "absent": Text("没有该报告", "the report is not there"),
    "margins": Text("误差范围的{n}倍", "{n} of its margin"),
    "not_explained": Text("记录中没有变化", "nothing recorded changed"),
    "not_recorded": Text("原因没有记录", "why is not recorded"),
    "all_reports": Text("全部 {n} 份有变动的报告", "all {n} reports in which something moved"),
    "and_more": Text("，另有 {n} 份", ", and {n} more"),
    "no_match": Text("没有符合的结果", "No finding matches"),
    "find": Text("按名称查找", "Find by name"),
}  # fmt: skip

CAUSE_WORDS: dict[Cause, Text] = {
    "data": Text("数据", "data"),
    "study": Text("研究设置（study.toml、码表、地图）", "study file, codebook or map"),
    "notebook": Text("笔记本", "notebook"),
    "package": Text("程序包 cbresearch", "package cbresearch"),
    "parameters": Text("参数", "parameters"),
    "versions": Text("软件版本", "versions of libraries"),
}
STATUS_WORDS = {
    "published": Text("公布", "published"),
    "caution": Text("谨慎使用", "use with care"),
    "held back": Text("不公布", "held back"),
}
MARK_WORDS = {
    "zero": Text("越过零", "crossed zero"),
    "without zero": Text("区间不再包含零", "interval left zero"),
    "with zero": Text("区间现在包含零", "interval reached zero"),
    "status": Text("状态", "status"),
    "margin": Text("误差范围", "margin of error"),
    "number": Text("数值", "number"),
    "rank": Text("名次", "rank"),
    "verdict": Text("判断", "verdict"),
    "agrees": Text("与公布数一致", "agrees with the published figure"),
    "alike": Text("分不出高低的组", "cannot be told apart from"),
    "quadrant": Text("象限", "quadrant"),
    "strength": Text("强度", "strength"),
    "none": Text("无", "none"),
    "there": Text("有", "there"),
}
UNITS = {
    "points": Text("分", "points"),
    "percent": Text("%", "%"),
    "percentage points": Text("个百分点", "percentage points"),
    "rank": Text("名次", "rank"),
    "yuan": Text("元", "yuan"),
    "ratio": Text("比值", "ratio"),
    "coefficient": Text("系数", "coefficient"),
    "residents": Text("人", "residents"),
    "people": Text("人", "people"),
    "communities": Text("个社区", "communities"),
    "index points": Text("指数分", "index points"),
    "rows": Text("行", "rows"),
    "F": Text("F值", "F"),
    "fine points": Text("分", "points"),
    "fine coefficient": Text("系数", "coefficient"),
    "percent of differences": Text("占差异的%", "% of differences"),
    "percent of redraws": Text("占重抽次数的%", "% of redraws"),
    "percent of a sum": Text("占合计的%", "% of a sum"),
    "per 1,000 households": Text("每千户", "per 1,000 households"),
}
POINTS_PER = "points per "
MINUS = "−"
WHOLE_NUMBERS = 10.0
"""A grain that needs no decimals: for ranks, and amounts of money that people name."""


def said(name: str, language: str, **parts: object) -> str:
    return DIFF_WORDS[name].say(language).format(**parts)


def grain(change: Change, number: Number) -> float | None:
    """The size of the last two digits worth showing: of the margin of error, or of a smaller difference.

    A tenth of the margin is the finest, so that a trifle does not fill a row with digits.
    """
    margin = change.margin or number.margin
    if not margin:
        return None
    figures = [x for side in (change.old, change.new) if side for x in (side.value, side.low, side.high)]
    if all(x is None or x == round(x) for x in figures):
        return WHOLE_NUMBERS
    return max(min(margin, abs(change.difference or margin)), margin / 10)


def figure(value: float | None, grain: float | None, language: str) -> str:
    """A number with two digits of its `grain`, else with four of its own."""
    if value is None:
        return DIFF_WORDS["no_number"].say(language)
    if grain:
        return _fixed(value, _decimals(grain, 2))
    shown = _fixed(value, 0 if value == round(value) else _decimals(value, 4))
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def step(difference: float) -> str:
    """A difference with its sign and two digits of its own, however small."""
    digits = 0 if difference == round(difference) else _decimals(difference, 2)
    return ("+" if difference > 0 else "") + _fixed(difference, digits)


def times(change: Change) -> str:
    """How many margins of error it moved by, without its sign; nothing for a number without a margin."""
    if change.margins is None:
        return ""
    size = abs(change.margins)
    return "0" if size == 0 else "<0.01" if size < 0.01 else f"{size:.2f}" if size < 2 else f"{size:,.1f}"


def margins(change: Change, language: str) -> str:
    """The same in words."""
    return said("margins", language, n=times(change)) if times(change) else ""


def status(code: str, language: str) -> str:
    known = STATUS_WORDS.get(code)
    return known.say(language) if known else code


def interval(number: Number, grain: float | None, language: str) -> str:
    if number.low is None or number.high is None:
        return ""
    joint = "至" if language == "zh" else " to "
    return figure(number.low, grain, language) + joint + figure(number.high, grain, language)


def doubt(number: Number, language: str) -> str:
    """The standard error, where there is one."""
    return f"{DIFF_WORDS['se'].say(language)} {figure(number.se, number.se, language)}" if number.se else ""


def unit(change: Change, language: str) -> str:
    """The unit in words; nothing where it only repeats what was measured."""
    if change.key.unit.startswith(POINTS_PER):  # of what, the name says in words
        return Text("分（每单位）", "points per unit").say(language)
    known = UNITS.get(change.key.unit)
    return known.say(language) if known else "" if change.key.unit == change.key.measure else change.key.unit


def mark(one: Mark, change: Change, language: str) -> str:
    if one.what == "zero":
        return MARK_WORDS["zero"].say(language)
    if one.what == "interval":
        return MARK_WORDS[one.after].say(language)
    before, after = (_said_of(one.what, word, change, language) for word in (one.before, one.after))
    words = MARK_WORDS.get(one.what)
    colon = "：" if language == "zh" else " "
    return f"{words.say(language) if words else one.what}{colon}{before} → {after}"


def cause_names(causes: tuple[Cause, ...], language: str) -> str:
    return ("、" if language == "zh" else ", ").join(CAUSE_WORDS[cause].say(language) for cause in causes)


def reason(change: Change, why: Why, language: str) -> str:
    """All that changed in the making of this number's report; for a number in one run alone, what became of the report."""
    there, other = (
        (why.status_a, why.status_b) if change.kind == "only in A" else (why.status_b, why.status_a)
    )
    if change.kind.startswith("only in") and there and other != "ok":
        return said("failed" if other else "absent", language)
    if why.changed:
        return cause_names(why.changed, language)
    return said("not_recorded" if why.unknown else "not_explained", language)


def detail(cause: Cause, why: Why) -> str:
    """What exactly changed, where that has names: tables, parameters, libraries."""
    if cause == "data":
        return ", ".join(table for table in why.tables if table != WHOLE)
    return _switched(getattr(why, cause)) if cause in ("parameters", "versions") else ""


def name(change: Change, apart: Mapping[Key, str], language: str) -> str:
    """The finding's name; where several of a report share it, with what tells them apart."""
    found = change.name.say(language)
    return f"{found} [{apart[change.key]}]" if change.key in apart else found


def _switched(ones: tuple[Switched, ...]) -> str:
    return "; ".join(f"{one.name} {one.before or '–'} → {one.after or '–'}" for one in ones)


def summary(compared: Comparison, language: str) -> str:
    """One sentence: how many compared, moved, far moved, and because of what."""
    n = count(compared.changes)
    counts = [(cause, compared.count_of(cause)) for cause in CAUSES]
    causes = [(CAUSE_WORDS[cause].say(language), many) for cause, many in counts if many]
    causes += [
        (said(name, language), many)
        for name, many in (("not_explained", compared.unexplained), ("not_recorded", compared.unrecorded))
        if many
    ]
    if language == "zh":
        because = "、".join(f"{cause}（{many:,} 项）" for cause, many in causes)
        parts = [
            f"对比了 {n.compared:,} 项结果，{n.moved:,} 项变动（其中 {n.beyond:,} 项超过误差范围）",
            f"{n.gate:,} 项不再公布或重新公布" if n.gate else "",
            f"{n.only_in_a:,} 项只在 A" if n.only_in_a else "",
            f"{n.only_in_b:,} 项只在 B" if n.only_in_b else "",
        ]
        return "，".join(part for part in parts if part) + (
            f"。变动所在的报告中变了的有：{because}。" if because else "。"
        )
    because = ", ".join(f"{cause} ({many:,})" for cause, many in causes)
    parts = [
        f"{n.compared:,} finding{'' if n.compared == 1 else 's'} compared, {n.moved:,} moved ({n.beyond:,} by more than their margin of error)",
        f"{n.gate:,} held back or released" if n.gate else "",
        f"{n.only_in_a:,} only in A" if n.only_in_a else "",
        f"{n.only_in_b:,} only in B" if n.only_in_b else "",
    ]
    return ", ".join(part for part in parts if part) + (f", because: {because}." if because else ".")


def words(language: str) -> dict[str, Any]:
    """All words of the page in one language, by name, as they are written."""
    return {name: text.say(language) for name, text in DIFF_WORDS.items()}


def _said_of(what: str, word: str, change: Change, language: str) -> str:
    if what == "status":
        return status(word, language)
    if what == "number":
        return MARK_WORDS[word].say(language)
    if what == "margin":
        return figure(float(word), float(word), language)
    return word or "–"


def _decimals(value: float, digits: int) -> int:
    """Decimals that show so many significant digits of `value`, at most ten."""
    if not math.isfinite(value) or value == 0:
        return 0
    return min(10, max(0, digits - 1 - math.floor(math.log10(abs(value)))))


def _fixed(value: float, decimals: int) -> str:
    if math.isfinite(value) and abs(value) >= 1e15:
        return f"{value:.3g}".replace("-", MINUS)
    shown = f"{value:,.{decimals}f}"
    if decimals == 10 and not float(shown.replace(",", "") or 0) and value:
        return f"{value:.2g}".replace("-", MINUS)
    return (shown[1:] if shown.startswith("-") and not shown.strip("-0.,") else shown).replace("-", MINUS)
