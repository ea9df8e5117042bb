"""Ordered logit: what goes with better answers, where answers have an order and no distance.

R: `ordinal::clm`, `MASS::polr`; the sandwich over clusters as in `sandwich::vcovCL`, CR2 as in clubSandwich.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit, logit

from cbresearch.errors import EstimateError, nearest
from cbresearch.estimate.formula import Matrices, coded_alike, matrices, used, weights_of
from cbresearch.estimate.models.ordered_brant import LEVEL as LEVEL
from cbresearch.estimate.models.ordered_brant import Brant, brant
from cbresearch.estimate.models.ordered_doubt import (
    Doubt,
    Kind,
    Variance,
    carried,
    from_clusters,
    from_model,
    from_rows,
    kind_of,
    summed,
)
from cbresearch.estimate.models.ordered_fit import Optimum, fit
from cbresearch.estimate.models.ordered_outcome import outcome_of
from cbresearch.estimate.models.ordered_terms import Term, notes_on, terms_of, together
from cbresearch.estimate.models.proportional_odds import Answers, chances, in_order, information_by, scores
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class Ordered:
    """A fitted model of the log odds of an answer above j: x'b - cut_j.

    `terms` are the b, `thresholds` the cuts between neighbouring answers; `answers` are their names from the
    lowest; `gradient` is what was left to climb, in standard errors (converged: below a millionth). `variance`
    says which one was used, `note` what a reader must know. `left_out` rows missed a value or weighed nothing.
    """

    terms: tuple[Term, ...]
    thresholds: tuple[Term, ...]
    answers: tuple[str, ...]
    log_likelihood: float
    covariance: Floats = field(repr=False)
    """Of the coefficients, then the cuts."""
    variance: str
    n: int
    left_out: int
    clusters: int | None
    steps: int
    gradient: float
    note: Text | None
    _fitted: _Fitted = field(repr=False)

    @property
    def method(self) -> str:
        return f"ordered logit, {self.variance}"

    @property
    def table(self) -> pd.DataFrame:
        """A row per coefficient: term, estimate, se, df, p, low, high, and odds_ratio with its interval."""
        table = pd.DataFrame([{name: getattr(one, name) for name in Term.__slots__} for one in self.terms])
        names = {"estimate": "odds_ratio", "low": "odds_low", "high": "odds_high"}
        return table.assign(**{told: np.exp(table[name]) for name, told in names.items()})

    def brant(self) -> Brant:
        """Whether one coefficient does for all cuts; computed anew at each call."""
        its = self._fitted
        return brant(its.answers, its.doubt.kind, its.groups)

    def shares(
        self, frame: pd.DataFrame | None = None, *, at: Mapping[str, str | float] | None = None
    ) -> pd.DataFrame:
        """The share (0-1) of each answer that the model foretells, averaged over rows.

        The rows are those of the fit, or of another `frame` with the formula's columns (averaged by the weights'
        column where it has one; rows with gaps are left out). `at` sets columns for all of them, the rest stays as
        it is: shares(at={"age": 70}) is what everybody's answers would be at that age. A row per answer: answer,
        share, se, df, low, high; the delta method, the interval on the log odds, with rows and weights taken as
        given. EstimateError for a column that is not there, or a class that the fit had not met.
        """
        its = self._fitted
        Z, w = its.rows(frame, at or {})
        b, cuts = its.at[: Z.shape[1]], its.at[Z.shape[1] :]
        share = w @ chances(Z, b, cuts)
        slopes = _share_slopes(Z, b, cuts, w)
        se, df = its.doubt.se(slopes), its.doubt.df(slopes)
        reach = stats.t.ppf(0.975, df) * se / (share * (1 - share))
        low, high = expit(logit(share) - reach), expit(logit(share) + reach)
        return pd.DataFrame(
            {"answer": list(self.answers), "share": share, "se": se, "df": df, "low": low, "high": high}
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    """What tests and foretold shares need of a fit; `at` and `doubt` on the scale of `answers`, where nothing cancels."""

    made: Matrices
    frame: pd.DataFrame
    weights: str | None
    kept: Ints
    """Which columns of the formula's X are regressors."""
    answers: Answers
    groups: Ints | None
    at: Floats
    doubt: Doubt

    def rows(self, frame: pd.DataFrame | None, at: Mapping[str, str | float]) -> tuple[Floats, Floats]:
        """Scaled regressors and weights, adding up to one, of the rows to average over."""
        told = self.frame.iloc[self.made.rows] if frame is None else frame
        known = [str(column) for column in used(told, self.made.formula.partition("~")[2])]
        for name in at:
            if name not in known:
                near = nearest(name, known)
                raise EstimateError(
                    f"at={{'{name}': …}}: the model '{self.made.formula}' has no such column; it has {', '.join(known)}."
                    + (f" Did you mean '{near}'?" if near else "")
                )
        if frame is None and not at:
            X, rows = self.made.X, np.arange(len(self.made.X))
        else:
            X, rows = coded_alike(self.made, told.assign(**at))
        if not len(rows):
            raise EstimateError(
                "No row of the frame has all columns of the formula; there is nothing to average."
            )
        weighed = self.weights is not None and self.weights in told.columns
        w = weights_of(told, self.weights, rows) if weighed else None
        w = np.ones(len(rows)) if w is None else w
        return (X[:, self.kept] - self.answers.centre) / self.answers.scale, w / w.sum()


