"""A 1cycle run whose every step is written down."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onecycle_cli.callbacks.one_cycle_lr import OneCycleLR
from onecycle_cli.callbacks.stop_rule import StopRule
from onecycle_cli.optimizers import L2, WEIGHT_DECAY


class RecordedCycle(OneCycleLR):
    """`OneCycleLR` with other hyper-parameters held constant, losses kept, and a stop rule.

    Args:
        constants: values for the whole run, such as `{"l2": 1e-4}`.
        stop_factor: end `fit` when the loss is so many times above its best; `None`: only when it
            is not finite.
        **cycle: arguments of `OneCycleLR`.

    Attributes:
        history: as of `OneCycleLR`, with `weight_decay`, of either kind, if it is a constant; and
            `grad_norm` if the model's instruments measure it, see `optimizers.GradientNorm`.
        losses: data loss of each step's batch before its update, without penalties.
        stop_reason: `"diverged"`, `"non_finite"`, or `None`.
    """

    def __init__(
        self, *, constants: Mapping[str, float], stop_factor: float | None = None, **cycle: Any
    ) -> None:
        super().__init__(verbose=False, **cycle)
        self.constants = dict(constants)
        self.stop_factor = stop_factor
        self.losses: list[float] = []
        self.stop_reason: str | None = None

    @property
    def lrs(self) -> list[float]:
        """Learning rate of each step."""
        return self.history.get("lr", [])

    def names(self) -> tuple[str, ...]:
        """Return the hyper-parameters that are set."""
        return (*super().names(), *self.constants)

    def values_at(self, step: int) -> Mapping[str, float]:
        """Return what is in force at a step."""
        return {**super().values_at(step), **self.constants}

    def on_train_begin(self, logs: Any = None) -> None:
        super().on_train_begin(logs)
        self.losses, self.stop_reason = [], None
        self._stop_rule = StopRule(self.stop_factor)

    def record(self, values: Mapping[str, float]) -> None:
        """Take the step down, and end `fit` when it has gone wrong."""
        super().record(values)
        for key, value in self._more(values).items():
            self.history.setdefault(key, []).append(value)
        self.losses.append(self.batch_loss)
        self.stop_reason = self.stop_reason or self._stop_rule.reason(self.losses)
        if self.stop_reason is not None:
            self.model.stop_training = True

    def _more(self, values: Mapping[str, float]) -> dict[str, float]:
        decays = [values[name] for name in (L2, WEIGHT_DECAY) if name in values]
        more = {"weight_decay": sum(decays)} if decays else {}
        return more | ({"grad_norm": self.take_gradient_norm()} if self.measures_gradients else {})
