"""The data that a configuration names, by name or by a function of one's own."""

from __future__ import annotations

from onecycle_cli import data, registry
from onecycle_cli.config import Config
from onecycle_cli.data import Augment, Dataset, augmentation
from onecycle_cli.data.batches.own_augmentation import OwnAugmentation
from onecycle_cli.data.inputs import rows_of
from onecycle_cli.data.sources.by_function import source_by_function
from onecycle_cli.data.targets import Task
from onecycle_cli.observer import Observer
from onecycle_cli.plugin_names import names_a_file, short

_FEW = 8


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
    settings, task = config.dataset, task or config.meant_task
    if names_a_file(settings.name):
        parts = registry.datasets.load(settings.name, settings.options)
        source = source_by_function(parts, short(settings.name))
        dataset = data.split_up(source, settings, seed=config.seed, task=task)
    else:
        dataset = data.load(
            settings,
            seed=config.seed,
            task=task,
            progress=observer.download,
            decoding=observer.decode,
        )
    for note in dataset.notes:
        observer.warn(note)
    return dataset


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
