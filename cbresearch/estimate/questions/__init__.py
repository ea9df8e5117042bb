"""What the notebooks ask of a study; every answer has passed the release gate, or says why there is none.

A module per notebook: `quality`, `situation`, `satisfaction`, `drivers`, `community`.
"""

from cbresearch.estimate.questions.common import (
    headline,
    headline_column,
    outcome_columns,
    sampled_residents,
    sampling_design,
)
from cbresearch.estimate.questions.community import (
    area_against_district,
    area_differences,
    area_ledger,
    area_over_waves,
    district_measures,
    earlier,
    scorecard,
)
from cbresearch.estimate.questions.drivers import Answers, answers
from cbresearch.estimate.questions.quality import (
    answered_by_wave,
    findings_by_rule,
    flags_by_wave,
    flow_of_residents,
    groups_before_after,
    headline_without_flagged,
    missing_by_item,
    missing_by_item_and_wave,
    received_and_kept,
    weights_by_wave,
)
from cbresearch.estimate.questions.satisfaction import (
    answers_by_item,
    change_since_last_wave,
    overall,
    satisfaction_by_area,
    satisfaction_by_group,
    satisfaction_by_item,
    satisfaction_by_wave,
)
from cbresearch.estimate.questions.situation import (
    facilities_per_1000_households,
    indicator_by_wave,
    indicators_by_area,
    indicators_in,
    indicators_over_time,
)

__all__ = [
    "Answers",
    "answered_by_wave",
    "answers",
    "answers_by_item",
    "area_against_district",
    "area_differences",
    "area_ledger",
    "area_over_waves",
    "change_since_last_wave",
    "district_measures",
    "earlier",
    "facilities_per_1000_households",
    "findings_by_rule",
    "flags_by_wave",
    "flow_of_residents",
    "groups_before_after",
    "headline",
    "headline_column",
    "headline_without_flagged",
    "indicator_by_wave",
    "indicators_by_area",
    "indicators_in",
    "indicators_over_time",
    "missing_by_item",
    "missing_by_item_and_wave",
    "outcome_columns",
    "overall",
    "received_and_kept",
    "sampled_residents",
    "sampling_design",
    "satisfaction_by_area",
    "satisfaction_by_group",
    "satisfaction_by_item",
    "satisfaction_by_wave",
    "scorecard",
    "weights_by_wave",
]
