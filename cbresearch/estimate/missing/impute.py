"""Missing answers filled in many times, with the community and the weight in the model.

Chained equations (van Buuren 2018, Flexible Imputation of Missing Data): each column in turn is foretold from
all others, and its gaps are drawn anew. Communities enter as effects drawn towards their mean, as much as they
are alike: left out, every community would be filled in alike, which hides how they differ; as plain dummies, a
small one would be filled in from two or three people. The weight enters as a regressor, because who was more
likely to be drawn may also answer otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.missing.columns import DRAWS, Column, read
from cbresearch.estimate.missing.matching import DONORS
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, numbers, require

DRIFTS = 0.01


@dataclass(frozen=True, slots=True, eq=False)
class Imputed:
    """`sets` are copies of the frame without a gap in `columns`, whose types stay as they were.

    `table` has a row per column: column, missing (share, 0-1), gaps, how (the draw). `trace` has a row per set,
    round and column with mean and sd of what was filled in (codes, for classes): it should wander, not drift.
    """

    sets: tuple[pd.DataFrame, ...]
    columns: tuple[str, ...]
    table: pd.DataFrame
    trace: pd.DataFrame

    @property
    def shares_missing(self) -> pd.Series:
        """The share (0-1) of each column that was missing."""
        return self.table.set_index("column")["missing"]

    @property
    def drift(self) -> pd.DataFrame:
        """Whether the mean filled in still moved in the second half of the rounds: column, change, t, p over sets.

        Empty where there were fewer than four rounds to compare, or a single column had gaps, which needs but one.
        """
        last = int(self.trace["round"].max()) if len(self.trace) else 0
        rows = []
        if last >= 3:
            wide = self.trace.pivot_table(index=["column", "set"], columns="round", values="mean_filled")
            apart = wide[last] - wide[last // 2]
            for column, change in apart.groupby("column", sort=False):
                se = float(change.std(ddof=1)) / np.sqrt(len(change))
                t = float(change.mean()) / se if se > 0 else 0.0
                rows.append((column, float(change.mean()), t, 2 * float(stats.t.sf(abs(t), len(change) - 1))))
        return pd.DataFrame(rows, columns=["column", "change", "t", "p"])

    @property
    def note(self) -> Text | None:
        """A warning where some column's answers were still drifting, by Bonferroni at 1 %; None where none was."""
        drift = self.drift
        moving = drift.loc[drift["p"] < DRIFTS / max(len(drift), 1), "column"].tolist()
        if not moving:
            return None
        return Text(
            f"填补的{'、'.join(moving)}到最后几轮仍在变动，应增加轮数（rounds）。",
            f"What is filled in for {', '.join(moving)} still drifts in the last rounds; ask for more rounds.",
        )


