"""The data that a configuration names, by name or by a function of one's own."""

from __future__ import annotations

import json

from onecycle_cli import data, registry
from onecycle_cli.config import Config
from onecycle_cli.data import Augment, Dataset, augmentation
from onecycle_cli.data.batches.own_augmentation import OwnAugmentation
from onecycle_cli.data.batches.stream import is_stream
from onecycle_cli.data.inputs import rows_of
from onecycle_cli.data.sources.by_function import source_by_function, stream_by_function
from onecycle_cli.data.targets import Task
from onecycle_cli.errors import DataError
from onecycle_cli.observer import Observer
from onecycle_cli.plugin_names import names_a_file, short

_FEW = 8
_early: dict[str, Dataset] = {}


def load_data(config: Config, observer: Observer, task: Task | None = None) -> Dataset:
    """Load the data, and tell of what is to be seen once.

    Args:
        config: names the data.
        observer: hears of downloads and notes.
        task: what the targets set; `None`: what the configuration says, or what they show.

    Raises:
        ConfigError: the configuration of the data is incomplete.
        DataError: the data are missing, damaged, or do not fit the configuration.
    """
    key = _key_of(config, task)
    dataset = _early.pop(key, None)
    if dataset is not None:
        return dataset
    dataset = _loaded(config, observer, task or config.meant_task)
    for note in dataset.notes:
        observer.warn(note)
    return dataset


def load_early(config: Config, observer: Observer) -> None:
    """Load the data of a configuration before Keras is started, so that its errors come at once.

    The next `load_data` of the same data gives what was loaded.

    Raises:
        OnecycleError: as `load_data` does.
    """
    hand_over(config, load_data(config, observer))


def hand_over(config: Config, dataset: Dataset) -> None:
    """Let the next `load_data` of a configuration give this, and load nothing."""
    _early.clear()
    _early[_key_of(config, None)] = dataset


def _key_of(config: Config, task: Task | None) -> str:
    what = config.dataset.model_dump() | {"task": task or config.meant_task, "seed": config.seed}
    return json.dumps(what, sort_keys=True, default=str)


def _loaded(config: Config, observer: Observer, task: Task | None) -> Dataset:
    settings = config.dataset
    if names_a_file(settings.name):
        parts = registry.datasets.load(settings.name, settings.options)
        if is_stream(parts.get("train")):
            if settings.validation_rows is not None:
                raise DataError(
                    f"dataset.validation_rows is for data that have rows, and {settings.name} "
                    f"gives a pipeline; let it give validation as another one."
                )
            if settings.standardise_targets:
                raise DataError(
                    f"dataset.standardise_targets is for data that have rows, and {settings.name} "
                    f"gives a pipeline; let it give targets that are standardised."
                )
            return stream_by_function(parts, short(settings.name))
        source = source_by_function(parts, short(settings.name))
        return data.split_up(source, settings, seed=config.seed, task=task)
    return data.load(
        settings,
        seed=config.seed,
        task=task,
        progress=observer.download,
        decoding=observer.decode,
    )


def load_augmentation(config: Config, dataset: Dataset) -> Augment | OwnAugmentation | None:
    """Return what is done to the inputs of the training; None for nothing.

    Raises:
        PluginError: when a function of one's own fails, or draws what the seed does not decide.
    """
    name = config.dataset.augment
    if not isinstance(name, str):
        return augmentation(config.dataset)
    own = registry.augmentations.load(name, OwnAugmentation)
    own.check(rows_of(dataset.x, dataset.train[:_FEW]))
    return own
