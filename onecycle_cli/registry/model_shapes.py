"""Whether a model takes the data and answers in the right shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from onecycle_cli.errors import ModelError

if TYPE_CHECKING:
    import keras

__all__ = ["check_shapes", "input_shape_of", "shapes_of", "takes"]

_FEW, _ANY_SIZE = 2, 32


def check_shapes(
    name: str,
    taken: Any,
    answered: Any,
    input_shape: Any,
    num_outputs: tuple[int, ...],
) -> None:
    """Make sure that a model takes the data and answers with the right shape.

    Args:
        name: of the model.
        taken: the shape of its inputs, batches included.
        answered: the shape of its outputs, alike.
        input_shape: of one example, or of each of its inputs in a structure; None where any size
            must do.
        num_outputs: how many numbers it must answer with: one of these; nothing: whatever it will.

    Raises:
        ModelError: when it does not.
    """
    if not takes(taken, input_shape):
        raise ModelError(
            f"model {name!r} must take inputs of shape {_batched(input_shape)}; it takes {taken}"
        )
    if num_outputs and answered not in [(None, count) for count in num_outputs]:
        wanted = " or ".join(str((None, count)) for count in num_outputs)
        raise ModelError(f"model {name!r} must have outputs of shape {wanted}; it has {answered}")


def shapes_of(
    model: keras.Model, input_shape: Any, examples: Callable[[], Any] | None
) -> tuple[Any, Any]:
    """Return the shapes of what a model takes and answers; one that has none yet is called.

    Args:
        model: the model.
        input_shape: of one example; None where any size must do.
        examples: gives inputs to call it with; `None`: zeros.
    """
    import keras

    if isinstance(model, keras.Sequential) and not model.built:
        model.build(_batched(input_shape))
    taken, answered = input_shape_of(model, input_shape), _shape(model, "output_shape")
    if taken is not None and answered is not None:
        return taken, answered
    outputs = model(_a_few(input_shape, examples))
    return _batched(input_shape), keras.tree.map_structure(_for_any_batch, outputs)


def _a_few(input_shape: Any, examples: Callable[[], Any] | None) -> Any:
    import keras
    import numpy as np

    if examples is not None:
        return keras.tree.map_structure(lambda array: array[:_FEW], examples())
    return _each(
        lambda shape: np.zeros((_FEW, *(size or _ANY_SIZE for size in shape)), np.float32),
        input_shape,
    )


def _for_any_batch(output: Any) -> tuple[int | None, ...]:
    shape = tuple(output.shape)
    return (None, *shape[1:]) if shape[:1] == (_FEW,) else shape


def input_shape_of(model: keras.Model, given: Any) -> Any:
    """Return a model's input shape, in the structure of the data as Keras fits it to the model.

    Keras takes a dictionary by the names of the inputs, whatever structure the model was made
    with, and arrays in a tuple, or a single one, in the order of the inputs.

    Args:
        model: the model.
        given: the shapes of an example's inputs.
    """
    import keras

    inputs = _shape(model, "input")
    if inputs is None:
        return _shape(model, "input_shape")
    if isinstance(given, Mapping):
        names = {tensor.name: tensor for tensor in keras.tree.flatten(inputs)}
        named = inputs if isinstance(inputs, Mapping) else names
        return {name: tuple(tensor.shape) for name, tensor in named.items()}
    shapes = [tuple(tensor.shape) for tensor in keras.tree.flatten(inputs)]
    return shapes if len(shapes) > 1 or _is_of_several(given) else shapes[0]


def _shape(model: keras.Model, name: str) -> Any:
    """Return a model's inputs, or its input or output shape, or None while it has none."""
    try:
        return getattr(model, name) if model.built else None
    except (AttributeError, ValueError):
        return None


def takes(shape: Any, input_shape: Any) -> bool:
    """Tell whether batches of any size of such examples fit a model's input shape."""
    if isinstance(input_shape, Mapping):
        is_alike = isinstance(shape, Mapping) and set(shape) <= set(input_shape)
        return is_alike and all(takes(shape[name], input_shape[name]) for name in shape)
    if _is_of_several(input_shape):
        is_alike = _is_of_several(shape) and len(shape) == len(input_shape)
        return is_alike and all(map(takes, shape, input_shape))
    if not isinstance(shape, tuple) or len(shape) != len(input_shape) + 1:
        return False
    pairs = zip(shape, (None, *input_shape), strict=True)
    return all(own is None or own == size for own, size in pairs)


def _is_of_several(shape: Any) -> bool:
    """Tell the shapes of several inputs from that of one, which is numbers."""
    if not isinstance(shape, tuple | list):
        return False
    return any(isinstance(part, tuple | list | Mapping) for part in shape)


def _each(function: Callable[[Any], Any], shapes: Any) -> Any:
    """Apply a function to each shape of a structure."""
    if isinstance(shapes, Mapping):
        return {name: _each(function, part) for name, part in shapes.items()}
    if _is_of_several(shapes):
        return tuple(_each(function, part) for part in shapes)
    return function(shapes)


def _batched(input_shape: Any) -> Any:
    return _each(lambda shape: (None, *shape), input_shape)
