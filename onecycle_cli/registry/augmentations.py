"""An augmentation by `path/to/file.py:function`; the one of flips and crops is in `data`.

Its function takes the inputs of a batch, as they were loaded, and a seed, and returns inputs of the
same shapes and types. It must depend on nothing else:

    def apply(x, seed: int):
        rng = numpy.random.default_rng(seed)
        ...
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from onecycle_cli.registry.code import functions
from onecycle_cli.registry.code.functions import Function, Wanted
from onecycle_cli.registry.code.running import loaded

__all__ = ["find", "load"]

_AUGMENTATION = Wanted("augmentation", ("the inputs of a batch", "a seed"))

Own = TypeVar("Own")


def find(name: str) -> Function:
    """Find the function of an augmentation, without running its file.

    Raises:
        ConfigError: there is no such file or function, or it takes something else.
    """
    return functions.find(_AUGMENTATION, name)


def load(name: str, kind: Callable[..., Own]) -> Own:
    """Return the function that a path stands for, ready to be applied.

    Args:
        name: the path.
        kind: made of the function, its name, and a context to run it in.

    Raises:
        ConfigError: there is no such file or function, or it takes something else.
        PluginError: the file fails when it is run.
    """
    return loaded(find(name), kind, "augment a batch")
