"""From answers to scores: whether a questionnaire measures what it should, and what residents want done."""

from cbresearch.measure.agreement import Agreement, agreement, within_agreement
from cbresearch.measure.confirmatory.confirm import Confirmed, confirm, htmt
from cbresearch.measure.confirmatory.invariance import Invariance, invariance
from cbresearch.measure.correlations import Correlated, correlated
from cbresearch.measure.dimensionality import Bartlett, Kmo, bartlett, horn, kmo
from cbresearch.measure.factorability import ParallelAnalysis, velicer_map
from cbresearch.measure.factors import Factors, Omega, explore, omega, omega_hierarchical
from cbresearch.measure.gaps import Gap, Gaps, Pair, gaps
from cbresearch.measure.importance import Driver, RelativeImportance, relative_importance
from cbresearch.measure.index.composite import Index, composite_index
from cbresearch.measure.index.indicators import Indicator
from cbresearch.measure.index.recipe import Recipe
from cbresearch.measure.index.redraws import normal_redraws, replicate_redraws
from cbresearch.measure.index.uncertainty import Choices, IndexDoubt, index_uncertainty
from cbresearch.measure.index.weights import Ahp, ahp
from cbresearch.measure.kano import Kano, KanoItem, kano
from cbresearch.measure.polychoric import Polychoric, polychoric
from cbresearch.measure.priorities import (
    Item,
    Priorities,
    derived_importance_performance,
    importance_performance,
)
from cbresearch.measure.reliability import Alpha, AlphaInterval, alpha, alpha_interval, ordinal_alpha

__all__ = [
    "Agreement", "Ahp", "Alpha", "AlphaInterval", "Bartlett", "Choices", "Confirmed", "Correlated", "Driver", "Factors", "Gap",
    "Gaps", "Index", "IndexDoubt", "Indicator", "Invariance", "Item", "Kano", "KanoItem", "Kmo", "Omega", "Pair",
    "ParallelAnalysis", "Polychoric", "Priorities", "Recipe", "RelativeImportance", "agreement", "ahp", "alpha",
    "alpha_interval", "bartlett", "composite_index", "confirm", "correlated", "derived_importance_performance", "explore", "gaps", "horn", "htmt",
    "importance_performance", "index_uncertainty", "invariance", "kano", "kmo", "normal_redraws", "omega",
    "omega_hierarchical", "ordinal_alpha", "polychoric", "relative_importance", "replicate_redraws", "velicer_map",
    "within_agreement",
]  # fmt: skip
