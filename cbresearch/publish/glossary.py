"""Words of the trade explained: the first time a page uses one it leads to its meaning, which stands at the page's end."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from cbresearch.records import Text


@dataclass(frozen=True, slots=True)
class Term:
    """A word with its meaning; `zh` and `en` are the ways in which pages write it, the usual one first."""

    anchor: str
    zh: tuple[str, ...]
    en: tuple[str, ...]
    meaning: Text

    def words(self, language: str) -> tuple[str, ...]:
        return self.zh if language == "zh" else self.en


TERMS = (
    Term("interval", ("置信区间",), ("95% interval", "confidence interval"), Text(
        "只问一部分人，答案就有出入。同样的调查做一百次，大约九十五次的区间会含住真实数值。区间越窄，说得越准。",
        "Asking only some people leaves room for chance. Of a hundred surveys like this one, the intervals of about "
        "ninety-five would hold the real figure. The narrower, the surer.")),
    Term("weighted", ("加权",), ("weighted", "weights"), Text(
        "让每份答卷代表应当代表的人数：访问得少的人群，每人算得重一些，使样本的构成与全区居民一致。",
        "Each answer counts for the people it stands for: groups of whom fewer were asked count for more, so that the "
        "sample is made up as the district is.")),
    Term("standard-error", ("标准误",), ("standard error", "standard errors"), Text(
        "一个数字因为只问了一部分人而会有多大出入；区间大约是它的两倍，向两边伸展。",
        "How far a figure typically strays because only some people were asked. An interval reaches about twice as far "
        "to each side.")),
    Term("sampling-error", ("抽样误差",), ("sampling error",), Text(
        "因为只访问了一部分居民而来的出入。台账是全数登记，没有抽样误差，但仍可能记错。",
        "What is due to asking only some residents. A ledger counts everybody and has none, yet it may be wrong.")),
    Term("design-effect", ("设计效应",), ("design effect",), Text(
        "抽样和加权使精度打了几折：设计效应为2，一千份答卷只相当于简单抽样的五百份。",
        "What drawing by clusters and weighting cost: with a design effect of 2, a thousand answers tell as much as five "
        "hundred drawn one by one.")),
    Term("effective-n", ("有效样本量", "有效样本"), ("effective n",), Text(
        "答卷数除以设计效应：按简单抽样计算，这些答卷相当于多少份。",
        "The number of answers divided by the design effect: as how many answers drawn one by one these count.")),
    Term("df", ("自由度",), ("degrees of freedom",), Text(
        "估计误差大小所依据的独立信息有多少。社区少，自由度就少，区间就宽。",
        "How many independent pieces of information the margin of error rests on. Few communities give few of them, and "
        "wide intervals.")),
    Term("alpha", ("α系数",), ("alpha",), Text(
        "一组问题是否在问同一件事：0到1之间，通常要求0.7以上，合成的得分才可靠。",
        "Whether the questions of a score ask the same thing: from 0 to 1. Scores are usually trusted from 0.7 on.")),
    Term("cr2", ("CR2",), ("CR2",), Text(
        "适合社区不多时的误差算法：承认同一社区的居民彼此相似，并按社区的多少放宽区间（Bell与McCaffrey，2002年）。",
        "Margins of error made for few communities: residents of one community resemble each other, and intervals widen "
        "as communities are fewer (Bell and McCaffrey 2002).")),
    Term("bootstrap", ("自助法",), ("wild cluster bootstrap", "wild bootstrap", "bootstrap"), Text(
        "让计算机按“其实没有作用”的假设重演数据几千次，看真实结果有多少见。",
        "The computer replays the data thousands of times as if there were no effect, and sees how rare the real result "
        "would be.")),
    Term("permutation", ("置换检验", "置换"), ("permutation test", "permutation", "permuted"), Text(
        "把各社区的投入随机对调许多次；如果对调后常常得到同样大的结果，这个结果就可能只是巧合。",
        "The inputs are dealt out to the communities at random many times; where that often gives as large a result, the "
        "real one may be chance.")),
    Term("holm", ("Holm",), ("Holm",), Text(
        "同时检验几个问题时提高门槛的方法，使“碰巧显著”不会因为问得多而变多（Holm，1979年）。",
        "A higher bar where several questions are tested together, so that asking more does not turn up more by luck "
        "(Holm 1979).")),
    Term("bh", ("Benjamini–Hochberg", "Benjamini"), ("Benjamini–Hochberg", "Benjamini"), Text(
        "探索许多问题时的门槛：在报告为有关的结果里，平均只有一小部分是碰巧（1995年）。",
        "The bar for exploring many questions: of those reported, only a small share is luck on average (1995).")),
    Term("icc", ("ICC",), ("ICC",), Text(
        "居民之间的差别有多大一部分来自住在不同的社区：0表示与社区无关，1表示全由社区决定。",
        "How much of the differences between residents lies between communities: 0 where the community says nothing, 1 "
        "where it says all.")),
    Term("parallel", ("平行趋势",), ("parallel trends", "in parallel"), Text(
        "前提：没有政策的话，先后惠及的社区本来会同样变化。不能证明，只能看以前几年是否如此。",
        "The premise that without the policy all communities would have changed alike. It cannot be proved; earlier years "
        "can speak against it.")),
    Term("imputation", ("多重插补", "填补"), ("multiple imputation", "imputation", "imputed"), Text(
        "没有回答的题目，依照情况相似的人填上许多种可能的答案，再把各种可能的结果合在一起，不确定也算在内。",
        "Gaps are filled many times over with answers that people like these might have given, and the results are put "
        "together with that doubt included.")),
    Term("e-value", ("E值",), ("E-value", "E-values"), Text(
        "一个没有观察到的原因要多强，才能把这个结果全部解释掉。数越大，结果越难被推翻。",
        "How strong something unobserved would have to be to explain the result away. The larger, the harder.")),
    Term("htmt", ("HTMT",), ("HTMT", "HTMT2"), Text(
        "两个得分是不是其实在量同一件事：接近1就分不开。",
        "Whether two scores really measure one thing: near 1 they cannot be told apart.")),
    Term("quadrant", ("象限",), ("quadrant", "quadrants"), Text(
        "重要性与表现各分高低，交叉成四格：重要而表现差的一格最先要改。",
        "High and low importance crossed with high and low performance: what is important and poorly done comes first.")),
    Term("satterthwaite", ("Satterthwaite",), ("Satterthwaite",), Text(
        "社区大小不一时估计自由度的办法，使区间不会过窄（1946年）。",
        "A way to find the degrees of freedom where communities differ, so that intervals are not too narrow (1946).")),
    Term("polychoric", ("多分格相关", "多项相关"), ("polychoric",), Text(
        "适合“很满意、满意、一般”这类分级答案的相关系数。",
        "A correlation made for graded answers such as very satisfied, satisfied, neither.")),
)  # fmt: skip
TOKEN = re.compile(r"(<[^>]+>)")
TAG = re.compile(r"</?([a-z0-9]+)", re.IGNORECASE)
NOT_IN = {
    "a", "button", "caption", "code", "dt", "figcaption", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "summary", "svg",
    "p.headline", "table", "title",
}  # fmt: skip
VOID = {"br", "col", "hr", "img", "wbr"}


@dataclass(frozen=True, slots=True)
class Explained:
    """A page's body whose terms lead to their meaning, and the terms it uses as (anchor, word, meaning)."""

    body: str
    terms: tuple[tuple[str, str, str], ...]


