"""The paper that every picture is drawn on: figures without a display, their headings and axes."""

from __future__ import annotations

import io
import math
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import ParamSpec

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.ticker import (
    FuncFormatter,
    LogLocator,
    MaxNLocator,
    NullFormatter,
    NullLocator,
    ScalarFormatter,
)

P = ParamSpec("P")

BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#CC79A7"
ORANGE, SKY, INK, GREY = "#E69F00", "#56B4E9", "#222222", "#6b6b6b"
PALETTE = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, INK)
"""The palette of Okabe and Ito, told apart by the colour-blind, without its pale yellow.

Source: M. Okabe, K. Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/
"""

WIDTH = 9.0
"""Width of a figure, in inches."""

DPI = 120

_LINE_STYLES = ("-", "--", ":")
_EDGE = 0.15
_LEADING = 1.4
_LETTER = 0.53
_LETTER_BOLD = 0.63
_LONGEST_NAME = 110
_STYLE = {
    "font.size": 10,
    "text.color": INK,
    "text.parse_math": False,
    "axes.edgecolor": "#8a8a8a",
    "axes.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e8e8e8",
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.frameon": False,
    "legend.fontsize": 9,
}


class Picture(Figure):
    """A figure that every notebook shows, whether or not Matplotlib is set up there."""

    def _repr_png_(self) -> bytes:
        return png(self)


@dataclass(frozen=True)
class Line:
    """One sentence of the heading; it is wrapped where the figure ends."""

    text: str
    size: float = 9.5
    bold: bool = False
    color: str = INK


def title_lines(title: str) -> list[Line]:
    """Return a title as heading: its first line large, the others small."""
    first, *others = title.split("\n")
    return [Line(first, 13, bold=True), *(Line(text, color=GREY) for text in others if text)]


def picture(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in this program's style, whatever style the caller's own figures have, and lay out."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with _own_style():
            figure = draw(*args, **kwargs)
            _lay_out(figure)
            return figure

    return wrapper


def png(figure: Figure) -> bytes:
    """Return the figure as a PNG file; the same figure gives the same bytes."""
    file = io.BytesIO()
    with _own_style():
        figure.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return file.getvalue()


def new_figure(heading: Sequence[Line], body: float) -> Figure:
    """Return a figure that needs no display: a heading, and `body` inches of room below it."""
    lines = [
        (part, line)
        for line in heading
        for part in textwrap.wrap(line.text, _capacity(line), break_on_hyphens=False)
    ]
    top = 1.4 * _EDGE + sum(_line_height(line) for _, line in lines)
    height = top + body
    figure = Picture(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0, 0, 1, body / height), w_pad=0.1, h_pad=0.06)
    y = height - _EDGE
    for text, line in lines:
        figure.text(
            _EDGE / WIDTH,
            y / height,
            text,
            va="top",
            size=line.size,
            weight="bold" if line.bold else "normal",
            color=line.color,
        )
        y -= _line_height(line)
    return figure


def look(index: int) -> dict[str, str]:
    """Return colour and line style number `index`: seven colours, solid first, then dashed."""
    style = _LINE_STYLES[index // len(PALETTE) % len(_LINE_STYLES)]
    return {"color": PALETTE[index % len(PALETTE)], "linestyle": style}


def number(value: float, digits: int = 3) -> str:
    """Write a number as a person would: `0.0003`, `12`, and below 0.0001 `3e-5`."""
    if abs(value) < 1e-15:
        return "0"
    mantissa, _, exponent = f"{value:.{digits}g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa


def plain_ticks(axes: Axes, *which: str) -> None:
    """Label the linear axes named `x` or `y` with plain numbers, without offsets or factors."""
    for name in which:
        formatter = ScalarFormatter(useOffset=False)
        formatter.set_scientific(False)
        (axes.xaxis if name == "x" else axes.yaxis).set_major_formatter(formatter)


def rate_axis(axes: Axes, low: float, high: float, scale: str) -> None:
    """Make x the axis of learning rates from `low` to `high`, labelled with the rates themselves.

    Args:
        axes: where.
        low: lowest rate, > 0 on an exponential scale.
        high: highest rate, >= `low`.
        scale: `"exp"` for a logarithmic axis or `"linear"`.
    """
    if scale == "linear":
        axes.set_xlim(*padded(low, high, 0.03))
        axes.xaxis.set_major_locator(MaxNLocator(8))
        plain_ticks(axes, "x")
    else:
        log_axis(axes, "x", low, high)


def log_axis(axes: Axes, which: str, low: float, high: float) -> None:
    """Make `x` or `y` logarithmic, from `low` to `high` and a little more, with plain numbers.

    Args:
        axes: where.
        which: `x` or `y`.
        low: the lowest value that is shown, > 0.
        high: the highest, >= `low`.
    """
    middle, reach = math.sqrt(low * high), max(math.sqrt(high / low) * 1.05, 1.7)
    axes.set(**{f"{which}scale": "log", f"{which}lim": (middle / reach, middle * reach)})
    decades = 2 * math.log10(reach)
    subs = (1.0,) if decades > 2.5 else (1.0, 2.0, 5.0) if decades > 0.9 else range(1, 10)
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=list(map(float, subs)), numticks=30))
    axis.set_major_formatter(FuncFormatter(lambda value, _: number(value, 6)))
    axis.set_minor_locator(LogLocator(subs=list(map(float, range(2, 10))), numticks=30))
    axis.set_minor_formatter(NullFormatter())


