"""Effects of what communities do, split into change over time within them and difference between them.

Money goes where needs are, so communities that get more differ anyway: the between part is an association.
The within part compares each community with itself over the waves (Mundlak 1978, Econometrica 46).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.clusters.few_clusters import clustered
from cbresearch.estimate.clusters.linear import Fit, Labels, least_squares
from cbresearch.records import Estimate, Text, Unanswered
from cbresearch.sampling.design import Floats, numbers, require

TOO_FEW_AREAS = Text(
    "社区太少，无法把各项投入的作用分开。", "There are too few communities to tell the causes apart."
)
NO_CAUSES = Text(
    "没有社区台账指标，无法分析投入与满意度的关系。",
    "The study has no figures from community ledgers, so nothing can be related to satisfaction.",
)
NO_AREA = Text(
    "研究没有社区这一栏，无法分析社区的作用。",
    "The study names no communities, so their part cannot be seen.",
)
NO_ROWS = Text(
    "没有同时具备满意度答案和社区指标的居民。", "No resident has both an answer and figures of the community."
)


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A fitted within-between model: where each (cause, term) stands among the coefficients."""

    fit: Fit
    place: dict[tuple[str, str], int]
    """Only the terms that the data can tell; a cause that never changes has no within term."""
    terms: tuple[str, ...]
    """("between", "within"), or ("between",) where there is a single wave."""
    moments: Labels
    """The wave of each row, in the order in which rows were given to the fit."""


def within_between(
    frame: pd.DataFrame, outcome: str, causes: Sequence[str], *, area: str | None, wave: str,
    controls: Sequence[str] = (), weights: str | None = None, unit: str = "as asked",
) -> list[Estimate] | Unanswered:  # fmt: skip
    """Two estimates per cause, group (("term", "within"),) and (("term", "between"),), in units of the outcome.

    A row is a resident, who carries the causes of the community in that wave. Between is the community's
    weighted mean over its waves, within the deviation from it; dummies for waves and `controls` (classes
    become dummies) are held. Variance CR2 clustered on `area`, df Satterthwaite. Rows with a missing
    value are left out. A term the data cannot tell is NaN and its method says why; with a single wave only
    the between term is given. Unanswered where there are no areas, no causes or too few areas.
    """
    model = split(frame, outcome, causes, area=area, wave=wave, controls=controls, weights=weights)
    if isinstance(model, Unanswered):
        return model
    return [effect_of(model, cause, term, unit) for term in reversed(model.terms) for cause in causes]


def split(
    frame: pd.DataFrame, outcome: str, causes: Sequence[str], *, area: str | None, wave: str,
    controls: Sequence[str] = (), weights: str | None = None,
) -> Split | Unanswered:  # fmt: skip
    """The model behind `within_between`, for those who want its panel of methods."""
    if area is None:
        return Unanswered("effects", NO_AREA)
    if not causes:
        return Unanswered("effects", NO_CAUSES)
    used = [outcome, *causes, area, wave, *controls, *([weights] if weights else [])]
    require(frame, used)
    complete = frame[list(dict.fromkeys(used))].dropna().reset_index(drop=True)
    if complete.empty:
        return Unanswered("effects", NO_ROWS)
    if complete[area].nunique() < len(causes) + 2:
        return Unanswered("effects", TOO_FEW_AREAS)
    w = np.ones(len(complete)) if weights is None else numbers(complete, weights)
    columns = _nuisance(complete, area, wave, controls, w)
    terms = ("between", "within") if complete[wave].nunique() > 1 else ("between",)
    columns.update(_parts(complete, causes, area, terms, w))
    X = np.column_stack(list(columns.values()))
    keep = _independent(X * np.sqrt(w)[:, None])
    names = [name for name, kept in zip(columns, keep, strict=True) if kept]
    fit = least_squares(X[:, keep], numbers(complete, outcome), w, complete[area].astype(str).to_numpy())
    place = {
        (cause, term): names.index((cause, term))
        for term in terms
        for cause in causes
        if (cause, term) in names
    }
    return Split(fit, place, terms, complete[wave].astype(str).to_numpy())


Columns = dict[tuple[str, str], Floats]


def _nuisance(frame: pd.DataFrame, area: str, wave: str, controls: Sequence[str], w: Floats) -> Columns:
    """Ones, waves and controls. Waves are centred on their area, so that they take nothing of what lies between areas."""
    columns: Columns = {("ones", "held"): np.ones(len(frame))}
    for name, dummy in _dummies(frame, wave).items():
        columns[name] = dummy - _area_mean(frame, area, dummy, w)
    for control in controls:
        is_number = pd.api.types.is_numeric_dtype(frame[control])
        columns.update(
            {(control, "held"): numbers(frame, control)} if is_number else _dummies(frame, control)
        )
    return columns


def _parts(frame: pd.DataFrame, causes: Sequence[str], area: str, terms: Sequence[str], w: Floats) -> Columns:
    columns: Columns = {}
    for cause in causes:
        values = numbers(frame, cause)
        usual = _area_mean(frame, area, values, w)
        parts = {"between": usual, "within": values - usual}
        # what is left of a cause that never changes is rounding
        parts["within"][np.abs(parts["within"]) < 1e-10 * max(np.abs(values).max(), 1e-300)] = 0.0
        columns.update({(cause, term): parts[term] for term in terms})
    return columns


def _dummies(frame: pd.DataFrame, column: str) -> Columns:
    """A column per class but the first."""
    classes = sorted(frame[column].unique())
    return {(column, str(c)): (frame[column] == c).to_numpy(dtype=np.float64) for c in classes[1:]}


def _area_mean(frame: pd.DataFrame, area: str, values: Floats, w: Floats) -> Floats:
    """Each row's weighted mean of its area."""
    code = pd.factorize(frame[area])[0]
    people = np.bincount(code, weights=w)
    if not (people > 0).all():
        raise EstimateError(f"An area of '{area}' holds no weight at all; leave its rows out first.")
    return np.asarray((np.bincount(code, weights=w * values) / people)[code])


def _independent(X: Floats) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which columns do not follow from those before them; the causes come last, so what is held keeps its place."""
    size = np.sqrt((X**2).sum(axis=0))
    scaled = X / np.where(size > 0, size, 1.0)
    # the diagonal of the triangle is what the columns before leave of each, as long as none follows from them
    if (np.abs(np.diag(np.linalg.qr(scaled, mode="r"))) > 1e-8).all():
        return np.ones(X.shape[1], dtype=bool)
    keep = np.zeros(X.shape[1], dtype=bool)
    for i in range(X.shape[1]):
        rest = scaled[:, i]
        if keep.any():
            basis = np.linalg.qr(scaled[:, keep])[0]
            rest = rest - basis @ (basis.T @ rest)
        keep[i] = bool(np.sqrt(rest @ rest) > 1e-8)
    return keep


def effect_of(model: Split, cause: str, term: str, unit: str) -> Estimate:
    """One term of one cause, group (("term", term),); NaN with its reason where the data cannot tell it."""
    group = (("term", term),)
    if (cause, term) in model.place:
        return clustered(model.fit, model.place[cause, term], "CR2", cause, unit, group)
    nan = math.nan
    why = "does not change over the waves" if term == "within" else "does not differ between communities"
    n, areas = len(model.fit.y), len(model.fit.start)
    return Estimate(
        cause, nan, nan, nan, nan, nan, n, areas, unit, group, f"not estimated: {why} beyond the rest"
    )
