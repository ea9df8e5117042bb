"""Factors turned so that each is told by few items: varimax, promax, oblimin.

Kaiser (1958, Psychometrika 23); Hendrickson and White (1964); Jennrich (2002, Psychometrika 67) for the
gradient projection of oblimin. R: `varimax` and `promax(m = 4)` of stats, `GPArotation::oblimin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from cbresearch.errors import EstimateError
from cbresearch.measure.correlations import expect
from cbresearch.sampling.design import Floats

Rotation = Literal["none", "varimax", "promax", "oblimin"]
STEPS = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class Rotated:
    """Pattern `loadings` (items x factors), the most explaining factor first, and the factors' correlations `phi`."""

    loadings: Floats
    phi: Floats


def rotate(loadings: Floats, rotation: Rotation = "oblimin") -> Rotated:
    """Turn factors by name; a single factor stays as it is.

    Varimax, and promax after it, with Kaiser's normalisation; oblimin (quartimin) without, from the loadings as
    they come, as R has them. EstimateError for an unknown rotation, or a search that does not settle.
    """
    expect("rotation", rotation, get_args(Rotation))
    L = np.asarray(loadings, dtype=np.float64)
    q = L.shape[1]
    if rotation == "none" or q == 1:
        return _ordered(L, np.eye(q))
    if rotation == "varimax":
        return _ordered(_varimax(L), np.eye(q))
    return _ordered(*(_promax(_varimax(L)) if rotation == "promax" else _oblimin(L)))


def _ordered(L: Floats, phi: Floats) -> Rotated:
    explained = np.diag(phi @ L.T @ L)
    order = np.argsort(-explained, kind="stable")
    sign = np.where(L[:, order].sum(axis=0) < 0, -1.0, 1.0)
    return Rotated(L[:, order] * sign, phi[np.ix_(order, order)] * np.outer(sign, sign))


def _varimax(L: Floats) -> Floats:
    """With Kaiser's normalisation: every item counts alike, however much of it is explained."""
    size = np.sqrt((L**2).sum(axis=1, keepdims=True))
    # an item that no factor explains has no direction
    X = L / np.where(size > 0, size, 1.0)
    T, last = np.eye(L.shape[1]), 0.0
    for _ in range(STEPS):
        Z = X @ T
        target = X.T @ (Z**3 - Z * (Z**2).mean(axis=0))
        U, spread, V = np.linalg.svd(target)
        T = U @ V
        if abs(spread.sum() - last) < 1e-14 * spread.sum():
            return np.asarray(X @ T * size)
        last = float(spread.sum())
    raise EstimateError("Varimax did not settle; take fewer factors.")


def _promax(L: Floats, power: int = 4) -> tuple[Floats, Floats]:
    target = L * np.abs(L) ** (power - 1)
    U = np.linalg.lstsq(L, target, rcond=None)[0]
    U = U * np.sqrt(np.diag(np.linalg.inv(U.T @ U)))
    return np.asarray(L @ U), np.asarray(np.linalg.inv(U.T @ U))


def _oblimin(L: Floats) -> tuple[Floats, Floats]:
    """Quartimin (oblimin with gamma 0) by gradient projection."""
    T, step = np.eye(L.shape[1]), 1.0
    others = 1 - np.eye(L.shape[1])

    def judge(T: Floats) -> tuple[float, Floats, Floats]:
        inverse = np.linalg.inv(T)
        turned = L @ inverse.T
        crossed = turned**2 @ others
        slope = -(turned.T @ (turned * crossed) @ inverse).T
        return float((turned**2 * crossed).sum() / 4), slope, turned

    value, slope, turned = judge(T)
    for _ in range(STEPS):
        projected = slope - T * (T * slope).sum(axis=0)
        size = float(np.sqrt((projected**2).sum()))
        if size < 1e-6:
            return turned, np.asarray(T.T @ T)
        step *= 2
        for _ in range(40):
            moved = T - step * projected
            moved = moved / np.sqrt((moved**2).sum(axis=0))
            candidate = judge(moved)
            if value - candidate[0] > 0.5 * size**2 * step:
                break
            step /= 2
        T, (value, slope, turned) = moved, candidate
    raise EstimateError("Oblimin did not settle; take fewer factors, or varimax.")
