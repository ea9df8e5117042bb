"""Every file format becomes the same frame of text."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.errors import SourceError
from cbresearch.survey.sources import delimited, read_source
from cbresearch.survey.sources.cells import number_text, sheet_text, single_text
from cbresearch.survey.sources.encodings import decode
from cbresearch.survey.sources.headings import column_names

DATA = Path(__file__).parents[3] / "shared" / "data"


def real(name: str) -> Path:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"example data not here: {path}")
    return path


def written(folder: Path, name: str, text: str, encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def workbook(
    folder: Path, rows: list[list[object]], merged: tuple[str, ...] = (), title: str = "台账"
) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for cells in merged:
        sheet.merge_cells(cells)
    path = folder / "book.xlsx"
    book.save(path)
    return path


def first(raw_frame: pd.DataFrame) -> list[object]:
    return [None if pd.isna(cell) else cell for cell in raw_frame.iloc[0]]


# --- text tables ------------------------------------------------------------------------------


def test_csv_keeps_every_cell_as_typed(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'id, score ,note\n007,5.0,NA\n\n008,,"two\nlines"\n')
    raw = read_source(path)
    assert list(raw.frame.columns) == ["id", "score", "note"]
    assert first(raw.frame) == ["007", "5.0", "NA"]
    assert raw.frame.iloc[1].isna().all(), "a blank line stays, so that row numbers stay true"
    assert raw.frame.loc[2, "note"] == "two\nlines"
    assert pd.isna(raw.frame.loc[2, "score"])
    assert raw.first_row == 2
    assert set(map(str, raw.frame.dtypes)) == {"string"}
    assert raw.said == ("encoding utf-8", "separator comma")


@pytest.mark.parametrize(
    "separator, said", [(",", "comma"), ("\t", "tab"), (";", "semicolon"), ("|", "pipe")]
)
def test_separators_are_found(tmp_path: Path, separator: str, said: str) -> None:
    lines = [["name", "a", "b"], ["x", '"1,5;2|3\t4"', "2"], ["y", "3", "4"]]
    raw = read_source(written(tmp_path, "a.txt", "\n".join(separator.join(line) for line in lines)))
    assert raw.frame.shape == (2, 3)
    assert raw.frame.loc[0, "a"] == "1,5;2|3\t4"
    assert f"separator {said}" in raw.said


def test_decimal_commas_do_not_pass_for_separators(tmp_path: Path) -> None:
    raw = read_source(written(tmp_path, "a.csv", "id;x;y\n1;2,5;3,5\n2;4,5;5,5\n"))
    assert first(raw.frame) == ["1", "2,5", "3,5"]


def test_one_column_without_separator(tmp_path: Path) -> None:
    assert read_source(written(tmp_path, "a.csv", "remark\n很好\n")).frame.shape == (1, 1)


@given(
    st.lists(
        st.lists(st.text('a\u4e2d ,"\n\x1c\u3000', max_size=4), min_size=3, max_size=3),
        min_size=2,
        max_size=6,
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.integers(1, 2),
)
def test_a_regular_table_is_cut_as_the_csv_module_cuts_it(
    rows: list[list[str]], end: str, quoted: bool, header_rows: int
) -> None:
    whole = io.StringIO()
    csv.writer(whole, lineterminator=end, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL).writerows(
        rows
    )
    decoded = decode(whole.getvalue().encode(), "x.csv")
    at_once = delimited._regular(decoded, ",", header_rows)
    assert (at_once is None) == (len(rows) <= header_rows or not any(map(any, rows[:header_rows])))
    if at_once is not None:
        row_by_row = delimited._ragged(decoded, ",", header_rows, "x.csv")
        pd.testing.assert_frame_equal(at_once.frame, row_by_row.frame)
        assert (at_once.first_row, at_once.said) == (row_by_row.first_row, row_by_row.said)


@given(st.text('ab,\n\r"', max_size=40))
def test_text_that_nobody_wrote_as_a_table_is_cut_the_same_or_left_to_the_csv_module(text: str) -> None:
    decoded = decode(text.encode(), "x.csv")
    at_once = delimited._regular(decoded, ",", 1)
    if at_once is not None:
        row_by_row = delimited._ragged(decoded, ",", 1, "x.csv")
        pd.testing.assert_frame_equal(at_once.frame, row_by_row.frame)
        assert at_once.said == row_by_row.said


def test_rows_of_other_lengths_lose_nothing_and_are_said(tmp_path: Path) -> None:
    raw = read_source(written(tmp_path, "a.csv", "a,b\n1,2\n1,2,3\n1\n"))
    assert list(raw.frame.columns) == ["a", "b", "column_3"]
    assert raw.frame.loc[1, "column_3"] == "3"
    assert pd.isna(raw.frame.loc[2, "b"])
    assert "rows with more cells than the heading: 1 (row 3)" in raw.said
    assert "rows with fewer cells than the heading: 1 (row 4)" in raw.said


CHINESE = "编号,社区,满意度\n1,欣乐社区,非常满意\n2,生物园社区,一般\n"
SPANISH = "id,colonia,opinión\n1,Peñón,mal señalización también\n2,Año,está güero\n"


@pytest.mark.parametrize(
    "text, encoding, said",
    [
        (CHINESE, "utf-8", "encoding utf-8"),
        (CHINESE, "utf-8-sig", "encoding utf-8 with byte order mark"),
        (CHINESE, "utf-16", "encoding utf-16 with byte order mark"),
        (CHINESE, "gb18030", "encoding gb18030"),
        ("编号,意见\n1,🈶¥50的補貼\n", "gb18030", "encoding gb18030"),
        ("id,community\n1,欣乐\n2,B区\n", "gb18030", "encoding gb18030"),
        (SPANISH, "windows-1252", "encoding windows-1252"),
        ("id,name\n1,Muñoz\n2,Peña\n", "windows-1252", "encoding windows-1252"),
        (
            "id,name\n1,caf\u00e9's\n2,na\u00efve \u201cquoted\u201d\n",
            "windows-1252",
            "encoding windows-1252",
        ),
        ("id,name\n1,plain\n", "windows-1252", "encoding utf-8"),
    ],
)
def test_encoding_is_found(text: str, encoding: str, said: str) -> None:
    decoded = decode(text.encode(encoding), "a.csv")
    assert (decoded.text, decoded.said) == (text, said)


def test_words_whose_accents_gb18030_would_accept_are_windows_1252() -> None:
    data = "id,name\n1,Muñoz\n2,Peña\n".encode("windows-1252")
    assert data.decode("gb18030"), "the trap: these bytes are valid GB18030 too"
    assert decode(data, "a.csv").said == "encoding windows-1252"


def test_an_encoding_that_is_given_wins(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "name\n許功蓋\n", "big5")
    raw = read_source(path, encoding="big5")
    assert raw.frame.loc[0, "name"] == "許功蓋"
    assert raw.said[0] == "encoding big5, as told"


def test_an_impossible_encoding_teaches(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", CHINESE, "gb18030")
    with pytest.raises(
        SourceError, match=r"a\.csv: byte 0xB1 on line 1 is not utf-8; .*encoding = \"gb18030\""
    ):
        read_source(path, encoding="utf-8")
    with pytest.raises(SourceError, match=r"no encoding is called 'gb18003'.*Did you mean 'gb18030'\?"):
        read_source(path, encoding="gb18003")


def test_a_stray_quote_is_told_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'a,b\n1,"' + "x" * 140_000)
    with pytest.raises(SourceError, match=r"a\.csv: line \d+ cannot be cut into cells"):
        read_source(path)


def test_a_stray_quote_among_the_headings_is_told(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", 'a,"b\n' + "1,2\n" * 40_000)
    with pytest.raises(SourceError, match=r"a\.csv: line \d+ cannot be cut into cells"):
        read_source(path)


# --- headings ---------------------------------------------------------------------------------


def test_two_heading_rows_as_merged_cells_mean() -> None:
    names, said = column_names(
        [["社区", "工作人员", "", "经费", ""], ["", "合计", "大专", "工作经费", "合计"]], 5
    )
    assert names == ("社区", "工作人员/合计", "大专", "工作经费", "经费/合计")
    assert said == ()


def test_repeated_and_blank_headings_are_made_unique_and_said() -> None:
    names, said = column_names([["Q1", "", "Q1", "Q1", "Q1 (2)"]], 5)
    assert names == ("Q1", "column_2", "Q1 (3)", "Q1 (4)", "Q1 (2)")
    assert said == (
        "column 2 has no heading: named 'column_2'",
        "heading 'Q1' stands again over column 3: named 'Q1 (3)'",
        "heading 'Q1' stands again over column 4: named 'Q1 (4)'",
    )


@given(
    st.lists(
        st.lists(st.sampled_from(["", "a", "b", "a (2)", "column_1"]), min_size=4, max_size=4),
        min_size=1,
        max_size=3,
    )
)
def test_every_column_has_its_own_name(heading_rows: list[list[str]]) -> None:
    names, _ = column_names(heading_rows, 4)
    assert len(set(names)) == 4
    assert all(names)


# --- workbooks --------------------------------------------------------------------------------


def test_xlsx_with_merged_headings(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["社区", "工作人员", None, "日期"],
        [None, "合计", "大专", None],
        ["欣乐社区", 5, 2.0, dt.datetime(2009, 9, 1)],
        [None, None, None, None],
        ["007", 121.2, True, dt.datetime(2009, 9, 1, 8, 30)],
    ]
    raw = read_source(workbook(tmp_path, rows, ("A1:A2", "B1:C1", "D1:D2")), header_rows=2)
    assert list(raw.frame.columns) == ["社区", "合计", "大专", "日期"]
    assert first(raw.frame) == ["欣乐社区", "5", "2", "2009-09-01"]
    assert raw.frame.iloc[1].isna().all()
    assert list(raw.frame.iloc[2]) == ["007", "121.2", "1", "2009-09-01 08:30:00"]
    assert raw.first_row == 3


def test_xls(tmp_path: Path) -> None:
    book = xlwt.Workbook()
    sheet = book.add_sheet("数据")
    for row, cells in enumerate([["编号", "分数"], ["001", 4.0], ["002", 0.1 + 0.2]]):
        for column, cell in enumerate(cells):
            sheet.write(row, column, cell)
    path = tmp_path / "old.xls"
    book.save(str(path))
    raw = read_source(path)
    assert raw.frame.to_dict("list") == {"编号": ["001", "002"], "分数": ["4", "0.3"]}
    assert raw.said == ("sheet '数据'",)


def test_an_unknown_sheet_is_told_with_a_near_one(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["a"], [1]], title="2008年")
    with pytest.raises(
        SourceError, match=r"book\.xlsx: no sheet '2008'; its sheets are 2008年\. Did you mean '2008年'\?"
    ):
        read_source(path, sheet="2008")


# --- statistics packages ----------------------------------------------------------------------


def test_sav_keeps_codes_and_labels_apart(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    frame = pd.DataFrame({"Q1": [1.0, 9.0, None], "name": ["甲", "", "乙"]})
    pyreadstat.write_sav(
        frame,
        path,
        column_labels=["满意度", None],
        variable_value_labels={"Q1": {1: "满意", 9: "不清楚"}},
        missing_ranges={"Q1": [9]},
    )
    raw = read_source(path)
    assert list(raw.frame["Q1"].fillna("-")) == ["1", "9", "-"], "a code declared missing is still a code"
    assert pd.isna(raw.frame.loc[1, "name"])
    assert raw.value_labels == {"Q1": {"1": "满意", "9": "不清楚"}}
    assert raw.headings == {"Q1": "满意度"}
    assert raw.first_row == 1


def test_dta_in_single_precision_prints_what_was_typed(tmp_path: Path) -> None:
    path = tmp_path / "a.dta"
    frame = pd.DataFrame(
        {"x": pd.Series([121.2, 5.0, -888.0], dtype="float32"), "when": pd.to_datetime(["2017-09-19"] * 3)}
    )
    frame.to_stata(path, write_index=False, convert_dates={"when": "td"})
    raw = read_source(path)
    assert list(raw.frame["x"]) == ["121.2", "5", "-888"]
    assert list(raw.frame["when"]) == ["2017-09-19"] * 3


def test_parquet(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    columns = {
        "id": ["007", None],
        "n": pa.array([5, None], pa.int64()),
        "x": pa.array([1.1, 2.0], pa.float32()),
    }
    pq.write_table(pa.table({**columns, "day": [dt.date(2020, 1, 2), None]}), path)
    raw = read_source(path)
    assert first(raw.frame) == ["007", "5", "1.1", "2020-01-02"]
    assert list(raw.frame.iloc[1].fillna("-")) == ["-", "-", "2", "-"]


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_as_text(number: float) -> None:
    assert float(number_text(number) or "nan") == number


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_single_number_survives_as_text(number: float) -> None:
    text = single_text(number) or "nan"
    assert float(pd.Series([float(text)], dtype="float32")[0]) == number


@pytest.mark.parametrize(
    "number, text",
    [
        (5.0, "5"),
        (0.1 + 0.2, "0.3"),
        (110105199001011000.0, "110105199001011000"),
        (float("nan"), None),
        (1.5e-7, "0.00000015"),
    ],
)
def test_spreadsheet_numbers(number: float, text: str | None) -> None:
    assert sheet_text(number) == text


# --- what cannot be read ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("a.csv", b"", r"a\.csv: the file is empty; expected headings with data below"),
        ("a.csv", b"id,x\n", r"a\.csv: no data row below the headings"),
        ("a.csv", b"\n\n", r"a\.csv: 2 rows; expected 1 heading row"),
        ("a.csv", b"PK\x03\x04zip", r"a\.csv: the content is a \.xlsx file; .*ending \.xlsx"),
        ("a.txt", b"a\x00b", r"a\.txt: the content is not text"),
        ("a.xlsx", b"not a workbook", r"a\.xlsx: not a workbook that can be opened"),
        (
            "a.sav",
            b"not a sav",
            r"a\.sav: cannot be read in the encoding it names, in GB18030 or in windows-1252",
        ),
        ("a.parquet", b"not parquet", r"a\.parquet: not a parquet file"),
        ("a.pdf", b"%PDF", r"a\.pdf: files ending in '\.pdf' cannot be read; expected \.csv"),
    ],
)
def test_unreadable_files_teach(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=message):
        read_source(tmp_path / name)


def test_a_missing_file_is_told_with_a_near_one(tmp_path: Path) -> None:
    written(tmp_path, "survey_2009.csv", "a\n1\n")
    with pytest.raises(
        SourceError, match=r"no such file; .* holds survey_2009\.csv\. Did you mean 'survey_2009\.csv'\?"
    ):
        read_source(tmp_path / "survey_2008.csv")


# --- real exports: figures from each SOURCE.md --------------------------------------------------


def test_college_life() -> None:
    raw = read_source(real("college-life-gb18030/results_desensitized.csv"))
    assert "encoding gb18030" in raw.said
    assert raw.frame.shape == (2326, 40)
    university = raw.frame["Q4|A1|open"].value_counts()
    assert (university["北京大学"], university["吉林大学"], university["武汉大学"], len(university)) == (
        59,
        44,
        37,
        793,
    )
    beds = raw.frame["Q5|A1|open"].value_counts()
    assert [beds[a] for a in ("是", "不是", "否", "是的", "部分是")] == [1117, 281, 157, 51, 41]
    assert raw.frame["Q3"].isna().sum() == 1438
    assert raw.frame["Q3"].value_counts().to_dict() == {"2.0": 599, "1.0": 289}


def test_nyc_school_survey() -> None:
    raw = read_source(real("nyc-school-survey-2011/survey_all.txt"))
    assert raw.said[:2] == ("encoding utf-8 with byte order mark", "separator tab")
    assert raw.frame.shape == (455, 1942)
    assert raw.frame.columns[0] == "dbn"
    assert raw.frame["dbn"].is_unique
    assert raw.frame["dbn"].str[2].value_counts().to_dict() == {"M": 301, "X": 154}
    parents = pd.to_numeric(raw.frame["saf_p_11"].replace("NA", pd.NA)).dropna()
    assert (len(parents), round(parents.mean(), 4)) == (453, 8.5561)


def test_star_wars_under_two_heading_rows() -> None:
    raw = read_source(real("fte-starwars-2014/StarWars.csv"), header_rows=2)
    assert raw.said[0] == "encoding windows-1252"
    assert raw.frame.shape == (1186, 38)
    assert raw.first_row == 3
    names = list(raw.frame.columns)
    assert names[0] == "RespondentID"
    seen = raw.frame[names[1]]
    fan = raw.frame[names[2]]
    assert seen.value_counts().to_dict() == {"Yes": 936, "No": 250}
    assert fan[seen == "Yes"].value_counts(dropna=False).to_dict() == {"Yes": 552, "No": 284, pd.NA: 100}
    assert fan.isna().sum() == 350
    films = raw.frame[names[3:9]].notna()
    ticked = films[films.any(axis=1)]
    assert len(ticked) == 835
    assert [round(share, 1) for share in ticked.mean() * 100] == [80.6, 68.4, 65.9, 72.7, 90.8, 88.4]


def test_wenjuanxing_xls_pair() -> None:
    text = read_source(real("wjx-phone-800/[问卷星数据]800_800_0.xls")).frame
    codes = read_source(real("wjx-phone-800/[问卷星数据]800_800_2.xls")).frame
    assert (text.shape, codes.shape) == ((800, 14), (800, 36))
    assert "3、性别" in text.columns, "headings come without their closing blank"
    assert text["3、性别"].value_counts().to_dict() == {"男": 427, "女": 373}
    joined = text[["序号", "3、性别"]].merge(
        codes[["序号", "3、性别"]], on="序号", suffixes=("_text", "_code")
    )
    pairs = joined[["3、性别_text", "3、性别_code"]].drop_duplicates()
    assert sorted(pairs.itertuples(index=False, name=None)) == [("女", "2"), ("男", "1")]


def test_juarez_sav_in_windows_1252() -> None:
    raw = read_source(real("aej-juarez-2023/AEJ_Percepcion_2023.sav"))
    assert raw.frame.shape == (1522, 253)
    assert raw.said == ("encoding windows-1252",)
    assert raw.headings["Q102"] == "Cual es su edad?"
    assert round(raw.frame["Q40"].astype("float").mean(), 3) == 9.101
    assert raw.frame["Q61"].value_counts()[["11", "99"]].to_list() == [19, 94]
    assert set(raw.frame["date"]) == {"1582-10-14"}
    assert raw.value_labels["Q101"]


def test_ipa_dta_with_its_form() -> None:
    raw = read_source(real("ipa-household-xlsform/household_backcheck.dta"))
    assert raw.frame.shape == (185, 54)
    assert raw.frame["hhid"].nunique() == 184
    assert raw.frame["m_mon_exp"][0] == "121.2"
    assert raw.frame["h_toilet"].value_counts()["-666"] == 1
    assert raw.value_labels["h_electricity"] == {"0": "No", "1": "Yes"}
    assert raw.frame["submissiondate"][1].startswith("2017-10-08 07:46:58")
    form = read_source(real("ipa-household-xlsform/Household_Survey.xlsx"), sheet="choices").frame
    assert form["list_name"].nunique() == 60
    assert form["list_name"].notna().sum() == 509


def test_reading_is_quick(tmp_path: Path) -> None:
    text = io.StringIO()
    pd.DataFrame([[f"{i % 10}" for i in range(250)]] * 1500).to_csv(text, index=False)
    path = written(tmp_path, "wide.csv", text.getvalue())
    start = dt.datetime.now()
    assert read_source(path).frame.shape == (1500, 250)
    assert dt.datetime.now() - start < dt.timedelta(seconds=3), "a quarter of a second on an idle machine"
