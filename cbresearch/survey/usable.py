"""Whether a cleaned source can carry the study that names it."""

from __future__ import annotations

from collections.abc import Iterator

from cbresearch.survey.table import Table


def unusable(table: Table) -> Iterator[str]:
    """Why a cleaned source cannot be used: columns the study stands on, rows left, its wave."""
    for column, asked_by in _needed(table):
        if column not in table.cells:
            label = table.study.label(column)
            found = found_headings(table)
            yield (
                f"{table.name} has no column for '{column}' ({label.zh} / {label.en}), which {asked_by} needs. "
                f"Headings not understood: {', '.join(found[:12]) or 'none'}. "
                f"Name the heading under [sources.columns] of this source, or take '{column}' out of {asked_by}."
            )
    if table.kind == "communities" and table.wave is None:
        yield f"{table.name} names no wave, and the study has several. Expected wave = one of {', '.join(map(str, table.study.waves))}."
    if table.cells.empty:
        yield f"{table.name}: no row is left after cleaning; see why with a smaller file, or check header_rows, sheet and columns of this source."


def found_headings(table: Table) -> list[str]:
    """Headings of the file that no question answers to."""
    unknown = (finding for finding in table.found if (finding["rule"] == "unknown_column").any())
    return [str(value) for finding in unknown for value in finding["value"]]


def _needed(table: Table) -> Iterator[tuple[str, str]]:
    """Columns that a source must have, with the key of study.toml that asks for them."""
    study, design = table.study, table.study.design
    if study.area is not None:
        yield study.area, "keys.area"
    if table.kind != "residents":
        return
    if table.key is not None:
        yield table.key, "keys.resident"
    if design.weight:
        yield design.weight, "design.weight"
    if design.cluster:
        yield design.cluster, "design.cluster"
    yield from ((column, "design.strata") for column in design.strata if column != study.area)
    yield from ((column, f"design.margins.{column}") for column in design.margins)
    if design.frame_counts and design.frame_counts.by != study.area:
        yield design.frame_counts.by, "design.frame_counts"
