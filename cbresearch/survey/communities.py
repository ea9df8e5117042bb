"""A row per community and wave: ledgers, facilities, and the figures made of both."""

from __future__ import annotations

import pandas as pd

from cbresearch.codebook import Question
from cbresearch.study import EACH, OPENED, Indicator, Study, facility_columns
from cbresearch.survey.table import Table
from cbresearch.survey.typed import typed_places


def communities_by_wave(ledgers: list[Table], registers: list[Table], study: Study) -> pd.DataFrame:
    """Every ledger row with the facilities open by its wave and the study's indicators.

    Sorted by wave and area. Without a ledger: no rows, only the columns area and wave. Two ledgers
    of one wave are joined on the area, the first that tells a figure wins.
    """
    area = study.area
    if area is None or not ledgers:
        return pd.DataFrame(
            {**({area: pd.Series(dtype="string")} if area else {}), "wave": pd.Series(dtype="int64")}
        )
    rows = pd.concat(
        [typed_places(table, study).assign(wave=table.wave) for table in ledgers], ignore_index=True
    )
    rows = rows.groupby([area, "wave"], sort=False, as_index=False).first().astype({"wave": "int64"})
    rows = rows[[area, "wave", *(c for c in rows.columns if c not in {area, "wave"})]]
    rows = rows.join(_facilities(rows, registers, study)).assign(**{EACH: 1})
    indicators = {name: indicator_values(rows, indicator) for name, indicator in study.indicators.items()}
    return rows.assign(**indicators).sort_values(["wave", area], ignore_index=True)


def indicator_values(rows: pd.DataFrame, indicator: Indicator) -> pd.Series:
    """The sum of some columns, per another where named, times `multiply` (Float64).

    Missing where any part is missing, or where what it is counted per is missing or 0.
    """
    parts = [_column(rows, name) for name in indicator.sum_of]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    if indicator.per is not None:
        per = _column(rows, indicator.per)
        total = total / per.mask(per == 0)
    return total * indicator.multiply


def _column(rows: pd.DataFrame, name: str) -> pd.Series:
    return rows[name].astype("Float64") if name in rows else pd.Series(pd.NA, rows.index, dtype="Float64")


def _facilities(rows: pd.DataFrame, registers: list[Table], study: Study) -> pd.DataFrame:
    """Counts and sums of facilities, aligned with `rows`; missing where the study has no register."""
    area, questions = str(study.area), study.codebook.of("facilities")
    names = [name for question in questions for name in facility_columns(study, question)]
    if not registers:
        return pd.DataFrame({name: pd.Series(pd.NA, rows.index, dtype="Float64") for name in names})
    register = pd.concat([typed_places(table, study) for table in registers], ignore_index=True)
    by_wave = []
    for wave in rows["wave"].unique():
        counted = _counts(register[_open_by(register, int(wave), max(study.waves))], area, questions, study)
        there = rows.loc[rows["wave"] == wave, area]
        by_wave.append(counted.reindex(there.array).set_axis(there.index))
    # a community without a facility in a full register has none: 0 is known, not filled in
    found = pd.concat(by_wave).reindex(rows.index).fillna(0)
    return found.astype({name: "Int64" for name in names if not name.startswith("facility_")})


def _open_by(register: pd.DataFrame, wave: int, last: int) -> pd.Series:
    """Whether a facility counts in a wave; one without a year is known to exist by the last wave only."""
    if OPENED not in register:
        return pd.Series(True, register.index)
    year = register[OPENED]
    return ((year <= wave) | (year.isna() & (wave == last))).fillna(False).astype("bool")


def _counts(register: pd.DataFrame, area: str, questions: tuple[Question, ...], study: Study) -> pd.DataFrame:
    columns: dict[str, pd.Series] = {}
    for question in questions:
        for name in facility_columns(study, question):
            if question.type == "select_one":
                is_kind = register[question.name].astype("string") == name.removeprefix(f"{question.name}__")
                columns[name] = is_kind.fillna(False).astype("float64")
            else:
                # what the register states is added up; a facility that states nothing adds nothing
                columns[name] = register[question.name].astype("Float64")
    return pd.DataFrame(columns).groupby(register[area]).sum().astype("Float64")
