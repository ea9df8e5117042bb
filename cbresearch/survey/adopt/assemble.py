"""From columns to the whole questionnaire: every guess made in the light of the others."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from cbresearch.codebook import Question
from cbresearch.errors import Fault, nearest
from cbresearch.records import Text
from cbresearch.survey.adopt import together
from cbresearch.survey.adopt.column import Column
from cbresearch.survey.adopt.drafted import Drafted, DraftedScale, Guess, Seen
from cbresearch.survey.adopt.gather import put_options_together, renamed, with_lists, with_scales
from cbresearch.survey.adopt.guess import could_be_coded, draft_question
from cbresearch.survey.adopt.personal import Personal, screen
from cbresearch.survey.adopt.rated import Rated, stray_codes, within

ROW = "row"
"""Name of the key that counts the file's rows, where no column identifies a resident."""


@dataclass(frozen=True)
class Named:
    """What the user said about the columns; the rest is guessed."""

    outcome: str | None = None
    area: str | None = None
    cluster: str | None = None
    strata: tuple[str, ...] = ()
    weight: str | None = None

    @property
    def by_flag(self) -> tuple[tuple[str, str], ...]:
        flags = (
            ("--outcome", self.outcome),
            ("--area", self.area),
            ("--cluster", self.cluster),
            ("--weight", self.weight),
        )
        return tuple(
            (flag, name) for flag, name in (*flags, *(("--strata", name) for name in self.strata)) if name
        )


@dataclass(frozen=True)
class Questionnaire:
    """A drafted codebook with its design: what the study files will say."""

    drafted: tuple[Drafted, ...]
    scales: tuple[DraftedScale, ...]
    key: str
    named: Named
    personal: tuple[Personal, ...]
    guesses: tuple[Guess, ...]
    questions_left: tuple[str, ...]

    @property
    def renamed(self) -> dict[str, str]:
        """Heading = name in the codebook, where the heading could not stay."""
        return {
            d.heading: d.question.name for d in self.drafted if d.heading and d.heading != d.question.name
        }


def unknown_names(columns: Sequence[Column], named: Named) -> list[Fault]:
    """A fault for every column that was named and is not there."""
    there = [column.name for column in columns]
    return [
        Fault(flag, f"no column '{name}'", f"the file has {len(there)} columns", nearest(name, there))
        for flag, name in named.by_flag
        if name not in there
    ]


def assemble(columns: Sequence[Column], cells: pd.DataFrame, named: Named) -> Questionnaire:
    """Draft every question of the file, with scales, key and design. Every name in `named` is a column."""
    copies, rated = _ratings(columns, cells, named)
    said = [name for _, name in named.by_flag]
    key, keys = together.key_of([c for c in columns if c.name not in {*rated, *said}])
    settled = {*rated, *([key.name] if key else [])}
    named, design_guesses = _guess_design(columns, cells, named, settled)
    places = frozenset(name for name in (named.area, *named.strata) if name)
    found = _screened(columns, exempt={*settled, *places, *said})
    hidden = {personal.column: personal for personal in found if personal.is_column}
    cluster = named.cluster if named.cluster not in places else None
    seen = Seen(key.name if key else None, rated, copies, hidden, places, cluster, named.weight)
    drafted, scales = _drafts(columns, seen, named)
    guesses = (*(guess for d in drafted for guess in d.guesses), *design_guesses, _key_guess(key, keys))
    return Questionnaire(
        tuple(with_lists(drafted)),
        tuple(scales),
        _called(drafted, key.name) if key else ROW,
        _as_called(named, drafted),
        tuple(found),
        guesses,
        tuple(_questions_left(columns, cells, named, drafted, key)),
    )


def _ratings(
    columns: Sequence[Column], cells: pd.DataFrame, named: Named
) -> tuple[dict[str, str], dict[str, Rated]]:
    """Recoded copies with their originals, then every rated item; a named outcome is one in any case."""
    rated = together.ratings(columns)
    copies = {c: o for c, o in together.copies(columns, cells, rated).items() if c != named.outcome}
    kept = {name: scale for name, scale in rated.items() if name not in {*copies, *_not_rated(named)}}
    for column in columns:
        if column.name == named.outcome and column.name not in kept:
            kept[column.name] = _forced(column)
    return copies, kept


def _drafts(columns: Sequence[Column], seen: Seen, named: Named) -> tuple[list[Drafted], list[DraftedScale]]:
    drafted = [_with_role(draft_question(column, seen), named) for column in columns]
    drafted, scales = with_scales(put_options_together(drafted, columns), named.outcome)
    drafted = [renamed(draft) for draft in drafted]
    if seen.key is None:
        drafted.append(Drafted("", Question(ROW, "id", Text("文件行号", "Row of the file"), role="key")))
    return drafted, scales


