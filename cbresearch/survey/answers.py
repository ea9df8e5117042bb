"""What a cell says: which answer of the codebook, or that there is none."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from cbresearch.codebook import Choice, Question, normal

NO_ANSWER = frozenset(
    normal(words)
    for words in (
        "不知道", "不清楚", "说不清", "说不清楚", "不好说", "不了解", "拒答", "拒绝回答", "不愿回答", "不愿透露", "不便回答", "不适用", "未回答",
        "未作答", "未填", "缺失", "无回答", "(跳过)", "(空)", "跳过", "空", "don't know", "dont know", "do not know", "dk", "not sure",
        "refused", "prefer not to say", "no answer", "not applicable", "n/a", "na", "nan", "null", "missing", "skipped", "ns/nc",
        "no sabe", "no contesta", "-", "--", "—", "/", "?", "？",
    )
)  # fmt: skip
"""Words that stand for no answer on paper and on questionnaire platforms."""

SKIPPED_CODES = frozenset({"-3", "-2"})
"""What 问卷星 writes for a skipped question, where the codebook does not use the number itself."""

NONE_CHOSEN = frozenset(
    normal(words)
    for words in ("无", "没有", "都没有", "以上都没有", "以上都不是", "都不需要", "none", "none of these")
)
CHOSEN = frozenset(
    {"1", "是", "有", "√", "✓", "选中", "已选", "yes", "y", "true", "x", "checked", "selected"}
)
NOT_CHOSEN = frozenset(
    {"0", "否", "无", "×", "未选", "未选中", "no", "n", "false", "unchecked", "notselected", "notchosen"}
)
SEPARATORS = ("┋", "|", "；", ";", "，", ",", "、", "/", "\n", " ")
"""What joins several answers in one cell, the safest first."""

_TAIL = re.compile(r"\s*〖.*?〗\s*$")


@dataclass(frozen=True)
class Answers:
    """The answers of one question, found by code, by label in either language, or by a variant."""

    codes: frozenset[str]
    by_spelling: Mapping[str, str]

    def code(self, text: str) -> str | None:
        """The code that `text` stands for; None where it is none of the answers."""
        if text in self.codes:
            return text
        spelling = normal(text)
        if spelling in self.by_spelling:
            return self.by_spelling[spelling]
        # "other (please say)" arrives with what was said, in 〖〗
        return self.by_spelling.get(normal(_TAIL.sub("", text)))


@cache
def answers_of(choices: tuple[Choice, ...]) -> Answers:
    """The lookup for one list of choices. A spelling that two choices share finds neither."""
    spelled: dict[str, set[str]] = {}
    for choice in choices:
        for spelling in (choice.label.zh, choice.label.en, *choice.variants):
            spelled.setdefault(normal(spelling), set()).add(choice.code)
    by_code = {normal(choice.code): choice.code for choice in choices}
    unique = {spelling: codes.pop() for spelling, codes in spelled.items() if len(codes) == 1}
    return Answers(frozenset(choice.code for choice in choices), {**by_code, **unique})


def meaning(question: Question, answers: Answers, own: Mapping[str, str]) -> Callable[[str], str | None]:
    """How to read the cells of a file that says itself what its codes mean: its label is believed before the number.

    A file may count from the other end ("1 = very satisfied"). Where it does, a code without a label
    of the codebook is no answer, although the codebook may use the same number.
    """
    told = {code: found for code, label in own.items() if (found := answers.code(label)) is not None}
    counts_otherwise = any(code != found and code in answers.codes for code, found in told.items())

    def read(text: str) -> str | None:
        if text in told:
            return told[text]
        if text in question.missing:
            return text
        if counts_otherwise and text in answers.codes:
            return own.get(text, f"{text} (no label)")
        return answers.code(text) or text

    return read


def is_no_answer(question: Question, text: str, own: Mapping[str, str], answers: Answers) -> bool:
    """Whether a cell stands for no answer: a declared code, or words such as "不知道" that are no choice."""
    if text in question.missing:
        return True
    if text in answers.codes or (text.isdigit() and text not in own):
        return False
    spelling = normal(own.get(text, text)) or text.strip()
    if spelling in answers.by_spelling:
        return False
    skipped = question.type.startswith("select") and text in SKIPPED_CODES
    return skipped or spelling in NO_ANSWER


def chosen(text: str, answers: Answers) -> frozenset[str] | None:
    """The codes that a cell with several answers holds; None where some part is no answer of the list."""
    if normal(text) in NONE_CHOSEN and answers.code(text) is None:
        return frozenset()
    return _parts(text, answers, SEPARATORS)


def _parts(text: str, answers: Answers, separators: Sequence[str]) -> frozenset[str] | None:
    whole = answers.code(text)
    if whole is not None:
        return frozenset({whole})
    for i, separator in enumerate(separators):
        if separator in text:
            pieces = [piece for piece in text.split(separator) if piece.strip()]
            found = [_parts(piece.strip(), answers, separators[i + 1 :]) for piece in pieces]
            known = [codes for codes in found if codes is not None]
            return frozenset().union(*known) if len(known) == len(found) else None
    return None
