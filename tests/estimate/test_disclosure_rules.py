"""What must go so that nobody can be worked out, over all tables that a reader has."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.errors import EstimateError
from cbresearch.estimate.disclosure import DOMINATED, NEXT_SMALLEST, Cell, protected, recoverable, too_few
from cbresearch.estimate.precision import SETS, IneChile, StatisticsCanada, precision_named
from cbresearch.estimate.release import Rules, release
from cbresearch.records import Estimate

WAVE = ("wave", "2009")
MEAN = Estimate("pay", 50.0, 2.0, 40.0, 46.0, 54.0, 200, 48, "yuan", (WAVE,), "Taylor linearisation")


def line(*people: int, total: int | None = None) -> list[Cell]:
    """Areas a, b, c … of one wave, then the district."""
    parts = [Cell("sat", (WAVE, ("area", name)), n) for name, n in zip("abcdefgh", people, strict=False)]
    return [*parts, Cell("sat", (WAVE,), sum(people) if total is None else total)]


def table(people: list[list[int]]) -> list[Cell]:
    """Areas by sex, with both margins and the whole."""
    grid = np.array(people)
    inside = [
        Cell("sat", (("area", str(i)), ("sex", str(j))), int(grid[i, j]))
        for i, j in product(*map(range, grid.shape))
    ]
    rows = [Cell("sat", (("area", str(i)),), int(n)) for i, n in enumerate(grid.sum(axis=1))]
    columns = [Cell("sat", (("sex", str(j)),), int(n)) for j, n in enumerate(grid.sum(axis=0))]
    return [*inside, *rows, *columns, Cell("sat", (), int(grid.sum()))]


def held(cells: list[Cell], minimum: int = 10) -> set[int]:
    return set(protected(cells, minimum, 0.9))


# --- by hand ----------------------------------------------------------------------------------
def test_a_lone_gap_takes_the_next_smallest_with_it() -> None:
    assert protected(line(5, 60, 40), 10, 0.9) == {0: too_few(10), 2: NEXT_SMALLEST}


def test_gaps_that_are_few_together_take_a_third() -> None:
    # 5 and 4 are 9 people: their sum, had by subtraction, is again too few
    assert held(line(5, 4, 40, 60)) == {0, 1, 2}


def test_people_in_no_printed_part_protect_a_gap() -> None:
    # 40 residents named no area: 5 + 40 is all that a reader can work out
    assert held(line(5, 60, 70, total=175)) == {0}
    assert held(line(5, 60, 70, total=138)) == {0, 1}


def test_what_another_table_tells_counts() -> None:
    # the area's three people are known as the difference of total and the other areas, printed elsewhere
    areas, total = line(3, 60, 40)[:1], line(3, 60, 40)[1:]
    assert held(areas) == {0}
    assert set(protected([*areas, *total], 10, 0.9)) == {0, 2}


def test_a_cell_told_twice_is_held_back_twice() -> None:
    cells = line(5, 60, 40)
    assert held([*cells, cells[0], cells[2]]) == {0, 2, 4, 5}


def test_two_people_s_money_is_not_shown() -> None:
    rich = Cell("pay", (WAVE,), 50, dominance=0.95)
    assert protected([rich], 10, 0.9) == {0: DOMINATED}
    assert protected([rich], 10, 0.96) == {}


def test_the_gate_sees_dominance_and_the_tables_beside() -> None:
    dominated = Estimate(**{**{f: getattr(MEAN, f) for f in MEAN.__dataclass_fields__}, "dominance": 0.93})
    assert release([dominated], Rules())[0].reason == DOMINATED
    mine = [Estimate("sat", 50, 2, 40, 46, 54, 40, 9, "points", (WAVE, ("area", "c")))]
    assert release(mine, Rules())[0].status == "published"
    assert release(mine, Rules(), line(5, 60, 40))[0].reason == NEXT_SMALLEST


# --- laws -------------------------------------------------------------------------------------
grids = st.integers(2, 4).flatmap(
    lambda width: st.lists(
        st.lists(st.integers(0, 40), min_size=width, max_size=width), min_size=2, max_size=5
    )
)


def determined(cells: list[Cell], gaps: set[int]) -> set[int]:
    """A second way to see what follows: adding "this cell" to the reader's equations tells nothing new."""
    place = {cell.group: i for i, cell in enumerate(cells)}
    equations = []
    for group, whole in place.items():
        for column in ("area", "sex"):
            if column not in dict(group):
                parts = [
                    i
                    for g, i in place.items()
                    if column in dict(g) and tuple(p for p in g if p[0] != column) == group
                ]
                if parts:
                    row = np.zeros(len(cells))
                    row[parts], row[whole] = 1, -1
                    equations.append(row)
    printed = [np.eye(len(cells))[i] for i in range(len(cells)) if i not in gaps]
    known = np.array([*equations, *printed])
    rank = np.linalg.matrix_rank(known)
    return {i for i in gaps if np.linalg.matrix_rank(np.vstack([known, np.eye(len(cells))[i]])) == rank}


