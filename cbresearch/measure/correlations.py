"""The correlations of items, plain or polychoric, in the shape that factors are taken from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError, nearest
from cbresearch.measure.items import complete_of, items_of
from cbresearch.measure.notes import joined
from cbresearch.measure.polychoric import LEAST_EIGENVALUE, Polychoric, polychoric, smoothed
from cbresearch.records import Text
from cbresearch.sampling.design import Floats

Correlations = Literal["pearson", "polychoric"]


@dataclass(frozen=True, slots=True, eq=False)
class Correlated:
    """k x k `values` of the items `names`, told by `n` residents (Kish's number where they are weighted).

    `kept`: k shares of information left after answers were cut into a few (1 for plain correlations).
    `is_smoothed` says that the pairs did not fit together and were moved until they did; `note` tells so.
    """

    names: tuple[str, ...]
    values: Floats
    n: float
    kind: Correlations
    kept: Floats
    is_smoothed: bool
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """The correlations, a row and a column per item."""
        return pd.DataFrame(self.values, index=list(self.names), columns=list(self.names))


def correlated(
    items: pd.DataFrame, *, correlations: Correlations = "pearson", weights: pd.Series | None = None
) -> Correlated:
    """Correlations of a row per resident and a column per item, fit to be factored.

    Plain ones of the residents who answered every item; polychoric ones of those who answered both of a pair,
    with `n` that of the smallest pair. EstimateError for items that cannot be correlated, or that follow from
    one another.
    """
    expect("correlations", correlations, get_args(Correlations))
    if correlations == "polychoric":
        return _polychoric(polychoric(items, weights=weights))
    given = complete_of(items_of(items, weights), least=items.shape[1] + 1)
    R = given.correlation()
    # a diagonal of 0.9999999999999999 would not be one
    np.fill_diagonal(R, 1.0)
    return Correlated(
        given.names, checked(R), given.size, "pearson", np.ones(len(R)), is_smoothed=False, note=None
    )


def checked(correlations: Floats) -> Floats:
    """The matrix itself; EstimateError where it is no correlation matrix, or has no inverse."""
    R = np.asarray(correlations, dtype=np.float64)
    if (
        R.ndim != 2 or R.shape[0] != R.shape[1] or not np.isfinite(R).all()
        or not np.allclose(np.diag(R), 1) or not np.allclose(R, R.T)
    ):  # fmt: skip
        raise EstimateError(f"Expected a correlation matrix without gaps; found shape {R.shape}.")
    if np.linalg.eigvalsh(R)[0] < 1e-10:
        raise EstimateError(
            "Some items follow from the others, or pairs do not fit together; leave items out, or use smoothed() first."
        )
    return R


def expect(what: str, given: str, known: tuple[str, ...]) -> None:
    """EstimateError for a name that is none of the known ones, with the nearest."""
    if given not in known:
        near = nearest(str(given), known)
        hint = f" Did you mean '{near}'?" if near else ""
        raise EstimateError(f"{what} = '{given}'; expected one of {', '.join(known)}.{hint}")


def _polychoric(found: Polychoric) -> Correlated:
    is_smoothed = found.smallest_eigenvalue < LEAST_EIGENVALUE
    said = Text(
        "各对题目的相关彼此不合，已作平滑处理后再分析。",
        "The matrix was smoothed before it was used.",
    )
    return Correlated(
        found.items, smoothed(found.correlations), found.n_least, "polychoric", found.kept, is_smoothed,
        joined(found.note, said if is_smoothed else None),
    )  # fmt: skip
