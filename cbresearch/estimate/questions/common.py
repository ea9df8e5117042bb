"""What every question to a study shares: its sample, its outcome items, its units."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError, nearest
from cbresearch.estimate.disclosure import Cell
from cbresearch.estimate.precision import precision_named
from cbresearch.estimate.release import Rules
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.design import Design
from cbresearch.sampling.domains import Group, as_code
from cbresearch.study import POINTS, Study, outcome_column

UNKNOWN = "?"
"""Stands for a stratum, cluster or area that a row does not name; such rows stay in the design."""
NO_AREA = Text(
    "研究没有社区这一栏，无法分社区说明。",
    "The study names no communities, so nothing can be said by community.",
)
NO_OUTCOME = Text("编码本没有结果题目。", "The codebook names no outcome question.")
NO_LEDGER = Text("研究没有社区台账。", "The study has no ledger of communities.")
ONE_WAVE = Text(
    "研究只有一轮调查，无法比较前后变化。", "The study has a single wave, so there is no change to see."
)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer as released numbers and as a sentence; both are Unanswered where the data cannot give it."""

    released: list[Released] | Unanswered
    sentence: Text | Unanswered


def untold(why: Unanswered) -> Told:
    return Told(why, why)


def joined(texts: Iterable[Text]) -> Text:
    """Sentences one after the other."""
    listed = list(texts)
    return Text("".join(one.zh for one in listed), " ".join(one.en for one in listed))


def sampling_design(study: Study) -> Design:
    """How residents were sampled: strata of each wave apart, since every wave is a sample of its own.

    A stratum that one PSU stands for alone is centred on the mean PSU, which errs on the wide side.
    """
    strata = ("wave", *study.design.strata)
    return Design(weights="weight", psu=study.design.cluster, strata=strata, lonely="centre")


def sampled_residents(study: Study) -> pd.DataFrame:
    """The residents of all waves, each with a place in the design: '?' where stratum, cluster or area is missing."""
    frame = study.residents()
    named = [study.area, study.design.cluster, *study.design.strata]
    columns = [c for c in dict.fromkeys(named) if c is not None and c in frame.columns]
    filled = {c: frame[c].astype("string").fillna(UNKNOWN) for c in columns}
    return frame.assign(**filled)


def chosen_wave(study: Study, wave: int) -> int:
    """The wave asked for, the last one for 0; EstimateError for a wave that the study lacks."""
    if wave and wave not in study.waves:
        raise EstimateError(
            f"No wave {wave}; the study has {', '.join(map(str, study.waves))}. 0 means the last."
        )
    return wave or max(study.waves)


def chosen_area(study: Study, frame: pd.DataFrame, area: str) -> str:
    """The area asked for, as the data write it; EstimateError with the nearest name for an unknown one."""
    codes = [] if study.area is None else sorted(set(frame[study.area].dropna().astype(str)) - {UNKNOWN})
    if area in codes:
        return area
    near = nearest(area, codes)
    hint = f" Did you mean '{near}'?" if near else ""
    raise EstimateError(f"No area '{area}' among the {len(codes)} of '{study.area}'.{hint}")


def outcome_columns(study: Study) -> list[str]:
    """The columns of residents that hold the outcome items, in the study's unit, numbers only."""
    return [
        study.measured(q)
        for q in study.codebook.with_role("outcome")
        if q.is_rated or q.type in {"integer", "decimal"}
    ]


def headline_column(study: Study) -> str | None:
    """The outcome that study.toml names as its headline, else the first outcome item, else None."""
    named = study.file.reporting.headline
    return outcome_column(study, named) if named else next(iter(outcome_columns(study)), None)


def headline(study: Study) -> str:
    """The column that stands for satisfaction as a whole; "" where the codebook names no outcome."""
    return headline_column(study) or ""


def unit_of(study: Study, column: str) -> str:
    """The unit code of a measure: "points", an indicator's own name, or "as asked"."""
    if column in study.indicators:
        return column
    return "points" if column.endswith(POINTS) else "as asked"


def asked(columns: Iterable[str], frame: pd.DataFrame, wave: int | None = None) -> list[str]:
    """Those columns that anybody answered (in that wave), so that an item asked later is no gap before."""
    rows = frame if wave is None else frame[frame["wave"] == wave]
    return [column for column in columns if column in rows.columns and rows[column].notna().any()]


def in_percent(estimates: Sequence[Estimate]) -> list[Estimate]:
    """Shares from 0-1 to 0-100."""
    return [
        replace(e, value=e.value * 100, se=e.se * 100, low=e.low * 100, high=e.high * 100, unit="percent")
        for e in estimates
    ]


def gate(study: Study) -> Rules:
    """What the study asks of a figure before anybody may see it."""
    disclosure = study.file.disclosure
    return Rules(disclosure.minimum_cell, disclosure.most_dominant, precision_named(disclosure.precision))


def linked(study: Study, frame: pd.DataFrame, columns: Iterable[str]) -> list[Cell]:
    """How many answered each column, by wave, by community and by every group question: all tables of a study's reports.

    Whatever page is being made, its figures are ruled on beside these, since a reader may have them all.
    """
    there = [column for column in dict.fromkeys(columns) if column in frame.columns]
    answered = frame[there].notna().to_numpy()
    wave, waves = pd.factorize(frame["wave"], sort=True)
    cells = _counted(there, answered, wave, [(("wave", as_code(one)),) for one in waves])
    for name in _splits(study, frame):
        code, codes = pd.factorize(frame[name], sort=True)
        groups = [(("wave", as_code(w)), (name, as_code(c))) for w in waves for c in codes]
        both = np.where((wave >= 0) & (code >= 0), wave * len(codes) + code, -1)
        cells += _counted(there, answered, both, groups)
    return cells


def _counted(
    columns: Sequence[str], answered: NDArray[np.bool_], place: NDArray[np.intp], groups: Sequence[Group]
) -> list[Cell]:
    """How many of each group answered each column; `place` is a row's group, -1 for none."""
    known = place >= 0
    counts = np.array([np.bincount(place[known & one], minlength=len(groups)) for one in answered.T])
    return [
        Cell(column, group, int(n))
        for i, group in enumerate(groups)
        if UNKNOWN not in dict(group).values()
        for column, n in zip(columns, counts[:, i], strict=True)
        if n
    ]


def _splits(study: Study, frame: pd.DataFrame) -> list[str]:
    asked_of = [study.area, *(question.name for question in study.codebook.with_role("group"))]
    return [name for name in asked_of if name is not None and name in frame.columns]


def as_listed(study: Study, question: str, estimates: Sequence[Estimate]) -> list[Estimate]:
    """Groups in the order of the question's choices, any that it does not list last."""
    place = {choice.code: i for i, choice in enumerate(study.codebook.choices_of(question))}
    return sorted(estimates, key=lambda estimate: place.get(dict(estimate.group)[question], len(place)))


def unanswered(question: str, reason: Text) -> Unanswered:
    return Unanswered(question, reason)
