"""Figures of a forked kernel: fonts found before the fork, and each text laid out once for a picture.

A picture with a tight box, which is what notebooks show, is gone through three times: for the places of its ticks,
for its box, and to draw it. Each time matplotlib lays every text out again, looks for the best place of a legend,
and asks each axis for its ticks up to a dozen times. Here the answers are kept for the time of one picture, by
everything that they depend on, so that the picture is the same to the byte. A matplotlib whose layout reads what
this module does not know is left alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from functools import wraps
from types import CodeType
from typing import Any

LAYOUT_READS = frozenset(
    {
        # the text, as in the key below
        "_get_wrapped_text", "_get_multialignment", "_fontproperties", "_horizontalalignment", "_linespacing",
        "_preprocess_math", "_verticalalignment", "dpi", "get_figure", "get_rotation", "get_rotation_mode", "get_usetex",
        "get_size_in_points", "_ha_for_angle", "_va_for_angle",
        # the fonts, which stay while a picture is drawn
        "_find_fonts_by_props", "_get_font_height_metrics", "_get_text_metrics_with_cache", "fontManager", "get_font",
        "get_sfnt_table", "hasattr",
        # arithmetic
        "Bbox", "_rotate_point", "append", "from_bounds", "functools", "itertools", "len", "list", "max", "min",
        "partial", "split", "starmap", "zip",
    }
)  # fmt: skip
PLACE_READS = frozenset(
    {
        "_auto_legend_data", "_get_anchored_bbox", "get_bbox_to_anchor", "codes", "isaxes", "_loc_used_default",
        "Bbox", "_api", "append", "count_contains", "count_overlaps", "from_bounds", "intersects_bbox", "len", "min",
        "perf_counter", "range", "sum", "time", "vertices", "warn_external",
    }
)  # fmt: skip
TICKS_READ = frozenset(
    {
        # the axis, as in the key below, or as it stays while a picture is drawn
        "_major_tick_kw", "_minor_tick_kw", "_tick_group_visible", "axes", "axes3d.automargin", "format_ticks", "formatter",
        "get_major_locator", "get_major_ticks", "get_majorticklocs", "get_minor_locator", "get_minor_ticks",
        "get_minorticklocs", "get_transform", "get_view_interval", "major", "minor", "name", "rcParams",
        # what is done to each tick: once is enough
        "get_loc", "label1", "label2", "set_text", "transform", "update_position",
        # arithmetic
        "AssertionError", "NullLocator", "_interval_contains_close", "append", "hasattr", "isinstance", "len", "mpl",
        "mtransforms", "zip",
    }
)  # fmt: skip
PLAIN_TICKS = {"matplotlib.ticker", "matplotlib.category", "matplotlib.dates"}
"""Where places and labels of ticks depend on the axis alone; others may do anything."""


class Kept:
    """Answers of one picture; none are kept between pictures, since fonts and settings may change."""

    def __init__(self) -> None:
        self._answers: dict[Hashable, Any] | None = None

    def for_one_picture(self, printed: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(printed)
        def printing(*arguments: Any, **options: Any) -> Any:
            before, self._answers = self._answers, {}
            try:
                return printed(*arguments, **options)
            finally:
                self._answers = before

        return printing

    def once(self, answer: Callable[..., Any], key: Callable[..., Hashable | None]) -> Callable[..., Any]:
        """As `answer`, asked once for each key while a picture is drawn; a key of None is asked every time."""

        @wraps(answer)
        def asking(*arguments: Any) -> Any:
            if self._answers is None or (known_by := key(*arguments)) is None:
                return answer(*arguments)
            if known_by not in self._answers:
                self._answers[known_by] = answer(*arguments)
            return self._answers[known_by]

        return asking


def warm() -> None:
    """Draw one empty figure, so that fonts are found and text has been laid out once; then lay out once a picture."""
    if "matplotlib.figure" not in sys.modules:
        return
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(1, 1))
    figure.text(0.5, 0.5, "x")
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    lay_out_once()


def lay_out_once() -> None:
    """Have this process's matplotlib lay out each text, and place each legend, once for a picture."""
    from matplotlib.axis import Axis
    from matplotlib.backend_bases import FigureCanvasBase
    from matplotlib.legend import Legend
    from matplotlib.text import Text

    printing = FigureCanvasBase.print_figure
    if hasattr(printing, "__wrapped__"):
        return
    kept = Kept()
    for owner, name, reads, key in (
        (Text, "_get_layout", LAYOUT_READS, _text_key),
        (Legend, "_find_best_position", PLACE_READS, _legend_key),
        (Axis, "_update_ticks", TICKS_READ, _axis_key),
    ):
        answer = getattr(owner, name, None)
        if answer is not None and _names(answer.__code__) <= reads:
            setattr(owner, name, kept.once(answer, key))
    FigureCanvasBase.print_figure = kept.for_one_picture(printing)  # type: ignore[method-assign]


def _text_key(text: Any, renderer: Any) -> Hashable | None:
    if text.get_usetex() or text.get_wrap():
        return None
    return (
        type(text), type(renderer), type(getattr(renderer, "_renderer", None)), text.get_figure(root=True).dpi,
        text.get_text(), text.get_parse_math(), hash(text.get_fontproperties()), text.get_rotation(),
        text.get_rotation_mode(), text.get_horizontalalignment(), text.get_verticalalignment(), text._linespacing,
        text._multialignment,
    )  # fmt: skip


def _legend_key(legend: Any, width: float, height: float, renderer: Any) -> Hashable | None:
    boxes, lines, offsets = legend._auto_legend_data(renderer)
    if offsets:  # many points take longer to know by than to place the legend among
        return None
    anchor = legend.get_bbox_to_anchor()
    return (
        id(legend), width, height, anchor.bounds, renderer.points_to_pixels(1.0), legend.borderaxespad,
        tuple(box.bounds for box in boxes), tuple(_path_key(line) for line in lines),
    )  # fmt: skip


def _axis_key(axis: Any) -> Hashable | None:
    parts = (axis.major.locator, axis.major.formatter, axis.minor.locator, axis.minor.formatter)
    kinds = {type(part) for part in parts}
    if axis.axes.name != "rectilinear" or {kind.__module__ for kind in kinds} - PLAIN_TICKS:
        return None
    if any(kind.__name__ == "FuncFormatter" for kind in kinds):
        return None
    return (
        id(axis), tuple(map(id, parts)), tuple(axis.get_view_interval()), tuple(axis.get_data_interval()), axis.get_minpos(),
        axis.get_scale(), axis.get_tick_space(), axis.remove_overlapping_locs,
    )  # fmt: skip


def _path_key(path: Any) -> Hashable:
    return path.vertices.tobytes(), None if path.codes is None else path.codes.tobytes()


def _names(code: CodeType) -> frozenset[str]:
    inner = (_names(const) for const in code.co_consts if isinstance(const, CodeType))
    return frozenset(code.co_names).union(*inner)
