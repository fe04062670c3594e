"""An optimizer of Keras by its name, or by `path/to/file.py:function`.

The function takes nothing and returns an optimizer:

    def build() -> keras.optimizers.Optimizer: ...
"""

from __future__ import annotations

from typing import Any

from onecycle_cli.errors import OptimizerError
from onecycle_cli.plugin_names import names_a_file
from onecycle_cli.registry.code import functions
from onecycle_cli.registry.code.functions import Function, Wanted
from onecycle_cli.registry.code.running import Runner

__all__ = ["find", "load"]

_OPTIMIZER = Wanted("optimizer", ())


def find(name: str) -> Function:
    """Find the function that makes an optimizer, without running its file.

    Raises:
        ConfigError: there is no such file or function, or it takes something.
    """
    return functions.find(_OPTIMIZER, name)


def load(name: str) -> Any:
    """Return a new optimizer, with the values that Keras or one's own function gives it.

    Args:
        name: of a class of `keras.optimizers`, in lower case, or `path/to/file.py:function`.

    Raises:
        ConfigError: there is no such file or function, or it takes something.
        OptimizerError: Keras has no such class; or the function fails, or returns something else.
    """
    import keras

    if not names_a_file(name):
        classes = {n.lower(): c for n, c in vars(keras.optimizers).items() if isinstance(c, type)}
        if name not in classes:
            raise OptimizerError(
                f"Keras {keras.__version__} has no optimizer {name!r}; use a newer Keras or take "
                f"another one."
            )
        return classes[name]()
    runner = Runner(find(name), OptimizerError)
    with runner.doing("build"):
        optimizer = runner.load()()
    if not isinstance(optimizer, keras.optimizers.Optimizer):
        raise OptimizerError(
            f"optimizer {name!r} must be a keras.optimizers.Optimizer; its function returned "
            f"{functions.described(optimizer)}."
        )
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        raise OptimizerError(
            f"optimizer {name!r} must not be a LossScaleOptimizer; return the one inside it, and "
            f"set precision to mixed_float16."
        )
    return optimizer
