"""The study: what study.toml and the codebook say, checked as a whole, frozen, and knowing where everything lies."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cbresearch.codebook import TABLES, Codebook, Question, read_codebook
from cbresearch.errors import Fault, StudyError, nearest
from cbresearch.records import LANGUAGES, Language, Text

if TYPE_CHECKING:
    import pandas as pd

POINTS = "_points"
"""Ending of a column that holds an item or a scale on 0 (worst) to 100 (best)."""


class Part(BaseModel):
    """A part of study.toml: frozen, and no key that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class Words(Part):
    zh: str
    en: str

    @property
    def text(self) -> Text:
        return Text(self.zh, self.en)


class About(Part):
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")
    title: Words
    waves: tuple[int, ...] = Field(min_length=1)
    languages: tuple[Language, ...] = LANGUAGES
    seed: int = 1
    notice: Words | None = None
    """Printed on every page; a simulated study says here that it is."""


class Keys(Part):
    """The columns that join the tables: who answered, and where they live."""

    resident: str
    area: str | None = None


class Source(Part):
    """One raw file, below data/raw."""

    table: Literal["residents", "communities", "facilities", "crosswalk"]
    file: str
    wave: int | None = None
    sheet: str | None = None
    header_rows: int = Field(default=1, ge=1, le=5)
    encoding: str | None = None
    columns: dict[str, str] = {}
    """Heading in the file = name in the codebook, where the heading is neither name nor label."""


class FrameCounts(Part):
    """How many people the sampling frame lists in each class of `by`, to mend non-response.

    Either a column of the ledger, looked up per area and wave, or the counts themselves.
    """

    by: str
    column: str | None = None
    counts: dict[str, float] = {}


class Sampling(Part):
    strata: tuple[str, ...] = ()
    cluster: str | None = None
    weight: str | None = None
    trim: float | None = Field(default=None, gt=1)
    """No weight above this many times the mean weight."""
    frame_counts: FrameCounts | None = None
    margins: dict[str, dict[str, float]] = {}
    """Shares of the population by variable and code; each sums to 1."""


class Band(Part):
    """A question cut from a number: ages into age groups. `starts` are the lower ends, in order."""

    name: str
    of: str
    starts: tuple[float, ...] = Field(min_length=1)


class Scale(Part):
    label: Words
    minimum_answered: int = Field(ge=1)


class Indicator(Part):
    """A figure of the ledger: the sum of some columns, per another where named, times `multiply`."""

    name: str
    label: Words
    unit: Words
    sum_of: tuple[str, ...] = Field(min_length=1)
    per: str | None = None
    multiply: float = 1.0
    published: float | None = None
    """What a published report states for the district in the last wave."""
    published_as: Literal["exactly", "more than"] = "exactly"


class Effects(Part):
    """What is explained, by what, holding what: the drivers notebook's question."""

    outcome: str
    drivers: tuple[str, ...] = ()
    controls: tuple[str, ...] = ()


class Target(Part):
    measure: str
    at_least: float


class Report(Part):
    notebook: str
    over: Literal["district", "area"] = "district"
    languages: tuple[Language, ...] | None = None
    parameters: dict[str, str | int | float | bool] = {}


class Disclosure(Part):
    minimum_cell: int = Field(default=10, ge=3)


class Reporting(Part):
    scores: Literal["points", "as_asked"] = "points"
    """Rated items as 0-100 points, or in the numbers that residents were offered."""


class StudyFile(Part):
    """study.toml, key by key."""

    study: About
    keys: Keys
    sources: tuple[Source, ...] = Field(min_length=1)
    design: Sampling = Sampling()
    bands: tuple[Band, ...] = ()
    scales: dict[str, Scale] = {}
    indicators: tuple[Indicator, ...] = ()
    effects: Effects | None = None
    targets: tuple[Target, ...] = ()
    reports: tuple[Report, ...] = ()
    disclosure: Disclosure = Disclosure()
    reporting: Reporting = Reporting()


