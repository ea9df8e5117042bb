"""How far off the headline may be: its standard error reckoned in several ways, side by side."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.precision import PUBLISHED
from cbresearch.estimate.questions.common import (
    NO_OUTCOME,
    chosen_wave,
    gate,
    headline,
    sampled_residents,
    sampling_design,
    unanswered,
    unit_of,
)
from cbresearch.estimate.release import fact, release, ruled
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.calibrate import calibrate, post_stratify, rake
from cbresearch.sampling.descriptive import design_effect, mean
from cbresearch.sampling.design import numbers
from cbresearch.sampling.domains import Group
from cbresearch.sampling.margins import Margins
from cbresearch.sampling.replication import Kind, replicate
from cbresearch.study import Study

STANDARD_ERROR, DESIGN_EFFECT = "standard_error", "design_effect"
NO_REPLICATES = Text(
    "不公布：抽样单位太多或太少，不能逐一去掉重算。",
    "Held back: too many sampled units, or too few, to be left out in turn.",
)


def doubt_of_headline(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The headline's mean in a wave, its standard error and design effect, by each way of reckoning.

    Measures: the headline, "standard_error", "design_effect"; group: wave, ("reckoned", …): "selection" (weights
    that know nothing of the population), "taylor" (as reports have it), "jackknife" (JKn), "bootstrap",
    "half_samples" (BRR, the PSUs of each stratum put into two halves),
    "calibrated" (Taylor that knows what raking to the margins fixes), "linear" (linear calibration to the margins known for everybody),
    "poststratified" (selection weights set to the people of each community). Without selection weights, margins or
    counts there is nothing to reckon by them, and they are left out; what cannot be had is held back with the reason.
    """
    column = headline(study)
    if not column:
        return unanswered("doubt_of_headline", NO_OUTCOME)
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    own = frame[frame["wave"] == chosen].reset_index(drop=True)
    if not own[column].notna().any():
        return unanswered("doubt_of_headline", NO_OUTCOME)
    taylor, plain = (
        mean(own, column, sampling_design(study)),
        design_effect(own, column, sampling_design(study)),
    )
    found: list[Released] = []
    for name, estimate in _reckoned(study, own, column):
        group = (("wave", str(chosen)), ("reckoned", name))
        found += _told(study, estimate, taylor, plain, group) if estimate else _untold(study, column, group)
    return found


def _told(study: Study, estimate: Estimate, taylor: Estimate, plain: float, group: Group) -> list[Released]:
    """The mean as the gate rules on it; what is told of its doubt goes with it."""
    named = replace(estimate, unit=unit_of(study, estimate.measure), group=group)
    (released,) = release([named], gate(study))
    ruling = (released.status, released.reason) if released.status == "held back" else PUBLISHED
    effect = plain * (estimate.se / taylor.se) ** 2 if taylor.se > 0 else math.nan
    about = _about(study, estimate.measure, estimate.se, effect, group)
    return [released, *(ruled(replace(one, n=estimate.n, method=estimate.method), ruling) for one in about)]


def _untold(study: Study, column: str, group: Group) -> list[Released]:
    nothing = fact(column, math.nan, unit_of(study, column), group)
    about = _about(study, column, math.nan, math.nan, group)
    return [ruled(one, ("held back", NO_REPLICATES)) for one in (nothing, *about)]


def _about(study: Study, column: str, se: float, effect: float, group: Group) -> list[Estimate]:
    unit = unit_of(study, column)
    # one decimal of a point is enough for a mean, and hides what standard errors differ by
    finely = "fine points" if unit == "points" else unit
    return [fact(STANDARD_ERROR, se, finely, group), fact(DESIGN_EFFECT, effect, "ratio", group)]


def _reckoned(study: Study, own: pd.DataFrame, column: str) -> Iterator[tuple[str, Estimate | None]]:
    """The headline by each way that the study's weights allow; None where replicates cannot be had."""
    design, margins = sampling_design(study), study.design.margins
    if study.design.weight is not None and "weight_base" in own.columns:
        yield "selection", mean(own, column, replace(design, weights="weight_base"))
    yield "taylor", mean(own, column, design)
    yield "jackknife", _replicated(study, own, column, "JKn")
    yield "bootstrap", _replicated(study, own, column, "bootstrap")
    yield "half_samples", _by_half_samples(study, own, column)
    if margins and "weight_nonresponse" in own.columns:
        # the weights that the build made, raked again by an estimator that knows what the margins fix
        before = replace(design, weights="weight_nonresponse")
        yield "calibrated", rake(own, before, margins, ceiling=study.design.trim).mean(own, column)
        if known := _known_of_all(own, margins):
            yield "linear", calibrate(own, before, known, {}).mean(own, column)
    counts = _counts(study, own)
    if counts is not None and "weight_base" in own.columns:
        selection = replace(design, weights="weight_base")
        yield "poststratified", post_stratify(own, selection, str(study.area), counts).mean(own, column)


def _known_of_all(own: pd.DataFrame, margins: Margins) -> Margins:
    """The margins that linear calibration can take: those whose code is known for every resident."""
    return {name: told for name, told in margins.items() if own[name].notna().all()}


def _counts(study: Study, own: pd.DataFrame) -> dict[str, float] | None:
    """The people of each community in this wave, where the ledger counts them for every community that answered."""
    told, area = study.design.frame_counts, study.area
    if told is None or told.column is None or area is None or told.by != area:
        return None
    ledger = study.communities()
    if told.column not in ledger.columns:
        return None
    here = ledger[ledger["wave"].isin(own["wave"].unique())]
    counts = dict(zip(here[area].astype(str), numbers(here, told.column), strict=True))
    answered = set(own[area].astype(str))
    return {code: float(counts[code]) for code in answered} if answered <= counts.keys() else None


def _replicated(study: Study, own: pd.DataFrame, column: str, kind: Kind) -> Estimate | None:
    # replicates know a stratum that one PSU stands for alone only as certain to be drawn
    design = replace(sampling_design(study), lonely="certainty")
    try:
        return replicate(own, design, kind, seed=study.file.study.seed).mean(own, column)
    except EstimateError:
        return None


def _by_half_samples(study: Study, own: pd.DataFrame, column: str) -> Estimate | None:
    """By BRR with the PSUs of each stratum put into two halves, turn by turn (grouped BRR; Rao and Shao 1996).

    None where a stratum holds a single PSU, or the design names none.
    """
    design = sampling_design(study)
    strata, units = list(design.strata_columns), list(design.psu_columns[:1])
    if not units:
        return None
    drawn = own[[*strata, *units]].drop_duplicates().sort_values([*strata, *units])
    turn = drawn.groupby(strata).cumcount() if strata else pd.Series(range(len(drawn)), index=drawn.index)
    halves = own[[*strata, *units]].merge(drawn.assign(half=turn % 2), on=[*strata, *units], how="left")
    try:
        made = replicate(
            own.assign(half=halves["half"].to_numpy()), replace(design, psu="half", fpc=None), "BRR"
        )
        return made.mean(own.assign(half=halves["half"].to_numpy()), column)
    except EstimateError:
        return None
