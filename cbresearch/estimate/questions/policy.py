"""What a policy that reached some communities earlier than others did to the headline outcome.

The answer comes from `staggered`, against communities not yet reached; the customary two-way regression and
filling in stand beside it, and the p of dealing the dates anew leans on no normality.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from cbresearch.estimate.policy.dates import DealtDates
from cbresearch.estimate.policy.design import policy_design as judged_design
from cbresearch.estimate.policy.honest import honest_bounds
from cbresearch.estimate.policy.imputation import imputation
from cbresearch.estimate.policy.path import Path
from cbresearch.estimate.policy.pretrends import pretrend
from cbresearch.estimate.policy.staggered import Staggered, staggered
from cbresearch.estimate.policy.two_way import two_way
from cbresearch.estimate.questions.common import (
    NO_AREA,
    NO_LEDGER,
    NO_OUTCOME,
    ONE_WAVE,
    UNKNOWN,
    Told,
    gate,
    headline,
    headline_column,
    sampled_residents,
    unanswered,
    unit_of,
    untold,
)
from cbresearch.estimate.release import fact, release, release_facts
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.design import numbers
from cbresearch.sampling.domains import Group
from cbresearch.study import Study

ADOPTION = "first_wave_reached"
NEVER = "never"
NO_POLICY = Text(
    "研究没有说明哪项政策分批惠及社区。",
    "The study names no policy that reached some communities earlier than others.",
)
NO_EARLIER = Text(
    "没有一批社区在政策之前有两轮调查，无从判断此前走势是否一致。",
    "No cohort was seen twice before the policy, so nothing says whether communities moved alike before.",
)


def policy_design_of(study: Study) -> Told:
    """How many communities were reached in each wave, with what that design can carry.

    Measure: the policy's name; group: ("cohort", wave or "never"), ("waves_before", how many), ("verdict", "fit" |
    "label" | "compared"); those never reached are what the others are compared with.
    """
    frame = policy_frame(study)
    if isinstance(frame, Unanswered):
        return untold(replace(frame, question="policy_design_of"))
    assert study.area is not None and study.file.policy is not None
    found = judged_design(frame, community=study.area, wave="wave", adoption=ADOPTION)
    cohorts = [
        (str(c.wave), len(c.communities), str(c.earlier), c.verdict) for c in found.cohorts
    ] + [(NEVER, len(found.never), str(len(found.waves)), "compared")]  # fmt: skip
    facts = [
        fact(
            study.file.policy.name, float(n), "communities",
            (("cohort", cohort), ("waves_before", earlier), ("verdict", verdict)),
        )
        for cohort, n, earlier, verdict in cohorts
    ]  # fmt: skip
    return Told(release_facts(facts), found.note)


def policy_effect(study: Study) -> Told:
    """The mean effect on those reached, by method; the first record is the answer.

    Measure: the headline; group: ("term", "overall"), ("method", "staggered" | "dealt dates" | "imputation" | "two-way").
    Of "dealt dates" the interval holds the constant effects that are not rejected.
    """
    frame = policy_frame(study)
    if isinstance(frame, Unanswered):
        return untold(replace(frame, question="policy_effect"))
    found = found_by_cohorts(study, frame)
    assert study.area is not None
    outcome = headline(study)
    unit = unit_of(study, outcome)
    filled = imputation(
        frame, outcome, community=study.area, wave="wave", adoption=ADOPTION, weights="weight", unit=unit
    ).overall
    customary = two_way(
        frame, outcome, community=study.area, wave="wave", adoption=ADOPTION, weights="weight", unit=unit
    ).estimate
    answer = found.overall.estimate
    listed = [
        replace(answer, group=_method("staggered")),
        _dealt(answer, found.dealt),
        replace(filled, group=_method("imputation")),
        replace(customary, group=_method("two-way")),
    ]
    return Told(release(listed, gate(study)), _with_note(found.sentence, found.note))


def policy_smallest(study: Study) -> list[Released] | Unanswered:
    """The smallest mean effect that this design would have seen four times in five; group: ("term", "overall")."""
    frame = policy_frame(study)
    if isinstance(frame, Unanswered):
        return replace(frame, question="policy_smallest")
    found, outcome = found_by_cohorts(study, frame), headline(study)
    n = found.overall.estimate.n
    return release_facts(
        [fact(outcome, found.smallest_effect, unit_of(study, outcome), (("term", "overall"),), n=n)]
    )


def policy_events(study: Study) -> Told:
    """The effect by waves since the policy came; before it, what should be near zero; -1 is the base and not told.

    Measure: the headline; group: ("term", "event"), ("event", "-2" | "0" | "1" …).
    """
    frame = policy_frame(study)
    if isinstance(frame, Unanswered):
        return untold(replace(frame, question="policy_events"))
    found = found_by_cohorts(study, frame)
    listed = [effect.estimate for effect in found.of("event")]
    return Told(release(listed, gate(study)), found.note)


def policy_pretrend(study: Study) -> Told:
    """Whether communities moved apart before, and the trend that this would have shown.

    Measure: the headline; group: ("term", "before") with F as the value and its p; then ("term", "trend seen"),
    ("power", "50" | "80"): the straight trend per wave, in the outcome's unit, seen with so many percent power.
    """
    made = path_of(study, "policy_pretrend")
    if isinstance(made, Unanswered):
        return untold(made)
    overall, path = made
    found, outcome = pretrend(path), headline(study)
    nan = math.nan
    test = Estimate(
        outcome, found.F, nan, found.df2, nan, nan, overall.n, overall.psus, "F", (("term", "before"),),
        found.method, found.p,
    )  # fmt: skip
    trends = [
        fact(outcome, slope, unit_of(study, outcome), (("term", "trend seen"), ("power", power)), n=overall.n)
        for slope, power in ((found.slope_half, "50"), (found.slope_most, "80"))
    ]
    return Told([*release([test], gate(study)), *release_facts(trends)], found.sentence)


def policy_bounds(study: Study) -> Told:
    """The mean effect over events when communities need not have moved alike; Rambachan and Roth's relative magnitudes.

    Measure: the headline; group: ("term", "bounds"), ("allowed", "0" | "0.5" …), the interval at 95 %; last ("term", "survives"):
    up to how many times the largest step before the finding stands.
    """
    made = path_of(study, "policy_bounds")
    if isinstance(made, Unanswered):
        return untold(made)
    overall, path = made
    found, outcome = honest_bounds(path), headline(study)
    facts = [
        replace(
            fact(
                outcome, found.value, unit_of(study, outcome),
                (("term", "bounds"), ("allowed", f"{bound.allowed:g}")), n=overall.n, method=found.method,
            ),
            low=bound.low, high=bound.high, df=found.df, psus=overall.psus,
        )
        for bound in found.bounds
    ]  # fmt: skip
    survives = fact(
        outcome, found.breakdown, "ratio", (("term", "survives"),), n=overall.n, method=found.method
    )
    return Told(release_facts([*facts, survives]), found.sentence)


def policy_frame(study: Study) -> pd.DataFrame | Unanswered:
    """Residents with the headline, of communities in the ledger, each with the first wave in which it was reached.

    A community is reached from the first wave in which the policy's column is above zero; missing is not above.
    Unanswered where the study names no policy, no communities, no outcome or one wave, or the design carries nothing.
    """
    policy, outcome = study.file.policy, headline_column(study)
    if policy is None or study.area is None or outcome is None or len(study.waves) < 2:
        reasons = ((policy, NO_POLICY), (study.area, NO_AREA), (outcome, NO_OUTCOME))
        return unanswered("policy", next((why for given, why in reasons if given is None), ONE_WAVE))
    ledger = study.communities()
    if policy.reached not in ledger.columns:
        return unanswered("policy", NO_LEDGER)
    reached = ledger[numbers(ledger, policy.reached) > 0].groupby(study.area)["wave"].min()
    frame = sampled_residents(study)
    known = frame[study.area].isin(ledger[study.area].astype("string")) & (frame[study.area] != UNKNOWN)
    frame = frame[known & frame[outcome].notna()]
    dates = frame[study.area].map({str(area): int(wave) for area, wave in reached.items()})
    frame = frame.assign(**{ADOPTION: dates.astype("Float64")})
    if frame.empty:
        return unanswered("policy", NO_OUTCOME)
    design = judged_design(frame, community=study.area, wave="wave", adoption=ADOPTION)
    return unanswered("policy", design.note) if design.verdict == "refuse" else frame


def found_by_cohorts(study: Study, frame: pd.DataFrame) -> Staggered:
    """The answer with all that stands behind it, of a frame from `policy_frame`."""
    assert study.area is not None
    outcome = headline(study)
    return staggered(
        frame, outcome, community=study.area, wave="wave", adoption=ADOPTION, weights="weight",
        unit=unit_of(study, outcome), seed=study.file.study.seed,
    )  # fmt: skip


def path_of(study: Study, question: str) -> tuple[Estimate, Path] | Unanswered:
    """The overall estimate and the path, where some cohort was seen twice before."""
    frame = policy_frame(study)
    if isinstance(frame, Unanswered):
        return replace(frame, question=question)
    found = found_by_cohorts(study, frame)
    if found.path is None or not found.path.before:
        return unanswered(question, NO_EARLIER)
    return found.overall.estimate, found.path


def _dealt(answer: Estimate, dealt: DealtDates) -> Estimate:
    nan = math.nan
    return replace(
        answer, se=nan, df=nan, low=dealt.low, high=dealt.high, p=dealt.p, group=_method("dealt dates"),
        method="exact" if dealt.exact else f"{dealt.deals} deals",
    )  # fmt: skip


def _method(name: str) -> Group:
    return (("term", "overall"), ("method", name))


def _with_note(sentence: Text, note: Text) -> Text:
    return Text(sentence.zh + note.zh, f"{sentence.en} {note.en}")
