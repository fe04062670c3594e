"""Which examples a training used for what, known again wherever they lie by then."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.data import Dataset
from onecycle_cli.data.hashing import Hashes
from onecycle_cli.data.splitting import Positions, rank_within_class
from onecycle_cli.errors import ResultError
from onecycle_cli.runs import files

NAME = "split.npz"

_INPUT, _EXAMPLE = 0, 1
_NOBODY: Hashes = np.empty((0, 2), np.uint64)


@dataclass(frozen=True)
class Split:
    """The hashes of a training's examples, part by part; see `data.hashing.hashes_of`.

    Attributes:
        train: of those it was trained on.
        validation: of those that its epochs were judged by.
        test: of those set aside as the test set; none where the data have one of their own.
    """

    train: Hashes
    validation: Hashes
    test: Hashes

    @classmethod
    def of(cls, dataset: Dataset) -> Split:
        """Return the parts of a data set as it is split now."""
        test = _NOBODY if dataset.test_rows is None else dataset.hashes[dataset.test_rows]
        return cls(dataset.hashes[dataset.train], dataset.hashes[dataset.validation], test)

    def write(self, folder: Path) -> None:
        """Write it into a run's folder, as `split.npz`."""
        file = io.BytesIO()
        np.savez(file, train=self.train, validation=self.validation, test=self.test)
        files.write_bytes(folder / NAME, file.getvalue())

    @classmethod
    def read(cls, folder: Path) -> Split | None:
        """Return what a run's folder holds; `None` for a run of a version that wrote none.

        Raises:
            ResultError: when the file is damaged.
        """
        path = folder / NAME
        if not path.exists():
            return None
        try:
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                parts = [file[part] for part in ("train", "validation", "test")]
        except Exception as error:  # a damaged file can raise nearly anything
            raise _damaged(path) from error
        if any(part.dtype != np.uint64 or part.shape[1:] != (2,) for part in parts):
            raise _damaged(path)
        return cls(*parts)

    def rows(self, part: Hashes, dataset: Dataset) -> Positions:
        """Return the rows of a data set that hold a part's examples, in the order of the part.

        An example that the part has twice is found at most twice.
        """
        return _places(dataset.hashes[:, _EXAMPLE], part[:, _EXAMPLE])

    def count_seen(self, hashes: Hashes, parts: Iterable[Hashes]) -> int:
        """Return how many examples have an input that is one of some parts' too."""
        known = np.concatenate([part[:, _INPUT] for part in parts])
        return int(np.isin(hashes[:, _INPUT], known).sum())


def _places(found: NDArray[np.uint64], wanted: NDArray[np.uint64]) -> Positions:
    """Return where `found` has what is wanted, in that order, each value at most as often."""
    _, numbers = np.unique(np.concatenate([wanted, found]), return_inverse=True)
    wanted_ones, found_ones = (
        number * len(numbers) + rank_within_class(number)  # each occurrence, a number of its own
        for number in np.split(numbers.reshape(-1), [len(wanted)])
    )
    _, order, places = np.intersect1d(
        wanted_ones, found_ones, assume_unique=True, return_indices=True
    )
    return np.asarray(places[np.argsort(order)], np.int64)


def _damaged(path: Path) -> ResultError:
    return ResultError(
        f"{path}: is damaged; restore it. Without it nobody knows which examples were trained on."
    )
