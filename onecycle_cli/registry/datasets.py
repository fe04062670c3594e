"""A data set by `path/to/file.py:function`; those by name are in `onecycle_cli.data`.

Its function takes options and returns a mapping of parts, `train` and optionally `validation` and
`test`. Each is `(x, y)` or `(x, y, sample_weight)`: arrays or memory maps, and x may be several
arrays in a dictionary or a tuple:

    def load(*, folder: str = "here") -> dict: ...
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onecycle_cli.errors import DataError
from onecycle_cli.registry.code import functions
from onecycle_cli.registry.code import options as own_options
from onecycle_cli.registry.code.functions import Function, Wanted, described
from onecycle_cli.registry.code.running import Runner

__all__ = ["find", "load", "problem"]

_DATA = Wanted("data set", (), takes_options=True)


def find(name: str) -> Function:
    """Find the function of a data set, without running its file.

    Raises:
        ConfigError: there is no such file or function.
    """
    return functions.find(_DATA, name)


def problem(name: str, given: Mapping[str, object]) -> tuple[str, str] | None:
    """Return what is wrong with the options of a data set, or None if nothing is.

    Returns:
        (key, message): the key in the config, such as "dataset.options.folder", and one sentence.

    Raises:
        ConfigError: there is no such file or function.
    """
    function = find(name)
    wrong = own_options.problem(function, own_options.options_of(function, 0), given)
    if wrong is None:
        return None
    option, message = wrong
    return f"dataset.options.{option}" if option else "dataset.options", message


def load(name: str, given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Run the function of a data set, and return the parts that it gives.

    Raises:
        ConfigError: there is no such file or function.
        DataError: the function fails, or returns something else.
    """
    runner = Runner(find(name), DataError)
    with runner.doing("load"):
        result = runner.load()(**given)
    if not isinstance(result, Mapping):
        raise DataError(
            f"data set {name!r} must be a mapping of parts, train and optionally validation and "
            f"test; its function returned {described(result)}."
        )
    return result
