"""What was built from what: hashes that tell whether anything changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from cbresearch import __version__
from cbresearch.study import Study

LIBRARIES = ("numpy", "pandas", "pyarrow", "pyreadstat", "python-calamine")
"""Libraries that could change a processed number or byte."""

MANIFEST = "manifest.json"
UNCHANGED = "Nothing has changed since the last build: data/processed stays as it is."
_PACKAGE = Path(__file__).parent.parent
_SOURCE_PARTS = ("build.py", "codebook.py", "errors.py", "records.py", "study", "survey", "measure")


def hash_file(path: Path) -> str:
    """sha256 of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def input_hashes(study: Study) -> dict[str, str]:
    """Hash of the study file, the codebook and every raw file, by path below the workspace."""
    settings = [study.root / "data" / name for name in ("study.toml", "codebook.csv", "choices.csv")]
    raw = [study.raw / source.file for source in study.file.sources]
    files = sorted({path for path in (*settings, *raw) if path.is_file()})
    return {path.relative_to(study.root).as_posix(): hash_file(path) for path in files}


def made_by() -> dict[str, Any]:
    """The package that builds, its source, and the libraries under it."""
    return {
        "cbresearch": __version__,
        "source": _source_hash(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def _source_hash() -> str:
    digest = hashlib.sha256()
    for part in _SOURCE_PARTS:
        path = _PACKAGE / part
        for module in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            digest.update(module.relative_to(_PACKAGE).as_posix().encode())
            digest.update(module.read_bytes())
    return digest.hexdigest()


def read_manifest(study: Study) -> Mapping[str, Any]:
    """The manifest of the last build; empty where there is none that can be read."""
    path = study.processed / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def is_current(study: Study, inputs: Mapping[str, str]) -> bool:
    """Whether data/processed is what these inputs and this package make, untouched since."""
    manifest = read_manifest(study)
    if manifest.get("inputs") != inputs or manifest.get("made_by") != made_by():
        return False
    outputs = manifest.get("outputs", {})
    return all(
        (study.processed / name).is_file() and hash_file(study.processed / name) == told
        for name, told in outputs.items()
    )