def mark_suggestion(
    axes: Axes, value: float | None, interval: Sequence[float] | None, *, named: bool = True
) -> None:
    """Mark a suggested learning rate by a line, and its interval by a band.

    Args:
        axes: where.
        value: the rate; `None` marks nothing.
        interval: its lowest and its highest value; a single point is not drawn.
        named: whether the legend names them.
    """
    if value is None:
        return
    axes.axvline(
        value,
        color=VERMILLION,
        linewidth=1.8,
        label="suggested max_lr" if named else "_suggested",
    )
    if interval and interval[0] < interval[1]:
        axes.axvspan(
            interval[0],
            interval[1],
            facecolor=to_rgba(VERMILLION, 0.13),
            linewidth=0,
            label="its interval" if named else "_interval",
        )


def whole_ticks(axes: Axes, most: int = 12) -> None:
    """Put the ticks of x on whole numbers."""
    axes.xaxis.set_major_locator(MaxNLocator(most, integer=True))
    plain_ticks(axes, "x")


def padded(
    low: float, high: float, below: float, above: float | None = None
) -> tuple[float, float]:
    """Return limits with a margin, as a share of their distance; wide enough to be drawn."""
    span = high - low
    if span <= 1e-9 * max(abs(low), abs(high), 1e-12):
        span = 0.2 * max(abs(low), abs(high)) or 1.0
        low, high = low - span / 2, high + span / 2
    return low - below * span, high + (below if above is None else above) * span


def say(axes: Axes, text: str) -> None:
    """Write into empty axes why they are empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY)
    axes.yaxis.set_major_locator(NullLocator())
    if not any(np.size(line.get_xdata()) for line in axes.lines):
        axes.xaxis.set_major_locator(NullLocator())


def legend_below(figure: Figure, axes: Axes, columns: int, title: str | None = None) -> None:
    """Put the legend of these axes below the whole figure, each name wrapped to its width."""
    handles, names = axes.get_legend_handles_labels()
    if handles:
        wrapped = [textwrap.fill(name, _LONGEST_NAME) for name in names]
        legend = figure.legend(
            handles,
            wrapped,
            loc="outside lower center",
            ncols=columns,
            title=title,
            title_fontsize=9,
        )
        _strengthen(legend)


def legend_above(axes: Axes, *others: Axes) -> None:
    """Put the legend of these axes, and of others that share their place, into a row above."""
    handles = [h for a in (axes, *others) for h in a.get_legend_handles_labels()[0]]
    if handles:
        legend = axes.legend(
            handles=handles,
            loc="lower right",
            bbox_to_anchor=(1.0, 1.0),
            ncols=len(handles),
            borderaxespad=0.1,
            columnspacing=1.4,
            handlelength=1.6,
        )
        _strengthen(legend)


def rounded_to(width: float) -> int:
    """Return how many decimals show two digits of a width."""
    return max(0, 1 - math.floor(math.log10(width))) if width > 0 and np.isfinite(width) else 3


def _lay_out(figure: Figure) -> None:
    """Give everything its place once; laid out again at each drawing, it would creep."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for text in figure.texts:
        width = text.get_window_extent().width / (DPI * (WIDTH - 2 * _EDGE))
        text.set_fontsize(float(text.get_fontsize()) / max(1.0, width))


def _strengthen(legend: Legend) -> None:
    """Show in the legend the points that are faint, because they are many, in the picture."""
    for handle in legend.legend_handles:
        if isinstance(handle, Line2D) and (handle.get_alpha() or 1) < 1:
            handle.set(alpha=0.6, markersize=4)


@contextmanager
def _own_style() -> Iterator[None]:
    with warnings.catch_warnings(), matplotlib.style.context(["default", _STYLE]):
        warnings.filterwarnings("ignore", message="Glyph")  # names in any script are welcome
        yield


def _capacity(line: Line) -> int:
    letter = line.size * (_LETTER_BOLD if line.bold else _LETTER)
    return int((WIDTH - 2 * _EDGE) * 72 / letter)


def _line_height(line: Line) -> float:
    return line.size * _LEADING / 72
