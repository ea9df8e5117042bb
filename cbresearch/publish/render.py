"""From an executed notebook to one page: the only place that knows nbconvert."""

from __future__ import annotations

import math
import re
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import TemplateExporter
from nbconvert.filters import Highlight2HTML
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

from cbresearch.publish.assets import asset, content_policy
from cbresearch.publish.cells import FINDINGS, is_for, outputs_as_html
from cbresearch.publish.glossary import explained
from cbresearch.publish.outline import outlined, text_of
from cbresearch.publish.provenance import sealed
from cbresearch.publish.safe import clean
from cbresearch.publish.task import PageText
from cbresearch.publish.words import HTML_LANGUAGES, LANGUAGE_NAMES, advice, words

HERE = Path(__file__).parent
NUMBERS = {"value", "low", "high", "se", "df", "n", "p", "psus"}
HEADLINE = re.compile(r'<p class="headline">(.*?)</p>', re.DOTALL)
SECTION = re.compile(r"\s*#{1,2}\s")
SECTIONS_KEPT = 1_000
"""Code and prose that one lane remembers: most reports of a run share theirs."""
NOT_SHOWN = {"papermill-error-cell-tag"}


class PageExporter(TemplateExporter):
    """Notebook cells through our own blocks on nbconvert's base template; nothing is fetched."""

    export_from_notebook = None
    output_mimetype = "text/html"

    @property
    def default_config(self) -> Any:
        return Config({"NbConvertBase": {"display_data_priority": []}})


def to_page(notebook: Any, page: PageText, *, error: dict[str, str] | None = None) -> tuple[str, str]:
    """One whole HTML page in the language of `page`, with its title.

    Everything from the notebook is sanitised. `error` (class, message) puts a warning on top with
    what to do about it. The page makes no request and needs no script.
    """
    exporter = _exporter()
    say = words(page.language)
    body, _ = exporter.from_notebook_node(_prepared(notebook, page.language), resources={"say": say})
    outline = outlined(body, say["table"])
    told = explained(outline.body, page.language)
    title = _title(outline.title or page.study, page)
    script = asset("page.js") + asset("take.js")
    text = exporter.environment.get_template("page.html.j2").render(
        page=page, say=say, title=title, outline=outline, body=told.body, terms=told.terms, error=error, style=asset("page.css"), script=script,
        policy=content_policy(script), html_language=HTML_LANGUAGES[page.language], names=LANGUAGE_NAMES,
        html_languages=HTML_LANGUAGES, advice=advice(error["class"], page.language) if error else "",
    )  # fmt: skip
    return sealed(text), title


def headline_of(html: str) -> str:
    """The first headline sentence of a page, as text; empty where it has none."""
    found = HEADLINE.search(html)
    return text_of(found[1]) if found else ""


def findings_of(notebook: Any) -> tuple[dict[str, Any], ...]:
    """Every record of a number that the notebook's outputs publish, in order; what is not a number is null."""
    return tuple(
        _strict(record)
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for record in output.get("data", {}).get(FINDINGS, ())
    )


def read_notebook(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def as_json(notebook: Any) -> str:
    return str(nbformat.writes(notebook)) + "\n"


def warm_up() -> None:
    """Build the exporter before the first page needs it."""
    _exporter()


@cache
def _exporter() -> Any:
    exporter = PageExporter(
        extra_template_basedirs=[str(HERE)],
        template_name="template",
        template_file="cells.html.j2",
        config=Config({"TemplateExporter": {"preprocessors": [], "default_preprocessors": []}}),
    )
    exporter.environment.get_template("page.html.j2")
    return exporter


@cache
def _highlighter() -> Any:
    return Highlight2HTML(pygments_lexer="python3")


def _prepared(notebook: Any, language: str) -> Any:
    """A copy with the cells that the page shows, each with its HTML in `metadata.html`.

    The code of a section waits for the section's end, so that one fold holds all that led to it.
    """
    shown: list[Any] = []
    waiting: list[str] = []
    for cell in notebook.cells:
        if NOT_SHOWN & set(cell.metadata.get("tags", [])) or not is_for(cell, language):
            continue
        if cell.cell_type == "code":
            waiting.append(cell.source)
            if outputs := outputs_as_html(cell, language, _markdown):
                shown.append(_cell("code", outputs))
        elif cell.cell_type == "markdown":
            if SECTION.match(cell.source) and shown and shown[-1].cell_type == "code":
                shown[-1].metadata["code"] = _code(waiting)
                waiting = []
            shown.append(_cell("markdown", _prose(cell.source)))
    if code := _code(waiting):
        shown.append(_cell("code", "", code))
    return nbformat.v4.new_notebook(cells=shown, metadata=notebook.metadata)


def _cell(kind: str, html: str, code: str = "") -> Any:
    make = nbformat.v4.new_markdown_cell if kind == "markdown" else nbformat.v4.new_code_cell
    return make("", metadata={"html": html, "code": code})


def _markdown(source: str) -> str:
    renderer = IPythonRenderer(escape=False, exclude_anchor_links=True)
    return str(MarkdownWithMath(renderer=renderer).render(source))


@lru_cache(SECTIONS_KEPT)
def _prose(source: str) -> str:
    return clean(_markdown(source))


def _code(sources: list[str]) -> str:
    code = "\n\n".join(source.strip() for source in sources if source.strip())
    return _coloured(code) if code else ""


@lru_cache(SECTIONS_KEPT)
def _coloured(code: str) -> str:
    return clean(_highlighter()(code, language="python"))


def _title(heading: str, page: PageText) -> str:
    if not page.area or page.area in heading:
        return heading
    return f"{page.area}：{heading}" if page.language == "zh" else f"{page.area}: {heading}"


def _strict(record: Any) -> dict[str, Any]:
    """A record that JSON can hold: a kernel writes NaN as the text "nan", which is no number either."""
    return {
        str(name): None if name in NUMBERS and not _is_finite(value) else value
        for name, value in record.items()
    }


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
