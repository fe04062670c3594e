"""An augmentation by a function of one's own."""

from __future__ import annotations

from typing import Any

import numpy as np

from onecycle_cli.data.inputs import Inputs, mapped, named_arrays
from onecycle_cli.errors import PluginError
from onecycle_cli.plugin_names import OwnFunction


class OwnAugmentation(OwnFunction):
    """A function from the inputs of a batch and a seed to other inputs like them.

    It is given the inputs as they were loaded, before they are normalised, and a seed of each batch
    of each epoch.
    """

    def __call__(self, inputs: Inputs, seed: int) -> Inputs:
        """Return augmented inputs.

        Args:
            inputs: of a batch, shape (b, ...) each; the function gets copies.
            seed: an integer from 0 to 2^63 - 1.

        Raises:
            PluginError: when they differ from those given in shape or type.
        """
        with self._guard():
            found: Any = self._function(mapped(np.copy, inputs), seed)
        wanted, given = _forms(inputs), _forms(found)
        if given != wanted:
            raise PluginError(
                f"augmentation {self.name} must give inputs like those that it takes, {wanted}; it "
                f"gives {given}."
            )
        return mapped(np.ascontiguousarray, found)

    def check(self, inputs: Inputs) -> None:
        """Make sure that the same inputs and seed give the same twice.

        Raises:
            PluginError: when they don't.
        """
        first, again = (named_arrays(self(inputs, 1)) for _ in range(2))
        if not all(np.array_equal(first[name], again[name]) for name in first):
            raise PluginError(
                f"augmentation {self.name} must depend on its inputs and its seed alone, but gives "
                f"something else the second time; draw with numpy.random.default_rng(seed)."
            )


def seed_of(seed: int, epoch: int, step: int) -> int:
    """Return a seed for a batch; the step counts from 1 here, as in `batching`."""
    drawn = np.random.SeedSequence([seed, epoch, step + 1]).generate_state(1, np.uint64)
    return int(drawn[0] >> np.uint64(1))


def _forms(inputs: Inputs) -> str:
    """Return types and shapes in words."""
    each = (
        f"{name}{' ' if name else ''}{getattr(array, 'dtype', type(array).__name__)} "
        f"{getattr(array, 'shape', '')}"
        for name, array in named_arrays(inputs).items()
    )
    return ", ".join(each)
