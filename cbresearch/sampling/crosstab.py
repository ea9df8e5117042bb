"""Two questions crossed: what share of the people gave each pair of answers, and whether the two go together.

The second-order correction of Rao and Scott (1984, Annals of Statistics 12): Pearson's statistic over its mean
design effect, as F. R: `survey::svychisq(statistic = "F")`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.association import rao_scott
from cbresearch.sampling.design import Design, Floats, Ints, Sample, covariance, degrees_of_freedom, draw
from cbresearch.sampling.domains import Domains, domains_of, mask
from cbresearch.sampling.figures import Figures, Interval
from cbresearch.sampling.intervals import IntervalName, interval_named

LEVEL = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Crosstab:
    """`rows` crossed with `columns`: shares of pairs of answers, and F for the two being independent.

    `table` has one row per pair, also pairs that nobody gave: `row` and `column`, the two codes as text; `n` people; `share` of
    all (0-1) with `se`, `low`, `high`; `row_share` of the people of that row with `row_se`,
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
    frame: pd.DataFrame, rows: str, columns: str, design: Design, *, where: pd.Series | None = None,
    interval: IntervalName = "logit",
) -> Crosstab:  # fmt: skip
    """Cross two columns of codes. People who miss either are outside the domain, and counted in `left_out`.

    `interval` as in `share`: "korn-graubard" also has one for pairs that nobody gave.
    People of weight 0 stand for nobody and are left out too. EstimateError where nobody answered both, or
    where a column is crossed with itself.
    """
    if rows == columns:
        raise EstimateError(f"'{rows}' cannot be crossed with itself; name two columns.")
    limits, sample, asked = interval_named(interval), draw(frame, design), mask(frame, where)
    inside = (domains_of(frame, [rows, columns], where).code >= 0) & (sample.weights > 0)
    if not inside.any():
        raise EstimateError(
            f"None of {int(asked.sum())} rows answered both '{rows}' and '{columns}'; nothing can be crossed."
        )
    within = pd.Series(inside, index=frame.index)
    r, c = domains_of(frame, rows, within), domains_of(frame, columns, within)
    cells = _cells(sample, r, c)
    n, df = int(inside.sum()), degrees_of_freedom(sample, inside)
    test = rao_scott(cells.share.reshape(len(r), len(c)), cells.variance, n, df)
    return Crosstab(
        rows, columns, _table(sample, cells, r, c, limits), n, int(asked.sum()) - n, test.statistic, test.df1, test.df2,
        test.p, test.cramer_v, test.method,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """RC pairs of answers, row by row: how many gave them, their share of all and its covariance."""

    count: Ints
    share: Floats
    variance: Floats


def _cells(sample: Sample, rows: Domains, columns: Domains) -> _Cells:
    """The shares of R x C pairs; `rows` and `columns` hold the same people."""
    size, inside = len(rows) * len(columns), np.flatnonzero(rows.code >= 0)
    cell, w = rows.code[inside] * len(columns) + columns.code[inside], sample.weights[inside]
    share = np.bincount(cell, weights=w, minlength=size) / w.sum()
    influence = np.zeros((len(rows.code), size))
    influence[inside] = -np.outer(w, share)
    influence[inside, cell] += w
    return _Cells(np.bincount(cell, minlength=size), share, covariance(sample, influence / w.sum()))


def _table(sample: Sample, cells: _Cells, rows: Domains, columns: Domains, limits: Interval) -> pd.DataFrame:
    shape = (len(rows), len(columns))
    n, df = cells.count.sum(), degrees_of_freedom(sample, rows.code >= 0)
    row_n = np.repeat(cells.count.reshape(shape).sum(axis=1), shape[1])
    row_df = np.repeat([degrees_of_freedom(sample, rows.code == r) for r in range(shape[0])], shape[1])
    inside, inside_variance = _row_shares(cells.share, cells.variance, shape)
    told = _described(cells.share, cells.variance, np.full_like(row_df, df), np.full_like(row_n, n), limits)
    of_rows = _described(inside, inside_variance, row_df, row_n, limits).add_prefix("row_")
    pairs = pd.DataFrame(
        [(row[0][1], column[0][1], cells.count[i]) for i, (row, column) in enumerate(product(rows.groups, columns.groups))],
        columns=["row", "column", "n"],
    )  # fmt: skip
    return pd.concat([pairs, told, of_rows], axis="columns")


def _row_shares(share: Floats, variance: Floats, shape: tuple[int, int]) -> tuple[Floats, Floats]:
    """The shares inside each row, with their covariance by linearisation."""
    of_row = np.repeat(share.reshape(shape).sum(axis=1), shape[1])
    inside = share / of_row
    same_row = np.kron(np.eye(shape[0]), np.ones((shape[1], shape[1])))
    slope = (np.eye(len(share)) - inside[:, None] * same_row) / of_row[:, None]
    return inside, slope @ variance @ slope.T


def _described(share: Floats, variance: Floats, df: Ints, n: Ints, limits: Interval) -> pd.DataFrame:
    """Shares of n people each with its doubt."""
    se = np.sqrt(np.maximum(np.diag(variance), 0.0))
    se = np.where(df > 0, np.where(se <= 1e-12 * np.maximum(share, 1e-300), 0.0, se), np.nan)
    low, high = limits(Figures(share, se, df, n, n))
    return pd.DataFrame({"share": share, "se": se, "low": low, "high": high})
