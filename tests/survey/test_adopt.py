"""An unknown export becomes a study that opens and builds as drafted."""

from __future__ import annotations

import csv
import tempfile
from pathlib import Path

import pandas as pd
import pyreadstat
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from cbresearch.build import build
from cbresearch.codebook import Question
from cbresearch.errors import ParameterError, SourceError
from cbresearch.study import Study, open_study
from cbresearch.survey.adopt import Adopted, adopt
from cbresearch.survey.adopt.column import Column, plain_label
from cbresearch.survey.adopt.draft import slug
from cbresearch.survey.adopt.ordered import means_no_answer, steps
from cbresearch.survey.adopt.personal import screen
from cbresearch.survey.adopt.rated import asked_ends, stray_codes

SATISFACTION = ["非常不满意", "不满意", "一般", "满意", "非常满意"]


def export(folder: Path, columns: dict[str, list[str]], name: str = "survey_2024.csv") -> Path:
    path = folder / name
    pd.DataFrame(columns).to_csv(path, index=False)
    return path


def drafted(folder: Path, columns: dict[str, list[str]], **named: object) -> tuple[Adopted, Study]:
    adopted = adopt([export(folder, columns)], folder / "study", **named)  # type: ignore[arg-type]
    return adopted, open_study(folder / "study")


def platform(rows: int = 60) -> dict[str, list[str]]:
    """What a Chinese questionnaire platform exports, in small."""
    return {
        "序号": [str(i) for i in range(1, rows + 1)],
        "提交答卷时间": [f"2024/3/{i % 28 + 1} 10:00:00" for i in range(rows)],
        "所用时间": [f"{60 + i}秒" for i in range(rows)],
        "来自IP": [f"10.0.{i}.7(青海-西宁)" for i in range(rows)],
        "1、您的性别": [["男", "女"][i % 2] for i in range(rows)],
        "2、您所在的社区": [["欣乐社区", "光明社区", "生物园社区"][i % 3] for i in range(rows)],
        "3、总体满意度": [[*SATISFACTION, "不清楚"][i % 6] for i in range(rows)],
        "4、治安满意度": [SATISFACTION[1:][i % 4] for i in range(rows)],
        "5、需要的服务": [["医疗┋文化", "文化", "医疗┋其他〖修路灯〗"][i % 3] for i in range(rows)],
        "6、您的建议": [
            f"希望第{i}条小路修好，我的电话是1390000{i:04d}" if i < 3 else f"很好{i}" for i in range(rows)
        ],
        "7、联系电话": [f"1380000{i:04d}" for i in range(rows)],
    }


def question(study: Study, name: str) -> Question:
    return study.codebook.by_name[name]


# --- a platform's export --------------------------------------------------------------------------


def test_a_platform_export_is_understood(tmp_path: Path) -> None:
    adopted, study = drafted(tmp_path, platform(), outcome="3、总体满意度", area="2、您所在的社区")
    kinds = {q.name: (q.type, q.role) for q in study.codebook.questions}
    assert kinds == {
        "序号": ("id", "key"),
        "提交答卷时间": ("date", "paradata"),
        "所用时间": ("integer", "duration"),
        "来自IP": ("text", "personal"),
        "1、您的性别": ("select_one", "group"),
        "2、您所在的社区": ("select_one", "area"),
        "3、总体满意度": ("select_one", "outcome"),
        "4、治安满意度": ("select_one", "outcome"),
        "5、需要的服务": ("select_multiple", None),
        "6、您的建议": ("text", "remark"),
        "7、联系电话": ("text", "personal"),
    }
    overall, order = question(study, "3、总体满意度"), question(study, "4、治安满意度")
    assert (overall.minimum, overall.maximum, overall.missing, overall.label.zh) == (
        1,
        5,
        ("不清楚",),
        "总体满意度",
    )
    assert overall.scale == order.scale, "an end that nobody chose does not part two items"
    assert [c.code for c in study.codebook.choices_of("4、治安满意度")] == ["2", "3", "4", "5"]
    assert {p.column: p.is_column for p in adopted.personal} == {
        "来自IP": True,
        "7、联系电话": True,
        "6、您的建议": False,
    }
    assert study.waves == (2024,)
    assert [report.notebook for report in study.file.reports][-1] == "90_community"


