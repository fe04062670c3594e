"""The paper that every picture is drawn on: figures without a display, their headings, legends."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec

import matplotlib.style
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from onecycle_cli.plotting.paper.palette import colors

P = ParamSpec("P")

WIDTH = 9.0
"""Width of a figure, in inches."""

DPI = 120

MANY_POINTS = 20_000
"""So many points are told apart in a picture; of more, every so many are drawn."""

_EDGE = 0.15
_LEADING = 1.4
_LETTER = 0.53
_LETTER_BOLD = 0.63
_LONGEST_NAME = 110


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
    faint: bool = False


def title_lines(title: str) -> list[Line]:
    """Return a title as heading: its first line large, the others small."""
    first, *others = title.split("\n")
    return [Line(first, 13, bold=True), *(Line(text, faint=True) for text in others if text)]


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
    return _saved(figure, format="png", dpi=DPI, metadata={"Software": None})


def svg(figure: Figure) -> bytes:
    """Return the figure as an SVG file; the same figure gives the same bytes."""
    return _saved(figure, format="svg", metadata={"Date": None, "Creator": None})


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
            color=colors().faint if line.faint else colors().ink,
        )
        y -= _line_height(line)
    return figure


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
            handlelength=2.2,
        )
        _strengthen(legend)


def _saved(figure: Figure, **how: Any) -> bytes:
    file = io.BytesIO()
    with _own_style():
        figure.savefig(file, facecolor=figure.get_facecolor(), **how)
    return file.getvalue()


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
    with warnings.catch_warnings(), matplotlib.style.context(["default", _style()]):
        warnings.filterwarnings("ignore", message="Glyph")  # names in any script are welcome
        yield


def _style() -> dict[str, Any]:
    palette = colors()
    return {
        "font.size": 10,
        "figure.facecolor": palette.paper,
        "text.color": palette.ink,
        "text.parse_math": False,
        "axes.facecolor": palette.paper,
        "axes.edgecolor": palette.edge,
        "axes.labelcolor": palette.ink,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": palette.grid,
        "hatch.linewidth": 0.7,
        "xtick.color": palette.edge,
        "ytick.color": palette.edge,
        "xtick.labelcolor": palette.ink,
        "ytick.labelcolor": palette.ink,
        "legend.frameon": False,
        "legend.fontsize": 9,
        "legend.labelcolor": palette.ink,
        "svg.hashsalt": "onecycle",
    }


def _capacity(line: Line) -> int:
    letter = line.size * (_LETTER_BOLD if line.bold else _LETTER)
    return int((WIDTH - 2 * _EDGE) * 72 / letter)


def _line_height(line: Line) -> float:
    return line.size * _LEADING / 72
