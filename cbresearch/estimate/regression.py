"""Regression for samples with a design: coefficients of the population, with the doubt of the drawing.

The coefficients are those that a census would give, estimated with weights; their influence values are
w x (y - mu) M with M = (X'WX)^-1 (Binder 1983, Int. Statistical Review 51; R: `survey::svyglm`). For an
effect of something that communities have, with few communities, use `few_clusters` instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import linalg, stats

from cbresearch.errors import EstimateError, nearest
from cbresearch.estimate.formula import Matrices, matrices
from cbresearch.estimate.logit import Fit, fit_logit
from cbresearch.records import Estimate
from cbresearch.sampling.design import Design, Floats, covariance, degrees_of_freedom, draw
from cbresearch.sampling.domains import mask
from cbresearch.sampling.figures import CONFIDENCE
from cbresearch.sampling.wald import Reference, WaldTest, wald

Family = Literal["linear", "logit"]


@dataclass(frozen=True, slots=True, eq=False)
class Regression:
    """k coefficients of a formula with their covariance (k x k).

    `df` are the design's degrees of freedom (PSUs less strata of the rows used) less k - 1, as in R; with
    none left there are no intervals, and `method` says so. `left_out`: rows of the domain that miss
    something in the formula. Coefficients of a logit are log odds.
    """

    formula: str
    family: Family
    names: tuple[str, ...]
    coefficients: Floats
    covariance: Floats
    df: int
    n: int
    psus: int
    left_out: int
    method: str

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.covariance)))

    @property
    def table(self) -> pd.DataFrame:
        """One row per coefficient: term, estimate, se, df, t, p (two-sided, against 0), low, high (95 %)."""
        df = float(self.df) if self.df > 0 else math.nan
        se = np.where(self.se > 0, self.se, np.nan)
        t, reach = self.coefficients / se, stats.t.ppf((1 + CONFIDENCE) / 2, df) * se
        return pd.DataFrame(
            {
                "term": self.names, "estimate": self.coefficients, "se": self.se, "df": float(self.df), "t": t,
                "p": 2 * stats.t.sf(np.abs(t), df), "low": self.coefficients - reach,
                "high": self.coefficients + reach,
            }
        )  # fmt: skip

    @property
    def odds_ratios(self) -> pd.DataFrame:
        """One row per coefficient but the intercept: term, odds_ratio, low, high, p. EstimateError unless a logit."""
        if self.family != "logit":
            raise EstimateError(f"'{self.formula}' is a linear regression; odds ratios need family='logit'.")
        table = self.table[self.table["term"] != "Intercept"].reset_index(drop=True)
        return pd.DataFrame(
            {
                "term": table["term"], "odds_ratio": np.exp(table["estimate"]), "low": np.exp(table["low"]),
                "high": np.exp(table["high"]), "p": table["p"],
            }
        )  # fmt: skip

    def estimate(self, name: str, unit: str = "per unit") -> Estimate:
        """One coefficient as a record, for the release gate."""
        row = self.table.iloc[self._places((name,))[0]]
        return Estimate(
            measure=name, value=float(row["estimate"]), se=float(row["se"]), df=float(self.df),
            low=float(row["low"]), high=float(row["high"]), n=self.n, psus=self.psus, unit=unit,
            method=self.method, p=float(row["p"]),
        )  # fmt: skip

    def wald(self, terms: str | Sequence[str], reference: Reference = "F") -> WaldTest:
        """Whether all coefficients of some terms are zero at once.

        A term is a coefficient ("age") or all dummies of a text column ("kind" for "kind[T.b]", …).
        "F" is q and `df` (R: `regTermTest`); "adjusted F" Korn and Graubard's from the design's own degrees
        of freedom. EstimateError for a term that is not there.
        """
        places = self._places((terms,) if isinstance(terms, str) else tuple(terms))
        df = self.df if reference == "F" else self.df + len(self.names) - 1
        return wald(
            tuple(self.names[i] for i in places),
            self.coefficients[places],
            self.covariance[np.ix_(places, places)],
            df,
            reference,
        )

    def _places(self, terms: tuple[str, ...]) -> list[int]:
        found = {
            term: [i for i, name in enumerate(self.names) if name == term or _class_of(name, term)]
            for term in terms
        }
        unknown = [term for term, places in found.items() if not places]
        if unknown or not terms:
            near = nearest(unknown[0], self.names) if unknown else None
            hint = f" Did you mean '{near}'?" if near else ""
            said = ", ".join(f"'{term}'" for term in unknown) or "nothing"
            raise EstimateError(f"'{self.formula}' has no term {said}; it has {', '.join(self.names)}.{hint}")
        return sorted({place for places in found.values() for place in places})


def regress(
    frame: pd.DataFrame, formula: str, design: Design, *, family: Family = "linear", where: pd.Series | None = None
) -> Regression:  # fmt: skip
    """Regress one column on others, such as "satisfaction ~ age + kind", with the design's standard errors.

    `family` "linear": least squares; "logit": the log odds of an outcome of 0 and 1. Text columns become
    dummies, the first class left out. Rows outside `where`, or missing something, keep their place in the
    design and have no influence. EstimateError for columns that repeat each other, an outcome that does
    not vary or is not 0 and 1, and answers that a logit can tell apart without error (separation).
    """
    if family not in get_args(Family):
        known = " or ".join(f"'{name}'" for name in get_args(Family))
        raise EstimateError(f"regress(family={family!r}): expected {known}.")
    sample, asked = draw(frame, design), np.flatnonzero(mask(frame, where))
    m = matrices(frame.iloc[asked], formula)
    rows = asked[m.rows]
    w = sample.weights[rows]
    _refuse(m, w, family)
    fit = _least_squares(m, w) if family == "linear" else fit_logit(m, w)
    influence = np.zeros((len(frame), len(m.names)))
    influence[rows] = (m.X * (w * fit.residuals)[:, None]) @ _bread(m.X, w * fit.curvature)
    used = np.zeros(len(frame), dtype=bool)
    used[rows] = True
    df = degrees_of_freedom(sample, used) - (len(m.names) - 1)
    method = f"design-based {family} regression, Taylor linearisation"
    if df <= 0:
        method = f"no interval: {len(m.names)} coefficients and too few PSUs, {df} degrees of freedom"
    return Regression(
        formula, family, m.names, fit.coefficients, covariance(sample, influence), df, len(rows),
        len(np.unique(sample.psu[rows])), len(asked) - len(rows), method,
    )  # fmt: skip


def _class_of(name: str, term: str) -> bool:
    """Whether a column is a dummy of `term`: "kind[T.b]" of "kind"; an interaction is none of its parts."""
    return name.startswith(f"{term}[") and ":" not in name[len(term) :]


def _least_squares(m: Matrices, w: Floats) -> Fit:
    root = np.sqrt(w)
    Q, R = np.linalg.qr(m.X * root[:, None])
    coefficients = linalg.solve_triangular(R, Q.T @ (m.y * root))
    return Fit(coefficients, np.ones(len(w)), m.y - m.X @ coefficients)


def _bread(X: Floats, working: Floats) -> Floats:
    """M = (X'WX)^-1, by QR: columns may have very unlike units."""
    R = np.linalg.qr(X * np.sqrt(working)[:, None], mode="r")
    inverse = linalg.solve_triangular(R, np.eye(X.shape[1]))
    return np.asarray(inverse @ inverse.T)


def _refuse(m: Matrices, w: Floats, family: Family) -> None:
    faults = list(_faults(m, w, family))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"'{m.formula}' cannot be estimated:\n{listed}")


def _faults(m: Matrices, w: Floats, family: Family) -> Iterator[str]:
    counted, k = w > 0, len(m.names)
    if counted.sum() <= k:
        yield f"{counted.sum()} rows of positive weight miss nothing, for {k} coefficients; use fewer terms"
        return
    for column in _repeats(m, w):
        yield f"'{column}' follows from the columns before it, so its coefficient means nothing; leave it out"
    outcomes = np.unique(m.y[counted])
    if family == "logit" and not np.isin(outcomes, (0, 1)).all():
        yield f"the outcome holds {', '.join(f'{value:g}' for value in outcomes[:5])}; a logit needs 0 and 1"
    elif family == "logit" and len(outcomes) < 2:
        yield f"the outcome is {outcomes[0]:g} in every row; a logit needs both 0 and 1"


def _repeats(m: Matrices, w: Floats) -> list[str]:
    R = np.asarray(np.linalg.qr(m.X * np.sqrt(w)[:, None], mode="r"))
    size = np.sqrt((R**2).sum(axis=0))
    return [m.names[i] for i in np.flatnonzero(np.abs(np.diag(R)) <= 1e-10 * np.where(size > 0, size, 1.0))]
