"""The reports folder never shows half of anything, nor forgets what it held."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from cbresearch.errors import PublishError
from cbresearch.publish.files import write_json, write_whole
from cbresearch.publish.kept import Kept, Page
from cbresearch.publish.lock import alone
from cbresearch.publish.shelf import MOVING, Shelf

ABOUT = {"study": "tiny", "versions": {}, "inputs": {}}


def kept(slug: str, **more: object) -> Kept:
    given: dict[str, object] = {
        "slug": slug, "notebook": "n", "area": None, "parameters": {"lang": "zh"}, "status": "ok", "key": "k",
        "executed": f"notebooks/{slug}.ipynb", "pages": {"zh": Page(f"zh/{slug}.html", "p")}, "titles": {"zh": "题"},
        "findings": ({"name": "a", "value": 1.0},), "seconds": 1.5, "finished": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    return Kept(**(given | more))  # type: ignore[arg-type]


def done(shelf: Shelf, slug: str, page: str = "new</html>", **more: object) -> Kept:
    """A report that is finished and waits."""
    one = kept(slug, **more)
    write_whole(shelf.next / one.executed, "{}")
    for where in one.pages.values():
        write_whole(shelf.next / where.path, page)
    shelf.put(one)
    return one


def published(reports: Path, *slugs: str) -> Shelf:
    shelf = Shelf(reports)
    for slug in slugs:
        done(shelf, slug)
    shelf.publish(slugs, set(slugs), ABOUT)
    return shelf


def without_findings(*all_kept: Kept) -> dict[str, Kept]:
    return {one.slug: replace(one, findings=()) for one in all_kept}


def test_what_is_published_comes_back(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    failed = done(shelf, "b", status="failed", error={"class": "E", "message": "m"}, findings=())
    shelf.publish(["b", done(shelf, "a").slug], {"a", "b"}, ABOUT)
    again = Shelf(tmp_path)
    assert again.kept == without_findings(kept("a"), failed)
    assert again.staged == {}
    assert again.findings_of(again.kept["a"]) == kept("a").findings
    assert (tmp_path / "zh" / "a.html").read_text(encoding="utf-8") == "new</html>"
    assert not shelf.next.exists()


def test_what_waits_is_not_shown_and_not_lost(tmp_path: Path) -> None:
    published(tmp_path, "a")
    before = (tmp_path / "run.json").read_bytes()
    done(Shelf(tmp_path), "a", "newer</html>", key="k2")
    again = Shelf(tmp_path)
    assert again.latest("a") == replace(kept("a", key="k2"), findings=())
    assert (tmp_path / "zh" / "a.html").read_text(encoding="utf-8") == "new</html>"
    assert (tmp_path / "run.json").read_bytes() == before


@pytest.mark.parametrize("half", ["zh/a.html", "notebooks/a.ipynb", ".jobs/a.json"])
def test_a_waiting_report_with_half_a_file_counts_as_none(tmp_path: Path, half: str) -> None:
    shelf = Shelf(tmp_path)
    done(shelf, "a")
    (shelf.next / half).write_text("<html>", encoding="utf-8")
    assert Shelf(tmp_path).latest("a") is None


@pytest.mark.parametrize("moved", range(5))
def test_a_move_cut_short_anywhere_is_completed(tmp_path: Path, moved: int) -> None:
    published(tmp_path, "a", "b")
    shelf = Shelf(tmp_path)
    for slug in ("a", "b"):
        done(shelf, slug, "newer</html>", key="k2")
    write_json(tmp_path / MOVING, ["a", "b"])
    for path in [p for slug in ("a", "b") for p in kept(slug).files()][:moved]:
        (shelf.next / path).replace(tmp_path / path)
    again = Shelf(tmp_path)
    again.recover()
    again.publish([], {"a", "b"}, ABOUT)
    assert {one.key for one in Shelf(tmp_path).kept.values()} == {"k2"}
    assert {page.read_text(encoding="utf-8") for page in tmp_path.glob("zh/*.html")} == {"newer</html>"}
    assert not (tmp_path / MOVING).exists() and not shelf.next.exists()


def test_findings_carry_their_report(tmp_path: Path) -> None:
    published(tmp_path, "a")
    assert json.loads((tmp_path / "findings.json").read_text(encoding="utf-8"))["findings"] == [
        {"report": "a", "notebook": "n", "parameters": {"lang": "zh"}, "name": "a", "value": 1.0}
    ]


def test_times_stand_apart(tmp_path: Path) -> None:
    for seconds in (1.0, 2.0):
        shelf = Shelf(tmp_path / str(seconds))
        done(shelf, "a", seconds=seconds)
        shelf.publish(["a"], {"a"}, ABOUT)
    one, two = (json.loads((tmp_path / s / "run.json").read_text(encoding="utf-8")) for s in ("1.0", "2.0"))
    assert one.pop("times") != two.pop("times")
    assert one == two


def test_nothing_to_publish_writes_nothing(tmp_path: Path) -> None:
    published(tmp_path, "a")
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    Shelf(tmp_path).publish(["a"], {"a"}, ABOUT)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format": 0}', '{"format": 2, "jobs": {"a": {}}}', "[" * 99999]
)
def test_a_list_that_cannot_be_read_is_drawn_up_from_the_records(tmp_path: Path, content: str) -> None:
    published(tmp_path, "a")
    (tmp_path / "run.json").write_text(content, encoding="utf-8")
    assert Shelf(tmp_path).kept == without_findings(kept("a"))


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}', '{"format": 2, "pages": {}}'])
def test_a_record_that_cannot_be_read_counts_as_none(tmp_path: Path, content: str) -> None:
    published(tmp_path, "a", "b")
    for path in (tmp_path / "run.json", tmp_path / ".jobs" / "a.json"):
        path.write_text(content, encoding="utf-8")
    assert Shelf(tmp_path).kept == without_findings(kept("b"))


def test_reports_no_longer_asked_for_leave_with_their_files(tmp_path: Path) -> None:
    outside = tmp_path / "outside.html"
    outside.write_text("mine", encoding="utf-8")
    reports = tmp_path / "reports"
    shelf = published(reports, "a")
    shelf.kept["a"] = replace(shelf.kept["a"], executed="../outside.html")
    shelf.publish([], {"b"}, ABOUT)
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


def test_a_second_run_may_wait_and_hears_for_whom(tmp_path: Path) -> None:
    heard: list[str] = []
    began = threading.Event()

    def second() -> None:
        with alone(tmp_path, lambda text: (heard.append(text), began.set())[0]):
            heard.append("at work")

    with alone(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        assert began.wait(10)
        assert len(heard) == 1 and "process" in heard[0] and heard[0].endswith("Waiting until it has ended.")
    thread.join(10)
    assert heard[1:] == ["at work"]
