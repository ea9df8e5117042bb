"""What goes wrong between the doorstep and the file, planted in known numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from cbresearch.chengbei.answers import FIELDS
from cbresearch.chengbei.chance import stream
from cbresearch.codebook import Codebook

STRAIGHT_LINERS = 12
SPEEDERS = 10
BREAK_OFFS = 8
WOULD_PAY_WITHOUT_MEANS = 6
CONFLICTING_KEYS = 4
EXACT_DUPLICATES = 6
BLANK_ROWS = 3
AGES_UNKNOWN = 6
IMPOSSIBLE_AGES = ("3", "212", "0", "150", "7")
# Invented: numbers nobody can hold, a birth year of 1900, an address at example.com.
PRIVATE_REMARKS = {
    "remarks_with_phone": (
        "下水道堵了，请打13900000001联系我。",
        "电话 139-0000-0002，盼回复",
        "家里老人需要送餐，联系人手机：13900000003",
    ),
    "remarks_with_id_number": ("低保申请一直没有答复，身份证号630105190001010011",),
    "remarks_with_email": (
        "材料请发到 chengbei.resident@example.com",
        "邮箱test01@example.com，有培训请通知我",
    ),
    "remarks_with_script": ("<script>alert(1)</script>希望网上也能提意见",),
}
UNKNOWN_ANSWERS: dict[int, tuple[tuple[str, str], ...]] = {
    2006: (
        ("sat_sport", "满义"),
        ("sat_health", "还行"),
        ("schooling", "高钟"),
        ("tenure", "借住"),
        ("imp_order", "很重耍"),
    ),
    2007: (("sat_sport", "7"), ("sat_health", "6"), ("schooling", "8"), ("tenure", "5"), ("imp_order", "7")),
    2008: (
        ("sat_sport", "满义"),
        ("sat_health", "凑合"),
        ("schooling", "技校"),
        ("tenure", "住亲戚家"),
        ("imp_order", "重要吧"),
    ),
    2009: (
        ("sat_sport", "Satisifed"),
        ("sat_health", "OK"),
        ("schooling", "6"),
        ("tenure", "4"),
        ("imp_order", "Importnat"),
    ),
}
RATED_DONT_KNOW, RATED_BLANK = 0.02, 0.01
DONT_KNOW: dict[str, float] = {
    "schooling": 0.01,
    "income_band": 0.04,
    "tenure": 0.01,
    "years_resident": 0.015,
    "could_pay_yuan_per_month": 0.04,
}


@dataclass(frozen=True)
class Messy:
    """One wave's questionnaires as codes in text (a row each, missing where blank), faults planted.

    `order` gives the rows of the file: positions in `codes`, repeated for an exact duplicate, -1 for a blank row.
    `ids` lists the questionnaires touched by each fault, in pieces that do not overlap.
    """

    codes: pd.DataFrame
    order: tuple[int, ...]
    ids: dict[str, list[str]] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int | dict[str, int]]:
        """How often each fault stands in the file, duplicates included where they repeat it."""
        in_file = self.codes.iloc[[row for row in self.order if row >= 0]]
        unknown = {name: int(in_file[name].eq(_unknown(name)).sum()) for name in _askable(in_file)}
        return {
            "rows": len(self.order),
            "blank_rows": self.order.count(-1),
            **{fault: len(ids) for fault, ids in self.ids.items()},
            "remarks": int(in_file["remark"].notna().sum()),
            "dont_know": {name: count for name, count in unknown.items() if count},
        }


def as_codes(people: pd.DataFrame, codebook: Codebook) -> pd.DataFrame:
    """The wave's answers as text, a column per residents question that was asked; several answers joined by '┋'."""
    asked = [q for q in codebook.of("residents") if q.name != "age_group"]
    text = pd.DataFrame(index=people.index)
    for question in asked:
        if question.type == "select_multiple":
            text[question.name] = _joined(people, question.name)
        elif question.name == "base_weight":
            text[question.name] = [f"{weight:.3f}" for weight in people["base_weight"]]
        else:
            values = people[question.name]
            text[question.name] = [None if pd.isna(value) else str(value) for value in values]
    return text.astype("object")


def _joined(people: pd.DataFrame, name: str) -> list[str]:
    chosen = people[[f"{name}__{code}" for code in FIELDS]].to_numpy() == 1
    return ["┋".join(code for code, yes in zip(FIELDS, row, strict=True) if yes) for row in chosen]


