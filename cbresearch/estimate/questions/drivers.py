"""What moves satisfaction: each driver's effect within communities over time, beside its trace between them."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pandas as pd

from cbresearch.errors import EstimateError, nearest
from cbresearch.estimate.clusters.few_clusters import FewClusters, clustered, panel, smallest_effect
from cbresearch.estimate.effects.within_between import NO_AREA, NO_CAUSES, Split, split, within_between
from cbresearch.estimate.questions.common import headline_column, sampled_residents, unanswered, unit_of
from cbresearch.estimate.release import fact, release, release_facts, ruled
from cbresearch.records import Estimate, Released, Text, Unanswered
from cbresearch.study import Study

NOT_ESTIMATED = {
    "within": Text(
        "不公布：各社区的这项投入没有随时间变化，或者与其他投入同步变化，无法单独估计。",
        "Held back: within communities this did not change over time, or only along with the rest.",
    ),
    "between": Text(
        "不公布：各社区在这一项上没有差别，或者与其他投入同高同低，无法单独估计。",
        "Held back: communities do not differ in this, or only along with the rest.",
    ),
}
NO_CHANGE = Text(
    "各社区的这项投入没有随时间变化，无法估计它的作用。",
    "This driver did not change over time within communities, so its effect cannot be seen.",
)


def driver_effects(study: Study) -> list[Released] | Unanswered:
    """Within and between effect of every driver, all in one model; unit "<outcome's unit> per <driver>".

    Group: ("term", "within") first, then ("term", "between"); a single wave has only the latter.
    """
    ready = _ready(study)
    if isinstance(ready, Unanswered):
        return ready
    found = within_between(
        ready,
        _outcome(study),
        _drivers(study),
        area=study.area,
        wave="wave",
        controls=_controls(study),
        weights="weight",
    )
    if isinstance(found, Unanswered):
        return unanswered("driver_effects", found.reason)
    told = [_with_unit(study, estimate) for estimate in found]
    return [
        ruled(estimate, ("held back", NOT_ESTIMATED[dict(estimate.group)["term"]]))
        if math.isnan(estimate.value)
        else released
        for estimate, released in zip(told, release(told, study.minimum_cell), strict=True)
    ]


def driver_panel(study: Study, driver: str) -> list[Released] | Unanswered:
    """The within effect of one driver by each method; group: ("method", …), ("verdict", whether they agree).

    CR2 comes first, the answer. The verdict is "agree", "disagree" or "cannot tell", alike in every record.
    """
    found = _panel(study, driver)
    return found if isinstance(found, Unanswered) else release(_judged(found), study.minimum_cell)


def driver_panels(study: Study) -> list[Released] | Unanswered:
    """`driver_panel` of every driver, one after the other; a driver that never changed is left out."""
    found = _panels(study)
    if isinstance(found, Unanswered):
        return unanswered("driver_panels", found.reason)
    return release([estimate for one in found for estimate in _judged(one)], study.minimum_cell)


def driver_verdict(study: Study, driver: str) -> Text | Unanswered:
    """Whether the methods of `driver_panel` agree, in a sentence."""
    found = _panel(study, driver)
    return found if isinstance(found, Unanswered) else found.verdict


def driver_verdicts(study: Study) -> dict[str, Text] | Unanswered:
    """The sentence of `driver_verdict` by driver."""
    found = _panels(study)
    return found if isinstance(found, Unanswered) else {one.cause: one.verdict for one in found}


def smallest_effects(study: Study) -> list[Released] | Unanswered:
    """The within effect of each driver that would have been seen four times in five; group: ("term", "within")."""
    model = _model(study)
    if isinstance(model, Unanswered):
        return unanswered("smallest_effects", model.reason)
    term = model.terms[-1]
    facts = []
    for driver in (one for one in _drivers(study) if (one, term) in model.place):
        answer = clustered(model.fit, model.place[driver, term], "CR2", driver, _unit(study, driver))
        seen = fact(
            driver, smallest_effect(answer), answer.unit, (("term", term),), n=answer.n, method="80 % power"
        )
        facts.append(replace(seen, psus=answer.psus))
    return release_facts(facts) if facts else unanswered("smallest_effects", NO_CHANGE)


def _judged(found: FewClusters) -> list[Estimate]:
    """What each method found, with the decision over all of them."""
    return [replace(one, group=(*one.group, ("verdict", found.decision))) for one in found.estimates]


def _panels(study: Study) -> list[FewClusters] | Unanswered:
    model = _model(study)
    if isinstance(model, Unanswered):
        return model
    found = [_one(study, model, driver) for driver in _drivers(study)]
    told = [one for one in found if not isinstance(one, Unanswered)]
    return told or unanswered("driver_panels", NO_CHANGE)


def _panel(study: Study, driver: str) -> FewClusters | Unanswered:
    if driver not in _drivers(study):
        near = nearest(driver, _drivers(study))
        hint = f" Did you mean '{near}'?" if near else ""
        raise EstimateError(
            f"'{driver}' is no driver of study.toml; it has {', '.join(_drivers(study)) or 'none'}.{hint}"
        )
    model = _model(study)
    return (
        unanswered("driver_panel", model.reason)
        if isinstance(model, Unanswered)
        else _one(study, model, driver)
    )


def _one(study: Study, model: Split, driver: str) -> FewClusters | Unanswered:
    term = model.terms[-1]
    if (driver, term) not in model.place:
        return unanswered("driver_panel", NO_CHANGE)
    return panel(
        model.fit,
        model.place[driver, term],
        cause=driver,
        unit=_unit(study, driver),
        seed=study.file.study.seed,
        names=partial(_area_name, study),
    )


def _model(study: Study) -> Split | Unanswered:
    ready = _ready(study)
    if isinstance(ready, Unanswered):
        return ready
    return split(
        ready,
        _outcome(study),
        _drivers(study),
        area=study.area,
        wave="wave",
        controls=_controls(study),
        weights="weight",
    )


def _ready(study: Study) -> pd.DataFrame | Unanswered:
    """Residents who carry the drivers of their community in their wave."""
    if study.area is None:
        return unanswered("driver_effects", NO_AREA)
    communities, drivers = study.communities(), _drivers(study)
    if communities.empty or not drivers:
        return unanswered("driver_effects", NO_CAUSES)
    keys = [study.area, "wave"]
    causes = communities[[*keys, *drivers]].astype({study.area: "string"})
    return sampled_residents(study).merge(causes, on=keys, how="left", validate="many_to_one")


def _outcome(study: Study) -> str:
    column = headline_column(study)
    assert column is not None  # drivers are part of [effects], which names its outcome
    return column


def _drivers(study: Study) -> list[str]:
    return [question.cause for question in study.file.questions if question.kind == "registered"]


def _controls(study: Study) -> list[str]:
    return list(
        dict.fromkeys(c for q in study.file.questions for c in q.controls if c not in study.indicators)
    )


def _area_name(study: Study, code: str) -> Text:
    assert study.area is not None
    return study.answer(study.area, code)


def _with_unit(study: Study, estimate: Estimate) -> Estimate:
    return replace(estimate, unit=_unit(study, estimate.measure))


def _unit(study: Study, driver: str) -> str:
    return f"{unit_of(study, _outcome(study))} per {driver}"
