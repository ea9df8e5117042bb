"""Cluster-robust least squares and its bootstrap: by hand, as laws, in what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate import cluster_robust
from cbresearch.estimate.clusters.few_clusters import leave_one_out
from cbresearch.estimate.clusters.linear import least_squares
from cbresearch.estimate.clusters.wild import wild_bootstrap


def study(
    seed: int, clusters: int = 12, each: int = 9
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(clusters), each)
    x = rng.normal(size=clusters)[g] + rng.normal(size=len(g))
    y = 1 + 0.5 * x + rng.normal(size=clusters)[g] + rng.normal(size=len(g))
    return np.column_stack([np.ones(len(g)), x]), y, rng.uniform(0.5, 3, len(g)), g


def test_the_mean_of_two_clusters_by_hand() -> None:
    # y = 1, 1 | 3, 5: mean 2.5, cluster scores -3 and 3, M = 1/4: CR0 = 18/16
    X, y, g = np.ones((4, 1)), np.array([1.0, 1.0, 3.0, 5.0]), np.array([0, 0, 1, 1])
    assert cluster_robust(X, y, None, g, "CR0").variance[0, 0] == pytest.approx(18 / 16)
    assert cluster_robust(X, y, None, g, "CR1").variance[0, 0] == pytest.approx(2 * 18 / 16)
    # equal clusters: CR2 multiplies the mean's variance by G/(G-1) too, CR3 by its square; df = G - 1
    two, three = cluster_robust(X, y, None, g, "CR2"), cluster_robust(X, y, None, g, "CR3")
    assert two.variance[0, 0] == pytest.approx(2 * 18 / 16)
    assert three.variance[0, 0] == pytest.approx(4 * 18 / 16)
    assert two.df[0] == pytest.approx(1.0)


def test_golden_numbers_of_a_weighted_fit_with_23_clusters() -> None:
    # two independent implementations agreed on these: CR2 and its df with weights, working model identity
    rng = np.random.default_rng(1)
    g = np.repeat(np.arange(23), 40)
    fund, age = rng.normal(size=23)[g], rng.integers(18, 80, 920)
    u = rng.normal(scale=0.5, size=23)[g]
    y = 3.5 + 0.2 * fund + u + rng.normal(size=920)
    w = rng.uniform(0.5, 3, 920)
    X = np.column_stack([np.ones(920), fund, age])
    weighted, plain = cluster_robust(X, y, w, g), cluster_robust(X, y, None, g)
    assert (round(weighted.coefficients[1], 5), round(weighted.se[1], 6), round(weighted.df[1], 3)) == (
        0.46585,
        0.135090,
        7.620,
    )
    assert (round(plain.coefficients[1], 5), round(plain.se[1], 6), round(plain.df[1], 3)) == (
        0.47635,
        0.128603,
        7.532,
    )
    assert round(cluster_robust(X, y, w, g, "CR1S").se[1], 6) == 0.128794


@given(seed=st.integers(0, 10_000), k=st.floats(0.01, 100))
@settings(deadline=None, max_examples=25)
@pytest.mark.parametrize("kind", ["CR0", "CR1S", "CR2", "CR3"])
def test_the_unit_of_weights_does_not_matter(kind: str, seed: int, k: float) -> None:
    X, y, w, g = study(seed)
    one, other = cluster_robust(X, y, w, g, kind), cluster_robust(X, y, w * k, g, kind)  # type: ignore[arg-type]
    assert other.se == pytest.approx(one.se, rel=1e-8)
    assert other.df == pytest.approx(one.df, rel=1e-6)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_order_of_rows_and_names_of_clusters_do_not_matter(seed: int) -> None:
    X, y, w, g = study(seed)
    order = np.random.default_rng(seed).permutation(len(y))
    renamed = np.array([f"社区{code}" for code in 11 - g])
    one, other = cluster_robust(X, y, w, g), cluster_robust(X[order], y[order], w[order], renamed[order])
    assert other.variance == pytest.approx(one.variance, rel=1e-8)
    assert other.df == pytest.approx(one.df, rel=1e-8)


@given(seed=st.integers(0, 10_000))
@settings(deadline=None, max_examples=25)
def test_each_kind_is_more_careful_than_the_one_before(seed: int) -> None:
    X, y, _, g = study(seed)
    se = [cluster_robust(X, y, None, g, kind).se[1] for kind in ("CR0", "CR2", "CR3")]  # type: ignore[arg-type]
    assert se == sorted(se)


def test_with_many_clusters_all_kinds_meet() -> None:
    X, y, w, g = study(3, clusters=3_000, each=2)
    plain, careful = cluster_robust(X, y, w, g, "CR0"), cluster_robust(X, y, w, g, "CR2")
    assert careful.se == pytest.approx(plain.se, rel=2e-3)


def test_the_variance_equals_the_one_written_with_big_matrices() -> None:
    X, y, w, g = study(5, clusters=6, each=5)
    M, W = np.linalg.inv(X.T @ (w[:, None] * X)), np.diag(w)
    H = X @ M @ X.T @ W
    residual_maker = (np.eye(len(y)) - H) @ (np.eye(len(y)) - H).T
    e, meat, weights = y - H @ y, np.zeros((2, 2)), []
    for j in range(6):
        rows = g == j
        values, vectors = np.linalg.eigh(residual_maker[np.ix_(rows, rows)])
        E = X[rows].T @ np.diag(w[rows]) @ (vectors / np.sqrt(values)) @ vectors.T
        meat += np.outer(E @ e[rows], E @ e[rows])
        full = np.zeros((2, len(y)))
        full[:, rows] = M @ E
        weights.append(full[1])
    P = np.array(weights) @ residual_maker @ np.array(weights).T
    found = cluster_robust(X, y, w, g)
    assert found.variance == pytest.approx(M @ meat @ M, rel=1e-10)
    assert found.df[1] == pytest.approx(np.trace(P) ** 2 / (P**2).sum(), rel=1e-10)


def test_leaving_out_a_cluster_is_refitting_without_it() -> None:
    X, y, w, g = study(7)
    for item in leave_one_out(least_squares(X, y, w, g), 1):
        kept = g != int(item.cluster)
        assert item.value == pytest.approx(
            least_squares(X[kept], y[kept], w[kept], g[kept]).coefficients[1], rel=1e-9
        )


def test_weights_that_are_whole_numbers_stand_for_repeated_rows() -> None:
    X, y, _, g = study(9, clusters=8, each=4)
    w = np.random.default_rng(9).integers(1, 4, len(y))
    i = np.repeat(np.arange(len(y)), w)
    weighted, repeated = least_squares(X, y, w.astype(float), g), least_squares(X[i], y[i], None, g[i])
    assert weighted.coefficients == pytest.approx(repeated.coefficients, rel=1e-10)
    # n - k differs, and only that: the scores of the clusters are the same
    assert cluster_robust(X, y, w.astype(float), g, "CR0").se == pytest.approx(
        cluster_robust(X[i], y[i], None, g[i], "CR0").se, rel=1e-10
    )
    assert wild_bootstrap(weighted, 1).p == wild_bootstrap(repeated, 1).p


def test_a_bootstrap_p_is_never_zero() -> None:
    X, _, w, g = study(11, clusters=6, each=10)
    y = 100 * X[:, 1] + np.random.default_rng(1).normal(size=len(g))
    found = wild_bootstrap(least_squares(X, y, w, g), 1, draws=999)
    assert 0 < found.p < 0.05
    assert not found.exact and found.points == "Webb"


def test_the_same_seed_gives_the_same_p() -> None:
    X, y, w, g = study(13, clusters=20)
    fit = least_squares(X, y, w, g)
    assert wild_bootstrap(fit, 1, seed=4) == wild_bootstrap(fit, 1, seed=4)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda X, y, w, g: (X, y, -w, g), "weights are negative"),
        (lambda X, y, w, g: (X, np.where(y > 1, np.nan, y), w, g), "Missing or infinite values in X, y or w"),
        (lambda X, y, w, g: (X, y, w, g * 0), "1 cluster; a variance between clusters needs at least two"),
        (lambda X, y, w, g: (X[:5], y, w, g), "expected as many rows in each"),
        (
            lambda X, y, w, g: (np.column_stack([X, X[:, 1] * 2]), y, w, g),
            r"Column 2 of X \(counted from 0\) follows from",
        ),
        (lambda X, y, w, g: (X[:2], y[:2], w[:2], [0, 1]), "2 rows cannot tell 2 coefficients apart"),
    ],
)
def test_bad_use_is_refused(change: object, said: str) -> None:
    with pytest.raises(EstimateError, match=said):
        cluster_robust(*change(*study(1)))  # type: ignore[operator]


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(EstimateError, match="'HC1'; expected one of CR0, CR1, CR1S, CR2, CR3"):
        cluster_robust(*study(1), "HC1")  # type: ignore[arg-type]
