"""Weights: from how residents were drawn to how many people each stands for.

base (one over the chance of being drawn) x non-response (the frame's count of a class over what its
respondents stand for) x raking (shares of the population), trimmed at a multiple of the mean.

Sources: Kish (1965) for the design effect, n * sum(w^2) / sum(w)^2; Deming and Stephan (1940) for
iterative proportional fitting; Kalton and Flores-Cervantes (2003) for the chain as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from cbresearch.errors import BuildError

TOLERANCE = 1e-10
"""Largest distance between a weighted share and its margin, as a share of the margin."""

CEILING_TOLERANCE = 1e-9
"""How far, as a share of it, a raked weight may stand above the ceiling."""

SWEEPS = 1_000
TRIMS = 200

Floats = npt.NDArray[np.float64]
Margins = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True, slots=True)
class Trimmed:
    """Weights with a ceiling; `trimmed` marks the residents whose weight was cut at least once."""

    weight: pd.Series
    trimmed: pd.Series


def kish_deff(weight: pd.Series) -> float:
    """What unequal weights cost: n * sum(w^2) / sum(w)^2, at least 1. NaN for no weights."""
    w = weight.to_numpy(dtype="float64")
    return float(len(w) * np.square(w).sum() / w.sum() ** 2) if len(w) else float("nan")


def effective_n(weight: pd.Series) -> float:
    """How many equally weighted residents would tell as much: sum(w)^2 / sum(w^2)."""
    return len(weight) / kish_deff(weight)


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
    _refuse_empty_classes(variables, margins)
    w = weight.to_numpy(dtype="float64").copy()
    fitted = [_Margin.of(variables[name], shares) for name, shares in margins.items()]
    for _ in range(SWEEPS):
        for margin in fitted:
            w = margin.fit(w)
        if all(margin.distance(w) <= tolerance for margin in fitted):
            return pd.Series(w, index=weight.index, name=weight.name)
    worst = max(margins, key=lambda name: fitted[list(margins).index(name)].distance(w))
    raise BuildError(
        f"Raking did not settle after {SWEEPS} sweeps; margin '{worst}' fits worst. "
        "Some classes of one margin answered only together with some of another: merge small classes."
    )


@dataclass(frozen=True)
class _Margin:
    """One raking margin on integer codes; -1 is a missing code."""

    codes: npt.NDArray[np.int64]
    shares: Floats

    @classmethod
    def of(cls, cells: pd.Series, shares: Mapping[str, float]) -> _Margin:
        asked = {
            code: place for place, code in enumerate(code for code, share in shares.items() if share > 0)
        }
        codes = np.array([asked.get(code, -1) for code in cells.astype("object")], dtype=np.int64)
        return cls(codes, np.array([shares[code] for code in asked], dtype="float64"))

    def fit(self, w: Floats) -> Floats:
        have = self._have(w)
        factors = np.append(self.shares * have.sum() / have, 1.0)
        fitted: Floats = w * factors[self.codes]
        return fitted

    def distance(self, w: Floats) -> float:
        have = self._have(w)
        return float(np.abs(have / have.sum() / self.shares - 1).max())

    def _have(self, w: Floats) -> Floats:
        known = self.codes >= 0
        have: Floats = np.bincount(self.codes[known], weights=w[known], minlength=len(self.shares)).astype(
            np.float64
        )
        return have


def _refuse_empty_classes(variables: pd.DataFrame, margins: Margins) -> None:
    faults = []
    for name, shares in margins.items():
        there = set(variables[name].dropna().astype(str))
        faults += [
            f"nobody answered from '{name}' = '{code}', which is {share:.1%} of the population: merge it with a neighbour"
            for code, share in shares.items()
            if share > 0 and code not in there
        ]
        faults += [
            f"'{name}' = '{code}' was answered but design.margins.{name} gives it no share: add it, or merge the class"
            for code in sorted(there - {c for c, share in shares.items() if share > 0})
        ]
    if faults:
        raise BuildError("Raking cannot reach its margins: " + "; ".join(faults) + ".")


def trim(weight: pd.Series, ceiling: float) -> Trimmed:
    """No weight above `ceiling` times the mean; what is cut is shared among the others in proportion.

    The sum of the weights stays. `ceiling` must be above 1.
    """
    w = weight.to_numpy(dtype="float64").copy()
    limit = ceiling * w.mean()
    cut = np.zeros(len(w), dtype=bool)
    for _ in range(TRIMS):
        over = w > limit * (1 + 1e-12)
        if not over.any():
            break
        cut |= over
        spare = w.sum() - w[~cut].sum() - limit * cut.sum()
        w[cut] = limit
        w[~cut] *= 1 + spare / w[~cut].sum()
    return Trimmed(pd.Series(w, index=weight.index, name=weight.name), pd.Series(cut, index=weight.index))


def rake_and_trim(
    weight: pd.Series, variables: pd.DataFrame, margins: Margins, ceiling: float | None
) -> Trimmed:
    """Rake, trim, and again, until the margins hold and no weight passes the ceiling.

    `ceiling` is a multiple of the mean weight; None leaves raked weights untrimmed. BuildError where
    both cannot be had.
    """
    raked = rake(weight, variables, margins) if margins else weight
    cut = pd.Series(False, index=weight.index)
    if ceiling is None:
        return Trimmed(raked, cut)
    for _ in range(TRIMS):
        trimmed = trim(raked, ceiling)
        cut |= trimmed.trimmed
        if not margins:
            return Trimmed(trimmed.weight, cut)
        raked = rake(trimmed.weight, variables, margins)
        if raked.max() <= ceiling * raked.mean() * (1 + CEILING_TOLERANCE):
            return Trimmed(raked, cut)
    raise BuildError(
        f"No weights keep the margins and stay below {ceiling:g} times their mean. Raise design.trim, or merge small classes of the margins."
    )
