"""keras-one-cycle's own `LRFinder` on recorded losses, with as much of Keras 2 as it asks for.

It leaves the choice to the eye. Here it is what its advice amounts to: a tenth of the rate of the
lowest loss that it notes. It never stops: it leaves out a batch above four times the best, and
stays at that rate; the recorded losses rise to the next one all the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np


def pretend_keras() -> None:
    """Put in place what clr.py imports: a callback, and access to a float32 variable."""

    def set_value(variable: np.ndarray, value: float) -> None:
        variable[...] = value

    keras, callbacks, backend = (ModuleType(f"keras{name}") for name in ("", ".callbacks", ".backend"))  # fmt: skip # noqa: E501
    callbacks.Callback = object
    backend.set_value = set_value
    backend.get_value = lambda variable: variable[()]
    keras.callbacks, keras.backend = callbacks, backend
    sys.modules |= {module.__name__: module for module in (keras, callbacks, backend)}


FILE = Path(os.environ["KERAS_ONE_CYCLE"])
pretend_keras()
sys.path.append(str(FILE.parent))
from clr import LRFinder  # noqa: E402

PACKAGE = "keras-one-cycle==0f8b873"
RANGE = "onecycle"


def recorded_at(low: float, high: float, count: int) -> tuple[float, float]:
    """Return the range in which its rates are `count` ones from `low` to `high`.

    Its last step stays one below the end of its range.
    """
    return low, high * (high / low) ** (1 / (count - 1))


def answers(low: float, high: float, losses: np.ndarray) -> Iterator[tuple[str, float, int]]:
    """Yield the rule, the learning rate that it suggests, and how many steps that took."""
    finder = LRFinder(len(losses), 1, low, high, verbose=False)
    finder.model = SimpleNamespace(optimizer=SimpleNamespace(lr=np.zeros((), np.float32)))
    finder.on_train_begin()
    finder.on_epoch_begin(0)
    for batch, loss in enumerate(losses):
        finder.on_batch_begin(batch)
        finder.on_batch_end(batch, {"loss": float(loss)})
    finder.on_epoch_end(0)
    lowest = np.where(np.isfinite(finder.losses), finder.losses, np.inf).argmin()
    yield "keras-one-cycle", float(10 ** finder.lrs[lowest] / 10), len(losses)
