"""Two runs compared: what moved, by how much, why; what is held back stays so."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from as_browser import Found, dangers
from hypothesis import given
from hypothesis import strategies as st
from tiny_workspace import GOOD, code, make_workspace, write_notebook

from cbresearch.cli import main
from cbresearch.errors import PublishError
from cbresearch.publish import diff_words
from cbresearch.publish.diff import Change, apart, count, diff
from cbresearch.publish.diff_numbers import numbered
from cbresearch.publish.diff_page import diff_html
from cbresearch.publish.diff_runs import Made, read_run
from cbresearch.publish.diff_table import as_text
from cbresearch.publish.diff_why import CAUSES, Comparison, compare, why
from cbresearch.publish.run import run
from cbresearch.records import LANGUAGES
from cbresearch.study import open_study

Record = dict[str, Any]
HOSTILE = "<script>alert(1)</script>\x1b[31m\u202e{n}\ud800' onload=x"


def record(value: float | None = 60.0, half: float | None = 2.0, **more: Any) -> Record:
    """One number as findings.json keeps it, its interval `half` to either side."""
    has = value is not None and half is not None
    return {
        "report": "30_sat", "notebook": "30_sat", "parameters": {"lang": "zh"}, "measure": "sat",
        "group": {"wave": "2009"}, "name": {"zh": "满意度", "en": "Satisfaction"}, "value": value,
        "low": value - half if has else None, "high": value + half if has else None,
        "se": half / 2 if has else None, "n": 100, "unit": "points", "status": "published",
    } | more  # fmt: skip


def held_back(**more: Any) -> Record:
    return record(None, None, n=None, status="held back", **more)


def only(old: list[Record], new: list[Record]) -> Change:
    (change,) = diff(old, new)
    return change


def made_of(**more: Any) -> Record:
    """What run.json says of one report."""
    inputs = {
        "processed": {"residents": "d"},
        "study": "s",
        "seed": 1,
        "code": "c",
        "helpers": "h",
        "package": "p",
    }
    return {
        "notebook": "30_sat", "parameters": {"lang": "zh", "wave": 2009}, "status": "ok", "key": "k",
        "titles": {"zh": "满意度报告", "en": "On satisfaction"}, "inputs": inputs | more.pop("inputs", {}),
        "versions": {"pandas": "3.0"},
    } | more  # fmt: skip


@pytest.fixture
def left(tmp_path: Path) -> Callable[..., Path]:
    """A reports folder as a run leaves it."""

    def leaving(name: str, findings: list[Record], *, study: str = "tiny", job: Record | None = None) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        jobs = {"30_sat": job or made_of()}
        told: dict[str, Any] = {
            "findings.json": {"format": 2, "study": study, "findings": findings},
            "run.json": {
                "format": 2,
                "study": study,
                "jobs": jobs,
                "times": {"30_sat": {"finished": "2026-01-01"}},
            },
        }
        for file, content in told.items():
            (folder / file).write_text(json.dumps(content), encoding="utf-8")
        return folder

    return leaving


@pytest.fixture
def call(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    def calling(*words: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["cbresearch", "diff", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out + printed.err

    return calling


# --- by how much ----------------------------------------------------------------------------------


def test_a_move_is_measured_by_the_wider_margin() -> None:
    change = only([record(60, 2)], [record(63, 4)])
    assert (change.kind, change.difference, change.margin, change.margins) == ("measured", 3, 4, 0.75)
    assert not change.is_beyond and change.is_over(0.7)
    assert only([record(60, 2)], [record(63, 2)]).is_beyond


def test_a_count_has_no_margin() -> None:
    change = only([record(100, None)], [record(90, None)])
    assert (change.kind, change.difference, change.margins) == ("counted", -10, None)
    assert change.is_over(5), "what cannot be measured is not hidden"


@pytest.mark.parametrize(
    "old, new, told",
    [
        (record(-1, 0.5), record(1, 0.5), {"zero"}),
        (record(1, 2), record(3, 2), {"interval"}),
        (record(3, 2), record(1, 2), {"interval"}),
        (record(60, 2), record(60, 3), {"margin"}),
        (record(60, 2), record(60.5, 2.2), set()),
        (record(60), record(60, status="caution"), {"status"}),
        (record(3, None, unit="rank"), record(5, None, unit="rank"), {"rank"}),
        (record(None, None), record(60, 2), {"number"}),
        (record(group={"wave": "1", "verdict": "met"}), record(group={"wave": "1", "verdict": "not met"}), {"verdict"}),
    ],
    ids=["zero", "left", "reached", "margin", "nothing", "caution", "rank", "number", "verdict"],
)  # fmt: skip
def test_what_a_reader_must_not_overlook(old: Record, new: Record, told: set[str]) -> None:
    change = only([old], [new])
    assert {mark.what for mark in change.marks} == told
    assert change.kind in ("measured", "counted")
    for language in LANGUAGES:
        assert all(diff_words.mark(mark, change, language) for mark in change.marks)


def test_a_mark_keeps_a_small_move_above_the_threshold() -> None:
    assert only([record(-0.1, 5)], [record(0.1, 5)]).is_over(1)
    assert not only([record(60, 5)], [record(60.1, 5)]).is_over(1)


def test_another_order_of_adding_up_is_no_move() -> None:
    assert only([record(60)], [record(60 + 1e-12)]).kind == "unmoved"


def test_the_furthest_comes_first_and_what_is_in_one_run_last() -> None:
    def named(measure: str, value: float, half: float | None = 2) -> Record:
        return record(value, half, measure=measure)

    old = [named("a", 60), named("b", 60), named("c", 10, None), named("d", 1), named("e", 5)]
    new = [named("a", 61), named("b", 50), named("c", 20, None), named("e", 5), named("f", 1)]
    kinds = [(change.key.measure, change.kind) for change in diff(old, new)]
    assert kinds == [
        ("b", "measured"), ("a", "measured"), ("c", "counted"), ("d", "only in A"), ("f", "only in B"), ("e", "unmoved"),
    ]  # fmt: skip
    counts = count(diff(old, new))
    assert (counts.compared, counts.moved, counts.beyond, counts.only_in_a, counts.only_in_b) == (
        4,
        3,
        1,
        1,
        1,
    )


def test_a_number_shown_twice_is_one_number() -> None:
    twice = [record(60), record(60), record(50)]
    assert [change.kind for change in diff(twice, [record(50), record(60)])] == ["unmoved", "unmoved"]
    assert sorted(c.difference or 0 for c in diff(twice, [record(61), record(50)])) == [0, 1]


def test_numbers_of_one_name_are_told_apart() -> None:
    pair = [record(group={"wave": "2009"}), record(group={"wave": "2009", "target": "60"})]
    assert set(apart(diff(pair, pair)).values()) == {"target 60"}


# --- laws -----------------------------------------------------------------------------------------

NUMBERS = st.floats(-1e6, 1e6) | st.none()
RECORDS = st.lists(
    st.builds(
        record,
        NUMBERS,
        st.floats(0, 1e3) | st.none(),
        measure=st.sampled_from("abc"),
        unit=st.sampled_from(["points", "rank"]),
        group=st.sampled_from([{}, {"wave": "1"}, {"wave": "1", "verdict": "met"}]),
        status=st.sampled_from(["published", "caution", "held back"]),
    ),
    max_size=8,
)


@given(RECORDS)
def test_a_run_does_not_differ_from_itself(records: list[Record]) -> None:
    assert {change.kind for change in diff(records, records)} <= {"unmoved"}


@given(RECORDS, RECORDS)
def test_the_other_way_round_the_signs_turn(old: list[Record], new: list[Record]) -> None:
    turned = {"only in A": "only in B", "only in B": "only in A"}

    def told(changes: tuple[Change, ...], *, back: bool) -> list[str]:
        return sorted(
            str((c.key, turned.get(c.kind, c.kind) if back else c.kind, c.margin,
                 None if c.difference is None else (-c.difference if back else c.difference) + 0.0))
            for c in changes
        )  # fmt: skip

    assert told(diff(new, old), back=True) == told(diff(old, new), back=False)


@given(RECORDS, RECORDS, st.randoms())
def test_the_order_of_records_does_not_matter(old: list[Record], new: list[Record], chance: Any) -> None:
    shuffled = [chance.sample(records, len(records)) for records in (old, new)]
    assert diff(*shuffled) == diff(old, new)


@given(RECORDS, RECORDS)
def test_no_number_is_lost(old: list[Record], new: list[Record]) -> None:
    keys = {change.key for change in diff(old, new)}
    assert keys == numbered(old).keys() | numbered(new).keys()


# --- held back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
def test_what_one_run_holds_back_has_figures_in_neither(turned: bool, left: Callable[..., Path]) -> None:
    shown, secret = [record(61.2345, 7.6543, n=9876)], [held_back()]
    old, new = (secret, shown) if turned else (shown, secret)
    compared = compare(read_run(left("a", old)), read_run(left("b", new)))
    assert [change.kind for change in compared.changes] == ["gate"]
    said = diff_html(compared) + as_text(compared, everything=True) + repr(compared.changes)
    assert not any(digits in said for digits in ("61.2", "7.65", "9876", "53.5", "68.8"))
    assert "1 held back or released" in said


@pytest.mark.parametrize("status", ["held back", "secret", None, 3])
def test_figures_under_a_status_that_does_not_release_them_are_not_read(status: Any) -> None:
    (change,) = diff([record(61.2345, status=status)], [])
    assert change.old is not None and change.old.value is None and change.old.is_held_back


def test_a_twin_does_not_give_it_away() -> None:
    changes = diff([record(61), held_back()], [record(61)])
    assert [(change.kind, change.new and change.new.value) for change in changes] == [("gate", None)]


@pytest.mark.parametrize("turned", [False, True])
def test_what_another_table_holds_back_is_not_told_by_a_number_of_one_run_alone(turned: bool) -> None:
    group = {"wave": "2009", "community": "A2"}
    alone = record(61.2345, report="50_why", group=group | {"term": "shrunken"})
    other = record(70, report="50_why", group={"wave": "2009", "community": "B1"})
    old, new = [alone, other], [held_back(group=group)]
    changes = diff(new, old) if turned else diff(old, new)
    shown = [side.value for c in changes for side in (c.old, c.new) if side and side.value is not None]
    assert shown == [70]
    assert [c.key.group[0][1] for c in changes if c.is_hidden and c.key.report == "50_why"] == ["A2"]


# --- why ------------------------------------------------------------------------------------------

HERE = Made(
    "ok",
    "k1",
    {"residents": "1", "communities": "1"},
    "s",
    "n",
    "p",
    {"wave": "2009"},
    {"pandas": "3.0"},
    "2",
)


@pytest.mark.parametrize(
    "more, changed",
    [
        ({"data": {"residents": "2", "communities": "1"}}, ("data",)),
        ({"study": "t"}, ("study",)),
        ({"notebook": "m"}, ("notebook",)),
        ({"package": "q"}, ("package",)),
        ({"parameters": {"wave": "2008"}}, ("parameters",)),
        ({"versions": {"pandas": "3.1"}}, ("versions",)),
        ({"data": {"residents": "2"}, "package": "q"}, ("data", "package")),
        ({"notebook": None}, ("notebook",)),
        ({"data": {"residents": "1"}, "notebook": "m"}, ("notebook",)),
    ],
)
def test_all_that_changed_is_named(more: dict[str, Any], changed: tuple[str, ...]) -> None:
    assert why(HERE, replace(HERE, key="k2", **more)).changed == changed


def test_the_same_key_means_nothing_changed() -> None:
    assert why(HERE, HERE).changed == why(HERE, HERE).unknown == ()


def test_what_was_not_recorded_is_said_to_be_unknown() -> None:
    assert why(Made(), HERE).unknown == CAUSES
    other = Made(*(getattr(HERE, n) if n != "key" else "k2" for n in HERE.__slots__[:-1]), format="1")
    assert why(HERE, other).unknown == ("data", "study", "notebook", "package"), "hashed in another way"


def test_parameters_versions_and_tables_are_told_by_name(left: Callable[..., Path]) -> None:
    job = made_of(key="j", parameters={"lang": "en", "wave": 2008}, versions={"pandas": "3.1"},
                  inputs={"processed": {"residents": "e"}})  # fmt: skip
    a, b = left("a", [record(60)]), left("b", [record(63)], job=job)
    said = as_text(compare(read_run(a), read_run(b)))
    assert "1 finding compared, 1 moved (1 by more than their margin of error)" in said
    assert "because: data (1), parameters (1), versions of libraries (1)." in said
    assert "parameters: wave 2009 → 2008" in said and "pandas 3.0 → 3.1" in said and "data: residents" in said


def test_without_run_json_the_findings_are_still_compared(left: Callable[..., Path]) -> None:
    a, b = left("a", [record(60)]), left("b", [record(63)])
    for folder, content in ((a, None), (b, "{")):
        (folder / "run.json").unlink() if content is None else (folder / "run.json").write_text(content)
    said = as_text(compare(read_run(a), read_run(b)))
    assert "why is not recorded (1)" in said


def test_a_move_with_nothing_changed_is_said(left: Callable[..., Path]) -> None:
    said = as_text(compare(read_run(left("a", [record(60)])), read_run(left("b", [record(63)]))))
    assert "because: nothing recorded changed (1)." in said


def test_a_report_that_failed_explains_what_is_missing(left: Callable[..., Path]) -> None:
    a, b = left("a", [record(60)]), left("b", [], job=made_of(status="failed", key="j"))
    assert "the report is not complete there" in as_text(compare(read_run(a), read_run(b)), width=200)


# --- page, terminal, command ----------------------------------------------------------------------


def hostile(left: Callable[..., Path]) -> Comparison:
    given = {"name": {"zh": HOSTILE, "en": HOSTILE}, "unit": HOSTILE, "measure": HOSTILE}
    group = {HOSTILE: HOSTILE, "verdict": HOSTILE}
    job = made_of(key="j", parameters={HOSTILE: HOSTILE}, titles={"zh": HOSTILE, "en": HOSTILE})
    old = [
        record(60, group=group, **given),
        record(1, measure="gone", **{k: given[k] for k in ("name", "unit")}),
    ]
    new = [record(63, group={HOSTILE: HOSTILE, "verdict": "met"}, **given)]
    a, b = left("a", old, study=HOSTILE), left("b", new, study="other", job=job)
    return compare(read_run(a), read_run(b))


def test_hostile_words_stay_words(left: Callable[..., Path], tmp_path: Path) -> None:
    compared = hostile(left)
    page = diff_html(compared, everything=True)
    assert dangers(page) == [] and "&lt;script&gt;" in page
    assert len(Found(page).of("script")) == 1
    page.encode("utf-8")
    said = as_text(compared, everything=True)
    assert not {"\x1b", "\u202e", "\ud800"} & set(page + said)
    assert "two different studies" in said


def test_the_page_holds_both_languages_and_asks_for_nothing(left: Callable[..., Path]) -> None:
    page = diff_html(compare(read_run(left("a", [record(60)])), read_run(left("b", [record(63)]))))
    assert page.index('id="en" lang="en"') < page.index('class="tongue first" id="zh" lang="zh-Hans"')
    assert "default-src &#39;none&#39;" in page and dangers(page) == []
    assert "误差范围的1.50倍" in page and "1.50 of its margin" in page
    assert "满意度报告" in page and "On satisfaction" in page


def test_every_word_is_there_in_both_languages() -> None:
    tables: list[dict[Any, Any]] = [
        diff_words.DIFF_WORDS, diff_words.CAUSE_WORDS, diff_words.STATUS_WORDS, diff_words.MARK_WORDS, diff_words.UNITS,
    ]  # fmt: skip
    assert all(text.zh and text.en for table in tables for text in table.values())


@pytest.mark.parametrize(
    "value, grain, shown",
    [(60.123, 2.0, "60.1"), (-0.04, 2.0, "0.0"), (1234567.0, None, "1,234,567"), (0.05, None, "0.05"), (1e-14, None, "1e−14"),
     (-3.5, 1e9, "−4"), (1e300, None, "1e+300")],
)  # fmt: skip
def test_numbers_have_the_digits_their_margin_bears(value: float, grain: float | None, shown: str) -> None:
    assert diff_words.figure(value, grain, "en") == shown


def test_the_threshold_says_what_it_hides(
    call: Callable[..., tuple[int, str]], left: Callable[..., Path]
) -> None:
    a, b = left("a", [record(60)]), left("b", [record(60.5)])
    assert "0.25" in call(a, b)[1]
    exit_code, said = call(a / "findings.json", b, "--over", "0.5")
    assert exit_code == 0 and "1 more moved by no more than 0.5 margins of error" in said.replace("\n", " ")


def test_all_shows_what_did_not_move(call: Callable[..., tuple[int, str]], left: Callable[..., Path]) -> None:
    a, b = left("a", [record(60)]), left("b", [record(60)])
    exit_code, said = call(a, b)
    assert (exit_code, said) == (0, "1 finding compared, 0 moved (0 by more than their margin of error).\n")
    assert "Did not move" in call(a, b, "--all")[1]


def test_bad_input_is_told_and_ends_with_two(
    call: Callable[..., tuple[int, str]], left: Callable[..., Path], tmp_path: Path
) -> None:
    good = left("good", [])
    (tmp_path / "empty").mkdir()
    files = {"broken.json": "{", "list.json": "[]", "old.json": '{"format": 99, "findings": []}'}
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    told = {
        "none": "There is no", "empty": "has no findings.json", "broken.json": "is not JSON",
        "list.json": "is not a list of findings", "old.json": "has format 99",
    }  # fmt: skip
    for name, sentence in told.items():
        exit_code, said = call(good, tmp_path / name)
        assert exit_code == 2 and sentence in said, said
    exit_code, said = call(good, good, "--html", tmp_path / "empty")
    assert exit_code == 2 and "cannot be written" in said


def test_a_file_too_deep_to_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "findings.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(PublishError, match="is not JSON"):
        read_run(tmp_path)


def test_two_runs_of_one_workspace(call: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "now").mkdir()
    root = make_workspace(tmp_path / "now")
    run(open_study(root), only=["10_all"])
    shutil.copytree(root / "reports", tmp_path / "before")
    (source,) = GOOD[-1:]
    write_notebook(root, "10_all", *GOOD[:-1], code(source[1].replace("61.5", "64.5")))
    run(open_study(root), only=["10_all"])
    exit_code, said = call(tmp_path / "before", root, "--html", tmp_path / "moved.html")
    assert exit_code == 0
    assert "1 finding compared, 1 moved" in said and "because: notebook (1)." in said
    page = (tmp_path / "moved.html").read_text(encoding="utf-8")
    assert dangers(page) == [] and "+3" in page and "样例数据。" in page
