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
from cbresearch.study import Study

STUDY_FILES = ("study.toml", "codebook.csv", "choices.csv")
LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The same files give the same bytes, whenever they were written."""


@dataclass(frozen=True, slots=True)
class Bundle:
    digest: str
    data: bytes = field(repr=False)


def files_for(study: Study, task: Task) -> dict[str, Path | None]:
    """What the notebook of `task` may read: name in the workspace -> file. Here the slice is cut.

    Raw files, what a simulated study was drawn from, and other reports never travel. Where study.toml
    names a raw file, an empty one stands in its place (None here): a study opens only where all of them exist.
    """
    data = study.root / "data"
    files = [*(data / name for name in STUDY_FILES), *_files_in(study.processed), *_files_in(study.notebooks)]
    raw = {
        (study.raw / source.file).relative_to(study.root).as_posix(): None for source in study.file.sources
    }
    return raw | {path.relative_to(study.root).as_posix(): path for path in files}


class Bundles:
    """The bundles of one run, each packed once however many tasks read it."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._packed: dict[tuple[str, ...], Bundle] = {}

    def of(self, task: Task) -> Bundle:
        files = files_for(self._study, task)
        names = tuple(files)
        if names not in self._packed:
            contents = {name: path.read_bytes() if path else b"" for name, path in files.items()}
            self._packed[names] = pack(contents)
        return self._packed[names]


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
