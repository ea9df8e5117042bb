"""What the sample study's own study.toml and codebook ask of its raw files: names, headings, margins."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from cbresearch.codebook import Codebook, read_codebook
from cbresearch.errors import Fault, SourceError, StudyError
from cbresearch.study import Source, StudyFile

WAVES = (2006, 2007, 2008, 2009)


@dataclass(frozen=True)
class Contract:
    """study.toml with its codebook, read before there are any raw files to check it against."""

    root: Path
    file: StudyFile
    codebook: Codebook

    @property
    def raw(self) -> Path:
        return self.root / "data" / "raw"

    @property
    def truth(self) -> Path:
        return self.root / "data" / "truth.json"

    @property
    def committees(self) -> tuple[str, ...]:
        return tuple(choice.code for choice in self.codebook.choices["committee"])

    def source(self, table: str, wave: int | None = None) -> Source:
        """The one source of a table (and wave) that study.toml names."""
        return next(s for s in self.file.sources if s.table == table and s.wave == wave)

    def margin(self, column: str) -> list[float]:
        """The population's shares by code of `column`, in the order of its choices."""
        shares = self.file.design.margins[column]
        return [shares[choice.code] for choice in self.codebook.choices_of(column)]

    def heading(self, source: Source, name: str) -> str:
        """The heading under which `source` keeps a question: study.toml's, else the Chinese label."""
        mapped = {column: heading for heading, column in source.columns.items()}
        return mapped.get(name, self.codebook.by_name[name].label.zh)


def read_contract(root: Path) -> Contract:
    """The contract of the workspace at `root`; StudyError for its faults, SourceError for another study's."""
    path = root / "data" / "study.toml"
    if not path.is_file():
        raise StudyError(
            [Fault(str(path), "the file is missing", "expected the sample study's study.toml there")]
        )
    codebook, faults = read_codebook(path.with_name("codebook.csv"), path.with_name("choices.csv"))
    try:
        file = StudyFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except tomllib.TOMLDecodeError as error:
        raise StudyError(
            [*faults, Fault("study.toml", f"not valid TOML: {error}", "expected TOML 1.0")]
        ) from error
    except ValidationError as error:
        shape = [Fault("study.toml", ".".join(map(str, e["loc"])), e["msg"]) for e in error.errors()]
        raise StudyError([*faults, *shape]) from error
    if faults:
        raise StudyError(faults)
    _must_be_chengbei(file)
    return Contract(root, file, codebook)


def _must_be_chengbei(file: StudyFile) -> None:
    wanted: list[tuple[str, int | None]] = [
        (table, wave) for table in ("residents", "communities") for wave in WAVES
    ]
    wanted += [("facilities", None), ("crosswalk", None)]
    named: list[tuple[str, int | None]] = [(source.table, source.wave) for source in file.sources]
    missing = [f"{table} {wave or ''}".strip() for table, wave in wanted if (table, wave) not in named]
    if missing or file.study.name != "chengbei":
        raise SourceError(
            f"study.toml describes the study '{file.study.name}' and names no source for: "
            f"{', '.join(missing) or 'nothing'}. The generator draws the study 'chengbei' with its waves "
            f"{', '.join(map(str, WAVES))} only. Start from the workspace that 'cbresearch new DIR --demo' makes."
        )
