"""Steps of cleaning, one by one, on tables small enough to read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from small_study import BANDS, CHOICES, CODEBOOK, small_study, small_table, source

from cbresearch.build import clean, read_raw
from cbresearch.survey import recode
from cbresearch.survey.clean import (
    CHAINS,
    match_headings,
    set_aside_blank_rows,
    set_aside_copies,
    set_aside_second_returns,
    set_aside_without_area,
    set_aside_without_key,
)
from cbresearch.survey.ledger import STEPS
from cbresearch.survey.several import indicators_for_several_answers
from cbresearch.survey.table import Table


def cells(table: Table, column: str) -> list[str | None]:
    return [
        None if value is None else value
        for value in table.cells[column].astype("object").where(table.cells[column].notna(), None)
    ]


def rules(table: Table) -> list[tuple[str, int | None]]:
    return [(row.rule, row.row) for found in table.found for row in found.itertuples()]


def test_blank_rows_go_and_keep_the_numbers_of_the_others(tmp_path: Path) -> None:
    table = set_aside_blank_rows(small_table(tmp_path, {"id": ["1", None, "3"], "age": [None, None, "30"]}))
    assert list(table.cells.index) == [2, 4]
    assert rules(table) == [("blank_row", 3)]


def test_a_copy_goes_and_the_first_stays(tmp_path: Path) -> None:
    table = set_aside_copies(small_table(tmp_path, {"id": ["1", "2", "1"], "age": ["20", "20", "20"]}))
    assert list(table.cells.index) == [2, 3]
    assert rules(table) == [("duplicate_row", 4)]


def test_without_an_identifier_equal_rows_both_stay(tmp_path: Path) -> None:
    study = small_study(
        tmp_path,
        {"f.csv": "age,sat\n20,满意\n20,满意\n"},
        key="row",
        area=None,
        codebook=CODEBOOK + "row,id,行号,Row,,,,,,,key,,residents\n",
    )
    audited = clean(study, read_raw(study))[0]
    assert len(audited.table.cells) == 2
    assert ("same_answers", 3) in rules(audited.table)


def test_of_two_returns_the_fuller_stays_and_of_equals_the_first(tmp_path: Path) -> None:
    columns = {"id": ["1", "1", "2", "2"], "age": [None, "30", "40", "41"]}
    table = set_aside_second_returns(small_table(tmp_path, columns))
    assert list(table.cells.index) == [3, 4]
    assert rules(table) == [("duplicate_key", 2), ("duplicate_key", 5)]


def test_a_return_without_number_goes(tmp_path: Path) -> None:
    table = set_aside_without_key(small_table(tmp_path, {"id": ["1", None], "age": ["20", "30"]}))
    assert list(table.cells.index) == [2]
    assert rules(table) == [("missing_key", 3)]


def test_rows_of_no_area_go_and_say_why(tmp_path: Path) -> None:
    table = set_aside_without_area(
        small_table(tmp_path, {"area": ["A", "合计", None], "age": ["20", "30", "40"]})
    )
    assert list(table.cells.index) == [2]
    assert sorted(rules(table)) == [("missing_area", 4), ("unknown_area", 3)]


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("325秒", "325"),
        ("２５", "25"),
        ("1,200元", "1200"),
        ("1，200，000元", "1200000"),
        ("5分25秒", "325"),
        ("2分", "120"),
        (" 30 ", "30"),
        ("30.0", "30"),
        ("-3", "-3"),
        ("1.5万元", "15000"),
        ("3亿", "300000000"),
        ("1,2", "1,2"),
        ("十", "十"),
        ("12-15", "12-15"),
    ],
)
def test_numbers_are_written_plainly(tmp_path: Path, written: str, plain: str) -> None:
    table = recode.plain_numbers(small_table(tmp_path, {"secs": [written]}))
    assert cells(table, "secs") == [plain]


@pytest.mark.parametrize(
    "written",
    [
        "非常满意",
        "5.非常满意",
        "5、非常满意",
        " 非常满意 ",
        "５",
        "5",
        "Very satisfied",
        "VERY SATISFIED",
        "很满意",
    ],
)
def test_one_answer_in_many_spellings_is_one_code(tmp_path: Path, written: str) -> None:
    assert cells(recode.codes_for_labels(small_table(tmp_path, {"sat": [written]})), "sat") == ["5"]


def test_a_files_own_labels_are_believed_before_its_numbers(tmp_path: Path) -> None:
    own = {"1": "非常满意", "2": "满意", "3": "一般", "4": "不满意", "5": "非常不满意", "9": "不知道"}
    table = recode.codes_for_labels(small_table(tmp_path, {"sat": ["1", "5", "9", "7"]}, sat=own))
    assert cells(table, "sat") == ["5", "1", "9", "7"]


def test_a_number_without_label_is_no_answer_where_the_file_counts_from_the_other_end(tmp_path: Path) -> None:
    table = recode.codes_for_labels(small_table(tmp_path, {"sat": ["1", "4"]}, sat={"1": "非常满意"}))
    blanked = recode.blank_unreadable(table)
    assert cells(blanked, "sat") == ["5", None]
    assert blanked.found[0]["value"].tolist() == ["4 (no label)"]


def test_a_files_labels_in_other_words_leave_its_numbers_alone(tmp_path: Path) -> None:
    own = {"1": "muy mal", "5": "muy bien"}
    table = recode.codes_for_labels(small_table(tmp_path, {"sat": ["1", "5"]}, sat=own))
    assert cells(table, "sat") == ["1", "5"]


def test_what_stands_for_no_answer_is_missing_and_no_fault(tmp_path: Path) -> None:
    columns = {"sat": ["9", "不知道", "(跳过)", "-3", "4"], "age": ["999", "拒答", "99", None, "40"]}
    table = recode.blank_no_answers(small_table(tmp_path, columns))
    assert cells(table, "sat") == [None, None, None, None, "4"]
    assert cells(table, "age") == [None, None, "99", None, "40"]
    assert table.found == ()


def test_a_files_own_word_for_no_answer_counts(tmp_path: Path) -> None:
    table = recode.blank_no_answers(small_table(tmp_path, {"sat": ["8", "4"]}, sat={"8": "拒绝回答"}))
    assert cells(table, "sat") == [None, "4"]


def test_what_cannot_be_read_is_missing_and_reported(tmp_path: Path) -> None:
    columns = {"sat": ["满义", "4"], "age": ["三十", "25.5"], "visited": ["昨天", "2009-05-01"]}
    table = recode.blank_unreadable(small_table(tmp_path, columns))
    assert [cells(table, c) for c in columns] == [[None, "4"], [None, None], [None, "2009-05-01"]]
    assert rules(table) == [("unknown_label", 2), ("not_a_number", 2), ("not_whole", 3), ("not_a_date", 2)]


def test_an_impossible_age_is_missing_and_the_resident_stays(tmp_path: Path) -> None:
    table = recode.blank_impossible(small_table(tmp_path, {"age": ["212", "18", "105"]}))
    assert cells(table, "age") == [None, "18", "105"]
    assert len(table.cells) == 3


def test_an_answer_of_the_list_outside_the_scale_is_missing(tmp_path: Path) -> None:
    choices = CHOICES + "sat5,0,没有用过,Never used,0,\n"
    study = small_study(tmp_path, {"f.csv": "id,area,sat\n1,A,没有用过\n2,A,满意\n"}, choices=choices)
    table = clean(study, read_raw(study))[0].table
    assert cells(table, "sat") == [None, "4"]
    assert ("out_of_range", 2) in rules(table)


def test_personal_data_are_masked_and_never_told(tmp_path: Path) -> None:
    columns = {"remark": ["请打13912345678", "路灯坏了"], "age": ["13912345678", "30"]}
    table = recode.mask_personal_data(small_table(tmp_path, columns))
    assert cells(table, "remark") == ["请打[电话]", "路灯坏了"]
    assert cells(table, "age") == ["[电话]", "30"]
    assert not any("139" in str(value) for found in table.found for value in found.to_numpy().ravel())


def test_personal_columns_are_left_out(tmp_path: Path) -> None:
    table = recode.leave_out_personal_columns(small_table(tmp_path, {"id": ["1"], "name": ["王某"]}))
    assert list(table.cells.columns) == ["id"]
    assert rules(table) == [("personal_data", None)] or table.found[0]["column"].tolist() == ["name"]


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("医疗┋文化", ["1", "1", "0"]),
        ("health culture", ["1", "1", "0"]),
        ("医疗、治安", ["1", "0", "1"]),
        ("public order", ["0", "0", "1"]),
        ("无", ["0", "0", "0"]),
        (None, [None, None, None]),
        ("医疗┋养老", [None, None, None]),
    ],
)
def test_several_answers_in_a_cell_become_a_column_each(
    tmp_path: Path, cell: str | None, expected: list[str | None]
) -> None:
    table = indicators_for_several_answers(small_table(tmp_path, {"need": [cell, "医疗"]}))
    assert [cells(table, f"need__{code}")[0] for code in ("health", "culture", "order")] == expected
    assert bool(table.found) == (cell == "医疗┋养老")


@pytest.mark.parametrize(
    ("chosen", "blank"),
    [
        ("1", "0"),
        ("1", None),
        ("选中", "未选"),
        ("医疗", None),
        ("Yes", "No"),
        ("医疗", "Not selected"),
        ("1", "2"),
    ],
)
def test_a_column_per_answer_becomes_zeros_and_ones(tmp_path: Path, chosen: str, blank: str | None) -> None:
    columns = {
        "need__health": [chosen, blank, None],
        "need__culture": [blank, "文化" if chosen == "医疗" else chosen, None],
    }
    table = indicators_for_several_answers(small_table(tmp_path, columns))
    assert cells(table, "need__health") == ["1", "0", None]
    assert cells(table, "need__culture") == ["0", "1", None]
    assert cells(table, "need__order") == ["0", "0", None]


def test_codes_for_no_answer_in_a_column_per_answer_are_no_zeros(tmp_path: Path) -> None:
    columns = {"need__health": ["-3", "1", "x9"], "need__culture": ["(跳过)", "不知道", "0"]}
    table = indicators_for_several_answers(small_table(tmp_path, columns))
    assert cells(table, "need__health") == [None, "1", "0"]
    assert cells(table, "need__culture") == [None, "0", "0"]
    assert rules(table) == [("unknown_label", 4)]


def test_ages_are_cut_into_bands(tmp_path: Path) -> None:
    study = small_study(
        tmp_path, {"f.csv": "id,area,age\n1,A,18\n2,A,44\n3,A,45\n4,A,\n5,A,17\n"}, more=BANDS
    )
    table = clean(study, read_raw(study))[0].table
    assert cells(table, "age_group") == ["young", "young", "old", None, None]


def test_a_contradiction_is_noted_and_both_answers_stay(tmp_path: Path) -> None:
    table = small_table(tmp_path, {"could": ["0", "10", None], "would": ["5", "5", "5"]})
    noted = recode.note_contradictions(table)
    assert noted.cells.equals(table.cells)
    assert rules(noted) == [("irrelevant_answer", 2)]


def test_reverse_worded_items_keep_their_codes(tmp_path: Path) -> None:
    table = small_table(tmp_path, {"slow": ["1", None, "5"], "sat": ["1", "2", "3"]})
    noted = recode.note_reverse_worded(table)
    assert noted.cells.equals(table.cells)
    assert noted.noted == 2


def test_headings_are_matched_and_strangers_reported(tmp_path: Path) -> None:
    table = match_headings(
        small_table(tmp_path, {"编号": ["1"], "3、社区": ["A"], "clerk": ["x"], "手机": ["13912345678"]})
    )
    assert list(table.cells.columns) == ["id", "area"]
    told = [(row.rule, row.value) for found in table.found for row in found.itertuples()]
    assert ("unknown_column", "clerk") in told
    assert ("personal_data", "[电话]") in told
    absent = [found["column"].iloc[0] for found in table.found if found["rule"].iloc[0] == "absent_question"]
    assert "sat" in absent and "name" not in absent


def test_a_former_committee_tells_the_community(tmp_path: Path) -> None:
    files = {
        "f.csv": "id,old,age\n1,甲一,20\n2,乙一,30\n3,丙一,40\n4,,50\n",
        "x.csv": "old,area\n甲一,甲社区\n甲二,甲社区\n乙一,乙社区\n",
    }
    study = small_study(tmp_path, files, source("f.csv"), source("x.csv", "crosswalk"))
    table = clean(study, read_raw(study))[1].table
    assert cells(table, "area") == ["A", "B"]
    assert [(rule, row) for rule, row in rules(table) if not pd.isna(row)] == [
        ("missing_area", 5),
        ("unknown_area", 4),
    ]


def test_a_key_that_an_earlier_file_of_the_wave_holds_is_a_second_return(tmp_path: Path) -> None:
    study = small_study(tmp_path, {"f.csv": "id,area\n1,A\n", "g.csv": "id,area\n1,B\n2,B\n"})
    second = clean(study, read_raw(study))[1].table
    assert cells(second, "id") == ["2"]


@pytest.mark.parametrize(
    "step", [step for chain in CHAINS.values() for step in chain], ids=lambda step: step.name
)
def test_every_step_says_why_in_both_languages(step) -> None:
    assert STEPS[step.name] is step
    assert step.why.en.endswith(".") and step.why.en.lstrip("'")[0].isupper()
    assert any("一" <= sign <= "鿿" for sign in step.why.zh) and step.why.zh.endswith("。")


def test_every_step_is_in_a_chain() -> None:
    assert {step.name for chain in CHAINS.values() for step in chain} == set(STEPS)


def test_decimals_keep_the_digits_that_were_written(tmp_path: Path) -> None:
    table = recode.plain_numbers(
        small_table(tmp_path, {"wt": ["1.000", "+2.50", "３.5"], "age": ["1.000", "+2", "３"]})
    )
    assert cells(table, "wt") == ["1.000", "2.50", "3.5"]
    assert cells(table, "age") == ["1", "2", "3"]
