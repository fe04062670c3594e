"""Everything of a model that changes while it trains, whether Keras tracks it or not.

Keras tracks weights, statistics, slots and metrics. It does not track the states of recurrent
layers, the buffers of wrapped PyTorch modules, or a `tf.Variable` that a layer keeps for itself;
those are looked for among the attributes of whatever belongs to the model.
"""

from __future__ import annotations

import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

_PARTS_OF_A_MODEL = (
    keras.Layer,
    keras.Loss,
    keras.Metric,
    keras.Initializer,
    keras.Regularizer,
    keras.constraints.Constraint,
    keras.optimizers.Optimizer,
    keras.random.SeedGenerator,
    types.SimpleNamespace,
)

_PLAIN = (str, bytes, bytearray, int, float, complex, type(None), np.ndarray)


def variables_of(model: Any, *others: Any) -> list[Any]:
    """Return all that holds a model's state, each once, in an order that its making decides.

    Args:
        model: a built and compiled model.
        *others: what else belongs to it, such as methods that something else stands in for.

    Returns:
        What `read` reads and its own `assign` sets. Those that Keras tracks come first. Numbers
        of Python's and NumPy's own are not among them.
    """
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    tracked = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    found = _Search(tracked).within([model, *others])
    return list({id(v): v for v in [*tracked, *found]}.values())


def read(variable: Any) -> NDArray[Any]:
    """Return a copy of the value of a variable."""
    value = variable.value() if isinstance(variable, _TorchTensor) else variable
    return np.array(ops.convert_to_numpy(value))


class _TorchTensor:
    """A tensor that a PyTorch module or a layer holds under a name, be it this one or the next."""

    def __init__(self, holder: MutableMapping[str, Any], name: str) -> None:
        self._holder, self._name = holder, name

    def value(self) -> Any:
        return self._holder[self._name]

    def assign(self, value: Any) -> None:
        torch = sys.modules["torch"]
        held = self._holder.get(self._name)
        with torch.no_grad():
            if held is None or tuple(held.shape) != tuple(value.shape):
                self._holder[self._name] = ops.convert_to_tensor(value)
            else:
                held.copy_(ops.convert_to_tensor(value))


class _Search:
    """Looks through whatever can be reached from a model, each thing once."""

    def __init__(self, known: Iterable[Any]) -> None:
        self._seen = {id(thing): thing for thing in known}
        self._values = {id(v.value) for v in known} if _is_on("torch") else set()

    def within(self, thing: Any) -> Iterator[Any]:
        """Yield the variables that are not known."""
        pending = [thing]
        while pending:
            here = pending.pop()
            if id(here) in self._seen:
                continue
            self._seen[id(here)] = here
            if _is_variable(here):
                yield here
                continue
            yield from self._tensors(here)
            parts = [part for part in _parts(here) if not isinstance(part, _PLAIN)]
            pending.extend(reversed(parts))

    def _tensors(self, thing: Any) -> Iterator[_TorchTensor]:
        """Yield the tensors that are attributes of a layer or module, under PyTorch."""
        if not _is_torch_module(thing):
            return
        for holder in (thing._parameters, thing._buffers, vars(thing)):
            for name, value in holder.items():
                if isinstance(value, sys.modules["torch"].Tensor) and self._is_new(value):
                    yield _TorchTensor(holder, name)

    def _is_new(self, tensor: Any) -> bool:
        is_new = id(tensor) not in self._values and id(tensor) not in self._seen
        self._seen[id(tensor)] = tensor
        return is_new


def _is_variable(thing: Any) -> bool:
    if isinstance(thing, keras.Variable):
        return True
    return _is_on("tensorflow") and isinstance(thing, sys.modules["tensorflow"].Variable)


def _parts(thing: Any) -> Iterable[Any]:
    """Return what a thing holds and may keep state in."""
    for kind, parts in _HOLDERS:
        if isinstance(thing, kind):
            return parts(thing)
    if _is_random_generator(thing):
        return (thing._state_var,)
    return vars(thing).values() if _is_looked_into(thing) else ()


def _is_looked_into(thing: Any) -> bool:
    if isinstance(thing, type | types.ModuleType) or not hasattr(thing, "__dict__"):
        return False
    is_part = isinstance(thing, _PARTS_OF_A_MODEL) or _is_torch_module(thing)
    return is_part or not _is_of_a_library(type(thing))


def _enclosed(function: types.FunctionType) -> Iterator[Any]:
    for cell in () if _is_of_a_library(function) else function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue


_HOLDERS: tuple[tuple[Any, Callable[[Any], Iterable[Any]]], ...] = (
    (Mapping, lambda mapping: mapping.values()),
    ((list, tuple, deque), iter),
    (types.FunctionType, _enclosed),
    (types.MethodType, lambda method: (method.__self__, method.__func__)),
    (functools.partial, lambda partial: (partial.func, partial.args, partial.keywords)),
)


def _is_of_a_library(thing: Any) -> bool:
    """Tell whether a class or function is part of what is installed, not of somebody's program."""
    name = str(getattr(thing, "__module__", None))
    if name.partition(".")[0] in sys.stdlib_module_names | {"onecycle_cli"}:
        return True
    file = getattr(sys.modules.get(name), "__file__", None) or ""
    return "site-packages" in file or "dist-packages" in file


def _is_random_generator(thing: Any) -> bool:
    return _is_on("tensorflow") and isinstance(thing, sys.modules["tensorflow"].random.Generator)


def _is_torch_module(thing: Any) -> bool:
    return _is_on("torch") and isinstance(thing, sys.modules["torch"].nn.Module)


def _is_on(backend: str) -> bool:
    return bool(keras.backend.backend() == backend)
