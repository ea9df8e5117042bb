"""Where the likelihood of a mixed model is largest, with variances of exactly zero where nothing is likelier.

A random intercept is one bounded search. A slope is sought by Nelder-Mead from three starts, on the edge where
intercepts and slopes move as one, and at no variance at all; the simplest that is not worse is kept.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import optimize

from cbresearch.errors import EstimateError
from cbresearch.estimate.models.mixed_likelihood import Method, Products, deviance, factor
from cbresearch.sampling.design import Floats

Judge = Callable[[Floats], float]
SMALLEST = 1e-4
"""Below this relative standard deviation an effect is no effect."""
NOT_WORSE = 1e-8


def fitted(made: Products, method: Method) -> Floats:
    """theta of the least deviance: (intercept), or (intercept, covariance, slope) with slope 0 on the edge.

    EstimateError where the search does not settle, or nothing is left to vary inside groups.
    """

    def judge(theta: Floats) -> float:
        return deviance(made, factor(theta), method)

    if made.zz.shape[1] == 1:
        return _intercept(judge)
    return _slope(judge)


def _intercept(judge: Judge) -> Floats:
    grid = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 60)])
    values = np.array([judge(np.array([t])) for t in grid])
    i = int(values.argmin())
    if i == len(grid) - 1:
        raise EstimateError(
            "The outcome hardly varies inside groups (less than a thousandth of what it does between them), "
            "so there is no residual variance; compare the groups' means instead."
        )
    found = optimize.minimize_scalar(
        lambda t: judge(np.array([t])), bounds=(grid[max(i - 1, 0)], grid[i + 1]), method="bounded", options={"xatol": 1e-9},
    )  # fmt: skip
    theta = np.array([float(found.x)])
    if theta[0] < SMALLEST or judge(theta) >= values[0] - NOT_WORSE:
        return np.zeros(1)
    return _polished(judge, theta)


def _slope(judge: Judge) -> Floats:
    def on_edge(line: Floats) -> float:
        return judge(np.append(line, 0.0))

    alone = _intercept(lambda t: judge(np.array([t[0], 0.0, 0.0])))[0]
    starts = [np.array([max(alone, 0.1), 0.0, size]) for size in (0.05, 0.3, 1.5)]
    start = min((_simplex(judge, one, 1e-2) for one in starts), key=judge)
    best = _simplex(judge, start, 1e-5)
    L = factor(best)
    sizes, vectors = np.linalg.eigh(L @ L.T)
    edge = _simplex(on_edge, vectors[:, 1] * np.sqrt(sizes[1]), 1e-7)
    least = min(judge(best), on_edge(edge)) + NOT_WORSE
    if judge(np.zeros(3)) <= least:
        return np.zeros(3)
    if min(abs(best[0]), abs(best[2])) < SMALLEST or on_edge(edge) <= least:
        return np.append(_turned(_polished(on_edge, edge)), 0.0)
    return _turned(_polished(judge, best))


def _turned(theta: Floats) -> Floats:
    """The same covariance with a first element (and a slope's own) that is not negative."""
    found = theta.copy()
    found[:2] *= np.copysign(1, theta[0])
    found[2:] = np.abs(theta[2:])
    return found


def _simplex(judge: Judge, start: Floats, close: float) -> Floats:
    step = 0.5 * np.maximum(np.abs(start), 0.1 * np.abs(start).max()) + 1e-6
    found = optimize.minimize(
        judge, start, method="Nelder-Mead",
        options={
            "initial_simplex": np.vstack([start, start + np.diag(step)]),
            "xatol": close, "fatol": close, "maxiter": 2_000,
        },
    )  # fmt: skip
    if not found.success:
        raise EstimateError(f"The variances of the mixed model did not settle ({found.message}); {ADVICE}.")
    return np.asarray(found.x, dtype=np.float64)


ADVICE = "leave the random slope out, or look for groups far from all others"


def _polished(judge: Judge, theta: Floats) -> Floats:
    """Newton steps from a point already close; EstimateError where the slope does not come to nothing."""
    for _ in range(12):
        slope, bend = derivatives(judge, theta)
        if np.linalg.eigvalsh(bend)[0] <= 0:
            break
        step: Floats = np.asarray(np.linalg.solve(bend, slope), dtype=np.float64)
        # what the deviance would still gain, in its own units; far below what is visible in a variance
        if (gain := float(slope @ step)) < 1e-12:
            return np.asarray(theta - step)
        if gain < 1e-5 and judge(theta - step) >= judge(theta):
            return theta
        theta = theta - _short(judge, theta, step)
    raise EstimateError(f"The variances of the mixed model did not settle at a largest likelihood; {ADVICE}.")


def _short(judge: Judge, theta: Floats, step: Floats) -> Floats:
    """The step, halved until the deviance falls."""
    for _ in range(30):
        if judge(theta - step) <= judge(theta):
            break
        step = step / 2
    return step


def steps(judge: Judge, at: Floats) -> Floats:
    """How far to go in each direction for derivatives: where the deviance rises by about 0.002.

    A share of the parameter would be lost in rounding for 200,000 rows, and too far for a small variance.
    """
    centre = judge(at)
    h = 1e-2 * np.maximum(np.abs(at), 1e-2)
    for i, e in enumerate(np.eye(len(at))):
        for _ in range(3):
            bend = judge(at + h[i] * e) + judge(at - h[i] * e) - 2 * centre
            h[i] *= np.clip(np.sqrt(0.002 / max(bend, 1e-9)), 0.02, 50)
            # sigma and a single variance may not cross zero
            h[i] = min(h[i], 0.3 * max(abs(at[i]), 0.1 * np.abs(at).max()))
    return h


def derivatives(judge: Judge, at: Floats) -> tuple[Floats, Floats]:
    """Slope and second derivatives by central differences of the fourth order."""
    k, h = len(at), steps(judge, at)
    slope, bend = np.empty(k), np.empty((k, k))
    centre, unit = judge(at), np.diag(h)
    for i in range(k):
        f = [judge(at + s * unit[i]) for s in (-2, -1, 1, 2)]
        slope[i] = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h[i])
        bend[i, i] = (-f[0] + 16 * f[1] - 30 * centre + 16 * f[2] - f[3]) / (12 * h[i] ** 2)
        for j in range(i):
            near, far = (_crossed(judge, at, s * unit[i], s * unit[j]) / s**2 for s in (1, 2))
            bend[i, j] = bend[j, i] = (4 * near - far) / 3 / (h[i] * h[j])
    return slope, bend


def _crossed(judge: Judge, at: Floats, a: Floats, b: Floats) -> float:
    return (judge(at + a + b) - judge(at + a - b) - judge(at - a + b) + judge(at - a - b)) / 4
