"""Gaps between what residents expect of a service and what they get (SERVQUAL).

A gap is perception minus expectation, resident by resident (Parasuraman, Zeithaml and Berry 1988, J. of
Retailing 64), so that its standard error knows that the same people gave both answers. SERVPERF (Cronin and
Taylor 1992) looks at perception alone, which stands beside each gap.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cbresearch.errors import EstimateError
from cbresearch.measure.wording import Names, listed, word
from cbresearch.records import Estimate, Text
from cbresearch.sampling.design import Design, Floats, Sample, draw, numbers, require
from cbresearch.sampling.domains import Domains, one_domain
from cbresearch.sampling.figures import estimates, means, t_interval, tested
from cbresearch.sampling.multiple import holm

LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class Pair:
    """One dimension: the columns of what was expected and of what was found, on the same scale.

    `importance` is a column of points a resident gave to the dimension (shares of 100, or a rating);
    name it for every dimension or for none.
    """

    dimension: str
    expectation: str
    perception: str
    importance: str | None = None


@dataclass(frozen=True, slots=True)
class Gap:
    """Mean expectation and perception of the residents who gave both, with the gap between them.

    `weighted` is the mean of each resident's gap times the share of importance the resident gave it.
    """

    dimension: str
    expectation: float
    perception: float
    estimate: Estimate
    p_holm: float
    weighted: Estimate | None


@dataclass(frozen=True, slots=True)
class Gaps:
    """Every dimension's gap; `overall` and `weighted` are of residents who answered every dimension.

    `overall` is the plain mean over dimensions; `weighted` the sum of gaps by each resident's own
    importance, None where none was asked.
    """

    gaps: tuple[Gap, ...]
    overall: Estimate
    weighted: Estimate | None
    sentence: Text

    @property
    def table(self) -> pd.DataFrame:
        """A row per dimension, the widest shortfall first."""
        rows = [
            (
                gap.dimension, gap.expectation, gap.perception, gap.estimate.value, gap.estimate.se,
                gap.estimate.df, gap.estimate.low, gap.estimate.high, gap.estimate.p, gap.p_holm,
                gap.estimate.n, gap.weighted.value if gap.weighted else np.nan,
            )
            for gap in sorted(self.gaps, key=lambda gap: (np.isnan(gap.estimate.value), gap.estimate.value))
        ]  # fmt: skip
        names = "dimension expectation perception gap se df low high p p_holm n weighted_gap"
        return pd.DataFrame(rows, columns=names.split())


def gaps(
    frame: pd.DataFrame, pairs: Sequence[Pair], design: Design, *, where: pd.Series | None = None,
    names: Names | None = None, unit: str = "as asked",
) -> Gaps:  # fmt: skip
    """Perception minus expectation in each dimension, below zero where the service falls short.

    A resident counts in a dimension when both answers are there; `where` (booleans) limits the residents
    spoken of. Standard errors are design-based, p is two-sided against no gap, `p_holm` is adjusted for the
    number of dimensions. EstimateError lists at once unknown columns, repeated dimensions, importance
    named for some dimensions only or below zero.
    """
    _refuse(frame, pairs, design)
    sample, domain = draw(frame, design), one_domain(frame, where, ())
    expected = [numbers(frame, pair.expectation) for pair in pairs]
    found = [numbers(frame, pair.perception) for pair in pairs]
    apart = [b - a for a, b in zip(expected, found, strict=True)]
    told = [
        _estimate(sample, domain, pair.dimension, gap, unit) for pair, gap in zip(pairs, apart, strict=True)
    ]
    share = _importance(frame, pairs)
    weighed = np.column_stack(apart) * share if share is not None else None
    adjusted = holm([estimate.p for estimate in told])
    made = tuple(
        Gap(
            pair.dimension,
            _mean(sample, domain, np.where(np.isfinite(apart[i]), expected[i], np.nan)),
            _mean(sample, domain, np.where(np.isfinite(apart[i]), found[i], np.nan)),
            told[i],
            float(adjusted[i]),
            None if weighed is None else _part(sample, domain, pair.dimension, weighed, i, unit),
        )
        for i, pair in enumerate(pairs)
    )
    overall = _estimate(sample, domain, "overall gap", np.column_stack(apart).mean(axis=1), unit)
    weighted = (
        None if weighed is None else _estimate(sample, domain, "weighted gap", weighed.sum(axis=1), unit)
    )
    return Gaps(made, overall, weighted, _sentence(made, names))


def _estimate(sample: Sample, domain: Domains, measure: str, values: Floats, unit: str) -> Estimate:
    return tested(estimates(measure, means(sample, values, domain), ((),), unit, t_interval)[0])


def _mean(sample: Sample, domain: Domains, values: Floats) -> float:
    return float(means(sample, values, domain).value[0])


def _part(
    sample: Sample, domain: Domains, dimension: str, weighed: Floats, place: int, unit: str
) -> Estimate:
    """One dimension's part of the weighted gap, among those who have the whole of it, so that parts add up."""
    whole = np.isfinite(weighed).all(axis=1)
    return _estimate(sample, domain, dimension, np.where(whole, weighed[:, place], np.nan), unit)


