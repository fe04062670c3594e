"""Data and one compiled model, set up once for all the trials of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from onecycle_cli import data, optimizers, registry, training
from onecycle_cli.backend import has_accelerator, make_repeatable
from onecycle_cli.config import Config
from onecycle_cli.data import augmentation
from onecycle_cli.errors import ModelError
from onecycle_cli.experiments.observer import Observer
from onecycle_cli.fusion import FusedBatchNormalization

_SUM_TOLERANCE = 0.02


@dataclass(frozen=True)
class Examination:
    """How a model does on a part of the data.

    Attributes:
        losses: data loss of each example, without penalties, of shape (n,).
        accuracy: share of right classes, or `None` for regression.
    """

    losses: NDArray[np.float64]
    accuracy: float | None

    @property
    def loss(self) -> float:
        """The mean loss."""
        return float(self.losses.mean())


class Workbench:
    """One model that is compiled once and rewound before each trial.

    Attributes:
        config: the configuration.
        dataset: the data; the test set is not loaded.
        model: compiled, with a stock optimizer, and instruments attached.
        steps_per_epoch: batches in one pass over the training part.
        decay_name: the hyper-parameter that weight decay is set by: `l2` or `weight_decay`.
        jit_compile: whether the training step is compiled by XLA.
        fused_batch_norm: whether BatchNormalization is trained by the fused kernel.
    """

    def __init__(self, config: Config, observer: Observer) -> None:
        self.config = config
        registry.check(config)
        self.dataset = data.load(config.dataset, seed=config.seed, progress=observer.download)
        for note in self.dataset.notes:
            observer.warn(note)
        self.steps_per_epoch = data.steps_per_epoch(self.dataset, config.batch_size)
        self.augment = augmentation(config.dataset)
        self.jit_compile = _decide_jit(config)
        self.fused_batch_norm = _decide_fusion(config)
        make_repeatable(config.seed, jit_compile=self.jit_compile)
        self.decay_name = (
            optimizers.L2 if config.optimizer.decay_kind == "l2" else optimizers.WEIGHT_DECAY
        )
        self.model = self._build(config.seed)
        self._compile()
        self._check_outputs()
        self._fusion = FusedBatchNormalization(self.model) if self.fused_batch_norm else None
        names = (optimizers.LEARNING_RATE, optimizers.MOMENTUM, self.decay_name)
        self._instruments = training.Instruments.attach(self.model, names, owner=self)
        self._initial = training.Snapshot(self.model)

    def close(self) -> None:
        """Give the model back with a stock optimizer and stock layers. Idempotent."""
        if self._fusion is not None:
            self._fusion.release()
        self._instruments.release(owner=self)

    @property
    def chance(self) -> float | None:
        """The loss of always giving the best single answer; `None` where no formula gives it."""
        targets = self.dataset.y[self.dataset.train]
        if self.loss_name == _CROSS_ENTROPY:
            shares = np.bincount(targets) / len(targets)
            return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
        return float(targets.var(axis=0).mean()) if self.loss_name == "mse" else None

    def rewind(self, replicate: int = 0) -> None:
        """Bring the model back to its start; each replicate has initial weights of its own."""
        self._initial.restore()
        if replicate:
            training.reinitialise(self.model, self._build(self.config.seed + replicate))

    def assign(self, values: Mapping[str, float]) -> None:
        """Set hyper-parameters that no callback sets."""
        self._instruments.assign(values)

    def train(
        self,
        steps: int,
        callbacks: Sequence[Any],
        *,
        replicate: int = 0,
        epochs: int = 1,
        start: int = 0,
    ) -> None:
        """Train with the batches of a replicate.

        Args:
            steps: steps in an epoch of this call to `fit`.
            callbacks: Keras callbacks.
            replicate: whose order of the data and augmentation to use.
            epochs: epochs of this call.
            start: position of the first batch in the replicate's endless sequence.
        """
        batches = data.Batches(
            self.dataset,
            seed=self.config.seed + replicate,
            batch_size=self.config.batch_size,
            num_steps=steps * epochs,
            start=start,
            augment=self.augment,
        )
        self.model.fit(
            batches,
            epochs=epochs,
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
            callbacks=list(callbacks),
        )

    def examine(self, part: str) -> Examination:
        """Return how the model does on the `validation` or on the `test` part."""
        if part == "test":
            batches = data.EvaluationBatches.of_test(
                self.dataset, batch_size=self.config.batch_size
            )
        else:
            batches = data.EvaluationBatches(
                self.dataset, self.dataset.validation, batch_size=self.config.batch_size
            )
        outputs = np.asarray(self.model.predict(batches, verbose=0), np.float32)
        targets = np.asarray(batches.y[batches.rows])
        losses = ops.convert_to_numpy(self._loss(reduction=None)(self._shaped(targets), outputs))
        losses = losses.reshape(len(targets), -1).mean(axis=1).astype(np.float64)
        if not self.dataset.is_classification:
            return Examination(losses, None)
        return Examination(losses, float((outputs.argmax(axis=1) == targets).mean()))

    def _build(self, seed: int) -> Any:
        keras.utils.set_random_seed(seed)
        callers_policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.config.precision)
        try:
            return registry.build(
                self.config.model.name,
                self.config.model.options,
                input_shape=self.dataset.input_shape,
                num_outputs=self.dataset.num_outputs,
                activation=None if self._outputs_probabilities else "linear",
            )
        finally:
            keras.config.set_dtype_policy(callers_policy)

    @property
    def _outputs_probabilities(self) -> bool:
        return self.loss_name == _CROSS_ENTROPY and not self.config.loss.from_logits

    @property
    def loss_name(self) -> str:
        """The loss that `auto` stands for."""
        if self.config.loss.name != "auto":
            return self.config.loss.name
        return _CROSS_ENTROPY if self.dataset.is_classification else "mse"

    def _loss(self, reduction: str | None = "sum_over_batch_size") -> Any:
        if self.loss_name == _CROSS_ENTROPY:
            return keras.losses.SparseCategoricalCrossentropy(
                from_logits=self.config.loss.from_logits, reduction=reduction
            )
        return _REGRESSION_LOSSES[self.loss_name](reduction=reduction)

    def _compile(self) -> None:
        settings = self.config.optimizer
        optimizer = optimizers.create(
            settings.name,
            self.model,
            momentum=settings.momentum,
            nesterov=settings.nesterov,
            decoupled=settings.decay_kind == "decoupled",
        )
        if self.config.precision == "mixed_float16":  # else a saved model does not know of it
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        self.model.compile(
            optimizer, self._loss(), jit_compile=self.jit_compile, auto_scale_loss=False
        )

    def _shaped(self, targets: NDArray[Any]) -> NDArray[Any]:
        return targets if self.dataset.is_classification else targets.reshape(len(targets), -1)

    def _check_outputs(self) -> None:
        """Compare the model's outputs on a first batch with what the loss takes them for."""
        self._check_loss_fits()
        outputs = np.asarray(self._first_outputs(), np.float64)
        if self.loss_name != _CROSS_ENTROPY or not np.isfinite(outputs).all():
            return
        sums = outputs.sum(axis=1)
        are_probabilities = outputs.min() >= 0 and np.abs(sums - 1).max() <= _SUM_TOLERANCE
        if self.config.loss.from_logits and are_probabilities:
            raise ModelError(
                f"model {self.config.model.name} must end in logits, as loss.from_logits says, but "
                f"its outputs are probabilities already; remove from_logits, or the softmax."
            )
        if not self.config.loss.from_logits and not are_probabilities:
            raise ModelError(
                f"model {self.config.model.name} must end in probabilities, but its outputs for "
                f"one example range from {outputs[0].min():.3g} to {outputs[0].max():.3g} and add "
                f"up to {sums[0]:.3g}; end it with a softmax, or set "
                f"loss: {{name: auto, from_logits: true}}."
            )

    def _first_outputs(self) -> NDArray[Any]:
        inputs = self.dataset.normalise(self.dataset.x[self.dataset.train[:8]])
        try:
            return np.asarray(ops.convert_to_numpy(self.model(inputs)))
        except Exception as error:
            cause = " ".join(f"{type(error).__name__}: {error}".split())
            raise ModelError(
                f"model {self.config.model.name} failed on its first examples: {cause}"
            ) from error

    def _check_loss_fits(self) -> None:
        wants_classes = self.loss_name == _CROSS_ENTROPY
        if wants_classes != self.dataset.is_classification:
            raise self.config.error(
                "loss",
                f"loss {self.loss_name} needs {'class labels' if wants_classes else 'numbers'} as "
                f"targets, and {self.dataset.name} has "
                f"{'class labels' if self.dataset.is_classification else 'numbers'}; use auto.",
            )


def _decide_jit(config: Config) -> bool:
    """Return what `auto` stands for: with TensorFlow, repeatable bits go before XLA."""
    if config.jit_compile != "auto":
        return config.jit_compile
    backend = keras.backend.backend()
    return backend == "jax" or (backend == "torch" and has_accelerator())


def _decide_fusion(config: Config) -> bool:
    """Return what `auto` stands for: on where it was measured to pay, TensorFlow on a CPU."""
    on_tensorflow = keras.backend.backend() == "tensorflow"
    if config.fused_batch_norm == "auto":
        return on_tensorflow and not has_accelerator()
    if config.fused_batch_norm and not on_tensorflow:
        raise config.error(
            "fused_batch_norm",
            f"the fused kernel is TensorFlow's, and Keras runs on {keras.backend.backend()}; use "
            f"auto.",
        )
    return config.fused_batch_norm


_CROSS_ENTROPY = "sparse_categorical_crossentropy"
_REGRESSION_LOSSES = {
    "mse": keras.losses.MeanSquaredError,
    "mae": keras.losses.MeanAbsoluteError,
    "huber": keras.losses.Huber,
}
