"""Laid out once for a picture: the same to the byte, whatever is drawn; a matplotlib that reads more is left alone."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import seaborn as sns
from matplotlib.axis import Axis
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.legend import Legend
from matplotlib.text import Text

from cbresearch.publish.warm import figures

PATCHED = (
    (Text, "_get_layout"),
    (Legend, "_find_best_position"),
    (Axis, "_update_ticks"),
    (FigureCanvasBase, "print_figure"),
)
RNG = np.random.default_rng(5)
FRAME = pd.DataFrame(
    {"x": RNG.normal(size=120), "y": RNG.normal(size=120), "group": list("abc") * 40, "名": ["甲", "乙"] * 60}
)


@pytest.fixture(autouse=True)
def untouched() -> Iterator[None]:
    before = [(owner, name, getattr(owner, name)) for owner, name in PATCHED]
    yield
    for owner, name, value in before:
        setattr(owner, name, value)
    plt.close("all")


def random_of(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


def lines(ax: Any) -> None:
    for i in range(3):
        ax.plot(np.cumsum(random_of(i).normal(size=40)), label=f"series {i}")
    ax.legend()


def points_with_legend(ax: Any) -> None:
    ax.scatter(FRAME["x"], FRAME["y"], label="points")
    ax.legend()


def bars_with_legend(ax: Any) -> None:
    ax.bar(["one", "two", "three"], [3, 2, 5], label="bars")
    ax.plot([1, 4, 2], label="line")
    ax.legend(title="a title")


def logarithmic(ax: Any) -> None:
    ax.plot([1, 10, 1000], [2, 30, 4000])
    ax.set_xscale("log")
    ax.set_yscale("symlog")


def dated(ax: Any) -> None:
    ax.plot([date(2024, 1, 1) + timedelta(days=30 * i) for i in range(12)], range(12))
    ax.tick_params(axis="x", rotation=45)


def minor_ticks(ax: Any) -> None:
    ax.plot([0, 1], [0, 1e-7])
    ax.minorticks_on()
    ax.set_ylabel("small")


def twins(ax: Any) -> None:
    ax.plot([1, 2, 3])
    other = ax.twinx()
    other.plot([300, 200, 100])
    other.set_ylabel("other")
    ax.set_title("two\nlines", loc="left")


def words_everywhere(ax: Any) -> None:
    ax.text(0.2, 0.4, r"$\frac{a}{b}$ and words", rotation=30, bbox={"boxstyle": "round"})
    ax.text(0.5, 0.9, "a text so long that it has to be broken into several lines " * 3, wrap=True)
    ax.annotate("here", (0.5, 0.5), (0.8, 0.2), arrowprops={"arrowstyle": "->"})
    ax.set_xlabel("one\nunder the other", ha="right", linespacing=2)
    ax.figure.suptitle("above all")


def own_formatter(ax: Any) -> None:
    seen: list[float] = []
    ax.plot([1, 2, 3])
    ax.yaxis.set_major_formatter(lambda value, _: f"{value:.1f} ({len(seen) or seen.append(value)})")


def picture_with_scale(ax: Any) -> None:
    image = ax.imshow(random_of(1).normal(size=(8, 12)))
    ax.figure.colorbar(image, ax=ax, label="heat")


def equal_aspect(ax: Any) -> None:
    ax.plot([0, 10], [0, 1])
    ax.set_aspect("equal")
    ax.set_title("a title over a flat picture")


def inset(ax: Any) -> None:
    ax.plot([1, 5, 2])
    ax.inset_axes([0.6, 0.6, 0.3, 0.3]).plot([3, 1])


def boxes(ax: Any) -> None:
    sns.boxplot(data=FRAME, x="group", y="y", hue="名", ax=ax)


def histogram(ax: Any) -> None:
    sns.histplot(data=FRAME, x="x", kde=True, ax=ax)


def intervals(ax: Any) -> None:
    ax.errorbar([1, 2, 3], [3, 1, 2], yerr=[0.5, 0.2, 0.1], fmt="o", capsize=3, label="estimate")
    ax.axhline(2, ls="--")
    ax.legend(loc="upper left")


def same_words_in_two_fonts(ax: Any) -> None:
    ax.text(0.1, 0.1, "words")
    ax.text(0.1, 0.5, "words", fontsize=20)
    ax.text(0.1, 0.8, "words", weight="bold", rotation=90, rotation_mode="anchor", va="top")


def changed_while_drawn(ax: Any) -> None:
    ax.plot([1, 2, 3])
    ax.callbacks.connect("xlim_changed", lambda axes: axes.set_title(f"{axes.get_xlim()[0]:.2f}"))
    ax.set_xlim(-1, 4)


KINDS: list[Callable[[Any], None]] = [
    lines, points_with_legend, bars_with_legend, logarithmic, dated, minor_ticks, twins, words_everywhere, own_formatter,
    picture_with_scale, equal_aspect, inset, boxes, histogram, intervals, same_words_in_two_fonts, changed_while_drawn,
]  # fmt: skip


def pictures(kind: Callable[[Any], None], **options: Any) -> list[bytes]:
    with mpl.rc_context({"svg.hashsalt": "x", "svg.fonttype": "none"}):
        found = []
        for form in ("png", "svg"):
            figure, ax = plt.subplots(**options)
            kind(ax)
            out = io.BytesIO()
            figure.savefig(
                out, format=form, bbox_inches="tight", metadata={"Date": None} if form == "svg" else None
            )
            plt.close(figure)
            found.append(out.getvalue())
        return found


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning", "ignore:vert. bool was deprecated")
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_the_same_to_the_byte(kind: Callable[[Any], None], layout: str | None) -> None:
    before = pictures(kind, layout=layout)
    figures.lay_out_once()
    assert pictures(kind, layout=layout) == before


@pytest.mark.parametrize("projection", ["polar", "3d"])
def test_other_projections_are_the_same_to_the_byte(projection: str) -> None:
    def kind(ax: Any) -> None:
        ax.plot([1, 2, 3], [1, 3, 2])

    before = pictures(kind, subplot_kw={"projection": projection})
    figures.lay_out_once()
    assert pictures(kind, subplot_kw={"projection": projection}) == before


def test_each_text_is_laid_out_once_for_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    laid_out: list[str] = []
    plain = Text._get_layout

    def counting(text: Any, renderer: Any) -> Any:
        laid_out.append(text.get_text())
        return plain(text, renderer)

    kept = figures.Kept()
    monkeypatch.setattr(Text, "_get_layout", kept.once(counting, figures._text_key))
    monkeypatch.setattr(FigureCanvasBase, "print_figure", kept.for_one_picture(FigureCanvasBase.print_figure))
    figure = plt.figure()
    figure.text(0.5, 0.5, "once")
    for pictures_drawn in (1, 2):
        figure.savefig(io.BytesIO(), bbox_inches="tight")
        assert laid_out.count("once") == pictures_drawn, "once for each picture, and anew for the next"


def test_a_matplotlib_that_reads_more_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def layout_of_another_release(text: Any, renderer: Any) -> Any:
        return text._a_new_setting, renderer

    monkeypatch.setattr(Text, "_get_layout", layout_of_another_release)
    figures.lay_out_once()
    assert Text._get_layout is layout_of_another_release
    assert hasattr(Legend._find_best_position, "__wrapped__"), "what is known is still done once"


def test_to_ask_twice_changes_nothing() -> None:
    figures.lay_out_once()
    once = [getattr(owner, name) for owner, name in PATCHED]
    figures.lay_out_once()
    assert [getattr(owner, name) for owner, name in PATCHED] == once