def _importance(frame: pd.DataFrame, pairs: Sequence[Pair]) -> Floats | None:
    """Each resident's points as shares that add to 1; NaN where one is missing or all are 0."""
    columns = [pair.importance for pair in pairs if pair.importance is not None]
    if not columns:
        return None
    points = np.column_stack([numbers(frame, column) for column in columns])
    total = points.sum(axis=1, keepdims=True)
    return np.asarray(points / np.where(total > 0, total, np.nan))


def _refuse(frame: pd.DataFrame, pairs: Sequence[Pair], design: Design) -> None:
    faults = list(_faults(frame, pairs))
    if faults:
        raise EstimateError("These gaps cannot be had:\n" + "\n".join(f"  - {fault}" for fault in faults))
    require(frame, design.columns)


def _faults(frame: pd.DataFrame, pairs: Sequence[Pair]) -> Iterator[str]:
    if not pairs:
        yield "no pair of columns was named; expected Pair(dimension, expectation, perception)"
    dimensions = [pair.dimension for pair in pairs]
    for dimension in dict.fromkeys(dimensions):
        if dimensions.count(dimension) > 1:
            yield f"dimension '{dimension}' is named {dimensions.count(dimension)} times; each once"
    without = [pair.dimension for pair in pairs if pair.importance is None]
    if 0 < len(without) < len(pairs):
        yield f"importance is missing for {', '.join(without)}; name it for every dimension or for none"
    for pair in pairs:
        if pair.expectation == pair.perception:
            yield f"'{pair.dimension}' takes '{pair.expectation}' for both sides; its gap would always be 0"
        for column in filter(None, (pair.expectation, pair.perception, pair.importance)):
            try:
                values = numbers(frame, column)
            except EstimateError as error:
                yield str(error)
            else:
                if column == pair.importance and (values < 0).any():
                    yield f"importance '{column}' is below 0 in some rows; points cannot be"


def _sentence(made: Sequence[Gap], names: Names | None) -> Text:
    # a p that could not be had (NaN) is below no level
    clear = sorted((gap for gap in made if gap.p_holm < LEVEL), key=lambda gap: gap.estimate.value)
    short = [gap for gap in clear if gap.estimate.value < 0]
    beyond = [gap for gap in clear if gap.estimate.value > 0]
    zh, en = [], []
    if short:
        said = _told(short, names)
        zh.append(f"感受低于期望的有{said.zh}")
        en.append(f"perception falls short of expectation in {said.en}")
    if beyond:
        said = _told(beyond[::-1], names)
        zh.append(f"感受高于期望的有{said.zh}")
        en.append(f"perception is above expectation in {said.en}")
    rest = len(made) - len(clear)
    if rest:
        zh.append(f"{'其余' if clear else ''}{rest}个方面看不出差距")
        noun = "dimension" if rest == 1 else "dimensions"
        en.append(f"in {'the other ' if clear else ''}{rest} {noun} no gap can be told from chance")
    english = "; ".join(en)
    return Text("；".join(zh) + "。", english[:1].upper() + english[1:] + ".")


def _told(found: Sequence[Gap], names: Names | None) -> Text:
    words = [word(names, gap.dimension) for gap in found]
    points = [f"{gap.estimate.value:+.2f}" for gap in found]
    return listed(
        [Text(f"{name.zh}（{p}）", f"{name.en} ({p})") for name, p in zip(words, points, strict=True)]
    )
