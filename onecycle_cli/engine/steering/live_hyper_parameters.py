"""Hyper-parameters that can change while a stock Keras optimizer trains.

Keras bakes `momentum`, `beta_1` and `weight_decay` into the compiled training step, so that setting
them later silently does nothing. Here they are put into variables, inside the very optimizer that
the model was compiled with, for as long as training runs; afterwards it is a stock one again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

import keras
import numpy as np
from keras import ops

from onecycle_cli.engine.devices.reduction import replicas
from onecycle_cli.engine.steering import no_effect
from onecycle_cli.engine.steering.live_variables import (
    HeardVariable,
    LiveVariable,
    plain,
    tolerance,
)
from onecycle_cli.engine.steering.names import (
    CLIPS,
    L2,
    LEARNING_RATE,
    MOMENTUM,
    NUMBERS,
    WEIGHT_DECAY,
)
from onecycle_cli.engine.steering.op_by_op import op_by_op
from onecycle_cli.engine.steering.optimizers import (
    DECAYS,
    batches_taken,
    clipped,
    core,
    holds_zero,
    kernels,
    momentum_attributes,
    slots_for,
    where_variables_belong,
)
from onecycle_cli.engine.steering.stock_variables import (
    MOMENTUM_SLOTS,
    lay_variables_aside,
    loading_stock,
    saving_stock,
)
from onecycle_cli.engine.steering.witness import Witness
from onecycle_cli.errors import OptimizerError, did_you_mean

_EAGER_PATIENCE = 8

_released_slots: WeakKeyDictionary[Any, tuple[int, list[Any]]] = WeakKeyDictionary()
"""By optimizer: how often it had updated when it was released, and the slots it lost then."""


class LiveHyperparameters:
    """Named hyper-parameters of a model's own optimizer, changeable at every step.

    Names are `learning_rate`, `momentum` (`beta_1` for the Adam family), `weight_decay` (Keras'
    decoupled decay) and `l2` (the gradient of `l2 * sum(w ** 2)` over the kernels, added to the
    data's own after clipping, so that the reported loss stays free of it); and those of `NUMBERS`
    that the optimizer has, such as `beta_2`.

    After `release` the optimizer holds plain numbers again, those it had before, and its slots.
    Slots that only exist because momentum was 0 when the optimizer was made are dropped with it.

    Args:
        model: a built and compiled model.
        names: the hyper-parameters to bring to life.

    Raises:
        OptimizerError: when the optimizer has no such hyper-parameter, can't change it, or holds
            several others, which update.
    """

    def __init__(self, model: Any, names: Iterable[str]) -> None:
        self._optimizer = core(model.optimizer)
        if isinstance(self._optimizer, getattr(keras.optimizers, "MultiOptimizer", ())):
            raise no_effect.leaves_updates(self._optimizer)
        self._model, self._outer = model, model.optimizer
        self._variables: dict[str, list[Any]] = {}
        self._undo: list[Callable[[], None]] = []
        self._new_slots: list[Any] = []
        self._steps = 0
        if not model.optimizer.built:
            with where_variables_belong(self._optimizer):
                model.optimizer.build(model.trainable_variables)
        self._undo.append(lay_variables_aside(self._optimizer))
        self._keep_saved_models_stock()
        self._witness = self._watch_updates()
        try:
            self.add(names)
        except OptimizerError:
            self.release()
            raise

    @property
    def names(self) -> frozenset[str]:
        """The hyper-parameters that are alive."""
        return frozenset(self._variables)

    def add(self, names: Iterable[str]) -> bool:
        """Bring more hyper-parameters to life; return whether anything had to change."""
        new = set(names) - self.names
        for name in sorted(new):
            enliven = getattr(self, f"_enliven_{name}", None)
            self._variables[name] = self._enliven_number(name) if enliven is None else enliven()
        return bool(new - {LEARNING_RATE})

    def assign(self, values: Mapping[str, float]) -> None:
        """Set hyper-parameters for the next step.

        On JAX the caller must have touched `callback.model` in the same hook, which brings the
        variables up to date; the same goes for `check`.
        """
        for name, value in values.items():
            for variable in self._variables[name]:
                variable.assign(value)

    def check(self, values: Mapping[str, float]) -> None:
        """Make sure, after a step, that it was run with what was assigned.

        Raises:
            OptimizerError: when a variable holds something else.
        """
        for name, held in self.differing(values).items():
            raise OptimizerError(
                f"{name} was set to {values[name]} but the optimizer holds {held}: something else "
                f"sets it too; remove the other callback or schedule."
            )

    def differing(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return what the optimizer holds, by name, where it is not what was assigned."""
        return {
            name: held
            for name, value in values.items()
            for variable in self._variables[name]
            if not np.isclose(
                held := float(ops.convert_to_numpy(variable)),
                value,
                rtol=tolerance(variable),
                atol=0,
                equal_nan=True,
            )
        }

    def check_model(self) -> None:
        """Make sure that the model still trains by the optimizer that is steered.

        Raises:
            OptimizerError: when it has been given another one.
        """
        if self._model.optimizer is not self._outer:
            raise OptimizerError(no_effect.COMPILED_MEANWHILE)

    def check_effect(self, *, at_end: bool = False) -> None:
        """Make sure, after a step, that it was the steered optimizer that updated the weights.

        A model that runs eagerly may gather the gradients of several batches itself: it is given
        some steps, but not beyond the last one.

        Raises:
            OptimizerError: when another optimizer updates the weights, or no update reads what is
                set.
        """
        self._steps += 1
        is_traced = not (self._model.run_eagerly or keras.backend.backend() == "torch")
        if not self._witness.was_asked:
            if not (is_traced or at_end or self._steps > _EAGER_PATIENCE):
                return
            raise no_effect.unused(self._model)
        if self._witness.leaves_updates_to_others:
            raise no_effect.leaves_updates(self._optimizer)
        if not self._witness.has_updated:
            return
        idle = self._witness.unread
        if LEARNING_RATE in self.names and not (
            self._witness.takes_the_rate and LEARNING_RATE not in idle
        ):
            raise no_effect.works_out_its_rate(self._optimizer)
        if idle:
            raise no_effect.unread(self._optimizer, min(idle))

    def read(self, name: str) -> float:
        """Return the value of a hyper-parameter that the next step will use."""
        return float(ops.convert_to_numpy(self._variables[name][0]))

    def variables(self, name: str) -> Sequence[Any]:
        """Return the variables that a hyper-parameter is kept in."""
        return self._variables[name]

    def take_up_slots(self) -> bool:
        """Let slots that momentum needed, and the optimizer had not, go on where they were left.

        Returns:
            Whether they do: not if the optimizer has updated without them since.
        """
        updates, slots = _released_slots.get(self._optimizer, (-1, []))
        if (
            self._new_slots
            and updates == batches_taken(self._optimizer)
            and len(slots) == len(self._new_slots)
        ):
            for new, old in zip(self._new_slots, slots, strict=True):
                new.assign(old)
            self._new_slots = []
        return not self._new_slots or not batches_taken(self._optimizer)

    def release(self) -> None:
        """Give the stock optimizer back, with the numbers it had before. Idempotent."""
        while self._undo:
            self._undo.pop()()
        self._variables.clear()

    def _enliven_learning_rate(self) -> list[Any]:
        rate = getattr(self._optimizer, "_learning_rate", None)
        if not isinstance(rate, keras.Variable):
            raise OptimizerError(
                f"the learning rate of this {type(self._optimizer).__name__} cannot be set, "
                f"because it is a {type(rate).__name__}; compile the model with a plain number "
                f"as learning_rate instead."
            )
        stock, rate.__class__ = type(rate), HeardVariable
        self._undo.append(partial(setattr, rate, "__class__", stock))
        self._witness.watch(LEARNING_RATE, [rate])
        return [rate]

    def _enliven_momentum(self) -> list[Any]:
        attributes = momentum_attributes(self._optimizer)
        if not attributes and holds_zero(self._optimizer):
            return [LiveVariable(0.0, trainable=False, dtype="float32", name=MOMENTUM)]
        if not attributes:
            raise OptimizerError(
                f"{type(self._optimizer).__name__} has no momentum to schedule; leave it alone "
                f"with maximum_momentum=None and minimum_momentum=None."
            )
        variables = [self._replace(name) for name in attributes]
        self._witness.watch(MOMENTUM, variables)
        self._add_missing_slots()
        return variables

    def _enliven_number(self, name: str) -> list[Any]:
        config = self._optimizer.get_config()
        known = [number for number in NUMBERS if number in config]
        if name not in known:
            more = [LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, *known]
            raise OptimizerError(
                f"{type(self._optimizer).__name__} has no {name!r} to schedule"
                f"{did_you_mean(name, more)}"
            )
        if name == "ema_momentum" and not self._optimizer.use_ema:
            raise OptimizerError("ema_momentum does nothing without use_ema; compile with use_ema.")
        clips = [c for c in CLIPS if c != name and getattr(self._optimizer, c, None) is not None]
        if name in CLIPS and clips:
            raise OptimizerError(
                f"{name} does nothing where the optimizer clips by {clips[0]}; choose one of them."
            )
        live = self._replace(name)
        if name == "clipvalue":  # JAX's clip takes no variables
            self._override(self._optimizer, "_clip_gradients", partial(clipped, live))
        return [live]

    def _enliven_weight_decay(self) -> list[Any]:
        return [self._replace(name) for name in DECAYS if hasattr(self._optimizer, name)]

    def _enliven_l2(self) -> list[Any]:
        coefficient = LiveVariable(0.0, trainable=False, dtype="float32", name=L2)
        optimizer, inner = self._optimizer, self._optimizer._backend_update_step
        optimizer._track_variable(coefficient)
        keys = {optimizer._var_key(v) for v in kernels(self._model)}

        def backend_update_step(grads: Any, trainable_variables: Any, learning_rate: Any) -> None:
            share = 2.0 * coefficient / replicas()
            penalised = [
                ops.add(g, ops.cast(share, g.dtype) * ops.cast(v, g.dtype))
                if optimizer._var_key(v) in keys
                else g
                for g, v in zip(grads, trainable_variables, strict=True)
            ]
            inner(penalised, trainable_variables, learning_rate)

        self._override(optimizer, "_backend_update_step", backend_update_step)
        return [coefficient]

    def _replace(self, attribute: str) -> Any:
        optimizer, old = self._optimizer, getattr(self._optimizer, attribute)
        if not isinstance(old, int | float | None):
            raise OptimizerError(
                f"{attribute} of this {type(optimizer).__name__} is a {type(old).__name__}, not a "
                f"number; compile the model with a plain number to let it be scheduled."
            )
        live = LiveVariable(old or 0.0, trainable=False, dtype="float32", name=attribute)
        vars(optimizer)[attribute] = live
        self._undo.append(lambda: vars(optimizer).__setitem__(attribute, old))
        optimizer._track_variable(live)
        return live

    def _add_missing_slots(self) -> None:
        optimizer = self._optimizer
        for name in MOMENTUM_SLOTS:
            none = getattr(optimizer, name, None)
            if none == []:
                slots = slots_for(optimizer, MOMENTUM)
                vars(optimizer)[name] = self._new_slots = slots
                self._undo.append(partial(vars(optimizer).__setitem__, name, none))
                self._undo.append(partial(self._leave, slots))
        for slot in getattr(optimizer, "_average_gradients", []):  # RMSprop builds them last
            optimizer._untrack_variable(slot)
            optimizer._track_variable(slot)

    def _leave(self, slots: list[Any]) -> None:
        with contextlib.suppress(RuntimeError):  # JAX, if a step failed that had taken the values
            _released_slots[self._optimizer] = (batches_taken(self._optimizer), slots)

    def _watch_updates(self) -> Witness:
        optimizer, outer = self._optimizer, self._outer
        witness = Witness(optimizer.gradient_accumulation_steps or 1)
        self._override(optimizer, "apply", witness.of_taking(optimizer.apply))
        if outer is not optimizer:
            self._override(outer, "apply", witness.of_asking(outer.apply))
        self._override(outer, "apply", op_by_op(self._model, outer.apply))
        update = witness.of_updating(optimizer._backend_update_step, optimizer._learning_rate)
        self._override(optimizer, "_backend_update_step", update)
        return witness

    def _keep_saved_models_stock(self) -> None:
        """Let a model that is saved meanwhile load as if nothing had been changed."""
        optimizer = self._optimizer
        stock_config = optimizer.get_config
        self._override(optimizer, "get_config", lambda: plain(stock_config()))
        for each in {id(o): o for o in (optimizer, self._outer)}.values():
            saving, loading = saving_stock(each), loading_stock(each, self._take_loaded)
            self._override(each, "save_own_variables", saving)
            self._override(each, "load_own_variables", loading)

    def _take_loaded(self, loaded: Collection[int]) -> None:
        """Leave alone those of the added slots that a file had values for."""
        self._new_slots = [slot for slot in self._new_slots if id(slot) not in loaded]

    def _override(self, owner: Any, name: str, method: Callable[..., Any]) -> None:
        own = {name: vars(owner)[name]} if name in vars(owner) else {}
        vars(owner)[name] = method
        self._undo += [lambda: vars(owner).update(own), lambda: vars(owner).pop(name)]
