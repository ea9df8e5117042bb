"""How replicates are made: from a design, or from the columns in which a file brings them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError, nearest
from cbresearch.sampling.design import Design, Floats, Sample, draw, numbers
from cbresearch.sampling.hadamard import hadamard
from cbresearch.sampling.replicates import Centre, Replicates

Kind = Literal["JK1", "JKn", "BRR", "bootstrap"]
MOST = 4_000_000
"""PSUs times replicates that are kept: 2,000 PSUs each left out, or 500 bootstrap draws of 8,000."""


def replicate(
    frame: pd.DataFrame, design: Design, kind: Kind, *, draws: int = 500, seed: int = 1, rho: float = 0.0,
    centre: Centre = "mean",
) -> Replicates:  # fmt: skip
    """Replicate weights of a frame from its design, by the PSUs of the first stage.

    - "JK1" leaves out each PSU in turn, without strata; "JKn" each PSU within its stratum. Both heed the
      `fpc` (R: `as.svrepdesign`).
    - "BRR" takes one of the two PSUs of every stratum, balanced by a Hadamard matrix, and keeps a share
      `rho` of the other (Fay; 0 to below 1).
    - "bootstrap" draws m - 1 of a stratum's m PSUs with replacement and rescales (Rao and Wu 1988), `draws`
      times from `seed`; the `fpc` shrinks the factors towards 1.

    `centre`: distances from the mean of the replicates as R has it, or from the "full" sample's answer.
    EstimateError, of all that is wrong at once, where the design has no such replicates.
    """
    faults = list(_faults(kind, draws, rho, centre))
    if faults:
        raise EstimateError("replicate() cannot be used so: " + "; ".join(faults) + ".")
    sample = draw(frame, design)
    _refuse_unfit(sample, design, kind, draws)
    if kind == "bootstrap":
        made = _bootstrap(sample, draws, np.random.default_rng(seed))
    else:
        made = _half_samples(sample, rho) if kind == "BRR" else _left_out(sample, kind)
    w = sample.weights
    return Replicates(made.note, frame.index, w, w, sample.psu, made.factors, made.scales, centre, sample.psu)


@dataclass(frozen=True, slots=True)
class ReplicateDesign:
    """Which columns of a file hold replicate weights that its makers computed.

    `weights` is the column of full weights, `columns` those of the replicates. `kind` sets the scale of the
    squared distances where `scale` does not: JK1 (R-1)/R, BRR 1/(R (1-rho)²), bootstrap 1/(R-1); JKn
    wants `rscales`, one per column, (m-1)/m of the stratum of the PSU left out. `combined`: the columns hold
    whole weights, not factors of the full ones. (R: `svrepdesign`, with `combined.weights`.)
    """

    weights: str
    columns: Sequence[str]
    kind: Kind
    scale: float | None = None
    rscales: Sequence[float] | None = None
    rho: float = 0.0
    combined: bool = True
    centre: Centre = "mean"


def given_replicates(frame: pd.DataFrame, design: ReplicateDesign) -> Replicates:
    """The replicates that the columns of `frame` hold; EstimateError lists everything that does not fit."""
    faults = [
        *_faults(design.kind, 2, design.rho, design.centre),
        *_faults_of_columns(frame, design),
        *_faults_of_scales(design),
    ]
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"The replicate design does not fit the frame:\n{listed}")
    r = len(design.columns)
    usual = {"JK1": (r - 1) / r, "JKn": 1.0, "BRR": 1 / (r * (1 - design.rho) ** 2), "bootstrap": 1 / (r - 1)}
    scale = usual[design.kind] if design.scale is None else design.scale
    each = np.ones(r) if design.rscales is None else np.asarray(design.rscales, dtype=np.float64)
    weights = numbers(frame, design.weights)
    columns = np.column_stack([numbers(frame, column) for column in design.columns])
    return Replicates(
        f"{design.kind} replicate weights of the file, {r} replicates", frame.index, weights,
        np.ones(len(frame)) if design.combined else weights, np.arange(len(frame)), columns, scale * each,
        design.centre, None,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class _Made:
    """P x R factors, the R scales of their squared distances, and how they were made."""

    factors: Floats
    scales: Floats
    note: str


def _left_out(sample: Sample, kind: Kind) -> _Made:
    """Each PSU's weight shared among the others of its stratum; a PSU certain to be drawn is never left out."""
    m, stratum = sample.psus_in_stratum, sample.stratum_of_psu
    out = np.flatnonzero((m[stratum] > 1) & (sample.not_drawn[stratum] > 0))
    raised = (m / np.maximum(m - 1, 1))[stratum[out]]
    factors = np.where(stratum[:, None] == stratum[out][None, :], raised, 1.0)
    factors[out, np.arange(len(out))] = 0.0
    return _Made(factors, sample.not_drawn[stratum[out]] / raised, f"jackknife {kind}, {len(out)} replicates")


