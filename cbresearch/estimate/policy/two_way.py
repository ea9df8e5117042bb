"""The customary regression on community, wave and treatment: shown beside the honest answer, never instead.

Where dates differ and effects grow, it compares the newly reached with those reached before, which gives some
treated cells a negative weight (de Chaisemartin and D'Haultfoeuille 2020, American Economic Review 110).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.estimate.clusters.few_clusters import clustered, smallest_effect
from cbresearch.estimate.policy.design import PolicyDesign
from cbresearch.estimate.policy.fixed_effects import two_way_fit
from cbresearch.estimate.policy.observed import Observed, observe
from cbresearch.records import Estimate, Text


@dataclass(frozen=True, slots=True)
class TwoWay:
    """`negative` is the share (0-1) of treated communities and waves whose effect enters with a minus sign."""

    outcome: str
    estimate: Estimate
    negative: float
    smallest_effect: float
    design: PolicyDesign
    note: Text


def two_way(
    frame: pd.DataFrame, outcome: str, *, community: str, wave: str, adoption: str,
    weights: str | None = None, controls: Sequence[str] = (), unit: str = "as asked",
) -> TwoWay:  # fmt: skip
    """The coefficient of being under the policy, with indicators of community and wave, CR2 by community.

    Rows as in `two_by_two`, of all waves. R: `lm(y ~ treated + factor(community) + factor(wave), weights)`.
    """
    rows = observe(
        frame, outcome, community=community, wave=wave, adoption=adoption, weights=weights, controls=controls
    )
    treated = (rows.wave >= rows.first[rows.community]).astype(np.float64)
    fit = two_way_fit(rows, treated[:, None])
    group = (("term", "overall"), ("method", "two-way"))
    estimate = clustered(fit, 0, "CR2", outcome, unit, group)
    negative = _negative(rows)
    return TwoWay(
        outcome, estimate, negative, smallest_effect(estimate), rows.design, _note(negative, rows.design.note)
    )


def _negative(rows: Observed) -> float:
    """A treated cell weighs as what the indicators leave of its treatment (Frisch and Waugh); controls aside."""
    G, T = len(rows.communities), len(rows.waves)
    mass = np.bincount(rows.community * T + rows.wave, rows.w, G * T)
    treated = (np.arange(T) >= rows.first[:, None]).ravel().astype(np.float64)
    place = np.arange(G * T)
    indicators = np.column_stack(
        [place // T == i for i in range(G)] + [place % T == t for t in range(1, T)]
    ).astype(np.float64)
    root = np.sqrt(mass)[:, None]
    slopes = np.linalg.lstsq(indicators * root, treated * root[:, 0], rcond=None)[0]
    left = (treated - indicators @ slopes)[treated == 1]
    return float((left < -1e-12).mean())


def _note(negative: float, design: Text) -> Text:
    if not negative:
        return design
    return Text(
        f"双向固定效应把先享受政策的社区当作后享受者的对照，有{negative:.0%}的作用被倒扣，作用逐年变化时会有偏差。{design.zh}",
        f"Two-way fixed effects hold the newly reached against those reached before: {negative:.0%} of the effects enter "
        f"with a minus sign, which misleads when effects change over time. {design.en}",
    )
