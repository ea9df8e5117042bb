"""What a notebook reads, as one file that travels: study, notebooks and tables, named by the hash of its bytes."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from cbresearch.errors import PublishError
from cbresearch.publish.task import Task
from cbresearch.study import Reads, Study, from_plain
from cbresearch.study.file import TABLES

STUDY_FILES = ("study.toml", "codebook.csv", "choices.csv")
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same files give the same bytes, whenever they were written."""


@dataclass(frozen=True, slots=True)
class Bundle:
    digest: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cut:
    """Some columns of a table, all rows."""

    path: Path
    columns: tuple[str, ...]

    def read_bytes(self) -> bytes:
        import pyarrow as pa
        import pyarrow.parquet as pq

        sink = pa.BufferOutputStream()
        pq.write_table(pq.read_table(self.path, columns=list(self.columns)), sink, compression="zstd")
        return bytes(sink.getvalue())


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty file in the place of one that has to be there and is not read."""

    def read_bytes(self) -> bytes:
        return b""


Content = Path | Cut | Nothing


def files_for(study: Study, task: Task) -> dict[str, Content]:
    """What the notebook of `task` may read: name in the workspace -> content. Here the slice is cut.

    Of the processed tables only those travel that its report declares, with the declared columns; all reports
    that declare the same share one bundle. Raw files, what a simulated study was drawn from, and other reports
    never travel. Where study.toml names a raw file, an empty one stands in its place: a study opens only where
    all of them exist.
    """
    data = study.root / "data"
    files: dict[str, Content] = {
        _name(study, study.raw / source.file): Nothing() for source in study.file.sources
    }
    maps = [study.map_file] if study.map_file else []
    for path in [*(data / name for name in STUDY_FILES), *maps, *_files_in(study.notebooks)]:
        files[_name(study, path)] = path
    reads = None if task.reads is None else from_plain(task.reads)
    for path in _files_in(study.processed):
        content = path if reads is None else _declared(study, reads, path)
        if content is not None:
            files[_name(study, path)] = content
    return files


def _declared(study: Study, reads: Reads, path: Path) -> Content | None:
    """What a report may read of one file in data/processed; None where that is nothing."""
    if path.stem not in TABLES:
        return path if path.suffix == ".json" else None
    if path.stem not in dict(reads.tables):
        return None
    if path.suffix != ".parquet":
        return path
    import pyarrow.parquet as pq

    there = pq.read_schema(path).names
    columns = reads.columns(path.stem, there, study.keys_of_tables)
    wanted = {*columns.everybody, *(columns.own if reads.area is not None else ())}
    return path if wanted >= set(there) else Cut(path, tuple(name for name in there if name in wanted))


def _name(study: Study, path: Path) -> str:
    return path.relative_to(study.root).as_posix()


class Bundles:
    """The bundles of one run, each packed once however many tasks read it."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._packed: dict[tuple[tuple[str, Content], ...], Bundle] = {}

    def of(self, task: Task) -> Bundle:
        files = tuple(files_for(self._study, task).items())
        if files not in self._packed:
            self._packed[files] = pack({name: content.read_bytes() for name, content in files})
        return self._packed[files]


def pack(files: Mapping[str, bytes]) -> Bundle:
    """One archive; not compressed, for parquet already is."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as whole:
        for name in sorted(files):
            whole.writestr(zipfile.ZipInfo(_safe(name), LONG_AGO), files[name])
    data = archive.getvalue()
    return Bundle(digest_of(data), data)


def unpack(bundle: Bundle, into: Path) -> Path:
    """The folder in `into` that holds the bundle's files, named by its digest; made whole or not at all.

    Only this user may look into it: answers of residents lie there. PublishError where the bytes are not those
    that the digest names, or where a file would lie elsewhere than in the folder.
    """
    folder = into / bundle.digest[:16]
    if folder.is_dir():
        return folder
    if digest_of(bundle.data) != bundle.digest:
        raise PublishError("A bundle of data did not arrive as it was sent. Run again.")
    half = Path(tempfile.mkdtemp(prefix=".", dir=into))  # mode 0700
    try:
        with zipfile.ZipFile(io.BytesIO(bundle.data)) as whole:
            names = [_safe(name) for name in whole.namelist()]
            for name in names:
                target = half / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(whole.read(name))
        half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    return folder


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _safe(name: str) -> str:
    path = PurePosixPath(name)
    is_odd = not path.parts or path.is_absolute() or ".." in path.parts or any(c in name for c in "\\:\0")
    if is_odd or name.endswith("/"):
        raise PublishError(f"A bundle of data names the file {name!r}, which would lie outside its folder.")
    return name


def _files_in(folder: Path) -> list[Path]:
    """Every file in `folder`, in order of name, without what is hidden and what Python left there."""
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name != "__pycache__"]
        found += [Path(here) / name for name in names if not name.startswith(".")]
    return sorted(found)
