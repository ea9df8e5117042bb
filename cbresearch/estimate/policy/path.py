"""The effect by waves since the start, with how its points vary together: what bounds and pre-tests need."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cbresearch.sampling.design import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Path:
    """Effects at k `events` (waves since the start, without -1, which is the base and zero).

    `variance` is k x k; `df` (k) the degrees of freedom of each point, `df_before` those of the joint test
    of the earlier ones; `communities` (k) how many treated ones each point has seen.
    """

    events: tuple[int, ...]
    values: Floats
    variance: Floats
    df: Floats
    df_before: float
    communities: tuple[int, ...]
    method: str

    @property
    def before(self) -> list[int]:
        """Places of the events earlier than the base."""
        return [i for i, event in enumerate(self.events) if event < -1]

    @property
    def after(self) -> list[int]:
        """Places of the events under the policy."""
        return [i for i, event in enumerate(self.events) if event >= 0]

    @property
    def se(self) -> Floats:
        return np.asarray(np.sqrt(np.diag(self.variance)))
