"""What a configuration names, found by its name or by `path/to/file.py:function`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from onecycle_cli.config.sources import IN_MEMORY
from onecycle_cli.errors import ConfigError
from onecycle_cli.plugin_names import names_a_file
from onecycle_cli.registry import augmentations, datasets, models, optimizers, shapes
from onecycle_cli.registry.code import functions

if TYPE_CHECKING:
    from onecycle_cli.config import Config
    from onecycle_cli.registry.code.functions import Function

__all__ = ["changed_files", "check", "check_files", "files"]

_FINDERS: dict[str, Callable[[str], Function]] = {
    "dataset.name": datasets.find,
    "dataset.augment": augmentations.find,
    "optimizer.name": optimizers.find,
    "train.shape": shapes.find,
}
"""How a function of one's own is found, by the key that may name it; models have options too."""


def check(config: Config) -> None:
    """Raise unless everything that a configuration names exists and takes what it will be given.

    Raises:
        ConfigError: with the place in the file, and without having imported Keras.
    """
    if config.model.name == IN_MEMORY:
        raise _error(
            config,
            "model.name",
            "the model and the data of this run were handed over in Python; call the same function "
            "with them again, and with resume=FOLDER to resume it",
        )
    found = models.problem(config.model.name, config.model.options)
    if found:
        raise _error(config, *found)
    check_files(config)


def check_files(config: Config) -> None:
    """Raise unless the functions of one's own, but for the model, exist and take what they get.

    Raises:
        ConfigError: as `check` does.
    """
    for key, name in _named_files(config).items():
        try:
            _FINDERS[key](name)
        except ConfigError as refusal:
            raise _error(config, key, str(refusal)) from None
    if names_a_file(config.dataset.name):
        wrong = datasets.problem(config.dataset.name, config.dataset.options)
        if wrong:
            raise _error(config, *wrong)


def files(config: Config) -> dict[str, Any]:
    """Return digests of the files of code that a configuration names, and of what these import.

    Raises:
        ConfigError: there is no such file.
    """
    digest, imported = models.files(config.model.name)
    digests: dict[str, Any] = {"model_file": digest, "model_helpers": imported}
    for key, name in _named_files(config).items():
        function = _FINDERS[key](name)
        digest, imported = functions.digests(function.path)
        digests |= {f"{function.what}_file": digest, f"{function.what}_helpers": imported}
    return digests


def changed_files(then: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, str]:
    """Return which of the files of code are not what they were, by key, in words.

    Args:
        then: digests as of `files`, and whatever else.
        now: alike.
    """
    changed: dict[str, str] = {}
    for key in {**then, **now}:
        what, _, kind = key.rpartition("_")
        before, after = then.get(key), now.get(key)
        if before == after or kind not in ("file", "helpers"):
            continue
        if kind == "file":
            changed[key] = f"another version of the {what}'s file"
        else:
            names = _different(before or {}, after or {})
            changed[key] = f"other versions of what the {what}'s file imports: {', '.join(names)}"
    return changed


def _different(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {**before, **after} if before.get(name) != after.get(name))


def _named_files(config: Config) -> dict[str, str]:
    names: dict[str, Any] = {
        "optimizer.name": config.optimizer.name,
        "train.shape": config.train.shape,
        "dataset.name": config.dataset.name,
        "dataset.augment": config.dataset.augment,
    }
    return {key: name for key, name in names.items() if names_a_file(name)}


def _error(config: Config, key: str, message: str) -> ConfigError:
    end = "" if message.endswith(("?", ".")) else "."
    return config.error(key, f"{key}: {message}{end}")
