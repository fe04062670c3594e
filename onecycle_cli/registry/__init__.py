"""What a configuration names, found by its name or by `path/to/file.py:function`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from onecycle_cli.registry import models

if TYPE_CHECKING:
    from onecycle_cli.config import Config

__all__ = ["check", "files"]


def check(config: Config) -> None:
    """Raise unless everything that a configuration names exists and takes what it will be given.

    Raises:
        ConfigError: with the place in the file, and without having imported Keras.
    """
    found = models.problem(config.model.name, config.model.options)
    if found:
        key, message = found
        end = "" if message.endswith(("?", ".")) else "."
        raise config.error(key, f"{key}: {message}{end}")


def files(config: Config) -> dict[str, Any]:
    """Return digests of the files that a configuration names, and of what these import.

    Raises:
        ConfigError: there is no such file.
    """
    digest, imported = models.files(config.model.name)
    return {"model_file": digest, "model_helpers": imported}
