"""The largest normal likelihood of a measurement model, by Fisher scoring with halved steps.

R: lavaan's `cfa(..., likelihood = "normal")`: covariances divided by n, chi-square n times the discrepancy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from cbresearch.errors import EstimateError
from cbresearch.measure.confirmatory.structure import Structure
from cbresearch.sampling.design import Floats

STEPS = 300


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """One group: n, means (k), covariances divided by n (k x k)."""

    n: float
    mean: Floats
    covariance: Floats


@dataclass(frozen=True, slots=True)
class Fit:
    """How well a model fits. RMSEA with its 90 % interval; SRMR of covariances (of means too, where modelled)."""

    chi2: float
    df: int
    p: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float
    log_likelihood: float
    aic: float
    bic: float
    n: float
    parameters: int


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """The parameters, their covariance by expected information, and the fit."""

    theta: Floats
    covariance: Floats
    fit: Fit


def solve(model: Structure, groups: list[Moments]) -> Solution:
    """EstimateError where the search does not settle or the model has more parameters than the data have moments."""
    k = len(model.owner)
    moments = len(groups) * (k * (k + 1) // 2 + (k if model.has_means else 0))
    if len(model.keys) > moments:
        raise EstimateError(f"{len(model.keys)} parameters and {moments} moments; a factor needs three items, or two where factors are correlated.")  # fmt: skip
    theta = _start(model, groups)
    value, slope, information = _judged(model, groups, theta)
    for _ in range(STEPS):
        try:
            step = np.linalg.solve(information, -slope)
        except np.linalg.LinAlgError:
            break
        size = 1.0
        while size > 1e-8:
            moved = theta + size * step
            found = _judged(model, groups, moved)
            if found[0] <= value - 1e-4 * size * float(-slope @ step):
                break
            size /= 2
        else:
            break
        theta, (value, slope, information) = moved, found
        if float(slope @ np.linalg.solve(information, slope)) < 1e-16:
            break
    if not math.isfinite(value) or float(slope @ np.linalg.pinv(information) @ slope) > 1e-9:
        raise EstimateError("The confirmatory model did not settle: items of one factor may hardly be related. Look at their correlations, or take fewer factors.")  # fmt: skip
    n = sum(one.n for one in groups)
    return Solution(
        theta,
        np.asarray(np.linalg.inv(information) / n * 2, dtype=np.float64),
        _fit(model, groups, theta, value),
    )


def _judged(model: Structure, groups: list[Moments], theta: Floats) -> tuple[float, Floats, Floats]:
    """The discrepancy F, its slope and (expected) curvature; infinite where an implied covariance is none."""
    P, whole = len(theta), sum(one.n for one in groups)
    value, slope, information = 0.0, np.zeros(P), np.zeros((P, P))
    for g, one in enumerate(groups):
        mu, sigma, d_mu, d_sigma = model.implied(theta, g)
        values = np.linalg.eigvalsh(sigma)
        if values[0] <= 1e-10 * values[-1]:
            return math.inf, slope, np.eye(P)
        inverse = np.linalg.inv(sigma)
        away = one.mean - mu if model.has_means else np.zeros(len(mu))
        S = one.covariance + np.outer(away, away)
        share = one.n / whole
        value += share * (
            float(np.log(values).sum()) + float((S * inverse).sum()) - float(np.linalg.slogdet(one.covariance)[1]) - len(mu)
        )  # fmt: skip
        W = inverse @ (sigma - S) @ inverse
        slope += share * (np.einsum("ab,pab->p", W, d_sigma) - 2 * d_mu @ inverse @ away)
        turned = inverse @ d_sigma
        flat = turned.reshape(P, -1)
        information += share * (
            flat @ turned.transpose(0, 2, 1).reshape(P, -1).T + 2 * d_mu @ inverse @ d_mu.T
        )
    return value, slope, information


def _start(model: Structure, groups: list[Moments]) -> Floats:
    """Loadings of 1, half of every variance common, a tenth between factors, intercepts at the means."""
    theta = np.zeros(len(model.keys))
    for e in model.entries:
        one = groups[e.group]
        if e.matrix == "L":
            theta[e.at] = math.sqrt(
                one.covariance[e.i, e.i] / one.covariance[model.markers[e.j], model.markers[e.j]]
            )
        elif e.matrix == "Psi":
            theta[e.at] = 0.5 * one.covariance[e.i, e.i]
        elif e.matrix == "Phi":
            variance = [0.5 * one.covariance[model.markers[x], model.markers[x]] for x in (e.i, e.j)]
            theta[e.at] = variance[0] if e.i == e.j else 0.1 * math.sqrt(variance[0] * variance[1])
        elif e.matrix == "nu":
            theta[e.at] = groups[0].mean[e.i]
    return theta


def _fit(model: Structure, groups: list[Moments], theta: Floats, F: float) -> Fit:
    G, k, n = len(groups), len(model.owner), sum(one.n for one in groups)
    chi2 = n * F
    df = G * (k * (k + 1) // 2 + (k if model.has_means else 0)) - len(theta)
    base = sum(one.n * (float(np.log(np.diag(one.covariance)).sum()) - float(np.linalg.slogdet(one.covariance)[1])) for one in groups)  # fmt: skip
    base_df = G * k * (k - 1) // 2
    lack, base_lack = max(chi2 - df, 0.0), max(base - base_df, chi2 - df, 0.0)
    cfi = 1 - lack / base_lack if base_lack > 0 else 1.0
    tli = (base / base_df - chi2 / df) / (base / base_df - 1) if df else 1.0
    saturated = sum(-one.n / 2 * (k * math.log(2 * math.pi) + float(np.linalg.slogdet(one.covariance)[1]) + k) for one in groups)  # fmt: skip
    log_likelihood = saturated - chi2 / 2
    # the means count among the parameters where they are not modelled, as they are estimated all the same
    parameters = len(theta)
    low, high = _rmsea_ends(chi2, df, n, G)
    return Fit(
        chi2, df, float(stats.chi2.sf(chi2, df)) if df else math.nan, cfi, tli,
        math.sqrt(lack / (df * n)) * math.sqrt(G) if df else 0.0, low, high, _srmr(model, groups, theta),
        log_likelihood, 2 * parameters - 2 * log_likelihood, parameters * math.log(n) - 2 * log_likelihood, n, parameters,
    )  # fmt: skip


def _rmsea_ends(chi2: float, df: int, n: float, G: int) -> tuple[float, float]:
    if not df:
        return 0.0, 0.0
    ends = []
    for share in (0.95, 0.05):

        def gap(away: float, share: float = share) -> float:
            return float(stats.ncx2.cdf(chi2, df, away)) - share

        top = max(2 * chi2, 10.0)
        while gap(top) > 0:
            top *= 2
        ends.append(float(optimize.brentq(gap, 1e-12, top, xtol=1e-10)) if gap(1e-12) > 0 else 0.0)
    low, high = (math.sqrt(end / (df * n)) * math.sqrt(G) for end in ends)
    return low, high


def _srmr(model: Structure, groups: list[Moments], theta: Floats) -> float:
    """Weighted over groups: the root of the mean squared residual correlation, the diagonal included."""
    total, whole = 0.0, sum(one.n for one in groups)
    for g, one in enumerate(groups):
        mu, sigma, _, _ = model.implied(theta, g)
        sd = np.sqrt(np.diag(one.covariance))
        left = ((one.covariance - sigma) / np.outer(sd, sd))[np.tril_indices(len(sd))]
        parts = [left**2] + ([((one.mean - mu) / sd) ** 2] if model.has_means else [])
        total += one.n / whole * math.sqrt(float(np.concatenate(parts).mean()))
    return total
