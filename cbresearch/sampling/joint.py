"""Means of several groups that know how they vary together, so that any comparison of them can be made.

Groups of one sample share PSUs: their means are not independent, and the variance of a comparison is
c'Vc with the whole covariance V (R: `svyby(covmat = TRUE)` and `svycontrast`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError, nearest
from cbresearch.records import Estimate
from cbresearch.sampling.design import Design, Floats, Sample, covariance, degrees_of_freedom, draw, numbers
from cbresearch.sampling.domains import Domains, domains_of
from cbresearch.sampling.figures import TAYLOR, Figures, estimates, means, t_interval, tested
from cbresearch.sampling.wald import Reference, WaldTest, wald


@dataclass(frozen=True, slots=True, eq=False)
class GroupMeans:
    """The means of K groups with their K x K covariance.

    `labels` name the groups by their codes ("E"; crossed groups "2009 / E"); `df` are the degrees of
    freedom of all groups together.
    """

    measure: str
    unit: str
    labels: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    covariance: Floats
    df: int

    @property
    def table(self) -> pd.DataFrame:
        """One row per group: group, value, se, df, low, high, n, psus, method."""
        names = ("value", "se", "df", "low", "high", "n", "psus", "method")
        return pd.DataFrame(
            [[label, *(getattr(e, name) for name in names)] for label, e in self._pairs],
            columns=["group", *names],
        )

    @property
    def _pairs(self) -> list[tuple[str, Estimate]]:
        return list(zip(self.labels, self.estimates, strict=True))

    def contrast(self, coefficients: Mapping[str, float]) -> Estimate:
        """The sum of coefficient times mean, such as {"H": 1, "E": -1}, with its two-sided p against 0.

        psus and df are those of the group with fewest df, n that of the smallest, as in
        `descriptive.contrast`. EstimateError for a group that is not there, or for none.
        """
        unknown = [label for label in coefficients if label not in self.labels]
        if unknown or not coefficients:
            near = nearest(unknown[0], self.labels) if unknown else None
            hint = f" Did you mean '{near}'?" if near else ""
            found = ", ".join(f"'{label}'" for label in unknown) or "nothing"
            raise EstimateError(
                f"contrast() names {found}; the groups are {', '.join(self.labels)}, by code as text.{hint}"
            )
        c = np.array([coefficients.get(label, 0.0) for label in self.labels])
        named = [estimate for label, estimate in self._pairs if coefficients.get(label, 0.0) != 0]
        least = min(named or self.estimates, key=lambda estimate: (estimate.df, estimate.n))
        n, used = min(estimate.n for estimate in named or self.estimates), c != 0
        value = float(c[used] @ np.array([e.value for e in self.estimates])[used])
        variance = float(c[used] @ self.covariance[np.ix_(used, used)] @ c[used])
        se = math.sqrt(max(variance, 0.0)) if least.df > 0 else math.nan
        figures = Figures(
            np.array([value]), np.array([se]), np.array([int(least.df)]), np.array([n]), np.array([least.psus])
        )  # fmt: skip
        method = f"{TAYLOR}, contrast of groups"
        return tested(estimates(self.measure, figures, ((),), self.unit, t_interval, method)[0])

    def equal(self, reference: Reference = "F") -> WaldTest:
        """Whether all groups have the same mean.

        "F" has df less the K - 1 differences, as the test of a factor in R's `regTermTest` of `svyglm`;
        "adjusted F" is Korn and Graubard's. See `wald`.
        """
        between = np.column_stack([-np.ones(len(self.labels) - 1), np.eye(len(self.labels) - 1)])
        value = between @ np.array([e.value for e in self.estimates])
        df = self.df - len(between) if reference == "F" else self.df
        return wald(self.labels[1:], value, between @ self.covariance @ between.T, df, reference)


def group_means(
    frame: pd.DataFrame, column: str, by: str | Sequence[str], design: Design, *,
    where: pd.Series | None = None, unit: str = "as asked",
) -> GroupMeans:  # fmt: skip
    """The means of a numeric column in each group of `by` (crossed), with their covariance.

    Missing answers, and rows without a value in `by`, are outside every group. EstimateError for fewer than
    two groups.
    """
    return joint(column, draw(frame, design), numbers(frame, column), domains_of(frame, by, where), unit)


def joint(measure: str, sample: Sample, values: Floats, domains: Domains, unit: str) -> GroupMeans:
    """`group_means` of n values, NaN where missing."""
    if len(domains) < 2:
        raise EstimateError(
            f"'{measure}' has {len(domains)} group with rows to speak of; a comparison needs at least two."
        )
    figures = means(sample, values, domains)
    code = np.where(np.isfinite(values), domains.code, -1)
    inside = np.flatnonzero(code >= 0)
    at, w = code[inside], sample.weights[inside]
    people = np.bincount(at, weights=w, minlength=len(domains))
    influence = np.zeros((len(values), len(domains)))
    influence[inside, at] = w * (values[inside] - figures.value[at]) / people[at]
    return GroupMeans(
        measure, unit,
        tuple(" / ".join(code for _, code in group) for group in domains.groups),
        tuple(estimates(measure, figures, domains.groups, unit, t_interval)),
        covariance(sample, influence), degrees_of_freedom(sample, code >= 0),
    )  # fmt: skip
