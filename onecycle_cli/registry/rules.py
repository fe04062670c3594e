"""A suggestion rule by `path/to/file.py:function`; those by name are in `onecycle_cli.suggest`.

Its function takes the learning rates and the raw losses of one range test, NumPy arrays of shape
(n,), and returns a learning rate:

    def before_the_dip(lrs, losses) -> float: ...
"""

from __future__ import annotations

from collections.abc import Callable

from onecycle_cli.plugin_names import names_a_file
from onecycle_cli.registry.code import functions
from onecycle_cli.registry.code.functions import Wanted
from onecycle_cli.registry.code.running import loaded
from onecycle_cli.suggest import OwnRule

__all__ = ["digest", "load"]

_RULE = Wanted("rule", ("the learning rates", "the losses"))


def load(rule: str | Callable[..., float]) -> str | Callable[..., float]:
    """Return the function that a path stands for, ready to be asked; any other rule as it is.

    Raises:
        ConfigError: there is no such file or function, or it takes something else.
        PluginError: the file fails when it is run.
    """
    if callable(rule) or not names_a_file(rule):
        return rule
    return loaded(functions.find(_RULE, rule), OwnRule, "suggest a learning rate")


def digest(path: str) -> str:
    """Return a digest of the file of a rule.

    Raises:
        ConfigError: there is no such file or function.
    """
    return functions.digests(functions.find(_RULE, path).path)[0]
