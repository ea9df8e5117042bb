"""Can the data be trusted: who answered, what was set aside, what is missing, what the weights do."""

from __future__ import annotations

import math
from dataclasses import replace

import pandas as pd

from cbresearch.codebook import Question
from cbresearch.estimate.disclosure import Cell, protected, too_few
from cbresearch.estimate.precision import PUBLISHED
from cbresearch.estimate.questions.common import (
    NO_OUTCOME,
    chosen_wave,
    gate,
    headline_column,
    in_percent,
    sampled_residents,
    sampling_design,
    unanswered,
    unit_of,
)
from cbresearch.estimate.release import fact, release, release_counts, release_facts, ruled
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.sampling.descriptive import mean, share_by
from cbresearch.sampling.design import Design
from cbresearch.sampling.domains import Group, given
from cbresearch.study import Study

ASKED_ROLES = ("outcome", "importance", "expectation", "perception", "need", "use", "payment", "group")
FLAGS = ("flag_longstring", "flag_speed")
"""Marks of careless answering that `cbresearch build` leaves on residents: alike throughout, too fast."""
NO_FLOW = Text(
    "清理记录与分析用的数据对不上，请重新整理数据。",
    "The record of cleaning does not add up to the analysed data; build the study again.",
)


def answered_by_wave(study: Study) -> list[Released]:
    """How many residents were kept, by wave."""
    counts = study.residents()["wave"].value_counts().sort_index()
    by_wave: dict[Group, int] = {(("wave", str(wave)),): int(n) for wave, n in counts.items()}
    return release_counts("residents", by_wave, gate(study), unit="residents")


def received_and_kept(study: Study) -> list[Released]:
    """Rows in the residents' files, then residents kept of them, over all waves."""
    of_residents = _ledger_of_residents(study).drop_duplicates("source")
    received = float(of_residents["rows_before"].sum()) if len(of_residents) else math.nan
    kept = len(study.residents())
    facts = [fact("rows_received", received, "rows"), fact("residents", float(kept), "residents", n=kept)]
    return release_facts(facts)


def flow_of_residents(study: Study) -> list[Released] | Unanswered:
    """Rows received in the residents' files, rows set aside by each step that set any aside, residents kept.

    Unanswered where they do not add up: a flow that loses rows on its way explains nothing.
    """
    received, kept = received_and_kept(study)
    aside = _set_aside(_ledger_of_residents(study))
    if received.value is None or received.value - sum(step.value or 0.0 for step in aside) != kept.value:
        return unanswered("flow_of_residents", NO_FLOW)
    return [received, *aside, kept]


def _ledger_of_residents(study: Study) -> pd.DataFrame:
    """The steps of the residents' files alone."""
    ledger = study.ledger()
    return ledger[ledger["source"].isin([study.name_of(source) for source in study.sources("residents")])]


def missing_by_item(study: Study, wave: int = 0) -> list[Released]:
    """Percent of the wave's residents without an answer, item by item, unweighted: a fact about the file.

    Left out are items that only some were asked (`relevant`) and items that the wave did not ask at all.
    """
    chosen = chosen_wave(study, wave)
    frame = study.residents().query("wave == @chosen")
    facts = []
    for question in study.codebook.of("residents"):
        column = _answer_column(study, question, frame)
        if question.role in ASKED_ROLES and not question.relevant and column and frame[column].notna().any():
            gaps, group = frame[column].isna(), (("wave", str(chosen)),)
            facts.append(_percent_of_people(question.name, gaps, group, "missing", study.minimum_cell))
    return facts


def missing_by_item_and_wave(study: Study) -> list[Released]:
    """`missing_by_item` of every wave, the first wave first."""
    return [record for wave in study.waves for record in missing_by_item(study, wave)]


def _percent_of_people(
    measure: str, marks: pd.Series, group: Group, method: str, minimum_cell: int
) -> Released:
    """The percent marked, held back where it is of fewer people than the minimum, or sets so few apart from the rest."""
    percent, people, n = 100 * float(marks.mean()), int(marks.sum()), int(marks.notna().sum())
    one = fact(measure, percent, "percent", group, n=n, method=method)
    is_few = n < minimum_cell or any(0 < few < minimum_cell for few in (people, n - people))
    return ruled(one, ("held back", too_few(minimum_cell)) if is_few else PUBLISHED)


def weights_by_wave(study: Study) -> list[Released]:
    """What weighting costs: Kish's design effect, the n it leaves, the largest weight over the mean, by wave."""
    facts = []
    for wave, weights in study.residents().groupby("wave")["weight"]:
        group, n = (("wave", str(wave)),), len(weights)
        kish = n * float((weights**2).sum()) / float(weights.sum()) ** 2
        facts.append(fact("weight_kish_deff", kish, "ratio", group, n=n, method="Kish 1965"))
        facts.append(fact("weight_effective_n", n / kish, "residents", group, n=n, method="Kish 1965"))
        largest = float(weights.max() / weights.mean())
        facts.append(
            fact("weight_max_over_mean", largest, "ratio", group, n=n, method="largest weight over mean")
        )
    return release_facts(facts)


