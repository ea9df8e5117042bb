"""Polychoric correlations: by hand, by laws, against lavaan, polycor and psych."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bfi_scales import R, bfi_answers, keyed, scale
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.measure.correlations import correlated
from cbresearch.measure.polychoric import polychoric, smoothed


def table(counts: list[list[int]]) -> pd.DataFrame:
    """Residents whose answers make this table."""
    rows = [(i, j) for i, line in enumerate(counts) for j, n in enumerate(line) for _ in range(n)]
    return pd.DataFrame(rows, columns=["a", "b"]).astype(float)


# --- by hand ----------------------------------------------------------------------------------
def test_tetrachoric_of_an_even_table_by_hand() -> None:
    # both split in half, 3/8 in each like cell: rho = cos(pi (1 - 3/4)) = sin(pi/4)
    found = polychoric(table([[150, 50], [50, 150]]))
    assert found.correlations[0, 1] == pytest.approx(math.sin(math.pi / 4), abs=1e-7)
    assert found.thresholds[0] == pytest.approx([0.0])
    # a split in half keeps 2/pi of what the latent answer tells
    assert found.kept == pytest.approx([2 / math.pi] * 2)
    assert (found.n[0, 1], found.empty_cells, found.note) == (400, 0, None)


def test_independent_answers_have_no_correlation() -> None:
    found = polychoric(table([[10, 20, 30], [20, 40, 60]]))
    assert found.correlations[0, 1] == pytest.approx(0, abs=1e-7)
    # at 0 the information is n x what each item keeps
    n, (a, b) = 180, found.kept
    assert found.se[0, 1] == pytest.approx(1 / math.sqrt(n * a * b), rel=1e-5)


def test_cells_are_those_of_the_bivariate_normal() -> None:
    # a table with exactly the chances of rho = 0.6 gives 0.6 back; scipy integrates by another route
    cuts, normal = [-np.inf, -0.5, 0.8, np.inf], stats.multivariate_normal(cov=[[1, 0.6], [0.6, 1]])
    corner = np.array([[normal.cdf([min(a, 9), min(b, 9)]) if min(a, b) > -9 else 0.0 for b in cuts] for a in cuts])  # fmt: skip
    chances = np.diff(np.diff(corner, axis=0), axis=1)
    cells = pd.DataFrame([(i, j) for i in range(3) for j in range(3)], columns=["a", "b"]).astype(float)
    found = polychoric(cells, weights=pd.Series(chances.ravel()))
    assert found.correlations[0, 1] == pytest.approx(0.6, abs=1e-5)


# --- laws -------------------------------------------------------------------------------------
@given(seed=st.integers(0, 300))
@settings(max_examples=10)
def test_turning_an_item_turns_its_correlations(seed: int) -> None:
    items = scale(seed)
    turned = items.assign(q0=6 - items["q0"])
    sign = np.array([[1, -1, -1, -1], [-1, 1, 1, 1], [-1, 1, 1, 1], [-1, 1, 1, 1]])
    assert polychoric(turned).correlations == pytest.approx(polychoric(items).correlations * sign, abs=1e-6)


@given(seed=st.integers(0, 300))
@settings(max_examples=8)
def test_only_the_order_of_answers_counts(seed: int) -> None:
    items = scale(seed)
    assert polychoric(items**3 + 7).correlations == pytest.approx(polychoric(items).correlations)


@given(seed=st.integers(0, 300))
@settings(max_examples=8)
def test_weights_of_two_are_residents_written_twice(seed: int) -> None:
    items = scale(seed, n=60)
    twice = pd.concat([items, items.iloc[:20]], ignore_index=True)
    one = polychoric(items, weights=pd.Series([2.0] * 20 + [1.0] * 40))
    assert one.correlations == pytest.approx(polychoric(twice).correlations, abs=1e-6)
    # (40 + 40)² / (20 x 4 + 40)
    assert one.n_least == pytest.approx(80**2 / 120)


@given(seed=st.integers(0, 300))
@settings(max_examples=8)
def test_residents_who_missed_an_item_count_for_the_others(seed: int) -> None:
    items = scale(seed)
    holed = items.assign(q0=items["q0"].where(items.index < 120))
    one, other = polychoric(holed), polychoric(items)
    assert one.correlations[1:, 1:] == pytest.approx(other.correlations[1:, 1:])
    assert one.n[0].tolist() == [120] * 4 and one.n[1, 2] == 200 and one.n_least == 120


def test_cutting_is_undone() -> None:
    # latent correlations of 0.49, answers of five steps
    found = polychoric(scale(4, n=20_000))
    off = found.correlations[np.triu_indices(4, 1)]
    assert off == pytest.approx([0.49] * 6, abs=4 * 0.008)
    assert np.abs(scale(4, n=20_000).corr().to_numpy()[np.triu_indices(4, 1)]).max() < 0.47


def test_standard_errors_are_those_of_repeated_samples() -> None:
    found = [polychoric(scale(seed, n=300, k=2)) for seed in range(150)]
    rho, se = np.array([[one.correlations[0, 1], one.se[0, 1]] for one in found]).T
    # thresholds are taken as known, which costs little here; the spread itself is known to 1 / sqrt(2 x 150)
    assert rho.std(ddof=1) == pytest.approx(se.mean(), rel=0.2)


# --- R ----------------------------------------------------------------------------------------
def test_as_in_lavaan_and_polycor(shared_data: Path) -> None:
    bfi = bfi_answers(shared_data)
    found = polychoric(bfi.iloc[:, :25].dropna())
    assert found.correlations == pytest.approx(np.array(R["lavaan_polychoric"]), abs=1e-6)
    pair = polychoric(bfi[["A2", "A3"]])
    assert pair.correlations[0, 1] == pytest.approx(R["polychor_A2_A3"]["rho"], abs=1e-5)
    assert pair.se[0, 1] == pytest.approx(R["polychor_A2_A3"]["se"], rel=1e-3)


@pytest.mark.parametrize("name", R["scales"])
def test_as_in_psych(name: str, shared_data: Path) -> None:
    found = polychoric(keyed(bfi_answers(shared_data), name).dropna())
    assert found.correlations == pytest.approx(np.array(R["scales"][name]["psych_polychoric"]), abs=1e-3)
    for mine, theirs in zip(found.thresholds, R["scales"][name]["psych_tau"], strict=True):
        assert mine == pytest.approx(theirs, rel=1e-10)


def test_tetrachoric_as_in_psych(shared_data: Path) -> None:
    bfi = bfi_answers(shared_data)
    high = bfi["A2"].ge(5).astype(float).where(bfi["A2"].notna())
    found = polychoric(pd.DataFrame({"gender": bfi["gender"], "high": high}))
    assert found.correlations[0, 1] == pytest.approx(R["tetrachoric_gender_A2ge5"], abs=1e-3)


# --- words and refusals ------------------------------------------------------------------------
def test_empty_cells_are_told_and_cost_no_number() -> None:
    found = polychoric(table([[30, 20, 0], [20, 30, 20], [10, 20, 30]]))
    assert found.empty_cells == 1 and 0.3 < found.correlations[0, 1] < 0.7
    assert found.note is not None and found.note.en.startswith("1 of 1 pairs of items has empty cells")


def test_a_correlation_that_cannot_be_told_from_one_has_no_standard_error() -> None:
    found = polychoric(scale(1).assign(same=lambda f: f["q0"]))
    assert found.correlations[0, 4] == pytest.approx(0.9999) and math.isnan(found.se[0, 4])
    assert found.note is not None
    assert found.note.en.startswith("The correlation of q0–same cannot be told from ±1")


def unfitting() -> pd.DataFrame:
    """a goes with b and b with c, c against a: each pair answered by residents of its own."""
    rng = np.random.default_rng(1)
    near = scale(2, n=300, k=2, loading=0.95).to_numpy()
    blocks = [(0, 1, 1), (1, 2, 1), (0, 2, -1)]
    values = np.full((900, 3), np.nan)
    for place, (i, j, sign) in enumerate(blocks):
        rows = slice(300 * place, 300 * (place + 1))
        values[rows, i], values[rows, j] = near[:, 0], near[:, 1] if sign > 0 else 6 - near[:, 1]
    return pd.DataFrame(rng.permutation(values), columns=list("abc"))


def test_pairs_that_do_not_fit_are_told_and_moved_only_where_said() -> None:
    raw, made = polychoric(unfitting()), correlated(unfitting(), correlations="polychoric")
    assert raw.smallest_eigenvalue < -0.1
    assert raw.note is not None and "no positive definite matrix" in raw.note.en
    assert made.is_smoothed and np.linalg.eigvalsh(made.values)[0] > 0
    assert made.note is not None and made.note.en.endswith("The matrix was smoothed before it was used.")
    fitting = correlated(scale(1), correlations="polychoric")
    assert not fitting.is_smoothed
    assert fitting.values == pytest.approx(polychoric(scale(1)).correlations)


def test_smoothing_lifts_only_what_does_not_fit() -> None:
    odd = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    assert np.linalg.eigvalsh(smoothed(odd))[0] > 0 and np.diag(smoothed(odd)) == pytest.approx(1)
    assert smoothed(np.eye(3)) == pytest.approx(np.eye(3))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda f: polychoric(f.assign(q0=np.arange(200.0))), "'q0' has 200 different answers; expected at most 20"),
        (lambda f: polychoric(f.assign(q0=f["q0"].where(f.index < 90), q1=f["q1"].where(f.index >= 90))), "nobody answered both 'q0' and 'q1'"),
        (lambda f: polychoric(f.assign(q0=f["q0"].where(f.index < 9), q1=[2.0] * 9 + [3.0] * 191)), "those who answered both 'q0' and 'q1' answered one of them alike"),
        (lambda f: correlated(f, correlations="spearman"), "correlations = 'spearman'; expected one of pearson, polychoric"),
        (lambda f: correlated(f, correlations="polycoric"), "Did you mean 'polychoric'"),
        (lambda f: correlated(f.mask(pd.Series(f.index >= 4))), "4 residents answered every one of 4 items; expected at least 5"),
        (lambda f: correlated(f.assign(same=f["q0"])), "follow from the others"),
    ],
)  # fmt: skip
def test_bad_use_is_refused(call: Any, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        call(scale(1))
