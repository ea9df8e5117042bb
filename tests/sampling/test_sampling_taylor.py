"""Stages, intervals, ratios, quantiles, groups, crossed questions and ranks: by hand, as laws, in what they refuse."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.sampling.crosstab import crosstab
from cbresearch.sampling.descriptive import (
    contrast,
    deft,
    design_effect,
    mean,
    mean_by,
    share,
    share_by,
    total,
)
from cbresearch.sampling.design import Design, covariance, draw, spread
from cbresearch.sampling.joint import group_means
from cbresearch.sampling.quantiles import median, quantile, quantile_by
from cbresearch.sampling.ranks import rank_test
from cbresearch.sampling.ratios import ratio, ratio_by
from cbresearch.sampling.wald import wald

PLAIN = Design()
FULL = Design(weights="w", psu="g", strata="h", lonely="centre")


def frame(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


def town(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return frame(
        y=rng.normal(size=60), x=rng.uniform(1, 3, 60), w=rng.uniform(0.2, 5, 60), h=rng.integers(0, 3, 60),
        g=rng.integers(0, 6, 60), i=rng.integers(0, 4, 60), a=rng.choice(list("xyz"), 60),
        b=rng.choice(["no", "yes"], 60), f1=np.full(60, 0.3), f2=np.full(60, 0.6),
    )  # fmt: skip


towns = st.integers(0, 2**32 - 1).map(town)
few = settings(deadline=None, max_examples=15)


# Stages


def test_two_stages_by_hand() -> None:
    # 2 of 4 districts, in each 2 of 4 schools: a school stands for 4
    data = frame(y=[1.0, 3.0, 5.0, 7.0], d=list("AABB"), s=[1, 2, 1, 2], N=[4] * 4, M=[4] * 4, w=[4.0] * 4)
    found = total(data, "y", Design(weights="w", psu=("d", "s"), fpc=("N", "M")))
    # districts 16 and 48 about 32: (1 - 1/2) 2/1 (256 + 256) = 512
    # schools 4, 12 about 8 and 20, 28 about 24: 1/2 (1 - 1/2) 2/1 (32 + 32) = 32
    assert (found.value, found.se, found.df) == (64.0, pytest.approx(math.sqrt(512 + 32)), 1.0)


def test_three_stages_by_hand() -> None:
    data = frame(
        y=[0.0, 2.0, 4.0, 6.0, 8.0, 10.0, 12.0, 14.0], d=[1, 1, 1, 1, 2, 2, 2, 2], s=[1, 1, 2, 2] * 2, r=range(8),
        f=[0.5] * 8,
    )  # fmt: skip
    found = total(data, "y", Design(psu=("d", "s", "r"), fpc=("f", "f", "f")))
    # 12, 44 about 28: 1/2 2 (256 + 256) = 512; 2, 10 about 6 and 18, 26 about 22: 1/4 2 (32 + 32) = 32;
    # pairs 2 apart, four times: 1/8 2 (1 + 1) = 1/2 each
    assert found.se == pytest.approx(math.sqrt(512 + 32 + 2))


@given(data=towns)
@few
def test_a_second_stage_drawn_whole_or_unknown_adds_nothing(data: pd.DataFrame) -> None:
    one = mean(data, "y", Design(psu="g", fpc="f1"))
    whole = mean(data.assign(f2=1.0), "y", Design(psu=("g", "i"), fpc=("f1", "f2")))
    assert (whole.se, whole.df) == pytest.approx((one.se, one.df), rel=1e-9)
    replaced = mean(data, "y", Design(psu=("g", "i")))
    assert replaced.se == pytest.approx(mean(data, "y", Design(psu="g")).se, rel=1e-9)


@given(data=towns)
@few
def test_a_second_stage_can_only_add(data: pd.DataFrame) -> None:
    one = mean(data, "y", Design(psu="g", fpc="f1"))
    both = mean(data, "y", Design(psu=("g", "i"), fpc=("f1", "f2"), lonely="centre"))
    assert both.se > one.se


@pytest.mark.parametrize("lonely", ["centre", "average", "certainty"])
@pytest.mark.parametrize("stages", [1, 2])
@given(data=towns)
@few
def test_covariance_is_spread_and_bends_as_a_square_does(
    lonely: str, stages: int, data: pd.DataFrame
) -> None:
    psu, fpc = (("g", "i"), ("f1", "f2")) if stages == 2 else ("g", "f1")
    # one stratum with one PSU
    data = data.assign(h=np.where(data.index < 3, 9, data["h"]), g=np.where(data.index < 3, 1, data["g"]))
    sample = draw(data, Design(psu=psu, strata="h", fpc=fpc, lonely=lonely))  # type: ignore[arg-type]
    z = np.random.default_rng(len(data)).normal(size=(60, 3)) * data["w"].to_numpy()[:, None]
    found = covariance(sample, z)
    everybody = np.zeros(60, dtype=np.int64)
    assert np.diag(found) == pytest.approx([spread(sample, c, everybody, 1).variance[0] for c in z.T])
    assert found == pytest.approx(found.T)
    mixed = np.array([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]])
    assert covariance(sample, z @ mixed) == pytest.approx(mixed.T @ found @ mixed)


def test_a_stratum_drawn_whole_is_not_lonely() -> None:
    data = frame(y=[1.0, 2.0, 4.0], h=["a", "a", "b"], N=[10, 10, 1])
    found = total(data, "y", Design(strata="h", fpc="N"))
    # (1 - 2/10) 2/1 (1/4 + 1/4), and nothing from b
    assert found.se == pytest.approx(math.sqrt(0.8))


def test_a_psu_with_a_single_unit_of_several_is_refused_by_name() -> None:
    data = frame(y=[1.0, 2.0, 4.0], d=["A", "A", "B"], s=[1, 2, 1], f=[0.5] * 3)
    with pytest.raises(
        EstimateError, match=r"In 1 units of 'd' a single unit of the next stage was drawn \(B\)"
    ):
        mean(data, "y", Design(psu=("d", "s"), fpc=("f", "f")))
    alone = mean(data.assign(f2=[0.5, 0.5, 1.0]), "y", Design(psu=("d", "s"), fpc=("f", "f2")))
    assert alone.se > 0


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda d: Design(fpc=("a", "b"), psu="g"), "speaks of 2 stages and psu='g' of 1; name the units"),
        (lambda d: draw(d, Design(psu=("d", "s"), fpc=("N", "M"))), "'M' says that a PSU holds fewer units"),
        (lambda d: draw(d, Design(psu=("d", "s"), fpc=("N", "s"))), "'s' differs inside a PSU; it is the number of units"),
        (lambda d: draw(d, Design(psu=("d", "ss"))), "no column 'ss'"),
        (lambda d: covariance(draw(d, PLAIN), np.ones(4)), r"influence has shape \(4,\); expected 4 rows"),
    ],
    ids=["stages", "fewer", "differs", "column", "influence"],
)  # fmt: skip
def test_designs_that_do_not_fit_are_refused(call: object, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(frame(d=[1, 1, 2, 2], s=[1, 2, 3, 4], N=[9] * 4, M=[1.5] * 4))  # type: ignore[operator]


# Shares


def test_intervals_where_everybody_says_the_same() -> None:
    data = frame(a=["yes"] * 20)
    logit = share(data, "a", PLAIN, "yes")
    assert math.isnan(logit.low) and logit.method == "no interval: every answer is the same"
    found = share(data, "a", PLAIN, "yes", interval="korn-graubard")
    # Clopper and Pearson: 0.025^(1/20)
    assert (found.low, found.high) == (pytest.approx(0.025 ** (1 / 20)), 1.0)
    assert found.method == "Taylor linearisation, Korn-Graubard interval"
    z2 = stats.norm.ppf(0.975) ** 2
    score = share(data, "a", PLAIN, "no", interval="wilson")
    assert (score.low, score.high) == (0.0, pytest.approx(z2 / (20 + z2)))
    assert math.isnan(share(data, "a", PLAIN, "no", interval="beta").high)


def test_few_psus_widen_the_interval_also_where_nothing_varies() -> None:
    data = frame(a=["yes"] * 20, g=np.arange(20) // 5)
    found = share(data, "a", Design(psu="g"), "yes", interval="korn-graubard")
    n = 20 * (stats.t.ppf(0.975, 19) / stats.t.ppf(0.975, 3)) ** 2
    assert found.low == pytest.approx(0.025 ** (1 / n))
    one_psu = share(data.assign(g=1), "a", Design(psu="g"), "yes", interval="korn-graubard")
    assert math.isnan(one_psu.low) and one_psu.method == "no interval: a single PSU"


def test_wilson_solves_its_own_equation() -> None:
    found = share(town(3), "b", FULL, "yes", interval="wilson")
    adjusted = (stats.t.ppf(0.975, found.n - 1) / stats.t.ppf(0.975, found.df)) ** 2
    n = min(found.value * (1 - found.value) / found.se**2 * adjusted, found.n)
    for limit in (found.low, found.high):
        z = (found.value - limit) / math.sqrt(limit * (1 - limit) / n)
        assert abs(z) == pytest.approx(stats.norm.ppf(0.975))


@given(data=towns, name=st.sampled_from(["logit", "korn-graubard", "beta", "wilson"]))
@few
def test_every_interval_stays_inside_and_turns_with_the_answer(data: pd.DataFrame, name: str) -> None:
    yes, no = (share(data, "b", FULL, code, interval=name) for code in ("yes", "no"))  # type: ignore[arg-type]
    assert 0 <= yes.low < yes.value < yes.high <= 1
    assert (yes.low, yes.high) == pytest.approx((1 - no.high, 1 - no.low))


@given(data=towns)
@few
def test_korn_graubard_is_never_shorter_than_wilson(data: pd.DataFrame) -> None:
    for one, other in zip(
        share_by(data, "b", "a", FULL, ["yes"], interval="korn-graubard"),
        share_by(data, "b", "a", FULL, ["yes"], interval="wilson"),
        strict=True,
    ):
        assert one.high - one.low >= (other.high - other.low) - 1e-12


def test_an_unknown_interval_is_refused() -> None:
    with pytest.raises(
        EstimateError,
        match=r"is called 'korn-graubart'; expected one of 'logit', .*Did you mean 'korn-graubard'",
    ):
        share(frame(a=["x", "y"]), "a", PLAIN, "x", interval="korn-graubart")  # type: ignore[arg-type]


# Design effects


def test_drawing_without_replacement_is_measured_against_the_same() -> None:
    data = frame(y=[1.0, 2.0, 4.0, 7.0], w=[2.5] * 4, N=[10] * 4)
    design = Design(weights="w", fpc="N")
    assert design_effect(data, "y", design, against="without replacement") == pytest.approx(1.0)
    assert design_effect(data, "y", design) == pytest.approx(1 - 4 / 10)
    assert deft(data, "y", design) == pytest.approx(math.sqrt(0.6))


def test_scaled_weights_are_no_population() -> None:
    data = frame(y=[1.0, 2.0, 4.0])
    with pytest.raises(EstimateError, match="The weights of 3 people sum to 3, so they are no population"):
        design_effect(data, "y", PLAIN, against="without replacement")
    with pytest.raises(EstimateError, match="expected 'with replacement' or 'without replacement'"):
        design_effect(data, "y", PLAIN, against="srs")  # type: ignore[arg-type]


# Ratios


def test_a_ratio_by_hand() -> None:
    found = ratio(frame(y=[2.0, 4.0], x=[1.0, 3.0]), "y", "x", PLAIN)
    # R = 6/4; residuals 1/2 and -1/2 over 4: 2/1 * 2/64
    assert (found.value, found.se, found.measure) == (1.5, pytest.approx(0.25), "y / x")


def test_a_ratio_over_nothing_is_said() -> None:
    data = frame(y=[1.0, 2.0, 3.0, None], x=[1.0, -1.0, 2.0, 1.0], a=["p", "p", "q", "q"])
    found = ratio_by(data, "y", "x", "a", PLAIN)
    assert math.isnan(found[0].value) and found[0].method == "no ratio: 'x' sums to 0"
    assert (found[1].value, found[1].n) == (1.5, 1)


@given(data=towns, k=st.floats(0.1, 10))
@few
def test_a_ratio_over_ones_is_a_mean_and_units_cancel(data: pd.DataFrame, k: float) -> None:
    one, other = mean(data, "y", FULL), ratio(data.assign(one=1), "y", "one", FULL)
    assert (other.value, other.se, other.low) == pytest.approx((one.value, one.se, one.low))
    plain = ratio(data, "y", "x", FULL)
    scaled = ratio(data.assign(y=data["y"] * k, x=data["x"] * k), "y", "x", FULL)
    assert (scaled.value, scaled.se) == pytest.approx((plain.value, plain.se))


# Quantiles


def test_a_median_by_hand() -> None:
    found = quantile(frame(y=np.arange(1.0, 101.0)), "y", 0.5, PLAIN)
    # F(50) = 1/2, se = sqrt(1/4 / 99), t(.975, 99) = 1.984217: shares 0.40029 and 0.59971
    assert (found.value, found.low, found.high) == (50.0, 41.0, 60.0)
    assert found.se == pytest.approx(19 / (2 * 1.984217), rel=1e-6)


def test_the_two_rules_differ_at_a_tie_only() -> None:
    data = frame(y=[1.0, 2.0, 3.0, 4.0], w=[0.1] * 4)
    assert median(data, "y", Design(weights="w")).value == 2.5
    assert median(data, "y", PLAIN, rule="math").value == 2.0
    assert quantile(data, "y", 0.6, PLAIN, rule="school").value == 3.0


def test_limits_beyond_the_answers_are_said() -> None:
    found = median(frame(y=[1.0, 2.0, 3.0, 4.0]), "y", PLAIN)
    assert math.isnan(found.low) and math.isnan(found.se)
    assert found.method == "no lower and upper limit: it lies beyond the answers"
    top = quantile(frame(y=[1.0, 2.0, 3.0]), "y", 0.9, PLAIN)
    assert (top.value, top.method) == (3.0, "no interval: nobody answered above it")
    nobody = median(frame(y=[None, None], g=[1, 2]).astype({"y": float}), "y", PLAIN)
    assert math.isnan(nobody.value) and nobody.method == "nobody answered"


def test_people_of_weight_zero_are_no_quantile() -> None:
    data = frame(y=[-9.0, 1.0, 2.0, 3.0], w=[0.0, 1.0, 1.0, 1.0])
    assert quantile(data, "y", 0.01, Design(weights="w")).value == 1.0


@given(data=towns, a=st.floats(-5, 5), b=st.floats(0.1, 10), q=st.floats(0.2, 0.8), seed=st.integers(0, 99))
@few
def test_quantiles_follow_units_and_forget_order(
    data: pd.DataFrame, a: float, b: float, q: float, seed: int
) -> None:
    one = quantile(data, "y", q, FULL)
    other = quantile(data.assign(y=a + b * data["y"]).sample(frac=1, random_state=seed), "y", q, FULL)
    assert (other.value, other.low, other.high, other.se) == pytest.approx(
        (a + b * one.value, a + b * one.low, a + b * one.high, b * one.se), nan_ok=True, abs=1e-9
    )


@given(data=towns)
@few
def test_quantiles_rise_and_each_group_alone_is_what_all_together_say(data: pd.DataFrame) -> None:
    low, high = quantile_by(data, "y", 0.3, "a", FULL), quantile_by(data, "y", 0.7, "a", FULL)
    for one, other in zip(low, high, strict=True):
        assert one.value <= other.value
        alone = quantile(data, "y", 0.3, FULL, where=data["a"] == one.group[0][1])
        assert (alone.value, alone.low, alone.high, alone.df) == pytest.approx(
            (one.value, one.low, one.high, one.df), nan_ok=True
        )


def test_every_fault_of_a_quantile_is_told_at_once() -> None:
    with pytest.raises(EstimateError) as error:
        quantile(frame(y=[1.0]), "y", 50, PLAIN, rule="hf7")  # type: ignore[arg-type]
    assert str(error.value) == (
        "quantile() cannot be had: q = 50 is no share of people; expected a number above 0 and below 1; "
        "no rule is called 'hf7'; expected 'math' or 'school'."
    )


# Groups


@given(data=towns)
@few
def test_a_contrast_of_two_groups_is_the_one_of_descriptive(data: pd.DataFrame) -> None:
    groups = group_means(data, "y", "a", FULL)
    one = groups.contrast({"z": 1, "x": -1})
    other = contrast(data, "y", FULL, first=data["a"] == "z", second=data["a"] == "x")
    assert (one.value, one.se, one.df, one.p, one.n) == pytest.approx(
        (other.value, other.se, other.df, other.p, other.n)
    )
    by = mean_by(data, "y", "a", FULL)
    assert list(groups.table["se"]) == pytest.approx(list(np.sqrt(np.diag(groups.covariance))))
    assert [e.value for e in by] == [e.value for e in groups.estimates]


@given(data=towns)
@few
def test_whether_groups_are_equal_does_not_hang_on_the_first(data: pd.DataFrame) -> None:
    one = group_means(data, "y", "a", FULL).equal()
    other = group_means(data.replace({"a": {"x": "zz"}}), "y", "a", FULL).equal()
    assert (one.statistic, one.df2, one.p) == pytest.approx((other.statistic, other.df2, other.p))


def test_crossed_groups_are_named_by_both_codes() -> None:
    data = frame(y=[1.0, 2.0, 3.0, 4.0], a=["p", "p", "q", "q"], t=[1, 2, 1, 2])
    assert group_means(data, "y", ["a", "t"], PLAIN).labels == ("p / 1", "p / 2", "q / 1", "q / 2")


def test_groups_that_are_not_there_are_refused() -> None:
    data = frame(y=[1.0, 2.0, 3.0, 5.0], a=["old", "old", "young", "young"])
    with pytest.raises(EstimateError, match=r"names 'youn'; the groups are old, young.*Did you mean 'young'"):
        group_means(data, "y", "a", PLAIN).contrast({"youn": 1})
    with pytest.raises(EstimateError, match="'y' has 1 group with rows to speak of"):
        group_means(data, "y", "a", PLAIN, where=data["a"] == "old")


def test_a_group_without_answers_spoils_only_what_it_is_in() -> None:
    data = frame(y=[1.0, 2.0, 3.0, 5.0, None], a=["p", "p", "q", "q", "r"])
    groups = group_means(data, "y", "a", PLAIN)
    assert groups.contrast({"q": 1, "p": -1}).value == 2.5
    assert groups.contrast({"r": 1, "p": -1}).method == "nobody answered"
    assert groups.equal().method == "no test: some estimates or their doubt cannot be had"


def test_wald_by_hand() -> None:
    b, v = np.array([2.0, 1.0]), np.array([[1.0, 0.0], [0.0, 4.0]])
    # W = 4 + 1/4; F = W/2; adjusted (10 - 2 + 1)/(2 * 10) W
    plain, adjusted = wald(("p", "q"), b, v, 10), wald(("p", "q"), b, v, 10, "adjusted F")
    assert (plain.statistic, plain.df1, plain.df2) == (pytest.approx(4.25 / 2), 2, 10)
    assert (adjusted.statistic, adjusted.df2) == (pytest.approx(4.25 * 9 / 20), 9)
    assert plain.p == pytest.approx(stats.f.sf(4.25 / 2, 2, 10))


@pytest.mark.parametrize(
    ("variance", "df", "why"),
    [
        (np.eye(2), 0, "no test: 2 estimates and 0 degrees of freedom of the design"),
        (np.full((2, 2), np.nan), 9, "no test: some estimates or their doubt cannot be had"),
        (np.ones((2, 2)), 9, "no test: the PSUs cannot tell 2 estimates apart"),
        (np.diag([1.0, 0.0]), 9, "no test: an estimate is the same in every PSU"),
    ],
)
def test_no_wald_test_is_said(variance: np.ndarray, df: float, why: str) -> None:
    found = wald(("p", "q"), np.array([1.0, 2.0]), variance, df)
    assert math.isnan(found.p) and found.method == why


def test_an_unknown_wald_test_is_refused() -> None:
    with pytest.raises(EstimateError, match="No Wald test is called 'chi2'; expected 'F' or 'adjusted F'"):
        wald(("p",), np.ones(1), np.eye(1), 9, "chi2")  # type: ignore[arg-type]


# Crossed questions


def crossed(counts: list[list[int]]) -> pd.DataFrame:
    pairs = [(r, c) for r, row in enumerate(counts) for c, n in enumerate(row) for _ in range(n)]
    return pd.DataFrame(pairs, columns=["r", "c"])


def test_people_drawn_one_by_one_give_pearsons_statistic() -> None:
    found = crosstab(crossed([[10, 20], [20, 10]]), "r", "c", PLAIN)
    # X² = 60 (100 - 400)² / 30^4 = 20/3, whose design effect is n/(n - 1)
    assert found.statistic == pytest.approx(20 / 3 * 59 / 60)
    assert (found.df1, found.df2) == (pytest.approx(1.0), pytest.approx(59.0))
    assert found.cramer_v == pytest.approx(1 / 3)
    assert (found.text.zh, found.text.en) == (
        "“r”与“c”有关（60人，F(1.00, 59.0) = 6.56，p = 0.013）；关联强度V = 0.33（0为无关，1为完全对应）。",
        "'r' and 'c' go together (60 people, F(1.00, 59.0) = 6.56, p = 0.013), with a strength of "
        "V = 0.33 (0 none, 1 complete).",
    )


def test_what_goes_together_completely_has_strength_one() -> None:
    found = crosstab(crossed([[10, 0, 0], [0, 15, 0], [0, 0, 20]]), "r", "c", PLAIN)
    assert found.cramer_v == pytest.approx(1.0)
    # pairs that nobody gave are in the table, and leave too little to test with
    assert len(found.table) == 9 and list(found.table["n"])[:3] == [10, 0, 0]
    assert found.method == "no test: too many pairs of answers that nobody gave"


def test_answers_that_do_not_go_together_are_said_so() -> None:
    found = crosstab(crossed([[15, 15], [15, 15]]), "r", "c", PLAIN)
    assert found.p == pytest.approx(1.0)
    assert found.text.en.startswith("The answers of 60 people cannot tell whether 'r' and 'c' go together (F")
    assert found.text.zh.startswith("现有60人的回答看不出“r”与“c”有关（F")


@given(data=towns)
@few
def test_a_crosstab_is_the_shares_and_turns_over(data: pd.DataFrame) -> None:
    one, other = crosstab(data, "a", "b", FULL), crosstab(data, "b", "a", FULL)
    assert (one.statistic, one.df1, one.p, one.cramer_v) == pytest.approx(
        (other.statistic, other.df1, other.p, other.cramer_v)
    )
    table = one.table.set_index(["row", "column"])
    assert table["share"].sum() == pytest.approx(1.0)
    for estimate in share_by(data, "b", "a", FULL, ["no", "yes"]):
        row = table.loc[(dict(estimate.group)["a"], dict(estimate.group)["answer"])]
        assert (row["row_share"], row["row_se"], row["row_low"], row["row_high"]) == pytest.approx(
            (estimate.value, estimate.se, estimate.low, estimate.high), nan_ok=True
        )
    both = share(data.assign(pair=data["a"] + data["b"]), "pair", FULL, "xyes")
    row = table.loc[("x", "yes")]
    assert (row["share"], row["se"], row["low"]) == pytest.approx(
        (both.value, both.se, both.low), nan_ok=True
    )


def test_pairs_that_nobody_gave_have_an_interval_where_it_is_asked_for() -> None:
    data = crossed([[0, 10], [5, 5]])
    logit, asked = (
        crosstab(data, "r", "c", PLAIN, interval=name).table for name in ("logit", "korn-graubard")
    )  # type: ignore[arg-type]
    assert math.isnan(logit["high"][0]) and math.isnan(logit["row_high"][0])
    # Clopper and Pearson at 0 of 20 and at 0 of 10; the row has df 9 of its own
    assert (asked["low"][0], asked["high"][0]) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    assert (asked["row_low"][0], asked["row_high"][0]) == (0.0, pytest.approx(1 - 0.025 ** (1 / 10)))


def test_who_missed_one_is_counted_and_the_domain_keeps_its_psus() -> None:
    data = town(8).astype({"a": object})
    data.loc[:4, "a"] = None
    found = crosstab(data, "a", "b", FULL, where=data["h"] > 0)
    asked = data["h"] > 0
    assert found.left_out == int((asked & data["a"].isna()).sum())
    assert found.n == int((asked & data["a"].notna()).sum())


@pytest.mark.parametrize(
    ("data", "design", "why"),
    [
        (crossed([[5, 5]]), PLAIN, "everybody gave the same answer to one of the two"),
        (crossed([[2, 2], [2, 2]]).assign(g=1), Design(psu="g"), "the design leaves no degrees of freedom"),
        (crossed([[4, 2], [2, 4]]).assign(h=lambda d: 2 * d["r"] + d["c"]), Design(strata="h"), "the design fixes the shares beforehand"),
    ],
    ids=["one answer", "one PSU", "fixed"],
)  # fmt: skip
def test_no_test_of_a_crosstab_is_said(data: pd.DataFrame, design: Design, why: str) -> None:
    found = crosstab(data, "r", "c", design)
    assert math.isnan(found.p) and found.method == f"no test: {why}"
    assert why in found.text.en and why in found.text.zh


def test_crosstabs_that_cannot_be_are_refused() -> None:
    data = frame(a=["x", None], b=[None, "y"])
    with pytest.raises(
        EstimateError, match="None of 2 rows answered both 'a' and 'b'; nothing can be crossed"
    ):
        crosstab(data, "a", "b", PLAIN)
    with pytest.raises(EstimateError, match="'a' cannot be crossed with itself; name two columns"):
        crosstab(data, "a", "a", PLAIN)


# Ranks


def test_ranks_by_hand() -> None:
    found = rank_test(frame(y=[1, 2, 3, 4], a=["p", "p", "q", "q"]), "y", "a", PLAIN)
    # ranks 1/8, 3/8, 5/8, 7/8; means 1/4 and 3/4; influences 1/16: 4/3 * 4/256, so t² = 1/4 * 48 = 12
    assert (found.difference, found.t) == (pytest.approx(0.5), pytest.approx(math.sqrt(12)))
    assert (found.df1, found.df2) == (1, 2)


@given(data=towns, scores=st.sampled_from(["wilcoxon", "van der waerden", "median"]), seed=st.integers(0, 99))
@few
def test_ranks_know_order_only(data: pd.DataFrame, scores: str, seed: int) -> None:
    data = data.assign(y=data["y"].round(1))  # with ties
    one = rank_test(data, "y", "a", FULL, scores=scores)  # type: ignore[arg-type]
    bent = data.assign(y=np.exp(data["y"])).sample(frac=1, random_state=seed)
    other = rank_test(bent, "y", "a", FULL, scores=scores)  # type: ignore[arg-type]
    assert (other.statistic, other.p) == pytest.approx((one.statistic, one.p), nan_ok=True)
    assert math.isnan(one.t) and one.df1 == 2


def test_weights_stand_for_repeated_people_in_the_ranks() -> None:
    data = frame(y=[1, 2, 2, 3], a=["p", "q", "p", "q"], w=[1, 2, 3, 2])
    repeated = data.loc[data.index.repeat(data["w"])]
    one, other = rank_test(data, "y", "a", Design(weights="w")), rank_test(repeated, "y", "a", PLAIN)
    assert list(one.table["value"]) == pytest.approx(list(other.table["value"]))


def test_the_words_of_a_rank_test() -> None:
    data = frame(y=[1, 2, 3, 4] * 10, a=["p", "p", "q", "q"] * 10)
    found = rank_test(data, "y", "a", PLAIN).text
    assert found.en.startswith("The groups answer at different heights (F(1, 38) = ")
    assert found.en.endswith("p < 0.001): 'q' highest, 'p' lowest.")
    assert found.zh.endswith("，p < 0.001）：“q”最高，“p”最低。")
    mixed = rank_test(data.assign(a=["p", "q", "q", "p"] * 10), "y", "a", PLAIN)
    assert mixed.text.en.startswith("These data cannot tell whether any group answers higher or lower")
    lone = rank_test(data.assign(g=1), "y", "a", Design(psu="g"))
    assert lone.text.en.startswith("The groups cannot be ranked: no test: ")
    with pytest.raises(EstimateError, match="No rank scores are called 'kw'; expected one of 'wilcoxon'"):
        rank_test(data, "y", "a", PLAIN, scores="kw")  # type: ignore[arg-type]
