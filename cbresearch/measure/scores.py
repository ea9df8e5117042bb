"""Every score of a study: points of its rated items, then of its scales."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pandas as pd

from cbresearch.codebook import Codebook
from cbresearch.measure.scales import mean_score, points
from cbresearch.study import POINTS, Study


def scores(answers: pd.DataFrame, study: Study) -> Iterator[pd.Series]:
    """Points of every rated item, then of every scale: the mean of its items where enough were answered."""
    items = {q.name: q for q in study.codebook.of("residents") if q.is_rated and q.name in answers}
    scored = {
        name: points(answers[name], q.minimum or 0.0, q.maximum or 0.0, q.direction).rename(name + POINTS)
        for name, q in items.items()
    }
    yield from scored.values()
    for scale, told in study.file.scales.items():
        members = _members(study.codebook, scale, scored)
        if members:
            yield mean_score(pd.concat(members, axis="columns"), at_least=told.minimum_answered).rename(
                scale + POINTS
            )


def _members(codebook: Codebook, scale: str, scored: Mapping[str, pd.Series]) -> list[pd.Series]:
    return [scored[question.name] for question in codebook.items(scale) if question.name in scored]
