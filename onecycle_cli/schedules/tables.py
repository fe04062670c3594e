"""Schedules: from a position in training to a value, as tables computed once.

Every schedule is a list of ``num_steps`` floats, one for each training step, built by a pure
function in double precision from `phases`. A range test is a `sweep`; a 1cycle run is a pair of
`learning_rates` and `momenta`, both of one of the `shapes`.

References: L. N. Smith, "Cyclical Learning Rates" (arXiv:1506.01186) and "A disciplined approach to
neural network hyper-parameters" (arXiv:1803.09820).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Sized
from typing import Any, Literal, Unpack, get_args

from onecycle_cli.errors import ArgumentError
from onecycle_cli.schedules import shapes
from onecycle_cli.schedules.drawing import FINAL_DIVISOR, Curves
from onecycle_cli.schedules.phases import Phase, trace
from onecycle_cli.schedules.shape_options import ShapeOptions
from onecycle_cli.schedules.shapes import OPTIONS, AnyShape

Scale = Literal["exp", "linear"]

Values = float | Sequence[float] | Callable[[int], Sequence[float]]
"""What `table_of` makes a table of."""

_BELOW_ONE = ("momentum", "beta_2", "rho", "ema_momentum")

END_PERCENTAGE = 0.1
"""The default share of the steps in the tail."""


def sweep(num_steps: int, low: float, high: float, scale: Scale = "exp") -> list[float]:
    """Return the values of a range test from `low` to `high`, both end points exact.

    ```
    exp:    low * (high / low) ** (i / (num_steps - 1))
    linear: low + (high - low) * i / (num_steps - 1)
    ```

    Args:
        num_steps: number of values, at least 2.
        low: first value, > 0.
        high: last value, > `low`.
        scale: `"exp"` for equal ratios or `"linear"` for equal differences.

    Raises:
        ValueError: when an argument is out of its range.

    Example:
        >>> sweep(5, 1.0, 3.0, "linear")
        [1.0, 1.5, 2.0, 2.5, 3.0]
    """
    if num_steps < 2:
        raise ArgumentError(f"num_steps must be at least 2 for a sweep; got {num_steps}.")
    if not 0 < low < high < math.inf:
        raise ArgumentError(f"a sweep needs 0 < low < high; got low={low}, high={high}.")
    if scale not in get_args(Scale):
        raise ArgumentError(f"scale must be 'exp' or 'linear'; got {scale!r}.")
    return trace([Phase(0, num_steps - 1, low, high, scale)], num_steps)


def learning_rates(
    num_steps: int,
    max_lr: float,
    *,
    shape: AnyShape = "smith",
    end_percentage: float = END_PERCENTAGE,
    scale_percentage: float | None = None,
    **options: Unpack[ShapeOptions],
) -> list[float]:
    """Return the learning rate of each step of a 1cycle run.

    With s = `scale_percentage` (or else `end_percentage`), `"smith"` goes from `s * max_lr` to
    `max_lr` at step `mid`, back at step `2 * mid`, both in straight lines, and from there towards
    `max_lr / 1000`, which it would reach at step `num_steps`, where
    `mid = min(N - 1, max(1, floor(N * (1 - end_percentage) / 2)))`. `"linear"` and `"cosine"` go
    from `s * max_lr` to `max_lr` at step `floor(.25 N)` and `floor(.3 N)`; `"wsd"` stays there from
    `floor(.1 N)` to `floor(.8 N)`; all three then fall towards `max_lr / 1000`. For the other
    shapes see docs/schedules.md.

    Args:
        num_steps: number of steps N, at least 1. A single step is run at `max_lr`.
        max_lr: the highest learning rate, > 0, reached exactly, unless the arithmetic of
            `"pytorch"`, `"fastai"` or a cyclic shape puts the peak between two steps.
        shape: one of `SHAPES`, or a function from the progress in [0, 1] to a share of `max_lr`.
        end_percentage: share of the steps in the tail of `"smith"` and `"smith_caffe"`, in [0, 1).
        scale_percentage: the first learning rate as a share of `max_lr`, in (0, 1].
        **options: of the shape, see `OPTIONS`.

    Raises:
        ValueError: when an argument is out of its range, or means nothing to the shape; a
            `PluginError`, which is one too, when a function gives no shares of `max_lr`.
    """
    start = _start_share(end_percentage, scale_percentage)
    if not 0 < max_lr < math.inf:
        raise ArgumentError(f"max_lr must be greater than 0; got {max_lr}.")
    check_options(shape, options)  # before its shares
    check_share(shape, "scale_percentage", scale_percentage)
    return [
        max_lr * share for share in _drawn(num_steps, shape, start, end_percentage, options).shares
    ]


def momenta(
    num_steps: int,
    high: float,
    low: float,
    *,
    shape: AnyShape = "smith",
    end_percentage: float = END_PERCENTAGE,
    **options: Unpack[ShapeOptions],
) -> list[float]:
    """Return the momentum of each step: `high - (high - low) * f`, the mirror of the rate.

    After the peak of `"fastai"` it is `end - (end - low) * f`, if `final_momentum` is an end of its
    own.

    Args:
        num_steps: number of steps, at least 1.
        high: momentum where the learning rate is low, in [0, 1).
        low: momentum where the learning rate peaks, in [0, `high`].
        shape: one of `SHAPES`, or a function from the progress in [0, 1] to a share of `max_lr`.
        end_percentage: share of the steps in the tail of `"smith"`, where momentum stays `high`.
        **options: of the shape, see `OPTIONS`.

    Raises:
        ValueError: when an argument is out of its range, or means nothing to the shape; a
            `PluginError`, which is one too, when a function gives no shares of `max_lr`.
    """
    if not 0 <= low <= high < 1:
        raise ArgumentError(f"momentum needs 0 <= low <= high < 1; got high={high}, low={low}.")
    factors = cycle_factors(num_steps, shape, end_percentage, **options)
    final = options.get("final_momentum")
    if final is None:
        return [high - (high - low) * f for f in factors]
    peak = num_steps * options.get("pct_start", OPTIONS[str(shape)]["pct_start"])
    ends = [high if i <= peak else final for i in range(num_steps)]
    return [end - (end - low) * f for end, f in zip(ends, factors, strict=True)]


def table_of(values: Values, num_steps: int, name: str) -> list[float]:
    """Return the value of each step of any hyper-parameter.

    Args:
        values: a number, for all steps; its first and last value, for a straight line; a value for
            each step; or a function that is given the number of steps and returns these.
        num_steps: number of steps.
        name: of the hyper-parameter, for the error.

    Raises:
        ValueError: when they are not so many numbers, or out of the range of the hyper-parameter.

    Example:
        >>> table_of((0.0, 1.0), 5, "epsilon")
        [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    given: Any = values(num_steps) if callable(values) else values
    is_one = not isinstance(given, Sized)
    table = [float(given)] * num_steps if is_one else [float(value) for value in given]
    top = 1.0 if name in _BELOW_ONE else math.inf
    if not all(0 <= value < top for value in table):
        wanted = "in [0, 1)" if top == 1 else "finite and at least 0"
        raise ArgumentError(f"{name} must be {wanted} at every step; got {given}.")
    if len(table) == 2 != num_steps:
        table = trace([Phase(0, max(1, num_steps - 1), table[0], table[1])], num_steps)
    if len(table) != num_steps:
        raise ArgumentError(
            f"{name} has {len(table)} values for {num_steps} steps; give one number, the first and "
            f"the last value, one for each step, or a function of the number of steps."
        )
    return table


def cycle_factors(
    num_steps: int,
    shape: AnyShape = "smith",
    end_percentage: float = END_PERCENTAGE,
    **options: Unpack[ShapeOptions],
) -> list[float]:
    """Return f in [0, 1] for each step: 0 where momentum is high, 1 where it is low.

    It rises and falls with the learning rate, and is 0 where the rate starts and, but for `"sgdr"`,
    `"flat_cos"` and `"phases"`, which begin at their own, where the cycle begins; in the tail of
    `"smith"` it is 0.

    Raises:
        ValueError: when an argument is out of its range, or means nothing to the shape.
    """
    return _drawn(num_steps, shape, END_PERCENTAGE, end_percentage, options).factors


def check_options(shape: AnyShape, options: Mapping[str, Any]) -> None:
    """Refuse a shape that is not known, options that are not its own, and values out of range.

    Of `path/to/file.py:function` only the options are looked at.

    Raises:
        ValueError: in one sentence.
    """
    shapes.check(shape, options)


def check_share(shape: AnyShape, name: str, value: float | None) -> None:
    """Refuse an `end_percentage` or a `scale_percentage` that means nothing to a shape.

    Raises:
        ValueError: in one sentence.
    """
    is_given = value != END_PERCENTAGE if name == "end_percentage" else value is not None
    if is_given:
        shapes.check_share(shape, name)


def final_rate(table: list[float], max_lr: float) -> float:
    """Return where a learning rate goes when its table has ended, or is cut short."""
    return min(max_lr / FINAL_DIVISOR, table[-1])


def at(table: list[float], step: int, after: float) -> float:
    """Return the value at `step`, and `after` once the table has ended."""
    return table[step] if step < len(table) else after


def cooled_down(table: list[float], done: int, num_steps: int, final: float) -> list[float]:
    """Return the table cut after `done` steps, with a straight way to `final` in its place.

    Args:
        table: values of a whole run, at least one.
        done: steps that have been taken.
        num_steps: steps to come, at least 1; the last of them is at `final`.
        final: where to end.
    """
    present = table[max(0, min(done, len(table)) - 1)]
    way = [present + (final - present) * (i + 1) / num_steps for i in range(num_steps)]
    return [*table[:done], *way[:-1], final]


def stretched(table: list[float], done: int, num_steps: int) -> list[float]:
    """Return a table of `num_steps` values, whose part after `done` has the shape that it had.

    Args:
        table: values of a whole run.
        done: steps that have been taken, below `len(table)` and `num_steps`.
        num_steps: steps of the run from now on, those done included.
    """
    rest, count = [*table[done:], table[-1]], num_steps - done
    places = (i * (len(table) - done) / count for i in range(count))
    return [*table[:done], *(_between(rest, place) for place in places)]


def extended(table: list[float], done: int, num_steps: int) -> list[float]:
    """Return a table of `num_steps` values, in which the present value is held until it must go on.

    Args:
        table: values of a whole run.
        done: steps that have been taken, below `len(table)`.
        num_steps: steps of the run from now on, at least as many as there were.
    """
    return [*table[:done], *[table[done]] * (num_steps - len(table)), *table[done:]]


def scaled(table: list[float], done: int, times: float, by: float) -> list[float]:
    """Return a table whose values from step `done` on are multiplied by `times / by`."""
    return [*table[:done], *(value * times / by for value in table[done:])]


POLICIES: dict[str, Callable[[list[float], int, int], list[float]]] = {
    "stretch": stretched,
    "extend": extended,
}
"""What can become of a table whose run is given another number of steps on the way."""


def _between(values: list[float], place: float) -> float:
    before = int(place)
    if place == before:
        return values[before]
    return values[before] + (place - before) * (values[before + 1] - values[before])


def _start_share(end_percentage: float, scale_percentage: float | None) -> float:
    share = end_percentage if scale_percentage is None else scale_percentage
    if not 0 < share <= 1:
        name = "end_percentage" if scale_percentage is None else "scale_percentage"
        raise ArgumentError(
            f"{name} must be in (0, 1] to set the first learning rate; got {share}."
        )
    return share


def _drawn(
    num_steps: int, shape: AnyShape, start: float, end_percentage: float, options: ShapeOptions
) -> Curves:
    check_options(shape, options)
    if num_steps < 1:
        raise ArgumentError(f"num_steps must be at least 1; got {num_steps}.")
    if not 0 <= end_percentage < 1:
        raise ArgumentError(f"end_percentage must be in [0, 1); got {end_percentage}.")
    check_share(shape, "end_percentage", end_percentage)
    return shapes.draw(shape, num_steps, start, end_percentage, options)
