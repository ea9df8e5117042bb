"""Which fonts figures are measured with, and what happens to a character that none of them has."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from matplotlib.font_manager import FontProperties, fontManager

from cbresearch.errors import PublishError

LATIN = "DejaVu Sans"
"""Comes with matplotlib, so widths are the same everywhere."""
CHINESE = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Noto Sans CJK JP",
    "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC", "Hiragino Sans GB", "SimHei",
)  # fmt: skip
"""Families with simplified Chinese, best first."""
PACKAGED = "NotoSansSC-Regular.ttf"
CSS_FAMILY = (
    "system-ui, -apple-system, 'Segoe UI', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', 'Noto Sans SC', "
    "'Source Han Sans SC', 'WenQuanYi Micro Hei', 'DejaVu Sans', sans-serif"
)
"""What a browser draws a figure's text with: whatever the reader's machine has."""


@cache
def families() -> tuple[str, str]:
    """A Latin family, then a Chinese one: of the system, else the file in the package zhplot.

    Fallback works for a list in `font.family`; it does not for `font.sans-serif`, which is why
    figures never name the generic family.
    """
    known = {font.name for font in fontManager.ttflist}
    found = next((name for name in CHINESE if name in known), None)
    return LATIN, found or _packaged()


def _packaged() -> str:
    spec = find_spec("zhplot")
    places = spec.submodule_search_locations if spec else None
    for place in places or ():
        for path in Path(place).rglob(PACKAGED):
            fontManager.addfont(str(path))
            return str(FontProperties(fname=str(path)).get_name())
    raise PublishError(
        f"No font with Chinese characters: looked for {', '.join(CHINESE)} on this machine and for {PACKAGED} "
        "in the package zhplot. Install one of the fonts, or run 'pip install zhplot'."
    )


@contextmanager
def no_missing_glyphs() -> Iterator[None]:
    """A character that no font has stops the figure: an empty box in a report is an error, not a warning."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="Glyph .* missing from")
        try:
            yield
        except UserWarning as warning:
            raise PublishError(_missing(str(warning))) from warning


def _missing(said: str) -> str:
    code = re.search(r"Glyph (\d+)", said)
    character = f"'{chr(int(code[1]))}' (U+{int(code[1]):04X})" if code else said
    return (
        f"No font has the character {character}; looked in {' and '.join(families())}. "
        "Install a font that has it, or change the label in codebook.csv or choices.csv."
    )
