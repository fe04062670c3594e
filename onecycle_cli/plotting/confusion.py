"""The picture of a confusion matrix: which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from onecycle_cli.errors import ResultError
from onecycle_cli.plotting.canvas import WIDTH, Line, new_figure, picture, title_lines
from onecycle_cli.plotting.paper.numbers import percent
from onecycle_cli.plotting.paper.palette import colors
from onecycle_cli.plotting.wording import title_of
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Array

Counts = NDArray[np.int64]

_MOST_WITH_NUMBERS = 20
_MOST_WITH_NAMES = 120
_MOST_SQUARES = 200
_LONGEST_NAME = 18
_PAIRS_NAMED = 5
_DARK = 0.55


@picture
def draw_confusion(record: Record) -> Figure:
    """Draw the confusion matrix of a `train` record.

    Rows are the true classes, columns the model's answers. Right answers are blue, the darker the
    larger their share of the class; wrong ones are orange, on a scale of their own. Of more classes
    than can be told apart, neighbours share a square.

    Raises:
        ResultError: when the record has none, as regression and older runs have none.
    """
    names, counts = _matrix_of(record)
    together = -(-len(names) // _MOST_SQUARES)
    shares = _shares(counts, together)
    figure = new_figure(_heading(record, names, counts, shares, together), _body(len(names)))
    axes = figure.subplots()
    _color(axes, shares, together)
    if len(names) <= _MOST_WITH_NUMBERS:
        _write_numbers(axes, counts, shares)
    _name_classes(axes, names, shares)
    return figure


def _matrix_of(record: Record) -> tuple[list[str], Counts]:
    rows, per_class = record.result.get("confusion"), record.result.get("per_class")
    try:
        counts = np.array(rows, np.int64)
        names = [_as_text(entry["class"]) for entry in per_class or ()]
    except (TypeError, ValueError, LookupError):
        counts, names = np.empty(0, np.int64), []
    if not names or counts.shape != (len(names), len(names)) or counts.min() < 0:
        raise ResultError(
            f"{record.label} has no confusion matrix; only trainings on classes have one."
        )
    return names, counts


def _shares(counts: Counts, together: int) -> Array:
    """Return of each square the share of its row, where so many classes share a square.

    On the diagonal only right answers count, not those for another class of the same square.
    """
    squares = -(-len(counts) // together)
    padded = np.pad(counts, (0, squares * together - len(counts)))
    found = padded.reshape(squares, together, squares, together).sum(axis=(1, 3))
    totals = np.maximum(found.sum(axis=1, keepdims=True), 1)
    np.fill_diagonal(found, padded.diagonal().reshape(squares, together).sum(axis=1))
    return np.asarray(found / totals, np.float64)


def _body(classes: int) -> float:
    """Return the height in inches: cells are square, and large enough for what is in them."""
    return min(WIDTH, max(4.0, 2.5 + 0.45 * classes))


def _heading(
    record: Record, names: Sequence[str], counts: Counts, shares: Array, together: int
) -> list[Line]:
    right = counts.trace() / max(1, counts.sum())
    return [
        *title_lines(title_of(record, "Confusion on the test set")),
        Line(f"test accuracy {percent(float(right))} of {counts.sum():,}", 11, bold=True),
        *_most_confused(names, counts),
        Line(_legend(shares, together), faint=True),
    ]


def _legend(shares: Array, together: int) -> str:
    whole, text = "class", ""
    if together > 1:
        whole, text = "classes", f"A square stands for {together} classes and {together} answers. "
    text += f"Blue: right, the stronger the larger the share of the {whole}."
    wrong = _without_diagonal(shares).max()
    if wrong:
        part = "a class" if together == 1 else "the classes"
        text += f" Orange: wrong; the strongest are {percent(float(wrong))} of {part}."
    return text


def _most_confused(names: Sequence[str], counts: Counts) -> list[Line]:
    """Name the pairs that are confused most often, if any are."""
    wrong = _without_diagonal(counts)
    order = np.argsort(-wrong, axis=None, kind="stable")[:_PAIRS_NAMED]
    pairs = [(int(i) // len(names), int(i) % len(names)) for i in order]
    texts = [
        f"{_short(names[true])} taken for {_short(names[answer])} ({wrong[true, answer]})"
        for true, answer in pairs
        if wrong[true, answer]
    ]
    return [Line(f"Most often wrong: {', '.join(texts)}.")] if texts else []


def _color(axes: Axes, shares: Array, together: int) -> None:
    wrong = _without_diagonal(shares)
    on_diagonal = np.eye(len(shares), dtype=bool)
    end = len(shares) * together - 0.5
    for hidden, values, color, darkest in (
        (on_diagonal, wrong, colors().rate, wrong.max() or 1.0),
        (~on_diagonal, shares, colors().training, 1.0),
    ):
        axes.imshow(
            np.ma.masked_array(values, hidden),
            cmap=LinearSegmentedColormap.from_list("share", [colors().paper, color]),
            vmin=0,
            vmax=darkest,
            interpolation="nearest",
            extent=(-0.5, end, end, -0.5),
        )
    axes.grid(visible=False)
    for spine in axes.spines.values():
        spine.set_visible(True)


def _write_numbers(axes: Axes, counts: Counts, shares: Array) -> None:
    wrong = _without_diagonal(shares)
    size = min(10.0, 95 / len(counts))
    for (true, answer), count in np.ndenumerate(counts):
        if not count:
            continue
        darkness = shares[true, answer] if true == answer else wrong[true, answer] / wrong.max()
        axes.text(
            answer,
            true,
            str(count),
            ha="center",
            va="center",
            size=size,
            color=colors().paper if darkness > _DARK else colors().ink,
        )


def _name_classes(axes: Axes, names: Sequence[str], shares: Array) -> None:
    axes.set_xlabel("answer of the model")
    axes.set_ylabel("true class, and its share of right answers")
    if len(names) > _MOST_WITH_NAMES:
        axes.set_ylabel("number of the true class")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(MaxNLocator(20, integer=True))
        return
    size = max(4.5, min(10.0, 320 / len(names)))
    short = [_short(name) for name in names]
    labels = [f"{name}  {100 * shares[i, i]:.0f} %" for i, name in enumerate(short)]
    tilted = len(names) * max(map(len, short)) > 70
    axes.set_xticks(range(len(names)), short, rotation=90 if tilted else 0, size=size)
    axes.set_yticks(range(len(names)), labels, size=size)
    axes.tick_params(length=2 if len(names) <= _MOST_WITH_NUMBERS else 0, pad=2)


def _without_diagonal(values: NDArray[Any]) -> NDArray[Any]:
    return np.where(np.eye(len(values), dtype=bool), 0, values)


def _short(name: str) -> str:
    text = " ".join(name.split())
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _as_text(name: object) -> str:
    """Return a name in which escapes stand for what is no text, as older files may have it."""
    return str(name).encode(errors="backslashreplace").decode()
