"""Every bit of a compiled model's state, kept and brought back."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras.src.backend.common import global_state
from numpy.typing import NDArray

from onecycle_cli.engine.backends.without_tensorflow import set_random_seed
from onecycle_cli.engine.instruments import INSTRUMENTS
from onecycle_cli.engine.state.generators import generators
from onecycle_cli.engine.state.variables import read, variables_of
from onecycle_cli.errors import ModelError

_GLOBAL_SEED_GENERATOR = "global_seed_generator"


class Snapshot:
    """Every bit of a compiled model's state, and of the random generators around it.

    Holds all variables of the model (seed generators included), of its optimizer and metrics, what
    state Keras does not track (see `state`), the global seed generator, and the generators of
    Python, NumPy and the backend.
    """

    def __init__(self, model: Any) -> None:
        self._generators = {name: read() for name, (read, _) in generators().items()}
        self._global_seeds = _global_seed_generator()
        self._variables = _variables(model)
        self._values = [read(v) for v in self._variables]

    def restore(self) -> None:
        """Bring everything back; may be called any number of times."""
        for variable, value in zip(self._variables, self._values, strict=True):
            variable.assign(value)
        global_state.set_global_attribute(_GLOBAL_SEED_GENERATOR, self._global_seeds)
        writers = generators()
        for name, state in self._generators.items():
            writers[name][1](state)

    @property
    def arrays(self) -> dict[str, NDArray[Any]]:
        """The values of the variables, by number, as `with_contents` takes them."""
        return {f"{i:04d}": value for i, value in enumerate(self._values)}

    @property
    def generators(self) -> dict[str, Any]:
        """The states of the random generators, as lists and numbers."""
        return self._generators

    def with_contents(
        self, arrays: Mapping[str, NDArray[Any]], generators: Mapping[str, Any]
    ) -> Snapshot:
        """Return a snapshot of the same model in another state.

        Args:
            arrays: values by number, as `arrays` gave them.
            generators: as `generators` gave them.

        Raises:
            ModelError: when the values are those of a model or an optimizer of another shape.
        """
        theirs = [arrays[name] for name in sorted(arrays)]
        if [a.shape for a in theirs] != [v.shape for v in self._values]:
            raise ModelError(
                f"the saved state has {len(theirs)} variables that do not fit the model and "
                f"optimizer at hand, with {len(self._values)}."
            )
        other = copy.copy(self)
        other._generators = dict(generators)
        other._values = [
            value.view(mine.dtype) if value.dtype.kind == "V" else value  # NumPy knows no bfloat16
            for value, mine in zip(theirs, self._values, strict=True)
        ]
        return other


def reinitialise(model: Any, twin: Any) -> None:
    """Give `model` the weights, statistics and seeds of `twin`, a model of the same making."""
    for variable, fresh in zip(model.variables, twin.variables, strict=True):
        variable.assign(fresh)


def reseed(seed: int, *, keeping: Any = None) -> Any:
    """Seed every generator, but for the global seed generator put no other in its place.

    A step that has been traced goes on with the one that it was traced with.

    Args:
        seed: for all of them.
        keeping: the global seed generator that was in use before; the present one if not given.

    Returns:
        The global seed generator.
    """
    generator, state = keeping or _global_seed_generator(), seed % 2**31
    set_random_seed(seed)
    if generator is None:
        generator = keras.random.SeedGenerator(state, name=_GLOBAL_SEED_GENERATOR)
    generator.state.assign(np.array([state, 0], generator.state.dtype))
    global_state.set_global_attribute(_GLOBAL_SEED_GENERATOR, generator)
    return generator


def _variables(model: Any) -> list[Any]:
    seeds = _global_seed_generator()
    instruments = vars(model).get(INSTRUMENTS)
    own_methods = [] if instruments is None else instruments.replaced
    held = variables_of(model, *own_methods)
    is_known = seeds is None or any(v is seeds.state for v in held)
    return held if is_known else [*held, seeds.state]


def _global_seed_generator() -> Any:
    return global_state.get_global_attribute(_GLOBAL_SEED_GENERATOR)
