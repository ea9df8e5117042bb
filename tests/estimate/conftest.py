"""A town small enough to check by hand: 8 communities, 3 waves, 6 blocks of 4 residents in each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cbresearch.codebook import Choice, Codebook, Question
from cbresearch.records import Text
from cbresearch.study import Study, StudyFile

WAVES = (2007, 2008, 2009)
AREAS = tuple("甲乙丙丁戊己庚辛")


def text(word: str) -> Text:
    return Text(word, word)


def words(word: str) -> dict[str, str]:
    return {"zh": word, "en": word}


def question(name: str, kind: str = "select_one", **more: object) -> Question:
    return Question(name=name, type=kind, label=text(name), **more)  # type: ignore[arg-type]


def rated(name: str) -> Question:
    return question(name, choices="five", minimum=1, maximum=5, scale="satisfaction", role="outcome")


CODEBOOK = Codebook(
    (
        question("resident_id", "id", role="key"),
        question("community", choices="community", role="area"),
        question("block", "id"),
        question("sex", choices="sex", role="group"),
        rated("sat_overall"),
        rated("sat_health"),
        question("need", "select_multiple", choices="field", role="need"),
        question("would_pay", "integer", role="payment", relevant="${could_pay} > 0"),
        question("households", "integer", table="communities"),
        question("staff", "integer", table="communities"),
        question("volunteers", "integer", table="communities"),
        question("kind", choices="kind", table="facilities"),
    ),
    {
        "five": tuple(Choice(str(i), text(str(i)), i) for i in range(1, 6)),
        "sex": (Choice("1", Text("男", "Men"), 1), Choice("2", Text("女", "Women"), 2)),
        "community": tuple(Choice(a, text(a), i) for i, a in enumerate(AREAS)),
        "field": (Choice("health", text("health"), 1), Choice("sport", text("sport"), 2)),
        "kind": (Choice("clinic", text("clinic"), 1),),
    },
)

STUDY: dict[str, object] = {
    "study": {"name": "town", "title": words("town"), "waves": WAVES, "seed": 7},
    "keys": {"resident": "resident_id", "area": "community"},
    "sources": [{"table": "residents", "file": "r.csv", "wave": wave} for wave in WAVES],
    "design": {"strata": ["community"], "cluster": "block", "margins": {"sex": {"1": 0.5, "2": 0.5}}},
    "scales": {"satisfaction": {"label": words("satisfaction"), "minimum_answered": 1}},
    "indicators": [
        {"name": "volunteers_per_100", "label": words("v"), "unit": words("per 100"), "sum_of": ["volunteers"],
         "per": "households", "multiply": 100},
        {"name": "staff_count", "label": words("s"), "unit": words("people"), "sum_of": ["staff"], "published": 36},
        {"name": "clinics", "label": words("c"), "unit": words("clinics"), "sum_of": ["kind__clinic"],
         "published": 8, "published_as": "more than"},
    ],
    "questions": [{"outcome": "sat_overall", "cause": "volunteers_per_100", "controls": ["sex"], "kind": "registered"}],
    "reporting": {"headline": "sat_overall"},
    "targets": [{"measure": "sat_overall_points", "at_least": 50}, {"measure": "volunteers_per_100", "at_least": 3}],
}  # fmt: skip


def residents() -> pd.DataFrame:
    rng = np.random.default_rng(20090901)
    index = pd.MultiIndex.from_product(
        [WAVES, range(8), range(6), range(4)], names=["wave", "a", "block", "i"]
    )
    frame = index.to_frame(index=False)
    n = len(frame)
    score = rng.integers(1, 6, n)
    frame = frame.assign(
        community=pd.array([AREAS[a] for a in frame["a"]], dtype="string"),
        block=pd.array([f"{a}{b}" for a, b in zip(frame["a"], frame["block"], strict=True)], dtype="string"),
        sex=pd.array(rng.choice(["1", "2"], n, p=[0.4, 0.6]), dtype="string"),
        sat_overall=pd.array(score, dtype="Int64"),
        sat_overall_points=pd.array((score - 1) * 25.0, dtype="Float64"),
        weight=pd.array(rng.uniform(0.5, 2, n), dtype="Float64"),
        flag_longstring=rng.random(n) < 0.1,
        flag_speed=rng.random(n) < 0.05,
        need__health=pd.array(rng.integers(0, 2, n), dtype="Int8"),
        need__sport=pd.array(rng.integers(0, 2, n), dtype="Int8"),
        would_pay=pd.array([pd.NA] * n, dtype="Int64"),
    )
    health = pd.Series(rng.integers(1, 6, n), dtype="Int64").mask(frame["wave"] == 2007).mask(frame["i"] == 3)
    frame = frame.assign(sat_health=health, sat_health_points=((health - 1) * 25.0).astype("Float64"))
    return frame.assign(satisfaction_points=frame["sat_overall_points"]).drop(columns=["a", "i"])


def communities() -> pd.DataFrame:
    index = pd.MultiIndex.from_product([WAVES, range(8)], names=["wave", "a"])
    frame = index.to_frame(index=False)
    volunteers = 10 + 3 * frame["a"] + (frame["wave"] - 2007) * ((frame["a"] * 5) % 7)
    frame = frame.assign(
        community=pd.array([AREAS[a] for a in frame["a"]], dtype="string"),
        households=pd.array([1000] * 24, dtype="Int64"),
        staff=pd.array([4, 5] * 12, dtype="Int64"),
        volunteers=pd.array(volunteers, dtype="Int64"),
        kind__clinic=pd.array([1] * 24, dtype="Int64"),
    )
    frame = frame.assign(volunteers_per_100=(frame["volunteers"] / 10).astype("Float64"))
    frame = frame.assign(
        staff_count=frame["staff"].astype("Float64"), clinics=frame["kind__clinic"].astype("Float64")
    )
    return frame.drop(columns="a")


LEDGER = """step,source,rows_before,rows_after,cells_changed,flagged,why_zh,why_en
drop_duplicates,r.csv,580,578,0,0,同一份答卷交了两次。,The same questionnaire came twice.
drop_duplicates,s.csv,10,10,0,0,同一份答卷交了两次。,The same questionnaire came twice.
drop_blank,r.csv,578,576,0,0,空白答卷。,A blank questionnaire.
"""


def write(root: Path, **tables: pd.DataFrame) -> None:
    folder = root / "data" / "processed"
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet")
    (folder / "ledger.csv").write_text(LEDGER, encoding="utf-8")


def study_at(root: Path, **changes: object) -> Study:
    return Study(root, StudyFile.model_validate({**STUDY, **changes}), CODEBOOK)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Study:
    root = tmp_path_factory.mktemp("town")
    findings = pd.DataFrame({"rule": ["range", "range", "choice"], "source": ["r.csv"] * 3})
    write(root, residents=residents(), communities=communities(), findings=findings)
    return study_at(root)


@pytest.fixture(scope="session")
def hamlet(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """One wave, no area, no ledger: what an adopted export looks like."""
    root = tmp_path_factory.mktemp("hamlet")
    frame = residents().query("wave == 2009")
    write(root, residents=frame, communities=pd.DataFrame({"wave": []}), findings=pd.DataFrame({"rule": []}))
    return study_at(
        root,
        study={"name": "hamlet", "title": words("hamlet"), "waves": (2009,)},
        keys={"resident": "resident_id"},
        sources=[{"table": "residents", "file": "r.csv", "wave": 2009}],
        indicators=[], questions=[], targets=[], reporting={"scores": "as_asked"},
    )  # fmt: skip
