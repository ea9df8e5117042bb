"""Gaps, priorities, what matters and Kano classes: by hand, against the estimators, and where nothing was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from village import people, rated, said, study_of, told

from cbresearch.codebook import Question
from cbresearch.estimate.disclosure import too_few
from cbresearch.estimate.questions import needs
from cbresearch.estimate.questions.common import NO_OUTCOME, Told
from cbresearch.measure import derived_importance_performance, relative_importance
from cbresearch.measure.priorities import Item
from cbresearch.records import Released, Text, Unanswered
from cbresearch.study import Study

ASKED: list[Callable[[Study], Told]] = [
    needs.priorities, needs.mend_first, needs.what_matters, needs.kano_classes,
    lambda study: Told(needs.gap_by_item(study), Text("", "")),
    lambda study: Told(needs.by_two_divisions(study), Text("", "")),
]  # fmt: skip
IDS = ["priorities", "mend_first", "what_matters", "kano_classes", "gap_by_item", "by_two_divisions"]
N = 400


def pairs(kind: str) -> list[dict[str, str]]:
    return [{"kind": kind, "first": "first", "second": "second"}]


def paired(first: Iterable[str], second: Iterable[str], role: str = "outcome") -> list[Question]:
    asked = [rated(name, "first", "importance") for name in first]
    return [*asked, *(rated(name, "second", role) for name in second)]


def spread(*counts: tuple[float, int]) -> np.ndarray:
    """So many answers of each kind, dealt in turns so that no order is left."""
    listed = np.repeat([value for value, _ in counts], [count for _, count in counts])
    return np.random.default_rng(1).permutation(listed)


def test_gaps_by_hand_are_named_after_what_was_expected(tmp_path: Path) -> None:
    first = {"exp_a": np.full(N, 5.0), "exp_b": np.full(N, 3.0)}
    # half find 3 of 5 and half find 4: 37.5 points short; b is met on average
    second = {"per_a": spread((3.0, 200), (4.0, 200)), "per_b": spread((2.0, 100), (3.0, 200), (4.0, 100))}
    questions = paired(first, second)
    found = told(needs.gap_by_item(study_of(tmp_path, people(first | second), questions, pairs=pairs("gap"))))
    assert [(r.measure, r.value, r.unit, r.part("gap")) for r in found] == [
        ("exp_a_points", -37.5, "points", "perceived"), ("exp_b_points", 0.0, "points", "perceived"),
    ]  # fmt: skip
    assert found[0].p_adjusted is not None and found[0].p_adjusted < 0.001
    assert found[1].p_adjusted == pytest.approx(1.0)


def services(**few: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Three services: a matters and does badly, b matters and does well, c does neither."""
    importance = {"imp_a": spread((5.0, 300), (4.0, 100)), "imp_b": spread((5.0, 300), (4.0, 100)), "imp_c": spread((1.0, 300), (2.0, 100))}  # fmt: skip
    performance = {"sat_a": spread((1.0, 300), (2.0, 100)), "sat_b": spread((5.0, 300), (4.0, 100)), "sat_c": spread((1.0, 300), (2.0, 100))}  # fmt: skip
    for name, answered in few.items():
        importance[f"imp_{name}"] = np.where(np.arange(N) < answered, importance[f"imp_{name}"], np.nan)
    return importance, performance


def at(found: list[Released], measure: str, axis: str, quadrant: str | None = None) -> float | None:
    (record,) = [r for r in found if (r.measure, r.part("axis"), r.part("quadrant")) == (measure, axis, quadrant)]  # fmt: skip
    return record.value


def test_priorities_by_hand(tmp_path: Path) -> None:
    first, second = services()
    study = study_of(tmp_path, people(first | second), paired(first, second), pairs=pairs("importance"))
    answer = needs.priorities(study)
    found = told(answer.released)
    assert at(found, "sat_a_points", "importance") == pytest.approx(93.75)
    assert at(found, "sat_a_points", "performance") == pytest.approx(6.25)
    assert at(found, "sat_a_points", "probability", "concentrate") == 100.0
    assert at(found, "sat_b_points", "probability", "keep_up") == 100.0
    assert at(found, "sat_c_points", "probability", "low_priority") == 100.0
    assert said(answer.sentence).en == "To be mended first: the sat_a item (chance over 99%)."


