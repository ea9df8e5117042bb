"""Weights: on paper, as a law, and against R."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import BuildError
from cbresearch.sampling.raking import kish_deff
from cbresearch.survey.weight import Trimmed, effective_n, nonresponse_factors, rake, rake_and_trim

REFERENCE = json.loads((Path(__file__).parent.parent / "reference" / "rake_api.json").read_text())
SEX = {"1": 0.5, "2": 0.5}
AGE = {"y": 0.6, "o": 0.4}


def people(*pairs: str) -> pd.DataFrame:
    """Two letters a person: sex and age; '.' where missing."""
    cells = [[None if sign == "." else sign for sign in pair] for pair in pairs]
    return pd.DataFrame(cells, columns=["sex", "age"], dtype="string")


def ones(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(1.0, frame.index)


def shares(weight: pd.Series, cells: pd.Series) -> dict[str, float]:
    known = weight[cells.notna()]
    return (known.groupby(cells).sum() / known.sum()).to_dict()


def test_one_margin_on_paper() -> None:
    frame = people("1y", "1y", "1o", "2y")
    assert rake(ones(frame), frame, {"sex": SEX}).round(12).tolist() == [round(2 / 3, 12)] * 3 + [2.0]


def test_two_margins_that_are_independent_give_the_product_of_shares() -> None:
    frame = people("1y", "1o", "2y", "2o")
    weight = rake(ones(frame), frame, {"sex": {"1": 0.3, "2": 0.7}, "age": AGE})
    assert weight.tolist() == pytest.approx([0.72, 0.48, 1.68, 1.12])


def test_someone_of_unknown_sex_is_left_out_of_that_margin_only() -> None:
    frame = people("1y", "1o", "2y", "2o", ".y", ".o")
    weight = rake(ones(frame), frame, {"sex": {"1": 0.3, "2": 0.7}, "age": AGE})
    assert shares(weight, frame["sex"]) == pytest.approx({"1": 0.3, "2": 0.7})
    assert shares(weight, frame["age"]) == pytest.approx({"y": 0.6, "o": 0.4})
    assert weight.sum() == pytest.approx(6)
    assert (weight > 0).all()


PEOPLE = st.lists(
    st.tuples(st.sampled_from(["1", "2", None]), st.sampled_from(["y", "o", None]), st.floats(0.1, 50)),
    min_size=1,
    max_size=40,
).map(lambda some: [("1", "y", 1.0), ("1", "o", 1.0), ("2", "y", 1.0), ("2", "o", 1.0), *some])


@given(PEOPLE, st.floats(0.1, 0.9), st.floats(0.1, 0.9), st.floats(0.01, 100))
@settings(deadline=None)
def test_margins_hold_and_the_unit_of_weights_does_not_matter(
    drawn: list[tuple[str | None, str | None, float]], sex: float, age: float, unit: float
) -> None:
    frame = pd.DataFrame([person[:2] for person in drawn], columns=["sex", "age"], dtype="string")
    base = pd.Series([person[2] for person in drawn])
    margins = {"sex": {"1": sex, "2": 1 - sex}, "age": {"y": age, "o": 1 - age}}
    weight = rake(base, frame, margins)
    assert shares(weight, frame["sex"]) == pytest.approx(margins["sex"], rel=1e-8)
    assert shares(weight, frame["age"]) == pytest.approx(margins["age"], rel=1e-8)
    assert weight.sum() == pytest.approx(base.sum())
    assert (rake(base * unit, frame, margins) / unit).tolist() == pytest.approx(weight.tolist(), rel=1e-6)


@pytest.mark.parametrize("sample", ["apiclus1", "apistrat"])
def test_raking_agrees_with_r(sample: str, shared_data: Path) -> None:
    schools = pd.read_csv(
        shared_data / "api-schools-design" / f"{sample}.csv", dtype={"stype": "string", "sch.wide": "string"}
    )
    margins = {
        name: {code: count / sum(counts.values()) for code, count in counts.items()}
        for name, counts in REFERENCE["margins"].items()
    }
    expected = REFERENCE[sample]
    base = schools["pw"] * expected["sum"] / schools["pw"].sum()
    weight = rake(base, schools[list(margins)], margins, tolerance=1e-12)
    assert weight.head(10).tolist() == pytest.approx(expected["weights_first10"], rel=1e-8)
    assert [weight.sum(), np.square(weight).sum()] == pytest.approx(
        [expected["sum"], expected["sumsq"]], rel=1e-8
    )
    assert [weight.min(), weight.max()] == pytest.approx([expected["min"], expected["max"]], rel=1e-8)
    assert kish_deff(weight.to_numpy()) == pytest.approx(expected["kish_deff"], rel=1e-8)
    assert effective_n(weight) == pytest.approx(expected["kish_neff"], rel=1e-8)
    assert kish_deff(base.to_numpy()) == pytest.approx(expected["base_kish_deff"], rel=1e-8)


def test_a_class_that_nobody_answered_from_is_told_with_what_to_do() -> None:
    frame = people("1y", "1o")
    with pytest.raises(BuildError) as error:
        rake(ones(frame), frame, {"sex": SEX, "age": {"y": 1.0}})
    assert str(error.value) == (
        "Raking cannot reach its margins: nobody answered from 'sex' = '2', which is 50.0% of the population: merge it with a neighbour; "
        "'age' = 'o' was answered but design.margins.age gives it no share: add it, or merge the class."
    )


def test_margins_that_contradict_each_other_do_not_settle() -> None:
    frame = people("1y", "2o")
    with pytest.raises(BuildError, match="Raking did not settle after 1000 sweeps; margin 'sex' fits worst"):
        rake(ones(frame), frame, {"sex": SEX, "age": AGE})


def test_kish_on_paper() -> None:
    assert kish_deff(np.array([1.0, 1.0, 1.0])) == 1
    assert kish_deff(np.array([3.0, 1.0])) == pytest.approx(2 * 10 / 16)
    assert effective_n(pd.Series([3.0, 1.0])) == pytest.approx(1.6)


def untouched_by_margins(weights: list[float], ceiling: float) -> Trimmed:
    base = pd.Series(weights)
    return rake_and_trim(base, pd.DataFrame(index=base.index), {}, ceiling)


def test_trimming_cuts_the_top_and_keeps_the_sum() -> None:
    trimmed = untouched_by_margins([1.0, 1.0, 1.0, 1.0, 6.0], 2.0)
    assert trimmed.weight.tolist() == pytest.approx([1.5, 1.5, 1.5, 1.5, 4.0])
    assert trimmed.trimmed.tolist() == [False] * 4 + [True]


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 1000), min_size=2, max_size=50), st.floats(1.2, 5))
def test_no_weight_passes_the_ceiling(weights: list[float], ceiling: float) -> None:
    after = untouched_by_margins(weights, ceiling).weight
    assert after.max() <= ceiling * after.mean() * (1 + 1e-9)
    assert after.sum() == pytest.approx(sum(weights))


def test_raked_and_trimmed_weights_keep_both_promises() -> None:
    frame = people(*["1y"] * 10, *["2y"] * 5, *["1o"] * 4, *["2o"] * 2)
    base = pd.Series([9.0] + [1.0] * 20)
    done = rake_and_trim(base, frame, {"sex": SEX, "age": AGE}, 3.0)
    assert shares(done.weight, frame["sex"]) == pytest.approx(SEX)
    assert shares(done.weight, frame["age"]) == pytest.approx(AGE)
    assert done.weight.max() <= 3.0 * done.weight.mean() * (1 + 1e-9)
    assert done.trimmed.iloc[0]


def test_a_ceiling_that_the_margins_forbid_is_told() -> None:
    frame = people("1y", *["2y"] * 9)
    with pytest.raises(
        BuildError,
        match=r"No weights keep the margins and stay below 1\.5 times their mean\. Raise design\.trim",
    ):
        rake_and_trim(ones(frame), frame[["sex"]], {"sex": SEX}, 1.5)


def test_nonresponse_makes_a_class_stand_for_its_people() -> None:
    base = pd.Series([10.0, 30.0, 20.0, 5.0])
    classes = pd.Series(["A", "A", "B", None], dtype="string")
    factors = nonresponse_factors(base, classes, {"A": 100, "B": 50, "C": 7})
    assert factors.tolist() == pytest.approx([2.5, 2.5, 2.5, 150 / 60])


def test_a_class_that_the_frame_does_not_list_is_told() -> None:
    with pytest.raises(BuildError) as error:
        nonresponse_factors(pd.Series([1.0]), pd.Series(["丙"], dtype="string"), {"甲": 100})
    assert str(error.value) == (
        "design.frame_counts has no count for 丙, where residents answered. It counts 甲. "
        "Add the count, or correct the class in the raw file."
    )
