"""The text of the study files that a drafted questionnaire becomes."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cbresearch.codebook import CHOICE_COLUMNS, QUESTION_COLUMNS, Question
from cbresearch.survey.adopt.assemble import Questionnaire
from cbresearch.survey.adopt.drafted import Guess

REPORTS = ("10_data_quality", "20_situation", "30_satisfaction", "40_measurement", "50_drivers")
COMMUNITY_REPORT = "90_community"
GUESS_COLUMNS = ("column", "what", "why", "confidence")


@dataclass(frozen=True, slots=True)
class WaveFile:
    """One raw file with the wave it was asked in, and how it has to be read."""

    name: str
    wave: int
    header_rows: int = 1


def codebook_csv(questionnaire: Questionnaire) -> str:
    """codebook.csv: a row per question, in the order of the file."""
    return _csv(QUESTION_COLUMNS, (_question_row(draft.question) for draft in questionnaire.drafted))


def choices_csv(questionnaire: Questionnaire) -> str:
    """choices.csv: a row per answer of every list, each list once."""
    lists = {d.question.choices: d.choices for d in questionnaire.drafted if d.question.choices}
    rows = (
        (name, c.code, c.label.zh, c.label.en, str(c.order), "|".join(c.variants))
        for name, choices in lists.items()
        for c in choices
    )
    return _csv(CHOICE_COLUMNS, rows)


def guesses_csv(guesses: Sequence[Guess]) -> str:
    """adopted.csv: a row per guess, the least sure first."""
    ranked = sorted(guesses, key=lambda guess: guess.confidence)
    return _csv(GUESS_COLUMNS, ((g.column, g.what, g.why, f"{g.confidence:.2f}") for g in ranked))


def study_toml(
    questionnaire: Questionnaire,
    files: Sequence[WaveFile],
    languages: Sequence[str],
    notebooks: Sequence[str],
    stem: str,
) -> str:
    """study.toml: everything that was guessed or named, and nothing else."""
    parts = [
        "# Drafted by `cbresearch adopt`. Every guess behind it is listed in adopted.csv beside this file.\n",
        *_about(files, languages, stem),
        *_keys(questionnaire),
        *(line for file in files for line in _source(questionnaire, file, single=len(files) == 1)),
        *_design(questionnaire),
        *(
            line
            for scale in questionnaire.scales
            for line in _scale(scale.name, scale.label.zh, scale.label.en, scale.minimum_answered)
        ),
        *_reports(questionnaire, notebooks),
        *_reporting(questionnaire),
    ]
    return "\n".join(parts) + "\n"


def slug(stem: str) -> str:
    """A file's name as the name of a study: Latin letters, digits, - and _."""
    bare = re.sub(r"[^A-Za-z0-9_-]+", "_", stem).strip("_-")
    return bare if re.match(r"[A-Za-z0-9]", bare) else "adopted"


def _about(files: Sequence[WaveFile], languages: Sequence[str], stem: str) -> Iterable[str]:
    waves = ", ".join(str(file.wave) for file in files)
    yield "[study]"
    yield f"name = {_text(slug(stem))}"
    yield f"title = {{ zh = {_text(stem)}, en = {_text(stem)} }}"
    yield f"waves = [{waves}]"
    yield f"languages = [{', '.join(map(_text, languages))}]\n"


def _keys(questionnaire: Questionnaire) -> Iterable[str]:
    yield "[keys]"
    yield f"resident = {_text(questionnaire.key)}"
    if questionnaire.named.area:
        yield f"area = {_text(questionnaire.named.area)}"
    yield ""


def _source(questionnaire: Questionnaire, file: WaveFile, *, single: bool) -> Iterable[str]:
    yield "[[sources]]"
    yield 'table = "residents"'
    yield f"wave = {file.wave}"
    yield f"file = {_text(file.name)}"
    if file.header_rows > 1:
        yield f"header_rows = {file.header_rows}"
    if questionnaire.renamed:
        yield "[sources.columns]"
        yield from (f"{_text(heading)} = {_text(name)}" for heading, name in questionnaire.renamed.items())
    yield ""


def _design(questionnaire: Questionnaire) -> Iterable[str]:
    named = questionnaire.named
    lines = [f"strata = [{', '.join(map(_text, named.strata))}]"] if named.strata else []
    lines += [f"cluster = {_text(named.cluster)}"] if named.cluster else []
    lines += [f"weight = {_text(named.weight)}"] if named.weight else []
    return ["[design]", *lines, ""] if lines else []


def _scale(name: str, zh: str, en: str, minimum_answered: int) -> Iterable[str]:
    yield f"[scales.{name}]"
    yield f"label = {{ zh = {_text(zh)}, en = {_text(en)} }}"
    yield f"minimum_answered = {minimum_answered}\n"


def _reporting(questionnaire: Questionnaire) -> Iterable[str]:
    outcome = questionnaire.named.outcome
    return ["[reporting]", 'scores = "as_asked"', *([f"headline = {_text(outcome)}"] if outcome else [])]


def _reports(questionnaire: Questionnaire, notebooks: Sequence[str]) -> Iterable[str]:
    chosen = tuple(notebooks) or (*REPORTS, *((COMMUNITY_REPORT,) if questionnaire.named.area else ()))
    for notebook in chosen:
        yield "[[reports]]"
        yield f"notebook = {_text(notebook)}"
        if notebook == COMMUNITY_REPORT:
            yield 'over = "area"'
        yield ""


def _question_row(question: Question) -> tuple[str, ...]:
    return (
        question.name,
        question.type,
        question.label.zh,
        question.label.en,
        question.choices or "",
        "|".join(question.missing),
        "-1" if question.direction < 0 else "",
        "" if question.minimum is None else f"{question.minimum:g}",
        "" if question.maximum is None else f"{question.maximum:g}",
        question.scale or "",
        question.role or "",
        question.relevant or "",
        question.table,
    )


def _csv(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()


def _text(words: str) -> str:
    """A TOML string; JSON's escapes are TOML's."""
    return json.dumps(words, ensure_ascii=False).replace("\x7f", "\\u007f")
