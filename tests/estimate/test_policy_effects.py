"""Effects of a policy: by hand, by laws that hold for any data, and against a known truth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate.policy.event_study import event_study, interaction_weighted
from cbresearch.estimate.policy.imputation import imputation
from cbresearch.estimate.policy.staggered import Staggered, staggered
from cbresearch.estimate.policy.two_by_two import two_by_two
from cbresearch.estimate.policy.two_way import two_way

WHERE: dict[str, Any] = {"community": "community", "wave": "wave", "adoption": "first"}


def table(first: list[int | None], values: list[list[float]], start: int = 1) -> pd.DataFrame:
    """A row per community and wave."""
    rows = [
        (f"c{i:02}", start + t, date, value)
        for i, (date, line) in enumerate(zip(first, values, strict=True))
        for t, value in enumerate(line)
    ]
    return pd.DataFrame(rows, columns=["community", "wave", "first", "y"]).astype({"first": "Int64"})


def town(seed: int, effect: float = 0.0, growth: float = 0.0, noise: float = 3.0) -> pd.DataFrame:
    """Means like those of the sample study: 8 communities reached in 2007, 7 in 2008, 4 in 2009, 4 never; the poorest first."""
    rng = np.random.default_rng(seed)
    first = np.array([2007] * 8 + [2008] * 7 + [2009] * 4 + [9999] * 4)
    waves = np.arange(2006, 2010)
    level = np.linspace(50, 70, 23) + rng.normal(0, 5, 23)
    since = waves - first[:, None]
    y = level[:, None] + np.array([0.0, 1.0, 2.5, 2.0]) + rng.normal(0, noise, (23, 4))
    y += np.where(since >= 0, effect + growth * since, 0.0)
    dates = [int(date) if date < 9999 else None for date in first]
    return table(dates, y.tolist(), start=2006)


def by(found: Staggered, aggregation: Any, attribute: str = "event") -> dict[Any, float]:
    return {getattr(e, attribute): e.estimate.value for e in found.of(aggregation)}


# --- by hand -----------------------------------------------------------------------------------
PAPER = table(
    [2, 2, 3, 3, None, None],
    [[10, 14, 16], [20, 24, 26], [10, 11, 15], [30, 31, 35], [10, 11, 12], [40, 41, 42]],
)


def test_two_by_two_on_paper() -> None:
    """Changes 6, 4 against 1, 1: 5 - 1 = 4. Of six deals, only the real one and its mirror give as much: p = 2/6."""
    frame = table([2, 2, None, None], [[50, 56], [40, 44], [60, 61], [30, 31]])
    found = two_by_two(frame, "y", before=1, after=2, **WHERE)
    assert found.estimate.value == pytest.approx(4.0)
    assert (found.dealt.p, found.dealt.deals, found.dealt.exact) == (pytest.approx(2 / 6), 6, True)
    assert found.table["change"].tolist() == pytest.approx([5.0, 1.0])
    # Welch on changes: se = sqrt(2/2 + 0/2)
    assert found.estimate.se == pytest.approx(1.0)
    assert found.design.verdict == "label"


def test_cohorts_and_aggregates_on_paper() -> None:
    """Never reached: +1, +1. Cohort 2: 4 - 1 = 3, then 6 - 2 = 4; cohort 3: 4 - 1 = 3, and before -1 + 1 = 0."""
    found = staggered(PAPER, "y", compared="never", **WHERE)
    effects = {(e.cohort, e.wave): e.estimate.value for e in found.of("cohort and wave")}
    assert effects == {
        (2, 2): pytest.approx(3), (2, 3): pytest.approx(4), (3, 1): pytest.approx(0), (3, 3): pytest.approx(3),
    }  # fmt: skip
    assert found.overall.estimate.value == pytest.approx(10 / 3)
    assert by(found, "event") == {-2: pytest.approx(0), 0: pytest.approx(3), 1: pytest.approx(4)}
    assert by(found, "cohort", "cohort") == {2: pytest.approx(3.5), 3: pytest.approx(3)}
    assert by(found, "calendar", "wave") == {2: pytest.approx(3), 3: pytest.approx(3.5)}
    assert found.of("cohort average")[0].estimate.value == pytest.approx(3.25)
    assert found.of("event average")[0].estimate.value == pytest.approx(3.5)
    assert found.of("event")[1].communities == 4


def test_where_all_are_reached_in_the_end_the_later_serve_the_earlier() -> None:
    """Without the never reached: cohort 2 against cohort 3 in wave 2 is 4 - 1 = 3, and nothing else can be had."""
    frame = PAPER[PAPER["first"].notna()]
    found = staggered(frame, "y", **WHERE)
    assert {(e.cohort, e.wave) for e in found.of("cohort and wave")} == {(2, 2)}
    assert found.overall.estimate.value == pytest.approx(3)
    with pytest.raises(EstimateError, match="nothing can be compared with 'never'; use 'not yet'"):
        staggered(frame, "y", compared="never", **WHERE)
    with pytest.raises(EstimateError, match="cohorts have no path to be held against"):
        interaction_weighted(frame, "y", **WHERE)


def test_filling_in_on_paper() -> None:
    """All move by 1 a wave without the policy, so the treated have 3, 4 and 3 beyond it."""
    found = imputation(PAPER, "y", **WHERE)
    assert found.overall.value == pytest.approx(10 / 3)
    assert found.table["estimate"].tolist() == pytest.approx([10 / 3, 3, 4])
    assert (found.treated_cells, found.left_out) == (6, 0)


def test_what_cannot_be_filled_in_is_counted() -> None:
    """In wave 3 nobody is without the policy: only cohort 2 in wave 2 is left, by 4 - 1 = 3."""
    found = imputation(PAPER[PAPER["first"].notna()], "y", **WHERE)
    assert (found.treated_cells, found.left_out) == (2, 4)
    assert found.overall.value == pytest.approx(3)


def test_growing_effects_turn_the_sign_of_two_way_weights() -> None:
    """Goodman-Bacon's case: reached in waves 2 and 4 of 4, nobody never. The early ones late enter with a minus."""
    since = np.arange(1, 5) - np.array([[2], [2], [4], [4]])
    frame = table([2, 2, 4, 4], np.where(since >= 0, 1.0 + 3.0 * since, 0.0).tolist())
    found = two_way(frame, "y", **WHERE)
    # waves 2 and 3 of the early count +, wave 4 of theirs -, wave 4 of the late +: of 8 treated cells 2 are turned
    assert found.negative == pytest.approx(2 / 8)
    assert "25% of the effects enter with a minus sign" in found.note.en
    assert found.estimate.value < staggered(frame, "y", **WHERE).overall.estimate.value


