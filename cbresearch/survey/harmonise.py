"""Headings of a file matched to the questions of the codebook."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from cbresearch.codebook import Codebook, Question, normal
from cbresearch.study import Source
from cbresearch.survey.answers import Answers, answers_of

OPTION = "__"
"""Between a question that takes several answers and one of them, in the name of a 0/1 column."""

_NUMBER = re.compile(
    r"^(?:第\d{1,3}题|[（(【\[]?[a-z]{0,2}\d{1,3}[)）】\]]?[.、:：)）_\s])[.、:：)）_\s]*(?=\S)",
    re.IGNORECASE,
)
_KIND = re.compile(r"(?:[\[【(（](?:单选|多选|填空|量表|矩阵|排序|必答|选填)[^\])】）]*[\])】）])?\s*\*?\s*$")
_OPEN, _CLOSE = "(（[【", ")）]】"
_BETWEEN = re.compile(r"__|[/:：.]|[—-]+")


@dataclass(frozen=True)
class Matching:
    """What each heading became: `named` heading = column, in file order; the rest could not be used."""

    named: Mapping[str, str]
    unknown: tuple[str, ...]
    repeated: Mapping[str, str]
    """Heading = the question that an earlier heading already answers."""

    @cached_property
    def answered(self) -> frozenset[str]:
        """The questions that the file answers, in one column or several."""
        return frozenset(
            name.partition(OPTION)[0] if OPTION in name else name for name in self.named.values()
        )


def match(
    headings: Sequence[str],
    questions: Sequence[Question],
    codebook: Codebook,
    source: Source,
    long: Mapping[str, str],
) -> Matching:
    """Match every heading by the study's mapping, by name, by label in either language, or as an option column.

    `long` are long names that the file keeps beside its headings. Question numbers before a heading
    and "[单选题]" after it do not count. Two headings for one question: the first is taken.
    """
    known = Known(questions, codebook, source)
    named: dict[str, str] = {}
    unknown, repeated = [], {}
    for heading in headings:
        column = known.column(heading) or (known.column(long[heading]) if heading in long else None)
        if column is None:
            unknown.append(heading)
        elif column in named.values():
            repeated[heading] = column
        else:
            named[heading] = column
    return Matching(named, tuple(unknown), repeated)


class Known:
    """The questions of a table by every way of writing them."""

    def __init__(self, questions: Sequence[Question], codebook: Codebook, source: Source) -> None:
        self._mapped = {_bare(heading): name for heading, name in source.columns.items()}
        self._names = {question.name for question in questions}
        self._spelled = _spellings(questions)
        multiple = [question for question in questions if question.type == "select_multiple"]
        self._answers = {
            question.name: answers_of(codebook.choices_of(question.name)) for question in multiple
        }

    def column(self, heading: str) -> str | None:
        """The column of the processed table that a heading fills; None where it is nobody's."""
        return self._question(heading) or self._option(heading)

    def _question(self, heading: str) -> str | None:
        if _bare(heading) in self._mapped:
            return self._mapped[_bare(heading)]
        if heading.strip() in self._names:
            return heading.strip()
        return next((self._spelled[key] for key in _keys(heading) if key in self._spelled), None)

    def _option(self, heading: str) -> str | None:
        return next(
            (c for asked, option in _splits(heading.strip()) if (c := self._asked(asked, option))), None
        )

    def _asked(self, asked: str, option: str) -> str | None:
        name = self._question(asked)
        if name is not None:
            return _indicator(name, self._answers[name], option) if name in self._answers else None
        if not _NUMBER.match(f"{asked} x"):
            return None
        # "第6题(运动)" does not say what was asked: the answer tells, if only one question has it
        likely = [c for n, answers in self._answers.items() if (c := _indicator(n, answers, option))]
        return likely[0] if len(likely) == 1 else None


def _splits(heading: str) -> Iterator[tuple[str, str]]:
    """Every way to read a heading as a question with one of its answers: 'asked(answer)', 'asked:answer'."""
    if heading[-1:] in _CLOSE:
        yield from (
            (heading[:i], heading[i + 1 : -1]) for i, sign in enumerate(heading) if i and sign in _OPEN
        )
    yield from ((heading[: m.start()], heading[m.end() :]) for m in _BETWEEN.finditer(heading) if m.start())


def _indicator(name: str, answers: Answers, option: str) -> str | None:
    code = answers.code(option.strip())
    return None if code is None else f"{name}{OPTION}{code}"


def _spellings(questions: Sequence[Question]) -> dict[str, str]:
    """Key = question; a label that two questions share names neither."""
    names = {normal(question.name): question.name for question in questions}
    labels: dict[str, set[str]] = {}
    for question in questions:
        for label in (question.label.zh, question.label.en):
            for key in (normal(label), _key(label)):
                labels.setdefault(key, set()).add(question.name)
    unique = {key: found.pop() for key, found in labels.items() if len(found) == 1 and key}
    return {**unique, **names}


def _bare(heading: str) -> str:
    return re.sub(r"\s+", "", heading)


def _key(heading: str) -> str:
    return normal(_NUMBER.sub("", _KIND.sub("", heading.strip()).strip()))


def _keys(heading: str) -> Iterator[str]:
    """Ways to read a heading, the closest first."""
    yield normal(heading)
    yield _key(heading)
    # below merged cells only the last level names the column
    last = re.split(r"[/—|\n]", heading)[-1]
    if last != heading:
        yield _key(last)
