"""What columns tell about each other: grids of ratings, recoded copies, options, nested places."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import pandas as pd

from cbresearch.survey.adopt.column import Column
from cbresearch.survey.adopt.rated import NUMBER_CODES, USUAL, Rated, recognise, within

_KEY = re.compile(
    r"序号|编号|答卷|问卷号|respondent|result.?id|(?:^|[_\W])(?:id|key|uuid|folio|seq|no)$|^(?:id|key|uuid|folio)|Id$|_id$|seq$|hhid"
)
_WEIGHT = re.compile(
    r"权数|权重|加权|weight|(?:^|_)p?wt\d*$|^pw$|ponderad|factor.?(?:de.?)?(?:exp|pond)|expansi[oó]n",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"社区|街道|居委|小区|村|乡镇|区县|城区|省份|城市|district|distrito|communit|comunidad|colonia|barrio|neighbo|\bward\b|\bzon[ae]\b"
    r"|municip|county|region|borough|parish|\bageb\b|\bsector\b|大学|school|village",
    re.IGNORECASE,
)
_OPTION = re.compile(r"^(第\d+题)\s*[(（](.+)[)）]$")
_GRID = 3
_LONG = ((1, 10), (0, 10), (1, 7))
_LONG_GRID = 5


def ratings(columns: Sequence[Column]) -> dict[str, Rated]:
    """Every recognised scale by column: told by the column itself, or by standing in a grid."""
    found = {column.name: rated for column in columns if (rated := recognise(column))}
    return {**_long_scales(columns), **_grids(columns, found), **found}


def _long_scales(columns: Sequence[Column]) -> dict[str, Rated]:
    """Five columns or more that use the same long scale from end to end, wherever they stand."""
    using: dict[tuple[int, int], list[Column]] = {}
    for column in columns:
        if (ends := _usual_ends(column)) in _LONG and ends is not None:
            using.setdefault(ends, []).append(column)
    return {
        column.name: within(
            column, *ends, f"{len(alike)} columns use the numbers {ends[0]} to {ends[1]}", 0.6
        )
        for ends, alike in using.items()
        if len(alike) >= max(_LONG_GRID, 0.05 * len(columns))
        for column in alike
    }


def _grids(columns: Sequence[Column], found: Mapping[str, Rated]) -> dict[str, Rated]:
    """Three neighbours or more that use the same usual scale from end to end."""
    grids: dict[str, Rated] = {}
    run: list[Column] = []
    ends: tuple[int, int] | None = None
    for column in [*columns, None]:
        mine = _usual_ends(column) if column is not None and column.name not in found else None
        if run and mine != ends:
            grids.update(_grid(run, ends))
            run = []
        if column is not None and mine is not None:
            run.append(column)
        ends = mine
    return grids


def _grid(run: Sequence[Column], ends: tuple[int, int] | None) -> dict[str, Rated]:
    if ends is None or len(run) < _GRID:
        return {}
    why = f"{len(run)} neighbouring columns use the numbers {ends[0]} to {ends[1]}"
    return {column.name: within(column, *ends, why, 0.6) for column in run}


def _usual_ends(column: Column) -> tuple[int, int] | None:
    """The usual scale that a column of numbers fills from end to end, but for codes such as 9 or 99 beyond it."""
    if column.labels or not column.is_whole or column.distinct < 4:
        return None
    for low, high in USUAL:
        inside = [value for value in column.values if low <= value <= high]
        beyond = [value for value in column.values if not low <= value <= high]
        filled = len(inside) >= high - low and inside[0] == low and inside[-1] == high
        if filled and all(f"{value:g}" in NUMBER_CODES or value in (8, 9) for value in beyond):
            return low, high
    return None


def copies(columns: Sequence[Column], cells: pd.DataFrame, rated: Mapping[str, Rated]) -> dict[str, str]:
    """Columns that are only their rated neighbour to the left put into fewer classes: copy = original."""
    found: dict[str, str] = {}
    for original, column in pairwise(columns):
        is_coarser = column.is_whole and 3 <= column.distinct < original.distinct and not column.labels
        if (
            original.name in rated
            and is_coarser
            and rated[original.name].high - rated[original.name].low >= 6
        ):
            both = cells[[original.name, column.name]].dropna()
            same = (
                both.groupby(original.name)[column.name]
                .agg(lambda values: values.value_counts().iloc[0])
                .sum()
            )
            # a column that hardly varies is foretold by anything
            varies = column.answered and max(column.counts.values()) <= 0.9 * column.answered
            if varies and len(both) and same >= 0.98 * len(both):
                found[column.name] = original.name
    return found


def key_of(columns: Sequence[Column]) -> tuple[Column | None, tuple[Column, ...]]:
    """The column that tells rows apart, and all that could: unique ones before nearly unique ones, hinted before others."""
    unique = [column for column in columns if column.is_unique and _is_compact(column)]
    hinted = [column for column in unique if _KEY.search(column.name) or _KEY.search(column.label)]
    nearly = [
        column
        for column in columns
        if column.answered == column.rows
        and 0.97 * column.rows <= column.distinct
        and _KEY.search(column.name)
    ]
    coded = [
        column
        for column in unique
        if column.is_whole or all(re.search(r"\d", text) for text in column.counts)
    ]
    ranked = tuple(dict.fromkeys([*hinted, *coded, *nearly]))
    return (ranked[0] if ranked else None), ranked


def _is_compact(column: Column) -> bool:
    fractions = column.is_number and not column.is_whole
    return not fractions and all(len(text) <= 64 and not re.search(r"\s", text) for text in column.counts)


def weight_of(columns: Sequence[Column]) -> tuple[Column, str, float] | None:
    """The column of weights with the reason and how sure: its name says so, or positive fractions average 1."""
    fitting = [column for column in columns if column.is_number and column.values and column.values[0] > 0]
    for column in fitting:
        if _WEIGHT.search(column.name) or _WEIGHT.search(column.label):
            around_one = 0.8 <= column.mean <= 1.25 and not column.is_whole
            why = f"its name says weight; positive numbers with mean {column.mean:.3f}"
            return column, why, 0.95 if around_one else 0.75
    return None


def place_candidates(columns: Sequence[Column], taken: Sequence[str]) -> tuple[Column, ...]:
    """Columns that may say where a resident lives: a name of places, a few dozen values that come again."""
    return tuple(
        column
        for column in columns
        if column.name not in taken
        and 3 <= column.distinct <= 200
        and column.answered >= max(0.8 * column.rows, 3 * column.distinct)
        and _PLACE.search(column.name + " " + column.label[:40])
    )


def is_nested(cells: pd.DataFrame, inner: str, outer: str) -> bool:
    """Whether every value of `inner` occurs with one value of `outer` only."""
    pairs = cells[[inner, outer]].dropna().drop_duplicates()
    return bool(len(pairs)) and bool(pairs[inner].is_unique)


def cluster_candidates(
    columns: Sequence[Column], cells: pd.DataFrame, area: str, taken: Sequence[str]
) -> tuple[Column, ...]:
    """Columns with more values than the area, each inside one area: sampled clusters, perhaps."""
    areas = next((column.distinct for column in columns if column.name == area), 0)
    return tuple(
        column
        for column in columns
        if column.name not in (*taken, area)
        and max(areas, 10) < column.distinct <= column.rows / 3
        and column.answered >= 0.9 * column.rows
        and is_nested(cells, column.name, area)
    )


def option_groups(columns: Sequence[Column]) -> dict[str, tuple[tuple[Column, str], ...]]:
    """Columns such as 第6题(运动) that hold 0 or 1: question = its option columns with the option."""
    groups: dict[str, list[tuple[Column, str]]] = {}
    for column in columns:
        shape = _OPTION.match(column.name)
        if shape and set(column.counts) <= {"0", "1"}:
            groups.setdefault(shape[1], []).append((column, shape[2].strip()))
    names = {column.name for column in columns}
    return {
        name: tuple(options) for name, options in groups.items() if len(options) >= 2 and name not in names
    }
