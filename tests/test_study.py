"""study.toml: what is wrong is told whole, with line, expectation and near spelling; what is right is frozen."""

from __future__ import annotations

import shutil
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from pydantic import ValidationError

from cbresearch.errors import StudyError
from cbresearch.study import Lines, Study, find_workspace, open_study

REPOSITORY = Path(__file__).parent.parent

MINIMAL = """[study]
name = "small"
title = { zh = "小", en = "Small" }
waves = [2020]

[keys]
resident = "id"
area = "place"

[[sources]]
table = "residents"
file = "survey.csv"
"""
CODEBOOK = (
    "name,type,label::zh,label::en,choices,missing,direction,minimum,maximum,scale,role,relevant\n"
    "id,id,,,,,,,,,key,\nplace,text,,,,,,,,,area,\nsex,select_one,,,sex,,,,,,group,\n"
    "sat,integer,满意度,Satisfaction,,,,1,5,overall,outcome,\n"
)
CHOICES = "list,code,label::zh,label::en,order\nsex,1,男,Men,1\nsex,2,女,Women,2\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "data" / "raw").mkdir(parents=True)
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "data" / "raw" / "survey.csv").write_text("id,place,sex,sat\n", encoding="utf-8")
    (tmp_path / "data" / "codebook.csv").write_text(CODEBOOK, encoding="utf-8")
    (tmp_path / "data" / "choices.csv").write_text(CHOICES, encoding="utf-8")
    return tmp_path


def opened(root: Path, extra: str = "", base: str = MINIMAL) -> Study:
    (root / "data" / "study.toml").write_text(base + extra, encoding="utf-8")
    return open_study(root)


def faults(root: Path, extra: str = "", base: str = MINIMAL) -> list[str]:
    with pytest.raises(StudyError) as caught:
        opened(root, extra, base)
    return [str(fault) for fault in caught.value.faults]


def test_a_minimal_study_opens_from_any_folder_of_the_workspace(root: Path) -> None:
    study = opened(root)
    assert (study.name, study.waves, study.area, study.minimum_cell) == ("small", (2020,), "place", 10)
    assert open_study(root / "data" / "raw") == study
    assert find_workspace(root / "notebooks") == root


def test_a_study_cannot_be_changed(root: Path) -> None:
    study = opened(root)
    with pytest.raises(FrozenInstanceError):
        study.root = Path()  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        study.file.study.name = "other"


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("[disclosure]\nminimum_sell = 5\n", "study.toml line 15: unknown key 'disclosure.minimum_sell'; expected one of minimum_cell, "
         "most_dominant, precision. "
         "Did you mean 'minimum_cell'?"),
        ("[disclosure]\nminimum_cell = 'ten'\n", "study.toml line 15: disclosure.minimum_cell = 'ten'; expected otherwise: input should be a "
         "valid integer, unable to parse string as an integer."),
        ("[reporting]\nscores = 'point'\n", "study.toml line 15: reporting.scores = 'point'; expected 'points' or 'as_asked'. "
         "Did you mean 'points'?"),
        ("[design]\ncluster = 'plaec'\n", "study.toml line 15: no column 'plaec' for residents in codebook.csv; it has 4 columns for "
         "residents. Did you mean 'place'?"),
        ("[design.margins.sex]\n'1' = 0.5\n'3' = 0.5\n", "study.toml line 16: 'sex' has no answer '3'; expected 1, 2."),
        ("[design.margins.sex]\n'1' = 0.5\n'2' = 0.6\n", "study.toml line 14: the shares of 'sex' sum to 1.1; expected 1."),
        ("[[sources]]\ntable = 'residents'\nfile = 'servey.csv'\n", "study.toml line 16: data/raw/servey.csv is missing; data/raw holds "
         "survey.csv. Did you mean 'survey.csv'?"),
        ("[[sources]]\ntable = 'residents'\nfile = '../study.toml'\n", "study.toml line 16: file '../study.toml' lies outside data/raw; "
         "expected a file inside it."),
        ("[[reports]]\nnotebook = '10_qualty'\n", "study.toml line 15: no notebook '10_qualty'; notebooks/ holds nothing."),
        ("[reporting]\nheadline = 'sta'\n", "study.toml line 15: no column 'sta' for residents in codebook.csv, nor a scale of "
         "that name; it has 4 columns and scales for residents. Did you mean 'sat'?"),
        ("[[questions]]\noutcome = 'sat'\ncause = 'money'\n", "study.toml line 16: no indicator 'money'; indicators: none."),
        ("[[pairs]]\nkind = 'gap'\nfirst = 'overal'\nsecond = 'overall'\n[scales.overall]\nlabel = { zh = 'a', en = 'b' }\nminimum_answered = 1\n",
         "study.toml line 16: no scale 'overal'; scales: overall. Did you mean 'overall'?"),
        ("[[indices]]\nname = 'i'\nlabel = { zh = 'a', en = 'b' }\nmeasures = ['sat_points', 'sat_points']\nweights = [1.0]\n",
         "study.toml line 18: 1 weights for 2 measures; expected one for each."),
        ("[[indices]]\nname = 'i'\nlabel = { zh = 'a', en = 'b' }\nmeasures = ['sat_points', 'sat_points', 'sat_points']\ncomparisons = [[2], [2]]\n",
         "study.toml line 18: rows of 1, 1 comparisons for 3 measures; expected rows of 2, 1 numbers above 0: each measure against those after it."),
        ("[policy]\nname = 'p'\nlabel = { zh = 'a', en = 'b' }\nreached = 'fund'\n", "study.toml line 17: no column 'fund' for "
         "communities in codebook.csv; it has 1 columns for communities."),
        ("[[targets]]\nmeasure = 'sat_point'\nat_least = 60\n", "study.toml line 15: nothing is measured as 'sat_point'; expected an "
         "indicator, a rated item or a scale, such as sat_points. Did you mean 'sat_points'?"),
        ("[scales.overal]\nlabel = { zh = 'a', en = 'b' }\nminimum_answered = 1\n", "study.toml line 14: no question of codebook.csv "
         "belongs to scale 'overal'; scales in use: overall. Did you mean 'overall'?"),
    ],
    ids=["key", "type", "literal", "column", "code", "sum", "file", "escape", "notebook", "outcome", "cause", "pair", "index", "comparisons", "policy", "target", "scale"],
)  # fmt: skip
def test_a_fault_says_where_what_and_what_to_do(root: Path, extra: str, said: str) -> None:
    assert faults(root, "\n" + extra) == [said]