@dataclass(frozen=True, repr=False)
class Study:
    """One study, checked. Read it with `open_study`; its parts cannot be changed."""

    root: Path
    file: StudyFile
    codebook: Codebook

    def __repr__(self) -> str:
        return f"Study({self.name!r}, {len(self.waves)} waves, at {self.root})"

    # --- what it says -------------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self.file.study.name

    @property
    def title(self) -> Text:
        return self.file.study.title.text

    @property
    def notice(self) -> Text | None:
        notice = self.file.study.notice
        return notice.text if notice else None

    @property
    def waves(self) -> tuple[int, ...]:
        return self.file.study.waves

    @property
    def languages(self) -> tuple[Language, ...]:
        return self.file.study.languages

    @property
    def area(self) -> str | None:
        return self.file.keys.area

    @property
    def design(self) -> Sampling:
        return self.file.design

    @cached_property
    def indicators(self) -> dict[str, Indicator]:
        return {indicator.name: indicator for indicator in self.file.indicators}

    @property
    def minimum_cell(self) -> int:
        return self.file.disclosure.minimum_cell

    def sources(self, table: str) -> tuple[Source, ...]:
        return tuple(source for source in self.file.sources if source.table == table)

    # --- where it lies ------------------------------------------------------------------------
    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw"

    @property
    def processed(self) -> Path:
        return self.root / "data" / "processed"

    @property
    def notebooks(self) -> Path:
        return self.root / "notebooks"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    # --- its tables ---------------------------------------------------------------------------
    def residents(self) -> pd.DataFrame:
        """A row per resident and wave, cleaned, weighted and scored by `cbresearch build`."""
        return self._table("residents")

    def communities(self) -> pd.DataFrame:
        """A row per community and wave: ledger, facilities and indicators; no rows without a ledger."""
        return self._table("communities")

    def findings(self) -> pd.DataFrame:
        """A row per fault found in the raw files."""
        return self._table("findings")

    def ledger(self) -> pd.DataFrame:
        """A row per cleaning step and source: rows before and after, cells changed, why."""
        import pandas as pd

        return pd.read_csv(self._built("ledger.csv"))

    def _table(self, name: str) -> pd.DataFrame:
        import pandas as pd

        return pd.read_parquet(self._built(f"{name}.parquet"))

    def _built(self, filename: str) -> Path:
        path = self.processed / filename
        if not path.is_file():
            raise StudyError(
                [Fault(f"data/processed/{filename}", "not built yet", "run 'cbresearch build' in the workspace first")]
            )
        return path

    # --- its words ----------------------------------------------------------------------------
    def label(self, column: str) -> Text:
        """What a reader should see for a column: codebook label, scale label, indicator label, or its name.

        `sat_health_points` reads as `sat_health`; `need__health` as the answer 'health' of `need`.
        """
        if column in self.codebook.by_name:
            return self.codebook.by_name[column].label
        if column in self.indicators:
            return self.indicators[column].label.text
        if column.endswith(POINTS):
            base = column.removesuffix(POINTS)
            return self.file.scales[base].label.text if base in self.file.scales else self.label(base)
        question, separator, code = column.partition("__")
        return self.answer(question, code) if separator else Text(column, column)

    def answer(self, column: str, code: str) -> Text:
        """What a reader should see for one code of one column."""
        for choice in self.codebook.choices_of(column):
            if choice.code == str(code):
                return choice.label
        return Text(str(code), str(code))

    def measured(self, question: Question) -> str:
        """The column of residents that reports a rated item in the study's chosen unit."""
        as_points = self.file.reporting.scores == "points" and question.is_rated
        return question.name + POINTS if as_points else question.name


def find_workspace(start: Path | str = ".") -> Path:
    """The nearest folder at or above `start` that holds data/study.toml."""
    here = Path(start).resolve()
    for folder in (here, *here.parents):
        if (folder / "data" / "study.toml").is_file():
            return folder
    raise StudyError(
        [Fault(str(here), "no data/study.toml here or in any folder above", "run 'cbresearch new DIR' to make a workspace")]
    )


def open_study(start: Path | str = ".") -> Study:
    """The study of the workspace around `start`; StudyError lists everything wrong with it at once."""
    root = find_workspace(start)
    path = root / "data" / "study.toml"
    text = path.read_text(encoding="utf-8-sig")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError([Fault("study.toml", f"not valid TOML: {error}", "expected TOML 1.0, see https://toml.io")]) from error
    codebook, faults = read_codebook(path.with_name("codebook.csv"), path.with_name("choices.csv"))
    lines = Lines(text)
    try:
        file = StudyFile.model_validate(raw)
    except ValidationError as error:
        faults = [*_shape_faults(error, lines), *faults]
        raise StudyError(faults) from error
    study = Study(root, file, codebook)
    faults += list(_reference_faults(study, lines))
    if faults:
        raise StudyError(faults)
    return study


