"""The codebook: what every column means, read from codebook.csv and choices.csv.

The columns follow XLSForm (`name, type, label::zh, label::en, choices, relevant`), with what an
evaluation needs beside them (`table, missing, direction, minimum, maximum, scale, role`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from cbresearch.errors import Fault, nearest
from cbresearch.records import Text, one_line

TABLES = ("residents", "communities", "facilities", "crosswalk")
TYPES = ("id", "integer", "decimal", "select_one", "select_multiple", "text", "date")
ROLES = (
    "key", "area", "outcome", "importance", "expectation", "perception", "need", "use",
    "payment", "group", "duration", "remark", "personal", "paradata",
)  # fmt: skip
QUESTION_COLUMNS = (
    "name", "type", "label::zh", "label::en", "choices", "missing", "direction", "minimum",
    "maximum", "scale", "role", "relevant", "table",
)  # fmt: skip
CHOICE_COLUMNS = ("list", "code", "label::zh", "label::en", "order", "variants")
OPTIONAL_COLUMNS = {"table", "variants"}


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer that may be given: its code, its label, and other spellings seen in the field."""

    code: str
    label: Text
    order: int
    variants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """One column of one table.

    `direction` is 1 when more is better, -1 for a reverse-worded item. `missing` are codes that
    stand for no answer. `minimum` and `maximum` bound a number, or the points of a rated item.
    """

    name: str
    type: str
    label: Text
    table: str = "residents"
    choices: str | None = None
    missing: tuple[str, ...] = ()
    direction: int = 1
    minimum: float | None = None
    maximum: float | None = None
    scale: str | None = None
    role: str | None = None
    relevant: str | None = None

    @property
    def is_rated(self) -> bool:
        """Answered on a scale with two ends, so that 0-100 points can be given."""
        return self.scale is not None and self.minimum is not None and self.maximum is not None


@dataclass(frozen=True)
class Codebook:
    questions: tuple[Question, ...]
    choices: dict[str, tuple[Choice, ...]] = field(default_factory=dict)

    @cached_property
    def by_name(self) -> dict[str, Question]:
        return {question.name: question for question in self.questions}

    def of(self, table: str) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if q.table == table)

    def with_role(self, role: str, table: str = "residents") -> tuple[Question, ...]:
        return tuple(q for q in self.of(table) if q.role == role)

    def items(self, scale: str) -> tuple[Question, ...]:
        return tuple(q for q in self.questions if q.scale == scale)

    def choices_of(self, name: str) -> tuple[Choice, ...]:
        """The answers of one question, in order; empty where it has no list."""
        listed = self.by_name[name].choices if name in self.by_name else None
        return self.choices.get(listed, ()) if listed else ()


def normal(text: str) -> str:
    """One spelling for matching: full-width folded, blanks and case dropped, '1.' or 'A、' before it gone."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    bare = re.sub(r"\s+", "", folded)
    return re.sub(r"^(\(?[0-9a-z]{1,2}\)?[.、:)])(?=\D)", "", bare)


def read_codebook(codebook_csv: Path, choices_csv: Path) -> tuple[Codebook, list[Fault]]:
    """The codebook as far as it can be read, and every fault in either file with its line."""
    faults: list[Fault] = []
    choices = _read_choices(choices_csv, faults)
    questions = tuple(_read_questions(codebook_csv, choices, faults))
    return Codebook(questions, choices), faults


def _rows(path: Path, expected: tuple[str, ...], faults: list[Fault]) -> Iterator[tuple[int, dict[str, str]]]:
    if not path.is_file():
        faults.append(Fault(path.name, "the file is missing", f"expected it at {path}"))
        return
    with path.open(encoding="utf-8-sig", newline="") as handle:
        reader = csv.DictReader(handle)
        present = reader.fieldnames or []
        for missing in (c for c in expected if c not in present and c not in OPTIONAL_COLUMNS):
            faults.append(
                Fault(
                    f"{path.name} line 1",
                    f"no column '{missing}'",
                    f"expected the columns {', '.join(expected)}",
                )
            )
        for unknown in (c for c in present if c not in expected):
            faults.append(
                Fault(
                    f"{path.name} line 1",
                    f"unknown column '{unknown}'",
                    f"expected the columns {', '.join(expected)}",
                    nearest(unknown, expected),
                )
            )
        for row in reader:
            yield reader.line_num, {key: (row.get(key) or "").strip() for key in expected}


def _read_choices(path: Path, faults: list[Fault]) -> dict[str, tuple[Choice, ...]]:
    lists: dict[str, list[Choice]] = {}
    seen: set[tuple[str, str]] = set()
    for line, row in _rows(path, CHOICE_COLUMNS, faults):
        where = f"{path.name} line {line}"
        if not row["list"] or not row["code"]:
            faults.append(Fault(where, "a choice without list or code", "expected both"))
            continue
        listed = lists.setdefault(row["list"], [])
        if (row["list"], row["code"]) in seen:
            faults.append(
                Fault(
                    where,
                    f"code '{row['code']}' stands twice in list '{row['list']}'",
                    "expected each code once",
                )
            )
        seen.add((row["list"], row["code"]))
        if row["order"] and not row["order"].lstrip("-").isdigit():
            faults.append(Fault(where, f"order '{row['order']}'", "expected a whole number"))
        order = int(row["order"]) if row["order"].lstrip("-").isdigit() else len(listed) + 1
        label = _label(row, row["code"])
        variants = tuple(v.strip() for v in row["variants"].split("|") if v.strip())
        listed.append(Choice(row["code"], label, order, variants))
    return {name: tuple(sorted(listed, key=lambda c: c.order)) for name, listed in lists.items()}


def _label(row: Mapping[str, str], name: str) -> Text:
    """In both languages: the other one's words where one is missing, the name where both are."""
    zh, en = one_line(row["label::zh"]), one_line(row["label::en"])
    return Text(zh or en or one_line(name), en or zh or one_line(name))


