"""Finds early, before Keras is started, what a configuration names and its data do not have."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from onecycle_cli.config.sources import source_of

if TYPE_CHECKING:
    from onecycle_cli.config import Config


def check_names(config: Config) -> None:
    """Raise unless the data have what the section `dataset` names, as far as it is quickly known.

    Raises:
        ConfigError: they have not; with the place in the file.
        DataError: the data cannot be read.
    """
    finder = source_of(config.dataset.name).problem
    if finder is None:
        return
    module, _, function = finder.partition(".")
    found = getattr(import_module(f"onecycle_cli.data.sources.{module}"), function)(config.dataset)
    if found is not None:
        key, sentence = found
        raise config.error(key, f"{key}: {sentence}")
