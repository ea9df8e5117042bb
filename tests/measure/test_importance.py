"""R² divided among drivers, and communities drawn again."""

from __future__ import annotations

import json
import math
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.measure.importance import RelativeImportance, johnson, lmg, relative_importance
from cbresearch.measure.resample import cluster_bootstrap, interval, rank_interval
from cbresearch.sampling.descriptive import total
from cbresearch.sampling.design import Design, Floats

R = json.loads((Path(__file__).parents[1] / "reference" / "shapley.json").read_text(encoding="utf-8"))


def close(value: float) -> Any:
    return pytest.approx(value, rel=1e-8)


def parts(found: RelativeImportance) -> dict[str, float]:
    return {driver.driver: driver.part for driver in found.drivers}


def people(seed: int = 1, n: int = 230, k: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    common = rng.normal(size=n)
    frame = pd.DataFrame({f"x{j}": common * 0.7 + rng.normal(size=n) for j in range(k)})
    frame["y"] = frame[[f"x{j}" for j in range(k)]] @ np.linspace(1.0, 0.1, k) + rng.normal(size=n)
    return frame.assign(g=np.arange(n) % 23, w=rng.uniform(0.5, 2, n))


@pytest.fixture
def schools(shared_data: Path) -> pd.DataFrame:
    frame = pd.read_csv(shared_data.parent / "reference" / "mixed_models" / "hsb23.csv")
    return frame.assign(
        w=np.where(frame["sx"] == "Female", 1.5, 0.8), minrty2=(frame["minrty"] == "Yes").astype("Int64")
    )


def test_lmg_as_in_r(schools: pd.DataFrame) -> None:
    found = relative_importance(schools, "mAch", ["ses", "meanses", "catholic"], draws=100, cluster="school")
    assert found.r2 == close(R["lmg"]["r2"])
    assert parts(found) == {name: close(part) for name, part in R["lmg"]["parts"].items()}


def test_weighted_lmg_and_johnson_as_in_r(schools: pd.DataFrame) -> None:
    drivers = list(R["weighted"]["lmg"])
    found = relative_importance(schools, "mAch", drivers, weights="w", draws=100)
    assert found.r2 == close(R["weighted"]["r2"])
    assert parts(found) == {name: close(part) for name, part in R["weighted"]["lmg"].items()}
    found = relative_importance(schools, "mAch", drivers, weights="w", draws=100, method="johnson")
    assert parts(found) == {name: close(part) for name, part in R["johnson"]["parts"].items()}


def test_two_drivers_on_paper() -> None:
    # r1 = 0.6, r2 = 0.4, r12 = 0.5: R² = (0.36 + 0.16 - 2·0.6·0.4·0.5)/0.75 = 0.28/0.75;
    # the first gets (0.36 + R² - 0.16)/2, the second (0.16 + R² - 0.36)/2
    correlation = np.array([[[1, 0.5, 0.6], [0.5, 1, 0.4], [0.6, 0.4, 1]]])
    r2 = 0.28 / 0.75
    assert lmg(correlation)[0] == pytest.approx([(0.2 + r2) / 2, (r2 - 0.2) / 2])
    # with two drivers Johnson's weights and Shapley's parts are the same
    assert johnson(correlation)[0] == pytest.approx(lmg(correlation)[0])


def by_orderings(frame: pd.DataFrame, drivers: list[str]) -> Floats:
    """Every order of entry, every R² by least squares on the rows: nothing shared with the formula."""
    w, y = frame["w"].to_numpy(), frame["y"].to_numpy()

    def r2(names: tuple[str, ...]) -> float:
        X = np.column_stack([np.ones(len(y)), frame[list(names)]]) * np.sqrt(w)[:, None]
        left = y * np.sqrt(w) - X @ np.linalg.lstsq(X, y * np.sqrt(w))[0]
        return 1 - float(left @ left) / float(w @ (y - w @ y / w.sum()) ** 2)

    gained = dict.fromkeys(drivers, 0.0)
    orders = list(permutations(drivers))
    for order in orders:
        for i, name in enumerate(order):
            gained[name] += (r2(order[: i + 1]) - r2(order[:i])) / len(orders)
    return np.array([gained[name] for name in drivers])


def test_the_formula_over_subsets_is_the_mean_over_orderings() -> None:
    frame, drivers = people(), ["x0", "x1", "x2", "x3"]
    found = relative_importance(frame, "y", drivers, weights="w", cluster="g", draws=100)
    assert list(parts(found).values()) == pytest.approx(by_orderings(frame, drivers), rel=1e-9)


def test_johnson_by_singular_values() -> None:
    # the orthogonal variables nearest to the drivers, from the rows themselves (Johnson 2000)
    frame = people()
    X = frame[["x0", "x1", "x2"]].to_numpy()
    X = (X - X.mean(0)) / X.std(0) / math.sqrt(len(X))
    y = ((frame["y"] - frame["y"].mean()) / frame["y"].std(ddof=0) / math.sqrt(len(X))).to_numpy()
    U, _, V = np.linalg.svd(X, full_matrices=False)
    Z = U @ V
    found = relative_importance(frame, "y", ["x0", "x1", "x2"], method="johnson", draws=100)
    assert list(parts(found).values()) == pytest.approx((X.T @ Z) ** 2 @ (Z.T @ y) ** 2)


@settings(max_examples=30)
@given(seed=st.integers(0, 10_000), k=st.integers(1, 6), method=st.sampled_from(["lmg", "johnson"]))
def test_parts_add_up_to_r2_and_know_no_unit(seed: int, k: int, method: Any) -> None:
    frame, drivers = people(seed, 60, k), [f"x{j}" for j in range(k)]
    found = relative_importance(frame, "y", drivers, method=method, weights="w", cluster="g", draws=100)
    assert sum(parts(found).values()) == pytest.approx(found.r2)
    assert sum(driver.share for driver in found.drivers) == pytest.approx(1)
    assert all(driver.part >= 0 for driver in found.drivers) and found.r2 <= 1
    other = frame.assign(x0=1e6 - 3 * frame["x0"], y=1e4 + 5 * frame["y"], w=frame["w"] * 7)
    again = relative_importance(other, "y", drivers[::-1], method=method, weights="w", cluster="g", draws=100)
    assert parts(again) == {name: pytest.approx(part, abs=1e-6) for name, part in parts(found).items()}
    assert [d.low for d in again.drivers[::-1]] == pytest.approx([d.low for d in found.drivers], abs=1e-6)


@settings(max_examples=20)
@given(seed=st.integers(0, 10_000))
def test_drivers_that_go_their_own_ways_get_their_squared_correlations(seed: int) -> None:
    rng = np.random.default_rng(seed)
    X = np.linalg.qr(np.column_stack([np.ones(40), rng.normal(size=(40, 3))]))[0][:, 1:]
    frame = pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=rng.normal(size=40))
    squares = frame.corr()["y"][["a", "b", "c"]] ** 2
    for method in ("lmg", "johnson"):
        found = relative_importance(frame, "y", ["a", "b", "c"], method=method, draws=100)
        assert list(parts(found).values()) == pytest.approx(list(squares))


