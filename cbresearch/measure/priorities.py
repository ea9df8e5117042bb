"""What to mend first: importance against performance, with how sure each quadrant is.

Martilla and James (1977, J. of Marketing 41). The cross-hairs are estimates like the points, so whole
communities are resampled, and lines and points drawn anew each time: an item near a line has no quadrant,
it has chances. Importance is stated by residents, or derived from what goes with overall satisfaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.measure.importance import Method, division
from cbresearch.measure.moments import moments
from cbresearch.measure.resample import cluster_bootstrap, few, residents
from cbresearch.measure.wording import Names, chance, listed, word
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

Quadrant = Literal["concentrate here", "keep up", "low priority", "possible overkill"]
QUADRANTS: tuple[Quadrant, ...] = get_args(Quadrant)
SURE = 0.8


@dataclass(frozen=True, slots=True)
class Item:
    """One service: its name, the column of performance and, where it was asked, that of importance."""

    name: str
    performance: str
    importance: str | None = None


@dataclass(frozen=True, slots=True)
class Lines:
    """Where the cross-hairs stand when they are fixed, such as Lines(3, 3) amid a scale from 1 to 5."""

    importance: float
    performance: float


@dataclass(frozen=True, slots=True)
class Place:
    """Where an item stands; the four probabilities are shares of the redraws, adding up to 1."""

    item: str
    importance: float
    performance: float
    quadrant: Quadrant
    probability: float
    """Of `quadrant`, the one of the observed point."""
    concentrate: float
    keep_up: float
    low_priority: float
    overkill: float
    n: int


@dataclass(frozen=True, slots=True)
class Priorities:
    """Every item's place. A point on a line counts as high.

    `kind` says what importance is: "stated" is the mean rating, "derived" the share (0-1) of the explained
    differences in the outcome that goes with the item.
    """

    kind: Literal["stated", "derived"]
    items: tuple[Place, ...]
    lines: Lines
    clusters: int
    draws: int
    sentence: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per item, the surest to concentrate on first."""
        rows = sorted(self.items, key=lambda place: -place.concentrate)
        return pd.DataFrame([{name: getattr(row, name) for name in Place.__slots__} for row in rows])


def importance_performance(
    frame: pd.DataFrame, items: Sequence[Item], *, weights: str | None = None, cluster: str | None = None,
    lines: Lines | Literal["mean"] = "mean", draws: int = 2_000, seed: int = 1, names: Names | None = None,
) -> Priorities:  # fmt: skip
    """Mean stated importance and performance of each item, and the chance of each quadrant.

    A resident counts for an item when both answers are there. `lines` "mean" puts the cross-hairs at the
    means over items, recomputed in every redraw of `cluster`s; Lines(...) fixes them, for a judgement
    against the scale rather than among the items. EstimateError for unknown columns, items without an
    importance column, items that nobody answered, fewer than two items with lines="mean".
    """
    _refuse(items, stated=True)
    if lines == "mean" and len(items) < 2:
        raise EstimateError("One item lies on its own mean; name more items, or lines=Lines(3, 3).")
    columns = [column for item in items for column in (item.importance or "", item.performance)]
    people = residents(frame, columns, weights=weights, cluster=cluster)
    answers = people.values.reshape(len(frame), len(items), 2)
    both = np.asarray(np.isfinite(answers).all(axis=2))
    empty = [item.name for item, n in zip(items, both.sum(axis=0), strict=True) if n == 0]
    if empty:
        raise EstimateError(f"Nobody answered both importance and performance of {', '.join(empty)}.")
    told = np.where(both[:, :, None], answers, 0.0).reshape(len(frame), -1)
    values = np.hstack([told, both]) * people.weights[:, None]
    found = cluster_bootstrap(values, people.cluster, draws=draws, seed=seed)
    sums, k = np.vstack([found.observed, found.redrawn]), 2 * len(items)
    with np.errstate(invalid="ignore", divide="ignore"):
        # a redraw in which nobody was asked about an item gives it no place: NaN
        points = sums[:, :k].reshape(-1, len(items), 2) / sums[:, k:, None]
    at = points.mean(axis=1) if lines == "mean" else np.array([[lines.importance, lines.performance]])
    return _priorities("stated", items, points, at, both.sum(axis=0).tolist(), found.clusters, names)


