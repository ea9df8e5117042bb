"""Calibrated weights: on paper, as laws, against R, in what they refuse."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.records import Estimate
from cbresearch.sampling.calibrate import calibrate, post_stratify, rake
from cbresearch.sampling.calibrated import Calibrated
from cbresearch.sampling.descriptive import mean, share, total
from cbresearch.sampling.design import Design
from cbresearch.sampling.raking import kish_deff, trim_weights, trimmed

REFERENCE = json.loads(
    (Path(__file__).parents[1] / "reference" / "survey_calibration.json").read_text(encoding="utf-8")
)
SEX = {"1": 0.3, "2": 0.7}
AGE = {"y": 0.6, "o": 0.4}


def people(*pairs: str, **more: object) -> pd.DataFrame:
    """Two letters a person: sex and age; '.' where missing."""
    cells = [[None if sign == "." else sign for sign in pair] for pair in pairs]
    return pd.DataFrame(cells, columns=["sex", "age"], dtype="string").assign(**more)


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-8, nan_ok=True)


# on paper


def test_a_class_stands_for_its_people() -> None:
    frame = people("1y", "1y", "1o", "2y")
    found = post_stratify(frame, Design(), "sex", {"1": 30, "2": 70})
    assert found.weights.tolist() == pytest.approx([10, 10, 10, 70])
    # shares of 1/4 grow to 70/100
    assert found.largest_factor == pytest.approx(2.8)
    # 4 (3 · 100 + 4900) / 100²
    assert found.kish_deff == pytest.approx(2.08)
    assert found.table.to_dict("records") == [
        {"margin": "sex", "code": "1", "people": 30.0, "before": 3.0, "after": pytest.approx(30.0)},
        {"margin": "sex", "code": "2", "people": 70.0, "before": 1.0, "after": pytest.approx(70.0)},
    ]


def test_two_margins_that_are_independent_give_the_product_of_shares() -> None:
    frame = people("1y", "1o", "2y", "2o")
    found = rake(frame, Design(), {"sex": SEX, "age": AGE})
    assert found.weights.tolist() == pytest.approx([0.72, 0.48, 1.68, 1.12])
    assert rake(frame, Design(), {"sex": {1: 30, 2: 70}, "age": {"y": 60, "o": 40}}).weights.tolist() == (
        pytest.approx([18, 12, 42, 28])
    )


def test_an_unknown_code_is_left_out_of_that_margin_only() -> None:
    frame = people("1y", "1o", "2y", "2o", ".y", ".o")
    found = rake(frame, Design(), {"sex": SEX, "age": AGE})
    assert found.weights.sum() == pytest.approx(6)
    assert found.share(frame, "sex", "1").value == pytest.approx(0.3)
    assert found.share(frame, "age", "y").value == pytest.approx(0.6)


def test_linear_calibration_of_one_total() -> None:
    # g = 1 + λx with Σ g x = 4 + λ Σ x² = 4 + 6 λ = 7: λ = 1/2
    found = calibrate(pd.DataFrame({"x": [1.0, 1.0, 2.0]}), Design(), {}, {"x": 7.0})
    assert found.weights.tolist() == pytest.approx([1.5, 1.5, 2.0])
    assert found.table.to_dict("records")[0]["after"] == pytest.approx(7.0)


def test_what_the_margins_know_is_no_longer_in_doubt() -> None:
    # within sex everybody answers alike: residuals are 0 and so is the standard error
    frame = people("1y", "1y", "2y", "2y", y=[1.0, 1.0, 5.0, 5.0])
    found = post_stratify(frame, Design(), "sex", SEX).mean(frame, "y")
    assert (found.value, found.se) == (pytest.approx(0.3 + 3.5), 0.0)
    assert math.isnan(found.low) and found.method.startswith("no interval: no spread is left")


def test_residuals_of_a_post_stratified_mean() -> None:
    frame = people("1y", "1y", "2y", "2y", y=[1.0, 3.0, 4.0, 8.0])
    found = post_stratify(frame, Design(), "sex", {"1": 0.5, "2": 0.5}).mean(frame, "y")
    # weights 1; residuals ∓1, ∓2 over 4 rows; 4/3 · (1 + 1 + 4 + 4)/16
    assert (found.value, found.se, found.df) == (4.0, pytest.approx(math.sqrt(4 / 3 * 10 / 16)), 3.0)
    assert found.method == "Taylor linearisation of residuals on the margins"


def test_trimming_shares_the_cut_in_proportion_or_equally() -> None:
    w = np.array([1.0, 1.0, 1.0, 1.0, 6.0])
    assert trimmed(w, ceiling=2.0).tolist() == pytest.approx([1.5, 1.5, 1.5, 1.5, 4.0])
    assert trim_weights(w, upper=4.0).tolist() == pytest.approx([1.5, 1.5, 1.5, 1.5, 4.0])
    # mean 2, floor 1.5: the rest is scaled by (10 - 1.5)/9.5
    assert trimmed(np.array([0.5, 1.5, 2.0, 2.0, 4.0]), floor=0.5).tolist() == (
        pytest.approx([1.0, *(np.array([1.5, 2.0, 2.0, 4.0]) * 9 / 9.5)])
    )
    assert trimmed(np.array([0.0, 1.0, 1.0]), floor=0.5).tolist() == [0.0, 1.0, 1.0]


def test_the_sentence_says_what_the_weights_cost() -> None:
    found = post_stratify(people("1y", "1y", "1o", "2y"), Design(), "sex", {"1": 30, "2": 70})
    assert found.sentence.en == (
        "The weights agree with the population on sex. Unequal weights cost a design effect of 2.08: 4 answers "
        "tell as much as 2. The share of one answer grew at most 2.80 times."
    )
    assert found.sentence.zh == (
        "权重已调整到与总体的sex一致。权重不等的代价是设计效应 2.08：4 份答卷相当于 2 份；"
        "一份答卷的比重最多变为原来的 2.80 倍。"
    )


def test_negative_weights_are_told() -> None:
    found = calibrate(pd.DataFrame({"x": [1.0, 2.0, 9.0], "one": 1.0}), Design(), {}, {"x": 4.0, "one": 3.0})
    assert found.negative == 1
    assert "1 weights are negative" in found.sentence.en and "1 份权重为负" in found.sentence.zh


@pytest.mark.parametrize(
    "codes",
    [
        pd.array(["1", "1", "2", None], dtype="string[python]"),
        pd.array(["1", "1", "2", None], dtype="string[pyarrow]"),
        pd.array(["1", "1", "2", None], dtype="str"),
        pd.Categorical(["1", "1", "2", None], categories=["2", "1", "never"]),
        np.array([1, "1", 2, None], dtype=object),
        pd.array([1, 1, 2, None], dtype="Int64"),
        [1.0, 1.0, 2.0, None],
    ],
    ids=["python", "arrow", "str", "category", "object", "Int64", "float"],
)
def test_codes_are_compared_as_text_in_columns_of_every_kind(codes: object) -> None:
    frame = pd.DataFrame({"sex": codes})
    assert rake(frame, Design(), {"sex": {"1": 0.5, "2": 0.5}}).weights.tolist() == pytest.approx(
        [0.75, 0.75, 1.5, 1.0]
    )


# as laws

PEOPLE = st.lists(
    st.tuples(st.sampled_from(["1", "2", None]), st.sampled_from(["y", "o", None]), st.floats(0.1, 50)),
    max_size=30,
).map(lambda some: [("1", "y", 1.0), ("1", "o", 1.0), ("2", "y", 1.0), ("2", "o", 1.0), *some])


def frame_of(drawn: list[tuple[str | None, str | None, float]]) -> pd.DataFrame:
    return pd.DataFrame(drawn, columns=["sex", "age", "w"]).assign(
        y=np.arange(len(drawn)) % 7, area=np.arange(len(drawn)) % 4
    )


def two_margins(sex: float, age: float) -> dict[str, dict[str, float]]:
    return {"sex": {"1": sex, "2": 1 - sex}, "age": {"y": age, "o": 1 - age}}


@settings(max_examples=40)
@given(PEOPLE, st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(0.01, 100))
def test_margins_hold_and_neither_unit_nor_order_matters(
    drawn: list[tuple[str | None, str | None, float]], sex: float, age: float, unit: float
) -> None:
    frame, design, margins = frame_of(drawn), Design(weights="w", psu="area"), two_margins(sex, age)
    found = rake(frame, design, margins)
    assert found.share(frame, "sex", "1").value == pytest.approx(sex, rel=1e-8)
    assert found.share(frame, "age", "y").value == pytest.approx(age, rel=1e-8)
    told = found.mean(frame, "y")
    for other in (frame.assign(w=frame["w"] * unit), frame.iloc[::-1]):
        again = rake(other, design, margins).mean(other, "y")
        assert (again.value, again.se) == (
            pytest.approx(told.value, rel=1e-7), pytest.approx(told.se, rel=1e-5, abs=1e-9),
        )  # fmt: skip


@settings(max_examples=40)
@given(PEOPLE, st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_raked_weights_are_those_of_calibration_with_the_raking_distance(
    drawn: list[tuple[str | None, str | None, float]], sex: float, age: float
) -> None:
    frame = frame_of(drawn).dropna().reset_index(drop=True)
    margins, design = two_margins(sex, age), Design(weights="w")
    one = rake(frame, design, margins, tolerance=1e-12).weights
    other = calibrate(frame, design, margins, {}, distance="raking", tolerance=1e-12).weights
    assert one.tolist() == pytest.approx(other.tolist(), rel=1e-7)


@settings(max_examples=40)
@given(PEOPLE, st.floats(0.3, 0.7), st.floats(0.3, 0.7))
def test_bounds_and_margins_hold_together(
    drawn: list[tuple[str | None, str | None, float]], sex: float, age: float
) -> None:
    frame = frame_of(drawn)
    try:
        found = rake(frame, Design(weights="w"), two_margins(sex, age), ceiling=3.0, floor=0.2)
    except EstimateError as error:
        assert "No weights keep the margins" in str(error) or "did not settle" in str(error)
        return
    w = found.weights
    assert w.max() <= 3.0 * w.mean() * (1 + 1e-8) and w.min() >= 0.2 * w.mean() * (1 - 1e-8)
    assert found.share(frame, "sex", "1").value == pytest.approx(sex, rel=1e-8)
    assert found.share(frame, "age", "y").value == pytest.approx(age, rel=1e-8)


@given(st.lists(st.floats(0.01, 1000), min_size=2, max_size=40), st.floats(1.2, 5), st.floats(0, 0.9))
def test_trimmed_weights_keep_their_sum_their_order_and_their_bounds(
    weights: list[float], ceiling: float, floor: float
) -> None:
    w = np.array(weights)
    after = trimmed(w, ceiling=ceiling, floor=floor)
    assert after.sum() == pytest.approx(w.sum())
    assert (np.diff(after[np.argsort(w)]) >= -1e-9 * w.max()).all()
    assert after.max() <= ceiling * w.mean() * (1 + 1e-9) and after.min() >= floor * w.mean() * (1 - 1e-9)
    assert kish_deff(after) <= kish_deff(w) * (1 + 1e-9)


def test_margins_that_hold_already_change_no_weight_and_take_out_what_they_explain() -> None:
    frame = people("1y", "1o", "2y", "2o", y=[1.0, 2.0, 4.0, 9.0])
    found = rake(frame, Design(), {"sex": {"1": 2, "2": 2}, "age": {"y": 2, "o": 2}})
    assert (found.weights.tolist(), found.sweeps, found.trimmed_share) == ([1.0] * 4, 0, 0.0)
    assert found.mean(frame, "y").se < mean(frame, "y", Design()).se
    # the release gate asks how far two people make up a mean or total: 4 + 9 of 16
    assert found.mean(frame, "y").dominance == found.total(frame, "y").dominance == pytest.approx(13 / 16)
    assert found.total(frame, "y").dominance == pytest.approx(total(frame, "y", Design()).dominance)


@pytest.mark.parametrize("weigh", [rake, lambda *asked: calibrate(*asked, {})], ids=["rake", "calibrate"])
def test_shares_do_not_say_how_many_people_there_are(weigh: Any) -> None:
    frame = people("1y", "1o", "2y", "2o", "2o", one=1.0, w=[1.0, 2.0, 4.0, 1.0, 3.0])
    design = Design(weights="w")
    plain, shares = total(frame, "one", design), weigh(frame, design, {"sex": SEX}).total(frame, "one")
    assert (shares.value, shares.se) == (pytest.approx(plain.value), pytest.approx(plain.se))
    assert weigh(frame, design, {"sex": {"1": 30, "2": 70}}).total(frame, "one").se == 0.0


@settings(max_examples=20)
@given(PEOPLE, st.floats(0.2, 0.8), st.floats(0.2, 0.8))
def test_shares_and_counts_tell_the_same_means(
    drawn: list[tuple[str | None, str | None, float]], sex: float, age: float
) -> None:
    frame, design, margins = frame_of(drawn), Design(weights="w"), two_margins(sex, age)
    counts = {name: {code: 9000 * share for code, share in told.items()} for name, told in margins.items()}
    one, other = (rake(frame, design, known).mean(frame, "y") for known in (margins, counts))
    assert (one.value, one.se) == (pytest.approx(other.value), pytest.approx(other.se, rel=1e-6, abs=1e-9))


def test_one_margin_of_two_columns_is_that_of_their_pairs() -> None:
    frame = people("1y", "1y", "1o", "2y", "2o", ".y", y=[1, 2, 3, 4, 5, 6])
    cells = {("1", "y"): 10, ("1", "o"): 20, ("2", "y"): 30, ("2", "o"): 40}
    crossed = post_stratify(frame, Design(), ("sex", "age"), cells)
    pasted = frame.assign(cell=frame["sex"] + frame["age"])
    single = post_stratify(pasted, Design(), "cell", {a + b: n for (a, b), n in cells.items()})
    assert crossed.weights.tolist() == pytest.approx(single.weights.tolist())
    assert crossed.mean(frame, "y").se == pytest.approx(single.mean(pasted, "y").se)
    assert [row.code for row in crossed.reached] == ["1 / y", "1 / o", "2 / y", "2 / o"]


def test_many_margins_do_not_need_the_table_of_all_their_classes() -> None:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({f"m{k}": rng.integers(0, 4, 300) for k in range(12)})
    frame = pd.concat([frame, pd.DataFrame({c: [0, 1, 2, 3] for c in frame})], ignore_index=True)
    margins = {column: {0: 0.2, 1: 0.3, 2: 0.25, 3: 0.25} for column in frame}
    found = rake(frame, Design(), margins)
    for column in frame:
        assert found.share(frame, column, [0, 1]).value == pytest.approx(0.5, rel=1e-8)


# against R


def schools(folder: Path, name: str) -> tuple[pd.DataFrame, Design]:
    design = {
        "clus1": ("apiclus1", Design(weights="pw", psu="dnum", fpc="fpc")),
        "strat": ("apistrat", Design(weights="pw", strata="stype", fpc="fpc")),
    }
    return pd.read_csv(folder / f"{design[name][0]}.csv"), design[name][1]


def weighted_as(name: str, frame: pd.DataFrame, design: Design) -> Calibrated:
    margins, totals = REFERENCE["margins"], {"api99": REFERENCE["api99_total"]}
    types = {"stype": margins["stype"]}
    match name:
        case "poststratify_stype" | "post_stratified":
            return post_stratify(frame, design, "stype", margins["stype"])
        case "rake_stype_schwide" | "raked":
            return rake(frame, design, margins, tolerance=1e-12)
        case "calibrate_linear_stype_api99" | "linear":
            return calibrate(frame, design, types, totals)
        case "calibrate_raking_stype_api99":
            return calibrate(frame, design, types, totals, distance="raking", tolerance=1e-12)
        case "calibrate_logit_bounds":
            return calibrate(frame, design, types, totals, distance="logit", bounds=(0.5, 2), tolerance=1e-12)
        case "linear_bounds":
            return calibrate(frame, design, types, totals, bounds=(0.6, 1.6), tolerance=1e-12)
    cells = {
        (row["stype"], row["sch.wide"]): row["Freq"] for row in REFERENCE["statements"]["crossed"]["cells"]
    }
    return post_stratify(frame, design, ("stype", "sch.wide"), cells)


def same(found: Estimate, expected: dict[str, float], **more: float) -> None:
    told = {name: getattr(found, name) for name in ("value", "se", "low", "high") if name in expected}
    assert told == {name: close(expected[name]) for name in told}
    assert more == {name: getattr(found, name) for name in more}


@pytest.mark.parametrize("sample", ["clus1", "strat"])
@pytest.mark.parametrize(
    "name", [key for key in REFERENCE["clus1"] if key != "trim_raked_at_p90_once"]
)  # fmt: skip
def test_weights_and_their_doubt_agree_with_r(sample: str, name: str, shared_data: Path) -> None:
    frame, design = schools(shared_data.parent / "reference" / "survey_api", sample)
    found, r = weighted_as(name, frame, design), REFERENCE[sample][name]
    w = found.weights
    assert w.head(10).tolist() == [close(value) for value in r["weights_first10"]]
    assert [w.sum(), (w**2).sum(), w.min(), w.max(), found.kish_deff] == [
        close(r[key]) for key in ("sum", "sumsq", "min", "max", "kish_deff")
    ]
    # R drops a row without enrolment from both means
    told = frame["enroll"].notna()
    for column, expected in r["mean"].items():
        same(found.mean(frame, column, where=told), expected)
    same(found.total(frame, "enroll"), r["total"])


def statements_agree(found: Any, frame: pd.DataFrame, r: dict[str, Any]) -> None:
    """Every statement against R's of the same name."""
    same(found.mean(frame, "api00"), r["mean"], df=r["degf"])
    same(found.total(frame, "enroll"), r["total"])
    same(found.ratio(frame, "api.stu", "enroll"), r["ratio"])
    domain = (frame["awards"] == "Yes") & (frame["meals"] > 40)
    same(found.mean(frame, "api00", where=domain), r["domain"], df=r["domain"]["degf"])
    same(found.quantile(frame, "api00", 0.5), r["median"])
    same(found.share(frame, "awards", "Yes"), r["share"])


