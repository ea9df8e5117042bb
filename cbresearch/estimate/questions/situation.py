"""What there is: staff, money, volunteers, facilities, from the ledgers, for the district or by community."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from cbresearch.errors import EstimateError, nearest
from cbresearch.estimate.questions.common import NO_AREA, NO_LEDGER, as_listed, chosen_wave, unanswered
from cbresearch.estimate.release import fact, release_facts
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.domains import Group
from cbresearch.study import Indicator, Study

HOUSEHOLDS = "households"
NO_HOUSEHOLDS = Text(
    "台账没有户数，无法计算每千户设施。",
    "The ledger has no households, so nothing can be had per 1,000 of them.",
)
NO_FACILITIES = Text("研究没有设施登记。", "The study has no register of facilities.")


def indicators_in(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """Every indicator for the whole district: the sum over communities, per the sum of its divisor.

    In the last wave an indicator that a report published carries ("published", its figure) and
    ("agrees", "yes" | "no") in its group. A sum that a community's gap would make too small is held back.
    """
    chosen, frame = chosen_wave(study, wave), study.communities()
    if frame.empty:
        return unanswered("indicators_in", NO_LEDGER)
    facts = [district(study, indicator, frame, chosen) for indicator in study.indicators.values()]
    if chosen == max(study.waves):
        facts = [_against_published(study.indicators[one.measure], one) for one in facts]
    return release_facts(facts)


def indicators_by_area(study: Study, names: Sequence[str], wave: int = 0) -> list[Released] | Unanswered:
    """Some indicators in each community, then for the district as a whole (no area in its group)."""
    chosen, frame = chosen_wave(study, wave), study.communities()
    if study.area is None:
        return unanswered("indicators_by_area", NO_AREA)
    if frame.empty or not names:
        return unanswered("indicators_by_area", NO_LEDGER)
    found: list[Estimate] = []
    for name in names:
        indicator = known_indicator(study, name)
        rows = _rows(frame[frame["wave"] == chosen])
        found += as_listed(study, study.area, [of_area(study, name, row, chosen) for row in rows])
        found.append(district(study, indicator, frame, chosen))
    return release_facts(found)


def indicator_by_wave(study: Study, name: str) -> list[Released] | Unanswered:
    """One indicator for the district in each wave."""
    indicator, frame = known_indicator(study, name), study.communities()
    if frame.empty:
        return unanswered("indicator_by_wave", NO_LEDGER)
    return release_facts(district(study, indicator, frame, wave) for wave in sorted(study.waves))


def drivers(study: Study) -> list[str]:
    """The indicators whose effect the study asks about; none where it asks about none."""
    return list(dict.fromkeys(question.cause for question in study.file.questions))


def uneven(study: Study, wave: int = 0) -> list[str]:
    """Indicators counted per something that differ between the communities of a wave, most uneven first.

    Unevenness is the coefficient of variation over communities; one that is the same everywhere, or
    known for fewer than two communities, is left out. Empty without a ledger.
    """
    frame, chosen = study.communities(), chosen_wave(study, wave)
    rates = [name for name, one in study.indicators.items() if one.per and name in frame.columns]
    there = frame.loc[frame["wave"] == chosen, rates].astype("float64")
    variation = (there.std() / there.mean().abs()).where(there.std() > 0).dropna()
    return [str(name) for name in variation.sort_values(ascending=False).index]


def inputs(study: Study, wave: int = 0) -> list[str]:
    """The causes that the study asks about; where it asks about none, the most uneven figure."""
    return drivers(study) or uneven(study, wave)[:1]


def inputs_by_area(study: Study, wave: int = 0) -> list[list[Released] | Unanswered]:
    """One answer for each input: its figure in every community, then in the district."""
    names = inputs(study, wave)
    answers = [indicators_by_area(study, [name], wave) for name in names]
    return answers or [indicators_by_area(study, [], wave)]


def other_figures_by_area(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """The other figures that differ between communities, most uneven first, by community."""
    others = [name for name in uneven(study, wave) if name not in inputs(study, wave)]
    return indicators_by_area(study, others, wave)


def indicators_over_time(study: Study, names: Sequence[str]) -> list[Released] | Unanswered:
    """Some indicators for the district in each wave, one indicator after the other."""
    frame = study.communities()
    if frame.empty or not names:
        return unanswered("indicators_over_time", NO_LEDGER)
    known = [known_indicator(study, name) for name in names]
    return release_facts(district(study, one, frame, wave) for one in known for wave in sorted(study.waves))


def facilities_per_1000_households(study: Study, wave: int = 0) -> list[Released] | Unanswered:
    """Facilities of each kind per 1,000 households of the district; measure is the count's column."""
    chosen, frame = chosen_wave(study, wave), study.communities()
    counted = [
        f"{question.name}__{choice.code}"
        for question in study.codebook.of("facilities")
        for choice in study.codebook.choices_of(question.name)
    ]
    there = [column for column in counted if column in frame.columns]
    if frame.empty or not there:
        return unanswered("facilities_per_1000_households", NO_LEDGER if frame.empty else NO_FACILITIES)
    if HOUSEHOLDS not in frame.columns:
        return unanswered("facilities_per_1000_households", NO_HOUSEHOLDS)
    rows, group = frame[frame["wave"] == chosen], (("wave", str(chosen)),)
    return release_facts(
        fact(
            column,
            1000 * _ratio(rows, (column,), HOUSEHOLDS),
            "per 1,000 households",
            group,
            n=len(rows),
            method="ledger",
        )
        for column in there
    )


