"""The 1cycle policy as a Keras callback."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Mapping
from inspect import signature
from typing import Any, Unpack

import numpy as np

from onecycle_cli import schedules
from onecycle_cli.callbacks.counts import is_number
from onecycle_cli.callbacks.scheduled import Scheduled, in_words
from onecycle_cli.callbacks.verbosity import Verbosity, check_verbosity, prints
from onecycle_cli.engine.steering.names import LEARNING_RATE, MOMENTUM
from onecycle_cli.engine.steering.optimizers import MOMENTA
from onecycle_cli.errors import ArgumentError, OptimizerError, did_you_mean
from onecycle_cli.registry import shapes
from onecycle_cli.shown import Facts


class OneCycleLR(Scheduled):
    """Train with the 1cycle policy: the learning rate up and down once, momentum mirrored.

    The learning rate rises from `scale_percentage * max_lr` to `max_lr` and falls again, then, over
    the last `end_percentage` of the steps, further towards `max_lr / 1000`; momentum falls from
    `maximum_momentum` to `minimum_momentum` and rises again. See `onecycle_cli.schedules`.

    Works with any stock optimizer that has a settable learning rate, compiled or eager, on any
    backend; `beta_1` is the momentum of the Adam family. After `fit` the optimizer is a stock one
    again: its learning rate is the last one used, its momentum the number it was compiled with. A
    model that is saved in the middle of `fit` holds the momentum of that step.

    The cycle spans all `epochs` of `fit`. With an `initial_epoch`, from `BackupAndRestore` too, it
    goes on at that epoch, as if it had never been broken off; within an epoch, `get_state` and
    `set_state` do the same. Where it goes on, rate and momentum follow from the schedule, whatever
    the restored optimizer holds.

    Args:
        num_samples: optional, and only needed when `fit` can't know: samples in the data set.
        num_epoch: optional: epochs. If `fit` has another number, that one counts.
        batch_size: optional: samples in a batch.
        max_lr: the highest learning rate, > 0. Required.
        end_percentage: share of all steps in the final fall, in [0, 1).
        scale_percentage: first learning rate as a share of `max_lr`, in (0, 1]; defaults to
            `end_percentage`.
        maximum_momentum: momentum where the rate is low, in [0, 1). `None`, with the next:
            momentum is left alone.
        minimum_momentum: momentum where the rate peaks, in [0, `maximum_momentum`].
        verbose: print the values of the last step at the end of each epoch: with `True` or `"auto"`
            unless `fit(verbose=0)`, with 1 in any case, with `False` or 0 never.
        shape: one of `onecycle_cli.schedules.SHAPES`: `"smith"`, `"pytorch"`, `"fastai"`, ...; or a
            function from the progress of the cycle, in [0, 1], to the rate's share of `max_lr`, or
            the path to one, `"path/to/file.py:function"`.
        layer_rates: what the learning rate is multiplied by for groups of layers, by pattern of
            their names, such as `{"conv1*": 0.1}`; the first pattern that fits counts, and 0
            freezes. Decoupled weight decay goes with the rate. See
            `onecycle_cli.engine.steering.layer_rates`.
        also: values of further hyper-parameters of the optimizer, such as
            `{"beta_2": (0.99, 0.999), "weight_decay": 0.01}`: a number, the first and the last, one
            for each step, or a function of the number of steps. See `names.NUMBERS`.
        scale_precentage: the spelling of keras-one-cycle's README for `scale_percentage`.
        **options: of the shape, such as `pct_start=0.3` for `"pytorch"`; see
            `onecycle_cli.schedules.OPTIONS` and docs/schedules.md.

    Attributes:
        history: `lr` and `momentum` of each step, as lists of floats.
        schedule: the whole cycle of this `fit`, by hyper-parameter.
        step: how many steps of it are done.

    Raises:
        ValueError: when an argument is out of its range.
        OptimizerError: in `fit`, when the optimizer has no momentum, can't change its rate, or is
            not what updates the weights, or a pattern of `layer_rates` fits nothing.
        ModelError: in `fit`, when every weight is frozen.

    Example:
        >>> model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
        >>> _ = model.fit(x, y, epochs=10, verbose=0, callbacks=[OneCycleLR(max_lr=0.4)])

    References:
        L. N. Smith, arXiv:1803.09820; L. N. Smith and N. Topin, arXiv:1708.07120.
    """

    _usage = "OneCycleLR(max_lr=0.1)"
    _columns: Mapping[str, str] = {LEARNING_RATE: "lr"}

    def __init__(
        self,
        num_samples: int | None = None,
        num_epoch: int | None = None,
        batch_size: int | None = None,
        max_lr: float | None = None,
        end_percentage: float = 0.1,
        scale_percentage: float | None = None,
        maximum_momentum: float | None = 0.95,
        minimum_momentum: float | None = 0.85,
        verbose: Verbosity = True,
        *,
        shape: schedules.AnyShape = "smith",
        layer_rates: Mapping[str, float] | None = None,
        also: Mapping[str, schedules.Values] | None = None,
        scale_precentage: float | None = None,
        **options: Unpack[schedules.ShapeOptions],
    ) -> None:
        _check_names(options)
        own = {LEARNING_RATE: self._rates}
        if maximum_momentum is not None:
            own[MOMENTUM] = self._momenta
        super().__init__({**own, **(also or {})}, num_samples, batch_size)
        self._check_count("num_epoch", num_epoch)
        check_verbosity(verbose)
        if max_lr is None:
            raise ArgumentError(
                "max_lr must be a number above 0, as in OneCycleLR(max_lr=0.1), and is not given, "
                "or None. If it comes from LRFinder, that had nothing to suggest: "
                "finder.suggestion['reason'] says why, and what to do."
            )
        for name, value in (
            *(("max_lr", max_lr), ("end_percentage", end_percentage)),
            *(("maximum_momentum", maximum_momentum), ("minimum_momentum", minimum_momentum)),
            *(("scale_percentage", scale_percentage), ("scale_precentage", scale_precentage)),
        ):
            if value is not None and not is_number(value):
                raise ArgumentError(f"{name} must be a number{_got(value)}.")
        if (maximum_momentum is None) != (minimum_momentum is None):
            raise ArgumentError(
                f"maximum_momentum and minimum_momentum must both be numbers or both None; got "
                f"{maximum_momentum} and {minimum_momentum}."
            )
        if not 0 <= (minimum_momentum or 0) <= (maximum_momentum or 0) < 1:
            raise ArgumentError(
                f"maximum_momentum must be below 1, and minimum_momentum from 0 to it; got "
                f"{maximum_momentum} and {minimum_momentum}."
            )
        self.num_epoch = num_epoch
        self.max_lr = float(max_lr)
        self.end_percentage = end_percentage
        self.scale_percentage = scale_precentage if scale_percentage is None else scale_percentage
        self.maximum_momentum = maximum_momentum
        self.minimum_momentum = minimum_momentum
        self.verbose: Verbosity = verbose
        self.shape: schedules.AnyShape = shapes.load(shape)
        self.options = options
        self.layer_rates = dict(layer_rates or {})
        for pattern, factor in self.layer_rates.items():
            if not 0 <= factor < math.inf:
                raise ArgumentError(
                    f"layer_rates must be at least 0; got {factor} for {pattern!r}."
                )
        self.also = dict(also or {})
        for name in self.also:
            if name in (LEARNING_RATE, *MOMENTA):
                raise ArgumentError(
                    f"also: {name} is what OneCycleLR schedules itself; leave it out."
                )
        self._state: dict[str, int] | None = None
        for table in own.values():
            table(2)  # so that a wrong argument shows here and not in fit

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        if self.layer_rates:
            try:
                self._attached().scale_layers(self.layer_rates)
            except OptimizerError as error:
                self.release()
                raise OptimizerError(f"layer_rates: {error}") from None

    def _begin(self, epochs: int) -> int:
        """Begin where `fit` does, or where the state says that was set."""
        whole = self._first_epoch + epochs
        if self.num_epoch is not None and self.num_epoch != whole:
            warnings.warn(
                f"OneCycleLR was told num_epoch={self.num_epoch}, but fit runs {whole}; going by "
                f"fit.",
                stacklevel=2,
            )
        num_steps = super()._begin(epochs)
        in_fit = num_steps - self.step
        if self._state is not None:
            self.step, num_steps = self._state["step"], self._state["num_steps"]
            self._state = None
            _compare(num_steps - self.step, in_fit)
        return num_steps

    def _plan(self, epochs: int) -> None:
        super()._plan(epochs)
        if self.step:
            self._go_on()

    def get_state(self) -> dict[str, int]:
        """Return where the cycle is, for `set_state`: plain numbers that JSON can hold.

        Save it with the model when training may be broken off within an epoch; between epochs
        the `initial_epoch` of `fit` says as much.
        """
        return {"step": self.step, "num_steps": len(self.schedule.get(LEARNING_RATE, []))}

    def set_state(self, state: Mapping[str, int]) -> None:
        """Let the next `fit` take a cycle up: after `step` of `num_steps` steps.

        Raises:
            ValueError: when it is not what `get_state` returns.
        """
        if not _is_state(state):
            raise ArgumentError(
                f"a state is what get_state returns, with 0 <= step <= num_steps, as in "
                f"{{'step': 30, 'num_steps': 100}}; got {state!r}."
            )
        self._state = {name: int(state[name]) for name in ("step", "num_steps")}
        if not self._state["num_steps"]:  # taken before any fit
            self._state = None

    def _after(self, name: str, table: list[float]) -> float:
        """Return `max_lr / 1000` or less, and the highest momentum or the final one."""
        if name == LEARNING_RATE:
            return schedules.final_rate(table, self.max_lr)
        if name == MOMENTUM:
            final = self.options.get("final_momentum")
            return (self.maximum_momentum or 0.0) if final is None else final
        return super()._after(name, table)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        latest = {key: values[-1] for key, values in self.history.items() if values}
        if logs is not None and latest:
            logs[LEARNING_RATE] = latest["lr"]
            logs |= {k: v for k, v in latest.items() if k == MOMENTUM or k in self.also}
        if latest and self._may_print:
            print(" - " + " - ".join(f"{key}: {value:.5g}" for key, value in latest.items()))

    @property
    def _may_print(self) -> bool:
        return prints(self.verbose, self.params.get("verbose", 1))

    def _go_on(self) -> None:
        rates = self.schedule[LEARNING_RATE]
        if self._may_print:
            print(f"OneCycleLR: going on after step {self.step} of {len(rates)}")
        _ = self.model  # on JAX, brings the variables up to date
        held = self._attached().read(LEARNING_RATE)
        an_epoch_on = self.step + self._per_epoch  # it may have broken off within
        left_at = rates[self.step - 1 : an_epoch_on]
        if not np.isclose(left_at, held, rtol=1e-5, atol=0).any():
            warnings.warn(
                f"the optimizer comes with the learning rate {held:.4g}, which this cycle does not "
                f"have here: it was trained in another way, or is a new one. The cycle goes on "
                f"after step {self.step} of {len(rates)} all the same; for a whole new cycle call "
                f"fit without initial_epoch.",
                stacklevel=2,
            )
        if not self._attached().take_up_slots():
            warnings.warn(
                "the cycle goes on without the velocities that it had when it was left, because "
                "the optimizer was made with momentum=0 and does not keep them; the next steps "
                "differ a little from those of an unbroken cycle. Compile with a momentum above "
                "0 to keep them.",
                stacklevel=2,
            )

    def _rates(self, num_steps: int) -> list[float]:
        return schedules.learning_rates(
            num_steps,
            self.max_lr,
            shape=self.shape,
            end_percentage=self.end_percentage,
            scale_percentage=self.scale_percentage,
            **self.options,
        )

    def _momenta(self, num_steps: int) -> list[float]:
        if self.maximum_momentum is None or self.minimum_momentum is None:
            raise ArgumentError("maximum_momentum and minimum_momentum must be numbers.")
        return schedules.momenta(
            num_steps,
            self.maximum_momentum,
            self.minimum_momentum,
            shape=self.shape,
            end_percentage=self.end_percentage,
            **self.options,
        )

    def _facts(self) -> Facts:
        yield "max_lr", f"{self.max_lr:g}, shape {self.shape}"
        if self.maximum_momentum is not None:
            yield "momentum", f"{self.maximum_momentum:g} to {self.minimum_momentum:g}"
        yield from ((name, in_words(values)) for name, values in self.also.items())
        yield "steps done", self._progress()


def _is_state(state: Any) -> bool:
    if not isinstance(state, Mapping):
        return False
    step, num_steps = state.get("step"), state.get("num_steps")
    return type(step) is type(num_steps) is int and 0 <= step <= num_steps


def _compare(to_go: int, in_fit: int) -> None:
    if to_go != in_fit:
        warnings.warn(
            f"the cycle that OneCycleLR takes up has {to_go} steps to go, but fit runs {in_fit}; "
            f"it stops short of its end, or stays at max_lr / 1000 beyond it.",
            stacklevel=3,
        )


def _got(value: Any) -> str:
    """Return what was given in place of a number, and where a finder's result has one."""
    found = getattr(value, "suggestion", value)
    is_dict = isinstance(found, Mapping)
    if not (hasattr(found, "value") or (is_dict and "value" in found)):
        return f"; got {value!r}"
    place = ("" if found is value else ".suggestion") + ("['value']" if is_dict else ".value")
    number = found["value"] if is_dict else found.value
    return f"; this {type(value).__name__} has it in {place}, which is {number}"


def _check_names(options: Iterable[str]) -> None:
    """Refuse a keyword that is no argument, and no option of any shape either."""
    named = [p.name for p in signature(OneCycleLR).parameters.values() if p.kind != p.VAR_KEYWORD]
    known = [*named, *schedules.ShapeOptions.__annotations__]
    for name in options:
        if name not in known:
            raise TypeError(f"OneCycleLR has no argument {name!r}{did_you_mean(name, known)}")
