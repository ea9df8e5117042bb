"""The district's own books: community ledger by year, facility register, crosswalk of committees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from openpyxl import Workbook
from openpyxl.styles import Alignment
from openpyxl.worksheet.worksheet import Worksheet

from cbresearch.chengbei.chance import share_out, stream
from cbresearch.chengbei.contract import WAVES, Contract
from cbresearch.chengbei.district import District
from cbresearch.chengbei.facts import FACTS
from cbresearch.chengbei.files import csv_bytes, xlsx_bytes
from cbresearch.codebook import Question

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("基本情况", ("households", "adults")),
    ("人员", ("staff_", "directors", "deputy_directors", "members", "student_interns")),
    ("待遇", ("allowance_", "social_insurance")),
    ("经费", ("working_funds", "special_fund")),
    ("支出", ("spending_",)),
    ("志愿服务", ("volunteer", "service_fields")),
    ("组织", ("party_", "residents_", "consultative_")),
    ("阵地与特色", ("premises", "feature")),
)
TOTAL = "合计"
NOTE = "注：本表由各社区于年底填报，金额单位为元。"
MISTAKE_WAVE, MISTAKE_COMMUNITY, MISTAKE_YUAN = 2008, "西站社区", 3_000
CENTRE_COST_YUAN = 3_742_000
EXERCISE_PATHS, CULTURE_GROUPS, CHARITY_SUPERMARKETS = 26, 57, 7


@dataclass(frozen=True, slots=True)
class Mistake:
    """A total of spending that is not the sum of its headings."""

    wave: int
    community: str
    written_yuan: int
    sum_yuan: int


def mistake(district: District) -> Mistake:
    """The one total that was added up wrongly."""
    panel = district.panel
    row = panel[(panel["wave"] == MISTAKE_WAVE) & (panel["community"] == MISTAKE_COMMUNITY)].iloc[0]
    correct = int(row["spending_total_yuan"])
    return Mistake(MISTAKE_WAVE, MISTAKE_COMMUNITY, correct + MISTAKE_YUAN, correct)


def ledger_book(district: District, contract: Contract) -> bytes:
    """A sheet per year: two rows of headings with merged groups, 23 communities, a total, a note."""
    book, written = Workbook(), _as_written(district)
    for wave in WAVES:
        sheet = contract.source("communities", wave).sheet or str(wave)
        page = book.active if wave == WAVES[0] else book.create_sheet()
        page.title = sheet
        _fill(page, written[written["wave"] == wave], contract)
    return xlsx_bytes(book)


def _as_written(district: District) -> pd.DataFrame:
    wrong, written = mistake(district), district.panel.copy()
    at = (written["wave"] == wrong.wave) & (written["community"] == wrong.community)
    written.loc[at, "spending_total_yuan"] = wrong.written_yuan
    return written


def _fill(page: Worksheet, rows: pd.DataFrame, contract: Contract) -> None:
    questions = _in_groups(contract)
    page.append([contract.codebook.by_name["community"].label.zh, *(group for group, _ in questions)])
    page.append([None, *(question.label.zh for _, question in questions)])
    _merge_headings(page, [group for group, _ in questions])
    for _, row in rows.iterrows():
        page.append([row["community"], *(_cell(contract, question, row) for _, question in questions)])
    summed = [int(rows[q.name].sum()) if _is_summed(q) else None for _, q in questions]
    page.append([TOTAL, *summed])
    page.append([NOTE])


def _in_groups(contract: Contract) -> list[tuple[str, Question]]:
    """Every communities question of the codebook under its group, in the groups' order."""
    return [
        (group, question)
        for group, beginnings in GROUPS
        for question in contract.codebook.of("communities")
        if question.name.startswith(beginnings)
    ]


