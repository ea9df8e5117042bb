"""The distinct texts of a column: they give the column back, and no step is served those of another column."""

from __future__ import annotations

import gc

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.survey import distinct as remembered
from cbresearch.survey.distinct import column_of, differing, distinct
from cbresearch.survey.table import by_value, cells_that

CELLS = st.lists(st.one_of(st.none(), st.sampled_from(["1", "2", "满意", ""])), max_size=12)


def column(cells: list[str | None]) -> pd.Series:
    rows = pd.RangeIndex(2, 2 + len(cells), name="row")
    return pd.Series(pd.array(cells, dtype="string"), index=rows, name="sat")


@given(CELLS)
def test_places_and_texts_give_the_column_back(cells: list[str | None]) -> None:
    found = distinct(column(cells))
    pd.testing.assert_series_equal(column_of(found, column(cells)), column(cells))
    assert len(set(found.texts)) == len(found.texts)


@given(CELLS)
def test_a_changed_column_is_known_as_if_it_had_been_looked_at(cells: list[str | None]) -> None:
    changed = by_value(column(cells), {"1": "2", "2": None, "满意": "5", "": ""}.get)
    known, afresh = distinct(changed), distinct(column(changed.tolist()))
    assert (known.places.tolist(), known.texts.tolist()) == (afresh.places.tolist(), afresh.texts.tolist())


@given(st.lists(st.tuples(*[st.sampled_from([None, "1", "2"])] * 2), max_size=12))
def test_cells_differ_where_they_read_differently(pairs: list[tuple[str | None, str | None]]) -> None:
    was, now = column([a for a, _ in pairs]), column([b for _, b in pairs])
    assert differing(was, now).tolist() == [a != b for a, b in pairs]
    assert not differing(was, was).any()


def test_a_column_changed_in_place_is_looked_at_again() -> None:
    cells = column(["1", "2", None])
    assert distinct(cells).texts.tolist() == ["1", "2"]
    cells[2] = "9"
    cells[3] = "9"
    assert distinct(cells).texts.tolist() == ["9"]
    assert cells_that(cells, "9".__eq__).index.tolist() == [2, 3]


def test_what_no_step_holds_any_more_is_forgotten() -> None:
    gc.collect()
    before = len(remembered._KNOWN)
    cells = column(["1", "2"])
    distinct(cells)
    assert len(remembered._KNOWN) == before + 1
    del cells
    gc.collect()
    assert len(remembered._KNOWN) == before


def test_many_texts_keep_their_places_apart() -> None:
    cells = column([str(number) for number in range(300)] * 2)
    found = distinct(cells)
    assert found.places.dtype == np.int16
    assert found.places.tolist() == [*range(300)] * 2
    few = distinct(column([str(number) for number in range(128)]))
    assert few.places.tolist() == [*range(128)] and few.places.dtype == np.int8
