"""What the index compares communities by: what their pages published, of the last wave, and no word more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cbresearch.publish.files import write_whole
from cbresearch.publish.kept import Kept, Page
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import plan
from cbresearch.publish.shelf import Shelf
from cbresearch.publish.site import write_index
from cbresearch.publish.site_figures import as_data
from cbresearch.study import Study, open_study

MEASURE = "sat_points"


def finding(measure: str, value: float | None, status: str = "published", **group: str) -> dict[str, Any]:
    low, high = (None, None) if value is None else (value - 5, value + 5)
    return {"measure": measure, "group": group, "value": value, "low": low, "high": high, "status": status}


@pytest.fixture
def study(root: Path) -> Study:
    toml, codebook = root / "data" / "study.toml", root / "data" / "codebook.csv"
    text = toml.read_text(encoding="utf-8")
    more = '[scales.overall]\nlabel = { zh = "总体", en = "Overall" }\nminimum_answered = 1\n'
    target = f'[[targets]]\nmeasure = "{MEASURE}"\nat_least = 60\n'
    toml.write_text(f"{text}\n{more}{target}", encoding="utf-8")
    rows = codebook.read_text(encoding="utf-8")
    question = "sat,select_one,满意度</script>,Satisfaction,five,,1,1,5,overall,outcome,,residents"
    codebook.write_text(f"{rows}{question}\n", encoding="utf-8")
    choices = root / "data" / "choices.csv"
    five = "".join(f"five,{code},第{code}级,Level {code},{code},\n" for code in range(1, 6))
    choices.write_text(choices.read_text(encoding="utf-8") + five, encoding="utf-8")
    return open_study(root)


def shelf_with(study: Study, findings: dict[str, list[dict[str, Any]]]) -> Shelf:
    shelf, jobs = Shelf(study.reports), plan(study)
    for job in jobs:
        pages = {one: Page(job.page(one), "p") for one in ("zh", "en")}
        for page in pages.values():
            write_whole(shelf.next / page.path, "page")
        mine = tuple(findings.get(job.area.code if job.area else "", ()))
        said = {} if job.area else {"zh": "满意度为65分<b>。", "en": "Satisfaction is 65 & more."}
        shelf.put(
            Kept(job.slug, job.notebook, job.area.code if job.area else None, job.given, "ok", Inputs(study).run_key(job),
                 job.executed, pages, {"zh": "题"}, None, mine, 1.0, "2026-11-23T00:00:00Z", headlines=said)
        )  # fmt: skip
    slugs = [job.slug for job in jobs]
    shelf.publish(slugs, set(slugs), {"study": "tiny"})
    return shelf


def test_the_last_wave_of_each_community_and_the_district(study: Study) -> None:
    theirs = [
        finding(MEASURE, 50.0, wave="2008", community="A2"),
        finding(MEASURE, 61.23456, wave="2009", community="A2", target="60", verdict="met"),
        finding(MEASURE, 99.0, wave="2009", community="A2", sex="1"),
        finding("other", 98.0, wave="2009", community="A2"),
        finding(MEASURE, 65.4457, wave="2009"),
    ]
    ours = [finding(MEASURE, 70.0, "caution", wave="2009", community="欣乐")]
    data = json.loads(as_data(study, plan(study), shelf_with(study, {"A2": theirs, "欣乐": ours})))
    assert [area[1] for area in data["areas"]] == ["Xinle Community", "Guangming Community"]
    assert [area[3:] for area in data["areas"]] == [[[70.0, 65.0, 75.0, True]], [[61.2346, 56.2346, 66.2346]]]
    assert data["district"] == [[65.4457, 60.4457, 70.4457]]
    assert data["areas"][0][2].startswith("90_one"), "in the folder of each language"


def test_what_was_held_back_is_not_there(study: Study) -> None:
    held = [
        finding(MEASURE, 31.4159, "held back", wave="2009", community="A2"),
        finding(MEASURE, 65.0, wave="2009"),
    ]
    shown = [finding(MEASURE, 70.0, wave="2009", community="欣乐")]
    shelf = shelf_with(study, {"A2": held, "欣乐": shown})
    assert as_data(study, plan(study), shelf) == "", "one community alone cannot be compared"
    both = [*held, finding(MEASURE, 55.0, wave="2008", community="A2")]
    data = as_data(study, plan(study), shelf_with(study, {"A2": both, "欣乐": shown}))
    assert "31.4159" not in data
    index = write_index(study, plan(study), shelf, Inputs(study)).read_text(encoding="utf-8")
    assert "31.4" not in index


def test_hostile_words_stay_in_the_data_and_headlines_stay_words(study: Study) -> None:
    findings = {code: [finding(MEASURE, 70.0, wave="2009", community=code)] for code in ("A2", "欣乐")}
    shelf = shelf_with(study, findings)
    index = write_index(study, plan(study), shelf, Inputs(study)).read_text(encoding="utf-8")
    assert "满意度</script>" not in index and "满意度\\u003c/script>" in index
    assert '<span class="finding">满意度为65分&lt;b&gt;。</span>' in index
    assert '<span class="finding">Satisfaction is 65 &amp; more.</span>' in index


def test_without_targets_there_is_nothing_to_compare(root: Path) -> None:
    study = open_study(root)
    assert as_data(study, plan(study), shelf_with(study, {})) == ""


def test_a_page_in_one_language_only_is_named_with_it(study: Study) -> None:
    findings = {code: [finding(MEASURE, 70.0, wave="2009", community=code)] for code in ("A2", "欣乐")}
    shelf = shelf_with(study, findings)
    slug = next(job.slug for job in plan(study) if job.area)
    kept = shelf.kept[slug]
    shelf.kept[slug] = replace(kept, pages={"en": kept.pages["en"]})
    data = json.loads(as_data(study, plan(study), shelf))
    assert [area[2][:3] for area in data["areas"]] == ["en/", "90_"]
