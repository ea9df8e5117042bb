"""Two questions crossed: what share of the people gave each pair of answers, and whether the two go together.

The second-order correction of Rao and Scott (1984, Annals of Statistics 12): Pearson's statistic over its mean
design effect, as F. R: `survey::svychisq(statistic = "F")`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.association import Association, rao_scott
from cbresearch.sampling.design import Design, Floats, Ints, covariance, degrees_of_freedom, draw
from cbresearch.sampling.domains import domains_of, mask
from cbresearch.sampling.figures import Figures, logit_interval

LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Crosstab:
    """`rows` crossed with `columns`: shares of pairs of answers, and F for the two being independent.

    `table` has one row per pair, also pairs that nobody gave: the two codes as text; `n` people; `share` of
    all (0-1) with `se`, `low`, `high` (logit); `row_share` of the people of that row with `row_se`,
    `row_low`, `row_high`. `statistic`, `df1`, `df2`, `p`: Rao and Scott's F. `cramer_v`: strength from 0
    to 1, from the weighted shares. All are NaN where there is no test, and `method` says why.
    """

    rows: str
    columns: str
    table: pd.DataFrame
    n: int
    left_out: int
    """People of the domain who missed one of the two, or stand for nobody."""
    statistic: float
    df1: float
    df2: float
    p: float
    cramer_v: float
    method: str

    @property
    def text(self) -> Text:
        if math.isnan(self.p):
            return Text(
                f"无法检验“{self.rows}”与“{self.columns}”是否有关（{self.method}）。",
                f"Whether '{self.rows}' and '{self.columns}' go together cannot be tested: {self.method}.",
            )
        p = "p < 0.001" if self.p < 0.001 else f"p = {self.p:.3f}"
        f = f"F({self.df1:.2f}, {self.df2:.1f}) = {self.statistic:.2f}"
        if self.p >= LEVEL:
            return Text(
                f"现有{self.n}人的回答看不出“{self.rows}”与“{self.columns}”有关（{f}，{p}）。",
                f"The answers of {self.n} people cannot tell whether '{self.rows}' and '{self.columns}' "
                f"go together ({f}, {p}).",
            )
        return Text(
            f"“{self.rows}”与“{self.columns}”有关（{self.n}人，{f}，{p}）；关联强度V = {self.cramer_v:.2f}（0为无关，1为完全对应）。",
            f"'{self.rows}' and '{self.columns}' go together ({self.n} people, {f}, {p}), with a strength of "
            f"V = {self.cramer_v:.2f} (0 none, 1 complete).",
        )


def crosstab(
    frame: pd.DataFrame, rows: str, columns: str, design: Design, *, where: pd.Series | None = None
) -> Crosstab:
    """Cross two columns of codes. People who miss either are outside the domain, and counted in `left_out`.

    People of weight 0 stand for nobody and are left out too. EstimateError where nobody answered both, or
    where a column is crossed with itself.
    """
    if rows == columns:
        raise EstimateError(f"'{rows}' cannot be crossed with itself; name two columns.")
    sample, asked = draw(frame, design), mask(frame, where)
    inside = (domains_of(frame, [rows, columns], where).code >= 0) & (sample.weights > 0)
    if not inside.any():
        raise EstimateError(
            f"None of {int(asked.sum())} rows answered both '{rows}' and '{columns}'; nothing can be crossed."
        )
    within = pd.Series(inside, index=frame.index)
    of_row, of_column = domains_of(frame, rows, within), domains_of(frame, columns, within)
    shape = (len(of_row), len(of_column))
    cell = np.where(inside, of_row.code * shape[1] + of_column.code, -1).astype(np.int64)
    weights = np.where(inside, sample.weights, 0.0)
    share = np.bincount(cell[inside], weights=weights[inside], minlength=shape[0] * shape[1]) / weights.sum()
    influence = -np.outer(weights, share)
    influence[np.flatnonzero(inside), cell[inside]] += weights[inside]
    variance = covariance(sample, influence / weights.sum())
    df = degrees_of_freedom(sample, inside)
    count = np.bincount(cell[inside], minlength=len(share))
    row_df = np.array([degrees_of_freedom(sample, of_row.code == r) for r in range(shape[0])])
    test = rao_scott(share.reshape(shape), variance, int(inside.sum()), df)
    table = pd.DataFrame(
        [(row[0][1], column[0][1]) for row in of_row.groups for column in of_column.groups],
        columns=[rows, columns],
    )
    table = table.assign(
        n=count,
        **_described("", share, variance, np.full(len(share), df), count),
        **_described("row_", *_row_shares(share, variance, shape), np.repeat(row_df, shape[1]), count),
    ).rename(columns={"row_value": "row_share", "value": "share"})
    return _record(rows, columns, table, int(inside.sum()), int(asked.sum() - inside.sum()), test)


def _record(
    rows: str, columns: str, table: pd.DataFrame, n: int, left_out: int, test: Association
) -> Crosstab:
    return Crosstab(
        rows, columns, table, n, left_out, test.statistic, test.df1, test.df2, test.p, test.cramer_v, test.method
    )  # fmt: skip


def _row_shares(share: Floats, variance: Floats, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """The shares inside each row, with their covariance by linearisation."""
    of_row = np.repeat(share.reshape(shape).sum(axis=1), shape[1])
    inside = share / of_row
    same_row = np.kron(np.eye(shape[0]), np.ones((shape[1], shape[1])))
    slope = (np.eye(len(share)) - inside[:, None] * same_row) / of_row[:, None]
    return inside, slope @ variance @ slope.T


def _described(prefix: str, share: Floats, variance: Floats, df: Ints, n: Ints) -> dict[str, Floats]:
    se = np.sqrt(np.maximum(np.diag(variance), 0.0))
    se = np.where(df > 0, np.where(se <= 1e-12 * np.maximum(share, 1e-300), 0.0, se), np.nan)
    low, high = logit_interval(Figures(share, se, df, n, n))
    named = {"value": share, "se": se, "low": low, "high": high}
    return {f"{prefix}{name}": values for name, values in named.items()}
