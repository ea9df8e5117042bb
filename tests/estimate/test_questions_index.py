"""One number for each community: by hand, with the doubt of sampling and making, and where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from village import people, rated, said, study_of, told

from cbresearch.codebook import Question
from cbresearch.estimate.questions import index
from cbresearch.estimate.questions.common import NO_AREA, Told
from cbresearch.records import Text, Unanswered
from cbresearch.study import Study

AREAS = tuple("甲乙丙丁戊")
# by hand, as shares of the way from the worst to the best: 0, ¼, ½, ¾, 1 and 1, ½, 0, ½, 1
STAFF, TEAMS = (10.0, 20.0, 30.0, 40.0, 50.0), (6.0, 4.0, 2.0, 4.0, 6.0)
ASKED: list[Callable[[Study], Told]] = [index.index_by_area, index.weights_of_index]


def ledger(**columns: object) -> pd.DataFrame:
    made = {"wave": [2009] * 5, "place": pd.array(AREAS, dtype="string"), "staff": STAFF, "teams": TEAMS}
    return pd.DataFrame(made | columns)


def words(word: str) -> dict[str, str]:
    return {"zh": word, "en": word}


def indexed(root: Path, communities: pd.DataFrame, *measures: str, areas: int = 5, each: int = 20, **more: object) -> Study:  # fmt: skip
    """`each` residents in each of the first communities, whose satisfaction rises from one to the next."""
    n = areas * each
    place = np.repeat(AREAS[:areas], each)
    level = np.repeat(np.arange(areas), each)
    # two of five blocks are a step more satisfied than the others
    block = np.arange(n) % 5
    sat = 1.0 + np.minimum(level, 3) + (block >= 3)
    frame = people({"sat": sat}, place=pd.array(place, dtype="string"))
    frame["block"] = pd.array([f"{p}{b}" for p, b in zip(place, block, strict=True)], dtype="string")
    area = Question("place", "id", Text("社区", "place"), role="area")
    indicators = [{"name": name, "label": words(name), "unit": words("n"), "sum_of": [name]} for name in ("staff", "teams")]  # fmt: skip
    told = {"name": "i", "label": words("index"), "measures": measures, **more}
    return study_of(
        root, frame, [area, rated("sat", "s")], communities=communities, keys={"resident": "id", "area": "place"},
        indicators=indicators, indices=[told], design={"strata": ["place"], "cluster": "block"},
    )  # fmt: skip


def scores(answer: Told) -> dict[str | None, float | None]:
    return {r.part("place"): r.value for r in told(index.in_unit(answer.released, "index points"))}


def test_scores_by_hand(tmp_path: Path) -> None:
    answer = index.index_by_area(indexed(tmp_path, ledger(), "staff", "teams"))
    # 0-100, as the index has them
    assert scores(answer) == pytest.approx({"甲": 50.0, "乙": 37.5, "丙": 25.0, "丁": 62.5, "戊": 100.0})
    ranks = {r.part("place"): r.value for r in told(index.in_unit(answer.released, "rank"))}
    assert ranks == {"戊": 1, "丁": 2, "甲": 3, "乙": 4, "丙": 5}
    # nothing was sampled: a score is sure, its rank hangs on the making alone
    assert all(r.low == r.value == r.high for r in told(index.in_unit(answer.released, "index points")))
    assert "0%来自抽样" in said(answer.sentence).zh


def test_experts_weights_by_hand(tmp_path: Path) -> None:
    study = indexed(tmp_path, ledger(), "staff", "teams", weights=[3, 1], comparisons=[[3]])
    # 3/4 of staff and 1/4 of teams
    assert scores(index.index_by_area(study)) == pytest.approx({"甲": 25.0, "乙": 31.25, "丙": 37.5, "丁": 68.75, "戊": 100.0})  # fmt: skip
    answer = index.weights_of_index(study)
    weights = {(r.part("weighting"), r.measure): r.value for r in told(answer.released)}
    for way in ("expert", "ahp"):
        assert (weights[way, "staff"], weights[way, "teams"]) == pytest.approx((75.0, 25.0))
    assert weights["equal", "staff"] == weights["equal", "teams"] == 50.0
    assert said(answer.sentence).en.startswith("Whichever weights are taken, 戊 comes first.")
    assert "The comparisons are consistent (CR = 0.00)." in said(answer.sentence).en


def test_weights_that_cannot_be_had_and_a_first_place_that_hangs_on_them(tmp_path: Path) -> None:
    # the more staff the fewer teams, so that a principal component would weigh one of them below nothing
    study = indexed(tmp_path, ledger(teams=[6.0, 5.0, 4.0, 3.0, 1.0]), "staff", "teams", weights=[1, 9])
    answer = index.weights_of_index(study)
    assert {r.part("weighting") for r in told(answer.released)} == {"expert", "equal", "entropy"}
    assert "There are no principal-component weights here" in said(answer.sentence).en
    assert said(answer.sentence).en.startswith(
        "Who comes first depends on the weights: 甲 (experts' weights)"
    )


def test_what_was_sampled_is_redrawn_with_the_residents(tmp_path: Path) -> None:
    study = indexed(tmp_path, ledger(), "sat_points", "s_points")
    frame = study.residents().assign(s_points=lambda rows: rows["sat_points"])
    frame.to_parquet(study.processed / "residents.parquet")
    asked = index._asked(study, 0)
    assert not isinstance(asked, Unanswered)
    redrawn = index._redrawn(study, *asked, 2009)
    assert redrawn.shape == (index.DRAWS, 5, 2)
    # the same answers under two names have the same errors
    assert redrawn[..., 0] == pytest.approx(redrawn[..., 1])
    assert redrawn[..., 0].std(axis=0).min() > 1
    assert redrawn[..., 0].std(axis=0) == pytest.approx(asked[1][f"sat_points{index.SE}"].to_numpy(), rel=0.1)


def test_clusters_that_cannot_be_redrawn_have_normal_errors(tmp_path: Path) -> None:
    study = indexed(tmp_path, ledger(), "sat_points", "staff")
    frame = study.residents()
    # all of one community in a single block
    frame["block"] = frame["block"].mask(frame["place"] == "甲", "甲0")
    frame.to_parquet(study.processed / "residents.parquet")
    asked = index._asked(study, 0)
    assert not isinstance(asked, Unanswered)
    redrawn = index._redrawn(study, *asked, 2009)
    assert np.isfinite(redrawn).all()
    # only what was sampled moves
    assert (redrawn[..., 0].std(axis=0) > 1).any() and (redrawn[..., 1].std(axis=0) == 0).all()


def test_a_community_with_too_few_residents_is_in_no_index(tmp_path: Path) -> None:
    study = indexed(tmp_path, ledger(), "sat_points", "staff")
    frame = study.residents()
    few = frame.groupby("place").cumcount() < 9
    frame[(frame["place"] != "丙") | few].to_parquet(study.processed / "residents.parquet")
    found = scores(index.index_by_area(study))
    assert "丙" not in found and len(found) >= 3


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_where_there_is_no_index(ask: Callable[[Study], Told], town: Study, hamlet: Study, tmp_path: Path) -> None:  # fmt: skip
    for study in (town, hamlet):
        assert ask(study) == Told(*[Unanswered("index", index.NO_INDEX)] * 2)
    two = indexed(tmp_path / "two", ledger(), "sat_points", "staff", areas=2)
    assert ask(two).sentence == Unanswered("index", index.TOO_FEW)
    alike = indexed(tmp_path / "alike", ledger(teams=[3.0] * 5), "staff", "teams")
    assert ask(alike).sentence == Unanswered("index", index.ALIKE)


def test_a_study_without_communities_has_no_index(hamlet: Study, town: Study) -> None:
    told = {"name": "i", "label": words("index"), "measures": ("a", "b")}
    file = hamlet.file.model_validate({**hamlet.file.model_dump(), "indices": [told]})
    study = Study(hamlet.root, file, hamlet.codebook)
    assert index.index_by_area(study).released == Unanswered("index", NO_AREA)


def test_the_sample_study_ranks_every_community_once(chengbei: Study) -> None:
    answer = index.index_by_area(chengbei)
    ranks = told(index.in_unit(answer.released, "rank"))
    assert sorted(r.value or 0 for r in ranks) == list(range(1, 24))
    assert all(0 <= (value or 0) <= 100 for value in scores(answer).values())
    assert "AHP" in said(index.weights_of_index(chengbei).sentence).en
