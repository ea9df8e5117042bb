"""The same key means nothing to do; every input that matters changes it."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_workspace import GOOD, code, prose, write_notebook

from cbresearch.publish import keys
from cbresearch.publish.bundle import Bundles, unpack
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import plan
from cbresearch.publish.source import normal
from cbresearch.publish.task import Task
from cbresearch.study import Columns, Reads, Study, open_study, plain


def key(root: Path) -> str:
    study = open_study(root)
    return Inputs(study).run_key(plan(study)[0])


@pytest.mark.parametrize(
    "change",
    [
        lambda root: write_notebook(root, "10_all", *GOOD, code("more = 1")),
        lambda root: (root / "data" / "processed" / "manifest.json").write_text("{}", encoding="utf-8"),
        lambda root: (root / "data" / "choices.csv").open("a", encoding="utf-8").write("x,1,一,One,1,\n"),
        lambda root: (root / "notebooks" / "helper.py").write_text("x = 1", encoding="utf-8"),
    ],
    ids=["code", "data", "codebook", "helper"],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:unclosed file")
def test_a_change_that_matters_changes_the_key(root: Path, change: object) -> None:
    before = key(root)
    change(root)  # type: ignore[operator]
    assert key(root) != before


def with_map(root: Path) -> Path:
    """The study with a map of its two communities, two invented squares."""
    at = {"欣乐": 0, "A2": 1}
    squares = {code: [[[x, 0], [x + 1, 0], [x + 1, 1], [x, 1], [x, 0]]] for code, x in at.items()}
    shapes = [
        {
            "type": "Feature",
            "properties": {"code": code},
            "geometry": {"type": "Polygon", "coordinates": rings},
        }
        for code, rings in squares.items()
    ]
    path = root / "data" / "map.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": shapes}), encoding="utf-8")
    with (root / "data" / "study.toml").open("a", encoding="utf-8") as file:
        file.write('\n[areas]\nmap = "map.geojson"\n')
    return path


def test_a_changed_map_changes_the_key(root: Path) -> None:
    path = with_map(root)
    before = key(root)
    assert key(root) == before
    path.write_text(path.read_text(encoding="utf-8").replace("[1, 1]", "[1, 2]"), encoding="utf-8")
    assert key(root) != before


def test_a_map_travels_with_every_report(root: Path, tmp_path: Path) -> None:
    """Without it the study would not open where the report is made."""
    path = with_map(root)
    declared = Reads("10_all", None, (("residents", Columns(("street",))),))
    task = Task("x", "x.ipynb", "out.ipynb", True, {}, 9, "/nowhere", (), reads=plain(declared))
    study = open_study(root)
    folder = unpack(Bundles(study).of(task), tmp_path)
    assert (folder / "data" / "map.geojson").read_bytes() == path.read_bytes()
    assert open_study(folder).shapes == study.shapes != {}


def test_outputs_and_saving_do_not_change_the_key(root: Path) -> None:
    before = key(root)
    path = root / "notebooks" / "10_all.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[3].outputs = [nbformat.v4.new_output("stream", name="stdout", text="x")]
    notebook.metadata["kernelspec"] = {"name": "other", "display_name": "other"}
    nbformat.write(notebook, path)
    assert key(root) == before


def test_parameters_change_the_key_and_languages_only_the_page(study: Study) -> None:
    inputs, jobs = Inputs(study), plan(study)
    assert inputs.run_key(jobs[1]) != inputs.run_key(jobs[2])
    assert inputs.run_key(jobs[0]) == inputs.run_key(plan(study, lang=["en"])[0])
    page = inputs.page_keys(jobs[0], ["zh"])["zh"]
    assert page != inputs.page_keys(jobs[0], ["en"])["en"]
    assert page != inputs.page_keys(jobs[0], ["zh", "en"])["zh"]


def test_prose_changes_the_page_and_not_the_run(root: Path) -> None:
    def keys_of() -> tuple[str, str]:
        study = open_study(root)
        inputs, job = Inputs(study), plan(study)[0]
        return inputs.run_key(job), inputs.page_keys(job, ["zh"])["zh"]

    run, page = keys_of()
    write_notebook(root, "10_all", *GOOD[:-1], prose("## 改", "zh"), GOOD[-1])
    run_after, page_after = keys_of()
    assert run_after == run and page_after != page


@pytest.mark.parametrize(
    "code, same",
    [
        ("x = 1  \n\ny = 2\t\n", "x = 1\n\ny = 2"),
        ('x = """a  \nb"""', 'x = """a  \nb"""'),
        ("%matplotlib inline  ", "%matplotlib inline  "),
        ("", ""),
    ],
)
def test_blanks_at_line_ends_matter_only_inside_texts(code: str, same: str) -> None:
    assert normal(code) == same


@given(st.text("ab=1'\"# \n\t()", max_size=40))
def test_code_without_blanks_does_the_same(code: str) -> None:
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError):
        return
    assert ast.dump(ast.parse(normal(code))) == ast.dump(tree)
    assert normal(normal(code)) == normal(code)


def test_what_cannot_change_a_number_is_no_part_of_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("measure/scales.py", "publish/render.py", "cli.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x = 1", encoding="utf-8")
    monkeypatch.setattr(keys, "PACKAGE", tmp_path)
    before = keys.hash_of_package()
    (tmp_path / "publish" / "render.py").write_text("x = 2", encoding="utf-8")
    (tmp_path / "cli.py").write_text("x = 2", encoding="utf-8")
    assert keys.hash_of_package() == before
    (tmp_path / "measure" / "scales.py").write_text("x = 2", encoding="utf-8")
    assert keys.hash_of_package() != before


def test_every_module_that_makes_a_page_is_part_of_its_key() -> None:
    """What `render` and `footer` import of publish, and what those import."""
    publish = keys.PACKAGE / "publish"
    # how keys and plans are worked out shows in the keys themselves
    found, waiting = {"keys", "plan", "files"}, ["render", "footer", "worker"]
    while waiting:
        name = waiting.pop()
        found.add(name)
        for node in ast.walk(ast.parse((publish / f"{name}.py").read_text(encoding="utf-8"))):
            module = node.module or "" if isinstance(node, ast.ImportFrom) else ""
            ours = module.removeprefix("cbresearch.publish.")
            if ours != module and ours not in found and (publish / f"{ours}.py").is_file():
                waiting.append(ours)
    assert found - {"keys", "plan", "files"} <= {*keys.MAKE_A_PAGE, "kernels"}
