"""A model that the function which a configuration names builds, for each replicate anew."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from onecycle_cli import data
from onecycle_cli.config import Config
from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import rows_of
from onecycle_cli.engine.state import snapshot
from onecycle_cli.engine.state.initial_weights import InitialWeights, digests
from onecycle_cli.errors import ModelError
from onecycle_cli.registry import models
from onecycle_cli.workbench.scoring.objective import Objective

_ADAPTED_TO = 5000


class ConfiguredModel:
    """A model that its function builds.

    Args:
        config: names the function and its options.
        dataset: what the model is to take.
        objective: what it is to answer.

    Attributes:
        model: of the first replicate; compiled only if its function compiles it.
    """

    def __init__(self, config: Config, dataset: Dataset, objective: Objective) -> None:
        self._config, self._dataset, self._objective = config, dataset, objective
        self._initial_weights = InitialWeights()
        self.model = self._build(replicate=0)
        self._first = digests(self.model.trainable_variables)

    def redraw(self, replicate: int) -> bool:
        """Give the model the weights that its function makes for a replicate; see `Subject`."""
        twin = self._build(replicate)
        snapshot.reinitialise(self.model, twin)
        return digests(twin.trainable_variables) != self._first

    def _build(self, replicate: int) -> Any:
        config, dataset = self._config, self._dataset
        seed = config.seed + replicate
        generator = snapshot.reseed(seed)
        callers_policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(config.precision)
        try:
            with self._initial_weights.recording(replicate, seed) as built:
                return models.build(
                    config.model.name,
                    config.model.options,
                    input_shape=self._input_shape,
                    num_outputs=self._num_outputs,
                    also=(1,) if self._may_be_binary else (),
                    activation=self._objective.activation,
                    examples=lambda: examples_to_adapt_to(dataset),
                    built=built,
                )
        except ModelError as error:
            if config.train.resize is None:
                raise
            raise ModelError(
                f"train.resize needs a network that takes images of any size, with None for their "
                f"height and width: {error}"
            ) from error
        finally:
            keras.config.set_dtype_policy(callers_policy)
            snapshot.reseed(seed, keeping=generator)  # whatever the model's function did

    @property
    def _num_outputs(self) -> int:
        return 1 if self._objective.task == "binary" else self._dataset.num_outputs

    @property
    def _may_be_binary(self) -> bool:
        """Whether a model may tell the two classes by a single number."""
        return self._config.meant_task is None and self._dataset.num_outputs == 2

    @property
    def _input_shape(self) -> Any:
        """The shape of one input; no sizes where they change in the course of the training."""
        resize = self._config.train.resize
        if resize is None:
            return self._dataset.input_shape
        data.check_resize([stretch.size for stretch in resize], self._dataset.input_shape)
        return (None, None, self._dataset.input_shape[-1])


def examples_to_adapt_to(dataset: Dataset) -> Any:
    """Return training inputs, never augmented, spread over the whole training part."""
    train = dataset.train
    rows = train[np.linspace(0, len(train) - 1, min(len(train), _ADAPTED_TO)).astype(np.int64)]
    return dataset.normalise(rows_of(dataset.x, rows))
