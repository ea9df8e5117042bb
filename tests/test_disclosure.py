"""What must not leave the house: figures about a handful of people, and who they are."""

from __future__ import annotations

import base64
import re
import shutil
from dataclasses import dataclass
from functools import cached_property
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
import pytest
from whole_chain import once, strict

from cbresearch.chengbei.mess import PRIVATE_REMARKS
from cbresearch.estimate.questions import community, satisfaction
from cbresearch.publish.run import run
from cbresearch.records import Released, Unanswered
from cbresearch.study import Study, open_study

pytestmark = pytest.mark.xdist_group("disclosure")
SMALL, NEXT, USUAL = "建设社区", "盐湖社区", "欣乐社区"
"""Six residents left; the smallest of the others; one with enough."""
LEFT = 6
NUMBERS = ("value", "low", "high", "se", "df", "n", "p")
TELLTALE = 1000.0
"""No coordinate of a drawing and no score is as large, so that such a figure is never there by chance."""


# --- a search that finds a figure however it is written -------------------------------------------


def told(text: str) -> set[str]:
    """Every decimal number of a text, cut to one, two and three decimals; what is packed in it included."""
    packed = [base64.b64decode(piece) for piece in re.findall(r";base64,([A-Za-z0-9+/]+=*)", text)]
    whole = "\n".join([unquote(text), *(piece.decode("utf-8", "replace") for piece in packed)])
    found: set[str] = set()
    for number in re.findall(r"\d[\d,， ]*\.\d+", whole):
        ahead, after = re.sub(r"[,， ]", "", number).split(".")
        found |= {f"{ahead}.{after[:decimals]}" for decimals in (1, 2, 3) if len(after) >= decimals}
    return found


def written(figure: float) -> set[str]:
    """How a figure may be written: rounded or cut off at one, two, three decimals."""
    size = abs(figure)
    rounded = {f"{size:.{decimals}f}" for decimals in (1, 2, 3)}
    return rounded | {f"{size:.9f}"[: decimals - 9] for decimals in (1, 2, 3)}


@pytest.mark.parametrize(
    "text",
    ["4321.7", "4,321.72分", '{"value": 4321.7159}', "%20−4321.716", ";base64,PHRleHQ+NDMyMS43PC90ZXh0Pg=="],
    ids=["plain", "with comma", "json", "quoted", "packed"],
)
def test_the_search_finds_a_figure_however_it_is_written(text: str) -> None:
    assert told(text) & written(4321.7159)
    assert not told(text) & written(4322.7159)


# --- a small cell --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """A study with a small cell in its last wave, after its reports were made."""

    study: Study

    @cached_property
    def left(self) -> dict[str, str]:
        """Every file that the run left, as text."""
        files = [path for path in sorted(self.study.reports.rglob("*")) if path.is_file()]
        return {p.relative_to(self.study.reports).as_posix(): p.read_text("utf-8") for p in files}

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        return list(strict(self.study.reports / "findings.json")["findings"])

    def places_telling(self, figure: float) -> list[str]:
        return [place for place, tokens in self._told.items() if tokens & written(figure)]

    @cached_property
    def _told(self) -> dict[str, set[str]]:
        return {place: told(text) for place, text in self.left.items()}


@pytest.fixture(scope="module")
def planted(chengbei: Study, tmp_path_factory: pytest.TempPathFactory) -> Planted:
    def make(folder: Path) -> None:
        root = Path(shutil.copytree(chengbei.root, folder / "chengbei"))
        path = root / "data" / "processed" / "residents.parquet"
        plant(pd.read_parquet(path)).to_parquet(path, index=False)
        for wanted in ({"only": ["30_satisfaction"]}, {"area": [SMALL, NEXT]}):
            assert run(open_study(root), **wanted).failed == ()

    return Planted(open_study(once(tmp_path_factory, "planted", make) / "chengbei"))


