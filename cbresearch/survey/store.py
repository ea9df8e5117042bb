"""Processed tables written all at once or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from cbresearch.survey.manifest import MANIFEST, hash_file


def write_atomically(
    processed: Path, tables: Mapping[str, pd.DataFrame], manifest: Mapping[str, Any], times: Mapping[str, Any]
) -> None:
    """Write every table beside `processed`, then put the whole folder in its place.

    `tables` are file names ending in .parquet or .csv. The manifest gets the hash of each. Whatever
    fails on the way, `processed` stays as it was.
    """
    processed.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix=".processed-", dir=processed.parent))
    try:
        for name, table in tables.items():
            _write_table(fresh / name, table)
        outputs = {name: hash_file(fresh / name) for name in sorted(tables)}
        _write_json(fresh / MANIFEST, {**manifest, "outputs": outputs})
        _write_json(fresh / "times.json", times)
        fresh.chmod(0o755)
        _swap(fresh, processed)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def restore(processed: Path) -> None:
    """Put back the last good folder if a build was stopped between taking it away and replacing it."""
    old = _old(processed)
    if old.is_dir() and not processed.exists():
        old.rename(processed)
    shutil.rmtree(old, ignore_errors=True)


def _swap(fresh: Path, processed: Path) -> None:
    old = _old(processed)
    if processed.exists():
        processed.rename(old)
    try:
        fresh.rename(processed)
    except OSError:
        restore(processed)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _old(processed: Path) -> Path:
    return processed.with_name(f".{processed.name}-before")


def _write_table(path: Path, table: pd.DataFrame) -> None:
    if path.suffix == ".parquet":
        table.to_parquet(path, index=False)
    else:
        table.to_csv(path, index=False, encoding="utf-8", lineterminator="\n")


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