@pytest.mark.parametrize("name", REFERENCE["statements"])
def test_every_statement_agrees_with_r(name: str, shared_data: Path) -> None:
    folder, r = shared_data.parent / "reference" / "survey_api", REFERENCE["statements"][name]
    frame, design = schools(folder, "strat" if name == "crossed" else "clus1")
    found = weighted_as(name, frame, design)
    statements_agree(found, frame, r)
    if "weights_first10" in r:
        assert found.weights.head(10).tolist() == [close(value) for value in r["weights_first10"]]
    if "min" in r:
        assert [found.weights.min(), found.weights.max()] == [close(r["min"]), close(r["max"])]


@pytest.mark.parametrize("sample", ["clus1", "strat"])
def test_one_pass_of_trimming_agrees_with_r(sample: str, shared_data: Path) -> None:
    frame, design = schools(shared_data.parent / "reference" / "survey_api", sample)
    w = weighted_as("raked", frame, design).weights.to_numpy()
    r = REFERENCE[sample]["trim_raked_at_p90_once"]
    # R's quantile() and numpy's are of the same type, and weights in a tie must stay in it
    after = trim_weights(w, upper=float(np.quantile(np.round(w, 9), 0.9)) + 1e-9)
    assert after[:10].tolist() == [close(value) for value in r["weights_first10"]]
    assert [after.sum(), (after**2).sum(), after.min(), after.max(), kish_deff(after)] == [
        close(r[key]) for key in ("sum", "sumsq", "min", "max", "kish_deff")
    ]