class Lines:
    """Which line of study.toml a key stands on."""

    def __init__(self, text: str) -> None:
        self._line: dict[tuple[str | int, ...], int] = {}
        table: tuple[str | int, ...] = ()
        counts: dict[tuple[str | int, ...], int] = {}
        for number, line in enumerate(text.splitlines(), 1):
            bare = line.strip()
            if header := re.match(r"^(\[\[?)([^\[\]]+)\]", bare):
                table = self._resolve(header[2], counts, is_array=header[1] == "[[")
                self._line.setdefault(table, number)
            elif key := re.match(r"""^("[^"]+"|'[^']+'|[\w.-]+)\s*=""", bare):
                self._line.setdefault((*table, *_key_parts(key[1])), number)

    @staticmethod
    def _resolve(header: str, counts: dict[tuple[str | int, ...], int], *, is_array: bool) -> tuple[str | int, ...]:
        parts = _key_parts(header)
        if is_array:
            counts[parts] = counts.get(parts, -1) + 1
            return (*parts, counts[parts])
        head: tuple[str | int, ...] = parts[:1]
        return (*head, counts[head], *parts[1:]) if head in counts else parts

    def where(self, loc: tuple[str | int, ...]) -> str:
        for length in range(len(loc), 0, -1):
            if loc[:length] in self._line:
                return f"study.toml line {self._line[loc[:length]]}"
        return "study.toml"


def _key_parts(text: str) -> tuple[str | int, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r'"[^"]+"|\'[^\']+\'|[^.]+', text.strip()))


def _shape_faults(error: ValidationError, lines: Lines) -> Iterator[Fault]:
    for item in error.errors():
        loc = item["loc"]
        where, key = lines.where(loc), ".".join(str(part) for part in loc)
        match item["type"]:
            case "extra_forbidden":
                known = _known_keys(loc[:-1])
                yield Fault(where, f"unknown key '{key}'", f"expected one of {', '.join(known)}", nearest(str(loc[-1]), known))
            case "missing":
                yield Fault(where, f"no '{key}'", "expected it to be given")
            case "literal_error":
                expected = str(item.get("ctx", {}).get("expected", ""))
                options = re.findall(r"'([^']+)'", expected)
                yield Fault(where, f"{key} = {item['input']!r}", f"expected {expected}", nearest(str(item["input"]), options))
            case _:
                said = item["msg"][0].lower() + item["msg"][1:]
                yield Fault(where, f"{key} = {item['input']!r}", f"expected otherwise: {said}")


def _known_keys(loc: tuple[str | int, ...]) -> list[str]:
    model: Any = StudyFile
    for part in loc:
        if isinstance(part, int) or not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        model = next(_models_in(annotation), None)
    return list(model.model_fields) if model is not None else []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in getattr(annotation, "__args__", ()):
        yield from _models_in(argument)


def _reference_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    """Everything that points at something which is not there."""
    yield from _file_faults(study, lines)
    yield from _column_faults(study, lines)
    yield from _value_faults(study, lines)


def _file_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    inside = study.raw.resolve()
    for i, source in enumerate(study.file.sources):
        where = lines.where(("sources", i, "file"))
        path = study.raw / source.file
        if not path.resolve().is_relative_to(inside):
            yield Fault(where, f"file '{source.file}' lies outside data/raw", "expected a file inside it")
        elif not path.is_file():
            there = sorted(p.name for p in study.raw.glob("*")) if study.raw.is_dir() else []
            yield Fault(
                where, f"data/raw/{source.file} is missing", f"data/raw holds {', '.join(there) or 'nothing'}", nearest(source.file, there)
            )
        if source.wave is not None and source.wave not in study.waves:
            yield Fault(
                lines.where(("sources", i, "wave")), f"wave {source.wave}", f"expected one of study.waves: {', '.join(map(str, study.waves))}"
            )
        if source.wave is None and source.table == "residents" and len(study.waves) > 1:
            yield Fault(lines.where(("sources", i)), f"{source.file} names no wave", "expected one, since the study has several")
    for i, report in enumerate(study.file.reports):
        if not (study.notebooks / f"{report.notebook}.ipynb").is_file():
            there = sorted(p.stem for p in study.notebooks.glob("*.ipynb"))
            yield Fault(
                lines.where(("reports", i, "notebook")),
                f"no notebook '{report.notebook}'",
                f"notebooks/ holds {', '.join(there) or 'nothing'}",
                nearest(report.notebook, there),
            )


