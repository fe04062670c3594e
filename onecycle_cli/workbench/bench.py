"""Data and one compiled model, set up once for all the trials of an experiment."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import keras

from onecycle_cli import data, registry
from onecycle_cli.config import Config
from onecycle_cli.data import Dataset
from onecycle_cli.data.inputs import rows_of
from onecycle_cli.engine import instruments
from onecycle_cli.engine.devices.distributed import noticing_losses
from onecycle_cli.engine.execution.several_steps import one_by_one
from onecycle_cli.engine.kernels.channels_last import channels_last
from onecycle_cli.engine.kernels.filter_gradient import ConvolvedGradient
from onecycle_cli.engine.kernels.fusion import FusedBatchNormalization
from onecycle_cli.engine.repeatable import make_repeatable
from onecycle_cli.engine.state import snapshot
from onecycle_cli.engine.steering import optimizers
from onecycle_cli.engine.steering.names import L2, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY
from onecycle_cli.errors import OptimizerError
from onecycle_cli.observer import Observer
from onecycle_cli.registry.code.containment import same_folder
from onecycle_cli.suggest import Bounds
from onecycle_cli.workbench.fitness import (
    check_can_be_compiled,
    check_end,
    check_options,
    check_outputs,
    first_outputs,
)
from onecycle_cli.workbench.ignored_targets import warning_of_ignored_targets
from onecycle_cli.workbench.loading import load_augmentation, load_data
from onecycle_cli.workbench.scoring.bounds import bounds_of_compiled
from onecycle_cli.workbench.scoring.chance import chance_of
from onecycle_cli.workbench.scoring.compiled import OTHER, has_own_loss, objective_of_compiled
from onecycle_cli.workbench.scoring.examination import (
    Examination,
    examine,
    examine_by_batches,
    examine_stream,
)
from onecycle_cli.workbench.scoring.fit_of_loss import check_loss
from onecycle_cli.workbench.scoring.objective import Objective, objective_of
from onecycle_cli.workbench.scoring.preamble import announce
from onecycle_cli.workbench.scoring.scored import Part, Scored, chosen
from onecycle_cli.workbench.settings import decide_fusion, decide_jit
from onecycle_cli.workbench.subjects.adoption import COMPILED, adopted, check_nothing_else_is_said
from onecycle_cli.workbench.subjects.configured import ConfiguredModel
from onecycle_cli.workbench.subjects.in_hand import InHand
from onecycle_cli.workbench.subjects.subject import Subject, same_start

_FEW = 32


class Workbench:
    """One model that is compiled once and rewound before each trial.

    Attributes:
        config: the configuration.
        dataset: the data; the test set is not loaded.
        loaded: the same, as it was before the model was asked what its task is.
        objective: the task, and the loss that is trained on.
        preamble: what the data are, what is predicted, by which loss and score, in a line.
        model: compiled, with a stock optimizer, and instruments attached.
        steps_per_epoch: batches in one pass over the training part.
        decay_name: the hyper-parameter that weight decay is set by: `l2` or `weight_decay`.
        jit_compile: whether the training step is compiled by XLA.
        fusion: trains BatchNormalization by the fused kernel, or not.
        convolved: the convolutions whose filters' gradient is found by another; none in hand.
        caveats: what makes the model's numbers less than they seem, in words.
        replay: what came of `replay.replay`, as plain data, once that has been done.
    """

    def __init__(self, config: Config, observer: Observer, in_hand: InHand | None = None) -> None:
        self.config = config
        self.caveats: list[str] = []
        self.replay: dict[str, Any] | None = None
        self._observer, self._in_hand = observer, in_hand
        self.dataset = self.loaded = self._load()
        self.steps_per_epoch = data.steps_per_epoch(self.dataset, config.batch_size)
        self.augment = load_augmentation(config, self.dataset)
        self._subject, self.objective = self._set_up()
        self.model = self._subject.model
        self._has_replicated = False
        self._comes_compiled = bool(self.model.compiled)
        if self._comes_compiled:
            self._adopt_compilation()
        else:
            check_can_be_compiled(self.config, self.dataset)
            self._adopt_outputs()
            self._compile()
        shows = self.model.optimizer if self._comes_compiled else None
        self.preamble = announce(observer, self.dataset, self.objective, self._outputs, shows)
        self.decay_name = L2 if self.config.optimizer.decay_kind == "l2" else WEIGHT_DECAY
        is_ours = not self.is_in_hand
        self.fusion = FusedBatchNormalization(self.model, is_on=is_ours and decide_fusion(config))
        self.convolved = ConvolvedGradient(self.model, config.batch_size, is_on=is_ours)
        self._instruments = self._attach()
        self._initial = snapshot.Snapshot(self.model)
        self._warn_of_ignored_targets()

    def close(self) -> None:
        """Give the model back with a stock optimizer and stock layers. Idempotent.

        A model that is in hand is as it was, unless it was to be trained.
        """
        self.fusion.release()
        self.convolved.release()
        self._instruments.release(owner=self)
        if self._in_hand is not None:
            self._in_hand.model.give_back(is_trained=self._in_hand.is_to_be_trained)

    @property
    def is_in_hand(self) -> bool:
        """Whether the model was handed over in Python, and not named by the configuration."""
        return self._in_hand is not None

    def _load(self) -> Dataset:
        if self._in_hand is None:
            registry.check(self.config)
            return load_data(self.config, self._observer)
        for note in self._in_hand.dataset.notes:
            self._observer.warn(note)
        return self._in_hand.dataset

    def _set_up(self) -> tuple[Subject, Objective]:
        """Seed everything, and return what is trained and, as far as it is known yet, what for."""
        config = self.config
        if self._in_hand is not None:
            self.jit_compile = bool(self._in_hand.model.model.jit_compile)
            make_repeatable(config.seed, jit_compile=self.jit_compile)
            return self._in_hand.model, OTHER
        self.jit_compile = decide_jit(config)
        objective = objective_of(config, self.dataset)
        check_options(config, self.dataset)
        make_repeatable(config.seed, jit_compile=self.jit_compile)
        return ConfiguredModel(config, self.dataset, objective), objective

    @property
    def chance(self) -> float | None:
        """The training loss of the best single answer to all; `None` where no formula gives it."""
        if has_own_loss(self.model):
            return None
        return chance_of(self.objective, self.dataset, self._outputs)

    @functools.cached_property
    def bounds(self) -> Bounds:
        """Between which losses a range test has to come down."""
        if self.objective.task == "other":
            return bounds_of_compiled(self.model, self.dataset, self._first_outputs)
        return Bounds(0.0, self.chance)

    def rewind(self, replicate: int = 0) -> None:
        """Bring the model back to its start; each replicate has initial weights of its own."""
        self._initial.restore()
        if not replicate:
            return
        self._has_replicated = True
        if not self._subject.redraw(replicate):
            is_ordered = self.dataset.stream is not None
            self.caution(same_start(self.config.model.name, is_ordered=is_ordered))

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
            together: steps in one execution; with a pipeline or several epochs a part of `steps`.
        """
        batches = self._feed(steps * epochs, replicate=replicate, start=start, resize=resize)
        self._instruments.execute(together)
        with same_folder(), noticing_losses(), channels_last(self.model):
            self.model.fit(
                batches,
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
        if self.dataset.stream is not None:
            stream = self.dataset.validation_stream
            with one_by_one(self.model), noticing_losses():
                return examine_stream(self.model, stream, self.objective, self._instruments)
        scored = scored or chosen(None, self.dataset, part)
        weights = self.dataset.weights if scored.examples is None else None
        by_itself = self.objective.task == "other"
        batches = data.EvaluationBatches(
            self.dataset,
            scored.rows,
            batch_size=self.config.batch_size,
            examples=scored.examples,
            weights=weights if by_itself else None,
        )
        flip = self.config.train.flip_evaluation
        with one_by_one(self.model), noticing_losses():
            if by_itself:
                return examine_by_batches(self.model, batches, self._instruments)
            of_rows = None if weights is None else weights[scored.rows]
            return examine(self.model, batches, self.objective, flip=flip, weights=of_rows)

    def _warn_of_ignored_targets(self) -> None:
        """Say so if the model's own loss does not depend on the targets; leaves no trace."""
        if self.dataset.stream is not None:
            return
        warning = warning_of_ignored_targets(
            self.model, self.config.model.name, *self._batches(num_steps=1)[0]
        )
        self._initial.restore()
        if warning:
            self._observer.warn(warning)

    def _feed(self, num_steps: int, *, start: int, resize: data.Resize | None, **more: Any) -> Any:
        """Return what `fit` is given."""
        if self.dataset.stream is not None:
            return data.for_fit(self.dataset.stream.from_batch(start))
        batches = self._batches(num_steps=num_steps, start=start, resize=resize, **more)
        return data.for_fit(batches, any_size=resize is not None)

    def _batches(self, *, num_steps: int, replicate: int = 0, **more: Any) -> data.Batches:
        return data.Batches(
            self.dataset,
            seed=self.config.seed + replicate,
            batch_size=self.config.batch_size,
            num_steps=num_steps,
            augment=self.augment,
            one_hot=self.objective.takes_one_hot and not self.is_in_hand,
            **more,
        )

    def _adopt_outputs(self) -> None:
        """Settle the task by what the model answers, and check that it goes with the loss."""
        outputs = first_outputs(self.model, self.config, self.dataset)
        if self.objective.task == "multiclass" and outputs.shape[1] == 1:
            why = f"{self.dataset.why}, and a model that answers with one number"
            self.dataset = replace(self.dataset, task="binary", why=why)
            self.objective = objective_of(self.config, self.dataset)
        check_outputs(outputs, self.config, self.objective)
        check_end(self.model, self.config, self.dataset, self.objective)
        self._outputs = outputs.shape[1]

    def _adopt_compilation(self) -> None:
        """Take loss and optimizer from the model, as it was compiled."""
        self.jit_compile = bool(self.model.jit_compile)
        said, self.config = self.config, adopted(self.config, self.model)
        if not self.is_in_hand:
            check_nothing_else_is_said(said, self.config, jit_compile=self.jit_compile)
        optimizers.note_momentum(self.model.optimizer)
        self._check_momentum(self.model.optimizer)
        before = snapshot.Snapshot(self.model)
        outputs = self._first_outputs = first_outputs(self.model, self.config, self.dataset)
        before.restore()
        few = rows_of(self.dataset.y, self.dataset.train[:_FEW])
        self.objective = objective_of_compiled(self.model, outputs, few)
        if self.is_in_hand and (doubt := check_loss(self.objective, outputs, self.dataset.y)):
            self._observer.warn(doubt)
        self._outputs = 0 if self.objective.task == "other" else outputs.shape[1]

    @property
    def loss_name(self) -> str:
        """The loss that `auto` stands for."""
        return COMPILED if self._comes_compiled else self.objective.loss

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
        loss = self.objective.in_training()
        self.model.compile(optimizer, loss, jit_compile=self.jit_compile, auto_scale_loss=False)

    def _check_momentum(self, optimizer: Any) -> None:
        """Refuse a training that is to have a momentum, with an optimizer that has none."""
        momentum = self.config.train.momentum
        if optimizers.holds_zero(optimizer) and (momentum == "auto" or momentum.max):
            raise optimizers.without_momentum(optimizer)

    def _attach(self) -> instruments.Instruments:
        train, key = self.config.train, "train.also"
        steered = (LEARNING_RATE, MOMENTUM, self.decay_name)
        attached = instruments.Instruments.attach(
            self.model, steered, owner=self, gradient_norm=train.log_grad_norm
        )
        attached.gives_inputs_alone = self.dataset.stream is None
        try:
            attached.enliven(train.also)
            key = "train.layer_rates"
            attached.scale_layers(train.layer_rates)
        except OptimizerError as error:
            attached.release(owner=self)
            raise self.config.error(key, f"{key}: {error}") from None
        return attached
