"""From raw files to processed tables: the story, a line per step."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from filelock import FileLock

from cbresearch.errors import BuildError, SourceError, StudyError
from cbresearch.measure.scores import scores
from cbresearch.study import Source, Study
from cbresearch.survey.clean import CHAINS
from cbresearch.survey.communities import communities_by_wave
from cbresearch.survey.ledger import LEDGER_COLUMNS, Audited, Entry, no_changes
from cbresearch.survey.manifest import UNCHANGED, input_hashes, is_current, made_by, read_manifest
from cbresearch.survey.reading import how_it_was_read
from cbresearch.survey.relevance import check
from cbresearch.survey.rules import no_findings
from cbresearch.survey.sources import Raw, read_source
from cbresearch.survey.store import restore, write_atomically
from cbresearch.survey.table import Table
from cbresearch.survey.typed import typed_residents
from cbresearch.survey.usable import unusable
from cbresearch.survey.weighting import Weighted, weighted


@dataclass(frozen=True, slots=True)
class Built:
    """What a build came to. `wrote` is false where nothing had changed; `findings` counts them by rule."""

    wrote: bool
    residents: int
    communities: int
    findings: Mapping[str, int]
    said: str


def build(study: Study, *, fresh: bool = False) -> Built:
    """Make data/processed from data/raw; nothing where nothing changed, unless `fresh`.

    BuildError lists everything that made it impossible, StudyError every condition in the codebook
    that cannot be read; the last good build then stays in place.
    """
    study.processed.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(study.root / "data" / ".build.lock"):
        restore(study.processed)
        inputs = input_hashes(study)
        if not fresh and is_current(study, inputs):
            return _unchanged(study)
        return _build(study, inputs)


def _build(study: Study, inputs: Mapping[str, str]) -> Built:
    if faults := check(study.codebook):
        raise StudyError(faults)
    clock = _Clock()
    raws = read_raw(study)
    clock.took("read")
    sources = clean(study, raws)
    del raws  # half of what a build would hold at its peak
    clock.took("clean")
    communities = communities_by_wave(_tables(sources, "communities"), _tables(sources, "facilities"), study)
    answers = typed_residents(_tables(sources, "residents"), study)
    weights = _weigh(answers, communities, study)
    clock.took("weight")
    residents = pd.concat([answers, *scores(answers, study), weights.columns], axis="columns")
    residents = _flags_last(residents)
    clock.took("score")
    tables = {
        "residents.parquet": residents,
        "communities.parquet": communities,
        "findings.parquet": _findings(sources, weights),
        "changes.parquet": _changes(sources),
        "ledger.csv": pd.DataFrame(
            [asdict(e) for s in sources for e in s.ledger], columns=list(LEDGER_COLUMNS)
        ),
    }
    manifest = _manifest(study, inputs, tables, weights)
    write_atomically(study.processed, tables, manifest, clock.times())
    return Built(
        True, len(residents), len(communities), manifest["findings"], "\n".join(_told(sources, manifest))
    )


def _unchanged(study: Study) -> Built:
    manifest = read_manifest(study)
    rows = manifest["rows"]
    return Built(False, rows["residents"], rows["communities"], manifest["findings"], UNCHANGED)


# --- raw files ------------------------------------------------------------------------------------


def read_raw(study: Study) -> dict[str, tuple[Source, Raw]]:
    """Every source as read, under the name that ledger and findings call it by."""
    raws, faults = {}, []
    for source in study.file.sources:
        try:
            raw = read_source(
                study.raw / source.file,
                sheet=source.sheet,
                header_rows=source.header_rows,
                encoding=source.encoding,
            )
        except SourceError as error:
            faults.append(str(error))
            continue
        raws[study.name_of(source)] = (source, raw)
    _refuse(faults)
    return raws


# --- cleaning -------------------------------------------------------------------------------------


def clean(study: Study, raws: Mapping[str, tuple[Source, Raw]]) -> list[Audited]:
    """Every source through its chain of steps, the crosswalk before the residents who need it."""
    crosswalks = [_cleaned(study, name, *raws[name]) for name in raws if raws[name][0].table == "crosswalk"]
    crosswalk = pd.concat([audited.table.cells for audited in crosswalks]) if crosswalks else None
    others: list[Audited] = []
    for name, (source, raw) in raws.items():
        if source.table != "crosswalk":
            others.append(_cleaned(study, name, source, raw, crosswalk=crosswalk, before=others))
    audited = [*crosswalks, *others]
    _refuse([fault for source_audited in audited for fault in unusable(source_audited.table)])
    return audited


def _cleaned(
    study: Study,
    name: str,
    source: Source,
    raw: Raw,
    *,
    crosswalk: pd.DataFrame | None = None,
    before: list[Audited] | None = None,
) -> Audited:
    table = as_table(study, name, source, raw)
    table = replace(table, crosswalk=crosswalk, taken=_keys_taken(table, before or []))
    rows = len(table.cells)
    why = how_it_was_read(raw.said)
    start = Audited(table, (Entry("read", name, rows, rows, 0, 0, why.zh, why.en),))
    return start.through(CHAINS[source.table])


def as_table(study: Study, name: str, source: Source, raw: Raw) -> Table:
    """A raw file as a table whose index is the row that a person would count in the file."""
    cells = raw.frame.set_axis(pd.RangeIndex(raw.first_row, raw.first_row + len(raw.frame), name="row"))
    return Table(name, source, study, cells, raw.value_labels, raw.headings)


def _keys_taken(table: Table, before: list[Audited]) -> frozenset[str]:
    """Keys that earlier files of the same wave already gave. Ledgers of one wave may share an area."""
    if table.kind != "residents" or table.key is None:
        return frozenset()
    same = (a.table for a in before if a.table.kind == table.kind and a.table.wave == table.wave)
    return frozenset(
        key for other in same if table.key in other.cells for key in other.cells[table.key].dropna()
    )


def _tables(sources: list[Audited], kind: str) -> list[Table]:
    return [audited.table for audited in sources if audited.table.kind == kind]


# --- weights --------------------------------------------------------------------------------------


def _weigh(answers: pd.DataFrame, communities: pd.DataFrame, study: Study) -> Weighted:
    try:
        return weighted(answers, communities, study)
    except BuildError as error:
        _refuse([str(error)])
        raise


def _flags_last(residents: pd.DataFrame) -> pd.DataFrame:
    """Flags and weights after the scores, so that what was answered stands first."""
    last = [c for c in residents.columns if c.startswith("flag_")] + [
        "weight_base",
        "weight_nonresponse",
        "weight",
    ]
    return residents[[c for c in residents.columns if c not in last] + last]


# --- the account ----------------------------------------------------------------------------------


def _findings(sources: list[Audited], weights: Weighted) -> pd.DataFrame:
    found = [f for audited in sources for f in audited.table.found] + list(weights.found)
    return pd.concat(found, ignore_index=True) if found else no_findings()


def _changes(sources: list[Audited]) -> pd.DataFrame:
    changes = [audited.changes_frame() for audited in sources if audited.changes]
    return pd.concat(changes, ignore_index=True) if changes else no_changes()


def _manifest(
    study: Study, inputs: Mapping[str, str], tables: Mapping[str, pd.DataFrame], weights: Weighted
) -> dict[str, Any]:
    found = tables["findings.parquet"]["rule"].value_counts()
    return {
        "study": study.name,
        "seed": study.file.study.seed,
        "made_by": made_by(),
        "inputs": dict(inputs),
        "rows": {
            name.removesuffix(".parquet"): len(table)
            for name, table in tables.items()
            if name.endswith(".parquet")
        },
        "findings": {str(rule): int(found[rule]) for rule in sorted(found.index)},
        "weights": [asdict(wave) for wave in weights.waves],
    }


def _told(sources: list[Audited], manifest: Mapping[str, Any]) -> Iterator[str]:
    for audited in sources:
        first, last = audited.ledger[0], audited.ledger[-1]
        aside = first.rows_before - last.rows_after
        yield f"{audited.table.name}: {first.rows_before:,} rows read, {aside:,} set aside, {last.rows_after:,} kept"
    for wave in manifest["weights"]:
        yield f"wave {wave['wave']}: n {wave['n']:,}, effective n {wave['n_effective']:,.0f} (design effect of weighting {wave['deff']:.2f})"
    yield f"{sum(manifest['findings'].values()):,} findings, told one by one in data/processed/findings.parquet"


def _refuse(faults: list[str]) -> None:
    if faults:
        noun = "reason" if len(faults) == 1 else "reasons"
        raise BuildError(
            f"The study cannot be built ({len(faults)} {noun}):\n"
            + "\n".join(f"  - {fault}" for fault in faults)
        )


class _Clock:
    """Seconds spent on each part of a build; kept apart from what was built, so that two builds are equal."""

    def __init__(self) -> None:
        self._start = self._last = time.perf_counter()
        self._parts: dict[str, float] = {}

    def took(self, part: str) -> None:
        now = time.perf_counter()
        self._parts[part], self._last = round(now - self._last, 3), now

    def times(self) -> dict[str, Any]:
        finished = datetime.now(UTC).isoformat(timespec="seconds")
        return {
            "finished": finished,
            "seconds": round(time.perf_counter() - self._start, 3),
            "parts": self._parts,
        }
