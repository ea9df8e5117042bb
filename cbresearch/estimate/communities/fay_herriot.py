"""Communities steadied: what each one's own few answers say, drawn towards what its like have.

Fay and Herriot (1979, JASA 74); mean squared error by Prasad and Rao (1990, JASA 85), Datta and Lahiri (2000,
Statistica Sinica 10). R: `sae::mseFH`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from scipy import optimize, stats

from cbresearch.errors import EstimateError
from cbresearch.records import Text
from cbresearch.sampling.design import Floats, numbers, require

Method = Literal["REML", "ML"]


@dataclass(frozen=True, slots=True)
class Steadied:
    """One area: its direct estimate with its error, the shrunken one with its root mean squared error.

    `weight` (gamma, 0-1) is how much of the shrunken estimate is the area's own.
    """

    area: str
    direct: float
    se: float
    shrunken: float
    rmse: float
    weight: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class FayHerriot:
    """Every area, the variance between areas that regressors leave, the coefficients; `note` where it is zero."""

    areas: tuple[Steadied, ...]
    variance: float
    coefficients: Floats
    method: Method
    note: Text | None

    @property
    def table(self) -> pd.DataFrame:
        """A row per area: area, direct, se, shrunken, rmse, weight, low, high."""
        return pd.DataFrame([{name: getattr(a, name) for name in Steadied.__slots__} for a in self.areas])


def fay_herriot(
    frame: pd.DataFrame, *, estimate: str, se: str, area: str, regressors: Sequence[str] = (),
    method: Method = "REML",
) -> FayHerriot:  # fmt: skip
    """Shrunken estimates of areas, a row each, from direct estimates with known standard errors.

    Each is drawn towards the mean of all areas, or towards what `regressors` (numeric columns) say of it. The
    interval is shrunken ± 1.96 rmse. A variance between areas of zero draws every area all the way; that is a
    result, told in `note`. EstimateError for missing values, standard errors of zero, or fewer areas than
    coefficients and one more.
    """
    _refuse(frame, estimate, se, area, regressors, method)
    y, D = numbers(frame, estimate), numbers(frame, se) ** 2
    X = np.column_stack([np.ones(len(frame)), *(numbers(frame, name) for name in regressors)])
    A = _variance(y, D, X, method)
    V = A + D
    Q = np.asarray(np.linalg.inv((X / V[:, None]).T @ X), dtype=np.float64)
    b = Q @ (X.T @ (y / V))
    gamma = A / V
    shrunken = X @ b + gamma * (y - X @ b)
    mse = _mse(A, D, X, Q, method)
    reach = float(stats.norm.ppf(0.975)) * np.sqrt(mse)
    areas = tuple(
        Steadied(
            str(frame[area].iloc[i]), float(y[i]), math.sqrt(D[i]), float(shrunken[i]), math.sqrt(mse[i]),
            float(gamma[i]), float(shrunken[i] - reach[i]), float(shrunken[i] + reach[i]),
        )
        for i in range(len(y))
    )  # fmt: skip
    return FayHerriot(areas, A, np.asarray(b), method, ALIKE if A == 0 else None)


def benchmarked(found: FayHerriot, people: Floats, whole: float) -> FayHerriot:
    """The same estimates moved alike, so that their mean weighted by `people` is the district's `whole`.

    Areas keep their distances; the root mean squared errors gain the square of the move. EstimateError for
    numbers of people that do not fit.
    """
    w = np.asarray(people, dtype=np.float64)
    if len(w) != len(found.areas) or not (w > 0).all():
        raise EstimateError(
            f"{len(w)} numbers of people for {len(found.areas)} areas; expected a positive one for each."
        )
    shrunken = np.array([one.shrunken for one in found.areas])
    move = whole - float(w @ shrunken / w.sum())
    moved = []
    for one in found.areas:
        rmse = math.hypot(one.rmse, move)
        reach = float(stats.norm.ppf(0.975)) * rmse
        value = one.shrunken + move
        moved.append(
            Steadied(one.area, one.direct, one.se, value, rmse, one.weight, value - reach, value + reach)
        )
    return FayHerriot(tuple(moved), found.variance, found.coefficients, found.method, found.note)


ALIKE = Text(
    "各社区之间没有超出抽样误差的差别，所有社区都收缩到同一水平。",
    "Areas differ no more than sampling would have it, so all are drawn to the same level.",
)


def _variance(y: Floats, D: Floats, X: Floats, method: Method) -> float:
    """The variance between areas at the largest (restricted) likelihood, 0 where nothing larger is likelier."""

    def lack(A: float) -> float:
        V = A + D
        information = (X / V[:, None]).T @ X
        left = y - X @ np.linalg.solve(information, X.T @ (y / V))
        penalty = float(np.linalg.slogdet(information)[1]) if method == "REML" else 0.0
        return float(np.log(V).sum()) + penalty + float((left**2 / V).sum())

    top = 4 * float(np.var(y)) + float(D.max())
    grid = np.concatenate([[0.0], np.geomspace(1e-6 * top, top, 60)])
    values = np.array([lack(A) for A in grid])
    i = int(values.argmin())
    bounds = (grid[max(i - 1, 0)], grid[min(i + 1, len(grid) - 1)])
    A = float(
        optimize.minimize_scalar(lack, bounds=bounds, method="bounded", options={"xatol": 1e-13 * top}).x
    )
    if lack(A) >= values[0] - 1e-12:
        return 0.0
    return _scored(A, y, D, X, method)


def _scored(A: float, y: Floats, D: Floats, X: Floats, method: Method) -> float:
    """Fisher scoring from a point already close."""
    for _ in range(100):
        V = A + D
        Q = np.linalg.inv((X / V[:, None]).T @ X)
        left = y - X @ (Q @ (X.T @ (y / V)))
        P = np.diag(1 / V) - (X / V[:, None]) @ Q @ (X / V[:, None]).T
        slope = float((left**2 / V**2).sum()) - (
            float(np.trace(P)) if method == "REML" else float((1 / V).sum())
        )
        information = float((P * P).sum()) if method == "REML" else float((1 / V**2).sum())
        step = slope / information
        A = max(A + step, 0.0)
        if abs(step) < 1e-14 * max(A, 1e-12):
            break
    return A


def _mse(A: float, D: Floats, X: Floats, Q: Floats, method: Method) -> Floats:
    """g1 + g2 + 2 g3; for ML less the bias of the variance."""
    V = A + D
    gamma = A / V
    spread = 2 / float((1 / V**2).sum())
    g1, g3 = gamma * D, D**2 / V**3 * spread
    g2 = (1 - gamma) ** 2 * np.einsum("ia,ab,ib->i", X, Q, X)
    bias = 0.0
    if method == "ML":
        bias = -float(np.trace(Q @ (X / V[:, None] ** 2).T @ X)) / float((1 / V**2).sum())
    return np.asarray(g1 + g2 + 2 * g3 - bias * (D / V) ** 2)


def _refuse(
    frame: pd.DataFrame, estimate: str, se: str, area: str, regressors: Sequence[str], method: Method
) -> None:
    require(frame, [estimate, se, area, *regressors])
    faults = []
    if method not in get_args(Method):
        faults.append(f"method = '{method}'; expected one of {', '.join(get_args(Method))}")
    for column in (estimate, se, *regressors):
        if empty := int((~np.isfinite(numbers(frame, column))).sum()):
            faults.append(f"'{column}' is missing in {empty} of {len(frame)} areas; leave those out first")
    if (numbers(frame, se) <= 0).any():
        faults.append(f"'{se}' is 0 or less in some areas; an estimate without error cannot be shrunk")
    if frame[area].duplicated().any():
        faults.append(f"'{area}' names an area twice; expected a row for each")
    if len(frame) < len(regressors) + 3:
        faults.append(
            f"{len(frame)} areas for {len(regressors)} regressors; expected at least {len(regressors) + 3}"
        )
    if faults:
        raise EstimateError(
            "These estimates cannot be shrunk:\n" + "\n".join(f"  - {fault}" for fault in faults)
        )
