"""A measurement model of one or several groups as numbers: which entries of its matrices are free, which shared.

Sigma = L Phi L' + Psi and mu = nu + L kappa in each group (Jöreskog 1971, Psychometrika 36). Every free entry
is one parameter; entries with the same key are the same parameter.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cbresearch.sampling.design import Floats

LEVELS = ("configural", "metric", "scalar", "strict")


@dataclass(frozen=True, slots=True)
class Entry:
    """Parameter `at` fills matrix "L", "Phi", "Psi", "nu" or "kappa" of a group at row i, column j."""

    group: int
    matrix: str
    i: int
    j: int
    at: int


@dataclass(frozen=True, slots=True, eq=False)
class Structure:
    """k items, f factors, G groups; `owner[i]` is the factor of item i, `markers` the item of each fixed at 1."""

    owner: tuple[int, ...]
    markers: tuple[int, ...]
    groups: int
    entries: tuple[Entry, ...]
    keys: tuple[Hashable, ...]
    has_means: bool

    @property
    def factors(self) -> int:
        return len(self.markers)

    def matrices(self, theta: Floats, group: int) -> dict[str, Floats]:
        k, f = len(self.owner), self.factors
        made = {
            "L": np.zeros((k, f)),
            "Phi": np.zeros((f, f)),
            "Psi": np.zeros((k, k)),
            "nu": np.zeros((k, 1)),
            "kappa": np.zeros((f, 1)),
        }
        for factor, item in enumerate(self.markers):
            made["L"][item, factor] = 1.0
        for entry in self.entries:
            if entry.group == group:
                made[entry.matrix][entry.i, entry.j] = theta[entry.at]
                if entry.matrix == "Phi":
                    made["Phi"][entry.j, entry.i] = theta[entry.at]
        return made

    def implied(self, theta: Floats, group: int) -> tuple[Floats, Floats, Floats, Floats]:
        """mu (k), Sigma (k x k), with their slopes in every parameter (P x k, P x k x k)."""
        m = self.matrices(theta, group)
        L, Phi, kappa = m["L"], m["Phi"], m["kappa"][:, 0]
        P, k = len(theta), len(self.owner)
        d_sigma, d_mu = np.zeros((P, k, k)), np.zeros((P, k))
        LPhi = L @ Phi
        for e in (e for e in self.entries if e.group == group):
            match e.matrix:
                case "L":
                    d_sigma[e.at, e.i] += LPhi[:, e.j]
                    d_sigma[e.at, :, e.i] += LPhi[:, e.j]
                    d_mu[e.at, e.i] += kappa[e.j]
                case "Phi":
                    both = np.outer(L[:, e.i], L[:, e.j])
                    d_sigma[e.at] += both if e.i == e.j else both + both.T
                case "Psi":
                    d_sigma[e.at, e.i, e.i] += 1.0
                case "nu":
                    d_mu[e.at, e.i] += 1.0
                case _:
                    d_mu[e.at] += L[:, e.i]
        return m["nu"][:, 0] + L @ kappa, LPhi @ L.T + m["Psi"], d_mu, d_sigma


def structure(
    owner: Sequence[int],
    groups: int = 1,
    level: str = "configural",
    *,
    free: Mapping[str, Sequence[int]] | None = None,
) -> Structure:
    """The model of simple structure: each item on its own factor, factors correlated, the first item of each the marker.

    With several groups `level` says what they share: "metric" loadings, "scalar" intercepts too, "strict"
    residual variances too. `free` names items whose "nu" or "L" are each group's own all the same.
    """
    f = max(owner) + 1
    markers = tuple(next(i for i, o in enumerate(owner) if o == factor) for factor in range(f))
    shared = LEVELS.index(level)
    own = {name: set(items) for name, items in (free or {}).items()}
    keys: dict[Hashable, int] = {}
    entries: list[Entry] = []

    def add(group: int, matrix: str, i: int, j: int, *, alike: bool) -> None:
        key = (matrix, i, j) if alike else (matrix, i, j, group)
        entries.append(Entry(group, matrix, i, j, keys.setdefault(key, len(keys))))

    for g in range(groups):
        for i, o in enumerate(owner):
            if i not in markers:
                add(g, "L", i, o, alike=shared >= 1 and i not in own.get("L", ()))
            add(g, "Psi", i, i, alike=shared >= 3)
            if groups > 1:
                add(g, "nu", i, 0, alike=shared >= 2 and i not in own.get("nu", ()))
        for a in range(f):
            for b in range(a + 1):
                add(g, "Phi", a, b, alike=False)
            if groups > 1 and shared >= 2 and g > 0:
                add(g, "kappa", a, 0, alike=False)
    return Structure(tuple(owner), markers, groups, tuple(entries), tuple(keys), groups > 1)
