"""The ledger tells enough to do the cleaning again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_study import small_table

from cbresearch.records import Text
from cbresearch.survey.ledger import CHANGE_COLUMNS, STEPS, Audited, Step, no_changes, replay, step
from cbresearch.survey.table import Table

WHY = Text("因为。", "Because.")


def making(do) -> Step:
    return Step(do.__name__, do, WHY)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return small_table(
        tmp_path,
        {
            "id": ["1", "2", "3", "4"],
            "sat": ["好", "好", "9", None],
            "remark": ["a", "b", "13912345678", "d"],
        },
    )


def drop_third(table: Table) -> Table:
    return table.keeping(table.cells["id"] != "3")


def codes(table: Table) -> Table:
    return table.having(sat=table.cells["sat"].replace("好", "4"))


def only_first_good(table: Table) -> Table:
    return table.having(sat=table.cells["sat"].mask(table.cells["id"] == "1", "5"))


def flag(table: Table) -> Table:
    return table.having(
        flag_odd=pd.Series("1", table.cells.index, dtype="string").where(table.cells["id"] == "3")
    )


def test_an_entry_counts_rows_cells_and_flags(table: Table) -> None:
    audited = Audited(table).through([making(do) for do in (flag, codes, drop_third)])
    told = [
        (e.step, e.rows_before, e.rows_after, e.cells_changed, e.flagged, e.why_zh, e.why_en)
        for e in audited.ledger
    ]
    assert told == [
        ("flag", 4, 4, 0, 1, "因为。", "Because."),
        ("codes", 4, 4, 2, 0, "因为。", "Because."),
        ("drop_third", 4, 3, 0, 0, "因为。", "Because."),
    ]


def test_a_change_by_value_is_one_row_and_any_other_a_row_per_cell(table: Table) -> None:
    changes = Audited(table).through([making(codes), making(only_first_good)]).changes_frame()
    assert list(changes.columns) == list(CHANGE_COLUMNS)
    told = (
        changes[["step", "row", "column", "before", "after", "cells"]]
        .astype("object")
        .where(changes.notna(), None)
    )
    assert told.to_numpy().tolist() == [
        ["codes", None, "sat", "好", "4", 2],
        ["only_first_good", 2, "sat", "4", "5", 1],
    ]


def test_a_row_set_aside_is_told_by_its_number(table: Table) -> None:
    changes = Audited(table).then(making(drop_third)).changes_frame()
    assert changes[["action", "row", "cells"]].to_numpy().tolist() == [["set aside row", 4, 0]]


def test_a_private_step_never_tells_what_was_there(table: Table) -> None:
    def mask(table: Table) -> Table:
        return table.having(remark=table.cells["remark"].replace("13912345678", "[电话]"))

    audited = Audited(table).then(replace(making(mask), private=True))
    changes = audited.changes_frame()
    assert changes["before"].isna().all()
    assert changes[["row", "after"]].to_numpy().tolist() == [[4, "[电话]"]]
    assert replay(table.cells, changes)["remark"].tolist() == ["a", "b", "[电话]", "d"]


def test_a_column_filled_in_from_another_is_told_by_that_ones_values(table: Table) -> None:
    def copy(table: Table) -> Table:
        filled = table.cells["sat"].map({"好": "甲", "9": "乙"}).astype("string")
        return replace(table.having(area=filled), copied={"area": "sat"})

    changes = Audited(table).then(making(copy)).changes_frame()
    assert changes[["of", "before", "after", "cells"]].to_numpy().tolist() == [
        ["sat", "好", "甲", 2],
        ["sat", "9", "乙", 1],
    ]


def test_no_step_no_change(table: Table) -> None:
    assert Audited(table).changes_frame().equals(no_changes())
    assert replay(table.cells, no_changes()) is table.cells


def test_the_first_words_of_a_step_are_the_reason_printed() -> None:
    def example_step(table: Table) -> Table:
        """Codes 8 and 9 mean
        'would not say'.

        More for programmers.
        """
        return table

    made = step(zh="代码。")(example_step)
    assert STEPS.pop("example_step") is made
    assert made.why == Text("代码。", "Codes 8 and 9 mean 'would not say'.")


CELLS = st.one_of(st.none(), st.sampled_from(["1", "2", "好", "9"]))


@st.composite
def frames(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(st.integers(1, 8))
    columns = {name: draw(st.lists(CELLS, min_size=rows, max_size=rows)) for name in ("a", "b", "c")}
    return pd.DataFrame(columns, dtype="string").set_axis(pd.RangeIndex(2, rows + 2))


@given(frames(), st.data())
@settings(deadline=None, max_examples=60)
def test_whatever_a_step_does_can_be_done_again(raw: pd.DataFrame, data: st.DataObject) -> None:
    """Any rows dropped, any cells rewritten, any column renamed, dropped or added: replay does the same."""

    def renaming(table: Table) -> Table:
        return replace(
            table, cells=table.cells[["b", "c"]].rename(columns={"b": "a"}), renamed={"b": "a", "c": "c"}
        )

    def dropping(table: Table) -> Table:
        kept = data.draw(st.lists(st.booleans(), min_size=len(raw), max_size=len(raw)))
        return table.keeping(pd.Series(kept, table.cells.index))

    def rewriting(table: Table) -> Table:
        rows = len(table.cells)
        fresh = {
            name: data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for name in ("a", "a__x", "d")
        }
        return table.having(
            **{name: pd.Series(cells, table.cells.index, dtype="string") for name, cells in fresh.items()}
        )

    def leaving(table: Table) -> Table:
        return replace(table, cells=table.cells.drop(columns=["c"]))

    start = Audited(Table("f.csv", None, None, raw))  # type: ignore[arg-type]
    audited = start.through([making(do) for do in (renaming, dropping, rewriting, leaving)])
    again = replay(raw, audited.changes_frame())
    expected = audited.table.cells
    # a column that was added with nothing in it has nothing to tell
    empty = [name for name in expected if name not in again]
    assert expected[empty].isna().all(axis=None)
    assert again[[name for name in expected if name in again]].equals(expected.drop(columns=empty))
    changed = audited.changes_frame()
    for entry in audited.ledger:
        mine = changed[changed["step"] == entry.step]
        assert mine["cells"].sum() == entry.cells_changed
        assert (mine["action"] == "set aside row").sum() == entry.rows_before - entry.rows_after
