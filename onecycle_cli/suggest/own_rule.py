"""A rule of one's own: a function of a range test's learning rates and losses."""

from __future__ import annotations

import math
from collections.abc import Callable

from onecycle_cli.errors import PluginError
from onecycle_cli.plugin_names import OwnFunction
from onecycle_cli.suggest.curves import Array
from onecycle_cli.suggest.rules import Rule
from onecycle_cli.suggest.trends import Trend

RuleFunction = Callable[[Array, Array], float]
"""From rising learning rates and their raw losses, arrays of shape (n,), to a learning rate."""


class OwnRule(OwnFunction):
    """A function from one range test, as it was recorded, to a learning rate.

    It is given all points with a finite loss that are not to be left out, and asked for the range
    tests that have learned something.

    It is made as every `OwnFunction` is, of a `RuleFunction`.
    """

    def __call__(self, lrs: Array, losses: Array) -> float:
        """Return the learning rate for one range test.

        Raises:
            PluginError: when it is not a number within the learning rates.
        """
        low, high = float(lrs[0]), float(lrs[-1])
        with self._guard():
            given = self._function(lrs.copy(), losses.copy())
            try:
                rate = float(given)
            except (TypeError, ValueError, OverflowError):
                rate = math.nan
        if not low <= rate <= high:
            raise PluginError(
                f"rule {self.name} must give a learning rate from {low:.4g} to {high:.4g}, between "
                f"which the losses are known; it gives {given!r}."
            )
        return rate

    def as_rule(self) -> Rule:
        """Return it as one of the rules that read a smoothed curve."""
        return Rule(f"{self.name}, a rule of your own", self._of_trend)

    def _of_trend(self, trend: Trend) -> float:
        return self(*trend.raw)
