"""Which places communities can hold: rank sets, and those that cannot be told apart.

Mogstad, Romano, Shaikh and Wilhelm (2024, Review of Economic Studies 91): a community's rank lies between one
more than the number surely better and the number not surely worse. R: `csranks::csranks`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
DRAWS = 5_000


@dataclass(frozen=True, slots=True)
class Place:
    """One area with its estimate, its rank (1 the largest) and the ranks that the data allow; letters of its groups.

    Areas that share a letter cannot be told apart.
    """

    area: str
    value: float
    se: float
    rank: int
    rank_low: int
    rank_high: int
    letters: str


@dataclass(frozen=True, slots=True, eq=False)
class RankSets:
    """All areas, largest first; `simultaneous` sets hold all at once with the chance `level`, else each alone.

    `better[i, j]`: area i is surely above area j, both in the order of `places`.
    """

    places: tuple[Place, ...]
    better: Bools
    level: float
    simultaneous: bool

    @property
    def table(self) -> pd.DataFrame:
        """A row per area: area, value, se, rank, rank_low, rank_high, letters."""
        return pd.DataFrame([{name: getattr(p, name) for name in Place.__slots__} for p in self.places])

    def among_first(self, count: int) -> tuple[str, ...]:
        """The areas that may be among the first `count`: nobody else can."""
        return tuple(place.area for place in self.places if place.rank_low <= count)

    @property
    def sentence(self) -> Text:
        return self.say({})

    def say(self, names: Mapping[str, Text]) -> Text:
        """How far the ranking can be trusted, in words."""
        k = len(self.places)
        first = self.among_first(1)
        sure = sum(bool(self.better[i, j]) for i in range(k) for j in range(k))
        pairs = k * (k - 1) // 2
        told = [names.get(area, Text(area, area)) for area in first]
        if not sure:
            return Text(
                f"{k}个社区之间分不出高低，名次没有意义。",
                f"None of the {k} areas can be told from another; ranks have no meaning here.",
            )
        if len(told) == 1:
            lead_zh, lead_en = f"{told[0].zh}肯定排第一", f"{told[0].en} is surely first"
        else:
            lead_zh, lead_en = f"可能排第一的有{len(told)}个", f"{len(told)} areas may be first"
        return Text(
            f"{lead_zh}；{pairs}对社区中有{sure}对能分出高低。",
            f"{lead_en}; of {pairs} pairs of areas, {sure} can be told apart.",
        )


def rank_sets(
    names: Sequence[str],
    values: Sequence[float] | Floats,
    errors: Floats,
    *,
    level: float = 0.95,
    seed: int = 1,
) -> RankSets:
    """Sets of ranks that hold for all areas at once with chance `level`.

    `errors` are k standard errors of independent estimates, or their k x k covariance. Every pair is compared,
    the largest of all differences deciding what is sure, and again among the pairs left until nothing more is
    (stepwise). EstimateError for missing values, errors of zero, a matrix that is no covariance.
    """
    estimates, covariance = _checked(names, values, errors)
    k = len(estimates)
    pairs = np.array([(i, j) for i in range(k) for j in range(k) if i != j]).reshape(-1, 2)
    return _sets(
        names,
        estimates,
        covariance,
        _surely(estimates, covariance, pairs, level, seed),
        level,
        simultaneous=True,
    )


def marginal_rank_sets(
    names: Sequence[str],
    values: Sequence[float] | Floats,
    errors: Floats,
    *,
    level: float = 0.95,
    seed: int = 1,
) -> RankSets:
    """Sets that hold for any one area with chance `level`, narrower: for a reader who asks about one of them only."""
    estimates, covariance = _checked(names, values, errors)
    k = len(estimates)
    better = np.zeros((k, k), dtype=bool)
    low, high = np.empty(k, dtype=int), np.empty(k, dtype=int)
    for i in range(k):
        pairs = np.array([pair for j in range(k) if j != i for pair in ((i, j), (j, i))])
        mine = _surely(estimates, covariance, pairs, level, seed)
        better[i], low[i], high[i] = mine[i], 1 + mine[:, i].sum(), k - mine[i].sum()
    # each area's row of `better` is its own comparison; letters need both sides to agree
    return _sets(
        names, estimates, covariance, better & ~better.T, level, simultaneous=False, ranks=(low, high)
    )


def _surely(estimates: Floats, covariance: Floats, pairs: np.ndarray, level: float, seed: int) -> Bools:
    """k x k: whether area i is surely above area j, by the largest studentised difference, stepwise."""
    k = len(estimates)
    first, second = pairs.T
    variance = covariance[first, first] + covariance[second, second] - 2 * covariance[first, second]
    se = np.sqrt(np.maximum(variance, 1e-300))
    t = (estimates[first] - estimates[second]) / se
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0))
    noise = np.random.default_rng(seed).standard_normal((DRAWS, k)) @ root.T
    drawn = (noise[:, first] - noise[:, second]) / se
    rejected = np.zeros(len(pairs), dtype=bool)
    while not rejected.all():
        limit = np.quantile(drawn[:, ~rejected].max(axis=1), level)
        now = rejected | (t > limit)
        if (now == rejected).all():
            break
        rejected = now
    better = np.zeros((k, k), dtype=bool)
    better[first[rejected], second[rejected]] = True
    return better


def _sets(
    names: Sequence[str], estimates: Floats, covariance: Floats, better: Bools, level: float, *,
    simultaneous: bool, ranks: tuple[np.ndarray, np.ndarray] | None = None,
) -> RankSets:  # fmt: skip
    k = len(estimates)
    order = np.argsort(-estimates, kind="stable")
    low, high = ranks if ranks is not None else (1 + better.sum(axis=0), k - better.sum(axis=1))
    sorted_better = better[np.ix_(order, order)]
    letters = _letters(sorted_better)
    # ties share the better rank, as in a league table
    rank = {int(i): 1 + int((estimates > estimates[i] + 1e-12).sum()) for i in order}
    places = tuple(
        Place(str(names[i]), float(estimates[i]), float(np.sqrt(covariance[i, i])), rank[int(i)], int(low[i]), int(high[i]), letters[at])
        for at, i in enumerate(order)
    )  # fmt: skip
    return RankSets(places, sorted_better, level, simultaneous)


def _letters(better: Bools) -> list[str]:
    """A letter for each longest run of neighbours of which no two can be told apart."""
    k = len(better)
    apart = better | better.T
    runs: list[tuple[int, int]] = []
    for start in range(k):
        end = start
        while end + 1 < k and not apart[start : end + 1, end + 1].any():
            end += 1
        if not runs or end > runs[-1][1]:
            runs.append((start, end))
    return ["".join(_letter(n) for n, (a, b) in enumerate(runs) if a <= i <= b) for i in range(k)]


def _letter(n: int) -> str:
    return chr(ord("a") + n) if n < 26 else f"({n + 1})"


def _checked(names: Sequence[str], values: Sequence[float] | Floats, errors: Floats) -> tuple[Floats, Floats]:
    estimates, given = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64)
    covariance = np.diag(given**2) if given.ndim == 1 else given
    k = len(estimates)
    if len(names) != k or covariance.shape != (k, k):
        raise EstimateError(
            f"{len(names)} names, {k} values, errors of shape {given.shape}; expected as many of each."
        )
    if k < 2:
        raise EstimateError("One area has no rank; expected at least two.")
    if not (np.isfinite(estimates).all() and np.isfinite(covariance).all()):
        raise EstimateError(
            "Missing values among the estimates or their errors; leave those areas out first."
        )
    if (np.diag(covariance) <= 0).any() or not np.allclose(covariance, covariance.T):
        raise EstimateError(
            "Errors of 0, or a matrix that is no covariance; expected positive standard errors."
        )
    return estimates, covariance
