"""What a report is made of, as hashes: the same key means there is nothing to do."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import cbresearch
from cbresearch.errors import PublishError
from cbresearch.publish.plan import Job
from cbresearch.publish.slices import LENGTH, Slices
from cbresearch.publish.source import Source, read_source
from cbresearch.study import Study

PACKAGE = Path(cbresearch.__file__).parent
CANNOT_CHANGE_A_NUMBER = (
    "publish",
    "chengbei",
    "cli.py",
    "__main__.py",
    "workspace.py",
    "workspace_files",
    "starter",
)
MAKE_A_PAGE = (
    "assets",
    "cells",
    "execute",
    "footer",
    "glossary",
    "outline",
    "provenance",
    "render",
    "safe",
    "source",
    "task",
    "words",
    "worker",
)
"""Modules of publish that turn an executed notebook into pages."""
MATTER = (
    "numpy", "pandas", "pyarrow", "scipy", "statsmodels", "matplotlib", "seaborn", "patsy", "ipykernel",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """What one report is made of. `key` covers all that can change a number; `slices` are hashes of data by table."""

    key: str
    slices: dict[str, str]
    common: dict[str, Any]
    source: Source
    versions: dict[str, str]

    @property
    def inputs(self) -> dict[str, Any]:
        """Everything but parameters and versions, as hashes by name."""
        return {
            **self.common, "code": self.source.code, "prose": self.source.whole, "processed": self.slices,
        }  # fmt: skip

    @property
    def data(self) -> str:
        """A fingerprint of exactly the data that the report reads."""
        return hash_of(self.slices)[:12]


class Inputs:
    """Everything that the reports of one study are made from, hashed once per run."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._sources: dict[str, Source] = {}
        self._made: dict[str, Made] = {}

    @cached_property
    def processed(self) -> str:
        """Hash of data/processed/manifest.json; PublishError where nothing has been built."""
        manifest = self._study.processed / "manifest.json"
        if not manifest.is_file():
            raise PublishError(
                "data/processed/manifest.json is missing, so there is nothing to report on. Run 'cbresearch build' first."
            )
        return hash_of_files([manifest])

    @cached_property
    def slices(self) -> Slices:
        return Slices(self._study, self.processed)

    @cached_property
    def study(self) -> str:
        """Hash of what the study says, however it is written; which reports it lists is no report's business."""
        data, maps = self._study.root / "data", [self._study.map_file] if self._study.map_file else []
        said = self._study.file.model_dump(mode="json", exclude={"reports": True, "study": {"seed"}})
        return hash_of(
            [said, hash_of_files([*(data / name for name in ("codebook.csv", "choices.csv")), *maps])]
        )

    @cached_property
    def package(self) -> str:
        return hash_of_package()

    @cached_property
    def template(self) -> str:
        """Hash of everything that turns an executed notebook into pages."""
        publish = PACKAGE / "publish"
        kinds = {".j2", ".css", ".js"}
        return hash_of_files(
            [
                *(publish / f"{name}.py" for name in MAKE_A_PAGE),
                *(f for f in (publish / "template").iterdir() if f.suffix in kinds),
            ]
        )

    @cached_property
    def versions(self) -> dict[str, str]:
        python = ".".join(map(str, sys.version_info[:3]))
        found = {name: metadata.version(name) for name in MATTER if _installed(name)}
        return {"cbresearch": cbresearch.__version__, "python": python, **found}

    @cached_property
    def helpers(self) -> str:
        """Hash of Python files beside the notebooks, which a notebook could import."""
        return hash_of_files(self._study.notebooks.glob("*.py"))

    def source(self, notebook: str) -> Source:
        """The notebook as its author left it."""
        if notebook not in self._sources:
            self._sources[notebook] = read_source(self._study.notebooks / f"{notebook}.ipynb")
        return self._sources[notebook]

    def made(self, job: Job) -> Made:
        """What the report would be made of now."""
        if job.slug not in self._made:
            source = self.source(job.notebook)
            data = self.slices.of(job.reads) if job.reads else {"everything": self.processed[:LENGTH]}
            # parameters are plain values, whose repr tells them apart; JSON of 10,000 of them takes a while
            key = _hash_of_text(f"{self._common_key} {source.code} {data} {job.parameters}")
            self._made[job.slug] = Made(key, data, self._common, source, self.versions)
        return self._made[job.slug]

    def run_key(self, job: Job) -> str:
        """The same for two runs that must give the same numbers, whatever language shows them."""
        return self.made(job).key

    def page_keys(self, job: Job, languages: Sequence[str]) -> dict[str, str]:
        """For the page in each language: the same for two pages that must be equal but for their date."""
        made = self.made(job)
        shown = f"{made.key} {self.template} {made.source.whole} {self.answers} {sorted(languages)}"
        return {one: _hash_of_text(f"{shown} {job.page(one)}") for one in languages}

    @cached_property
    def answers(self) -> int:
        """How many questionnaires there are after cleaning: every page says so."""
        return self.slices.answers

    @cached_property
    def _common(self) -> dict[str, Any]:
        """What is the same for all reports of the study, as their records tell it."""
        return {
            "study": self.study[:LENGTH],
            "package": self.package[:LENGTH],
            "helpers": self.helpers[:LENGTH],
            "seed": self._study.file.study.seed,
            "template": self.template[:LENGTH],
        }

    @cached_property
    def _common_key(self) -> str:
        return hash_of([self.study, self.package, self.helpers, self.versions, self._study.file.study.seed])


def hash_of_package() -> str:
    """Hash of the package's source, without the rooms that cannot change a number."""
    parts = {path: path.relative_to(PACKAGE) for path in PACKAGE.rglob("*")}
    return hash_of_files(
        path
        for path, part in parts.items()
        if path.suffix in {".py", ".csv"} and part.parts[0] not in CANNOT_CHANGE_A_NUMBER
    )


def hash_of(value: Any) -> str:
    return _hash_of_text(json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False))


def _hash_of_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def hash_of_files(paths: Iterable[Path]) -> str:
    """One hash of the names with the contents, in order of name; a missing file counts as empty."""
    digest = hashlib.sha256()
    for path in sorted(paths):
        content = path.read_bytes() if path.is_file() else b""
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