def explained(body: str, language: str) -> Explained:
    """Mark the first use of each term in running text; headings, headlines, tables, code and figures are left alone.

    `body` must be sanitised, hence well-formed.
    """
    waiting = {term.anchor: term for term in TERMS}
    used: list[tuple[str, str, str]] = []
    inside: list[str] = []
    out: list[str] = []
    for token in TOKEN.split(body):
        if token.startswith("<"):
            _step(token, inside)
        elif token.strip() and not NOT_IN & set(inside):
            token = _marked(token, language, waiting, used)
        out.append(token)
    return Explained("".join(out), tuple(sorted(used, key=lambda one: one[1].lower())))


def _step(tag: str, inside: list[str]) -> None:
    """Into an element or out of it."""
    found = TAG.match(tag)
    if not found or found[1].lower() in VOID or tag.endswith("/>"):
        return
    if tag.startswith("</"):
        while inside and inside.pop().partition(".")[0] != found[1].lower():
            pass
    else:
        inside.append(found[1].lower() + (".headline" if 'class="headline"' in tag else ""))


def _marked(text: str, language: str, waiting: dict[str, Term], used: list[tuple[str, str, str]]) -> str:
    places = sorted(_places(text, language, waiting), key=lambda place: place[0])
    out, at = [], 0
    for start, end, term in places:
        if start < at:  # within a longer term
            continue
        meaning = term.meaning.say(language)
        del waiting[term.anchor]
        used.append((term.anchor, term.words(language)[0], meaning))
        link = (
            f'<a class="term" href="#term-{term.anchor}" title="{html.escape(meaning)}">{text[start:end]}</a>'
        )
        out += [text[at:start], link]
        at = end
    return "".join([*out, text[at:]])


def _places(text: str, language: str, waiting: dict[str, Term]) -> Iterator[tuple[int, int, Term]]:
    """Where each waiting term stands first in the text."""
    for term in waiting.values():
        for word in term.words(language):
            around = (r"(?<![\w-])", r"(?![\w-])") if word.isascii() and language == "en" else ("", "")
            if found := re.search(f"{around[0]}{re.escape(word)}{around[1]}", text):
                yield found.start(), found.end(), term
                break
