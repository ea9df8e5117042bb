"""What the next survey could see, were it as large as this one, or larger."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cbresearch.estimate.planning import Survey, communities_needed, plans
from cbresearch.estimate.questions.common import (
    NO_AREA,
    NO_OUTCOME,
    UNKNOWN,
    Told,
    chosen_wave,
    headline,
    sampled_residents,
    unanswered,
    unit_of,
    untold,
)
from cbresearch.estimate.release import fact, release_facts
from cbresearch.measure.agreement import agreement
from cbresearch.records import Text
from cbresearch.study import Study

TIMES_RESIDENTS, TIMES_COMMUNITIES = (1, 2, 4), (1, 2)
TOO_FEW = Text(
    "社区太少，无法规划下一次调查。", "There are too few communities to plan the next survey from."
)


def next_survey(study: Study, wave: int = 0) -> Told:
    """The smallest difference between two halves of communities that would be seen four times in five, in the headline's unit.

    Group: ("communities", …), ("residents", per community). From this wave's spread and likeness within communities.
    """
    outcome = headline(study)
    if study.area is None or not outcome:
        return untold(unanswered("next_survey", NO_OUTCOME if study.area else NO_AREA))
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    here = frame[(frame["wave"] == chosen) & (frame[study.area] != UNKNOWN) & frame[outcome].notna()]
    sizes = here.groupby(study.area, observed=True).size().to_numpy(dtype=float)
    if len(sizes) < 5 or sizes.mean() < 2:
        return untold(unanswered("next_survey", TOO_FEW))
    icc = max(agreement(here, outcome, study.area).icc1, 0.0)
    sd = float(np.std(here[outcome].astype(float), ddof=1))
    residents = round(float(sizes.mean()))
    base = Survey(len(sizes), residents, icc, size_cv=float(sizes.std() / sizes.mean()))
    table = plans(
        base,
        [k * base.communities for k in TIMES_COMMUNITIES],
        [float(k * residents) for k in TIMES_RESIDENTS],
    )
    facts = [
        replace(
            fact(
                outcome, sd * smallest, unit_of(study, outcome),
                (("communities", str(count)), ("residents", f"{each:g}")), n=int(whole), method="80 % power",
            ),
            psus=int(count),
        )
        for count, each, whole, smallest in zip(
            table["communities"], table["residents_per_community"], table["residents"],
            table["smallest_detectable_sd"], strict=True,
        )
    ]  # fmt: skip
    return Told(release_facts(facts), _sentence(base, sd))


def _sentence(base: Survey, sd: float) -> Text:
    wanted = 5.0 / sd
    needed = communities_needed(base, wanted)
    return Text(
        f"同一社区内居民回答的相似程度（ICC）为{base.icc:.2f}：多问居民不如多几个社区。要有八成把握看出5分的差别，每社区{base.residents_per_community:.0f}人时需要{needed}个社区。",
        f"Residents of a community answer alike (ICC {base.icc:.2f}): more communities help more than more residents. To see a difference of 5 points "
        f"four times in five takes {needed} communities of {base.residents_per_community:.0f} residents.",
    )