def _column_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    file = study.file
    asked: list[tuple[tuple[str | int, ...], str, str]] = [(("keys", "resident"), file.keys.resident, "residents")]
    asked += [(("keys", "area"), file.keys.area, "residents")] if file.keys.area else []
    asked += [(("design", "strata"), column, "residents") for column in file.design.strata]
    asked += [(("design", key), column, "residents") for key in ("cluster", "weight") if (column := getattr(file.design, key))]
    asked += [(("design", "margins", column), column, "residents") for column in file.design.margins]
    if frame := file.design.frame_counts:
        asked += [(("design", "frame_counts", "by"), frame.by, "residents")]
        asked += [(("design", "frame_counts", "column"), frame.column, "communities")] if frame.column else []
    for i, band in enumerate(file.bands):
        asked += [(("bands", i, "name"), band.name, "residents"), (("bands", i, "of"), band.of, "residents")]
    for i, source in enumerate(file.sources):
        asked += [(("sources", i, "columns", heading), name, source.table) for heading, name in source.columns.items()]
    for i, indicator in enumerate(file.indicators):
        columns = (*indicator.sum_of, *([indicator.per] if indicator.per else []))
        asked += [(("indicators", i), column, "communities") for column in columns]
    if file.effects:
        asked += [(("effects", "outcome"), file.effects.outcome, "residents")]
        asked += [(("effects", "controls"), column, "residents") for column in file.effects.controls]
    for loc, column, table in asked:
        known = known_columns(study, table)
        if column not in known:
            yield Fault(
                lines.where(loc),
                f"no column '{column}' for {table} in codebook.csv",
                f"it has {len(known)} columns for {table}",
                nearest(column, known),
            )


def _value_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    file = study.file
    in_use = {question.scale for question in study.codebook.questions if question.scale}
    for name in file.scales:
        if name not in in_use:
            yield Fault(
                lines.where(("scales", name)), f"no question of codebook.csv belongs to scale '{name}'",
                f"scales in use: {', '.join(sorted(in_use)) or 'none'}", nearest(name, sorted(in_use)),
            )  # fmt: skip
    for driver in file.effects.drivers if file.effects else ():
        if driver not in study.indicators:
            yield Fault(
                lines.where(("effects", "drivers")), f"no indicator '{driver}'", f"indicators: {', '.join(study.indicators) or 'none'}",
                nearest(driver, list(study.indicators)),
            )  # fmt: skip
    measures = [*study.indicators, *reported_columns(study)]
    for i, target in enumerate(file.targets):
        if target.measure not in measures:
            yield Fault(
                lines.where(("targets", i, "measure")), f"nothing is measured as '{target.measure}'",
                "expected an indicator, a rated item or a scale, such as " + ", ".join(measures[:3]), nearest(target.measure, measures),
            )  # fmt: skip
    for column, shares in file.design.margins.items():
        total = sum(shares.values())
        if abs(total - 1) > 1e-6:
            yield Fault(lines.where(("design", "margins", column)), f"the shares of '{column}' sum to {total:g}", "expected 1")
        codes = [choice.code for choice in study.codebook.choices_of(column)]
        for code in (c for c in shares if codes and c not in codes):
            yield Fault(
                lines.where(("design", "margins", column, code)), f"'{column}' has no answer '{code}'", f"expected {', '.join(codes)}", nearest(code, codes)
            )
    for i, band in enumerate(file.bands):
        answers = study.codebook.choices_of(band.name)
        if band.name in study.codebook.by_name and len(answers) != len(band.starts):
            yield Fault(
                lines.where(("bands", i)), f"'{band.name}' has {len(band.starts)} starts and {len(answers)} choices", "expected as many of each"
            )


def known_columns(study: Study, table: str) -> list[str]:
    """The columns that study.toml may name for a table; those of facilities also reach communities, as counts and sums."""
    columns = [question.name for question in study.codebook.of("residents" if table == "crosswalk" else table)]
    if table == "communities":
        columns += [name for question in study.codebook.of("facilities") for name in facility_columns(study, question)]
    return columns


def facility_columns(study: Study, question: Question) -> list[str]:
    """What one column of the facility register becomes per community: a count per kind, or a sum."""
    if question.type == "select_one":
        return [f"{question.name}__{choice.code}" for choice in study.codebook.choices_of(question.name)]
    return [f"facility_{question.name}"] if question.type in {"integer", "decimal"} else []


def reported_columns(study: Study) -> list[str]:
    """The columns of residents that hold a rated item or a scale in the study's unit."""
    items = [study.measured(question) for question in study.codebook.of("residents") if question.is_rated]
    return items + [scale + POINTS for scale in study.file.scales]


__all__ = ["POINTS", "TABLES", "Lines", "Study", "StudyFile", "find_workspace", "open_study"]