def _merge_headings(page: Worksheet, groups: list[str]) -> None:
    page.merge_cells("A1:A2")
    first = 0
    for last, group in enumerate(groups):
        if last + 1 == len(groups) or groups[last + 1] != group:
            page.merge_cells(start_row=1, end_row=1, start_column=first + 2, end_column=last + 2)
            first = last + 1
    for cell in page[1]:
        cell.alignment = Alignment(horizontal="center", vertical="center")


def _is_summed(question: Question) -> bool:
    return question.type == "integer" and not question.name.startswith("allowance_")


def _cell(contract: Contract, question: Question, row: pd.Series) -> str | int:
    value = row[question.name]
    if question.type == "select_one":
        return next(c.label.zh for c in contract.codebook.choices_of(question.name) if c.code == value)
    return str(value) if question.type == "text" else int(value)


def facility_register(district: District, contract: Contract, *, seed: int) -> bytes:
    """A row per facility in place by the last wave; floor and cost of the two kinds of centre that the district built."""
    facilities = _facilities(district, seed)
    labels = {c.code: c.label.zh for c in contract.codebook.choices_of("kind")}
    source = contract.source("facilities")
    names = ["community", *(q.name for q in contract.codebook.of("facilities"))]
    table = facilities.assign(kind=facilities["kind"].map(labels))[names]
    headed = table.rename(columns={name: contract.heading(source, name) for name in names})
    return csv_bytes(headed, encoding="utf-8-sig")


def _facilities(district: District, seed: int) -> pd.DataFrame:
    rng = stream(seed, "facilities")
    names = np.array([place.community for place in district.places])
    size = district.panel.loc[district.panel["wave"] == WAVES[-1], "households"].to_numpy()
    kinds = {
        "elderly_centre": _some(rng, names, FACTS.elderly_centres),
        "reemployment_centre": _some(rng, names, FACTS.reemployment_centres),
        "health_service": _some(rng, names, FACTS.health_services),
        "labour_station": list(names),
        "police_room": list(names),
        "exercise_path": list(np.repeat(names, share_out(EXERCISE_PATHS, size))),
        "culture_group": list(np.repeat(names, 1 + share_out(CULTURE_GROUPS - len(names), size))),
        "charity_supermarket": _some(rng, names, CHARITY_SUPERMARKETS),
    }
    table = pd.DataFrame(
        [(name, kind) for kind, where in kinds.items() for name in where], columns=["community", "kind"]
    )
    opened = rng.choice(
        [2003, 2004, 2005, 2006, 2007, 2008, 2009], size=len(table), p=[0.1, 0.2, 0.2, 0.15, 0.15, 0.12, 0.08]
    )
    table = table.assign(
        opened_year=opened, facility_id=[f"{number:04d}" for number in range(1, len(table) + 1)]
    )
    return _with_centres(rng, table)


def _some(rng: np.random.Generator, names: NDArray[np.str_], count: int) -> list[str]:
    return [str(name) for name in names[np.sort(rng.choice(len(names), count, replace=False))]]


def _with_centres(rng: np.random.Generator, table: pd.DataFrame) -> pd.DataFrame:
    centre = table["kind"].isin(["elderly_centre", "reemployment_centre"])
    size = rng.uniform(0.6, 1.6, int(centre.sum()))
    table = table.astype({"opened_year": "int64"})
    table["floor_m2"] = table["cost_yuan"] = pd.Series(pd.NA, table.index, dtype="Int64")
    table.loc[centre, "floor_m2"] = share_out(FACTS.centre_floor_m2, size)
    table.loc[centre, "cost_yuan"] = (
        share_out(CENTRE_COST_YUAN // 1000, size * rng.uniform(0.9, 1.1, len(size))) * 1000
    )
    return table


def crosswalk(district: District, contract: Contract) -> bytes:
    """A row per former committee: the community that took it in, its street."""
    source = contract.source("crosswalk")
    rows = [(c, place.community, place.street) for place in district.places for c in place.committees]
    headings = [contract.heading(source, name) for name in ("committee", "community", "street")]
    return csv_bytes(pd.DataFrame(rows, columns=headings))
