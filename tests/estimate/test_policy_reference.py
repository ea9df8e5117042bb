"""The policy estimators against R, on a synthetic panel kept beside the numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from cbresearch.estimate.policy.event_study import event_study, interaction_weighted
from cbresearch.estimate.policy.group_time import Base, Compared
from cbresearch.estimate.policy.imputation import imputation
from cbresearch.estimate.policy.staggered import PolicyEffect, Staggered, staggered
from cbresearch.estimate.policy.two_by_two import two_by_two
from cbresearch.estimate.policy.two_way import two_way
from cbresearch.records import Estimate

REFERENCE = Path(__file__).parents[1] / "reference"
R: Any = json.loads((REFERENCE / "did_panel.json").read_text(encoding="utf-8"))
WHERE: dict[str, Any] = {"community": "community", "wave": "wave", "adoption": "first_wave"}
DESIGNS: dict[str, tuple[Compared, Base]] = {
    "never_varying": ("never", "varying"),
    "never_universal": ("never", "universal"),
    "notyet_varying": ("not yet", "varying"),
}


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-8)


def read(name: str) -> pd.DataFrame:
    frame = pd.read_csv(REFERENCE / f"did_panel_{name}.csv")
    return frame.assign(first_wave=frame["first_wave"].astype("Int64").mask(frame["first_wave"] == 0))


@pytest.fixture(scope="module")
def means() -> pd.DataFrame:
    return read("means")


@pytest.fixture(scope="module", params=DESIGNS)
def did(request: pytest.FixtureRequest, means: pd.DataFrame) -> tuple[Staggered, Any]:
    compared, base = DESIGNS[request.param]
    found = staggered(means, "satisfaction", compared=compared, base=base, draws=99, **WHERE)
    return found, R["callaway_santanna"][request.param]


def same(estimate: Estimate, row: Any) -> None:
    assert estimate.value == close(row["beta"])
    assert (estimate.se, estimate.df, estimate.p) == (close(row["se"]), close(row["df"]), close(row["p"]))


def same_effect(effect: PolicyEffect, row: Any) -> None:
    assert effect.estimate.value == close(row["att"])
    assert effect.se_plain == close(row["se"])


def test_two_by_two_of_means(means: pd.DataFrame) -> None:
    found = two_by_two(means, "satisfaction", before=5, after=6, **WHERE)
    same(found.estimate, R["two_by_two"]["CR2"])
    (never_before, never_after), (reached_before, reached_after) = R["two_by_two"]["cell_means"]["values"]
    assert list(found.table["before"]) == [close(reached_before), close(never_before)]
    assert list(found.table["after"]) == [close(reached_after), close(never_after)]
    dealt = R["two_by_two"]["randomisation_inference"]
    assert (found.dealt.exact, found.dealt.deals, found.dealt.p) == (True, dealt["n"], dealt["p_two_sided"])


def test_two_by_two_of_residents() -> None:
    found = two_by_two(read("residents"), "satisfaction", before=5, after=6, **WHERE)
    same(found.estimate, R["two_by_two_residents"]["CR2"])
    assert found.estimate.n == R["two_by_two_residents"]["n"]


def test_a_staggered_two_by_two_is_welch_on_changes(means: pd.DataFrame) -> None:
    frame = means[(means["first_wave"] != 4).fillna(True) & means["wave"].isin([5, 6])]
    found, r = staggered(frame, "satisfaction", **WHERE), R["two_by_two"]["welch_on_changes"]
    answer = found.overall.estimate
    assert (answer.se, answer.df, answer.p) == (close(r["se"]), close(r["df"]), close(r["p"]))
    assert found.dealt.p == R["two_by_two"]["randomisation_inference"]["p_two_sided"]


@pytest.mark.parametrize(
    ("weights", "name"), [(None, "twfe_static"), ("n", "twfe_static_weighted_by_n")], ids=["plain", "by n"]
)
def test_two_way_fixed_effects(means: pd.DataFrame, weights: str | None, name: str) -> None:
    same(two_way(means, "satisfaction", weights=weights, **WHERE).estimate, R[name]["CR2"])


def test_leads_and_lags(means: pd.DataFrame) -> None:
    found, r = event_study(means, "satisfaction", **WHERE), R["twfe_event_study"]
    for point, row in zip(found.points, r["CR2"], strict=True):
        same(point.estimate, row)
    htz = r["pretrend_wald_CR2_HTZ"]
    tested = found.pretrend
    assert (tested.F, tested.df1, tested.df2, tested.p) == (
        close(htz["F"]), htz["df1"], close(htz["df2"]), close(htz["p"])
    )  # fmt: skip


def test_effects_by_cohort_and_wave(did: tuple[Staggered, Any]) -> None:
    found, r = did
    effects = {(e.cohort, e.wave): e for e in found.of("cohort and wave")}
    assert len(effects) == len(r["att_gt"])
    for row in r["att_gt"]:
        same_effect(effects[row["group"], row["t"]], row)


def test_aggregates_with_the_influence_of_shares(did: tuple[Staggered, Any]) -> None:
    found, r = did
    same_effect(found.overall, r["simple"])
    for aggregation, name in (("event average", "dynamic_overall"), ("cohort average", "group_overall")):
        same_effect(found.of(aggregation)[0], r[name])  # type: ignore[arg-type]
    for aggregation, attribute, name, key in (
        ("event", "event", "dynamic", "e"), ("cohort", "cohort", "group", "group"), ("calendar", "wave", "calendar", "t"),
    ):  # fmt: skip
        effects = {getattr(e, attribute): e for e in found.of(aggregation)}  # type: ignore[arg-type]
        assert set(effects) == {row[key] for row in r[name]}
        for row in r[name]:
            same_effect(effects[row[key]], row)


def test_interaction_weighted(means: pd.DataFrame) -> None:
    found = interaction_weighted(means, "satisfaction", **WHERE)
    rows = R["sun_abraham"]["event"]
    assert [(p.event, p.estimate.value) for p in found.points] == [(r["e"], close(r["att"])) for r in rows]


def test_of_one_cohort_two_ways_to_the_same_doubt(means: pd.DataFrame) -> None:
    """CR2 of a saturated regression and influence functions raised by n/(n-1) are the same variance."""
    regression = interaction_weighted(means, "satisfaction", **WHERE).points
    by_influence = staggered(means, "satisfaction", compared="never", draws=99, **WHERE).of("event")
    of_one = {-5, -4, 3, 4}
    for point, effect in zip(regression, by_influence, strict=True):
        assert point.event == effect.event
        assert point.estimate.value == close(effect.estimate.value)
        if point.event in of_one:
            assert point.estimate.se == close(effect.estimate.se)


def test_imputation(means: pd.DataFrame) -> None:
    found, r = imputation(means, "satisfaction", **WHERE), R["imputation"]
    assert found.overall.value == close(r["att"])
    assert [e.value for e in found.by_event] == [close(row["att"]) for row in r["by_event"]]
    assert (found.treated_cells, found.left_out) == (r["n_treated_cells"], 0)
