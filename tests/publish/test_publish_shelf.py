"""The reports folder never shows half of anything, nor forgets what it held."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cbresearch.errors import PublishError
from cbresearch.publish.shelf import Kept, Page, Shelf, alone, write_json, write_whole

ABOUT = {"study": "tiny", "versions": {}, "inputs": {}}


def kept(slug: str, **more: object) -> Kept:
    given: dict[str, object] = {
        "slug": slug, "notebook": "n", "area": None, "parameters": {"lang": "zh"}, "status": "ok", "key": "k",
        "executed": f"notebooks/{slug}.ipynb", "pages": {"zh": Page(f"zh/{slug}.html", "p")}, "titles": {"zh": "题"},
        "findings": ({"name": "a", "value": 1.0},), "seconds": 1.5, "finished": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return Kept(**(given | more))  # type: ignore[arg-type]


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    failed = kept("b", status="failed", error={"class": "E", "message": "m"}, findings=())
    shelf.put(kept("a"))
    shelf.put(failed)
    shelf.save(ABOUT)
    assert Shelf(tmp_path).kept == {"a": kept("a"), "b": failed}


def test_findings_carry_their_report(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    shelf.put(kept("a"))
    shelf.save(ABOUT)
    assert json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))["findings"] == [
        {"report": "a", "notebook": "n", "parameters": {"lang": "zh"}, "name": "a", "value": 1.0}
    ]


def test_times_stand_apart(tmp_path: Path) -> None:
    for seconds in (1.0, 2.0):
        shelf = Shelf(tmp_path / str(seconds))
        shelf.put(kept("a", seconds=seconds))
        shelf.save(ABOUT)
    one, two = (json.loads((tmp_path / s / "run.json").read_text(encoding="utf-8")) for s in ("1.0", "2.0"))
    assert one.pop("times") != two.pop("times")
    assert one == two


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}', '{"format": 1, "jobs": {"a": {}}}'])
def test_a_record_that_cannot_be_read_counts_as_none(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    (tmp_path / "findings.json").write_text('{"format": 1, "findings": []}', encoding="utf-8")
    assert Shelf(tmp_path).kept == {}


def test_reports_no_longer_asked_for_leave_with_their_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside.html"
    outside.write_text("mine", encoding="utf-8")
    reports = tmp_path / "reports"
    write_whole(reports / "zh" / "a.html", "old")
    shelf = Shelf(reports)
    shelf.put(kept("a", executed="../outside.html"))
    shelf.forget_all_but({"b"})
    assert not (reports / "zh" / "a.html").exists()
    assert outside.exists()
    assert shelf.kept == {}


def test_json_is_strict_and_a_refusal_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    write_json(path, {"a": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"a": float("nan")})
    assert json.loads(path.read_text(encoding="utf-8")) == {"a": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_second_run_is_told_who_is_at_work(tmp_path: Path) -> None:
    with (
        alone(tmp_path),
        pytest.raises(
            PublishError,
            match=r"Another run is at work in .* \(process \d+ on .*, since 20\d\d-.*\)\. Wait until",
        ),
        alone(tmp_path),
    ):
        pass
    with alone(tmp_path):
        pass
    assert not (tmp_path / ".holder.json").exists()
