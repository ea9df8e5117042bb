"""Which community was reached by the policy, and in which wave."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats, Ints, numbers, require


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """G communities in T waves, both in order. `first` (G) is the place among the waves of the first one
    under the policy, T where that never came within them; `community` and `wave` (n) place each row.
    """

    communities: tuple[str, ...]
    waves: tuple[int, ...]
    first: Ints
    community: Ints
    wave: Ints


def reach_of(frame: pd.DataFrame, *, community: str, wave: str, adoption: str) -> Reach:
    """Who was reached when. `adoption` is the first wave under the policy, missing for never.

    A date between two waves counts from the later one. EstimateError tells at once: columns that are not
    there, rows without community or wave, waves that are no whole numbers, and communities whose rows
    do not agree on the date.
    """
    require(frame, [community, wave, adoption])
    dates, waves = numbers(frame, adoption), numbers(frame, wave)
    if faults := list(_faults(frame, community, wave, adoption, waves, dates)):
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise EstimateError(f"The frame does not say who was reached when:\n{listed}")
    names, code = np.unique(frame[community].astype(str).to_numpy(), return_inverse=True)
    years, place = np.unique(waves.astype(np.int64), return_inverse=True)
    date = np.full(len(names), np.nan)
    date[code] = dates
    # a missing date is later than every wave
    first = np.searchsorted(years, np.where(np.isnan(date), np.inf, date), side="left")
    return Reach(
        tuple(map(str, names)), tuple(map(int, years)), first.astype(np.int64),
        code.astype(np.int64), place.astype(np.int64),
    )  # fmt: skip


def _faults(
    frame: pd.DataFrame, community: str, wave: str, adoption: str, waves: Floats, dates: Floats
) -> Iterator[str]:
    if not len(frame):
        yield "the frame has no rows"
    for column in (community, wave):
        if empty := int(frame[column].isna().sum()):
            yield f"'{column}' is missing in {empty} of {len(frame)} rows; leave those rows out first"
    known = waves[np.isfinite(waves)]
    if (known != np.round(known)).any():
        yield f"'{wave}' holds {known[known != np.round(known)][0]:g}; expected whole numbers such as years"
    by_community = pd.Series(dates).groupby(frame[community].astype(str).to_numpy())
    unlike = by_community.nunique(dropna=False)
    if len(differing := list(unlike.index[unlike > 1])):
        more = f" and {len(differing) - 5} more" if len(differing) > 5 else ""
        yield (
            f"'{adoption}' differs between the rows of {', '.join(map(str, differing[:5]))}{more}; "
            "it is one date per community, the same in every wave, missing for never"
        )
