"""What targets mean: which task they set, and in what form they are trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.inputs import finite
from onecycle_cli.errors import DataError

Task = Literal["multiclass", "binary", "multilabel", "regression"]
Targets = NDArray[Any]

_MOST_CLASSES = 100
_SUM_TOLERANCE = 1e-3
_LONGEST = 30
_LABELS = "integers of shape (n,), from 0 up, or names"


@dataclass(frozen=True)
class Meaning:
    """What targets mean.

    Attributes:
        task: `multiclass`: one of several classes; `binary`: one of two, which the model tells by
            one number; `multilabel`: any number of labels; `regression`: numbers.
        classes: the names of the classes, or of the labels; `None` for regression.
        why: what shows it, in words.
        values: what stands for each class, where that is not its number.
        notes: sentences that the user should see once.
    """

    task: Task
    classes: tuple[str, ...] | None
    why: str
    values: NDArray[Any] | None = None
    notes: tuple[str, ...] = ()

    def encoded(self, y: NDArray[Any], where: str) -> Targets:
        """Return targets in the form that they are trained on.

        Args:
            y: as they were given, shape (n,) or (n, k).
            where: they come from, for the error.

        Returns:
            int32 of shape (n,) for classes; float32 zeros and ones of shape (n, k) for labels;
            float32 of shape (n,) or (n, k) for numbers.

        Raises:
            DataError: they are not like those that the meaning was found from.
        """
        y = _squeezed(np.asarray(y))
        if self.task == "regression":
            return _finite(y, where)
        names = self.classes or ()
        if self.task == "multilabel":
            if y.ndim != 2 or y.shape[1] != len(names) or not _is_binary(y):
                raise DataError(
                    f"{where} must be zeros and ones of shape (n, {len(names)}), got "
                    f"{_described(y)}."
                )
            return np.ascontiguousarray(y.astype(np.float32))
        return self._labels(y, names, where)

    def _labels(self, y: NDArray[Any], names: tuple[str, ...], where: str) -> Targets:
        if y.ndim == 2 and y.shape[1] == len(names) and _are_one_hot(y):
            return y.argmax(axis=1).astype(np.int32)
        if self.values is not None:
            places = np.searchsorted(self.values, y).clip(0, len(names) - 1)
            strange = np.flatnonzero(self.values[places] != y)
            if y.ndim != 1 or len(strange):
                raise DataError(
                    f"{where} must use classes of the training part, got {y.ravel()[strange[:1]]}."
                )
            return places.astype(np.int32)
        if y.ndim != 1 or not _is_whole(y):
            raise DataError(f"{where} must be {_LABELS}, got {_described(y)}.")
        if len(y) and (y.min() < 0 or y.max() >= len(names)):
            raise DataError(
                f"{where} must use labels of the training part, 0..{len(names) - 1}, got "
                f"{y.min():g}..{y.max():g}."
            )
        return y.astype(np.int32)


def meaning_of(y: NDArray[Any], asked: Task | None, where: str) -> Meaning:
    """Find out what targets mean, or refuse those that may mean two things.

    Names, integers and truth values are classes, and so are one-hot rows, with a single one in
    each; zeros and ones in other rows are labels; other numbers with a point are a regression.
    Numbers with a point that are all whole may be meant either way: the task has to be said.

    Args:
        y: the training targets, shape (n,) or (n, k).
        asked: the task that the configuration says; `None`: it is to be found out.
        where: the targets come from, for the errors.

    Raises:
        DataError: the targets are ambiguous, or not those of the task.
    """
    y = _squeezed(np.asarray(y))
    if y.dtype.kind == "O" and all(isinstance(value, str) for value in y.ravel()):
        y = y.astype(str)
    if y.dtype.kind not in "buifSU" or y.ndim not in (1, 2) or not y.size:
        raise DataError(
            f"{where} must be {_LABELS}, for classes, or floats of shape (n,) or (n, k), for "
            f"regression, got {_described(y)}; write them as one of these."
        )
    if asked == "regression":
        return _regression(y, where, "task: regression")
    if y.ndim == 2:
        return _of_rows(y, asked, where)
    if asked == "multilabel":
        raise _unlike(where, asked, "zeros and ones of shape (n, k), a column for each label", y)
    if y.dtype.kind in "SU":
        return _of_names(y, asked, where)
    if y.dtype.kind == "f":
        _finite(y, where)
        hint = None if asked else hidden_classes(y)
        if hint is not None:
            raise DataError(f"{where} {hint}.")
        if asked is None:
            return Meaning("regression", None, "numbers with a decimal point as targets")
        if not _is_whole(y):
            raise _unlike(where, asked, "whole numbers or names, one for each example", y)
    return _of_integers(y, asked, where)


def hidden_classes(y: NDArray[Any]) -> str | None:
    """Return what numbers look like besides numbers, and how to say which is meant.

    `None` if they look like nothing else. They do where each row adds up to one, as probabilities
    do; or where all are whole, of 2 to 100 values, each there twice on average.

    Args:
        y: float targets, shape (n,) or (n, k).
    """
    if y.ndim == 2 and y.shape[1] > 1:
        return _hidden_in_rows(y)
    values = np.unique(y)
    if _is_whole(values) and 2 <= len(values) <= min(_MOST_CLASSES, y.size // 2):
        what = "binary or " if len(values) == 2 else ""
        return (
            f"are whole numbers of {len(values)} values, and may be classes or numbers to predict; "
            f"set task: {what}multiclass, or task: regression"
        )
    return None


def looks_like_classes(y: NDArray[Any]) -> str | None:
    """Return what makes numbers look like classes, in a few words; `None` if nothing does.

    Args:
        y: targets of any numbers, shape (n,) or (n, k).
    """
    y = _squeezed(y)
    if y.ndim == 2:
        return f"one-hot rows of {y.shape[1]}" if _are_one_hot(y) else None
    count = len(np.unique(y))
    is_few = 2 <= count <= min(_MOST_CLASSES, y.size // 2)
    return f"whole numbers of {count} values" if is_few and _is_whole(y) else None


def _hidden_in_rows(y: NDArray[Any]) -> str | None:
    if _is_binary(y) or not _are_shares(y):
        return None
    return (
        "are the probabilities of classes, or numbers that add up to one; write one class for each "
        "example, as with numpy.argmax(y, axis=1), or set task: regression"
    )


def _of_rows(y: NDArray[Any], asked: Task | None, where: str) -> Meaning:
    """Return the meaning of targets of several columns."""
    if y.dtype.kind in "SU":
        raise DataError(f"{where} must be one name for each example, got {_described(y)}.")
    if y.dtype.kind == "f":
        _finite(y, where)
    if asked is None and (hint := hidden_classes(y)) is not None:
        raise DataError(f"{where} {hint}.")
    names = tuple(map(str, range(y.shape[1])))
    if asked in (None, "multiclass") and _are_one_hot(y):
        why = f"one-hot rows of {len(names)} classes"
        return Meaning("multiclass", names, f"task: {asked}" if asked else why)
    if asked in (None, "multilabel") and _is_binary(y):
        why = f"zeros and ones in rows of {len(names)}"
        return Meaning("multilabel", names, f"task: {asked}" if asked else why)
    if asked is None and y.dtype.kind == "f":
        return Meaning("regression", None, "numbers with a decimal point as targets")
    wanted = {
        "multiclass": "labels of shape (n,) or one-hot rows",
        "binary": "labels 0 and 1 of shape (n,)",
        "multilabel": "zeros and ones only",
        None: f"{_LABELS}, for classes, zeros and ones for labels, or floats, for regression",
    }
    if asked is None:
        raise DataError(
            f"{where} must be {wanted[asked]}, got {_described(y)}; set task: regression to "
            f"predict them as numbers."
        )
    raise _unlike(where, asked, wanted[asked], y)


def _of_integers(y: NDArray[Any], asked: Task | None, where: str) -> Meaning:
    """Return the meaning of whole numbers: 0..K-1 are labels, others classes only if it is said."""
    present = np.unique(y)
    if len(present) < 2:
        raise DataError(f"{where} must hold two classes or more, got {len(present)}.")
    gaps = np.flatnonzero(present != np.arange(len(present)))
    if len(gaps) and asked:
        return _of_values(present, asked, where)
    if len(gaps):
        raise DataError(
            f"{where} are whole numbers, but {gaps[0]} is none of them, so they may be classes or "
            f"numbers to predict; set task: multiclass to take each value for a class, or "
            f"task: regression."
        )
    meaning = _of_classes(tuple(map(str, range(len(present)))), asked, where)
    if asked is None and 2 * len(present) > len(y):
        note = (
            f"{where}: integers as targets are classes, {len(present)} of them for {len(y)} "
            f"examples; set task: regression if they are numbers to predict."
        )
        return Meaning(meaning.task, meaning.classes, meaning.why, notes=(note,))
    return meaning


def _of_names(y: NDArray[Any], asked: Task | None, where: str) -> Meaning:
    values = np.unique(y)
    if len(values) < 2:
        raise DataError(f"{where} must hold two classes or more, got {len(values)}.")
    if 2 * len(values) > len(y):
        raise DataError(
            f"{where} must be names of classes, and are text of {len(values)} values for {len(y)} "
            f"examples, such as {str(values[0])[:_LONGEST]!r}; take other targets."
        )
    return _of_values(values, asked, where)


def _of_values(values: NDArray[Any], asked: Task | None, where: str) -> Meaning:
    names = tuple(map(_name, values.tolist()))
    meaning = _of_classes(names, asked, where)
    return Meaning(meaning.task, meaning.classes, meaning.why, values)


def _name(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    return readable_name(text)


def _of_classes(names: tuple[str, ...], asked: Task | None, where: str) -> Meaning:
    if asked == "binary" and len(names) != 2:
        raise DataError(
            f"{where} must have two classes for task: binary, got {len(names)}; set task: "
            f"multiclass."
        )
    why = f"task: {asked}" if asked else f"labels of {len(names)} classes"
    return Meaning(asked or "multiclass", names, why)


def _regression(y: NDArray[Any], where: str, why: str) -> Meaning:
    _finite(y, where)
    return Meaning("regression", None, why)


def _unlike(where: str, task: str, wanted: str, y: NDArray[Any]) -> DataError:
    return DataError(
        f"{where} must be {wanted} for task: {task}, got {_described(y)}; set another task, or "
        f"write them so."
    )


def _finite(values: NDArray[Any], where: str) -> NDArray[np.float32]:
    if values.dtype.kind not in "buif":
        raise DataError(f"{where} must be numbers for task: regression, got {_described(values)}.")
    return finite(values, where)


def _squeezed(y: NDArray[Any]) -> NDArray[Any]:
    return y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y


def _described(y: NDArray[Any]) -> str:
    return f"{y.dtype} {y.shape}"


def _is_whole(y: NDArray[Any]) -> bool:
    return y.dtype.kind in "bui" or (y.dtype.kind == "f" and bool((y == np.round(y)).all()))


def _is_binary(y: NDArray[Any]) -> bool:
    return bool(((y == 0) | (y == 1)).all())


def _are_shares(y: NDArray[Any]) -> bool:
    return bool((y >= 0).all() and (np.abs(y.sum(axis=1) - 1) <= _SUM_TOLERANCE).all())


def _are_one_hot(y: NDArray[Any]) -> bool:
    return y.dtype.kind in "buif" and _is_binary(y) and bool((y.sum(axis=1) == 1).all())
