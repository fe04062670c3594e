"""The user's own arrays, part by part, as one source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.inputs import Inputs, arrays_of, finite, joined, mapped, named_arrays
from onecycle_cli.data.mapping import is_mapped
from onecycle_cli.data.sources.source import Examples, Source
from onecycle_cli.errors import DataError

_MOST_COPIED = 1 << 30  # bytes


@dataclass(frozen=True)
class Part:
    """One part of the data: for the training, for the validation or for the test.

    Attributes:
        x: inputs, an array or several, of shape (n, ...) each.
        y: targets, shape (n,) or (n, k).
        weights: of the examples, shape (n,); None: all count alike.
        groups: what each example belongs to, numbers or names of shape (n,); None: to nothing.
    """

    x: Inputs
    y: NDArray[Any]
    weights: NDArray[Any] | None = None
    groups: NDArray[Any] | None = None


def source_of(
    train: Part,
    validation: Part | None,
    test: Callable[[], Part] | None,
    origin: str,
    names: Mapping[str, str],
    *,
    elsewhere: Mapping[str, str] | None = None,
    outline: Part | None = None,
    test_files: tuple[Path, ...] = (),
) -> Source:
    """Return a source of these parts.

    Args:
        train: what may be trained on.
        validation: what is validated on, if it is given.
        test: reads the test part; None: there is none.
        origin: where the data came from, for people.
        names: what the parts are called, in errors: of `train`, `validation` and `test`.
        elsewhere: where `validation` and `test` came from, if not from `origin`.
        outline: a part of the types and shapes of the test part, where they are known before.
        test_files: what the test part is read from.

    Raises:
        DataError: the parts are no arrays of numbers or text, or do not fit each other.
    """
    elsewhere = elsewhere or {}
    where = {part: f"{elsewhere.get(part, origin)}: {name}" for part, name in names.items()}
    train = _checked(train, where["train"])
    x, y, weights, groups = train.x, train.y, train.weights, train.groups
    count = 0
    if validation is not None:
        validation = _checked(validation, where["validation"])
        _check_fits(validation, train, where["validation"])
        _check_can_be_joined(train, where["validation"])
        count, x, y = len(validation.y), joined(x, validation.x), joined(y, validation.y)
        if weights is not None or validation.weights is not None:
            weights = np.concatenate([_weights(train), _weights(validation)])
        if groups is not None:  # of the validation part none are asked for
            groups = np.concatenate([groups, np.repeat(groups[:1], count)])
    if outline is not None:
        _read_test(lambda: outline, train, where["test"])
    return Source(
        x,
        y,
        None,
        origin,
        validation=count,
        test=None if test is None else partial(_read_test, test, train, where["test"]),
        weights=weights,
        groups=groups,
        elsewhere=elsewhere,
        test_files=test_files,
    )


def _check_can_be_joined(train: Part, where: str) -> None:
    """Refuse a validation part beside training inputs that are to stay in their files."""
    size = sum(array.nbytes for array in arrays_of(train.x) if is_mapped(array))
    if size > _MOST_COPIED:
        raise DataError(
            f"{where} can't be had beside training inputs of {size / 2**30:.1f} GiB that stay on "
            f"disk; put both into the training part, and dataset.validation_fraction is split off."
        )


def _read_test(read: Callable[[], Part], train: Part, where: str) -> Examples:
    part = _checked(read(), where)
    _check_fits(part, train, where)
    return part.x, part.y


def _weights(part: Part) -> NDArray[np.float32]:
    return np.ones(len(part.y), np.float32) if part.weights is None else part.weights


def _checked(part: Part, where: str) -> Part:
    """Return a part with arrays in the types that they are kept in."""
    arrays = {name: _as_input(a, f"{where}{name}") for name, a in named_arrays(part.x).items()}
    each = iter(arrays.values())
    x = mapped(lambda _: next(each), part.x)
    y = np.asarray(part.y)
    weights = None if part.weights is None else _as_weights(part.weights, where)
    groups = None if part.groups is None else np.asarray(part.groups)
    if groups is not None and groups.ndim != 1:
        raise DataError(f"{where}: groups must be one for each example, got shape {groups.shape}.")
    held: dict[str, Any] = {f"x{name}": array for name, array in arrays.items()}
    held |= {"y": y, "weights": weights, "groups": groups}
    check_lengths({name: array for name, array in held.items() if array is not None}, where)
    return Part(x, y, weights, groups)


def check_lengths(arrays: Mapping[str, NDArray[Any]], where: str) -> None:
    """Refuse arrays, by their names, that have not an example a row each.

    Raises:
        DataError: they have not.
    """
    lengths = {name: _length(array) for name, array in arrays.items()}
    if len(set(lengths.values())) > 1 or -1 in lengths.values():
        found = ", ".join(f"{name} {length}" for name, length in lengths.items())
        raise DataError(f"{where} must have as many inputs as targets, got {found}.")


def _length(y: NDArray[Any]) -> int:
    return len(y) if y.ndim else -1


def _as_input(values: Any, where: str) -> NDArray[Any]:
    """Return inputs as they are kept: floats as float32, and text as objects."""
    if not hasattr(values, "dtype"):
        values = np.asarray(values)
    if values.dtype.kind not in "buifOSU" or not values.ndim or not len(values):
        raise DataError(
            f"{where} must be an array of numbers or of text, an example a row, got "
            f"{values.dtype} {values.shape}."
        )
    if values.dtype.kind in "OSU":
        return _as_text(values, where)
    if values.dtype.kind == "f":
        return finite(values, where)
    return values if values.flags.c_contiguous else np.ascontiguousarray(values)


def _as_text(values: NDArray[Any], where: str) -> NDArray[Any]:
    if not all(isinstance(value, str | bytes) for value in values.ravel()):
        raise DataError(f"{where} must be an array of numbers or of text, got Python objects.")
    texts = [v.decode() if isinstance(v, bytes) else str(v) for v in values.ravel()]
    kept = np.empty(values.size, object)
    kept[:] = texts
    return kept.reshape(values.shape)


def _as_weights(values: Any, where: str) -> NDArray[np.float32]:
    weights = np.asarray(values)
    if weights.ndim != 1 or weights.dtype.kind not in "buif":
        raise DataError(
            f"{where}: weights must be a number for each example, got {weights.dtype} "
            f"{weights.shape}."
        )
    weights = finite(weights, f"{where}: weights")
    if len(weights) and (weights.min() < 0 or not weights.any()):
        raise DataError(f"{where}: weights must be 0 or more, and one of them above 0.")
    return weights


def _check_fits(part: Part, train: Part, where: str) -> None:
    """Refuse inputs and targets whose types or shapes the training part does not have."""
    ours, theirs = named_arrays(part.x), named_arrays(train.x)
    if list(ours) != list(theirs):
        raise DataError(
            f"{where} must have the inputs of the training part, "
            f"{', '.join(map(repr, theirs))}, got {', '.join(map(repr, ours))}."
        )
    pairs = {f"x{name}": (ours[name], theirs[name]) for name in ours} | {"y": (part.y, train.y)}
    for name, (found, wanted) in pairs.items():
        differs = found.dtype != wanted.dtype and name != "y"
        if differs or found.shape[1:] != wanted.shape[1:]:
            raise DataError(
                f"{where}: {name} must be like that of the training part, {_form(wanted)}, got "
                f"{_form(found)}."
            )


def _form(array: NDArray[Any]) -> str:
    shape = ", ".join(map(str, ("n", *array.shape[1:])))
    return f"{array.dtype} of shape ({shape})"
