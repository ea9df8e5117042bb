"""Calibration: weights that agree with what is known of the population.

Three ways that share one result: classes met exactly (post-stratification), margins met in turn (raking), and
margins with totals of numeric columns met by the smallest change of the weights (Deville and Särndal 1992).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.sampling.calibrated import Calibrated, Projection, sentence_of
from cbresearch.sampling.design import Design, Floats, numbers, require
from cbresearch.sampling.distances import Bounds, Distance, shape_of
from cbresearch.sampling.margins import Columns, Margin, Margins, People, margins_of
from cbresearch.sampling.raking import SWEEPS, TOLERANCE, Cells, cells_of, kish_deff
from cbresearch.sampling.recipes import Fitting, Raking

SAME_PEOPLE = 1e-6
"""Margins whose sums differ by more than this share speak of different populations."""


def post_stratify(frame: pd.DataFrame, design: Design, by: str | Sequence[str], people: People) -> Calibrated:
    """Weights under which every class of `by` stands for its people in the population.

    `people` gives the people of each class, or their share where all sum to 1; with several columns in `by`
    a class is a tuple of codes, in their order. Missing codes as in `rake`. R: `survey::postStratify`.
    """
    columns: Columns = by if isinstance(by, str) else tuple(by)
    margins = margins_of(frame, {columns: people})
    base = _base(frame, design)
    total = _people("Post-stratification", margins, base, ())
    recipe = Raking(cells_of(margins, len(frame)), margins, total, np.inf, 0.0, TOLERANCE, SWEEPS)
    # as R: residuals by the base weights here, without weights after raking
    return _calibrated(frame, design, base, recipe, _projection(recipe.cells, base), "post-stratification")


def rake(
    frame: pd.DataFrame, design: Design, margins: Margins, *, ceiling: float | None = None,
    floor: float | None = None, tolerance: float = TOLERANCE, sweeps: int = SWEEPS,
) -> Calibrated:  # fmt: skip
    """Weights whose margins are the population's; rows of one cell keep their proportions to each other.

    `margins` gives, for each column (or tuple of columns, crossed), the people of each code or their share:
    numbers that sum to 1 are shares of the people that the base weights stand for, whose number stays in
    doubt. Codes are compared as text. A row whose code is missing is left out of that margin: the shares hold among those
    whose code is known, and nothing is guessed. `ceiling` (above 1) and `floor` (below 1) bound the
    weights, as multiples of their mean; raking and trimming take turns until both hold. `tolerance`: the
    largest distance from a margin, as a share of it.

    EstimateError lists every class that cannot be met; also where margins or bounds do not settle. R:
    `survey::rake`.
    """
    base = _base(frame, design)
    fitted = margins_of(frame, margins)
    total = _people("Raking", fitted, base, [*_faults_of_none(margins), *_faults_of_bounds(ceiling, floor)])
    high, low = np.inf if ceiling is None else ceiling, floor or 0.0
    recipe = Raking(cells_of(fitted, len(frame)), fitted, total, high, low, tolerance, sweeps)
    projection = _projection(recipe.cells, (base > 0).astype(np.float64))
    return _calibrated(frame, design, base, recipe, projection, "raking")


def calibrate(
    frame: pd.DataFrame, design: Design, margins: Margins, totals: Mapping[str, float], *,
    distance: Distance = "linear", bounds: Bounds | None = None, tolerance: float = TOLERANCE,
) -> Calibrated:  # fmt: skip
    """Weights that meet margins and the `totals` of numeric columns, each weight changed as little as may be.

    `margins` as in `rake`, or empty. `distance` says what little means: "linear" is the regression (GREG)
    estimator, whose weights may be negative; "raking" keeps them positive; "logit" keeps the factors by which
    base weights grow inside `bounds`, such as (0.5, 2), which "linear" may have too. Missing values are refused.
    EstimateError where the totals cannot be met. R: `survey::calibrate`.
    """
    base = _base(frame, design)
    fitted = margins_of(frame, margins)
    x = np.column_stack([np.ones((len(frame), 0)), *(numbers(frame, column)[:, None] for column in totals)])
    known = np.array([float(total) for total in totals.values()])
    faults = [
        *_faults_of_none({**margins, **totals}),
        *_faults_of_totals(fitted, x, totals),
        *_faults_of_distance(distance, bounds),
    ]
    total = _people("Calibration", fitted, base, faults)
    dummies = [(m.code[:, None] == np.arange(len(m.classes))).astype(np.float64) for m in fitted]
    columns = np.column_stack([*dummies, x])
    shape = shape_of(distance, bounds)
    recipe = Fitting(columns, fitted, total, tuple(totals), known, shape, tolerance)
    projection = Projection(np.arange(len(frame)), recipe.x, base)
    return _calibrated(frame, design, base, recipe, projection, f"{distance} calibration")


def _calibrated(
    frame: pd.DataFrame, design: Design, base: Floats, recipe: Raking | Fitting, projection: Projection,
    method: str,
) -> Calibrated:  # fmt: skip
    found = recipe(base)
    w = found.weights
    grown = np.divide(w, base, out=np.zeros(len(w)), where=base > 0).max() * base.sum() / w.sum()
    reached = found.reached
    deff, trimmed, negative = kish_deff(w), float(found.cut.mean()), int((w < 0).sum())
    return Calibrated(
        weights=pd.Series(w, index=frame.index, name="weight"), design=design, method=method, reached=reached,
        sweeps=found.sweeps, kish_deff=deff, trimmed_share=trimmed, largest_factor=float(grown),
        negative=negative, sentence=sentence_of(reached, len(w), deff, float(grown), trimmed, negative),
        counted=recipe.total is not None or not recipe.margins,
        recipe=lambda other: recipe(other).weights, projection=projection,
    )  # fmt: skip


def _projection(cells: Cells, weights: Floats) -> Projection:
    """What margins know of a row: its classes, each against the share that the population gives it."""
    columns = [np.ones((cells.size, 1))]
    for classes, shares in zip(cells.classes, cells.shares, strict=True):
        own = (classes[:, None] == np.arange(len(shares))).astype(np.float64)
        columns.append(own - np.where(classes >= 0, 1.0, 0.0)[:, None] * shares)
    return Projection(cells.of_row, np.column_stack(columns), weights)


def _base(frame: pd.DataFrame, design: Design) -> Floats:
    require(frame, design.columns)
    if not len(frame):
        raise EstimateError("The frame has no rows to weight.")
    if design.weights is None:
        return np.ones(len(frame))
    weights = numbers(frame, design.weights)
    if not (np.isfinite(weights).all() and weights.min() >= 0 and weights.sum() > 0):
        unfit = int((~(np.isfinite(weights) & (weights >= 0))).sum())
        raise EstimateError(
            f"'{design.weights}' is missing, infinite or negative in {unfit} of {len(frame)} rows, or 0 throughout; "
            "a weight says how many people a row stands for."
        )
    return weights


def _people(what: str, margins: Sequence[Margin], base: Floats, faults: Sequence[str]) -> float | None:
    """The people of the population, None for shares; EstimateError of these faults and of margins that are none."""
    found = [*faults, *(fault for margin in margins for fault in _faults_of_people(margin))]
    sums = {margin.name: float(np.nansum(margin.people)) for margin in margins}
    total, rows = max(sums.values(), default=1.0), int((base > 0).sum())
    if not found and any(abs(s - total) > SAME_PEOPLE * total for s in sums.values()):
        listed = ", ".join(f"'{name}' {s:.10g}" for name, s in sums.items())
        found.append(
            f"the margins speak of different populations ({listed}); give each the same sum of people, or shares "
            "that sum to 1"
        )
    shares = abs(total - 1) <= SAME_PEOPLE
    if not found and not shares and total < rows:
        found.append(
            f"the margins sum to {total:.10g} and {rows} rows were drawn from those people; give counts of the "
            "population, or shares that sum to 1"
        )
    if found:
        raise EstimateError(f"{what} cannot begin: " + "; ".join(found) + ".")
    return None if shares else total


def _faults_of_people(margin: Margin) -> Iterator[str]:
    told = margin.people[~np.isnan(margin.people)]
    if not (len(told) and np.isfinite(told).all() and told.min() >= 0 and told.sum() > 0):
        yield f"the people of '{margin.name}' are no counts or shares; expected 0 or more in each class, and some"


def _faults_of_none(asked: Mapping[Any, object]) -> Iterator[str]:
    if not asked:
        yield "nothing is known of the population; name at least one column with the people of its codes"


def _faults_of_bounds(ceiling: float | None, floor: float | None) -> Iterator[str]:
    if ceiling is not None and not ceiling > 1:
        yield f"ceiling = {ceiling:g} is no more than 1, the mean weight; expected above 1, such as 4"
    if floor is not None and not 0 <= floor < 1:
        yield f"floor = {floor:g} is not between 0 and 1, the mean weight; expected such as 0.2"


def _faults_of_totals(margins: Sequence[Margin], x: Floats, totals: Mapping[str, float]) -> Iterator[str]:
    missing = {m.name: int((m.code < 0).sum()) for m in margins}
    missing |= dict(zip(totals, (~np.isfinite(x)).sum(axis=0).tolist(), strict=True))
    for name, count in missing.items():
        if count:
            yield (
                f"'{name}' is missing in {count} of {len(x)} rows; fill it in, or rake(), which leaves a missing "
                "code out of its margin"
            )
    for name, total in totals.items():
        if not np.isfinite(total):
            yield f"the total of '{name}' is {total}; expected a number"


def _faults_of_distance(distance: str, bounds: Bounds | None) -> Iterator[str]:
    if distance not in get_args(Distance):
        yield f"no distance is called '{distance}'; expected one of {', '.join(get_args(Distance))}"
    if distance == "logit" and bounds is None:
        yield "logit needs bounds=, such as (0.5, 2)"
    if distance == "raking" and bounds is not None:
        yield "the raking distance knows no bounds; use logit, or rake() with a ceiling"
    if bounds is not None and not bounds[0] < 1 < bounds[1]:
        yield f"bounds = {bounds} leave out 1, the factor that changes nothing"
