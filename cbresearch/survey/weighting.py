"""The weights of a study, wave by wave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from cbresearch.errors import BuildError
from cbresearch.sampling.raking import kish_deff
from cbresearch.study import Study
from cbresearch.survey.rules import found_once
from cbresearch.survey.weight import effective_n, nonresponse_factors, rake_and_trim


@dataclass(frozen=True, slots=True)
class WaveWeights:
    """What weighting did to one wave: `trimmed_share` of residents were cut to the ceiling."""

    wave: int
    n: int
    deff: float
    n_effective: float
    trimmed_share: float
    max_over_mean: float


@dataclass(frozen=True)
class Weighted:
    """`columns` has a row per resident: weight_base, weight_nonresponse (after mending non-response), weight."""

    columns: pd.DataFrame
    waves: tuple[WaveWeights, ...]
    found: tuple[pd.DataFrame, ...]


def weighted(residents: pd.DataFrame, communities: pd.DataFrame, study: Study) -> Weighted:
    """Weights for every resident; 1 throughout where the study names no weighting at all.

    Each wave is weighted on its own. Final weights sum to the people of the frame where they are
    counted; otherwise their mean is 1. BuildError tells of every wave that cannot be weighted.
    """
    design = study.design
    if not (design.weight or design.frame_counts or design.margins):
        ones = pd.Series(1.0, residents.index, dtype="Float64")
        return Weighted(
            pd.DataFrame({"weight_base": ones, "weight_nonresponse": ones, "weight": ones}), (), ()
        )
    parts, waves, found, faults = [], [], [], []
    for wave in sorted(residents["wave"].unique().tolist()):
        rows = residents[residents["wave"] == wave]
        try:
            columns, summary, unreached = _weighted_wave(rows, communities, study, wave)
        except BuildError as error:
            faults.append(f"wave {wave}: {error}")
            continue
        parts.append(columns)
        waves.append(summary)
        found += unreached
    if faults:
        raise BuildError("\n  - ".join(faults))
    return Weighted(pd.concat(parts).reindex(residents.index).astype("Float64"), tuple(waves), tuple(found))


def _weighted_wave(
    rows: pd.DataFrame, communities: pd.DataFrame, study: Study, wave: int
) -> tuple[pd.DataFrame, WaveWeights, list[pd.DataFrame]]:
    design, frame = study.design, study.design.frame_counts
    base = _base(rows, study)
    mended, unreached = base, []
    if frame is not None:
        counts = _frame_counts(communities, study, wave)
        classes = rows[frame.by].astype("string")
        mended = base * nonresponse_factors(base, classes, counts)
        reached = set(classes.dropna())
        unreached = [
            found_once(
                study,
                f"study.toml ({wave})",
                "unreached_class",
                frame.by,
                study.answer(frame.by, name).say("zh"),
            )
            for name in counts
            if name not in reached
        ]
    final = rake_and_trim(mended, rows[list(design.margins)].astype("string"), design.margins, design.trim)
    weight = final.weight if frame is not None else final.weight / final.weight.mean()
    columns = pd.DataFrame({"weight_base": base, "weight_nonresponse": mended, "weight": weight})
    summary = WaveWeights(
        wave,
        len(weight),
        kish_deff(weight.to_numpy()),
        effective_n(weight),
        float(final.trimmed.mean()),
        float(weight.max() / weight.mean()),
    )
    return columns, summary, unreached


def _base(rows: pd.DataFrame, study: Study) -> pd.Series:
    """Selection weights; a missing or non-positive one becomes the mean of the resident's class, or of the wave."""
    design = study.design
    if design.weight is None:
        return pd.Series(1.0, rows.index)
    base = rows[design.weight].astype("Float64").astype("float64")
    base = base.where(base > 0)
    group = design.frame_counts.by if design.frame_counts else study.area
    if group is not None:
        base = base.fillna(base.groupby(rows[group].astype("string")).transform("mean"))
    if base.isna().all():
        raise BuildError(
            f"no resident has a weight in '{design.weight}'. Correct the raw file, or drop design.weight."
        )
    return base.fillna(base.mean())


def _frame_counts(communities: pd.DataFrame, study: Study, wave: int) -> Mapping[str, float]:
    """People of the frame per class: the ledger's column in this wave, or the study's own counts."""
    frame = study.design.frame_counts
    assert frame is not None
    if frame.column is None:
        return frame.counts
    if frame.by != study.area or frame.column not in communities:
        raise BuildError(
            f"design.frame_counts takes '{frame.column}' from the ledger, which counts by area. "
            f"Expected by = '{study.area}' and a communities source; found by = '{frame.by}'. Or give counts = {{...}} yourself."
        )
    told = communities[communities["wave"] == wave].set_index(frame.by)[frame.column].dropna()
    return {str(area): float(count) for area, count in told.items()}
