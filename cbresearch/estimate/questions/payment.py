"""What residents could pay for services, what they would, and who they are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from cbresearch.estimate.questions.beyond_chance import NO_GROUPS, Tests, dividing, released_tests
from cbresearch.estimate.questions.common import (
    ONE_WAVE,
    as_listed,
    asked,
    chosen_wave,
    gate,
    in_percent,
    sampled_residents,
    sampling_design,
    unanswered,
)
from cbresearch.estimate.release import NO_DOUBT, release
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.crosstab import crosstab
from cbresearch.sampling.descriptive import contrast, share_by
from cbresearch.sampling.design import numbers
from cbresearch.sampling.domains import Group
from cbresearch.sampling.quantiles import quantile_by
from cbresearch.sampling.ratios import ratio_by
from cbresearch.study import Study

PAYING, WOULD_PAY, RATIO = "paying", "would_pay_something", "would_of_could"
STATES = ("could_not", "would_not", "would")
"""Answers of `PAYING`: could pay nothing; could pay and would not; would pay something."""
NO_PAYMENT = Text(
    "问卷没有先问能付多少、再向能付的人问愿付多少，无法比较付费能力和付费意愿。",
    "The questionnaire does not ask what residents could pay and then, of those who could, what they would; the two cannot be compared.",
)
BEYOND = Text(
    "不公布：误差范围超出了居民报出的数，给不出区间。",
    "Held back: the interval reaches beyond the amounts that were named.",
)


def free_or_paid(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The percent who could pay nothing, could and would not, would pay something; group: wave, ("answer", …)."""
    payers = _payers(study, wave)
    if isinstance(payers, Unanswered):
        return payers
    found = share_by(
        payers.frame, PAYING, "wave", sampling_design(study), STATES, where=payers.in_wave, interval="korn-graubard"
    )  # fmt: skip
    return release(in_percent(found), gate(study))


