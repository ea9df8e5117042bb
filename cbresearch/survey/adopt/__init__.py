"""`cbresearch adopt`: a raw export becomes the draft of a study."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from cbresearch.errors import Fault, ParameterError, SourceError, nearest
from cbresearch.records import LANGUAGES
from cbresearch.survey.adopt.assemble import Named, Questionnaire, assemble, unknown_names
from cbresearch.survey.adopt.column import Column, columns_of
from cbresearch.survey.adopt.draft import (
    COMMUNITY_REPORT,
    REPORTS,
    WaveFile,
    choices_csv,
    codebook_csv,
    guesses_csv,
    study_toml,
)
from cbresearch.survey.adopt.drafted import Guess
from cbresearch.survey.adopt.personal import Personal
from cbresearch.survey.adopt.rated import recognise
from cbresearch.survey.sources import read_source
from cbresearch.survey.sources.raw import Raw

_YEAR = re.compile(r"(?<!\d)(?:19[5-9]\d|20\d\d)(?!\d)")
_BLANK_HEADING = re.compile(r"^column \d+ has no heading")


@dataclass(frozen=True)
class Adopted:
    """A drafted workspace: where it is, what was guessed, what looks personal, what is left to decide."""

    root: Path
    guesses: tuple[Guess, ...]
    personal: tuple[Personal, ...]
    questions_left: tuple[str, ...]
    said: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """The account for a person at a terminal."""
        yield f"Workspace drafted at {self.root}; {len(self.guesses)} guesses in data/adopted.csv, the least sure first."
        yield from (f"  read: {said}" for said in self.said)
        for personal in self.personal:
            kept = "stays in data/raw" if personal.is_column else "please look"
            yield f"  personal: {personal.column}: {personal.why} ({kept})"
        for guess in sorted(self.guesses, key=lambda guess: guess.confidence)[:10]:
            if guess.confidence < 0.7:
                yield f"  guess: {guess.column}: {guess.what} ({guess.why}; {guess.confidence:.0%} sure)"
        yield from (f"  for you to decide: {question}" for question in self.questions_left)
        yield f"Next: cbresearch check {self.root}"


def adopt(
    files: Sequence[Path],
    into: Path,
    *,
    outcome: str | None = None,
    area: str | None = None,
    cluster: str | None = None,
    strata: Sequence[str] = (),
    weight: str | None = None,
    languages: Sequence[str] = LANGUAGES,
    notebooks: Sequence[str] = (),
) -> Adopted:
    """Draft a workspace at `into` from raw exports of one survey, each file one wave.

    The files are copied to data/raw unchanged; codebook.csv, choices.csv, study.toml and adopted.csv
    (every guess with its reason and confidence) are written beside it. The named columns are taken
    as said. ParameterError lists everything wrong at once, before anything is written: a column that
    is not there, a language that is none, files in the way. SourceError where a file cannot be read.
    """
    named = Named(outcome, area, cluster, tuple(strata), weight)
    faults = [*_language_faults(languages), *_file_faults(files), *_in_the_way(files, into)]
    faults += _notebook_faults(notebooks, area)
    read = [_read(path) for path in files]
    columns, cells = columns_of([raw for raw, _ in read]) if read else ((), pd.DataFrame())
    faults += [*unknown_names(columns, named), *_outcome_faults(columns, named)] if read else []
    if faults:
        raise ParameterError(faults)
    questionnaire = assemble(columns, cells, named)
    waves, wave_guesses = _waves(files, cells, [header_rows for _, header_rows in read])
    guesses = (*questionnaire.guesses, *wave_guesses)
    texts = {
        "codebook.csv": codebook_csv(questionnaire),
        "choices.csv": choices_csv(questionnaire),
        "study.toml": study_toml(questionnaire, waves, languages, notebooks, files[0].stem),
        "adopted.csv": guesses_csv(guesses),
    }
    _write(files, into, texts)
    said = tuple(
        f"{path.name}: {note}" for path, (raw, _) in zip(files, read, strict=True) for note in raw.said
    )
    left = (*questionnaire.questions_left, *_wave_questions(wave_guesses))
    return Adopted(into, guesses, questionnaire.personal, left, said)


def _read(path: Path) -> tuple[Raw, int]:
    """The file, and how many heading rows it has: many blank headings mean that a second row completes them."""
    raw = read_source(path)
    _refuse_blank(raw, path)
    blank = sum(bool(_BLANK_HEADING.match(said)) for said in raw.said)
    if blank >= 3 and blank >= 0.15 * raw.frame.shape[1]:
        return read_source(path, header_rows=2), 2
    return raw, 1


def _refuse_blank(raw: Raw, path: Path) -> None:
    if raw.frame.isna().all(axis=None):
        raise SourceError(
            f"{path.name}: headings without a single filled cell below; expected answers. Export it again."
        )


def _language_faults(languages: Sequence[str]) -> Iterator[Fault]:
    for language in languages:
        if language not in LANGUAGES:
            yield Fault(
                "--lang", f"'{language}'", f"expected {' or '.join(LANGUAGES)}", nearest(language, LANGUAGES)
            )
    if not languages:
        yield Fault("--lang", "no language", f"expected {' or '.join(LANGUAGES)}")


def _notebook_faults(notebooks: Sequence[str], area: str | None) -> Iterator[Fault]:
    shipped = (*REPORTS, COMMUNITY_REPORT)
    for notebook in notebooks:
        if notebook not in shipped:
            yield Fault(
                "notebooks",
                f"no notebook '{notebook}'",
                f"expected {', '.join(shipped)}",
                nearest(notebook, shipped),
            )
        elif notebook == COMMUNITY_REPORT and area is None:
            yield Fault("notebooks", f"'{notebook}' runs once for each area", "name the area with --area")


def _file_faults(files: Sequence[Path]) -> Iterator[Fault]:
    if not files:
        yield Fault("FILE", "no file", "expected at least one raw export")
    for name in sorted({path.name for path in files if [p.name for p in files].count(path.name) > 1}):
        yield Fault("FILE", f"'{name}' is given more than once", "expected a file of its own for each wave")


def _in_the_way(files: Sequence[Path], into: Path) -> Iterator[Fault]:
    wanted = [into / "data" / name for name in ("study.toml", "codebook.csv", "choices.csv", "adopted.csv")]
    wanted += [into / "data" / "raw" / path.name for path in files]
    given = {path.resolve() for path in files}
    for path in wanted:
        if path.exists() and path.resolve() not in given:
            yield Fault(
                str(path),
                "is already there",
                "nothing is overwritten: move it away, or choose another --into",
            )


def _outcome_faults(columns: Sequence[Column], named: Named) -> Iterator[Fault]:
    """An outcome must be a number or a scale in words."""
    for column in columns:
        if column.name == named.outcome and not column.is_number and recognise(column) is None:
            found = ", ".join(list(column.counts)[:4]) or "nothing"
            yield Fault(
                "--outcome",
                f"'{column.name}' holds {found}",
                "expected numbers, or answers that run from bad to good",
            )


def _waves(
    files: Sequence[Path], cells: pd.DataFrame, header_rows: Sequence[int]
) -> tuple[list[WaveFile], list[Guess]]:
    """The year of each file, from its name or, of a single file, from its dates; else the files are counted."""
    years = [int(found[0]) if (found := _YEAR.search(path.stem)) else None for path in files]
    why = "the year in the file's name"
    if len(files) == 1 and years == [None]:
        years, why = [_year_of_dates(cells)], "the year in its dates"
    if None in years or len(set(years)) < len(years):
        years, why = list(range(1, len(files) + 1)), "no year found: files are counted"
    confidence = 0.4 if "counted" in why else 0.8
    waves = [WaveFile(p.name, y or 0, h) for p, y, h in zip(files, years, header_rows, strict=True)]
    return waves, [Guess(wave.name, f"wave {wave.wave}", why, confidence) for wave in waves]


def _wave_questions(guesses: Sequence[Guess]) -> Iterator[str]:
    if any(guess.confidence < 0.5 for guess in guesses):
        yield "wave: no year was found; write the year asked into study.toml, under study.waves and each source's wave"


def _year_of_dates(cells: pd.DataFrame) -> int | None:
    for name in cells.columns:
        years = (
            cells[name]
            .dropna()
            .str.extract(r"^((?:19[5-9]|20\d)\d)[-/.年]\d{1,2}[-/.月]\d{1,2}", expand=False)
        )
        if len(years) and years.notna().mean() > 0.9:
            return int(years.mode().iloc[0])
        short = cells[name].dropna().str.extract(r"^\d{1,2}/\d{1,2}/(\d{2}|\d{4})(?:\s|$)", expand=False)
        if len(short) and short.notna().mean() > 0.9:
            return int(short.mode().iloc[0]) % 100 + 2000
    return None


def _write(files: Sequence[Path], into: Path, texts: dict[str, str]) -> None:
    from cbresearch.workspace import copy_notebooks

    copy_notebooks(into)
    raw = into / "data" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for path in files:
        if (raw / path.name).resolve() != path.resolve():
            shutil.copyfile(path, raw / path.name)
    for name, text in texts.items():
        (into / "data" / name).write_text(text, encoding="utf-8", newline="\n")


__all__ = ["Adopted", "Guess", "Questionnaire", "adopt"]
