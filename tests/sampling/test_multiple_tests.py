"""p values of several tests at once."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.sampling.design import Floats
from cbresearch.sampling.multiple import benjamini_hochberg, holm

R = json.loads(
    (Path(__file__).parents[1] / "reference" / "p_adjust.json").read_text(encoding="utf-8")
)  # fmt: skip
ADJUSTS = pytest.mark.parametrize("adjust", [holm, benjamini_hochberg])
P_VALUES = st.lists(st.floats(0, 1) | st.just(math.nan), max_size=12)


def floats(values: list[float | None]) -> Floats:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize(("adjust", "name"), [(holm, "holm"), (benjamini_hochberg, "BH")])
@pytest.mark.parametrize("case", ["", "_ties_na"])
def test_as_in_r(adjust: Callable[[Floats], Floats], name: str, case: str) -> None:
    assert adjust(floats(R["p" + case])) == pytest.approx(floats(R[name + case]), rel=1e-8, nan_ok=True)


def test_three_on_paper() -> None:
    # in order: 0.01 x 3, 0.02 x 2, 0.04 x 1, none below the one before it
    assert holm([0.02, 0.01, 0.04]) == pytest.approx([0.04, 0.03, 0.04])
    # 0.01 x 3/1, 0.02 x 3/2, 0.04 x 3/3, none above the one after it
    assert benjamini_hochberg([0.02, 0.01, 0.04]) == pytest.approx([0.03, 0.03, 0.04])


@ADJUSTS
@given(p=P_VALUES)
def test_laws(adjust: Callable[[list[float]], Floats], p: list[float]) -> None:
    adjusted, there = adjust(p), np.isfinite(p)
    assert (np.isfinite(adjusted) == there).all()
    assert (adjusted[there] >= np.array(p)[there]).all() and (adjusted[there] <= 1).all()
    # gaps change nothing for the others, nor does the order
    assert adjusted[there] == pytest.approx(adjust([value for value in p if not math.isnan(value)]))
    assert adjust(p[::-1])[::-1] == pytest.approx(adjusted, nan_ok=True)


@given(p=st.lists(st.floats(0, 1), max_size=12))
def test_fewer_false_findings_cost_more_than_a_lower_share_of_them(p: list[float]) -> None:
    assert (benjamini_hochberg(p) <= holm(p) + 1e-12).all()


@ADJUSTS
@pytest.mark.parametrize("wrong", [1.5, -0.1, math.inf])
def test_what_is_no_p_value_is_refused(adjust: Callable[[list[float]], Floats], wrong: float) -> None:
    with pytest.raises(EstimateError, match=rf"p = {wrong:g} is no probability; expected p values between 0"):
        adjust([0.5, wrong])
