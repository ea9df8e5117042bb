"""Missing answers filled in many times, with the community and the weight in the model.

Chained equations (van Buuren 2018, Flexible Imputation of Missing Data) with predictive mean matching, so that
what is filled in is an answer that somebody gave. Communities enter as effects drawn towards their mean, as
much as they are alike: left out, every community would be filled in alike; as plain dummies, a small one would
be filled in from two or three people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints, numbers, require

DONORS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Imputed:
    """`sets` are copies of the frame without a gap in `columns`; `missing` the share (0-1) that was, by column.

    `trace` has a row per set, round and column with the mean of what was filled in: it should wander, not drift.
    """

    sets: tuple[pd.DataFrame, ...]
    columns: tuple[str, ...]
    missing: dict[str, float]
    trace: pd.DataFrame


def impute(
    frame: pd.DataFrame, columns: Sequence[str], *, community: str | None = None, weights: str | None = None,
    helpers: Sequence[str] = (), m: int = 10, rounds: int = 5, seed: int = 1,
) -> Imputed:  # fmt: skip
    """Fill the gaps of numeric `columns` (ratings, amounts, 0/1) m times.

    Each is regressed on the others, on `helpers` (complete columns; text becomes dummies), on the logarithm of
    the weight and on the community; coefficients are drawn anew each time, and each gap takes the answer of one
    of the five people foretold most alike. Assumes that, given all these, who does not answer is chance. The
    same seed gives the same sets. EstimateError for columns of text, helpers or communities with gaps, columns
    without an answer, or fewer than two sets.
    """
    _refuse(frame, columns, community, weights, helpers, m)
    values = np.column_stack([numbers(frame, column) for column in columns])
    gaps = ~np.isfinite(values)
    fixed = _fixed(frame, weights, helpers)
    code = np.zeros(len(frame), dtype=np.int64) if community is None else pd.factorize(frame[community])[0]
    sets, traced = [], []
    for number, child in enumerate(np.random.SeedSequence(seed).spawn(m)):
        rng = np.random.default_rng(child)
        filled = _started(values, gaps, rng)
        for turn in range(rounds):
            for j in np.flatnonzero(gaps.any(axis=0)).tolist():
                others = np.delete(filled, j, axis=1)
                X = np.column_stack([fixed, others])
                filled[gaps[:, j], j] = _drawn(X, values[:, j], gaps[:, j], code.astype(np.int64), rng)
                traced.append((number, turn, columns[j], float(filled[gaps[:, j], j].mean())))
        sets.append(frame.assign(**dict(zip(columns, filled.T, strict=True))))
    trace = pd.DataFrame(traced, columns=["set", "round", "column", "mean_filled"])
    shares = {column: float(gaps[:, j].mean()) for j, column in enumerate(columns)}
    return Imputed(tuple(sets), tuple(columns), shares, trace)


def _fixed(frame: pd.DataFrame, weights: str | None, helpers: Sequence[str]) -> Floats:
    """Ones, the log weight, helpers; standardised, so that a ridge treats none by its unit."""
    parts = [np.ones(len(frame))]
    if weights is not None:
        parts.append(np.log(np.maximum(numbers(frame, weights), 1e-12)))
    for name in helpers:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column):
            parts.append(numbers(frame, name))
        else:
            parts += list(pd.get_dummies(column.astype(str), drop_first=True).to_numpy(dtype=np.float64).T)
    return np.column_stack(parts)


def _started(values: Floats, gaps: np.ndarray, rng: np.random.Generator) -> Floats:
    """Every gap an answer drawn from those given."""
    filled = values.copy()
    for j in range(values.shape[1]):
        given = values[~gaps[:, j], j]
        filled[gaps[:, j], j] = rng.choice(given, int(gaps[:, j].sum()))
    return filled


def _drawn(X: Floats, y: Floats, gap: np.ndarray, code: Ints, rng: np.random.Generator) -> Floats:
    """Answers for the gaps of one column: predictive mean matching under a drawn regression."""
    there = ~gap
    X = X / np.maximum(X.std(axis=0), 1e-12) if X.shape[1] > 1 else X
    X[:, 0] = 1.0
    Z = np.eye(int(code.max()) + 1)[code] if code.max() > 0 else np.zeros((len(code), 0))
    W = np.column_stack([X, Z])
    ridge = np.concatenate([np.full(X.shape[1], 1e-6), np.full(Z.shape[1], _pull(y[there], code[there]))])
    ridge[0] = 0.0
    inverse = np.linalg.inv(W[there].T @ W[there] + np.diag(ridge) + 1e-10 * np.eye(W.shape[1]))
    b = inverse @ (W[there].T @ y[there])
    left = y[there] - W[there] @ b
    df = max(int(there.sum()) - X.shape[1], 1)
    sigma = np.sqrt(left @ left / rng.chisquare(df))
    drawn = b + sigma * np.linalg.cholesky((inverse + inverse.T) / 2) @ rng.normal(size=len(b))
    return _matched(W[there] @ b, W[gap] @ drawn, y[there], rng)


def _pull(y: Floats, code: Ints) -> float:
    """Residual over community variance, by the analysis of variance: how hard communities are drawn to their mean."""
    sizes = np.bincount(code, minlength=int(code.max()) + 1).astype(np.float64)
    kept = sizes > 0
    k, n = int(kept.sum()), len(y)
    if k < 2 or n <= k:
        return 1e6
    means = np.bincount(code, weights=y, minlength=len(sizes)) / np.maximum(sizes, 1)
    within = float(((y - means[code]) ** 2).sum()) / (n - k)
    between = float((sizes * (means - y.mean()) ** 2)[kept].sum()) / (k - 1)
    n0 = (n - float((sizes**2).sum()) / n) / (k - 1)
    spread = max((between - within) / n0, 0.0)
    return within / spread if spread > 1e-6 * within else 1e6


def _matched(foretold: Floats, wanted: Floats, answers: Floats, rng: np.random.Generator) -> Floats:
    """For each gap the answer of one of the people foretold most alike."""
    order = np.argsort(foretold, kind="stable")
    ordered = foretold[order]
    k = min(DONORS, len(ordered))
    start = np.clip(np.searchsorted(ordered, wanted) - k, 0, max(len(ordered) - 2 * k, 0))
    window = start[:, None] + np.arange(min(2 * k, len(ordered)))
    near = np.argsort(np.abs(ordered[window] - wanted[:, None]), axis=1, kind="stable")[:, :k]
    chosen = near[np.arange(len(wanted)), rng.integers(0, k, len(wanted))]
    return np.asarray(answers[order[window[np.arange(len(wanted)), chosen]]])


def _refuse(
    frame: pd.DataFrame, columns: Sequence[str], community: str | None, weights: str | None, helpers: Sequence[str], m: int
) -> None:  # fmt: skip
    whole = [name for name in (community, weights, *helpers) if name is not None]
    require(frame, [*columns, *whole])
    faults = []
    if m < 2:
        faults.append(f"m = {m}; expected at least two sets, or there is no telling how far they differ")
    for column in columns:
        if not pd.api.types.is_numeric_dtype(frame[column]) and not pd.api.types.is_bool_dtype(frame[column]):
            faults.append(f"'{column}' holds words; give its answers as numbers, or 0/1 for each class")
        elif frame[column].notna().sum() < DONORS:
            faults.append(f"'{column}' has fewer than {DONORS} answers to take from")
    for name in whole:
        if empty := int(frame[name].isna().sum()):
            faults.append(f"'{name}' is missing in {empty} rows; what gaps are filled from must be complete")
    if faults:
        raise EstimateError("These gaps cannot be filled:\n" + "\n".join(f"  - {fault}" for fault in faults))
