"""Loads a data set by its name, splits it and measures it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from onecycle_cli.config import SOURCES
from onecycle_cli.data.batches.augment import augmentation, check_augment
from onecycle_cli.data.dataset import Dataset
from onecycle_cli.data.files.names import readable_name
from onecycle_cli.data.files.row_numbers import read_row_numbers
from onecycle_cli.data.inputs import rows_of, shapes
from onecycle_cli.data.sources.source import Examples, Progress, Source
from onecycle_cli.data.splitting import Positions, split, split_groups
from onecycle_cli.data.statistics import measured
from onecycle_cli.data.target_scale import TargetScale
from onecycle_cli.data.targets import Meaning, Task, meaning_of
from onecycle_cli.errors import DataError

if TYPE_CHECKING:
    from onecycle_cli.config import DatasetConfig

_TEST_FRACTION = 0.1
_TEST, _LIMIT, _VALIDATION = "test", "limit", "validation"
_PURPOSES = {_TEST: 1, _LIMIT: 2, _VALIDATION: 3}  # tell the draws of one seed apart


def load(
    config: DatasetConfig,
    *,
    seed: int,
    task: Task | None = None,
    progress: Progress | None = None,
    decoding: Progress | None = None,
) -> Dataset:
    """Load a data set, find out what its targets mean, split it, and measure its training part.

    Args:
        config: the `dataset` section of the configuration.
        seed: an integer >= 0.
        task: what the targets set; `None`: it is found out, see `targets.meaning_of`.
        progress: told of a download's (bytes received, bytes in all or None).
        decoding: told of (images decoded, images in all) while a folder of images is read.

    Raises:
        ConfigError: the data set needs a path and has none.
        DataError: the data are missing, damaged, or do not fit the configuration.
    """
    heard = decoding if SOURCES[config.name].has_own_images else progress
    source = _reader_of(config.name)(config, heard)
    return split_up(source, config, seed=seed, task=task)


def split_up(
    source: Source, config: DatasetConfig, *, seed: int, task: Task | None = None
) -> Dataset:
    """Set the test and validation parts of a source aside, and measure the rest.

    In this order: the rows that `config.validation_rows` names are set aside; without a test set
    10 % of the rest are; `config.limit` keeps so many training examples; without a validation part
    `config.validation_fraction` of them are split off. Every draw is stratified, save for
    regression and several labels, and depends on nothing but the data and `seed`.

    Args:
        source: the data.
        config: how to split them.
        seed: an integer >= 0.
        task: as for `load`.

    Raises:
        DataError: the data do not fit the configuration.
    """
    source, meaning = _understood(source, task)
    check_augment(augmentation(config), shapes(source.x))
    size = len(source.y)
    pool, given = np.split(np.arange(size), [size - source.validation])
    if config.validation_rows is not None:
        pool, given = _rows_set_aside(source, pool, Path(config.validation_rows))
    pool, test_rows = _set_test_aside(source, pool, seed)
    pool, notes = _limited(source, pool, config.limit, seed)
    train, validation = set_validation_aside(
        source.y, pool, given, config.validation_fraction, seed, source.origin, source.groups
    )
    mean, std = measured(source.x, train, normalise=config.is_normalised)
    return Dataset(
        name=config.name,
        x=source.x,
        y=source.y,
        train=train,
        validation=validation,
        classes=meaning.classes,
        mean=mean,
        std=std,
        read_test=_reader(source, test_rows),
        origin=source.origin,
        notes=(*source.notes, *meaning.notes, *notes),
        test_rows=test_rows,
        task=meaning.task,
        why=meaning.why,
        weights=source.weights,
        columns=source.columns,
        test_files=source.test_files,
        target_scale=_target_scale(source, train, config, meaning),
    )


def _target_scale(
    source: Source, train: Positions, config: DatasetConfig, meaning: Meaning
) -> TargetScale | None:
    """Return how the targets are standardised, by those that are trained on; `None`: not at all.

    Raises:
        DataError: they are classes or labels.
    """
    if not config.standardise_targets:
        return None
    if meaning.task != "regression":
        raise DataError(
            f"{source.origin}: dataset.standardise_targets is for numbers to predict, and these "
            f"targets are for task: {meaning.task} ({meaning.why}); set task: regression, or "
            f"remove the key."
        )
    return TargetScale.of(source.y, train)


def _understood(source: Source, task: Task | None) -> tuple[Source, Meaning]:
    """Return a source with its targets in the form that they are trained on, and their meaning."""
    where = _targets_of(source, "train")
    if source.classes is not None:
        return source, _of_known_classes(source.classes, task)
    training = source.y[: len(source.y) - source.validation]
    meaning = meaning_of(training, task, where)
    parts = [meaning.encoded(training, where)]
    if source.validation:
        given = source.y[len(training) :]
        parts.append(meaning.encoded(given, _targets_of(source, "validation")))
    read = source.test
    if read is not None:
        read = partial(_encoded_test, read, meaning, _targets_of(source, "test"))
    y = parts[0] if len(parts) == 1 else np.concatenate(parts)
    return replace(source, y=y, test=read), meaning


def _targets_of(source: Source, part: str) -> str:
    """Return what to call the targets of a part, in errors."""
    whose = "" if part == "train" else f" of the {part} part"
    return f"{source.elsewhere.get(part, source.origin)}: the targets{whose}"


def _encoded_test(read: Callable[[], Examples], meaning: Meaning, where: str) -> Examples:
    x, y = read()
    return x, meaning.encoded(y, where)


def _of_known_classes(classes: tuple[str, ...], task: Task | None) -> Meaning:
    """Return the meaning of classes; a task that they are not made for is refused elsewhere."""
    if task == "binary" and len(classes) == 2:
        return Meaning("binary", classes, "task: binary")
    return Meaning("multiclass", classes, f"labels of {len(classes)} classes")


def _reader_of(name: str) -> Callable[[DatasetConfig, Progress | None], Source]:
    module, _, function = SOURCES[name].reader.partition(".")
    return getattr(import_module(f"onecycle_cli.data.sources.{module}"), function)


def _rows_set_aside(source: Source, pool: Positions, file: Path) -> tuple[Positions, Positions]:
    """Return the rows of the pool that remain, and those that a file names.

    Raises:
        DataError: they are none of the pool, or all of it; they divide a group; there is another
            validation part.
    """
    rows, where = read_row_numbers(file), f"dataset.validation_rows: {readable_name(file)}"
    if source.validation:
        raise DataError(
            f"{where} can't be had beside the validation part of "
            f"{source.elsewhere.get('validation', source.origin)}; remove one of them."
        )
    if rows[-1] >= len(pool):
        raise DataError(
            f"{where} has row {rows[-1]}, and the training part of {source.origin} has rows 0 to "
            f"{len(pool) - 1}; name rows of these."
        )
    if len(rows) == len(pool):
        raise DataError(f"{where} names all {len(pool)} training examples; leave some to train on.")
    remaining = np.delete(pool, rows)
    if source.groups is not None:
        divided = np.intersect1d(source.groups[rows], source.groups[remaining])
        if len(divided):
            raise DataError(
                f"{where} divides the group {divided[0]!s}; name all of its rows, or none."
            )
    return remaining, pool[rows]


def _set_test_aside(
    source: Source, pool: Positions, seed: int
) -> tuple[Positions, Positions | None]:
    if source.test is not None:
        return pool, None
    where = source.origin
    return _split_off(source.y, pool, _TEST_FRACTION, _TEST, seed, where, source.groups)


def _reader(source: Source, test_rows: Positions | None) -> Callable[[], Examples] | None:
    if test_rows is None:
        return source.test
    return lambda: (rows_of(source.x, test_rows), source.y[test_rows])


def _limited(
    source: Source, pool: Positions, limit: int | None, seed: int
) -> tuple[Positions, tuple[str, ...]]:
    """Keep `limit` examples of the pool; a larger limit keeps all and says so."""
    if limit is None or limit == len(pool):
        return pool, ()
    if limit > len(pool):
        return pool, (f"dataset.limit is {limit}: all {len(pool)} training examples are used.",)
    kept, _ = split(source.y[pool], len(pool) - limit, seed, _PURPOSES[_LIMIT])
    return pool[kept], ()


def set_validation_aside(
    strata: NDArray[Any],
    pool: Positions,
    given: Positions,
    fraction: float,
    seed: int,
    origin: str,
    groups: NDArray[Any] | None = None,
) -> tuple[Positions, Positions]:
    """Return the rows to train and to validate on: those that are given, or else a part of a pool.

    Args:
        strata: int32 labels of all rows, each of which gives its share; floats: a plain draw.
        pool: rows that may be trained on.
        given: rows to validate on; none: they are split off.
        fraction: how much of the pool is split off; 0: nothing is.
        seed: an integer >= 0.
        origin: of the data, for errors.
        groups: of all rows, that are to stay whole; None: there are none.

    Raises:
        DataError: the pool is too small.
    """
    if len(given) or not fraction:
        return pool, given
    return _split_off(strata, pool, fraction, _VALIDATION, seed, origin, groups)


def _split_off(
    strata: NDArray[Any],
    pool: Positions,
    fraction: float,
    part: str,
    seed: int,
    origin: str,
    groups: NDArray[Any] | None,
) -> tuple[Positions, Positions]:
    """Return the rows kept and those taken, one of each at least."""
    taken = max(1, round(fraction * len(pool)))
    if taken >= len(pool):
        raise DataError(
            f"{origin}: {len(pool)} training examples cannot give {taken} to the {part} "
            "part and train on the rest; use more data or a larger dataset.limit."
        )
    if groups is None:
        kept, out = split(strata[pool], taken, seed, _PURPOSES[part])
        return pool[kept], pool[out]
    if len(np.unique(groups[pool])) < 2:
        raise DataError(
            f"{origin}: the training examples are all of one group, so none can be given to the "
            f"{part} part; give more groups, or that part."
        )
    kept, out = split_groups(groups[pool], taken, seed, _PURPOSES[part])
    return pool[kept], pool[out]