def plant(residents: pd.DataFrame) -> pd.DataFrame:
    """Leave six residents in one community of the last wave, with scores that nobody else could have."""
    last = residents["wave"] == residents["wave"].max()
    small = residents[last & (residents["community"] == SMALL)]
    # from different blocks, so that the figure would have an interval and nothing but the gate holds it back
    spread = small.groupby("block").cumcount().sort_values(kind="stable")
    kept = residents.drop(spread.index[LEFT:]).copy()
    scores = [name for name in kept.columns if name.endswith("_points")]
    for area, start in ((SMALL, 31_000.0), (NEXT, 52_000.0), (USUAL, 73_000.0)):
        rows = kept.index[(kept["wave"] == kept["wave"].max()) & (kept["community"] == area)]
        for place, name in enumerate(scores):
            steps = np.arange(len(rows)) % LEFT
            kept.loc[rows, name] = start + 137.31 * place + 3_411.7 * steps + 57.13 * steps**2
    return kept


def open_gate(study: Study) -> Study:
    """The same study as if one person were enough."""
    disclosure = study.file.disclosure.model_copy(update={"minimum_cell": 1})
    return Study(study.root, study.file.model_copy(update={"disclosure": disclosure}), study.codebook)


def asked_by_the_notebooks(study: Study) -> list[Released]:
    """All that 30_satisfaction and 90_community ask about the small community."""
    headline = satisfaction.headline(study)
    answers = (
        satisfaction.satisfaction_by_area(study, headline),
        community.scorecard(study, SMALL),
        community.area_differences(study, SMALL),
        community.area_over_waves(study, SMALL, headline),
    )
    found: list[Released] = []
    for answer in answers:
        assert not isinstance(answer, Unanswered)
        found += answer
    return found


def about(record: Released, area: str) -> bool:
    return dict(record.group).get("community") == area and dict(record.group).get("wave") == "2009"


def test_the_small_cell_is_held_back_with_its_reason(planted: Planted) -> None:
    held = [f for f in planted.findings if f["status"] == "held back"]
    measures = {(f["notebook"], f["measure"]) for f in held if f["group"].get("community") == SMALL}
    assert {("30_satisfaction", "sat_overall_points"), ("90_community", "quality_points")} <= measures
    assert ("90_community", "sat_order_points") in measures
    for one in held:
        assert all(one[name] is None for name in NUMBERS), one
        assert one["reason"], one
    residents = [
        f for f in planted.findings
        if f["group"].get("community") == SMALL and f["group"].get("wave") == "2009" and f["measure"].endswith("_points")
    ]  # fmt: skip
    assert residents and all(f["status"] == "held back" for f in residents)


def test_no_byte_of_a_run_tells_a_figure_that_was_held_back(planted: Planted) -> None:
    study = planted.study
    true = [
        r
        for r in asked_by_the_notebooks(open_gate(study))
        if about(r, SMALL) and r.measure.endswith("_points")
    ]
    small = study.residents().query("wave == 2009 and community == @SMALL")
    mean = np.average(small["sat_overall_points"].astype(float), weights=small["weight"].astype(float))
    headline = next(r for r in true if r.measure == "sat_overall_points")
    assert headline.value == pytest.approx(mean) and headline.n == len(small) == LEFT
    figures = {
        (record.measure, name): getattr(record, name)
        for record in true
        for name in ("value", "se", "low", "high")
        if abs(getattr(record, name)) >= TELLTALE
    }
    assert len(figures) > 30 and ("sat_overall_points", "se") in figures
    assert {key: planted.places_telling(figure) for key, figure in figures.items()} == {
        key: [] for key in figures
    }
    answers = small[[c for c in small.columns if c.endswith("_points")]].to_numpy(
        dtype=float, na_value=np.nan
    )
    assert not [one for one in np.unique(answers[~np.isnan(answers)]) if planted.places_telling(one)]


def test_the_same_search_finds_a_figure_that_was_published(planted: Planted) -> None:
    usual = next(r for r in asked_by_the_notebooks(planted.study) if about(r, USUAL))
    assert usual.value is not None and usual.se is not None
    assert set(planted.places_telling(usual.value)) == {
        ".jobs/30_satisfaction.json",
        "findings.json",
        "notebooks/30_satisfaction.ipynb",
        "zh/30_satisfaction.html",
        "en/30_satisfaction.html",
    }
    assert "findings.json" in planted.places_telling(usual.se)