# what is refused


def refused(call: Any) -> str:
    with pytest.raises(EstimateError) as error:
        call()
    return str(error.value)


def test_classes_that_stand_in_the_way_are_told_all_at_once() -> None:
    frame = people("1y", "1o").assign(age=["y", "old"])
    assert refused(lambda: rake(frame, Design(), {"sex": SEX, "age": {"y": 0.6, "olds": 0.4}})) == (
        "The margins cannot be reached: nobody stands for 'sex' = '2', 70.0% of the people: merge it with a neighbour; "
        "nobody stands for 'age' = 'olds', 40.0% of the people: merge it with a neighbour; "
        "rows hold 'age' = 'old' (did you mean 'olds'?), of which the margin says nothing: add it, or merge the class."
    )


def test_margins_of_different_populations_are_refused() -> None:
    frame = people("1y", "2o")
    assert refused(lambda: rake(frame, Design(), {"sex": {"1": 10, "2": 20}, "age": {"y": 10, "o": 21}})) == (
        "Raking cannot begin: the margins speak of different populations ('sex' 30, 'age' 31); give each the same "
        "sum of people, or shares that sum to 1."
    )


def test_shares_that_do_not_sum_to_one_are_no_population() -> None:
    frame = people("1y", "1y", "2o")
    assert refused(lambda: rake(frame, Design(), {"sex": {"1": 0.33, "2": 0.66}})) == (
        "Raking cannot begin: the margins sum to 0.99 and 3 rows were drawn from those people; give counts of the "
        "population, or shares that sum to 1."
    )


