"""How far a policy's effect can be trusted: earlier trends, bounds, bands, dates dealt anew."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.policy.bands import critical_value, in_t
from cbresearch.estimate.policy.dates import deal_dates, deals
from cbresearch.estimate.policy.doubt import detectable, doubt, interval
from cbresearch.estimate.policy.honest import honest_bounds
from cbresearch.estimate.policy.path import Path
from cbresearch.estimate.policy.pretrends import power, pretrend
from cbresearch.estimate.policy.smooth import smooth_bounds

Z = stats.norm.ppf(0.975)
few = settings(max_examples=25)


def path(values: dict[int, float], se: dict[int, float] | None = None, df: float = 1e9) -> Path:
    """Independent points; standard error 1 where none is given."""
    events = tuple(values)
    spread = np.array([(se or {}).get(event, 1.0) for event in events])
    return Path(
        events, np.array(list(values.values())), np.diag(spread**2), np.full(len(events), df), df,
        tuple(10 + event for event in events), "by hand",
    )  # fmt: skip


# --- from influence to doubt ---------------------------------------------------------------------
def test_doubt_on_paper() -> None:
    """Influences -1, 1 and -2, 2 of four: plain (1+1+4+4)/16; each cohort of two doubles, df (2/8+1)²... = 1.47."""
    found = doubt(np.array([[-1.0], [1.0], [-2.0], [2.0]]), np.array([0, 0, 1, 1]), np.array([False]))
    assert found.plain[0] == pytest.approx(math.sqrt(10 / 16))
    assert found.variance[0, 0] == pytest.approx(20 / 16)
    # V_1 = 4/16, V_2 = 16/16, each on one degree of freedom
    assert found.df[0] == pytest.approx(1.25**2 / (0.25**2 + 1.0**2))


def test_no_interval_without_a_standard_error() -> None:
    assert all(
        math.isnan(x) for x in (interval(1.0, math.nan, 3).low, interval(1.0, 0.0, 3).p, detectable(0.0, 3))
    )
    assert detectable(1.0, 1e9) == pytest.approx(2.8016, abs=1e-3)


# --- earlier trends ------------------------------------------------------------------------------
def test_one_earlier_point_is_a_t_test_with_the_power_of_a_noncentral_t() -> None:
    found = pretrend(path({-2: 1.5, 0: 3.0}, {-2: 0.5}, df=6))
    assert (found.F, found.df1, found.df2) == (pytest.approx(9.0), 1, 6)
    assert found.p == pytest.approx(2 * stats.t.sf(3.0, 6))
    critical, away = stats.t.ppf(0.975, 6), found.slope_most / 0.5
    seen = stats.nct.sf(critical, 6, away) + stats.nct.cdf(-critical, 6, away)
    assert seen == pytest.approx(0.8, abs=1e-6)
    assert found.slope_half < found.slope_most
    assert "a trend of 1.7 a wave would have been seen four times in five" in found.sentence.en
    assert found.sentence.en.startswith("Communities moved apart before the policy (p = 0.024).")


def test_a_trend_not_seen_is_not_said_to_be_absent() -> None:
    found = pretrend(path({-3: 0.1, -2: -0.1, 0: 3.0, 1: 2.0}, df=9))
    assert found.sentence.en.startswith("No moving apart was seen before the policy (p = 0.99")
    assert "which is not to say that there was none" in found.sentence.en
    assert f"would by the last wave look like an effect of {2 * found.slope_most:.2g}" in found.sentence.en
    assert "但这不等于一致" in found.sentence.zh
    assert (found.events, found.communities, found.last) == ((-3, -2), 8, 1)


@few
@given(
    df2=st.floats(2, 60), ses=st.lists(st.floats(0.2, 5), min_size=1, max_size=3), wanted=st.floats(0.1, 3)
)
def test_power_grows_from_the_level_and_the_slope_told_has_it(
    df2: float, ses: list[float], wanted: float
) -> None:
    events = list(range(-1 - len(ses), -1))
    values = dict.fromkeys(events, 0.0) | {0: 1.0}
    found = pretrend(path(values, dict(zip(events, ses, strict=True)), df=df2 + len(ses) - 1))
    steps, variance = np.array(events) + 1.0, np.diag(np.square(ses))
    assert power(0.0, steps, variance, df2) == pytest.approx(0.05, abs=1e-9)
    assert power(found.slope_half, steps, variance, df2) == pytest.approx(0.5, abs=1e-6)
    assert power(found.slope_most, steps, variance, df2) == pytest.approx(0.8, abs=1e-6)
    assert power(wanted * 1.5, steps, variance, df2) >= power(wanted, steps, variance, df2) - 1e-12


@pytest.mark.parametrize("df2", [2.0, 49.0])
def test_a_trend_too_large_to_miss_has_a_power(df2: float) -> None:
    steps, variance = np.array([-3.0, -2.0, -1.0]), np.diag([4.0, 0.04, 1.0])
    found = [power(slope, steps, variance, df2) for slope in (3.0, 3.7, 3.8, 10.0, 1e4)]
    assert found == sorted(found) and found[-1] == pytest.approx(1.0)


def test_no_earlier_points_no_test() -> None:
    found = pretrend(path({0: 1.0}))
    assert math.isnan(found.p) and found.method == "no test: no earlier points"
    assert found.sentence.en.startswith("No earlier waves to compare")
    lost = path({-2: 1.0, 0: 1.0})
    assert math.isnan(pretrend(replace(lost, variance=np.diag([np.nan, 1.0]))).p)


# --- bounds: relative magnitudes -------------------------------------------------------------------
def test_relative_magnitudes_on_paper() -> None:
    """The largest step before is 1 (from -2 to the base). Event 0 has taken one step, event 1 two."""
    made = path({-2: 1.0, 0: 5.0, 1: 6.0}, {0: 2.0, 1: 3.0})
    first = honest_bounds(made, departures=[0, 1, 2], event=0)
    assert first.table[["set_low", "set_high"]].to_numpy() == pytest.approx(
        np.array([[5, 5], [4, 6], [3, 7]])
    )
    # ends are 5 ± M x (point at -2, se 1): variance 2² + M²
    far = [Z * math.sqrt(4 + m**2) for m in (0, 1, 2)]
    assert first.table["low"].tolist() == pytest.approx([5 - far[0], 4 - far[1], 3 - far[2]], abs=1e-6)
    assert first.table["high"].tolist() == pytest.approx([5 + far[0], 6 + far[1], 7 + far[2]], abs=1e-6)
    assert first.breakdown_of_set == pytest.approx(5.0, abs=1e-6)
    # 5 - m = z sqrt(4 + m²)
    m = first.breakdown
    assert 5 - m == pytest.approx(Z * math.sqrt(4 + m**2), abs=1e-5)
    assert (
        first.sentence.en == f"The finding survives departures up to {m:.2g} times the largest step before."
    )
    second = honest_bounds(made, departures=[1], event=1)
    assert (second.bounds[0].set_low, second.bounds[0].set_high) == (pytest.approx(4), pytest.approx(8))
    both = honest_bounds(made, departures=[1])
    assert (both.value, both.bounds[0].set_low) == (pytest.approx(5.5), pytest.approx(5.5 - 1.5))


def test_what_is_not_seen_at_all_survives_nothing() -> None:
    found = honest_bounds(path({-2: 1.0, 0: 0.5}))
    assert (found.breakdown, found.breakdown_of_set) == (0.0, pytest.approx(0.5))
    assert found.sentence.en.startswith(
        "Even had communities moved alike without the policy, these data show no effect"
    )
    assert honest_bounds(path({-2: 0.0, 0: 50.0}, {-2: 1e-9})).breakdown == math.inf


@few
@given(
    values=st.lists(st.floats(-5, 5), min_size=5, max_size=5),
    k=st.floats(0.1, 10),
    m=st.floats(0, 3),
    df=st.floats(2, 50),
)
def test_bounds_are_symmetric_scale_and_never_shrink(
    values: list[float], k: float, m: float, df: float
) -> None:
    made = path(dict(zip((-3, -2, 0, 1, 2), values, strict=True)), df=df)
    a, b = honest_bounds(made, departures=[m, m + 0.5]).bounds
    assert a.low <= a.set_low <= a.set_high <= a.high
    assert (b.low <= a.low + 1e-9) and (b.high >= a.high - 1e-9)
    turned = honest_bounds(replace(made, values=-made.values), departures=[m]).bounds[0]
    assert (turned.low, turned.high) == (pytest.approx(-a.high), pytest.approx(-a.low))
    scaled = replace(made, values=k * made.values, variance=k**2 * made.variance)
    assert honest_bounds(scaled, departures=[m]).bounds[0].low == pytest.approx(k * a.low)


def test_a_union_of_limits_covers_the_truth_at_the_edge_of_what_is_allowed() -> None:
    """The departure after steps exactly as far as the largest before, the worst that M = 1 allows."""
    rng = np.random.default_rng(4)
    before, effect = {-3: 1.0, -2: 2.0}, 3.0  # steps +1, -2: the largest is 2
    held = 0
    for _ in range(200):
        seen = {e: v + rng.normal() for e, v in (before | {0: effect + 2.0}).items()}
        bound = honest_bounds(path(seen), departures=[1.0]).bounds[0]
        held += bound.low <= effect <= bound.high
    assert held / 200 >= 0.95


@pytest.mark.parametrize(
    ("made", "options", "said"),
    [
        (path({0: 1.0}), {}, "The path has no earlier point besides the base"),
        (path({-2: 0.0, 0: 1.0}), {"event": 3}, "No event 3 since the start; the path has 0."),
        (path({-2: 0.0, 0: 1.0}), {"departures": [-1.0]}, "expected numbers that are not negative"),
    ],
)
def test_bounds_that_cannot_be_had(made: Path, options: dict[str, object], said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        honest_bounds(made, **options)  # type: ignore[arg-type]


# --- bounds: smoothness ----------------------------------------------------------------------------
def test_a_straight_trend_is_taken_out_on_paper() -> None:
    """From -2 to the base it fell by 1, so without the policy event 0 would stand at -1: the effect is 5 + 1."""
    found = smooth_bounds(path({-2: 1.0, 0: 5.0}, {0: 2.0}), bends=[0, 1])
    none, one = found.bounds
    assert (none.set_low, none.set_high) == (pytest.approx(6), pytest.approx(6))
    assert (none.low, none.high) == (pytest.approx(6 - Z * math.sqrt(5)), pytest.approx(6 + Z * math.sqrt(5)))
    assert (one.set_low, one.set_high) == (pytest.approx(5), pytest.approx(7))
    # 95 % of |N(1, 5)| lies within the reach
    reach = (one.high - one.low) / 2
    covered = stats.norm.cdf(reach, 1, math.sqrt(5)) - stats.norm.cdf(-reach, 1, math.sqrt(5))
    assert covered == pytest.approx(0.95, abs=1e-6)


def test_bends_before_that_are_not_allowed_leave_no_set() -> None:
    """Points 2, 0, 0 (the base) bend by 2 at -2."""
    found = smooth_bounds(path({-3: 2.0, -2: 0.0, 0: 5.0}), bends=[1, 2])
    assert math.isnan(found.bounds[0].set_low)
    # with a bend of 2 the departure is level up to the base, then may rise or fall by 2
    assert (found.bounds[1].set_low, found.bounds[1].set_high) == (pytest.approx(3), pytest.approx(7))


@few
@given(values=st.lists(st.floats(-5, 5), min_size=4, max_size=4), slope=st.floats(-5, 5))
def test_a_straight_trend_changes_no_smooth_interval(values: list[float], slope: float) -> None:
    events = (-3, -2, 0, 1)
    one = smooth_bounds(path(dict(zip(events, values, strict=True))), bends=[0, 0.5])
    moved = [value + slope * (event + 1) for event, value in zip(events, values, strict=True)]
    other = smooth_bounds(path(dict(zip(events, moved, strict=True))), bends=[0, 0.5])
    assert other.table[["low", "high"]].to_numpy() == pytest.approx(
        one.table[["low", "high"]].to_numpy(), abs=1e-4
    )


def test_a_smooth_interval_covers_at_the_largest_bend() -> None:
    """The centre is a sum of the points, whose weights one more at each point tells; so coverage is exact."""
    # slope 1 up to the base, bending by 0.5 there and at 0, and an effect of 2
    seen = {-3: -2.0, -2: -1.0, 0: 1.5 + 2.0, 1: 3.5 + 2.0}

    def centre(values: dict[int, float]) -> float:
        bound = smooth_bounds(path(values), bends=[0.5]).bounds[0]
        return (bound.low + bound.high) / 2

    bound = smooth_bounds(path(seen), bends=[0.5]).bounds[0]
    half, bias = (bound.high - bound.low) / 2, centre(seen) - 2.0
    weights = [centre(seen | {e: value + 1.0}) - centre(seen) for e, value in seen.items()]
    se = math.sqrt(sum(w**2 for w in weights))
    assert abs(bias) > 0.1
    assert stats.norm.cdf(half, bias, se) - stats.norm.cdf(-half, bias, se) >= 0.95 - 1e-6


def test_with_few_degrees_of_freedom_a_straight_trend_has_the_t_interval() -> None:
    """What is allowed more is never surer: the interval only grows with the bend."""
    found = smooth_bounds(path({-2: 1.0, 0: 5.0}, df=2.0), bends=[0, 0.1, 0.5, 1, 5])
    reach = float(stats.t.ppf(0.975, 2)) * math.sqrt(2)
    assert (found.bounds[0].low, found.bounds[0].high) == (pytest.approx(6 - reach), pytest.approx(6 + reach))
    widths = [bound.high - bound.low for bound in found.bounds]
    assert widths == sorted(widths) and len(set(widths)) == 5


def test_what_nothing_undoes_is_said_in_words() -> None:
    for found in (
        honest_bounds(path({-2: 0.0, 0: 50.0}, {-2: 1e-9})),
        smooth_bounds(path({-2: 0.0, 0: 1e6}), bends=[0.0]),
    ):
        assert found.breakdown == math.inf
        assert "tried" in found.sentence.en and "试过" in found.sentence.zh
        assert "inf" not in found.sentence.en + found.sentence.zh


def test_how_much_bending_a_finding_survives() -> None:
    found = smooth_bounds(path({-2: 0.0, 0: 9.0}), bends=[0.0])
    at = smooth_bounds(path({-2: 0.0, 0: 9.0}), bends=[found.breakdown]).bounds[0]
    assert at.low == pytest.approx(0.0, abs=1e-4)
    assert f"bending by up to {found.breakdown:.2g} a wave" in found.sentence.en
    assert smooth_bounds(path({-2: 0.0, 0: 1.0}), bends=[0.0]).sentence.en.startswith(
        "If the trend apart before went on"
    )


# --- bands and dates -------------------------------------------------------------------------------
def test_a_band_of_one_point_is_the_normal_and_copies_add_nothing() -> None:
    influence = np.random.default_rng(1).normal(size=(400, 1))
    one = critical_value(influence, draws=20_000)
    assert one == pytest.approx(Z, abs=0.06)
    assert critical_value(np.hstack([influence, 3 * influence]), draws=20_000) == pytest.approx(one)
    assert critical_value(influence, multiplier="Mammen", draws=20_000) == pytest.approx(Z, abs=0.08)


def test_a_band_of_unrelated_points_is_that_of_independent_normals() -> None:
    influence = np.random.default_rng(2).normal(size=(400, 5))
    sidak = stats.norm.ppf(1 - (1 - 0.95 ** (1 / 5)) / 2)
    assert critical_value(influence, draws=20_000) == pytest.approx(sidak, abs=0.08)
    assert math.isnan(critical_value(np.zeros((10, 2))))


def test_a_band_speaks_t_where_communities_are_few() -> None:
    assert in_t(2.5, 1e9) == pytest.approx(2.5, abs=1e-6)
    assert in_t(float(Z), 3) == pytest.approx(
        3.18245, abs=1e-5
    )  # the table's t.975 with 3 degrees of freedom
    assert in_t(1.9, 3) == in_t(float(Z), 3)
    assert math.isnan(in_t(math.nan, 3)) and math.isnan(in_t(2.0, math.nan))


def test_every_deal_keeps_the_sizes_and_comes_once() -> None:
    cohort = np.array([0, 0, 1, 2, 2])
    dealt, exact = deals(cohort, 100, seed=1)
    assert exact and len(dealt) == 30  # 5! / (2! 1! 2!)
    assert len(np.unique(dealt, axis=0)) == 30
    assert (np.sort(dealt, axis=1) == cohort).all()
    drawn, exact = deals(np.repeat([0, 1, 2], 10), 50, seed=1)
    assert not exact and (np.sort(drawn, axis=1) == np.repeat([0, 1, 2], 10)).all()


def test_drawn_deals_come_near_to_all_of_them() -> None:
    change = np.array([3.0, 1.0, 2.0, 0.0, 0.5, -1.0, 0.2, 1.5, 0.1, -0.4, 0.9, 1.1])
    cohort = np.repeat([1, 2], 6)

    def of(values: np.ndarray) -> object:
        return lambda dealt: (
            ((dealt == 1) * values).mean(axis=1) * 2 - ((dealt == 2) * values).mean(axis=1) * 2
        )

    treated = (cohort == 1).astype(float)
    whole = deal_dates(cohort, of(change), of(treated), draws=1_000)  # type: ignore[arg-type]
    drawn = deal_dates(cohort, of(change), of(treated), draws=900)  # type: ignore[arg-type]
    assert (whole.exact, whole.deals, drawn.exact) == (True, 924, False)
    assert drawn.p == pytest.approx(whole.p, abs=4 * math.sqrt(whole.p * (1 - whole.p) / 900))
    assert drawn.low == pytest.approx(whole.low, abs=0.3)
    assert whole.low < change[:6].mean() - change[6:].mean() < whole.high
