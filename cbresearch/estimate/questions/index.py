"""One number for each community out of several, with the doubt of sampling and of the making."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from cbresearch.estimate.questions.common import (
    NO_AREA,
    UNKNOWN,
    Told,
    chosen_wave,
    sampled_residents,
    unanswered,
    untold,
)
from cbresearch.estimate.questions.satisfaction import means_by_area
from cbresearch.estimate.release import fact, release_facts
from cbresearch.measure.index.indicators import Indicator
from cbresearch.measure.index.redraws import normal_redraws
from cbresearch.measure.index.uncertainty import Choices, IndexDoubt, index_uncertainty
from cbresearch.records import Estimate, Text
from cbresearch.study import Index, Study

DRAWS = 1_000
SE = "__se"
"""Ending of the column with a measure's standard errors."""
NO_INDEX = Text("研究没有定义综合指数。", "The study defines no index.")
TOO_FEW = Text(
    "有完整数据的社区不足三个，无法计算综合指数。",
    "Fewer than three communities have all that the index is made of.",
)


def index_by_area(study: Study, wave: int = 0) -> Told:
    """The rank of each community by the study's index (1 the best), then its score (0-100).

    Group: wave, area. A rank's interval goes over methods and sampling, a score's over sampling alone.
    Communities whose figures are held back have neither.
    """
    if not study.file.indices:
        return untold(unanswered("index", NO_INDEX))
    if study.area is None:
        return untold(unanswered("index", NO_AREA))
    told, chosen = study.file.indices[0], chosen_wave(study, wave)
    frame = _by_area(study, told, chosen)
    if len(frame) < 3:
        return untold(unanswered("index", TOO_FEW))
    found = _doubt(study, told, frame)
    ordered = sorted(found.areas, key=lambda one: one.rank)
    ranks = [
        _fact(study, chosen, one.area, "rank", (one.rank, one.rank_low, one.rank_high)) for one in ordered
    ]
    scores = [
        _fact(
            study,
            chosen,
            one.area,
            "index points",
            (100 * one.score, 100 * one.score_low, 100 * one.score_high),
        )
        for one in ordered
    ]
    return Told(release_facts([*ranks, *scores]), found.sentence)


def _fact(study: Study, wave: int, area: str, unit: str, told: tuple[float, float, float]) -> Estimate:
    value, low, high = told
    group = (("wave", str(wave)), (study.area or "", area))
    return replace(
        fact(study.file.indices[0].name, float(value), unit, group, method="index"),
        low=float(low),
        high=float(high),
    )


def _doubt(study: Study, told: Index, frame: pd.DataFrame) -> IndexDoubt:
    area = study.area or ""
    weights = told.weights or (1.0,) * len(told.measures)
    indicators = [
        Indicator(column, weight=weight) for column, weight in zip(told.measures, weights, strict=True)
    ]
    se = {column: column + SE for column in told.measures if column + SE in frame.columns}
    redrawn = normal_redraws(frame, indicators, area=area, se=se, draws=DRAWS, seed=study.file.study.seed)
    choices = Choices(weights=("expert", "equal")) if told.weights else Choices(weights=("equal",))
    names = {code: study.answer(area, code) for code in frame[area]}
    return index_uncertainty(frame, indicators, redrawn, area=area, choices=choices, names=names)


def _by_area(study: Study, told: Index, wave: int) -> pd.DataFrame:
    """A row per community: every measure, with the standard error of those that were sampled; only released figures."""
    assert study.area is not None
    sampled = [measure for measure in told.measures if measure not in study.indicators]
    residents = sampled_residents(study)
    ledger = study.communities()
    rows = ledger[ledger["wave"] == wave].astype({study.area: str}).set_index(study.area)
    frame = rows[[m for m in told.measures if m in study.indicators]].astype("float64")
    for record in means_by_area(study, residents, sampled, wave) if sampled else []:
        area = record.part(study.area)
        if area is not None and area != UNKNOWN and record.value is not None:
            frame.loc[area, [record.measure, record.measure + SE]] = [record.value, record.se]
    return frame.dropna().rename_axis(study.area).reset_index()