def test_margins_that_contradict_each_other_do_not_settle() -> None:
    frame = people("1y", "2o")
    said = refused(lambda: rake(frame, Design(), {"sex": SEX, "age": AGE}))
    assert said.startswith("Raking did not settle after 1000 sweeps: 'sex' is still ")
    said = refused(lambda: calibrate(frame, Design(), {"sex": SEX, "age": AGE}, {}))
    assert said.startswith("No weights meet all totals: '")


def test_bounds_that_the_margins_forbid_are_told() -> None:
    frame = people("1y", *["2y"] * 9)
    assert refused(lambda: rake(frame, Design(), {"sex": {"1": 0.5, "2": 0.5}}, ceiling=1.5)) == (
        "No weights keep the margins and stay between 0 and 1.5 times their mean. Widen ceiling= and floor=, or "
        "merge small classes of the margins."
    )


def test_what_cannot_be_meant_is_told_at_once() -> None:
    frame = people("1y", "2o").assign(x=[1.0, None], w=[1.0, -1.0])
    assert refused(lambda: rake(frame, Design(), {}, ceiling=0.5, floor=2)) == (
        "Raking cannot begin: nothing is known of the population; name at least one column with the people of its "
        "codes; ceiling = 0.5 is no more than 1, the mean weight; expected above 1, such as 4; "
        "floor = 2 is not between 0 and 1, the mean weight; expected such as 0.2."
    )
    assert refused(
        lambda: calibrate(frame, Design(), {"sex": SEX}, {"x": 3.0}, distance="logit", bounds=(2, 3))
    ) == (
        "Calibration cannot begin: 'x' is missing in 1 of 2 rows; fill it in, or rake(), which leaves a missing code "
        "out of its margin; bounds = (2, 3) leave out 1, the factor that changes nothing."
    )
    assert refused(lambda: rake(frame, Design(weights="w"), {"sex": SEX})).startswith(
        "'w' is missing, infinite or negative in 1 of 2 rows"
    )
    assert "no column 'sec' (did you mean 'sex'?)" in refused(lambda: rake(frame, Design(), {"sec": SEX}))


