"""The outcome of an ordered model: which answers there are, in which order, and which nobody gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, Ints, numbers, require

MOST = 30


@dataclass(frozen=True, slots=True)
class Outcome:
    """A column of ordered answers; `labels` names codes 0, 1, … of a Categorical, and is empty for numbers."""

    name: str
    labels: tuple[str, ...]

    def label(self, code: float) -> str:
        if self.labels:
            return self.labels[int(code)]
        return str(int(code)) if float(code).is_integer() else repr(float(code))

    def coded(self, values: Floats) -> tuple[Ints, Floats]:
        """0..K-1 for each row, and the K values in order; EstimateError for one answer, or too many."""
        if not np.isfinite(values).all():
            raise EstimateError(f"'{self.name}' is infinite in some rows; expected codes of answers.")
        code, kinds = pd.factorize(values, sort=True)
        if len(kinds) < 2:
            found = "nobody answered" if not len(kinds) else f"everybody answered {self.label(kinds[0])}"
            raise EstimateError(
                f"'{self.name}': {found} among the rows that miss nothing; there is nothing to explain."
            )
        if len(kinds) > MOST:
            raise EstimateError(
                f"'{self.name}' has {len(kinds)} different values; an ordered model takes at most {MOST} answers. "
                "Use a linear model, or cut the values into classes."
            )
        return code.astype(np.int64), np.asarray(kinds, dtype=np.float64)

    def unheard(self, kinds: Floats) -> list[Text]:
        """A note on the answers inside the scale that nobody gave, which the model therefore does not know."""
        if self.labels:
            missing = [self.label(code) for code in range(len(self.labels)) if code not in kinds]
        elif (kinds % 1 == 0).all() and kinds[-1] - kinds[0] < MOST:
            missing = [self.label(code) for code in np.arange(kinds[0], kinds[-1]) if code not in kinds]
        else:
            missing = []
        return [_nobody(self.name, missing)] if missing else []


def outcome_of(frame: pd.DataFrame, formula: str, weights: str | None) -> tuple[Outcome, pd.DataFrame]:
    """The outcome, and the frame with its codes as numbers; EstimateError for one whose order cannot be known.

    Negative or infinite weights are refused here as well, before any work.
    """
    name = formula.partition("~")[0].strip()
    require(frame, [name, *([weights] if weights is not None else [])])
    if weights is not None:
        w = numbers(frame, weights)
        if (bad := int((w < 0).sum() + np.isinf(w).sum())) > 0:
            raise EstimateError(
                f"'{weights}' is negative or infinite in {bad} rows; a weight says how many people a row stands for."
            )
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        if not column.cat.ordered:
            raise EstimateError(
                f"'{name}' is a Categorical without order. Say it from the lowest to the highest: "
                f"pd.Categorical(frame['{name}'], [...], ordered=True)."
            )
        codes = column.cat.codes.astype("float64").where(column.notna())
        return Outcome(name, tuple(map(str, column.cat.categories))), frame.assign(**{name: codes})
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        found = _some(column.dropna().unique()[:4].tolist())
        raise EstimateError(
            f"'{name}' holds words ({found}), whose order cannot be known. Say it from the lowest to the highest: "
            f"pd.Categorical(frame['{name}'], [...], ordered=True), or give numeric codes."
        )
    return Outcome(name, ()), frame


def _nobody(name: str, answers: Sequence[str]) -> Text:
    return Text(
        f"“{name}”中没有人选{'、'.join(answers)}，模型只包含出现过的选项。",
        f"Nobody answered {', '.join(answers)} in '{name}'; the model knows only the answers that were given.",
    )


def _some(values: Sequence[object]) -> str:
    return ", ".join(f"'{value}'" for value in values)
