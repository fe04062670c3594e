"""What a source of data hands to the loader, and the checks that all sources share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data.inputs import Inputs
from onecycle_cli.errors import DataError

Progress = Callable[[int, int | None], None]
"""Told how much is done and how much there is (None: unknown): bytes received, images decoded."""

Examples = tuple[Inputs, NDArray[Any]]
"""Inputs and targets of the same length, in the form that `Dataset` documents."""


@dataclass(frozen=True)
class Source:
    """The training set of one data set, and a way to its test set.

    Attributes:
        x: inputs: C-contiguous arrays of shape (n, ...); what is to be normalised is uint8 or
            float32.
        y: int32 labels of shape (n,) where `classes` are given; else targets whose meaning is to be
            found out, see `targets.meaning_of`.
        classes: the classes' names; None: what the targets mean is to be found out.
        origin: where the data came from, for people: a path or the name of a package.
        validation: so many examples at the end are the validation part; 0: none is given.
        test: reads the test set; None: there is none.
        notes: sentences that the user should see once.
        weights: of the examples, float32 of shape (n,); None: all count alike.
        columns: the names of the features, where they have any.
        groups: what each example belongs to, shape (n,): a split leaves groups whole; None: each
            example stands for itself.
        elsewhere: where the parts `validation` and `test` came from, if not from `origin`.
        test_files: what the test set is read from, where the user may change it.
    """

    x: Inputs
    y: NDArray[Any]
    classes: tuple[str, ...] | None
    origin: str
    validation: int = 0
    test: Callable[[], Examples] | None = None
    notes: tuple[str, ...] = ()
    weights: NDArray[np.float32] | None = None
    columns: tuple[str, ...] | None = None
    groups: NDArray[Any] | None = None
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    test_files: tuple[Path, ...] = ()


def class_labels(values: object, count: int, classes: int, where: str) -> NDArray[np.int32]:
    """Return labels as int32 of shape (count,), or refuse what labels cannot be.

    Args:
        values: a sequence of integers.
        count: the number of inputs that they belong to.
        classes: labels lie in 0..classes-1.
        where: the file (and key) they were read from, for the error.

    Raises:
        DataError: other than `count` integers of 0..classes-1.
    """
    try:
        labels = np.asarray(values)
    except (ValueError, OverflowError):
        labels = np.empty(0, object)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise DataError(f"{where}: labels must be a list of integers.")
    if len(labels) != count:
        raise DataError(f"{where}: {count} images but {len(labels)} labels; use an intact copy.")
    if count and (labels.min() < 0 or labels.max() >= classes):
        raise DataError(
            f"{where}: labels must lie in 0..{classes - 1}, "
            f"got {labels.min()}..{labels.max()}; use an intact copy."
        )
    return labels.astype(np.int32)


def reason(error: BaseException) -> str:
    """Return the first line of an error's text, or its kind when it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0].strip() or type(error).__name__
