"""What of a run's record is drawn in the terminal."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from onecycle_cli.commands.console.result.curve import Point, Sketch
from onecycle_cli.kinds import FIND_LR, FINDERS, TRAIN

if TYPE_CHECKING:
    from onecycle_cli.runs.records import Record

_MOST_POINTS = 120
"""More of a line would not be seen; of a longer one, means are drawn."""


_EXPLODED = 1.5
"""What is above the first loss by this factor is drawn as high as that."""


def sketch_of(record: Record) -> Sketch | None:
    """Return what is drawn of a run; `None` if there is nothing to draw a line through."""
    if record.kind == TRAIN.name:
        sketch = _of_training(record)
    elif record.kind == FIND_LR.name and "curve" in record.tables:
        sketch = _of_range_tests(record)
    elif "trials" in record.tables:
        sketch = _of_trials(record)
    else:
        return None
    return sketch if any(len(line) > 1 for line in sketch.lines) else None


def _of_trials(record: Record) -> Sketch:
    """Draw the loss that each value ended at; a line for each length of the trials."""
    trials = record.tables["trials"]
    key = next(key for key, kind in FINDERS.items() if kind.name == record.kind)
    points: dict[str, list[Point]] = {}
    for value, score, steps, start in zip(
        trials[key], trials["score"], trials["steps"], trials["replicate"], strict=True
    ):
        name = f"start {start + 1:g}" if start else f"{steps:g} steps"
        points.setdefault(name, []).append((float(value), float(score)))
    is_rate = key != "momentum"
    lines = {name: _drawable(line, above_zero=is_rate) for name, line in points.items()}
    mark = _number(record.result.get("suggestion"))
    return _sketch(lines, f"loss by {key}", log_x=is_rate, mark=mark)


def _of_range_tests(record: Record) -> Sketch:
    """Draw the losses of each range test; what explodes leaves room for what falls."""
    lines = {}
    for curve in record.curves():
        line = _drawable(zip(curve.lrs, curve.losses, strict=True), above_zero=True)
        highest = _EXPLODED * line[0][1] if line else 0.0
        lines[curve.label] = _thinned([(x, min(y, highest)) for x, y in line])
    log_x = record.result.get("scale", "exp") == "exp"
    mark = _number(record.result.get("suggestion"))
    return _sketch(lines, "loss by learning rate", log_x=log_x, mark=mark)


def _of_training(record: Record) -> Sketch:
    """Draw the losses of the epochs, in training and in validation; of a single one, its steps."""
    history = record.tables["history"]
    lines = {
        name: _thinned(_drawable(zip(history["epoch"], map(_float, history[column]), strict=True)))
        for name, column in (("training", "loss"), ("validation", "val_loss"))
        if column in history
    }
    if len(history["epoch"]) > 1:
        return _sketch(lines, "loss by epoch")
    steps = record.tables["steps"]
    line = _drawable(zip(steps["step"], map(_float, steps["loss"]), strict=True))
    return _sketch({"training": _thinned(line)}, "loss by step")


def _sketch(
    lines: Mapping[str, Sequence[Point]],
    name: str,
    *,
    log_x: bool = False,
    mark: float | None = None,
) -> Sketch:
    """Make a sketch of the lines that have points, its height logarithmic if that can be."""
    drawn = {name: line for name, line in lines.items() if line}
    log_y = all(y > 0 for line in drawn.values() for _, y in line)
    if mark is not None and log_x and mark <= 0:
        mark = None
    return Sketch(list(drawn.values()), name, list(drawn), log_x, log_y, mark)


def _drawable(points: Iterable[Point], *, above_zero: bool = False) -> list[Point]:
    """Return the points that have a place, from left to right."""
    return sorted(
        (float(x), float(y))
        for x, y in points
        if math.isfinite(x) and math.isfinite(y) and (x > 0 or not above_zero)
    )


def _thinned(line: Sequence[Point]) -> list[Point]:
    """Return a line of so few points that each is seen, as means of those beside each other."""
    size = math.ceil(len(line) / _MOST_POINTS) or 1
    groups = [line[at : at + size] for at in range(0, len(line), size)]
    return [(group[len(group) // 2][0], sum(y for _, y in group) / len(group)) for group in groups]


def _float(value: Any) -> float:
    return math.nan if value in (None, "") else float(value)


def _number(suggestion: Mapping[str, Any] | None) -> float | None:
    """Return the suggested value; of momentum the middle of its range."""
    value = (suggestion or {}).get("value")
    if isinstance(value, Mapping):
        return (float(value["max"]) + float(value["min"])) / 2
    return None if value is None else float(value)
