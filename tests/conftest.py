"""What many tests share: the sample study, drawn and built once a session."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cbresearch.study import Study, open_study

REPOSITORY = Path(__file__).parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample study's raw files, not built. Do not write into it: copy it."""
    from cbresearch.workspace import new_demo

    root: Path = tmp_path_factory.mktemp("drawn") / "chengbei"
    new_demo(root)
    return root


@pytest.fixture
def chengbei_root(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the drawn workspace that a test may change."""
    root = tmp_path / "chengbei"
    shutil.copytree(drawn, root)
    return root


@pytest.fixture(scope="session")
def chengbei(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The sample study, drawn and built. Read only."""
    from cbresearch.build import build

    root = tmp_path_factory.mktemp("built") / "chengbei"
    shutil.copytree(drawn, root)
    study = open_study(root)
    build(study)
    return study


@pytest.fixture
def shared_data() -> Path:
    """Real survey files that are not in the repository; a test that wants them skips without."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real survey files are not at {SHARED_DATA}: they are never committed")
    return SHARED_DATA
