"""How strong an unseen confounder would have to be to explain an effect away.

Cinelli and Hazlett (2020, J. Royal Statistical Society B 82): strength is partial R², the share of what is
left of outcome and cause that the confounder explains. VanderWeele and Ding (2017, Annals of Internal
Medicine 167) for the E-value. As in R's sensemakr: the critical value of t has df - 1 degrees of freedom.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from cbresearch.errors import EstimateError
from cbresearch.estimate.formula import Matrices, matrices, weights_of
from cbresearch.records import Text
from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True)
class Benchmark:
    """What a confounder `times` as strong as an observed covariate would do to the effect.

    `with_cause` and `with_outcome` are its partial R² with cause and outcome; the latter is at most 1, where
    the estimate has a bound and no standard error (as in R's sensemakr). All are NaN where the covariate
    explains so much of the cause that nothing that strong can be left unseen.
    """

    covariate: str
    times: float
    with_cause: float
    with_outcome: float
    estimate: float
    se: float
    t: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """An effect with the strength of confounding that it withstands.

    `robustness` (RV, 0-1): a confounder that explains this share of what is left of cause and of outcome
    brings the estimate to zero; `robustness_significant`: takes its significance away. `partial_r2`: the
    share of what is left of the outcome that the cause explains; also how much of the cause a confounder
    that explains all of the outcome must explain.
    """

    cause: str
    estimate: float
    se: float
    t: float
    df: float
    partial_r2: float
    robustness: float
    robustness_significant: float
    benchmarks: tuple[Benchmark, ...]
    n: int

    @property
    def table(self) -> pd.DataFrame:
        """A row per benchmark."""
        fields = list(Benchmark.__dataclass_fields__)
        return pd.DataFrame([[getattr(b, f) for f in fields] for b in self.benchmarks], columns=fields)

    @property
    def sentence(self) -> Text:
        """`say` with the covariate's name as the formula has it."""
        return self.say(lambda name: Text(f"“{name}”", f"'{name}'"))

    def say(self, names: Callable[[str], Text]) -> Text:
        """What the robustness value means, and whether a confounder like the strongest covariate would do."""
        whole = Text(
            f"要把这个结果完全解释掉，一个没有测到的因素必须同时解释投入和结果剩余差异的{self.robustness:.1%}。",
            f"To explain this away, something unmeasured would have to account for {self.robustness:.1%} "
            "of what is left of both cause and outcome.",
        )
        strongest = self._strongest()
        if strongest is None:
            return whole
        name = names(strongest.covariate)
        if math.isnan(strongest.estimate) or strongest.estimate * self.estimate <= 0:
            return Text(
                f"{whole.zh}与{name.zh}同样强的因素就足够了。",
                f"{whole.en} Something as strong as {name.en} would be enough.",
            )
        return Text(
            f"{whole.zh}与{name.zh}同样强的因素还不够。",
            f"{whole.en} Something as strong as {name.en} would not be enough.",
        )

    def _strongest(self) -> Benchmark | None:
        """The covariate that would move the estimate most, at its own strength."""
        alike = [b for b in self.benchmarks if b.times == 1]
        return min(alike, key=lambda b: b.estimate * math.copysign(1, self.estimate), default=None)


def sensitivity(
    frame: pd.DataFrame, formula: str, *, cause: str, benchmarks: Sequence[str] = (),
    times: Sequence[float] = (1, 2, 3), weights: str | None = None,
) -> Sensitivity:  # fmt: skip
    """Sensitivity of `cause` in a linear `formula` to a confounder, held against observed covariates.

    A row is a unit in which the confounder would differ: community and year for what communities do, not
    the resident, of whom there are too many for its strength to be read. `cause` and `benchmarks` are
    columns of the model matrix. Rows with a missing value are left out (`n` says how many stay).
    EstimateError for unknown columns, no degrees of freedom, or a cause that is a benchmark of itself.
    """
    made = matrices(frame, formula, also=[weights] if weights else [])
    place = made.place(cause)
    others = [(name, made.place(name)) for name in benchmarks]
    if cause in benchmarks:
        raise EstimateError(f"'{cause}' cannot be a benchmark of itself; name covariates of '{formula}'.")
    w = weights_of(frame, weights, made.rows)
    root = np.ones(len(made.y)) if w is None else np.sqrt(w)
    found = _fitted(made.X * root[:, None], made.y * root, made.formula)
    treated = _of_cause(made, root, place)
    estimate, se, df = float(found.coefficients[place]), float(found.se[place]), found.df
    strengths = []
    for name, column in others:
        without = column - (column > place)
        strengths += [
            _benchmark(name, k, (estimate, se, df), treated.partial_r2(without), found.partial_r2(column))
            for k in times
        ]
    t = estimate / se
    return Sensitivity(
        cause, estimate, se, t, df, partial_r2(t, df), robustness_value(t, df),
        robustness_value(t, df, level=0.05), tuple(strengths), len(made.y),
    )  # fmt: skip


def partial_r2(t: float, df: float) -> float:
    """The share of the outcome's remaining variance that goes with a coefficient: t²/(t² + df)."""
    return t**2 / (t**2 + df)


def robustness_value(t: float, df: float, *, share: float = 1.0, level: float | None = None) -> float:
    """The partial R² with cause and outcome, alike, that takes `share` of the estimate away.

    With `level`, that makes what is left insignificant at that level (0.05). Between 0 and 1; NaN without
    degrees of freedom.
    """
    if not df > 1 or math.isnan(t):
        return math.nan
    f = share * abs(t) / math.sqrt(df)
    critical = 0.0 if level is None else float(stats.t.ppf(1 - level / 2, df - 1)) / math.sqrt(df - 1)
    left = f - critical
    if left < 0:
        return 0.0
    if critical > 0 and f > 1 / critical:
        return (f**2 - critical**2) / (1 + f**2)
    return (math.sqrt(left**4 + 4 * left**2) - left**2) / 2


@dataclass(frozen=True, slots=True)
class EValue:
    """The risk ratio that an unseen confounder must have with both cause and outcome (at least 1).

    `point` to explain the estimate away, `limit` to bring the nearer end of its interval to 1.
    """

    point: float
    limit: float


def e_value_of_ratio(ratio: float, low: float, high: float, *, common: bool = False) -> EValue:
    """E-value of a risk ratio with its interval, or of an odds ratio.

    `common`: an odds ratio of an outcome that more than 15 % have, whose square root stands for the risk
    ratio. EstimateError unless 0 < low <= ratio <= high.
    """
    if not 0 < low <= ratio <= high:
        raise EstimateError(
            f"A ratio of {ratio} with interval {low} to {high}; expected 0 < low <= ratio <= high."
        )
    if common:
        return e_value_of_ratio(math.sqrt(ratio), math.sqrt(low), math.sqrt(high))
    nearer = low if ratio >= 1 else high
    crossed = nearer <= 1 if ratio >= 1 else nearer >= 1
    return EValue(_e_value(ratio), 1.0 if crossed else _e_value(nearer))


def e_value_of_difference(standardised: float, se: float) -> EValue:
    """E-value of a difference in standard deviations of the outcome, by exp(0.91 d ± 1.78 se)."""
    ends = [math.exp(0.91 * standardised + sign * 1.78 * se) for sign in (-1, 1)]
    return e_value_of_ratio(math.exp(0.91 * standardised), *ends)


def _e_value(ratio: float) -> float:
    above = max(ratio, 1 / ratio)
    return above + math.sqrt(above * (above - 1))


@dataclass(frozen=True, slots=True, eq=False)
class _Fitted:
    coefficients: Floats
    se: Floats
    df: float

    def partial_r2(self, column: int) -> float:
        return partial_r2(float(self.coefficients[column] / self.se[column]), self.df)


def _of_cause(made: Matrices, root: Floats, cause: int) -> _Fitted:
    """The cause on everything else in the model."""
    others = np.delete(made.X, cause, axis=1)
    return _fitted(others * root[:, None], made.X[:, cause] * root, made.formula)


def _fitted(X: Floats, y: Floats, formula: str) -> _Fitted:
    n, k = X.shape
    coefficients, _, rank, _ = np.linalg.lstsq(X, y, rcond=None)
    if rank < k or n <= k:
        raise EstimateError(
            f"'{formula}' has {k} columns, {k - rank} of which follow from the others, and {n} rows; "
            "leave columns out until each tells something of its own."
        )
    residuals = y - X @ coefficients
    spread = np.diag(np.linalg.inv(X.T @ X))
    se = np.sqrt(spread * (residuals @ residuals) / (n - k))
    return _Fitted(np.asarray(coefficients, dtype=np.float64), np.asarray(se), float(n - k))


def _benchmark(
    covariate: str, k: float, effect: tuple[float, float, float], of_cause: float, of_outcome: float
) -> Benchmark:
    """Bounds of section 4.4 of Cinelli and Hazlett for a confounder k times as strong as the covariate."""
    estimate, se, df = effect
    with_cause = k * of_cause / (1 - of_cause)
    shared = k * of_cause**2 / ((1 - k * of_cause) * (1 - of_cause)) if k * of_cause < 1 else math.nan
    if not (with_cause < 1 and shared < 1):
        return Benchmark(covariate, float(k), *[math.nan] * 7)
    implied = (
        ((math.sqrt(k) + math.sqrt(shared)) / math.sqrt(1 - shared)) ** 2 * of_outcome / (1 - of_outcome)
    )
    with_outcome = min(implied, 1.0)
    bias = se * math.sqrt(df * with_outcome * with_cause / (1 - with_cause))
    adjusted = math.copysign(1, estimate) * (abs(estimate) - bias)
    if with_outcome == 1:
        # nothing of the outcome is left: the estimate has a bound, its doubt none
        return Benchmark(covariate, float(k), with_cause, 1.0, adjusted, *[math.nan] * 4)
    adjusted_se = se * math.sqrt((1 - with_outcome) / (1 - with_cause) * df / (df - 1))
    reach = float(stats.t.ppf(0.975, df - 1)) * adjusted_se
    return Benchmark(
        covariate, float(k), with_cause, with_outcome, adjusted, adjusted_se, adjusted / adjusted_se,
        adjusted - reach, adjusted + reach,
    )  # fmt: skip
