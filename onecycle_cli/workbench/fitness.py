"""Whether model, data and options go together, before anything is trained."""

from __future__ import annotations

from typing import Any

import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.config import Config
from onecycle_cli.data import Dataset
from onecycle_cli.errors import ModelError, cause_of
from onecycle_cli.registry.containment import contained
from onecycle_cli.workbench.losses import CROSS_ENTROPY, check_loss_fits, name_of_loss

_SUM_TOLERANCE = 0.02


def check_outputs(model: Any, config: Config, dataset: Dataset) -> None:
    """Compare the model's outputs on a first batch with what the loss takes them for.

    Raises:
        ConfigError: when the loss or an option does not go with the data.
        ModelError: when the model fails, or ends in something else than the loss needs.
    """
    check_loss_fits(config, dataset)
    _check_options_fit(config, dataset)
    outputs = np.asarray(_first_outputs(model, config, dataset), np.float64)
    if name_of_loss(config, dataset) != CROSS_ENTROPY or not np.isfinite(outputs).all():
        return
    sums = outputs.sum(axis=1)
    are_probabilities = outputs.min() >= 0 and np.abs(sums - 1).max() <= _SUM_TOLERANCE
    if config.loss.from_logits and are_probabilities:
        raise ModelError(
            f"model {config.model.name} must end in logits, as loss.from_logits says, but "
            f"its outputs are probabilities already; remove from_logits, or the softmax."
        )
    if not config.loss.from_logits and not are_probabilities:
        raise ModelError(
            f"model {config.model.name} must end in probabilities, but its outputs for "
            f"one example range from {outputs[0].min():.3g} to {outputs[0].max():.3g} and add "
            f"up to {sums[0]:.3g}; end it with a softmax, or set "
            f"loss: {{name: auto, from_logits: true}}."
        )


def _first_outputs(model: Any, config: Config, dataset: Dataset) -> NDArray[Any]:
    inputs = dataset.normalise(dataset.x[dataset.train[:8]])
    try:
        with contained():
            return np.asarray(ops.convert_to_numpy(model(inputs)))
    except (Exception, SystemExit, GeneratorExit) as error:
        raise ModelError(
            f"model {config.model.name} failed on its first examples: {cause_of(error)}"
        ) from error


def _check_options_fit(config: Config, dataset: Dataset) -> None:
    if config.train.label_smoothing and name_of_loss(config, dataset) != CROSS_ENTROPY:
        raise config.error(
            "train.label_smoothing",
            f"train.label_smoothing needs class labels, and {dataset.name} has numbers; "
            f"set it to 0.",
        )
    if config.train.flip_evaluation and not dataset.is_image:
        raise config.error(
            "train.flip_evaluation",
            f"train.flip_evaluation needs images, and the inputs of {dataset.name} have "
            f"the shape {dataset.input_shape}; set it to false.",
        )
