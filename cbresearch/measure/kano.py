"""Which services residents take for granted, which please the more there is of them (Kano).

A pair of questions asks how one would feel if a service were there and if it were not; the pair of answers
gives a class by a 5 x 5 table. Kano et al. (1984); Berger et al. (1993, Center for Quality of Management
J. 2) for the table and the better and worse coefficients; Fong (1996, same journal 5) for ties.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.measure.resample import cluster_bootstrap, few, interval, residents
from cbresearch.measure.wording import Names, listed, word
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints, numbers

Category = Literal["must-be", "one-dimensional", "attractive", "indifferent", "reverse", "questionable"]
# Berger's order for ties: what angers when it is absent comes before what delights
CATEGORIES: tuple[Category, ...] = get_args(Category)
TABLE: tuple[str, ...] = ("QAAAO", "RIIIM", "RIIIM", "RIIIM", "RRRRQ")
"""A row per answer to "if it were there" (like, must be, neutral, live with, dislike), a column per answer to "if not"."""
_PLACE = {letter: place for place, letter in enumerate("MOAIRQ")}
_CODE = np.array([[_PLACE[letter] for letter in row] for row in TABLE])
WORDS: dict[Category, Text] = {
    "must-be": Text("必备", "must-be"),
    "one-dimensional": Text("期望（越多越好）", "one-dimensional"),
    "attractive": Text("魅力", "attractive"),
    "indifferent": Text("无所谓", "indifferent"),
    "reverse": Text("反向", "reverse"),
    "questionable": Text("答案矛盾", "questionable"),
}


@dataclass(frozen=True, slots=True)
class KanoItem:
    """One service: the columns of "how would you feel if it were there" and "if it were not"."""

    name: str
    functional: str
    dysfunctional: str


@dataclass(frozen=True, slots=True)
class KanoClass:
    """One service's class with everything that speaks for and against it; shares are weighted, 0-1.

    `better` = (A + O)/(A + O + M + I): how far satisfaction can rise when it is there, 0 to 1. `worse` =
    -(O + M)/(A + O + M + I): how far it falls when it is not, -1 to 0. `strength` is the lead of the first
    class over the second, `total_strength` = A + O + M (Lee and Newcomb 1997). `tied_with` names the second
    class when Fong's test cannot tell it from the first. `probability` is how often `category` came out in
    the redraws.
    """

    item: str
    category: Category
    tied_with: Category | None
    probability: float
    shares: tuple[float, ...]
    """In the order of CATEGORIES."""
    better: float
    better_low: float
    better_high: float
    worse: float
    worse_low: float
    worse_high: float
    strength: float
    total_strength: float
    n: int
    effective_n: float


@dataclass(frozen=True, slots=True)
class Kano:
    """Every service's class, in the order given."""

    items: tuple[KanoClass, ...]
    clusters: int
    draws: int
    sentence: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per service; the shares are columns named after the classes."""
        plain = [name for name in KanoClass.__slots__ if name != "shares"]
        rows = [
            {name: getattr(item, name) for name in plain} | dict(zip(CATEGORIES, item.shares, strict=True))
            for item in self.items
        ]
        return pd.DataFrame(rows)


def kano(
    frame: pd.DataFrame, items: Sequence[KanoItem], *, answers: Sequence[float] = (1, 2, 3, 4, 5),
    weights: str | None = None, cluster: str | None = None, draws: int = 2_000, seed: int = 1,
    names: Names | None = None,
) -> Kano:  # fmt: skip
    """The Kano class of each service, with coefficients and 95 % intervals from redrawn `cluster`s.

    `answers` are the five codes from "I like it" to "I dislike it". A resident counts for a service when
    both answers are there. Fong's test runs on shares times Kish's effective n, which is n without
    weights; it knows nothing of clusters, `probability` does. EstimateError lists at once unknown columns,
    codes that are none of the five, services that nobody answered.
    """
    _refuse(frame, items, answers)
    columns = [column for item in items for column in (item.functional, item.dysfunctional)]
    people = residents(frame, columns, weights=weights, cluster=cluster)
    place = {code: i for i, code in enumerate(answers)}
    classes = np.column_stack(
        [_classes(people.values[:, 2 * i], people.values[:, 2 * i + 1], place) for i in range(len(items))]
    )
    given = classes[:, :, None] == np.arange(len(CATEGORIES))
    weighed = given.reshape(len(frame), -1) * people.weights[:, None]
    found = cluster_bootstrap(weighed, people.cluster, draws=draws, seed=seed)
    counts = np.vstack([found.observed, found.redrawn]).reshape(-1, len(items), len(CATEGORIES))
    kept = [people.weights[classes[:, i] >= 0] for i in range(len(items))]
    made = tuple(_class(item, counts[:, i], kept[i]) for i, item in enumerate(items))
    return Kano(made, found.clusters, draws, _sentence(made, found.clusters, names))


def classify(functional: int, dysfunctional: int) -> Category:
    """The class of one pair of answers, each 1 (like) to 5 (dislike)."""
    return CATEGORIES[int(_CODE[functional - 1, dysfunctional - 1])]


def fong_tied(first: float, second: float, n: float) -> bool:
    """Whether two counts of n answers are too close to say which class leads, at 90 % (Fong 1996)."""
    return abs(first - second) < 1.65 * math.sqrt((first + second) * (2 * n - first - second) / (2 * n))


def _classes(functional: Floats, dysfunctional: Floats, place: dict[float, int]) -> Ints:
    """0..5 in the order of CATEGORIES, -1 where an answer is missing."""
    rows, columns = (np.array([place.get(code, -1) for code in side]) for side in (functional, dysfunctional))
    return np.where((rows >= 0) & (columns >= 0), _CODE[rows, columns], -1)


def _class(item: KanoItem, counts: Floats, weights: Floats) -> KanoClass:
    """`counts` is B x 6 weighted counts, row 0 as observed."""
    total = counts.sum(axis=1, keepdims=True)
    shares = counts / np.where(total > 0, total, np.nan)
    M, O, A, I = counts[:, :4].T
    clear = np.where(M + O + A + I > 0, M + O + A + I, np.nan)
    better, worse = (A + O) / clear, -(O + M) / clear
    # rounded and stable, so that classes with equal shares come in the order of CATEGORIES
    order = np.argsort(-shares.round(12), axis=1, kind="stable")
    leader, (first, second) = order[:, 0], order[0, :2]
    effective = float(weights.sum() ** 2 / (weights**2).sum())
    tied = fong_tied(shares[0, first] * effective, shares[0, second] * effective, effective)
    (better_low, better_high), (worse_low, worse_high) = interval(better[1:]), interval(worse[1:])
    drawn = total[1:, 0] > 0
    return KanoClass(
        item.name, CATEGORIES[first], CATEGORIES[second] if tied else None,
        float((leader[1:][drawn] == first).mean()), tuple(float(share) for share in shares[0]),
        float(better[0]), float(better_low), float(better_high),
        float(worse[0]), float(worse_low), float(worse_high),
        float(shares[0, first] - shares[0, second]), float(shares[0, :3].sum()), len(weights), effective,
    )  # fmt: skip


def _refuse(frame: pd.DataFrame, items: Sequence[KanoItem], answers: Sequence[float]) -> None:
    faults = list(_faults(frame, items, answers))
    if faults:
        raise EstimateError("These services cannot be classed:\n" + "\n".join(f"  - {f}" for f in faults))


def _faults(frame: pd.DataFrame, items: Sequence[KanoItem], answers: Sequence[float]) -> Iterator[str]:
    if len(set(answers)) != 5:
        yield f"answers={tuple(answers)}: expected five codes, from 'I like it' to 'I dislike it'"
    if not items:
        yield "no service was named; expected KanoItem(name, functional, dysfunctional)"
    for item in items:
        sides: list[Floats] = []
        for column in (item.functional, item.dysfunctional):
            try:
                values = numbers(frame, column)
            except EstimateError as error:
                yield str(error)
                continue
            sides.append(values)
            strange = values[np.isfinite(values) & ~np.isin(values, list(answers))]
            if len(strange):
                yield (
                    f"'{column}' holds {strange[0]:g} ({len(strange)} such answers); expected {tuple(answers)}, "
                    "other codes made missing first"
                )
        if len(sides) == 2 and not (np.isfinite(sides[0]) & np.isfinite(sides[1])).any():
            yield f"nobody answered both questions about '{item.name}'"


def _sentence(made: Sequence[KanoClass], clusters: int, names: Names | None) -> Text:
    zh, en = [], []
    for category in CATEGORIES:
        said = [word(names, item.item) for item in made if item.category == category and not item.tied_with]
        if said:
            zh.append(f"{WORDS[category].zh}：{listed(said).zh}")
            en.append(f"{WORDS[category].en}: {listed(said).en}")
    for item in made:
        if item.tied_with:
            name, one, other = word(names, item.item), WORDS[item.category], WORDS[item.tied_with]
            zh.append(f"{name.zh}说不清是{one.zh}还是{other.zh}")
            en.append(f"{name.en} cannot be told between {one.en} and {other.en}")
    warning = few(clusters)
    english = "; ".join(en)
    return Text("；".join(zh) + "。" + warning.zh, english[:1].upper() + english[1:] + "." + warning.en)
