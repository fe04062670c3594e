"""The colours of every picture, light and dark: the same colour for the same thing everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

_LINE_STYLES = ("-", "--", ":")
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.2)), (0, (6, 2, 1.2, 2)))

Style = dict[str, object]
"""Keyword arguments of a Matplotlib line."""


@dataclass(frozen=True)
class Palette:
    """What has which colour; the hues are those of Okabe and Ito, told apart by the colour-blind.

    Source: M. Okabe, K. Ito, "Color Universal Design", https://jfly.uni-koeln.de/color/

    Attributes:
        paper: what is drawn on.
        ink: text and axes.
        faint: text that matters less.
        edge: the lines of the axes.
        grid: the lines between.
        training: the loss and the accuracy on the data that are trained with.
        validation: those on data held out.
        test: the result on the test data.
        rate: learning rates.
        momentum: momentum.
        decay: weight decay.
        chance: the loss of always giving the same answer.
        series: of runs or candidates beside each other, seven of them.
    """

    paper: str
    ink: str
    faint: str
    edge: str
    grid: str
    training: str
    validation: str
    test: str
    rate: str
    momentum: str
    decay: str
    chance: str
    series: tuple[str, ...]


LIGHT = Palette(
    paper="#ffffff",
    ink="#222222",
    faint="#5f5f5f",
    edge="#8a8a8a",
    grid="#e8e8e8",
    training="#0072B2",
    validation="#009E73",
    test="#222222",
    rate="#D55E00",
    momentum="#B5588F",
    decay="#B87D00",
    chance="#555555",
    series=("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#222222"),
)
DARK = Palette(
    paper="#15181e",
    ink="#e6e6e6",
    faint="#a8adb5",
    edge="#7d838c",
    grid="#2b3038",
    training="#56B4E9",
    validation="#4FE0B5",
    test="#e6e6e6",
    rate="#FF8A4C",
    momentum="#E39BC4",
    decay="#F0C040",
    chance="#8f959d",
    series=("#56B4E9", "#FF8A4C", "#2CC79A", "#E39BC4", "#F0C040", "#4A86E8", "#e6e6e6"),
)

_current: ContextVar[Palette] = ContextVar("palette", default=LIGHT)


def colors() -> Palette:
    """Return the colours that are drawn with now."""
    return _current.get()


@contextmanager
def drawn_in(palette: Palette) -> Iterator[None]:
    """Draw with these colours inside."""
    before = _current.set(palette)
    try:
        yield
    finally:
        _current.reset(before)


def look(index: int) -> Style:
    """Return colour and line style number `index`: seven colours, solid first, then dashed."""
    series = colors().series
    style = _LINE_STYLES[index // len(series) % len(_LINE_STYLES)]
    return {"color": series[index % len(series)], "linestyle": style}


def look_apart(index: int) -> Style:
    """Return look number `index` of lines that may lie on each other: neighbours differ in both."""
    return look(index) | {"linestyle": _DASHES[index % len(_DASHES)]}
