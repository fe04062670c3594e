"""A model as it would begin to train: its weights, with an optimizer that has seen nothing."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from onecycle_cli.engine.layers import every_layer
from onecycle_cli.engine.steering.live_variables import Added
from onecycle_cli.engine.steering.optimizers import batches_taken, core
from onecycle_cli.errors import OptimizerError, cause_of


def begin_afresh(model: Any) -> None:
    """Empty what earlier training left in the optimizer and in stateful recurrent layers.

    Velocities, moments, accumulators, averages, the loss scale and the counter of steps get the
    values that a new optimizer of the same settings has; weights and hyper-parameters stay.

    Args:
        model: a compiled model whose optimizer is built.

    Raises:
        OptimizerError: when no second optimizer can be made from the settings of the first.
    """
    if batches_taken(model.optimizer) > 0:
        _renew(model)
    for layer in every_layer(model):
        if isinstance(layer, keras.layers.RNN) and layer.stateful:
            for state in keras.tree.flatten(layer.states):
                state.assign(_zeros(state))


def _renew(model: Any) -> None:
    held = [v for v in model.optimizer.variables if not isinstance(v, Added)]
    for variable, new in zip(held, _counterparts(held, _made_anew(model).variables), strict=True):
        variable.assign(_zeros(variable) if new is None else new)


def _counterparts(held: Sequence[Any], fresh: Sequence[Any]) -> list[Any]:
    """Return the new variable for each one held; `None` for slots that instruments have added."""
    if len(held) == len(fresh):
        return list(fresh)
    by_path = {(v.path, tuple(v.shape)): v for v in fresh}
    return [by_path.get((v.path, tuple(v.shape))) for v in held]


def _made_anew(model: Any) -> Any:
    """Return an optimizer of the same settings, built for the same weights."""
    optimizer, inner = model.optimizer, core(model.optimizer)
    try:
        with scope_of(model), keras.saving.custom_object_scope({type(inner).__name__: type(inner)}):
            twin = type(optimizer).from_config(optimizer.get_config())
            twin.build(inner._trainable_variables)
    except Exception as error:
        raise OptimizerError(
            f"a range test starts from an optimizer that has not trained yet, and a second "
            f"{type(inner).__name__} could not be made from the get_config of the first "
            f"({cause_of(error)}); mend get_config, or compile the model again before the test."
        ) from error
    return twin


def scope_of(model: Any) -> contextlib.AbstractContextManager[Any]:
    """Return the context in which variables have to be made that go with the model's."""
    strategy = getattr(model, "distribute_strategy", None)
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def _zeros(variable: Any) -> Any:
    return ops.zeros(variable.shape, variable.dtype)
