"""A composite index: one score per area from many indicators, every step told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from cbresearch.measure.index import steps, telling
from cbresearch.measure.index.indicators import Indicator, areas_of
from cbresearch.measure.index.recipe import Recipe, refuse, scored
from cbresearch.measure.index.steps import Aggregate, Missing, Normalise, Treat
from cbresearch.measure.index.weights import Ahp, Weights, ahp
from cbresearch.measure.wording import Names
from cbresearch.records import Text


@dataclass(frozen=True, slots=True)
class Step:
    """What one step did, in words."""

    step: Literal["impute", "treat", "normalise", "weight", "aggregate"]
    method: str
    told: Text


@dataclass(frozen=True, slots=True)
class AreaScore:
    """An area's score, more being better, and its rank (1 the best; equal scores share the better rank)."""

    area: str
    score: float
    rank: int


@dataclass(frozen=True, slots=True)
class IndicatorWeight:
    """The part an indicator has in the index; the parts add up to 1."""

    column: str
    weight: float


@dataclass(frozen=True, slots=True, eq=False)
class Index:
    """Areas in the order of the frame. `ahp` is there when pairwise comparisons were given."""

    areas: tuple[AreaScore, ...]
    weights: tuple[IndicatorWeight, ...]
    recipe: Recipe
    steps: tuple[Step, ...]
    ahp: Ahp | None
    sentence: Text

    @property
    def table(self) -> pd.DataFrame:
        """area, score, rank; the best first."""
        rows = [(area.area, area.score, area.rank) for area in sorted(self.areas, key=lambda a: a.rank)]
        return pd.DataFrame(rows, columns=["area", "score", "rank"])


def composite_index(
    frame: pd.DataFrame, indicators: Sequence[Indicator], *, area: str, missing: Missing = "refuse",
    treat: Treat = "none", normalise: Normalise = "minmax", weights: Weights = "equal",
    aggregate: Aggregate = "arithmetic", pairwise: pd.DataFrame | None = None, names: Names | None = None,
) -> Index:  # fmt: skip
    """One score per area (a row each) from its indicators, 0-100 unless normalise="zscore".

    Indicators are turned so that more is better, missing cells filled (`missing`: refused unless "mean" or
    "median" is asked for), far-out values treated, put on one scale, weighed and averaged; what each step
    did is in `steps`. With the geometric mean the worst area gets 1, not 0, on an indicator, lest one zero
    decide all. `pairwise` holds the comparisons for weights="ahp", named after the indicators' columns.
    EstimateError tells at once what the steps cannot do, before any is taken.
    """
    recipe = Recipe(normalise, treat, weights, aggregate)
    table = areas_of(frame, indicators, area)
    compared = ahp(pairwise) if pairwise is not None else None
    refuse(table, [recipe], missing, compared)
    treated = steps.treat(steps.impute(table.values, missing), treat)
    found = scored(table, treated.values, recipe, compared)
    told = (
        Step("impute", missing, telling.imputed(table, missing, names)),
        Step("treat", treat, telling.treated(table, treat, treated, names)),
        Step("normalise", normalise, telling.NORMALISED[normalise]),
        Step(
            "weight", weights, telling.weighed(table, treated.values, weights, found.weights, compared, names)
        ),
        Step("aggregate", aggregate, telling.AGGREGATED[aggregate]),
    )
    areas = tuple(
        AreaScore(name, float(score), int(rank))
        for name, score, rank in zip(table.names, found.scores, steps.ranks(found.scores), strict=True)
    )
    made = tuple(IndicatorWeight(c, float(w)) for c, w in zip(table.columns, found.weights, strict=True))
    best = [one.area for one in areas if one.rank == 1]
    relied = compared if weights == "ahp" else None
    said = telling.index_sentence(len(areas), len(indicators), best, relied, names)
    return Index(areas, made, recipe, told, compared, said)
