"""What many tests share: the sample study, drawn, built, reported on once for all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import settings
from whole_chain import COMMUNITIES, DISTRICT_REPORTS, REPOSITORY, command, once

from cbresearch.study import Study, open_study

SHARED_DATA = REPOSITORY.parent / "shared" / "data"

# how long an example takes says how busy the machine is, nothing about the law
settings.register_profile("cbresearch", deadline=None)
settings.load_profile("cbresearch")


@pytest.fixture(scope="session")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with the sample study's raw files, not built. Do not write into it: copy it."""
    from cbresearch.workspace import new_demo

    return once(tmp_path_factory, "drawn", lambda folder: new_demo(folder / "chengbei")) / "chengbei"


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

    def make(folder: Path) -> None:
        shutil.copytree(drawn, folder / "chengbei")
        build(open_study(folder / "chengbei"))

    return open_study(once(tmp_path_factory, "built", make) / "chengbei")


@pytest.fixture(scope="session")
def published(chengbei: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample study with the district's reports and two communities', in both languages. Read only.

    Made by the command line, without the file that holds the truth: whatever read it would fail.
    """

    def make(folder: Path) -> None:
        root = folder / "chengbei"
        shutil.copytree(chengbei.root, root)
        (root / "data" / "truth.json").unlink()
        for wanted in (
            [word for name in DISTRICT_REPORTS for word in ("--only", name)],
            [word for name in COMMUNITIES for word in ("--area", name)],
        ):
            said = command("run", root, *wanted)
            assert said.code == 0, said.text

    return once(tmp_path_factory, "published", make) / "chengbei"


@pytest.fixture
def shared_data() -> Path:
    """Real survey files that are not in the repository; a test that wants them skips without."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"real survey files are not at {SHARED_DATA}: they are never committed")
    return SHARED_DATA
