"""Whether model, data and options go together, before anything is trained."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli.config import Config
from onecycle_cli.data import Dataset
from onecycle_cli.data.batches.feed import with_text
from onecycle_cli.data.inputs import rows_of
from onecycle_cli.errors import ModelError, cause_of
from onecycle_cli.registry.code.containment import contained
from onecycle_cli.workbench.scoring.fit_of_loss import are_probabilities
from onecycle_cli.workbench.scoring.objective import Objective

_EXAMPLES = 8
_ENDS = (
    (keras.activations.sigmoid, 0.0, 1.0),
    (keras.activations.softmax, 0.0, 1.0),
    (keras.activations.tanh, -1.0, 1.0),
    (keras.activations.relu, 0.0, float("inf")),
)
"""Activations, and the least and the largest number that each gives."""


def first_outputs(model: Any, config: Config, dataset: Dataset) -> Any:
    """Return what a model answers to the first training examples.

    Raises:
        ModelError: when the model fails, or takes batches of another size.
    """
    _check_batches(model, config, dataset)
    few = dataset.train[: _fixed_batch(model) or _EXAMPLES]
    inputs = with_text(dataset.normalise(rows_of(dataset.x, few)))
    try:
        with contained():
            tensors = keras.tree.map_structure(_as_tensor, inputs)
            return keras.tree.map_structure(ops.convert_to_numpy, model(tensors))
    except (Exception, SystemExit, GeneratorExit) as error:
        raise ModelError(
            f"{config.model.in_words} failed on its first examples: {cause_of(error)}"
        ) from error


def _fixed_batch(model: Any) -> int | None:
    """Return how many examples a model takes at a time; None: any number."""
    tensors = getattr(model, "inputs", None) or []
    return next((tensor.shape[0] for tensor in tensors if tensor.shape[0]), None)


def _check_batches(model: Any, config: Config, dataset: Dataset) -> None:
    """Refuse batches of other sizes than a model takes, such as one with a stateful layer.

    Raises:
        ModelError: when there is one; those of a pipeline are not known.
    """
    size = _fixed_batch(model)
    if size is None or dataset.stream is not None:
        return
    parts = {"training": len(dataset.train), "validation": len(dataset.validation)}
    odd = [f"{count} {part} examples" for part, count in parts.items() if count % size]
    if config.batch_size != size:
        odd = [f"batches of {config.batch_size}", *odd]
    if odd:
        raise ModelError(
            f"{config.model.in_words} takes {size} examples at a time, no more and no fewer, and "
            f"is given {' and '.join(odd)}; make the batch size {size}, and the number of examples "
            f"in each part a multiple of it."
        )


def _as_tensor(array: Any) -> Any:
    """Return an array as `fit` gives it to a model: of one in a list Keras takes tensors only."""
    return ops.convert_to_tensor(array) if isinstance(array, np.ndarray) else array


def check_outputs(outputs: NDArray[Any], config: Config, objective: Objective) -> None:
    """Compare a model's first outputs with what the loss takes them for.

    Args:
        outputs: shape (n, classes), or (n, labels).
        config: the configuration.
        objective: the task and its loss.

    Raises:
        ModelError: when the model ends in something else than the loss needs.
    """
    outputs = np.asarray(outputs, np.float64)
    if objective.task == "regression" or not np.isfinite(outputs).all():
        return
    name = config.model.name
    is_multiclass = objective.task == "multiclass"
    end = "softmax" if is_multiclass else "sigmoid"
    given = are_probabilities(outputs, of_classes=is_multiclass)
    if objective.from_logits and given and (is_multiclass or np.ptp(outputs) > 0):
        raise ModelError(
            f"model {name} must end in logits, as loss.from_logits says, but "
            f"its outputs are probabilities already; remove from_logits, or the {end}."
        )
    if not objective.from_logits and not given:
        total = f" and add up to {outputs[0].sum():.3g}" if is_multiclass else ""
        raise ModelError(
            f"model {name} must end in probabilities, but its outputs for "
            f"one example range from {outputs[0].min():.3g} to {outputs[0].max():.3g}{total}; "
            f"end it with a {end}, or set loss: {{name: auto, from_logits: true}}."
        )


def check_end(model: Any, config: Config, dataset: Dataset, objective: Objective) -> None:
    """Refuse a last layer that can't give what the task needs.

    That is one without an activation where probabilities are wanted, which a few numbers between 0
    and 1 do not show; and one whose activation ends below the numbers that are to be predicted.

    Raises:
        ModelError: when it can't.
    """
    layers = getattr(model, "layers", None) or [None]
    name, activation = config.model.name, getattr(layers[-1], "activation", None)
    is_plain = activation is keras.activations.linear
    if objective.gives_probabilities and objective.task != "multiclass" and is_plain:
        raise ModelError(
            f"model {name} must end in probabilities, but its last layer, "
            f"{layers[-1].name}, has no activation; give it a sigmoid, or set "
            f"loss: {{name: auto, from_logits: true}}."
        )
    if objective.task == "regression":
        _check_reaches_the_targets(name, layers[-1], dataset)


def _check_reaches_the_targets(name: str, last: Any, dataset: Dataset) -> None:
    activation = getattr(last, "activation", None)
    ends = [ends for known, *ends in _ENDS if activation is known]
    low, high = float(dataset.targets.min()), float(dataset.targets.max())
    for least, most in ends:
        if low < least or high > most:
            raise ModelError(
                f"model {name} can't predict the targets, which go from {low:.4g} to {high:.4g}: "
                f"its last layer, {last.name}, has an activation that goes from {least:g} to "
                f"{most:g}; take it away, or scale the targets."
            )


def check_can_be_compiled(config: Config, dataset: Dataset) -> None:
    """Refuse a model that does not come compiled, for data that do not say what they are for.

    Raises:
        ModelError: for a pipeline, of which the first batch does not show the classes.
    """
    if dataset.stream is not None:
        raise ModelError(
            f"model {config.model.name} must come compiled, since {dataset.name} gives a pipeline, "
            f"which does not say how many classes there are; let its function call model.compile."
        )


def check_options(config: Config, dataset: Dataset) -> None:
    """Refuse options that the data have no use for.

    Raises:
        ConfigError: when there is one.
    """
    if config.train.flip_evaluation and not dataset.is_image:
        raise config.error(
            "train.flip_evaluation",
            f"train.flip_evaluation needs images, and the inputs of {dataset.name} have "
            f"the shape {dataset.input_shape}; set it to false.",
        )
