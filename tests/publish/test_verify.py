"""A page says where it comes from, in a block that nothing in it can break out of, under a seal that tells of changes."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_workspace import code, prose, write_notebook

from cbresearch.cli import main
from cbresearch.errors import PublishError
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import plan
from cbresearch.publish.provenance import BLOCK, OPEN_SEAL, provenance_of, read_provenance, sealed
from cbresearch.publish.run import run
from cbresearch.publish.verify import CHANGED, verify
from cbresearch.study import Study, open_study


@pytest.fixture
def made(root: Path) -> Study:
    study = open_study(root)
    run(study)
    return study


def page_of(study: Study) -> Path:
    return study.reports / "en" / "10_all.html"


def test_a_page_says_where_it_comes_from(made: Study) -> None:
    (verdict,) = verify([page_of(made)], made)
    assert verdict.fits, verdict.against
    said = verdict.said
    assert (said["study"], said["report"], said["language"], said["area"]) == ("tiny", "10_all", "en", None)
    assert said["answers"] == 2 and said["waves"] == [2008, 2009]
    assert {"numpy", "pandas", "cbresearch", "python"} <= said["versions"].keys()
    assert {"study", "package", "code", "processed", "seed"} <= said["inputs"].keys()
    areas = sorted((made.reports / "zh").glob("90_one*.html"))
    assert {one.said["area"] for one in verify(areas, made)} == {"A2", "欣乐"}


@pytest.mark.parametrize(
    "old, new", [("</main>", "<p>one more</p></main>"), ("2009", "2010"), ('"answers": 2', '"answers": 3')]
)
def test_a_page_that_was_changed_is_told(made: Study, old: str, new: str) -> None:
    page = page_of(made)
    text = page.read_text(encoding="utf-8")
    assert old in text
    page.write_text(text.replace(old, new, 1), encoding="utf-8")
    (verdict,) = verify([page], made)
    assert CHANGED in verdict.against


def test_what_the_workspace_would_make_otherwise_is_named(made: Study) -> None:
    write_notebook(
        made.root, "10_all", code('lang = "zh"', "parameters"), prose("# 别的", "zh"), code("1 + 1")
    )
    (made.processed / "manifest.json").write_text('{"residents": "2"}', encoding="utf-8")
    (verdict,) = verify([page_of(made)], open_study(made.root))
    assert CHANGED not in verdict.against
    assert {"code of the notebook", "data it reads: everything"} <= set(verdict.against)


def test_a_page_of_another_study_or_of_none(made: Study, tmp_path: Path) -> None:
    toml = made.root / "data" / "study.toml"
    toml.write_text(
        toml.read_text(encoding="utf-8").replace('name = "tiny"', 'name = "other"'), encoding="utf-8"
    )
    (verdict,) = verify([page_of(made)], open_study(made.root))
    assert verdict.against == ("it was made from another study: tiny",)
    empty, nowhere = tmp_path / "empty.html", tmp_path / "nowhere.html"
    empty.write_text("<html></html>", encoding="utf-8")
    with pytest.raises(
        PublishError,
        match=r"(?s)empty.html does not say where it comes from.*nowhere.html cannot be read: No such file",
    ):
        verify([empty, nowhere], None)


def test_as_a_command(made: Study, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:  # fmt: skip
    def call(*words: object) -> tuple[int, str]:
        monkeypatch.setattr("sys.argv", ["cbresearch", "verify", *map(str, words)])
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return int(left.value.code or 0), said.out + said.err

    exit_code, said = call(page_of(made))
    assert exit_code == 0 and said.endswith("as it was made, and this workspace would make the same\n")
    sent = shutil.copy(page_of(made), tmp_path_factory.mktemp("sent") / "page.html")
    exit_code, said = call(sent)
    assert exit_code == 0 and "as it was made; no workspace here" in said
    assert call(sent, "--workspace", made.root)[0] == 0
    Path(sent).write_text(Path(sent).read_text(encoding="utf-8") + " ", encoding="utf-8")
    exit_code, said = call(sent)
    assert exit_code == 1 and CHANGED in said
    assert call(made.root / "README")[0] == 2


def test_nothing_breaks_out_of_the_block(made: Study) -> None:
    inputs, job = Inputs(made), plan(made)[0]
    evil = "</script><script>alert(1)</script><!--&quot;"
    text = provenance_of(made, replace(job, parameters=(("note", evil),)), "zh", inputs)
    assert "<" not in text and "&" not in text
    html = sealed(f'<script type="application/json" id="provenance">{text}</script>')
    assert len(re.findall("</script>", html)) == 1
    found = read_provenance(html)
    assert found is not None and found.said["parameters"] == {"note": evil} and found.is_untouched


@given(before=st.text(), at=st.integers(0, 10_000), letter=st.characters(codec="utf-8"))
def test_any_other_letter_breaks_the_seal(before: str, at: int, letter: str) -> None:
    block = f'<script type="application/json" id="provenance">{{"x": 1, {OPEN_SEAL}}}</script>'
    html = sealed(f"{before}{OPEN_SEAL}{block}</html>")
    found = read_provenance(html)
    assert found is not None and found.is_untouched and json.loads(BLOCK.findall(html)[-1])["x"] == 1
    place = at % len(html)
    changed = html[:place] + letter + html[place + 1 :]
    again = read_provenance(changed)
    assert changed == html or again is None or not again.is_untouched
