"""The specification curve: one effect under every defensible way of estimating it.

Simonsohn, Simmons and Nelson (2020, Nature Human Behaviour 4). What is held, who is counted, how they are
weighted, and which outcome is taken are choices; a finding that hangs on one of them is no finding.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.few_clusters import clustered
from cbresearch.estimate.effects.within_between import split
from cbresearch.records import Estimate, Text, Unanswered
from cbresearch.sampling.design import require
from cbresearch.sampling.domains import mask


@dataclass(frozen=True, slots=True)
class Specification:
    """One way of estimating, with what it gives. `held` are the sets of controls; names are the caller's own."""

    outcome: str
    held: tuple[str, ...]
    rows: str
    weights: str
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class SpecificationCurve:
    """Every specification, from the lowest estimate to the highest; `untold` are those the data cannot give."""

    cause: str
    term: str
    specifications: tuple[Specification, ...]
    untold: int

    @property
    def median(self) -> float:
        return (
            float(np.median([s.estimate.value for s in self.specifications]))
            if self.specifications
            else math.nan
        )

    @property
    def positive(self) -> int:
        """How many estimates lie above zero."""
        return sum(s.estimate.value > 0 for s in self.specifications)

    @property
    def clear(self) -> int:
        """How many intervals leave zero out, on the side of the median."""
        side = math.copysign(1, self.median)
        ends = [s.estimate.low if side > 0 else -s.estimate.high for s in self.specifications]
        return sum(end > 0 for end in ends)

    @property
    def table(self) -> pd.DataFrame:
        """A row per specification: outcome, held, rows, weights, estimate, se, df, p, low, high, n."""
        rows = [
            (s.outcome, " + ".join(s.held), s.rows, s.weights, e.value, e.se, e.df, e.p, e.low, e.high, e.n)
            for s in self.specifications
            for e in (s.estimate,)
        ]
        columns = ["outcome", "held", "rows", "weights", "estimate", "se", "df", "p", "low", "high", "n"]
        return pd.DataFrame(rows, columns=columns)

    @property
    def sentence(self) -> Text:
        """How many ways agree."""
        ways = len(self.specifications)
        if not ways:
            return Text("没有一种做法能估计出来。", "No way of estimating gives an answer.")
        same = max(self.positive, ways - self.positive)
        return Text(
            f"{ways}种合理的做法中，{same}种方向相同，{self.clear}种的置信区间不含零。",
            f"Of {ways} defensible ways of estimating, {same} point the same way and {self.clear} have an interval that leaves zero out.",
        )


def specification_curve(
    frame: pd.DataFrame, outcomes: Sequence[str], cause: str, *, area: str, wave: str,
    always: Sequence[str] = (), controls: Mapping[str, Sequence[str]], causes: Sequence[str] = (),
    rows: Mapping[str, pd.Series | None], weights: Mapping[str, str | None],
    term: str = "within", unit: str = "as asked",
) -> SpecificationCurve:  # fmt: skip
    """The effect of `cause` under every combination of choices, CR2 with Satterthwaite df in each.

    A row of `frame` is a resident carrying the causes of the community in that wave, as for
    `within_between`. `controls` names sets of columns that may or may not be held (every subset is tried);
    those listed in `causes` are split like the cause itself, and `always` is held throughout. `rows` names
    domains (columns of booleans, None: everybody), `weights` names columns of weights (None: unweighted).
    `term` is "within" or "between". EstimateError for unknown columns or an empty set of choices.
    """
    sets = list(_subsets(controls))
    for name, choices in (("outcomes", outcomes), ("rows", rows), ("weights", weights)):
        if not choices:
            raise EstimateError(f"{name} offers no choice; expected at least one.")
    require(frame, [*outcomes, cause, area, wave, *always, *(c for s in controls.values() for c in s)])
    asked = [
        *outcomes,
        cause,
        area,
        wave,
        *always,
        *(c for s in controls.values() for c in s),
        *filter(None, weights.values()),
    ]
    coded = _coded(frame[list(dict.fromkeys(asked))])
    found, untold = [], 0
    for (said, where), (weighed, column) in product(rows.items(), weights.items()):
        part = coded.loc[mask(frame, where)]
        for outcome, held in product(outcomes, sets):
            names = [*always, *(c for name in held for c in controls[name])]
            answer = _estimated(part, outcome, cause, term, area, wave, names, causes, column, unit)
            if answer is None:
                untold += 1
            else:
                found.append(Specification(outcome, held, said, weighed, answer))
    ordered = sorted(found, key=lambda s: s.estimate.value)
    return SpecificationCurve(cause, term, tuple(ordered), untold)


def _coded(frame: pd.DataFrame) -> pd.DataFrame:
    """Text as classes: looked up once, not in every way of estimating."""
    text = [c for c in frame.columns if not pd.api.types.is_numeric_dtype(frame[c])]
    return frame.astype(dict.fromkeys(text, "category"))


def _subsets(controls: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    for size in range(len(controls) + 1):
        yield from combinations(controls, size)


def _estimated(
    frame: pd.DataFrame, outcome: str, cause: str, term: str, area: str, wave: str,
    held: Sequence[str], causes: Sequence[str], weights: str | None, unit: str,
) -> Estimate | None:  # fmt: skip
    """None where the data cannot tell the term under this choice."""
    others = [name for name in held if name in causes and name != cause]
    plain = [name for name in held if name not in causes]
    model = split(frame, outcome, [cause, *others], area=area, wave=wave, controls=plain, weights=weights)
    if isinstance(model, Unanswered) or (cause, term) not in model.place:
        return None
    answer = clustered(model.fit, model.place[cause, term], "CR2", cause, unit)
    return None if math.isnan(answer.p) else answer
