"""What is attached to a model while it is trained: it makes hyper-parameters changeable and batch
losses readable.
"""

from __future__ import annotations

import atexit
import gc
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from keras import ops

from onecycle_cli.engine.data_loss import LossParts
from onecycle_cli.engine.execution.loss_tracker import LossTracker
from onecycle_cli.engine.execution.several_steps import check_execution, execution_of
from onecycle_cli.engine.state.fresh_start import scope_of
from onecycle_cli.engine.steering.gradient_norm import GradientNorm
from onecycle_cli.engine.steering.layer_rates import LayerRates
from onecycle_cli.engine.steering.live_hyper_parameters import (
    LiveHyperparameters,
)
from onecycle_cli.engine.steering.no_effect import COMPILED_MEANWHILE
from onecycle_cli.engine.trainable import check_trainable, lacks_metrics
from onecycle_cli.errors import OptimizerError, TrainingError

INSTRUMENTS = "_onecycle_instruments"

# A `fit` that a callback ends leaves the iterator of its data in a reference cycle of Keras, and
# TensorFlow complains if it is left to be closed after Python's end.
atexit.register(gc.collect)


class Instruments:
    """What is attached to a model while it is trained step by step.

    Attach with `Instruments.attach`, and `release` when done: owners that come while others hold
    the model share one set, so that nothing is traced twice. The last one to let go leaves a stock
    model behind.

    Attributes:
        gives_inputs_alone: whether a `train_step` gets inputs without targets as they are, as
            `fit` hands over an array, and not in a tuple, as Keras does with batches.
    """

    def __init__(self, model: Any, names: Iterable[str]) -> None:
        check_trainable(model)
        self._model = model
        self._owners: list[Any] = []
        self._live = LiveHyperparameters(model, names)
        self._gradient_norm: GradientNorm | None = None
        self._layer_rates: LayerRates | None = None
        self._stock_tracker = model._loss_tracker
        with scope_of(model):
            self._tracker = LossTracker(dtype=self._stock_tracker.dtype)
        self._own_methods = {name: vars(model).get(name) for name in ("compute_loss", "train_step")}
        self._step = threading.local()
        self._recorded: set[str] = set()
        self.gives_inputs_alone = False
        vars(model)["_loss_tracker"] = self._tracker
        vars(model)["compute_loss"] = self._recording(model.compute_loss)
        vars(model)["train_step"] = self._marking(model.train_step)
        vars(model)[INSTRUMENTS] = self
        self._retrace()

    @classmethod
    def attach(
        cls, model: Any, names: Iterable[str], owner: Any, *, gradient_norm: bool = False
    ) -> Instruments:
        """Return the model's instruments, with at least the named hyper-parameters alive.

        Args:
            model: a built and compiled model, or one in the middle of `fit`.
            names: hyper-parameters as in `LiveHyperparameters`.
            owner: who holds them until `release(owner)`: a callback, or any other object.
            gradient_norm: measure the gradient of each step too.

        Raises:
            OptimizerError: when the optimizer has no such hyper-parameter, or can't change it.
            TrainingError: when the model runs several steps per execution.
            ModelError: when the model is not built or not compiled.
        """
        instruments = vars(model).get(INSTRUMENTS)
        if instruments is not None and instruments._is_stale(owner):
            instruments._detach()
            instruments = None
        if instruments is None:
            instruments = cls(model, names)
        else:
            instruments.enliven(names)
        if gradient_norm:
            instruments._measure_gradients()
        instruments._hold(owner)
        return instruments

    @property
    def replaced(self) -> list[Any]:
        """The methods that the model itself, not its class, was given before."""
        return list(self._own_methods.values())

    @property
    def steps_per_execution(self) -> int:
        """How many steps are run at a time."""
        return int(self._model.steps_per_execution)

    def execute(self, steps: int) -> None:
        """Have so many steps run at a time from now on; one only on PyTorch.

        Raises:
            TrainingError: when the backend can't.
        """
        if steps != self.steps_per_execution:
            check_execution(steps)
            self._model.steps_per_execution = steps
            if self._execution is None or not self._execution.fits(steps):
                self._retrace()

    def steps_to_come(self, left: int | None) -> int:
        """Return how many steps the next execution takes at most.

        Args:
            left: steps that the epoch still has; `None` if that is not known.
        """
        size = self.steps_per_execution
        return size if self._execution is None else self._execution.steps_to_come(size, left)

    def load(self, rows: Sequence[Mapping[str, float]]) -> None:
        """Set the hyper-parameters of each step of the next execution.

        Raises:
            OptimizerError: when the model has been compiled again since they were attached.
        """
        self._check_that_model_is_the_same()
        if self._execution is not None:
            self._execution.load(rows)
        else:
            self.assign(rows[0])

    def losses(self) -> list[float]:
        """Return the data loss of each batch of the last execution; see `batch_loss`."""
        if self._execution is None:
            return [self.batch_loss]
        self._check_that_losses_are_seen()
        return self._execution.losses()

    def assign(self, values: Mapping[str, float]) -> None:
        """Set hyper-parameters for the next step."""
        self._live.assign(values)

    def check(self, values: Mapping[str, float]) -> None:
        """Make sure, after a step, that it was run with what was assigned, and updated the weights.

        Raises:
            OptimizerError: when something else has set another value, or what is set acts on
                nothing.
            TrainingError: when every weight is frozen.
        """
        self._check_that_model_is_the_same()
        self._live.check_effect()
        self._live.check(values)

    def differing(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return what the optimizer holds, by name, where it is not what was assigned."""
        return self._live.differing(values)

    def check_at_end(self) -> None:
        """Make sure, after the last step, that what was set has acted on the weights.

        Raises:
            OptimizerError: when it has acted on nothing.
        """
        self._live.check_effect(at_end=True)

    def _check_that_model_is_the_same(self) -> None:
        self._live.check_model()
        if self._compiled_again():
            raise OptimizerError(COMPILED_MEANWHILE)

    def read(self, name: str) -> float:
        """Return the value of a hyper-parameter that the next step will use."""
        return self._live.read(name)

    def take_up_slots(self) -> bool:
        """Let added slots go on where they were left; see `LiveHyperparameters`."""
        return self._live.take_up_slots()

    @property
    def batch_loss(self) -> float:
        """The data loss of the last batch, before its update and without penalties.

        It is that of the first `compute_loss` of a training step; see `data_loss.LossParts`.

        Raises:
            TrainingError: when the model has a training step of its own that hides it.
        """
        self._check_that_losses_are_seen()
        return float(ops.convert_to_numpy(self._tracker.last))

    @property
    def test_loss(self) -> float:
        """The data loss of the last batch that was evaluated; see `batch_loss`."""
        self._check_that_losses_are_seen("test_step")
        return float(ops.convert_to_numpy(self._tracker.last))

    def _check_that_losses_are_seen(self, step: str = "train_step") -> None:
        if step not in self._recorded:
            raise TrainingError(
                f"the loss of a batch cannot be read, because the {step} of "
                f"{type(self._model).__name__} does not call self.compute_loss for it, or gets "
                f"more than one number from it; let it do so."
            )

    @property
    def measures_gradients(self) -> bool:
        """Whether `take_gradient_norm` has anything to say."""
        return self._gradient_norm is not None

    def take_gradient_norm(self) -> float:
        """Return the norm of the last step's gradient, once; see `GradientNorm`.

        Raises:
            TrainingError: when it is not measured.
        """
        if self._gradient_norm is None:
            raise TrainingError("the gradient is not measured; attach with gradient_norm=True.")
        return self._gradient_norm.take()

    def release(self, owner: Any) -> None:
        """Let go; once nobody holds the model it is a stock one again. Idempotent."""
        self._owners = [o for o in self._owners if o is not owner]
        if not self._owners and vars(self._model).get(INSTRUMENTS) is self:
            self._detach()

    def _hold(self, owner: Any) -> None:
        self._owners = [*(o for o in self._holding(owner) if o is not owner), owner]

    def _holding(self, owner: Any) -> list[Any]:
        return [o for o in self._owners if not _of_another_fit(o, owner)]

    def _is_stale(self, owner: Any) -> bool:
        """Tell whether they belong to a `fit` that broke off, or to an earlier `compile`."""
        return self._compiled_again() or not self._holding(owner)

    def _measure_gradients(self) -> None:
        if self._gradient_norm is None:
            self._gradient_norm = GradientNorm(self._model)
            self._retrace()

    def enliven(self, names: Iterable[str]) -> None:
        """Bring more hyper-parameters to life.

        Raises:
            OptimizerError: when the optimizer has no such hyper-parameter, or can't change it.
        """
        if self._live.add(names):
            self._retrace()

    def scale_layers(self, factors: Mapping[str, float]) -> None:
        """Multiply the learning rates of groups of layers from now on; see `LayerRates`.

        Raises:
            OptimizerError: when a pattern does nothing.
        """
        held = {} if self._layer_rates is None else self._layer_rates.factors
        if list(held.items()) == list(factors.items()):
            return
        if self._layer_rates is not None:
            self._layer_rates.release()
            self._layer_rates = None
        if factors:
            self._layer_rates = LayerRates(self._model, factors)
        self._retrace()

    def _detach(self) -> None:
        if self._layer_rates is not None:
            self._layer_rates.release()
        if self._gradient_norm is not None:
            self._gradient_norm.release()
        self._live.release()
        if not self._compiled_again():
            vars(self._model)["_loss_tracker"] = self._stock_tracker
        for name, own in self._own_methods.items():
            del vars(self._model)[name]
            if own is not None:
                vars(self._model)[name] = own
        del vars(self._model)[INSTRUMENTS]
        self._make_functions_anew()

    def _compiled_again(self) -> bool:
        return vars(self._model).get("_loss_tracker") is not self._tracker

    def _recording(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        parts = LossParts(self._model, inner)

        def compute_loss(*args: Any, **kwargs: Any) -> Any:
            total, data = parts(*args, **kwargs)
            if data is not None:
                self._take_down(data)
            return total

        return compute_loss

    def _marking(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        """Tell training steps from evaluation, and the first loss of a step from later ones."""

        def train_step(*args: Any) -> Any:
            *state, data = args
            if self.gives_inputs_alone and isinstance(data, tuple) and len(data) == 1:
                (data,) = data
            self._step.losses = 0  # of this thread: replicas take turns
            try:
                return inner(*state, data)
            finally:
                del self._step.losses

        return train_step

    def _take_down(self, data: Any) -> None:
        losses = getattr(self._step, "losses", None)
        if losses is not None:
            self._step.losses += 1
        self._recorded.add("test_step" if losses is None else "train_step")
        if not losses:
            self._tracker.last.assign(ops.cast(data, self._tracker.last.dtype))
        if losses == 0 and self._execution is not None:
            self._execution.note(data)

    def _retrace(self) -> None:
        self._make_functions_anew()
        self._execution = execution_of(self._model, self._live, self._tracker.last)

    def _make_functions_anew(self) -> None:
        if lacks_metrics(self._model):
            self._model.train_function = None  # `fit` makes it, once it has made the metrics
        else:
            self._model.make_train_function(force=True)
        self._model.test_function = None


def _of_another_fit(old: Any, new: Any) -> bool:
    """Tell whether both are callbacks, of different calls of `fit`: then the old one broke off."""
    fits = getattr(old, "params", None), getattr(new, "params", None)
    return None not in fits and fits[0] is not fits[1]
