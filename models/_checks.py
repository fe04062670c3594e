"""Rules for what a builder is given; a broken one raises one clear sentence."""

import math
from collections.abc import Sequence
from numbers import Integral, Real


def at_least(smallest: int, **options: int) -> None:
    """Raise ValueError unless every option is an integer not below `smallest`."""
    for name, value in options.items():
        _require(_is_integer(value) and value >= smallest, name, f"an integer >= {smallest}", value)


def each_at_least(smallest: int, **options: Sequence[int]) -> None:
    """Raise ValueError unless every option is a list, not empty, of integers >= `smallest`."""
    for name, values in options.items():
        whole = isinstance(values, Sequence) and not isinstance(values, str) and len(values) > 0
        whole = whole and all(_is_integer(value) and value >= smallest for value in values)
        _require(whole, name, f"a list of integers >= {smallest}", values)


def one_of(choices: Sequence[str], **options: str) -> None:
    """Raise ValueError unless every option is one of the choices."""
    for name, value in options.items():
        _require(value in choices, name, f"one of {', '.join(choices)}", value)


def positive(**options: float) -> None:
    """Raise ValueError unless every option is a finite number above 0."""
    for name, value in options.items():
        _require(_is_finite(value) and value > 0, name, "a finite number > 0", value)


def not_negative(**options: float) -> None:
    """Raise ValueError unless every option is a finite number not below 0."""
    for name, value in options.items():
        _require(_is_finite(value) and value >= 0, name, "a finite number >= 0", value)


def fraction(**options: float) -> None:
    """Raise ValueError unless every option is a number in [0, 1)."""
    for name, value in options.items():
        _require(_is_finite(value) and 0 <= value < 1, name, "a number in [0, 1)", value)


def image_of_any_size(input_shape: Sequence[int | None], smallest: int = 1) -> None:
    """As `image`, but a side may be None: the network takes images of any size then."""
    image([smallest if side is None else side for side in input_shape], smallest)


def image(input_shape: Sequence[int], smallest: int = 1) -> None:
    """Raise ValueError unless `input_shape` is (height, width, channels), sides >= `smallest`."""
    shape = tuple(input_shape)
    whole = len(shape) == 3 and all(_is_integer(size) and size >= 1 for size in shape)
    rule = "(height, width, channels), three integers >= 1"
    _require(whole, "input_shape", rule, shape)
    rule = f"an image of at least {smallest} x {smallest} pixels"
    _require(min(shape[:2]) >= smallest, "input_shape", rule, shape)


def _is_integer(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)


def _is_finite(value: object) -> bool:
    return isinstance(value, Real) and math.isfinite(value)


def _require(holds: bool, option: str, rule: str, value: object) -> None:
    if not holds:
        raise ValueError(f"`{option}` must be {rule}; got {value!r}.")
