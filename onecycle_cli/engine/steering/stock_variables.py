"""The variables that a stock optimizer has in a saved model, whatever has been added to it."""

from __future__ import annotations

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import keras
from keras import ops

from onecycle_cli.engine.steering.live_variables import Added
from onecycle_cli.engine.steering.optimizers import core

MOMENTUM_SLOTS = ("momentums", "_momentums")
"""The attributes in which optimizers keep the velocities."""


def lay_variables_aside(optimizer: Any) -> Callable[[], None]:
    """Let an optimizer go on with a copy of its list of variables; return what puts it back.

    TensorFlow watches the list, and saves no object whose list has lost a member.
    """
    tracker = optimizer._tracker
    is_variable, stock = tracker.config["variables"]
    known = tracker.stored_ids["variables"]

    def use(variables: list[Any], ids: set[int]) -> None:
        vars(optimizer)["_variables"] = variables
        tracker.config["variables"] = (is_variable, variables)
        tracker.stored_ids["variables"] = ids

    use(list(stock), set(known))
    return partial(use, stock, known)


def saving_stock(optimizer: Any) -> Callable[[Any], None]:
    """Return a `save_own_variables` that leaves out what a stock optimizer would not have."""

    def save_own_variables(store: Any) -> None:
        idle = {id(slot) for slot in _idle_slots(optimizer)}
        variables = (v for v in optimizer.variables if not isinstance(v, Added))
        stock = [v for v in variables if id(v) not in idle]
        for i, variable in enumerate(stock):
            store[str(i)] = ops.convert_to_numpy(variable)

    return save_own_variables


def loading_stock(
    optimizer: Any, take_loaded: Callable[[Collection[int]], None]
) -> Callable[[Any], None]:
    """Return a `load_own_variables` for what a stock optimizer has saved.

    Args:
        optimizer: the one that was saved.
        take_loaded: is told the identities of the variables that were loaded.
    """
    stock_load = optimizer.load_own_variables

    def load_own_variables(store: Any) -> None:
        variables = [v for v in optimizer.variables if not isinstance(v, Added)]
        if len(store.keys()) != len(variables):  # saved without momentum
            omitted = {id(slot) for slot in _omitted_at_zero(optimizer)}
            variables = [v for v in variables if id(v) not in omitted]
        if len(store.keys()) != len(variables):
            stock_load(store)  # which says why it can't
            return
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])
        take_loaded({id(v) for v in variables})

    return load_own_variables


def _idle_slots(optimizer: Any) -> list[Any]:
    """Return the slots that the optimizer would not have, were it made as it is now."""
    slots = _omitted_at_zero(optimizer)
    return slots if slots and not ops.convert_to_numpy(core(optimizer).momentum) else []


def _omitted_at_zero(optimizer: Any) -> list[Any]:
    """Return the slots that the optimizer does not have when its momentum is 0."""
    updating = core(optimizer)
    if not isinstance(updating, keras.optimizers.SGD | keras.optimizers.RMSprop):
        return []
    return [slot for name in MOMENTUM_SLOTS for slot in getattr(updating, name, [])]
