"""What a report is made of, as hashes: the same key means there is nothing to do."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable, Sequence
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import Any

import cbresearch
from cbresearch.errors import PublishError
from cbresearch.publish.plan import Job
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
MATTER = (
    "numpy", "pandas", "pyarrow", "scipy", "statsmodels", "matplotlib", "seaborn", "patsy", "ipykernel",
)  # fmt: skip


class Inputs:
    """Everything that the reports of one study are made from, hashed once per run."""

    def __init__(self, study: Study) -> None:
        self._study = study
        self._notebooks: dict[str, str] = {}

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
    def study(self) -> str:
        data = self._study.root / "data"
        return hash_of_files([data / name for name in ("study.toml", "codebook.csv", "choices.csv")])

    @cached_property
    def package(self) -> str:
        return hash_of_package()

    @cached_property
    def template(self) -> str:
        """Hash of everything that turns an executed notebook into pages."""
        return hash_of_files(
            f for f in (PACKAGE / "publish").rglob("*") if f.suffix in {".py", ".j2", ".css", ".js"}
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

    def notebook(self, name: str) -> str:
        """Hash of one notebook's cells: kind, tags and source, not outputs nor how it was saved."""
        if name not in self._notebooks:
            text = (self._study.notebooks / f"{name}.ipynb").read_text(encoding="utf-8")
            cells = [
                (c["cell_type"], sorted(c.get("metadata", {}).get("tags", [])), "".join(c.get("source", "")))
                for c in json.loads(text)["cells"]
            ]
            self._notebooks[name] = hash_of(cells)
        return self._notebooks[name]

    def run_key(self, job: Job) -> str:
        """The same for two runs that must give the same numbers, whatever language shows them."""
        return hash_of(
            [
                self.notebook(job.notebook), job.given, self.processed, self.study, self.package,
                self.helpers, self.versions,
            ]
        )  # fmt: skip

    def render_key(self, run_key: str, language: str, languages: Sequence[str]) -> str:
        """The same for two pages that must be equal but for their date."""
        return hash_of([run_key, self.template, language, sorted(languages)])


def hash_of_package() -> str:
    """Hash of the package's source, without the rooms that cannot change a number."""
    parts = {path: path.relative_to(PACKAGE) for path in PACKAGE.rglob("*")}
    return hash_of_files(
        path
        for path, part in parts.items()
        if path.suffix in {".py", ".csv"} and part.parts[0] not in CANNOT_CHANGE_A_NUMBER
    )


def hash_of(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, allow_nan=False)
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
