"""Data and one compiled model, set up once for all the trials of an experiment."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from onecycle_cli import data, registry
from onecycle_cli.config import Config
from onecycle_cli.data import augmentation
from onecycle_cli.engine import instruments
from onecycle_cli.engine.fusion import FusedBatchNormalization
from onecycle_cli.engine.start import has_accelerator, make_repeatable
from onecycle_cli.engine.state import snapshot
from onecycle_cli.engine.state.initial_weights import InitialWeights, digests
from onecycle_cli.engine.steering import optimizers
from onecycle_cli.engine.steering.names import L2, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY
from onecycle_cli.errors import ModelError, OptimizerError
from onecycle_cli.observer import Observer
from onecycle_cli.registry import models
from onecycle_cli.registry.containment import same_folder
from onecycle_cli.workbench.examination import Examination, examine
from onecycle_cli.workbench.fitness import check_outputs
from onecycle_cli.workbench.ignored_targets import ignores_targets
from onecycle_cli.workbench.losses import (
    CROSS_ENTROPY,
    make_loss,
    make_training_loss,
    name_of_loss,
)
from onecycle_cli.workbench.scored import Part, Scored, chosen

_ADAPTED_TO = 5000
_FEW = 32


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
        caveats: what makes the model's numbers less than they seem, in words.
        replay: what came of `replay.replay`, as plain data, once that has been done.
    """

    def __init__(self, config: Config, observer: Observer) -> None:
        self.config = config
        self.caveats: list[str] = []
        self.replay: dict[str, Any] | None = None
        self._observer = observer
        registry.check(config)
        self.dataset = data.load(
            config.dataset,
            seed=config.seed,
            progress=observer.download,
            decoding=observer.decode,
        )
        for note in self.dataset.notes:
            observer.warn(note)
        self.steps_per_epoch = data.steps_per_epoch(self.dataset, config.batch_size)
        self.augment = augmentation(config.dataset)
        self.jit_compile = _decide_jit(config)
        self.fused_batch_norm = _decide_fusion(config)
        make_repeatable(config.seed, jit_compile=self.jit_compile)
        self.decay_name = L2 if config.optimizer.decay_kind == "l2" else WEIGHT_DECAY
        self._initial_weights, self._has_replicated = InitialWeights(), False
        self.model = self._build(replicate=0)
        self._first_weights = digests(self.model.trainable_variables)
        self._compile()
        check_outputs(self.model, config, self.dataset)
        self._fusion = FusedBatchNormalization(self.model) if self.fused_batch_norm else None
        self._instruments = self._attach()
        self._initial = snapshot.Snapshot(self.model)
        self._warn_of_ignored_targets()

    def close(self) -> None:
        """Give the model back with a stock optimizer and stock layers. Idempotent."""
        if self._fusion is not None:
            self._fusion.release()
        self._instruments.release(owner=self)

    @property
    def chance(self) -> float | None:
        """The training loss of the best single answer to all; `None` where no formula gives it."""
        if type(self.model).compute_loss is not keras.Model.compute_loss:
            return None
        targets = self.dataset.y[self.dataset.train]
        if self.loss_name == CROSS_ENTROPY:
            shares = np.bincount(targets, minlength=self.dataset.num_outputs) / len(targets)
            shares += self.config.train.label_smoothing * (1 / len(shares) - shares)
            return float(-(shares[shares > 0] * np.log(shares[shares > 0])).sum())
        return float(targets.var(axis=0).mean()) if self.loss_name == "mse" else None

    def rewind(self, replicate: int = 0) -> None:
        """Bring the model back to its start; each replicate has initial weights of its own."""
        self._initial.restore()
        if not replicate:
            return
        twin, self._has_replicated = self._build(replicate), True
        if digests(twin.trainable_variables) == self._first_weights:
            self.caution(
                f"model {self.config.model.name} starts every replicate from the same weights: "
                f"they differ in the order of the data only, so the spread between them, and each "
                f"interval made of it, is too small. Where that is not meant, let Keras' "
                f"initializers draw the weights."
            )
        snapshot.reinitialise(self.model, twin)

    def caveats_of(self, replicates: int) -> list[str]:
        """Return what makes results of so many replicates less than they seem.

        Those of a run that was resumed may not have been made anew, so one is made here.
        """
        if replicates > 1 and not self._has_replicated:
            self.rewind(replicate=1)
            self.rewind()
        return self.caveats

    def caution(self, text: str) -> None:
        """Warn of something that the results are to mention, once."""
        if text not in self.caveats:
            self.caveats.append(text)
            self._observer.warn(text)

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
        resize: data.Resize | None = None,
        together: int = 1,
    ) -> None:
        """Train with the batches of a replicate.

        Args:
            steps: steps in an epoch of this call to `fit`.
            callbacks: Keras callbacks.
            replicate: whose order of the data and augmentation to use.
            epochs: epochs of this call.
            start: position of the first batch in the replicate's endless sequence.
            resize: which size the images have at each position; None for their own.
            together: steps in one execution; divides `steps`.
        """
        batches = self._batches(
            num_steps=steps * epochs, replicate=replicate, start=start, resize=resize
        )
        self._instruments.execute(together)
        with same_folder():
            self.model.fit(
                batches if resize is None else data.of_any_size(batches),
                epochs=epochs,
                steps_per_epoch=steps,
                shuffle=False,
                verbose=0,
                callbacks=list(callbacks),
            )

    def examine(self, part: Part, scored: Scored | None = None) -> Examination:
        """Return how the model does on the `validation` or on the `test` part.

        Label smoothing is no part of these losses.

        Args:
            part: which part.
            scored: its examples, where they are known already.
        """
        scored = scored or chosen(None, self.dataset, part)
        batches = data.EvaluationBatches(
            self.dataset,
            scored.rows,
            batch_size=self.config.batch_size,
            examples=scored.examples,
        )
        loss = make_loss(self.config, self.dataset)
        flip = self.config.train.flip_evaluation
        with self._one_by_one():
            return examine(self.model, batches, loss, flip=flip)

    def _warn_of_ignored_targets(self) -> None:
        """Say so if the model's own loss does not depend on the targets; leaves no trace."""
        x, y = self._batches(num_steps=1)[0]
        is_deaf = ignores_targets(self.model, x[:_FEW], y[:_FEW])
        self._initial.restore()
        if is_deaf:
            self._observer.warn(
                f"the loss of model {self.config.model.name} does not depend on the targets: its "
                f"compute_loss gives the same for a batch, whatever they are, so they can't be "
                f"learned; let it compare y with y_pred."
            )

    def _batches(self, *, num_steps: int, replicate: int = 0, **more: Any) -> data.Batches:
        return data.Batches(
            self.dataset,
            seed=self.config.seed + replicate,
            batch_size=self.config.batch_size,
            num_steps=num_steps,
            augment=self.augment,
            one_hot=self.config.train.label_smoothing > 0,
            **more,
        )

    @contextlib.contextmanager
    def _one_by_one(self) -> Iterator[None]:
        """Let Keras evaluate batch by batch, also within a training of several steps at a time."""
        steps = self.model.steps_per_execution
        self.model.steps_per_execution = 1
        try:
            yield
        finally:
            self.model.steps_per_execution = steps

    def _build(self, replicate: int) -> Any:
        seed = self.config.seed + replicate
        generator = snapshot.reseed(seed)
        callers_policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.config.precision)
        try:
            with self._initial_weights.recording(replicate, seed) as built:
                return models.build(
                    self.config.model.name,
                    self.config.model.options,
                    input_shape=self._input_shape,
                    num_outputs=self.dataset.num_outputs,
                    activation=None if self._outputs_probabilities else "linear",
                    examples=self._examples_to_adapt_to,
                    built=built,
                )
        except ModelError as error:
            if self.config.train.resize is None:
                raise
            raise ModelError(
                f"train.resize needs a network that takes images of any size, with None for their "
                f"height and width: {error}"
            ) from error
        finally:
            keras.config.set_dtype_policy(callers_policy)
            snapshot.reseed(seed, keeping=generator)  # whatever the model's function did

    @property
    def _input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input; no sizes where they change in the course of the training."""
        resize = self.config.train.resize
        if resize is None:
            return self.dataset.input_shape
        data.check_resize([stretch.size for stretch in resize], self.dataset.input_shape)
        return (None, None, self.dataset.input_shape[-1])

    def _examples_to_adapt_to(self) -> NDArray[np.float32]:
        """Return training inputs, never augmented, spread over the whole training part."""
        train = self.dataset.train
        rows = train[np.linspace(0, len(train) - 1, min(len(train), _ADAPTED_TO)).astype(np.int64)]
        return self.dataset.normalise(self.dataset.x[rows])

    @property
    def _outputs_probabilities(self) -> bool:
        return self.loss_name == CROSS_ENTROPY and not self.config.loss.from_logits

    @property
    def loss_name(self) -> str:
        """The loss that `auto` stands for."""
        return name_of_loss(self.config, self.dataset)

    def _compile(self) -> None:
        settings = self.config.optimizer
        optimizer = optimizers.adapted(
            registry.optimizers.load(settings.name),
            self.model,
            momentum=settings.momentum,
            nesterov=settings.nesterov,
            decoupled=settings.decay_kind == "decoupled",
        )
        self._check_momentum(optimizer)
        if self.config.precision == "mixed_float16":  # else a saved model does not know of it
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        loss = make_training_loss(self.config, self.dataset)
        self.model.compile(optimizer, loss, jit_compile=self.jit_compile, auto_scale_loss=False)

    def _check_momentum(self, optimizer: Any) -> None:
        """Refuse a training that is to have a momentum, with an optimizer that has none."""
        momentum = self.config.train.momentum
        if optimizers.holds_zero(optimizer) and (momentum == "auto" or momentum.max):
            raise optimizers.without_momentum(optimizer)

    def _attach(self) -> instruments.Instruments:
        train = self.config.train
        steered = (LEARNING_RATE, MOMENTUM, self.decay_name)
        attached = instruments.Instruments.attach(
            self.model, steered, owner=self, gradient_norm=train.log_grad_norm
        )
        key = "train.also"
        try:
            attached.enliven(train.also)
            key = "train.layer_rates"
            attached.scale_layers(train.layer_rates)
        except OptimizerError as error:
            attached.release(owner=self)
            raise self.config.error(key, f"{key}: {error}") from None
        return attached


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
