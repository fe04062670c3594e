"""The user's own arrays, from an .npz file."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.npz import names_in, read_npz
from onecycle_cli.data.sources.source import Examples, Progress, Source
from onecycle_cli.errors import ConfigError, DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_SPLITS = ("train", "val", "test")


def read(config: DatasetConfig, progress: Progress | None) -> Source:
    """Read x_train and y_train, and x_val and y_val where the file has them.

    Integers as targets are labels 0..K-1 and make it a classification; floats, of shape (n,) or
    (n, k), a regression. Inputs of type uint8 stay so; other numbers become float32. Inputs of
    three axes are grey images and get a channel axis; those of four are images, channels last.

    Raises:
        ConfigError: there is no dataset.path.
        DataError: the file breaks one of these rules.
    """
    file = _file(config.path)
    splits = _splits_in(file)
    x, y = _read_split(file, "train")
    classes = _class_count(file, y)
    if "val" in splits:
        x_val, y_val = _read_split(file, "val")
        _check_fits(file, "val", (x_val, y_val), (x, y), classes)
        x, y = np.concatenate([x, x_val]), np.concatenate([y, y_val])
    return Source(
        x,
        y,
        None if classes is None else tuple(str(label) for label in range(classes)),
        origin=str(file),
        validation=len(y_val) if "val" in splits else 0,
        test=partial(_read_test, file, (x[:1], y[:1]), classes) if "test" in splits else None,
        notes=_notes(file, classes, len(y)),
    )


def _file(path: str | None) -> Path:
    if path is None:
        raise ConfigError("dataset.path must name the .npz file for 'arrays', got null; set it.")
    if not Path(path).is_file():
        raise DataError(f"dataset.path must be an .npz file for 'arrays', got {path}.")
    return Path(path)


def _splits_in(file: Path) -> list[str]:
    """Return which of train, val and test the file has, each of them whole."""
    names = names_in(file)
    splits = [split for split in _SPLITS if {f"x_{split}", f"y_{split}"} & set(names)]
    for split in ["train", *splits]:
        for name in (f"x_{split}", f"y_{split}"):
            if name not in names:
                found = ", ".join(names) or "nothing"
                raise DataError(f"{file} must hold {name}, got {found}; add it with numpy.savez.")
    return splits


def _read_split(file: Path, split: str) -> Examples:
    arrays = read_npz(file, (f"x_{split}", f"y_{split}"))
    x = _inputs(arrays[f"x_{split}"], f"{file}: x_{split}")
    y = _targets(arrays[f"y_{split}"], f"{file}: y_{split}")
    if len(x) != len(y):
        raise DataError(
            f"{file}: x_{split} and y_{split} must have the same length, got {len(x)} and {len(y)}."
        )
    return x, y


def _read_test(file: Path, like: Examples, classes: int | None) -> Examples:
    examples = _read_split(file, "test")
    _check_fits(file, "test", examples, like, classes)
    return examples


def _inputs(values: NDArray[Any], where: str) -> NDArray[Any]:
    if values.dtype.kind not in "buif" or not 2 <= values.ndim <= 4 or not values.size:
        raise DataError(
            f"{where} must be numbers of shape (n, features), (n, height, width) or "
            f"(n, height, width, channels), got {values.dtype} {values.shape}."
        )
    if values.dtype != np.uint8:
        values = _finite(values, where)
    return np.ascontiguousarray(values[..., None] if values.ndim == 3 else values)


def _targets(values: NDArray[Any], where: str) -> NDArray[Any]:
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.dtype.kind in "bui" and values.ndim == 1:
        return _labels(values, where)
    if values.dtype.kind == "f" and values.ndim in (1, 2) and values.size:
        return np.ascontiguousarray(_finite(values, where))
    raise DataError(
        f"{where} must be integers of shape (n,), for classes, or floats of shape (n,) or (n, k), "
        f"for regression, got {values.dtype} {values.shape}; {_remedy(values)}."
    )


def _remedy(values: NDArray[Any]) -> str:
    if values.dtype.kind in "bui":
        return (
            "turn one-hot rows into labels with numpy.argmax(y, axis=1), numbers into floats with "
            "y.astype(float)"
        )
    if values.dtype.kind in "SU":
        return "number the names with numpy.unique(y, return_inverse=True)[1]"
    return "write them as one of these"


def _finite(values: NDArray[Any], where: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        numbers = values.astype(np.float32, copy=False)
    if not np.isfinite(numbers).all():
        bad = int(np.flatnonzero(~np.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1))[0])
        raise DataError(
            f"{where} must hold finite numbers only, but row {bad} has a NaN, an infinity or a "
            "number too large for float32; clean it first."
        )
    return numbers


def _labels(values: NDArray[Any], where: str) -> NDArray[np.int32]:
    low, high = (int(values.min()), int(values.max())) if len(values) else (0, 0)
    if low < 0 or high > np.iinfo(np.int32).max:
        raise DataError(f"{where}: labels must be integers from 0 up, got {low}..{high}.")
    return values.astype(np.int32)


def _class_count(file: Path, y: NDArray[Any]) -> int | None:
    """Return the number of classes, None for regression; every label up to it must occur."""
    if y.dtype != np.int32:
        return None
    present = np.unique(y)
    if len(present) < 2:
        raise DataError(f"{file}: y_train must hold two classes or more, got {len(present)}.")
    gaps = np.flatnonzero(present != np.arange(len(present)))
    if len(gaps):
        raise DataError(
            f"{file}: y_train must use every label from 0 to {present[-1]}, but {gaps[0]} never "
            "occurs; renumber with numpy.unique(y, return_inverse=True), or write them as floats "
            "if they are numbers to predict."
        )
    return len(present)


def _notes(file: Path, classes: int | None, count: int) -> tuple[str, ...]:
    if classes is None or 2 * classes <= count:
        return ()
    return (
        f"{file}: integers as targets are classes, {classes} of them for {count} examples; write "
        "them as floats if they are numbers to predict.",
    )


def _check_fits(
    file: Path, split: str, examples: Examples, like: Examples, classes: int | None
) -> None:
    """Refuse a part whose types, shapes or labels the training part does not have."""
    for name, ours, theirs in zip("xy", examples, like, strict=True):
        if ours.dtype != theirs.dtype or ours.shape[1:] != theirs.shape[1:]:
            raise DataError(
                f"{file}: {name}_{split} must be like {name}_train, {theirs.dtype} of shape "
                f"(n, {', '.join(map(str, theirs.shape[1:]))}), got {ours.dtype} {ours.shape}."
            )
    labels = examples[1]
    if classes is not None and labels.max() >= classes:
        raise DataError(
            f"{file}: y_{split} must use labels of y_train, 0..{classes - 1}, got {labels.max()}."
        )
