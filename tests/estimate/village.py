"""A study of a few questions, made by hand for tests of what notebooks ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from cbresearch.codebook import Choice, Codebook, Question
from cbresearch.records import Released, Text, Unanswered
from cbresearch.study import Study, StudyFile

LABEL = {"zh": "村", "en": "village"}
FIVE = tuple(Choice(str(i), Text(f"第{i}档", f"step {i}"), i) for i in range(1, 6))


def text(word: str) -> Text:
    return Text(f"“{word}”题", f"the {word} item")


def rated(name: str, scale: str, role: str = "outcome", direction: int = 1) -> Question:
    return Question(
        name, "select_one", text(name), choices="five", minimum=1, maximum=5, scale=scale, role=role, direction=direction,
    )  # fmt: skip


def answers(items: Mapping[str, Sequence[float] | np.ndarray]) -> dict[str, pd.Series]:
    """Each item as answered (1-5) and in points, more being better."""
    found: dict[str, pd.Series] = {}
    for name, values in items.items():
        column = pd.Series(np.asarray(values, dtype=np.float64), dtype="Float64")
        column = column.mask(column.isna())
        found[name], found[f"{name}_points"] = column.astype("Int64"), (column - 1) * 25
    return found


def people(items: Mapping[str, Sequence[float] | np.ndarray], **more: object) -> pd.DataFrame:
    """A resident per answer, in the wave of 2009, all with the same weight."""
    n = len(next(iter(items.values())))
    columns: dict[str, object] = {"wave": 2009, "id": [str(i) for i in range(n)], **answers(items), **more}
    return pd.DataFrame(columns).assign(weight=pd.array([1.0] * n, dtype="Float64"))


def study_of(
    root: Path, residents: pd.DataFrame, questions: Sequence[Question], *, communities: pd.DataFrame | None = None,
    **file: object,
) -> Study:  # fmt: skip
    """The study as built: its tables lie below `root`, `file` adds keys to study.toml."""
    waves = tuple(sorted(int(wave) for wave in residents["wave"].unique()))
    scales = {q.scale: {"label": {"zh": f"{q.scale}量表", "en": f"{q.scale} scale"}, "minimum_answered": 1} for q in questions if q.scale}  # fmt: skip
    told = {
        "study": {"name": "village", "title": LABEL, "waves": waves},
        "keys": {"resident": "id"},
        "sources": [{"table": "residents", "file": "r.csv", "wave": wave} for wave in waves],
        "scales": scales,
    }
    listed = (Question("id", "id", Text("编号", "id"), role="key"), *questions)
    folder = root / "data" / "processed"
    folder.mkdir(parents=True)
    residents.to_parquet(folder / "residents.parquet")
    if communities is not None:
        communities.to_parquet(folder / "communities.parquet")
    return Study(root, StudyFile.model_validate({**told, **file}), Codebook(listed, {"five": FIVE}))


def told(found: list[Released] | Unanswered) -> list[Released]:
    assert isinstance(found, list)
    return found


def said(words: Text | Unanswered) -> Text:
    assert isinstance(words, Text)
    return words
