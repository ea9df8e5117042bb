"""What the processed tables hold, as hashes of exactly what each report reads of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

from cbresearch.errors import PublishError
from cbresearch.publish.files import write_json
from cbresearch.publish.plan import codes_found
from cbresearch.study import Columns, Reads, Study

CACHE = ".slices.json"
LENGTH = 16
"""Hexadecimal digits of a hash of data: enough for two versions of one table, short enough for 10,000 reports."""


@dataclass(frozen=True, slots=True)
class Slice:
    """What all reports with the same declaration read of one table: a hash for everybody, one of the rest by area."""

    table: str
    everybody: str
    own: dict[str, str]

    def about(self, area: str | None) -> str:
        if not self.own or area is None:
            return self.everybody
        return hashlib.sha256(f"{self.everybody} {self.own.get(area, '')}".encode()).hexdigest()[:LENGTH]


class Slices:
    """Hashes of slices, worked out in one pass over each table, remembered until a table changes.

    A table is known by the manifest that lists it and by its size and time of writing, so one that was
    overwritten by hand is read again.
    """

    def __init__(self, study: Study, manifest: str) -> None:
        self._study = study
        self._is_new = False
        self._tables: dict[str, Any] = {}
        self._declared: dict[tuple[Any, bool], list[Slice]] = {}
        stamps = {path.name: _stamp(path) for path in sorted(study.processed.glob("*.*")) if path.is_file()}
        read_by = metadata.version("pyarrow")
        self._of = json.loads(json.dumps([manifest, list(study.keys_of_tables), stamps, read_by]))

    def of(self, reads: Reads) -> dict[str, str]:
        """For each table that the report reads, one hash of the cells it reads."""
        declared = (reads.tables, reads.area is None)
        if declared not in self._declared:
            self._declared[declared] = [self._of_table(table, reads) for table, _ in reads.tables]
        return {one.table: one.about(reads.area) for one in self._declared[declared]}

    @property
    def areas(self) -> list[str]:
        """The codes of communities in the tables."""
        found: list[str] = self._remembered("areas", lambda: sorted(codes_found(self._study)))
        return found

    @property
    def answers(self) -> int:
        """How many questionnaires there are after cleaning."""
        count: int = self._remembered("answers", lambda: _rows(self._study.processed / "residents.parquet"))
        return count

    def _remembered(self, what: str, make: Callable[[], Any]) -> Any:
        facts = self._known["facts"]
        if what not in facts:
            facts[what] = make()
            self._is_new = True
        return facts[what]

    def save(self) -> None:
        if self._is_new:
            write_json(self._study.reports / CACHE, {"of": self._of, **self._known})
            self._is_new = False
        self._tables.clear()

    @cached_property
    def _known(self) -> dict[str, Any]:
        try:
            found = json.loads((self._study.reports / CACHE).read_text(encoding="utf-8"))
            if found["of"] == self._of:
                return {part: dict(found[part]) for part in ("facts", "columns", "own")}
        except (OSError, ValueError, KeyError, TypeError):
            pass
        return {"facts": {}, "columns": {}, "own": {}}

    def _of_table(self, table: str, reads: Reads) -> Slice:
        hashes = self._everybody(table)
        columns = reads.columns(table, list(hashes), self._study.keys_of_tables)
        told = json.dumps([[name, hashes[name]] for name in columns.everybody]).encode()
        own = self._own(table, columns) if columns.own and reads.area is not None else {}
        return Slice(table, hashlib.sha256(told).hexdigest()[:LENGTH], own)

    def _everybody(self, table: str) -> dict[str, str]:
        """A hash of each whole column."""
        known = self._known["columns"]
        if table not in known:
            data = self._read(table)
            known[table] = {name: hash_of_column(data, [name]) for name in data.column_names}
            self._is_new = True
        return dict(known[table])

    def _own(self, table: str, columns: Columns) -> dict[str, str]:
        """A hash of the own columns in each area."""
        known, name = self._known["own"], f"{table}: {', '.join(columns.own)}"
        if name not in known:
            known[name] = hashes_by_area(self._read(table), self._study.area or "", columns.own)
            self._is_new = True
        found: dict[str, str] = known[name]
        return found

    def _read(self, table: str) -> Any:
        if table not in self._tables:
            self._tables[table] = _csv(self._study.processed / "ledger.csv") if table == "ledger" else _parquet(
                self._study.processed / f"{table}.parquet"
            )  # fmt: skip
        return self._tables[table]


def hash_of_column(table: Any, columns: Sequence[str]) -> str:
    """One hash of the type with every value, in the order of the rows."""
    digest = hashlib.sha256()
    for batch in table.select(columns).combine_chunks().to_batches():
        digest.update(str(batch.schema.types).encode())
        digest.update(batch.serialize())
    return digest.hexdigest()[:LENGTH]


def hashes_by_area(table: Any, area: str, columns: Iterable[str]) -> dict[str, str]:
    """For each area, one hash of its rows in these columns, in their order; rows without an area belong to none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if area not in table.column_names:
        return {}
    codes = table.column(area).cast(pa.string())
    rows = table.select(list(columns)).append_column("", codes)
    order = pc.sort_indices(  # stable, so rows keep their order inside an area
        pa.table({"area": codes, "row": pa.array(range(len(codes)))}),
        sort_keys=[("area", "ascending"), ("row", "ascending")],
    )
    rows = rows.take(order).combine_chunks()
    counts = rows.column("").value_counts().to_pylist()
    found, start = {}, 0
    for one in sorted(counts, key=lambda one: (one["values"] is None, (one["values"] or "").encode())):
        if one["values"] is not None:
            part = rows.slice(start, one["counts"])
            found[one["values"]] = _hash_of_values(part)
        start += one["counts"]
    return found


def _hash_of_values(table: Any) -> str:
    """One hash of every value. Arrow's own bytes of a few rows also tell of the rows that stood beside them."""
    digest = hashlib.sha256()
    for name, column in zip(table.column_names, table.columns, strict=True):
        values = json.dumps(column.to_pylist(), ensure_ascii=False, default=str)
        digest.update(f"{name}\0{column.type}\0{values}\0".encode(errors="surrogatepass"))
    return digest.hexdigest()[:LENGTH]


def _rows(path: Path) -> int:
    """Rows of a parquet file, from its footer; none where there is no file."""
    import pyarrow.parquet as pq

    meta: Any = pq.read_metadata(path) if path.is_file() else None
    return int(meta.num_rows) if meta else 0


def _parquet(path: Path) -> Any:
    import pyarrow.parquet as pq

    try:
        return pq.read_table(path)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _csv(path: Path) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    try:
        names = path.read_text(encoding="utf-8").partition("\n")[0].split(",")
        as_text = {name.strip('"'): pa.string() for name in names}
        return csv.read_csv(path, convert_options=csv.ConvertOptions(column_types=as_text))
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> PublishError:
    return PublishError(
        f"data/processed/{path.name} cannot be read: {str(error).splitlines()[0]}. "
        "Run 'cbresearch build --fresh' to make it again."
    )


def _stamp(path: Path) -> list[int]:
    told = path.stat()
    return [told.st_size, told.st_mtime_ns]
