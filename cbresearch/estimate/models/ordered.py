"""Ordered logit: what goes with better answers, where answers have an order and no distance.

R: `ordinal::clm`, `MASS::polr`. The test of parallel lines is Brant's (1990, Biometrics 46).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit

from cbresearch.errors import EstimateError
from cbresearch.estimate.formula import Matrices, matrices, weights_of
from cbresearch.estimate.logit import fit_logit
from cbresearch.estimate.models.proportional_odds import Answers, Optimum, chances, fit, scores
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints, numbers, require

Variance = Literal["auto", "model", "robust"]
LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Term:
    """One coefficient on the log odds of a higher answer, with its odds ratio; p two-sided, 95 % interval."""

    term: str
    estimate: float
    se: float
    df: float
    p: float
    low: float
    high: float

    @property
    def odds_ratio(self) -> float:
        return math.exp(self.estimate)


@dataclass(frozen=True, slots=True)
class Brant:
    """Whether one coefficient does for all cuts: a chi-square for all terms together and for each."""

    chi2: float
    df: int
    p: float
    by_term: pd.DataFrame

    @property
    def sentence(self) -> Text:
        if self.p >= LEVEL:
            return Text(
                f"各档之间的作用看不出差别（Brant检验 p = {self.p:.3f}），可以用一个系数概括。",
                f"The effects are not seen to differ from answer to answer (Brant p = {self.p:.3f}); one coefficient will do.",
            )
        worst = str(self.by_term.sort_values("p")["term"].iloc[0])
        return Text(
            f"各档之间的作用不同（Brant检验 p = {self.p:.3f}），主要是{worst}；一个系数只是平均。",
            f"Effects differ from answer to answer (Brant p = {self.p:.3f}), {worst} most of all; one coefficient is an average only.",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """A fitted model: `terms`, the `thresholds` between answers, the log likelihood; `variance` says which errors.

    `clusters` is None where rows were taken to be independent.
    """

    terms: tuple[Term, ...]
    answers: tuple[str, ...]
    thresholds: Floats
    log_likelihood: float
    covariance: Floats
    variance: str
    n: int
    clusters: int | None
    note: Text | None
    _answers: Answers
    _names: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """A row per coefficient: term, estimate, se, df, p, low, high, odds_ratio."""
        rows = [
            {**{name: getattr(t, name) for name in Term.__slots__}, "odds_ratio": t.odds_ratio}
            for t in self.terms
        ]
        return pd.DataFrame(rows)

    def brant(self) -> Brant:
        """Brant's test; EstimateError where an answer is too rare for a binary logit at its cut."""
        return _brant(self._answers, self._names)

    def shares(self, at: Mapping[str, float] | None = None) -> pd.DataFrame:
        """The share of each answer, averaged over the rows, with regressors set to `at` and the rest as they are.

        A row per answer: answer, share, se, low, high (delta method). EstimateError for unknown regressors.
        """
        b = np.array([term.estimate for term in self.terms])
        X = self._answers.X.copy()
        for name, value in (at or {}).items():
            if name not in self._names:
                raise EstimateError(f"No regressor '{name}'; the model has {', '.join(self._names)}.")
            X[:, self._names.index(name)] = value
        w = self._answers.weights / self._answers.weights.sum()
        share = w @ chances(X, b, self.thresholds)
        slope = _share_slopes(X, b, self.thresholds, w)
        se = np.sqrt(np.einsum("ka,ab,kb->k", slope, self.covariance, slope))
        reach = stats.norm.ppf(0.975) * se
        return pd.DataFrame(
            {
                "answer": list(self.answers),
                "share": share,
                "se": se,
                "low": share - reach,
                "high": share + reach,
            }
        )


