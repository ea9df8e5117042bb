"""Terms lead to their meaning where they are first used in running text, in both languages, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cbresearch.publish.glossary import TERMS, explained


def linked(body: str, language: str = "en") -> list[str]:
    return re.findall(r'<a class="term" href="#term-([\w-]+)"', explained(body, language).body)


def test_the_first_use_is_marked_and_the_term_listed() -> None:
    told = explained("<p>A weighted mean with its 95% interval. Another 95% interval.</p>", "en")
    assert told.body.count('class="term"') == 2
    assert [word for _, word, _ in told.terms] == ["95% interval", "weighted"]
    assert (
        re.sub(r"</?a[^>]*>", "", told.body)
        == "<p>A weighted mean with its 95% interval. Another 95% interval.</p>"
    )


@pytest.mark.parametrize(
    "body",
    [
        "<h2>95% interval</h2>", "<table><tr><td>95% interval</td></tr></table>", "<pre><code>alpha</code></pre>",
        '<p class="headline">65 points (95% interval 63 to 67).</p>', "<svg><text>alpha</text></svg>",
        "<figure><figcaption>95% interval</figcaption></figure>", "<p><a href='#x'>alpha</a></p>",
        '<p title="alpha">x</p>', "<p>alphabet, non-weighted-like</p>", "<details><summary>alpha</summary></details>",
    ],
)  # fmt: skip
def test_elsewhere_it_is_left_alone(body: str) -> None:
    assert explained(body, "en") == explained(body, "en").__class__(body, ())


def test_after_what_is_left_alone_comes_what_is_not() -> None:
    assert linked(
        '<p class="headline">a 95% interval</p><p>a <br>95% interval</p><h2>alpha</h2><p>alpha</p>'
    ) == ["interval", "alpha"]
    assert linked("<p>野聚类自助法与置信区间</p>", "zh") == ["bootstrap", "interval"]


def test_the_longer_term_comes_first() -> None:
    assert explained("<p>the wild cluster bootstrap</p>", "en").body.count(">wild cluster bootstrap</a>") == 1


def test_every_term_says_something_in_both_languages() -> None:
    assert len({term.anchor for term in TERMS}) == len(TERMS)
    for term in TERMS:
        assert len(term.meaning.zh) > 15 and len(term.meaning.en) > 30, term.anchor
        assert linked(f"<p>x {term.en[0]} x</p>") == [term.anchor]
        assert term.anchor in linked(f"<p>x{term.zh[0]}x</p>", "zh")


@given(
    st.lists(
        st.sampled_from(
            ["<p>", "</p>", "alpha ", "weighted", "<br>", "<h2>", "</h2>", "ICC", "x < y", "<b>", "</b>"]
        )
    )
)
def test_words_stay_as_they_were(parts: list[str]) -> None:
    body = "".join(parts)
    told = explained(body, "en")
    assert re.sub(r'<a class="term"[^>]*>(.*?)</a>', r"\1", told.body) == body
    assert len({anchor for anchor, _, _ in told.terms}) == len(told.terms)


def test_a_report_explains_what_it_uses(published: Path) -> None:
    for language in ("zh", "en"):
        html = (published / "reports" / language / "50_drivers.html").read_text(encoding="utf-8")
        used = re.findall(r'<a class="term" href="#(term-[\w-]+)" title="[^"]+">', html)
        assert len(used) == len(set(used)) >= 5
        assert sorted(used) == sorted(re.findall(r'<div id="(term-[\w-]+)"><dt>', html))