def test_a_cohort_of_one_has_a_value_and_no_standard_error() -> None:
    frame = table([2, 3, 3, None, None], [[1, 5, 6], [1, 2, 7], [2, 3, 9], [1, 2, 4], [2, 4, 4]])
    found = staggered(frame, "y", compared="never", **WHERE)
    alone = {e.cohort: e.estimate for e in found.of("cohort")}
    assert alone[2].value == pytest.approx(((4 - 1.5) + (5 - 2.5)) / 2)
    assert math.isnan(alone[2].se) and math.isnan(alone[2].p)
    assert alone[3].se > 0
    assert math.isnan(found.smallest_effect)
    assert found.dealt.p > 0
    assert "dates dealt anew: p = " in found.sentence.en and "interval" not in found.sentence.en


def test_the_sentence_says_what_was_seen_and_what_could_have_been() -> None:
    seen = staggered(town(1, effect=8.0), "y", draws=499, **WHERE)
    assert seen.sentence.en.startswith("Communities changed otherwise once the policy had come: +")
    assert seen.sentence.zh.startswith("享受政策的社区，变化与别处不同：平均+")
    unseen = staggered(town(2), "y", draws=499, **WHERE)
    assert unseen.sentence.en.startswith("These data cannot tell an effect of the policy: ")
    assert f"An effect of about {unseen.smallest_effect:.2g}, in the unit" in unseen.sentence.en
    assert unseen.smallest_effect > 2.8 * unseen.overall.estimate.se
    assert unseen.design.verdict == "label" and unseen.note == unseen.design.note


