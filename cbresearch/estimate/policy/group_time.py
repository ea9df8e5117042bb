"""The effect on each cohort in each wave, from comparisons that never use the treated as controls.

Callaway and Sant'Anna (2021, J. of Econometrics 225), without covariates: ATT(g, t) is the change of cohort
g from its base wave to t, less that of communities not yet reached. All of it is means of cohorts, so the
same code serves the estimate and every permutation of dates.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.estimate.policy.observed import Cells
from cbresearch.sampling.design import Floats, Ints

Compared = Literal["never", "not yet"]
Base = Literal["universal", "varying"]


@dataclass(frozen=True, slots=True, eq=False)
class Comparisons:
    """K comparisons among C cohorts (`levels`, the last being those never reached if there are any).

    `cohort` (K) is the row in `levels` of the treated, `wave` and `base` (K) the waves compared;
    `controls` (K x C) marks the cohorts that they are held against.
    """

    levels: Ints
    waves: tuple[int, ...]
    cohort: Ints
    wave: Ints
    base: Ints
    controls: Floats

    @property
    def event(self) -> Ints:
        """Waves since the first one under the policy; negative before."""
        return np.asarray(self.wave - self.levels[self.cohort], dtype=np.int64)


def comparisons(cells: Cells, compared: Compared, base: Base) -> Comparisons:
    """Every cohort and wave that has something to be compared with.

    `compared`: "never" reached within the waves, or "not yet" reached by either of the two. `base`: the wave
    before the policy for all ("universal"), or the wave before each one as long as the policy has not
    come ("varying", the default of R's `did`). EstimateError for other names or where nothing compares.
    """
    for given, known in ((compared, Compared), (base, Base)):
        if given not in get_args(known):
            names = " or ".join(f"'{name}'" for name in get_args(known))
            raise EstimateError(f"No such choice: '{given}'; expected {names}.")
    levels, T = np.unique(cells.first), len(cells.waves)
    found = [
        (row, t, pre, held)
        for row, g in enumerate(levels)
        if g < T
        for t, pre in _pairs(int(g), T, base)
        if (held := _controls(levels, row, max(t, pre), T, compared)).any()
    ]
    if not any(t >= levels[row] for row, t, _, _ in found):
        raise EstimateError(
            "No community was never reached, so nothing can be compared with 'never'; use 'not yet'."
            if compared == "never"
            else "In no wave under the policy is any community left that was not yet reached."
        )
    controls = np.array([held for *_, held in found], dtype=np.float64)
    rows, waves, bases = (np.array(column) for column in zip(*(one[:3] for one in found), strict=True))
    return Comparisons(levels, cells.waves, rows, waves, bases, controls)


def effects_of(plan: Comparisons, means: Floats, mass: Floats) -> Floats:
    """ATT(g, t), K of them, from means (..., C, T) and mass (..., C) of the cohorts."""
    k = np.arange(len(plan.cohort))
    change = means[..., :, plan.wave] - means[..., :, plan.base]  # (..., C, K)
    held = plan.controls.T * mass[..., :, None]
    return np.asarray(change[..., plan.cohort, k] - (held * change).sum(axis=-2) / held.sum(axis=-2))


def influence_of(plan: Comparisons, cells: Cells) -> Floats:
    """G x K: how much each community moves each ATT(g, t); mean(inf²)/G is the variance without correction."""
    level = np.searchsorted(plan.levels, cells.first)
    change = cells.means[:, plan.wave] - cells.means[:, plan.base]
    treated = (level[:, None] == plan.cohort) * cells.mass[:, None]
    held = plan.controls.T[level] * cells.mass[:, None]
    return np.asarray(len(level) * (_around(treated, change) - _around(held, change)))


def by_cohort(cells: Cells, levels: Ints) -> tuple[Floats, Floats]:
    """Means (C x T) and mass (C) of the cohorts."""
    member = (cells.first == levels[:, None]) * cells.mass
    mass = member.sum(axis=1)
    return np.asarray(member @ cells.means / mass[:, None]), np.asarray(mass)


def _around(weight: Floats, change: Floats) -> Floats:
    """Weighted deviations from the weighted mean, weights adding up to 1 in each column."""
    share = weight / weight.sum(axis=0)
    return np.asarray(share * (change - (share * change).sum(axis=0)))


def _pairs(g: int, T: int, base: Base) -> list[tuple[int, int]]:
    if base == "universal":
        return [(t, g - 1) for t in range(T) if t != g - 1]
    return [(t, min(t, g) - 1) for t in range(1, T)]


def _controls(levels: Ints, row: int, last: int, T: int, compared: Compared) -> NDArray[np.bool_]:  # fmt: skip
    if compared == "never":
        return np.asarray(levels == T)
    # a cohort that comes after both waves; its own is never held against itself
    return np.asarray((levels > last) & (np.arange(len(levels)) != row))