def test_another_frame_than_the_weighted_one_is_refused() -> None:
    frame = people("1y", "2o", y=[1.0, 2.0])
    found = rake(frame, Design(), {"sex": SEX})
    for other in (frame.head(1), frame.iloc[::-1]):
        said = refused(lambda other=other: found.mean(other, "y"))
        assert said.endswith("Pass the frame that was weighted, and where= for a part of it.")


def test_no_answer_is_nan_with_its_reason() -> None:
    frame = people("1y", "1y", "2o", "2o", y=[1.0, 2.0, None, None], none=[0, 0, 0, 0])
    found = rake(frame, Design(), {"sex": SEX})
    nobody = found.mean(frame, "y", where=frame["sex"] == "2")
    assert math.isnan(nobody.value) and (nobody.n, nobody.method) == (0, "nobody answered")
    assert found.ratio(frame, "y", "none").method == "no ratio: 'none' sums to 0"
    assert found.mean(frame, "y").n == 2
    one = rake(frame.assign(g=1), Design(psu="g"), {"sex": SEX})
    assert one.mean(frame.assign(g=1), "y").method == "no interval: a single PSU"


def test_a_share_is_made_on_the_logit_scale() -> None:
    frame = people(*["1y"] * 10, *["2o"] * 10, a=["yes", "no"] * 10)
    found = rake(frame, Design(), {"sex": {"1": 0.5, "2": 0.5}})
    told, plain = found.share(frame, "a", "yes"), share(frame, "a", Design(), "yes")
    # the margin explains nothing of the answer
    assert (told.value, told.se) == (pytest.approx(plain.value), pytest.approx(plain.se))
    assert (told.low, told.high) == (pytest.approx(plain.low), pytest.approx(plain.high))
