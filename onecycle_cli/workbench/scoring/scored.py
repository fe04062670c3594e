"""Which examples an evaluation scores: those set aside for it, none that the training used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from onecycle_cli.data import Dataset
from onecycle_cli.data.hashing import Hashes, hashes_of
from onecycle_cli.data.sources.source import Examples
from onecycle_cli.data.splitting import Positions
from onecycle_cli.errors import DataError
from onecycle_cli.workbench.split_file import Split

Part = Literal["test", "validation"]

_SHARE_OF_A_VERSION = 0.5
_PLACES = {
    "test": "x_test and y_test in an .npz file, a folder test/ of images, dataset.test",
    "validation": "x_val and y_val in an .npz file, a folder val/ of images, dataset.validation",
}


@dataclass(frozen=True)
class Scored:
    """What is scored.

    Attributes:
        rows: which examples.
        examples: inputs and targets that `rows` counts in; `None` for the data set's own.
        is_own: whether they are the training's own part, known by their hashes.
        seen: how many have inputs that the training used too; `None` where that is not on record.
        warnings: what the score is not, in sentences.
    """

    rows: Positions
    examples: Examples | None = None
    is_own: bool = False
    seen: int | None = None
    warnings: tuple[str, ...] = ()


def chosen(split: Split | None, dataset: Dataset, part: Part) -> Scored:
    """Return the part of a data set to be scored.

    A test set of the data's own is taken as it is, and its copies of training examples are
    counted. Of the training's data, however they have changed, its own part is taken, as far as it
    is there still. Other data are split as any, and what is drawn must be new to the training.

    Args:
        split: of the training; `None` where it is not on record.
        dataset: the data.
        part: which part.

    Raises:
        DataError: when examples that the training used would be scored, or the test set is damaged.
    """
    drawn = dataset.test_rows if part == "test" else dataset.validation
    if drawn is None or (part == "test" and split is None):
        return whole_test_set(split, dataset)
    if split is None:
        return Scored(drawn)
    wanted = split.test if part == "test" else split.validation
    own = split.rows(wanted, dataset)
    is_own = len(own) > 0 and _are_those_of_the_training(split, dataset, len(own) / len(wanted))
    seen = _seen(split, dataset.hashes[own if is_own else drawn], part)
    if is_own:
        warnings = (*_of_missing(len(wanted) - len(own), part), *_of_copies(seen, len(own)))
        return Scored(own, None, True, seen, warnings)
    if seen:
        raise DataError(
            f"{dataset.origin}: {seen} of the {len(drawn)} examples to be scored were used in the "
            f"training, so the score would be too good; put new examples into a {part} part of "
            f"their own: {_PLACES[part]}."
        )
    return Scored(drawn, seen=0)


def whole_test_set(split: Split | None, dataset: Dataset) -> Scored:
    """Return all of a data set's test set, and how much of it the training used.

    Raises:
        DataError: the test set is damaged.
    """
    examples = dataset.test()
    rows = np.arange(len(examples[1]))
    if split is None:
        return Scored(rows, examples)
    seen = _seen(split, hashes_of(*examples), "test")
    return Scored(rows, examples, False, seen, _of_copies(seen, len(rows)))


def _are_those_of_the_training(split: Split, dataset: Dataset, found: float) -> bool:
    """Tell a version of the training's data from others that have an example in common.

    A version has half of the part that is looked for, or half of its inputs are the training's.
    """
    known = split.count_seen(dataset.hashes, [split.train, split.validation, split.test])
    return max(found, known / len(dataset)) >= _SHARE_OF_A_VERSION


def _seen(split: Split, hashes: Hashes, part: Part) -> int:
    used = [split.train, split.validation] if part == "test" else [split.train]
    return split.count_seen(hashes, used)


def _of_copies(seen: int, count: int) -> tuple[str, ...]:
    if not seen:
        return ()
    return (
        f"{seen} of the {count} examples are exact copies of inputs that the training has used; "
        f"their part of the score is too good.",
    )


def _of_missing(missing: int, part: Part) -> tuple[str, ...]:
    if not missing:
        return ()
    return (
        f"{missing} of the training's {part} examples are not in these data any more, or have "
        f"changed; the others are scored.",
    )