def impute(
    frame: pd.DataFrame,
    columns: Sequence[str],
    *,
    seed: int,
    community: str | None = None,
    weights: str | None = None,
    helpers: Sequence[str] = (),
    m: int = 20,
    rounds: int = 5,
) -> Imputed:
    """Fill the gaps of `columns` m times.

    Each is foretold from the others, from `helpers` (complete columns; text becomes dummies), from the logarithm
    of the weight and from the community, with coefficients drawn anew each time. Numbers (ratings, amounts, 0/1)
    take the answer of one of the five people foretold most alike, so that a rating stays on its scale; an ordered
    Categorical is drawn from an ordered logit, text and other Categoricals from logits. Assumes that, given all
    these, who does not answer is chance: put into `columns` and `helpers` what the analysis uses, and what tells
    who does not answer. The same seed gives the same sets, and set i does not depend on m. EstimateError for
    helpers, communities or weights with gaps, columns that hardly anybody answered, or fewer than two sets.
    """
    _refuse(frame, columns, community, weights, helpers, m, rounds)
    asked = [read(frame, name) for name in dict.fromkeys(columns)]
    fixed = _fixed(frame, weights, helpers)
    code = np.zeros(len(frame)) if community is None else pd.factorize(frame[community])[0]
    groups = code.astype(np.int64)
    open_ = [j for j, column in enumerate(asked) if column.gap.any()]
    turns = rounds if len(open_) > 1 else 1
    sets, traced = [], []
    for number, child in enumerate(np.random.SeedSequence(seed).spawn(m)):
        rng = np.random.default_rng(child)
        filled = [_started(column, rng) for column in asked]
        for turn in range(turns):
            for j in open_:
                column = asked[j]
                others = [other.tells(filled[i]) for i, other in enumerate(asked) if i != j]
                X = _scaled(np.column_stack([fixed, *others]))
                drawn = DRAWS[column.how](X, column.values, column.gap, groups, rng)
                filled[j][column.gap] = drawn
                traced.append((number, turn, column.name, float(drawn.mean()), float(drawn.std())))
        new = {column.name: column.restored(filled[j], frame.index) for j, column in enumerate(asked)}
        sets.append(
            frame.assign(**{column.name: new[column.name] for j, column in enumerate(asked) if j in open_})
        )
    trace = pd.DataFrame(traced, columns=["set", "round", "column", "mean_filled", "sd_filled"])
    rows = [(one.name, float(one.gap.mean()), int(one.gap.sum()), one.how) for one in asked]
    table = pd.DataFrame(rows, columns=["column", "missing", "gaps", "how"])
    return Imputed(tuple(sets), tuple(table["column"]), table, trace)


def _fixed(frame: pd.DataFrame, weights: str | None, helpers: Sequence[str]) -> Floats:
    """The log weight and the helpers, n x some."""
    parts: list[Floats] = []
    if weights is not None:
        w = numbers(frame, weights)
        # a weight of 0 has no logarithm; half the smallest one keeps it beside the others
        parts.append(np.log(np.maximum(w, w[w > 0].min() / 2)))
    for name in helpers:
        column = frame[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            parts.append(numbers(frame, name))
        else:
            parts += list(pd.get_dummies(column.astype(str), drop_first=True).to_numpy(dtype=np.float64).T)
    return np.column_stack(parts) if parts else np.empty((len(frame), 0))


def _scaled(columns: Floats) -> Floats:
    """Ones, then the columns that vary, centred and scaled, so that no prior depends on a unit."""
    centre, scale = columns.mean(axis=0), columns.std(axis=0)
    varies = scale > 1e-10 * np.maximum(np.abs(centre), 1e-290)
    return np.column_stack([np.ones(len(columns)), ((columns - centre)[:, varies]) / scale[varies]])


def _started(column: Column, rng: np.random.Generator) -> Floats:
    """Every gap an answer drawn from those given."""
    filled, gap = column.values.copy(), column.gap
    filled[gap] = rng.choice(filled[~gap], int(gap.sum()))
    return filled


def _refuse(
    frame: pd.DataFrame, columns: Sequence[str], community: str | None, weights: str | None, helpers: Sequence[str],
    m: int, rounds: int,
) -> None:  # fmt: skip
    whole = [name for name in (community, weights, *helpers) if name is not None]
    require(frame, [*columns, *whole])
    faults = []
    if m < 2:
        faults.append(f"m = {m}; expected at least two sets, or there is no telling how far they differ")
    if rounds < 1:
        faults.append(f"rounds = {rounds}; expected at least one")
    if not columns:
        faults.append("no columns; expected at least one to fill")
    for column in columns:
        if (given := int(frame[column].notna().sum())) < DONORS:
            faults.append(f"'{column}' has {given} answers; expected at least {DONORS} to draw from")
        if column in whole:
            faults.append(f"'{column}' is to be filled and to help filling at once; leave it out of one")
    for name in whole:
        if empty := int(frame[name].isna().sum()):
            faults.append(f"'{name}' is missing in {empty} rows; what gaps are filled from must be complete")
    if weights is not None and not (numbers(frame, weights) > 0).any():
        faults.append(f"'{weights}' has no positive weight")
    if faults:
        raise EstimateError("These gaps cannot be filled:\n" + "\n".join(f"  - {fault}" for fault in faults))
