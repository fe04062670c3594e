"""A model that is in hand, compiled by whoever made it, and the data to train it with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from onecycle_cli.data import Dataset
from onecycle_cli.engine.state.initial_weights import digests, drawn_anew
from onecycle_cli.engine.state.snapshot import Snapshot


class ModelInHand:
    """A built and compiled model as it is, which is given back as it was.

    Its first replicate starts from the weights that it has. In others, those weights that are
    still as their layers' initializers drew them are drawn anew; those that were trained or loaded
    stay.

    Args:
        model: the model.

    Attributes:
        model: the model.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self._before = Snapshot(model)
        self._together = model.steps_per_execution
        self._first = digests(model.trainable_variables)

    def redraw(self, replicate: int) -> bool:
        """Draw the weights of another replicate; see `Subject`."""
        drawn_anew(self.model, seed=replicate)
        return digests(self.model.trainable_variables) != self._first

    def give_back(self, *, is_trained: bool) -> None:
        """Let the model run as many steps together as before.

        Bring everything else back too that was there in the beginning, the random generators
        included, unless the model is trained.
        """
        if self.model.steps_per_execution != self._together:
            self.model.steps_per_execution = self._together
            self.model.make_train_function(force=True)
        if not is_trained:
            self._before.restore()


@dataclass(frozen=True)
class InHand:
    """What is handed over in Python, in place of what a configuration names.

    Attributes:
        model: the model.
        dataset: its data.
        is_to_be_trained: whether it keeps what it learns.
    """

    model: ModelInHand
    dataset: Dataset
    is_to_be_trained: bool = False
