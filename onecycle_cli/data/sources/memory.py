"""Arrays that are handed over in Python, with a model that takes them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.batches.stream import is_stream, stream_of
from onecycle_cli.data.dataset import Dataset
from onecycle_cli.data.inputs import (
    Inputs,
    arrays_of,
    count,
    first_not_finite,
    joined,
    mapped,
    named_arrays,
)
from onecycle_cli.data.loading import set_validation_aside
from onecycle_cli.data.sources.source import Progress, Source
from onecycle_cli.data.splitting import Positions
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_FEWEST_OF_A_CLASS = 2


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Refuse: what was in memory is nowhere to be read from.

    Raises:
        DataError: always.
    """
    raise DataError(
        "the data and the model of this run were handed over in Python; call the same function "
        "again with the same model and data, and with resume=FOLDER."
    )


def dataset_in_hand(
    x: Any,
    y: Any,
    *,
    name: str,
    sample_weight: Any = None,
    class_weight: Mapping[int, float] | None = None,
    validation_data: tuple[Any, ...] | None = None,
    validation_fraction: float = 0.1,
    groups: Any = None,
    seed: int = 0,
) -> Dataset:
    """Return arrays as a data set that a model sees as they are.

    Args:
        x: inputs, an array or several in a dictionary, a list or a tuple, shape (n, ...) each.
        y: targets, alike; None for a model that needs none.
        name: what the data are called.
        sample_weight: of the examples, shape (n,).
        class_weight: a weight for each label; others count 1.
        validation_data: inputs, targets and, if they have any, weights of their own.
        validation_fraction: split off where there are none, drawn by `seed`, and of each class its
            share.
        groups: what each example belongs to, shape (n,); no group is divided by that.
        seed: an integer >= 0.

    Raises:
        DataError: the arrays do not fit each other.
    """
    kind, x, y = kind_of(x), _as_tree(x, "x"), _as_tree(y, "y")
    weights = _weights(sample_weight, class_weight, y)
    _check_lengths(x, y, weights, "")
    total = count(x)
    if groups is not None and np.shape(groups) != (total,):
        raise DataError(f"groups must be one for each of the {total} examples of x.")
    given = np.empty(0, np.int64)
    if validation_data is not None:
        x_val, y_val, w_val = _unpacked(validation_data, class_weight)
        _check_lengths(x_val, y_val, w_val, "validation_data: ")
        given = np.arange(total, total + count(x_val))
        if weights is not None or w_val is not None:
            weights = np.concatenate([_or_ones(weights, total), _or_ones(w_val, len(given))])
        x, y = _joined(x, x_val), _joined(y, y_val)
    train, validation = set_validation_aside(
        strata_of(y, total + len(given)),
        np.arange(total),
        given,
        validation_fraction,
        seed,
        name,
        None if groups is None else np.asarray(groups),
    )
    return _as_it_is(
        *(name, x, y, train, validation), origin=kind, weights=weights, notes=_unfit(x, y)
    )


def stream_in_hand(
    x: Any,
    *,
    name: str,
    validation_data: Any = None,
    steps: int | None = None,
    validation_steps: int | None = None,
    what: tuple[str, str] = ("x", "validation_data"),
) -> Dataset:
    """Return a pipeline as a data set whose batches a model sees as they are.

    Args:
        x: gives batches, see `Stream`.
        name: what the data are called.
        validation_data: another pipeline; arrays (x, y) are one batch after the other.
        steps: batches in an epoch; None: as many as one pass gives.
        validation_steps: alike, of the validation.
        what: what both are called in errors.

    Raises:
        DataError: a pipeline can't be gone through repeatedly, or does not know its length.
    """
    stream = stream_of(x, steps, what[0])
    validation = None
    if validation_data is not None:
        if not is_stream(validation_data):
            raise DataError(
                f"{what[1]} must be a pipeline too where {what[0]} is one, such as "
                "tf.data.Dataset.from_tensor_slices((x, y)).batch(64)."
            )
        validation = stream_of(validation_data, validation_steps, what[1])
    first, *others = stream.first
    rows = np.arange(count(first))
    notes = (
        ()
        if stream.is_repeatable()
        else (
            f"{what[0]} gives other batches each time, so candidates are not compared on the same "
            "ones, and what is resumed goes on with others; leave out what shuffles, or have each "
            "pass shuffle by the same seed (tf.data: seed=0, reshuffle_each_iteration=False).",
        )
    )
    return _as_it_is(
        name,
        first,
        others[0] if others else (),
        rows,
        rows[:0],
        origin=kind_of(x),
        notes=notes,
        stream=stream,
        validation_stream=validation,
    )


def _as_it_is(
    name: str, x: Inputs, y: Inputs, train: Positions, validation: Positions, **more: Any
) -> Dataset:
    """Return a data set that a model sees as it is, and that has no test set."""
    nothing = mapped(lambda _: None, x)
    return Dataset(
        name=name,
        x=x,
        y=y,
        train=train,
        validation=validation,
        classes=None,
        mean=nothing,
        std=nothing,
        read_test=None,
        task="regression",
        **more,
    )


def kind_of(x: Any) -> str:
    """Return what data are, in a word: their class, or the function that gives them."""
    return getattr(x, "__name__", type(x).__name__).strip("_<>")


def _unfit(x: Inputs, y: Inputs) -> tuple[str, ...]:
    """Return what is to be said of numbers that are not finite.

    They are left as they are, as a loss or a layer of the user's own may know what to do.
    """
    arrays = {f"x{name}": array for name, array in named_arrays(x).items()}
    arrays |= {f"y{name}": array for name, array in named_arrays(y).items()}
    found = {name: first_not_finite(a) for name, a in arrays.items() if a.dtype.kind == "f"}
    return tuple(
        f"{name} has a NaN or an infinite number in row {row}: the weights of most models are NaN "
        f"after a step with such an example. Fill it in, or leave the example out."
        for name, row in found.items()
        if row is not None
    )


