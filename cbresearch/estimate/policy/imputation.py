"""What the treated would have been, filled in from all that was not yet under the policy.

Borusyak, Jaravel and Spiess (2024, Rev. Economic Studies 91); Gardner (2022). Community and wave effects come from
untreated cells only; the effect is what the treated cells have beyond them. It uses every earlier wave, so it is
sharper than `staggered` when communities moved alike all along, and further off when they did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.estimate.policy.design import PolicyDesign
from cbresearch.estimate.policy.doubt import detectable, interval
from cbresearch.estimate.policy.observed import Cells, cells, observe
from cbresearch.records import Estimate, Text
from cbresearch.sampling.design import Floats, Ints
from cbresearch.sampling.domains import Group


@dataclass(frozen=True, slots=True)
class Imputation:
    """`overall` is the mean over treated cells, `by_event` the same by waves since the start.

    `treated_cells` communities and waves were filled in, `left_out` could not be: no community was without the
    policy in that wave.
    """

    outcome: str
    overall: Estimate
    by_event: tuple[Estimate, ...]
    treated_cells: int
    left_out: int
    smallest_effect: float
    design: PolicyDesign
    note: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per estimate, overall first: event (missing for overall), estimate, se, df, low, high, p."""
        rows = [
            (dict(e.group).get("event"), e.value, e.se, e.df, e.low, e.high, e.p)
            for e in (self.overall, *self.by_event)
        ]
        made = pd.DataFrame(rows, columns=["event", "estimate", "se", "df", "low", "high", "p"])
        return made.assign(event=pd.to_numeric(made["event"]).astype("Int64"))


@dataclass(frozen=True, slots=True, eq=False)
class Filled:
    """What treated cells have beyond what was filled in, and what untreated ones have left (G x T)."""

    beyond: Floats
    back: Floats
    """How much each cell (rows, G·T) takes from each effect coefficient: M X_U (X_U'M X_U)^-1."""
    indicators: Floats


def imputation(
    frame: pd.DataFrame, outcome: str, *, community: str, wave: str, adoption: str,
    weights: str | None = None, controls: Sequence[str] = (), count_residents: bool = False,
    unit: str = "as asked",
) -> Imputation:  # fmt: skip
    """The effect on the treated by filling in; rows and controls as in `staggered`.

    Standard errors sum each community's weighted residuals (their section 4.3, effects averaged by event), raised
    by G/(G-1), t on G - 1. EstimateError as in `staggered`.
    """
    rows = observe(
        frame, outcome, community=community, wave=wave, adoption=adoption, weights=weights, controls=controls
    )
    made = cells(rows, count_residents=count_residents)
    since = np.arange(len(made.waves)) - made.first[:, None]
    known = (since < 0).any(axis=0)
    treated = (since >= 0) & known
    filled = _filled(made, since < 0)
    events = [int(e) for e in np.unique(since[treated])]
    targets = [treated, *(treated & (since == e) for e in events)]
    found = [
        _estimate(made, filled, since, target, _group(event), outcome, unit, len(rows.y))
        for target, event in zip(targets, [None, *events], strict=True)
    ]
    first = found[0]
    return Imputation(
        outcome, first, tuple(found[1:]), int(treated.sum()), int(((since >= 0) & ~known).sum()),
        detectable(first.se, first.df), rows.design, rows.design.note,
    )  # fmt: skip


def _filled(made: Cells, untreated: NDArray[np.bool_]) -> Filled:
    """Community and wave effects of untreated cells, by least squares weighted with what a community counts."""
    G, T = made.means.shape
    place = np.arange(G * T)
    waves = [t for t in range(1, T) if untreated[:, t].any()]
    X = np.column_stack([place // T == i for i in range(G)] + [place % T == t for t in waves]).astype(float)
    weight = np.repeat(made.mass, T) * untreated.ravel()
    back = weight[:, None] * X @ np.linalg.inv(X.T @ (weight[:, None] * X))
    effects = back.T @ made.means.ravel()
    return Filled((made.means.ravel() - X @ effects).reshape(G, T), back, X)


def _estimate(
    made: Cells, filled: Filled, since: Ints, target: NDArray[np.bool_], group: Group, outcome: str, unit: str, n: int
) -> Estimate:  # fmt: skip
    G = len(made.mass)
    share = np.where(target, made.mass[:, None], 0.0)
    share /= share.sum()
    value = float((share * filled.beyond).sum())
    weight = share - (filled.back @ (filled.indicators.T @ share.ravel())).reshape(share.shape)
    left = filled.beyond.copy()
    for event in np.unique(since[target]):
        at = target & (since == event)
        left[at] -= np.average(left[at], weights=share[at] ** 2)
    # treated cells outside the target have no weight
    score = (np.where(target | (since < 0), weight, 0.0) * left).sum(axis=1)
    se = float(np.sqrt((score**2).sum() * G / (G - 1)))
    t = interval(value, se, G - 1.0)
    return Estimate(outcome, value, se, G - 1.0, t.low, t.high, n, G, unit, group, "imputation", t.p)


def _group(event: int | None) -> Group:
    return (("term", "overall"),) if event is None else (("term", "event"), ("event", str(event)))
