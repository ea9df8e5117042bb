"""Cleaning: which steps are taken, in which order, for each kind of table."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cbresearch.survey import recode, validate
from cbresearch.survey.careless import flag_same_answers, flag_speed
from cbresearch.survey.crosswalk import fill_from_crosswalk
from cbresearch.survey.harmonise import match
from cbresearch.survey.ledger import Step, step
from cbresearch.survey.privacy import traced
from cbresearch.survey.rules import found_column, found_rows
from cbresearch.survey.several import indicators_for_several_answers
from cbresearch.survey.table import Table


@step(zh="整行空白，没有任何答案。")
def set_aside_blank_rows(table: Table) -> Table:
    """A row without a single filled cell says nothing."""
    filled = table.cells.notna().any(axis="columns")
    return _setting_aside(table, ~filled, "blank_row")


@step(zh="与前面某行每一格都相同，是同一份答卷录了两次，只留第一次；文件没有编号时无法断定，予以保留。")
def set_aside_copies(table: Table) -> Table:
    """A row that repeats an earlier one cell for cell was entered twice: the first stays. Without an identifier it may be another person, so both stay."""
    if any(table.cells[heading].is_unique for heading in table.cells.columns):
        return table  # where one column never repeats itself, no row does
    copies = table.cells.duplicated()
    if table.kind == "residents" and table.key is None:
        return table.noting(found_rows(table, "same_answers", copies.index[copies]))
    return _setting_aside(table, copies, "duplicate_row")


@step(zh="按编码簿统一列名；编码簿没有的列不采用。")
def match_headings(table: Table) -> Table:
    """Columns get the codebook's names; a column that the codebook does not know is left out."""
    headings = [str(heading) for heading in table.cells.columns]
    matched = match(headings, table.questions, table.study.codebook, table.source, table.headings)
    found = [found_column(table, "unknown_column", heading, heading) for heading in matched.unknown]
    found += [
        found_column(table, "personal_data", heading, " ".join(dict.fromkeys(marks)))
        for heading in matched.unknown
        if len(marks := traced(table.cells[heading], table.lang))
    ]
    found += [
        found_column(table, "repeated_column", name, heading) for heading, name in matched.repeated.items()
    ]
    if table.kind != "crosswalk":
        elsewhere = _from_elsewhere(table)
        absent = (q for q in table.questions if q.name not in matched.answered and q.name not in elsewhere)
        found += [found_column(table, "absent_question", q.name) for q in absent if q.role != "personal"]
    cells = table.cells[list(matched.named)].rename(columns=dict(matched.named))
    labels = {
        name: table.labels[heading] for heading, name in matched.named.items() if heading in table.labels
    }
    return replace(table, cells=cells, labels=labels, renamed=matched.named).reporting(*found)


def _from_elsewhere(table: Table) -> frozenset[str]:
    """Questions that a file of residents need not hold: bands, and what the crosswalk tells."""
    bands = (band.name for band in table.study.file.bands)
    told = () if table.crosswalk is None else table.crosswalk.columns
    return frozenset((*bands, *told)) if table.kind == "residents" else frozenset()


@step(zh="没有编号，无法与其他答卷区分，也无法核对重复。")
def set_aside_without_key(table: Table) -> Table:
    """Without an identifier a return cannot be told from another, nor checked for having come twice."""
    if table.key is None or table.key not in table.cells or table.kind == "communities":
        return table
    return _setting_aside(table, table.cells[table.key].isna(), "missing_key", table.key)


@step(zh="同一编号有多份：保留答得最全的一份，一样全的留先出现的。")
def set_aside_second_returns(table: Table) -> Table:
    """One identifier, several rows: the one with most answers stays; of equals, the first."""
    if table.key is None or table.key not in table.cells:
        return table
    fullness = table.cells.notna().sum(axis="columns")
    best_first = fullness.sort_values(ascending=False, kind="stable").index
    second = table.cells.loc[best_first, table.key].duplicated().reindex(table.cells.index)
    elsewhere = table.cells[table.key].isin(list(table.taken))
    return _setting_aside(table, second | elsewhere, "duplicate_key", table.key)


@step(zh="没有写明属于本研究的哪个社区（或是合计行、说明行），不能归入任何一处。")
def set_aside_without_area(table: Table) -> Table:
    """The row names no area of the study (it may be a line of totals or a note), so it belongs nowhere."""
    area = table.study.area
    if area is None or area not in table.cells:
        return table
    codes = [choice.code for choice in table.study.codebook.choices_of(area)]
    cells = table.cells[area]
    missing = cells.isna()
    unknown = ~missing & ~cells.isin(codes) if codes else missing & False
    origin = table.copied.get(area)
    if origin is None:
        return _setting_aside(
            _setting_aside(table, missing, "missing_area", area), unknown, "unknown_area", area
        )
    untold = missing & table.cells[origin].notna()
    table = _setting_aside(table, missing & ~untold, "missing_area", area)
    table = _setting_aside(table, untold, "unknown_area", origin)
    return _setting_aside(table, unknown, "unknown_area", area)


@step(zh="抽样权数缺失或不是正数的答卷：按同组的平均权数计，答卷保留。")
def note_missing_weights(table: Table) -> Table:
    """A return without a selection weight counts with the mean weight of its group; it stays."""
    return table.noting(*validate.missing_weights(table))


@step(zh="设施没有启用年份：登记册证明现在有，只计入最近一年。")
def note_undated_facilities(table: Table) -> Table:
    """A facility without an opening year: the register shows that it is there by now, so it counts in the latest wave only."""
    return table.noting(*validate.undated_facilities(table))


def _setting_aside(table: Table, rows: pd.Series, rule: str, column: str | None = None) -> Table:
    """The table without `rows`, a finding for each."""
    rows = rows.reindex(table.cells.index)
    gone = rows.index[rows]
    return table.reporting(found_rows(table, rule, gone, column)).keeping(~rows) if len(gone) else table


_ROWS: tuple[Step, ...] = (
    set_aside_blank_rows,
    set_aside_copies,
    match_headings,
    recode.mask_personal_data,
    recode.leave_out_personal_columns,
)
_ANSWERS: tuple[Step, ...] = (recode.plain_numbers, recode.codes_for_labels, recode.blank_no_answers)
_FAULTS: tuple[Step, ...] = (recode.blank_unreadable, recode.blank_impossible)

CHAINS: dict[str, tuple[Step, ...]] = {
    "residents": (
        *_ROWS,
        set_aside_without_key,
        set_aside_second_returns,
        *_ANSWERS,
        fill_from_crosswalk,
        set_aside_without_area,
        *_FAULTS,
        indicators_for_several_answers,
        recode.cut_bands,
        recode.note_contradictions,
        recode.note_reverse_worded,
        note_missing_weights,
        flag_same_answers,
        flag_speed,
    ),
    # ledgers are keyed by area, whose spelling must be settled before second rows can be seen
    "communities": (*_ROWS, *_ANSWERS, set_aside_without_area, set_aside_second_returns, *_FAULTS),
    "facilities": (
        *_ROWS,
        set_aside_without_key,
        set_aside_second_returns,
        *_ANSWERS,
        set_aside_without_area,
        *_FAULTS,
        note_undated_facilities,
    ),
    "crosswalk": (*_ROWS, *_ANSWERS, set_aside_without_area, *_FAULTS),
}
"""The steps for each kind of table, in order."""