def _not_rated(named: Named) -> set[str]:
    return {name for name in (named.area, named.cluster, named.weight, *named.strata) if name}


def _forced(column: Column) -> Rated:
    """The named outcome as a scale between its own lowest and highest number."""
    stray = {column.numbers[text] for text in stray_codes(column)}
    values = [value for value in column.values if value not in stray]
    low, high = math.floor(values[0]), math.ceil(values[-1])
    return within(
        column, low, max(high, low + 1), f"named with --outcome; its numbers run from {low} to {high}", 0.5
    )


def _guess_design(
    columns: Sequence[Column], cells: pd.DataFrame, named: Named, taken: Collection[str]
) -> tuple[Named, list[Guess]]:
    """The weight by its name; the areas as strata where every cluster lies in one of them."""
    guesses = []
    if named.weight is None and (found := together.weight_of([c for c in columns if c.name not in taken])):
        column, why, confidence = found
        named = replace(named, weight=column.name)
        guesses.append(Guess(column.name, "design.weight", why, confidence))
    if (
        named.cluster
        and named.area
        and not named.strata
        and together.is_nested(cells, named.cluster, named.area)
    ):
        named = replace(named, strata=(named.area,))
        why = f"every value of {named.cluster} lies in one {named.area}: clusters look drawn within it"
        guesses.append(Guess(named.area or "", "design.strata", why, 0.7))
    return named, guesses


def _screened(columns: Sequence[Column], exempt: set[str]) -> list[Personal]:
    found = (
        screen(column, is_coded=could_be_coded(column)) for column in columns if column.name not in exempt
    )
    return [personal for personal in found if personal]


def _with_role(draft: Drafted, named: Named) -> Drafted:
    name, question = draft.heading, draft.question
    if name == named.outcome:
        return replace(draft, question=replace(question, role="outcome"))
    if name == named.area:
        return replace(draft, question=replace(question, role="area"))
    return draft


def _called(drafted: Sequence[Drafted], heading: str) -> str:
    return next((d.question.name for d in drafted if d.heading == heading and heading), heading)


def _as_called(named: Named, drafted: Sequence[Drafted]) -> Named:
    def called(heading: str | None) -> str | None:
        return _called(drafted, heading) if heading else None

    strata = tuple(_called(drafted, name) for name in named.strata)
    return Named(
        called(named.outcome), called(named.area), called(named.cluster), strata, called(named.weight)
    )


def _key_guess(key: Column | None, keys: Sequence[Column]) -> Guess:
    if key is None:
        why = "no column has a value of its own in every row: rows are counted instead"
        return Guess(ROW, "keys.resident", why, 0.6)
    others = [column.name for column in keys if column is not key]
    also = f"; so could {', '.join(others[:3])}" if others else ""
    every = "every row" if key.is_unique else f"{key.distinct} of {key.rows} rows"
    return Guess(
        key.name, "keys.resident", f"a value of its own in {every}{also}", 0.9 if key.is_unique else 0.6
    )


def _questions_left(
    columns: Sequence[Column],
    cells: pd.DataFrame,
    named: Named,
    drafted: Sequence[Drafted],
    key: Column | None,
) -> list[str]:
    """What only the user can decide, with the candidates."""
    rated = [d.heading for d in drafted if d.is_rated]
    taken = [
        *rated,
        *([key.name] if key else []),
        *(d.heading for d in drafted if d.question.role == "personal"),
    ]
    left = []
    if named.outcome is None:
        told = [d.heading for d in drafted if d.is_rated and d.question.role == "outcome"] or rated
        left.append(
            f"outcome: {_listing(told, len(told)) or 'no rated item was recognised'}; name it with --outcome"
        )
    if named.area is None:
        places = together.place_candidates(columns, taken)
        said = _listing([f"{c.name} ({c.distinct} values)" for c in places], len(places))
        left.append(f"area: {'candidates ' + said if said else 'no candidate found'}; name it with --area")
    elif named.cluster is None:
        inside = together.cluster_candidates(columns, cells, named.area, taken)
        if inside:
            said = _listing([f"{c.name} ({c.distinct} values)" for c in inside], len(inside))
            left.append(
                f"cluster: {said} lie each inside one {named.area}; name the sampled one with --cluster"
            )
    return left


def _listing(names: Sequence[str], total: int) -> str:
    return ", ".join(names[:6]) + (f" and {total - 6} more" if total > 6 else "")
