"""Files that readers see whole or not at all."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def write_json(path: Path, value: Any) -> None:
    """Strict JSON (no NaN), whole or not at all."""
    write_whole(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Readers see the old file or the new one, never half of either."""
    write_parts(path, [text])


def write_parts(path: Path, parts: Iterable[str]) -> None:
    """The same for a text that is made piece by piece, so that it need not fit into memory."""
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with half.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(parts)
        half.replace(path)
    finally:
        half.unlink(missing_ok=True)


def files_below(folder: Path) -> Iterator[str]:
    """Every file in the folder, by its path from there with forward slashes: one look per folder, not per file."""
    waiting = [""]
    while waiting:
        prefix = waiting.pop()
        try:
            entries = list(os.scandir(folder / prefix))
        except OSError:
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name


def now() -> str:
    """By the clock, in UTC."""
    return time.strftime(MOMENT, time.gmtime())


def made_at() -> str:
    """The same, or the moment that SOURCE_DATE_EPOCH names, so that files can be made again alike."""
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    return time.strftime(MOMENT, time.gmtime(int(seconds) if seconds else None))
