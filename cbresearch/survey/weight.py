"""Weights: from how residents were drawn to how many people each stands for.

base (one over the chance of being drawn) x non-response (the frame's count of a class over what its
respondents stand for) x raking (shares of the population), trimmed at a multiple of the mean.

The raking itself is that of `cbresearch.sampling.raking`; here it is asked for in the words of study.toml.
Source: Kalton and Flores-Cervantes (2003) for the chain as a whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import BuildError
from cbresearch.sampling.design import Floats
from cbresearch.sampling.margins import Margin, margins_of, uncovered
from cbresearch.sampling.raking import (
    SWEEPS,
    TOLERANCE,
    Cells,
    Raked,
    cells_of,
    kish_deff,
    raked,
    raked_within,
)

Margins = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Weights with a ceiling; `trimmed` marks the residents whose weight was cut at least once."""

    weight: pd.Series
    trimmed: pd.Series


def effective_n(weight: pd.Series) -> float:
    """How many equally weighted residents would tell as much: sum(w)^2 / sum(w^2)."""
    return len(weight) / kish_deff(_floats(weight))


def nonresponse_factors(base: pd.Series, classes: pd.Series, frame: Mapping[str, float]) -> pd.Series:
    """What each base weight is multiplied by, so that a class stands for as many people as the frame lists.

    `base` (positive) and `classes` share an index; `frame` gives the people listed per class. A
    resident of unknown class (missing) gets the factor of all classes together. Within a class those
    who answered are taken to stand for those who did not. BuildError names every class that the
    frame does not list.
    """
    stood_for = base.groupby(classes).sum()
    unlisted = [str(name) for name in stood_for.index if not frame.get(str(name), float("nan")) > 0]
    if unlisted:
        raise BuildError(
            f"design.frame_counts has no count for {', '.join(unlisted)}, where residents answered. "
            f"It counts {', '.join(frame) or 'nothing'}. Add the count, or correct the class in the raw file."
        )
    counts = pd.Series({name: frame[str(name)] for name in stood_for.index}, dtype="float64")
    overall = counts.sum() / stood_for.sum()
    return classes.map(counts / stood_for).astype("float64").fillna(overall)


def rake(
    weight: pd.Series, variables: pd.DataFrame, margins: Margins, *, tolerance: float = TOLERANCE
) -> pd.Series:
    """Scale weights until every margin's weighted shares are the population's.

    `variables` has a column of codes for every margin; `margins` gives the share of each code (its
    shares sum to 1). The sum of the weights stays. A resident whose code is missing is left out of
    that margin: the shares hold among those whose code is known, and nothing is guessed.
    BuildError for a class that nobody answered from, a code without a share, or no convergence.
    """
    fitted, cells = _matched(weight, variables, margins)
    found = raked(_floats(weight), cells, tolerance=tolerance)
    _refuse_unsettled(found, fitted, tolerance)
    return pd.Series(found.weights, index=weight.index, name=weight.name)


def rake_and_trim(
    weight: pd.Series, variables: pd.DataFrame, margins: Margins, ceiling: float | None
) -> Trimmed:
    """Rake, trim, and again, until the margins hold and no weight passes the ceiling.

    `ceiling` is a multiple of the mean weight; None leaves raked weights untrimmed. BuildError where
    both cannot be had.
    """
    fitted, cells = _matched(weight, variables, margins)
    found = raked_within(_floats(weight), cells, ceiling=math.inf if ceiling is None else ceiling, floor=0.0)
    _refuse_unsettled(found, fitted, TOLERANCE)
    if not found.within:
        raise BuildError(
            f"No weights keep the margins and stay below {ceiling:g} times their mean. Raise design.trim, or merge small classes of the margins."
        )
    index = weight.index
    return Trimmed(pd.Series(found.weights, index=index, name=weight.name), pd.Series(found.cut, index=index))


def _matched(
    weight: pd.Series, variables: pd.DataFrame, margins: Margins
) -> tuple[tuple[Margin, ...], Cells]:
    """The residents beside the margins; BuildError for every class that one has and the other lacks."""
    fitted = margins_of(variables, margins)
    cells = cells_of(fitted, len(variables))
    have = cells.by_class(cells.sums(_floats(weight)))
    faults = [
        f"'{fault.margin}' = '{fault.code}' was answered but design.margins.{fault.margin} gives it no share: add it, or merge the class"
        if math.isnan(fault.share)
        else f"nobody answered from '{fault.margin}' = '{fault.code}', which is {fault.share:.1%} of the population: merge it with a neighbour"
        for margin, held in zip(fitted, have, strict=True)
        for fault in uncovered(margin, held)
    ]
    if faults:
        raise BuildError("Raking cannot reach its margins: " + "; ".join(faults) + ".")
    return fitted, cells


def _refuse_unsettled(found: Raked, margins: Sequence[Margin], tolerance: float) -> None:
    if not found.settled(tolerance):
        raise BuildError(
            f"Raking did not settle after {SWEEPS} sweeps; margin '{margins[int(np.argmax(found.apart))].name}' fits worst. "
            "Some classes of one margin answered only together with some of another: merge small classes."
        )


def _floats(weight: pd.Series) -> Floats:
    return weight.to_numpy(dtype=np.float64)