def ordered(
    frame: pd.DataFrame, formula: str, *, weights: str | None = None, cluster: str | None = None,
    variance: Variance = "auto",
) -> Ordered:  # fmt: skip
    """Fit ordered answers on `formula`, such as "satisfaction ~ age + C(sex)".

    The outcome is a column of numeric codes or an ordered Categorical. `weights` say how many people a row
    stands for. `variance` "auto" takes errors from the model where there are neither weights nor clusters and
    the sandwich otherwise (CR1 over clusters, with t on one less than their number); "model" with weights reads
    them as counts of alike rows. Rows with a missing value are left out. EstimateError for an outcome without
    order, answers that are foretold without fail, or a search that does not settle.
    """
    outcome, codes, labels = _outcome(frame, formula)
    told = frame.assign(**{outcome: codes})
    made = matrices(told, formula, also=[column for column in (weights, cluster) if column is not None])
    X, names = _without_ones(made)
    kinds, code = np.unique(made.y, return_inverse=True)
    if len(kinds) < 2:
        raise EstimateError(f"Everybody gave '{outcome}' the same answer; there is nothing to explain.")
    w = weights_of(told, weights, made.rows)
    given = Answers(X, code.astype(np.int64), np.ones(len(code)) if w is None else w, len(kinds))
    found = fit(given)
    groups = (
        None if cluster is None else pd.factorize(told[cluster].to_numpy()[made.rows])[0].astype(np.int64)
    )
    covariance, said, df = _covariance(given, found, groups, variance, is_weighted=weights is not None)
    return Ordered(
        _terms(names, found, covariance, df), tuple(labels[kind] for kind in kinds), found.cuts, found.log_likelihood,
        covariance, said, len(code), None if groups is None else int(groups.max()) + 1, _note(groups), given, names,
    )  # fmt: skip


def _outcome(frame: pd.DataFrame, formula: str) -> tuple[str, pd.Series, dict[float, str]]:
    """The outcome's name, its codes as floats (NaN where missing), and each code in words."""
    name = formula.split("~")[0].strip()
    require(frame, [name])
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        if not column.cat.ordered:
            raise EstimateError(f"'{name}' is a Categorical without order; make it one with ordered=True.")
        codes = column.cat.codes.astype("float64").where(column.notna())
        return name, codes, {float(i): str(label) for i, label in enumerate(column.cat.categories)}
    if not pd.api.types.is_numeric_dtype(column):
        example = column.dropna().head(1).tolist()
        raise EstimateError(
            f"'{name}' holds words such as {example}, whose order cannot be known. Make it an ordered Categorical, or numbers."
        )
    values = numbers(frame, name)
    return name, pd.Series(values, index=frame.index), {float(v): f"{v:g}" for v in np.unique(values[np.isfinite(values)])}  # fmt: skip


def _without_ones(made: Matrices) -> tuple[Floats, tuple[str, ...]]:
    """The cuts take the place of a column of ones."""
    kept = [i for i, name in enumerate(made.names) if name != "Intercept"]
    if not kept:
        raise EstimateError(f"'{made.formula}' has no regressor; expected at least one.")
    return made.X[:, kept], tuple(made.names[i] for i in kept)


def _covariance(
    given: Answers, found: Optimum, groups: Ints | None, variance: Variance, *, is_weighted: bool
) -> tuple[Floats, str, float]:
    bread = np.linalg.inv(found.information)
    if variance == "model" or (variance == "auto" and groups is None and not is_weighted):
        return np.asarray(bread), "from the model", math.inf
    each = scores(given, np.concatenate([found.b, found.cuts]))
    if groups is None:
        n = len(each)
        return np.asarray(bread @ each.T @ each @ bread * n / (n - 1)), "sandwich over rows", math.inf
    G = int(groups.max()) + 1
    if G < 2:
        raise EstimateError("1 cluster; a variance between clusters needs at least two.")
    sums = np.column_stack([np.bincount(groups, weights=column, minlength=G) for column in each.T])
    return (
        np.asarray(bread @ sums.T @ sums @ bread * G / (G - 1)),
        f"sandwich over {G} clusters (CR1)",
        G - 1.0,
    )


