"""Answers that are steps from bad to good, told by their words in Chinese, English or Spanish."""

from __future__ import annotations

import re
from collections.abc import Sequence

from cbresearch.codebook import normal

_NO_ANSWER = re.compile(
    r"^(?:ns|nc|n/?s|n/?c|ns[/\-]?nc|n/?a|na|dk|dk/?na)$"
    r"|no sab|no contes|no respon|no aplica|sin respuesta|se neg|rehus"
    r"|不知道|不清楚|说不清|不好说|不了解|拒绝|拒答|不愿|不便|不适用|未回答|未作答|无回答|跳过"
    r"|don.?t know|do not know|refuse|prefer not|no answer|not applicable|not sure|unsure|\(n/a\)|declined?\b",
    re.IGNORECASE,
)

_NEUTRAL = re.compile(
    r"^(?:一般|普通|中立|说不上|中等|尚可|neutral|neutro|regular|average|fair|so-so|igual|ok(?:ay)?)$"
    r"|^neither\b|^ni\b|既不|不好也不坏",
    re.IGNORECASE,
)
_LEAST = re.compile(r"^not at all\b|^nada\b|^完全不|^一点也?不|^毫不", re.IGNORECASE)
_LESS = re.compile(r"^not (?:very|too|so|really|that)\b|^poco\b|^不太|^不怎么|^不大|^不够", re.IGNORECASE)
_STRONG = re.compile(
    r"\b(?:very|extremely|strongly|completely|totally|highly|muy|totalmente|completamente|sumamente)\b"
    r"|非常|十分|很|极|特别|完全|最",
    re.IGNORECASE,
)
_MILD = re.compile(
    r"\b(?:somewhat|fairly|slightly|rather|mostly|moderately|partially|parcialmente|algo|bastante)\b|比较|较|基本|有点|有些",
    re.IGNORECASE,
)
_BAD = re.compile(
    r"dissatisf|unsatisf|disagree|unfavou?rabl|unimportant|unlikely|unhappy|unsafe|\bbad\b|\bpoor\b|\bterrible\b|worse"
    r"|insatisf|desacuerdo|desfavor|insegur|\bmal[oa]?\b|p[eé]sim|empeor"
    r"|不满|不同意|不重要|不赞成|不认同|不符合|不好|不安全|不愿意|不方便|差|糟|反对",
    re.IGNORECASE,
)
_GOOD = re.compile(
    r"satisf|agree|favou?rabl|important|likely|happy|\bsafe\b|\bgood\b|excellent|better"
    r"|de acuerdo|favor|segur|\bbuen[oa]?\b|\bbien\b|excelente|mejor"
    r"|满意|同意|重要|赞成|认同|符合|好|安全|愿意|方便|优",
    re.IGNORECASE,
)
_TOP = re.compile(r"^(?:excellent|excelente|优秀|极好)$", re.IGNORECASE)
_AMOUNT = re.compile(
    r"\b(?:nada|poco|algo|bastante|mucho|nunca|siempre|veces|a lot|some|nothing|a little|never|rarely|sometimes|often|always)\b"
    r"|从不|很少|有时|经常|总是|偶尔",
    re.IGNORECASE,
)


def means_no_answer(label: str) -> bool:
    """Whether an answer says that there is none: 不清楚, NS/NC, don't know, refused."""
    return bool(_NO_ANSWER.search(label.strip()))


def sounds_like_amount(labels: Sequence[str]) -> bool:
    """Whether the answers run from nothing to much, or from never to always: ordered, of unknown merit."""
    return len(labels) >= 3 and all(_AMOUNT.search(label) for label in labels)


def steps(labels: Sequence[str]) -> tuple[int, ...] | None:
    """For each answer its step, from 1 for the worst up; None where the words are no such scale.

    The steps leave room for an end that nobody chose: without 'very dissatisfied', 'dissatisfied' is 2.
    """
    levels = [_level(label) for label in labels]
    if any(level is None for level in levels):
        levels = [_level_of_degree(label) for label in labels] if _same_quality(labels) else []
    known = [level for level in levels if level is not None]
    if len(known) < 3 or len(known) != len(labels) or len(set(known)) != len(known):
        return None
    far = max(abs(level) for level in known)
    ladder = [level for level in range(-far, far + 1) if level != 0 or 0 in known]
    return tuple(ladder.index(level) + 1 for level in known)


def turns_down(first: str, last: str) -> bool:
    """Whether the first of two ends is clearly the better one."""
    start, end = _level(first), _level(last)
    return start is not None and end is not None and start > end


def _level(label: str) -> int | None:
    """-2 worst, 2 best, 0 in between; None where the words judge nothing."""
    text = re.sub(r"^[(（]?\d{1,2}[)）.、:：=\-\s]+", "", label.strip())
    if _NEUTRAL.search(text):
        return 0
    if _TOP.search(text):
        return 2
    good, bad = _GOOD.search(text), _BAD.search(text)
    if not good and not bad:
        return None
    if _LEAST.search(text):
        return 2 if bad else -2
    if _LESS.search(text):
        return 1 if bad else -1
    size = 2 if _STRONG.search(text) and not _MILD.search(text) else 1
    return -size if bad else size


def _level_of_degree(label: str) -> int | None:
    if _LEAST.search(label):
        return -2
    if _LESS.search(label):
        return -1
    if _STRONG.search(label):
        return 2
    return 1 if _MILD.search(label) else None


def _same_quality(labels: Sequence[str]) -> bool:
    """'Very masculine', 'not very masculine': one quality, in degrees."""
    last = {normal(label.split()[-1]) if label.split() else "" for label in labels}
    return len(last) == 1 and "" not in last
