"""The chart of a confusion matrix, and the pairs that are confused most often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import altair as alt
import numpy as np
from numpy.typing import NDArray

from onecycle_cli.report.charts.canvas import BLUE, INK, VERMILLION, drawn, named, rows, tip
from onecycle_cli.report.document import Chart, Swatch
from onecycle_cli.runs.records import Record

Counts = NDArray[np.int64]

MOST_CLASSES = 100
"""Of more classes, the squares would be too small to be seen."""

_MOST_WITH_COUNTS = 20
_MIDDLING, _STRONG = 0.6, 0.86
"""How strong a colour is on which dark letters, or on blue light ones, are easiest to read."""

_DARK_LETTERS, _ON_STRONG = "#0c0f13", "var(--on-strong)"
_FAINTEST = 0.12
_SHORT = 3
_BESIDE = 170
"""Pixels for the names of the classes."""


def matrix_of(record: Record) -> tuple[list[str], Counts] | None:
    """Return the names of the classes, and the counts with a row a true class, or `None`."""
    try:
        counts = np.array(record.result.get("confusion"), np.int64)
        names = [_as_text(entry["class"]) for entry in record.result.get("per_class") or ()]
    except (TypeError, ValueError, LookupError):
        return None
    if not names or counts.shape != (len(names), len(names)) or counts.min() < 0:
        return None
    return _all_different(names), counts


def confusion_chart(names: Sequence[str], counts: Counts, name: str) -> Chart:
    """Return the matrix: true classes downwards, answers to the right, counts under the pointer."""
    side = max(12, min(44, 480 // len(names)))
    has_numbers = len(names) <= _MOST_WITH_COUNTS
    cells = _cells(names, counts)
    if has_numbers:
        cells["letters"] = list(map(letters_on, cells["kind"], cells["strength"]))
    base = alt.Chart(rows(**cells)).encode(
        tooltip=[
            named("true", "true class"),
            named("answer", "answer"),
            tip("count", "examples"),
            tip("share", "% of the class", ".3~g"),
        ],
        **_axes(names, label_size=max(6, min(12, side - 2))),
    )
    layers = [_squares(base)]
    if has_numbers:
        layers.append(_numbers(base))
    right, all_answers = int(counts.trace()), int(counts.sum())
    found = drawn(
        name,
        title="Which classes are taken for which",
        description=(
            f"Matrix of {len(names)} true classes and the model's answers; {right} of "
            f"{all_answers} answers are right."
        ),
        chart=alt.layer(*layers).properties(width="container", height=side * len(names)),
        legend=[
            Swatch("right; stronger: a larger share of the class", BLUE, "square"),
            Swatch("wrong, on a scale of its own", VERMILLION, "square"),
        ],
    )
    return replace(found, widest=int(1.4 * side * len(names)) + _BESIDE)


def _cells(names: Sequence[str], counts: Counts) -> dict[str, list[Any]]:
    """Return a row for each pair of classes that occurs; the strength of its colour is 0 to 1."""
    is_right = np.eye(len(names), dtype=bool)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    wrong = np.where(is_right, 0, shares)
    strength = np.where(is_right, shares, wrong / (wrong.max() or 1.0))
    true, answer = (axis.tolist() for axis in np.nonzero(counts))
    return {
        "true": [names[i] for i in true],
        "answer": [names[i] for i in answer],
        "count": counts[true, answer].tolist(),
        "share": (100 * shares[true, answer]).tolist(),
        "strength": (_FAINTEST + (1 - _FAINTEST) * strength[true, answer]).tolist(),
        "kind": ["right" if i == j else "wrong" for i, j in zip(true, answer, strict=True)],
    }


def _axes(names: Sequence[str], label_size: int) -> dict[str, Any]:
    """Return both axes, with all classes in their order; long names below are slanted."""
    scale = alt.Scale(domain=list(names), paddingInner=0.04)
    labels: dict[str, Any] = {"labelFontSize": label_size, "labelLimit": 120, "grid": False}
    angle = 0 if max(map(len, names)) <= _SHORT else -45
    across = alt.Axis(title="answer of the model", labelAngle=angle, **labels)
    down = alt.Axis(title="true class", **labels)
    return {
        "x": alt.X("answer:N", sort=list(names), scale=scale, axis=across),
        "y": alt.Y("true:N", sort=list(names), scale=scale, axis=down),
    }


def _squares(base: alt.Chart) -> alt.Chart:
    """Return the squares, right answers in one colour and wrong ones in another."""
    colours = alt.Scale(domain=["right", "wrong"], range=[BLUE, VERMILLION])
    return base.mark_rect().encode(
        fill=alt.Fill("kind:N", scale=colours, legend=None),
        fillOpacity=alt.FillOpacity("strength:Q", scale=None),
    )


def _numbers(base: alt.Chart) -> alt.Chart:
    """Return the counts in the squares."""
    return base.mark_text().encode(text="count:Q", color=alt.Color("letters:N", scale=None))


def letters_on(kind: str, strength: float) -> str:
    """Return the colour of letters that can be read on a square, on light and on dark paper.

    Args:
        kind: `right` or `wrong`, which has another colour.
        strength: of that colour, from 0, which is paper, to 1.
    """
    if strength < _MIDDLING:
        return INK
    return _ON_STRONG if kind == "right" and strength >= _STRONG else _DARK_LETTERS


def worst_pairs(names: Sequence[str], counts: Counts, most: int = 10) -> list[list[Any]]:
    """Return the pairs that are confused most often: true class, answer, examples, their share."""
    wrong = np.where(np.eye(len(names), dtype=bool), 0, counts)
    order = np.argsort(-wrong, axis=None, kind="stable")[:most]
    totals = counts.sum(axis=1)
    pairs = [divmod(int(i), len(names)) for i in order]
    return [
        [
            names[true],
            names[answer],
            int(wrong[true, answer]),
            f"{100 * wrong[true, answer] / totals[true]:.1f} %",
        ]
        for true, answer in pairs
        if wrong[true, answer]
    ]


def _all_different(names: Sequence[str]) -> list[str]:
    """Return the names, with a number where two classes are called the same."""
    twice = {name for name in names if list(names).count(name) > 1}
    return [f"{name} ({i})" if name in twice else name for i, name in enumerate(names)]


def _as_text(name: object) -> str:
    """Return a name in which escapes stand for what is no text, as older files may have it."""
    text = " ".join(str(name).encode(errors="backslashreplace").decode().split())
    return text if len(text) <= 40 else f"{text[:39]}…"
