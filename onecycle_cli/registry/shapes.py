"""A schedule's shape by `path/to/file.py:function`; those by name are in `onecycle_cli.schedules`.

Its function takes the progress of a cycle, from 0 at the first step to 1 at the last, and returns
the learning rate's share of `max_lr`:

    def spike(progress: float) -> float: ...
"""

from __future__ import annotations

from onecycle_cli.plugin_names import names_a_file
from onecycle_cli.registry.code import functions
from onecycle_cli.registry.code.functions import Function, Wanted
from onecycle_cli.registry.code.running import loaded
from onecycle_cli.schedules import AnyShape, OwnShape

__all__ = ["find", "load"]

_SHAPE = Wanted("shape", ("the progress",))


def find(name: str) -> Function:
    """Find the function of a shape, without running its file.

    Raises:
        ConfigError: there is no such file or function, or it takes something else.
    """
    return functions.find(_SHAPE, name)


def load(shape: AnyShape) -> AnyShape:
    """Return the function that a path stands for, ready to be drawn; any other shape as it is.

    Raises:
        ConfigError: there is no such file or function, or it takes something else.
        PluginError: the file fails when it is run.
    """
    if callable(shape) or not names_a_file(shape):
        return shape
    return loaded(find(shape), OwnShape, "give a learning rate")
