"""The variance of totals of influence values over the stages in which a sample was drawn.

Sum over strata h of (1 - f_h) m_h/(m_h - 1) times the squared distances of the totals of its m_h units;
what a later stage adds is the same sum inside each unit of the stage before, times the share of those
units that was drawn (Särndal, Swensson and Wretman 1992, sections 4.3 and 5.5; R: `survey::svyrecvar`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cbresearch.errors import EstimateError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Lonely = Literal["error", "centre", "average", "certainty"]


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """One stage of drawing: n rows lie in U units, which lie in H strata (later: the units of the stage before)."""

    unit: Ints
    """n codes 0..U-1."""
    stratum_of_unit: Ints
    """U codes 0..H-1."""
    units_in_stratum: Ints
    """H counts."""
    counts_for: Floats
    """H factors: the share of units not drawn, times the shares drawn in the stages before."""

    @property
    def alone(self) -> NDArray[np.bool_]:
        """H: strata with a single unit that was not certain to be drawn."""
        return np.asarray((self.units_in_stratum == 1) & (self.counts_for > 1e-12))

    def factors(self, lonely: Lonely) -> Floats:
        """H: what a squared distance from the stratum's centre counts for."""
        m = self.units_in_stratum
        factors = np.where(m == 1, 0.0, self.counts_for * m / np.maximum(m - 1, 1))
        if lonely == "centre":
            return np.where(self.alone, self.counts_for, factors)
        if lonely == "average" and not self.alone.all():
            return np.asarray(factors * len(m) / (~self.alone).sum())
        return factors

    def centres(self, totals: Floats) -> Floats:
        """H x m: the mean unit of each stratum; of the whole sample where a stratum has one unit only."""
        own = totals / self.units_in_stratum[:, None]
        return np.where(self.alone[:, None], totals.sum(axis=0) / self.units_in_stratum.sum(), own)


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """A frame's design as numbers: n rows lie in P PSUs, which lie in H strata."""

    weights: Floats
    """n weights, none negative."""
    psu: Ints
    """n codes 0..P-1."""
    stratum_of_psu: Ints
    """P codes 0..H-1."""
    psus_in_stratum: Ints
    """H counts."""
    not_drawn: Floats
    """H shares of the stratum's PSUs that were not drawn; 1 where drawing was with replacement."""
    lonely: Lonely
    later: tuple[Stage, ...] = ()
    """The stages after the first, where they add to the variance."""

    @property
    def strata(self) -> int:
        return len(self.psus_in_stratum)

    @property
    def first(self) -> Stage:
        return Stage(self.psu, self.stratum_of_psu, self.psus_in_stratum, self.not_drawn)

    @property
    def stages(self) -> tuple[Stage, ...]:
        return (self.first, *self.later)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """Variance of one total per domain, with the PSUs and strata that the domain's rows lie in."""

    variance: Floats
    psus: Ints
    df: Ints


def spread(sample: Sample, influence: Floats, domain: Ints, domains: int) -> Spread:
    """How far the total of `influence` would move from sample to sample, in each domain.

    `influence` has n weighted values; `domain` n codes, -1 for rows outside every domain, whose
    influence is zero. Their PSUs stay in the design: a domain is never cut out of the frame.
    """
    inside = domain >= 0
    pairs = np.unique(sample.psu[inside] * domains + domain[inside])
    strata = np.unique(sample.stratum_of_psu[pairs // domains] * domains + pairs % domains)
    psus = np.bincount(pairs % domains, minlength=domains)
    df = psus - np.bincount(strata % domains, minlength=domains)
    variance = sum(
        (
            _by_domain(stage, sample.lonely, influence[inside], inside, domain[inside], domains)
            for stage in sample.stages
        ),
        start=np.zeros(domains),
    )
    return Spread(variance, psus, df)


def covariance(sample: Sample, influence: Floats) -> Floats:
    """m x m: how the totals of m columns of weighted influence values vary together.

    `influence` is n x m, zero in rows outside the domain that a column speaks of. The diagonal is what
    `spread` says of each column.
    """
    if influence.ndim != 2 or len(influence) != len(sample.psu):
        raise EstimateError(
            f"influence has shape {influence.shape}; expected {len(sample.psu)} rows, as in the sample, "
            "and one column per total."
        )
    found = np.zeros((influence.shape[1], influence.shape[1]))
    for stage in sample.stages:
        of_unit = _added(stage.unit, influence, len(stage.stratum_of_unit))
        of_stratum = _added(stage.stratum_of_unit, of_unit, len(stage.units_in_stratum))
        distance = of_unit - stage.centres(of_stratum)[stage.stratum_of_unit]
        found += distance.T @ (distance * stage.factors(sample.lonely)[stage.stratum_of_unit, None])
    return found


def degrees_of_freedom(sample: Sample, inside: NDArray[np.bool_]) -> int:
    """PSUs less strata that some rows lie in."""
    psus = np.unique(sample.psu[inside])
    return len(psus) - len(np.unique(sample.stratum_of_psu[psus]))


def _by_domain(
    stage: Stage, lonely: Lonely, influence: Floats, inside: NDArray[np.bool_], domain: Ints, domains: int
) -> Floats:
    """The stage's variance of one total per domain, from those units only that hold rows of the domain."""
    pairs, where = np.unique(stage.unit[inside] * domains + domain, return_inverse=True)
    of_pair = np.bincount(where, weights=influence, minlength=len(pairs))
    cell = stage.stratum_of_unit[pairs // domains] * domains + pairs % domains
    shape = (len(stage.units_in_stratum), domains)
    totals, squares = (
        np.bincount(cell, weights=values, minlength=shape[0] * domains).astype(np.float64).reshape(shape)
        for values in (of_pair, of_pair**2)
    )
    centres = stage.centres(totals)
    # the units without rows of the domain have total 0 and stand at the distance of the centre
    distances = squares - 2 * centres * totals + stage.units_in_stratum[:, None] * centres**2
    return np.asarray(stage.factors(lonely) @ np.maximum(distances, 0.0))


def _added(code: Ints, values: Floats, size: int) -> Floats:
    """size x m: the sums of each column of `values` over the rows with the same code."""
    columns = [np.bincount(code, weights=column, minlength=size) for column in values.T]
    return np.column_stack(columns) if columns else np.zeros((size, 0))