def ordered(
    frame: pd.DataFrame,
    formula: str,
    *,
    weights: str | None = None,
    cluster: str | None = None,
    variance: Variance = "auto",
) -> Ordered:
    """Fit ordered answers on `formula`, such as "satisfaction ~ age + C(sex)", by maximum likelihood.

    The outcome is a column of numeric codes or an ordered Categorical. `weights` say how many people a row
    stands for. `variance` "auto" is "model" where there are neither weights nor clusters; "rows" (the sandwich)
    with weights, because they are chances of being drawn and not counts; "CR2" with clusters. "model" reads
    weights as counts of alike rows (R's `clm`); "CR0" and "CR1" are the plain sandwich over clusters and the one
    times G/(G - 1), with t(G - 1). Rows with a gap in the formula are left out and counted. EstimateError for
    an outcome without order, columns that repeat each other, answers that are foretold without fail, or a search
    that does not settle; and never a number from such a search.
    """
    kind = kind_of(variance, weighted=weights is not None, clustered=cluster is not None)
    outcome, told = outcome_of(frame, formula, weights)
    made = matrices(told, formula, also=[column for column in (weights, cluster) if column is not None])
    made, w = _weighing(made, weights_of(told, weights, made.rows))
    kept = np.array([i for i, name in enumerate(made.names) if name != "Intercept"], dtype=np.int64)
    if not len(kept):
        raise EstimateError(f"'{formula}' has no regressor; expected at least one.")
    code, kinds = outcome.coded(made.y)
    answers = in_order(made.X[:, kept], code, w, tuple(made.names[i] for i in kept))
    found = fit(answers)
    groups = None if cluster is None else _groups(told[cluster], made.rows, answers)
    scaled = _doubt(kind, answers, found, groups)
    doubt = carried(scaled, answers.back)
    named = tuple(outcome.label(one) for one in kinds)
    between = [f"{low}|{high}" for low, high in pairwise(named)]
    each = terms_of([*answers.names, *between], np.concatenate([found.b, found.cuts]), doubt)
    terms, thresholds = each[: len(kept)], each[len(kept) :]
    fitted = _Fitted(made, frame.copy(deep=False), weights, kept, answers, groups, found.at, scaled)
    return Ordered(
        terms, thresholds, named, found.log_likelihood, doubt.covariance, doubt.method, len(code), len(frame) - len(code),
        doubt.clusters, found.steps, found.gradient, together([*outcome.unheard(kinds), *notes_on(terms, doubt)]), fitted,
    )  # fmt: skip


def _weighing(made: Matrices, w: Floats | None) -> tuple[Matrices, Floats]:
    """The rows that weigh something, with their weights."""
    if w is None:
        return made, np.ones(len(made.y))
    if (w > 0).all():
        return made, w
    there = w > 0
    kept = Matrices(made.formula, made.y[there], made.X[there], made.names, made.rows[there], made.coding)
    return kept, w[there]


def _groups(labels: pd.Series, rows: Ints, answers: Answers) -> Ints:
    """Clusters as 0..G-1, in the order of the sorted rows."""
    return np.asarray(pd.factorize(labels.iloc[rows])[0][answers.order], dtype=np.int64)


def _doubt(kind: Kind, answers: Answers, found: Optimum, groups: Ints | None) -> Doubt:
    """The variance on the scale of the search."""
    if kind == "model":
        return from_model(found.information)
    each = scores(answers, found.at)
    if kind == "rows" or groups is None:
        return from_rows(found.information, each)
    by_cluster = information_by(answers, found.at, groups) if kind == "CR2" else None
    return from_clusters(kind, found.information, summed(each, groups), by_cluster)


def _share_slopes(Z: Floats, b: Floats, cuts: Floats, w: Floats) -> Floats:
    """How each answer's average share moves with each coefficient and cut, K x (k + K - 1)."""
    below = expit(cuts[None, :] - (Z @ b)[:, None])
    dense = below * (1 - below) * w[:, None]
    in_b = -np.diff(dense, axis=1, prepend=0.0, append=0.0).T @ Z
    in_cuts = np.diff(np.diag(dense.sum(axis=0)), axis=0, prepend=0.0, append=0.0)
    return np.column_stack([in_b, in_cuts])
