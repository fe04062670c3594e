"""The candidates of a comparison as they are drawn: losses, scores, distances from the best."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from onecycle_cli.kinds import KINDS
from onecycle_cli.plotting.paper.numbers import in_one_style, number
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import (
    DEFAULT_MOMENTUM,
    Array,
    by_trial,
    momentum_range,
    moving_average,
)

Value = float | str
_SMOOTHING = 0.9


@dataclass(frozen=True)
class Candidate:
    """One value that was tried: its smoothed loss, its score, its distance from the best one.

    `range` is from the highest to the lowest momentum, of which `value` is the middle. `written` is
    the value as it is written beside the others, all in one style.
    """

    value: Value
    losses: Array
    score: float
    mean: float
    interval: tuple[float, float] | None
    range: tuple[float, float] | None = None
    written: str = ""

    @property
    def name(self) -> str:
        """What the picture calls it."""
        if self.range is not None:
            high, low = self.range
            return number(high) if high == low else f"{number(high)} to {number(low)}"
        if isinstance(self.value, float):
            return self.written or number(self.value)
        usual = " to ".join(number(end) for end in DEFAULT_MOMENTUM.values())
        return f"{self.value}\n{usual}"

    @property
    def title(self) -> str:
        """What the picture calls it where there is but one line."""
        return self.name.replace("\n", ", ")

    @property
    def finished(self) -> bool:
        """Whether its loss stayed finite."""
        return math.isfinite(self.mean)


def candidates_of(record: Record) -> list[Candidate]:
    """Return the candidates of a record in rising order, words last."""
    column = short_name(record)
    trials, curves = record.tables["trials"], record.tables["curves"]
    identity = trials.get("trial") or list(range(len(trials[column])))
    tried: dict[Value, list[int]] = {}
    for row, value in enumerate(trials[column]):
        tried.setdefault(value, []).append(row)
    lengths = trials.get("steps") or [0.0] * len(trials[column])
    tried = {v: _longest(rows, lengths) for v, rows in tried.items()}
    scores = {v: _mean([trials["score"][row] for row in rows]) for v, rows in tried.items()}
    losses = by_trial(identity, curves["trial"], curves["loss"])
    differences = _by_value(record.result.get("differences") or {})
    best = _best(record, scores)
    written = alike(tried)
    return [
        Candidate(
            value,
            _mean_curve([losses[row] for row in tried[value]]),
            scores[value],
            *_distance(value, best, scores, differences),
            _range(record, tried[value][0]) if column == "momentum" else None,
            written.get(value, ""),
        )
        for value in ordered(tried)
    ]


def _range(record: Record, row: int) -> tuple[float, float] | None:
    """Return the highest and the lowest momentum of a trial.

    Earlier versions don't say them: then they lie about the value, by the width in the config.
    """
    trials = record.tables["trials"]
    if "momentum_max" in trials:
        return float(trials["momentum_max"][row]), float(trials["momentum_min"][row])
    middle, width = trials["momentum"][row], record.config.get("find_momentum", {}).get("width")
    if not isinstance(middle, float) or not isinstance(width, int | float):
        return None
    ends = momentum_range(middle, width)
    return ends["max"], ends["min"]


def _longest(rows: Sequence[int], lengths: Sequence[Any]) -> list[int]:
    """Return the rows of the longest cycles: of runs of an earlier version, of several."""
    longest = max(lengths[row] for row in rows)
    return [row for row in rows if lengths[row] == longest]


def _best(record: Record, scores: Mapping[Value, float]) -> Value | None:
    best = _value_of(record.result.get("best"))
    if best in scores:
        return best
    finite = [v for v, score in scores.items() if math.isfinite(score)]
    return min(finite, key=lambda v: scores[v]) if finite else None


def _distance(
    value: Value,
    best: Value | None,
    scores: Mapping[Value, float],
    differences: Mapping[Value | None, Mapping[str, Any]],
) -> tuple[float, tuple[float, float] | None]:
    """Return how much worse than the best a candidate scored, and the interval if it is known."""
    if value == best:
        return 0.0, None
    if value in differences:
        mean, interval = differences[value].get("mean"), differences[value].get("interval") or ()
        if mean is None or not math.isfinite(mean):
            return math.inf, None
        ends = [float(v) for v in interval if v is not None and math.isfinite(v)]
        return float(mean), (ends[0], ends[1]) if len(ends) == 2 else None
    distance = scores[value] - scores[best] if best is not None else math.inf
    return (distance if math.isfinite(distance) else math.inf), None


def _by_value(differences: Mapping[str, Any]) -> dict[Value | None, Mapping[str, Any]]:
    return {_value_of(name): entry for name, entry in differences.items()}


def _value_of(name: Any) -> Value | None:
    try:
        return float(name)
    except (TypeError, ValueError):
        return None if name is None else str(name)


def alike(values: Iterable[Value]) -> dict[Value, str]:
    """Return how the numbers among some values are written, all in one style."""
    numbers = [value for value in values if isinstance(value, float)]
    return dict(zip(numbers, in_one_style(numbers, aligned=False), strict=True))


def ordered(values: Iterable[Value]) -> list[Value]:
    """Return the values in rising order, words last."""
    return sorted(values, key=lambda v: (isinstance(v, str), v))


def _mean(values: Sequence[Any]) -> float:
    return float(np.mean([v if isinstance(v, float) else math.nan for v in values]))


def _mean_curve(replicates: Sequence[Array]) -> Array:
    """Return the smoothed mean of the replicates, up to where one of them broke off."""
    length = min((len(r) for r in replicates), default=0)
    with np.errstate(invalid="ignore", over="ignore"):
        mean = np.mean([r[:length] for r in replicates], axis=0) if length else np.array([])
    broken = np.flatnonzero(~np.isfinite(mean))
    return moving_average(mean[: broken[0]] if len(broken) else mean, _SMOOTHING)


def short_name(record: Record) -> str:
    """Return what the record looks for: `weight_decay` or `momentum`."""
    return str(KINDS[record.kind].finds)
