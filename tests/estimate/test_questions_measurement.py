"""Whether scales measure what they should: by hand, against the estimators, and where a study cannot tell."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from village import people, rated, said, study_of, told

from cbresearch.codebook import Question
from cbresearch.estimate.questions import comparable, measurement, structure
from cbresearch.estimate.questions.common import NO_AREA, ONE_WAVE, Told
from cbresearch.measure import agreement, alpha, confirm, horn, kmo, within_agreement
from cbresearch.records import Unanswered
from cbresearch.study import Study

ASKED: list[Callable[[Study], Told]] = [
    measurement.reliability, measurement.items_of_scales, measurement.dimensions, structure.structure,
    structure.one_score, comparable.same_over_waves, comparable.communities_compared,
]  # fmt: skip
AREA = Question("place", "id", measurement.NO_SCALE, role="area")
# three items answered 1 or 5: any two agree in three of four residents, so their correlation is a half
PATTERNS = {pattern: 50 if len(set(pattern)) == 1 else 10 for pattern in product((1, 5), repeat=3)}


def half_correlated() -> dict[str, np.ndarray]:
    rows = np.array([pattern for pattern, count in PATTERNS.items() for _ in range(count)], dtype=float)
    return {name: rows[:, i] for i, name in enumerate("abc")}


def drawn(
    seed: int, groups: dict[str, int], *, n: int = 500, shared: float = 0.0, loading: float = 0.75
) -> dict[str, np.ndarray]:
    """Answers 1-5 to `groups` of items, each with a factor of its own of which `shared` is common to all."""
    rng = np.random.default_rng(seed)
    common, items = rng.standard_normal(n), {}
    for name, count in groups.items():
        own = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.standard_normal(n)
        for i in range(count):
            latent = loading * own + np.sqrt(1 - loading**2) * rng.standard_normal(n)
            items[f"{name}{i}"] = np.digitize(latent, (-1.2, -0.4, 0.4, 1.2)) + 1.0
    return items


def scales(items: dict[str, np.ndarray]) -> list[Question]:
    return [rated(name, scale=name.rstrip("0123456789")) for name in items]


def values(answer: Told, statistic: str) -> dict[str, float | None]:
    return {r.measure: r.value for r in told(answer.released) if r.part("statistic") == statistic}


@pytest.fixture
def hand(tmp_path: Path) -> Study:
    return study_of(tmp_path, people(half_correlated()), [rated(name, scale="s") for name in "abc"])


def test_alpha_by_hand(hand: Study) -> None:
    # 3/2 (1 - 3 / 6): three variances of 1, six covariances of a half
    answer = measurement.reliability(hand)
    assert values(answer, "alpha") == {"s_points": pytest.approx(0.75)}
    (record,) = told(measurement.having(answer.released, "alpha"))
    assert record.low is not None and record.low < 0.70 < 0.75 and record.n == 160
    # without communities none can be drawn anew
    assert values(answer, "alpha_redrawn") == {}
    assert said(answer.sentence).en == (
        f"To be used with care, alpha being not surely 0.70: s scale (alpha 0.75, 95% interval {record.low:.2f} "
        f"to {record.high:.2f})."
    )


def test_items_by_hand(hand: Study) -> None:
    answer = measurement.items_of_scales(hand)
    # an item has covariance 1/2 + 1/2 with the sum of the others, whose variance is 3
    assert list(values(answer, "rest").values()) == pytest.approx([1 / np.sqrt(3)] * 3)
    # two items: 2 (1 - 2 / 3)
    assert list(values(answer, "alpha_without").values()) == pytest.approx([2 / 3] * 3)
    assert "leaving one out would not raise alpha" in said(answer.sentence).en


def test_an_item_that_points_the_other_way_is_told_by_its_label(tmp_path: Path) -> None:
    items = drawn(1, {"s": 4})
    items["s3"] = 6 - items["s3"]
    words = said(measurement.items_of_scales(study_of(tmp_path, people(items), scales(items))).sentence)
    assert "“the s3 item” points the other way" in words.en and "higher without these items" in words.en
    assert "s3_points" not in words.zh + words.en


def test_what_cannot_be_had_of_three_like_items_is_left_out(tmp_path: Path) -> None:
    same = half_correlated()["a"]
    study = study_of(tmp_path, people(dict.fromkeys("abc", same)), [rated(name, scale="s") for name in "abc"])
    answer = measurement.reliability(study)
    assert values(answer, "alpha") == {"s_points": pytest.approx(1.0)}
    assert "omega" not in {r.part("statistic") for r in told(answer.released)}
    assert isinstance(measurement.dimensions(study).released, Unanswered)


def test_all_scales_fit_for_use(tmp_path: Path) -> None:
    items = drawn(2, {"s": 6, "t": 6}, loading=0.85)
    words = said(measurement.reliability(study_of(tmp_path, people(items), scales(items))).sentence)
    assert words.en.startswith("Alpha of all 2 scales is 0.70 or more")


def test_two_things_behind_one_scale(tmp_path: Path) -> None:
    items = drawn(3, {"s": 4, "t": 4})
    questions = [rated(name, scale="u") for name in items]
    study = study_of(tmp_path, people(items), questions)
    answer = measurement.dimensions(study)
    points = pd.DataFrame({f"{name}_points": (column - 1) * 25 for name, column in items.items()})
    assert horn(points, correlations="polychoric", seed=study.file.study.seed).factors == 2
    assert "its 8 items have 2 things in common by parallel analysis; Velicer's test agrees" in said(answer.sentence).en  # fmt: skip
    by_item = dict(zip(points.columns, kmo(points, correlations="polychoric").by_item, strict=True))
    assert values(answer, "kmo") == pytest.approx(by_item)
    # each item loads on the factor of its own
    first, second = values(answer, "loading_1"), values(answer, "loading_2")
    strong = {item: abs(first[item] or 0) > abs(second[item] or 0) for item in first}
    assert len({strong[f"s{i}_points"] for i in range(4)}) == 1
    assert strong["s0_points"] != strong["t0_points"]


@pytest.mark.parametrize(
    "shared, words",
    [(0.0, "The scales measure different things"), (1.0, "Some scales measure nearly the same thing")],
    ids=["apart", "one"],
)
def test_scales_that_are_hardly_two_are_named(tmp_path: Path, shared: float, words: str) -> None:
    items = drawn(4, {"s": 4, "t": 4}, shared=shared)
    answer = structure.structure(study_of(tmp_path, people(items), scales(items)))
    assert words in said(answer.sentence).en
    assert ("s scale and t scale" in said(answer.sentence).en) == (shared == 1.0)
    points = pd.DataFrame({f"{name}_points": (column - 1) * 25 for name, column in items.items()})
    model = {name: [f"{name}{i}_points" for i in range(4)] for name in "st"}
    found = confirm(points, model)
    assert values(answer, "composite")["s_points"] == pytest.approx(found.reliability["s"])
    assert values(answer, "extracted")["t_points"] == pytest.approx(found.variance_extracted["t"])
    assert values(answer, "htmt") == pytest.approx({"s_points": found.htmt[0, 1], "t_points": found.htmt[0, 1]})  # fmt: skip


def test_a_single_scale_has_no_neighbour(tmp_path: Path) -> None:
    items = drawn(5, {"s": 4}, loading=0.6)
    study = study_of(tmp_path, people(items), scales(items))
    answer = structure.structure(study)
    assert {r.part("statistic") for r in told(answer.released)} == {"composite", "extracted"}
    assert "different things" not in said(answer.sentence).en
    assert "Single items are too noisy" in said(answer.sentence).en
    assert structure.one_score(study).sentence == Unanswered("one_score", structure.ONE_SCALE)


@pytest.mark.parametrize(
    "scales_of, shared, words",
    [
        ("stu", 1.0, "A single thing lies behind all 12 items"),
        ("stu", 0.3, "3 things lie behind all 12 items (parallel analysis), and only"),
        ("st", 0.0, "2 things lie behind all 8 items (parallel analysis): they should not be added up"),
    ],
    ids=["one", "three", "two"],
)
def test_one_score_for_all(tmp_path: Path, scales_of: str, shared: float, words: str) -> None:
    """More groups than there are things would find a general factor of 28 % where all is one."""
    items = drawn(6, dict.fromkeys(scales_of, 4), shared=shared, n=800)
    answer = structure.one_score(study_of(tmp_path, people(items), scales(items)))
    assert words in said(answer.sentence).en
    kinds = {1.0: ["omega"], 0.3: ["omega_hierarchical"], 0.0: []}
    assert [r.part("statistic") for r in told(answer.released)] == kinds[shared]


def communities(n: int, k: int = 10) -> list[str]:
    return [f"p{i % k}" for i in range(n)]


def test_communities_that_differ_and_those_that_do_not(tmp_path: Path) -> None:
    items = drawn(7, {"s": 3, "t": 3})
    n = len(items["s0"])
    place = communities(n)
    lift = np.array([int(p[1:]) % 3 - 1 for p in place])
    for i in range(3):
        items[f"s{i}"] = np.clip(items[f"s{i}"] + lift, 1, 5)
    frame = people(items, place=pd.array(place, dtype="string"))
    for scale in "st":
        frame[f"{scale}_points"] = frame[[f"{scale}{i}_points" for i in range(3)]].mean(axis="columns")
    study = study_of(tmp_path, frame, [AREA, *scales(items)], keys={"resident": "id", "area": "place"})
    answer = comparable.communities_compared(study)
    by_hand = {scale: agreement(frame, f"{scale}_points", "place") for scale in "st"}
    assert by_hand["s"].icc2 > 0.70 and by_hand["t"].p > 0.05 and by_hand["t"].icc2 < 0
    assert values(answer, "icc1") == pytest.approx({f"{scale}_points": by_hand[scale].icc1 for scale in "st"})
    # a reliability below zero is none
    assert values(answer, "icc2") == pytest.approx({"s_points": by_hand["s"].icc2, "t_points": 0.0})
    within = within_agreement(frame, ["s0", "s1", "s2"], "place", answers=5)["rwg"].median()
    assert values(answer, "rwg")["s_points"] == pytest.approx(within)
    assert said(answer.sentence).en == (
        "Communities may be compared (means reach a reliability of 0.70): s scale. "
        "Communities differ no more than by chance and are not to be compared: t scale."
    )
    redrawn = values(measurement.reliability(study), "alpha_redrawn")
    points = frame[[f"s{i}_points" for i in range(3)]].astype(float)
    assert redrawn["s_points"] == pytest.approx(alpha(points).value)


def test_communities_smaller_than_the_minimum_cell_have_no_agreement(tmp_path: Path) -> None:
    items = drawn(8, {"s": 3}, n=120)
    frame = people(items, place=pd.array(communities(120, 20), dtype="string"))
    frame["s_points"] = frame[[f"s{i}_points" for i in range(3)]].mean(axis="columns")
    study = study_of(tmp_path, frame, [AREA, *scales(items)], keys={"resident": "id", "area": "place"})
    # twenty communities of six
    assert values(comparable.communities_compared(study), "rwg") == {}


def two_waves(shift: int) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    before, after = drawn(9, {"s": 5}, n=600), drawn(10, {"s": 5}, n=600)
    after["s2"] = np.clip(after["s2"] + shift, 1, 5)
    return pd.concat([people(before).assign(wave=2008), people(after)], ignore_index=True), before


@pytest.mark.parametrize(
    "shift, words",
    [(0, "in 2008 and 2009, so that means of these waves may be compared"), (1, "start from different points, mostly for the s2 item")],
    ids=["same", "one item moved"],
)  # fmt: skip
def test_sameness_over_waves(tmp_path: Path, shift: int, words: str) -> None:
    frame, items = two_waves(shift)
    answer = comparable.same_over_waves(study_of(tmp_path, frame, scales(items)))
    assert words in said(answer.sentence).en
    steps = [(r.part("sameness"), r.part("statistic")) for r in told(answer.released)]
    assert ("configural", "cfi_change") not in steps and ("strict", "cfi_change") in steps
    assert len(steps) == 4 * 3 - 1


def test_too_few_answers_are_said_to_be_too_few(tmp_path: Path) -> None:
    items = drawn(11, {"s": 4}, n=99)
    study = study_of(tmp_path, people(items), scales(items))
    for ask in (measurement.reliability, measurement.items_of_scales, measurement.dimensions, structure.structure):  # fmt: skip
        assert ask(study).released == Unanswered(ask.__name__, measurement.NO_SCALE)


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_a_study_without_scales_says_so(ask: Callable[[Study], Told], town: Study, hamlet: Study) -> None:
    for study in (town, hamlet):
        answer = ask(study)
        if isinstance(answer.sentence, Unanswered):
            assert answer.released == answer.sentence
            assert answer.sentence.reason.zh.endswith("。") and answer.sentence.reason.en.endswith(".")
    assert isinstance(ask(hamlet).released, Unanswered)
    assert comparable.communities_compared(hamlet).sentence == Unanswered("communities_compared", NO_AREA)
    assert comparable.same_over_waves(hamlet).sentence == Unanswered("same_over_waves", ONE_WAVE)


@pytest.mark.parametrize("ask", ASKED, ids=lambda ask: ask.__name__)
def test_the_sample_study_answers_in_words_without_codes(ask: Callable[[Study], Told], chengbei: Study) -> None:  # fmt: skip
    answer = ask(chengbei)
    assert {record.status for record in told(answer.released)} <= {"published"}
    words = said(answer.sentence)
    assert not re.search("[\u4e00-\u9fff]", words.en) and not re.search("_points|_", words.zh + words.en)


def test_satisfaction_and_perceived_quality_of_the_sample_study_are_drawn_from_one_thing(chengbei: Study) -> None:  # fmt: skip
    assert "九类服务满意度与服务质量感受" in said(structure.structure(chengbei).sentence).zh
