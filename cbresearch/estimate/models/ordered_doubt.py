"""How sure coefficients of a likelihood are: from the model, from rows, or from clusters, few of them included.

CR2 is Bell and McCaffrey's (2002, Survey Methodology 28) unbiased sandwich, written in scores. With A the
information, A_g and s_g what cluster g adds to it and to the slope, A = LL' and N_g = L^-1 A_g L'^-1,

    V = L'^-1 [sum_g F_g z_g z_g' F_g] L^-1,   z_g = L^-1 s_g,   F_g = (I - N_g)^(-1/2).

For least squares this is CR2 exactly (clubSandwich's default); for another likelihood it is CR2 of the linear
model that Newton's last step solves. Satterthwaite's df come from the same pieces.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints

Variance = Literal["auto", "model", "rows", "CR0", "CR1", "CR2"]
Kind = Literal["model", "rows", "CR0", "CR1", "CR2"]
ONLY = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class Pieces:
    """L^-1 (p x p), the G matrices F_g and N_g, and the directions (m x p, after L^-1) that one cluster alone tells."""

    root: Floats
    F: Floats
    N: Floats
    alone: Floats

    def satterthwaite(self, contrast: Floats) -> float:
        """(sum_i P_ii)² / sum_ij P_ij² with P_ij = [i=j] r_i'N_i r_i - (N_i r_i)'(N_j r_j), r_i = F_i L^-1 c.

        NaN where a single cluster tells part of the combination: it says nothing of how clusters differ there.
        """
        c = self.root @ contrast
        if (np.abs(self.alone @ c) > ONLY * np.sqrt(c @ c)).any():
            return math.nan
        r = self.F @ c
        t = np.einsum("gab,gb->ga", self.N, r)
        own, shared = (r * t).sum(axis=1), (t * t).sum(axis=1)
        squares = (own**2).sum() - 2 * (own * shared).sum() + ((t.T @ t) ** 2).sum()
        return float((own - shared).sum() ** 2 / squares)


@dataclass(frozen=True, slots=True, eq=False)
class Doubt:
    """The covariance (p x p) of p parameters and `kind`, how it was had; `clusters` is None where rows are apart."""

    kind: Kind
    covariance: Floats
    clusters: int | None
    pieces: Pieces | None = None
    """Of CR2 only."""

    def df(self, contrasts: Floats) -> Floats:
        """The degrees of freedom of each of q x p combinations: infinite, G - 1, or Satterthwaite's."""
        if self.pieces is not None:
            return np.array([self.pieces.satterthwaite(c) for c in contrasts])
        return np.full(len(contrasts), math.inf if self.clusters is None else self.clusters - 1.0)

    def se(self, contrasts: Floats) -> Floats:
        """The standard error of each of q x p combinations; NaN for one that rests on a single cluster."""
        se = np.sqrt(np.maximum(np.einsum("qa,ab,qb->q", contrasts, self.covariance, contrasts), 0.0))
        return np.asarray(np.where(np.isnan(self.df(contrasts)), np.nan, se))

    @property
    def method(self) -> str:
        return {
            "model": "variance from the model",
            "rows": "sandwich variance over rows (HC1), normal",
            "CR0": f"sandwich variance over {self.clusters} clusters (CR0), t on one less",
            "CR1": f"sandwich variance over {self.clusters} clusters (CR1), t on one less",
            "CR2": f"sandwich variance over {self.clusters} clusters (CR2), Satterthwaite degrees of freedom",
        }[self.kind]


def kind_of(variance: Variance, *, weighted: bool, clustered: bool) -> Kind:
    """The kind that "auto" stands for; EstimateError for one that the data cannot give."""
    if variance not in get_args(Variance):
        known = ", ".join(f"'{one}'" for one in get_args(Variance))
        raise EstimateError(f"variance={variance!r}: no such variance; expected one of {known}.")
    if variance in ("CR0", "CR1", "CR2") and not clustered:
        raise EstimateError(f"variance='{variance}' is between clusters; name their column in cluster=.")
    if variance in ("model", "rows") and clustered:
        raise EstimateError(f"variance='{variance}' takes rows to be independent; leave cluster= out, or ask for 'CR2'.")  # fmt: skip
    if variance != "auto":
        return variance
    return "CR2" if clustered else "rows" if weighted else "model"


def from_model(information: Floats) -> Doubt:
    """The inverse of the information: right where rows are independent and the model holds."""
    return Doubt("model", np.asarray(np.linalg.inv(information), dtype=np.float64), None)


def from_rows(information: Floats, scores: Floats) -> Doubt:
    """The sandwich over n rows, times n/(n - 1)."""
    n, bread = len(scores), np.linalg.inv(information)
    return Doubt("rows", np.asarray(bread @ (scores.T @ scores) @ bread * n / (n - 1)), None)


def from_clusters(kind: Kind, information: Floats, scores: Floats, by_cluster: Floats | None) -> Doubt:
    """The sandwich over clusters, from G x p summed scores; CR2 needs their G x p x p information as well."""
    G = len(scores)
    if G < 2:
        raise EstimateError(f"{G} cluster; a variance between clusters needs at least two.")
    if by_cluster is None:
        bread = np.linalg.inv(information) @ scores.T
        return Doubt(kind, np.asarray(bread @ bread.T) * (G / (G - 1) if kind == "CR1" else 1.0), G)
    root = np.linalg.inv(np.linalg.cholesky(information))
    values, vectors = np.linalg.eigh(root @ by_cluster @ root.T)
    lonely = values > 1 - 1e-10
    left = np.where(lonely, np.inf, 1 - values)
    turned = np.swapaxes(vectors, 1, 2)
    F, N = (vectors / np.sqrt(left)[:, None, :]) @ turned, (vectors * values[:, None, :]) @ turned
    adjusted = np.einsum("gab,gb->ga", F, scores @ root.T) @ root
    return Doubt(kind, np.asarray(adjusted.T @ adjusted), G, Pieces(root, F, N, turned[lonely]))


def summed(scores: Floats, groups: Ints) -> Floats:
    """n x p scores summed by group, G x p."""
    G = int(groups.max()) + 1
    return np.column_stack([np.bincount(groups, weights=column, minlength=G) for column in scores.T])


def carried(doubt: Doubt, J: Floats) -> Doubt:
    """The doubt of J times the parameters (J p x p)."""
    pieces = None if doubt.pieces is None else replace(doubt.pieces, root=doubt.pieces.root @ J.T)
    return Doubt(doubt.kind, np.asarray(J @ doubt.covariance @ J.T), doubt.clusters, pieces)
