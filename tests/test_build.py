"""From raw files to processed tables, on studies of a few rows and on the sample study."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from small_study import BANDS, CODEBOOK, small_study, source

from cbresearch import build as build_module
from cbresearch.build import as_table, build, read_raw
from cbresearch.errors import BuildError, StudyError
from cbresearch.study import Study, open_study
from cbresearch.survey.ledger import replay

RESIDENTS = """编号,社区,权数,性别,年龄,1、总体满意度,2、办事拖拉,3、需要的服务,能付(元),愿付(元),意见
001,甲,10,男,30,非常满意,非常不同意,医疗┋文化,100,50,请打13912345678
002,甲社区,20,女,50,满意,9,无,0,5,<script>alert(1)</script>
003,乙,30,男,212,一般,同意,,9999,,
004,B,5,F,20,4,2,治安,10,0,
,,,,,,,,,,
001,甲,10,男,30,非常满意,非常不同意,医疗┋文化,100,50,请打13912345678
"""
LEDGER = "社区,户数,成年人,经费(元)\n甲,1000,300,20000\n乙社区,0,100,\n合计,1000,400,20000\n"
REGISTER = "设施编号,社区,设施类型,面积,启用年份\n01,甲,活动中心,100.5,2005\n02,甲,活动中心,50,2009\n03,乙,健身路径,,2006\n04,甲,健身路径,,\n"
DESIGN = """
[design]
strata = ["area"]
weight = "wt"
trim = 4
[design.frame_counts]
by = "area"
column = "adults"
[design.margins.sex]
"1" = 0.5
"2" = 0.5
[[indicators]]
name = "funds_per_household"
label = { zh = "户均经费", en = "Funds per household" }
unit = { zh = "元", en = "yuan" }
sum_of = ["funds"]
per = "households"
[[indicators]]
name = "centres"
label = { zh = "中心", en = "Centres" }
unit = { zh = "个", en = "centres" }
sum_of = ["kind__centre"]
"""


@pytest.fixture
def whole(tmp_path: Path) -> Study:
    """Residents, ledger and register of one wave, weighted."""
    files = {"r.csv": RESIDENTS, "l.csv": LEDGER, "f.csv": REGISTER}
    sources = (source("r.csv"), source("l.csv", "communities"), source("f.csv", "facilities"))
    return small_study(tmp_path, files, *sources, more=BANDS + DESIGN)


def column(frame: pd.DataFrame, name: str) -> list[object]:
    return frame[name].astype("object").where(frame[name].notna(), None).tolist()


# --- the tables -----------------------------------------------------------------------------------


def test_residents_hold_answers_scores_flags_and_weights(whole: Study) -> None:
    built = build(whole)
    residents = whole.residents()
    assert (built.wrote, built.residents, built.communities) == (True, 4, 2)
    assert column(residents, "id") == ["001", "002", "003", "004"]
    assert column(residents, "row") == [2, 3, 4, 5]
    assert set(residents["wave"]) == {2009} and set(residents["source"]) == {"r.csv"}
    assert column(residents, "area") == ["A", "A", "B", "B"]
    assert column(residents, "age") == [30, 50, None, 20]
    assert column(residents, "age_group") == ["young", "old", None, "young"]
    assert column(residents, "sat") == [5, 4, 3, 4]
    assert column(residents, "slow") == [1, None, 4, 2]
    assert column(residents, "sat_points") == [100.0, 75.0, 50.0, 75.0]
    assert column(residents, "slow_points") == [100.0, None, 25.0, 75.0]
    assert column(residents, "overall_points") == [100.0, None, 37.5, 75.0]
    assert column(residents, "need__culture") == [1, 0, None, 0]
    assert column(residents, "remark") == ["请打[电话]", "<script>alert(1)</script>", None, None]
    assert "name" not in residents and "need" not in residents
    types = {
        name: str(residents[name].dtype)
        for name in (
            "wave",
            "row",
            "id",
            "area",
            "age",
            "wt",
            "sat",
            "need__order",
            "sat_points",
            "flag_speed",
            "weight",
        )
    }
    assert types == {
        "wave": "int64", "row": "int64", "id": "string", "area": "string", "age": "Int64", "wt": "Float64",
        "sat": "Int64", "need__order": "Int8", "sat_points": "Float64", "flag_speed": "bool", "weight": "Float64",
    }  # fmt: skip


def test_weights_stand_for_the_frame_and_hold_the_margins(whole: Study) -> None:
    build(whole)
    residents = whole.residents()
    assert residents["weight_base"].tolist() == [10, 20, 30, 5]
    assert residents["weight_nonresponse"].tolist() == pytest.approx([100, 200, 600 / 7, 100 / 7])
    assert residents["weight"].sum() == pytest.approx(400)
    assert residents.groupby("sex")["weight"].sum().tolist() == pytest.approx([200, 200])
    told = json.loads((whole.processed / "manifest.json").read_text())["weights"]
    assert [wave["wave"] for wave in told] == [2009]
    weight = residents["weight"].astype("float64")
    assert told[0]["n_effective"] == pytest.approx(weight.sum() ** 2 / (weight**2).sum())
    assert told[0]["deff"] == pytest.approx(4 / told[0]["n_effective"])
    assert told[0]["max_over_mean"] == pytest.approx(weight.max() / 100)


def test_communities_hold_ledger_facilities_and_indicators(whole: Study) -> None:
    build(whole)
    communities = whole.communities()
    assert column(communities, "area") == ["A", "B"]
    assert column(communities, "households") == [1000, 0]
    assert column(communities, "kind__centre") == [2, 0]
    assert column(communities, "kind__path") == [1, 1]
    assert column(communities, "facility_floor") == [150.5, 0.0]
    assert column(communities, "funds_per_household") == [20.0, None]
    assert column(communities, "centres") == [2.0, 0.0]


def test_facilities_count_from_the_year_they_open(tmp_path: Path) -> None:
    files = {
        "r.csv": "id,area\n1,A\n",
        "l.csv": "area,households\nA,10\n",
        "f.csv": REGISTER.replace("乙", "甲"),
    }
    sources = [source("r.csv", wave=2009), source("f.csv", "facilities")]
    sources += [source("l.csv", "communities", wave=wave) for wave in (2004, 2006, 2009)]
    study = small_study(tmp_path, files, *sources, waves=(2004, 2006, 2009))
    build(study)
    communities = study.communities()
    assert column(communities, "wave") == [2004, 2006, 2009]
    assert column(communities, "kind__centre") == [0, 1, 2]
    assert column(communities, "kind__path") == [0, 1, 2]


def test_a_community_of_the_ledger_without_register_has_unknown_facilities(tmp_path: Path) -> None:
    files = {"r.csv": "id,area\n1,A\n", "l.csv": "area,households\nA,10\n"}
    study = small_study(tmp_path, files, source("r.csv"), source("l.csv", "communities"))
    build(study)
    assert column(study.communities(), "kind__centre") == [None]


def test_findings_name_row_column_and_rule(whole: Study) -> None:
    built = build(whole)
    found = whole.findings()
    told = found[found["row"].notna()].fillna({"column": ""})
    assert set(told[["source", "row", "column", "rule"]].itertuples(index=False, name=None)) == {
        ("r.csv", 6, "", "blank_row"),
        ("r.csv", 7, "", "duplicate_row"),
        ("r.csv", 2, "remark", "personal_data"),
        ("r.csv", 4, "age", "out_of_range"),
        ("r.csv", 3, "would", "irrelevant_answer"),
        ("l.csv", 4, "area", "unknown_area"),
        ("f.csv", 5, "opened_year", "undated_facility"),
    }
    assert dict(built.findings) == found["rule"].value_counts().to_dict()


def test_nothing_written_tells_a_masked_number(whole: Study) -> None:
    build(whole)
    for path in whole.processed.iterdir():
        text = (
            pd.read_parquet(path).to_string()
            if path.suffix == ".parquet"
            else path.read_text(encoding="utf-8")
        )
        assert "13912345678" not in text, path.name


# --- studies that lack something ------------------------------------------------------------------


def test_one_file_without_area_weight_or_ledger_builds(tmp_path: Path) -> None:
    book = CODEBOOK + "row,id,行号,Row,,,,,,,key,,residents\n"
    study = small_study(
        tmp_path, {"r.csv": "sat,age\n满意,30\n一般,40\n"}, key="row", area=None, codebook=book
    )
    build(study)
    residents = study.residents()
    assert column(residents, "weight") == [1.0, 1.0]
    assert column(residents, "row") == [2, 3]
    assert column(residents, "need__health") == [None, None]
    assert list(study.communities().columns) == ["wave"] and study.communities().empty
    assert json.loads((study.processed / "manifest.json").read_text())["weights"] == []


def test_weights_without_frame_counts_have_mean_one(tmp_path: Path) -> None:
    study = small_study(
        tmp_path, {"r.csv": "id,area,wt\n1,A,10\n2,A,30\n3,B,\n"}, more='[design]\nweight = "wt"'
    )
    build(study)
    residents = study.residents()
    assert column(residents, "weight_base") == [10.0, 30.0, 20.0]
    assert column(residents, "weight") == [0.5, 1.5, 1.0]
    found = study.findings()
    assert found.loc[found["rule"] == "missing_weight", "row"].tolist() == [4]


def test_waves_are_weighted_each_on_its_own(tmp_path: Path) -> None:
    files = {"a.csv": "id,area,wt\n1,A,1\n2,A,3\n", "b.csv": "id,area,wt\n1,A,10\n2,A,30\n"}
    study = small_study(
        tmp_path,
        files,
        source("a.csv", wave=1),
        source("b.csv", wave=2),
        waves=(1, 2),
        more='[design]\nweight = "wt"',
    )
    build(study)
    assert column(study.residents(), "weight") == [0.5, 1.5, 0.5, 1.5]
    assert column(study.residents(), "wave") == [1, 1, 2, 2]


def test_an_impossible_build_tells_every_reason_at_once(tmp_path: Path) -> None:
    files = {"a.csv": "id,shequ,wt\n1,甲,1\n", "b.csv": "id,area\n2,A\n", "l.csv": "户数\n10\n"}
    sources = (source("a.csv"), source("b.csv"), source("l.csv", "communities"))
    study = small_study(tmp_path, files, *sources, more='[design]\nweight = "wt"')
    with pytest.raises(BuildError) as error:
        build(study)
    assert str(error.value) == (
        "The study cannot be built (3 reasons):\n"
        "  - a.csv has no column for 'area' (社区 / Community), which keys.area needs. Headings not understood: shequ. "
        "Name the heading under [sources.columns] of this source, or take 'area' out of keys.area.\n"
        "  - b.csv has no column for 'wt' (权数 / Weight), which design.weight needs. Headings not understood: none. "
        "Name the heading under [sources.columns] of this source, or take 'wt' out of design.weight.\n"
        "  - l.csv has no column for 'area' (社区 / Community), which keys.area needs. Headings not understood: none. "
        "Name the heading under [sources.columns] of this source, or take 'area' out of keys.area."
    )


def test_files_that_cannot_be_read_are_told_together(tmp_path: Path) -> None:
    study = small_study(tmp_path, {"a.csv": "", "b.sav": "no sav"})
    with pytest.raises(
        BuildError, match=r"The study cannot be built \(2 reasons\):\n  - a\.csv: .*\n  - b\.sav"
    ):
        build(study)


def test_a_condition_that_cannot_be_read_is_a_fault_of_the_study(tmp_path: Path) -> None:
    book = CODEBOOK.replace("${could} > 0", "could > 0")
    study = small_study(tmp_path, {"r.csv": "id,area\n1,A\n"}, codebook=book)
    with pytest.raises(StudyError, match="'would': relevant is 'could > 0': 'could > 0' cannot be read"):
        build(study)


def test_a_margin_class_that_nobody_answered_from_names_the_wave(tmp_path: Path) -> None:
    design = '[design.margins.sex]\n"1" = 0.5\n"2" = 0.5\n'
    study = small_study(tmp_path, {"r.csv": "id,area,sex\n1,A,男\n"}, more=design)
    with pytest.raises(BuildError) as error:
        build(study)
    assert str(error.value) == (
        "The study cannot be built (1 reason):\n  - wave 2009: Raking cannot reach its margins: "
        "nobody answered from 'sex' = '2', which is 50.0% of the population: merge it with a neighbour."
    )


def test_a_ledger_without_wave_in_a_study_of_several_is_refused(tmp_path: Path) -> None:
    files = {"r.csv": "id,area\n1,A\n", "l.csv": "area,households\nA,10\n"}
    study = small_study(
        tmp_path, files, source("r.csv", wave=1), source("l.csv", "communities"), waves=(1, 2)
    )
    with pytest.raises(
        BuildError, match=r"l\.csv names no wave, and the study has several\. Expected wave = one of 1, 2\."
    ):
        build(study)


# --- written once, whole --------------------------------------------------------------------------


def bytes_of(study: Study) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in study.processed.iterdir() if path.name != "times.json"}


def test_a_second_build_does_nothing_and_says_so(whole: Study) -> None:
    first = build(whole)
    times = (whole.processed / "times.json").read_bytes()
    second = build(whole)
    assert not second.wrote
    assert second.said == "Nothing has changed since the last build: data/processed stays as it is."
    assert (second.residents, second.communities, second.findings) == (
        first.residents,
        first.communities,
        first.findings,
    )
    assert (whole.processed / "times.json").read_bytes() == times


def test_two_builds_are_equal_to_the_byte(whole: Study) -> None:
    build(whole)
    before = bytes_of(whole)
    assert build(whole, fresh=True).wrote
    assert bytes_of(whole) == before


@pytest.mark.parametrize(
    "changed", ["data/raw/r.csv", "data/study.toml", "data/codebook.csv", "data/processed/residents.parquet"]
)
def test_whatever_changed_is_built_again(whole: Study, changed: str) -> None:
    build(whole)
    path = whole.root / changed
    path.write_bytes(path.read_bytes() + b"\n")
    assert build(open_study(whole.root)).wrote


def test_a_build_that_fails_leaves_the_last_good_one(whole: Study) -> None:
    build(whole)
    before = bytes_of(whole)
    (whole.raw / "r.csv").write_text("编号\n1\n", encoding="utf-8")
    with pytest.raises(BuildError):
        build(whole)
    assert bytes_of(whole) == before
    assert [path.name for path in (whole.root / "data").iterdir() if path.name.startswith(".processed")] == []


def test_a_build_stopped_while_writing_leaves_the_last_good_one(
    whole: Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(whole)
    before = bytes_of(whole)

    def full_disk(*_: object, **__: object) -> None:
        raise OSError("No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full_disk)
    with pytest.raises(OSError, match="No space left"):
        build(whole, fresh=True)
    assert bytes_of(whole) == before
    assert [path.name for path in (whole.root / "data").iterdir() if path.name.startswith(".processed")] == []


def test_a_build_stopped_between_two_renames_is_mended_by_the_next(whole: Study) -> None:
    build(whole)
    before = bytes_of(whole)
    whole.processed.rename(whole.processed.with_name(".processed-before"))
    assert not build(whole).wrote
    assert bytes_of(whole) == before


def test_the_manifest_knows_every_input_and_output(whole: Study) -> None:
    build(whole)
    manifest = json.loads((whole.processed / "manifest.json").read_text())
    assert set(manifest["inputs"]) == {
        "data/study.toml",
        "data/codebook.csv",
        "data/choices.csv",
        "data/raw/r.csv",
        "data/raw/l.csv",
        "data/raw/f.csv",
    }
    assert set(manifest["outputs"]) == {
        "residents.parquet",
        "communities.parquet",
        "findings.parquet",
        "changes.parquet",
        "ledger.csv",
    }
    assert manifest["seed"] == 1
    assert set(manifest["made_by"]) == {"cbresearch", "source", "libraries"}


# --- raw + ledger = processed ---------------------------------------------------------------------


def assert_replays(study: Study) -> None:
    """Raw cells and the stored changes give the processed answers; every row is kept or set aside by a rule."""
    residents, changes, ledger = (
        study.residents(),
        pd.read_parquet(study.processed / "changes.parquet"),
        study.ledger(),
    )
    for name, (raw_source, raw) in read_raw(study).items():
        table = as_table(study, name, raw_source, raw)
        mine = changes[changes["source"] == name]
        again = replay(table.cells, mine)
        steps = ledger[ledger["source"] == name]
        aside = mine[mine["action"] == "set aside row"].groupby("step").size()
        lost = steps.set_index("step")["rows_before"] - steps.set_index("step")["rows_after"]
        assert lost[lost > 0].to_dict() == aside.to_dict()
        assert len(raw.frame) == len(again) + aside.sum()
        if raw_source.table == "residents":
            kept = residents[residents["source"] == name].set_index("row")
            assert list(again.index) == list(kept.index)
            for column_name in again:
                if column_name.startswith("flag_"):
                    assert kept[column_name].tolist() == again[column_name].notna().tolist()
                else:
                    told = kept[column_name]
                    pd.testing.assert_series_equal(
                        again[column_name].astype(told.dtype), told, check_names=False
                    )


def test_raw_and_ledger_give_processed(whole: Study) -> None:
    build(whole)
    assert_replays(whole)


def test_a_file_that_several_sources_share_is_told_apart_by_sheet(chengbei: Study) -> None:
    assert "社区台账.xlsx [2006年]" in set(chengbei.ledger()["source"])


def test_the_sample_study_replays(chengbei: Study) -> None:
    assert_replays(chengbei)


def test_the_sample_study_is_whole(chengbei: Study) -> None:
    residents, communities = chengbei.residents(), chengbei.communities()
    assert sorted(residents["wave"].unique()) == list(chengbei.waves)
    assert len(communities) == 23 * 4
    assert residents.groupby(["wave", "community"]).ngroups == 23 * 4
    assert not residents.duplicated(["wave", "resident_id"]).any()
    assert residents["weight"].notna().all() and (residents["weight"] > 0).all()
    adults = communities.groupby("wave")["adults"].sum().astype("float64")
    assert residents.groupby("wave")["weight"].sum().tolist() == pytest.approx(adults.tolist())
    for name, shares in chengbei.design.margins.items():
        known = residents[residents[name].notna()]
        by_wave = known.groupby(["wave", name])["weight"].sum().unstack()
        told = by_wave.div(by_wave.sum(axis="columns"), axis="index")[list(shares)]
        assert told.to_numpy(dtype="float64") == pytest.approx(pd.DataFrame([shares] * 4).to_numpy())
    assert not {"respondent_name", "source_ip"} & set(residents.columns)


def test_the_sample_study_hides_no_phone_of_a_resident(chengbei: Study) -> None:
    for name in ("residents", "findings", "changes"):
        frame = pd.read_parquet(chengbei.processed / f"{name}.parquet").select_dtypes("string")
        text = "\n".join(str(value) for value in pd.unique(frame.stack()))
        assert "13900000001" not in text and "139-0000-0002" not in text and "example.com" not in text


def test_planted_faults_of_the_sample_study_are_all_found(chengbei: Study) -> None:
    truth = json.loads((chengbei.root / "data" / "truth.json").read_text(encoding="utf-8"))
    found, residents = chengbei.findings(), chengbei.residents()
    for wave, told in truth["planted"].items():
        file = next(s.file for s in chengbei.sources("residents") if s.wave == int(wave))
        by_rule = found[(found["source"] == file) & found["row"].notna()]["rule"].value_counts().to_dict()
        assert by_rule == {
            "blank_row": told["blank_rows"],
            "duplicate_row": told["exact_duplicates"],
            "duplicate_key": told["conflicting_keys"],
            "out_of_range": told["impossible_ages"],
            "unknown_label": told["unknown_answers"],
            "irrelevant_answer": told["would_pay_without_means"],
            "personal_data": sum(told[f"remarks_with_{kind}"] for kind in ("phone", "id_number", "email")),
        }
        there = residents[residents["wave"] == int(wave)].set_index("resident_id")
        assert there.loc[truth["planted_ids"][wave]["straight_liners"], "flag_longstring"].all()
        assert there.loc[truth["planted_ids"][wave]["speeders"], "flag_speed"].all()
        assert there[["flag_longstring", "flag_speed"]].mean().max() < 0.05, "flags are for the few"


def test_the_sample_study_builds_twice_to_the_same_bytes(chengbei: Study, tmp_path: Path) -> None:
    root = tmp_path / "again"
    shutil.copytree(chengbei.root, root)
    again = open_study(root)
    assert not build(again).wrote
    build(again, fresh=True)
    assert bytes_of(again) == bytes_of(chengbei)


def test_the_verb_is_the_function() -> None:
    assert build_module.build is build
