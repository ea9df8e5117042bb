"""Careless answering: residents are flagged, never dropped."""

from __future__ import annotations

from itertools import groupby

import numpy as np
import pandas as pd

from cbresearch.codebook import Codebook
from cbresearch.survey.distinct import distinct
from cbresearch.survey.harmonise import OPTION
from cbresearch.survey.ledger import step
from cbresearch.survey.table import FLAG, Table

SAME_ANSWERS_AT_LEAST = 8
"""Items in a block before one answer to all of them looks careless; short blocks are easily unanimous."""

SECONDS_PER_ITEM = 2.0
"""Nobody reads and answers an item faster."""

SHARE_OF_MEDIAN = 1 / 3
"""Far below the pace of the others in the same file."""


def blocks(codebook: Codebook, table: str = "residents") -> tuple[tuple[str, ...], ...]:
    """Runs of neighbouring rated items with one list of answers: what a resident sees as one grid."""
    rated = [question for question in codebook.of(table) if question.is_rated]
    runs = groupby(rated, key=lambda q: (q.choices, q.minimum, q.maximum))
    return tuple(tuple(question.name for question in run) for _, run in runs)


def same_answers(answers: pd.DataFrame, *, at_least: int = SAME_ANSWERS_AT_LEAST) -> pd.Series:
    """Whether a resident ticked one and the same answer all the way down a block.

    `answers` has a row per resident and a column per item of the block, as answered (reverse-worded
    items not turned: turning would hide a straight line). Fewer than `at_least` answers decide
    nothing: false.
    """
    shared: dict[object, int] = {}
    answered = np.zeros(len(answers), dtype=np.int64)
    lowest, highest = np.full(len(answers), np.iinfo(np.int64).max), np.full(len(answers), -1)
    for item in answers.columns:
        found = distinct(answers[item])
        codes = np.array([shared.setdefault(text, len(shared)) for text in found.texts] + [-1])[found.places]
        answered += codes >= 0
        highest = np.maximum(highest, codes)
        lowest = np.where(codes >= 0, np.minimum(lowest, codes), lowest)
    return pd.Series((lowest == highest) & (answered >= max(at_least, 1)), index=answers.index)


def too_fast(duration_seconds: pd.Series, items_answered: pd.Series) -> pd.Series:
    """Whether a resident took under two seconds an item, or under a third of the file's median time.

    `duration_seconds` may be missing: nothing is known then, so false.
    """
    seconds = duration_seconds.astype("Float64")
    limit = (items_answered * SECONDS_PER_ITEM).clip(
        lower=float((seconds.median() or 0) * SHARE_OF_MEDIAN) if seconds.notna().any() else 0
    )
    return (seconds < limit).fillna(False).astype("bool")


@step(zh="一整组评分题从头到尾选同一个答案，可能没有认真作答：作标记，仍然保留。")
def flag_same_answers(table: Table) -> Table:
    """One and the same answer down a whole block of ratings may be carelessness: flagged, and kept."""
    flags = pd.Series(False, table.cells.index)
    for block in blocks(table.study.codebook):
        items = [item for item in block if item in table.cells]
        if len(items) >= SAME_ANSWERS_AT_LEAST:
            flags |= same_answers(table.cells[items])
    return table.having(**{f"{FLAG}longstring": _marks(flags)})


@step(zh="平均每题不到两秒，或用时不到同一文件中位数的三分之一，可能没有看题：作标记，仍然保留。")
def flag_speed(table: Table) -> Table:
    """Under two seconds an item, or under a third of the file's median time, is too fast to read: flagged, and kept."""
    duration = next((q.name for q in table.answered("integer", "decimal") if q.role == "duration"), None)
    if duration is None:
        return table.having(**{f"{FLAG}speed": _marks(pd.Series(False, table.cells.index))})
    seconds = pd.to_numeric(table.cells[duration], errors="coerce")
    return table.having(**{f"{FLAG}speed": _marks(too_fast(seconds, items_answered(table)))})


def items_answered(table: Table) -> pd.Series:
    """How many questions each resident answered; a question with several answers counts once."""
    items = [
        q.name
        for q in table.answered("select_one", "integer", "decimal")
        if q.role not in {"duration", "paradata", "area", "key"}
    ]
    counts = table.cells[items].notna().sum(axis="columns")
    for question in (q for q in table.questions if q.type == "select_multiple"):
        options = [c for c in table.cells.columns if c.startswith(question.name + OPTION)]
        counts += table.cells[options].notna().any(axis="columns").astype("int64")
    return counts


def _marks(flags: pd.Series) -> pd.Series:
    return pd.Series("1", flags.index, dtype="string").where(flags.astype("bool"))
