"""What a browser would find in a page: its real tags and attributes, not words that look like them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

NEVER = {
    "iframe",
    "object",
    "embed",
    "form",
    "base",
    "link",
    "template",
    "video",
    "audio",
    "foreignobject",
    "frame",
    "applet",
}
LOADING = {
    "src",
    "srcset",
    "srcdoc",
    "data",
    "poster",
    "background",
    "action",
    "formaction",
    "xlink:href",
    "ping",
}


class Found(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.styles: list[str] = []
        self._in_style = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        self._in_style = tag == "style"

    def handle_endtag(self, tag: str) -> None:
        self._in_style = False

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.styles.append(data)

    def of(self, tag: str) -> list[dict[str, str]]:
        return [attrs for name, attrs in self.tags if name == tag]


def dangers(html: str) -> list[str]:
    """Everything in a page that could run, load or leave it without a click."""
    found = Found(html)
    told = [f"<{tag}>" for tag, _ in found.tags if tag in NEVER]
    told += [f"<{tag} {name}>" for tag, attrs in found.tags for name in attrs if name.startswith("on")]
    told += ["a second script"] if len(found.of("script")) != 1 or found.of("script")[0] else []
    told += ["a second style"] if len(found.of("style")) != 1 else []
    told += ["a refresh"] if any(meta.get("http-equiv", "") == "refresh" for meta in found.of("meta")) else []
    for tag, attrs in found.tags:
        for name, value in attrs.items():
            bare = re.sub(r"[\s\x00-\x1f]", "", value).lower()
            if name in LOADING and not bare.startswith("data:image/"):
                told.append(f"<{tag} {name}={bare[:40]}>")
            if name == "href" and re.match(r"(javascript|vbscript|data:text/html|data:image)", bare):
                told.append(f"<{tag} href={bare[:40]}>")
            if name == "href" and tag != "a" and not bare.startswith("#"):
                told.append(f"<{tag} href={bare[:40]}>")
            if name in {"style", "fill", "stroke", "clip-path"} and re.search(
                r"url\((?!['\"]?#)|position:", bare
            ):
                told.append(f"<{tag} {name}={bare[:40]}>")
    told += (
        ["a style that loads"] if any(re.search(r"url\(|@import", style) for style in found.styles) else []
    )
    return told
