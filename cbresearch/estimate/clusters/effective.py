"""How many clusters really bear on a coefficient, and which methods cannot be trusted there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cbresearch.estimate.clusters.linear import Fit
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

FEW_TREATED = 4
"""Below so many treated clusters the restricted bootstrap rejects too rarely, the unrestricted too often."""
CONSERVATIVE_DF = 4.0
"""Satterthwaite degrees of freedom below which CR2 rejects a true null in fewer than 3 % of studies.

Both numbers are read off the simulations of docs/calibration.md.
"""


@dataclass(frozen=True, slots=True)
class Bearing:
    """`effective` is how many clusters the coefficient rests on (Carter, Schnepel and Steigerwald 2017);
    `treated` how many clusters have a cause that is only ever 0 or 1, None where it is no such cause;
    `largest` the share (0-1) of what the cause tells that a single cluster carries.
    """

    clusters: int
    effective: float
    treated: int | None
    largest: float

    @property
    def few_treated(self) -> bool:
        """Too few clusters have, or too few lack, a cause that is only ever 0 or 1."""
        return self.treated is not None and min(self.treated, self.clusters - self.treated) < FEW_TREATED


def bearing(fit: Fit, coefficient: int) -> Bearing:
    """What each cluster tells of the cause, beyond the other regressors.

    With x the cause less what the others say of it, gamma_g is what cluster g adds to the coefficient's variance:
    the square of its sum of w x where residents of a cluster are wholly alike, as for a cause of whole clusters;
    its sum of (w x)² where they are not. A cause that moves mostly inside clusters (more than half of it) has
    sums of next to nothing, which say nothing, and is judged by the latter (MacKinnon, Nielsen and Webb 2023,
    Stata Journal 23). The effective number is G / (1 + squared coefficient of variation of gamma), at most G.
    """
    G = len(fit.start)
    cause = fit.X[:, coefficient]
    left = fit.X @ (fit.bread[coefficient] / fit.bread[coefficient, coefficient])
    told = np.add.reduceat(fit.w * left**2, fit.start)
    sums = np.add.reduceat(fit.w * left, fit.start) ** 2
    sizes = np.add.reduceat(fit.w, fit.start)
    between = float(sums.sum() / (sizes @ told))
    gamma = sums if between > 0.5 else np.add.reduceat((fit.w * left) ** 2, fit.start)
    mean = float(gamma.mean())
    effective = G / (1 + float(((gamma - mean) ** 2).mean()) / mean**2) if mean > 0 else float("nan")
    return Bearing(G, effective, _treated(fit, cause), float(told.max() / told.sum()))


def _treated(fit: Fit, cause: Floats) -> int | None:
    if not np.isin(cause, (0.0, 1.0)).all():
        return None
    ever = np.maximum.reduceat(cause, fit.start)
    return int(ever.sum())


def cautions(found: Bearing, df: float) -> tuple[Text, ...]:
    """What to know beside the estimate: where CR2 is conservative, where few treated clusters break the bootstrap."""
    said = []
    if df < CONSERVATIVE_DF:
        said.append(
            Text(
                f"这项投入集中在少数社区（自由度只有{df:.1f}）：真实没有作用时，CR2误判为有作用的机会低于5%，因此容易看漏。",
                f"The cause is concentrated in few communities (only {df:.1f} degrees of freedom): where there is no effect, CR2 "
                "says so more often than 95 times in 100, and an effect is easily missed.",
            )
        )
    if found.few_treated:
        said.append(
            Text(
                f"{found.clusters}个社区中只有{found.treated}个有这项投入：自助法不可靠，应以置换检验为准。",
                f"Only {found.treated} of {found.clusters} communities have it: neither bootstrap can be relied on; look at the permutation test.",
            )
        )
    return tuple(said)
