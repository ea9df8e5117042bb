"""What each column of an unknown export probably is, each guess with its reason."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from cbresearch.codebook import Choice, Question, normal
from cbresearch.records import Text
from cbresearch.survey.adopt.column import Column
from cbresearch.survey.adopt.drafted import Drafted, Guess, Seen
from cbresearch.survey.adopt.ordered import means_no_answer, sounds_like_amount
from cbresearch.survey.adopt.rated import Rated, stray_codes

_DATE = re.compile(
    r"(?:\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2}))(?:[T\s]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?"
)
_SECONDS = re.compile(r"\d+\s*(?:秒|s|sec|seconds)?", re.IGNORECASE)
_DURATION = re.compile(
    r"所用时间|答题时长|用时|duration|time.?(?:used|taken|spent)|duraci[oó]n", re.IGNORECASE
)
_AGE = re.compile(r"^age$|\bage\b|年龄|\bedad\b|^edad|_age$", re.IGNORECASE)
_REMARK = re.compile(
    r"建议|意见|备注|留言|comment|remark|suggest|sugerenc|comentario|observaci|otro|other|por qu[eé]",
    re.IGNORECASE,
)
_GROUP = re.compile(
    r"性别|年龄|文化程度|学历|教育程度|户籍|民族|婚姻|职业|收入|\bsexo?\b|gender|g[eé]nero|rango de edad|\bage|escolaridad|\beduc"
    r"|ocupaci[oó]n|occupation|income|rango de ingreso|marital|\brace|ethnic",
    re.IGNORECASE,
)
_ITEM_ROLES: Mapping[str, re.Pattern[str]] = {
    "importance": re.compile(r"重要|importan", re.IGNORECASE),
    "expectation": re.compile(r"期望|expect(?:ed|ation)|expectativa", re.IGNORECASE),
    "outcome": re.compile(r"满意|satisf", re.IGNORECASE),
}
_SPSS_ZERO = "1582-10-14"
_JOINED = "┋"
_UP_TO = re.compile(r"以下|不到|未满|under|below|less|menos|<", re.IGNORECASE)
_PLAUSIBLE_AGE = 110


def draft_question(column: Column, seen: Seen) -> Drafted:
    """The most likely question behind a column; the first rule that fits decides."""
    name = column.name
    if name == seen.key:
        return _plain(column, "id", "identifier", "every row has its own value", 0.95, role="key")
    if name in seen.places:
        return _listed(column, "place", "named as area or stratum", 1.0)
    if name == seen.cluster:
        return _plain(column, "id", "sampled cluster", "named with --cluster", 1.0)
    if name in seen.personal:
        return _plain(column, "text", "personal", seen.personal[name].why, 0.8, role="personal")
    if name == seen.weight:
        return _plain(column, "decimal", "weight", "positive numbers that are not whole", 0.9)
    if column.answered == 0:
        return _plain(column, "text", "empty", "no cell is filled", 1.0)
    if name in seen.rated:
        return _rated(column, seen.rated[name])
    if any(_JOINED in text for text in column.counts):
        return _several(column)
    if column.labels:
        return _labelled(column, seen)
    return _number(column, seen) if column.is_number else _words(column)


def could_be_coded(column: Column) -> bool:
    """Whether the column holds a few answers that come again and again, in codes or words."""
    if column.answered == 0:
        return False
    few = column.distinct <= 20 and column.answered >= 4 * column.distinct
    return bool(column.labels) or (few and column.distinct <= 12)


def _rated(column: Column, rated: Rated) -> Drafted:
    role = next((role for role, hint in _ITEM_ROLES.items() if hint.search(column.words)), None)
    ends = f"rated {rated.low} to {rated.high}" + (f", {rated.low} being best" if rated.direction < 0 else "")
    guesses = [Guess(column.name, ends, rated.why, rated.confidence)]
    held = [code for code in rated.missing if code in column.counts]
    if held:
        counts = ", ".join(f"{code} ({column.counts[code]} rows)" for code in held)
        guesses.append(Guess(column.name, f"no answer: {counts}", "outside the scale", 0.8))
    choices = _choices_of_rated(column, rated)
    question = Question(
        column.name,
        "select_one" if choices else "integer",
        Text(column.label, column.label),
        missing=rated.missing,
        direction=rated.direction,
        minimum=float(rated.low),
        maximum=float(rated.high),
        role=role,
    )
    return Drafted(column.name, question, choices, tuple(guesses))


def _choices_of_rated(column: Column, rated: Rated) -> tuple[Choice, ...]:
    if rated.in_words:
        return tuple(_choice(str(step), words, step) for words, step in rated.steps)
    worded = {code: label for code, label in column.labels.items() if not re.fullmatch(r"-?\d+", label)}
    inside = [str(step) for step in range(rated.low, rated.high + 1)]
    if not any(code in worded for code in inside):
        return ()
    return tuple(_choice(code, column.labels.get(code, code), order) for order, code in enumerate(inside, 1))


def _labelled(column: Column, seen: Seen) -> Drafted:
    """A question whose codes the file labels; a code without a label stands for no answer."""
    unlabelled = tuple(text for text in column.counts if text not in column.labels)
    if column.is_number and len(unlabelled) > max(12, len(column.labels)):
        return _number(column, seen)
    labels = _unique_labels(column.labels)
    choices = tuple(_choice(code, label, place) for place, (code, label) in enumerate(labels.items(), 1))
    words = Text(column.label, column.label)
    question = Question(column.name, "select_one", words, missing=unlabelled, role=_group_role(column))
    return Drafted(column.name, question, choices, tuple(_guesses_of_labels(column, unlabelled)))


def _guesses_of_labels(column: Column, unlabelled: Sequence[str]) -> Iterator[Guess]:
    name = column.name
    yield Guess(name, "one of several answers", f"the file labels {len(column.labels)} codes", 0.95)
    if unlabelled:
        counts = ", ".join(f"{code} ({column.counts[code]} rows)" for code in unlabelled[:6])
        yield Guess(name, f"no answer: {counts}", "the file labels the other codes, not this", 0.7)
    silent = {code: label for code, label in column.labels.items() if means_no_answer(label)}
    if silent:
        said = ", ".join(f"{code} = {label}" for code, label in silent.items())
        advice = "list it under 'missing' to leave it out of the shares"
        yield Guess(name, f"kept as an answer: {said}", advice, 0.6)
    if sounds_like_amount([label for code, label in column.labels.items() if code not in silent]):
        why = "more may be better or worse: give it minimum, maximum, scale"
        yield Guess(name, "ordered, not rated", why, 0.5)


def _number(column: Column, seen: Seen) -> Drafted:
    if _DURATION.search(column.words) and column.is_whole:
        return _plain(
            column, "integer", "time taken, in seconds", "its heading says so", 0.7, role="duration"
        )
    if column.name in seen.copies:
        why = f"each value of {seen.copies[column.name]} always comes with the same value here"
        return _plain(column, "integer", f"recoded from {seen.copies[column.name]}, not an answer", why, 0.8)
    if not column.is_whole:
        return _bounded(column, "decimal", "a number", "numbers, some with decimals", 0.8)
    contiguous = column.values == tuple(range(1, column.distinct + 1))
    if (
        contiguous
        and 2 <= column.distinct <= 20
        and column.answered >= 5 * column.distinct
        and not _AGE.search(column.words)
    ):
        why = f"codes 1 to {column.distinct} without gaps; write what they mean into choices.csv"
        return _listed(column, "one of several answers, in codes", why, 0.5)
    return _bounded(column, "integer", "a whole number", "whole numbers", 0.8)


def _bounded(column: Column, kind: str, what: str, why: str, confidence: float) -> Drafted:
    """A number with the codes that are none of its values, and the ends that an age has."""
    guesses = [Guess(column.name, what, why, confidence)]
    stray = stray_codes(column)
    if stray:
        counts = ", ".join(f"{code} ({column.counts[code]} rows)" for code in stray)
        guesses.append(Guess(column.name, f"no answer: {counts}", "far from all other values", 0.7))
    low: float | None = None
    high: float | None = None
    if _AGE.search(column.words) and column.is_whole and 15 <= column.mean <= _PLAUSIBLE_AGE:
        adult = column.share([text for text, age in column.numbers.items() if age >= 18]) >= 0.99
        low, high = 18.0 if adult else 0.0, float(_PLAUSIBLE_AGE)
        why = "nearly everybody is 18 or older" if adult else "an age in years"
        guesses.append(Guess(column.name, f"age from {low:g} to {high:g}", why, 0.7))
    question = Question(
        column.name, kind, Text(column.label, column.label), missing=stray, minimum=low, maximum=high
    )
    return Drafted(column.name, question, (), tuple(guesses))


def _words(column: Column) -> Drafted:
    dates = [text for text in column.counts if _DATE.fullmatch(text.strip())]
    if column.share(dates) == 1.0 and all(text.startswith(_SPSS_ZERO) for text in dates):
        return _zero_date(column, tuple(dates))
    if column.share(dates) >= 0.95:
        return _plain(column, "date", "date", "its cells are dates", 0.9, role="paradata")
    if (
        _DURATION.search(column.words)
        and column.share([t for t in column.counts if _SECONDS.fullmatch(t.strip())]) > 0.95
    ):
        return _plain(
            column, "integer", "time taken, in seconds", "its heading says so", 0.8, role="duration"
        )
    padded = [text for text in column.counts if re.fullmatch(r"0\d+", text)]
    if padded:
        return _plain(column, "id", "identifier", "numbers with leading zeros", 0.7)
    if _is_short_list(column):
        return _listed(
            column, "one of several answers", f"{column.distinct} answers that come again and again", 0.8
        )
    role = "remark" if _REMARK.search(column.words) else None
    return _plain(
        column,
        "text",
        "open text",
        f"{column.distinct} different texts in {column.answered} rows",
        0.7,
        role=role,
    )


def _zero_date(column: Column, zeros: tuple[str, ...]) -> Drafted:
    why = f"every row says {_SPSS_ZERO}, the day SPSS counts from: the time was lost"
    question = Question(column.name, "date", Text(column.label, column.label), missing=zeros, role="paradata")
    return Drafted(column.name, question, (), (Guess(column.name, "date, without any", why, 0.95),))


def _is_short_list(column: Column) -> bool:
    length = sum(len(text) * count for text, count in column.counts.items()) / column.answered
    enough = column.answered >= 5 * column.distinct or (column.distinct <= 3 and column.answered >= 10)
    return column.distinct <= 100 and enough and length <= 100


def _listed(column: Column, what: str, why: str, confidence: float) -> Drafted:
    """A question whose answers are the texts found, spellings of one text put together."""
    is_place = what == "place"
    spelled: dict[str, list[str]] = {}
    for text in sorted(column.counts, key=lambda text: (-column.counts[text], text)):
        spelled.setdefault(normal(column.labels.get(text, text)), []).append(text)
    shown = {texts[0]: column.labels.get(texts[0], texts[0]) for texts in spelled.values()}
    order = _reading_order(list(shown.values()))
    first = sorted(shown, key=lambda code: order(shown[code]))
    variants = {texts[0]: tuple(t for t in texts[1:] if "|" not in t) for texts in spelled.values()}
    labels = _unique_labels({code: shown[code] for code in first})
    choices = tuple(_choice(code, labels[code], place, variants[code]) for place, code in enumerate(first, 1))
    role = None if is_place else _group_role(column)
    question = Question(column.name, "select_one", Text(column.label, column.label), role=role)
    return Drafted(column.name, question, choices, (Guess(column.name, what, why, confidence),))


def _several(column: Column) -> Drafted:
    counts: dict[str, int] = {}
    for text, count in column.counts.items():
        for part in text.split(_JOINED):
            bare = re.sub(r"\s*〖.*?〗\s*$", "", part).strip()
            counts[bare] = counts.get(bare, 0) + count
    counts.pop("", None)
    ranked = sorted(counts, key=lambda option: -counts[option])
    choices = tuple(_choice(option, option, order) for order, option in enumerate(ranked, 1))
    question = Question(column.name, "select_multiple", Text(column.label, column.label))
    why = f"answers joined with {_JOINED}; {len(choices)} different ones"
    return Drafted(
        column.name, question, choices, (Guess(column.name, "several answers at once", why, 0.95),)
    )


def _plain(
    column: Column, kind: str, what: str, why: str, confidence: float, *, role: str | None = None
) -> Drafted:
    question = Question(column.name, kind, Text(column.label, column.label), role=role)
    return Drafted(column.name, question, (), (Guess(column.name, what, why, confidence),))


def _group_role(column: Column) -> str | None:
    is_short = len(column.label) <= 60 and 2 <= max(column.distinct, len(column.labels)) <= 15
    return "group" if is_short and _GROUP.search(column.words) else None


def _choice(code: str, label: str, order: int, variants: tuple[str, ...] = ()) -> Choice:
    return Choice(code, Text(label, label), order, variants)


def _unique_labels(labels: Mapping[str, str]) -> dict[str, str]:
    """Labels that two codes share get the code behind them, or no label could be told from the other."""
    seen: dict[str, int] = {}
    for label in labels.values():
        seen[normal(label)] = seen.get(normal(label), 0) + 1
    return {
        code: label if label and seen[normal(label)] == 1 else f"{label} [{code}]".strip()
        for code, label in labels.items()
    }


def _reading_order(texts: Sequence[str]) -> Callable[[str], tuple[float, bool, str]]:
    """Answers in the order of the first number in them where every answer has one, else as counted."""
    firsts = {text: re.search(r"\d+(?:\.\d+)?", text.replace(",", "")) for text in texts}
    known = {text: float(found[0]) for text, found in firsts.items() if found}
    if len(known) < len(texts):
        return lambda text: (0.0, False, "")
    return lambda text: (known[text], not _UP_TO.search(text), text)
