"""A shape of one's own: a function of the progress of a cycle."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from onecycle_cli.errors import PluginError
from onecycle_cli.plugin_names import Guard, OwnFunction

_ROUNDING = 1e-9


class OwnShape(OwnFunction):
    """A function from the progress of a cycle to the learning rate's share of `max_lr`.

    The progress of step i of N is i / (N - 1): 0 at the first step, 1 at the last one.

    Args:
        function: from the progress in [0, 1] to the share in [0, 1].
        name: what it is called; `None`: the name of the function.
        guard: what the function is run within.
    """

    def __init__(
        self,
        function: Callable[[float], float],
        name: str | None = None,
        guard: Guard = contextlib.nullcontext,
    ) -> None:
        super().__init__(function, name, guard)
        self._known: dict[int, list[float]] = {}

    def __call__(self, progress: float) -> float:
        """Return the share of `max_lr`, whatever the function says it is."""
        return self._function(progress)

    def shares(self, num_steps: int) -> list[float]:
        """Return the share of each step; the function is asked once for each length.

        Args:
            num_steps: number of steps, at least 2.

        Raises:
            PluginError: when one is not a number in [0, 1].
        """
        if num_steps not in self._known:
            with self._guard():
                self._known = {num_steps: [self._share(i, num_steps) for i in range(num_steps)]}
        return list(self._known[num_steps])

    def _share(self, step: int, num_steps: int) -> float:
        progress = step / (num_steps - 1)
        given = self._function(progress)
        try:
            share = float(given)
        except (TypeError, ValueError, OverflowError):
            share = float("nan")
        if not -_ROUNDING <= share <= 1 + _ROUNDING:
            raise PluginError(
                f"shape {self.name} must give a share of max_lr in [0, 1] everywhere; at progress "
                f"{progress:.4g}, step {step} of {num_steps} counted from 0, it gives {given!r}."
            )
        return min(1.0, max(0.0, share))
