"""How codes are spelt in each raw file: the same answer in many words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from cbresearch.codebook import Choice, Codebook, Question

Spellings = Mapping[str, tuple[str, ...]]
"""Code -> ways to write it, the usual one first."""

USUAL_SHARE = 0.8
FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")


def on_paper(question: Question, choices: tuple[Choice, ...]) -> Spellings:
    """Typed from paper by many hands: labels, other wordings, numbers before them, blanks, full-width digits."""
    return {choice.code: _typed(question, choice) for choice in choices}


def _typed(question: Question, choice: Choice) -> tuple[str, ...]:
    label = choice.label.zh
    if not question.is_rated:
        return (label, f"{label} ", *(v for v in choice.variants if not v.isascii()))
    wordings = tuple(variant for variant in choice.variants if not variant.isascii())
    code = choice.code
    return (label, *wordings, f"{code}.{label}", f"{code}、{label}", f" {label}", code.translate(FULL_WIDTH))


def on_platform(question: Question, choices: tuple[Choice, ...]) -> Spellings:
    """A platform writes each label one way."""
    return {choice.code: (choice.label.zh,) for choice in choices}


def in_english(question: Question, choices: tuple[Choice, ...]) -> Spellings:
    """English words for satisfaction, importance and sex; codes for the rest."""
    if question.name != "sex" and not question.name.startswith(("sat_", "imp_")):
        return {choice.code: (choice.code,) for choice in choices}
    return {
        choice.code: (choice.label.en, choice.label.en.lower(), *(v for v in choice.variants if v.isascii()))
        for choice in choices
    }


def spelt(
    codes: pd.DataFrame,
    codebook: Codebook,
    spelling: Callable[[Question, tuple[Choice, ...]], Spellings],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """`codes` with every answer of a list in words; what is in no list (typing slips, 9) stays as it is."""
    words = codes.copy()
    for name in codes.columns:
        question = codebook.by_name[name]
        if question.type == "select_one":
            words[name] = _replaced(codes[name], spelling(question, codebook.choices_of(name)), rng)
        elif question.type == "select_multiple":
            usual = {code: ways[0] for code, ways in spelling(question, codebook.choices_of(name)).items()}
            words[name] = [
                cell if cell is None else "┋".join(usual[code] for code in cell.split("┋"))
                for cell in codes[name]
            ]
    return words


def _replaced(codes: pd.Series, spellings: Spellings, rng: np.random.Generator) -> list[str | None]:
    usual, other = rng.random(len(codes)) < USUAL_SHARE, rng.random(len(codes))
    written: list[str | None] = []
    for code, is_usual, which in zip(codes, usual, other, strict=True):
        ways = spellings.get(code, (code,))
        written.append(ways[0] if is_usual else ways[int(which * len(ways))])
    return written