def test_the_draft_builds_without_edits(tmp_path: Path) -> None:
    _, study = drafted(tmp_path, platform(), outcome="3、总体满意度", area="2、您所在的社区")
    built = build(study)
    residents = study.residents()
    assert built.residents == len(residents) == 60
    assert residents["3、总体满意度"].mean() == 3.0, "10 each of 1 to 5; 不清楚 is not a score"
    assert residents["3、总体满意度"].notna().sum() == 50
    assert residents["5、需要的服务__医疗"].sum() == 40
    assert residents["所用时间"].iloc[0] == 60
    assert not {"7、联系电话", "来自IP"} & set(residents.columns)
    assert "13900000001" not in residents.to_csv()
    assert set(built.findings) == {"personal_data"}


def test_without_names_the_user_is_asked(tmp_path: Path) -> None:
    adopted, study = drafted(tmp_path, platform())
    assert adopted.questions_left == (
        "outcome: 3、总体满意度, 4、治安满意度; name it with --outcome",
        "area: candidates 2、您所在的社区 (3 values); name it with --area",
    )
    assert study.area is None
    assert study.file.reporting.headline is None
    assert "90_community" not in [report.notebook for report in study.file.reports]
    assert question(study, "3、总体满意度").role == "outcome", "its words say satisfaction"