@pytest.mark.parametrize("method", ["lmg", "johnson"])
def test_a_driver_twice_shares_its_part(method: Any) -> None:
    frame = people(k=2).assign(same=lambda f: 10 * f["x0"])
    found = relative_importance(frame, "y", ["x0", "same", "x1"], method=method, draws=100)
    assert found.drivers[0].part == pytest.approx(found.drivers[1].part)
    assert sum(parts(found).values()) == pytest.approx(found.r2)
    assert found.r2 == pytest.approx(relative_importance(frame, "y", ["x0", "x1"], draws=100).r2)


def test_ranks_missing_values_and_the_sentence() -> None:
    frame = people(n=460)
    frame["x1"] = frame["x1"].astype("Float64").mask(frame.index < 5)
    found = relative_importance(frame, "y", ["x3", "x0", "x1"], weights="w", cluster="g", draws=500)
    assert (found.n, found.left_out, found.clusters, found.draws) == (455, 5, 23, 500)
    assert list(found.table["driver"]) == ["x0", "x1", "x3"]
    top = found.drivers[1]
    assert (top.rank, top.rank_low, top.rank_high) == (1, 1, 1) and top.low < top.part < top.high
    assert top.first > 0.97 and found.low < found.r2 < found.high
    assert found.sentence.en.startswith(
        f"Together the 3 drivers go with {found.r2:.0%} of the differences in y; x0"
    )
    assert found.sentence.zh.startswith(
        f"这3个因素合起来与y差异的{found.r2:.0%}有关联；其中x0占{top.part:.1%}"
    )
    negative = relative_importance(frame.assign(x0=-frame["x0"]), "y", ["x0", "x1"], draws=100)
    assert negative.drivers[0].correlation < 0 < negative.drivers[0].part


