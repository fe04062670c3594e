"""A small curve of letters: each is a cell of 2 x 4 dots, of those that Braille is written in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Point = tuple[float, float]

_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""The bit of each dot of a cell, by row and by column."""

_BLANK = 0x2800


@dataclass(frozen=True)
class Sketch:
    """What is to be drawn.

    Attributes:
        lines: the points of each line, from left to right; all finite.
        name: what the height means, such as `loss`.
        names: of the lines, which stand where these end; none, or one for each.
        log_x: whether equal factors are equally far apart from left to right; all x are > 0.
        log_y: alike for the height.
        mark: an x that is pointed at from below.
    """

    lines: Sequence[Sequence[Point]]
    name: str
    names: Sequence[str] = ()
    log_x: bool = False
    log_y: bool = False
    mark: float | None = None


def drawn(sketch: Sketch, width: int, height: int) -> list[str]:
    """Return the lines of text that show a sketch: the curve, and what its ends stand for.

    Args:
        sketch: what is drawn.
        width: of all of it, in letters, >= 30.
        height: of the curve, in letters, >= 2.
    """
    points = [point for line in sketch.lines for point in line]
    marks = [] if sketch.mark is None else [sketch.mark]
    low_x, high_x = _ends([x for x, _ in points] + marks)
    low_y, high_y = _ends([y for _, y in points])
    labels = [f"{high_y:.3g}", *[""] * (height - 2), f"{low_y:.3g}"]
    left = max(map(len, labels)) + 1
    right = max(map(len, sketch.names), default=-1) + 1
    inner = width - left - right
    across = _Scale(low_x, high_x, 2 * inner, is_log=sketch.log_x)
    up = _Scale(low_y, high_y, 4 * height, is_log=sketch.log_y)
    canvas = _Canvas(inner, height)
    for line in sketch.lines:
        canvas.draw([(across(x), 4 * height - 1 - up(y)) for x, y in line])
    ends = [height - 1 - up(line[-1][1]) // 4 for line in sketch.lines if line]
    beside = _beside(dict(zip(sketch.names, ends, strict=False)), height)
    rows = [
        f"{label:>{left - 1}} {line} {name}"
        for label, line, name in zip(labels, canvas.lines(), beside, strict=True)
    ]
    mark = sketch.mark
    marked = None if mark is None else (across(mark) // 2, f"{mark:.3g}")
    below = _below(f"{low_x:.3g}", f"{high_x:.3g}", inner, marked)
    whole = [sketch.name, *rows, " " * left + below]
    return [line.rstrip(f" {chr(_BLANK)}") for line in whole]


def _beside(rows: Mapping[str, int], height: int) -> list[str]:
    """Return what stands right of each row: each name at its row, or at the nearest free one."""
    beside = [""] * height
    for name, row in rows.items():
        free = [i for i in range(height) if not beside[i]]
        if free:
            beside[min(free, key=lambda i: abs(i - row))] = name
    return beside


class _Scale:
    """From values to dots: `low` is at 0, `high` at the last of them."""

    def __init__(self, low: float, high: float, dots: int, *, is_log: bool) -> None:
        self._of = math.log if is_log else float
        self._low, self._last = self._of(low), dots - 1
        self._span = (self._of(high) - self._low) or 1.0

    def __call__(self, value: float) -> int:
        return round((self._of(value) - self._low) / self._span * self._last)


class _Canvas:
    """Cells of 2 x 4 dots; the first row is the highest."""

    def __init__(self, width: int, height: int) -> None:
        self._cells = [[0] * width for _ in range(height)]

    def draw(self, dots: Sequence[tuple[int, int]]) -> None:
        """Draw a line through dots, each given by its column and its row."""
        for x, y in dots[:1]:
            self._set(x, y)
        for (x, y), (to_x, to_y) in itertools.pairwise(dots):
            steps = max(abs(to_x - x), abs(to_y - y), 1)
            for i in range(steps + 1):
                self._set(x + round((to_x - x) * i / steps), y + round((to_y - y) * i / steps))

    def lines(self) -> list[str]:
        """Return a line of text for each row of cells."""
        return ["".join(chr(_BLANK + cell) for cell in row) for row in self._cells]

    def _set(self, x: int, y: int) -> None:
        self._cells[y // 4][x // 2] |= _DOTS[y % 4][x % 2]


def _below(low: str, high: str, width: int, marked: tuple[int, str] | None) -> str:
    """Return the line below: both ends, and what is pointed at, before which an end gives way."""
    line = [" "] * width
    places = [(0, low), (width - len(high), high)]
    if marked is not None:
        place, text = marked
        fits = place + len(text) < width
        start, text = (place, f"^{text}") if fits else (place - len(text), f"{text}^")
        end = start + len(text)
        places = [(at, name) for at, name in places if at + len(name) < start or at > end]
        places.append((start, text))
    for at, name in places:
        line[at : at + len(name)] = name
    return "".join(line)


def _ends(values: Sequence[float]) -> tuple[float, float]:
    return min(values), max(values)