@settings(max_examples=60, deadline=None)
@given(people=grids)
def test_nothing_held_back_can_be_worked_out(people: list[list[int]]) -> None:
    cells = table(people)
    gaps = held(cells)
    assert {i for i, cell in enumerate(cells) if cell.people < 10} <= gaps
    assert determined(cells, gaps) == recoverable(cells, sorted(gaps)) == set()


@settings(max_examples=60, deadline=None)
@given(people=grids, gaps=st.sets(st.integers(0, 7)))
def test_what_can_be_worked_out_is_found_by_two_ways(people: list[list[int]], gaps: set[int]) -> None:
    cells = table(people)
    gaps = {i for i in gaps if i < len(cells)}
    assert recoverable(cells, sorted(gaps)) == determined(cells, gaps)


@settings(max_examples=60, deadline=None)
@given(people=st.lists(st.integers(0, 60), min_size=2, max_size=8))
def test_gaps_of_a_line_are_never_few_together(people: list[int]) -> None:
    cells = line(*people)
    gaps = held(cells)
    inside = [cells[i].people for i in gaps if i < len(people)]
    assert not gaps or len(people) in gaps or sum(inside) >= 10 or len(inside) == len(people)


@given(people=st.lists(st.integers(10, 60), min_size=2, max_size=8))
def test_where_nobody_is_few_everything_is_shown(people: list[int]) -> None:
    assert held(line(*people)) == set()


# --- published rules --------------------------------------------------------------------------
def share(value: float, se: float, n: int = 200, df: float = 40) -> Estimate:
    return Estimate("sat", value, se, df, value - 2 * se, value + 2 * se, n, 48, "share")


@pytest.mark.parametrize(
    ("name", "estimate", "status"),
    [
        # Statistics Canada: 16.5 % and 33.3 %
        ("statcan", share(0.5, 0.0825), "published"),
        ("statcan", share(0.5, 0.0830), "caution"),
        ("statcan", share(0.5, 0.1670), "held back"),
        ("statcan", share(0.5, 0.01, n=9), "held back"),
        # INE Chile: 0.5^(2/3)/9 = 0.06999..., 60 answers, 9 degrees of freedom
        ("ine-chile-2020", share(0.5, 0.0699), "published"),
        ("ine-chile-2020", share(0.5, 0.0701), "caution"),
        ("ine-chile-2020", share(0.8, 0.0381), "caution"),
        ("ine-chile-2020", share(0.5, 0.01, n=59), "held back"),
        ("ine-chile-2020", share(0.5, 0.01, df=8), "held back"),
        ("nchs-2017", share(0.5, 0.0701), "published"),
    ],
)
def test_published_rules_by_name(name: str, estimate: Estimate, status: str) -> None:
    rules = Rules(minimum_cell=3, precision=precision_named(name))
    assert release([estimate], rules)[0].status == status


def test_means_are_judged_by_their_variation() -> None:
    for rules in (StatisticsCanada(), IneChile()):
        assert rules.of_mean(MEAN)[0] == "published"
        wide = Estimate("pay", 50.0, 20.0, 40.0, 10.0, 90.0, 200, 48, "yuan")
        assert rules.of_mean(wide)[0] == "held back"
        # a difference near zero has no variation to speak of
        near = Estimate("pay", 0.1, 2.0, 40.0, -4.0, 4.1, 200, 48, "yuan", p=0.9)
        assert rules.of_mean(near)[0] == "published"


@pytest.mark.parametrize("name", SETS)
def test_every_set_holds_back_in_both_languages(name: str) -> None:
    status, reason = SETS[name].of_share(share(0.5, 0.4, n=5, df=1))
    assert status == "held back" and reason is not None
    assert reason.zh.endswith("。") and reason.en.endswith(".")


def test_an_unknown_set_names_the_nearest() -> None:
    with pytest.raises(EstimateError, match="Did you mean 'nchs-2017'"):
        precision_named("nchs2017")


def test_a_count_has_no_dominance() -> None:
    assert math.isnan(Cell("sat", (), 5).dominance)
