"""The sample study's district and residents before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from cbresearch.chengbei.contract import Contract, read_contract
from cbresearch.chengbei.district import District, draw_district
from cbresearch.chengbei.people import people

REPOSITORY = Path(__file__).parents[2]
STUDY_FILES = ("study.toml", "codebook.csv", "choices.csv")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A workspace with the sample study's three study files only."""
    (tmp_path / "data").mkdir()
    for name in STUDY_FILES:
        shutil.copy(REPOSITORY / "data" / name, tmp_path / "data" / name)
    return tmp_path


@pytest.fixture(scope="session")
def contract() -> Contract:
    return read_contract(REPOSITORY)


@pytest.fixture(scope="session")
def seed(contract: Contract) -> int:
    return contract.file.study.seed


@pytest.fixture(scope="session")
def district(contract: Contract, seed: int) -> District:
    return draw_district(contract, seed=seed)


@pytest.fixture(scope="session")
def residents(district: District, contract: Contract, seed: int) -> pd.DataFrame:
    """A row per resident and wave, without fault. Do not change it: copy it."""
    return people(district, contract, seed=seed)