def groups_before_after(study: Study, wave: int = 0) -> list[Released]:
    """Percent of the wave in each answer of each group question, before and after weighting.

    Measure is the question; group: wave, ("answer", code), ("stage", "unweighted" | "base" | "weighted" | "population"); base is
    the selection weight, population only for the margins of study.toml. An answer given by fewer people
    than the minimum cell is held back.
    """
    chosen, frame = chosen_wave(study, wave), sampled_residents(study)
    found: list[Released] = []
    for question in study.codebook.with_role("group"):
        if question.name in frame.columns:
            found += _before_after(study, frame, question, chosen)
    return found


def flags_by_wave(study: Study) -> list[Released]:
    """Percent of residents whose answers look careless, by mark and wave, unweighted: they are kept."""
    frame = study.residents()
    return [
        _percent_of_people(
            flag, marks.astype("float64"), (("wave", str(wave)),), "flagged", study.minimum_cell
        )
        for flag in FLAGS
        if flag in frame.columns
        for wave, marks in frame.groupby("wave")[flag]
        if marks.notna().any()
    ]


def headline_without_flagged(study: Study) -> list[Released] | Unanswered:
    """The headline mean of the last wave with everybody, then without careless answers.

    Group: wave, ("respondents", "all" | "not_flagged").
    """
    column = headline_column(study)
    if column is None:
        return unanswered("headline_without_flagged", NO_OUTCOME)
    wave, frame, design = chosen_wave(study, 0), sampled_residents(study), sampling_design(study)
    flagged = (
        frame[[flag for flag in FLAGS if flag in frame.columns]]
        .fillna(False)
        .astype(bool)
        .any(axis="columns")
    )
    in_wave = frame["wave"] == wave
    estimates = [
        mean(frame, column, design, where=in_wave & kept, unit=unit_of(study, column),
             group=(("wave", str(wave)), ("respondents", name)))
        for name, kept in (("all", in_wave), ("not_flagged", ~flagged))
    ]  # fmt: skip
    everybody, without = release(estimates, gate(study))
    apart = estimates[0].n - estimates[1].n
    if 0 < apart < study.minimum_cell:  # the few between the two figures could be worked out from them
        without = ruled(estimates[1], ("held back", too_few(study.minimum_cell)))
    return [everybody, without]


def _set_aside(ledger: pd.DataFrame) -> list[Released]:
    """Rows set aside by each cleaning step, where any were; `reason` is the step's own."""
    ledger = ledger.assign(gone=ledger["rows_before"] - ledger["rows_after"])
    found = []
    for step, rows in ledger[ledger["gone"] > 0].groupby("step", sort=False):
        why = Text(str(rows["why_zh"].iloc[0]), str(rows["why_en"].iloc[0]))
        count = fact("rows_set_aside", float(rows["gone"].sum()), "rows", (("step", str(step)),))
        found.append(ruled(count, ("published", why)))
    return found


def findings_by_rule(study: Study) -> list[Released]:
    """Faults found in the raw files, by rule, most frequent first."""
    counts = study.findings()["rule"].value_counts()
    return release_facts(
        fact("findings", float(n), "count", (("rule", str(rule)),), n=int(n)) for rule, n in counts.items()
    )


def _answer_column(study: Study, question: Question, frame: pd.DataFrame) -> str | None:
    """The column that tells whether a question was answered; a multi-select's is that of any of its choices."""
    names = [
        question.name,
        *(f"{question.name}__{choice.code}" for choice in study.codebook.choices_of(question.name)),
    ]
    return next((name for name in names if name in frame.columns), None)


def _before_after(study: Study, frame: pd.DataFrame, question: Question, wave: int) -> list[Released]:
    in_wave, name = frame["wave"] == wave, question.name
    codes = [choice.code for choice in study.codebook.choices_of(name)]
    shares = {
        stage: in_percent(share_by(frame, name, "wave", design, codes, where=in_wave))
        for stage, design in _stages(study, frame).items()
    }
    counts = [
        Cell(name, (("wave", str(wave)), (name, code)), _count(frame[in_wave], name, code)) for code in codes
    ]
    total = Cell(name, (("wave", str(wave)),), sum(cell.people for cell in counts))
    # the answers of one question are parts of a whole here: one alone could be had by subtraction
    rules = gate(study)
    held = protected([*counts, total], rules.minimum_cell, rules.most_dominant)
    margins = study.design.margins.get(name, {})
    found: list[Released] = []
    for i, code in enumerate(codes):
        group: Group = (("wave", str(wave)), ("answer", code))
        found += [_staged(each[i], group, stage, held.get(i)) for stage, each in shares.items() if each]
        if code in margins:
            known = fact(name, 100 * margins[code], "percent", group, method="study.toml")
            found.append(_staged(known, group, "population", None))
    return found


def _stages(study: Study, frame: pd.DataFrame) -> dict[str, Design]:
    final = sampling_design(study)
    stages = {"unweighted": replace(final, weights=None)}
    # without selection weights the build fills in ones: nothing to show beside the unweighted
    if study.design.weight and "weight_base" in frame.columns and frame["weight_base"].notna().all():
        stages["base"] = replace(final, weights="weight_base")
    return {**stages, "weighted": final}


def _count(frame: pd.DataFrame, column: str, code: str) -> int:
    return int((given(frame, column, code) == 1).sum())


def _staged(estimate: Estimate, group: Group, name: str, reason: Text | None) -> Released:
    named = replace(estimate, group=(*group, ("stage", name)))
    return ruled(named, ("held back", reason) if reason else ("published", None))
