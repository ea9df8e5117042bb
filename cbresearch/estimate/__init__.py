"""From scores to findings: estimates with honest doubt, and the gate they leave by."""

from cbresearch.estimate.clusters.few_clusters import FewClusters, few_clusters
from cbresearch.estimate.clusters.linear import ClusterRobust, cluster_robust
from cbresearch.estimate.effects.within_between import within_between
from cbresearch.estimate.release import Rules, release, release_counts, release_facts
from cbresearch.sampling.descriptive import (
    contrast,
    contrasts,
    design_effect,
    effective_n,
    mean,
    mean_by,
    share,
    share_by,
    total,
)
from cbresearch.sampling.design import Design

__all__ = [
    "ClusterRobust",
    "Design",
    "FewClusters",
    "Rules",
    "cluster_robust",
    "contrast",
    "contrasts",
    "design_effect",
    "effective_n",
    "few_clusters",
    "mean",
    "mean_by",
    "release",
    "release_counts",
    "release_facts",
    "share",
    "share_by",
    "total",
    "within_between",
]