def _read_questions(
    path: Path, choices: dict[str, tuple[Choice, ...]], faults: list[Fault]
) -> Iterator[Question]:
    seen: set[str] = set()
    for line, row in _rows(path, QUESTION_COLUMNS, faults):
        where = f"{path.name} line {line}"
        if not row["name"]:
            faults.append(Fault(where, "a question without a name", "expected the name of its column"))
            continue
        if row["name"] in seen:
            faults.append(Fault(where, f"'{row['name']}' stands twice", "expected each name once"))
            continue
        seen.add(row["name"])
        faults.extend(_row_faults(where, row, choices))
        yield Question(
            name=row["name"],
            type=row["type"],
            label=_label(row, row["name"]),
            table=row["table"] or "residents",
            choices=row["choices"] or None,
            missing=tuple(code.strip() for code in row["missing"].split("|") if code.strip()),
            direction=-1 if row["direction"] in {"-1", "-"} else 1,
            minimum=_number(row["minimum"]),
            maximum=_number(row["maximum"]),
            scale=row["scale"] or None,
            role=row["role"] or None,
            relevant=row["relevant"] or None,
        )


def _row_faults(where: str, row: dict[str, str], choices: dict[str, tuple[Choice, ...]]) -> Iterator[Fault]:
    name = row["name"]
    for column, known in (("type", TYPES), ("role", ("", *ROLES)), ("table", ("", *TABLES))):
        if row[column] not in known:
            listed = ", ".join(k for k in known if k)
            yield Fault(
                where,
                f"'{name}' has {column} '{row[column]}'",
                f"expected one of {listed}",
                nearest(row[column], known),
            )
    if row["type"].startswith("select") and row["choices"] not in choices:
        yield Fault(
            where,
            f"'{name}' takes its answers from list '{row['choices']}'",
            f"expected a list of choices.csv: {', '.join(choices) or 'none there'}",
            nearest(row["choices"], list(choices)),
        )
    if row["direction"] not in {"", "1", "+", "-1", "-"}:
        yield Fault(
            where,
            f"'{name}' has direction '{row['direction']}'",
            "expected 1 (more is better) or -1 (reverse-worded)",
        )
    for bound in ("minimum", "maximum"):
        if row[bound] and _number(row[bound]) is None:
            yield Fault(where, f"'{name}' has {bound} '{row[bound]}'", "expected a number")
    low, high = _number(row["minimum"]), _number(row["maximum"])
    if low is not None and high is not None and low >= high:
        yield Fault(where, f"'{name}' runs from {low:g} to {high:g}", "expected minimum below maximum")
    if row["scale"] and (low is None or high is None):
        yield Fault(
            where,
            f"'{name}' belongs to scale '{row['scale']}' without both ends",
            "expected minimum and maximum",
        )


def _number(text: str) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