def _half_samples(sample: Sample, rho: float) -> _Made:
    """2 - rho for the PSU of each stratum that a replicate takes, rho for the other."""
    signs = hadamard(sample.strata + 1)[1 : sample.strata + 1]
    _, first = np.unique(sample.stratum_of_psu, return_index=True)
    side = np.full(len(sample.stratum_of_psu), -1)
    side[first] = 1
    factors = np.where(side[:, None] * signs[sample.stratum_of_psu] > 0, 2 - rho, rho).astype(np.float64)
    count = factors.shape[1]
    note = f"balanced repeated replication, {count} half-samples" + (f", rho {rho:g}" if rho else "")
    return _Made(factors, np.full(count, 1 / (count * (1 - rho) ** 2)), note)


def _bootstrap(sample: Sample, draws: int, rng: np.random.Generator) -> _Made:
    """1 - k + k m/(m-1) times drawn, with k² the share of the stratum's PSUs that was not drawn."""
    factors = np.ones((len(sample.stratum_of_psu), draws))
    for h, m in enumerate(sample.psus_in_stratum):
        if m > 1:
            drawn = rng.multinomial(m - 1, np.full(m, 1 / m), size=draws).T
            k = np.sqrt(sample.not_drawn[h])
            factors[sample.stratum_of_psu == h] = 1 - k + k * m / (m - 1) * drawn
    return _Made(factors, np.full(draws, 1 / (draws - 1)), f"bootstrap of PSUs, {draws} draws")


def _faults(kind: str, draws: int, rho: float, centre: str) -> Iterator[str]:
    if kind not in get_args(Kind):
        near = nearest(kind, get_args(Kind))
        yield (
            f"no kind of replicates is called '{kind}'"
            + (f" (did you mean '{near}'?)" if near else "")
            + (f"; expected one of {', '.join(get_args(Kind))}")
        )
    if centre not in get_args(Centre):
        yield f"no centre is called '{centre}'; expected 'mean' of the replicates or 'full' sample"
    if not 0 <= rho < 1:
        yield f"rho = {rho:g} keeps no half of a half-sample; expected 0 to below 1"
    if draws < 2:
        yield f"{draws} draws cannot differ; expected 2 or more, some hundreds to be of use"


def _refuse_unfit(sample: Sample, design: Design, kind: Kind, draws: int) -> None:
    m, strata, psus = sample.psus_in_stratum, sample.strata, len(sample.stratum_of_psu)
    faults = []
    if kind == "JK1" and strata > 1:
        faults.append(f"JK1 knows no strata and the design has {strata}; use JKn")
    if kind == "BRR" and (m != 2).any():
        odd = int((m != 2).sum())
        faults.append(
            f"BRR wants two PSUs in every stratum and {odd} of {strata} hold another number; use JKn"
        )
    if kind == "BRR" and (sample.not_drawn < 1).any():
        faults.append("BRR has no place for an fpc; leave it out of the design, or use JKn")
    if kind in ("JK1", "JKn") and not ((m > 1) & (sample.not_drawn > 0)).any():
        faults.append("no stratum has a PSU that can be left out: each holds one, or was drawn whole")
    if sample.later:
        faults.append(
            "replicates carry the first stage only; leave the fpc of later stages out of the design"
        )
    if sample.first.alone.any() and design.lonely != "certainty":
        faults.append('replicates know a lonely PSU only as certain to be drawn: Design(lonely="certainty")')
    if kind in ("JK1", "JKn") and psus**2 > MOST:
        faults.append(
            f"{psus} PSUs are too many to leave each out; use kind='bootstrap', or no replicates at all"
        )
    if kind == "bootstrap" and psus * draws > MOST:
        faults.append(
            f"{draws} draws of {psus} PSUs are too many; draw less often, or use no replicates at all"
        )
    if faults:
        raise EstimateError("The design has no such replicates: " + "; ".join(faults) + ".")


def _faults_of_columns(frame: pd.DataFrame, design: ReplicateDesign) -> Iterator[str]:
    if isinstance(design.columns, str):
        yield f"columns='{design.columns}' is one name; expected a list of names"
        return
    there = [str(name) for name in frame.columns]
    for column in dict.fromkeys((design.weights, *design.columns)):
        if column not in frame.columns:
            near = nearest(column, there)
            yield f"no column '{column}'" + (f"; did you mean '{near}'?" if near else "")
        elif not pd.api.types.is_numeric_dtype(frame[column]):
            yield f"'{column}' holds no numbers"
        elif not np.isfinite(numbers(frame, column)).all():
            yield f"'{column}' is missing or infinite in some rows; every row needs its weight"
    if len(design.columns) < 2:
        yield f"columns= names {len(design.columns)} replicates; expected 2 or more"


def _faults_of_scales(design: ReplicateDesign) -> Iterator[str]:
    r = len(design.columns)
    if design.kind == "JKn" and design.rscales is None:
        yield "JKn needs rscales=, one number per column: (m - 1)/m of the stratum of the PSU left out"
    if design.rscales is not None and len(design.rscales) != r:
        yield f"rscales= has {len(design.rscales)} numbers and columns= {r} names; expected as many"