def test_bands_hold_all_points_and_are_wider_than_intervals() -> None:
    found = staggered(town(3), "y", draws=999, **WHERE)
    for effect in (*found.of("event"), *found.of("cohort and wave")):
        assert effect.band_low < effect.estimate.low < effect.estimate.high < effect.band_high
    assert math.isnan(found.overall.band_low)
    mammen = staggered(town(3), "y", draws=999, multiplier="Mammen", **WHERE)
    assert mammen.of("event")[0].band_high == pytest.approx(found.of("event")[0].band_high, rel=0.15)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"compared": "always"}, "No such choice: 'always'; expected 'never' or 'not yet'"),
        ({"base": "first"}, "No such choice: 'first'; expected 'universal' or 'varying'"),
        ({"multiplier": "Rademacher"}, "No multiplier is called 'Rademacher'; expected 'Mammen' or 'Webb'"),
    ],
)
def test_unknown_choices(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        staggered(town(1), "y", draws=99, **WHERE, **wrong)


# --- laws --------------------------------------------------------------------------------------
seeds = st.integers(0, 10_000)
few = settings(max_examples=15)


def numbers(found: Staggered) -> Any:
    return found.table[["estimate", "se", "df", "se_plain", "band_low", "band_high"]].to_numpy()


@few
@given(seed=seeds, shift=st.floats(-50, 50), k=st.floats(0.1, 20))
def test_levels_do_not_matter_and_scale_only_scales(seed: int, shift: float, k: float) -> None:
    frame = town(seed, effect=2.0)
    by_community = frame["community"].str[1:].astype(int) * shift
    moved = frame.assign(y=k * (frame["y"] + by_community + shift * frame["wave"] % 7))
    one, other = (staggered(f, "y", draws=49, **WHERE) for f in (frame, moved))
    k_of_columns = np.array([k, k, 1, k, k, k])
    assert numbers(other) == pytest.approx(numbers(one) * k_of_columns, rel=1e-6, abs=1e-8, nan_ok=True)
    assert other.dealt.p == one.dealt.p


@few
@given(seed=seeds, k=st.floats(0.01, 100))
def test_the_order_of_rows_and_the_unit_of_weights_do_not_matter(seed: int, k: float) -> None:
    frame = town(seed).assign(w=np.random.default_rng(seed).uniform(0.5, 2, 92))
    other = frame.sample(frac=1, random_state=seed).assign(w=lambda f: f["w"] * k)
    found = [staggered(f, "y", weights="w", count_residents=True, draws=49, **WHERE) for f in (frame, other)]
    assert numbers(found[0]) == pytest.approx(numbers(found[1]), rel=1e-8, nan_ok=True)


@few
@given(seed=seeds, effect=st.floats(-20, 20))
def test_an_effect_added_to_the_treated_is_found_and_moves_every_interval(seed: int, effect: float) -> None:
    none, some = (staggered(town(seed, effect=e), "y", draws=199, **WHERE) for e in (0.0, effect))
    assert some.overall.estimate.value == pytest.approx(none.overall.estimate.value + effect)
    assert some.dealt.low == pytest.approx(none.dealt.low + effect, abs=1e-5)
    assert some.dealt.high == pytest.approx(none.dealt.high + effect, abs=1e-5)


@few
@given(seed=seeds)
def test_estimators_that_must_agree_do(seed: int) -> None:
    frame = town(seed, effect=1.0)
    two = frame[frame["wave"] <= 2007]
    answer = staggered(two, "y", draws=49, **WHERE).overall.estimate
    square = two_by_two(two, "y", before=2006, after=2007, draws=49, **WHERE).estimate
    assert (square.value, square.se) == (pytest.approx(answer.value), pytest.approx(answer.se))
    assert two_way(two, "y", **WHERE).estimate.value == pytest.approx(answer.value)
    assert two_way(two, "y", **WHERE).negative == 0
    assert imputation(two, "y", **WHERE).overall.value == pytest.approx(answer.value)
    assert event_study(two, "y", **WHERE).points[0].estimate.se == pytest.approx(answer.se)
    saturated = interaction_weighted(frame, "y", **WHERE)
    events = staggered(frame, "y", compared="never", draws=49, **WHERE).of("event")
    assert [p.estimate.value for p in saturated.points] == pytest.approx([e.estimate.value for e in events])


@few
@given(seed=seeds)
def test_residents_and_their_means_tell_the_same(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = town(seed)
    people = frame.loc[frame.index.repeat(5)].reset_index(drop=True)
    people = people.assign(y=people["y"] + rng.normal(0, 20, len(people)), w=rng.uniform(0.2, 3, len(people)))
    total = people.assign(wy=people["w"] * people["y"]).groupby(["community", "wave"])[["w", "wy"]].sum()
    means = frame.drop(columns="y").merge((total["wy"] / total["w"]).rename("y").reset_index())
    one = staggered(people, "y", weights="w", draws=49, **WHERE)
    other = staggered(means, "y", draws=49, **WHERE)
    assert numbers(one) == pytest.approx(numbers(other), nan_ok=True)
    assert (one.overall.estimate.n, other.overall.estimate.n) == (len(people), len(means))


@few
@given(seed=seeds)
def test_small_samples_never_get_a_smaller_standard_error(seed: int) -> None:
    frame = staggered(town(seed), "y", draws=49, **WHERE).table
    assert (frame["se"] >= frame["se_plain"]).all()
    assert (frame["df"] > 0).all() and (frame["df"] <= 23 - 4).all()


@few
@given(seed=seeds, shift=st.floats(-3, 3))
def test_a_trend_apart_is_what_earlier_points_show(seed: int, shift: float) -> None:
    """A straight trend of the reached, without noise: event e shows (e + 1) times its slope."""
    frame = town(seed, noise=0.0)
    apart = frame["first"].notna().to_numpy() * shift * (frame["wave"] - 2006)
    for point in event_study(frame.assign(y=frame["y"] + apart), "y", **WHERE).points:
        assert point.estimate.value == pytest.approx((point.event + 1) * shift, abs=1e-8)


def test_without_the_never_reached_leads_and_lags_take_a_second_base() -> None:
    frame = town(5)
    found = event_study(frame[frame["first"].notna()], "y", **WHERE)
    assert [p.event for p in found.points] == [-2, 0, 1, 2]
    assert "3 waves before is set to zero as well" in found.note.en


# --- a known truth -------------------------------------------------------------------------------
def test_over_many_towns_the_truth_comes_out_and_intervals_cover_it() -> None:
    """Effect 2 in the first wave, 1 more in each: over treated cells (19 first, 15 second, 8 third waves) 2.738."""
    truth = (19 * 2 + 15 * 3 + 8 * 4) / 42
    found = [staggered(town(seed, effect=2.0, growth=1.0), "y", draws=49, **WHERE) for seed in range(100)]
    answers = np.array([f.overall.estimate.value for f in found])
    within = 4 * answers.std(ddof=1) / 10
    assert abs(answers.mean() - truth) < within
    events = np.array([[e.estimate.value for e in f.of("event")] for f in found])
    for column, true in zip(events.T, (0.0, 0.0, 2.0, 3.0, 4.0), strict=True):
        assert abs(column.mean() - true) < 4 * column.std(ddof=1) / 10
    covered = np.mean([f.overall.estimate.low < truth < f.overall.estimate.high for f in found])
    assert covered >= 0.88  # nominal 0.95; below this once in a thousand runs
    ratio = np.mean([f.overall.estimate.se for f in found]) / answers.std(ddof=1)
    assert 0.85 < ratio < 1.45
    filled = np.array([imputation(town(seed, 2.0, 1.0), "y", **WHERE).overall.value for seed in range(100)])
    assert abs(filled.mean() - truth) < 4 * filled.std(ddof=1) / 10


def test_dealing_dates_rejects_a_true_null_as_often_as_it_says() -> None:
    p = np.array([staggered(town(seed), "y", draws=99, seed=seed, **WHERE).dealt.p for seed in range(200)])
    assert (p <= 0.05).mean() < 0.05 + 4 * math.sqrt(0.05 * 0.95 / 200)
    assert abs((p <= 0.5).mean() - 0.5) < 4 * math.sqrt(0.25 / 200)
