"""What a policy's spread over communities and waves can tell, said before anything is estimated.

With few treated communities chance looks like effect (Conley and Taber 2011, Rev. Economics and
Statistics 93); with a single earlier wave nobody can see whether the communities moved alike before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cbresearch.errors import EstimateError
from cbresearch.estimate.policy.reach import Reach, reach_of
from cbresearch.records import Text

Verdict = Literal["fit", "label", "refuse"]
ENOUGH_COMMUNITIES = 5
ENOUGH_EARLIER = 2


@dataclass(frozen=True, slots=True)
class Cohort:
    """The communities first reached in `wave`, with how many waves saw them before."""

    wave: int
    communities: tuple[str, ...]
    earlier: int
    verdict: Verdict
    reasons: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class PolicyDesign:
    """Which comparisons there are. "label" may be estimated but goes with its reasons; "refuse" may not.

    `already` were reached by the first wave and `unseen` are not in every wave: both are left out.
    """

    waves: tuple[int, ...]
    cohorts: tuple[Cohort, ...]
    never: tuple[str, ...]
    already: tuple[str, ...]
    unseen: tuple[str, ...]
    verdict: Verdict
    reasons: tuple[Text, ...]

    @property
    def reached(self) -> int:
        """Communities reached within the waves, after having been seen before."""
        return sum(len(cohort.communities) for cohort in self.cohorts)

    @property
    def note(self) -> Text:
        """Every reason, or that there is none."""
        if not self.reasons:
            return Text("设计足以估计政策的作用。", "The design can carry an estimate of the policy.")
        zh = "".join(reason.zh for reason in self.reasons)
        return Text(zh, " ".join(reason.en for reason in self.reasons))

    @property
    def table(self) -> pd.DataFrame:
        """A row per cohort, the never reached last: cohort (missing for never), communities, earlier, verdict."""
        rows = [(c.wave, len(c.communities), c.earlier, c.verdict) for c in self.cohorts]
        made = pd.DataFrame(
            [*rows, (None, len(self.never), len(self.waves), "fit")],
            columns=["cohort", "communities", "earlier", "verdict"],
        )
        return made.astype({"cohort": "Int64"})


def policy_design(frame: pd.DataFrame, *, community: str, wave: str, adoption: str) -> PolicyDesign:
    """Judge a design before estimating: communities per cohort, never reached, earlier waves per cohort.

    `frame` has a row per resident or per community and wave; `adoption` is the first wave under the policy,
    missing for never. Labelled: under 5 treated communities or under 2 earlier waves, in a cohort or
    overall, and under 5 never reached. Refused: fewer than 2 treated communities with an earlier wave, or
    fewer than 2 to compare them with. EstimateError for columns missing or unfit, as in `reach_of`.
    """
    reach = reach_of(frame, community=community, wave=wave, adoption=adoption)
    seen = np.zeros((len(reach.communities), len(reach.waves)), dtype=bool)
    seen[reach.community, reach.wave] = True
    return judge(reach, np.asarray(seen.all(axis=1)))


def judge(reach: Reach, seen: NDArray[np.bool_]) -> PolicyDesign:
    """The design of the communities `seen` (G) in every wave."""
    T = len(reach.waves)
    names = np.array(reach.communities, dtype=object)
    cohorts = tuple(
        _cohort(reach.waves[place], tuple(names[seen & (reach.first == place)]), place)
        for place in range(1, T)
        if (seen & (reach.first == place)).any()
    )
    never = tuple(names[seen & (reach.first == T)])
    already = tuple(names[seen & (reach.first == 0)])
    unseen = tuple(names[~seen])
    refusals = _refusals(cohorts, len(never))
    labels = [*_labels(cohorts, len(never)), *_left_out(already, unseen)]
    verdict: Verdict = "refuse" if refusals else "label" if labels else "fit"
    return PolicyDesign(reach.waves, cohorts, never, already, unseen, verdict, (*refusals, *labels))


def refuse(design: PolicyDesign) -> None:
    """EstimateError with its reasons for a design that carries no estimate."""
    if design.verdict == "refuse":
        raise EstimateError(f"This design carries no estimate of the policy. {design.note.en}")


def wave_name(wave: int) -> Text:
    """A wave in words: years as years, other numbers as the number of a wave."""
    return Text(f"{wave}年", str(wave)) if wave >= 1000 else Text(f"第{wave}轮", f"wave {wave}")


def _cohort(wave: int, communities: tuple[str, ...], earlier: int) -> Cohort:
    reasons, n, when = [], len(communities), wave_name(wave)
    if n < ENOUGH_COMMUNITIES:
        reasons.append(
            Text(
                f"{when.zh}那一批只有{n}个社区，不足{ENOUGH_COMMUNITIES}个，这一批单独的结果靠不住。",
                f"Only {n} {_communities(n)} reached in {when.en}, under {ENOUGH_COMMUNITIES}: what is said of that cohort alone is shaky.",
            )
        )
    if earlier < ENOUGH_EARLIER:
        reasons.append(
            Text(
                f"{when.zh}那一批之前只有{earlier}轮调查，看不出此前的走势是否与别的社区一致。",
                f"Only {earlier} wave came before the cohort of {when.en}, so whether it moved like the others before cannot be seen.",
            )
        )
    return Cohort(wave, communities, earlier, "label" if reasons else "fit", tuple(reasons))


def _refusals(cohorts: Sequence[Cohort], never: int) -> list[Text]:
    treated = sum(len(cohort.communities) for cohort in cohorts)
    compared = treated - len(cohorts[0].communities) + never if cohorts else never
    reasons = []
    if treated < 2:
        reasons.append(
            Text(
                f"事前调查过、后来才享受政策的社区只有{treated}个，政策的作用与这些社区自身的变化分不开。",
                f"{treated} {_communities(treated)} reached after having been seen before; its own luck and the policy cannot be told apart.",
            )
        )
    if compared < 2:
        reasons.append(
            Text(
                f"可作比较的社区只有{compared}个，至少要有2个。",
                f"{compared} {_communities(compared)} left to compare with; at least 2 are needed.",
            )
        )
    return reasons


def _labels(cohorts: Sequence[Cohort], never: int) -> list[Text]:
    treated = sum(len(cohort.communities) for cohort in cohorts)
    reasons = [reason for cohort in cohorts for reason in cohort.reasons]
    if treated < ENOUGH_COMMUNITIES:
        reasons.append(
            Text(
                f"享受政策的社区总共只有{treated}个，不足{ENOUGH_COMMUNITIES}个。",
                f"Only {treated} {_communities(treated)} reached in all, under {ENOUGH_COMMUNITIES}.",
            )
        )
    if cohorts and max(cohort.earlier for cohort in cohorts) < ENOUGH_EARLIER:
        reasons.append(
            Text(
                "没有一批社区在政策之前有两轮调查，“走势一致”的前提无从检验。",
                "No cohort has two waves before the policy, so nothing tests that the communities moved alike.",
            )
        )
    if never < ENOUGH_COMMUNITIES:
        reasons.append(
            Text(
                f"始终没有享受政策的社区只有{never}个，最后一轮的比较全靠它们。",
                f"Only {never} {_communities(never)} never reached, and the last wave has no others to compare with.",
            )
            if never
            else Text(
                "所有社区最后都享受了政策，最后一轮没有可比的社区。",
                "Every community was reached in the end, so the last wave has none to compare with.",
            )
        )
    return reasons


def _left_out(already: tuple[str, ...], unseen: tuple[str, ...]) -> list[Text]:
    reasons = []
    if already:
        reasons.append(
            Text(
                f"有{len(already)}个社区在首轮调查时已经享受政策，没有事前数据，未参与估计。",
                f"{len(already)} {_communities(len(already))} reached by the first wave and left out, since nothing was seen before.",
            )
        )
    if unseen:
        reasons.append(
            Text(
                f"有{len(unseen)}个社区不是每轮都有数据，未参与估计。",
                f"{len(unseen)} {_communities(len(unseen))} not seen in every wave and left out.",
            )
        )
    return reasons


def _communities(n: int) -> str:
    return "community was" if n == 1 else "communities were"