def make_messy(codes: pd.DataFrame, codebook: Codebook, wave: int, *, seed: int) -> Messy:
    """Gaps everywhere, then each fault on questionnaires of its own, then rows that stand twice or empty."""
    rng = stream(seed, "mess", wave)
    rated = [q.name for q in codebook.of("residents") if q.is_rated]
    messy = _with_gaps(rng, codes, rated)
    deck = _Deck(rng, len(messy))
    taken: dict[str, list[int]] = {}
    for fault, count in (
        ("straight_liners", STRAIGHT_LINERS),
        ("speeders", SPEEDERS),
        ("break_offs", BREAK_OFFS),
        ("impossible_ages", len(IMPOSSIBLE_AGES)),
        ("ages_unknown", AGES_UNKNOWN),
        ("unknown_answers", len(UNKNOWN_ANSWERS[wave])),
        *((fault, len(remarks)) for fault, remarks in PRIVATE_REMARKS.items()),
        ("conflicting_keys", CONFLICTING_KEYS),
        ("exact_duplicates", EXACT_DUPLICATES),
    ):
        taken[fault] = deck.draw(count)
    taken["would_pay_without_means"] = deck.draw_from(
        np.flatnonzero(messy["could_pay_yuan_per_month"].eq("0")), WOULD_PAY_WITHOUT_MEANS
    )
    _plant(rng, messy, rated, taken, wave)
    ids = {fault: sorted(messy["resident_id"].iloc[rows]) for fault, rows in taken.items()}
    messy = pd.concat([messy, _contradicting(messy.iloc[taken["conflicting_keys"]])], ignore_index=True)
    return Messy(messy, _order(rng, len(codes), len(messy), taken["exact_duplicates"]), ids)


class _Deck:
    """Questionnaires in random order, each dealt once, so that no fault hides another."""

    def __init__(self, rng: np.random.Generator, count: int) -> None:
        self._left = [int(row) for row in rng.permutation(count)]

    def draw(self, count: int) -> list[int]:
        dealt, self._left = self._left[:count], self._left[count:]
        return dealt

    def draw_from(self, allowed: Iterable[int], count: int) -> list[int]:
        wanted = {int(row) for row in allowed}
        dealt = [row for row in self._left if row in wanted][:count]
        self._left = [row for row in self._left if row not in dealt]
        return dealt


def _with_gaps(rng: np.random.Generator, codes: pd.DataFrame, rated: list[str]) -> pd.DataFrame:
    """Don't-know codes that look like scores (9, 999, 9999) beside questions simply left empty."""
    gaps = codes.copy()
    for name in rated:
        chance = rng.random(len(gaps))
        gaps[name] = gaps[name].mask(chance < RATED_DONT_KNOW, _unknown(name))
        gaps[name] = gaps[name].mask(chance > 1 - RATED_BLANK, None)
    for name, share in DONT_KNOW.items():
        gaps[name] = gaps[name].mask(rng.random(len(gaps)) < share, _unknown(name))
    refused = gaps["could_pay_yuan_per_month"].eq(_unknown("could_pay_yuan_per_month"))
    gaps["would_pay_yuan_per_month"] = gaps["would_pay_yuan_per_month"].mask(refused, None)
    for name in ("need", "use"):
        gaps[name] = gaps[name].mask(rng.random(len(gaps)) < RATED_BLANK, None)
    return gaps


def _unknown(name: str) -> str:
    if name.endswith("_pay_yuan_per_month"):
        return "9999"
    return "999" if name in {"age", "years_resident"} else "9"


def _askable(frame: pd.DataFrame) -> list[str]:
    rated = [name for name in frame.columns if name.split("_")[0] in {"sat", "imp", "exp", "per"}]
    return [*rated, *DONT_KNOW]


def _plant(
    rng: np.random.Generator, messy: pd.DataFrame, rated: list[str], taken: dict[str, list[int]], wave: int
) -> None:
    """Write each fault into its rows, in place: `messy` is our own copy."""
    for row in taken["straight_liners"]:
        messy.loc[row, rated] = str(rng.integers(3, 6))
    messy.loc[taken["speeders"], "duration_seconds"] = [str(s) for s in rng.integers(20, 60, SPEEDERS)]
    late = [name for name in rated if name.startswith(("exp_", "per_"))]
    messy.loc[taken["break_offs"], late] = None
    messy.loc[taken["impossible_ages"], "age"] = list(IMPOSSIBLE_AGES)
    messy.loc[taken["ages_unknown"], "age"] = _unknown("age")
    for row, (name, answer) in zip(taken["unknown_answers"], UNKNOWN_ANSWERS[wave], strict=True):
        messy.loc[row, name] = answer
    for fault, remarks in PRIVATE_REMARKS.items():
        messy.loc[taken[fault], "remark"] = list(remarks)
    messy.loc[taken["would_pay_without_means"], "would_pay_yuan_per_month"] = "10"


def _contradicting(rows: pd.DataFrame) -> pd.DataFrame:
    """The same questionnaire number handed in again with other answers."""
    return rows.assign(
        **{
            name: ["2" if code == "4" else "4" for code in rows[name]]
            for name in ("sat_overall", "sat_order")
        }
    )


def _order(rng: np.random.Generator, kept: int, count: int, doubled: list[int]) -> tuple[int, ...]:
    """First returns in order of their number; second returns, repeats, blank rows anywhere after the first hundred."""
    order = list(range(kept))
    for extra in [*range(kept, count), *doubled, *[-1] * BLANK_ROWS]:
        order.insert(int(rng.integers(100, len(order))), extra)
    return tuple(order)
