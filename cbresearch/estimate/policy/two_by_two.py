"""Two waves, two groups: did the reached change otherwise than those not reached?

Ordinary difference-in-differences by least squares, with CR2 and Satterthwaite's degrees of freedom (Pustejovsky and
Tipton 2018), beside the p of dealing anew who was reached, which needs neither.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.few_clusters import clustered, smallest_effect
from cbresearch.estimate.clusters.linear import least_squares
from cbresearch.estimate.policy.dates import DealtDates, Statistic, deal_dates
from cbresearch.estimate.policy.design import PolicyDesign
from cbresearch.estimate.policy.observed import Observed, adjusted, observe
from cbresearch.estimate.policy.wording import of_effect
from cbresearch.records import Estimate, Text
from cbresearch.sampling.design import Floats, Ints, numbers, require


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """The difference in changes, with its four weighted means and how many communities stand on each side.

    `smallest_effect` would have been seen four times in five.
    """

    outcome: str
    before: int
    after: int
    estimate: Estimate
    dealt: DealtDates
    treated_before: float
    treated_after: float
    compared_before: float
    compared_after: float
    treated: int
    compared: int
    smallest_effect: float
    design: PolicyDesign
    sentence: Text
    note: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per side: communities, mean before, mean after, change."""
        rows = [
            ("treated", self.treated, self.treated_before, self.treated_after),
            ("compared", self.compared, self.compared_before, self.compared_after),
        ]
        made = pd.DataFrame(rows, columns=["side", "communities", "before", "after"])
        return made.assign(change=made["after"] - made["before"])


def two_by_two(
    frame: pd.DataFrame, outcome: str, *, community: str, wave: str, adoption: str, before: int, after: int,
    weights: str | None = None, controls: Sequence[str] = (), unit: str = "as asked",
    draws: int = 9_999, seed: int = 1,
) -> TwoByTwo:  # fmt: skip
    """Communities first reached after `before` and by `after`, against those not reached by `after`.

    Rows (residents, or communities and waves) enter as they are, by `weights`; those of other waves and of
    communities reached by `before` are left out, as are rows with a gap and communities not in both waves. EstimateError
    for a wave that is not there, or a design that is refused. R: `lm(y ~ treated * post, weights)`, clubSandwich.
    """
    require(frame, [wave])
    known = sorted({int(one) for one in numbers(frame, wave)[frame[wave].notna().to_numpy()]})
    if before not in known or after not in known or before >= after:
        raise EstimateError(
            f"before={before}, after={after}: expected two waves of '{wave}' in order; it has "
            f"{', '.join(map(str, known))}."
        )
    both = frame[frame[wave].isin([before, after]).to_numpy()]
    rows = observe(
        both, outcome, community=community, wave=wave, adoption=adoption, weights=weights, controls=controls
    )
    reached, post = (rows.first == 1)[rows.community], rows.wave == 1
    X = np.column_stack([np.ones(len(rows.y)), reached, post, reached & post, rows.controls])
    fit = least_squares(X, rows.y, rows.w, rows.labels)
    estimate = clustered(fit, 3, "CR2", outcome, unit, (("term", "overall"), ("method", "2x2")))
    dealt = _dealt(rows, draws, seed)
    smallest = smallest_effect(estimate)
    sides = (reached & ~post, reached & post, ~reached & ~post, ~reached & post)
    means = [float(np.average(rows.y[side], weights=rows.w[side])) for side in sides]
    treated = int((rows.first == 1).sum())
    return TwoByTwo(
        outcome=outcome, before=before, after=after, estimate=estimate, dealt=dealt, treated_before=means[0],
        treated_after=means[1], compared_before=means[2], compared_after=means[3], treated=treated,
        compared=len(rows.first) - treated, smallest_effect=smallest, design=rows.design,
        sentence=of_effect(estimate, dealt, smallest), note=rows.design.note,
    )  # fmt: skip


def _dealt(rows: Observed, draws: int, seed: int) -> DealtDates:
    """The same difference from the totals of communities; controls are taken out within cells beforehand."""
    G = len(rows.first)
    cell = rows.community * 2 + rows.wave
    mass = np.bincount(cell, rows.w, G * 2).astype(np.float64)
    y = adjusted(rows, cell, mass)
    treatment = ((rows.first == 1)[rows.community] & (rows.wave == 1)).astype(np.float64)
    mass = mass.reshape(G, 2)

    def of(values: Floats) -> Statistic:
        total = np.bincount(cell, rows.w * values, G * 2).reshape(G, 2)

        def estimate(dealt: Ints) -> Floats:
            change = []
            for side in (1, 2):
                member = (dealt == side).astype(np.float64)
                mean = member @ total / (member @ mass)
                change.append(mean[:, 1] - mean[:, 0])
            return np.asarray(change[0] - change[1])

        return estimate

    return deal_dates(rows.first, of(y), of(treatment), draws=draws, seed=seed)
