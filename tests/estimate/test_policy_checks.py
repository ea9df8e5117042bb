"""The policy's effect looked at in other ways: batch by batch, by other estimators, allowing for a trend apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cbresearch.estimate import policy
from cbresearch.estimate.policy import staggered
from cbresearch.estimate.questions.policy import NO_EARLIER, NO_POLICY, policy_effect, policy_smallest
from cbresearch.estimate.questions.policy_checks import policy_bends, policy_pairs, policy_paths
from cbresearch.records import Released, Unanswered
from cbresearch.study import Study
from cbresearch.study.file import Policy

AREAS = tuple("甲乙丙丁戊己庚辛")
POLICY = {"name": "grant", "label": {"zh": "补助", "en": "The grant"}, "reached": "grant_yuan"}
DATES = dict(zip(AREAS, (2008, 2008, 2008, 2009, 2009, 2009, None, None), strict=True))
Ask = Callable[[Study], list[Released] | Unanswered]
ASKED: list[Ask] = [policy_smallest, policy_pairs, policy_paths, policy_bends]


def granted(town: Study, root: Path, dates: dict[str, int | None], lift: float) -> Study:
    """The town with a grant from each date on; without it, satisfaction of a community would not have moved but by chance."""
    people, ledger = town.residents(), town.communities()
    date = people["community"].map(dates).astype("Float64")
    # by community and wave: what two draws of the same number never give again
    chance = people["community"].map({a: i for i, a in enumerate(AREAS)}) * 7 + people["wave"] * 3
    under = (people["wave"] >= date).fillna(False).astype(float)
    people["sat_overall_points"] = 40.0 + np.sin(chance.astype(float)) / 10 + lift * under
    from_wave = ledger["community"].map(dates).astype("Float64")
    ledger["grant_yuan"] = pd.array(
        np.where((ledger["wave"] >= from_wave).fillna(False), 50_000.0, np.nan), dtype="Float64"
    )
    file = town.file.model_copy(update={"policy": Policy.model_validate(POLICY)})
    study = replace(town, root=root, file=file)
    study.processed.mkdir(parents=True)
    people.to_parquet(study.processed / "residents.parquet")
    ledger.to_parquet(study.processed / "communities.parquet")
    return study


@pytest.fixture(scope="module")
def village(town: Study, tmp_path_factory: pytest.TempPathFactory) -> Study:
    return granted(town, tmp_path_factory.mktemp("checks"), DATES, 10.0)


def told(answer: list[Released] | Unanswered) -> list[Released]:
    assert isinstance(answer, list)
    return answer


def test_each_cohort_is_held_against_those_not_yet_reached(village: Study) -> None:
    released = told(policy_pairs(village))
    assert [(r.part("cohort"), r.part("side")) for r in released] == [
        (cohort, side) for cohort in ("2008", "2009") for side in ("reached", "not yet", "difference")
    ]
    for reached, other, difference in (released[:3], released[3:]):
        assert reached.value is not None and other.value is not None
        assert difference.value == pytest.approx(reached.value - other.value)
        assert difference.value == pytest.approx(10.0, abs=0.3)
        assert difference.low is not None and difference.low > 0
    # of 2008: three just reached against five, those of 2009 among them; of 2009: three against two
    assert [r.psus for r in released if r.part("side") == "difference"] == [8, 5]


def test_a_cohort_with_nobody_to_hold_against_says_so(town: Study, tmp_path: Path) -> None:
    dates = dict(zip(AREAS, (2008, 2008, 2008, 2008, 2009, 2009, 2009, None), strict=True))
    released = told(policy_pairs(granted(town, tmp_path, dates, 10.0)))
    late = [r for r in released if r.part("cohort") == "2009"]
    assert [(r.part("side"), r.status, r.value) for r in late] == [("difference", "held back", None)]


def test_every_method_finds_the_effect_that_was_put_in(village: Study) -> None:
    released = told(policy_paths(village))
    methods = {r.part("method") for r in released}
    assert methods == {"staggered", "interaction-weighted", "leads and lags", "imputation"}
    events = [int(r.part("event") or 0) for r in released]
    assert events == sorted(events) and set(events) == {-2, 0, 1}
    for record in released:
        assert record.value == pytest.approx(10.0 if (record.part("event") or "") >= "0" else 0.0, abs=0.3)


def test_without_the_never_reached_a_method_is_silent(town: Study, tmp_path: Path) -> None:
    dates = {area: 2008 if i < 4 else 2009 for i, area in enumerate(AREAS)}
    released = told(policy_paths(granted(town, tmp_path, dates, 10.0)))
    assert "interaction-weighted" not in {r.part("method") for r in released}


def test_bends_go_in_steps_that_can_be_said(village: Study) -> None:
    *bends, survives = told(policy_bends(village))
    steps = [float(r.part("bend") or "nan") for r in bends]
    assert steps[0] == 0 and [step / steps[1] for step in steps] == pytest.approx([0, 1, 2, 5])
    widths = [r.high - r.low for r in bends if r.high is not None and r.low is not None]
    assert len(widths) == 4 and widths == sorted(widths)
    assert survives.part("term") == "survives bends" and survives.unit == "points"


def test_the_smallest_effect_shrinks_with_chance(village: Study, town: Study, tmp_path: Path) -> None:
    (smallest,) = told(policy_smallest(village))
    effect = policy_effect(village).released
    assert isinstance(effect, list) and effect[0].value is not None and smallest.value is not None
    assert 0 < smallest.value < effect[0].value and smallest.unit == "points"


@pytest.mark.parametrize("ask", ASKED)
def test_without_a_policy_there_is_no_answer(ask: Ask, town: Study) -> None:
    assert ask(town) == Unanswered(ask.__name__, NO_POLICY)  # type: ignore[attr-defined]


def test_without_two_earlier_waves_no_trend_can_go_on(town: Study, tmp_path: Path) -> None:
    dates = {area: 2008 if i < 5 else None for i, area in enumerate(AREAS)}
    assert policy_bends(granted(town, tmp_path, dates, 1.0)) == Unanswered("policy_bends", NO_EARLIER)


def test_the_label_of_the_policy_is_the_study_s(village: Study, town: Study) -> None:
    assert village.label("grant").en == "The grant"
    assert town.label("grant").en == "grant"


def test_every_public_name_of_the_room_is_what_it_says() -> None:
    """Modules are named after the function they hold: the room must hand out the function."""
    assert callable(staggered) and list(policy.__all__) == sorted(policy.__all__)
    for name in policy.__all__:
        assert callable(getattr(policy, name)), name
