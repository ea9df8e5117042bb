"""The index lists every report of the study, run or not, in each language."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
from as_browser import dangers

from cbresearch.publish.files import write_whole
from cbresearch.publish.footer import page_texts
from cbresearch.publish.kept import Kept, Page
from cbresearch.publish.keys import Inputs
from cbresearch.publish.plan import plan
from cbresearch.publish.shelf import Shelf
from cbresearch.publish.site import write_index
from cbresearch.study import Study, open_study


def index_of(study: Study, shelf: Shelf) -> str:
    return write_index(study, plan(study), shelf, Inputs(study)).read_text(encoding="utf-8")


def on_shelf(study: Study, status: str = "ok") -> Shelf:
    shelf, job = Shelf(study.reports), plan(study)[0]
    error = {"class": "E", "message": "<script>alert(1)</script>"} if status == "failed" else None
    pages = {"en": Page("en/10_all.html", "p")}
    write_whole(shelf.next / "en" / "10_all.html", "page")
    shelf.put(
        Kept(job.slug, job.notebook, None, job.given, status, Inputs(study).run_key(job), job.executed, pages,
             {"en": "Over<b>view"}, error, (), 1.0, "2026-11-23T00:00:00Z")
    )  # fmt: skip
    shelf.publish([job.slug], {job.slug}, {"study": "tiny"})
    return shelf


def test_what_was_not_made_yet_is_listed_without_a_link(study: Study) -> None:
    html = index_of(study, Shelf(study.reports))
    assert html.count("尚未生成") == 3
    assert 'href="zh/' not in html and "欣乐社区" in html


def test_streets_group_the_communities(study: Study) -> None:
    html = index_of(study, Shelf(study.reports)).split('id="zh"')[1]
    assert (
        html.index("<h3>一街</h3>")
        < html.index("欣乐社区")
        < html.index("<h3>二街</h3>")
        < html.index(">光明社区<")
    )


def test_a_page_in_another_language_is_offered_when_it_is_the_only_one(study: Study) -> None:
    html = index_of(study, on_shelf(study))
    assert '<a class="name" href="en/10_all.html" hreflang="en">Over&lt;b&gt;view</a>' in html


def test_a_failed_report_says_why_and_hostile_words_stay_words(study: Study) -> None:
    html = index_of(study, on_shelf(study, "failed"))
    assert "其中 1 份未完成" in html and "1 of them not complete" in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert dangers(html) == []


def test_both_languages_stand_in_one_file_the_first_one_last(study: Study) -> None:
    html = index_of(study, on_shelf(study))
    assert re.findall(r'<div class="tongue( first)?" id="(\w+)" lang="([\w-]+)">', html) == [
        ("", "en", "en"), (" first", "zh", "zh-Hans"),
    ]  # fmt: skip
    assert dangers(html) == []


def test_a_long_list_stays_small_and_in_folders(root: Path) -> None:
    codes = [f"c{number:05d}" for number in range(1200)]
    choices = root / "data" / "choices.csv"
    rows = "".join(f"community,{code},第{i}社区,Community No {i},{i + 9},\n" for i, code in enumerate(codes))
    choices.write_text(choices.read_text(encoding="utf-8") + rows, encoding="utf-8")
    frame = pd.DataFrame({"id": codes, "community": codes, "street": "s1", "wave": 2009})
    frame.to_parquet(root / "data" / "processed" / "residents.parquet")
    study = open_study(root)
    shelf, jobs, inputs = Shelf(study.reports), plan(study), Inputs(study)
    assert len({job.folder for job in jobs}) > 200 and all(len(job.folder) == 3 for job in jobs)
    for job in jobs:
        pages = {one: Page(job.page(one), "p") for one in job.languages}
        shelf.kept[job.slug] = Kept(
            job.slug, job.notebook, None, job.given, "ok", inputs.run_key(job), job.executed, pages
        )
        shelf._there.update(page.path for page in pages.values())
    html = write_index(study, jobs, shelf, inputs).read_text(encoding="utf-8")
    assert f'<li><a href="{jobs[7].page("en")}">{jobs[7].area.label.en}</a></li>' in html  # type: ignore[union-attr]
    assert len(html.encode()) < 300 * len(jobs)
    assert page_texts(study, jobs[1], ["zh"], inputs, root)[0].home == "../../index.html#zh"
