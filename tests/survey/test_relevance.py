"""Conditions under which a question is asked."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from small_study import CODEBOOK, small_study

from cbresearch.survey.relevance import NotACondition, check, parse, readable

CELLS = pd.DataFrame(
    {
        "age": ["20", "70", None],
        "sex": ["1", "2", "1"],
        "need__health": ["1", "0", None],
        "kind": ["a", "b", None],
    },
    dtype="string",
)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("${age} >= 70", [False, True, None]),
        ("${age} < 20.5", [True, False, None]),
        ("${age} != 20", [False, True, None]),
        ("${age} = 70", [False, True, None]),
        ("${sex} = '1'", [True, False, True]),
        ('${sex} != "1"', [False, True, False]),
        ("selected(${need}, 'health')", [True, False, None]),
        ("selected(${kind}, 'b')", [False, True, None]),
        ("${sex} = '1' and ${age} > 30", [False, False, None]),
        ("${sex} = '1' or ${age} > 30", [True, True, True]),
        ("${sex} = '2' or ${age} > 30 and ${age} < 60", [False, True, None]),
        ("(${sex} = '2' or ${age} > 30) and ${age} < 60", [False, False, None]),
        ("${gone} > 3", [None, None, None]),
    ],
)  # fmt: skip
def test_a_condition_is_true_false_or_unknown(expression: str, expected: list[bool | None]) -> None:
    truth = parse(expression).holds(CELLS)
    assert [None if pd.isna(value) else bool(value) for value in truth] == expected


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("age > 3", "'age > 3' cannot be read"),
        ("${age}", "'the end' stands where a comparison was expected"),
        ("${age} > ", "'the end' stands where a number was expected"),
        ("${age} > 3 3", "'3' is one too many"),
        ("selected(${need} 'x')", "''x'' stands where ',' was expected"),
        ("selected(${need}, x)", "'x)' cannot be read"),
        ("(${age} > 3", "'the end' stands where ')' was expected"),
        ("", "'the end' stands where a question such as ${age} was expected"),
        ("__import__('os')", "\"__import__('os')\" cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_condition_is_refused_with_its_place(expression: str, said: str) -> None:
    with pytest.raises(NotACondition) as error:
        parse(expression)
    assert str(error.value) == said


def test_check_tells_every_fault_with_a_near_name(tmp_path: Path) -> None:
    book = CODEBOOK.replace("${could} > 0", "${coud} > 0").replace(
        "integer,年龄,Age,,999,,18,105,,,,", "integer,年龄,Age,,999,,18,105,,,${sex} = '3' and ${remark} > 1,"
    )
    book = book.replace("text,意见,Remarks,,,,,,,remark,,", "text,意见,Remarks,,,,,,,remark,wrong,")
    told = [
        str(fault) for fault in check(small_study(tmp_path, {"f.csv": "id\n1\n"}, codebook=book).codebook)
    ]
    assert told == [
        "codebook.csv, 'age': relevant asks for '3' of 'sex'; expected one of 1, 2.",
        "codebook.csv, 'age': relevant compares 'remark' with a number; expected a question answered by a number.",
        "codebook.csv, 'would': relevant names 'coud'; expected a question of the codebook. Did you mean 'could'?",
        "codebook.csv, 'remark': relevant is 'wrong': 'wrong' cannot be read; expected comparisons such as ${age} >= 18, "
        "${sex} = '1' or selected(${need}, 'health'), joined by 'and' or 'or'.",
    ]


def test_a_condition_is_read_out_in_labels(tmp_path: Path) -> None:
    study = small_study(tmp_path, {"f.csv": "id\n1\n"})
    assert readable("${could} > 0", study).zh == "能付(元) > 0"
    assert readable("${could} > 0", study).en == "Could pay > 0"
