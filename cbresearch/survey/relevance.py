"""When a question is asked: the conditions of the codebook's `relevant` column."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from cbresearch.codebook import Codebook
from cbresearch.errors import Fault, nearest
from cbresearch.records import Text
from cbresearch.study import Study

Truth = Callable[[pd.DataFrame], pd.Series]
"""Rows in, true, false or unknown (NA) out: a missing answer decides nothing."""

_TOKEN = re.compile(
    r"\s*(?:(?P<column>\$\{[^}]*\})|(?P<text>'[^']*'|\"[^\"]*\")|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<compare>!=|<=|>=|=|<|>)|(?P<word>and\b|or\b|selected\b)|(?P<sign>[(),]))"
)
_COMPARE: Mapping[str, Callable[[pd.Series, object], pd.Series]] = {
    "=": lambda cells, value: cells == value,
    "!=": lambda cells, value: cells != value,
    "<": lambda cells, value: cells < value,
    "<=": lambda cells, value: cells <= value,
    ">": lambda cells, value: cells > value,
    ">=": lambda cells, value: cells >= value,
}
GRAMMAR = (
    "comparisons such as ${age} >= 18, ${sex} = '1' or selected(${need}, 'health'), joined by 'and' or 'or'"
)


class NotACondition(ValueError):
    """An expression outside the grammar; the text says where it stops making sense."""


@dataclass(frozen=True)
class Condition:
    """A condition that can be asked of a table, with the columns and answers that it names."""

    holds: Truth
    columns: tuple[str, ...]
    answers: tuple[tuple[str, str], ...]
    """(column, code) pairs that are compared for equality or looked for by `selected`."""
    numeric: tuple[str, ...]


def parse(expression: str) -> Condition:
    """Read one condition. NotACondition where it is outside the grammar."""
    return _Reader(expression).read()


def check(codebook: Codebook) -> list[Fault]:
    """Every fault in the codebook's `relevant` column: grammar, unknown questions, unknown answers."""
    return [
        fault for q in codebook.questions if q.relevant for fault in _faults(q.name, q.relevant, codebook)
    ]


def readable(expression: str, study: Study) -> Text:
    """The condition with the questions' labels in place of their names."""

    def say(lang: str) -> str:
        return re.sub(r"\$\{([^}]*)\}", lambda name: study.label(name[1].strip()).say(lang), expression)

    return Text(say("zh"), say("en"))


def _faults(name: str, expression: str, codebook: Codebook) -> Iterator[Fault]:
    where = f"codebook.csv, '{name}'"
    try:
        condition = parse(expression)
    except NotACondition as error:
        yield Fault(where, f"relevant is {expression!r}: {error}", f"expected {GRAMMAR}")
        return
    known = list(codebook.by_name)
    for column in condition.columns:
        if column not in known:
            yield Fault(
                where,
                f"relevant names '{column}'",
                "expected a question of the codebook",
                nearest(column, known),
            )
    for column, code in condition.answers:
        codes = [choice.code for choice in codebook.choices_of(column)]
        if codes and code not in codes:
            yield Fault(
                where,
                f"relevant asks for '{code}' of '{column}'",
                f"expected one of {', '.join(codes)}",
                nearest(code, codes),
            )
    for column in condition.numeric:
        if column in known and codebook.by_name[column].type in {"text", "id", "date", "select_multiple"}:
            yield Fault(
                where,
                f"relevant compares '{column}' with a number",
                "expected a question answered by a number",
            )


