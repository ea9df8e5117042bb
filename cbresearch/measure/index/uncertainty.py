"""How far an index depends on whom the sample met, and how far on how it was made.

Every recipe is applied to every redrawn table (a crossed design), so that the variance of a rank divides
exactly into what recipes do on average over samples, what samples do on average over recipes, and what only
the two together do: the first-order Sobol' indices of Saisana, Saltelli and Tarantola (2005, JRSS A 168).
Redraws put sampling error on estimates that hold it already, so areas look closer than they are: intervals
of ranks err on the wide side, and are no simultaneous rank sets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.measure.index.indicators import Areas, Indicator, areas_of
from cbresearch.measure.index.recipe import Recipe, refuse, scored
from cbresearch.measure.index.steps import (
    Aggregate,
    Missing,
    Normalise,
    Treat,
    impute,
    ranks,
    treat,
)
from cbresearch.measure.index.weights import Ahp, Weights, ahp
from cbresearch.measure.resample import interval, rank_interval
from cbresearch.measure.wording import Names, chance, listed, word
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

SURE = 0.8


@dataclass(frozen=True, slots=True)
class Choices:
    """Ways that could be defended; the first of each makes the index itself, all of them its doubt."""

    normalise: Sequence[Normalise] = ("minmax", "rank")
    treat: Sequence[Treat] = ("none",)
    weights: Sequence[Weights] = ("equal",)
    aggregate: Sequence[Aggregate] = ("arithmetic", "geometric")

    @property
    def recipes(self) -> tuple[Recipe, ...]:
        """Every combination; z-scores with a geometric mean cannot be and are left out."""
        crossed = product(self.normalise, self.treat, self.weights, self.aggregate)
        made = tuple(Recipe(*parts) for parts in crossed)
        return made[:1] + tuple(recipe for recipe in made[1:] if recipe.possible)


@dataclass(frozen=True, slots=True)
class AreaDoubt:
    """One area. `score` and `rank` come from the first recipe on the estimates themselves.

    score_low and score_high: the middle 95 % of scores by the first recipe over redraws (scores by other
    recipes are on other scales). `standing` is the score in standard deviations above the mean area, which
    all recipes share; its interval and that of the rank go over all recipes and redraws, as does `top`, the
    chance to be among the first so many. `by_method`, `by_sampling` and `by_both` add up to 1: shares of the
    variance of the rank, NaN where the rank never moves.
    """

    area: str
    score: float
    score_low: float
    score_high: float
    standing: float
    standing_low: float
    standing_high: float
    rank: int
    rank_low: int
    rank_high: int
    top: float
    by_method: float
    by_sampling: float
    by_both: float


@dataclass(frozen=True, slots=True, eq=False)
class IndexDoubt:
    """Every area's doubt, in the order of the frame; the shares are of the variance of all ranks together.

    `rank_shares` (areas x areas) says how often an area (row) came out at a rank (column, 1 first).
    `failed` is the share of tables that gave no index (a negative principal-component weight, say).
    """

    areas: tuple[AreaDoubt, ...]
    recipes: tuple[Recipe, ...]
    draws: int
    top: int
    by_method: float
    by_sampling: float
    by_both: float
    rank_shares: Floats
    failed: float
    sentence: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per area, the best first."""
        rows = sorted(self.areas, key=lambda area: area.rank)
        return pd.DataFrame([{name: getattr(row, name) for name in AreaDoubt.__slots__} for row in rows])

    @property
    def ranks(self) -> pd.DataFrame:
        """area, rank, share: how often each area came out at each rank."""
        names = [area.area for area in self.areas]
        places = range(1, len(names) + 1)
        rows = [(a, r, self.rank_shares[i, r - 1]) for i, a in enumerate(names) for r in places]
        return pd.DataFrame(rows, columns=["area", "rank", "share"])


def index_uncertainty(
    frame: pd.DataFrame, indicators: Sequence[Indicator], redrawn: Floats, *, area: str,
    choices: Choices | None = None, missing: Missing = "refuse", pairwise: pd.DataFrame | None = None,
    top: int = 3, names: Names | None = None,
) -> IndexDoubt:  # fmt: skip
    """Scores and ranks over every recipe of `choices` and every redrawn table.

    `redrawn` is draws x areas x indicators from `redraws.normal_redraws` or `replicate_redraws`, called with
    the same frame and indicators; with every standard error 0 only method is left. One table goes through
    all recipes, and recipes count alike. EstimateError for shapes that do not fit, for what a recipe lacks,
    and when more than 5 % of the tables give no index.
    """
    table, recipes = areas_of(frame, indicators, area), (choices or Choices()).recipes
    compared = ahp(pairwise) if pairwise is not None else None
    _refuse(table, recipes, redrawn, top)
    refuse(table, recipes, missing, compared)
    observed = impute(table.values, missing)
    base = scored(table, treat(observed, recipes[0].treat).values, recipes[0], compared).scores
    scores = _crossed(table, impute(redrawn, missing), recipes, compared)
    whole = np.isfinite(scores).all(axis=(0, 2))
    failed = float((~whole).mean())
    if failed > 0.05:
        raise EstimateError(
            f"{failed:.0%} of the redrawn tables give no index by some recipe (principal-component weights below "
            "0, an indicator that stops varying, a target that every area reaches). Leave that recipe or indicator out."
        )
    kept = scores[:, whole]
    ranked, standing = ranks(kept), _standing(kept)
    shares = _shares(ranked)
    pooled = _shares_of(*(part.sum() for part in _parts(ranked)))
    n = len(table.names)
    spread = np.stack([(ranked == r).mean(axis=(0, 1)) for r in range(1, n + 1)], axis=1)
    areas = _areas(table, base, kept[0], standing.reshape(-1, n), ranked.reshape(-1, n), shares, top)
    said = _sentence(areas, top, len(recipes), pooled, names)
    method, sampling, both = pooled.tolist()
    return IndexDoubt(
        areas, recipes, len(redrawn), top, method, sampling, both, spread, failed, said
    )  # fmt: skip