def test_few_communities_are_told() -> None:
    frame = people().assign(g=lambda f: f.index % 4)
    said = relative_importance(frame, "y", ["x0", "x1"], cluster="g", draws=100).sentence
    assert said.en.endswith("With only 4 communities these chances are rough.")
    assert said.zh.endswith("只有4个社区，这些把握只能当作大概。")


def test_the_interval_covers_what_communities_share() -> None:
    # y and x move by community only: residents of one community are one observation
    rng = np.random.default_rng(3)
    x, e = rng.normal(size=20), rng.normal(size=20)
    frame = pd.DataFrame({"x": x, "y": x + e, "g": range(20)}).loc[lambda f: f.index.repeat(30)].reset_index()
    by_community = relative_importance(frame, "y", ["x"], cluster="g", draws=1000)
    by_resident = relative_importance(frame, "y", ["x"], draws=1000)
    assert by_community.high - by_community.low > 3 * (by_resident.high - by_resident.low)


@pytest.mark.parametrize(
    ("drivers", "options", "said"),
    [
        (["x0", "words"], {}, "The frame has no column 'words' (did you mean 'word'?)"),
        (["x0", "x0"], {}, "'x0' is named more than once among outcome and drivers; each once."),
        (["x0", "y"], {}, "'y' is named more than once"),
        ([], {}, "No driver was named"),
        (["x0", "flat"], {}, "'flat' never varies among complete rows; leave it out."),
        (["x0", "word"], {}, "Column 'word' holds text such as ['a'], and a number was expected."),
        (["x0", "empty"], {}, "0 of 230 rows are complete in x0, empty, y and have a weight; 4 at least are needed."),
        (["x0"], {"method": "jonson"}, "expected 'lmg' or 'johnson'. Did you mean 'johnson'?"),
        (["x0"], {"cluster": "flat"}, "'flat' holds a single cluster: resampling clusters needs two at least"),
        (["x0"], {"weights": "none"}, "Every weight in 'none' is 0"),
        (["x0"], {"draws": 10}, "draws=10: ends of an interval need 100 draws at least."),
        ([f"x{j}" for j in range(15)], {}, "15 drivers make 32,768 subsets; LMG is exact up to 14 drivers."),
        (["half"], {"cluster": "g"}, "All complete rows lie in one cluster of 'g'; two at least are needed."),
    ],
)  # fmt: skip
def test_bad_use_is_refused(drivers: list[str], options: dict[str, Any], said: str) -> None:
    frame = people().assign(flat=1.0, word="a", empty=np.nan, none=0.0)
    frame["half"] = frame["x0"].where(frame["g"] == 3)
    with pytest.raises(EstimateError) as refused:
        relative_importance(frame, "y", drivers, **options)
    assert said in str(refused.value)


def test_two_communities_on_paper() -> None:
    # one of two is drawn and counted twice: the total is 2 x 3 or 2 x 10
    found = cluster_bootstrap(np.array([[1.0], [2.0], [10.0]]), np.array([0, 0, 1]), draws=200, seed=1)
    assert found.observed[0] == 13
    assert set(found.redrawn[:, 0]) == {6.0, 20.0}


def test_redrawn_totals_spread_as_the_design_says() -> None:
    frame = people().assign(one=1.0)
    design_based = total(frame, "y", Design(weights="w", psu="g")).se
    values = (frame["y"] * frame["w"]).to_numpy()[:, None]
    redrawn = cluster_bootstrap(values, frame["g"].to_numpy(), draws=20_000, seed=1).redrawn
    # a standard deviation of 20,000 draws is within 0.5 % (one sd of it), so within 2 %
    assert redrawn.std() == pytest.approx(design_based, rel=0.02)


def test_ends_that_too_many_draws_lack_are_missing() -> None:
    draws = np.tile(np.arange(100.0)[:, None], 2)
    draws[:4, 0], draws[:6, 1] = np.nan, np.nan
    low, high = interval(draws)
    assert low[0] == pytest.approx(4 + 0.025 * 95) and high[0] < 99 and np.isnan([low[1], high[1]]).all()
    assert rank_interval(np.array([[1.0], [1.0], [2.0]]))[:, 0].tolist() == [1, 2]