def derived_importance_performance(
    frame: pd.DataFrame, items: Sequence[Item], outcome: str, *, method: Method = "lmg",
    weights: str | None = None, cluster: str | None = None, draws: int = 2_000, seed: int = 1,
    names: Names | None = None,
) -> Priorities:  # fmt: skip
    """As `importance_performance`, importance being the item's share of what explains `outcome`.

    Relative importance (`importance.relative_importance`) of all performance columns for the outcome, as
    shares that add up to 1; the lines are the means over items. Residents complete in every column count,
    and columns of stated importance are not looked at.
    """
    _refuse(items, stated=False)
    columns = [item.performance for item in items]
    if outcome in columns or len(items) < 2:
        raise EstimateError(
            f"Two items at least are needed, and the outcome '{outcome}' cannot be one of them."
        )
    divide = division(method, len(items))
    made = moments(frame, [*columns, outcome], weights=weights, cluster=cluster, draws=draws, seed=seed)
    parts = divide(made.correlation)
    total = parts.sum(axis=1, keepdims=True)
    share = parts / np.where(total > 0, total, np.nan)
    points = np.stack([share, made.mean[:, :-1]], axis=2)
    return _priorities(
        "derived", items, points, points.mean(axis=1), [made.n] * len(items), made.clusters, names
    )


def _priorities(
    kind: Literal["stated", "derived"], items: Sequence[Item], points: Floats, lines: Floats,
    n: Sequence[int], clusters: int, names: Names | None,
) -> Priorities:  # fmt: skip
    """`points` is B x items x 2, row 0 as observed; `lines` B x 2 or 1 x 2."""
    # what lies on the line up to rounding lies on it
    high = points >= lines[:, None, :] - 1e-9 * np.maximum(np.abs(lines[:, None, :]), 1.0)
    where = np.where(high[..., 0], np.where(high[..., 1], 1, 0), np.where(high[..., 1], 3, 2))
    placed = np.isfinite(points).all(axis=2) & np.isfinite(lines.sum(axis=1, keepdims=True))
    count = np.maximum(placed[1:].sum(axis=0), 1)
    counts = np.array([((where[1:] == q) & placed[1:]).sum(axis=0) for q in range(len(QUADRANTS))])
    shares = (counts / count).T.tolist()
    places = tuple(
        Place(
            item.name, float(points[0, i, 0]), float(points[0, i, 1]), QUADRANTS[where[0, i]],
            probability=shares[i][where[0, i]], concentrate=shares[i][0], keep_up=shares[i][1],
            low_priority=shares[i][2], overkill=shares[i][3], n=n[i],
        )
        for i, item in enumerate(items)
    )  # fmt: skip
    said = _sentence(places, clusters, names)
    return Priorities(
        kind, places, Lines(float(lines[0, 0]), float(lines[0, 1])), clusters, len(points) - 1, said
    )


def _refuse(items: Sequence[Item], *, stated: bool) -> None:
    faults = [] if items else ["no item was named; expected Item(name, performance, importance)"]
    names = [item.name for item in items]
    faults += [f"item '{name}' is named twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    if stated:
        faults += [
            f"item '{item.name}' has no column of importance; name it, or use derived_importance_performance()"
            for item in items
            if item.importance is None
        ]
    if faults:
        raise EstimateError("These items cannot be placed:\n" + "\n".join(f"  - {f}" for f in faults))


def _sentence(places: Sequence[Place], clusters: int, names: Names | None) -> Text:
    first = [place for place in places if place.concentrate >= SURE]
    open_ones = [place for place in places if place.concentrate < SURE and place.concentrate >= 1 - SURE]
    warning = few(clusters)
    if first:
        said = listed([_with_chance(place, names) for place in first])
        zh, en = f"应当优先改进：{said.zh}。", f"To be mended first: {said.en}."
    else:
        zh, en = (
            "没有哪一项能肯定地说应当优先改进。",
            "No item can be named with confidence as the one to mend first.",
        )
    if open_ones:
        said = listed([_with_chance(place, names) for place in open_ones])
        zh += f"可能需要、但还说不准：{said.zh}。"
        en += f" Perhaps, but not sure: {said.en}."
    return Text(zh + warning.zh, en + warning.en)


def _with_chance(place: Place, names: Names | None) -> Text:
    name, sure = word(names, place.item), chance(place.concentrate)
    return Text(f"{name.zh}（把握{sure.zh}）", f"{name.en} (chance {sure.en})")