def strata_of(y: Inputs, size: int) -> NDArray[Any]:
    """Return what a split keeps the shares of: the classes of y as int32 labels, if it has any.

    Args:
        y: targets of any kind.
        size: the number of examples.
    """
    arrays = arrays_of(y)
    plain = np.zeros(size, np.float32)
    if len(arrays) != 1:
        return plain
    (values,) = arrays
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    is_whole = values.dtype.kind in "bui" or (
        values.dtype.kind == "f" and bool((values == np.round(values)).all())
    )
    if values.ndim == 2 and is_whole and bool((values.sum(axis=1) == 1).all()):
        values = values.argmax(axis=1)
    if values.ndim != 1 or not is_whole:
        return plain
    _, labels = np.unique(values, return_inverse=True)
    has_classes = _FEWEST_OF_A_CLASS * (labels.max() + 1) <= size
    return labels.astype(np.int32) if has_classes else plain


def _as_tree(values: Any, name: str) -> Inputs:
    """Return arrays in dictionaries and tuples; text as objects, and nothing as an empty tuple."""
    if values is None:
        return ()
    if isinstance(values, Mapping):
        return {key: _as_tree(part, f"{name}/{key}") for key, part in values.items()}
    if isinstance(values, list | tuple) and any(getattr(part, "ndim", 0) for part in values):
        return tuple(_as_tree(part, f"{name}/{i}") for i, part in enumerate(values))
    array = np.asarray(values)
    if array.dtype.kind in "SU":
        array = array.astype(object)
    if array.dtype.kind not in "buifO" or not array.ndim:
        raise DataError(f"{name} must be arrays with an example a row, got {array.dtype}.")
    if array.dtype.kind == "O":
        _check_text(array, name)
    return array


def _check_text(array: NDArray[Any], name: str) -> None:
    """Refuse objects that are no text, and text as targets, which no loss takes."""
    kinds = {type(value) for value in array.flat}
    if not all(issubclass(kind, str | bytes) for kind in kinds):
        found = " and ".join(sorted(kind.__name__ for kind in kinds))
        raise DataError(
            f"{name} must hold numbers, or text and nothing else; got objects of type {found}. "
            f"Turn each column into numbers first."
        )
    if name.startswith(("y", "validation_data y")):
        raise DataError(
            f"{name} holds text, and losses take numbers: give each class one from 0 on, as "
            f"np.unique(y, return_inverse=True)[1] does."
        )


def _unpacked(
    given: tuple[Any, ...], class_weight: Mapping[int, float] | None
) -> tuple[Inputs, Inputs, NDArray[np.float32] | None]:
    if not isinstance(given, tuple | list) or len(given) not in (2, 3):
        raise DataError(
            "validation_data must be (x, y) or (x, y, sample_weight), as for fit; got "
            f"{type(given).__name__}."
        )
    x, y = _as_tree(given[0], "validation_data x"), _as_tree(given[1], "validation_data y")
    return x, y, _weights(given[2] if len(given) == 3 else None, class_weight, y)


def _weights(
    sample_weight: Any, class_weight: Mapping[int, float] | None, y: Inputs
) -> NDArray[np.float32] | None:
    if sample_weight is not None and class_weight is not None:
        raise DataError("sample_weight and class_weight can't both be given, as for fit.")
    if sample_weight is not None:
        weights = np.asarray(sample_weight, np.float32)
        if weights.ndim != 1:
            raise DataError(
                f"sample_weight must be a number for each example, got shape {weights.shape}."
            )
        return weights
    if class_weight is None:
        return None
    if not isinstance(class_weight, Mapping):
        raise DataError(
            "class_weight must be a dictionary of a weight for each label, such as {0: 1.0, 1: "
            f"5.0}}, as for fit; got {class_weight!r}."
        )
    labels = arrays_of(y)
    if len(labels) != 1:
        raise DataError("class_weight needs y to be one array of labels; give sample_weight.")
    (values,) = labels
    if values.ndim == 2:
        values = values.argmax(axis=1) if values.shape[1] > 1 else values[:, 0]
    found = [class_weight.get(int(label), 1.0) for label in values]
    return np.array(found, np.float32)


def _or_ones(weights: NDArray[np.float32] | None, size: int) -> NDArray[np.float32]:
    return np.ones(size, np.float32) if weights is None else weights


def _joined(first: Inputs, second: Inputs) -> Inputs:
    ours, theirs = named_arrays(first), named_arrays(second)
    if list(ours) != list(theirs) or any(
        ours[name].shape[1:] != theirs[name].shape[1:] for name in ours
    ):
        raise DataError("validation_data must have arrays like those of x and y.")
    return joined(first, second)


def _check_lengths(x: Inputs, y: Inputs, weights: NDArray[np.float32] | None, where: str) -> None:
    arrays = {f"x{name}": array for name, array in named_arrays(x).items()}
    arrays |= {f"y{name}": array for name, array in named_arrays(y).items()}
    if weights is not None:
        arrays["sample_weight"] = weights
    lengths = {name: len(array) for name, array in arrays.items()}
    if not lengths or len(set(lengths.values())) > 1 or not min(lengths.values()):
        found = ", ".join(f"{name} {length}" for name, length in lengths.items()) or "nothing"
        raise DataError(f"{where}x and y must have the same number of examples, got {found}.")
