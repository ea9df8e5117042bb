"""One notebook becomes whole pages, in each language, without a kernel."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import nbformat
import pytest
from as_browser import Found, dangers
from test_publish_safe import HOSTILE
from tiny_workspace import code, notebook_of, prose

from cbresearch.publish import render
from cbresearch.publish.files import made_at
from cbresearch.publish.outline import outlined
from cbresearch.publish.task import PageText
from cbresearch.publish.words import ADVICE, WORDS, advice

PAGE = PageText(
    language="zh",
    study="小区调查",
    notice="样例数据。",
    area="",
    facts=(("调查年份", "2008、2009"),),
    others=(("en", "../en/10_all.html"),),
    home="../index.html#zh",
    path="/nowhere",
)


def with_outputs(*outputs: Any) -> Any:
    notebook = notebook_of(prose("# 标题", "zh"), prose("# Title", "en"), code("f()"))
    notebook.cells[-1].outputs = list(outputs)
    return notebook


def shown(kind: str, content: Any, **about: Any) -> Any:
    return nbformat.v4.new_output("display_data", {kind: content, "text/plain": "plain"}, metadata=about)


def page_of(notebook: Any, language: str = "zh", **options: Any) -> str:
    return render.to_page(notebook, replace(PAGE, language=language), **options)[0]


def test_each_language_has_its_prose_and_its_fragment() -> None:
    both = shown("application/vnd.cbresearch.page+json", {"zh": "<p>满意</p>", "en": "<p>satisfied</p>"})
    zh, en = page_of(with_outputs(both)), page_of(with_outputs(both), "en")
    assert '<html lang="zh-Hans">' in zh and '<html lang="en">' in en
    assert "<h1>标题</h1>" in zh and "满意" in zh and "satisfied" not in zh and "Title" not in zh
    assert "<h1>Title</h1>" in en and "satisfied" in en and "满意" not in en


def test_the_page_says_what_it_is() -> None:
    page = page_of(with_outputs())
    assert "<title>标题 · 小区调查</title>" in page
    assert '<a class="skip" href="#main">跳到正文</a>' in page
    assert '<main id="main"' in page
    assert 'href="../en/10_all.html" hreflang="en"' in page
    assert "样例数据。" in page
    assert "<dt>调查年份</dt><dd>2008、2009</dd>" in page


def test_the_area_is_in_the_title_once() -> None:
    notebook = with_outputs()
    assert render.to_page(notebook, replace(PAGE, area="欣乐社区"))[1] == "欣乐社区：标题"
    notebook.cells[0].source = "# 欣乐社区评分卡"
    assert render.to_page(notebook, replace(PAGE, area="欣乐社区"))[1] == "欣乐社区评分卡"


def policy_of(html: str) -> str:
    return next(
        meta["content"]
        for meta in Found(html).of("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )


@pytest.mark.parametrize("payload", HOSTILE)
@pytest.mark.parametrize(
    "way",
    ["markdown", "text/html", "text/markdown", "text/plain", "fragment", "stream", "error", "svg", "label"],
)
def test_hostile_text_is_harmless_by_every_way_in(payload: str, way: str) -> None:
    page, options = PAGE, {}
    match way:
        case "markdown":
            notebook = notebook_of(prose(f"# t\n\n{payload}\n\n[x](javascript:alert(1))"))
        case "fragment":
            notebook = with_outputs(
                shown("application/vnd.cbresearch.page+json", {"zh": payload, "en": payload})
            )
        case "stream":
            notebook = with_outputs(nbformat.v4.new_output("stream", name="stdout", text=payload))
        case "error":
            notebook = with_outputs(
                nbformat.v4.new_output("error", ename=payload, evalue=payload, traceback=[payload])
            )
            options = {"error": {"class": payload, "message": payload}}
        case "svg":
            notebook = with_outputs(shown("image/svg+xml", f"<svg>{payload}</svg>"))
        case "label":
            notebook = with_outputs(shown("image/png", "AAAA", **{"image/png": {"alt": f'"{payload}'}}))
            page = replace(PAGE, area=payload, study=payload, notice=payload, facts=((payload, payload),))
        case "text/plain":
            notebook = with_outputs(nbformat.v4.new_output("display_data", {"text/plain": payload}))
        case _:
            notebook = with_outputs(shown(way, payload))
    html, _ = render.to_page(notebook, page, **options)
    assert dangers(html) == []
    assert len(Found(html).of("meta")) == 5
    assert html.rstrip().endswith("</html>") and html.count("</main>") == 1


@pytest.mark.parametrize(
    "payload", ["<script>x</script>", "<img src=//x.example>", "<a href=javascript:x>", "<p onclick=x>"]
)
def test_the_watch_for_dangers_sees_them(payload: str) -> None:
    assert dangers(page_of(with_outputs()).replace("<main", payload + "<main"))


def test_a_page_asks_the_network_for_nothing() -> None:
    html = page_of(
        with_outputs(
            shown(
                "text/html", '<img src="https://x.example/a.png"><p style="background:url(//x.example)">a</p>'
            )
        )
    )
    assert dangers(html) == []
    assert policy_of(html).startswith("default-src 'none'; img-src data:;")


def test_the_policy_names_the_script_that_is_there() -> None:
    import base64
    import hashlib

    html = page_of(with_outputs())
    script = html[html.rindex("<script>") + 8 : html.rindex("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy_of(html)


def test_a_small_page_stays_small() -> None:
    assert len(page_of(with_outputs()).encode()) < 60_000


def test_one_fold_holds_the_code_of_a_section() -> None:
    notebook = notebook_of(
        code("import os"), code("first()"), prose("why"), code("second()"), prose("## next"), code("third()"), code("last = 1")
    )  # fmt: skip
    for number, said in ((1, "one"), (3, "two"), (5, "three")):
        notebook.cells[number].outputs = [shown("text/html", f"<p>{said}</p>")]
    html = page_of(notebook)
    folds = re.findall(r'<details class="code">.*?</details>', html, re.DOTALL)
    assert [re.findall("import|first|second|third|last", fold) for fold in folds] == [
        ["import", "first", "second"], ["third", "last"],
    ]  # fmt: skip
    assert html.index("<p>two</p>") < html.index(folds[0]) < html.index(">next</h2>")


def test_no_code_is_lost_where_a_section_shows_nothing() -> None:
    notebook = notebook_of(code("setup = 1"), prose("## a"), code("f()"))
    notebook.cells[2].outputs = [shown("text/html", "<p>1</p>")]
    (fold,) = re.findall(r'<details class="code">.*?</details>', page_of(notebook), re.DOTALL)
    assert "setup" in fold and ">f<" in fold


def test_a_figure_without_words_says_so() -> None:
    html = page_of(with_outputs(shown("image/png", "AA==")))
    assert 'alt="本图没有文字说明"' in html


def test_terminal_colours_do_not_reach_the_page() -> None:
    error = nbformat.v4.new_output("error", ename="E", evalue="e", traceback=["\x1b[31mred\x1b[0m"])
    html = page_of(with_outputs(error), error={"class": "E", "message": "e"})
    assert "red" in html and "\x1b" not in html and "[31m" not in html
    assert WORDS["failed"].zh in html and ADVICE[""].zh in html


def test_findings_are_collected_with_null_for_what_is_no_number() -> None:
    kind = "application/vnd.cbresearch.findings+json"
    notebook = with_outputs(
        shown(
            kind,
            [
                {
                    "name": "nan",
                    "value": 1.5,
                    "low": "nan",
                    "high": float("inf"),
                    "p": None,
                    "group": {"a": "1"},
                }
            ],
        )
    )
    assert render.findings_of(notebook) == (
        {"name": "nan", "value": 1.5, "low": None, "high": None, "p": None, "group": {"a": "1"}},
    )  # fmt: skip


def test_headings_leave_no_gap_and_keep_their_places() -> None:
    outline = outlined("<h1>T</h1><h3>a</h3><h1>b</h1><h4>c</h4><h2>d</h2>", "Table")
    assert outline.title == "T"
    assert re.findall(r'<h(\d) id="(s\d)">', outline.body) == [
        ("2", "s1"),
        ("2", "s2"),
        ("3", "s3"),
        ("2", "s4"),
    ]
    assert [place.anchor for place in outline.contents] == ["s1", "s2", "s4"]


def test_a_table_that_has_its_frame_keeps_it() -> None:
    framed = '<div class="scroll" tabindex="0"><table><tr><td>1</td></tr></table></div>'
    assert outlined(framed, "Table").body == framed


def test_two_tables_of_one_name_are_told_apart() -> None:
    table = "<table><caption>Ages</caption><tr><td>1</td></tr></table>"
    body = outlined(3 * table, "Table").body
    assert [name in body for name in ('"Ages"', '"Ages (2)"', '"Ages (3)"')] == [True] * 3
    assert body.count("<caption>Ages</caption>") == 3


def test_a_table_scrolls_in_its_own_frame_under_its_caption() -> None:
    outline = outlined("<table><caption>Ages &amp; sexes</caption><tr><td>1</td></tr></table>", "Table")
    assert outline.body.startswith(
        '<div class="scroll" role="region" tabindex="0" aria-label="Ages &amp; sexes"><table>'
    )


@pytest.mark.parametrize(
    "text", [*WORDS.values(), *ADVICE.values()], ids=[*WORDS, *(f"advice-{name}" for name in ADVICE)]
)
def test_every_word_is_there_in_both_languages(text: Any) -> None:
    assert re.search(r"[\u4e00-\u9fff]", text.zh)
    assert text.en and not re.search(r"[\u4e00-\u9fff]", text.en)


def test_an_error_without_advice_of_its_own_gets_the_general_one() -> None:
    assert advice("KeyError", "en") == ADVICE[""].en
    assert advice("DeadKernelError", "zh") == ADVICE["DeadKernelError"].zh


def test_the_date_can_be_fixed_so_that_pages_are_equal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "86400")
    assert made_at()[:10] == "1970-01-02"
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", made_at()[:10])