def district(study: Study, indicator: Indicator, frame: pd.DataFrame, wave: int) -> Estimate:
    """One indicator over all communities of a wave."""
    needed = dict.fromkeys([*indicator.sum_of, *([indicator.per] if indicator.per else [])])
    rows = frame.loc[frame["wave"] == wave, list(needed)]
    value = indicator.multiply * (
        _ratio(rows, indicator.sum_of, indicator.per) if indicator.per else _sum(rows, indicator.sum_of)
    )
    return fact(indicator.name, value, indicator.name, (("wave", str(wave)),), n=len(rows), method="ledger")


def of_area(study: Study, name: str, row: pd.Series, wave: int) -> Estimate:
    """One indicator of one community, as `cbresearch build` computed it."""
    assert study.area is not None
    group: Group = (("wave", str(wave)), (study.area, str(row[study.area])))
    value = math.nan if pd.isna(row[name]) else float(row[name])
    return fact(name, value, name, group, n=1, method="ledger")


def known_indicator(study: Study, name: str) -> Indicator:
    """The indicator of that name; EstimateError with the nearest name for an unknown one."""
    if name in study.indicators:
        return study.indicators[name]
    near = nearest(name, list(study.indicators))
    hint = f" Did you mean '{near}'?" if near else ""
    raise EstimateError(f"No indicator '{name}' in study.toml; it has {len(study.indicators)}.{hint}")


def agrees(indicator: Indicator, value: float) -> bool:
    """Whether a figure bears out the published one: equal at the digits printed, or above it where so said."""
    assert indicator.published is not None
    if indicator.published_as == "more than":
        return value > indicator.published
    _, _, decimals = f"{indicator.published:.10f}".rstrip("0").partition(".")
    return math.isclose(round(value, len(decimals)), indicator.published)


def _against_published(indicator: Indicator, one: Estimate) -> Estimate:
    if indicator.published is None:
        return one
    verdict = "yes" if agrees(indicator, one.value) else "no"
    return replace(one, group=(*one.group, ("published", f"{indicator.published:.10g}"), ("agrees", verdict)))


def _rows(frame: pd.DataFrame) -> list[pd.Series]:
    return [row for _, row in frame.iterrows()]


def _sum(rows: pd.DataFrame, columns: Sequence[str]) -> float:
    """NaN when any community has a gap: a sum without it would be too small."""
    cells = rows[list(columns)]
    return math.nan if cells.isna().any(axis=None) or rows.empty else float(cells.sum().sum())


def _ratio(rows: pd.DataFrame, above: Sequence[str], below: str) -> float:
    """Over the communities that know both."""
    known = rows.dropna(subset=[*above, below])
    divisor = float(known[below].sum())
    return float(known[list(above)].sum().sum()) / divisor if divisor else math.nan
