"""A policy that reached some communities earlier than others: what it did, and what that claim rests on.

Several modules are named after the function they hold. Importing all of them here leaves each name with its
function; imported on first use, it would be the module for whoever comes after another import of it.
"""

from cbresearch.estimate.policy.dates import DealtDates
from cbresearch.estimate.policy.design import Cohort, PolicyDesign, policy_design
from cbresearch.estimate.policy.event_study import EventPoint, EventStudy, event_study, interaction_weighted
from cbresearch.estimate.policy.honest import Bound, HonestBounds, honest_bounds
from cbresearch.estimate.policy.imputation import Imputation, imputation
from cbresearch.estimate.policy.path import Path
from cbresearch.estimate.policy.pretrends import PreTrend, pretrend
from cbresearch.estimate.policy.smooth import smooth_bounds
from cbresearch.estimate.policy.staggered import PolicyEffect, Staggered, staggered
from cbresearch.estimate.policy.two_by_two import TwoByTwo, two_by_two
from cbresearch.estimate.policy.two_way import TwoWay, two_way

__all__ = [
    "Bound", "Cohort", "DealtDates", "EventPoint", "EventStudy", "HonestBounds", "Imputation", "Path", "PolicyDesign",
    "PolicyEffect", "PreTrend", "Staggered", "TwoByTwo", "TwoWay", "event_study", "honest_bounds", "imputation",
    "interaction_weighted", "policy_design", "pretrend", "smooth_bounds", "staggered", "two_by_two", "two_way",
]  # fmt: skip