def test_subtraction_from_the_district_does_not_give_it_either(planted: Planted) -> None:
    """With one community held back alone, the district's mean and the register's counts would tell its own."""
    by_area = [
        f for f in planted.findings
        if f["notebook"] == "30_satisfaction" and f["measure"] == "sat_overall_points" and "community" in f["group"]
    ]  # fmt: skip
    held = {f["group"]["community"] for f in by_area if f["status"] == "held back"}
    assert held == {SMALL, NEXT}
    assert len({f["group"]["community"] for f in by_area}) == 23
    whole = [
        f for f in planted.findings if f["measure"] == "sat_overall_points" and f["group"] == {"wave": "2009"}
    ]
    assert whole and all(f["value"] is not None for f in whole)  # the total is there to subtract from
    headline = satisfaction.headline(planted.study)
    open_answers = satisfaction.satisfaction_by_area(open_gate(planted.study), headline)
    assert not isinstance(open_answers, Unanswered)
    other = next(r for r in open_answers if about(r, NEXT))
    assert other.value is not None and planted.places_telling(other.value) == []


# --- who they are --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Private:
    """What the raw files hold about people, by kind."""

    names: frozenset[str]
    addresses: frozenset[str]
    in_remarks: frozenset[str]


@pytest.fixture(scope="module")
def private(published: Path) -> Private:
    table = pd.read_excel(
        published / "data" / "raw" / "问卷星_2008_按文本.xlsx", dtype="string", engine="calamine"
    )
    names = next(table[column] for column in table.columns if column.endswith("、姓名"))
    shapes = r"[\w.]+@[\w.]+\w|\d[\d-]{9,}[\dX]"
    remarks = [remark for kind in PRIVATE_REMARKS.values() for remark in kind]
    traces = {trace for remark in remarks for trace in re.findall(shapes, remark, re.ASCII)}
    return Private(frozenset(names.dropna()), frozenset(table["来自IP"].dropna()), frozenset(traces))


def texts_of(root: Path) -> dict[str, str]:
    """All that a build and a run leave, as text; tables as the text of every cell."""
    files = [p for folder in ("data/processed", "reports") for p in (root / folder).rglob("*") if p.is_file()]
    return {
        path.relative_to(root).as_posix(): (
            pd.read_parquet(path).to_csv() if path.suffix == ".parquet" else path.read_text("utf-8")
        )
        for path in files
    }


def test_the_raw_files_do_hold_personal_data(private: Private, published: Path) -> None:
    assert len(private.names) > 50 and len(private.addresses) > 50
    assert private.in_remarks >= {"13900000001", "139-0000-0002", "630105190001010011", "test01@example.com"}
    raw = (published / "data" / "raw" / "居民问卷2006.csv").read_text("gb18030")
    assert all(trace in raw for trace in private.in_remarks)


def test_nobody_is_named_in_what_is_built_or_reported(private: Private, published: Path) -> None:
    texts = texts_of(published)
    assert len(texts) > 20
    digits = {re.sub(r"\D", "", trace) for trace in private.in_remarks if "@" not in trace}
    for place, text in texts.items():
        for secret in private.in_remarks | private.addresses | digits:
            assert secret not in text, f"{place} tells {secret}"
        # a name may also be a part of a longer word, so only whole ones count
        words = set(re.findall(r"[\u4e00-\u9fff]+", unescape(text)))
        assert not words & private.names, place


def test_a_masked_remark_keeps_the_rest_of_what_was_said(chengbei: Study) -> None:
    planted_ids = strict(chengbei.root / "data" / "truth.json")["planted_ids"]
    residents = chengbei.residents()
    for wave, kinds in planted_ids.items():
        for kind in ("remarks_with_phone", "remarks_with_id_number", "remarks_with_email"):
            asked = residents[(residents["wave"] == int(wave)) & residents["resident_id"].isin(kinds[kind])]
            assert len(asked) == len(PRIVATE_REMARKS[kind])
            assert asked["remark"].str.contains(r"\[(?:电话|证件号|邮箱)\]", regex=True).all()


def test_a_script_in_a_remark_stays_text(published: Path) -> None:
    """Kept as it was said in the table; in no page at all (test_first_light shows it on one, harmless)."""
    residents = pd.read_parquet(published / "data" / "processed" / "residents.parquet")
    assert residents["remark"].str.contains("<script>alert(1)</script>", regex=False).sum() == 4
    for path in (published / "reports").rglob("*.html"):
        assert "<script>alert" not in path.read_text("utf-8").lower(), path
