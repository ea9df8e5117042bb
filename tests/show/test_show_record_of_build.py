"""The ledger, the findings of a build as tables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cbresearch import show
from cbresearch.errors import StudyError
from cbresearch.records import Text

CAPTION = Text("清理记录", "What cleaning did")


@pytest.fixture
def built(study: Any, tmp_path: Path) -> show.Page:
    folder = tmp_path / "data" / "processed"
    folder.mkdir(parents=True)
    steps = [
        ("set_aside_copies", 1510, 1506, 0, 0),
        ("plain_numbers", 1506, 1506, 0, 0),
        ("flag_speed", 1506, 1506, 0, 12),
    ]
    columns = ["step", "rows_before", "rows_after", "cells_changed", "flagged"]
    frame = pd.DataFrame(steps, columns=columns).assign(
        source="2009.csv", why_zh="同一份录了两次。", why_en="Entered <twice>."
    )
    frame.to_csv(folder / "ledger.csv", index=False)
    pd.DataFrame(
        {
            "source": ["2009.csv"] * 3,
            "row": [3, 4, 9],
            "column": ["age", "age", None],
            "value": ["212", "199", None],
            "rule": ["out_of_range", "out_of_range", "blank_row"],
            "sentence_zh": "",
            "sentence_en": "",
        }
    ).to_parquet(folder / "findings.parquet")
    return show.page(type(study)(tmp_path, study.file, study.codebook), "en")


def cells(shown: show.Shown, lang: str) -> list[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", shown.html[lang])  # type: ignore[index]


def test_the_ledger_shows_the_steps_that_did_something(built: show.Page) -> None:
    shown = show.ledger(built, caption=CAPTION)
    assert re.findall(r'<th scope="row">(.*?)</th>', shown.html["en"]) == [
        "Set aside repeated rows",
        "Flag answers given too fast",
    ]
    assert cells(shown, "en") == [
        "4",
        "0",
        "0",
        "Entered &lt;twice&gt;.",
        "0",
        "0",
        "12",
        "Entered &lt;twice&gt;.",
    ]


def test_faults_are_counted_and_no_cell_is_shown(built: show.Page) -> None:
    shown = show.faults(built, caption=CAPTION)
    assert cells(shown, "zh") == ["—", "1", "年龄", "2"]
    assert "212" not in shown.html["zh"] + shown.html["en"]


def test_without_a_build_the_table_says_what_to_run(study: Any, tmp_path: Path) -> None:
    page = show.page(type(study)(tmp_path, study.file, study.codebook))
    with pytest.raises(StudyError, match="run 'cbresearch build'"):
        show.ledger(page, caption=CAPTION)
