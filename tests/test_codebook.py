"""The codebook: read whole, every fault with its line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.codebook import QUESTION_COLUMNS, normal, read_codebook

HEAD = ",".join(QUESTION_COLUMNS)
CHOICES = "list,code,label::zh,label::en,order,variants\nsat,1,不满意,Dissatisfied,1,\nsat,2,满意,Satisfied,2,很好|OK\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    choices = tmp_path / "choices.csv"
    choices.write_text(CHOICES, encoding="utf-8")
    return tmp_path / "codebook.csv", choices


def faults_of(files: tuple[Path, Path], *rows: str) -> list[str]:
    files[0].write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    return [str(fault) for fault in read_codebook(*files)[1]]


def test_a_question_is_read_with_its_answers(files: tuple[Path, Path]) -> None:
    files[0].write_text(
        f"{HEAD}\nq1,select_one,满意吗,Satisfied?,sat,8|9,-1,1,2,s,outcome,,\n", encoding="utf-8-sig"
    )
    codebook, faults = read_codebook(*files)
    question = codebook.by_name["q1"]
    assert not faults
    assert (question.missing, question.direction, question.minimum, question.is_rated) == (
        ("8", "9"),
        -1,
        1.0,
        True,
    )
    assert [choice.code for choice in codebook.choices_of("q1")] == ["1", "2"]
    assert codebook.choices_of("q1")[1].variants == ("很好", "OK")


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("q1,selct_one,a,b,sat,,,,,,,,", "codebook.csv line 2: 'q1' has type 'selct_one'; expected one of id, integer, decimal, "
         "select_one, select_multiple, text, date. Did you mean 'select_one'?"),
        ("q1,select_one,a,b,sta,,,,,,,,", "codebook.csv line 2: 'q1' takes its answers from list 'sta'; expected a list of "
         "choices.csv: sat. Did you mean 'sat'?"),
        ("q1,integer,a,b,,,,5,1,,,,", "codebook.csv line 2: 'q1' runs from 5 to 1; expected minimum below maximum."),
        ("q1,integer,a,b,,,,x,,,,,", "codebook.csv line 2: 'q1' has minimum 'x'; expected a number."),
        ("q1,integer,a,b,,,up,,,,,,", "codebook.csv line 2: 'q1' has direction 'up'; expected 1 (more is better) or -1 (reverse-worded)."),
        ("q1,integer,a,b,,,,1,,s,,,", "codebook.csv line 2: 'q1' belongs to scale 's' without both ends; expected minimum and maximum."),
        (",integer,a,b,,,,,,,,,", "codebook.csv line 2: a question without a name; expected the name of its column."),
    ],
    ids=["type", "list", "ends", "number", "direction", "scale", "name"],
)  # fmt: skip
def test_a_fault_says_where_what_and_what_to_do(files: tuple[Path, Path], row: str, said: str) -> None:
    assert faults_of(files, row) == [said]


def test_all_faults_are_told_at_once(files: tuple[Path, Path]) -> None:
    assert (
        len(
            faults_of(
                files, "q1,wrong,a,b,,,,,,,,,", "q1,text,a,b,,,,,,,,,", "q2,select_one,a,b,none,,,,,,,,"
            )
        )
        == 3
    )


def test_a_missing_file_is_one_fault(tmp_path: Path, files: tuple[Path, Path]) -> None:
    _, faults = read_codebook(tmp_path / "codebook.csv", files[1])
    assert str(faults[0]) == f"codebook.csv: the file is missing; expected it at {tmp_path / 'codebook.csv'}."


@pytest.mark.parametrize(
    "spelling", ["非常满意", "1.非常满意", " 非常满意 ", "5、非常满意", "(5)非常满意", "A.非常满意"]
)
def test_spellings_of_one_label_are_one(spelling: str) -> None:
    assert normal(spelling) == "非常满意"


def test_a_number_is_not_taken_for_a_prefix() -> None:
    assert normal("3.5") == "3.5"


@given(st.text())
def test_normal_is_idempotent_but_for_prefixes(text: str) -> None:
    once = normal(text)
    assert normal(once).endswith(normal(normal(once)))
    assert not any(character.isspace() for character in once)


def test_a_label_holds_what_its_reader_sees() -> None:
    from cbresearch.records import one_line

    assert one_line("社区  满意度") == "社区  满意度", "what can be printed is left alone"
    assert one_line("a\tb\r\n c") == "a b c"
    assert one_line("\x1b[31mred\x1b[0m") == "[31mred [0m"
    assert one_line("\u202egnp.exe\u202c \u2066x\u2069") == "gnp.exe x"
    assert one_line("zero\u200bwidth\ufeff") == "zerowidth"
    assert one_line("می\u200cخواهم") == "می\u200cخواهم", "a joiner that spelling needs"
    assert one_line("\u200b\u2060") == ""
