"""Real exports adopted and built without one edit: figures from each SOURCE.md."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cbresearch.build import build
from cbresearch.study import Study, open_study
from cbresearch.survey.adopt import Adopted, adopt

DATA = Path(__file__).parents[3] / "shared" / "data"


def adopted_study(name: str, root: Path, **named: object) -> tuple[Adopted, Study]:
    path = DATA / name
    if not path.is_file():
        pytest.skip(f"example data not here: {path}")
    adopted = adopt([path], root, **named)  # type: ignore[arg-type]
    return adopted, open_study(root)


# --- Así Estamos Juárez 2023 ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def juarez(tmp_path_factory: pytest.TempPathFactory) -> tuple[Adopted, Study]:
    root = tmp_path_factory.mktemp("juarez") / "study"
    adopted, study = adopted_study(
        "aej-juarez-2023/AEJ_Percepcion_2023.sav",
        root,
        outcome="Q40",
        area="Q2",
        cluster="Q1",
        languages=("en",),
    )
    build(study)
    return adopted, study


PUBLISHED = [
    ("Q40", 1522, 9.101),
    ("Q51", 1522, 5.610),
    ("Q45", 1522, 7.340),
    ("Q47", 1522, 7.148),
    ("Q46", 1520, 7.406),
    ("Q61", 1409, 6.636),
    ("Q59", 221, 7.670),
    ("Q29", 1519, 8.538),
    ("Q91", 1522, 5.668),
]


@pytest.mark.parametrize("item, n, mean", PUBLISHED, ids=[item for item, _, _ in PUBLISHED])
def test_juarez_means(juarez: tuple[Adopted, Study], item: str, n: int, mean: float) -> None:
    residents = juarez[1].residents()
    assert len(residents) == 1522
    assert residents[item].notna().sum() == n
    assert round(float(residents[item].mean()), 3) == mean


BY_DISTRICT = {
    "2": (207, 9.164, 5.324, 19.81),
    "3": (160, 8.988, 5.669, 26.88),
    "4": (164, 8.628, 5.957, 32.93),
    "5": (161, 8.975, 5.149, 19.25),
    "6": (180, 8.917, 5.517, 26.67),
    "7": (178, 9.253, 5.713, 26.40),
    "8": (156, 9.404, 5.782, 25.00),
    "9": (160, 9.388, 6.281, 30.63),
    "10": (156, 9.205, 5.173, 23.08),
}
"""District = residents, mean of Q40 and Q51, percent with 8 or more on Q51."""


def test_juarez_by_district(juarez: tuple[Adopted, Study]) -> None:
    residents = juarez[1].residents()
    assert set(residents["Q2"]) == set(BY_DISTRICT)
    for district, (n, refuse, paving, high) in BY_DISTRICT.items():
        mine = residents[residents["Q2"] == district]
        assert len(mine) == n
        assert mine["Q40"].mean() == pytest.approx(refuse, abs=0.00051)
        assert mine["Q51"].mean() == pytest.approx(paving, abs=0.00051)
        assert (mine["Q51"] >= 8).mean() * 100 == pytest.approx(high, abs=0.0051)


def test_juarez_design_and_roles(juarez: tuple[Adopted, Study]) -> None:
    study = juarez[1]
    assert study.file.keys.resident == "resultId"
    assert (study.area, study.design.cluster, study.design.strata) == ("Q2", "Q1", ("Q2",))
    assert study.design.weight is None
    assert study.waves == (2023,)
    outcomes = {question.name for question in study.codebook.with_role("outcome")}
    assert {"Q40", "Q51", "Q61", "Q57.1"} <= outcomes
    assert not {"Q40.1", "Q51.1", "Q31", "Q66"} & outcomes, "recoded copies and counts are no ratings"
    assert study.residents()["Q1"].nunique() == 57


def test_juarez_traps(juarez: tuple[Adopted, Study]) -> None:
    adopted, study = juarez
    question = study.codebook.by_name
    assert question["Q61"].missing == question["Q59"].missing == ("11", "99")
    assert question["Q46"].missing == ("0",)
    assert question["Q100.1"].missing == ("0", "5") and question["Q100.1"].direction == -1
    assert question["date"].missing == ("1582-10-14",)
    assert question["Q102"].minimum == 18
    assert study.residents()["date"].isna().all()
    assert study.residents()["Q102"].min() == 18
    told = {guess.column: guess.what for guess in adopted.guesses if guess.what.startswith("no answer")}
    assert told["Q61"] == "no answer: 11 (19 rows), 99 (94 rows)"
    assert [personal.column for personal in adopted.personal] == ["device"]
    assert study.findings()["rule"].value_counts().to_dict() == {"out_of_range": 1, "personal_data": 1}


def test_juarez_without_names_lists_the_candidates(tmp_path: Path) -> None:
    adopted, _ = adopted_study("aej-juarez-2023/AEJ_Percepcion_2023.sav", tmp_path / "study")
    outcome, area = adopted.questions_left
    assert outcome.startswith("outcome: Q7, Q10, ")
    assert "Q2 (9 values)" in area and "Q1 (57 values)" in area


# --- 问卷星, the same answers as text and as codes --------------------------------------------------

TEXT, CODES = "wjx-phone-800/[问卷星数据]800_800_0.xls", "wjx-phone-800/[问卷星数据]800_800_2.xls"


@pytest.fixture(scope="module")
def phones(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Study]:
    root = tmp_path_factory.mktemp("wjx")
    studies = [adopted_study(name, root / str(i))[1] for i, name in enumerate((TEXT, CODES))]
    for study in studies:
        build(study)
    return studies[0], studies[1]


HOBBIES = {
    "美食": 492, "运动": 479, "旅游": 478, "影视": 461, "阅读": 436, "购物": 425, "音乐": 294, "健康": 242, "IT数码": 214,
    "摄影": 184, "游戏动漫": 145, "艺术": 95, "手工艺": 76, "其他【请注明】": 2,
}  # fmt: skip


def test_wenjuanxing_counts(phones: tuple[Study, Study]) -> None:
    residents = phones[0].residents()
    assert len(residents) == 800
    assert residents["3、性别"].value_counts().to_dict() == {"男": 427, "女": 373}
    assert residents["1、手机部数"].value_counts().to_dict() == {
        "1部": 521,
        "2部": 261,
        "3部": 12,
        "4部及以上": 6,
    }
    income = residents["5、月收入"].value_counts()
    assert (income["5001-8000元"], income["不知道/拒绝回答"]) == (251, 2)
    ages = residents["4、年龄"].value_counts()
    assert [ages[band] for band in ("16~19岁", "20~24岁", "25~29岁", "30~34岁", "60岁以上")] == [
        1,
        62,
        214,
        248,
        8,
    ]
    dear = pd.crosstab(residents["3、性别"], residents["2、手机价格"])["3500元及以上"]
    assert dear.to_dict() == {"女": 127, "男": 119}
    assert {hobby: int(residents[f"6、兴趣爱好__{hobby}"].sum()) for hobby in HOBBIES} == HOBBIES
    assert [choice.code for choice in phones[0].codebook.choices_of("4、年龄")][:2] == ["16~19岁", "20~24岁"]


def test_wenjuanxing_text_and_codes_agree(phones: tuple[Study, Study]) -> None:
    text, codes = (study.residents().set_index("序号").sort_index() for study in phones)
    assert text.index.equals(codes.index)
    for name in ("1、手机部数", "3、性别", "4、年龄", "5、月收入", "7、爱好投入占收入比重"):
        pairs = pd.concat([text[name], codes[name].astype("string")], axis=1).drop_duplicates()
        assert pairs.iloc[:, 0].is_unique and pairs.iloc[:, 1].is_unique, f"{name}: one code per label"
    for question, number in (("6、兴趣爱好", "第6题"), ("8、关注资讯", "第8题")):
        options = [choice.code for choice in phones[0].codebook.choices_of(question)]
        assert len(options) in (10, 14)
        for option in options:
            pair = text[f"{question}__{option}"], codes[f"{number}__{option}"]
            assert pair[0].tolist() == pair[1].tolist(), f"{question}: {option}"


# --- FiveThirtyEight masculinity survey: heavy weights ----------------------------------------------


@pytest.fixture(scope="module")
def masculinity(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("fte") / "study"
    _, study = adopted_study("fte-masculinity-2018/raw-responses.csv", root)
    build(study)
    return study


def weighted_percent(study: Study, column: str) -> dict[str, float]:
    """Share of all weight by answer; who gave none counts as 'No answer', as the publisher counted."""
    residents = study.residents()
    said = (
        residents[column].astype("string").map(lambda code: study.answer(column, code).en, na_action="ignore")
    )
    weight = residents["weight"].groupby(said.fillna("No answer")).sum()
    return {str(answer): round(float(share), 2) for answer, share in (weight / weight.sum() * 100).items()}


def test_masculinity_weight(masculinity: Study) -> None:
    assert masculinity.design.weight == "weight_in_file"
    weight = masculinity.residents()["weight"].astype("float64")
    assert (len(weight), round(weight.mean(), 3)) == (1615, 1.0)
    assert round(weight.sum() ** 2 / (weight**2).sum(), 2) == 526.16


def test_masculinity_topline(masculinity: Study) -> None:
    assert weighted_percent(masculinity, "q0001") == {
        "Very masculine": 37.19,
        "Somewhat masculine": 46.49,
        "Not very masculine": 11.03,
        "Not at all masculine": 4.71,
        "No answer": 0.57,
    }
    assert weighted_percent(masculinity, "q0002") == {
        "Very important": 16.27,
        "Somewhat important": 36.56,
        "Not too important": 28.28,
        "Not at all important": 18.48,
        "No answer": 0.41,
    }
    assert weighted_percent(masculinity, "q0005") == {"Yes": 60.26, "No": 39.06, "No answer": 0.68}


def test_masculinity_counts(masculinity: Study) -> None:
    residents = masculinity.residents()
    assert (residents["q0004_0001"] == "Father or father figure(s)").sum() == 1109
    assert residents["age3"].value_counts().to_dict() == {"35 - 64": 855, "65 and up": 627, "18 - 34": 133}
    assert masculinity.waves == (2018,)


# --- every other example opens and builds -------------------------------------------------------------


@pytest.mark.parametrize(
    "name, rows",
    [
        ("aej-juarez-2023/AEJ_Percepcion_2023_responses.csv", 1522),
        ("college-life-gb18030/results_desensitized.csv", 2326),
        ("fte-starwars-2014/StarWars.csv", 1186),
        ("ipa-household-xlsform/household_backcheck.dta", 185),
        ("api-schools-design/apistrat.csv", 200),
    ],
)
def test_any_example_builds_as_drafted(name: str, rows: int, tmp_path: Path) -> None:
    _, study = adopted_study(name, tmp_path / "study")
    assert build(study).residents == rows


def test_ghana_personal_columns_never_leave_raw(tmp_path: Path) -> None:
    adopted, study = adopted_study("ipa-household-xlsform/household_backcheck.dta", tmp_path / "study")
    personal = {found.column for found in adopted.personal if found.is_column}
    expected = {
        "deviceid",
        "subscriberid",
        "simid",
        "devicephonenum",
        "gpslatitude",
        "gpslongitude",
        "gpsaltitude",
    }
    expected |= {"a_bcer_name", "a_pl_hhh_fn", "a_pl_pgv_fn", "a_pl_ch_fn"}
    assert expected <= personal
    build(study)
    assert not personal & set(study.residents().columns)
    assert study.codebook.by_name["j_land_value"].missing == ("-999", "-888")
    assert study.file.keys.resident == "key", "unique, while hhid has a duplicate"
