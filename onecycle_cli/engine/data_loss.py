"""The data's own part of the loss that a model computes, apart from penalties.

With a compiled loss, the data loss is its value: of all outputs, weighted as compiled and by sample
weights. What `add_loss` adds to that, and weight regularisers, are penalties. A model without a
compiled loss learns from what it adds, so there only regularisers are penalties.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
from keras import ops

from onecycle_cli.engine.devices.reduction import summed


@dataclass
class _Heard:
    """What Keras computed meanwhile: values of the compiled loss, and what it added to them."""

    compiled: list[Any] = field(default_factory=list)
    added: list[Any] = field(default_factory=list)


class LossParts:
    """Computes a model's loss, in graph or not, and tells the data's part of it.

    A `compute_loss` of the model's own may add to, scale or replace what Keras computes. The
    penalties that Keras adds for it are taken off. If it does not let Keras add them, its result
    is taken for the data loss as it is, and a warning says so, once.

    Args:
        model: a compiled model.
        compute_loss: its method, or what stands in for it.
    """

    def __init__(self, model: Any, compute_loss: Callable[..., Any]) -> None:
        self._model, self._compute_loss = model, compute_loss
        self._is_keras_own = getattr(compute_loss, "__func__", None) is keras.Model.compute_loss
        self._has_warned = False

    def __call__(self, *args: Any, **kwargs: Any) -> tuple[Any, Any | None]:
        """Return what `compute_loss` returns for these arguments, and the data loss.

        Under `tf.distribute` the latter is that of all replicas together. It is `None` where no
        single number was returned.
        """
        with _listening(self._model) as heard:
            total = self._compute_loss(*args, **kwargs)
        if not _is_one_number(total):
            return total, None
        values = [value for value in heard.compiled if value is not None]
        is_exact = values and self._is_keras_own
        data = values[-1] if is_exact else self._without_penalties(total, heard)
        return total, summed(ops.reshape(data, ()))  # each replica has its share of the mean

    def _without_penalties(self, total: Any, heard: _Heard) -> Any:
        if not heard.added:
            self._warn_of_penalties()
        is_learned_from = self._model._compile_loss is None
        first = self._count_of_added_losses(heard) if is_learned_from else 0
        return total - sum(heard.added[first:])

    def _count_of_added_losses(self, heard: _Heard) -> int:
        """Return how many come from `add_loss`; Keras puts the weights' regularisers last."""
        regularised = [v for v in self._model.trainable_weights if v.regularizer is not None]
        return len(heard.added) - len(regularised)

    def _warn_of_penalties(self) -> None:
        if self._has_warned or not self._model.losses:
            return
        self._has_warned = True
        warnings.warn(
            f"{type(self._model).__name__} computes its loss itself and has penalties, and whether "
            f"it counts them can't be told: the recorded loss of a batch is what its compute_loss "
            f"returns. To have it without penalties, let compute_loss call super().compute_loss.",
            stacklevel=2,
        )


@contextlib.contextmanager
def _listening(model: Any) -> Iterator[_Heard]:
    heard = _Heard()
    with contextlib.ExitStack() as overrides:
        if model._compile_loss is not None:
            overrides.enter_context(_noting(model._compile_loss, "call", heard.compiled))
        overrides.enter_context(_noting(model, "_aggregate_additional_loss", heard.added))
        yield heard


@contextlib.contextmanager
def _noting(owner: Any, name: str, results: list[Any]) -> Iterator[None]:
    own, method = vars(owner).get(name), getattr(owner, name)

    def noted(*args: Any, **kwargs: Any) -> Any:
        results.append(method(*args, **kwargs))
        return results[-1]

    vars(owner)[name] = noted
    try:
        yield
    finally:
        del vars(owner)[name]
        if own is not None:
            vars(owner)[name] = own


def _is_one_number(loss: Any) -> bool:
    if not ops.is_tensor(loss):
        return isinstance(loss, int | float)
    return all(isinstance(size, int) and size == 1 for size in ops.shape(loss))