def test_a_service_that_too_few_answered_is_held_back_and_counts_for_nothing(tmp_path: Path) -> None:
    first, second = services(c=9)
    study = study_of(tmp_path, people(first | second), paired(first, second), pairs=pairs("importance"))
    answer = needs.priorities(study)
    held = [r for r in told(answer.released) if r.measure == "sat_c_points"]
    assert [(r.status, r.value, r.n, r.reason) for r in held] == [("held back", None, None, too_few(10))] * 2
    assert at(told(answer.released), "sat_a_points", "importance") == pytest.approx(93.75)
    strict = study.file.disclosure.model_copy(update={"minimum_cell": 401})
    none = needs.priorities(replace(study, file=study.file.model_copy(update={"disclosure": strict})))
    assert none.released == Unanswered("priorities", needs.NO_PAIRS["importance"])


def outcome_of_two(n: int = N) -> dict[str, np.ndarray]:
    """Two services that know nothing of each other: 1 or 5 in every combination alike; the whole follows a alone, mostly."""
    rows = np.array([(a, b) for a in (1.0, 5.0) for b in (1.0, 5.0)] * (n // 4))
    whole = np.where(np.arange(n) % 40 < 36, rows[:, 0], 3.0)
    return {"whole": whole, "a": rows[:, 0], "b": rows[:, 1]}


def test_unrelated_services_share_by_their_own_correlations(tmp_path: Path) -> None:
    items = outcome_of_two()
    study = study_of(
        tmp_path, people(items), [rated(name, "s") for name in items], reporting={"headline": "whole"}
    )
    answer = needs.what_matters(study)
    r = np.corrcoef([items["whole"], items["a"], items["b"]])[0, 1:]
    found = {record.measure: record for record in told(answer.released)}
    assert found["a_points"].value == pytest.approx(100 * r[0] ** 2)
    assert found["b_points"].value == pytest.approx(100 * r[1] ** 2, abs=1e-9)
    assert (found["a_points"].unit, found["a_points"].part("matters"), found["a_points"].n) == ("percent of differences", "lmg", N)  # fmt: skip
    assert "the a item carries" in said(answer.sentence).en
    both = told(needs.by_two_divisions(study))
    johnson = {record.measure: record.value for record in both if record.part("matters") == "johnson"}
    # of unrelated drivers both ways tell the same
    assert johnson == pytest.approx({name: record.value for name, record in found.items()}, abs=1e-9)


def test_many_services_are_divided_by_johnson_alone(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    items = {"whole": rng.integers(1, 6, N).astype(float)}
    items |= {f"q{i}": rng.integers(1, 6, N).astype(float) for i in range(15)}
    study = study_of(tmp_path, people(items), [rated(name, "s") for name in items])
    assert {r.part("matters") for r in told(needs.by_two_divisions(study))} == {"johnson"}


@pytest.mark.parametrize("n, column", [(96, None), (400, "a")], ids=["few answers", "all alike"])
def test_nothing_matters_where_nothing_can_be_told(tmp_path: Path, n: int, column: str | None) -> None:
    items = outcome_of_two(n)
    items |= {column: np.full(n, 3.0)} if column else {}
    study = study_of(tmp_path, people(items), [rated(name, "s") for name in items])
    assert needs.what_matters(study).released == Unanswered("what_matters", needs.TOO_FEW_ITEMS)
    assert needs.by_two_divisions(study) == Unanswered("what_matters", needs.TOO_FEW_ITEMS)


def test_what_residents_state_and_what_moves_them_need_not_agree(tmp_path: Path) -> None:
    """They say that a matters; what satisfies them as a whole is b, and both do badly; c does well."""
    rng = np.random.default_rng(3)
    second = {"sat_a": rng.integers(1, 4, N) * 1.0, "sat_b": rng.integers(1, 4, N) * 1.0, "sat_c": rng.integers(4, 6, N) * 1.0}  # fmt: skip
    first = {"imp_a": spread((5.0, 300), (4.0, 100)), "imp_b": spread((1.0, 300), (2.0, 100)), "imp_c": spread((1.0, 300), (2.0, 100))}  # fmt: skip
    whole = {"whole": np.where(rng.random(N) < 0.9, second["sat_b"], 3.0)}
    questions = [*paired(first, second), rated("whole", "third")]
    study = study_of(
        tmp_path, people(first | second | whole), questions, pairs=pairs("importance"), reporting={"headline": "whole"}
    )  # fmt: skip
    answer = needs.mend_first(study)
    assert said(answer.sentence).en == (
        "By importance as residents state it alone: the sat_a item. By importance as worked out alone: the sat_b item."
    )
    chances = {(r.measure, r.part("importance")): r.value for r in told(answer.released)}
    items = [Item(f"sat_{x}_points", f"sat_{x}_points", f"imp_{x}_points") for x in "abc"]
    found = derived_importance_performance(
        study.residents(), items, "whole_points", weights="weight", draws=needs.DRAWS, seed=study.file.study.seed
    )  # fmt: skip
    assert {place.item: 100 * place.concentrate for place in found.items} == pytest.approx(
        {item.name: chances[item.name, "derived"] for item in items}
    )
    assert chances["sat_a_points", "stated"] == 100.0


def test_kano_by_hand(tmp_path: Path) -> None:
    # who would like it (1) and dislike its absence (5) wants more of it; who does not mind (3) either way is indifferent
    first = {"with_a": spread((1.0, N)), "with_b": spread((3.0, N)), "with_c": np.where(np.arange(N) < 9, 1.0, np.nan)}  # fmt: skip
    second = {"without_a": spread((5.0, N)), "without_b": spread((3.0, N)), "without_c": spread((5.0, N))}
    study = study_of(tmp_path, people(first | second), paired(first, second), pairs=pairs("kano"))
    found = [(r.measure, r.part("class"), r.value) for r in told(needs.kano_classes(study).released)]
    assert found == [
        ("with_a", "one-dimensional", 100.0), ("with_b", "indifferent", 100.0), ("with_c", "unknown", None),
    ]  # fmt: skip


@pytest.mark.parametrize("ask", ASKED, ids=IDS)
def test_a_study_that_did_not_ask_says_so(ask: Callable[[Study], Told], town: Study, hamlet: Study) -> None:
    for study in (town, hamlet):
        found = ask(study).released
        assert isinstance(found, Unanswered)
        assert found.reason.zh.endswith("。") and found.reason.en.endswith(".")


def test_a_study_without_an_outcome_says_so(tmp_path: Path) -> None:
    first, second = services()
    questions = paired(first, second, "performance")
    study = study_of(tmp_path, people(first | second), questions, pairs=pairs("importance"))
    assert needs.mend_first(study).released == Unanswered("mend_first", NO_OUTCOME)
    assert needs.what_matters(study).released == Unanswered("what_matters", NO_OUTCOME)


@pytest.mark.parametrize("ask, name", list(zip(ASKED, IDS, strict=True)), ids=IDS)
def test_the_sample_study_answers_all_but_kano(ask: Callable[[Study], Told], name: str, chengbei: Study) -> None:  # fmt: skip
    found = ask(chengbei).released
    if name == "kano_classes":
        assert found == Unanswered("kano", needs.NO_PAIRS["kano"])
        return
    assert {record.status for record in told(found)} == {"published"}


def test_the_sample_study_agrees_with_the_estimator(chengbei: Study) -> None:
    frame = chengbei.residents()
    here = frame[frame["wave"] == 2009].reset_index(drop=True)
    drivers = [f"{q.name}_points" for q in chengbei.codebook.items("satisfaction")]
    found = relative_importance(
        here, "sat_overall_points", drivers, weights="weight", cluster="community", draws=needs.DRAWS,
        seed=chengbei.file.study.seed,
    )  # fmt: skip
    values = {record.measure: record.value for record in told(needs.what_matters(chengbei).released)}
    assert values == pytest.approx({one.driver: 100 * one.part for one in found.drivers})
    assert pd.Series(values).idxmax() == "sat_property_points"
