"""Initial weights that differ from replicate to replicate, whatever seeds a model sets.

A model's function that calls `set_random_seed`, or gives its initializers seeds, makes the same
weights each time. Replicates that start from them agree more than they should.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.engine.layers import every_layer
from onecycle_cli.errors import ModelError

__all__ = ["InitialWeights", "digests", "drawn_anew"]

_SEED_STATE = "seed_generator_state"
_LARGEST_SEED = 10**9

_Initializer = keras.initializers.Initializer
_Initializers = dict[int, tuple[Any, Callable[..., Any]]]
"""By the identity of a variable: itself, which keeps its identity, and what it was drawn with."""


class InitialWeights:
    """What a model's function makes, and how each later replicate comes to differ from it.

    The first replicate is the model as its function makes it. In later ones, what would be the
    same is drawn anew by its own initializer. Weights that are not their initializer's, because
    they were loaded or set, stay as they are.
    """

    def __init__(self) -> None:
        self._first: list[tuple[tuple[int, ...], bytes]] = []
        self._initializers: _Initializers = {}

    @contextlib.contextmanager
    def recording(self, replicate: int, seed: int) -> Iterator[Callable[[Any], None]]:
        """Note the initializers in use while a model is built; give what is to be called with it.

        Args:
            replicate: 0 for the first, which must come first.
            seed: what the weights of a later replicate are drawn by.
        """
        with _initializers_noted() as initializers:
            yield lambda model: self._take(model, replicate, seed, initializers)

    def _take(self, model: Any, replicate: int, seed: int, initializers: _Initializers) -> None:
        made = [(tuple(v.shape), _digest(v)) for v in model.variables]
        if replicate == 0 and not self._first:
            self._first, self._initializers = made, initializers
            return
        self._check_shapes([shape for shape, _ in made])
        if replicate:
            known = [digest for _, digest in self._first]
            all_known = self._initializers | initializers  # it may be the same model again
            _draw_anew(model.variables, known, seed, all_known)

    def _check_shapes(self, shapes: Sequence[tuple[int, ...]]) -> None:
        first = [shape for shape, _ in self._first]
        if shapes != first:
            raise ModelError(
                f"the model's function made another network the next time it was called: "
                f"{_difference(first, shapes)}; let it depend on its arguments alone."
            )


@contextlib.contextmanager
def _initializers_noted() -> Iterator[_Initializers]:
    """Note with which initializer each layer's weights are made."""
    found: _Initializers = {}
    stock = keras.layers.Layer.add_weight

    def add_weight(self: Any, *given: Any, **named: Any) -> Any:
        named |= dict(zip(("initializer", "dtype"), given[1:3], strict=False))
        initializer = named.get("initializer")
        if initializer is None and _is_float(named.get("dtype") or self.variable_dtype):
            initializer = "glorot_uniform"  # which is what Keras takes
        named["initializer"] = keras.initializers.get(initializer)
        variable = stock(self, *given[:1], *given[3:], **named)
        if callable(named["initializer"]):
            found[id(variable)] = variable, named["initializer"]
        return variable

    keras.layers.Layer.add_weight = add_weight
    try:
        yield found
    finally:
        keras.layers.Layer.add_weight = stock


def _is_float(dtype: Any) -> bool:
    return "float" in keras.backend.standardize_dtype(dtype)


def _draw_anew(
    variables: Sequence[Any], known: Sequence[bytes], seed: int, initializers: _Initializers
) -> None:
    """Draw again what is as it was in the first replicate."""
    seeds = np.random.default_rng(seed).integers(1, _LARGEST_SEED, len(variables))
    for variable, before, fresh in zip(variables, known, seeds.tolist(), strict=True):
        if _digest(variable) != before:
            continue
        if variable.name == _SEED_STATE:
            variable.assign(np.array([fresh, 0], variable.dtype))
        elif id(variable) in initializers:
            _, initializer = initializers[id(variable)]
            _redraw(variable, initializer, fresh)


def drawn_anew(model: Any, *, seed: int) -> None:
    """Draw those weights of a built model again that are still as their initializers drew them.

    What was trained or loaded since stays as it is.

    Args:
        model: the model.
        seed: what the weights are drawn by.
    """
    known = digests(model.variables)
    _draw_anew(model.variables, known, seed, _initializers_of(model))


def _initializers_of(model: Any) -> _Initializers:
    """Find with which of a layer's initializers each of its own weights was drawn.

    A layer keeps its initializers as attributes, and each gives the same numbers every time.
    """
    found: _Initializers = {}
    for layer in every_layer(model):
        drawing = [v for v in vars(layer).values() if isinstance(v, _Initializer)]
        for variable in [v for v in vars(layer).values() if isinstance(v, keras.Variable)]:
            for initializer in drawing:
                if _has_drawn(initializer, variable):
                    found[id(variable)] = variable, initializer
                    break
    return found


def _has_drawn(initializer: Any, variable: Any) -> bool:
    if _with_seed(initializer, 0) is None:
        return False
    try:
        drawn = _values(initializer(tuple(variable.shape), dtype=variable.dtype))
    except Exception:  # an initializer of another kind of weights, such as kernels only
        return False
    return np.array_equal(drawn, _values(variable))


def _redraw(variable: Any, initializer: Any, seed: int) -> None:
    """Give a variable other values of its initializer, if it still has those that it was given."""
    other = _with_seed(initializer, seed)
    if other is None:
        return
    shape, dtype = tuple(variable.shape), variable.dtype
    if np.array_equal(_values(initializer(shape, dtype=dtype)), _values(variable)):
        variable.assign(other(shape, dtype=dtype))


def _with_seed(initializer: Any, seed: int) -> Any:
    """Return the same initializer with another seed, or `None` if it takes none."""
    try:
        config = initializer.get_config()
        return type(initializer).from_config(config | {"seed": seed}) if "seed" in config else None
    except Exception:  # a user's own initializer that can't be copied
        return None


def _values(tensor: Any) -> NDArray[Any]:
    return np.asarray(ops.convert_to_numpy(tensor))


def digests(variables: Iterable[Any]) -> list[bytes]:
    """Return a digest of each variable's values."""
    return [_digest(variable) for variable in variables]


def _digest(variable: Any) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(_values(variable)).tobytes()).digest()


def _difference(first: Sequence[tuple[int, ...]], then: Sequence[tuple[int, ...]]) -> str:
    """Say in what the shapes of two networks' variables differ."""
    if len(first) != len(then):
        return f"the number of its variables is {len(then)}, not {len(first)}"
    return next(
        f"a variable has the shape {b}, not {a}" for a, b in zip(first, then, strict=True) if a != b
    )
