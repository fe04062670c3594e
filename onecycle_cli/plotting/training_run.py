"""A training run as it is drawn: steps and epochs on one axis."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onecycle_cli.plotting.wording import known
from onecycle_cli.runs.files import Table
from onecycle_cli.runs.records import Record
from onecycle_cli.suggest import Array

_SMOOTHING_SHARE = 1 / 200
_SHORTEST_SMOOTHING = 10
"""The smoothed loss is fitted over this share of the steps, and over so many at least."""

_FEWEST_FOR_A_LINE = 3
_LEAST = 0.1


@dataclass(frozen=True)
class TrainingRun:
    """A training run as it is drawn, with all positions counted in epochs from its start."""

    at: Array
    losses: Array
    smooth_at: Array
    smooth_losses: Array
    lrs: Array
    momenta: Array
    epochs: Array
    train_accuracy: Array
    validation_loss: Array
    validation_accuracy: Array
    cycles_from: list[float]

    @property
    def has_accuracy(self) -> bool:
        """Whether any accuracy is known."""
        return bool(
            np.isfinite(self.validation_accuracy).any() or np.isfinite(self.train_accuracy).any()
        )

    @property
    def has_momentum(self) -> bool:
        """Whether any momentum is known."""
        return bool(np.isfinite(self.momenta).any())

    def by_cycle(self, values: Array) -> tuple[Array, Array]:
        """Return positions and values of the steps, with a gap where a new cycle jumps back."""
        gaps = np.searchsorted(self.at, self.cycles_from)
        return np.insert(self.at, gaps, np.nan), np.insert(values, gaps, np.nan)

    @property
    def length(self) -> float:
        """Where the run ends, in epochs."""
        return float(max([*self.at[-1:], *self.epochs[-1:], 0.0]))


def run_of(record: Record) -> TrainingRun:
    """Return a `train` record as it is drawn."""
    steps, history = record.tables["steps"], record.tables["history"]
    losses = _numbers(steps, "loss", len(steps["step"]))
    per_epoch = _steps_per_epoch(record, len(losses))
    at = _positions(_numbers(steps, "step", len(losses))) / per_epoch
    finite = np.isfinite(losses)
    count = len(history["epoch"])
    return TrainingRun(
        at=at,
        losses=losses,
        smooth_at=at[finite],
        smooth_losses=_smoothed(losses[finite]),
        lrs=_numbers(steps, "lr", len(losses)),
        momenta=_numbers(steps, "momentum", len(losses)),
        epochs=np.arange(1.0, count + 1),
        train_accuracy=_numbers(history, "accuracy", count),
        validation_loss=_numbers(history, "val_loss", count),
        validation_accuracy=_numbers(history, "val_accuracy", count),
        cycles_from=_cycle_starts(steps, history, at),
    )


def _numbers(table: Table, column: str, length: int) -> Array:
    """Return a column as numbers, `nan` where it is empty or missing."""
    values = table.get(column, [np.nan] * length)
    return np.array([v if isinstance(v, int | float) else np.nan for v in values], float)


def _steps_per_epoch(record: Record, steps: int) -> float:
    stated = record.result.get("steps_per_epoch")
    if known(stated) and stated:
        return float(stated)
    return max(1.0, steps / max(1, len(record.tables["history"]["epoch"])))


def _positions(steps: Array) -> Array:
    """Return steps counted from 0, whether or not they start again with each cycle."""
    rising = len(steps) > 0 and bool((np.diff(steps) > 0).all())
    return steps - steps[0] if rising else np.arange(float(len(steps)))


def _cycle_starts(steps: Table, history: Table, at: Array) -> list[float]:
    """Return where the second and each later cycle begins."""
    if "cycle" in steps:
        changes = np.flatnonzero(np.diff(_numbers(steps, "cycle", len(at)))) + 1
        return [float(at[i]) for i in changes]
    cycles = _numbers(history, "cycle", len(history["epoch"]))
    if not np.isfinite(cycles).all():
        return []
    return [float(i + 1) for i in np.flatnonzero(np.diff(cycles))]


def _smoothed(losses: Array) -> Array:
    """Fit the usual loss around each place, to both sides, so that the curve does not lag.

    Losses fall by shares: so the logarithm is fitted first, and then what the losses are on average
    of what that says, so that the curve is a mean, as a validation loss is.
    """
    if not len(losses) or losses.min() <= 0:
        return _fitted(losses)
    trend = np.exp(_fitted(np.log(losses)))
    return trend * np.maximum(_fitted(losses / trend), _LEAST)


def _fitted(losses: Array) -> Array:
    """Fit a line around each loss, to both sides, so that the curve neither lags nor bends off.

    A loss weighs the less the further away it is. Far from the ends this is the weighted mean; a
    mean would miss the slope at the ends, where there are losses on one side only.
    """
    span = max(_SHORTEST_SMOOTHING, len(losses) * _SMOOTHING_SHARE)
    fading = 1 - 1 / span
    ones = np.ones(len(losses))
    weight, offset, spread = _moments(ones, fading)
    total, tilt, _ = _moments(losses, fading)
    if len(losses) < _FEWEST_FOR_A_LINE:
        return total / weight
    return (spread * total - offset * tilt) / (spread * weight - offset**2)


def _moments(values: Array, fading: float) -> tuple[Array, Array, Array]:
    """Return, about each place, the sums of w v, of w v d and of w v d^2 over all distances d.

    The weight w is `fading` to the power of the distance.
    """
    before, after = _one_sided(values, fading), _one_sided(values[::-1], fading)
    behind, ahead = before.T, after[::-1].T
    return behind[0] + ahead[0] - values, ahead[1] - behind[1], behind[2] + ahead[2]


def _one_sided(values: Array, fading: float) -> Array:
    """Return these sums over each place and those before it, d counted backwards; shape (n, 3)."""
    zeroth = _faded_sums(values, fading)
    first = _faded_sums(_one_later(fading * zeroth), fading)
    second = _faded_sums(_one_later(fading * (2 * first + zeroth)), fading)
    return np.stack([zeroth, first, second], axis=1)


def _one_later(values: Array) -> Array:
    return np.concatenate([np.zeros(min(1, len(values))), values[:-1]])


def _faded_sums(values: Array, fading: float) -> Array:
    """Return s with s[i] = values[i] + fading s[i - 1].

    In blocks so short that no power of `fading` leaves the range of numbers.
    """
    sums, before = np.empty(len(values)), 0.0
    block = max(1, round(1 / (1 - fading)))
    powers = fading ** np.arange(1.0, block + 1)
    for start in range(0, len(values), block):
        part = values[start : start + block]
        own = powers[: len(part)]
        sums[start : start + block] = own * (np.cumsum(part / own) + before)
        before = sums[start + len(part) - 1]
    return sums
