"""One number for each community out of several, with the doubt of sampling and of the making."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.questions.common import (
    NO_AREA,
    UNKNOWN,
    Told,
    chosen_wave,
    joined,
    sampled_residents,
    sampling_design,
    unanswered,
    untold,
)
from cbresearch.estimate.questions.satisfaction import means_by_area
from cbresearch.estimate.release import fact, release_facts
from cbresearch.measure.index.composite import Index as Made
from cbresearch.measure.index.composite import composite_index
from cbresearch.measure.index.indicators import Indicator
from cbresearch.measure.index.redraws import normal_redraws, replicate_redraws
from cbresearch.measure.index.telling import consistency
from cbresearch.measure.index.uncertainty import Choices, IndexDoubt, index_uncertainty
from cbresearch.measure.index.weights import Weights
from cbresearch.measure.wording import listed
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.design import Floats, Ints, numbers
from cbresearch.sampling.replicates import Replicates
from cbresearch.sampling.replication import replicate
from cbresearch.study import Index, Study

DRAWS, TOP = 1_000, 3
ALIKE = Text(
    "综合指数的一项指标在各社区完全相同，无法区分社区。",
    "One of the measures of the index is the same in every community and tells none from another.",
)
SE = "__se"
"""Ending of the column with a measure's standard errors."""
NO_INDEX = Text("研究没有定义综合指数。", "The study defines no index.")
TOO_FEW = Text(
    "有完整数据的社区不足三个，无法计算综合指数。",
    "Fewer than three communities have all that the index is made of.",
)

WEIGHTING: dict[Weights, Text] = {
    "expert": Text("专家权重", "experts' weights"),
    "ahp": Text("层次分析法", "AHP"),
    "equal": Text("等权", "equal weights"),
    "entropy": Text("熵权", "entropy weights"),
    "pca": Text("主成分权重", "principal-component weights"),
}


def index_by_area(study: Study, wave: int = 0) -> Told:
    """The rank of each community by the study's index (1 the best), then its score (0-100).

    Group: wave, area. A rank's interval goes over methods and sampling, a score's over sampling alone.
    Communities whose figures are held back have neither.
    """
    asked = _asked(study, wave)
    if isinstance(asked, Unanswered):
        return untold(asked)
    (told, frame), chosen = asked, chosen_wave(study, wave)
    found = _doubt(study, told, frame, chosen)
    ordered = sorted(found.areas, key=lambda one: one.rank)
    n = len(ordered)
    ranks = [
        _fact(study, chosen, one.area, "rank", (one.rank, one.rank_low, one.rank_high), n) for one in ordered
    ]
    scores = [
        _fact(study, chosen, one.area, "index points", (one.score, one.score_low, one.score_high), n)
        for one in ordered
    ]
    return Told(release_facts([*ranks, *scores]), found.sentence)


def in_unit(found: Sequence[Released] | Unanswered, unit: str) -> list[Released] | Unanswered:
    """The ranks ("rank") or the scores ("index points") among both."""
    return found if isinstance(found, Unanswered) else [record for record in found if record.unit == unit]


def weights_of_index(study: Study, wave: int = 0) -> Told:
    """How much each measure counts by every way of weighing that the data allow, in percent; measure: the measure.

    Group: wave, ("weighting", "expert" | "ahp" | "equal" | "entropy" | "pca"). The sentence tells who comes first by
    each, whether the experts' comparisons are consistent, and which way cannot be had.
    """
    asked = _asked(study, wave)
    if isinstance(asked, Unanswered):
        return untold(asked)
    (told, frame), chosen = asked, chosen_wave(study, wave)
    ways: list[Weights] = ["equal", "entropy", "pca"]
    ways = [*(["expert"] if told.weights else []), *(["ahp"] if told.comparisons else []), *ways]  # type: ignore[list-item]
    made: dict[Weights, Made] = {}
    without: list[Weights] = []
    for way in ways:
        try:
            made[way] = composite_index(
                frame, _indicators(told), area=study.area or "", weights=way, pairwise=_comparisons(told)
            )
        except EstimateError:
            without.append(way)
    facts = [
        fact(one.column, 100 * one.weight, "percent", (("wave", str(chosen)), ("weighting", way)), n=len(frame), method=way)
        for way, found in made.items()
        for one in found.weights
    ]  # fmt: skip
    return Told(release_facts(facts), joined(_firsts(study, made, without)))


def _asked(study: Study, wave: int) -> tuple[Index, pd.DataFrame] | Unanswered:
    """The study's index with a row per community that has all it is made of; or why there is none."""
    if not study.file.indices:
        return unanswered("index", NO_INDEX)
    if study.area is None:
        return unanswered("index", NO_AREA)
    told = study.file.indices[0]
    frame = _by_area(study, told, chosen_wave(study, wave))
    if len(frame) < 3:
        return unanswered("index", TOO_FEW)
    return (told, frame) if (frame[list(told.measures)].nunique() > 1).all() else unanswered("index", ALIKE)


def _indicators(told: Index) -> list[Indicator]:
    weights = told.weights or (1.0,) * len(told.measures)
    return [Indicator(column, weight=weight) for column, weight in zip(told.measures, weights, strict=True)]


