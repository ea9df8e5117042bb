"""A page of the sample study, with numbers made by hand."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from cbresearch import show
from cbresearch.codebook import read_codebook
from cbresearch.records import Released, Text
from cbresearch.study import Study, StudyFile

DATA = Path(__file__).parents[2] / "data"
FEW = Text("不公布：不足10人，以保护个人信息。", "Held back: fewer than 10 people, to protect them.")
SHAKY = Text("误差范围较宽，请谨慎使用。", "The interval is wide; use with care.")


def sample_study() -> Study:
    """Chengbei as its files describe it; its raw data need not be there."""
    codebook, faults = read_codebook(DATA / "codebook.csv", DATA / "choices.csv")
    assert faults == []
    file = StudyFile.model_validate(tomllib.loads((DATA / "study.toml").read_text(encoding="utf-8")))
    return Study(DATA.parent, file, codebook)


@pytest.fixture(scope="session")
def study() -> Study:
    return sample_study()


@pytest.fixture
def page(study: Study) -> show.Page:
    return show.page(study, "zh", notebook="30_satisfaction")


Make = Callable[..., Released]


@pytest.fixture
def number_() -> Make:
    """A released number; `reach` is half its interval, None for a figure of the ledger."""

    def make(
        value: float | None,
        reach: float | None = 2.0,
        *,
        measure: str = "sat_overall_points",
        unit: str = "points",
        status: str = "published",
        **group: str,
    ) -> Released:
        pairs = tuple(group.items())
        if value is None:
            return Released(measure, pairs, unit, "held back", None, None, None, None, None, None, reason=FEW)
        low, high = (None, None) if reach is None else (value - reach, value + reach)
        se = None if reach is None else reach / 2
        reason = SHAKY if status == "caution" else None
        return Released(measure, pairs, unit, status, value, se, 20.0, low, high, 60, 12, reason=reason)  # type: ignore[arg-type]

    return make