def _terms(names: tuple[str, ...], found: Optimum, covariance: Floats, df: float) -> tuple[Term, ...]:
    se = np.sqrt(np.diag(covariance))[: len(names)]
    reach = stats.t.ppf(0.975, df) * se
    p = 2 * stats.t.sf(np.abs(found.b) / se, df)
    return tuple(
        Term(name, float(found.b[i]), float(se[i]), df, float(p[i]), float(found.b[i] - reach[i]), float(found.b[i] + reach[i]))
        for i, name in enumerate(names)
    )  # fmt: skip


def _note(groups: Ints | None) -> Text | None:
    if groups is None or groups.max() + 1 >= 40:
        return None
    G = int(groups.max()) + 1
    return Text(
        f"只有{G}个社区，这种标准误偏小；结论以CR2为准。",
        f"With only {G} clusters these errors are on the small side; let CR2 decide.",
    )


def _share_slopes(X: Floats, b: Floats, cuts: Floats, w: Floats) -> Floats:
    """How each answer's average share moves with each coefficient and cut, K x (k + K - 1)."""
    below = expit(cuts[None, :] - (X @ b)[:, None])
    dense = below * (1 - below) * w[:, None]
    edges = np.column_stack([np.zeros(len(X)), dense, np.zeros(len(X))])
    in_b = -np.diff(edges, axis=1).T @ X
    K = len(cuts) + 1
    in_cuts = np.zeros((K, K - 1))
    total = dense.sum(axis=0)
    for i in range(K - 1):
        in_cuts[i, i], in_cuts[i + 1, i] = total[i], -total[i]
    return np.column_stack([in_b, in_cuts])


def _brant(answers: Answers, names: tuple[str, ...]) -> Brant:
    k, K = answers.X.shape[1], answers.levels
    if K < 3:
        raise EstimateError("Two answers have one cut; there are no lines to be parallel.")
    X, w = np.column_stack([np.ones(len(answers.X)), answers.X]), answers.weights
    every, read = np.arange(len(X)), ("Intercept", *names)
    fits = [
        fit_logit(
            Matrices(f"answer > {cut + 1}", (answers.code > cut).astype(np.float64), X, read, every), w
        ).coefficients
        for cut in range(K - 1)
    ]
    P = [expit(X @ b) for b in fits]
    inverse = [np.linalg.inv((X * (w * p * (1 - p))[:, None]).T @ X) for p in P]
    V = np.empty(((K - 1) * k, (K - 1) * k))
    for i in range(K - 1):
        for j in range(i, K - 1):
            middle = (X * (w * (P[j] - P[i] * P[j]))[:, None]).T @ X
            block = (inverse[i] @ middle @ inverse[j])[1:, 1:]
            V[i * k : (i + 1) * k, j * k : (j + 1) * k] = block
            V[j * k : (j + 1) * k, i * k : (i + 1) * k] = block.T
    slopes = np.concatenate([b[1:] for b in fits])
    rows = [(name, *_equal(slopes, V, [i], k, K)) for i, name in enumerate(names)]
    table = pd.DataFrame(rows, columns=["term", "chi2", "df", "p"])
    return Brant(*_equal(slopes, V, list(range(k)), k, K), table)


def _equal(slopes: Floats, V: Floats, terms: list[int], k: int, K: int) -> tuple[float, int, float]:
    """Wald's chi-square that the slopes of some terms are the same at every cut."""
    chosen = np.concatenate([[cut * k + i for i in terms] for cut in range(K - 1)])
    q = len(terms)
    D = np.zeros(((K - 2) * q, (K - 1) * q))
    for cut in range(K - 2):
        for i in range(q):
            D[cut * q + i, i], D[cut * q + i, (cut + 1) * q + i] = 1.0, -1.0
    away = D @ slopes[chosen]
    chi2 = float(away @ np.linalg.solve(D @ V[np.ix_(chosen, chosen)] @ D.T, away))
    return chi2, len(D), float(stats.chi2.sf(chi2, len(D)))
