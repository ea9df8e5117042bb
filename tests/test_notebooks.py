"""The notebooks as they are written, as papermill runs them, and what they say to a study that lacks things."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from whole_chain import DISTRICT_REPORTS, REPOSITORY, command, keep_said, kept_said, once, strict

from cbresearch import notebook
from cbresearch.errors import ParameterError
from cbresearch.estimate.questions import drivers, measurement, payment, policy, situation
from cbresearch.records import Unanswered
from cbresearch.study import Study, open_study

pytestmark = pytest.mark.xdist_group("notebooks")
PATHS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
MOST_LINES = 8
ALLOWED_NUMBERS = {"95"}
"""The level of every interval: a rule of the house, no number of a study."""


# --- as they are written --------------------------------------------------------------------------


def tags(cell: Any) -> list[str]:
    return list(cell.metadata.get("tags", []))


@dataclass(frozen=True)
class Written:
    """One notebook as it lies in the repository."""

    path: Path
    raw: str
    cells: tuple[Any, ...]

    @property
    def code(self) -> list[Any]:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def prose(self) -> list[Any]:
        return [cell for cell in self.cells if cell.cell_type == "markdown"]


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def written(request: pytest.FixtureRequest) -> Written:
    raw = request.param.read_text(encoding="utf-8")
    return Written(request.param, raw, tuple(nbformat.reads(raw, as_version=4).cells))


def test_every_notebook_is_visited() -> None:
    assert [path.stem for path in PATHS] == [*DISTRICT_REPORTS, "90_community"]


def test_one_cell_holds_the_parameters(written: Written) -> None:
    marked = [cell for cell in written.cells if "parameters" in tags(cell)]
    assert len(marked) == 1 and marked[0] is written.code[0]
    assert all(re.fullmatch(r"\w+: (?:str|int) = \S+  # .+", line) for line in marked[0].source.splitlines())
    assert marked[0].source.startswith('lang: str = ""')


def test_all_prose_stands_in_chinese_then_in_english(written: Written) -> None:
    languages = [tags(cell) for cell in written.prose]
    assert languages == [["zh"], ["en"]] * (len(languages) // 2)
    for first, second in pairwise(written.cells):
        if tags(first) == ["zh"]:
            assert tags(second) == ["en"], first.source
            assert first.source.count("\n") == second.source.count("\n"), first.source
            assert re.match("#*", first.source)[0] == re.match("#*", second.source)[0], first.source  # type: ignore[index]
    for cell in written.prose:
        assert bool(re.search("[\u4e00-\u9fff]", cell.source)) == (tags(cell) == ["zh"]), cell.source


def test_no_number_is_typed_into_prose(written: Written) -> None:
    """It would outlive its data."""
    for cell in written.prose:
        units = re.sub(r"1,000 households", "", cell.source)  # "per 1,000 households" is a unit
        assert set(re.findall(r"\d[\d.,]*", units)) <= ALLOWED_NUMBERS, cell.source


def test_code_asks_and_the_package_computes(written: Written) -> None:
    for cell in written.code:
        if "parameters" not in tags(cell):
            assert len(cell.source.splitlines()) <= MOST_LINES, cell.source
        assert not re.search(r"^\s*(?:def|class|for|while)\b|\blambda\b", cell.source, re.M), cell.source
        literals = re.findall(r"[\"']([^\"']*)[\"']", cell.source)
        assert not [
            text for text in literals if re.search(r"[/\\]|\.(?:csv|xlsx?|parquet|json|toml|sav)$", text)
        ]
        assert not re.search(r"\bPath\(|\bopen\(|read_\w+\(", cell.source), cell.source


def test_nothing_of_a_run_is_kept(written: Written) -> None:
    assert all(not cell.outputs and cell.execution_count is None for cell in written.code)
    assert all(
        "papermill" not in cell.metadata and "execution" not in cell.metadata for cell in written.cells
    )
    number = written.path.stem.split("_")[0]
    assert [cell.id for cell in written.cells] == [
        f"{number}-{place:02d}" for place in range(len(written.cells))
    ]
    assert str(REPOSITORY) not in written.raw and "/home/" not in written.raw and "/tmp/" not in written.raw


# --- what they may be told ------------------------------------------------------------------------


def as_run(path: Path, **given: object) -> dict[str, object]:
    """The globals of a notebook that papermill has brought as far as its first own line."""
    first = next(cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code").source
    injected = "# Parameters\n" + "".join(f"{name} = {value!r}\n" for name, value in given.items())
    names: dict[str, object] = {}
    for cell in (first, injected):
        exec(cell, names)
    return names | {"In": ["", first, injected, "notebook.begin(globals())"]}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_defaults_are_good_parameters(
    path: Path, chengbei: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(chengbei.processed)
    assert notebook.begin(as_run(path)).root == chengbei.root
    assert notebook.begin(as_run(path, lang="en")).root == chengbei.root


@pytest.mark.parametrize(
    "name, given, said",
    [
        (
            "90_community",
            {"aera": "欣乐社区"},
            "parameter 'aera': the notebook does not declare it; it declares lang, area, wave. Did you mean 'area'?",
        ),
        ("90_community", {"area": "欣乐社"}, "no community '欣乐社' in the study"),
        ("90_community", {"area": "欣乐社"}, "Did you mean '欣乐社区'?"),
        (
            "30_satisfaction",
            {"lang": "fr"},
            "parameter 'lang': no language 'fr' in the study; expected zh, en.",
        ),
        (
            "10_data_quality",
            {"wave": 2010},
            "parameter 'wave': no wave '2010' in the study; expected 2006, 2007, 2008, 2009. Did you mean",
        ),
        ("20_situation", {"wave": "2009"}, "parameter 'wave': found '2009'; expected a whole number."),
        ("50_drivers", {"area": "欣乐社区"}, "the notebook does not declare it; it declares lang."),
    ],
)
def test_a_wrong_parameter_never_runs_with_the_default(
    name: str, given: dict[str, object], said: str, chengbei: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(chengbei.root)
    with pytest.raises(ParameterError) as caught:
        notebook.begin(as_run(REPOSITORY / "notebooks" / f"{name}.ipynb", **given))
    assert said in str(caught.value)


def test_several_wrong_parameters_are_told_at_once(chengbei: Study, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(chengbei.root)
    with pytest.raises(ParameterError) as caught:
        notebook.begin(as_run(PATHS[-1], lang="fr", area="欣乐社", waev=2008))
    assert len(caught.value.faults) == 3


def papermill(cwd: Path, *words: object) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-P", "-m", "papermill", *map(str, words), "--no-progress-bar"]
    return subprocess.run(line, cwd=cwd, capture_output=True, encoding="utf-8", check=False)


def test_plain_papermill_works_from_a_folder_inside_the_workspace(chengbei: Study, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    done = papermill(chengbei.processed, "../../notebooks/50_drivers.ipynb", out, "-p", "lang", "en")
    assert done.returncode == 0, done.stderr[-2000:]
    cells = nbformat.read(out, as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert [o for o in outputs if o.output_type == "error"] == []
    shown = [o.data for o in outputs if o.output_type == "execute_result"]
    assert all({"text/html", "text/plain"} <= data.keys() for data in shown) and len(shown) >= 5
    assert not any(re.search("[\u4e00-\u9fff]", data["text/plain"]) for data in shown)


def test_plain_papermill_stops_at_a_misspelt_parameter(chengbei: Study, tmp_path: Path) -> None:
    out = tmp_path / "out.ipynb"
    done = papermill(chengbei.root, "notebooks/90_community.ipynb", out, "-p", "aera", "欣乐社区")
    assert done.returncode != 0
    assert "Did you mean 'area'?" in done.stderr
    cells = nbformat.read(out, as_version=4).cells
    shown = [o for cell in cells for o in cell.get("outputs", ()) if o.output_type == "execute_result"]
    assert shown == []


# --- a study that lacks things --------------------------------------------------------------------

SATISFACTION = ["非常不满意", "不满意", "一般", "满意", "非常满意"]


@dataclass(frozen=True)
class Lacking:
    """A study drafted from one export, after its first run."""

    root: Path
    code: int
    said: str

    def page(self, place: str) -> str:
        return unescape((self.root / "reports" / place).read_text(encoding="utf-8"))


def export(path: Path) -> Path:
    """One wave of 120 residents, with neither ledger nor design."""
    rows = range(120)
    columns = {
        "编号": [f"{row:04d}" for row in rows],
        "性别": [["男", "女"][row // 3 % 2] for row in rows],
        "社区": [["甲社区", "乙社区"][row % 2] for row in rows],
        "总体满意度": [SATISFACTION[(row * 7 + row // 5) % 5] for row in rows],
        "治安满意度": [SATISFACTION[(row * 3 + row // 7) % 5] for row in rows],
    }
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def ask_for_every_report(root: Path) -> None:
    """A draft asks for a few reports; whoever adds the others must get them too, whatever the study lacks."""
    path = root / "data" / "study.toml"
    told = path.read_text(encoding="utf-8")
    more = [name for name in DISTRICT_REPORTS if f'"{name}"' not in told]
    asked = "".join(f'\n[[reports]]\nnotebook = "{name}"\n' for name in more)
    path.write_text(told + asked, encoding="utf-8")


FLAGS: dict[str, tuple[str, ...]] = {"nothing": (), "areas": ("--area", "社区")}


@pytest.fixture(scope="module", params=list(FLAGS))
def poor(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lacking:
    def make(folder: Path) -> None:
        folder.mkdir()
        told = ("--into", folder / "study", "--outcome", "总体满意度", *FLAGS[request.param])
        adopted = command("adopt", export(folder / "survey_2024.csv"), *told)
        assert adopted.code == 0, adopted.text
        ask_for_every_report(folder / "study")
        keep_said(command("run", folder / "study"), folder)

    folder = once(tmp_path_factory, f"poor-{request.param}", make)
    said = kept_said(folder)
    return Lacking(folder / "study", said.code, said.text)


def test_a_study_that_lacks_things_still_makes_every_report(poor: Lacking) -> None:
    assert poor.code == 0, poor.said
    run = strict(poor.root / "reports" / "run.json")
    assert run["failed"] == []
    study = open_study(poor.root)
    areas = 2 if study.area else 0
    assert f"{len(DISTRICT_REPORTS) + areas} reports made, 0 up to date, 0 failed." in poor.said
    assert {job["notebook"] for job in run["jobs"].values()} == {
        *DISTRICT_REPORTS,
        *(["90_community"] if areas else []),
    }
    for job in run["jobs"].values():
        assert sorted(job["pages"]) == ["en", "zh"]
        assert all((poor.root / "reports" / page["path"]).is_file() for page in job["pages"].values())


def test_it_says_what_it_cannot_answer(poor: Lacking) -> None:
    study = open_study(poor.root)
    for notebook_name, answer in (
        ("20_situation", situation.indicators_in(study)),
        ("35_payment", payment.free_or_paid(study)),
        ("40_measurement", measurement.reliability(study).released),
        ("50_drivers", drivers.answers(study)),
        ("60_policy_change", policy.policy_smallest(study)),
    ):
        assert isinstance(answer, Unanswered)
        assert answer.reason.zh in poor.page(f"zh/{notebook_name}.html")
        assert answer.reason.en in poor.page(f"en/{notebook_name}.html")
    # what the single survey can answer is answered
    findings = strict(poor.root / "reports" / "findings.json")["findings"]
    answered = {f["notebook"] for f in findings if f["value"] is not None}
    assert {"10_data_quality", "30_satisfaction"} <= answered
    assert not [f for f in findings if f["notebook"] == "50_drivers" and f["value"] is not None]
