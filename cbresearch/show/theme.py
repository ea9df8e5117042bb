"""The look of every figure: seaborn's paper theme in colours that all readers can tell apart."""

from __future__ import annotations

from functools import cache
from typing import Any

import seaborn as sns
from matplotlib.colors import to_hex

from cbresearch.show.fonts import families

INK = "#1d2733"
"""Text and axes. On a page it becomes the page's own text colour, so that dark mode can be read."""
CATEGORY = ("#1a78b8", "#c8511b", "#00855f", "#9457a6", "#8f6d00", "#68737f")
"""For things without order. Each stands out 3 : 1 from white and from black; told apart in every colour blindness."""
MAIN, ACCENT = CATEGORY[0], CATEGORY[1]
ORDER = ("#c6dbef", "#9ecae1", "#6baed6", "#3182bd", "#08519c")
"""For less to more: lightness alone carries it."""
DIVERGENCE = ("#b2560d", "#f0b27a", "#d5d9dd", "#85b6dc", "#1f66a8")
"""For dissatisfied (orange) through neither (grey) to satisfied (blue)."""
ON_DARK, ON_LIGHT = "#ffffff", "#16202b"
FONT, SMALL = 12.0, 10.5
"""Text sizes in figure units; a figure is 480 units wide and fills a phone at about three quarters."""


@cache
def theme() -> Any:
    """Settings for one figure: no clock, no chance, text as text, fonts that have Chinese."""
    return {
        **sns.plotting_context("paper"),
        **sns.axes_style("white"),
        "font.family": list(families()),
        "font.size": FONT,
        "text.color": INK,
        "text.parse_math": False,  # a price such as '$5 or $9' is no formula
        "svg.fonttype": "none",
        "path.simplify": False,
        "figure.facecolor": "none",
        "savefig.facecolor": "none",
    }


def spread(palette: tuple[str, ...], count: int) -> list[str]:
    """`count` colours from both ends of a palette inwards; its middle only where the count is odd."""
    if count > len(palette):
        return [to_hex(colour) for colour in sns.blend_palette(palette, count)]
    half, odd = divmod(count, 2)
    middle = [palette[len(palette) // 2]] if odd else []
    return [*palette[:half], *middle, *palette[len(palette) - half :]]


def text_on(colour: str) -> str:
    """Dark or light text, whichever can be read on `colour`."""
    return ON_LIGHT if contrast(colour, ON_LIGHT) >= contrast(colour, ON_DARK) else ON_DARK


def contrast(one: str, other: str) -> float:
    """WCAG 2.2 contrast of two colours, from 1 (the same) to 21 (black on white)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
