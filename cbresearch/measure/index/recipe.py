"""One way to make an index: what it needs, and the scores it gives."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np

from cbresearch.errors import EstimateError, nearest
from cbresearch.measure.index.indicators import Areas
from cbresearch.measure.index.steps import (
    Aggregate,
    Missing,
    Normalise,
    Treat,
    aggregate,
    impute,
    normalise,
    treat,
)
from cbresearch.measure.index.weights import (
    Ahp,
    Weights,
    entropy_weights,
    equal_weights,
    expert_weights,
    principal,
)
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to normalise, treat, weigh and aggregate."""

    normalise: Normalise = "minmax"
    treat: Treat = "none"
    weights: Weights = "equal"
    aggregate: Aggregate = "arithmetic"

    @property
    def possible(self) -> bool:
        """z-scores lie around 0, and a geometric mean needs numbers above it."""
        return not (self.normalise == "zscore" and self.aggregate == "geometric")


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """Scores (... x areas) with the weights (... x indicators, or indicators) that made them."""

    scores: Floats
    weights: Floats


def scored(areas: Areas, values: Floats, recipe: Recipe, compared: Ahp | None) -> Scored:
    """Scores of `values` (... x areas x indicators: complete, treated, more being better)."""
    weights = _weights(areas, values, recipe.weights, compared)
    targets = None
    if recipe.normalise == "distance":
        targets = np.array([(i.target or 0.0) * i.direction for i in areas.indicators])
    floor = 1.0 if recipe.aggregate == "geometric" else 0.0
    scaled = normalise(values, recipe.normalise, targets=targets, floor=floor)
    return Scored(aggregate(scaled, weights, recipe.aggregate), weights)


def _weights(areas: Areas, values: Floats, how: Weights, compared: Ahp | None) -> Floats:
    if how == "entropy":
        return entropy_weights(values)
    if how == "pca":
        return principal(values).weights
    if how == "expert":
        return expert_weights(areas.indicators)
    if how == "ahp" and compared is not None:
        place = {column: j for j, column in enumerate(compared.columns)}
        return compared.weights[[place[column] for column in areas.columns]]
    return equal_weights(areas.indicators)


def refuse(areas: Areas, recipes: Sequence[Recipe], missing: Missing, compared: Ahp | None) -> None:
    """EstimateError with everything that stands against making the areas' index by these recipes."""
    unknown = [fault for recipe in recipes for fault in _unknown(recipe)]
    if missing not in get_args(Missing):
        unknown.append(_not_known("missing", missing, get_args(Missing)))
    faults = unknown or [
        *_cells(areas, missing),
        *(fault for recipe in recipes for fault in _needs(areas, recipe, missing, compared)),
    ]
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in dict.fromkeys(faults))
        raise EstimateError(f"This index cannot be made:\n{listed}")


def _unknown(recipe: Recipe) -> Iterator[str]:
    for option, given, known in (
        ("normalise", recipe.normalise, get_args(Normalise)),
        ("treat", recipe.treat, get_args(Treat)),
        ("weights", recipe.weights, get_args(Weights)),
        ("aggregate", recipe.aggregate, get_args(Aggregate)),
    ):
        if given not in known:
            yield _not_known(option, given, known)


def _not_known(option: str, given: object, known: Sequence[str]) -> str:
    near = nearest(str(given), known)
    return f"{option}={given!r} is unknown; expected {', '.join(known)}" + (
        f". Did you mean '{near}'?" if near else ""
    )


def _cells(areas: Areas, missing: Missing) -> Iterator[str]:
    if missing != "refuse":
        return
    for j, column in enumerate(areas.columns):
        empty = [name for name, gone in zip(areas.names, np.isnan(areas.values[:, j]), strict=True) if gone]
        if empty:
            more = f" and {len(empty) - 5} more" if len(empty) > 5 else ""
            yield (
                f"'{column}' is missing for {', '.join(empty[:5])}{more}; "
                'fill it from a source, leave the area out, or ask for missing="median"'
            )


def _needs(areas: Areas, recipe: Recipe, missing: Missing, compared: Ahp | None) -> Iterator[str]:
    if not recipe.possible:
        yield "z-scores lie around 0 and a geometric mean needs numbers above it; take minmax or arithmetic"
    if recipe.normalise == "distance":
        yield from _targets(areas, _prepared(areas, recipe, missing))
    if recipe.weights == "expert":
        try:
            expert_weights(areas.indicators)
        except EstimateError as error:
            yield str(error)
    if recipe.weights == "ahp":
        named = set(compared.columns) if compared else set()
        if named != set(areas.columns):
            yield (
                "weights='ahp' needs pairwise= comparisons with rows and columns named "
                f"{', '.join(areas.columns)}; found {', '.join(sorted(named)) or 'none'}"
            )
    if recipe.weights == "pca":
        loadings = principal(_prepared(areas, recipe, missing)).loadings
        against = [c for c, loading in zip(areas.columns, loadings, strict=True) if loading < -1e-9]
        if against:
            yield (
                f"on the first component {', '.join(against)} points against the rest, which would give it a "
                "negative weight; look at its direction, or choose other weights"
            )


def _prepared(areas: Areas, recipe: Recipe, missing: Missing) -> Floats:
    """The values the recipe will see; empty cells that were not to be filled are told elsewhere."""
    return treat(impute(areas.values, "median" if missing == "refuse" else missing), recipe.treat).values


def _targets(areas: Areas, values: Floats) -> Iterator[str]:
    worst = values.min(axis=0)
    for indicator, low in zip(areas.indicators, worst, strict=True):
        if indicator.target is None:
            yield f"'{indicator.column}' has no target; normalise='distance' needs Indicator(target=...)"
        elif not indicator.target * indicator.direction > low:
            yield (
                f"the target of '{indicator.column}' ({indicator.target:g}) is no better than the worst area "
                f"({low * indicator.direction:g}); there would be no distance to go"
            )
