"""The plan names every job once, safely, in the study's order."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_workspace import STUDY

from cbresearch.errors import ParameterError, PublishError
from cbresearch.publish.plan import Area, areas_of, plan, slug_of
from cbresearch.records import Text
from cbresearch.study import Study, open_study


def with_study(root: Path, text: str) -> Study:
    (root / "data" / "study.toml").write_text(text, encoding="utf-8")
    return open_study(root)


def test_district_first_then_each_community_in_the_codebooks_order(study: Study) -> None:
    jobs = plan(study)
    assert [(job.notebook, job.area.code if job.area else None) for job in jobs] == [
        ("10_all", None), ("90_one", "欣乐"), ("90_one", "A2"),
    ]  # fmt: skip
    assert jobs[1].given == {"lang": "zh", "area": "欣乐"}
    assert jobs[0].languages == ("zh", "en")
    assert jobs[1].slug == "90_one-xinle-community-081cd4"


def test_areas_come_from_the_ledger_too(study: Study) -> None:
    ledger = pd.DataFrame({"community": ["B9", None], "wave": [2009, 2009]})
    ledger.to_parquet(study.processed / "communities.parquet")
    assert [area.code for area in areas_of(study)] == ["欣乐", "A2", "B9"]


@pytest.mark.parametrize(
    "narrow, slugs",
    [
        ({"only": ["10_all"]}, ["10_all"]),
        ({"only": ["notebooks/10_all.ipynb"]}, ["10_all"]),
        ({"area": ["欣乐社区"]}, ["90_one-xinle-community-081cd4"]),
        ({"area": ["Xinle Community"]}, ["90_one-xinle-community-081cd4"]),
        ({"area": ["欣乐"], "only": ["90_one"], "lang": ["en"]}, ["90_one-xinle-community-081cd4"]),
    ],
    ids=str,
)  # fmt: skip
def test_narrowing(study: Study, narrow: dict[str, list[str]], slugs: list[str]) -> None:
    assert [job.slug for job in plan(study, **narrow)] == slugs


def test_a_language_narrows_pages_not_parameters(study: Study) -> None:
    (job,) = plan(study, only=["10_all"], lang=["en"])
    assert job.languages == ("en",)
    assert job.given == {"lang": "zh"}


def test_every_unknown_name_is_told_at_once(study: Study) -> None:
    with pytest.raises(ParameterError) as caught:
        plan(study, only=["10_al"], area=["欣乐社"], lang=["fr"])
    assert str(caught.value) == (
        "These parameters cannot be used (3 faults):\n"
        "  - --only: no report '10_al' in the study; reports: 10_all, 90_one. Did you mean '10_all'?\n"
        "  - --area: no community '欣乐社' in the study; communities: 欣乐, A2. Did you mean '欣乐社区'?\n"
        "  - --lang: no language 'fr' in the study; languages: zh, en."
    )


def test_a_district_report_cannot_be_asked_for_one_community(study: Study) -> None:
    with pytest.raises(PublishError) as caught:
        plan(study, only=["10_all"], area=["A2"])
    assert (
        str(caught.value)
        == "No report fits --only 10_all --area A2. Reports made for each community: 90_one."
    )


def test_no_reports_says_so(root: Path) -> None:
    study = with_study(root, STUDY[: STUDY.index("[[reports]]")])
    with pytest.raises(PublishError, match=r"study\.toml lists no reports"):
        plan(study)


def test_a_parameter_in_the_study_file_is_checked_once_for_all_areas(root: Path) -> None:
    study = with_study(root, STUDY + "parameters = { wave = 2009 }\n")
    with pytest.raises(ParameterError) as caught:
        plan(study)
    assert str(caught.value) == (
        "These parameters cannot be used (1 fault):\n"
        "  - 90_one, parameter 'wave': the notebook does not declare it; it declares lang, area."
    )


def test_a_study_without_areas_cannot_run_over_them(root: Path) -> None:
    study = with_study(root, STUDY.replace('area = "community"', ""))
    with pytest.raises(ParameterError, match="runs over areas, of which the data has none"):
        plan(study)


def test_the_same_notebook_twice_gets_two_names(root: Path) -> None:
    study = with_study(root, STUDY + '\n[[reports]]\nnotebook = "10_all"\nparameters = { wave = 2008 }\n')
    assert [job.slug for job in plan(study) if job.notebook == "10_all"] == ["10_all", "10_all-wave-2008"]


def test_a_fixed_area_names_its_report(root: Path) -> None:
    extra = "".join(
        f'\n[[reports]]\nnotebook = "90_one"\nparameters = {{ area = "{area}" }}\n' for area in ("欣乐", "A2")
    )
    slugs = [job.slug for job in plan(with_study(root, STUDY + extra)) if job.notebook == "90_one"]
    assert len(set(slugs)) == len(slugs) == 4


def test_the_same_report_twice_is_told(root: Path) -> None:
    with pytest.raises(
        ParameterError, match="the report '10_all' is asked for 2 times; expected each report once"
    ):
        plan(with_study(root, STUDY + '\n[[reports]]\nnotebook = "10_all"\n'))


def test_a_notebook_outside_the_folder_is_refused(root: Path) -> None:
    (root / "far.ipynb").write_text(
        (root / "notebooks" / "10_all.ipynb").read_text(encoding="utf-8"), encoding="utf-8"
    )
    study = with_study(root, STUDY + '\n[[reports]]\nnotebook = "../far"\n')
    with pytest.raises(ParameterError, match=r"notebook '\.\./far': lies outside notebooks/"):
        plan(study)


@given(code=st.text(min_size=1), label=st.text())
def test_a_file_name_is_always_safe(code: str, label: str) -> None:
    slug = slug_of("90_one", Area(code, Text(label, label)), {})
    assert re.fullmatch(r"90_one[A-Za-z0-9_-]*", slug)
    assert len(slug) < 100


@given(codes=st.lists(st.text(min_size=1, max_size=8), min_size=2, max_size=2, unique_by=str.lower))
def test_two_areas_never_share_a_file(codes: list[str]) -> None:
    slugs = {slug_of("n", Area(code, Text(code, code)), {}).lower() for code in codes}
    assert len(slugs) == 2


def test_names_that_windows_keeps_for_itself_are_avoided() -> None:
    assert slug_of("con", None, {}) == "report-con"
