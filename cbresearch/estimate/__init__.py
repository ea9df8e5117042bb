"""From scores to findings: estimates with honest doubt, and the gate they leave by.

Policies that reach some communities earlier than others have a room of their own, `cbresearch.estimate.policy`.
"""

from cbresearch.estimate.clusters.few_clusters import (
    FewClusters,
    few_clusters,
    leave_one_out,
    smallest_effect,
)
from cbresearch.estimate.clusters.joint import JointTest, joint_test
from cbresearch.estimate.clusters.linear import ClusterRobust, cluster_robust
from cbresearch.estimate.clusters.permutation import Permuted, permutation_test
from cbresearch.estimate.clusters.wild import WildBootstrap, wild_cluster_bootstrap
from cbresearch.estimate.communities.fay_herriot import FayHerriot, benchmarked, fay_herriot
from cbresearch.estimate.communities.ranks import RankSets, marginal_rank_sets, rank_sets
from cbresearch.estimate.effects.sensitivity import (
    EValue,
    Sensitivity,
    e_value_of_difference,
    e_value_of_ratio,
    sensitivity,
)
from cbresearch.estimate.effects.specification import SpecificationCurve, specification_curve
from cbresearch.estimate.effects.within_between import within_between
from cbresearch.estimate.missing.compare import WithMissing, with_missing
from cbresearch.estimate.missing.impute import Imputed, impute
from cbresearch.estimate.missing.pool import pool, pool_jointly, pool_statistics
from cbresearch.estimate.models.mixed import mixed
from cbresearch.estimate.models.mixed_result import Mixed
from cbresearch.estimate.models.ordered import Ordered, ordered
from cbresearch.estimate.planning import Survey, communities_needed, plans, power, smallest_detectable
from cbresearch.estimate.regression import Regression, regress
from cbresearch.estimate.release import Rules, release, release_counts, release_facts
from cbresearch.sampling import (
    Crosstab,
    Design,
    benjamini_hochberg,
    calibrate,
    contrast,
    contrasts,
    crosstab,
    deft,
    design_effect,
    effective_n,
    given_replicates,
    group_means,
    holm,
    mean,
    mean_by,
    median,
    post_stratify,
    quantile,
    quantile_by,
    rake,
    rank_test,
    ratio,
    ratio_by,
    replicate,
    share,
    share_by,
    total,
    trim_weights,
)

__all__ = [
    "ClusterRobust", "Crosstab", "Design", "EValue", "FayHerriot", "FewClusters", "Imputed", "JointTest", "Mixed", "Ordered",
    "Permuted", "RankSets", "Regression", "Rules", "Sensitivity", "SpecificationCurve", "Survey", "WildBootstrap", "WithMissing",
    "benchmarked", "benjamini_hochberg", "calibrate", "cluster_robust", "communities_needed", "contrast", "contrasts", "crosstab",
    "deft", "design_effect", "e_value_of_difference", "e_value_of_ratio", "effective_n", "fay_herriot", "few_clusters",
    "given_replicates", "group_means", "holm", "impute", "joint_test", "leave_one_out", "marginal_rank_sets", "mean", "mean_by",
    "median", "mixed", "ordered", "permutation_test", "plans", "pool", "pool_jointly", "pool_statistics", "post_stratify",
    "power", "quantile", "quantile_by", "rake", "rank_sets", "rank_test", "ratio", "ratio_by", "regress", "release",
    "release_counts", "release_facts", "replicate", "sensitivity", "share", "share_by", "smallest_detectable", "smallest_effect",
    "specification_curve", "total", "trim_weights", "wild_cluster_bootstrap", "with_missing", "within_between",
]  # fmt: skip
