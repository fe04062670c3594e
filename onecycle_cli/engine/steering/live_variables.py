"""Variables that stand in for the numbers of a stock optimizer."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops


class Added(keras.Variable):
    """A variable that a stock optimizer does not have; left out of saved models."""


class HeardVariable(keras.Variable):
    """A variable that notes when it is read."""

    was_read = False

    @property
    def value(self) -> Any:
        """The value; reading it is noted."""
        self.was_read = True
        return super().value


class LiveVariable(HeardVariable, Added):
    """A variable that stock optimizers take for a number other than zero.

    They ask `if self.momentum != 0` in Python, to decide whether the velocity exists at all.
    """

    def __ne__(self, other: object) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return False

    def __gt__(self, other: object) -> bool:
        return True

    def __bool__(self) -> bool:
        return True

    __hash__ = keras.Variable.__hash__


def plain(config: dict[str, Any]) -> dict[str, Any]:
    """Return an optimizer's configuration with numbers in the place of variables."""
    return {
        key: float(ops.convert_to_numpy(value)) if isinstance(value, LiveVariable) else value
        for key, value in config.items()
    }


def tolerance(variable: Any) -> float:
    """Return how far, relatively, a number may be from the variable that holds it."""
    return 1e-2 if variable.dtype in ("float16", "bfloat16") else 1e-6
