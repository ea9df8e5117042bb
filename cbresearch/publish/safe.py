"""HTML from notebooks made harmless: nothing in it can run, load or leave the page."""

from __future__ import annotations

import re

import nh3

TEXT_TAGS = {
    "a", "abbr", "aside", "b", "bdi", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd",
    "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5",
    "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "rp", "rt", "ruby", "s", "samp",
    "section", "small", "span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th",
    "thead", "time", "tr", "u", "ul", "var", "wbr",
}  # fmt: skip
DRAWING_TAGS = {
    "svg", "g", "defs", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan",
    "title", "desc", "use", "clipPath", "symbol", "marker", "linearGradient", "radialGradient", "stop", "pattern",
}  # fmt: skip
ANYWHERE = {
    "aria-describedby", "aria-hidden", "aria-label", "aria-labelledby", "class", "dir", "id", "lang", "role",
    "style", "title",
}  # fmt: skip
DRAWING = {
    "clip-path", "clip-rule", "cx", "cy", "d", "dominant-baseline", "dx", "dy", "fill", "fill-opacity", "fill-rule",
    "focusable", "font-family", "font-size", "font-style", "font-weight", "gradientTransform", "gradientUnits",
    "height", "href", "markerHeight", "markerUnits", "markerWidth", "marker-end", "marker-mid", "marker-start",
    "offset", "opacity", "orient", "pathLength", "patternTransform", "patternUnits", "points",
    "preserveAspectRatio", "r", "refX", "refY", "rx", "ry", "stop-color", "stop-opacity", "stroke",
    "stroke-dasharray", "stroke-dashoffset", "stroke-linecap", "stroke-linejoin", "stroke-miterlimit",
    "stroke-opacity", "stroke-width", "text-anchor", "transform", "vector-effect", "version", "viewBox", "width",
    "x", "x1", "x2", "xmlns", "y", "y1", "y2",
}  # fmt: skip
ATTRIBUTES = {
    "*": ANYWHERE,
    "div": {"tabindex"},
    "a": {"href", "download", "hreflang"},
    "col": {"span"},
    "colgroup": {"span"},
    "details": {"open"},
    "img": {"src", "alt", "width", "height"},
    "li": {"value"},
    "ol": {"start", "reversed", "type"},
    "td": {"colspan", "rowspan", "headers"},
    "th": {"colspan", "rowspan", "headers", "scope", "abbr"},
    "time": {"datetime"},
    **dict.fromkeys(DRAWING_TAGS, DRAWING),
}
CONTENT_GOES_TOO = {
    "script",
    "style",
    "iframe",
    "object",
    "embed",
    "template",
    "noscript",
    "metadata",
    "form",
    "math",
}
STYLES = {
    "background-color", "border-bottom", "border-left", "border-right", "border-top", "clip-path", "clip-rule",
    "color", "display", "dominant-baseline", "fill", "fill-opacity", "fill-rule", "font", "font-family",
    "font-size", "font-style", "font-weight", "height", "letter-spacing", "max-width", "min-width", "opacity",
    "overflow", "paint-order", "stop-color", "stop-opacity", "stroke", "stroke-dasharray", "stroke-dashoffset",
    "stroke-linecap", "stroke-linejoin", "stroke-miterlimit", "stroke-opacity", "stroke-width", "text-align",
    "text-anchor", "transform", "vertical-align", "white-space", "width",
}  # fmt: skip

PICTURES = re.compile(r"data:image/(png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=\s]*\Z")
DOWNLOADS = re.compile(r"data:(text/csv|application/json)[;,]")
ELSEWHERE = re.compile(r"(https?://|mailto:)[^\s]*\Z", re.IGNORECASE)
BESIDE = re.compile(r"(?!/)[\w./%#-]+\Z")
HERE = re.compile(r"#[^\s]*\Z")
LOADS = re.compile(r"url\s*\(\s*(?!['\"]?#)|expression|@import|\\", re.IGNORECASE)


def clean(html: str) -> str:
    """`html` without anything that runs or loads; tables, drawings, folds and labels stay.

    Links may lead to places in the page, to files beside it, to http(s), mailto, to data held in the
    page as CSV or JSON. Pictures must be held in the page. Styles keep only properties that cannot load or cover.
    """
    return nh3.clean(
        html.replace("xlink:href=", "href="),  # the old name is dropped by the parser, the new one is kept
        tags=TEXT_TAGS | DRAWING_TAGS,
        clean_content_tags=CONTENT_GOES_TOO,
        attributes=ATTRIBUTES,
        attribute_filter=_harmless,
        filter_style_properties=STYLES,
        url_schemes={"http", "https", "mailto", "data"},
        link_rel="noopener noreferrer",
    )


def _harmless(tag: str, attribute: str, value: str) -> str | None:
    """The value where it may stay, else None."""
    if attribute == "tabindex":
        return value if value == "0" else None  # a higher one would jump the queue
    if attribute == "src":
        return value if PICTURES.match(value) else None
    if attribute == "href" and tag != "a":
        return value if HERE.match(value) else None
    if attribute == "href":
        kept = HERE.match(value) or BESIDE.match(value) or ELSEWHERE.match(value) or DOWNLOADS.match(value)
        return value if kept else None
    if attribute in DRAWING or attribute == "style":
        return None if LOADS.search(value) else value
    return value
