"""Every published figure, read from the written raw files with plain readers."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import openpyxl
import pytest

from cbresearch.chengbei.facts import FACTS

YEARS = (2006, 2007, 2008, 2009)
Row = dict[str, object]
GOVERNANCE = ("党组织", "居民委员会", "居民(代表)会议", "协商议事会")


def ledger_rows(raw: Path, year: int) -> list[Row]:
    sheet = openpyxl.load_workbook(raw / "社区台账.xlsx")[f"{year}年"]
    rows = list(sheet.iter_rows(values_only=True))
    headings = ["社区", *rows[1][1:]]
    return [dict(zip(headings, row, strict=True)) for row in rows[2:] if str(row[0]).endswith("社区")]


def csv_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.fixture(scope="module")
def raw(drawn: Path) -> Path:
    return drawn / "data" / "raw"


@pytest.fixture(scope="module")
def ledger(raw: Path) -> dict[int, list[Row]]:
    return {year: ledger_rows(raw, year) for year in YEARS}


@pytest.fixture(scope="module")
def facilities(raw: Path) -> list[dict[str, str]]:
    return csv_rows(raw / "设施登记.csv")


def column(rows: list[Row], heading: str) -> list[int]:
    return [int(str(row[heading])) for row in rows]


def by_community(rows: list[Row], heading: str) -> dict[str, str]:
    return {str(row["社区"]): str(row[heading]) for row in rows}


def test_the_ledger_has_every_column_of_the_codebook_once(raw: Path) -> None:
    with (raw.parent / "codebook.csv").open(encoding="utf-8", newline="") as handle:
        asked = [row["label::zh"] for row in csv.DictReader(handle) if row["table"] == "communities"]
    sheet = openpyxl.load_workbook(raw / "社区台账.xlsx")["2006年"]
    first, second = list(sheet.iter_rows(max_row=2, values_only=True))
    assert first[0] == "社区"
    assert sorted(map(str, second[1:])) == sorted(asked)
    assert len(sheet.merged_cells.ranges) == 1 + sum(group is not None for group in first[1:])


def test_43_committees_merged_into_23_communities_of_4_streets(raw: Path) -> None:
    rows = csv_rows(raw / "居委会社区对照.csv")
    assert len({row["原居民委员会"] for row in rows}) == len(rows) == 43 == FACTS.committees
    assert len({row["社区"] for row in rows}) == 23 == FACTS.communities
    assert len({row["街道"] for row in rows}) == 4
    assert all(row["原居民委员会"].startswith(row["社区"].removesuffix("社区")) for row in rows)
    assert len({(row["社区"], row["街道"]) for row in rows}) == 23


@pytest.mark.parametrize("year", YEARS)
def test_each_year_lists_the_same_23_communities(ledger: dict[int, list[Row]], raw: Path, year: int) -> None:
    crosswalk = {row["社区"] for row in csv_rows(raw / "居委会社区对照.csv")}
    assert sorted(str(row["社区"]) for row in ledger[year]) == sorted(crosswalk)


def test_households_average_at_most_3000_and_a_few_near_6000(ledger: dict[int, list[Row]]) -> None:
    for year in YEARS:
        households = column(ledger[year], "户数")
        assert sum(households) / 23 <= 3000
        assert max(households) <= 6000
    assert 2 <= sum(5500 <= h <= 6000 for h in column(ledger[2009], "户数")) <= 5


@pytest.mark.parametrize("body", GOVERNANCE)
def test_four_governance_bodies_in_each_community(ledger: dict[int, list[Row]], body: str) -> None:
    assert set(by_community(ledger[2009], body).values()) == {"有"}


@pytest.mark.parametrize("year", YEARS)
def test_123_staff_whose_posts_add_up(ledger: dict[int, list[Row]], year: int) -> None:
    rows = ledger[year]
    assert sum(column(rows, "社区工作人员数")) == 123
    posts = zip(*(column(rows, post) for post in ("主任人数", "副主任人数", "委员人数")), strict=True)
    assert [sum(post) for post in posts] == column(rows, "社区工作人员数")
    assert column(rows, "主任人数") == [1] * 23


def test_schooling_of_staff_rises_to_64_and_34_percent(ledger: dict[int, list[Row]]) -> None:
    upper = [sum(column(ledger[year], "高中及以上学历人数")) for year in YEARS]
    college = [sum(column(ledger[year], "大专及以上学历人数")) for year in YEARS]
    assert (round(upper[-1] / 123, 2), round(college[-1] / 123, 2)) == (0.64, 0.34)
    assert upper == sorted(set(upper))
    assert college == sorted(set(college))
    for row in ledger[2009]:
        counts = [int(str(row[h])) for h in ("大专及以上学历人数", "高中及以上学历人数", "社区工作人员数")]
        assert counts == sorted(counts)


def test_one_student_intern_each(ledger: dict[int, list[Row]]) -> None:
    assert column(ledger[2009], "见习大学生人数") == [1] * 23


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("星光老年活动中心", 22),
        ("再就业服务中心", 22),
        ("社区卫生服务站", 22),
        ("劳动和社会保障站", 23),
        ("社区警务室", 23),
    ],
)
def test_facilities_counted_exactly(facilities: list[dict[str, str]], kind: str, count: int) -> None:
    where = [row["社区"] for row in facilities if row["设施类型"] == kind]
    assert len(where) == len(set(where)) == count


@pytest.mark.parametrize(("kind", "more_than"), [("户外健身路径", 20), ("文体队伍", 50)])
def test_facilities_counted_as_more_than(facilities: list[dict[str, str]], kind: str, more_than: int) -> None:
    # 'More than 20' is a rounding, so it is not 35 either.
    assert more_than < Counter(row["设施类型"] for row in facilities)[kind] < more_than + 10


def test_some_communities_run_charity_supermarkets(facilities: list[dict[str, str]]) -> None:
    assert 2 <= Counter(row["设施类型"] for row in facilities)["慈善超市"] < 23


def test_centres_have_8000_m2_and_cost_over_3_7_million(facilities: list[dict[str, str]]) -> None:
    centres = [row for row in facilities if row["设施类型"] in {"星光老年活动中心", "再就业服务中心"}]
    assert sum(float(row["建筑面积(平方米)"]) for row in centres) == 8000
    assert 3_700_000 < sum(float(row["投资(元)"]) for row in centres) < 3_800_000
    others = [row for row in facilities if row not in centres]
    assert {row["建筑面积(平方米)"] for row in others} == {row["投资(元)"] for row in others} == {""}


def test_facility_numbers_keep_leading_zeros_and_all_opened_by_2009(facilities: list[dict[str, str]]) -> None:
    assert len({row["设施编号"] for row in facilities}) == len(facilities)
    assert all(row["设施编号"].startswith("0") and len(row["设施编号"]) == 4 for row in facilities)
    opened = [int(row["启用年份"]) for row in facilities]
    assert max(opened) <= 2009
    assert sum(year > 2006 for year in opened) > 20


def test_volunteers_rise_to_1793_in_one_or_two_teams(ledger: dict[int, list[Row]]) -> None:
    counts = [sum(column(ledger[year], "志愿者人数")) for year in YEARS]
    assert counts[-1] == 1793
    assert counts == sorted(set(counts))
    assert set(column(ledger[2006], "志愿者队伍数")) == {0}
    assert set(column(ledger[2009], "志愿者队伍数")) == {1, 2}


def test_special_features_are_where_the_report_says(ledger: dict[int, list[Row]]) -> None:
    feature = by_community(ledger[2009], "一区一特")
    assert "红丝带" in feature["欣乐社区"]
    assert "楼道" in feature["生物园社区"]
    assert "唐卡" in feature["北川河东路社区"]
    assert sum("孤残儿童" in one and "寄养" in one for one in feature.values()) == 1
    assert len(set(feature.values())) == 23


def test_premises_at_risk_are_those_two(ledger: dict[int, list[Row]]) -> None:
    at_risk = {name for name, kind in by_community(ledger[2009], "办公用房性质").items() if "拆迁" in kind}
    assert at_risk == {"光明社区", "马坊东社区"}


def test_working_funds_rise_to_20000_each(ledger: dict[int, list[Row]]) -> None:
    assert max(column(ledger[2006], "工作经费(元)")) < 20_000
    for year in YEARS[1:]:
        assert column(ledger[year], "工作经费(元)") == [20_000] * 23


def test_special_fund_is_a_million_a_year_and_never_reaches_all(ledger: dict[int, list[Row]]) -> None:
    assert sum(column(ledger[2006], "专项资金(元)")) == 0
    reached_before: set[str] = set()
    for year, communities in ((2007, 8), (2008, 15), (2009, 19)):
        fund = {name: int(amount) for name, amount in by_community(ledger[year], "专项资金(元)").items()}
        reached = {name for name, amount in fund.items() if amount > 0}
        assert sum(fund.values()) == 1_000_000
        assert len(reached) == communities
        assert reached_before < reached
        reached_before = reached


@pytest.mark.parametrize(
    ("post", "before", "after"), [("主任", 260, 700), ("副主任", 250, 650), ("委员", 220, 600)]
)
def test_allowances_before_and_after(
    ledger: dict[int, list[Row]], post: str, before: int, after: int
) -> None:
    paid = [set(column(ledger[year], f"{post}月补贴(元)")) for year in YEARS]
    assert paid == [{before}, {after}, {after}, {after}]


def test_social_insurance_reconciles(ledger: dict[int, list[Row]]) -> None:
    assert sum(column(ledger[2006], "社会保险费(元)")) == 0
    for year in YEARS[1:]:
        members = column(ledger[year], "社区工作人员数")
        assert column(ledger[year], "社会保险费(元)") == [389 * 12 * staff for staff in members]
        assert (
            sum(column(ledger[year], "社会保险费(元)"))
            == 574_164
            == FACTS.insurance_yuan
            > FACTS.insurance_more_than_yuan
        )


def test_spending_adds_up_but_for_one_planted_mistake(ledger: dict[int, list[Row]]) -> None:
    headings = (
        "办公支出(元)",
        "服务项目支出(元)",
        "文体活动支出(元)",
        "设施维护支出(元)",
        "帮困救助支出(元)",
    )
    wrong = [
        (year, row["社区"], int(str(row["支出合计(元)"])) - sum(int(str(row[h])) for h in headings))
        for year in YEARS
        for row in ledger[year]
        if int(str(row["支出合计(元)"])) != sum(int(str(row[h])) for h in headings)
    ]
    assert wrong == [(2008, "西站社区", 3000)]


def test_nobody_spends_more_than_they_were_given(ledger: dict[int, list[Row]]) -> None:
    for row in (row for year in YEARS for row in ledger[year] if (year, row["社区"]) != (2008, "西站社区")):
        assert int(str(row["支出合计(元)"])) <= int(str(row["工作经费(元)"])) + int(
            str(row["专项资金(元)"])
        ), row["社区"]


def test_total_row_sums_its_column(raw: Path) -> None:
    rows = list(openpyxl.load_workbook(raw / "社区台账.xlsx")["2008年"].iter_rows(values_only=True))
    total = next(row for row in rows if row[0] == "合计")
    for place, heading in enumerate(rows[1]):
        if total[place] is not None and place > 0:
            assert total[place] == sum(int(str(row[place])) for row in rows[2:25]), heading


def test_the_records_of_facts_say_what_the_report_says() -> None:
    assert (FACTS.staff, FACTS.staff_upper_secondary_share, FACTS.staff_college_share) == (123, 0.64, 0.34)
    assert (FACTS.volunteers, FACTS.centre_floor_m2, FACTS.special_fund_yuan) == (1793, 8000, 1_000_000)
    assert [(a.post, a.before, a.after) for a in FACTS.allowances] == [
        ("director", 260, 700),
        ("deputy_director", 250, 650),
        ("member", 220, 600),
    ]
