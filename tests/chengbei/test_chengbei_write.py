"""Drawing the study: the same seed the same bytes, nothing overwritten, refusals that teach."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cbresearch.chengbei import FACTS, draw
from cbresearch.chengbei.chance import share_out
from cbresearch.chengbei.contract import Contract, read_contract
from cbresearch.chengbei.district import draw_district
from cbresearch.chengbei.places import places
from cbresearch.errors import SourceError, StudyError
from cbresearch.study import open_study


def contents(root: Path) -> dict[str, bytes]:
    return {
        p.name: p.read_bytes() for p in [*(root / "data" / "raw").iterdir(), root / "data" / "truth.json"]
    }


def test_the_same_seed_gives_the_same_bytes(bare: Path, drawn: Path) -> None:
    draw(bare)
    assert contents(bare) == contents(drawn)


def test_another_seed_gives_other_answers(bare: Path, drawn: Path) -> None:
    draw(bare, seed=7)
    here, there = contents(bare), contents(drawn)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name] == there[name]] == ["居委会社区对照.csv"]
    assert json.loads(here["truth.json"])["seed"] == 7


def test_what_is_drawn_is_what_the_study_names(drawn: Path) -> None:
    named = {source.file for source in open_study(drawn).file.sources}
    assert {path.name for path in (drawn / "data" / "raw").iterdir()} == named


def test_nothing_is_overwritten(bare: Path) -> None:
    (bare / "data" / "raw").mkdir()
    mine = bare / "data" / "raw" / "设施登记.csv"
    mine.write_text("mine")
    (bare / "data" / "truth.json").write_text("mine too")
    with pytest.raises(SourceError) as refusal:
        draw(bare)
    assert str(refusal.value) == (
        f"{bare} already holds data/raw/设施登记.csv, data/truth.json. The sample study is drawn into an empty "
        "data/raw and never over a file. Move these away, or draw into another folder."
    )
    assert mine.read_text() == "mine"
    assert [path.name for path in mine.parent.iterdir()] == [mine.name]


def test_another_study_is_refused(bare: Path) -> None:
    toml = bare / "data" / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("wave = 2008", "wave = 2005"), encoding="utf-8")
    with pytest.raises(SourceError) as refusal:
        draw(bare)
    assert str(refusal.value) == (
        "study.toml describes the study 'chengbei' and names no source for: residents 2008, communities 2008. "
        "The generator draws the study 'chengbei' with its waves 2006, 2007, 2008, 2009 only. "
        "Start from the workspace that 'cbresearch new DIR --demo' makes."
    )


def test_a_folder_without_study_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match=r"the file is missing; expected the sample study's study\.toml there"
    ):
        draw(tmp_path)


def test_faults_of_the_contract_are_told_together(bare: Path) -> None:
    for name, old, new in (
        ("codebook.csv", "remark,text", "remark,prose"),
        ("study.toml", "trim = 4.0", "trim = 0.5"),
    ):
        path = bare / "data" / name
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(StudyError) as refusal:
        read_contract(bare)
    assert len(refusal.value.faults) == 2
    assert "'remark' has type 'prose'" in str(refusal.value)
    assert "design.trim" in str(refusal.value)


def test_a_committee_of_no_community_is_named() -> None:
    with pytest.raises(SourceError) as refusal:
        places(["朝阳第一居委会", "滨河居委会"])
    assert str(refusal.value).startswith(
        "choices.csv, list 'committee': '滨河居委会' falls to none. Expected"
    )


def test_headings_follow_the_study_file(bare: Path) -> None:
    toml = bare / "data" / "study.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace('"权数" =', '"入样权数" ='), encoding="utf-8")
    draw(bare)
    first = (bare / "data" / "raw" / "居民问卷2006.csv").read_bytes().decode("gb18030").splitlines()[0]
    assert "入样权数" in first.split(",")


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31))
def test_the_facts_hold_for_any_seed(contract: Contract, seed: int) -> None:
    panel = draw_district(contract, seed=seed).panel
    now = panel[panel["wave"] == 2009]
    assert int(now["staff_total"].sum()) == FACTS.staff
    assert round(now["staff_college"].sum() / FACTS.staff, 2) == FACTS.staff_college_share
    assert round(now["staff_upper_secondary"].sum() / FACTS.staff, 2) == FACTS.staff_upper_secondary_share
    assert int(now["volunteers"].sum()) == FACTS.volunteers
    assert int(now["social_insurance_yuan"].sum()) == FACTS.insurance_yuan
    assert list(panel.groupby("wave")["special_fund_yuan"].sum()) == [0, *[FACTS.special_fund_yuan] * 3]
    assert now["households"].max() <= FACTS.households_most
    assert now["households"].mean() <= FACTS.households_average_at_most
    assert set(now["volunteer_teams"]) == set(FACTS.volunteer_teams_now)
    assert (panel["staff_college"] <= panel["staff_upper_secondary"]).all()
    assert (panel["staff_upper_secondary"] <= panel["staff_total"]).all()


@given(total=st.integers(0, 10_000), sizes=st.lists(st.floats(0.01, 1000), min_size=1, max_size=30))
def test_shares_sum_to_the_whole(total: int, sizes: list[float]) -> None:
    parts = share_out(total, sizes)
    exact = total * np.asarray(sizes) / sum(sizes)
    assert parts.sum() == total
    assert (np.abs(parts - exact) < 1 + 1e-6).all()
