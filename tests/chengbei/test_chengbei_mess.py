"""Every fault stands in the raw files as often as the truth file says."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.chengbei.contract import WAVES, Contract
from cbresearch.chengbei.mess import CONFLICTING_KEYS, EXACT_DUPLICATES, as_codes, make_messy
from cbresearch.chengbei.spelling import in_english, on_paper, on_platform
from cbresearch.codebook import normal

# What the questions are called in each raw file.
KEY = {2006: "编号", 2007: "resident_id", 2008: "1、答卷编号", 2009: "id"}
AGE = {2006: "年龄", 2007: "age", 2008: "8、年龄", 2009: "age_yrs"}
DURATION = {2006: "用时", 2007: "duration_seconds", 2008: "所用时间(秒)", 2009: "secs"}
REMARK = {2006: "建议", 2007: "remark", 2008: "46、意见和建议", 2009: "comments"}
COULD = {
    2006: "能负担(元/月)",
    2007: "could_pay_yuan_per_month",
    2008: "44、每月能够负担的服务费(元)",
    2009: "Q7_could_pay",
}
WOULD = {
    2006: "愿支付(元/月)",
    2007: "would_pay_yuan_per_month",
    2008: "45、每月愿意支付的服务费(元)",
    2009: "Q8_would_pay",
}
SAT_HEALTH = {2006: "医疗康复服务满意度", 2007: "sat_health", 2008: "15、医疗康复服务满意度", 2009: "Q2_2"}


def plain(raw: Path, wave: int) -> pd.DataFrame:
    """A raw file as text, cell by cell, read without the package; blank rows stay."""
    if wave == 2007:
        table = pyreadstat.read_sav(raw / "residents_2007.sav")[0]
        text = table.map(lambda cell: f"{cell:g}" if isinstance(cell, float) else cell)
        return text.replace({"nan": None, "": None})
    if wave == 2008:
        return pd.read_excel(raw / "问卷星_2008_按文本.xlsx", dtype="str", engine="openpyxl")
    name, encoding = {2006: ("居民问卷2006.csv", "gb18030"), 2009: ("residents_2009.csv", "utf-8")}[wave]
    content = (raw / name).read_bytes().decode(encoding)
    return pd.read_csv(io.StringIO(content), dtype="str", skip_blank_lines=False)


@pytest.fixture(scope="module")
def truth(drawn: Path) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((drawn / "data" / "truth.json").read_text(encoding="utf-8"))
    return known


@pytest.fixture(scope="module")
def files(drawn: Path) -> dict[int, pd.DataFrame]:
    return {wave: plain(drawn / "data" / "raw", wave) for wave in WAVES}


@pytest.fixture(params=WAVES)
def case(
    request: pytest.FixtureRequest, files: dict[int, pd.DataFrame], truth: dict[str, Any]
) -> tuple[int, pd.DataFrame, Any]:
    wave = int(request.param)
    return wave, files[wave], truth["planted"][str(wave)]


Case = tuple[int, pd.DataFrame, dict[str, Any]]


def test_rows_add_up(case: Case, truth: dict[str, Any]) -> None:
    wave, table, planted = case
    extra = planted["blank_rows"] + planted["conflicting_keys"] + planted["exact_duplicates"]
    assert len(table) == planted["rows"] == truth["answered"][str(wave)] + extra
    assert table.isna().all(axis=1).sum() == planted["blank_rows"] > 0


def test_duplicates_stand_there(case: Case) -> None:
    wave, table, planted = case
    answered = table.dropna(how="all")
    assert answered.duplicated().sum() == planted["exact_duplicates"] == EXACT_DUPLICATES
    keys = answered.drop_duplicates()[KEY[wave]]
    assert keys.duplicated().sum() == planted["conflicting_keys"] == CONFLICTING_KEYS


def test_keys_have_leading_zeros(case: Case) -> None:
    wave, table, _ = case
    assert table[KEY[wave]].dropna().str.fullmatch(f"{wave % 100:02d}[0-9]{{4}}").all()


def test_ages_nobody_has(case: Case) -> None:
    wave, table, planted = case
    ages = pd.to_numeric(table[AGE[wave]].dropna())
    assert (~ages.between(18, 105) & ages.ne(999)).sum() == planted["impossible_ages"] == 5
    assert ages.eq(999).sum() == planted["ages_unknown"] == 6


def test_speeders_are_far_below_the_rest(case: Case) -> None:
    wave, table, planted = case
    seconds = pd.to_numeric(table[DURATION[wave]].dropna().str.removesuffix("秒"))
    assert seconds.lt(60).sum() == planted["speeders"]
    assert seconds[seconds >= 60].min() >= 240
    assert seconds.median() > 500


def test_words_that_no_list_knows(case: Case) -> None:
    wave, table, planted = case
    written = {
        2006: {"体育健身服务满意度": "满义", "文化程度": "高钟", "住房性质": "借住"},
        2007: {"sat_sport": "7", "schooling": "8", "tenure": "5"},
        2008: {"17、体育健身服务满意度": "满义", "9、文化程度": "技校", "11、住房性质": "住亲戚家"},
        2009: {"Q2_4": "Satisifed", "edu": "6", "housing": "4"},
    }[wave]
    assert [table[heading].eq(word).sum() for heading, word in written.items()] == [1, 1, 1]
    assert planted["unknown_answers"] == 5


def test_dont_know_looks_like_a_score(case: Case) -> None:
    wave, table, planted = case
    assert table[SAT_HEALTH[wave]].eq("9").sum() == planted["dont_know"]["sat_health"] > 0
    assert table[COULD[wave]].eq("9999").sum() == planted["dont_know"]["could_pay_yuan_per_month"] > 0


def test_answers_to_a_question_that_was_not_theirs(case: Case) -> None:
    wave, table, planted = case
    assert (table[COULD[wave]].eq("0") & table[WOULD[wave]].notna()).sum() == planted[
        "would_pay_without_means"
    ]


def test_remarks_hold_what_they_should_not(case: Case) -> None:
    wave, table, planted = case
    remarks = table[REMARK[wave]].dropna()
    assert len(remarks) == planted["remarks"] > 100
    without_id = remarks[~remarks.str.contains(r"\d{18}")]
    assert without_id.str.contains(r"1\d{2}-?\d{4}-?\d{4}").sum() == planted["remarks_with_phone"] == 3
    assert remarks.str.contains(r"\d{18}").sum() == planted["remarks_with_id_number"] == 1
    assert remarks.str.contains("@").sum() == planted["remarks_with_email"] == 2
    assert (
        remarks.str.contains("<script>alert(1)</script>", regex=False).sum()
        == planted["remarks_with_script"]
        == 1
    )


def test_straight_liners_give_one_answer_to_all(
    contract: Contract, residents: pd.DataFrame, seed: int, truth: dict[str, Any]
) -> None:
    rated = [q.name for q in contract.codebook.of("residents") if q.is_rated]
    for wave in WAVES:
        codes = as_codes(residents[residents["wave"] == wave].reset_index(drop=True), contract.codebook)
        messy = make_messy(codes, contract.codebook, wave, seed=seed)
        straight = messy.codes[rated].nunique(axis=1).eq(1) & messy.codes[rated].notna().all(axis=1)
        assert straight.sum() == truth["planted"][str(wave)]["straight_liners"] > 0


def test_no_questionnaire_carries_two_faults(truth: dict[str, Any]) -> None:
    for wave in WAVES:
        touched = Counter(one for ids in truth["planted_ids"][str(wave)].values() for one in ids)
        assert max(touched.values()) == 1


def test_the_spss_file_counts_satisfaction_down(drawn: Path) -> None:
    meta = pyreadstat.read_sav(drawn / "data" / "raw" / "residents_2007.sav", metadataonly=True)[1]
    labels = meta.variable_value_labels
    assert labels["sat_overall"][1.0] == "非常满意"
    assert labels["sat_overall"][5.0] == "非常不满意"
    assert labels["sat_overall"][9.0] == "不清楚"
    assert labels["imp_health"][5.0] == "很重要"
    assert labels["need__health"] == {0.0: "未选", 1.0: "选中"}
    assert meta.column_names_to_labels["per_responsiveness"] == "感受：工作人员办事拖拉"


def test_every_wave_asks_the_mapped_headings(contract: Contract, files: dict[int, pd.DataFrame]) -> None:
    for wave in WAVES:
        assert set(contract.source("residents", wave).columns) <= set(files[wave].columns)
    assert not {"社区", "街道"} & set(files[2006].columns)
    assert {"来源", "来源详情", "2、姓名"} <= set(files[2008].columns)


@given(data=st.data())
def test_every_spelling_reads_back_to_its_own_code(contract: Contract, data: st.DataObject) -> None:
    """Folded to one spelling, each way to write an answer names exactly one choice of its list."""
    asked = [q for q in contract.codebook.of("residents") if q.type == "select_one" and q.name != "age_group"]
    question = data.draw(st.sampled_from(asked))
    choices = contract.codebook.choices_of(question.name)
    choice = data.draw(st.sampled_from(choices))
    way = data.draw(st.sampled_from([on_paper, on_platform, in_english]))
    written = data.draw(st.sampled_from(way(question, choices)[choice.code]))
    matches = {
        c.code
        for c in choices
        if normal(written) in map(normal, (c.code, c.label.zh, c.label.en, *c.variants))
    }
    assert matches == {choice.code}
