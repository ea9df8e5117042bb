"""How a sample was drawn, and what may be said of everybody from it: the estimators of R's survey package."""

from cbresearch.sampling.association import Association, rao_scott
from cbresearch.sampling.calibrate import calibrate, post_stratify, rake
from cbresearch.sampling.calibrated import Calibrated
from cbresearch.sampling.crosstab import Crosstab, crosstab
from cbresearch.sampling.descriptive import (
    contrast,
    contrasts,
    deft,
    design_effect,
    effective_n,
    mean,
    mean_by,
    share,
    share_by,
    total,
)
from cbresearch.sampling.design import Design
from cbresearch.sampling.joint import GroupMeans, group_means
from cbresearch.sampling.multiple import benjamini_hochberg, holm
from cbresearch.sampling.quantiles import median, quantile, quantile_by
from cbresearch.sampling.raking import kish_deff, trim_weights
from cbresearch.sampling.ranks import RankTest, rank_test
from cbresearch.sampling.ratios import ratio, ratio_by
from cbresearch.sampling.replicates import Replicated, Replicates
from cbresearch.sampling.replication import ReplicateDesign, given_replicates, replicate
from cbresearch.sampling.stages import covariance
from cbresearch.sampling.wald import WaldTest, wald

__all__ = [
    "Association", "Calibrated", "Crosstab", "Design", "GroupMeans", "RankTest", "ReplicateDesign", "Replicated", "Replicates",
    "WaldTest", "benjamini_hochberg", "calibrate", "contrast", "contrasts", "covariance", "crosstab", "deft", "design_effect",
    "effective_n", "given_replicates", "group_means", "holm", "kish_deff", "mean", "mean_by", "median", "post_stratify",
    "quantile", "quantile_by", "rake", "rank_test", "rao_scott", "ratio", "ratio_by", "replicate", "share", "share_by", "total",
    "trim_weights", "wald",
]  # fmt: skip
