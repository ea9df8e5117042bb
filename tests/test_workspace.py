"""A new workspace has all it needs, and nothing that stood there is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from cbresearch.errors import StudyError
from cbresearch.study import open_study
from cbresearch.workspace import copy_notebooks, new


def test_a_new_workspace_lacks_only_the_survey_itself(tmp_path: Path) -> None:
    made = new(tmp_path / "mine")
    with pytest.raises(StudyError) as caught:
        open_study(made.root)
    assert [str(fault) for fault in caught.value.faults] == [
        "study.toml line 24: data/raw/survey.csv is missing; data/raw holds nothing."
    ]
    (made.root / "data" / "raw" / "survey.csv").write_text("resident_id\n", encoding="utf-8")
    assert open_study(made.root).name == "mystudy"


def test_a_second_call_changes_nothing(tmp_path: Path) -> None:
    new(tmp_path)
    assert new(tmp_path).written == ()


def test_what_differs_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("study.toml", "choices.csv"):
        (tmp_path / "data" / name).write_text("my own", encoding="utf-8")
    with pytest.raises(StudyError) as caught:
        new(tmp_path)
    assert [fault.where for fault in caught.value.faults] == [
        str(tmp_path / "data" / "study.toml"),
        str(tmp_path / "data" / "choices.csv"),
    ]
    assert (tmp_path / "data" / "study.toml").read_text(encoding="utf-8") == "my own"
    assert not (tmp_path / "notebooks").exists()


def test_the_notebooks_travel(tmp_path: Path) -> None:
    names = {path.name for path in copy_notebooks(tmp_path)}
    assert names == {path.name for path in (Path(__file__).parent.parent / "notebooks").glob("*.ipynb")}
    assert "50_drivers.ipynb" in names


def test_the_demo_is_whole(drawn: Path) -> None:
    study = open_study(drawn)
    assert (study.name, len(study.waves), len(study.codebook.choices_of("community"))) == ("chengbei", 4, 23)
    assert study.notice is not None
    assert "simulated" in study.notice.en
