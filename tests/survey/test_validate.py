"""Rules about cells: who breaks them, and what is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_study import small_study, small_table, source

from cbresearch.build import clean, read_raw
from cbresearch.records import Text
from cbresearch.survey import validate as rules_of_cells
from cbresearch.survey.rules import FINDING_COLUMNS, RULES, found_cells, no_findings
from cbresearch.survey.validate import CHECKS, validate

BREAKS: dict[str, dict[str, list[str | None]]] = {
    "unknown_label": {"sat": ["满义", "4"]},
    "not_a_number": {"age": ["三十", "30"]},
    "not_whole": {"age": ["30.5", "30"]},
    "not_a_date": {"visited": ["昨天", "2009/5/1 14:03:22"]},
    "out_of_range": {"age": ["212", "30"]},
    "irrelevant_answer": {"could": ["0", "1"], "would": ["5", "5"]},
    "missing_weight": {"wt": [None, "1.5"]},
    "undated_facility": {"opened_year": [None, "2006"]},
}
"""For every check a table whose first row breaks the rule and whose second does not."""


@pytest.mark.parametrize("rule", CHECKS)
def test_every_check_finds_the_one_who_breaks_its_rule(rule: str, tmp_path: Path) -> None:
    kind = "facilities" if rule == "undated_facility" else "residents"
    table = small_table(tmp_path, BREAKS[rule], kind)
    if rule == "missing_weight":
        study = small_study(tmp_path, {"f.csv": "id\n1\n"}, source("f.csv"), more='[design]\nweight = "wt"')
        table = type(table)(**{**table.__dict__, "study": study})
    found = validate(table)
    assert list(found.columns) == list(FINDING_COLUMNS)
    assert found["rule"].tolist() == [rule]
    assert found["row"].tolist() == [2]
    assert found["source"].tolist() == ["f.csv"]


SENTENCES = {
    "unknown_label": (
        "“总体满意度”的答案“满义”不在选项之内（非常不满意、不满意、一般、满意、非常满意），按缺失处理。",
        "Satisfaction: '满义' is none of the answers (Very dissatisfied, Dissatisfied, Neither, Satisfied, Very satisfied); treated as missing.",
    ),
    "out_of_range": (
        "“年龄”的“212”不可能（应为18到105），按缺失处理。",
        "Age: '212' cannot be (expected 18 to 105); treated as missing.",
    ),
    "irrelevant_answer": (
        "“愿付(元)”答了“5”，而按前面的答案不该问到（条件：能付(元) > 0）；两处不知哪处有误，都保留。",
        "Would pay was answered '5' although earlier answers rule it out (asked when Could pay > 0); nobody can tell which is wrong, so both stay.",
    ),
}


@pytest.mark.parametrize("rule", SENTENCES)
def test_sentences_say_column_value_and_what_was_expected(rule: str, tmp_path: Path) -> None:
    found = validate(small_table(tmp_path, BREAKS[rule])).iloc[0]
    assert (found["sentence_zh"], found["sentence_en"]) == SENTENCES[rule]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_speaks_both_languages(name: str, tmp_path: Path) -> None:
    rule = RULES[name]
    assert rule.name == name
    table = small_table(tmp_path, {"sat": ["满义"]})
    found = found_cells(table, name, table.cells["sat"], Text("某", "some")).iloc[0]
    zh, en = found["sentence_zh"], found["sentence_en"]
    assert "{" not in zh + en
    assert zh.endswith("。") and any("一" <= sign <= "鿿" for sign in zh)
    assert en.endswith(".") and not any("一" <= sign <= "鿿" for sign in en.replace("满义", ""))


def test_every_rule_is_used_somewhere() -> None:
    sources = "".join(
        path.read_text(encoding="utf-8") for path in Path(rules_of_cells.__file__).parent.glob("*.py")
    )
    for name in RULES:
        assert sources.count(f'"{name}"') >= 2, f"rule {name} is declared, but nothing finds it"


def test_a_table_without_faults_has_no_findings(tmp_path: Path) -> None:
    table = small_table(
        tmp_path, {"sat": ["4", None], "age": ["30", None], "visited": ["2009年5月1日", None]}
    )
    assert validate(table).equals(no_findings())


@pytest.mark.parametrize(
    "date",
    [
        "2009-05-01",
        "2009/5/1",
        "2009.5.1 08:00",
        "2009-05-01T08:00:00Z",
        "5/10/18 4:01",
        "20090501",
        "1582-10-14",
        "2009年5月1日 8时3分",
    ],
)
def test_dates_in_the_ways_people_write_them(date: str, tmp_path: Path) -> None:
    assert validate(small_table(tmp_path, {"visited": [date]})).empty


@pytest.mark.parametrize("date", ["2009-13-01", "2009", "May", "2009-05-32", "12"])
def test_what_is_no_date(date: str, tmp_path: Path) -> None:
    assert validate(small_table(tmp_path, {"visited": [date]}))["rule"].tolist() == ["not_a_date"]


def test_a_missing_earlier_answer_rules_nothing_out(tmp_path: Path) -> None:
    assert validate(small_table(tmp_path, {"could": [None], "would": ["5"]})).empty


def test_a_value_that_looks_personal_is_masked(tmp_path: Path) -> None:
    found = validate(small_table(tmp_path, {"age": ["13912345678"], "sat": ["13912345678"]}))
    assert found["value"].tolist() == ["[电话]", "[电话]"]
    assert not found.astype("string").apply(lambda column: column.str.contains("139")).any(axis=None)


@pytest.mark.parametrize("number", ["0", "-1.5", "1e3", ".5", "999999999999999"])
def test_what_is_a_number(number: str, tmp_path: Path) -> None:
    assert "not_a_number" not in set(validate(small_table(tmp_path, {"wt": [number]}))["rule"])


@pytest.mark.parametrize("number", ["1,5", "nan", "inf", "1e999", "6222020200012345678", "½"])
def test_what_is_none(number: str, tmp_path: Path) -> None:
    assert "not_a_number" in set(validate(small_table(tmp_path, {"wt": [number]}))["rule"])


def test_long_values_are_cut(tmp_path: Path) -> None:
    value = validate(small_table(tmp_path, {"sat": ["路" * 100]}))["value"].iloc[0]
    assert len(value) == 60 and value.endswith("…")


def test_a_declared_missing_code_is_no_fault(tmp_path: Path) -> None:
    study = small_study(tmp_path, {"f.csv": "id,area,sat,age\n1,A,9,999\n"})
    found = [f for f in clean(study, read_raw(study))[0].table.found if f["row"].notna().any()]
    assert found == []