class _Reader:
    """Reads left to right; 'and' binds closer than 'or'."""

    def __init__(self, expression: str) -> None:
        self._tokens = _tokens(expression)
        self._place = 0
        self._columns: list[str] = []
        self._answers: list[tuple[str, str]] = []
        self._numeric: list[str] = []

    def read(self) -> Condition:
        holds = self._either()
        if self._peek():
            raise NotACondition(f"'{self._peek()}' is one too many")
        columns = tuple(dict.fromkeys(self._columns))
        return Condition(holds, columns, tuple(self._answers), tuple(self._numeric))

    def _either(self) -> Truth:
        parts = [self._both()]
        while self._peek() == "or":
            self._take()
            parts.append(self._both())
        return _joined(parts, lambda a, b: a | b)

    def _both(self) -> Truth:
        parts = [self._one()]
        while self._peek() == "and":
            self._take()
            parts.append(self._one())
        return _joined(parts, lambda a, b: a & b)

    def _one(self) -> Truth:
        if self._peek() == "(":
            self._take()
            inside = self._either()
            self._expect(")")
            return inside
        return self._selected() if self._peek() == "selected" else self._compared()

    def _selected(self) -> Truth:
        self._take()
        self._expect("(")
        column = self._column()
        self._expect(",")
        code = self._text()
        self._expect(")")
        self._answers.append((column, code))
        return lambda cells: _has_chosen(cells, column, code)

    def _compared(self) -> Truth:
        column = self._column()
        sign = self._take()
        if sign not in _COMPARE:
            raise NotACondition(f"'{sign or 'the end'}' stands where a comparison was expected")
        if self._peek()[:1] in {"'", '"'}:
            code = self._text()
            self._answers.append((column, code))
            return lambda cells: _compared_text(cells, column, sign, code)
        number = self._number()
        self._numeric.append(column)
        return lambda cells: _COMPARE[sign](_numbers(cells, column), number)

    def _column(self) -> str:
        token = self._take()
        if not token.startswith("${"):
            raise NotACondition(
                f"'{token or 'the end'}' stands where a question such as ${{age}} was expected"
            )
        self._columns.append(token[2:-1].strip())
        return self._columns[-1]

    def _text(self) -> str:
        token = self._take()
        if token[:1] not in {"'", '"'}:
            raise NotACondition(f"'{token or 'the end'}' stands where an answer in quotes was expected")
        return token[1:-1]

    def _number(self) -> float:
        token = self._take()
        try:
            return float(token)
        except ValueError:
            raise NotACondition(f"'{token or 'the end'}' stands where a number was expected") from None

    def _peek(self) -> str:
        return self._tokens[self._place] if self._place < len(self._tokens) else ""

    def _take(self) -> str:
        token = self._peek()
        self._place += 1
        return token

    def _expect(self, sign: str) -> None:
        token = self._take()
        if token != sign:
            raise NotACondition(f"'{token or 'the end'}' stands where '{sign}' was expected")


def _tokens(expression: str) -> Sequence[str]:
    tokens, place = [], 0
    while expression[place:].strip():
        found = _TOKEN.match(expression, place)
        if found is None:
            raise NotACondition(f"{expression[place:].strip()!r} cannot be read")
        tokens.append(found[0].strip())
        place = found.end()
    return tokens


def _joined(parts: Sequence[Truth], join: Callable[[pd.Series, pd.Series], pd.Series]) -> Truth:
    def holds(cells: pd.DataFrame) -> pd.Series:
        truth = parts[0](cells)
        for part in parts[1:]:
            truth = join(truth, part(cells))
        return truth

    return holds


def _has_chosen(cells: pd.DataFrame, column: str, code: str) -> pd.Series:
    indicator = f"{column}__{code}"
    return cells[indicator] == "1" if indicator in cells else _texts(cells, column) == code


def _compared_text(cells: pd.DataFrame, column: str, sign: str, code: str) -> pd.Series:
    return _COMPARE[sign](_texts(cells, column), code)


def _texts(cells: pd.DataFrame, column: str) -> pd.Series:
    return cells[column] if column in cells else pd.Series(pd.NA, cells.index, dtype="string")


def _numbers(cells: pd.DataFrame, column: str) -> pd.Series:
    return pd.to_numeric(_texts(cells, column), errors="coerce").astype("Float64")
