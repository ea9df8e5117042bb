"""A drawn figure as SVG that can live inside a page: small, same bytes each time, ids of its own."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET

import matplotlib as mpl

from cbresearch.show.canvas import Canvas
from cbresearch.show.fonts import CSS_FAMILY, no_missing_glyphs
from cbresearch.show.shown import escape
from cbresearch.show.theme import INK, theme

_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_DEFAULTS = {("stroke-linejoin", "miter"), ("opacity", "1"), ("stroke-opacity", "1"), ("fill-opacity", "1")}
_LEFT_OUT = {"metadata", "style"}


def inline(canvas: Canvas, *, name: str, title: str, alternative: str) -> str:
    """The figure as one <svg> element named `name`, with a written alternative for who cannot see it.

    Widths follow the page; text is text in the page's language; matplotlib's own ids, date and
    style element are left out, so that several figures on one page cannot disturb each other.
    """
    root = ET.fromstring(_saved(canvas, name))
    used = set(
        re.findall(r"#([\w-]+)", " ".join(value for node in root.iter() for value in node.attrib.values()))
    )
    body = "".join(_written(child, name, used) for child in root)
    return (
        f'<svg role="img" aria-labelledby="{name}-t {name}-d" viewBox="0 0 {canvas.width:g} {canvas.height:g}" '
        f'width="100%" style="max-width:640px;height:auto;overflow:visible" font-family="{CSS_FAMILY}" stroke-linejoin="round" fill="none">'
        f'<title id="{name}-t">{escape(title)}</title><desc id="{name}-d">{escape(alternative)}</desc>{body}</svg>'
    )


def _saved(canvas: Canvas, name: str) -> str:
    settings = {**theme(), "svg.hashsalt": name}
    with mpl.rc_context(settings), no_missing_glyphs(), io.StringIO() as file:
        canvas.figure.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue()


def _written(node: ET.Element, name: str, used: set[str]) -> str:
    tag = node.tag.rpartition("}")[2]
    if tag in _LEFT_OUT:
        return ""
    inside = escape(node.text) if tag == "text" and node.text else ""
    inside += "".join(_written(child, name, used) for child in node)
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in _attributes(node, name, used).items())
    if tag in {"g", "defs"} and not inside:
        return ""
    if tag == "g" and not attributes:
        return inside
    return f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _attributes(node: ET.Element, name: str, used: set[str]) -> dict[str, str]:
    """Presentation attributes instead of style rules: shorter, and allowed on a page that forbids inline styles."""
    found: dict[str, str] = {}
    for key, value in node.attrib.items():
        plain = key.rpartition("}")[2]
        if plain == "style":
            found |= _styles(value)
        elif plain == "id":
            found |= {"id": f"{name}-{value}"} if value in used else {}
        elif not (plain == "transform" and re.match(r"rotate\(-?0 ", value)):
            found[plain] = value
    return {
        key: _shortened(re.sub(r"#(?=[mpC]\w{10,}|[mp][0-9a-f]{8,})", f"#{name}-", value))
        for key, value in found.items()
    }


def _styles(rules: str) -> dict[str, str]:
    found = dict(rule.split(":", 1) for rule in rules.split(";") if ":" in rule)
    styles = {key.strip(): value.strip() for key, value in found.items()}
    styles.pop("font-family", None)
    if font := styles.pop("font", None):  # matplotlib before 3.11 writes size and families in one rule
        size = re.search(r"[\d.]+(?=px)", font)
        styles |= {"font-size": f"{size[0]}px"} if size else {}
    return {
        key: "currentColor" if value == INK else value
        for key, value in styles.items()
        if (key, value) not in _DEFAULTS
    }


def _shortened(value: str) -> str:
    flat = " ".join(value.split())
    return _LONG_NUMBER.sub(lambda long: f"{float(long[0]):.2f}".rstrip("0").rstrip("."), flat)