def test_every_guess_is_listed_with_reason_and_confidence(tmp_path: Path) -> None:
    adopted, study = drafted(tmp_path, platform())
    with (study.root / "data" / "adopted.csv").open(encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == len(adopted.guesses) >= len(study.codebook.questions)
    assert all(row["why"] and 0 <= float(row["confidence"]) <= 1 for row in rows)
    assert [float(row["confidence"]) for row in rows] == sorted(float(row["confidence"]) for row in rows)
    lines = list(adopted.lines())
    assert any("7、联系电话" in line and "stays in data/raw" in line for line in lines)
    assert not any("1380000" in line for line in lines), "the account repeats no personal data"
    assert lines[-1] == f"Next: cbresearch check {study.root}"


# --- numbers, codes, labels -------------------------------------------------------------------------


def test_codes_beside_a_scale_are_no_scores(tmp_path: Path) -> None:
    columns = {
        "folio": [f"F{i:03d}" for i in range(150)],
        "Q1 En una escala del 1 al 10, califique": [
            [*map(str, range(1, 11)), "99"][i % 11] for i in range(150)
        ],
        "Q2 En una escala del 1 al 10, califique": [
            ["7", "8", "11", "No hay parque"][i % 4] for i in range(150)
        ],
        "edad": ["3"] + ["40"] * 149,
        "hijos": [["0", "1", "2", "-999"][i % 4] for i in range(150)],
    }
    _, study = drafted(tmp_path, columns)
    first, second = study.codebook.questions[1:3]
    assert (first.missing, first.minimum, first.maximum) == (("99",), 1, 10)
    assert second.missing == ("11", "No hay parque")
    assert first.scale == second.scale == "scale_1_10"
    assert question(study, "hijos").missing == ("-999",)
    assert question(study, "edad").minimum == 18, "nearly everybody is an adult: a child of 3 is a slip"
    build(study)
    assert study.residents()[second.name].mean() == 7.5
    assert study.residents()["hijos"].max() == 2


def test_value_labels_tell_direction_and_missing(tmp_path: Path) -> None:
    path = tmp_path / "a.sav"
    n = 40
    pyreadstat.write_sav(
        pd.DataFrame(
            {
                "resp_id": [float(i) for i in range(n)],
                "agree": [float([1, 2, 3, 4, 9][i % 5]) for i in range(n)],
                "school": [float([0, 1, 2][i % 3]) for i in range(n)],
            }
        ),
        path,
        column_labels=["Respondent", "Staff are helpful", "Kind of school"],
        variable_value_labels={
            "agree": {
                1: "Strongly agree",
                2: "Agree",
                3: "Disagree",
                4: "Strongly disagree",
                9: "Don't know",
            },
            "school": {1: "Public", 2: "Private"},
        },
    )
    adopt([path], tmp_path / "study")
    study = open_study(tmp_path / "study")
    agree, school = question(study, "agree"), question(study, "school")
    assert (agree.direction, agree.minimum, agree.maximum, agree.missing) == (-1, 1, 4, ("9",))
    assert agree.label.en == "Staff are helpful"
    assert school.missing == ("0",), "the file labels 1 and 2 only"
    build(study)
    residents = study.residents()
    assert residents.loc[residents["agree"] == 1, "agree_points"].eq(100).all()


def test_five_columns_that_use_a_long_scale_are_rated(tmp_path: Path) -> None:
    columns = {"id": [str(i) for i in range(40)]}
    columns |= {f"v{k}": [str((i + k) % 10 + 1) for i in range(40)] for k in range(5)}
    adopted, study = drafted(tmp_path, columns)
    assert question(study, "v3").scale == "scale_1_10"
    assert next(g for g in adopted.guesses if g.column == "v3").confidence == 0.6


def test_neighbours_on_one_scale_are_rated_and_their_codes_for_no_answer_left_out(tmp_path: Path) -> None:
    columns = {"id": [str(i) for i in range(60)]}
    columns |= {f"v{k}": [["1", "2", "3", "4", "5", "9"][(i + k) % 6] for i in range(60)] for k in range(3)}
    _, study = drafted(tmp_path, columns)
    assert [question(study, f"v{k}").missing for k in range(3)] == [("9",)] * 3
    assert question(study, "v0").scale == "scale_1_5"


def test_a_scale_labelled_at_its_ends_keeps_its_middle(tmp_path: Path) -> None:
    path = tmp_path / "ends.sav"
    pyreadstat.write_sav(
        pd.DataFrame({"q": [float([1, 2, 3, 4, 5, 9][i % 6]) for i in range(60)]}),
        path,
        variable_value_labels={"q": {1: "Muy satisfecho", 5: "Muy insatisfecho", 9: "NS/NC"}},
    )
    adopt([path], tmp_path / "study")
    study = open_study(tmp_path / "study")
    asked = question(study, "q")
    assert (asked.minimum, asked.maximum, asked.missing, asked.direction) == (1, 5, ("9",), -1)
    build(study)
    assert study.residents()["q"].notna().sum() == 50


def test_a_recoded_copy_is_not_an_answer(tmp_path: Path) -> None:
    ask = "escala del 1 al 10"
    columns = {
        "id": [str(i) for i in range(40)],
        f"Q1 {ask}": [str(i % 10 + 1) for i in range(40)],
        "Q1.1 escala del 1 al 5": [str(i % 10 // 2 + 1) for i in range(40)],
    }
    adopted, study = drafted(tmp_path, columns)
    assert question(study, "Q1.1 escala del 1 al 5").scale is None
    assert any("recoded from Q1 " in guess.what for guess in adopted.guesses)


def test_a_named_outcome_is_believed(tmp_path: Path) -> None:
    columns = {"id": [str(i) for i in range(30)], "score": [*(str(i % 21 * 5) for i in range(29)), "999"]}
    _, study = drafted(tmp_path, columns, outcome="score")
    score = question(study, "score")
    assert (score.role, score.minimum, score.maximum, score.is_rated) == ("outcome", 0, 100, True)
    assert score.missing == ("999",)
    assert study.file.reporting.headline == "score"


# --- design -------------------------------------------------------------------------------------


def test_weight_cluster_and_strata(tmp_path: Path) -> None:
    columns = {
        "key": [f"k{i}" for i in range(60)],
        "district": [str(i % 3) for i in range(60)],
        "tract": [str(100 + i % 12) for i in range(60)],
        "peso_ponderado": [f"{0.5 + i % 5 / 4}" for i in range(60)],
    }
    columns["ponderador"] = columns.pop("peso_ponderado")
    adopted, study = drafted(tmp_path, columns, area="district", cluster="tract")
    assert study.design.weight == "ponderador"
    assert study.design.strata == ("district",), "each tract lies in one district"
    assert question(study, "tract").type == "id"
    assert any(guess.what == "design.strata" for guess in adopted.guesses)
    build(study)
    assert abs(study.residents()["weight"].mean() - 1) < 1e-9


def test_a_cluster_is_proposed_where_it_nests(tmp_path: Path) -> None:
    columns = {
        "key": [f"k{i}" for i in range(60)],
        "district": [str(i % 3) for i in range(60)],
        "tract": [str(100 + i % 12) for i in range(60)],
    }
    adopted, _ = drafted(tmp_path, columns, area="district")
    assert any(left.startswith("cluster: tract (12 values)") for left in adopted.questions_left)


def test_rows_are_counted_where_nothing_identifies(tmp_path: Path) -> None:
    adopted, study = drafted(tmp_path, {"answer": ["yes", "no"] * 10})
    assert study.file.keys.resident == "row"
    assert question(study, "row").type == "id"
    assert any(guess.column == "row" for guess in adopted.guesses)
    assert build(study).residents == 20


def test_names_that_the_build_needs_are_changed_and_said(tmp_path: Path) -> None:
    columns = {
        "id": [str(i) for i in range(20)],
        "weight": [f"{0.5 + i / 19}" for i in range(20)],
        "source": ["web", "post"] * 10,
        "a__b": ["x", "y"] * 10,
    }
    adopted, study = drafted(tmp_path, columns)
    assert study.design.weight == "weight_in_file"
    assert [q.name for q in study.codebook.questions] == ["id", "weight_in_file", "source_in_file", "a_b"]
    assert any(guess.what == "called 'source_in_file' in the codebook" for guess in adopted.guesses)
    build(study)
    assert study.residents()["source_in_file"].tolist() == ["web", "post"] * 10


def test_several_files_are_waves(tmp_path: Path) -> None:
    first = export(tmp_path, platform(), "2023年调查.csv")
    second = export(tmp_path, platform(), "2024年调查.csv")
    adopt([first, second], tmp_path / "study")
    study = open_study(tmp_path / "study")
    assert study.waves == (2023, 2024)
    assert build(study).residents == 120


def test_a_second_heading_row_is_noticed(tmp_path: Path) -> None:
    text = "id,Which have you seen?,,,\n,A,B,C,D\n" + "".join(f"{i},A,,C,\n" for i in range(10))
    path = tmp_path / "monkey.csv"
    path.write_text(text, encoding="utf-8")
    adopt([path], tmp_path / "study")
    study = open_study(tmp_path / "study")
    assert [q.name for q in study.codebook.questions] == ["id", "A", "B", "C", "D"]
    assert build(study).residents == 10


# --- refusals -------------------------------------------------------------------------------------


def test_everything_wrong_is_told_at_once_and_nothing_written(tmp_path: Path) -> None:
    into = tmp_path / "study"
    (into / "data").mkdir(parents=True)
    (into / "data" / "study.toml").write_text("mine")
    with pytest.raises(ParameterError) as caught:
        adopt(
            [export(tmp_path, platform())],
            into,
            outcome="3、总体满意",
            area="社区",
            languages=("zh", "fr"),
            notebooks=("30_satisfied",),
        )
    said = str(caught.value)
    assert said.startswith("These parameters cannot be used (5 faults):")
    assert (
        "--outcome: no column '3、总体满意'; the file has 11 columns. Did you mean '3、总体满意度'?" in said
    )
    assert "--area: no column '社区'" in said
    assert "--lang: 'fr'; expected zh or en" in said
    assert "no notebook '30_satisfied'" in said and "Did you mean '30_satisfaction'?" in said
    assert "study.toml: is already there; nothing is overwritten" in said
    assert sorted(p.name for p in into.rglob("*")) == ["data", "study.toml"]
    assert (into / "data" / "study.toml").read_text() == "mine"


def test_an_outcome_must_be_a_number_or_a_scale(tmp_path: Path) -> None:
    with pytest.raises(
        ParameterError,
        match=r"--outcome: '1、您的性别' holds .*; expected numbers, or answers that run from bad to good",
    ):
        drafted(tmp_path, platform(), outcome="1、您的性别")


def test_a_second_adoption_is_refused(tmp_path: Path) -> None:
    path = export(tmp_path, platform())
    adopt([path], tmp_path / "study")
    with pytest.raises(ParameterError, match=r"5 faults"):
        adopt([path], tmp_path / "study")


def test_the_raw_file_arrives_unchanged(tmp_path: Path) -> None:
    path = export(tmp_path, platform())
    adopt([path], tmp_path / "study")
    assert (tmp_path / "study" / "data" / "raw" / path.name).read_bytes() == path.read_bytes()


def test_headings_alone_are_no_survey(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"survey_2024\.csv: headings without a single filled cell below"):
        drafted(tmp_path, {"a": ["", ""], "b": ["", " "]})


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        adopt([tmp_path / "none.csv"], tmp_path / "study")
    assert not (tmp_path / "study").exists()


# --- the parts --------------------------------------------------------------------------------------


def column(name: str, texts: list[str], label: str = "", labels: dict[str, str] | None = None) -> Column:
    counts = pd.Series(texts, dtype="object").value_counts().to_dict()
    return Column(name, label or name, len(texts), {str(k): int(v) for k, v in counts.items()}, labels or {})


@pytest.mark.parametrize(
    "labels, expected",
    [
        (SATISFACTION, (1, 2, 3, 4, 5)),
        (["满意", "不满意", "一般"], (3, 1, 2)),
        (["很满意", "比较满意", "一般", "不太满意", "很不满意"], (5, 4, 3, 2, 1)),
        (["不满意", "一般", "满意", "非常满意"], (2, 3, 4, 5)),
        (["Very satisfied", "Somewhat satisfied", "Somewhat dissatisfied", "Very dissatisfied"], (4, 3, 2, 1)),
        (["Strongly agree", "Agree", "Neither agree nor disagree", "Disagree", "Strongly disagree"], (5, 4, 3, 2, 1)),
        (["Muy satisfecho", "Satisfecho", "Ni satisfecho ni insatisfecho", "Insatisfecho", "Muy insatisfecho"], (5, 4, 3, 2, 1)),
        (["Totalmente de acuerdo", "Parcialmente de acuerdo", "Parcialmente en desacuerdo", "Totalmente en desacuerdo"], (4, 3, 2, 1)),
        (["Very important", "Somewhat important", "Not too important", "Not at all important"], (4, 3, 2, 1)),
        (["Very masculine", "Somewhat masculine", "Not very masculine", "Not at all masculine"], (4, 3, 2, 1)),
        (["1.非常满意", "2.满意", "3.不满意"], (4, 3, 2)),
        (["男", "女", "其他"], None),
        (["Never", "Rarely", "Often"], None),
        (["满意", "比较满意", "不满意"], None),
        (["满意", "不满意"], None),
    ],
)  # fmt: skip
def test_words_become_steps(labels: list[str], expected: tuple[int, ...] | None) -> None:
    assert steps(labels) == expected


@pytest.mark.parametrize(
    "label",
    [
        "NS/NC",
        "No sabe",
        "Ns/Nc",
        "No sabe/No contestó",
        "不清楚",
        "不知道/拒绝回答",
        "Don't know",
        "Refused",
        "N/A",
    ],
)
def test_words_for_no_answer(label: str) -> None:
    assert means_no_answer(label)


@pytest.mark.parametrize(
    "label", ["No", "Nada", "None of the above", "Nunca", "满意", "不满意", "North", "Nuevo"]
)
def test_words_that_are_answers(label: str) -> None:
    assert not means_no_answer(label)


@pytest.mark.parametrize(
    "label, ends",
    [
        ("En una escala del 1 al 10, que tan satisfecho", (1, 10)),
        ("On a scale from 0 to 10", (0, 10)),
        ("请打分（1-5分）", (1, 5)),
        ("SOLO SI CONTESTO DEL 1 al 6", None),
        ("Rango de edad 30 a 44", None),
        ("escala de 2 a 10", None),
    ],
)
def test_the_ends_that_a_question_names(label: str, ends: tuple[int, int] | None) -> None:
    assert asked_ends(label) == ends


@pytest.mark.parametrize(
    "texts, stray",
    [
        (["0", "1", "2", "-999", "-888"], ("-999", "-888")),
        (["1", "2", "3", "99"], ("99",)),
        (["60", "70", "88", "99"], ()),
        (["-5", "-9", "3"], ()),
    ],
)
def test_stray_codes(texts: list[str], stray: tuple[str, ...]) -> None:
    assert stray_codes(column("n", texts)) == stray


@pytest.mark.parametrize(
    "name, texts, why",
    [
        ("姓名", ["甲", "乙"], "heading says a person's name"),
        ("gpslatitude", ["9.4", "10.6"], "heading says a place on the map"),
        ("Correo electrónico", ["a"], "heading says an e-mail or chat address"),
        ("v1", [f"139{i:08d}" for i in range(9)], "most of its cells hold personal data"),
        ("v2", [f"10.0.0.{i}" for i in range(9)], "cells look like internet addresses"),
        ("v3", ["王小明", "李芳", "张伟", "刘洋", "陈静", "赵磊"], "cells look like people's names"),
        (
            "v4",
            ["Ben Romero (Ben)", "Audrey Beck", "Gus Hill", "Ana Lee", "Ed Moss"],
            "cells look like people's names",
        ),
    ],
)
def test_personal_columns(name: str, texts: list[str], why: str) -> None:
    found = screen(column(name, texts), is_coded=False)
    assert found is not None and found.is_column and why in found.why


@pytest.mark.parametrize(
    "name, texts",
    [
        ("手机部数", ["1", "2"]),
        ("您对社区电话咨询服务的便利程度有什么看法呢请您选择", ["好", "差"]),
        ("ship", ["a", "b"]),
        (
            "v",
            [
                "Long Beach High School",
                "East Bridge School",
                "West Hill School",
                "North High School",
                "Oak School",
            ],
        ),
    ],
)
def test_columns_that_are_not_personal(name: str, texts: list[str]) -> None:
    assert screen(column(name, texts), is_coded=name.startswith("您")) is None


@pytest.mark.parametrize(
    "stem, name", [("AEJ Percepción 2023", "AEJ_Percepci_n_2023"), ("问卷", "adopted"), ("-x", "x")]
)
def test_study_names(stem: str, name: str) -> None:
    assert slug(stem) == name


def test_labels_lose_markup_and_numbers() -> None:
    assert plain_label("3、性别") == "性别"
    assert plain_label("(AE1) <b>Name</b>\n of school") == "(AE1) Name of school"
    assert plain_label("1.5") == "1.5"


# --- the law: whatever the export, the draft opens and builds -----------------------------------------

HEADINGS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=12)
CELLS = st.sampled_from(
    [
        "",
        "1",
        "2",
        "10",
        "99",
        "-999",
        "满意",
        "不满意",
        "一般",
        "A┋B",
        "NA",
        "x|y",
        '"',
        "2024-01-05",
        "0.5",
        "007",
    ]
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    headings=st.lists(
        st.one_of(HEADINGS, st.sampled_from(["row", "weight", "a__b", "Q1", "第1题(甲)", "第1题(乙)"])),
        min_size=1,
        max_size=5,
    ),
    rows=st.lists(st.lists(CELLS, min_size=5, max_size=5), min_size=1, max_size=12),
)
def test_whatever_the_export_the_draft_opens_and_builds(headings: list[str], rows: list[list[str]]) -> None:
    assume(any(any(row[: len(headings)]) for row in rows))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "any.csv"
        with path.open("w", encoding="utf-8", newline="") as handle:
            writer = csv.writer(handle, quoting=csv.QUOTE_ALL)
            writer.writerows([headings, *(row[: len(headings)] for row in rows)])
        adopt([path], Path(folder) / "study")
        study = open_study(Path(folder) / "study")
        assert build(study).residents <= len(rows)
        assert len(study.residents()) <= len(rows)