def _crossed(table: Areas, values: Floats, recipes: Sequence[Recipe], compared: Ahp | None) -> Floats:
    """Scores, recipes x draws x areas."""
    used = {how: treat(values, how).values for how in dict.fromkeys(recipe.treat for recipe in recipes)}
    return np.stack([scored(table, used[recipe.treat], recipe, compared).scores for recipe in recipes])


def _standing(scores: Floats) -> Floats:
    spread = scores.std(axis=-1, ddof=1, keepdims=True)
    return np.asarray((scores - scores.mean(axis=-1, keepdims=True)) / np.where(spread > 0, spread, np.nan))


def _parts(ranked: Floats) -> tuple[Floats, Floats, Floats]:
    """Variance of each area's rank (recipes x draws x areas): by recipe, by sample, by the two together."""
    centre = ranked.mean(axis=(0, 1))
    recipe, sample = ranked.mean(axis=1), ranked.mean(axis=0)
    both = ranked - recipe[:, None] - sample[None] + centre
    return recipe.var(axis=0), sample.var(axis=0), (both**2).mean(axis=(0, 1))


def _shares(ranked: Floats) -> Floats:
    return _shares_of(*_parts(ranked))


def _shares_of(method: Floats, sampling: Floats, both: Floats) -> Floats:
    total = method + sampling + both
    return np.asarray(np.stack([method, sampling, both]) / np.where(total > 1e-12, total, np.nan))


def _areas(
    table: Areas, base: Floats, scores: Floats, standing: Floats, ranked: Floats, shares: Floats, top: int
) -> tuple[AreaDoubt, ...]:
    rank, stands = ranks(base), _standing(base)
    score_ends, stand_ends = interval(scores).tolist(), interval(standing).tolist()
    rank_ends, among, parts = rank_interval(ranked), (ranked <= top).mean(axis=0), shares.tolist()
    return tuple(
        AreaDoubt(
            name,
            score=float(base[i]), score_low=score_ends[0][i], score_high=score_ends[1][i],
            standing=float(stands[i]), standing_low=stand_ends[0][i], standing_high=stand_ends[1][i],
            rank=int(rank[i]), rank_low=int(rank_ends[0, i]), rank_high=int(rank_ends[1, i]),
            top=float(among[i]), by_method=parts[0][i], by_sampling=parts[1][i], by_both=parts[2][i],
        )
        for i, name in enumerate(table.names)
    )  # fmt: skip


def _refuse(table: Areas, recipes: Sequence[Recipe], redrawn: Floats, top: int) -> None:
    if not recipes:
        raise EstimateError("Choices(...) names no way for some step; expected one at least for each.")
    expected = table.values.shape
    if redrawn.ndim != 3 or redrawn.shape[1:] != expected:
        raise EstimateError(
            f"redrawn has shape {redrawn.shape}; expected draws x {expected[0]} areas x {expected[1]} indicators."
        )
    if not 1 <= top < expected[0]:
        raise EstimateError(f"top={top}; expected 1 to {expected[0] - 1}, for there are {expected[0]} areas.")


def _sentence(
    areas: Sequence[AreaDoubt], top: int, recipes: int, shares: Floats, names: Names | None
) -> Text:
    sure = [_with_chance(area, names) for area in sorted(areas, key=lambda a: a.rank) if area.top >= SURE]
    width = float(np.median([area.rank_high - area.rank_low + 1 for area in areas]))
    if sure:
        said = listed(sure)
        zh, en = f"可以肯定进入前{top}名的有：{said.zh}。", f"Surely among the first {top}: {said.en}."
    else:
        zh = f"没有哪个社区能肯定地说在前{top}名之内。"
        en = f"No area can be named with confidence among the first {top}."
    zh += f"一半社区的名次区间至少跨{width:g}个名次（共{len(areas)}个）。"
    en += f" For half of the areas the interval of the rank spans at least {width:g} of {len(areas)} places."
    if np.isfinite(shares[0]):
        zh += f"名次的变动有{shares[1]:.0%}来自抽样，{shares[0]:.0%}来自做法（{recipes}种）的不同，其余是两者共同造成的。"
        en += (
            f" Of what moves the ranks, {shares[1]:.0%} is sampling, {shares[0]:.0%} the choice among "
            f"{recipes} recipes, the rest the two together."
        )
    return Text(zh, en)


def _with_chance(area: AreaDoubt, names: Names | None) -> Text:
    name, sure = word(names, area.area), chance(area.top)
    return Text(f"{name.zh}（把握{sure.zh}）", f"{name.en} (chance {sure.en})")
