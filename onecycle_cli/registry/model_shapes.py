"""Whether a model takes the data and answers in the right shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from onecycle_cli.errors import ModelError

if TYPE_CHECKING:
    import keras

__all__ = ["check_shapes", "shapes_of"]

_FEW, _ANY_SIZE = 2, 32


def check_shapes(
    name: str,
    taken: Any,
    answered: Any,
    input_shape: tuple[int | None, ...],
    num_outputs: tuple[int, ...],
) -> None:
    """Make sure that a model takes the data and answers with the right shape.

    Args:
        name: of the model.
        taken: the shape of its inputs, batches included.
        answered: the shape of its outputs, alike.
        input_shape: of one example; None where any size must do.
        num_outputs: how many numbers it must answer with; any of these.

    Raises:
        ModelError: when it does not.
    """
    if not _takes(taken, input_shape):
        raise ModelError(
            f"model {name!r} must take inputs of shape {(None, *input_shape)}; it takes {taken}"
        )
    if answered not in [(None, count) for count in num_outputs]:
        wanted = " or ".join(str((None, count)) for count in num_outputs)
        raise ModelError(f"model {name!r} must have outputs of shape {wanted}; it has {answered}")


def shapes_of(
    model: keras.Model, input_shape: tuple[int | None, ...], examples: Callable[[], Any] | None
) -> tuple[Any, Any]:
    """Return the shapes of what a model takes and answers; one that has none yet is called.

    Args:
        model: the model.
        input_shape: of one example; None where any size must do.
        examples: gives inputs to call it with; `None`: zeros.
    """
    import keras

    if isinstance(model, keras.Sequential) and not model.built:
        model.build((None, *input_shape))
    taken, answered = _shape(model, "input_shape"), _shape(model, "output_shape")
    if taken is not None and answered is not None:
        return taken, answered
    outputs = model(_a_few(input_shape, examples))
    return (None, *input_shape), keras.tree.map_structure(_for_any_batch, outputs)


def _a_few(input_shape: tuple[int | None, ...], examples: Callable[[], Any] | None) -> Any:
    import numpy as np

    if examples is not None:
        return examples()[:_FEW]
    return np.zeros((_FEW, *(size or _ANY_SIZE for size in input_shape)), np.float32)


def _for_any_batch(output: Any) -> tuple[int | None, ...]:
    shape = tuple(output.shape)
    return (None, *shape[1:]) if shape[:1] == (_FEW,) else shape


def _shape(model: keras.Model, name: str) -> Any:
    """Return a model's input or output shape, or None while it has none."""
    try:
        return getattr(model, name) if model.built else None
    except (AttributeError, ValueError):
        return None


def _takes(shape: Any, input_shape: tuple[int | None, ...]) -> bool:
    """Tell whether batches of any size of such examples fit a model's input shape."""
    if not isinstance(shape, tuple) or len(shape) != len(input_shape) + 1:
        return False
    pairs = zip(shape, (None, *input_shape), strict=True)
    return all(own is None or own == size for own, size in pairs)
