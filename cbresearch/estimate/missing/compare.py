"""Complete cases and multiple imputation side by side: does it matter who did not answer?"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.estimate.missing.impute import Imputed
from cbresearch.estimate.missing.pool import Pooled, pool
from cbresearch.records import Estimate, Text

MATTERS = 0.5
"""A difference of half a standard error changes how a figure reads."""


@dataclass(frozen=True, slots=True)
class WithMissing:
    """The same estimate of those who answered everything and of everybody, gaps filled in; `pooled` has the parts."""

    complete: Estimate
    imputed: Estimate
    pooled: Pooled
    difference_in_se: float

    @property
    def table(self) -> pd.DataFrame:
        """Two rows: how, estimate, se, df, low, high, p, n."""
        rows = [
            (how, e.value, e.se, e.df, e.low, e.high, e.p, e.n)
            for how, e in (("complete cases", self.complete), ("multiple imputation", self.imputed))
        ]
        return pd.DataFrame(rows, columns=["how", "estimate", "se", "df", "low", "high", "p", "n"])

    @property
    def sentence(self) -> Text:
        size = abs(self.difference_in_se)
        if size < MATTERS:
            return Text(
                f"把缺失的回答补上，结果几乎不变（相差{size:.1f}个标准误）。",
                f"Filling in missing answers hardly moves the result ({size:.1f} standard errors).",
            )
        return Text(
            f"把缺失的回答补上，结果移动了{size:.1f}个标准误；谁没有回答是有影响的。",
            f"Filling in missing answers moves the result by {size:.1f} standard errors; who did not answer matters.",
        )


def with_missing(
    frame: pd.DataFrame, analysis: Callable[[pd.DataFrame], Estimate], imputed: Imputed
) -> WithMissing:
    """Run `analysis` on the rows without a gap in the imputed columns, and on every completed set.

    EstimateError where the analysis gives no standard error.
    """
    complete = analysis(frame.dropna(subset=list(imputed.columns)).reset_index(drop=True))
    each = [analysis(one) for one in imputed.sets]
    if not all(e.se > 0 for e in (complete, *each)):
        raise EstimateError("The analysis gave no standard error; there is nothing to pool.")
    if all(e.value == each[0].value and e.se == each[0].se for e in each):
        # nothing was missing: there is no variance between sets to add
        return WithMissing(complete, each[0], pool([e.value for e in each], [e.se**2 for e in each], each[0].df), (each[0].value - complete.value) / complete.se)  # fmt: skip
    found = pool([e.value for e in each], [e.se**2 for e in each], min(e.df for e in each))
    told = replace(
        each[0], value=found.value, se=found.se, df=found.df, low=found.low, high=found.high, p=found.p,
        method=f"multiple imputation, {found.sets} sets",
    )  # fmt: skip
    apart = (found.value - complete.value) / complete.se if complete.se > 0 else math.nan
    return WithMissing(complete, told, found, apart)
