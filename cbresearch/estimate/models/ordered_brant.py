"""Brant's test: whether one coefficient does for all cuts of ordered answers (1990, Biometrics 46)."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.models.ordered_doubt import Kind, summed
from cbresearch.estimate.models.ordered_fit import Optimum, fit
from cbresearch.estimate.models.proportional_odds import Answers, ends, scores
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints

LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Brant:
    """A Wald test that slopes are the same at every cut, for all terms together.

    `by_term` has a row per term: term, chi2, df, df2, p. `df2` is infinite where p is from the chi-square; with G
    clusters p is from F(df, G - df) for chi2 (G - df) / (df (G - 1)), and NaN where there are not more clusters
    than slopes to compare.
    """

    chi2: float
    df: int
    df2: float
    p: float
    by_term: pd.DataFrame

    @property
    def sentence(self) -> Text:
        if math.isnan(self.p):
            return Text(
                f"社区数不比要比较的系数（{self.df}个）多，无法检验各档之间的作用是否相同。",
                f"There are not more clusters than slopes to compare ({self.df}), so whether effects differ from "
                "answer to answer cannot be tested.",
            )
        if self.p >= LEVEL:
            return Text(
                f"各档之间的作用看不出差别（Brant检验，p = {self.p:.3f}），可以用一个系数概括。",
                f"The effects are not seen to differ from answer to answer (Brant test, p = {self.p:.3f}); one "
                "coefficient will do.",
            )
        said = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        worst = str(self.by_term.sort_values("p", kind="stable")["term"].iloc[0])
        return Text(
            f"各档之间的作用不同（Brant检验，{said}），以{worst}最为明显；一个系数只是平均。",
            f"The effects differ from answer to answer (Brant test, {said}), {worst} most of all; one coefficient is "
            "an average only.",
        )


def brant(answers: Answers, kind: Kind, groups: Ints | None) -> Brant:
    """The test with the covariance that the model's own `kind` asks for; over clusters it is CR1.

    EstimateError for two answers, or where an answer is foretold without fail at one of the cuts.
    """
    k, K = len(answers.Z), answers.levels
    if K < 3:
        raise EstimateError("Two answers have one cut; there are no lines to be parallel.")
    joined = [answers.joined(cut) for cut in range(K - 1)]
    found = [_fit(one, cut + 1) for cut, one in enumerate(joined)]
    if kind == "model":
        chances = [ends(one, its.at) for one, its in zip(joined, found, strict=True)]
        above = [_above(one, both) for one, both in zip(joined, chances, strict=True)]
        V = _by_model(answers, above, [its.information for its in found])
    else:
        each = [
            scores(one, its.at) @ np.linalg.inv(its.information)[:, :k]
            for one, its in zip(joined, found, strict=True)
        ]
        moves = np.concatenate(each, axis=1)
        moves = moves if groups is None else summed(moves, groups)
        V = moves.T @ moves * (1.0 if kind == "CR0" else len(moves) / (len(moves) - 1))
    clusters = None if groups is None else int(groups.max()) + 1
    slopes = np.array([its.at[:k] for its in found])
    rows = [(name, *_equal(slopes, V, [i], clusters)) for i, name in enumerate(answers.names)]
    table = pd.DataFrame(rows, columns=["term", "chi2", "df", "df2", "p"])
    return Brant(*_equal(slopes, V, list(range(k)), clusters), table)


def _fit(joined: Answers, cut: int) -> Optimum:
    try:
        return fit(joined)
    except EstimateError as error:
        raise EstimateError(
            f"Brant's test fits a logit at every cut, and at cut {cut} (counted from the lowest answer) there is none: {error}"
        ) from error


def _above(joined: Answers, both: tuple[Floats, Floats]) -> Floats:
    """The chance of an answer above the cut, for every row."""
    below, above = joined.rows
    up, over = both
    return np.concatenate([1 - up[below], over[above]])


def _by_model(answers: Answers, above: list[Floats], information: list[Floats]) -> Floats:
    """Covariance of the slopes of all cuts: A_i^-1 X'W (p_j - p_i p_j) X A_j^-1 for cuts i <= j, (K - 1)k squared."""
    k, cuts = len(answers.Z), len(above)
    D = np.vstack([answers.Z, -np.ones(answers.Z.shape[1])])  # the cut enters with a minus
    inverse = [np.linalg.inv(one) for one in information]
    V = np.empty((cuts * k, cuts * k))
    for i in range(cuts):
        for j in range(i, cuts):
            middle = (D * (answers.weights * above[j] * (1 - above[i]))) @ D.T
            block = (inverse[i] @ middle @ inverse[j])[:k, :k]
            V[i * k : (i + 1) * k, j * k : (j + 1) * k] = block
            V[j * k : (j + 1) * k, i * k : (i + 1) * k] = block.T
    return V


def _equal(
    slopes: Floats, V: Floats, terms: list[int], clusters: int | None
) -> tuple[float, int, float, float]:
    """Wald's chi-square that the (K-1) x k slopes of some terms are the same at every cut, its df, df2 and p."""
    cuts, k = slopes.shape
    chosen = np.concatenate([[cut * k + i for i in terms] for cut in range(cuts)]).astype(int)
    q = len(terms)
    D = np.hstack([np.eye((cuts - 1) * q), np.zeros(((cuts - 1) * q, q))]) - np.eye(
        (cuts - 1) * q, cuts * q, q
    )
    df, away = len(D), D @ slopes.ravel()[chosen]
    if clusters is not None and clusters <= df:
        return math.nan, df, math.nan, math.nan
    chi2 = float(away @ np.linalg.solve(D @ V[np.ix_(chosen, chosen)] @ D.T, away))
    if clusters is None:
        return chi2, df, math.inf, float(stats.chi2.sf(chi2, df))
    df2 = clusters - df
    return chi2, df, float(df2), float(stats.f.sf(chi2 * df2 / (df * (clusters - 1)), df, df2))
