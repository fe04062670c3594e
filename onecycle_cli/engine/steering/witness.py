"""Whether the optimizer that is steered is the one that updates the weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from onecycle_cli.engine.start import runs_each_step


class Readable(Protocol):
    """A variable that notes when it is read."""

    was_read: bool


class Witness:
    """Sees which of an optimizer's methods the training step runs.

    A model may train by optimizers of its own, and an optimizer may leave the updates to others:
    then whatever is set on the compiled one acts on nothing.

    Args:
        gathers: how many gradients the optimizer takes in before it updates.

    Attributes:
        was_asked: whether a gradient has been handed to the optimizer, or to one that wraps it.
        has_updated: whether the optimizer has worked out an update.
        takes_the_rate: whether its last update was given the learning rate as it is set.
        unread: names of what is watched that the last update has not read.
    """

    def __init__(self, gathers: int) -> None:
        self.was_asked = False
        self.has_updated = False
        self.takes_the_rate = False
        self.unread: frozenset[str] = frozenset()
        self._gathers, self._taken = gathers, 0
        self._watched: dict[str, Sequence[Readable]] = {}

    @property
    def leaves_updates_to_others(self) -> bool:
        """Whether the optimizer has taken in gradients enough for an update, and made none."""
        return not self.has_updated and self._taken >= self._gathers

    def watch(self, name: str, variables: Sequence[Readable]) -> None:
        """Note whether updates read any of the variables."""
        self._watched[name] = variables

    def of_asking(self, apply: Callable[..., Any]) -> Callable[..., Any]:
        """Return the `apply` of an optimizer that wraps the one that updates, seen."""

        def seen(*arguments: Any, **named: Any) -> Any:
            self.was_asked = True
            return apply(*arguments, **named)

        return seen

    def of_taking(self, apply: Callable[..., Any]) -> Callable[..., Any]:
        """Return the `apply` of the optimizer that updates, seen."""

        def seen(*arguments: Any, **named: Any) -> Any:
            self.was_asked = True
            self._taken += 1 if runs_each_step() else self._gathers  # a trace has every branch
            return apply(*arguments, **named)

        return seen

    def of_updating(self, update: Callable[..., Any], rate: Any) -> Callable[..., Any]:
        """Return what changes the weights, seen; `rate` is the variable that is set."""

        def seen(grads: Any, trainable_variables: Any, learning_rate: Any) -> Any:
            for variable in (v for variables in self._watched.values() for v in variables):
                variable.was_read = False
            updated = update(grads, trainable_variables, learning_rate)
            self.takes_the_rate = learning_rate is rate
            self.has_updated = True
            self.unread = frozenset(
                name
                for name, variables in self._watched.items()
                if not any(variable.was_read for variable in variables)
            )
            return updated

        return seen
