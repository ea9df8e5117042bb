"""A real survey export, adopted as it comes: from the raw file to a report of satisfaction by district."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cbresearch.build import build
from cbresearch.publish.run import run
from cbresearch.study import open_study
from cbresearch.survey.adopt import adopt

Q40_BY_DISTRICT = {
    "2": 9.164, "3": 8.988, "4": 8.628, "5": 8.975, "6": 8.917, "7": 9.253, "8": 9.404, "9": 9.388, "10": 9.205,
}  # fmt: skip
"""Published with the file, to three decimals."""


def test_a_report_by_district_with_intervals_clustered_on_census_tracts(
    shared_data: Path, tmp_path: Path
) -> None:
    export = shared_data / "aej-juarez-2023" / "AEJ_Percepcion_2023.sav"
    adopt([export], tmp_path / "aej", outcome="Q40", area="Q2", cluster="Q1", languages=("en",))
    study = open_study(tmp_path / "aej")
    build(study)

    ran = run(study, only=["30_satisfaction", "50_drivers"])

    assert ran.exit_code == 0
    findings = json.loads((study.reports / "findings.json").read_text(encoding="utf-8"))
    means = [
        f
        for f in findings["findings"]
        if f["notebook"] == "30_satisfaction"
        and f["measure"] == "Q40"
        and f["se"] is not None
        and f["value"] > 5
    ]
    by_district = {f["group"]["Q2"]: f for f in means if set(f["group"]) == {"wave", "Q2"}}
    assert {code: f["value"] for code, f in by_district.items()} == pytest.approx(
        Q40_BY_DISTRICT, abs=0.00051
    )
    assert all(f["low"] < f["value"] < f["high"] for f in by_district.values())
    overall = next(f for f in means if set(f["group"]) == {"wave"})
    # strata Q2, clusters Q1: 57 tracts in 9 districts
    assert (round(overall["value"], 3), round(overall["se"], 5), overall["df"]) == (9.101, 0.03932, 48)
    assert (study.reports / "en" / "30_satisfaction.html").is_file()
    assert not (study.reports / "zh").exists()
    drivers = (study.reports / "en" / "50_drivers.html").read_text(encoding="utf-8")
    assert "cannot answer this question" in drivers


@pytest.mark.parametrize("column", ["Q41", "q40"])
def test_an_unknown_outcome_is_refused_before_anything_is_written(
    shared_data: Path, tmp_path: Path, column: str
) -> None:
    from cbresearch.errors import ParameterError

    export = shared_data / "aej-juarez-2023" / "AEJ_Percepcion_2023.sav"
    with pytest.raises(ParameterError, match=column):
        adopt([export], tmp_path / "aej", outcome=f"{column}x")
    assert not (tmp_path / "aej").exists()
