"""Everything that can be wrong with study.toml, beside its grammar."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from cbresearch.errors import Fault, nearest
from cbresearch.study.areas import map_faults
from cbresearch.study.file import StudyFile
from cbresearch.study.lines import Lines
from cbresearch.study.study import Study, known_columns, reported_columns


def own_errors(error: ValidationError) -> list[ErrorDetails]:
    """The errors, without those that only say that a part of them is wrong."""
    items = error.errors()
    inner = {item["loc"][:length] for item in items for length in range(len(item["loc"]))}
    return [item for item in items if item["loc"] not in inner]


def shape_faults(error: ValidationError, lines: Lines) -> Iterator[Fault]:
    for item in own_errors(error):
        loc = item["loc"]
        where, key = lines.where(loc), ".".join(str(part) for part in loc)
        match item["type"]:
            case "extra_forbidden":
                known = _known_keys(loc[:-1])
                yield Fault(
                    where,
                    f"unknown key '{key}'",
                    f"expected one of {', '.join(known)}",
                    nearest(str(loc[-1]), known),
                )
            case "missing":
                yield Fault(where, f"no '{key}'", "expected it to be given")
            case "literal_error":
                expected = str(item.get("ctx", {}).get("expected", ""))
                options = re.findall(r"'([^']+)'", expected)
                yield Fault(
                    where,
                    f"{key} = {item['input']!r}",
                    f"expected {expected}",
                    nearest(str(item["input"]), options),
                )
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


def reference_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    """Everything that points at something which is not there."""
    yield from _file_faults(study, lines)
    yield from map_faults(study, lines)
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
                where,
                f"data/raw/{source.file} is missing",
                f"data/raw holds {', '.join(there) or 'nothing'}",
                nearest(source.file, there),
            )
        if source.wave is not None and source.wave not in study.waves:
            yield Fault(
                lines.where(("sources", i, "wave")),
                f"wave {source.wave}",
                f"expected one of study.waves: {', '.join(map(str, study.waves))}",
            )
        if source.wave is None and source.table == "residents" and len(study.waves) > 1:
            yield Fault(
                lines.where(("sources", i)),
                f"{source.file} names no wave",
                "expected one, since the study has several",
            )
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
    asked: list[tuple[tuple[str | int, ...], str, str]] = [
        (("keys", "resident"), file.keys.resident, "residents")
    ]
    asked += [(("keys", "area"), file.keys.area, "residents")] if file.keys.area else []
    asked += [(("design", "strata"), column, "residents") for column in file.design.strata]
    asked += [
        (("design", key), column, "residents")
        for key in ("cluster", "weight")
        if (column := getattr(file.design, key))
    ]
    asked += [(("design", "margins", column), column, "residents") for column in file.design.margins]
    if frame := file.design.frame_counts:
        asked += [(("design", "frame_counts", "by"), frame.by, "residents")]
        asked += [(("design", "frame_counts", "column"), frame.column, "communities")] if frame.column else []
    for i, band in enumerate(file.bands):
        asked += [(("bands", i, "name"), band.name, "residents"), (("bands", i, "of"), band.of, "residents")]
    for i, source in enumerate(file.sources):
        asked += [
            (("sources", i, "columns", heading), name, source.table)
            for heading, name in source.columns.items()
        ]
    for i, indicator in enumerate(file.indicators):
        columns = (*indicator.sum_of, *([indicator.per] if indicator.per else []))
        asked += [(("indicators", i), column, "communities") for column in columns]
    asked += [(("policy", "reached"), file.policy.reached, "communities")] if file.policy else []
    for loc, column, table in asked:
        known = known_columns(study, table)
        if column not in known:
            yield Fault(
                lines.where(loc),
                f"no column '{column}' for {table} in codebook.csv",
                f"it has {len(known)} columns for {table}",
                nearest(column, known),
            )


def _question_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    file, indicators = study.file, list(study.indicators)
    answered = [*known_columns(study, "residents"), *file.scales]
    if (headline := file.reporting.headline) and headline not in answered:
        yield _no_outcome(lines.where(("reporting", "headline")), headline, answered)
    for i, question in enumerate(file.questions):
        if question.outcome not in answered:
            yield _no_outcome(lines.where(("questions", i, "outcome")), question.outcome, answered)
        if question.cause not in indicators:
            yield Fault(
                lines.where(("questions", i, "cause")), f"no indicator '{question.cause}'",
                f"indicators: {', '.join(indicators) or 'none'}", nearest(question.cause, indicators),
            )  # fmt: skip
        for control in question.controls:
            if control not in [*answered, *indicators] or control in {question.cause, question.outcome}:
                yield Fault(
                    lines.where(("questions", i, "controls")), f"'{control}' cannot be held",
                    "expected a column of residents or an indicator, neither the cause nor the outcome",
                    nearest(control, [*answered, *indicators]),
                )  # fmt: skip


def _pair_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    scales = list(study.file.scales)
    for i, pair in enumerate(study.file.pairs):
        for key in ("first", "second"):
            if (scale := getattr(pair, key)) not in scales:
                yield Fault(
                    lines.where(("pairs", i, key)), f"no scale '{scale}'",
                    f"scales: {', '.join(scales) or 'none'}", nearest(scale, scales),
                )  # fmt: skip
        items = [len(study.codebook.items(scale)) for scale in (pair.first, pair.second)]
        if {pair.first, pair.second} <= set(scales) and items[0] != items[1]:
            yield Fault(
                lines.where(("pairs", i)), f"'{pair.first}' has {items[0]} items and '{pair.second}' {items[1]}",
                "expected as many, since they are paired in the order of codebook.csv",
            )  # fmt: skip


def _index_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    measures = [*study.indicators, *reported_columns(study)]
    for i, index in enumerate(study.file.indices):
        for measure in index.measures:
            if measure not in measures:
                yield Fault(
                    lines.where(("indices", i, "measures")), f"nothing is measured as '{measure}'",
                    "expected an indicator, a rated item or a scale, such as " + ", ".join(measures[:3]),
                    nearest(measure, measures),
                )  # fmt: skip
        if index.weights and len(index.weights) != len(index.measures):
            yield Fault(
                lines.where(("indices", i, "weights")),
                f"{len(index.weights)} weights for {len(index.measures)} measures",
                "expected one for each",
            )
        told, wanted = [len(row) for row in index.comparisons], list(range(len(index.measures) - 1, 0, -1))
        if told and (told != wanted or min(min(row) for row in index.comparisons) <= 0):
            yield Fault(
                lines.where(("indices", i, "comparisons")),
                f"rows of {', '.join(map(str, told))} comparisons for {len(index.measures)} measures",
                f"expected rows of {', '.join(map(str, wanted))} numbers above 0: each measure against those after it",
            )


def _step_faults(study: Study, lines: Lines) -> Iterator[Fault]:
    steps: dict[str, float] = {}
    for i, question in enumerate(study.file.questions):
        first = steps.setdefault(question.cause, question.unit)
        if question.unit != first:
            yield Fault(
                lines.where(("questions", i, "unit")), f"'{question.cause}' is asked about in steps of {question.unit:g}",
                f"expected {first:g}, as in the question before it: a page with two steps would be misread",
            )  # fmt: skip


def _no_outcome(where: str, outcome: str, answered: list[str]) -> Fault:
    return Fault(
        where,
        f"no column '{outcome}' for residents in codebook.csv, nor a scale of that name",
        f"it has {len(answered)} columns and scales for residents",
        nearest(outcome, answered),
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
    yield from _question_faults(study, lines)
    yield from _step_faults(study, lines)
    yield from _pair_faults(study, lines)
    yield from _index_faults(study, lines)
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
            yield Fault(
                lines.where(("design", "margins", column)),
                f"the shares of '{column}' sum to {total:g}",
                "expected 1",
            )
        codes = [choice.code for choice in study.codebook.choices_of(column)]
        for code in (c for c in shares if codes and c not in codes):
            yield Fault(
                lines.where(("design", "margins", column, code)),
                f"'{column}' has no answer '{code}'",
                f"expected {', '.join(codes)}",
                nearest(code, codes),
            )
    for i, band in enumerate(file.bands):
        answers = study.codebook.choices_of(band.name)
        if band.name in study.codebook.by_name and len(answers) != len(band.starts):
            yield Fault(
                lines.where(("bands", i)),
                f"'{band.name}' has {len(band.starts)} starts and {len(answers)} choices",
                "expected as many of each",
            )
