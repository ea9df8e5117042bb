"""The rows that an estimate of the policy rests on, and their means by community and wave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.estimate.policy.design import PolicyDesign, judge, refuse
from cbresearch.estimate.policy.reach import Reach, reach_of
from cbresearch.sampling.design import Floats, Ints, numbers, require


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """n rows of G communities, each seen in all T waves and none of them reached by the first.

    `first` (G) as in Reach; `controls` is n x k. Rows that miss the outcome or a control are not among them.
    """

    outcome: str
    design: PolicyDesign
    communities: tuple[str, ...]
    waves: tuple[int, ...]
    first: Ints
    community: Ints
    wave: Ints
    y: Floats
    w: Floats
    controls: Floats

    @property
    def labels(self) -> list[str]:
        """The community of each row, by name."""
        return [self.communities[code] for code in self.community]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Means by community (G rows) and wave (T columns); `mass` (G) is what each community counts."""

    communities: tuple[str, ...]
    waves: tuple[int, ...]
    first: Ints
    means: Floats
    mass: Floats


def observe(
    frame: pd.DataFrame, outcome: str, *, community: str, wave: str, adoption: str,
    weights: str | None = None, controls: Sequence[str] = (),
) -> Observed:  # fmt: skip
    """The rows to estimate from; EstimateError for columns missing or unfit, or a design that is refused."""
    require(frame, [outcome, community, wave, adoption, *([weights] if weights else []), *controls])
    reach = reach_of(frame, community=community, wave=wave, adoption=adoption)
    y = numbers(frame, outcome)
    w = np.ones(len(frame)) if weights is None else _weights(frame, weights)
    held = _held(frame, controls)
    there = np.isfinite(y) & np.isfinite(held).all(axis=1) & (w > 0)
    seen = np.zeros((len(reach.communities), len(reach.waves)), dtype=bool)
    seen[reach.community[there], reach.wave[there]] = True
    always = np.asarray(seen.all(axis=1))
    design = judge(reach, always)
    refuse(design)
    return _kept(reach, design, outcome, y, w, held, there, always & (reach.first > 0))


def cells(rows: Observed, *, count_residents: bool = False) -> Cells:
    """Weighted means by community and wave, made comparable in the controls.

    Controls are taken out by their slopes within community and wave, which no policy can touch, so the
    means are those of like residents (Donald and Lang 2007, Rev. Economics and Statistics 89). Each
    community counts alike, or with `count_residents` as its weights add up to in a wave on average.
    """
    G, T = len(rows.communities), len(rows.waves)
    cell = rows.community * T + rows.wave
    total = np.bincount(cell, rows.w, G * T).astype(np.float64)
    y = adjusted(rows, cell, total)
    means = (np.bincount(cell, rows.w * y, G * T) / total).reshape(G, T)
    mass = total.reshape(G, T).mean(axis=1) if count_residents else np.ones(G)
    return Cells(rows.communities, rows.waves, rows.first, means, mass)


def adjusted(rows: Observed, cell: Ints, total: Floats) -> Floats:
    """The outcome of each row as if its controls were those of the whole sample."""
    if not rows.controls.shape[1]:
        return rows.y

    def within(values: Floats) -> Floats:
        return np.asarray(values - (np.bincount(cell, rows.w * values, len(total)) / total)[cell])

    root = np.sqrt(rows.w)
    X = np.column_stack([within(column) for column in rows.controls.T]) * root[:, None]
    slopes, _, rank, _ = np.linalg.lstsq(X, within(rows.y) * root, rcond=1e-10)
    if rank < X.shape[1]:
        raise EstimateError(
            "A control does not vary among the residents of a community in a wave, or follows from the others, "
            "so nothing can be made comparable by it. Controls are of residents; leave it out."
        )
    centre = np.average(rows.controls, axis=0, weights=rows.w)
    return np.asarray(rows.y - (rows.controls - centre) @ slopes)


def _kept(
    reach: Reach, design: PolicyDesign, outcome: str, y: Floats, w: Floats, held: Floats,
    there: NDArray[np.bool_], stay: NDArray[np.bool_],
) -> Observed:  # fmt: skip
    rows = there & stay[reach.community]
    code = np.cumsum(stay) - 1
    names = tuple(name for name, stays in zip(reach.communities, stay, strict=True) if stays)
    return Observed(
        outcome, design, names, reach.waves, reach.first[stay], code[reach.community[rows]].astype(np.int64),
        reach.wave[rows], y[rows], w[rows], held[rows],
    )  # fmt: skip


def _weights(frame: pd.DataFrame, column: str) -> Floats:
    w = numbers(frame, column)
    if bad := int((~np.isfinite(w) | (w < 0)).sum()):
        raise EstimateError(
            f"'{column}' is missing, infinite or negative in {bad} of {len(frame)} rows; "
            "a weight says how many people a row stands for."
        )
    return w


def _held(frame: pd.DataFrame, controls: Sequence[str]) -> Floats:
    """Numbers as they are, words as dummies with the first class left out; NaN where missing."""
    columns: list[Floats] = []
    for name in controls:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
            columns.append(numbers(frame, name))
            continue
        gone = values.isna().to_numpy()
        classes = sorted(set(values.dropna().astype(str)))
        written = values.astype(str).to_numpy()
        columns += [np.where(gone, np.nan, (written == one).astype(np.float64)) for one in classes[1:]]
    return np.column_stack(columns) if columns else np.empty((len(frame), 0))