def _comparisons(told: Index) -> pd.DataFrame | None:
    """The experts' comparisons as a square; what is below the diagonal follows from what is above."""
    if not told.comparisons:
        return None
    k = len(told.measures)
    square = np.full((k, k), np.nan)
    np.fill_diagonal(square, 1.0)
    for i, row in enumerate(told.comparisons):
        square[i, i + 1 :] = row
    return pd.DataFrame(square, index=list(told.measures), columns=list(told.measures))


def _firsts(study: Study, made: Mapping[Weights, Made], without: Sequence[Weights]) -> list[Text]:
    """Whether the same community comes first whatever the weights."""
    area, said = study.area or "", []
    first = {way: next(one.area for one in found.areas if one.rank == 1) for way, found in made.items()}
    if len(set(first.values())) == 1:
        name = study.answer(area, next(iter(first.values())))
        said.append(Text(f"无论用哪一种权重，{name.zh}都排在第一。", f"Whichever weights are taken, {name.en} comes first."))  # fmt: skip
    else:
        by_area = {one: [WEIGHTING[way] for way, other in first.items() if other == one] for one in dict.fromkeys(first.values())}  # fmt: skip
        zh = "；".join(f"{study.answer(area, one).zh}（{listed(ways).zh}）" for one, ways in by_area.items())
        en = "; ".join(f"{study.answer(area, one).en} ({listed(ways).en})" for one, ways in by_area.items())
        said.append(
            Text(f"权重不同，排第一的社区也不同：{zh}。", f"Who comes first depends on the weights: {en}.")
        )
    if "ahp" in made and (compared := made["ahp"].ahp) is not None:
        said.append(consistency(compared))
    for way in without:
        said.append(Text(f"这些数据得不到{WEIGHTING[way].zh}：有的指标与其余指标方向相反。", f"There are no {WEIGHTING[way].en} here: a measure points against the rest."))  # fmt: skip
    return said


def _fact(
    study: Study, wave: int, area: str, unit: str, told: tuple[float, float, float], n: int
) -> Estimate:  # fmt: skip
    """`n` communities stand in the index."""
    value, low, high = told
    group = (("wave", str(wave)), (study.area or "", area))
    return replace(
        fact(study.file.indices[0].name, float(value), unit, group, n=n, method="index"),
        low=float(low),
        high=float(high),
    )


def _doubt(study: Study, told: Index, frame: pd.DataFrame, wave: int) -> IndexDoubt:
    area, weights = (
        study.area or "",
        [*(["expert"] if told.weights else []), *(["ahp"] if told.comparisons else [])],
    )
    choices = Choices(weights=(*weights, "equal"))  # type: ignore[arg-type]
    names = {code: study.answer(area, code) for code in frame[area]}
    return index_uncertainty(
        frame, _indicators(told), _redrawn(study, told, frame, wave), area=area, choices=choices,
        pairwise=_comparisons(told), top=min(TOP, len(frame) - 1), names=names,
    )  # fmt: skip


def _redrawn(study: Study, told: Index, frame: pd.DataFrame, wave: int) -> Floats:
    """The table as it might have come out: residents drawn anew, so that errors of measures they share go together.

    Where that cannot be (a cluster stands alone in its stratum, or some draw meets nobody of a community), normal
    errors that know nothing of each other.
    """
    area, seed = study.area or "", study.file.study.seed
    se = {column: column + SE for column in told.measures if column + SE in frame.columns}
    if not se:
        # nothing was sampled, so that the choice of method is all the doubt there is
        frame, se = frame.assign(**{SE: 0.0}), {told.measures[0]: SE}
        return normal_redraws(frame, _indicators(told), area=area, se=se, draws=DRAWS, seed=seed)
    residents = sampled_residents(study)
    own = residents[residents["wave"] == wave].reset_index(drop=True)
    try:
        made = replicate(own, sampling_design(study), "bootstrap", draws=DRAWS, seed=seed)
        tables = _replicated(own, area, list(se), frame, made)
        found = replicate_redraws(frame, _indicators(told), lambda _: next(tables), area=area, draws=DRAWS)
    except EstimateError:
        found = np.full(0, np.nan)
    # a community of which some draw met nobody has no mean there
    if found.size and np.isfinite(found).all():
        return found
    return normal_redraws(frame, _indicators(told), area=area, se=se, draws=DRAWS, seed=seed)


def _replicated(
    own: pd.DataFrame, area: str, columns: Sequence[str], frame: pd.DataFrame, made: Replicates
) -> Iterator[dict[str, Floats]]:
    """Every replicate's means in the place of the sample's."""
    place = pd.Index(frame[area]).get_indexer(pd.Index(own[area].astype(str)))
    values = [numbers(own, column) for column in columns]
    for r in range(len(made.scales)):
        weights = made.replicate(r)
        means = {
            column: _means(y, weights, place, len(frame)) for column, y in zip(columns, values, strict=True)
        }
        yield means


def _means(values: Floats, weights: Floats, place: Ints, areas: int) -> Floats:
    there = np.isfinite(values) & (place >= 0)
    sums = np.bincount(place[there], weights=(weights * values)[there], minlength=areas)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / np.bincount(place[there], weights=weights[there], minlength=areas))


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
