"""Places told by other places: which community a former committee became part of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from cbresearch.survey.ledger import step
from cbresearch.survey.table import Table


@step(zh="只写了原居委会的答卷，按居委会与社区对照表补上社区和街道。")
def fill_from_crosswalk(table: Table) -> Table:
    """A return that names only its former committee gets community and street from the crosswalk."""
    if table.crosswalk is None or table.kind != "residents":
        return table
    cells, copied = table.cells, dict(table.copied)
    for known, told, places in lookups(table.crosswalk):
        if known not in cells:
            continue
        own = cells[told] if told in cells else pd.Series(pd.NA, cells.index, dtype="string")
        filled = own.where(own.notna(), places.reindex(cells[known].array).set_axis(cells.index))
        if filled.notna().sum() > own.notna().sum():
            cells = cells.assign(**{told: filled})
            copied.setdefault(told, known)
    return replace(table, cells=cells, copied=copied)


def lookups(crosswalk: pd.DataFrame) -> Iterator[tuple[str, str, pd.Series]]:
    """Every column of the crosswalk that settles another: known column, told column, known = told.

    The finest column comes first. A column settles another when no two rows that agree on the first
    differ on the second.
    """
    finest_first = sorted(crosswalk.columns, key=lambda column: -crosswalk[column].nunique())
    for i, known in enumerate(finest_first):
        for told in finest_first[i + 1 :]:
            pairs = crosswalk[[known, told]].dropna().drop_duplicates()
            if not pairs[known].duplicated().any():
                yield str(known), str(told), pairs.set_index(known)[told]
