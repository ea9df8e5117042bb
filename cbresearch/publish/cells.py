"""A notebook's cells as harmless HTML in one language."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping
from typing import Any

from cbresearch.publish.safe import clean
from cbresearch.publish.words import WORDS

PAGE = "application/vnd.cbresearch.page+json"
FINDINGS = "application/vnd.cbresearch.findings+json"
LANGUAGE_TAGS = {"zh", "en"}
ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def is_for(cell: Any, language: str) -> bool:
    """Whether a page in `language` shows the cell: tagged with it, or with no language."""
    tagged = LANGUAGE_TAGS & set(cell.metadata.get("tags", []))
    return not tagged or language in tagged


def outputs_as_html(cell: Any, language: str, markdown: Callable[[str], str]) -> str:
    """All outputs of one code cell, in order; standard error stays in the executed notebook."""
    return "\n".join(
        filter(None, (_output(output, language, markdown) for output in cell.get("outputs", ())))
    )


def plain_text(text: str) -> str:
    """Text for a page: terminal colours and control characters gone, the rest escaped."""
    return html.escape(CONTROL.sub("", ANSI.sub("", text)))


def joined(value: Any) -> str:
    """nbformat keeps long texts as lists of lines."""
    return "".join(value) if isinstance(value, list) else str(value)


def _output(output: Any, language: str, markdown: Callable[[str], str]) -> str:
    match output.output_type:
        case "stream":
            return _printed(joined(output.text)) if output.name == "stdout" else ""
        case "error":
            return _error(output, language)
        case "display_data" | "execute_result":
            return _data(output.data, output.get("metadata", {}), language, markdown)
        case _:
            return ""


def _data(
    data: Mapping[str, Any], about: Mapping[str, Any], language: str, markdown: Callable[[str], str]
) -> str:
    """The richest kind that can be shown: a page fragment, HTML, drawing, picture, markdown, text."""
    fragments = data.get(PAGE)
    if isinstance(fragments, Mapping) and isinstance(fragments.get(language), str):
        return clean(fragments[language])
    if "text/html" in data:
        return clean(joined(data["text/html"]))
    if "image/svg+xml" in data:
        return f'<figure class="chart">{clean(joined(data["image/svg+xml"]))}</figure>'
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            return _picture(kind, joined(data[kind]), about.get(kind, {}), language)
    if "text/markdown" in data:
        return clean(markdown(joined(data["text/markdown"])))
    return _printed(joined(data["text/plain"])) if "text/plain" in data else ""


def _picture(kind: str, encoded: str, about: Mapping[str, Any], language: str) -> str:
    alt = str(about.get("alt") or WORDS["image"].say(language))
    source = f"data:{kind};base64,{re.sub(r'[^A-Za-z0-9+/=]', '', encoded)}"
    return f'<figure class="chart"><img src="{source}" alt="{html.escape(alt)}"></figure>'


def _printed(text: str) -> str:
    """Lines as they are, for columns are often drawn with blanks; by keyboard one can scroll them too."""
    return f'<pre class="printed" tabindex="0">{plain_text(text.rstrip())}</pre>' if text.strip() else ""


def _error(output: Any, language: str) -> str:
    trace = plain_text("\n".join(output.get("traceback", [])))
    return (
        f'<div class="error"><p><strong>{plain_text(output.ename)}</strong>: {plain_text(output.evalue)}</p>'
        f"<details><summary>{WORDS['trace'].say(language)}</summary><pre>{trace}</pre></details></div>"
    )
