"""Drafted questions that belong together: one scale, one list of choices, one question in several columns."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from cbresearch.codebook import Choice, Codebook, Question, normal
from cbresearch.records import Text
from cbresearch.study import Source
from cbresearch.survey.adopt.column import Column
from cbresearch.survey.adopt.drafted import Drafted, DraftedScale, Guess
from cbresearch.survey.adopt.together import option_groups
from cbresearch.survey.harmonise import OPTION, Known

RESERVED = frozenset(
    {"wave", "source", "row", "weight", "weight_base", "weight_nonresponse", "flag_longstring", "flag_speed"}
)
"""Columns that `cbresearch build` writes itself."""


def put_options_together(drafted: Sequence[Drafted], columns: Sequence[Column]) -> list[Drafted]:
    """Columns such as 第6题(运动) become one question with several answers, where the build can match each."""
    result = list(drafted)
    groups = option_groups(columns)
    if not _are_matched(groups):
        return result
    for name, options in groups.items():
        places = [
            i for i, draft in enumerate(result) if draft.heading in {column.name for column, _ in options}
        ]
        why = f"{len(options)} columns of 0 and 1 named {name}(…)"
        guess = Guess(name, "several answers at once", why, 0.9)
        result[places[0]] = Drafted(name, _several(name), _options(options), (guess,))
        result = [draft for i, draft in enumerate(result) if i not in places[1:]]
    return result


def _several(name: str) -> Question:
    return Question(name, "select_multiple", Text(name, name), choices=name)


def _options(options: Sequence[tuple[Column, str]]) -> tuple[Choice, ...]:
    return tuple(Choice(option, Text(option, option), order) for order, (_, option) in enumerate(options, 1))


def _are_matched(groups: Mapping[str, Sequence[tuple[Column, str]]]) -> bool:
    """Whether the build will know every option column again by its heading."""
    questions = tuple(_several(name) for name in groups)
    codebook = Codebook(questions, {name: _options(options) for name, options in groups.items()})
    known = Known(questions, codebook, Source(table="residents", file=""))
    return all(
        known.column(column.name) == f"{name}{OPTION}{option}"
        for name, options in groups.items()
        for column, option in options
    )


def with_scales(drafted: Sequence[Drafted], outcome: str | None) -> tuple[list[Drafted], list[DraftedScale]]:
    """Rated items that share their answers share a scale; the outcome's scale is all outcomes."""
    groups: dict[tuple[object, ...], list[Drafted]] = {}
    for draft in drafted:
        if draft.question.minimum is not None and draft.is_rated:
            groups.setdefault(_answers_of(draft), []).append(draft)
    scales: list[DraftedScale] = []
    named: dict[str, Question] = {}
    for members in groups.values():
        scale = _scale(members, [s.name for s in scales])
        scales.append(scale)
        shared = any(draft.heading == outcome for draft in members)
        for draft in members:
            role = "outcome" if shared else draft.question.role
            named[draft.heading] = replace(draft.question, scale=scale.name, role=role)
    return [replace(d, question=named.get(d.heading, d.question)) for d in drafted], scales


def _answers_of(draft: Drafted) -> tuple[object, ...]:
    question = draft.question
    words = tuple((choice.code, normal(choice.label.zh)) for choice in draft.choices)
    # in words, an end that nobody chose must not part two items of one scale
    return (
        question.minimum,
        question.maximum,
        question.direction,
        bool(words),
        *(words[-1:] if words else ()),
    )


def _scale(members: Sequence[Drafted], taken: Sequence[str]) -> DraftedScale:
    question = members[0].question
    low, high = int(question.minimum or 0), int(question.maximum or 0)
    words = [choice.label.zh for choice in members[0].choices]
    ends = f"{words[0]} – {words[-1]}" if words else f"{low}–{high}"
    name, number = f"scale_{low}_{high}", 2
    while name in taken:
        name, number = f"scale_{low}_{high}_{number}", number + 1
    label = Text(f"{len(members)}个评分题（{ends}）", f"{len(members)} rated items ({ends})")
    return DraftedScale(name, label, math.ceil(len(members) / 2))


def renamed(draft: Drafted) -> Drafted:
    """A heading that the build needs for itself, or that would read as an option, gets another name."""
    name = draft.question.name
    new = f"{name}_in_file" if name in RESERVED else name.replace("__", "_")
    if new == name:
        return draft
    guess = Guess(
        name, f"called '{new}' in the codebook", "the build writes a column of that name itself", 1.0
    )
    return replace(draft, question=replace(draft.question, name=new), guesses=(*draft.guesses, guess))


def with_lists(drafted: Sequence[Drafted]) -> list[Drafted]:
    """Questions with the same answers share one list of choices, called after the first of them."""
    lists: dict[tuple[Choice, ...], str] = {}
    result = []
    for draft in drafted:
        if not draft.choices:
            result.append(draft)
            continue
        name = lists.setdefault(draft.choices, draft.question.name)
        result.append(replace(draft, question=replace(draft.question, choices=name)))
    return result
