"""The sample study's own reports show the same under a forked kernel as under an ordinary one, cell by cell.

An ordinary run stands against another ordinary run as the control: what differs there differs by chance.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from whole_chain import COMMUNITIES, DISTRICT_REPORTS

from cbresearch.publish.warm.processes import can_fork
from cbresearch.study import Study

pytestmark = pytest.mark.skipif(not can_fork(), reason="kernels are forked on Linux only")
# for both kinds: numbers in the last place hang on the order of threads and of sets
AS_IN_A_RUN = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}
REPORTS = {name: {} for name in DISTRICT_REPORTS} | {"90_community": {"area": COMMUNITIES[0]}}


@pytest.fixture(scope="module")
def engines() -> Iterator[dict[str, Any]]:
    from papermill.engines import NBClientEngine

    from cbresearch.publish.warm.client import Host
    from cbresearch.publish.warm.engine import WarmEngine
    from cbresearch.publish.warm.zygote import Zygote

    zygote = Zygote(1, environment={**os.environ, **AS_IN_A_RUN})
    by = Host(zygote.lanes[0])

    class Engine(WarmEngine):
        @classmethod
        def host(cls) -> Host:
            return by

    yield {"warm": Engine, "ordinary": NBClientEngine}
    zygote.close()


def shown(study: Study, engine: Any, name: str) -> list[Any]:
    """Every cell's number and outputs after a run with the report's parameters."""
    import papermill
    from papermill.engines import papermill_engines

    papermill_engines.register("of-this-test", engine)
    done = papermill.execute_notebook(
        nbformat.read(study.notebooks / f"{name}.ipynb", as_version=4), None, parameters=REPORTS[name],
        engine_name="of-this-test", kernel_name="python3", language="python", progress_bar=False, cwd=str(study.notebooks),
    )  # fmt: skip
    return [(cell.get("execution_count"), cell.get("outputs")) for cell in done.cells]


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_shows_the_same_under_both(
    name: str, chengbei: Study, engines: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in AS_IN_A_RUN.items():
        monkeypatch.setenv(variable, value)
    ordinary, control = (shown(chengbei, engines["ordinary"], name) for _ in range(2))
    cold, warm = (shown(chengbei, engines["warm"], name) for _ in range(2))
    by_chance = [i for i, (one, other) in enumerate(zip(ordinary, control, strict=True)) if one != other]
    assert not by_chance
    assert cold == ordinary
    assert warm == ordinary
    assert any(outputs for _, outputs in ordinary if outputs)


def test_the_sample_study_has_these_reports(chengbei: Study) -> None:
    assert set(REPORTS) == {report.notebook for report in chengbei.file.reports}
    assert {path.stem for path in Path(chengbei.notebooks).glob("*.ipynb")} == set(REPORTS)