def test_everything_wrong_is_told_at_once(root: Path) -> None:
    (root / "data" / "codebook.csv").write_text(CODEBOOK + "bad,sort,,,,,,,,,,\n", encoding="utf-8")
    told = faults(root, "\n[design]\nstrata = ['x']\ncluster = 'y'\n\n[reporting]\nheadline = 'z'\n")
    assert len(told) == 4


def test_unknown_keys_wrong_types_missing_files_and_wrong_references_are_told_together(root: Path) -> None:
    told = faults(
        root,
        "colour = 'red'\n\n[disclosure]\nminimum_cell = 'ten'\n\n[design]\ncluster = 'plaec'\nstrata = 3\n",
        MINIMAL.replace("survey.csv", "servey.csv"),
    )
    assert [fault.split(";")[0] for fault in told] == [
        "study.toml line 13: unknown key 'sources.0.colour'",
        "study.toml line 20: design.strata = 3",
        "study.toml line 16: disclosure.minimum_cell = 'ten'",
        "study.toml line 12: data/raw/servey.csv is missing",
        "study.toml line 19: no column 'plaec' for residents in codebook.csv",
    ]


def test_a_missing_key_and_a_wrong_codebook_are_told_together(root: Path) -> None:
    (root / "data" / "codebook.csv").write_text(CODEBOOK + "bad,sort,,,,,,,,,,\n", encoding="utf-8")
    told = faults(root, base=MINIMAL.replace('name = "small"\n', ""))
    assert told[0] == "study.toml line 1: no 'study.name'; expected it to be given."
    assert "'bad' has type 'sort'" in told[1]


def test_broken_toml_is_one_fault(root: Path) -> None:
    assert faults(root, "\n[design\n")[0].startswith("study.toml: not valid TOML: ")


def test_no_workspace_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="run 'cbresearch new DIR' to make a workspace"):
        find_workspace(tmp_path)


def test_a_table_not_built_says_so(root: Path) -> None:
    with pytest.raises(StudyError, match="run 'cbresearch build' in the workspace first"):
        opened(root).residents()


def test_labels_follow_points_scales_and_answers(root: Path) -> None:
    study = opened(
        root, "\n[scales.overall]\nlabel = { zh = '总体', en = 'Overall' }\nminimum_answered = 1\n"
    )
    assert study.label("sat_points").en == "Satisfaction"
    assert study.label("overall_points").zh == "总体"
    assert study.label("sex__1").en == "Men"
    assert study.answer("sex", "2").zh == "女"
    assert study.label("nowhere").en == "nowhere"


def test_lines_of_nested_arrays() -> None:
    lines = Lines("a = 1\n[[s]]\nx = 1\n[s.c]\n'k v' = 2\n[[s]]\nx = 2\n[s.c]\ny = 1\n")
    assert lines.where(("a",)) == "study.toml line 1"
    assert lines.where(("s", 0, "c", "k v")) == "study.toml line 5"
    assert lines.where(("s", 1, "x")) == "study.toml line 7"
    assert lines.where(("s", 1, "c", "y")) == "study.toml line 9"


def test_the_sample_study_has_only_its_raw_files_missing(tmp_path: Path) -> None:
    shutil.copytree(REPOSITORY / "data", tmp_path / "data", ignore=shutil.ignore_patterns("raw", "processed"))
    shutil.copytree(REPOSITORY / "notebooks", tmp_path / "notebooks")
    with pytest.raises(StudyError) as caught:
        open_study(tmp_path)
    assert all("data/raw/" in fault.found and "missing" in fault.found for fault in caught.value.faults)
