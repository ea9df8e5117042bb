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
    """The same estimate of those who answered everything and of everybody, gaps filled in; `pooled` has the parts.

    `difference_in_se` is imputed less complete, in standard errors of the complete cases. `note` is what the
    filling in has to say of itself (Imputed.note).
    """

    complete: Estimate
    imputed: Estimate
    pooled: Pooled
    difference_in_se: float
    note: Text | None = None

    @property
    def table(self) -> pd.DataFrame:
        """Two rows: how, estimate, se, df, low, high, p, n, fmi (fraction of information missing)."""
        rows = [
            (how, e.value, e.se, e.df, e.low, e.high, e.p, e.n, fmi)
            for how, e, fmi in (
                ("complete cases", self.complete, math.nan),
                ("multiple imputation", self.imputed, self.pooled.fmi),
            )
        ]
        return pd.DataFrame(rows, columns=["how", "estimate", "se", "df", "low", "high", "p", "n", "fmi"])

    @property
    def sentence(self) -> Text:
        left_out = self.imputed.n - self.complete.n
        if not left_out and self.pooled.between == 0:
            return Text(
                "没有缺失的回答，两种做法结果相同。", "Nothing is missing; both ways give the same result."
            )
        size, share = abs(self.difference_in_se), left_out / max(self.imputed.n, 1)
        zh, en = f"有{share:.0%}的人缺少回答。", f"{share:.0%} of the people miss an answer."
        if size < MATTERS:
            told = Text(
                f"{zh}把缺失的回答补上，结果几乎不变（相差{size:.1f}个标准误）。",
                f"{en} Filling in what is missing hardly moves the result ({size:.1f} standard errors).",
            )
        else:
            told = Text(
                f"{zh}把缺失的回答补上，结果移动了{size:.1f}个标准误；谁没有回答是有影响的。",
                f"{en} Filling in what is missing moves the result by {size:.1f} standard errors; who did not answer "
                "matters.",
            )
        return told if self.note is None else Text(told.zh + self.note.zh, f"{told.en} {self.note.en}")


def with_missing(
    frame: pd.DataFrame, analysis: Callable[[pd.DataFrame], Estimate], imputed: Imputed
) -> WithMissing:
    """Run `analysis` on the rows of `frame` without a gap in the imputed columns, and on every completed set.

    `imputed` is impute(frame, …). The sets are pooled by Rubin's rules, with Barnard and Rubin's degrees of freedom
    for the smallest df that the analysis gave; p is NaN where the analysis asks for no test. Where nothing was
    missing both are the analysis itself. EstimateError where it gives no standard error, or a frame that the sets
    were not made of.
    """
    if len(frame) != len(imputed.sets[0]):
        raise EstimateError(
            f"The frame has {len(frame)} rows and the completed sets have {len(imputed.sets[0])}; give the frame that "
            "was imputed."
        )
    complete = analysis(frame.dropna(subset=list(imputed.columns)).reset_index(drop=True))
    each = [analysis(one) for one in imputed.sets]
    for name, one in (("the complete cases", complete), *((f"set {i}", one) for i, one in enumerate(each))):
        if not one.se > 0:
            raise EstimateError(f"The analysis gave no standard error for {name}; there is nothing to pool.")
    found = pool([one.value for one in each], [one.se**2 for one in each], min(one.df for one in each))
    told = replace(
        each[0], value=found.value, se=found.se, df=found.df, low=found.low, high=found.high,
        p=math.nan if math.isnan(each[0].p) else found.p, p_adjusted=math.nan,
        dominance=max(one.dominance for one in each), method=f"multiple imputation, {found.sets} sets",
    )  # fmt: skip
    if all((one.value, one.se) == (each[0].value, each[0].se) for one in each):
        # no gap touched the analysis: pooling would only shave its degrees of freedom
        told = each[0]
    return WithMissing(complete, told, found, (told.value - complete.value) / complete.se, imputed.note)
