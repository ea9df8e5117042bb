"""Data quality: rows are counted whole, and no share sets a few people apart."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cbresearch.estimate import questions
from cbresearch.records import Text, Unanswered
from cbresearch.study import Source, Study


def built(town: Study, root: Path, residents: pd.DataFrame, **changes: object) -> Study:
    """The town with other residents, in a workspace of its own."""
    folder = root / "data" / "processed"
    folder.mkdir(parents=True)
    residents.to_parquet(folder / "residents.parquet")
    return Study(root, town.file.model_copy(update=changes), town.codebook)


def waves_in_one_workbook(town: Study, root: Path, kept: int) -> Study:
    """A study whose waves are sheets of one file, as the build names them in its ledger."""
    sources = [Source(table="residents", file="r.xlsx", wave=wave, sheet=str(wave)) for wave in town.waves]
    study = built(town, root, town.residents(), sources=tuple(sources))
    why = "空白答卷。,A blank questionnaire."
    lines = [f"blank,r.xlsx [{wave}],{192 + i},{kept},0,0,{why}" for i, wave in enumerate(town.waves)]
    head = "step,source,rows_before,rows_after,cells_changed,flagged,why_zh,why_en"
    (root / "data" / "processed" / "ledger.csv").write_text("\n".join([head, *lines]), encoding="utf-8")
    return study


def test_waves_that_are_sheets_of_one_workbook_are_counted_too(town: Study, tmp_path: Path) -> None:
    study = waves_in_one_workbook(town, tmp_path, kept=192)
    assert len(study.residents()) == 3 * 192
    flow = questions.flow_of_residents(study)
    assert isinstance(flow, list)
    assert [one.value for one in flow] == [579.0, 3.0, 576.0]
    assert flow[1].reason == Text("空白答卷。", "A blank questionnaire."), "the reason is the step's own"


def test_a_flow_that_does_not_add_up_is_not_drawn(town: Study, tmp_path: Path) -> None:
    flow = questions.flow_of_residents(waves_in_one_workbook(town, tmp_path, kept=191))
    assert isinstance(flow, Unanswered) and "build the study again" in flow.reason.en


@pytest.mark.parametrize(
    ("gone", "n", "status"),
    [(0, 96, "published"), (9, 96, "held back"), (10, 96, "published"), (86, 96, "published"),
     (87, 96, "held back"), (0, 9, "held back"), (5, 9, "held back")],
    ids=["none", "few skipped", "enough skipped", "enough answered", "few answered", "few in all", "half of few"],
)  # fmt: skip
def test_a_share_is_held_back_where_it_sets_a_few_apart(
    town: Study, tmp_path: Path, gone: int, n: int, status: str
) -> None:
    frame = town.residents().query("wave == 2009").head(n)
    gaps = pd.Series(range(n), index=frame.index) < gone
    study = built(town, tmp_path, frame.assign(sat_overall=frame["sat_overall"].mask(gaps)))
    found = {one.measure: one for one in questions.missing_by_item(study)}
    assert found["sat_overall"].status == status
    assert (found["sat_overall"].value is None) == (status == "held back")
