"""Recipes: how base weights become weights that agree with a population, again for every replicate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cbresearch.errors import EstimateError, nearest
from cbresearch.sampling.design import Floats
from cbresearch.sampling.distances import Shape, solved
from cbresearch.sampling.margins import Margin, uncovered
from cbresearch.sampling.raking import Cells, Raked, fitted, raked_within


@dataclass(frozen=True, slots=True)
class Reached:
    """One class of a margin, or one total: what the population has, what the sample stood and stands for."""

    margin: str
    code: str
    """Empty where `margin` is a numeric column and its total is meant."""
    people: float
    before: float
    after: float


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """What a recipe makes of base weights."""

    weights: Floats
    sweeps: int
    cut: NDArray[np.bool_]
    """n: rows whose weight stood at a bound."""
    reached: tuple[Reached, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Raking:
    """Base weights scaled to the population and raked, inside bounds where there are some."""

    cells: Cells
    margins: tuple[Margin, ...]
    total: float | None
    """The people of the population; None where margins are shares, and the base weights say how many there are."""
    ceiling: float
    floor: float
    tolerance: float
    sweeps: int

    def __call__(self, base: Floats) -> Weighed:
        before = self.cells.sums(base)
        refuse_uncovered(self.margins, self.cells.by_class(before))
        scale = 1.0 if self.total is None else self.total / base.sum()
        if self.ceiling < np.inf or self.floor > 0:
            found = raked_within(
                base * scale, self.cells, ceiling=self.ceiling, floor=self.floor, tolerance=self.tolerance,
                sweeps=self.sweeps,
            )  # fmt: skip
            after = self.cells.sums(found.weights)
        else:
            # one look at the rows before and one after: a million of them are most of the cost
            table = fitted(before * scale, self.cells, tolerance=self.tolerance, sweeps=self.sweeps)
            weights = base * (table.factors * scale)[self.cells.of_row]
            found = Raked(weights, table.sweeps, table.apart, np.zeros(len(base), dtype=bool))
            after = table.table
        self._refuse_unsettled(found)
        reached = _of_margins(self.margins, self.cells.by_class(before), self.cells.by_class(after))
        return Weighed(found.weights, found.sweeps, found.cut, tuple(reached))

    def _refuse_unsettled(self, found: Raked) -> None:
        if not found.settled(self.tolerance):
            worst = int(np.argmax(found.apart))
            raise EstimateError(
                f"Raking did not settle after {found.sweeps} sweeps: '{self.margins[worst].name}' is still "
                f"{found.apart[worst]:.2g} of its people away. Some classes of one margin are held only together "
                "with some of another: merge small classes."
            )
        if not found.within:
            raise EstimateError(
                f"No weights keep the margins and stay between {self.floor:g} and {self.ceiling:g} times their "
                "mean. Widen ceiling= and floor=, or merge small classes of the margins."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Fitting:
    """Base weights multiplied by the factors nearest to 1 that meet the totals of the columns of x."""

    x: Floats
    """n x K: a column for every class of every margin, then the numeric columns."""
    margins: tuple[Margin, ...]
    total: float | None
    """As in `Raking`."""
    columns: tuple[str, ...]
    known: Floats
    """The totals of the numeric columns."""
    shape: Shape
    tolerance: float

    def __call__(self, base: Floats) -> Weighed:
        refuse_uncovered(self.margins, self._by_class(base))
        people = base.sum() if self.total is None else self.total
        wanted = np.concatenate([*(margin.shares * people for margin in self.margins), self.known])
        found = solved(base, self.x, wanted, self.shape, self.tolerance)
        if (found.apart > self.tolerance).any():
            worst = int(np.argmax(found.apart))
            names = [*(f"{m.name} = {code}" for m in self.margins for code in m.classes), *self.columns]
            raise EstimateError(
                f"No weights meet all totals: '{names[worst]}' is to be {wanted[worst]:g} and stays "
                f"{found.apart[worst]:.2g} of it away after {found.steps} steps. Totals may contradict each other, "
                "or bounds= be too narrow."
            )
        weights = base * found.factors
        nobody = np.zeros(len(base), dtype=bool)
        return Weighed(weights, found.steps, nobody, tuple(self._reached(base, weights)))

    def _by_class(self, weights: Floats) -> list[Floats]:
        ends = np.cumsum([len(margin.classes) for margin in self.margins])
        return np.split(weights @ self.x[:, : sum(ends[-1:])], ends[:-1]) if len(ends) else []

    def _reached(self, before: Floats, after: Floats) -> Iterator[Reached]:
        yield from _of_margins(self.margins, self._by_class(before), self._by_class(after))
        for place, (column, known) in enumerate(zip(self.columns, self.known, strict=True)):
            x = self.x[:, place - len(self.columns)]
            yield Reached(column, "", float(known), float(before @ x), float(after @ x))


def _of_margins(
    margins: Sequence[Margin], before: Sequence[Floats], after: Sequence[Floats]
) -> Iterator[Reached]:
    for margin, stood, stands in zip(margins, before, after, strict=True):
        people = margin.shares * stands.sum()
        for k in margin.order:
            yield Reached(margin.name, margin.classes[k], float(people[k]), float(stood[k]), float(stands[k]))


def refuse_uncovered(margins: Sequence[Margin], have: Sequence[Floats]) -> None:
    """EstimateError naming every class that cannot be met, from the sums of the weights in each."""
    faults = []
    for margin, held in zip(margins, have, strict=True):
        listed = [name for name, share in zip(margin.classes, margin.shares, strict=True) if share > 0]
        for class_ in uncovered(margin, held):
            near = nearest(class_.code, [name for name in listed if name != class_.code])
            hint = f" (did you mean '{near}'?)" if near and np.isnan(class_.share) else ""
            faults.append(
                f"rows hold '{margin.name}' = '{class_.code}'{hint}, of which the margin says nothing: add it, or merge the class"
                if np.isnan(class_.share)
                else f"nobody stands for '{margin.name}' = '{class_.code}', {class_.share:.1%} of the people: merge it with a neighbour"
            )
    if faults:
        raise EstimateError("The margins cannot be reached: " + "; ".join(faults) + ".")
