"""Loads a data set by its name, splits it and measures it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from onecycle_cli.config import SOURCES
from onecycle_cli.data.augment import augmentation, check_augment
from onecycle_cli.data.dataset import Dataset
from onecycle_cli.data.sources.source import Examples, Progress, Source
from onecycle_cli.data.splitting import Positions, split
from onecycle_cli.data.statistics import as_they_are, channel_statistics
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
    progress: Progress | None = None,
    decoding: Progress | None = None,
) -> Dataset:
    """Load a data set, set its test and validation parts aside, and measure the rest.

    In this order: without a test set 10 % are set aside; `config.limit` keeps so many training
    examples; without a validation part `config.validation_fraction` of them are split off. Every
    draw is stratified, save for regression, and depends on nothing but the data and `seed`.

    Args:
        config: the `dataset` section of the configuration.
        seed: an integer >= 0.
        progress: told of a download's (bytes received, bytes in all or None).
        decoding: told of (images decoded, images in all) while a folder of images is read.

    Raises:
        ConfigError: the data set needs a path and has none.
        DataError: the data are missing, damaged, or do not fit the configuration.
    """
    heard = decoding if SOURCES[config.name].has_own_images else progress
    source = _reader_of(config.name)(config, heard)
    check_augment(augmentation(config), source.x.shape[1:])
    pool, given = np.split(np.arange(len(source.x)), [len(source.x) - source.validation])
    pool, test_rows = _set_test_aside(source, pool, seed)
    pool, notes = _limited(source, pool, config.limit, seed)
    train, validation = _set_validation_aside(source, pool, given, config, seed)
    measure = channel_statistics if config.normalise else as_they_are
    mean, std = measure(source.x, train)
    return Dataset(
        name=config.name,
        x=source.x,
        y=source.y,
        train=train,
        validation=validation,
        classes=source.classes,
        mean=mean,
        std=std,
        read_test=_reader(source, test_rows),
        origin=source.origin,
        notes=(*source.notes, *notes),
        test_rows=test_rows,
    )


def _reader_of(name: str) -> Callable[[DatasetConfig, Progress | None], Source]:
    module, _, function = SOURCES[name].reader.partition(".")
    return getattr(import_module(f"onecycle_cli.data.sources.{module}"), function)


def _set_test_aside(
    source: Source, pool: Positions, seed: int
) -> tuple[Positions, Positions | None]:
    if source.test is not None:
        return pool, None
    return _split_off(source, pool, _TEST_FRACTION, _TEST, seed)


def _reader(source: Source, test_rows: Positions | None) -> Callable[[], Examples]:
    if source.test is not None:
        return source.test
    return lambda: (source.x[test_rows], source.y[test_rows])


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


def _set_validation_aside(
    source: Source, pool: Positions, given: Positions, config: DatasetConfig, seed: int
) -> tuple[Positions, Positions]:
    if len(given):
        return pool, given
    return _split_off(source, pool, config.validation_fraction, _VALIDATION, seed)


def _split_off(
    source: Source, pool: Positions, fraction: float, part: str, seed: int
) -> tuple[Positions, Positions]:
    """Return the rows kept and those taken, one of each at least."""
    taken = max(1, round(fraction * len(pool)))
    if taken >= len(pool):
        raise DataError(
            f"{source.origin}: {len(pool)} training examples cannot give {taken} to the {part} "
            "part and train on the rest; use more data or a larger dataset.limit."
        )
    kept, out = split(source.y[pool], taken, seed, _PURPOSES[part])
    return pool[kept], pool[out]
