"""Careless answering: who is flagged, and who is not."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from small_study import small_table

from cbresearch.codebook import Codebook, Question
from cbresearch.records import Text
from cbresearch.survey.careless import blocks, flag_same_answers, flag_speed, same_answers, too_fast


def answers(*rows: str) -> pd.DataFrame:
    """Rows of digits, '.' missing, as an answer per item."""
    return pd.DataFrame([[None if sign == "." else sign for sign in row] for row in rows], dtype="string")


@pytest.mark.parametrize(
    ("row", "flagged"),
    [
        ("33333333", True),
        ("33333334", False),
        ("3333333.", False),
        ("........", False),
        ("33333333.", True),
        ("12345123", False),
    ],
)
def test_one_answer_down_a_whole_block(row: str, flagged: bool) -> None:
    assert same_answers(answers(row)).tolist() == [flagged]


def test_a_block_is_a_run_of_items_with_one_list_of_answers() -> None:
    def item(name: str, choices: str) -> Question:
        return Question(
            name, "select_one", Text(name, name), choices=choices, minimum=1, maximum=5, scale="s"
        )

    book = Codebook(
        (
            item("a", "x"),
            item("b", "x"),
            Question("age", "integer", Text("", "")),
            item("c", "x"),
            item("d", "y"),
        )
    )
    assert blocks(book) == (("a", "b", "c"), ("d",))


@pytest.mark.parametrize(
    ("seconds", "items", "flagged"),
    [
        ([300, 300, 99], [10, 10, 10], [False, False, True]),  # under a third of the median
        ([30, 30, 30], [14, 15, 16], [False, False, True]),  # under two seconds an item
        ([None, 300, 300], [10, 10, 10], [False, False, False]),
        ([None, None, None], [10, 10, 10], [False, False, False]),
    ],
)
def test_too_fast_to_read(seconds: list[int | None], items: list[int], flagged: list[bool]) -> None:
    assert too_fast(pd.Series(seconds, dtype="Float64"), pd.Series(items)).tolist() == flagged


def test_flags_mark_and_keep(tmp_path: Path) -> None:
    table = small_table(
        tmp_path, {"secs": ["300", "301", "2"], "sat": ["3", "3", "3"], "age": ["20", "30", "40"]}
    )
    flagged = flag_speed(flag_same_answers(table))
    assert len(flagged.cells) == 3
    assert flagged.cells["flag_speed"].notna().tolist() == [False, False, True]
    assert not flagged.cells["flag_longstring"].notna().any(), "two rated items are too few to judge by"


def test_a_file_without_times_flags_nobody(tmp_path: Path) -> None:
    flagged = flag_speed(small_table(tmp_path, {"sat": ["3", "4"]}))
    assert not flagged.cells["flag_speed"].notna().any()