def would_pay_by_group(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The percent who would pay something in each answer of each group question, then of everybody."""
    payers = _payers(study, wave)
    if isinstance(payers, Unanswered):
        return payers
    return _by_group(study, payers, lambda by: _would_pay(study, payers.frame, by, payers.in_wave))


def tests_of_paying(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """Rao and Scott's F that `free_or_paid` does not go with a group question, p_adjusted by Holm; group: wave, test."""
    payers = _payers(study, wave)
    if isinstance(payers, Unanswered):
        return payers
    names = dividing(study, payers.frame, PAYING, payers.wave)
    if not names:
        return unanswered("tests_of_paying", NO_GROUPS)
    design = sampling_design(study)
    tables = {n: crosstab(payers.frame, n, PAYING, design, where=payers.in_wave) for n in names}
    people = {name: table.n for name, table in tables.items()}
    return released_tests(study, [Tests("paying", dict(tables))], people, payers.wave)


def could_by_group(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The median of what residents could pay, among those who could pay something, by group question, then of all.

    Group: wave, the question with its answer, ("median", "payers").
    """
    payers = _payers(study, wave)
    if isinstance(payers, Unanswered):
        return payers
    return _by_group(study, payers, lambda by: _medians(study, payers, payers.could, by, payers.in_wave))


def would_by_group(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The median of what residents would pay, as `could_by_group`: who would pay nothing counts as 0."""
    payers = _payers(study, wave)
    if isinstance(payers, Unanswered):
        return payers
    return _by_group(study, payers, lambda by: _medians(study, payers, payers.would, by, payers.in_wave))


def ratio_by_group(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """All that residents would pay in percent of all that they could, by group question, then of everybody."""
    payers = _payers(study, wave)
    if isinstance(payers, Unanswered):
        return payers
    return _by_group(study, payers, lambda by: _ratios(study, payers, by, payers.in_wave))


def payment_by_wave(study: Study) -> list[Released] | Unanswered:
    """Who would pay something, both medians, and their ratio, in each wave that asked."""
    payers = _payers(study, 0)
    if isinstance(payers, Unanswered):
        return payers
    ever, by = pd.Series(True, index=payers.frame.index), ["wave"]
    found = [
        *_would_pay(study, payers.frame, by, ever),
        *_ratios(study, payers, by, ever),
        *_medians(study, payers, payers.could, by, ever),
        *_medians(study, payers, payers.would, by, ever),
    ]
    return _released(study, [estimate for estimate in found if estimate.n])


def change_in_paying(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """By how many percentage points more residents would pay something than in the first wave that asked."""
    payers = _payers(study, wave)
    if isinstance(payers, Unanswered):
        return payers
    first = min(w for w in study.waves if asked((WOULD_PAY,), payers.frame, w))
    if first >= payers.wave:
        return unanswered("change_in_paying", ONE_WAVE)
    group = (("wave", str(payers.wave)), ("since", str(first)))
    found = contrast(
        payers.frame, WOULD_PAY, sampling_design(study), first=payers.in_wave,
        second=payers.frame["wave"] == first, unit="percentage points", group=group,
    )  # fmt: skip
    return release([_times_100(found)], gate(study))


@dataclass(frozen=True, slots=True, eq=False)
class _Payers:
    """The sample with amounts kept only of those who could pay something, and whether each would."""

    frame: pd.DataFrame
    wave: int
    could: str
    would: str

    @property
    def in_wave(self) -> pd.Series:
        return self.frame["wave"] == self.wave


def _payers(study: Study, wave: int) -> _Payers | Unanswered:
    chosen, frame, pair = chosen_wave(study, wave), sampled_residents(study), _could_and_would(study)
    if pair is None or len(asked(pair, frame, chosen)) < 2:
        return unanswered("payment", NO_PAYMENT)
    could, would = (numbers(frame, name) for name in pair)
    can = could > 0
    states = np.select([could == 0, can & (would == 0), can & (would > 0)], STATES, default="")
    paying = pd.Series(states, index=frame.index, dtype="string").replace("", pd.NA)
    would_pay = np.where(paying.isna(), np.nan, states == "would")
    amounts = {pair[0]: np.where(can, could, np.nan), pair[1]: np.where(can, would, np.nan)}
    return _Payers(
        frame.assign(**amounts).assign(**{PAYING: paying}).assign(**{WOULD_PAY: would_pay}), chosen, *pair
    )


def _could_and_would(study: Study) -> tuple[str, str] | None:
    """The two questions of payment: the second is asked of those whom the first says could pay."""
    items = study.codebook.with_role("payment")
    found = [
        (could.name, would.name)
        for would in items
        for could in items
        if would.relevant and f"${{{could.name}}}" in would.relevant
    ]
    return found[0] if found else None


def _would_pay(study: Study, frame: pd.DataFrame, by: Sequence[str], where: pd.Series) -> list[Estimate]:
    found = share_by(frame, WOULD_PAY, by, sampling_design(study), [1], where=where, interval="korn-graubard")
    return [replace(one, group=_unmarked(one.group)) for one in in_percent(found)]


def _unmarked(group: Group) -> Group:
    return tuple(part for part in group if part[0] != "answer")


def _medians(
    study: Study, payers: _Payers, column: str, by: Sequence[str], where: pd.Series
) -> list[Estimate]:
    # a column's name carries its unit
    unit = "yuan" if "yuan" in column.split("_") else "amount"
    design = sampling_design(study)
    found = quantile_by(payers.frame, column, 0.5, by, design, rule="school", where=where, unit=unit)
    return _of_payers("median", found)


def _ratios(study: Study, payers: _Payers, by: Sequence[str], where: pd.Series) -> list[Estimate]:
    found = ratio_by(payers.frame, payers.would, payers.could, by, sampling_design(study), where=where)
    return _of_payers(
        "among",
        (replace(_times_100(one), measure=RATIO, unit="percent of a sum") for one in found),
    )


def _times_100(one: Estimate) -> Estimate:
    return replace(one, value=100 * one.value, se=100 * one.se, low=100 * one.low, high=100 * one.high)


def _of_payers(what: str, estimates: Iterable[Estimate]) -> list[Estimate]:
    return [replace(one, group=(*one.group, (what, "payers"))) for one in estimates]


def _by_group(
    study: Study, payers: _Payers, estimated: Callable[[Sequence[str]], list[Estimate]]
) -> list[Released]:
    """Each answer of each group question, in the order of the codebook, then everybody."""
    names = [question.name for question in study.codebook.with_role("group")]
    there = asked(names, payers.frame, payers.wave)
    found = [one for name in there for one in as_listed(study, name, estimated(["wave", name]))]
    return _released(study, [*found, *estimated(["wave"])])


def _released(study: Study, estimates: Sequence[Estimate]) -> list[Released]:
    """As the gate rules; a limit that no answer reaches has another reason than too few sampled units."""
    return [
        replace(record, reason=BEYOND) if record.reason == NO_DOUBT and estimate.df > 0 else record
        for estimate, record in zip(estimates, release(estimates, gate(study)), strict=True)
    ]
