"""Headings of a file matched to the codebook."""

from __future__ import annotations

import pytest

from cbresearch.codebook import Choice, Codebook, Question
from cbresearch.records import Text
from cbresearch.study import Source
from cbresearch.survey.harmonise import Known, match

FIELDS = tuple(
    Choice(code, Text(zh, en), order)
    for order, (code, zh, en) in enumerate(
        [
            ("job", "再就业", "re-employment"),
            ("sport", "运动", "sport"),
            ("acg", "ACG文化(动漫、游戏等)", "ACG"),
        ]
    )
)
QUESTIONS = (
    Question("age", "integer", Text("年龄", "Age (years)")),
    Question("secs", "integer", Text("所用时间(秒)", "Time taken (seconds)")),
    Question("need", "select_multiple", Text("需要的服务", "Services needed"), choices="field"),
    Question("expected", "select_one", Text("期望：场所整洁", "Expected: clean")),
    Question("felt", "select_one", Text("感受：场所整洁", "Felt: clean")),
    Question("Q1.a", "integer", Text("同名", "Twin one")),
    Question("Q2.a", "integer", Text("同名", "Twin two")),
)
BOOK = Codebook(QUESTIONS, {"field": FIELDS})
SOURCE = Source(table="residents", file="f.csv", columns={"wt0": "age", "第 9 题": "need"})


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("age", "age"),
        ("wt0", "age"),
        ("AGE", "age"),
        ("年龄", "age"),
        ("3、年龄", "age"),
        ("3、年龄 ", "age"),
        ("12、年龄", "age"),
        ("Q3.年龄", "age"),
        ("Q13. Age (years)", "age"),
        ("第3题 年龄", "age"),
        ("（3）年龄", "age"),
        ("3、年龄[填空题]", "age"),
        ("年龄（填空题）*", "age"),
        ("Age (Years)", "age"),
        ("基本情况/年龄", "age"),
        ("所用时间（秒）", "secs"),
        ("期望：场所整洁", "expected"),
        ("5、感受：场所整洁", "felt"),
        ("6、需要的服务", "need"),
        ("需要的服务[多选题]", "need"),
        ("need__sport", "need__sport"),
        ("need/sport", "need__sport"),
        ("第6题(运动)", "need__sport"),
        ("第9题(运动)", "need__sport"),
        ("6、需要的服务(再就业)", "need__job"),
        ("需要的服务:再就业", "need__job"),
        ("需要的服务：ACG文化(动漫、游戏等)", "need__acg"),
        ("第6题(ACG文化(动漫、游戏等))", "need__acg"),
        ("Services needed (sport)", "need__sport"),
        ("Q1.a", "Q1.a"),
        ("Twin two", "Q2.a"),
        ("同名", None),
        ("场所整洁", None),
        ("第6题(年龄)", None),
        ("年龄(运动)", None),
        ("clerk", None),
        ("2009", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_heading_finds_its_column(heading: str, column: str | None) -> None:
    assert Known(QUESTIONS, BOOK, SOURCE).column(heading) == column


def test_the_long_name_of_an_spss_column_counts_where_the_short_one_says_nothing() -> None:
    matched = match(["v1", "v2"], QUESTIONS, BOOK, SOURCE, {"v1": "年龄", "v2": "?"})
    assert matched.named == {"v1": "age"}
    assert matched.unknown == ("v2",)


def test_of_two_headings_for_one_question_the_first_is_taken() -> None:
    matched = match(["年龄", "Age (years)", "need__sport"], QUESTIONS, BOOK, SOURCE, {})
    assert matched.named == {"年龄": "age", "need__sport": "need__sport"}
    assert matched.repeated == {"Age (years)": "age"}
    assert matched.answered == {"age", "need"}
